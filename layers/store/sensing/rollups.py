"""Roll-ups by hour and by day (UTC), exact under late readings, corrections, withdrawals and new flags.

Whoever changes a reading leaves a mark at its hour; here the marked hours and their days are computed anew from the
readings. Good, suspect and not evaluated readings count (flags 1, 2, 3); those that failed and missing ones do not.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

BATCH = 20_000
COUNTING = "(1, 2, 3)"

# One at a time: of two that compute one hour from two snapshots the older could write last. The statement after the
# lock begins with a snapshot of its own, in which every mark it takes comes with the reading it stands for.
_LOCK = text("select pg_try_advisory_xact_lock(hashtext('sensing.rollup'))")
_STORE = """, gone as (
    delete from sensing.rollup o using fresh f where f.count = 0
        and o.datastream = f.datastream and o.width = '{width}' and o.start = f.start
), written as (
    insert into sensing.rollup as o (datastream, width, start, count, minimum, maximum, sum, last)
    select datastream, '{width}', start, count, minimum, maximum, sum, last from fresh where count > 0
    on conflict (datastream, width, start) do update set count = excluded.count, minimum = excluded.minimum,
        maximum = excluded.maximum, sum = excluded.sum, last = excluded.last
    where (o.count, o.minimum, o.maximum, o.sum, o.last)
        is distinct from (excluded.count, excluded.minimum, excluded.maximum, excluded.sum, excluded.last)
)"""
_HOURS = text(
    f"""
with taken as (
    delete from sensing.dirty_hour where ctid = any (array(
        select ctid from sensing.dirty_hour limit :batch for update skip locked))
    returning datastream, start
), hours as materialized (
    select distinct t.datastream, t.start from taken t
    where not exists (select from sensing.retired_month m where m.start = date_trunc('month', t.start, 'UTC'))
), fresh as materialized (
    select h.datastream, h.start, r.* from hours h cross join lateral (
        select count(*)::int as count, min(r.result) as minimum, max(r.result) as maximum, sum(r.result) as sum,
            (array_agg(r.result order by r.phenomenon_time desc))[1] as last
        from sensing.reading r where r.datastream = h.datastream and r.phenomenon_time >= h.start
            and r.phenomenon_time < h.start + interval '1 hour' and r.quality in {COUNTING} and r.result is not null
    ) r
)"""
    + _STORE.format(width="hour")
    + """
select d.datastream, d.day, d.hours, (select count(*) from taken) as marks from (values (0)) once
left join (select datastream, date_trunc('day', start, 'UTC') as day, count(*) as hours from hours group by 1, 2) d
    on true
"""
)
_DAYS = text(
    """
with fresh as materialized (
    select d.datastream, d.start, r.* from unnest(cast(:series as bigint[]), cast(:days as timestamptz[]))
        as d (datastream, start)
    cross join lateral (
        select coalesce(sum(o.count), 0)::int as count, min(o.minimum) as minimum, max(o.maximum) as maximum,
            sum(o.sum) as sum, (array_agg(o.last order by o.start desc))[1] as last
        from sensing.rollup o where o.datastream = d.datastream and o.width = 'hour'
            and o.start >= d.start and o.start < d.start + interval '1 day'
    ) r
)"""
    + _STORE.format(width="day")
    + " select count(*) from fresh"
)


@dataclass(frozen=True, slots=True)
class Drained:
    """What one batch did: ``marks`` taken, different ``hours`` computed; ``free`` is false where another was at it."""

    marks: int
    hours: int
    free: bool = True


def roll_up(connection: Connection, *, batch: int = BATCH) -> Drained:
    """Take at most ``batch`` marks and compute their hours and days anew, in this transaction.

    Readings that were retired to files do not come back: the roll-ups of such a month stay as they are.
    """
    if not connection.execute(_LOCK).scalar_one():
        return Drained(0, 0, free=False)
    rows = connection.execute(_HOURS, {"batch": batch}).all()
    days = [row for row in rows if row.datastream is not None]
    if days:
        connection.execute(
            _DAYS, {"series": [row.datastream for row in days], "days": [row.day for row in days]}
        ).scalar_one()
    return Drained(int(rows[0].marks), sum(int(row.hours) for row in days))


def mark_hours(connection: Connection, start: datetime, end: datetime, datastream_id: str | None = None) -> int:
    """Mark every hour from ``start`` to ``end`` that has readings, of one series or of all, and return how many."""
    return int(
        connection.execute(
            text(
                "insert into sensing.dirty_hour (datastream, start) "
                "select distinct o.datastream, date_trunc('hour', o.phenomenon_time, 'UTC') from sensing.observation o "
                "join sensing.datastream d on d.fid = o.datastream where o.phenomenon_time between :start and :end "
                "and (cast(:id as text) is null or d.id = :id)"
            ),
            {"start": start, "end": end, "id": datastream_id},
        ).rowcount
    )


def count_marks(connection: Connection) -> int:
    """Return how many marks wait to be rolled up."""
    return int(connection.execute(text("select count(*) from sensing.dirty_hour")).scalar_one())
