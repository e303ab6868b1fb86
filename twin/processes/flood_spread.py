"""How the members of an ensemble differ: the stage by its forecast's band, the rain by a factor, pumps that fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from hydrology.parameters import ForecastParameters
from twin.process import CityView
from twin.processes.flood_stage import StageSeries

Floats = NDArray[np.float64]

HELD_SPREAD = 0.1
"""Standard deviation [m] of a stage that no forecast gives a band for."""

_BAND = ForecastParameters()


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What is drawn for each member: the quantile of its stage and its rain factor [1] (n,); who fails (n, pumps)."""

    quantiles: Floats
    rain_factors: Floats
    failed: NDArray[np.bool_]


def share_evenly(count: int) -> Floats:
    """Return the middles of ``count`` equal shares of the probability, as quantiles [1] (n,)."""
    return np.asarray((np.arange(count) + 0.5) / count, dtype=np.float64)


def draw_members(
    count: int, pumps: int, *, rain_spread: float, rain_factors: Sequence[float], pump_failure: float, seed: int
) -> Draws:
    """Return ``count`` equally probable members; the same for the same seed.

    Stage quantiles are the middles of as many equal shares, and so are those of the rain, whose factor is lognormal
    with median 1 and ``rain_spread`` its standard deviation of the logarithm [1], or dealt out of ``rain_factors``.
    Which rain meets which stage, and which pump fails with the probability ``pump_failure``, follows from the seed.
    """
    dice = np.random.default_rng(seed)
    quantiles = share_evenly(count)
    dealt = np.resize(np.asarray(rain_factors, dtype=np.float64), count) if rain_factors else None
    factors = np.exp(rain_spread * ndtri(quantiles)) if dealt is None else dealt
    return Draws(quantiles, dice.permutation(factors), dice.random((count, pumps)) < pump_failure)


def spread_stage(
    stage: StageSeries, quantiles: Floats, base_time: datetime, *, spread: float | None, ramp_hours: float
) -> list[StageSeries]:
    """Return the stage at each quantile [1], all alike at time 0.

    A member keeps its quantile all the time: one that is high in the first hours stays high. Errors are normal on
    either side, as wide as the forecast's band there; or of the standard deviation ``spread`` [m], which is reached
    after ``ramp_hours`` [h] and is HELD_SPREAD where neither it nor a forecast is given.
    """
    above, below = _measure_spread(stage, base_time, spread, ramp_hours)
    deviates = ndtri(quantiles)
    return [
        StageSeries(stage.times, stage.stages + z * (above if z > 0.0 else below), stage.usual, stage.report)
        for z in deviates
    ]


def _measure_spread(
    stage: StageSeries, base_time: datetime, spread: float | None, ramp_hours: float
) -> tuple[Floats, Floats]:
    """Return the standard deviation [m] (n,) of the stage upwards and downwards."""
    if spread is None and stage.report is not None:
        seconds = [(datetime.fromisoformat(moment) - base_time).total_seconds() for moment in stage.report["times"]]
        best, lower, upper = (np.asarray(stage.report[name]) for name in ("stage", "lower", "upper"))
        at = np.concatenate([[0.0], seconds])
        bands = ((upper - best) / ndtri(_BAND.upper), (best - lower) / -ndtri(_BAND.lower))
        above, below = (np.interp(stage.times, at, np.concatenate([[0.0], band])) for band in bands)
        return above, below
    metres = HELD_SPREAD if spread is None else spread
    ramp = np.clip(stage.times / max(ramp_hours * 3600.0, 1.0), 0.0, 1.0)
    return metres * ramp, metres * ramp


def find_past(view: CityView, stage: StageSeries, base_time: datetime, hours: float) -> StageSeries | None:
    """Return what the gauge read in the ``hours`` [h] before the base time and at it, as high as ``stage`` there.

    None for a stage that no gauge drives, or one without readings then.
    """
    if stage.report is None or hours <= 0.0:
        return None
    times, values = view.series(stage.report["datastream_id"], base_time - timedelta(hours=hours), base_time)
    seconds = times - base_time.timestamp()
    before = seconds < 0.0
    if not before.any():
        return None
    # The stage starts with the newest reading, changed as the scenario says: so must the hours before it be.
    shift = float(stage.stages[0]) - float(values[-1])
    return StageSeries(
        np.append(seconds[before], 0.0),
        np.append(values[before] + shift, stage.stages[0]),
        stage.usual,
        stage.report,
    )
