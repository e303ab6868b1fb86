"""The board: all alarms there are now, brought in line with the rules in force and the series there are."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from twin.alarms.applying import Applied, Exceedance, SeriesIndex, apply_rule, find_exceedance, find_parents
from twin.alarms.derived import AUTHOR, derive_incident_rules, derive_leak_rules, derive_loop_rules, derive_rules
from twin.alarms.engine import adopt_rule, end_alarm
from twin.alarms.state import begin_state
from twin.store_alarm_follow import list_series
from twin.store_alarm_forecasts import list_loops
from twin.store_alarm_leaks import list_searched_zones
from twin.store_alarm_rules import RuleVersion, end_rule, list_gauges, list_newest_rules, list_rules, put_rule
from twin.store_alarm_states import (
    AlarmKey,
    change_alarm_rules,
    list_alarm_keys,
    lock_alarms,
    open_alarms,
    retire_alarms,
    write_alarms,
)
from twin.traffic.street_sections import list_sections

log = logging.getLogger("twin.alarms")
_Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Board:
    """Alarms by number, what each listens to, who suppresses whom."""

    applied: dict[int, Applied]
    parents: dict[int, tuple[int, ...]]
    children: dict[int, list[int]] = field(default_factory=dict)
    by_source: dict[str, list[int]] = field(default_factory=dict)
    exceedances: dict[str, Exceedance] = field(default_factory=dict)

    def list_ancestors(self, numbers: set[int]) -> set[int]:
        """Return ``numbers`` with all alarms above them."""
        found, fresh = set(numbers), set(numbers)
        while fresh:
            fresh = {parent for number in fresh for parent in self.parents.get(number, ())} - found
            found |= fresh
        return found


def bring_in_line(connection: Connection, now: float) -> tuple[Board, list[int]]:
    """Open, change and end alarms as rules and series ask for, and return the board and the alarms that just began."""
    update_derived_rules(connection)
    index = SeriesIndex(list_series(connection))
    wanted: dict[_Key, Applied] = {}
    for version in list_rules(connection):
        found, faults = apply_rule(version.rule, version.version, index)
        for fault in faults:
            log.warning("%s", fault)
        wanted.update({(version.rule.id, one.series.id if one.series else None): one for one in found})
    present: dict[_Key, AlarmKey] = {(key.rule, key.datastream): key for key in list_alarm_keys(connection)}
    _end(connection, [key.id for name, key in present.items() if name not in wanted], now)
    _change(
        connection, [(present[name].id, one) for name, one in wanted.items() if _differs(present.get(name), one)], now
    )
    missing = {name: one for name, one in wanted.items() if name not in present}
    rows = [
        (rule, one.version, series, one.point.rule.priority, begin_state(now, len(one.point.sources)))
        for (rule, series), one in missing.items()
    ]
    open_alarms(connection, rows)
    keys = {(key.rule, key.datastream): key.id for key in list_alarm_keys(connection)}
    board = _make_board({keys[name]: one for name, one in wanted.items()})
    return board, sorted(keys[name] for name in missing)


def update_derived_rules(connection: Connection) -> int:
    """Bring alarm levels of ``sensors``, loops, searched zones and counted streets into rules; return the new versions.

    A rule that a person wrote or ended is left as it is.
    """
    newest = list_newest_rules(connection)
    made = [
        *derive_rules(list_gauges(connection)),
        *derive_loop_rules(list_loops(connection)),
        *derive_leak_rules(list_searched_zones(connection)),
        *derive_incident_rules(list_sections(connection, datetime.now(UTC))),
    ]
    derived = {rule.id: rule for rule in made}
    written = 0
    for rule_id, rule in derived.items():
        before = newest.get(rule_id)
        if before is None or (_is_ours(before) and (before.rule != rule or before.valid_to is not None)):
            put_rule(connection, rule, origin="derived", author=AUTHOR, reason="layer sensors", acyclic=True)
            written += 1
    for rule_id, before in newest.items():
        if _is_ours(before) and before.valid_to is None and rule_id not in derived:
            end_rule(connection, rule_id, author=AUTHOR, reason="layer sensors")
            written += 1
    return written


def _is_ours(version: RuleVersion) -> bool:
    return version.origin == "derived" and version.ended_by in (None, AUTHOR)


def _differs(key: AlarmKey | None, one: Applied) -> bool:
    return key is not None and key.rule_version != one.version


def _end(connection: Connection, numbers: list[int], now: float) -> None:
    rows = []
    for stored in lock_alarms(connection, numbers).values():
        stored.state, steps = end_alarm(stored.state, now)
        rows.append((stored, steps))
    write_alarms(connection, rows)
    retire_alarms(connection, numbers)


def _change(connection: Connection, changed: list[tuple[int, Applied]], now: float) -> None:
    applied = dict(changed)
    rows = []
    for number, stored in lock_alarms(connection, applied).items():
        stored.state, steps = adopt_rule(applied[number].point, stored.state, now)
        stored.rule_version, stored.due = applied[number].version, now
        rows.append((stored, steps))
    change_alarm_rules(connection, [(number, one.version, one.point.rule.priority) for number, one in changed])
    write_alarms(connection, rows)


def _make_board(applied: dict[int, Applied]) -> Board:
    board = Board(applied, find_parents(applied))
    for number, one in applied.items():
        for condition, source in zip(one.point.rule.conditions, one.point.sources, strict=True):
            listeners = board.by_source.setdefault(source, [])
            if number not in listeners:
                listeners.append(number)
            asked = find_exceedance(condition, source)
            if asked is not None:
                board.exceedances[source] = asked
    for number, above in board.parents.items():
        for parent in above:
            board.children.setdefault(parent, []).append(number)
    return board
