"""SQL between alarms and warnings: flood alarms that stand, wards a run floods, who was told of an incident."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

LEAST_FLOODED_M2 = 10_000.0


@dataclass(frozen=True, slots=True)
class FloodAlarm:
    """A standing flood alarm: level, gauge, the limit it stands for [m above datum], what it saw.

    ``value`` is the stage, of a forecast the probability (0 to 1). Of a forecast within its lead: the highest median
    ``peak`` [m above datum] and its time, and ``onset``, when the quantile that warns first passes the limit.
    """

    id: int
    level: int
    raised: datetime
    value: float | None
    condition: str
    threshold: float | None
    lead_s: float | None
    station: str
    name: str
    peak: float | None = None
    peak_time: datetime | None = None
    onset: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """One time a group was told of an alarm: of which level and priority, on which rung of its ladder."""

    alarm: int
    occurrence: int
    group: str
    level: int
    priority: str
    rung: int


def list_flood_alarms(connection: Connection) -> list[FloodAlarm]:
    """Return the flood alarms that are active and neither shelved, suppressed nor out of service, by number."""
    rows = connection.execute(
        text(
            "select a.id, least((r.definition ->> 'level')::integer, 4) as level, a.raised, a.value, c.kind, "
            "c.threshold, c.lead_s, t.id as station, t.name, f.peak, f.peak_time, f.onset "
            "from alarm.alarm a join alarm.rule r on r.id = a.rule and r.version = a.rule_version "
            "join sensing.datastream d on d.id = a.datastream join sensing.thing t on t.id = d.thing_id "
            "cross join lateral (select j ->> 'kind' as kind, coalesce(j ->> 'level', j ->> 'on')::double precision "
            "as threshold, (j ->> 'lead_s')::double precision as lead_s "
            "from (select r.definition -> 'conditions' -> 0 as j) x) c "
            "left join lateral (select max(q50)::double precision as peak, "
            "(array_agg(time order by q50 desc, time))[1] as peak_time, "
            "min(time) filter (where warning >= c.threshold) as onset from forecast.newest n "
            "where c.kind = 'forecast' and n.datastream_id = a.datastream and n.lead_s <= c.lead_s) f on true "
            "where a.active and a.retired is null and a.state in ('UNACK', 'ACK') "
            "and r.definition ->> 'event' = 'flood' and (r.definition ->> 'level')::integer >= 1 "
            "and c.kind in ('limit', 'forecast') order by a.id"
        )
    )
    return [FloodAlarm(*row) for row in rows]


def find_flooded_wards(connection: Connection, since: datetime) -> list[str]:
    """Return the codes of the wards of which the newest flood forecast, single or ensemble, floods a hectare or more.

    A forecast that starts before ``since`` says nothing.
    """
    rows = connection.execute(
        text(
            "select w.ward_code from city.wards w where w.ward_code in ("
            "select f ->> 'ward_code' from (select summary from run.run "
            "where process in ('flood-forecast', 'flood-ensemble') and status = 'successful' "
            "and base_time >= :since order by base_time desc, finished desc limit 1) r, "
            "jsonb_array_elements(r.summary -> 'by_ward') f where (f ->> 'flooded_area')::double precision >= :least) "
            "order by w.ward_code"
        ),
        {"since": since, "least": LEAST_FLOODED_M2},
    )
    return list(dict.fromkeys(rows.scalars()))


def list_rungs(connection: Connection, subject: str, before: int) -> list[Rung]:
    """Return who was told of ``subject`` before row ``before`` of the outbox, since its end was last told."""
    rows = connection.execute(
        text(
            "select (o.content ->> 'alarm')::bigint, (o.content ->> 'occurrence')::integer, d.contact_group, "
            "coalesce((o.content ->> 'level')::integer, 0), o.content ->> 'priority', "
            "coalesce((o.content ->> 'rung')::integer, 1) from warning.outbox o "
            "join (select distinct outbox, contact_group from warning.delivery) d on d.outbox = o.id "
            "where o.subject = :subject and o.id < :before and o.content ->> 'step' = 'escalate' "
            "and o.id > coalesce((select max(c.id) from warning.outbox c where c.subject = :subject and c.id < :before "
            "and c.content ->> 'step' = 'clear' "
            "and exists (select from warning.delivery e where e.outbox = c.id)), 0) order by o.id"
        ),
        {"subject": subject, "before": before},
    )
    return [Rung(*row) for row in rows]


def was_incident_active(connection: Connection, incident: int, event: int) -> bool:
    """Return whether an alarm of the incident was active just after step ``event`` of one of them."""
    found: Any = connection.execute(
        text(
            "select exists (select from alarm.alarm a where a.incident = :incident and (select e.kind "
            "from alarm.event e where e.alarm = a.id and e.kind in ('raise', 'clear') and e.id <= :event "
            "order by e.id desc limit 1) = 'raise')"
        ),
        {"incident": incident, "event": event},
    ).scalar()
    return bool(found)
