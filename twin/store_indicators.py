"""SQL of indicators: newest readings of the sensors they count, counts of alarms and work, hours that have passed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from twin.indicators.words import OfSeries


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series an indicator counts, with its newest reading and what it is judged by; ``lon``, ``lat`` [°]."""

    kind: str
    observed_property: str
    thing: str
    name: str
    layer: str | None
    item: str | None
    interval_s: float | None
    value: float | None
    time: datetime | None
    quality: int | None
    alarms: tuple[float | None, float | None, float | None]
    speed_limit: float | None
    place: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """How many series there are, how many of them sent lately, the time of the newest reading."""

    series: int
    fresh: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class FloodRow:
    """A finished flood run: its figures, and the raster of its depths with a time a band where it keeps one."""

    id: str
    process: str
    base_time: datetime
    finished: datetime
    flooded_area: float | None
    people: float | None
    path: str | None
    times: tuple[datetime, ...]


_SERIES = """
select t.kind, d.observed_property, t.id, t.name, coalesce(d.watched_layer, t.layer), coalesce(d.watched_id, t.feature),
    d.interval_s, l.result, l.phenomenon_time, l.quality, s.alarm_1, s.alarm_2, s.alarm_3, r.max_speed,
    st_x(st_centroid(t.geom)), st_y(st_centroid(t.geom))
from unnest(cast(:kinds as text[]), cast(:properties as text[])) w (kind, observed_property)
join sensing.thing t on t.kind = w.kind
join sensing.datastream d on d.thing_id = t.id and d.observed_property = w.observed_property
left join sensing.latest l on l.datastream = d.fid
left join city.sensors s on t.layer = 'sensors' and s.id = t.feature
left join city.road_links r on d.watched_layer = 'road_links' and r.id = d.watched_id
order by t.id
"""
_TESTS = {
    "above": "o.last >= :step",
    "below": "o.last < :step",
    "alarm": "o.maximum >= s.alarm_1",
    "slow": "o.last <= :step * r.max_speed",
}
_FIGURES = {
    "count": "count(*) filter (where {test})::double precision",
    "highest": "max(o.maximum)",
    "lowest": "min(o.minimum)",
}
_HOURS = """
select h.start, f.figure from generate_series(date_trunc('hour', cast(:start as timestamptz), 'UTC'),
    cast(:end as timestamptz), interval '1 hour') h (start)
left join (
    select o.start, {figure} as figure from sensing.rollup o
    join sensing.datastream d on d.fid = o.datastream and d.observed_property = :property
    join sensing.thing t on t.id = d.thing_id and t.kind = :kind
    left join city.sensors s on t.layer = 'sensors' and s.id = t.feature
    left join city.road_links r on d.watched_layer = 'road_links' and r.id = d.watched_id
    where o.width = 'hour' and o.start >= date_trunc('hour', cast(:start as timestamptz), 'UTC')
    group by o.start
) f on f.start = h.start order by h.start
"""


def select_indicator_series(connection: Connection, wanted: Sequence[tuple[str, str]]) -> list[SeriesRow]:
    """Return all series of the kinds and observed properties ``wanted``, by thing."""
    parameters = {"kinds": [kind for kind, _ in wanted], "properties": [name for _, name in wanted]}
    return [
        SeriesRow(
            kind=row[0], observed_property=row[1], thing=row[2], name=row[3], layer=row[4], item=row[5],
            interval_s=row[6], value=row[7], time=row[8], quality=row[9], alarms=(row[10], row[11], row[12]),
            speed_limit=row[13], place=None if row[14] is None else (row[14], row[15]),
        )
        for row in connection.execute(text(_SERIES), parameters)
    ]  # fmt: skip


def select_hours(
    connection: Connection, measure: OfSeries, start: datetime, end: datetime
) -> list[tuple[datetime, float | None]]:
    """Return the figure of every hour from ``start`` to ``end``, None where no reading was rolled up."""
    statement = _HOURS.format(figure=_FIGURES[measure.figure].format(test=_TESTS[measure.test]))
    parameters = {
        "start": start, "end": end, "property": measure.observed_property, "kind": measure.kind, "step": measure.step,
    }  # fmt: skip
    return [(row[0], row[1]) for row in connection.execute(text(statement), parameters)]


def read_freshness(connection: Connection, now: datetime, intervals: float, otherwise_s: float) -> Freshness:
    """Return how many series sent within ``intervals`` of their own, or ``otherwise_s`` where theirs is not known."""
    row = connection.execute(
        text(
            "select count(*), count(*) filter (where l.phenomenon_time >= :now - make_interval(secs => "
            "coalesce(:intervals * d.interval_s, :otherwise))), max(l.phenomenon_time) "
            "from sensing.datastream d left join sensing.latest l on l.datastream = d.fid"
        ),
        {"now": now, "intervals": intervals, "otherwise": otherwise_s},
    ).one()
    return Freshness(int(row[0]), int(row[1]), row[2])


def select_alarm_counts(connection: Connection) -> list[dict[str, Any]]:
    """Return how many alarms stand by event and priority, and how many of them are active and not acknowledged."""
    rows = connection.execute(
        text(
            "select r.definition ->> 'event' as event, a.priority, count(*)::integer as standing, "
            "count(*) filter (where a.active)::integer as active, "
            "count(*) filter (where a.state in ('UNACK', 'RTN-UNACK'))::integer as unacknowledged, "
            "count(distinct a.incident) filter (where a.active)::integer as incidents, max(a.since) as since "
            "from alarm.alarm a join alarm.rule r on r.id = a.rule and r.version = a.rule_version "
            "where a.retired is null and a.state in ('UNACK', 'ACK', 'RTN-UNACK') group by 1, 2"
        )
    )
    return [dict(row._mapping) for row in rows]


def read_work_counts(connection: Connection, now: datetime) -> dict[str, Any]:
    """Return counts of work orders, jobs and warnings, and when the newest forecast of a series was issued."""
    row = connection.execute(
        text(
            "select "
            "(select count(*) from inventory.work_order where status = 'open') as orders_open, "
            "(select count(*) from inventory.work_order where status = 'assigned') as orders_assigned, "
            "(select count(*) from inventory.work_order where status in ('open', 'assigned') and due < current_date) "
            "as orders_overdue, "
            "(select max(updated) from inventory.work_order) as orders_time, "
            "(select count(*) from run.run where status = 'running') as jobs_running, "
            "(select count(*) from run.run where status = 'accepted') as jobs_waiting, "
            "(select max(created) from run.run) as jobs_time, "
            "(select count(*) from warning.chain where closed is null and expires > :now and status = 'Actual') "
            "as warnings_actual, "
            "(select count(*) from warning.chain where closed is null and expires > :now and status <> 'Actual') "
            "as warnings_exercise, "
            "(select max(stored) from warning.message) as warnings_time, "
            "(select max(issue_time) from forecast.newest) as forecast_time"
        ),
        {"now": now},
    ).one()
    return dict(row._mapping)


def find_flood_runs(connection: Connection, at: datetime) -> list[FloodRow]:
    """Return the newest finished flood forecasts that cover ``at``: at most one with depths by time, one without."""
    rows = connection.execute(
        text(
            "select distinct on (p.path is not null) r.id, r.process, r.base_time, r.finished, "
            "coalesce(r.summary #> '{ensemble,expected,flooded_area}', r.summary -> 'flooded_area')"
            "::double precision, "
            "coalesce(r.summary #> '{ensemble,expected,people}', r.summary -> 'people')::double precision, "
            "p.path, p.times from run.run r "
            "left join run.raster p on p.run_id = r.id and p.layer = 'flood_depth' and p.times is not null "
            "where r.status = 'successful' and r.process in ('flood-forecast', 'flood-ensemble') "
            "and r.base_time <= :at and r.base_time + make_interval(secs => r.horizon_hours * 3600) >= :at "
            "order by p.path is not null, r.base_time desc, r.finished desc"
        ),
        {"at": at},
    )
    found = [
        FloodRow(row[0], row[1], row[2], row[3], row[4], row[5], row[6], tuple(row[7] or ())) for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda run: run.base_time, reverse=True)
