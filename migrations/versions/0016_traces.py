"""Traces that were asked, with the features they found as bit strings, and named configurations of traces."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UPGRADE = """
create schema if not exists network;

create table network.trace (
    id text primary key,
    process text not null,
    commodity text not null,
    request jsonb not null,
    stamp text not null,
    figures jsonb not null,
    author text not null,
    created timestamptz not null default now(),
    asked timestamptz not null default now()
);
create index trace_asked on network.trace (asked desc);

-- Bit n is set where the feature with fid n was found.
create table network.trace_members (
    trace text not null references network.trace (id) on delete cascade,
    layer text not null,
    count bigint not null,
    bits bytea not null,
    primary key (trace, layer)
);

create table network.trace_configuration (
    id text primary key,
    process text not null,
    title_vi text not null,
    title_en text not null,
    inputs jsonb not null,
    author text not null,
    created timestamptz not null default now(),
    changed timestamptz not null default now()
);

-- Appended to nothing, so that the bits are unpacked once and not for every row they are asked about.
create function network.read_members(wanted text, of_layer text) returns bytea
language plpgsql stable parallel safe as $$
declare found bytea;
begin
    if not exists (select from network.trace where id = wanted) then
        raise exception 'there is no trace "%"; ask it again', left(wanted, 40)
            using errcode = 'invalid_parameter_value';
    end if;
    select bits || ''::bytea into found from network.trace_members where trace = wanted and layer = of_layer;
    return coalesce(found, ''::bytea);
end $$;

create function network.holds(members bytea, fid bigint) returns boolean
language sql immutable parallel safe as $$
    select case when fid < 8 * length(members)::bigint then get_bit(members, fid) = 1 else false end
$$;
"""

DOWNGRADE = """
drop function network.holds(bytea, bigint);
drop function network.read_members(text, text);
drop table network.trace_configuration, network.trace_members, network.trace;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
