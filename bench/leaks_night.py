"""The peer of the leaks bench: minimum night flow alone, as a company without pressure loggers watches an area.

The mean inflow from 2 to 4 h less the mean of the four weeks before, in their standard deviations, goes into a CUSUM
with a reference value of half a standard deviation; it alarms at four and begins anew. It knows when, not where: the
pipe it names is the middle of the network.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.ltown_leaks import STEPS_A_DAY

Array = NDArray[np.float64]

NIGHT = slice(24, 48)
NIGHTS_BEFORE = 28
REFERENCE, THRESHOLD = 0.5, 4.0


@dataclass(frozen=True, slots=True)
class NightAlarm:
    """The step at which a night's flow was too much."""

    step: int


def watch_nights(inflow: Array) -> list[NightAlarm]:
    """Return the alarms of an inflow at every step (steps,), NaN where not read, after four weeks."""
    own = inflow.reshape(-1, STEPS_A_DAY)[:, NIGHT]
    read = np.isfinite(own)
    nights = np.where(read.any(axis=1), np.where(read, own, 0.0).sum(axis=1) / np.maximum(read.sum(axis=1), 1), np.nan)
    alarms, total, since = [], 0.0, 0
    for night in range(NIGHTS_BEFORE, len(nights)):
        before = nights[max(night - NIGHTS_BEFORE, since) : night]
        if len(before) < 7:
            continue
        if np.isnan(nights[night]):
            continue
        total = max(0.0, total + (nights[night] - np.nanmean(before)) / max(np.nanstd(before), 1.0e-9) - REFERENCE)
        if total > THRESHOLD:
            alarms.append(NightAlarm(night * STEPS_A_DAY + NIGHT.stop))
            total, since = 0.0, night
    return alarms
