"""Counts: GEH by hand, hours and days of made-up counters whose flow is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError
from network.counts import (
    DAY,
    HOUR,
    compute_geh,
    compute_profile,
    estimate_daily_traffic,
    find_peak,
    gather_hours,
    judge_counts,
    share_fitting,
)

FLOWS = st.floats(0.0, 1e5)
MONDAY = 1_793_577_600.0  # 2026-11-02T00:00Z
STEP = 300.0
ZONE = 7 * HOUR


def count(days: int, course: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return readings every five minutes of a course by the hour of the local clock."""
    times = MONDAY - ZONE + STEP * np.arange(1, days * 288 + 1)
    return times, course[((times - STEP / 2 + ZONE) % DAY // HOUR).astype(int)]


@given(FLOWS, FLOWS)
def test_geh_is_symmetric_and_zero_for_equal_flows(one: float, other: float) -> None:
    assert compute_geh(one, other) == compute_geh(other, one)
    assert compute_geh(one, one) == 0.0
    assert compute_geh(one, other) >= 0.0


def test_geh_by_hand() -> None:
    # sqrt(2 * 100^2 / 2100)
    assert compute_geh(1100.0, 1000.0) == pytest.approx(3.0861, abs=1e-4)
    assert share_fitting([1.0, 4.9, 5.0, 9.0, np.nan]) == 0.5
    with pytest.raises(InputError, match="negative"):
        compute_geh(-1.0, 5.0)


def test_hours_are_the_means_of_their_readings_and_thin_ones_are_left_out() -> None:
    times, rates = count(1, 100.0 * np.arange(24.0))
    hours = gather_hours(times, rates, STEP)
    assert np.allclose(hours.flows, 100.0 * np.arange(24.0))
    thin = gather_hours(np.delete(times, np.arange(12, 16)), np.delete(rates, np.arange(12, 16)), STEP)
    assert np.isnan(thin.flows[1]) and thin.flows[2] == 200.0
    assert gather_hours([], [], STEP).flows.size == 0


def test_daily_traffic_weighs_weekdays_equally() -> None:
    # Eight days, two of them Mondays of twice the traffic: the mean of means is not the mean of days.
    times, rates = count(8, np.full(24, 100.0))
    rates = np.where(((times - STEP / 2 + ZONE) // DAY + 3) % 7 < 1, 200.0, rates)
    found = estimate_daily_traffic(gather_hours(times, rates, STEP), ZONE)
    assert (found.days, found.weekdays) == (8, 7)
    assert found.flow == pytest.approx(24.0 * (200.0 + 6 * 100.0) / 7)
    assert np.isnan(estimate_daily_traffic(gather_hours(times[:100], rates[:100], STEP), ZONE).flow)


def test_the_peak_hour_and_its_factor() -> None:
    course = np.full(24, 200.0)
    course[17] = 1000.0
    times, rates = count(5, course)
    quarter = (times - STEP / 2) % HOUR // 900
    busy = np.where((rates == 1000.0) & (quarter == 1), 1600.0, np.where(rates == 1000.0, 800.0, rates))
    peak = find_peak(times, busy, STEP, ZONE)
    assert peak is not None and (peak.hour, peak.flow) == (17, 1000.0)
    assert peak.factor == pytest.approx(4000.0 / (4 * 1600.0))
    assert find_peak([], [], STEP, ZONE) is None
    assert compute_profile(gather_hours(times, busy, STEP), ZONE)[0, 17] == 1000.0


def test_a_counter_that_hangs_or_is_silent_is_not_good() -> None:
    chance = np.random.default_rng(3)
    times, rates = count(2, np.full(24, 500.0))
    rates = chance.poisson(rates).astype(float)
    start, end = times[0] - STEP, times[-1]
    assert judge_counts(times, rates, STEP, start, end).is_good
    hanging = np.where(np.arange(rates.size) < 100, 480.0, rates)
    assert judge_counts(times, hanging, STEP, start, end).stuck == pytest.approx(100 / rates.size)
    assert not judge_counts(times, hanging, STEP, start, end).is_good
    silent = judge_counts(times[:200], rates[:200], STEP, start, end)
    assert silent.cover == pytest.approx(200 / 576) and not silent.is_good
