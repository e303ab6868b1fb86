"""The alarm engine: a pure step from state, arrivals and clock to state and transitions.

What it decides follows from the readings alone (event time, time stored, value, flag), not from how they were cut into
batches, nor from when the engine was called or restarted. A reading waits until one that is newer by the allowed
lateness has arrived, or until it was known for that long; then it is decided in event time and the watermark passes.
What comes behind the watermark is counted and decides nothing. The idea of a watermark is that of Akidau et al. (2015),
The Dataflow Model, doi:10.14778/2824032.2824076.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from twin.alarms.conditions import Limited, judge, keep_history, longest_window, read_rate
from twin.alarms.lifecycle import Log, clear_alarm, cover_alarm, end_shelving, raise_alarm
from twin.alarms.rules import Condition, LateCondition, NoDataCondition, RateCondition, Rule
from twin.alarms.state import AlarmState, ConditionState, Cover, InputState, Reading, Transition

FUTURE_S = 300.0
_RELEASE, _SILENCE, _SHELF, _ESCALATION = range(4)


@dataclass(frozen=True, slots=True)
class Point:
    """A rule applied: ``sources`` names the input of each of its conditions."""

    rule: Rule
    sources: tuple[str, ...]
    by_source: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        places: dict[str, list[int]] = {}
        for place, source in enumerate(self.sources):
            places.setdefault(source, []).append(place)
        object.__setattr__(self, "by_source", places)


def advance(
    point: Point, state: AlarmState, arrivals: Iterable[Reading | Cover], now: float, *, floor: float | None = None
) -> tuple[AlarmState, list[Transition]]:
    """Return the state after the arrivals and at clock ``now`` [s], and what happened on the way.

    Arrivals are taken in the order in which they became known; one that was taken before changes nothing, as long as
    it was stored at or after the ``floor`` of the last call: what is older is never offered again.
    """
    run = _Run(point, Log(state.copy()))
    for arrival in sorted(arrivals, key=_order):
        if isinstance(arrival, Cover):
            run.pass_time(arrival.stored, but_for=arrival.covered)
            cover_alarm(run.log, run.state.clock, arrival.covered)
        elif arrival.source in point.by_source:
            run.pass_time(arrival.stored)
            run.take(arrival)
    run.pass_time(max(now, run.state.clock))
    if floor is not None:
        for one in run.state.inputs.values():
            one.recent = [pair for pair in one.recent if pair[1] >= floor]
    return run.state, run.log.written


def adopt_rule(point: Point, state: AlarmState, known: float) -> tuple[AlarmState, list[Transition]]:
    """Return the state under a changed rule: its conditions are judged anew from the next reading on."""
    log = Log(state.copy())
    with log.note("rule-change", known, known):
        log.state.conditions = [ConditionState() for _ in point.sources]
        log.state.inputs = {source: one for source, one in log.state.inputs.items() if source in point.by_source}
    return log.state, log.written


def end_alarm(state: AlarmState, known: float) -> tuple[AlarmState, list[Transition]]:
    """Return the state of an alarm whose rule is no longer in force."""
    log = Log(state.copy())
    if log.state.active:
        clear_alarm(log, known, known, reason="the rule is no longer in force")
    with log.note("end", known, known):
        log.state.base, log.state.shelved_until = "NORMAL", None
        log.state.covered = log.state.suppressed = log.state.out_of_service = False
    return log.state, log.written


def find_due(point: Point, state: AlarmState) -> float | None:
    """Return the next moment at which time alone changes something [s], or None."""
    found = _next_timer(point, state)
    return None if found is None else found[0]


def _order(arrival: Reading | Cover) -> tuple[float, int, float]:
    # Of what happens at one moment, a parent that comes is heard first and one that goes last: nobody is called twice.
    if isinstance(arrival, Cover):
        return arrival.stored, 0 if arrival.covered else 2, 0.0
    return arrival.stored, 1, arrival.time


def _next_timer(point: Point, state: AlarmState) -> tuple[float, int, int] | None:
    """Return the earliest timer: when, which kind, and the place of its condition."""
    timers: list[tuple[float, int, int]] = []
    for one in state.inputs.values():
        timers += [(stored + point.rule.lateness_s, _RELEASE, 0) for _, stored, _, _ in one.pending]
    for place, condition in enumerate(point.rule.conditions):
        if isinstance(condition, NoDataCondition | LateCondition) and not state.conditions[place].on:
            heard = state.inputs[point.sources[place]].heard if point.sources[place] in state.inputs else None
            timers.append(((state.begun if heard is None else heard) + condition.after_s, _SILENCE, place))
    if state.shelved_until is not None:
        timers.append((state.shelved_until, _SHELF, 0))
    if state.announced_at is not None and state.escalated < len(point.rule.escalation):
        step = point.rule.escalation[state.escalated]
        timers.append((state.announced_at + step.after_min * 60.0, _ESCALATION, 0))
    return min(timers, default=None)


class _Run:
    """One pass of the engine over one alarm."""

    def __init__(self, point: Point, log: Log) -> None:
        self.point, self.rule, self.log, self.state = point, point.rule, log, log.state

    def pass_time(self, to: float, *, but_for: bool = False) -> None:
        """Let every timer up to ``to`` go off at its own time, ``but_for`` those of that very moment."""
        while (timer := _next_timer(self.point, self.state)) is not None:
            due, kind, place = timer
            if due > to or (but_for and due == to):
                break
            self.state.clock = max(self.state.clock, due)
            self.log.arrival = due
            if kind == _RELEASE:
                self._release_known(due)
            elif kind == _SILENCE:
                self.state.conditions[place].on = True
                self._combine(due)
            elif kind == _SHELF:
                end_shelving(self.log, due)
            else:
                self._escalate(due)
        self.state.clock = max(self.state.clock, to)
        self.log.arrival = to

    def take(self, reading: Reading) -> None:
        """Take in one reading that became known now."""
        one = self.state.inputs.setdefault(reading.source, InputState())
        key = (reading.time, reading.stored)
        row = (reading.time, reading.stored, reading.value, reading.quality)
        if key in one.recent:
            # Told again, perhaps with a flag it did not have before.
            one.pending = [row if (old[0], old[1]) == key else old for old in one.pending]
            return
        one.recent.append(key)
        behind = one.watermark is not None and reading.time <= one.watermark
        if behind or reading.time > self.state.clock + FUTURE_S:
            one.late += 1
            return
        one.pending = [old for old in one.pending if old[0] != reading.time]
        one.pending.append(row)
        one.newest = reading.time if one.newest is None else max(one.newest, reading.time)
        if self._is_usable(reading.value, reading.quality):
            one.heard = reading.time if one.heard is None else max(one.heard, reading.time)
            self._end_silence(reading.source, one.heard)
        self._release(reading.source, one, one.newest - self.rule.lateness_s)

    def _end_silence(self, source: str, heard: float) -> None:
        clock = self.state.clock
        for place in self.point.by_source[source]:
            condition, state = self.rule.conditions[place], self.state.conditions[place]
            if isinstance(condition, NoDataCondition | LateCondition):
                state.value = clock - heard
                if state.on and clock - heard < condition.after_s:
                    state.on = False
                    self._combine(clock)

    def _release_known(self, due: float) -> None:
        """Decide every reading that has waited long enough, and those before it."""
        for source, one in self.state.inputs.items():
            ripe = [time for time, stored, _, _ in one.pending if stored + self.rule.lateness_s <= due]
            if ripe:
                self._release(source, one, max(ripe))

    def _release(self, source: str, one: InputState, watermark: float) -> None:
        if one.watermark is not None and watermark <= one.watermark:
            return
        one.watermark = watermark
        ready = sorted(row for row in one.pending if row[0] <= watermark)
        one.pending = [row for row in one.pending if row[0] > watermark]
        for time, _, value, quality in ready:
            if value is not None and self._is_usable(value, quality):
                self._decide(source, one, time, value)

    def _decide(self, source: str, one: InputState, time: float, value: float) -> None:
        """Hold one reading against every condition on its input."""
        places = self.point.by_source[source]
        conditions: list[Condition] = [self.rule.conditions[place] for place in places]
        window = longest_window(conditions)
        for place, condition in zip(places, conditions, strict=True):
            signal: float | None = value
            if isinstance(condition, RateCondition):
                signal = read_rate(one.history, condition.window_s, time, value)
            if isinstance(condition, Limited) and signal is not None:
                judge(condition, self.state.conditions[place], time, signal)
        if window:
            keep_history(one.history, window, time, value)
        self._combine(time)

    def _combine(self, at: float) -> None:
        each = [one.on for one in self.state.conditions]
        active = all(each) if self.rule.combine == "all" else any(each)
        if active and not self.state.active:
            raise_alarm(self.log, at, self.state.clock)
        elif self.state.active and not active:
            clear_alarm(self.log, at, self.state.clock)

    def _escalate(self, due: float) -> None:
        step = self.rule.escalation[self.state.escalated]
        details = {"step": self.state.escalated + 1, "group": step.group, "after_min": step.after_min}
        with self.log.note("escalate", due, due, details=details):
            self.state.escalated += 1

    def _is_usable(self, value: float | None, quality: int) -> bool:
        return value is not None and isfinite(value) and 1 <= quality <= self.rule.minimum_quality
