"""The two statements that store readings: the short one for what is new, the long one where something is there.

Nearly all readings are new. The short statement touches no partition but those written to; the long one reads what is
there, so its plan opens every month, and it runs only when the short one left rows over.
"""

from collections.abc import Mapping
from functools import cache

from psycopg.errors import CheckViolation
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from layers.errors import DatabaseError
from layers.store.sensing.partitions import forget_partitions

EXTRAS = (
    ("value", "jsonb"), ("phenomenon_end", "timestamptz"), ("result_time", "timestamptz"),
    ("valid_start", "timestamptz"), ("valid_end", "timestamptz"), ("feature_of_interest_id", "text"),
    ("parameters", "jsonb"),
)  # fmt: skip
_EXTRA_NAMES = ", ".join(name for name, _ in EXTRAS)
FROM_JSON = (
    "select * from json_to_recordset(cast(%(rows)s as json)) as j (datastream_id text, phenomenon_time timestamptz, "
    f"result double precision, quality smallint, {', '.join(f'{name} {kind}' for name, kind in EXTRAS)})"
)
NO_EXTRAS = ", ".join(f"null::{kind} as {name}" for name, kind in EXTRAS)

_ADD = """
with given as materialized (
    select d.fid as datastream, i.* from ({incoming}) i join sensing.datastream d on d.id = i.datastream_id
), added as (
    insert into sensing.observation (datastream, phenomenon_time, result, quality, {extras})
    select datastream, phenomenon_time, result,
        coalesce(quality, case when result is null and value is null then 9 else 2 end), {extras}
    from given order by datastream, phenomenon_time
    on conflict do nothing returning datastream, phenomenon_time, result, value, quality, stored
), {shown}
select (select count(*) from given) as known, (select count(*) from added) as new,
    pg_notify('reading', '') from (values (0)) once
"""
_REPLACE = """
with given as materialized (
    select d.fid as datastream, i.* from ({incoming}) i join sensing.datastream d on d.id = i.datastream_id
), present as (
    select g.*, o.revision, g.quality is not null and o.quality <> g.quality as requalified,
        (case when o.withdrawn is null then case when o.revision = 0 then o.result else c.result end end,
         case when o.withdrawn is null then case when o.revision = 0 then o.value else c.value end end)
            is distinct from (g.result, g.value) as differs
    from given g cross join lateral (
        select * from sensing.observation w
        where w.datastream = g.datastream and w.phenomenon_time = g.phenomenon_time limit 1
    ) o left join lateral (
        select * from sensing.correction w where o.revision > 0 and w.datastream = g.datastream
        and w.phenomenon_time = g.phenomenon_time and w.revision = o.revision limit 1
    ) c on true
), corrected as (
    insert into sensing.correction (datastream, phenomenon_time, revision, result, value, author, reason)
    select datastream, phenomenon_time, revision + 1, result, value, %(author)s, %(reason)s from present where differs
    returning datastream, phenomenon_time, revision, result, value, stored
), marked as (
    update sensing.observation o set revision = p.revision + p.differs::int, withdrawn = null,
        quality = coalesce(p.quality, case when p.result is null and p.value is null then 9 else 2 end)
    from present p where (p.differs or p.requalified)
    and o.datastream = p.datastream and o.phenomenon_time = p.phenomenon_time
    returning o.datastream, o.phenomenon_time, p.result, p.value, o.quality, o.stored
), added as (
    select m.datastream, m.phenomenon_time, m.result, m.value, m.quality, coalesce(c.stored, m.stored) as stored
    from marked m left join corrected c using (datastream, phenomenon_time)
), {shown}
select (select count(*) from marked) as changed, pg_notify('reading', '') from (values (0)) once
"""
_SHOWN = """newest as (
    select distinct on (datastream) datastream, phenomenon_time, result, value, quality, stored,
        min(phenomenon_time) over (partition by datastream) as first_time
    from added where result is not null or value is not null order by datastream, phenomenon_time desc
), shown as (
    insert into sensing.latest as l (datastream, phenomenon_time, result, value, quality, stored, first_time)
    select * from newest
    on conflict (datastream) do update set first_time = least(l.first_time, excluded.first_time),
        phenomenon_time = greatest(l.phenomenon_time, excluded.phenomenon_time),
        result = case when excluded.phenomenon_time >= l.phenomenon_time then excluded.result else l.result end,
        value = case when excluded.phenomenon_time >= l.phenomenon_time then excluded.value else l.value end,
        quality = case when excluded.phenomenon_time >= l.phenomenon_time then excluded.quality else l.quality end,
        stored = case when excluded.phenomenon_time >= l.phenomenon_time then excluded.stored else l.stored end
    where excluded.phenomenon_time >= l.phenomenon_time or excluded.first_time < l.first_time
), dirty as (
    insert into sensing.dirty_hour (datastream, start)
    select distinct datastream, date_trunc('hour', phenomenon_time, 'UTC') from added on conflict do nothing
)"""


@cache
def _write(statement: str, incoming: str) -> str:
    return statement.format(incoming=incoming, extras=_EXTRA_NAMES, shown=_SHOWN)


def merge_readings(
    connection: Connection, incoming: str, parameters: Mapping[str, object], *, once: str | None = None
) -> tuple[int, int, int]:
    """Store the rows of query ``incoming`` and return how many were known, new and changed.

    The query gives datastream_id, phenomenon_time, result, quality and the ``EXTRAS``; ``once`` is the same with one
    row a series and time, where ``incoming`` may hold more. ``parameters`` are theirs, with author and reason. Months
    must have their partitions: DatabaseError when one is gone.
    """
    try:
        added = connection.exec_driver_sql(_write(_ADD, incoming), parameters).one()
    except IntegrityError as error:
        if not isinstance(error.orig, CheckViolation):
            raise
        forget_partitions(connection)
        raise DatabaseError("a month of readings was taken away meanwhile", hint="send it again") from error
    known, new = int(added.known), int(added.new)
    if new == known:
        return known, new, 0
    replaced = connection.exec_driver_sql(_write(_REPLACE, once or incoming), parameters).one()
    return known, new, int(replaced.changed)
