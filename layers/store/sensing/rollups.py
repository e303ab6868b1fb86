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
_DRAIN = text(f"""
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
), days as materialized (
    select d.datastream, d.start, r.* from (
        select distinct datastream, date_trunc('day', start, 'UTC') as start from hours
    ) d cross join lateral (
        select coalesce(sum(p.count), 0)::int as count, min(p.minimum) as minimum, max(p.maximum) as maximum,
            sum(p.sum) as sum, (array_agg(p.last order by p.start desc))[1] as last
        from (
            select f.start, f.count, f.minimum, f.maximum, f.sum, f.last from fresh f
            where f.datastream = d.datastream and f.count > 0
                and f.start >= d.start and f.start < d.start + interval '1 day'
            union all
            select o.start, o.count, o.minimum, o.maximum, o.sum, o.last from sensing.rollup o
            where o.datastream = d.datastream and o.width = 'hour'
                and o.start >= d.start and o.start < d.start + interval '1 day'
                and not exists (select from hours h where h.datastream = o.datastream and h.start = o.start)
        ) p
    ) r
), both_widths as (
    select 'hour' as width, * from fresh union all select 'day', * from days
), gone as (
    delete from sensing.rollup o using both_widths b where b.count = 0
        and o.datastream = b.datastream and o.width = b.width and o.start = b.start
), written as (
    insert into sensing.rollup as o (datastream, width, start, count, minimum, maximum, sum, last)
    select datastream, width, start, count, minimum, maximum, sum, last from both_widths where count > 0
    on conflict (datastream, width, start) do update set count = excluded.count, minimum = excluded.minimum,
        maximum = excluded.maximum, sum = excluded.sum, last = excluded.last
    where (o.count, o.minimum, o.maximum, o.sum, o.last)
        is distinct from (excluded.count, excluded.minimum, excluded.maximum, excluded.sum, excluded.last)
)
select (select count(*) from taken) as marks, (select count(*) from hours) as hours
""")


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
    row = connection.execute(_DRAIN, {"batch": batch}).one()
    return Drained(int(row.marks), int(row.hours))


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
