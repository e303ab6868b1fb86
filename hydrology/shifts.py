"""Steps in the level of a gauge's residual: the gauge was moved or set anew, not the water.

A surge rises over hours and falls again; a shifted datum jumps between two readings and stays. Both are asked: that
most of the change comes between two readings, and that the weeks and months on either side differ as much.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

Floats = NDArray[np.float64]

_NEAR_S = 6.0 * 3600.0
_WIDE_S = (7.0 * 86400.0, 30.0 * 86400.0)
_SUDDEN, _LASTING = 0.6, (0.5, 2.0)
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
    robust deviations of what the residual does in six hours anyway; six tenths of it come between two readings; and
    the week, and the month, before it differ from the days (three at least) after it by half to twice as much.
    """
    residual = np.array(residual_m, dtype=np.float64)
    found: list[Shift] = []
    step = float(np.median(np.diff(times_s))) if times_s.size > 1 else 1.0
    for _ in range(_MOST_SHIFTS):
        largest = _find_largest(residual, step, least)
        if largest is None:
            break
        place, height = largest
        found.append(Shift(float(times_s[place]), height))
        residual[place:] -= height
    return tuple(sorted(found))


def remove_shifts(times_s: Floats, stage_m: Floats, shifts: tuple[Shift, ...]) -> Floats:
    """Return the stages [m] (n,) as the gauge would have read them with its newest datum."""
    stage = np.array(stage_m, dtype=np.float64)
    for shift in shifts:
        stage[times_s < shift.time] += shift.height
    return stage


def _find_largest(residual: Floats, step: float, least: float) -> tuple[int, float] | None:
    """Return where the largest step of the level begins and its height [m], or None."""
    near, few = max(round(_NEAR_S / step), 1), round(_LEAST_AFTER_S / step)
    known = np.flatnonzero(np.isfinite(residual))
    if known.size < 4 * near + few:
        return None
    values = residual[known]
    smooth = median_filter(values, size=2 * near + 1, mode="nearest")
    # The median of the near readings before and after each: centred medians moved by their half width.
    jump = np.zeros(values.size)
    jump[near + 1 : -near] = smooth[2 * near + 1 :] - smooth[: -2 * near - 1]
    usual = 1.4826 * float(np.median(np.abs(jump))) + 1.0e-9
    limit = max(least, _DEVIATIONS * usual)
    for place in np.argsort(-np.abs(jump))[: 40 * near]:
        if abs(jump[place]) < limit:
            return None
        exact = _place_exactly(values, int(place), near)
        height = float(jump[exact])
        # A surge takes hours, a hand that sets a gauge one reading.
        if abs(height) < limit or (values[exact] - values[exact - 1]) / height < _SUDDEN:
            continue
        first = int(known[exact])
        levels = [_compare(residual, first, round(width / step), few) for width in _WIDE_S]
        if all(level is not None and _LASTING[0] < level / height < _LASTING[1] for level in levels):
            return first, height
    return None


def _compare(residual: Floats, first: int, width: int, few: int) -> float | None:
    """Return the level [m] of the ``width`` readings from ``first`` on over those before; None with too few."""
    past, coming = residual[max(first - width, 0) : first], residual[first : first + width]
    if np.isfinite(past).sum() < few or np.isfinite(coming).sum() < few:
        return None
    return float(np.nanmedian(coming) - np.nanmedian(past))


def _place_exactly(values: Floats, about: int, near: int) -> int:
    """Return the reading within ``near`` of ``about`` at which the change from the one before is largest."""
    first = max(about - near, 1)
    return first + int(np.argmax(np.abs(np.diff(values[first - 1 : about + near]))))
