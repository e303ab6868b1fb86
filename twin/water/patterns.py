"""How use changes by the hour: of customers where nothing is measured, of areas from their metered inflow."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
HOURS = 24
DAYS = 7
LEAST_READINGS = 24
"""Readings of a series below which no pattern is made of it."""


def _shape(*values: float) -> Array:
    pattern = np.array(values)
    return np.asarray(pattern / pattern.mean())


USUAL: Mapping[str, Array] = MappingProxyType(
    {
        "household": _shape(
            0.35, 0.28, 0.25, 0.28, 0.5, 1.15, 1.65, 1.55, 1.2, 1.0, 1.0, 1.15, 1.1, 0.9, 0.85, 0.95, 1.3, 1.65, 1.75,
            1.5, 1.2, 0.9, 0.65, 0.45,
        ),
        "business": _shape(
            0.2, 0.18, 0.18, 0.2, 0.35, 0.6, 0.9, 1.3, 1.5, 1.6, 1.6, 1.65, 1.45, 1.35, 1.45, 1.5, 1.5, 1.4, 1.3, 1.2,
            1.0, 0.7, 0.4, 0.25,
        ),
        "industry": _shape(
            0.75, 0.75, 0.75, 0.75, 0.75, 0.8, 0.95, 1.2, 1.25, 1.25, 1.25, 1.15, 1.1, 1.25, 1.25, 1.25, 1.15, 1.0,
            0.95, 0.95, 0.9, 0.85, 0.8, 0.75,
        ),
        "public": _shape(
            0.2, 0.2, 0.2, 0.2, 0.3, 0.6, 1.2, 1.7, 1.8, 1.7, 1.6, 1.5, 1.2, 1.4, 1.6, 1.6, 1.4, 1.0, 0.8, 0.6, 0.45,
            0.35, 0.25, 0.2,
        ),
    }
)  # fmt: skip
"""Share of the mean in each hour of the local clock by type of customer (24,), mean 1.

Assumed shapes of a city of the delta: two peaks at home, the working day elsewhere. An area whose inflow is metered
takes its own.
"""


def build_pattern(times: Array, values: Array, *, offset_s: float) -> Array | None:
    """Return what a series says of each hour of the week (7, 24), from Monday, mean 1; None for too little of it.

    times: seconds since 1970 UTC; ``offset_s``: local time less UTC [s]. An hour of the week that was never measured
    is that hour's mean over the days; one never measured at all is interpolated between its neighbours.
    """
    good = np.isfinite(values)
    if good.sum() < LEAST_READINGS:
        return None
    local = times[good] + offset_s
    hour = (local // 3600).astype(np.int64) % HOURS
    # 1 January 1970 was a Thursday.
    day = (local // 86_400 + 3).astype(np.int64) % DAYS
    total, count = np.zeros((DAYS, HOURS)), np.zeros((DAYS, HOURS))
    np.add.at(total, (day, hour), values[good])
    np.add.at(count, (day, hour), 1.0)
    by_hour = np.divide(total.sum(0), count.sum(0), out=np.full(HOURS, np.nan), where=count.sum(0) > 0)
    known = np.flatnonzero(np.isfinite(by_hour))
    by_hour = np.interp(np.arange(HOURS), known, by_hour[known], period=HOURS)
    week = np.where(count > 0, np.divide(total, count, out=np.zeros_like(total), where=count > 0), by_hour)
    mean = float(week.mean())
    return np.asarray(week / mean) if mean > 0.0 else None
