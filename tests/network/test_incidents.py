"""Incidents: what each method must tell of a simulated street whose incidents are known, and what it must not."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network.incidents import (
    CLEAR,
    CONFIRMED,
    CONTINUING,
    TENTATIVE,
    Cusum,
    combine_methods,
    detect_california_7,
    detect_california_8,
    detect_cusum,
    detect_mcmaster,
    fit_mcmaster,
    fit_profile,
)
from tests.network.street_simulation import Days, simulate_days

WITH, WITHOUT, PAST = slice(0, 60), slice(60, 120), slice(120, 140)
LINGERS_S = 1800.0
"""A queue takes this long at most to go once an incident is over."""


@dataclass
class Score:
    """What a method made of days with an incident whose queue came to the station, and of days without one."""

    detected: int
    possible: int
    minutes: float
    minutes_since_queue: float
    false_alarms: int
    false_days: int


@pytest.fixture(scope="module")
def days() -> Days:
    return simulate_days(140, incidents=60, seed=1)


@pytest.fixture(scope="module")
def told(days: Days) -> dict[str, np.ndarray]:
    """What each method tells of each day (times, days)."""
    speeds = days.speeds[0]
    past = np.arange(speeds.shape[1])[PAST]
    times = np.concatenate([days.times + 86_400.0 * day for day in range(past.size)])
    nights = np.concatenate([np.arange(0.0, 18_000.0, 300.0), np.arange(75_600.0, 86_400.0, 300.0)])
    profile = fit_profile(
        np.concatenate([times, nights]),
        np.concatenate([speeds[:, past].T.ravel(), np.full(nights.size, 50.0)]),
        offset=0,
    )
    assert profile is not None
    level, spread = profile.find_level(days.times)
    bounds = fit_mcmaster(*(each[0][:, past].T.ravel() for each in (days.flows, days.occupancies, days.speeds)))
    assert bounds is not None
    found = {
        "california_7": detect_california_7(*days.occupancies) >= CONFIRMED,
        "california_8": detect_california_8(*days.occupancies) >= CONFIRMED,
        "cusum": detect_cusum((level[:, None] - speeds) / spread[:, None])[0],
        "mcmaster": np.column_stack(
            [
                detect_mcmaster(days.flows[0][:, day], days.occupancies[0][:, day], speeds[:, day], bounds)
                for day in range(speeds.shape[1])
            ]
        ),
    }
    return {**found, "all": combine_methods(**found) >= 0.5}


def score(told: np.ndarray, days: Days) -> Score:
    rises = told & ~np.vstack([np.zeros((1, told.shape[1]), bool), told[:-1]])
    delays, since, false = [], [], 0
    for day in range(told.shape[1])[WITH]:
        at = days.times[rises[:, day]]
        inside = (at >= days.start[day]) & (at <= days.end[day] + LINGERS_S)
        if inside.any() and np.isfinite(days.reached[day]):
            delays.append(at[inside][0] - days.start[day])
            since.append(at[inside][0] - days.reached[day])
        false += int((~inside).sum())
    clean = rises[:, WITHOUT]
    return Score(
        len(delays), int(np.isfinite(days.reached[WITH]).sum()), float(np.mean(delays)) / 60.0,
        float(np.mean(since)) / 60.0, false + int(clean.sum()), int(clean.any(axis=0).sum()),
    )  # fmt: skip


def test_the_methods_together_find_every_incident_whose_queue_reaches_a_station(
    told: dict[str, np.ndarray], days: Days
) -> None:
    scores = {name: score(one, days) for name, one in told.items()}
    for name, one in scores.items():
        print(
            f"{name:13} found {one.detected} of {one.possible}, {one.minutes:.1f} min after the onset, "
            f"{one.minutes_since_queue:.1f} min after the queue came; {one.false_alarms} false alarms in 120 days"
        )
    assert scores["all"].possible >= 20
    for name in ("california_7", "california_8", "all"):
        assert scores[name].detected >= 0.9 * scores[name].possible
        # Two readings of five minutes to confirm, and the one in which the queue came.
        assert scores[name].minutes_since_queue <= 15.0
        # Fewer than one a station and week, what a control room bears.
        assert scores[name].false_alarms <= 120 / 7
    # One station alone takes the evening's jam for an incident; two do not.
    assert scores["cusum"].false_days > scores["california_7"].false_days


def test_states_go_from_tentative_to_confirmed_and_back() -> None:
    up = np.array([0.1, 0.4, 0.4, 0.4, np.nan, 0.4, 0.1])
    down = np.full(7, 0.08)
    states = [CLEAR, TENTATIVE, CONFIRMED, CONTINUING, CONTINUING, CONTINUING, CLEAR]
    assert detect_california_7(up, down).tolist() == states
    assert detect_california_7(up, np.full(7, 0.3)).max() == CLEAR


def test_after_a_compression_wave_nothing_begins_at_once() -> None:
    up = np.array([0.1, 0.1, 0.1, 0.5, 0.5, 0.5])
    down = np.array([0.1, 0.1, 0.3, 0.12, 0.12, 0.12])
    assert detect_california_7(up, down).tolist() == [0, 0, 0, 1, 2, 3]
    assert detect_california_8(up, down).tolist() == [0, 0, 0, 0, 1, 2]


def test_cusum_alarms_without_a_shift_at_the_stated_rate() -> None:
    by = Cusum(slack=0.5, threshold=4.0, largest=9.0)
    residuals = np.random.default_rng(11).normal(size=(5000, 200))
    told, _ = detect_cusum(residuals, by)
    first = np.where(told.any(axis=0), told.argmax(axis=0) + 1.0, 5000.0)
    # Run lengths are nearly exponential, so the mean of 200 has a spread of 7 %; Siegmund's formula is good to 5 %.
    assert by.false_alarm_every == pytest.approx(first.mean(), rel=0.25)
    assert Cusum().false_alarm_every > 365 * 288


@settings(max_examples=50)
@given(st.lists(st.floats(-20.0, 20.0), min_size=2, max_size=60), st.integers(1, 59))
def test_cusum_looks_back_only(values: list[float], cut: int) -> None:
    series = np.array(values)
    whole, sums = detect_cusum(series)
    part, _ = detect_cusum(series[:cut])
    assert np.array_equal(part, whole[:cut])
    assert np.all(sums >= 0.0)
    # A single wild reading raises nothing.
    assert not detect_cusum(np.array([1e9]))[0].any()


def test_a_profile_is_of_the_time_of_week_and_past_incidents_weigh_nothing() -> None:
    times = np.arange(0.0, 14 * 86_400.0, 900.0)
    course = 40.0 - 20.0 * ((times % 86_400.0) // 3600.0 == 8)
    course = np.where((times // 86_400 + 3) % 7 >= 5, 45.0, course)
    course[32:36] = 3.0
    profile = fit_profile(times, course, offset=0, least=0.5)
    assert profile is not None
    level, spread = profile.find_level(np.array([4 * 86_400.0 + 8.5 * 3600.0, 2 * 86_400.0 + 8.5 * 3600.0]))
    assert level.tolist() == [20.0, 45.0] and spread.tolist() == [0.5, 0.5]
    assert fit_profile(times[:10], course[:10], offset=0) is None
