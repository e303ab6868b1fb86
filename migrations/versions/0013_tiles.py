"""Which tiles an edit touches, and what low zooms are drawn from.

Every statement that writes a layer moves the layer's clock (``meta.layer_version.changed``, which never stands still or
goes back) and leaves it on the tiles it touched (``meta.tile_mark``). Marks lie on the tile of zoom 16 or less that is
as large as the feature; a tile is as old as the newest mark on itself, above it or below it. What overviews must draw
anew is noted in ``meta.overview_mark``, without a key: a second writer leaves a mark of its own, so that none is lost
to somebody who takes the first.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Zoom 0 is 40,075,016.7 m wide. Marks reach 1/64 of a tile's width beyond the feature, which is what a tile's buffer
# shows of its neighbours. An area belongs to the cell of zoom 14 that holds the middle of its bounds, everything else
# to all cells that its bounds touch. More than 50,000 rows at once touch the whole layer.
_MARK = """
create function meta.mark_{name}() returns trigger language plpgsql as $$
declare
    world constant double precision := 40075016.685578488;
    half constant double precision := 20037508.342789244;
    touched bigint;
    moment timestamptz;
begin
    select count(*) into touched from {rows};
    if touched = 0 then
        return null;
    end if;
    moment := meta.move_clock(tg_table_name);
    if touched > 50000 then
        perform meta.mark_layer(tg_table_name, moment);
    end if;
    with bounds as (
        select ST_XMin(geom_3857) as x0, ST_YMin(geom_3857) as y0, ST_XMax(geom_3857) as x1, ST_YMax(geom_3857) as y1
        from {rows} where not ST_IsEmpty(geom_3857)
    ), placed as (
        select x0, y0, x1, y1, world / (1 << z) as width, z, (1 << z) - 1 as last
        from (
            select *, greatest(0, least(16, floor(ln(world / greatest(x1 - x0, y1 - y0, 1.0)) / ln(2.0))))::integer as z
            from bounds where touched <= 50000
        ) sized
    ), marked as (
        insert into meta.tile_mark (layer, z, x, y, changed)
        select distinct tg_table_name, z, x, y, moment from (
            select distinct z,
                greatest(0, least(last, floor((x0 + half) / width - 1.0 / 64)))::integer as c0,
                greatest(0, least(last, floor((x1 + half) / width + 1.0 / 64)))::integer as c1,
                greatest(0, least(last, floor((half - y1) / width - 1.0 / 64)))::integer as r0,
                greatest(0, least(last, floor((half - y0) / width + 1.0 / 64)))::integer as r1
            from placed
        ) spans, generate_series(c0, c1) x, generate_series(r0, r1) y
        on conflict (layer, z, x, y) do update set changed = excluded.changed
    )
    insert into meta.overview_mark (layer, x0, y0, x1, y1, extent)
    select tg_table_name, c0, r0, c1, r1, box(point(min(x0), min(y0)), point(max(x1), max(y1))) from (
        select *,
            meta.find_cell(case when areas then (x0 + x1) / 2 else x0 end + half) as c0,
            meta.find_cell(half - case when areas then (y0 + y1) / 2 else y1 end) as r0,
            meta.find_cell(case when areas then (x0 + x1) / 2 else x1 end + half) as c1,
            meta.find_cell(half - case when areas then (y0 + y1) / 2 else y0 end) as r1
        from bounds, (select tg_argv[0] = 'MultiPolygon' as areas) kind
        where tg_argv[1]::boolean
    ) cells group by c0, r0, c1, r1;
    return null;
end $$;
"""

_ROWS = {
    "inserted": "new_rows",
    "deleted": "old_rows",
    "updated": "(select geom_3857 from old_rows union all select geom_3857 from new_rows) both_rows",
}

UPGRADE = (
    """
create extension if not exists btree_gist;
create schema overview;

create table meta.tile_mark (
    layer text not null,
    z smallint not null,
    x integer not null,
    y integer not null,
    changed timestamptz not null,
    primary key (layer, z, x, y)
) with (fillfactor = 70);

create table meta.overview_mark (
    layer text not null,
    x0 integer not null,
    y0 integer not null,
    x1 integer not null,
    y1 integer not null,
    extent box not null
);
create index overview_mark_layer on meta.overview_mark (layer);

create function meta.find_cell(distance double precision) returns integer language sql immutable as
$$ select greatest(0, least(16383, floor(distance / 40075016.685578488 * 16384)))::integer $$;

-- Writers of one layer wait here for each other, so its clock moves in the order of their commits.
create function meta.move_clock(name text) returns timestamptz language plpgsql as $$
declare
    moment timestamptz;
begin
    insert into meta.layer_version as v (layer, version, changed) values (name, 1, clock_timestamp())
    on conflict (layer) do update set version = v.version + 1,
        changed = greatest(clock_timestamp(), v.changed + interval '1 microsecond')
    returning changed into moment;
    update meta.edit set layers = layers || name where id = meta.edit_id() and name <> all (layers);
    perform pg_notify('layer_version', name);
    return moment;
end $$;

create function meta.mark_layer(name text, moment timestamptz) returns void language plpgsql as $$
begin
    delete from meta.tile_mark where layer = name and (z, x, y) <> (0, 0, 0);
    insert into meta.tile_mark (layer, z, x, y, changed) values (name, 0, 0, 0, moment)
    on conflict (layer, z, x, y) do update set changed = excluded.changed;
end $$;

create function meta.mark_truncated() returns trigger language plpgsql as $$
begin
    perform meta.mark_layer(tg_table_name, meta.move_clock(tg_table_name));
    if tg_argv[1]::boolean then
        execute format('truncate overview.%I', tg_table_name);
    end if;
    return null;
end $$;
"""
    + "".join(_MARK.replace("{name}", name).replace("{rows}", rows) for name, rows in _ROWS.items())
    + """
-- Everything there is was never marked.
insert into meta.tile_mark (layer, z, x, y, changed) select layer, 0, 0, 0, changed from meta.layer_version;
do $$
declare
    one text;
begin
    for one in select tablename from pg_tables where schemaname = 'city' loop
        execute format('drop trigger if exists count_version on city.%I', one);
    end loop;
end $$;
drop function meta.count_version();
"""
)

DOWNGRADE = """
do $$
declare
    one text;
begin
    for one in select tablename from pg_tables where schemaname = 'city' loop
        execute format('drop trigger if exists mark_inserted on city.%I', one);
        execute format('drop trigger if exists mark_updated on city.%I', one);
        execute format('drop trigger if exists mark_deleted on city.%I', one);
        execute format('drop trigger if exists mark_truncated on city.%I', one);
    end loop;
end $$;
drop schema overview cascade;
drop function meta.mark_inserted();
drop function meta.mark_updated();
drop function meta.mark_deleted();
drop function meta.mark_truncated();
drop function meta.mark_layer(text, timestamptz);
drop function meta.move_clock(text);
drop function meta.find_cell(double precision);
drop table meta.overview_mark, meta.tile_mark;
create function meta.count_version() returns trigger language plpgsql as $$
begin
    insert into meta.layer_version (layer, version, changed) values (tg_table_name, 1, clock_timestamp())
    on conflict (layer) do update set version = layer_version.version + 1, changed = clock_timestamp();
    update meta.edit set layers = layers || tg_table_name::text
    where id = meta.edit_id() and tg_table_name <> all (layers);
    perform pg_notify('layer_version', tg_table_name);
    return null;
end $$;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
