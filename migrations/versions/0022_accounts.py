"""Accounts, their sessions, keys of machines and devices, and failed attempts: for the twin itself alone.

Passwords are kept as argon2id, everything else that is secret as a digest. What changes who may do what is told on the
channel ``identity``, so that every server forgets what it remembered.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

UPGRADE = """
create schema identity;

create table identity.account (
    id text primary key check (id ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'),
    title text not null,
    password text,
    roles text[] not null,
    wards text[] not null default '{}',
    enabled boolean not null default true,
    -- The shared secret of one-time codes; confirmed once a code of it was given, step: the newest one that was used.
    totp_secret text,
    totp_confirmed boolean not null default false,
    totp_step bigint not null default 0,
    recovery bytea[] not null default '{}',
    -- Where the person signs in elsewhere: who says so, and the name there.
    issuer text,
    subject text,
    created timestamptz not null default clock_timestamp(),
    changed timestamptz not null default clock_timestamp(),
    signed_in timestamptz,
    unique (issuer, subject),
    check ((issuer is null) = (subject is null))
);

create table identity.session (
    hash bytea primary key,
    id text not null unique,
    account text not null references identity.account (id) on delete cascade,
    via text not null,
    address text not null,
    agent text not null,
    id_token text,
    created timestamptz not null default clock_timestamp(),
    seen timestamptz not null default clock_timestamp(),
    until timestamptz not null
);
create index session_account on identity.session (account);

create table identity.key (
    id text primary key,
    hash bytea not null,
    title text not null,
    owner text references identity.account (id) on delete cascade,
    roles text[] not null,
    wards text[] not null default '{}',
    scopes text[],
    -- Of a device: its name in topics, its thing; a gateway passes on what any device sends.
    device text,
    thing text,
    gateway boolean not null default false,
    -- The same secret as Mosquitto reads it.
    mqtt text not null,
    created timestamptz not null default clock_timestamp(),
    created_by text not null,
    until timestamptz,
    used timestamptz,
    revoked timestamptz
);
create index key_owner on identity.key (owner);

create table identity.attempt (
    who text primary key,
    failures integer not null,
    at timestamptz not null default clock_timestamp()
);

-- A sign-in elsewhere that has begun.
create table identity.flow (
    state bytea primary key,
    browser bytea not null,
    nonce text not null,
    verifier text not null,
    next text not null,
    created timestamptz not null default clock_timestamp()
);

create function identity.tell() returns trigger language plpgsql as $$
begin
    perform pg_notify('identity', '');
    return null;
end $$;

create trigger tell after insert or delete or truncate on identity.account
    for each statement execute function identity.tell();
create trigger tell_change after update of id, title, password, roles, wards, enabled, totp_confirmed
    on identity.account for each statement execute function identity.tell();
create trigger tell after delete or truncate on identity.session
    for each statement execute function identity.tell();
create trigger tell after insert or delete or truncate on identity.key
    for each statement execute function identity.tell();
create trigger tell_change after update of hash, roles, wards, scopes, device, thing, gateway, until, revoked
    on identity.key for each statement execute function identity.tell();
"""

DOWNGRADE = """
drop schema identity cascade;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
