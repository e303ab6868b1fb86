"""A gauge's tide and the way its residual goes on, learned from its record; fitted once a day, used all day."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from hydrology.parameters import ForecastParameters
from hydrology.predictors import HOUR
from hydrology.readings import check_readings, find_step, regrid, remove_spikes
from hydrology.residual import Past, ResidualModel, fit_residual, list_leads
from hydrology.shifts import Shift, find_shifts, remove_shifts
from hydrology.tide import NEEDED_SPAN, TideModel, fit_tide, predict_tide
from layers.errors import InputError

Floats = NDArray[np.float64]

HIGH_SHARE = 0.99
"""The level from which a stage counts as high exceeds this share of the record's high waters [1]."""

_TIDE_STEP, _MANY, _ENOUGH = 3600.0, 10_000, 400
_LONG = 365.25 * 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class StageModel:
    """tide; residual; the shifts of the datum that were taken out; scales of tide and rate [m], [m/h].

    high_level [m]: exceeded by one in a hundred high waters. mean [m]: of the record. fitted_from, fitted_to [s]:
    the readings used. parameters: those it was fitted with.
    """

    tide: TideModel
    residual: ResidualModel
    shifts: tuple[Shift, ...]
    tide_scale: float
    rate_scale: float
    high_level: float
    mean: float
    fitted_from: float
    fitted_to: float
    parameters: ForecastParameters


def fit_stage_model(
    times_s: NDArray[np.floating],
    stage_m: NDArray[np.floating],
    latitude_deg: float,
    *,
    horizon_s: float = 72.0 * HOUR,
    parameters: ForecastParameters | None = None,
) -> StageModel:
    """Fit tide and residual to a record.

    times [s, UTC epoch] rising, stage [m] (n,), NaN allowed; at most the last ``fit_span`` is used. The residual has
    regressions for leads up to ``horizon_s`` [s]. Raise InputError for a record too short or too broken, with what is
    needed.
    """
    chosen = parameters or ForecastParameters()
    times, stage = check_readings(times_s, stage_m)
    kept = times > (times[-1] if times.size else 0.0) - chosen.fit_span
    times, stage = times[kept], remove_spikes(stage[kept], chosen.spike_step)
    known = np.isfinite(stage)
    times, stage = times[known], stage[known]
    if stage.size and np.ptp(stage) == 0.0:
        raise InputError(f"gauge reads {stage[0]:g} m all the time, expected a stage that changes")
    tide = _fit_tide(times, stage, latitude_deg)
    step = find_step(times)
    grid = np.arange(np.ceil(times[0] / step) * step, times[-1] + 0.5 * step, step)
    leads = list_leads(step, horizon_s)
    reach = round(leads[-1] / step) + 1
    ahead = np.append(grid, grid[-1] + step * np.arange(1, reach + 1))
    level = regrid(times, stage, grid, max(chosen.gap_limit, step))
    shifts = find_shifts(grid, level - predict_tide(tide, grid), least=chosen.shift_least)
    if shifts:
        stage, level = remove_shifts(times, stage, shifts), remove_shifts(grid, level, shifts)
        tide = _fit_tide(times, stage, latitude_deg)
    astronomical = predict_tide(tide, ahead)
    rate = np.gradient(astronomical) * HOUR / step
    scale, rate_scale = max(float(np.std(astronomical)), 0.01), max(float(np.std(rate)), 0.01)
    high_level = find_high_level(level, step)
    high = np.append(level, np.full(reach, np.nan)) - high_level
    past = Past(
        level - _predict_left_out(tide, times, stage, grid, chosen.blocks, astronomical[: grid.size]),
        (astronomical - tide.mean) / scale,
        rate / rate_scale,
        float(grid[0]),
        step,
    )
    residual = fit_residual(
        past, leads, high, blocks=chosen.blocks, most_rows=chosen.most_rows, detection=chosen.detection
    )
    return StageModel(
        tide, residual, shifts, scale, rate_scale, high_level, float(np.nanmean(stage)), float(times[0]),
        float(times[-1]), chosen,
    )  # fmt: skip


def find_high_level(stage_m: Floats, step_s: float) -> float:
    """Return the stage [m] that one in a hundred of the record's high waters exceeds.

    stage [m] (n,) on an even grid of ``step_s`` [s]; a high water is the highest of the eight hours around it.
    """
    filled = np.where(np.isfinite(stage_m), stage_m, -np.inf)
    width = 2 * round(4.0 * HOUR / step_s) + 1
    peaks = filled[(filled == maximum_filter1d(filled, width)) & np.isfinite(filled)]
    return float(np.quantile(peaks, HIGH_SHARE))


def _predict_left_out(
    tide: TideModel, times: Floats, stage: Floats, grid: Floats, blocks: int, astronomical: Floats
) -> Floats:
    """Return the tide [m] on ``grid`` (n,), each block's from a fit to the others where the record is short.

    A tide of dozens of constituents bends a short record's weather into itself: its own residuals are smaller than
    those it will leave in the days to come, and bands learned from them too narrow.
    """
    if grid[-1] - grid[0] >= _LONG:
        return astronomical
    edges = np.linspace(grid[0], grid[-1] + 1.0, blocks + 1)
    told = astronomical.copy()
    for first, last in pairwise(edges):
        others = (times < first) | (times >= last)
        within = (grid >= first) & (grid < last)
        span = times[others]
        if span.size < _ENOUGH or np.ptp(span) < 2.0 * NEEDED_SPAN or not within.any():
            continue
        told[within] = predict_tide(_fit_tide(span, stage[others], tide.latitude), grid[within])
    return told


def _fit_tide(times: Floats, stage: Floats, latitude_deg: float) -> TideModel:
    """Fit the tide; of a long record the readings nearest to whole hours do."""
    if times.size > _MANY:
        hours = np.round(times / _TIDE_STEP)
        order = np.lexsort((np.abs(times - hours * _TIDE_STEP), hours))
        first = np.sort(order[np.r_[True, np.diff(hours[order]) > 0]])
        times, stage = times[first], stage[first]
    return fit_tide(times, stage, latitude_deg)
