"""Search: text without diacritics, the words of named features, saved queries."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE = r"""
create extension if not exists unaccent with schema public;
create extension if not exists pg_trgm with schema public;

-- The dictionary is named, so the function may truly be immutable: unaccent(text) alone follows the search path.
create function meta.strip_accents(words text) returns text
language sql immutable strict parallel safe as
$$ select public.unaccent('public.unaccent'::regdictionary, normalize(words, nfc)) $$;

create function meta.fold(words text) returns text
language sql immutable strict parallel safe as $$ select lower(meta.strip_accents(words)) $$;

-- Words as search compares them: folded, one blank before each, nothing else than letters, digits and '/' kept.
create function meta.search_words(words text) returns text
language sql immutable strict parallel safe as
$$ select ' ' || btrim(regexp_replace(meta.fold(words), '[^[:alnum:]/]+', ' ', 'g')) $$;

create table meta.search_layer (
    layer text primary key,
    properties text[] not null
);

create table meta.search_entry (
    layer text not null,
    fid bigint not null,
    kind text not null,
    id text not null,
    words text not null,
    folded text not null,
    place geometry(Point, 3857) not null,
    box geometry(Geometry, 3857) not null,
    primary key (layer, fid, kind)
);
-- Apart, since a city has a few names and a million addresses, and names are what is misspelt.
create index search_entry_names on meta.search_entry using gin (folded public.gin_trgm_ops)
where kind not like '%address';
create index search_entry_addresses on meta.search_entry using gin (folded public.gin_trgm_ops)
where kind like '%address';

-- After a statement: the entries of its rows, one a property named in the trigger's arguments.
create function meta.index_words() returns trigger language plpgsql as $$
declare
    pairs text;
    same text;
    written bigint;
begin
    if tg_op = 'TRUNCATE' then
        delete from meta.search_entry where layer = tg_table_name;
        return null;
    end if;
    select string_agg(format('(%L, n.%I)', name, name), ', '),
        string_agg(format('n.%I is not distinct from o.%I', name, name), ' and ')
    into pairs, same from unnest(tg_argv) as name;
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
        'where v.words <> '''' and not %s',
        tg_table_name, pairs, same);
    get diagnostics written = row_count;
    if tg_op = 'INSERT' and written >= 10000 then
        perform gin_clean_pending_list('meta.search_entry_names');
        perform gin_clean_pending_list('meta.search_entry_addresses');
        perform set_config('gin_pending_list_limit', '4MB', true);
    end if;
    return null;
end $$;

create table meta.saved_query (
    id text primary key,
    title_vi text not null,
    title_en text not null,
    layer text not null,
    filter text,
    sortby text,
    properties text,
    author text not null,
    created timestamptz not null default now(),
    changed timestamptz not null default now()
);
"""

DOWNGRADE = """
drop table meta.saved_query, meta.search_entry, meta.search_layer;
drop function meta.index_words() cascade;
drop function meta.search_words(text);
drop function meta.fold(text);
drop function meta.strip_accents(text);
"""


def upgrade() -> None:
    # As the driver's own string: text() would read '::' and ':' of the functions as parameters.
    op.get_bind().exec_driver_sql(UPGRADE.replace("%", "%%"))


def downgrade() -> None:
    op.execute(DOWNGRADE)
