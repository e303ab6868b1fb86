"""The stage of a tidal river in the coming days: harmonic tide plus what the last residuals say.

What is left after the tide (upstream flood, wind, setup) fades; how fast, and how wrong that is, is learned from the
record itself, one regression for each lead time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from hydrology.parameters import ForecastParameters
from hydrology.tide import TideModel, fit_tide, predict_tide
from layers.errors import InputError

_FEWEST_PAIRS = 100


@dataclass(frozen=True, slots=True, eq=False)
class StageForecast:
    """A forecast from ``issue_time`` on.

    times [s, UTC epoch]; stage, lower, upper, tide [m], all (n,): the best guess, the 10–90 % band and the harmonic
    part. residual_at_issue: last known stage minus tide [m], NaN where no reading is near. model: the tide used.
    """

    issue_time: float
    times: NDArray[np.float64]
    stage: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    tide: NDArray[np.float64]
    residual_at_issue: float
    model: TideModel


def remove_spikes(stage_m: NDArray[np.floating], limit: float = 8.0) -> NDArray[np.float64]:
    """Return the stages [m] (n,) with readings far from the median of their neighbours set to NaN.

    Far is more than ``limit`` robust deviations (1.4826 × the median absolute deviation of the whole record, at least
    2 cm) [1]; the window is five readings.
    """
    stage = np.asarray(stage_m, dtype=np.float64).copy()
    known = np.flatnonzero(np.isfinite(stage))
    if known.size < 5:
        return stage
    away = np.abs(stage[known] - median_filter(stage[known], size=5, mode="nearest"))
    scale = max(1.4826 * float(np.median(away)), 0.02)
    stage[known[away > limit * scale]] = np.nan
    return stage


def _regrid(
    times: NDArray[np.float64], stage: NDArray[np.float64], grid: NDArray[np.float64], gap: float
) -> NDArray[np.float64]:
    """Return the stages on ``grid`` [s], linear between readings at most ``gap`` [s] apart, else NaN."""
    values = np.interp(grid, times, stage, left=np.nan, right=np.nan)
    after = np.clip(np.searchsorted(times, grid, side="left"), 1, times.size - 1)
    exact = times[np.clip(np.searchsorted(times, grid), 0, times.size - 1)] == grid
    bridged = times[after] - times[after - 1] <= gap
    return np.where(exact | bridged, values, np.nan)


def _learn_lead(
    residual: NDArray[np.float64],
    now: NDArray[np.float64],
    lags: NDArray[np.int64],
    lead: int,
    probabilities: tuple[float, float],
) -> tuple[float, float, float]:
    """Return the expected residual ``lead`` steps ahead and its band, regressed on the residuals ``lags`` old."""
    deepest = int(lags.max()) if lags.size else 0
    base = np.arange(deepest, residual.size - lead)
    target = residual[base + lead]
    design = np.stack([residual[base - lag] for lag in lags] + [np.ones(base.size)], axis=1)
    rows = np.isfinite(target) & np.isfinite(design).all(axis=1)
    if lags.size == 0 or rows.sum() < _FEWEST_PAIRS:
        known = residual[np.isfinite(residual)]
        return 0.0, float(np.quantile(known, probabilities[0])), float(np.quantile(known, probabilities[1]))
    x, y = design[rows], target[rows]
    # A little ridge keeps nearly equal neighbours from taking large opposite weights in a short record.
    gram = x.T @ x + 1.0e-3 * rows.sum() * float(np.var(y) + 1.0e-12) * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ y)
    expected = float(now @ weights[:-1] + weights[-1])
    low, high = np.quantile(y - x @ weights, probabilities)
    return expected, expected + float(min(low, 0.0)), expected + float(max(high, 0.0))


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
    """Forecast the stage of a gauge from its readings up to ``issue_time_s``.

    times [s, UTC epoch] rising, stage [m] (n,), NaN allowed. The forecast has the times issue + step, issue + 2 step
    … up to ``horizon_s`` [s]. Later readings are not looked at. Raise InputError for a horizon that cannot be or a
    record too short for a tide (with the length needed).
    """
    chosen = parameters or ForecastParameters()
    if not (0.0 < step_s <= horizon_s <= 60.0 * 86400.0):
        raise InputError(f"forecast step {step_s:g} s and horizon {horizon_s:g} s, expected step <= horizon <= 60 days")
    times, stage = np.asarray(times_s, dtype=np.float64), np.asarray(stage_m, dtype=np.float64)
    if times.ndim != 1 or times.shape != stage.shape:
        raise InputError(f"readings: times {times.shape} and stages {stage.shape} differ, expected two (n,) arrays")
    past = (times <= issue_time_s) & (times > issue_time_s - chosen.fit_span)
    times, stage = times[past], remove_spikes(stage[past], chosen.spike_step)
    model = fit_tide(times, stage, latitude_deg)

    known = np.isfinite(stage)
    times, stage = times[known], stage[known]
    span = min(chosen.residual_span, issue_time_s - times[0])
    grid = np.asarray(issue_time_s - step_s * np.arange(int(span // step_s), -1, -1), dtype=np.float64)
    level = _regrid(times, stage, grid, max(chosen.gap_limit, step_s))
    if issue_time_s - times[-1] <= chosen.gap_limit:
        # The newest reading is a few minutes old: its residual stands for the present.
        fresh = float(stage[-1] - predict_tide(model, times[-1:])[0])
    else:
        fresh = np.nan
    residual = level - predict_tide(model, grid)
    residual[-1] = fresh if np.isnan(residual[-1]) else residual[-1]

    lags = np.array([round(age / step_s) for age in chosen.residual_lags if age <= span], dtype=np.int64)
    lags = np.unique(lags[np.isfinite(residual[residual.size - 1 - lags])])
    now = residual[residual.size - 1 - lags]
    leads = np.arange(1, int(horizon_s // step_s) + 1)
    ahead = np.asarray(issue_time_s + step_s * leads, dtype=np.float64)
    bands = np.array([_learn_lead(residual, now, lags, int(lead), (chosen.lower, chosen.upper)) for lead in leads])
    tide = predict_tide(model, ahead)
    return StageForecast(
        issue_time_s, ahead, tide + bands[:, 0], tide + bands[:, 1], tide + bands[:, 2], tide, fresh, model
    )
