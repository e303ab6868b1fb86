"""The astronomical tide of a gauge: harmonic analysis and prediction (UTide; Codiga 2011)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import utide
from numpy.typing import NDArray

from layers.errors import InputError

NEEDED_SPAN = 14.77 * 86400.0
"""One spring-neap cycle [s]: shorter records cannot tell M2 from S2."""

_NEEDED_READINGS = 200
_LONGEST_PERIOD = 2.0 * 86400.0
_SEASONAL_SPAN = 3.0 * 365.25 * 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class TideModel:
    """A fitted tide: constituents, their amplitudes [m], the mean stage [m] and the times fitted [s, UTC epoch]."""

    constituents: tuple[str, ...]
    amplitudes: NDArray[np.float64]
    mean: float
    start: float
    end: float
    latitude: float
    coefficients: Any


def _to_datetime(times_s: NDArray[np.float64]) -> NDArray[np.datetime64]:
    return np.round(times_s * 1.0e3).astype("int64").astype("datetime64[ms]").astype("datetime64[ns]")


def fit_tide(times_s: NDArray[np.floating], stage_m: NDArray[np.floating], latitude_deg: float) -> TideModel:
    """Fit the constituents that the record can separate (Rayleigh criterion, nodal corrections).

    times [s, UTC epoch] rising and stage [m], both (n,); NaN stages and gaps are left out. Long-period constituents
    (the seasons among them) are weather rather than tide in records below three years and are not fitted there.
    latitude [degrees]. Raise InputError where the record is no series or too short, with the length that is needed.
    """
    times, stage = np.asarray(times_s, dtype=np.float64), np.asarray(stage_m, dtype=np.float64)
    if times.ndim != 1 or times.shape != stage.shape:
        raise InputError(f"tide record: times {times.shape} and stages {stage.shape} differ, expected two (n,) arrays")
    if not np.isfinite(times).all() or (np.diff(times) <= 0.0).any():
        raise InputError("tide record: times do not rise, expected each reading once, in order")
    if not -90.0 <= latitude_deg <= 90.0:
        raise InputError(f"tide record: latitude is {latitude_deg}, expected -90 to 90 degrees")
    known = np.isfinite(stage)
    times, stage = times[known], stage[known]
    span = float(times[-1] - times[0]) if times.size else 0.0
    if span < NEEDED_SPAN or times.size < _NEEDED_READINGS:
        raise InputError(
            f"tide record has {times.size} readings over {span / 86400.0:.1f} days, expected at least "
            f"{_NEEDED_READINGS} over {NEEDED_SPAN / 86400.0:.1f} days"
        )
    options = {"lat": latitude_deg, "method": "ols", "conf_int": "none", "trend": False, "verbose": False}
    moments = _to_datetime(times)
    fit = utide.solve(moments, stage, **options)
    if span < _SEASONAL_SPAN:
        cycles_per_hour = np.asarray(fit.aux.frq)
        tidal = [n for n, f in zip(fit.name, cycles_per_hour, strict=True) if 3600.0 / f < _LONGEST_PERIOD]
        if len(tidal) < len(fit.name):
            fit = utide.solve(moments, stage, constit=tidal, **options)
    return TideModel(
        tuple(str(name) for name in fit.name),
        np.asarray(fit.A, dtype=np.float64),
        float(fit.mean),
        float(times[0]),
        float(times[-1]),
        latitude_deg,
        fit,
    )


def predict_tide(model: TideModel, times_s: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the tidal stage [m] at ``times_s`` [s, UTC epoch] (n,)."""
    times = np.asarray(times_s, dtype=np.float64)
    found = utide.reconstruct(_to_datetime(times), model.coefficients, verbose=False)
    return np.asarray(found.h, dtype=np.float64)
