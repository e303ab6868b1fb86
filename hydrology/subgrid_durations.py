"""How long pixels stay wet: a cell counts the time between levels of its stage, its pixels read theirs afterwards.

The levels of a cell are the stages that matter to its pixels, bed + threshold of each; where a cell has more of them
than levels, they are evenly many apart and the time is linear in between.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop, compile_row
from hydrology.domain import WALL

MOST_LEVELS = 32
"""Levels of a cell. Cells of 3 × 3 pixels have a level for each pixel and three thresholds."""

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]
Places = NDArray[np.uint8]


@compile_loop
def _fill_levels(bed: Array, factor: int, thresholds: Array, levels: Array32) -> None:
    rows, cols = bed.shape
    for i in range(1, levels.shape[0] - 1):
        for j in range(1, levels.shape[1] - 1):
            r0, c0 = (i - 1) * factor, (j - 1) * factor
            cell = bed[r0 : min(r0 + factor, rows), c0 : min(c0 + factor, cols)].copy().ravel()
            cell = cell[cell < 0.5 * WALL]
            wanted = np.empty(cell.size * thresholds.size)
            for t in range(thresholds.size):
                wanted[t * cell.size : (t + 1) * cell.size] = cell + thresholds[t]
            wanted.sort()
            count = min(wanted.size, levels.shape[2])
            for k in range(count):
                levels[i, j, k] = wanted[k * (wanted.size - 1) // max(count - 1, 1)]


def choose_levels(bed: Array, factor: int, thresholds: Sequence[float], shape: tuple[int, int]) -> Array32:
    """Return the stages [m] between which each coarse cell counts its time, rising; inf where a cell needs fewer.

    bed [m] (rows, cols), NaN outside. thresholds [m]. shape: of the coarse grid with its ring.
    """
    count = max(min(MOST_LEVELS, factor * factor * len(thresholds)), 1)
    levels = np.full((*shape, count), np.inf, dtype=np.float32)
    if thresholds:
        _fill_levels(bed, factor, np.array(thresholds, dtype=np.float64), levels)
    return levels


@compile_row
def count_time(
    stage: Array, per_length: Array, levels: Array32, time: float, place: Places, since: Array, spans: Array32
) -> None:
    """Add the time [s] since the last look to where each of n stages [m] stood, and see where it stands at ``time``.

    levels (n, levels) [m]; place: levels not above the stage (n,); since: time of the last look [s] (n,); spans: time
    at each place (n, levels + 1) [s].
    """
    last = levels.shape[1]
    for k in range(stage.size):
        if per_length[k] == 0.0:
            continue
        m = int(place[k])
        spans[k, m] += np.float32(time - since[k])
        since[k] = time
        level = np.float32(stage[k])
        while m < last and level >= levels[k, m]:
            m += 1
        while m > 0 and level < levels[k, m - 1]:
            m -= 1
        place[k] = m


@compile_loop
def _read_durations(bed: Array, factor: int, threshold: float, levels: Array32, above: Array32, out: Array32) -> None:
    rows, cols = bed.shape
    last = levels.shape[2] - 1
    for r in range(rows):
        for c in range(cols):
            if not bed[r, c] < 0.5 * WALL:
                out[r, c] = np.nan
                continue
            i, j = 1 + r // factor, 1 + c // factor
            wanted = np.float32(bed[r, c] + threshold)
            low, high = 0, last
            while low < high:
                middle = (low + high) // 2
                if levels[i, j, middle] >= wanted:
                    high = middle
                else:
                    low = middle + 1
            value = above[i, j, low]
            if low > 0 and levels[i, j, low] > wanted:
                under = levels[i, j, low - 1]
                part = (wanted - under) / (levels[i, j, low] - under)
                value = above[i, j, low - 1] + part * (value - above[i, j, low - 1])
            out[r, c] = value


def compute_durations(bed: Array, factor: int, threshold: float, levels: Array32, spans: Array32) -> Array32:
    """Return the time each pixel was at least ``threshold`` [m] deep [s] (rows, cols), NaN outside the domain.

    By the stage of its own cell. levels and spans: as ``count_time`` keeps them, of the coarse grid with its ring.
    """
    above = np.cumsum(spans[..., :0:-1], axis=-1)[..., ::-1]
    out = np.empty(bed.shape, dtype=np.float32)
    _read_durations(bed, factor, threshold, levels, np.ascontiguousarray(above), out)
    return out


def measure_series(times: Array, values: Array, wanted: Array) -> Array:
    """Return how long [s] the line through ``values`` at ``times`` [s] (n,) is at or above each of ``wanted``."""
    spans = np.diff(times)
    low, high = np.minimum(values[1:], values[:-1]), np.maximum(values[1:], values[:-1])
    found = np.zeros(wanted.shape)
    for span, lower, upper in zip(spans, low, high, strict=True):
        share = (upper - wanted) / (upper - lower) if upper > lower else (wanted <= lower).astype(np.float64)
        found += span * np.clip(share, 0.0, 1.0)
    return found
