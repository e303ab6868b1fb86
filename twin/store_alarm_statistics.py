"""SQL of how well the alarm system serves: the measures of ANSI/ISA-18.2-2016, clause 16.

An operator can handle about one alarm in ten minutes, and at most two for long; more than ten in ten minutes is a
flood of alarms. Counted is what was announced: a raise under suppression or on the shelf asks nobody for anything.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

FLOOD = 10


@dataclass(frozen=True, slots=True)
class AlarmStatistics:
    """Measures over ``start`` to ``end``; the standing alarms are those of now, stale ones stand for over a day."""

    start: datetime
    end: datetime
    announced: int
    per_10_min: float
    peak_10_min: int
    flood_share: float
    standing: int
    unacknowledged: int
    stale: int
    shelved: int
    suppressed: int
    out_of_service: int
    by_priority: dict[str, int]
    most_frequent: list[dict[str, Any]]
    median_acknowledge_s: float | None


def compute_statistics(connection: Connection, start: datetime, end: datetime, *, top: int = 10) -> AlarmStatistics:
    """Return the measures of the alarms announced at ``start`` ≤ time < ``end``, by when they were known."""
    window = {"start": start, "end": end}
    periods = max((end - start).total_seconds() / 600.0, 1.0)
    counts = connection.execute(
        text(
            "with periods as (select count(*) as n from alarm.event where announced and known >= :start "
            "and known < :end group by date_bin('10 minutes', known, :start)) "
            "select coalesce(sum(n), 0)::integer as announced, coalesce(max(n), 0)::integer as peak, "
            "count(*) filter (where n > :flood) as floods from periods"
        ),
        {**window, "flood": FLOOD},
    ).one()
    states = connection.execute(
        text(
            "select count(*) filter (where state in ('UNACK', 'ACK', 'RTN-UNACK')) as standing, "
            "count(*) filter (where state in ('UNACK', 'RTN-UNACK')) as unacknowledged, "
            "count(*) filter (where state in ('UNACK', 'ACK') and raised < clock_timestamp() - interval '1 day') "
            "as stale, count(*) filter (where state = 'SHELVED') as shelved, "
            "count(*) filter (where state = 'SUPPRESSED') as suppressed, "
            "count(*) filter (where state = 'OUT-OF-SERVICE') as out_of_service "
            "from alarm.alarm where retired is null"
        )
    ).one()
    priorities = connection.execute(
        text(
            "select a.priority, count(*)::integer as n from alarm.event e join alarm.alarm a on a.id = e.alarm "
            "where e.announced and e.known >= :start and e.known < :end group by a.priority"
        ),
        window,
    )
    frequent = connection.execute(
        text(
            "select e.alarm, a.rule, a.datastream, r.definition -> 'title' ->> 'vi' as vi, "
            "r.definition -> 'title' ->> 'en' as en, count(*)::integer as n from alarm.event e "
            "join alarm.alarm a on a.id = e.alarm join alarm.rule r on r.id = a.rule and r.version = a.rule_version "
            "where e.announced and e.known >= :start and e.known < :end "
            "group by e.alarm, a.rule, a.datastream, vi, en order by n desc, e.alarm limit :top"
        ),
        {**window, "top": top},
    )
    reaction = connection.execute(
        text(
            "select percentile_cont(0.5) within group (order by extract(epoch from k.known - r.known)) "
            "from alarm.event k join lateral (select known from alarm.event e where e.alarm = k.alarm and e.announced "
            "and e.occurrence = k.occurrence and e.id < k.id order by e.id desc limit 1) r on true "
            "where k.kind = 'acknowledge' and k.known >= :start and k.known < :end"
        ),
        window,
    ).scalar()
    return AlarmStatistics(
        start=start,
        end=end,
        announced=counts.announced,
        per_10_min=counts.announced / periods,
        peak_10_min=counts.peak,
        flood_share=counts.floods / periods,
        standing=states.standing,
        unacknowledged=states.unacknowledged,
        stale=states.stale,
        shelved=states.shelved,
        suppressed=states.suppressed,
        out_of_service=states.out_of_service,
        by_priority={row.priority: row.n for row in priorities},
        most_frequent=[
            {
                "alarm": row.alarm,
                "rule": row.rule,
                "datastream": row.datastream,
                "title": {"vi": row.vi, "en": row.en},
                "count": row.n,
                "share": row.n / counts.announced,
            }
            for row in frequent
        ],
        median_acknowledge_s=None if reaction is None else float(reaction),
    )
