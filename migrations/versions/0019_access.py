"""Who sees and edits what, in the database: its roles, and what row security asks of the session.

A session that works for somebody takes a role (``set role``) and says in ``twin.edits`` which themes may be edited
(``*``: all) and in ``twin.wards`` in which wards (none: everywhere). Grants and policies follow the declarations and
are made by ``layers.store.rights``.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ROLES = (
    "twin_public", "twin_staff", "twin_restricted", "twin_editor", "twin_staff_editor", "twin_restricted_editor",
)  # fmt: skip

UPGRADE = """
create table meta.rights (only_row boolean primary key default true check (only_row), mark text not null);
create or replace function meta.edits(theme text) returns boolean language sql stable as
$$ select coalesce(current_setting('twin.edits', true), '') = '*'
    or theme = any (string_to_array(coalesce(current_setting('twin.edits', true), ''), ',')) $$;

create or replace function meta.is_unbound() returns boolean language sql stable as
$$ select coalesce(current_setting('twin.wards', true), '') = '' $$;

-- Plain SQL in a string: the layer's table is made after this migration.
create or replace function meta.own_area() returns geometry language plpgsql stable security definer
set search_path = pg_catalog, public as $$
declare
    area public.geometry;
begin
    select public.ST_Union(geom) into area from city.wards
    where ward_code = any (string_to_array(current_setting('twin.wards', true), ','));
    return area;
end $$;

-- Items of layers whose flag keeps them for few, as 'layer/id'.
create or replace function meta.hidden_items() returns text[] language plpgsql stable security definer
set search_path = pg_catalog, public as $$
declare
    asked text;
    found text[];
begin
    select string_agg(
        format('select %L || id from city.%I where is_restricted', relname || '/', relname), ' union all '
    ) into asked
    from pg_attribute join pg_class c on c.oid = attrelid
    where relnamespace = 'city'::regnamespace and attname = 'is_restricted' and relkind = 'r';
    execute format(
        'select coalesce(array_agg(one), ''{}'') from (%s) as h (one)', coalesce(asked, 'select null where false')
    ) into found;
    return found;
end $$;

create or replace function sensing.hidden_things() returns text[] language sql stable security definer
set search_path = pg_catalog, public as $$
    with hidden as (select unnest(meta.hidden_items()) as item)
    select coalesce(array_agg(id), '{}') from sensing.thing
    where layer || '/' || feature in (select item from hidden) or 'sensors/' || id in (select item from hidden)
$$;

create or replace function sensing.hidden_streams() returns bigint[] language sql stable security definer
set search_path = pg_catalog, public as $$
    select coalesce(array_agg(fid), '{}') from sensing.datastream
    where thing_id = any (sensing.hidden_things()) or 'sensors/' || sensor_id = any (meta.hidden_items())
$$;

create or replace function sensing.hidden_names() returns text[] language sql stable security definer
set search_path = pg_catalog, public as $$
    select coalesce(array_agg(id), '{}') from sensing.datastream where fid = any (sensing.hidden_streams())
$$;

create or replace function sensing.hidden_locations() returns text[] language sql stable security definer
set search_path = pg_catalog, public as $$
    select coalesce(array_agg(location_id), '{}') from sensing.thing_location
    where thing_id = any (sensing.hidden_things())
$$;

-- Words of rows that are for few are searched by nobody.
create or replace function meta.index_words() returns trigger language plpgsql as $$
declare
    pairs text;
    same text;
    shown text := 'true';
    written bigint;
begin
    if tg_op = 'TRUNCATE' then
        delete from meta.search_entry where layer = tg_table_name;
        return null;
    end if;
    select string_agg(format('(%L, n.%I)', name, name), ', '),
        string_agg(format('n.%I is not distinct from o.%I', name, name), ' and ')
    into pairs, same from unnest(tg_argv) as name;
    if exists (select from pg_attribute where attrelid = tg_relid and attname = 'is_restricted') then
        shown := 'n.is_restricted is not true';
        same := same || ' and n.is_restricted is not distinct from o.is_restricted';
    end if;
    if tg_op = 'INSERT' then
        same := 'false';
        -- Many words are sorted into the index at once, at the end: twice as fast as one by one.
        if (select count(*) from (select from new_rows limit 10000) as many) = 10000 then
            perform set_config('gin_pending_list_limit', '256MB', true);
        end if;
    elsif tg_op = 'DELETE' then
        delete from meta.search_entry e using old_rows o where e.layer = tg_table_name and e.fid = o.fid;
        return null;
    else
        -- What only changed beside its words and place keeps its entries.
        same := format('exists (select 1 from old_rows o where o.fid = n.fid and o.id = n.id and %s '
            'and o.geom::bytea = n.geom::bytea)', same);
        execute format('delete from meta.search_entry e using new_rows n '
            'where e.layer = %L and e.fid = n.fid and not %s', tg_table_name, same);
    end if;
    execute format(
        'insert into meta.search_entry (layer, fid, kind, id, words, folded, place, box) '
        'select %L, n.fid, v.kind, n.id, v.words, meta.search_words(v.words), '
        'case when ST_GeometryType(n.geom_3857) = ''ST_LineString'' '
        'then ST_LineInterpolatePoint(n.geom_3857, 0.5) else ST_PointOnSurface(n.geom_3857) end, '
        'ST_Envelope(n.geom_3857) '
        'from new_rows n cross join lateral (values %s) as v (kind, words) '
        'where v.words <> '''' and %s and not %s',
        tg_table_name, pairs, shown, same);
    get diagnostics written = row_count;
    if tg_op = 'INSERT' and written >= 10000 then
        perform gin_clean_pending_list('meta.search_entry_names');
        perform gin_clean_pending_list('meta.search_entry_addresses');
        perform set_config('gin_pending_list_limit', '4MB', true);
    end if;
    return null;
end $$;

-- Views show what who asks may see, not what their owner may.
alter view sensing.reading set (security_invoker = true);
alter view forecast.newest set (security_invoker = true);
alter view forecast.loop set (security_invoker = true);
alter view network.link set (security_invoker = true);
"""

DOWNGRADE = """
alter view sensing.reading reset (security_invoker);
alter view forecast.newest reset (security_invoker);
alter view forecast.loop reset (security_invoker);
alter view network.link reset (security_invoker);
do $$
declare
    one record;
begin
    for one in select schemaname, tablename, policyname from pg_policies where policyname like 'twin\\_%' loop
        execute format('drop policy %I on %I.%I', one.policyname, one.schemaname, one.tablename);
        execute format('alter table %I.%I disable row level security', one.schemaname, one.tablename);
    end loop;
end $$;
drop table meta.rights;
drop function sensing.hidden_locations(), sensing.hidden_names(), sensing.hidden_streams(), sensing.hidden_things(),
    meta.hidden_items(), meta.own_area(), meta.is_unbound(), meta.edits(text);
"""


def upgrade() -> None:
    """Make the roles, which belong to all databases of the server, and the functions."""
    for role in ROLES:
        op.execute(
            f"do $$ begin create role {role} nologin; exception when duplicate_object or unique_violation then null; "
            "end $$"
        )
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take policies and functions away; the roles stay, other databases of the server may use them."""
    op.execute(DOWNGRADE)
