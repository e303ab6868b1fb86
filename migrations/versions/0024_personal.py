"""Personal data: who has which right to which parcel, apart from everything else."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UPGRADE = """
create schema personal;

-- sealed: identity number, telephone and address, each encrypted with a key that is not in the database.
-- mark: keyed hash of what makes a person the same one, so that a file can be loaded again.
create table personal.owner (
    id uuid primary key default gen_random_uuid(),
    mark bytea not null unique check (octet_length(mark) = 32),
    name text not null check (length(name) between 1 and 200),
    folded text not null check (length(folded) between 1 and 200),
    kind text not null check (kind in ('person', 'household', 'organisation')),
    sealed_identity bytea,
    sealed_phone bytea,
    sealed_address bytea,
    basis text not null check (length(basis) between 1 and 40),
    consented date,
    keep_until date,
    source text not null check (length(source) between 1 and 200),
    loaded timestamptz not null default now(),
    check (basis <> 'consent' or consented is not null)
);
create index owner_folded on personal.owner using gin (folded public.gin_trgm_ops);
create index owner_keep on personal.owner (keep_until);

create table personal.land_right (
    id bigint generated always as identity primary key,
    owner uuid not null references personal.owner on delete cascade,
    parcel text not null check (length(parcel) between 1 and 200),
    share double precision not null default 1 check (share > 0 and share <= 1),
    basis text not null default '' check (length(basis) <= 200),
    since date,
    until date check (until >= since)
);
create unique index land_right_once on personal.land_right (owner, parcel, coalesce(since, '-infinity'));
create index land_right_parcel on personal.land_right (parcel);

-- Rows of a file that were not taken: where and why, never what they say.
create table personal.rejected (
    id bigint generated always as identity primary key,
    source text not null,
    row integer not null,
    field text not null,
    reason text not null,
    at timestamptz not null default now()
);

-- That somebody was erased; after a restore it is done again from the copy of the audit.
create table personal.erasure (
    owner uuid primary key,
    reason text not null,
    rights integer not null,
    backups_until date,
    at timestamptz not null default now()
);

grant usage on schema personal to twin_personal;
grant select (id, name, folded, kind, sealed_identity, sealed_phone, sealed_address, basis, keep_until)
    on personal.owner to twin_personal;
grant select (owner, parcel, share, basis, since, until) on personal.land_right to twin_personal;
grant usage on schema audit to twin_personal;
grant execute on function audit.write to twin_personal;
"""

DOWNGRADE = """
drop schema personal cascade;
revoke all on schema audit from twin_personal;
revoke all on function audit.write from twin_personal;
"""


def upgrade() -> None:
    """Make the role, which belongs to all databases of the server, and the tables."""
    op.execute(
        "do $$ begin create role twin_personal nologin; "
        "exception when duplicate_object or unique_violation then null; end $$"
    )
    op.execute("grant twin_personal to current_user")
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take the tables away; the role stays, other databases of the server may use it."""
    op.execute(DOWNGRADE)
