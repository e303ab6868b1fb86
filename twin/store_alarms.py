"""SQL of alarms as people see them: standing alarms, one alarm with its history, what somebody does with one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from layers.store.mercator import Bounds, cut_mercator_boxes
from twin.alarms.lifecycle import Action, Log, act
from twin.alarms.rules import Priority
from twin.alarms.state import VisibleState, read_state
from twin.store_alarm_states import StoredAlarm, write_alarms

STANDING: tuple[VisibleState, ...] = ("UNACK", "ACK", "RTN-UNACK")
_SELECT = """
select a.id, a.rule, a.rule_version, r.definition -> 'title' ->> 'vi' as title_vi,
    r.definition -> 'title' ->> 'en' as title_en, r.definition ->> 'event' as event,
    (r.definition ->> 'level')::integer as level, a.priority, a.state, a.since, a.active, a.occurrence, a.raised,
    a.cleared, a.value, a.acknowledged, a.acknowledged_by, a.shelved_until, a.incident, a.retired, a.datastream, d.unit,
    t.id as thing, t.name as thing_name, t.kind as thing_kind, d.watched_layer, d.watched_id,
    st_x(st_centroid(t.geom)) as longitude, st_y(st_centroid(t.geom)) as latitude, w.ward_code, w.name as ward_name
from alarm.alarm a join alarm.rule r on r.id = a.rule and r.version = a.rule_version
left join sensing.datastream d on d.id = a.datastream
left join sensing.thing t on t.id = d.thing_id
left join lateral (
    select ward_code, name from city.wards c
    where st_intersects(c.geom, st_transform(st_centroid(t.geom), (select srid from meta.city))) order by id limit 1
) w on true
"""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm as it is now; ``value`` in the unit of its series (of a rate, an hour; of a forecast, 0 to 1)."""

    id: int
    rule: str
    rule_version: int
    title_vi: str
    title_en: str
    event: str
    level: int | None
    priority: Priority
    state: VisibleState
    since: datetime
    active: bool
    occurrence: int
    raised: datetime | None
    cleared: datetime | None
    value: float | None
    acknowledged: datetime | None
    acknowledged_by: str | None
    shelved_until: datetime | None
    incident: int | None
    retired: datetime | None
    datastream: str | None
    unit: str | None
    thing: str | None
    thing_name: str | None
    thing_kind: str | None
    watched_layer: str | None
    watched_id: str | None
    longitude: float | None
    latitude: float | None
    ward_code: str | None
    ward_name: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One step of an alarm: ``at`` when it was so, ``known`` when the engine knew, ``recorded`` when it was written."""

    id: int
    alarm: int
    occurrence: int
    kind: str
    at: datetime
    known: datetime
    recorded: datetime
    author: str
    reason: str
    state_before: VisibleState
    state_after: VisibleState
    announced: bool
    value: float | None
    rule_version: int
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InputRow:
    """One input of an alarm: up to when it is decided, how many readings came too late, how many still wait."""

    source: str
    watermark: datetime | None
    late: int
    waiting: int


@dataclass(frozen=True, slots=True)
class AlarmQuery:
    """Which alarms are meant; an empty field means any.

    ``bounds``: west, south, east, north [°]; west > east crosses the antimeridian.
    """

    states: Sequence[VisibleState] = STANDING
    priorities: Sequence[str] = ()
    events: Sequence[str] = ()
    rule: str | None = None
    kind: str | None = None
    ward: str | None = None
    incident: int | None = None
    bounds: Bounds | None = None
    retired: bool = False


def list_alarms(
    connection: Connection, query: AlarmQuery = AlarmQuery(), *, before: int | None = None, limit: int = 1000
) -> list[AlarmRow]:
    """Return alarms by number, the newest first; ``before``: only numbers below it."""
    boxes = [] if query.bounds is None else cut_mercator_boxes(query.bounds)
    corners = {
        f"{side}{place}": value for place, box in enumerate(boxes) for side, value in zip("wsen", box, strict=True)
    }
    inside = " or ".join(f"t.geom_3857 && st_makeenvelope(:w{k}, :s{k}, :e{k}, :n{k}, 3857)" for k in range(len(boxes)))
    rows = connection.execute(
        text(
            f"{_SELECT} where (:retired or a.retired is null) "
            "and (cardinality(cast(:states as text[])) = 0 or a.state = any(:states)) "
            "and (cardinality(cast(:priorities as text[])) = 0 or a.priority = any(:priorities)) "
            "and (cardinality(cast(:events as text[])) = 0 or r.definition ->> 'event' = any(:events)) "
            "and (cast(:rule as text) is null or a.rule = :rule) "
            "and (cast(:kind as text) is null or t.kind = :kind) "
            "and (cast(:ward as text) is null or w.ward_code = :ward) "
            "and (cast(:incident as bigint) is null or a.incident = :incident) "
            f"and ({inside or 'true'}) "
            "and (cast(:before as bigint) is null or a.id < :before) order by a.id desc limit :limit"
        ),
        {
            "states": list(query.states),
            "priorities": list(query.priorities),
            "events": list(query.events),
            "rule": query.rule,
            "kind": query.kind,
            "ward": query.ward,
            "incident": query.incident,
            "retired": query.retired,
            **corners,
            "before": before,
            "limit": limit,
        },
    )
    return [AlarmRow(*row) for row in rows]


def read_alarm(connection: Connection, alarm_id: int) -> AlarmRow:
    """Return one alarm; NotFoundError when there is none."""
    row = connection.execute(text(f"{_SELECT} where a.id = :id"), {"id": alarm_id}).first()
    if row is None:
        raise NotFoundError(f"alarm {alarm_id} does not exist")
    return AlarmRow(*row)


def list_inputs(connection: Connection, alarm_id: int) -> list[InputRow]:
    """Return what an alarm listens to."""
    rows = connection.execute(
        text(
            "select i.key as source, to_timestamp((i.value ->> 'watermark')::double precision) as watermark, "
            "(i.value ->> 'late')::integer as late, jsonb_array_length(i.value -> 'pending') as waiting "
            "from alarm.alarm a cross join lateral jsonb_each(a.memory -> 'inputs') i where a.id = :id order by i.key"
        ),
        {"id": alarm_id},
    )
    return [InputRow(*row) for row in rows]


def list_alarm_events(
    connection: Connection,
    alarm_id: int | None = None,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = 1000,
) -> list[EventRow]:
    """Return steps of one alarm, or of all, the newest first; with ``after`` those that followed it, in their order."""
    order = "asc" if after is not None else "desc"
    rows = connection.execute(
        text(
            "select id, alarm, occurrence, kind, at, known, recorded, author, reason, state_before, state_after, "
            "announced, value, rule_version, details from alarm.event "
            "where (cast(:alarm as bigint) is null or alarm = :alarm) "
            "and (cast(:after as bigint) is null or id > :after) "
            f"and (cast(:before as bigint) is null or id < :before) order by id {order} limit :limit"
        ),
        {"alarm": alarm_id, "after": after, "before": before, "limit": limit},
    )
    return [EventRow(*row) for row in rows]


def act_on_alarm(connection: Connection, alarm_id: int, action: Action) -> AlarmRow:
    """Carry out what a person does with an alarm, and write it down. ConflictError when its state does not allow it."""
    row = connection.execute(
        text("select memory, rule_version, incident from alarm.alarm where id = :id for update"),
        {"id": alarm_id},
    ).first()
    if row is None:
        raise NotFoundError(f"alarm {alarm_id} does not exist")
    log = Log(read_state(row.memory))
    act(log, action)
    # Due at once: the watch looks at its timers again, and tells its children.
    stored = StoredAlarm(alarm_id, log.state, row.rule_version, row.incident, action.known, True)
    write_alarms(connection, [(stored, log.written)])
    return read_alarm(connection, alarm_id)


def read_now() -> float:
    """Return the present moment [s since 1970 UTC]."""
    return datetime.now(UTC).timestamp()
