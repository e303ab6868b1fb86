"""The stage of a tidal river in the coming days: harmonic tide plus what its residuals say, as quantiles.

What is left after the tide (upstream flood, wind, setup) fades; how fast, and how wrong that is in which state, is
learned from the record itself (``hydrology.stage_model``). A gauge whose record is too short for a tide stays as it is
(persistence), with the bands its own past changes have.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hydrology.parameters import ForecastParameters
from hydrology.predictors import HOUR, Moment, build_design, build_states
from hydrology.readings import check_readings, find_step, regrid, remove_spikes
from hydrology.residual import LEVELS, measure_size, solve_with
from hydrology.shifts import remove_shifts
from hydrology.stage_model import StageModel, fit_stage_model
from hydrology.tide import TideModel, predict_tide
from layers.errors import InputError

__all__ = ["LEVELS", "StageForecast", "forecast_stage", "issue_stage", "persist_stage"]

Floats = NDArray[np.float64]
Method = Literal["harmonic-residual", "harmonic", "persistence"]

_LONGEST = 60.0 * 86400.0
_FEWEST_PAIRS = 20
_MIDDLE = LEVELS.index(0.50)


@dataclass(frozen=True, slots=True, eq=False)
class StageForecast:
    """A forecast from ``issue_time`` on.

    times [s, UTC epoch] (n,); quantiles [m] (n, levels) at the probabilities LEVELS; stage, lower, upper, tide [m]
    (n,): the median, the 10–90 % band and the harmonic part (NaN where none was fitted). warning [m] (n,): the
    quantile to warn from, whose probability is warning_level (n,). residual_at_issue: last known stage minus tide [m],
    NaN where no reading is near. origin [s]: the newest reading used. method: "harmonic" where readings are too old
    for a residual, "persistence" where no tide was fitted. model: the tide used, None with persistence.
    """

    issue_time: float
    times: Floats
    quantiles: Floats
    stage: Floats
    lower: Floats
    upper: Floats
    tide: Floats
    warning: Floats
    warning_level: Floats
    residual_at_issue: float
    origin: float
    method: Method
    model: TideModel | None


def forecast_stage(
    times_s: NDArray[np.floating],
    stage_m: NDArray[np.floating],
    *,
    issue_time_s: float,
    horizon_s: float,
    step_s: float = 600.0,
    latitude_deg: float,
    parameters: ForecastParameters | None = None,
) -> StageForecast:
    """Forecast the stage of a gauge from its readings up to ``issue_time_s``: fit, then issue.

    times [s, UTC epoch] rising, stage [m] (n,), NaN allowed. The forecast has the times issue + step, issue + 2 step
    … up to ``horizon_s`` [s]. Later readings are not looked at. Raise InputError for a horizon that cannot be or a
    record too short for a tide (with the length needed).
    """
    _check_horizon(step_s, horizon_s)
    times, stage = check_readings(times_s, stage_m)
    past = times <= issue_time_s
    model = fit_stage_model(times[past], stage[past], latitude_deg, horizon_s=horizon_s, parameters=parameters)
    return issue_stage(model, times[past], stage[past], issue_time_s=issue_time_s, horizon_s=horizon_s, step_s=step_s)


def issue_stage(
    model: StageModel,
    times_s: NDArray[np.floating],
    stage_m: NDArray[np.floating],
    *,
    issue_time_s: float,
    horizon_s: float,
    step_s: float = 600.0,
) -> StageForecast:
    """Forecast with a model fitted before from the readings of (at least) the last three days.

    times [s, UTC epoch] rising, stage [m] (n,); later readings than ``issue_time_s`` are not looked at. Leads count
    from the newest reading, so that the bands of a gauge that has been silent for an hour are an hour older. Where it
    has been silent for longer than ``stale_limit`` the forecast is the tide with the residual's own spread.
    """
    _check_horizon(step_s, horizon_s)
    times, stage = check_readings(times_s, stage_m)
    chosen = model.parameters
    recent = (times <= issue_time_s) & (times > issue_time_s - 4.0 * 86400.0)
    times = times[recent]
    stage = remove_shifts(times, remove_spikes(stage[recent], chosen.spike_step), model.shifts)
    known = np.isfinite(stage)
    times, stage = times[known], stage[known]
    ahead = _list_times(issue_time_s, horizon_s, step_s)
    tide = predict_tide(model.tide, ahead)
    if times.size == 0 or issue_time_s - times[-1] > chosen.stale_limit:
        flat = np.tile(model.residual.climate, (ahead.size, 1))
        level = np.full(ahead.size, 0.75)
        warning = tide + np.interp(0.75, LEVELS, model.residual.climate)
        origin = float(times[-1]) if times.size else model.fitted_to
        return _assemble(
            issue_time_s, ahead, tide[:, None] + flat, tide, warning, level, np.nan, origin, "harmonic", model
        )
    residual = stage - predict_tide(model.tide, times)
    origin = float(times[-1])
    near = float(residual[-1]) if issue_time_s - origin <= chosen.gap_limit else np.nan
    knots, warned, probability = _predict_knots(model, times, residual, origin)
    leads = np.append(0.0, model.residual.leads)
    at = np.minimum(ahead - origin, leads[-1])
    spread = np.stack([np.interp(at, leads, knots[:, q]) for q in range(len(LEVELS))], axis=1)
    return _assemble(
        issue_time_s,
        ahead,
        tide[:, None] + spread,
        tide,
        tide + np.interp(at, leads, warned),
        np.interp(at, leads, probability),
        near,
        origin,
        "harmonic-residual",
        model,
    )


def persist_stage(
    times_s: NDArray[np.floating],
    stage_m: NDArray[np.floating],
    *,
    issue_time_s: float,
    horizon_s: float,
    step_s: float = 600.0,
) -> StageForecast:
    """Forecast that the stage stays as it is, with the quantiles of what it did over each lead in the record.

    times [s, UTC epoch] rising, stage [m] (n,). Beyond the leads the record has pairs for, the quantiles are those of
    the stage itself about its newest value, or of the longest lead known, whichever is wider. Raise InputError without
    any reading.
    """
    _check_horizon(step_s, horizon_s)
    times, stage = check_readings(times_s, stage_m)
    known = (times <= issue_time_s) & np.isfinite(stage)
    times, stage = times[known], stage[known]
    if times.size == 0:
        raise InputError("gauge has no reading to go on from, expected one at least", hint="load readings")
    step = find_step(times)
    grid = np.arange(np.ceil(times[0] / step) * step, times[-1] + 0.5 * step, step)
    level = regrid(times, stage, grid, 1.5 * step)
    ahead = _list_times(issue_time_s, horizon_s, step_s)
    last, whole = float(stage[-1]), np.quantile(stage, LEVELS) - stage[-1]
    whole[_MIDDLE] = 0.0
    lags = np.maximum(np.round((ahead - times[-1]) / step).astype(np.int64), 1)
    changes = np.zeros((ahead.size, len(LEVELS)))
    widest = np.where(np.asarray(LEVELS) < 0.5, np.minimum(whole, 0.0), np.maximum(whole, 0.0))
    for lag in np.unique(lags):
        moved = level[lag:] - level[: max(level.size - lag, 0)]
        moved = moved[np.isfinite(moved)]
        if moved.size >= _FEWEST_PAIRS:
            found = np.quantile(moved, LEVELS)
            found[_MIDDLE] = 0.0
            widest = np.where(np.asarray(LEVELS) < 0.5, np.minimum(found, 0.0), np.maximum(found, 0.0))
        changes[lags == lag] = widest
    quantiles = last + changes
    nothing = np.full(ahead.size, np.nan)
    warning = quantiles[:, LEVELS.index(0.75)]
    return _assemble(
        issue_time_s, ahead, quantiles, nothing, warning, np.full(ahead.size, 0.75), np.nan, float(times[-1]),
        "persistence", None,
    )  # fmt: skip


def _predict_knots(model: StageModel, times: Floats, residual: Floats, origin: float) -> tuple[Floats, Floats, Floats]:
    """Return quantiles (k + 1, levels), the one to warn from and its probability (k + 1,) of the residual [m].

    The first row is the present, which is known.
    """
    fitted = model.residual
    layout, step = fitted.layout, fitted.layout.step
    lags = regrid(times, residual, origin - layout.ages[::-1], max(model.parameters.gap_limit, step))[::-1]
    lags[0] = residual[-1]
    targets = origin + fitted.leads
    own = read_moment(model, origin - layout.ages[layout.acting])
    met = read_moment(model, targets)
    count = fitted.leads.size
    rows = np.tile(lags, (count, 1))
    acting = Moment(np.tile(own.tide, (count, 1)), np.tile(own.rate, (count, 1)))
    design = build_design(layout, rows, acting, met)
    there = np.isfinite(design[0])
    design = np.where(np.isfinite(design), design, 0.0)
    filled = np.interp(layout.ages, layout.ages[np.isfinite(lags)], lags[np.isfinite(lags)])
    states = build_states(layout, np.tile(filled, (count, 1)), met)
    quantiles, warned = np.full((count + 1, len(LEVELS)), lags[0]), np.full(count + 1, lags[0])
    whole = bool(there[fitted.columns].all())
    for k in range(count):
        weights, wider = (fitted.weights[k], 1.0) if whole else solve_with(fitted, k, there)
        expected = float(design[k] @ weights)
        size = wider * float(measure_size(fitted.spread[k], fitted.spread_limits[k], states[k : k + 1])[0])
        quantiles[k + 1] = expected + size * fitted.scaled[k]
        warned[k + 1] = expected + size * fitted.warning[k]
    return quantiles, warned, np.append(fitted.warning_level[:1], fitted.warning_level)


def read_moment(model: StageModel, times: Floats) -> Moment:
    """Return tide and rate, scaled as the model's, at ``times`` [s] (n,); the rate over one step on either side."""
    step = model.residual.layout.step
    around = predict_tide(model.tide, np.concatenate([times - step, times, times + step])).reshape(3, -1)
    rate = (around[2] - around[0]) / (2.0 * step) * HOUR
    return Moment((around[1] - model.tide.mean) / model.tide_scale, rate / model.rate_scale)


def _assemble(
    issue_time: float,
    times: Floats,
    quantiles: Floats,
    tide: Floats,
    warning: Floats,
    warning_level: Floats,
    near: float,
    origin: float,
    method: Method,
    model: StageModel | None,
) -> StageForecast:
    chosen = ForecastParameters() if model is None else model.parameters
    lower, upper = (
        np.array([np.interp(probability, LEVELS, row) for row in quantiles])
        for probability in (chosen.lower, chosen.upper)
    )
    return StageForecast(
        issue_time, times, quantiles, quantiles[:, _MIDDLE].copy(), lower, upper, tide, warning, warning_level, near,
        origin, method, None if model is None else model.tide,
    )  # fmt: skip


def _list_times(issue_time_s: float, horizon_s: float, step_s: float) -> Floats:
    return np.asarray(issue_time_s + step_s * np.arange(1, int(horizon_s // step_s) + 1), dtype=np.float64)


def _check_horizon(step_s: float, horizon_s: float) -> None:
    if not (0.0 < step_s <= horizon_s <= _LONGEST):
        raise InputError(f"forecast step {step_s:g} s and horizon {horizon_s:g} s, expected step <= horizon <= 60 days")
