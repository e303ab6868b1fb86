"""One pass over the alarms that something happened to: readings, timers, parents; all of it in one transaction."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from twin.alarms.applying import name_incident, order_by_depth
from twin.alarms.board import Board
from twin.alarms.engine import advance, find_due
from twin.alarms.state import Cover, Reading, Transition
from twin.store_alarm_incidents import close_incidents, extend_incident, join_incident
from twin.store_alarm_states import StoredAlarm, list_due, lock_alarms, write_alarms


class Pass:
    """One pass at clock ``now`` [s]; readings stored before ``floor`` [s] will never be offered again."""

    def __init__(self, connection: Connection, board: Board, now: float, floor: float) -> None:
        self._connection, self._board, self._now, self._floor = connection, board, now, floor
        self._stored: dict[int, StoredAlarm] = {}
        self._covered: dict[int, bool] = {}
        self._steps: dict[int, list[Transition]] = {}
        self._incidents: dict[str, int] = {}
        self._extents: dict[int, tuple[float, float]] = {}

    def run(self, readings: Sequence[Reading], fresh: Mapping[int, Sequence[Reading]] | None = None) -> int:
        """Take in readings, and those that ``fresh`` alarms begin with; return how many steps alarms took."""
        arrivals: dict[int, list[Reading]] = {number: list(rows) for number, rows in (fresh or {}).items()}
        for reading in readings:
            for number in self._board.by_source.get(reading.source, ()):
                arrivals.setdefault(number, []).append(reading)
        due = [number for number in list_due(self._connection, self._now) if number in self._board.applied]
        changed = {*arrivals, *due}
        wanted = set(changed)
        while wanted:
            numbers = self._board.list_ancestors(wanted) - self._stored.keys()
            self._load(numbers)
            for number in order_by_depth(numbers & self._stored.keys(), self._board.parents):
                self._step(number, arrivals.get(number, ()))
            wanted = self._list_untold(numbers)
        self._write(changed)
        return sum(len(steps) for steps in self._steps.values())

    def _load(self, numbers: set[int]) -> None:
        for number, stored in lock_alarms(self._connection, numbers).items():
            self._stored[number] = stored
            self._covered[number] = stored.state.covers

    def _step(self, number: int, readings: Sequence[Reading]) -> None:
        stored, applied = self._stored[number], self._board.applied[number]
        arrivals: list[Reading | Cover] = [*readings, *self._list_covers(number)]
        stored.state, steps = advance(applied.point, stored.state, arrivals, self._now, floor=self._floor)
        stored.due = find_due(applied.point, stored.state)
        self._steps[number] = steps
        for step in steps:
            if step.kind == "raise":
                stored.incident = self._find_incident(number, step.at)

    def _list_covers(self, number: int) -> list[Cover]:
        """Return when the parents of an alarm came and went during this pass."""
        parents = [parent for parent in self._board.parents.get(number, ()) if parent in self._stored]
        covering = {parent: self._covered[parent] for parent in parents}
        state = self._stored[number].state
        covered, found = any(covering.values()), list[Cover]()
        steps = [(parent, step) for parent in parents for step in self._steps[parent]]
        changes = sorted(steps, key=lambda one: one[1].arrival)
        if covered != state.covered:
            found.append(Cover(state.clock if changes else self._now, covered))
        for parent, step in changes:
            covering[parent] = step.covers
            if any(covering.values()) != covered:
                covered = not covered
                found.append(Cover(step.arrival, covered))
        return found

    def _list_untold(self, numbers: set[int]) -> set[int]:
        """Return the children of those among ``numbers`` that began or ceased to suppress them."""
        found = set[int]()
        for number in numbers & self._stored.keys():
            stored = self._stored[number]
            if stored.untold or any(step.covers != self._covered[number] for step in self._steps[number]):
                found |= set(self._board.children.get(number, ()))
        return found - self._stored.keys()

    def _find_incident(self, number: int, at: float) -> int:
        """Return the incident of the parent that is active, or else the one of the alarm's own key."""
        for parent in self._board.parents.get(number, ()):
            above = self._stored.get(parent)
            if above is not None and above.state.active and above.incident is not None:
                return above.incident
        applied = self._board.applied[number]
        key, layer, feature = name_incident(number, applied)
        rule, found = applied.point.rule, self._incidents.get(key)
        if found is None or abs(at - self._extents[found][1]) > rule.group_window_s:
            found = join_incident(self._connection, key, rule.event, (layer, feature), at, rule.group_window_s)
        first, last = self._extents.get(found, (at, at))
        self._incidents[key], self._extents[found] = found, (min(first, at), max(last, at))
        return found

    def _write(self, changed: set[int]) -> None:
        rows = []
        for number, stored in self._stored.items():
            if number in changed or self._steps[number] or stored.untold:
                stored.untold = False
                rows.append((stored, self._steps[number]))
        write_alarms(self._connection, rows)
        for number, (first, last) in self._extents.items():
            extend_incident(self._connection, number, first, last)
        over = [s.incident for s, steps in rows if s.incident is not None and any(x.kind == "clear" for x in steps)]
        if over:
            close_incidents(self._connection, over)
