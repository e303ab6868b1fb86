"""Tide and stage forecast: a made-up tide is found again, a real gauge is forecast better than by persistence."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hydrology.forecast import forecast_stage, remove_spikes
from hydrology.tide import fit_tide, predict_tide
from hydrology.verification import compute_bias, compute_nse, compute_rmse
from layers.errors import InputError

Array = NDArray[np.float64]
DAY = 86400.0


def read_noos(path: Path) -> tuple[Array, Array]:
    """Return times [s, UTC epoch] and stages [m] of a NOOS series."""
    lines = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
    times = [datetime.strptime(moment, "%Y%m%d%H%M").replace(tzinfo=UTC).timestamp() for moment, _ in lines]
    return np.array(times), np.array([float(stage) for _, stage in lines])


def make_tide(times: Array) -> Array:
    # Speeds of M2, S2, K1, O1 in degrees an hour: Schureman 1958, table 2.
    hours = times / 3600.0
    parts = ((0.7, 28.9841042), (0.3, 30.0), (0.5, 15.0410686), (0.4, 13.9430356))
    return np.asarray(0.4 + sum(a * np.cos(np.radians(speed * hours) + a) for a, speed in parts))


def test_a_tide_with_gaps_is_found_again() -> None:
    times = 1.7e9 + np.arange(0.0, 60 * DAY, 1800.0)
    stage = make_tide(times)
    stage[300:400] = np.nan
    keep = np.arange(times.size) % 7 != 3
    model = fit_tide(times[keep], stage[keep], 10.03)
    ahead = times[-1] + np.arange(0.0, 5 * DAY, 1800.0)
    assert compute_rmse(predict_tide(model, ahead), make_tide(ahead)) < 0.03
    assert {"M2", "S2", "K1", "O1"} <= set(model.constituents)


def test_a_short_or_disordered_record_is_refused() -> None:
    times = 1.7e9 + np.arange(0.0, 10 * DAY, 3600.0)
    with pytest.raises(InputError, match=r"over 10.0 days, expected at least 200 over 14.8 days"):
        fit_tide(times, make_tide(times), 10.0)
    with pytest.raises(InputError, match="times do not rise"):
        fit_tide(times[::-1], make_tide(times), 10.0)


def test_spikes_are_removed_and_nothing_else() -> None:
    stage = make_tide(np.arange(0.0, 3 * DAY, 600.0))
    stage[[50, 200]] += 3.0
    cleaned = remove_spikes(stage)
    assert np.flatnonzero(np.isnan(cleaned)).tolist() == [50, 200]


def test_later_readings_are_not_looked_at() -> None:
    times = 1.7e9 + np.arange(0.0, 30 * DAY, 1800.0)
    stage = make_tide(times) + 0.1 * np.random.default_rng(0).standard_normal(times.size)
    issue = times[-1] - 2 * DAY
    spoiled = np.where(times > issue, 99.0, stage)
    a, b = (
        forecast_stage(times, s, issue_time_s=issue, horizon_s=DAY, step_s=3600.0, latitude_deg=10.0)
        for s in (stage, spoiled)
    )
    assert np.array_equal(a.stage, b.stage)
    assert (a.lower <= a.stage).all()
    assert (a.stage <= a.upper).all()
    assert a.times[0] == issue + 3600.0
    assert a.times[-1] == issue + DAY


def test_vlissingen_is_forecast_better_than_by_persistence(shared: Callable[[str], Path]) -> None:
    times, stage = read_noos(shared("tide-gauge/VLISSGN_waterlevel_20180101_20180401.noos"))
    issue = times[-1] - 2 * DAY
    forecast = forecast_stage(times, stage, issue_time_s=issue, horizon_s=2 * DAY, latitude_deg=51.44)
    measured = np.interp(forecast.times, times, stage)
    rmse, bias = compute_rmse(forecast.stage, measured), compute_bias(forecast.stage, measured)
    print(f"Vlissingen 48 h: RMSE {rmse:.3f} m, bias {bias:+.3f} m")
    assert rmse < 0.3
    assert abs(bias) < 0.15
    assert rmse < 0.5 * compute_rmse(np.full_like(measured, stage[times <= issue][-1]), measured)
    assert compute_nse(forecast.stage, measured) > 0.95
    inside = (measured >= forecast.lower) & (measured <= forecast.upper)
    assert 0.6 < inside.mean() < 1.0
