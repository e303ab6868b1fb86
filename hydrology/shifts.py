"""Steps in the level of a gauge's residual: the gauge was moved or set anew, not the water.

A surge rises over hours and falls again; a shifted datum jumps between two readings and stays. Both are asked: the
jump within a few hours, and the difference of the weeks on either side.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

Floats = NDArray[np.float64]

_NEAR_S = 6.0 * 3600.0
_WIDE_S = 7.0 * 86400.0
_LEAST_AFTER_S = 3.0 * 86400.0
_DEVIATIONS = 6.0
_MOST_SHIFTS = 5


class Shift(NamedTuple):
    """From ``time`` [s, UTC epoch] on the gauge reads ``height`` [m] more than before."""

    time: float
    height: float


def find_shifts(times_s: Floats, residual_m: Floats, *, least: float) -> tuple[Shift, ...]:
    """Return the steps of the residual's level by time.

    times [s] rising on an even grid, residual [m] (n,), NaN allowed. A step is larger than ``least`` [m] and than six
    robust deviations of what the residual does in six hours anyway; it makes up most of the difference between the
    week before and the days (three at least) after it.
    """
    residual = np.array(residual_m, dtype=np.float64)
    found: list[Shift] = []
    step = float(np.median(np.diff(times_s))) if times_s.size > 1 else 1.0
    near, wide = max(round(_NEAR_S / step), 1), round(_WIDE_S / step)
    for _ in range(_MOST_SHIFTS):
        place = _find_largest(residual, near, wide, round(_LEAST_AFTER_S / step), least)
        if place is None:
            break
        before, after = residual[max(place - wide, 0) : place], residual[place : place + wide]
        height = float(np.nanmedian(after) - np.nanmedian(before))
        found.append(Shift(float(times_s[place]), height))
        residual[place:] -= height
    return tuple(sorted(found))


def remove_shifts(times_s: Floats, stage_m: Floats, shifts: tuple[Shift, ...]) -> Floats:
    """Return the stages [m] (n,) as the gauge would have read them with its newest datum."""
    stage = np.array(stage_m, dtype=np.float64)
    for shift in shifts:
        stage[times_s < shift.time] += shift.height
    return stage


def _find_largest(residual: Floats, near: int, wide: int, after: int, least: float) -> int | None:
    """Return where the largest step of the level begins, or None."""
    known = np.flatnonzero(np.isfinite(residual))
    if known.size < 4 * near + after:
        return None
    values = residual[known]
    smooth = median_filter(values, size=2 * near + 1, mode="nearest")
    # The median of the near readings before and after each: centred medians moved by their half width.
    jump = np.zeros(values.size)
    jump[near + 1 : -near] = smooth[2 * near + 1 :] - smooth[: -2 * near - 1]
    usual = 1.4826 * float(np.median(np.abs(jump))) + 1.0e-9
    limit = max(least, _DEVIATIONS * usual)
    order = np.argsort(-np.abs(jump))
    for place in order[: 40 * near]:
        if abs(jump[place]) < limit:
            return None
        first = int(known[place])
        past, coming = residual[max(first - wide, 0) : first], residual[first : first + wide]
        if np.isfinite(past).sum() < after or np.isfinite(coming).sum() < after:
            continue
        level = float(np.nanmedian(coming) - np.nanmedian(past))
        if abs(level) >= limit and 0.67 < jump[place] / level < 1.5:
            return _place_exactly(residual, first, near)
    return None


def _place_exactly(residual: Floats, about: int, near: int) -> int:
    """Return the reading within ``near`` of ``about`` at which the change is largest."""
    first = max(about - 2 * near, 1)
    window = np.diff(residual[first - 1 : about + 2 * near])
    return about if np.isnan(window).all() else first + int(np.nanargmax(np.abs(window)))
