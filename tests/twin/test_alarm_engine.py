"""The alarm engine on random series: no chatter, nothing missed, the same whatever the batches and restarts."""

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import ConflictError
from twin.alarms.engine import Point, adopt_rule, advance, end_alarm, find_due
from twin.alarms.lifecycle import Action, Log, act
from twin.alarms.rules import parse_rule
from twin.alarms.state import (
    AlarmState,
    Cover,
    Reading,
    Transition,
    VisibleState,
    begin_state,
    read_state,
)

T0 = 1_790_000_000.0
SERIES = "S.stage"
ON, OFF = 1.8, 1.7


def make_point(*conditions: dict[str, Any], sources: Sequence[str] = (), **changes: Any) -> Point:
    rule = parse_rule(
        {
            "id": "high",
            "title": {"vi": "Mực nước cao", "en": "High stage"},
            "event": "flood",
            "priority": "high",
            "target": {"series": SERIES},
            "conditions": list(conditions) or [{"kind": "limit", "on": ON, "off": OFF}],
            "lateness_s": 0,
            **changes,
        }
    )
    return Point(rule, tuple(sources) or (SERIES,) * len(rule.conditions))


def run(
    point: Point, batches: Sequence[tuple[Sequence[Reading | Cover], float]], *, restart: bool = False
) -> tuple[AlarmState, list[Transition]]:
    """Return what the engine says of batches, each with the clock after it; ``restart`` sends it through JSON."""
    state, told = begin_state(T0, len(point.rule.conditions)), list[Transition]()
    for arrivals, now in batches:
        if restart:
            state = read_state(json.loads(orjson.dumps(state)))
        state, steps = advance(point, state, arrivals, now)
        told += steps
    return state, told


def make_readings(values: Sequence[float | None], step: float = 60.0, quality: int = 1) -> list[Reading]:
    return [Reading(SERIES, T0 + k * step, T0 + k * step, value, quality) for k, value in enumerate(values)]


def once(point: Point, readings: Sequence[Reading | Cover], after: float = 0.0) -> tuple[AlarmState, list[Transition]]:
    last = max((one.stored for one in readings), default=T0)
    return run(point, [(readings, last + after)])


def list_kinds(told: Sequence[Transition]) -> list[str]:
    return [one.kind for one in told]


levels = st.integers(150, 200).map(lambda cm: cm / 100)
flags = st.sampled_from([1, 1, 1, 2, 3, 4, 9])
delays = st.sampled_from([0.0, 30.0, 60.0, 120.0, 300.0])


@st.composite
def series(draw: st.DrawFn, lateness: float | None = None) -> list[Reading]:
    """Draw readings at rising times, stored after at most ``lateness`` [s], or any time after."""
    count = draw(st.integers(0, 40))
    gaps = draw(st.lists(st.integers(1, 200), min_size=count, max_size=count))
    time, found = T0, []
    for gap in gaps:
        time += gap
        longest = 500 if lateness is None else int(lateness)
        delay = draw(st.integers(0, max(999 * longest - 1, 0))) / 1000
        value = draw(st.one_of(levels, levels, levels, st.none()))
        found.append(Reading(SERIES, time, time + delay, value, draw(flags)))
    return found


def list_usable(readings: Sequence[Reading]) -> list[Reading]:
    return [one for one in sorted(readings, key=lambda r: r.time) if one.value is not None and one.quality <= 3]


@settings(deadline=None)
@given(series(0.0), delays, delays)
def test_no_second_raise_without_crossing_the_off_limit(
    readings: list[Reading], on_delay: float, off_delay: float
) -> None:
    point = make_point({"kind": "limit", "on": ON, "off": OFF, "on_delay_s": on_delay, "off_delay_s": off_delay})
    _, told = once(point, readings)
    raises = [one.at for one in told if one.kind == "raise"]
    for first, second in pairwise(raises):
        between = [one for one in list_usable(readings) if first < one.time <= second]
        assert any(one.value is not None and one.value < OFF for one in between)
    assert [kind for kind in list_kinds(told) if kind in ("raise", "clear")] == (["raise", "clear"] * 20)[: len(told)]


@settings(deadline=None)
@given(series(0.0), delays, delays)
def test_no_crossing_longer_than_its_delay_is_missed(
    readings: list[Reading], on_delay: float, off_delay: float
) -> None:
    point = make_point({"kind": "limit", "on": ON, "off": OFF, "on_delay_s": on_delay, "off_delay_s": off_delay})
    _, told = once(point, readings)
    steps = [(one.at, one.kind == "raise") for one in told if one.kind in ("raise", "clear")]
    since: float | None = None
    for one in list_usable(readings):
        assert one.value is not None
        if one.value < ON:
            since = None
            continue
        since = one.time if since is None else since
        if one.time - since >= on_delay:
            active = [up for at, up in steps if at <= one.time]
            assert active and active[-1], f"above for {one.time - since} s at {one.time - T0}"


@settings(deadline=None)
@given(series(0.0), delays, delays)
def test_the_engine_says_what_a_plain_reading_of_the_rule_says(
    readings: list[Reading], on_delay: float, off_delay: float
) -> None:
    point = make_point({"kind": "limit", "on": ON, "off": OFF, "on_delay_s": on_delay, "off_delay_s": off_delay})
    expected, active, since = list[tuple[str, float]](), False, math.inf
    for one in list_usable(readings):
        assert one.value is not None
        opposite = one.value < OFF if active else one.value >= ON
        since = min(since, one.time) if opposite else math.inf
        if opposite and one.time - since >= (off_delay if active else on_delay):
            active, since = not active, math.inf
            expected.append(("raise" if active else "clear", one.time))
    _, told = once(point, readings)
    assert [(one.kind, one.at) for one in told] == expected


RICH = make_point(
    {"kind": "limit", "on": ON, "off": OFF, "on_delay_s": 60, "off_delay_s": 30},
    {"kind": "rate", "on": 3.0, "window_s": 300},
    {"kind": "no_data", "after_s": 150},
    combine="any",
    lateness_s=90,
    escalation=[{"after_min": 0, "group": "duty"}, {"after_min": 4, "group": "command"}],
)


@settings(deadline=None)
@given(series(), st.data())
def test_batches_and_restarts_change_nothing(readings: list[Reading], data: st.DataObject) -> None:
    arrived = sorted(readings, key=lambda one: (one.stored, one.time))
    end = max((one.stored for one in arrived), default=T0) + 1000.0
    whole = run(RICH, [(arrived, end)])
    # What was stored at one moment was committed at one moment.
    moments = [k for k in range(1, len(arrived)) if arrived[k].stored > arrived[k - 1].stored]
    cuts = sorted(data.draw(st.sets(st.sampled_from(moments)))) if moments else []
    batches: list[tuple[Sequence[Reading], float]] = []
    for first, last in zip([0, *cuts], [*cuts, len(arrived)], strict=True):
        # Ticks fall anywhere before what comes next; the batch comes in any order, some of it for the second time.
        again = data.draw(st.lists(st.sampled_from(arrived[:last]), max_size=3)) if last else []
        batch = data.draw(st.permutations([*arrived[first:last], *again]))
        known = max((one.stored for one in arrived[:last]), default=T0)
        following = arrived[last].stored if last < len(arrived) else end
        batches.append((batch, known + data.draw(st.floats(0.0, 1.0)) * (following - known) * 0.999))
    batches.append(([], end))
    assert run(RICH, batches, restart=True) == whole


@settings(deadline=None)
@given(series(90.0))
def test_the_order_of_arrival_within_the_lateness_changes_nothing(readings: list[Reading]) -> None:
    point = make_point({"kind": "limit", "on": ON, "off": OFF, "on_delay_s": 60, "off_delay_s": 30}, lateness_s=90)
    punctual = [Reading(one.source, one.time, one.time, one.value, one.quality) for one in readings]
    late_state, late = once(point, readings, after=1000.0)
    state, told = once(point, punctual, after=1000.0)
    assert [(one.kind, one.at, one.value) for one in late] == [(one.kind, one.at, one.value) for one in told]
    assert (late_state.active, late_state.base, late_state.conditions) == (state.active, state.base, state.conditions)
    assert all(one.late == 0 for one in late_state.inputs.values())


@settings(deadline=None)
@given(st.lists(st.tuples(levels, st.sampled_from([4, 9])), max_size=40), st.sampled_from([1, 2, 3]))
def test_failed_data_never_raises(rows: list[tuple[float, int]], worst: int) -> None:
    point = make_point(
        {"kind": "limit", "on": ON, "off": OFF}, {"kind": "rate", "on": 0.1, "window_s": 300}, combine="any",
        minimum_quality=worst,
    )  # fmt: skip
    readings = [Reading(SERIES, T0 + 60 * k, T0 + 60 * k, value, flag) for k, (value, flag) in enumerate(rows)]
    assert once(point, readings, after=3600.0)[1] == []


@settings(deadline=None)
@given(levels, st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3, 4, 9]))
def test_only_flags_up_to_the_minimum_count(value: float, worst: int, flag: int) -> None:
    point = make_point(minimum_quality=worst)
    state, _ = once(point, [Reading(SERIES, T0, T0, value, flag)])
    assert state.active == (value >= ON and flag <= worst)


def test_a_late_reading_is_counted_and_decides_nothing() -> None:
    readings = [
        Reading(SERIES, T0 + 600, T0 + 600, 1.5, 1),
        Reading(SERIES, T0 + 300, T0 + 601, 1.9, 1),
        Reading(SERIES, T0 + 5000, T0 + 602, 1.9, 1),
    ]
    state, told = once(make_point(), readings, after=60.0)
    assert told == [] and state.inputs[SERIES].late == 2


def test_a_flag_that_comes_after_the_reading_counts_while_it_waits() -> None:
    point = make_point(lateness_s=60)
    first = Reading(SERIES, T0 + 10, T0 + 10, 1.9, 2)
    flagged = Reading(SERIES, T0 + 10, T0 + 10, 1.9, 4)
    state, told = run(point, [([first], T0 + 20), ([flagged], T0 + 200)])
    assert told == [] and not state.active


def test_below_is_above_turned_over() -> None:
    low = make_point({"kind": "limit", "direction": "below", "on": 0.2, "off": 0.4})
    _, told = once(low, make_readings([0.5, 0.2, 0.3, 0.4, 0.41, 0.1]))
    assert [(one.kind, one.value) for one in told] == [("raise", 0.2), ("clear", 0.41), ("raise", 0.1)]


def test_rate_of_rise_over_its_window() -> None:
    point = make_point({"kind": "rate", "on": 0.3, "off": 0.1, "window_s": 1800})
    steady = make_readings([1.0 + 0.02 * k for k in range(12)], step=600.0)
    assert once(point, steady)[1] == []
    rising = make_readings([1.0, 1.0, 1.0, 1.06, 1.12, 1.18, 1.18, 1.18, 1.18], step=600.0)
    _, told = once(point, rising)
    assert [(one.kind, (one.at - T0) / 600.0) for one in told] == [("raise", 5.0), ("clear", 8.0)]
    assert told[0].value == pytest.approx(0.36)


def test_no_data_is_a_timer_and_failed_data_is_none() -> None:
    point = make_point({"kind": "no_data", "after_s": 600})
    readings = [
        Reading(SERIES, T0 + 60, T0 + 61, 1.0, 1),
        Reading(SERIES, T0 + 120, T0 + 121, 1.0, 4),
        Reading(SERIES, T0 + 1000, T0 + 1010, 1.0, 1),
    ]
    state, told = run(point, [(readings[:2], T0 + 200)])
    assert told == [] and find_due(point, state) == T0 + 660
    _, told = run(point, [(readings, T0 + 1100)])
    assert [(one.kind, one.at, one.known) for one in told] == [
        ("raise", T0 + 660, T0 + 660),
        ("clear", T0 + 1010, T0 + 1010),
    ]
    # Nothing ever came: the timer runs from when the rule began.
    assert [one.at for one in run(point, [([], T0 + 700)])[1]] == [T0 + 600]


def test_several_conditions_meet() -> None:
    both = [{"kind": "limit", "on": 1.8}, {"kind": "limit", "on": 20, "series": "S.rain"}]
    rows = [
        Reading(SERIES, T0, T0, 1.9, 1),
        Reading("S.rain", T0 + 60, T0 + 60, 25.0, 1),
        Reading(SERIES, T0 + 120, T0 + 120, 1.0, 1),
        Reading("S.rain", T0 + 180, T0 + 180, 0.0, 1),
    ]
    for combine, expected in (("all", [60, 120]), ("any", [0, 180])):
        point = make_point(*both, combine=combine, sources=(SERIES, "S.rain"))
        assert [one.at - T0 for one in once(point, rows)[1]] == expected


def test_acknowledged_then_gone_is_normal_and_gone_before_is_not() -> None:
    point = make_point()
    state, _ = once(point, make_readings([1.9]))
    assert state.visible == "UNACK"
    log = Log(state)
    act(log, Action("acknowledge", T0 + 10, "an"))
    assert (log.written[0].before, log.written[0].after, log.written[0].author) == ("UNACK", "ACK", "an")
    gone, _ = advance(point, log.state, [Reading(SERIES, T0 + 60, T0 + 60, 1.0, 1)], T0 + 60)
    assert gone.visible == "NORMAL"
    state, _ = once(point, make_readings([1.9, 1.0]))
    assert state.visible == "RTN-UNACK"
    log = Log(state)
    act(log, Action("acknowledge", T0 + 70, "an"))
    assert log.state.visible == "NORMAL"
    with pytest.raises(ConflictError, match="the alarm is NORMAL"):
        act(log, Action("acknowledge", T0 + 80, "an"))


@settings(deadline=None)
@given(st.integers(1, 1000), st.integers(0, 2000))
def test_shelving_ends_at_its_time(length: int, later: int) -> None:
    point = make_point()
    state, _ = once(point, make_readings([1.9]))
    log = Log(state)
    act(log, Action("shelve", T0 + 10, "an", "bảo trì", until=T0 + 10 + length))
    assert log.state.visible == "SHELVED" and find_due(point, log.state) == T0 + 10 + length
    state, told = advance(point, log.state, [], T0 + 10 + later)
    if later < length:
        assert told == [] and state.visible == "SHELVED"
    else:
        assert [(one.kind, one.known, one.after, one.announced) for one in told] == [
            ("unshelve", T0 + 10 + length, "UNACK", True)
        ]


def test_what_comes_and_goes_on_the_shelf_asks_nobody() -> None:
    point = make_point()
    log = Log(begin_state(T0, 1))
    act(log, Action("shelve", T0, "an", "bảo trì", until=T0 + 500))
    state, told = advance(point, log.state, make_readings([1.9, 1.0]), T0 + 600)
    assert [(one.kind, one.announced) for one in told] == [("raise", False), ("clear", False), ("unshelve", False)]
    assert state.visible == "NORMAL" and state.occurrence == 1


@settings(deadline=None)
@given(st.integers(0, 60), st.one_of(st.none(), st.integers(0, 60)))
def test_escalation_comes_in_time_until_somebody_acknowledges(minutes: int, acknowledged: int | None) -> None:
    ladder = [(0, "duty"), (10, "command"), (30, "city")]
    point = make_point(escalation=[{"after_min": after, "group": group} for after, group in ladder])
    state, told = once(point, make_readings([1.9]))
    stop = minutes if acknowledged is None else min(acknowledged, minutes)
    state, more = advance(point, state, [], T0 + 60 * stop)
    told += more
    if acknowledged is not None and acknowledged <= minutes:
        log = Log(state)
        act(log, Action("acknowledge", T0 + 60 * acknowledged, "an"))
        state = log.state
    told += advance(point, state, [], T0 + 60 * minutes)[1]
    steps = [((one.at - T0) / 60, one.details["group"]) for one in told if one.kind == "escalate"]
    assert steps == [(after, group) for after, group in ladder if after <= stop]


def test_the_parent_suppresses_while_it_is_active() -> None:
    point = make_point()
    arrivals: list[Reading | Cover] = [
        *make_readings([1.9, 1.95, 1.9]),
        Cover(T0 + 60, True),
        Cover(T0 + 100, False),
    ]
    state, told = once(point, arrivals)
    assert [(one.kind, one.after, one.covers) for one in told] == [
        ("raise", "UNACK", True),
        ("suppress", "SUPPRESSED", True),
        ("unsuppress", "UNACK", True),
    ]
    assert state.visible == "UNACK"


@pytest.mark.parametrize("lateness", [0.0, 30.0])
def test_a_jump_beyond_both_limits_calls_for_the_parent_only(lateness: float) -> None:
    point = make_point(lateness_s=lateness)
    up, down = Reading(SERIES, T0, T0, 1.9, 1), Reading(SERIES, T0 + 60, T0 + 60, 1.0, 1)
    covers = [Cover(T0 + lateness, True), Cover(T0 + 60 + lateness, False)]
    state, told = once(point, [up, down, *covers], after=100.0)
    assert [(one.kind, one.announced) for one in told] == [
        ("suppress", False), ("raise", False), ("clear", False), ("unsuppress", False)
    ]  # fmt: skip
    assert state.visible == "NORMAL"


@pytest.mark.parametrize(
    ("kind", "state_then"),
    [("out-of-service", "OUT-OF-SERVICE"), ("suppress", "SUPPRESSED"), ("shelve", "SHELVED")],
)
def test_what_a_person_hides_covers_no_children(kind: Any, state_then: VisibleState) -> None:
    state, _ = once(make_point(), make_readings([1.9]))
    assert state.covers
    log = Log(state)
    act(log, Action(kind, T0 + 10, "an", "sửa chữa", until=T0 + 20 if kind == "shelve" else None))
    assert log.state.visible == state_then and not log.written[0].covers


def test_a_changed_rule_keeps_the_life_of_the_alarm() -> None:
    state, _ = once(make_point(), make_readings([1.9]))
    stricter = make_point({"kind": "limit", "on": 2.0})
    state, told = adopt_rule(stricter, state, T0 + 10)
    assert list_kinds(told) == ["rule-change"] and state.active
    state, told = advance(stricter, state, [Reading(SERIES, T0 + 60, T0 + 60, 1.9, 1)], T0 + 60)
    assert list_kinds(told) == ["clear"]
    state, _ = once(make_point(), make_readings([1.9]))
    state, told = end_alarm(state, T0 + 70)
    assert list_kinds(told) == ["clear", "end"] and state.visible == "NORMAL"


def test_the_state_stays_small() -> None:
    """A year of readings leaves no more behind than an hour."""
    readings = make_readings([1.5 + 0.4 * math.sin(k / 9) for k in range(5000)], step=60.0)
    state, _ = run(RICH, [(readings[k : k + 500], readings[min(k + 499, 4999)].stored) for k in range(0, 5000, 500)])
    state, _ = advance(RICH, state, [], T0 + 400_000, floor=T0 + 299_000)
    assert len(orjson.dumps(state)) < 3000
