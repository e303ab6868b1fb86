"""Networks: which lines meet where, one topology a commodity, kept by every edit.

Nodes, stops (where nodes lie on lines) and places (of features that are nodes) are written by those who know geometry.
Triggers on the layers of a commodity, attached when it is built first, note which features a statement wrote, so that
nothing a commodity is made of changes unnoticed, whoever writes it. What was noted is settled inside the same
transaction by an edit or a load, else by the first who asks for the network.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# More than 20,000 rows at once are the whole layer. Of a feature that moved both places are noted, of one that did not,
# none.
_NOTE = """
create function network.note_{name}() returns trigger language plpgsql as $$
begin
    if (select count(*) from (select 1 from {rows} limit 20001) few) > 20000 then
        insert into network.pending (commodity, layer) values (tg_argv[0], tg_table_name);
        return null;
    end if;
    insert into network.pending (commodity, layer, fid, x0, y0, x1, y1)
    select tg_argv[0], tg_table_name, fid, ST_XMin(geom), ST_YMin(geom), ST_XMax(geom), ST_YMax(geom) from ({places}) p;
    return null;
end $$;
"""
_UPDATED = (
    "select o.fid, o.geom from old_rows o join new_rows n using (fid) where o.geom::bytea <> n.geom::bytea union all "
    "select n.fid, n.geom from old_rows o join new_rows n using (fid) where o.geom::bytea <> n.geom::bytea union all "
    "select n.fid, null from old_rows o join new_rows n using (fid) where o.geom::bytea = n.geom::bytea"
)

UPGRADE = """
create schema if not exists network;

create table network.commodity (
    id text primary key,
    version bigint not null,
    changed timestamptz not null,
    built timestamptz not null,
    declared text not null,
    tolerance double precision not null,
    line_layers text[] not null,
    point_layers text[] not null,
    next_node bigint not null
);

create table network.node (
    commodity text not null,
    id bigint not null,
    level integer not null,
    x double precision not null,
    y double precision not null,
    primary key (commodity, id)
);

create table network.stop (
    commodity text not null,
    layer smallint not null,
    fid bigint not null,
    measure double precision not null,
    node bigint not null,
    cause smallint not null,
    shift double precision not null
);
create index stop_line on network.stop (commodity, layer, fid);

create table network.place (
    commodity text not null,
    layer smallint not null,
    fid bigint not null,
    node bigint not null,
    x double precision not null,
    y double precision not null,
    primary key (commodity, layer, fid)
);

create table network.pending (
    id bigint generated always as identity primary key,
    commodity text not null,
    layer text not null,
    fid bigint,
    x0 double precision,
    y0 double precision,
    x1 double precision,
    y1 double precision
);
create index pending_commodity on network.pending (commodity);

create table network.change (
    commodity text not null,
    version bigint not null,
    layer text,
    fid bigint
);
create index change_version on network.change (commodity, version);

-- The links, for who reads them with SQL: what lies between two stops of a line and is longer than nothing.
create view network.link as
select commodity, (c.line_layers)[layer + 1] as layer, fid,
    (row_number() over (partition by commodity, layer, fid order by from_measure) - 1)::integer as part,
    start_node, end_node, from_measure, to_measure
from (
    select commodity, layer, fid, measure as from_measure, node as start_node,
        lead(measure) over line as to_measure, lead(node) over line as end_node
    from network.stop window line as (partition by commodity, layer, fid order by measure)
) s join network.commodity c on c.id = s.commodity
where end_node is not null and not (start_node = end_node and to_measure - from_measure <= c.tolerance);
"""
NOTES = (
    _NOTE.format(name="inserted", rows="new_rows", places="select fid, geom from new_rows")
    + _NOTE.format(name="updated", rows="new_rows", places=_UPDATED)
    + _NOTE.format(name="deleted", rows="old_rows", places="select fid, geom from old_rows")
    + """
create function network.note_truncated() returns trigger language plpgsql as $$
begin
    insert into network.pending (commodity, layer) values (tg_argv[0], tg_table_name);
    return null;
end $$;
"""
)
DOWNGRADE = """
drop function network.note_inserted() cascade;
drop function network.note_updated() cascade;
drop function network.note_deleted() cascade;
drop function network.note_truncated() cascade;
drop view network.link;
drop table network.change, network.pending, network.place, network.stop, network.node, network.commodity;
"""


def upgrade() -> None:
    op.execute(UPGRADE)
    op.execute(NOTES)


def downgrade() -> None:
    op.execute(DOWNGRADE)
