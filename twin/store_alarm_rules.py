"""SQL of alarm rules: every version with its validity; at any moment at most one version of a rule is in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, text

from layers.errors import ConflictError, InputError, NotFoundError
from twin.alarms.rules import Rule, parse_rule, write_rule

Origin = Literal["derived", "file", "hand"]
_COLUMNS = (
    "definition, version, origin, valid_from, valid_to, author, reason, recorded, ended_by, coalesce(end_reason, '')"
)


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version of a rule: in force from ``valid_from`` until before ``valid_to``."""

    rule: Rule
    version: int
    origin: Origin
    valid_from: datetime
    valid_to: datetime | None
    author: str
    reason: str
    recorded: datetime
    ended_by: str | None
    end_reason: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """A stage series of a sensor and its legal alarm levels [m], of which some may be absent."""

    series: str
    sensor: str
    name: str
    levels: tuple[float | None, float | None, float | None]


def list_rules(connection: Connection, at: datetime | None = None) -> list[RuleVersion]:
    """Return the rules in force at ``at`` (now), by id."""
    rows = connection.execute(
        text(
            f"select distinct on (id) {_COLUMNS} from alarm.rule where valid_from <= coalesce(:at, clock_timestamp()) "
            "and (valid_to is null or valid_to > coalesce(:at, clock_timestamp())) order by id, version desc"
        ),
        {"at": at},
    )
    return [_read_row(row) for row in rows]


def list_newest_rules(connection: Connection) -> dict[str, RuleVersion]:
    """Return the newest version of every rule there ever was, by id."""
    rows = connection.execute(text(f"select distinct on (id) {_COLUMNS} from alarm.rule order by id, version desc"))
    return {one.rule.id: one for one in map(_read_row, rows)}


def read_rule(connection: Connection, rule_id: str, version: int | None = None) -> RuleVersion:
    """Return a version of a rule, without one the newest; NotFoundError when there is none."""
    row = connection.execute(
        text(
            f"select {_COLUMNS} from alarm.rule where id = :id and (cast(:version as integer) is null "
            "or version = :version) order by version desc limit 1"
        ),
        {"id": rule_id, "version": version},
    ).first()
    if row is None:
        raise NotFoundError(f"alarm rule '{rule_id[:120]}' does not exist", hint="type: twin alarms rules list")
    return _read_row(row)


def rule_exists(connection: Connection, rule_id: str) -> bool:
    """Return whether there is or was a rule of this id."""
    return _find_newest(connection, rule_id) is not None


def list_rule_versions(connection: Connection, rule_id: str) -> list[RuleVersion]:
    """Return all versions of a rule, the newest first; NotFoundError when there is none."""
    rows = connection.execute(
        text(f"select {_COLUMNS} from alarm.rule where id = :id order by version desc"), {"id": rule_id}
    ).all()
    if not rows:
        raise NotFoundError(f"alarm rule '{rule_id[:120]}' does not exist", hint="type: twin alarms rules list")
    return [_read_row(row) for row in rows]


def put_rule(
    connection: Connection,
    rule: Rule,
    *,
    origin: Origin,
    author: str,
    reason: str = "",
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    acyclic: bool = False,
) -> RuleVersion:
    """Write a version of a rule, in force from ``valid_from`` (now); the one before ends there.

    The same definition again changes nothing. ConflictError when a version begins later than ``valid_from``;
    InputError when the rule would be an ancestor of itself (not looked at where it is known to be ``acyclic``).
    """
    if not acyclic:
        _check_ancestors(connection, rule)
    connection.execute(text("select pg_advisory_xact_lock(hashtext('alarm.rule'))"))
    before = _find_newest(connection, rule.id)
    start = valid_from or datetime.now(UTC)
    if valid_to is not None and valid_to <= start:
        raise InputError(f"rule '{rule.id}' would end {valid_to.isoformat()}, before it begins {start.isoformat()}")
    if before is not None:
        in_force = before.valid_to is None or before.valid_to > start
        same_time = valid_from is None or valid_from == before.valid_from
        if before.rule == rule and in_force and same_time and before.valid_to == valid_to:
            return before
        if start < before.valid_from:
            raise ConflictError(
                f"version {before.version} of rule '{rule.id}' begins {before.valid_from.isoformat()}, later than "
                f"{start.isoformat()}",
                hint="give a later valid_from",
            )
        _end_version(connection, rule.id, before, start, author, reason)
    connection.execute(
        text(
            "insert into alarm.rule (id, version, definition, origin, valid_from, valid_to, author, reason) "
            "values (:id, :version, cast(:definition as jsonb), :origin, :valid_from, :valid_to, :author, :reason)"
        ),
        {
            "id": rule.id,
            "version": 1 if before is None else before.version + 1,
            "definition": orjson.dumps(write_rule(rule)).decode(),
            "origin": origin,
            "valid_from": start,
            "valid_to": valid_to,
            "author": author,
            "reason": reason,
        },
    )
    _tell(connection, rule.id)
    return read_rule(connection, rule.id)


def end_rule(connection: Connection, rule_id: str, *, author: str, reason: str = "") -> RuleVersion:
    """Let a rule be in force no longer, from now; its versions stay. ConflictError when it is not in force."""
    newest = read_rule(connection, rule_id)
    now = datetime.now(UTC)
    if newest.valid_to is not None and newest.valid_to <= now:
        raise ConflictError(f"rule '{rule_id}' is in force no longer since {newest.valid_to.isoformat()}")
    _end_version(connection, rule_id, newest, max(now, newest.valid_from), author, reason)
    _tell(connection, rule_id)
    return read_rule(connection, rule_id)


def list_gauges(connection: Connection) -> list[Gauge]:
    """Return the stage series of all sensors that have an alarm level."""
    rows = connection.execute(
        text(
            "select distinct on (s.id) d.id as series, s.id as sensor, s.name, s.alarm_1, s.alarm_2, s.alarm_3 "
            "from city.sensors s join sensing.datastream d on d.thing_id = s.id and d.observed_property = 'stage' "
            "where coalesce(s.alarm_1, s.alarm_2, s.alarm_3) is not null order by s.id, d.fid"
        )
    )
    return [Gauge(row.series, row.sensor, row.name, (row.alarm_1, row.alarm_2, row.alarm_3)) for row in rows]


def read_rules_mark(connection: Connection) -> tuple[Any, ...]:
    """Return a value that changes when rules, series, sensors or what was searched for leaks do."""
    row = connection.execute(
        text(
            "select (select count(*) from alarm.rule), (select max(recorded) from alarm.rule), "
            "(select count(*) from alarm.rule where valid_to is not null), "
            "(select max(fid) from sensing.datastream), (select count(*) from sensing.datastream), "
            "(select max(recorded_from) from city.sensors), (select count(*) from city.sensors), "
            "(select array_agg((name, interval_s)::text order by name) from forecast.loop_state), "
            "(select max(finished) from run.run where process = 'leak-detection' and status = 'successful'), "
            "(select count(*) from alarm.rule where valid_from <= clock_timestamp()), "
            "(select count(*) from alarm.rule where valid_to <= clock_timestamp())"
        )
    ).one()
    return tuple(row)


def _check_ancestors(connection: Connection, rule: Rule) -> None:
    """Raise InputError where two rules would suppress each other: nobody would see either."""
    parents = {one.rule.id: one.rule.parent for one in list_rules(connection)} if rule.parent else {}
    path, above = [rule.id], rule.parent
    while above is not None and above not in path:
        path.append(above)
        above = parents.get(above)
    if above == rule.id:
        raise InputError(f"rule '{rule.id}' would suppress itself: {' → '.join([*path, rule.id])}")


def _find_newest(connection: Connection, rule_id: str) -> RuleVersion | None:
    rows: Sequence[Any] = connection.execute(
        text(f"select {_COLUMNS} from alarm.rule where id = :id order by version desc limit 1"), {"id": rule_id}
    ).all()
    return _read_row(rows[0]) if rows else None


def _end_version(
    connection: Connection, rule_id: str, ended: RuleVersion, at: datetime, author: str, reason: str
) -> None:
    connection.execute(
        text(
            "update alarm.rule set valid_to = :at, ended_by = :author, end_reason = :reason "
            "where id = :id and version = :version and (valid_to is null or valid_to > :at)"
        ),
        {"id": rule_id, "version": ended.version, "at": at, "author": author, "reason": reason},
    )


def _tell(connection: Connection, rule_id: str) -> None:
    connection.execute(text("select pg_notify('alarm_rule', :id)"), {"id": rule_id})


def _read_row(row: Any) -> RuleVersion:
    return RuleVersion(parse_rule(row[0]), *row[1:])
