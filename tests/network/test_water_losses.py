"""The water balance of the IWA adds up; night flow, unavoidable losses and bands are those of the literature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError
from network.water_losses import (
    WaterUse,
    balance_water,
    estimate_unavoidable,
    find_night_flow,
    grade_leakage,
    is_fitted,
    measure_night_day,
)

SHARES = st.floats(0.0, 0.2)


@given(st.floats(0.0, 1e6), st.floats(0.0, 1e6), st.floats(0.0, 1e5), st.floats(0.0, 1e5), SHARES, SHARES, SHARES)
def test_the_parts_make_the_whole(
    given_in: float, metered: float, unmetered: float, unbilled: float, share: float, error: float, data: float
) -> None:
    use = WaterUse(given_in, metered, unmetered, unbilled, share, share / 5.0, error, data)
    balance = balance_water(use)
    close = pytest.approx(given_in, rel=1e-9, abs=1e-6)
    assert balance.authorised + balance.water_losses == close
    assert balance.billed_authorised + balance.non_revenue_water == close
    assert balance.apparent_losses >= 0.0


def test_a_balance_by_hand() -> None:
    balance = balance_water(WaterUse(1000.0, 686.0, 14.0, 0.0, 0.0125, 0.0025, 0.02, 0.0))
    assert balance.metering_inaccuracies == pytest.approx(14.0), "meters that miss 2 % of 700 read 686"
    assert balance.unbilled_authorised == pytest.approx(12.5)
    assert balance.real_losses == pytest.approx(1000.0 - 700.0 - 12.5 - 2.5 - 14.0)
    assert balance.non_revenue_share == pytest.approx(0.3)
    with pytest.raises(InputError, match="billed_metered is -1"):
        balance_water(WaterUse(1.0, -1.0))


def test_unavoidable_losses_are_those_of_lambert() -> None:
    # Lambert et al. (1999): 18 l/km/d/m of mains, 0.8 l/connection/d/m, 25 l/km/d/m of private pipe.
    assert estimate_unavoidable(mains_km=1.0, connections=0, private_km=0.0, pressure=50.0) == pytest.approx(0.9)
    # 50 connections a km at the edge of the street and 50 m of pressure: 58 l/connection/d.
    each = estimate_unavoidable(mains_km=1.0, connections=50, private_km=0.0, pressure=50.0) / 50.0
    assert 1000.0 * each == pytest.approx(58.0)
    assert is_fitted(mains_km=100.0, connections=2000, pressure=30.0)
    assert not is_fitted(mains_km=10.0, connections=500, pressure=30.0)
    assert not is_fitted(mains_km=1000.0, connections=50_000, pressure=20.0)


@pytest.mark.parametrize(
    ("index", "group", "band"),
    [(1.0, "developed", "A1"), (1.5, "developed", "A2"), (3.0, "developed", "B"), (7.9, "developed", "C"),
     (8.0, "developed", "D"), (3.0, "developing", "A2"), (16.0, "developing", "D"), (np.nan, "developed", "unknown"),
     (-0.4, "developed", "A1")],
)  # fmt: skip
def test_bands(index: float, group: str, band: str) -> None:
    assert grade_leakage(index, group) == band


@given(st.integers(-12, 14), st.integers(1, 20))
def test_night_flow_is_the_least_of_the_local_night(offset: int, days: int) -> None:
    times = 1_700_000_000 // 86_400 * 86_400 + 3600.0 * np.arange(24 * days) - 3600.0 * offset
    hour = np.arange(24 * days) % 24
    flow = 10.0 + np.abs(hour - 3.0)
    # The day is lower still: it is no night.
    flow[hour == 12] = 1.0
    nights = find_night_flow(times, flow, offset_s=3600.0 * offset)
    assert nights.tolist() == [10.0] * days


def test_a_night_without_reading_is_left_out() -> None:
    assert find_night_flow(np.array([12 * 3600.0]), np.array([1.0]), offset_s=0.0).size == 0
    assert find_night_flow(np.array([7200.0, 10800.0]), np.array([np.nan, 4.0]), offset_s=0.0).tolist() == [4.0]


def test_a_day_of_leakage_is_shorter_where_pressure_falls_by_day() -> None:
    steady = np.full(24, 30.0)
    assert measure_night_day(steady, night=slice(2, 4), exponent=1.5) == pytest.approx(24.0)
    falling = np.where(np.arange(24) < 6, 30.0, 15.0)
    assert measure_night_day(falling, night=slice(2, 4), exponent=1.0) == pytest.approx(6 + 18 / 2)
    assert measure_night_day(falling, night=slice(2, 4), exponent=0.5) == pytest.approx(6 + 18 * 0.5**0.5)
    with pytest.raises(InputError, match="24 hours"):
        measure_night_day(np.ones(3), night=slice(2, 4), exponent=1.0)
