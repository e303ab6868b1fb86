"""SQL of incidents: alarms with one cause, raised within a window of each other, are one line with a count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Incident:
    """Alarms of one cause: how many stand, how many ever, the highest priority and level among those that stand."""

    id: int
    event: str
    layer: str | None
    feature: str | None
    opened: datetime
    last_raised: datetime
    closed: datetime | None
    standing: int
    unacknowledged: int
    alarms: int
    priority: str | None
    level: int | None
    title_vi: str | None
    title_en: str | None
    ids: list[int]


def join_incident(
    connection: Connection, key: str, event: str, item: tuple[str | None, str | None], at: float, window_s: float
) -> int:
    """Return the incident that an alarm raised at ``at`` [s since 1970 UTC] belongs to; without one it opens one."""
    moment = datetime.fromtimestamp(at, UTC)
    found = connection.execute(
        text(
            "update alarm.incident set last_raised = greatest(last_raised, :at), opened = least(opened, :at), "
            "closed = null where id = (select id from alarm.incident where key = :key and (closed is null "
            "or last_raised >= :at - make_interval(secs => :window)) order by last_raised desc limit 1) returning id"
        ),
        {"key": key, "at": moment, "window": window_s},
    ).scalar()
    if found is None:
        found = connection.execute(
            text(
                "insert into alarm.incident (key, event, layer, feature, opened, last_raised) "
                "values (:key, :event, :layer, :feature, :at, :at) returning id"
            ),
            {"key": key, "event": event, "layer": item[0], "feature": item[1], "at": moment},
        ).scalar_one()
    return int(found)


def extend_incident(connection: Connection, incident: int, first: float, last: float) -> None:
    """Let an incident reach from ``first`` to ``last`` [s since 1970 UTC], the times its alarms were raised."""
    connection.execute(
        text(
            "update alarm.incident set opened = least(opened, to_timestamp(:first)), "
            "last_raised = greatest(last_raised, to_timestamp(:last)) where id = :id "
            "and (opened > to_timestamp(:first) or last_raised < to_timestamp(:last))"
        ),
        {"id": incident, "first": first, "last": last},
    )


def close_incidents(connection: Connection, ids: Sequence[int]) -> None:
    """Close those of the incidents of which no alarm is active any more."""
    connection.execute(
        text(
            "update alarm.incident i set closed = clock_timestamp() where id = any(:ids) and closed is null "
            "and not exists (select from alarm.alarm a where a.incident = i.id and a.active)"
        ),
        {"ids": sorted(set(ids))},
    )


def list_incidents(connection: Connection, *, closed: bool = False, limit: int = 200) -> list[Incident]:
    """Return incidents with something left to see (or all, if ``closed``), the newest first."""
    rows = connection.execute(
        text(
            "select i.id, i.event, i.layer, i.feature, i.opened, i.last_raised, i.closed, "
            "count(*) filter (where a.state in ('UNACK', 'ACK', 'RTN-UNACK')) as standing, "
            "count(*) filter (where a.state in ('UNACK', 'RTN-UNACK')) as unacknowledged, count(a.id) as alarms, "
            "(array_agg(a.priority order by array_position(array['critical', 'high', 'medium', 'low'], a.priority)) "
            "filter (where a.active))[1] as priority, "
            "max((r.definition ->> 'level')::integer) filter (where a.active) as level, "
            f"{_first('vi')} as title_vi, {_first('en')} as title_en, "
            "coalesce(array_agg(a.id order by a.id) filter (where a.state in ('UNACK', 'ACK', 'RTN-UNACK')), '{}') "
            "from alarm.incident i left join alarm.alarm a on a.incident = i.id "
            "left join alarm.rule r on r.id = a.rule and r.version = a.rule_version "
            "group by i.id having :closed or count(*) filter (where a.state in ('UNACK', 'ACK', 'RTN-UNACK')) > 0 "
            "order by i.last_raised desc, i.id desc limit :limit"
        ),
        {"closed": closed, "limit": limit},
    )
    return [Incident(*row) for row in rows]


def _first(language: str) -> str:
    """Return the title of the most urgent alarm, those that are active first."""
    return (
        f"(array_agg(r.definition -> 'title' ->> '{language}' order by a.active desc, "
        "array_position(array['critical', 'high', 'medium', 'low'], a.priority), a.id))[1]"
    )
