"""SQL of the alarm engine: its states in and out, every transition beside them in the same transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from twin.alarms.state import AlarmState, Transition, read_state


@dataclass(slots=True)
class StoredAlarm:
    """An alarm with the engine's state; ``due`` [s since 1970 UTC] is when time alone may change something.

    ``untold``: its children may not know yet whether it suppresses them.
    """

    id: int
    state: AlarmState
    rule_version: int
    incident: int | None
    due: float | None
    untold: bool


@dataclass(frozen=True, slots=True)
class AlarmKey:
    """Which alarm belongs to which rule and series."""

    id: int
    rule: str
    rule_version: int
    datastream: str | None


def list_alarm_keys(connection: Connection) -> list[AlarmKey]:
    """Return all alarms whose rules are in force."""
    rows = connection.execute(
        text("select id, rule, rule_version, datastream from alarm.alarm where retired is null order by id")
    )
    return [AlarmKey(*row) for row in rows]


def open_alarms(connection: Connection, rows: Sequence[tuple[str, int, str | None, str, AlarmState]]) -> None:
    """Enter alarms (rule, its version, series, priority, state); one that was there before comes back."""
    if not rows:
        return
    encoded = [
        {
            "rule": rule, "rule_version": version, "datastream": series, "priority": priority,
            "begun": _moment(state.begun), "memory": state,
        }
        for rule, version, series, priority, state in rows
    ]  # fmt: skip
    connection.execute(
        text(
            "insert into alarm.alarm as a (rule, rule_version, datastream, priority, begun, since, memory, due) "
            "select rule, rule_version, datastream, priority, begun, begun, memory, begun "
            "from json_to_recordset(cast(:rows as json)) as (rule text, rule_version integer, datastream text, "
            "priority text, begun timestamptz, memory jsonb) "
            "on conflict (rule, coalesce(datastream, '')) do update set rule_version = excluded.rule_version, "
            "priority = excluded.priority, begun = excluded.begun, since = excluded.since, due = excluded.due, "
            "retired = null, version = a.version + 1, memory = jsonb_set(excluded.memory, '{occurrence}', "
            "to_jsonb(a.occurrence)) where a.retired is not null"
        ),
        {"rows": orjson.dumps(encoded).decode()},
    )


def change_alarm_rules(connection: Connection, rows: Sequence[tuple[int, int, str]]) -> None:
    """Say under which version of its rule, and with which priority, each alarm is now: (number, version, priority)."""
    for alarm_id, version, priority in rows:
        connection.execute(
            text("update alarm.alarm set rule_version = :version, priority = :priority where id = :id"),
            {"id": alarm_id, "version": version, "priority": priority},
        )


def retire_alarms(connection: Connection, ids: Sequence[int]) -> None:
    """Keep alarms for their history only."""
    connection.execute(
        text("update alarm.alarm set retired = clock_timestamp(), due = null where id = any(:ids)"), {"ids": list(ids)}
    )


def lock_alarms(connection: Connection, ids: Iterable[int]) -> dict[int, StoredAlarm]:
    """Return alarms by number, kept from others until the transaction ends."""
    rows = connection.execute(
        text(
            "select id, memory, rule_version, incident, extract(epoch from due)::double precision as due, "
            "untold from alarm.alarm where id = any(:ids) order by id for update"
        ),
        {"ids": sorted(set(ids))},
    )
    return {
        row.id: StoredAlarm(row.id, read_state(row.memory), row.rule_version, row.incident, row.due, row.untold)
        for row in rows
    }


def list_due(connection: Connection, now: float) -> list[int]:
    """Return the alarms that time alone may change up to ``now`` [s since 1970 UTC]."""
    return list(
        connection.execute(
            text("select id from alarm.alarm where retired is null and due <= :now"), {"now": _moment(now)}
        ).scalars()
    )


def find_next_due(connection: Connection) -> float | None:
    """Return the earliest moment at which time alone may change an alarm [s since 1970 UTC]."""
    found = connection.execute(
        text("select extract(epoch from min(due))::double precision from alarm.alarm where retired is null")
    ).scalar()
    return None if found is None else float(found)


def write_alarms(connection: Connection, rows: Sequence[tuple[StoredAlarm, Sequence[Transition]]]) -> None:
    """Write states and what led to them, and tell who listens to ``alarm`` the number of each that changed."""
    if not rows:
        return
    connection.execute(
        text(
            "update alarm.alarm a set state = n.state, since = n.since, active = n.active, covers = n.covers, "
            "untold = n.untold, occurrence = n.occurrence, raised = n.raised, cleared = n.cleared, value = n.value, "
            "acknowledged = n.acknowledged, acknowledged_by = n.acknowledged_by, shelved_until = n.shelved_until, "
            "incident = n.incident, due = n.due, memory = n.memory, version = a.version + 1 "
            "from json_to_recordset(cast(:rows as json)) as n (id bigint, state text, since timestamptz, "
            "active boolean, covers boolean, untold boolean, occurrence integer, raised timestamptz, "
            "cleared timestamptz, value double precision, acknowledged timestamptz, acknowledged_by text, "
            "shelved_until timestamptz, incident bigint, due timestamptz, memory jsonb) where a.id = n.id"
        ),
        {"rows": orjson.dumps([_write_alarm(stored) for stored, _ in rows]).decode()},
    )
    events = [_write_event(stored, one) for stored, steps in rows for one in steps]
    if not events:
        return
    connection.execute(
        text(
            "insert into alarm.event (alarm, occurrence, kind, at, known, author, reason, state_before, state_after, "
            "announced, value, rule_version, details) "
            "select alarm, occurrence, kind, at, known, author, reason, state_before, state_after, announced, value, "
            "rule_version, details from json_to_recordset(cast(:rows as json)) as (alarm bigint, occurrence integer, "
            "kind text, at timestamptz, known timestamptz, author text, reason text, state_before text, "
            "state_after text, announced boolean, value double precision, rule_version integer, details jsonb)"
        ),
        {"rows": orjson.dumps(events).decode()},
    )
    changed = [str(stored.id) for stored, steps in rows if steps]
    connection.execute(text("select pg_notify('alarm', id) from unnest(cast(:ids as text[])) as id"), {"ids": changed})


def _write_alarm(stored: StoredAlarm) -> dict[str, Any]:
    state = stored.state
    return {
        "id": stored.id,
        "state": state.visible,
        "since": _moment(state.since),
        "active": state.active,
        "covers": state.covers,
        "untold": stored.untold,
        "occurrence": state.occurrence,
        "raised": _moment(state.raised),
        "cleared": _moment(state.cleared),
        "value": state.value,
        "acknowledged": _moment(state.acknowledged),
        "acknowledged_by": state.acknowledged_by,
        "shelved_until": _moment(state.shelved_until),
        "incident": stored.incident,
        "due": _moment(stored.due),
        "memory": state,
    }


def _write_event(stored: StoredAlarm, one: Transition) -> dict[str, Any]:
    return {
        "alarm": stored.id,
        "occurrence": one.occurrence,
        "kind": one.kind,
        "at": _moment(one.at),
        "known": _moment(one.known),
        "author": one.author,
        "reason": one.reason,
        "state_before": one.before,
        "state_after": one.after,
        "announced": one.announced,
        "value": one.value,
        "rule_version": stored.rule_version,
        "details": one.details,
    }


def _moment(at: float | None) -> str | None:
    """Return seconds since 1970 as the database reads them."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
