"""Schedules, level rules, travel times, pumps' own levels, and that a control goes on where it stopped."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hydrology.controls import HELD_SHUT, RUNNING, LevelRule, Schedule, move_setting, read_schedule
from hydrology.links import Links, build_links, run_links, update_setting
from hydrology.structures import Gate, Pump, Structure
from layers.errors import InputError

Array = NDArray[np.float64]
THERE = np.ones((1, 2), dtype=np.bool_)


def make_gate(schedule: Schedule | None = None, rule: LevelRule | None = None, travel_time: float = 0.0) -> Gate:
    return Gate("g", 0, 0, 0, 1, 0.0, 2.0, 1.0, schedule=schedule, rule=rule, travel_time=travel_time)


def follow(item: Structure, stages: list[tuple[float, float]], dt: float = 1.0, start: float = 0.0) -> list[float]:
    """Return the setting after each step of ``dt`` with the given stages at a and b."""
    links = build_links([item], THERE, THERE, start)
    settings, running = links.setting.copy(), links.running.copy()
    found = []
    for step, (a, b) in enumerate(stages):
        update_setting(links, settings, running, 0, a, b, 0.0, start + step * dt, dt)
        found.append(float(settings[0]))
    return found


def test_a_command_holds_until_the_next() -> None:
    plan = Schedule(np.array([10.0, 20.0, 40.0]), np.array([0.3, 1.0, 0.0]))
    times = [0.0, 10.0, 19.9, 20.0, 39.9, 40.0, 1e6]
    assert [plan.setting_at(t) for t in times] == [0.3, 0.3, 0.3, 1.0, 1.0, 0.0, 0.0]
    shelf = np.concatenate([[-5.0, 7.0], plan.times, [0.0]]), np.concatenate([[9.0, 9.0], plan.settings, [9.0]])
    assert [read_schedule(*shelf, 2, 5, t) for t in times] == [plan.setting_at(t) for t in times]
    assert read_schedule(*shelf, 2, 2, 0.0) == 1.0
    assert follow(make_gate(plan), [(0.0, 0.0)] * 5, dt=10.0) == [0.3, 0.3, 1.0, 1.0, 0.0]
    # A run that begins late begins with what was commanded by then.
    assert build_links([make_gate(plan)], THERE, THERE, 25.0).setting.tolist() == [1.0]


def test_a_tide_gate_shuts_on_the_flood_and_opens_on_the_ebb_once() -> None:
    gate = make_gate(rule=LevelRule(head_difference=0.0, margin=0.05))
    tide = [0.0, 0.9, 1.0, 1.01, 1.5, 1.01, 0.99, 0.96, 0.949, 0.99, 1.0, 1.001]
    assert follow(gate, [(1.0, b) for b in tide]) == [1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0]


def test_a_rule_on_levels_works_rising_and_falling_and_at_either_end() -> None:
    rise = make_gate(rule=LevelRule(close_stage=2.0, open_stage=1.5))
    assert follow(rise, [(0.0, b) for b in (1.9, 2.1, 1.6, 1.4, 1.9)]) == [1, 0, 0, 1, 1]
    fall = make_gate(rule=LevelRule(close_stage=0.5, open_stage=0.8, sensor="a", starts_shut=True))
    assert follow(fall, [(a, 9.0) for a in (0.7, 0.9, 0.6, 0.4, 0.7, 0.81)]) == [0, 1, 1, 0, 0, 1]
    both = make_gate(rule=LevelRule(2.0, 1.5, head_difference=0.5, margin=0.1))
    # Shut by the level, by the difference; opened by the margin although b is still above its opening stage.
    assert follow(both, [(1.8, 2.1), (2.0, 1.8), (0.9, 1.45), (1.0, 1.6), (1.0, 1.4)]) == [0, 1, 0, 0, 1]


def test_a_gate_takes_its_time() -> None:
    plan = Schedule(np.array([0.0, 100.0]), np.array([0.0, 1.0]))
    slow = make_gate(plan, travel_time=400.0)
    steps = follow(slow, [(0.0, 0.0)] * 16, dt=50.0)
    assert steps == pytest.approx([0.0, 0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875] + [1.0] * 7)
    assert move_setting(0.5, 0.5, 0.01, 10.0) == 0.5
    # However the time is cut, the same time takes the gate the same way.
    fine = follow(slow, [(0.0, 0.0)] * 400, dt=1.0)
    assert fine[349] == pytest.approx(steps[6])


def test_a_rule_shuts_what_a_schedule_would_open() -> None:
    plan = Schedule(np.array([0.0]), np.array([0.6]))
    gate = make_gate(plan, LevelRule(close_stage=2.0, open_stage=1.5))
    assert follow(gate, [(0.0, b) for b in (1.0, 2.5, 1.7, 1.0)]) == [0.6, 0.0, 0.0, 0.6]


def test_a_pump_keeps_its_levels_its_plan_and_its_ban() -> None:
    plain = Pump("p", 0, 0, 0, 1, 1.0, start_depth=0.5, stop_depth=0.2)
    assert follow(plain, [(a, 0.0) for a in (0.4, 0.5, 0.3, 0.2, 0.4)]) == [0, 1, 1, 0, 0]
    staged = Pump("p", 0, 0, 0, 1, 1.0, start_stage=1.5, stop_stage=1.2, ramp_time=4.0)
    assert follow(staged, [(a, 0.0) for a in (1.4, 1.5, 1.4, 1.3, 1.3, 1.3, 1.2, 1.2)]) == pytest.approx(
        [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 0.75, 0.5]
    )
    plan = Schedule(np.array([0.0, 2.0]), np.array([0.5, 1.0]))
    banned = Pump("p", 0, 0, 0, 1, 1.0, schedule=plan, rule=LevelRule(close_stage=2.0, open_stage=1.9))
    assert follow(banned, [(1.0, b) for b in (0.0, 0.0, 0.0, 2.1, 1.95, 1.8)]) == [0.5, 0.5, 1.0, 0.0, 0.0, 1.0]
    links = build_links([banned], THERE, THERE, 0.0)
    settings, running = links.setting.copy(), links.running.copy()
    update_setting(links, settings, running, 0, 1.0, 2.1, 0.0, 0.0, 1.0)
    assert running[0] == RUNNING | HELD_SHUT


def run(links: Links, settings: Array, running: NDArray[np.uint8], stage: Array, first: int, last: int) -> None:
    bed, gain = np.zeros((3, 4), dtype=np.float32), np.pad(np.full((1, 2), 0.1), 1).astype(np.float32)
    gain[1, 2] = 0.0
    for step in range(first, last):
        stage[1, 2] = 1.0 + np.sin(step / 40.0)
        run_links(links, settings, running, np.zeros((len(settings), 2)), stage, bed, gain, 100.0, 5.0, 5.0 * step)


def test_a_control_goes_on_bit_for_bit_from_its_state() -> None:
    plan = Schedule(np.array([0.0, 900.0]), np.array([1.0, 0.7]))
    items: list[Structure] = [
        Gate("g", 0, 0, 0, 1, 0.0, 0.1, 0.2, schedule=plan, rule=LevelRule(1.8, 1.5), travel_time=300.0),
        Pump("p", 0, 0, 0, 1, 0.05, start_depth=1.1, stop_depth=0.6, ramp_time=60.0),
    ]
    links = build_links(items, np.array([[True, False]]), THERE, 0.0)
    whole = links.setting.copy(), links.running.copy(), np.ones((3, 4))
    run(links, *whole, 0, 400)
    part = links.setting.copy(), links.running.copy(), np.ones((3, 4))
    run(links, *part, 0, 50)
    again = build_links(items, np.array([[True, False]]), THERE, 50 * 5.0)
    kept = tuple(array.copy() for array in part)
    run(again, *kept, 50, 400)  # type: ignore[arg-type]
    for left, right in zip(kept, whole, strict=True):
        assert np.array_equal(left, right)
    assert 0.0 < part[0][0] < 1.0


BAD_RULES: dict[str, tuple[dict[str, object], str]] = {
    "nothing": ({}, "has no level"),
    "half": ({"close_stage": 1.0}, "close_stage 1.0 and open_stage None, expected both or none"),
    "nan": ({"head_difference": float("nan"), "margin": 0.0}, "head_difference is nan m"),
    "crossed": ({"head_difference": 0.0, "margin": -0.1}, "expected a sum of 0 or more"),
    "sensor": ({"close_stage": 1.0, "open_stage": 0.5, "sensor": "c"}, "sensor is 'c', expected 'a' or 'b'"),
}


@pytest.mark.parametrize("case", BAD_RULES)
def test_bad_rules_are_named(case: str) -> None:
    values, message = BAD_RULES[case]
    with pytest.raises(InputError, match=message):
        LevelRule(**values)  # type: ignore[arg-type]


def test_bad_schedules_are_named() -> None:
    with pytest.raises(InputError, match=r"setting 1 is 50, expected 0 \(shut, off\) to 1 .* not in percent"):
        Schedule(np.array([0.0, 1.0]), np.array([0.0, 50.0]))
    with pytest.raises(InputError, match=r"schedule: time 1 \(0 s\) does not come after"):
        Schedule(np.array([0.0, 0.0]), np.array([0.0, 1.0]))
