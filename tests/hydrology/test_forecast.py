"""Tide and stage forecast on made-up water: a tide is found again, a residual of known memory is forecast as well as
it can be, gaps, moved gauges and short records are borne."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hydrology.forecast import StageForecast, forecast_stage, issue_stage, persist_stage
from hydrology.readings import remove_spikes
from hydrology.shifts import find_shifts
from hydrology.skill import hindcast_stage, score_hindcast
from hydrology.stage_model import StageModel, fit_stage_model
from hydrology.tide import fit_tide, predict_tide
from hydrology.verification import compute_bias, compute_rmse
from layers.errors import InputError

Array = NDArray[np.float64]
DAY = 86400.0
START = 1_699_999_200.0


def make_tide(times: Array) -> Array:
    # Speeds of M2, S2, K1, O1 in degrees an hour: Schureman 1958, table 2.
    hours = times / 3600.0
    parts = ((0.7, 28.9841042), (0.3, 30.0), (0.5, 15.0410686), (0.4, 13.9430356))
    return np.asarray(0.4 + sum(a * np.cos(np.radians(speed * hours) + a) for a, speed in parts))


def test_a_tide_with_gaps_is_found_again() -> None:
    times = START + np.arange(0.0, 60 * DAY, 1800.0)
    stage = make_tide(times)
    stage[300:400] = np.nan
    keep = np.arange(times.size) % 7 != 3
    model = fit_tide(times[keep], stage[keep], 10.03)
    ahead = times[-1] + np.arange(0.0, 5 * DAY, 1800.0)
    assert compute_rmse(predict_tide(model, ahead), make_tide(ahead)) < 0.03
    assert {"M2", "S2", "K1", "O1"} <= set(model.constituents)


def test_a_short_or_disordered_record_is_refused() -> None:
    times = START + np.arange(0.0, 10 * DAY, 3600.0)
    with pytest.raises(InputError, match=r"over 10.0 days, expected at least 200 over 14.8 days"):
        fit_tide(times, make_tide(times), 10.0)
    with pytest.raises(InputError, match=r"reads 1\.2 m all the time"):
        fit_stage_model(times, np.full(times.size, 1.2), 10.0)
    with pytest.raises(InputError, match="times do not rise"):
        fit_tide(times[::-1], make_tide(times), 10.0)


def test_spikes_are_removed_and_nothing_else() -> None:
    stage = make_tide(np.arange(0.0, 3 * DAY, 600.0))
    stage[[50, 200]] += 3.0
    cleaned = remove_spikes(stage)
    assert np.flatnonzero(np.isnan(cleaned)).tolist() == [50, 200]


def test_later_readings_are_not_looked_at() -> None:
    times = START + np.arange(0.0, 30 * DAY, 1800.0)
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


def test_hourly_readings_of_a_large_tide_are_no_spikes() -> None:
    stage = 2.5 * make_tide(np.arange(0.0, 60 * DAY, 3600.0))
    assert np.isfinite(remove_spikes(stage)).all()


def make_surge(count: int, step: float, memory_s: float, seed: int) -> Array:
    """Return a first-order autoregressive residual with a deviation of 10 cm."""
    keep = np.exp(-step / memory_s)
    noise = 0.1 * np.sqrt(1.0 - keep**2) * np.random.default_rng(seed).standard_normal(count)
    surge = np.zeros(count)
    for k in range(1, count):
        surge[k] = keep * surge[k - 1] + noise[k]
    return surge


def test_an_autoregressive_residual_is_forecast_as_well_as_it_can_be() -> None:
    times = START + np.arange(0.0, 150 * DAY, 3600.0)
    stage = make_tide(times) + make_surge(times.size, 3600.0, 20 * 3600.0, 1)
    half = 90 * 24
    model = fit_stage_model(times[:half], stage[:half], 10.0, horizon_s=DAY)
    for told in hindcast_stage(model, times[half - 60 :], stage[half - 60 :], [3600.0, 6 * 3600.0, DAY]):
        score = score_hindcast(told, 9.9)
        best = 0.1 * np.sqrt(1.0 - np.exp(-2.0 * told.lead / (20 * 3600.0)))
        assert score.rmse < 1.15 * best
        assert score.rmse < score.rmse_persistence
        # 1400 hours of errors that last some ten hours: a standard deviation of about 4 %.
        assert score.inside == pytest.approx(0.8, abs=0.12)


def test_issuing_is_what_the_hindcast_says(fitted: tuple[StageModel, Array, Array]) -> None:
    model, times, stage = fitted
    told = hindcast_stage(model, times, stage, [3 * 3600.0])[0]
    place = told.issue_times.size // 2
    issue = float(told.issue_times[place])
    forecast = issue_stage(model, times, stage, issue_time_s=issue, horizon_s=6 * 3600.0, step_s=3600.0)
    np.testing.assert_allclose(forecast.quantiles[2], told.quantiles[place], atol=1e-6)
    np.testing.assert_allclose(forecast.warning[2], told.warning[place], atol=1e-6)
    assert (np.diff(forecast.quantiles, axis=1) >= 0.0).all()


@pytest.fixture(scope="module")
def fitted() -> tuple[StageModel, Array, Array]:
    """A model of sixty days of half-hourly readings with a surge, and the record it was fitted to."""
    times = START + np.arange(0.0, 60 * DAY, 1800.0)
    stage = make_tide(times) + make_surge(times.size, 1800.0, 20 * 3600.0, 2)
    return fit_stage_model(times, stage, 10.0, horizon_s=DAY), times, stage


def test_gaps_in_the_last_days_widen_the_band_and_long_silence_leaves_the_tide(
    fitted: tuple[StageModel, Array, Array],
) -> None:
    model, times, stage = fitted
    issue = float(times[-1])

    def issue_without(silent_from: float, silent_to: float) -> StageForecast:
        kept = (times <= issue - silent_to) | (times > issue - silent_from)
        return issue_stage(model, times[kept], stage[kept], issue_time_s=issue, horizon_s=DAY)

    whole = issue_without(0.0, 0.0)
    holed = issue_without(2 * 3600.0, 9 * 3600.0)
    assert np.isfinite(holed.quantiles).all()
    assert np.abs(holed.stage - whole.stage).max() < 0.1
    silent = issue_without(-1.0, 5 * 3600.0)
    assert np.isnan(silent.residual_at_issue) and silent.origin <= issue - 5 * 3600.0
    assert (silent.upper - silent.lower)[5] > 1.5 * (whole.upper - whole.lower)[5]
    dead = issue_without(-1.0, 2 * DAY)
    assert dead.method == "harmonic"
    spread = dead.quantiles - dead.tide[:, None]
    np.testing.assert_allclose(spread, np.tile(spread[0], (spread.shape[0], 1)), atol=1e-9)


def test_a_moved_gauge_is_noticed_and_a_surge_is_not() -> None:
    times = START + np.arange(0.0, 60 * DAY, 3600.0)
    surge = make_surge(times.size, 3600.0, 30 * 3600.0, 4)
    storm = 1.2 * np.exp(-(((times - times[0] - 20 * DAY) / (0.5 * DAY)) ** 2))
    assert find_shifts(times, surge + storm, least=0.1) == ()
    moved = surge + storm + np.where(times >= times[0] + 40 * DAY, -0.7, 0.0)
    (shift,) = find_shifts(times, moved, least=0.1)
    assert abs(shift.time - (times[0] + 40 * DAY)) <= 3600.0
    assert shift.height == pytest.approx(-0.7, abs=0.15)

    plain = fit_stage_model(times, make_tide(times) + surge, 10.0, horizon_s=DAY)
    shifted = make_tide(times) + surge + np.where(times >= times[0] + 40 * DAY, -0.7, 0.0)
    model = fit_stage_model(times, shifted, 10.0, horizon_s=DAY)
    assert plain.shifts == () and len(model.shifts) == 1
    ahead = times[-1] + np.arange(0.0, 3 * DAY, 3600.0)
    # The new datum is that of the newest readings: what is forecast stands 70 cm lower.
    assert compute_bias(predict_tide(model.tide, ahead), predict_tide(plain.tide, ahead)) == pytest.approx(
        -0.7, abs=0.15
    )


def test_a_short_record_persists_with_the_bands_of_its_changes() -> None:
    times = START + np.arange(0.0, 5 * DAY, 600.0)
    stage = make_tide(times)
    forecast = persist_stage(times, stage, issue_time_s=float(times[-1]), horizon_s=2 * DAY)
    assert forecast.method == "persistence" and forecast.model is None
    assert (forecast.stage == stage[-1]).all()
    assert (np.diff(forecast.quantiles, axis=1) >= 0.0).all()
    one = persist_stage(times[:1], stage[:1], issue_time_s=float(times[0]), horizon_s=DAY)
    assert np.isfinite(one.quantiles).all()
    times = START + np.arange(0.0, 30 * DAY, 3600.0)
    stage, inside = make_tide(times), []
    for issue in times[-15 * 24 :: 37]:
        told = persist_stage(times, stage, issue_time_s=float(issue), horizon_s=DAY, step_s=3600.0)
        later = make_tide(told.times)
        inside.append(((later >= told.lower) & (later <= told.upper)).mean())
    # Ten times of spring and neap: eight of ten hours lie in the band, more or less.
    assert np.mean(inside) == pytest.approx(0.8, abs=0.1)
    with pytest.raises(InputError, match="no reading"):
        persist_stage(times[:0], stage[:0], issue_time_s=0.0, horizon_s=DAY)
