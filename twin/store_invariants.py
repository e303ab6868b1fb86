"""SQL of the invariants: each asks for the places where one does not hold, as rows of a place and what is wrong.

What is said of all layers is one question over all their tables, written from the names that the catalogue of the
database holds.
"""

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, text

from layers.store.names import quote
from layers.store.tables import CITY, HISTORY

Question = str | Callable[[Connection], str]
_NOTHING = "select null::text as place, null::text as what where false"


def ask(connection: Connection, question: Question, most: int) -> tuple[int, list[tuple[str, str]]]:
    """Return how many rows a question has, and the first ``most`` of them."""
    asked = question if isinstance(question, str) else question(connection)
    rows = connection.execute(
        text(
            f"with found as materialized ({asked}) "
            "select place, what, (select count(*) from found) from found order by place limit :most"
        ),
        {"most": most},
    ).all()
    return (int(rows[0][2]) if rows else 0), [(str(row[0]), str(row[1])) for row in rows]


def bound_statements(connection: Connection, seconds: float) -> None:
    """Let no question of this transaction take longer."""
    connection.execute(text(f"set local statement_timeout = {int(seconds * 1000)}"))


def list_run_states(connection: Connection) -> dict[str, str]:
    """Return the status of every run by its id."""
    return {row.id: row.status for row in connection.execute(text("select id, status from run.run"))}


def name_tables(connection: Connection, schema: str) -> list[str]:
    """Return the names of the tables of a schema."""
    return list(
        connection.execute(
            text("select tablename from pg_tables where schemaname = :schema order by 1"), {"schema": schema}
        ).scalars()
    )


LOADS_ADD_UP = """
select 'load ' || id || ' of ' || source_id || ' into ' || layer as place,
    format('read %s, but loaded %s + unchanged %s + quarantined %s', read, loaded, unchanged, quarantined) as what
from meta.load where finished is not null and read <> loaded + unchanged + quarantined
union all
select 'load ' || l.id || ' of ' || l.source_id || ' into ' || l.layer,
    format('says %s rows in quarantine, %s are there', l.quarantined, count(q.id))
from meta.load l join meta.quarantine q on q.load_id = l.id where l.finished is not null
group by l.id having count(q.id) > l.quarantined
"""

READINGS_ADD_UP = """
select 'device ' || device || ', hour ' || hour as place,
    format('received %s, but stored %s + repeated %s + corrected %s + rejected %s',
        received, stored, repeated, corrected, rejected) as what
from sensing.ledger where received <> stored + repeated + corrected + rejected
"""


def versions_told(connection: Connection) -> str:
    """Ask for layers whose clock does not tell of all that was written, and for tiles newer than their layer."""
    parts = [
        f"select {_say(name)} as layer, max(recorded_from) as written from {CITY}.{quote(name)} having count(*) > 0"
        for name in name_tables(connection, CITY)
    ]
    return f"""
with written as ({" union all ".join(parts)})
select w.layer as place, case when v.layer is null then 'has features and no version'
    else format('was written at %s, its clock says %s', w.written, v.changed) end as what
from written w left join meta.layer_version v using (layer) where v.layer is null or v.changed < w.written
union all
select w.layer, 'has features and no tile of it was ever marked' from written w
where not exists (select from meta.tile_mark m where m.layer = w.layer)
union all
select format('%s, tile %s/%s/%s', m.layer, m.z, m.x, m.y),
    format('is of %s, newer than its layer, %s', m.changed, v.changed)
from meta.tile_mark m left join meta.layer_version v using (layer) where v.changed is null or v.changed < m.changed
"""


def history_runs_on(connection: Connection) -> str:
    """Ask for versions of a feature that overlap, end before they begin, leave a gap, or name an edit nobody made."""
    past, present = name_tables(connection, HISTORY), set(name_tables(connection, CITY))
    return _join(
        f"""
select {_say(name)} || ' ' || id as place, case
    when recorded_to <= recorded_from then 'a version ends in system time before it begins'
    when valid_to < valid_from then 'a version ends in valid time before it begins'
    when next_from < recorded_to then format('two versions overlap at %s', next_from)
    when next_edit = ended_by and next_from > recorded_to then format('nothing is known from %s to %s', recorded_to,
        next_from)
    else format('edit %s is not on record', coalesce(ended_by, edit_id)) end as what
from (select *, lead(recorded_from) over line as next_from, lead(edit_id) over line as next_edit from (
    select fid, id, valid_from, valid_to, recorded_from, recorded_to, edit_id, ended_by
    from {HISTORY}.{quote(name)}
    union all select fid, id, valid_from, null, recorded_from, null, edit_id, null
    from {CITY}.{quote(name)} p where exists (select from {HISTORY}.{quote(name)} h where h.fid = p.fid)
) versions window line as (partition by fid order by recorded_from, recorded_to nulls last)) v
where recorded_to <= recorded_from or valid_to < valid_from or next_from < recorded_to
    or (next_edit = ended_by and next_from > recorded_to)
    or (ended_by is not null and not exists (select from meta.edit e where e.id = v.ended_by))
    or (edit_id is not null and not exists (select from meta.edit e where e.id = v.edit_id))"""
        for name in past
        if name in present
    )


def networks_fit(connection: Connection) -> str:
    """Ask for stored networks that are behind their layers, or refer to features and nodes that are not there."""
    tables = set(name_tables(connection, CITY))
    parts = [
        """
select c.id as place, format('was settled at %s, its layer %s was written at %s and nothing waits', c.changed, v.layer,
    v.changed) as what
from network.commodity c join meta.layer_version v on v.layer = any(c.line_layers || c.point_layers)
where v.changed > c.changed and not exists (select from network.pending p where p.commodity = c.id)
union all
select c.id, format('gives numbers from %s on and has node %s', c.next_node, max(n.id))
from network.commodity c join network.node n on n.commodity = c.id group by c.id having max(n.id) >= c.next_node
union all
select c.id, format('is of version %s and knows changes of version %s', c.version, max(h.version))
from network.commodity c join network.change h on h.commodity = c.id group by c.id having max(h.version) > c.version
union all
select s.commodity || ' node ' || s.node, 'is named by a line or point and is not there'
from (select commodity, node from network.stop union select commodity, node from network.place) s
where not exists (select from network.node n where n.commodity = s.commodity and n.id = s.node)"""
    ]
    commodities = connection.execute(text("select id, line_layers, point_layers from network.commodity order by id"))
    for commodity, lines, points in commodities:
        for table, layers in (("stop", lines), ("place", points)):
            parts += [
                f"""
select distinct {_say(commodity)} || ' ' || {_say(layer)} || ' fid ' || s.fid, 'is in the network and not in the layer'
from network.{table} s where s.commodity = {_say(commodity)} and s.layer = {number}
    and not exists (select from network.pending p where p.commodity = s.commodity)
    and not exists (select from {CITY}.{quote(layer)} f where f.fid = s.fid)"""
                for number, layer in enumerate(layers)
                if layer in tables
            ]
    return " union all ".join(parts)


def runs_have_results(connection: Connection) -> str:
    """Ask for runs that say they are done and hold nothing, and for results of runs that are not there or not done."""
    results = connection.execute(
        text("select table_name from information_schema.columns where table_schema = :city and column_name = 'run_id'"),
        {"city": CITY},
    ).scalars()
    features = _join(f"select distinct run_id, {_say(name)} as layer from {CITY}.{quote(name)}" for name in results)
    return f"""
select 'run ' || id as place, 'is successful and has no '
    || case when finished is null then 'end' when summary is null then 'summary' else 'provenance' end as what
from run.run where status = 'successful' and (finished is null or summary is null or provenance is null)
union all
select 'run ' || id, 'failed and does not say why' from run.run where status = 'failed' and error is null
union all
select 'raster ' || r.id, format('is a result of run %s, which is %s', r.run_id, u.status)
from run.raster r join run.run u on u.id = r.run_id where u.status <> 'successful'
union all
select 'layer ' || f.layer, format('holds results of run %s, which is %s', f.run_id, coalesce(u.status, 'not there'))
from ({features}) as f(run_id, layer) left join run.run u on u.id = f.run_id
where u.status is distinct from 'successful'
"""


JOBS_HAVE_RUNS = """
select 'job ' || j.id as place, format('is to carry out run %s, which is not there', j.args ->> 'run_id') as what
from queue.procrastinate_jobs j where j.status in ('todo', 'doing') and j.task_name = 'execute_run'
    and not exists (select from run.run r where r.id = j.args ->> 'run_id')
union all
select 'run ' || r.id, format('is %s since %s and no job is at it', r.status, r.updated)
from run.run r where r.status in ('accepted', 'running') and r.updated < now() - interval '10 minutes'
    and not exists (select from queue.procrastinate_jobs j where j.status in ('todo', 'doing')
        and j.task_name = 'execute_run' and j.args ->> 'run_id' = r.id)
    and not exists (select from pg_locks l where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(r.id, 7))
"""


def sensors_refer(connection: Connection) -> str:
    """Ask for things and series that name a feature that is not there, and for latest readings that nobody stored."""
    tables = name_tables(connection, CITY)
    known = _join(
        f"select {_say(name)} as layer, id from {CITY}.{quote(name)} where id in "
        "(select feature from sensing.thing union select watched_id from sensing.datastream)"
        for name in tables
    )
    return f"""
with known as materialized ({known})
select 'thing ' || t.id as place, format('names %s %s, which is not there', t.layer, t.feature) as what
from sensing.thing t where t.feature is not null
    and not exists (select from known k where k.layer = t.layer and k.id = t.feature)
union all
select 'series ' || d.id, format('watches %s %s, which is not there', d.watched_layer, d.watched_id)
from sensing.datastream d where d.watched_id is not null
    and not exists (select from known k where k.layer = d.watched_layer and k.id = d.watched_id)
union all
select 'series ' || d.id, format('says its latest reading is of %s, and has none then', l.phenomenon_time)
from sensing.latest l join sensing.datastream d on d.fid = l.datastream
where not exists (select from sensing.observation o
        where o.datastream = l.datastream and o.phenomenon_time = l.phenomenon_time)
    and not exists (select from sensing.retired_month m
        where m.start = date_trunc('month', l.phenomenon_time, 'UTC'))
"""


MONTHS_ARE_THERE = """
with month as (
    select to_timestamp(right(c.relname, 7), 'YYYY_MM') as local, c.relname as name, c.relispartition as attached,
        pg_get_expr(c.relpartbound, c.oid) as bounds
    from pg_class c where c.relnamespace = 'sensing'::regnamespace and c.relkind = 'r'
        and c.relname ~ '^(observation|retiring)_[0-9]{4}_[0-9]{2}$'
), named as (select *, date_trunc('month', local::timestamp at time zone 'UTC', 'UTC') as start from month)
select 'month ' || to_char(r.start at time zone 'UTC', 'YYYY-MM') as place,
    'has hourly values, but its readings are neither here nor retired' as what
from (select distinct date_trunc('month', start, 'UTC') as start from sensing.rollup) r
where not exists (select from named n where n.start = r.start)
    and not exists (select from sensing.retired_month m where m.start = r.start)
union all
select 'table sensing.' || name, 'was taken off and is neither written to a file nor dropped'
from named where name like 'retiring%'
union all
select 'table sensing.' || name, 'is called a month of readings and is none' from named
where name like 'observation%' and not attached
union all
select 'table sensing.' || name, format('holds another month than its name: %s', bounds) from named
where attached and bounds not like format('FOR VALUES FROM (''%s%%', to_char(start at time zone 'UTC', 'YYYY-MM-DD'))
"""


def overviews_marked(connection: Connection) -> str:
    """Ask for layers whose far views lack features and nothing is noted to be drawn."""
    tables = set(name_tables(connection, CITY))
    return _join(
        f"""
select {_say(name)} as place, 'its far views are empty and nothing waits to be drawn' as what
where exists (select from {CITY}.{quote(name)}) and not exists (select from overview.{quote(name)})
    and not exists (select from meta.overview_mark m where m.layer = {_say(name)})
    and exists (select from {CITY}.{quote(name)} where ST_Length(ST_BoundingDiagonal(geom_3857)) > 20000
        or ST_GeometryType(geom_3857) = 'ST_Point')
union all
select {_say(name)} || ' ' || o.id, 'is on far views and not in the layer, and nothing waits to be drawn'
from overview.{quote(name)} o where o.fid is not null
    and not exists (select from {CITY}.{quote(name)} f where f.fid = o.fid)
    and not exists (select from meta.overview_mark m where m.layer = {_say(name)})"""
        for name in name_tables(connection, "overview")
        if name in tables
    )


def _join(parts: Iterable[str]) -> str:
    listed = list(parts)
    return " union all ".join(listed) if listed else _NOTHING


def _say(words: str) -> str:
    """Return ``words`` as a literal; they are names of our own tables."""
    return "'" + words.replace("'", "''") + "'"
