"""What a fitted model would have said at every time of another record, and how good that was, lead by lead."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydrology.predictors import HOUR, Moment, build_design, build_states
from hydrology.readings import check_readings, regrid, remove_spikes
from hydrology.residual import LEVELS, measure_size
from hydrology.shifts import remove_shifts
from hydrology.stage_model import StageModel
from hydrology.tide import predict_tide
from hydrology.verification import (
    Contingency,
    compute_bias,
    compute_crps,
    compute_reliability,
    compute_rmse,
    count_warnings,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Hindcast:
    """One lead [s] from every issue time (n,) [s, UTC epoch].

    quantiles (n, levels), warning, measured, tide, newest (n,) [m]: forecast, quantile to warn from, what came (NaN
    unknown), the harmonic part, and the reading at the issue time.
    """

    lead: float
    issue_times: Floats
    quantiles: Floats
    warning: Floats
    measured: Floats
    tide: Floats
    newest: Floats


@dataclass(frozen=True, slots=True)
class LeadScore:
    """Scores of one lead [s] over ``count`` pairs [m]; rmse of persistence and of the tide alone beside them.

    inside: share within the 10–90 % band [1]. reliability (levels,): share at or below each quantile [1]. warned,
    median_warned: contingency of the quantile to warn from and of the median at the alarm level.
    """

    lead: float
    count: int
    rmse: float
    bias: float
    crps: float
    rmse_persistence: float
    rmse_tide: float
    crps_persistence: float
    inside: float
    reliability: tuple[float, ...]
    warned: Contingency
    median_warned: Contingency


def hindcast_stage(
    model: StageModel, times_s: NDArray[np.floating], stage_m: NDArray[np.floating], leads_s: Sequence[float]
) -> list[Hindcast]:
    """Return for each lead [s] what the model says from every time of a record on, as ``issue_stage`` would.

    times [s, UTC epoch] rising, stage [m] (n,). Issue times are those of the model's grid at which every predictor is
    known; leads are those of the model nearest to the wanted.
    """
    times, stage = check_readings(times_s, stage_m)
    stage = remove_shifts(times, remove_spikes(stage, model.parameters.spike_step), model.shifts)
    known = np.isfinite(stage)
    times, stage = times[known], stage[known]
    fitted, layout = model.residual, model.residual.layout
    step = layout.step
    grid = np.arange(np.ceil(times[0] / step) * step, times[-1] + 0.5 * step, step)
    reach = round(float(fitted.leads[-1]) / step) + 1
    tide = predict_tide(model.tide, np.append(grid, grid[-1] + step * np.arange(1, reach + 1)))
    rate = np.gradient(tide) * HOUR / step / model.rate_scale
    scaled = (tide - model.tide.mean) / model.tide_scale
    level = regrid(times, stage, grid, max(model.parameters.gap_limit, step))
    residual = level - tide[: grid.size]
    ages = np.round(layout.ages / step).astype(np.int64)
    rows = np.arange(int(ages.max()) + 1, grid.size)
    lags = residual[rows[:, None] - ages]
    whole = np.isfinite(lags).all(axis=1)
    rows, lags = rows[whole], lags[whole]
    own = rows[:, None] - ages[layout.acting]
    acting = Moment(scaled[own], rate[own])
    found = []
    for wanted in leads_s:
        k = int(np.argmin(np.abs(fitted.leads - wanted)))
        ahead = rows + round(float(fitted.leads[k]) / step)
        met = Moment(scaled[ahead], rate[ahead])
        expected = build_design(layout, lags, acting, met) @ fitted.weights[k]
        size = measure_size(fitted.spread[k], fitted.spread_limits[k], build_states(layout, lags, met))
        middle = tide[ahead] + expected
        measured = np.where(ahead < grid.size, level[np.minimum(ahead, grid.size - 1)], np.nan)
        found.append(
            Hindcast(
                float(fitted.leads[k]),
                grid[rows],
                middle[:, None] + size[:, None] * fitted.scaled[k],
                middle + size * fitted.warning[k],
                measured,
                tide[ahead],
                level[rows],
            )
        )
    return found


def score_hindcast(told: Hindcast, level: float) -> LeadScore:
    """Return the scores of one lead, warnings counted at the alarm ``level`` [m]."""
    came = told.measured
    median = told.quantiles[:, LEVELS.index(0.50)]
    low, high = told.quantiles[:, LEVELS.index(0.10)], told.quantiles[:, LEVELS.index(0.90)]
    pairs = np.isfinite(came)
    return LeadScore(
        told.lead,
        int(pairs.sum()),
        compute_rmse(median, came),
        compute_bias(median, came),
        compute_crps(told.quantiles, LEVELS, came),
        compute_rmse(told.newest, came),
        compute_rmse(told.tide, came),
        compute_crps(told.newest[:, None], (0.5,), came),
        float(np.mean((came[pairs] >= low[pairs]) & (came[pairs] <= high[pairs]))),
        tuple(compute_reliability(told.quantiles, came).tolist()),
        count_warnings(told.warning, came, level),
        count_warnings(median, came, level),
    )
