"""The audit: entries that are only added to, and the chain of seals over them."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UPGRADE = """
create schema audit;
create sequence audit.entry_number;

create table audit.entry (
    number bigint not null default nextval('audit.entry_number'),
    at timestamptz not null default clock_timestamp(),
    subject text not null check (length(subject) between 1 and 200),
    name text not null default '' check (length(name) <= 200),
    via text not null check (length(via) between 1 and 40),
    client text check (length(client) <= 60),
    request_id text check (length(request_id) <= 80),
    action text not null check (length(action) between 1 and 60),
    object text not null default '' check (length(object) <= 400),
    outcome text not null check (length(outcome) between 1 and 20),
    detail jsonb not null default '{}' check (jsonb_typeof(detail) = 'object'),
    primary key (number, at)
) partition by range (at);
create index entry_at on audit.entry (at);
create index entry_subject on audit.entry (subject, number);
-- What comes where no month was made ready is kept all the same.
create table audit.entry_rest partition of audit.entry default;

-- What waits for its seal, with the transaction that wrote it.
create table audit.waiting (
    number bigint primary key,
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id()
);

-- hash: SHA-256 of the hash before and the entry's canonical bytes. month: where the entry lies, also once it left.
create table audit.seal (
    position bigint primary key check (position > 0),
    entry bigint not null unique,
    month date not null,
    hash bytea not null check (octet_length(hash) = 32),
    at timestamptz not null default clock_timestamp()
);
create index seal_month on audit.seal (month, position);

-- Months that were written to a file and taken off the table.
create table audit.retired (
    month date primary key,
    entries bigint not null,
    last_position bigint not null,
    last_hash bytea not null,
    digest bytea not null,
    at timestamptz not null default clock_timestamp()
);

create table audit.shipped (
    target text primary key,
    position bigint not null default 0,
    at timestamptz not null default clock_timestamp()
);

create function audit.refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the audit is only added to: % of % is refused', lower(tg_op), tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

create function audit.protect(kept regclass) returns void language plpgsql as $$
begin
    execute format(
        'create trigger kept before update or delete on %s for each row execute function audit.refuse()', kept
    );
    execute format('alter table %s enable always trigger kept', kept);
    perform audit.protect_whole(kept);
end $$;

-- Triggers for each row are copied to partitions, those for a statement are not.
create function audit.protect_whole(kept regclass) returns void language plpgsql as $$
begin
    execute format(
        'create trigger kept_whole before truncate on %s for each statement execute function audit.refuse()', kept
    );
    execute format('alter table %s enable always trigger kept_whole', kept);
end $$;

select audit.protect('audit.entry'), audit.protect_whole('audit.entry_rest'), audit.protect('audit.seal'),
    audit.protect('audit.retired');

-- Makes the partition of a month; false where it is there, or where the rest holds rows of it already.
create function audit.prepare(month date) returns boolean language plpgsql as $$
declare
    name text := format('audit.entry_%s', to_char(month, 'YYYY_MM'));
begin
    if to_regclass(name) is not null or exists (select from audit.retired r where r.month = prepare.month) then
        return false;
    end if;
    if exists (select from audit.entry_rest where at >= month and at < month + interval '1 month') then
        return false;
    end if;
    execute format(
        'create table %s partition of audit.entry for values from (%L) to (%L)',
        name, month::timestamp at time zone 'UTC', (month + interval '1 month')::timestamp at time zone 'UTC'
    );
    perform audit.protect_whole(name::regclass);
    return true;
end $$;

-- The one way in, for whoever works for whomever.
create function audit.write(
    subject text, name text, via text, client text, request_id text, action text, object text, outcome text,
    detail jsonb
) returns bigint language sql security definer set search_path = pg_catalog as $$
    with added as (
        insert into audit.entry (subject, name, via, client, request_id, action, object, outcome, detail)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        returning number, at
    )
    insert into audit.waiting (number, at) select number, at from added returning number
$$;
revoke all on function audit.write from public;
grant usage on schema audit to twin_public;
grant execute on function audit.write to twin_public, twin_editor;

select audit.prepare((date_trunc('month', now() at time zone 'UTC') + make_interval(months => n))::date)
from generate_series(0, 12) as n;
"""

DOWNGRADE = """
drop schema audit cascade;
"""


def upgrade() -> None:
    """Make tables, triggers and functions, and months for a year."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take the audit away; export it before."""
    op.execute(DOWNGRADE)
