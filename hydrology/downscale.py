"""From coarse stages back to the pixels: depth, arrival, and coarse values spread over the fine grid.

A pixel is as deep as its cell's stage stands above it. Between the middles of cells the stage is interpolated, with
two conditions: only towards a neighbour that water joins (both hold water above the level at which their face opens),
and only where the pixel is reached from the cell's anchor at the lower of the two stages, so that interpolation never
wets ground behind a wall, nor any pixel that would be dry at both. A prescribed cell wets what its stage reaches from
the anchor.
"""

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from hydrology.domain import WALL
from hydrology.subgrid import SubgridTables

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]


@compile_loop
def _slope_towards(stage: Array, base: Array, low: float, i: int, j: int, k: int, m: int, dry: float) -> float:
    """Return the rise of the stage from cell (i, j) to its neighbour (k, m) [m], 0 where water does not join them."""
    here, there = stage[i, j], stage[k, m]
    joined = min(here, there) - low > dry and here > base[i, j] and there > base[k, m]
    return there - here if joined else 0.0


@compile_loop
def _spread_stage(
    stage: Array, bed: Array, factor: int, low_x: Array, low_y: Array, base: Array, access: Array,
    held: NDArray[np.bool_], dry: float, depth: Array32,
) -> None:  # fmt: skip
    rows, cols = bed.shape
    for i in range(1, stage.shape[0] - 1):
        for j in range(1, stage.shape[1] - 1):
            own = stage[i, j]
            west = _slope_towards(stage, base, low_x[i, j], i, j, i, j - 1, dry)
            east = _slope_towards(stage, base, low_x[i, j + 1], i, j, i, j + 1, dry)
            north = _slope_towards(stage, base, low_y[i, j], i, j, i - 1, j, dry)
            south = _slope_towards(stage, base, low_y[i + 1, j], i, j, i + 1, j, dry)
            for r in range((i - 1) * factor, min(i * factor, rows)):
                down = (r - (i - 1) * factor + 0.5) / factor - 0.5
                for c in range((j - 1) * factor, min(j * factor, cols)):
                    if not bed[r, c] < 0.5 * WALL:
                        depth[r, c] = np.nan
                        continue
                    right = (c - (j - 1) * factor + 0.5) / factor - 0.5
                    level = own + abs(right) * (east if right > 0.0 else west)
                    level += abs(down) * (south if down > 0.0 else north)
                    if access[r, c] >= min(own, level):
                        level = own
                    closed = held[i, j] and access[r, c] >= own
                    depth[r, c] = 0.0 if closed else max(level - bed[r, c], 0.0)


def compute_depth(
    stage: Array,
    bed: Array,
    factor: int,
    tables: SubgridTables,
    held: NDArray[np.bool_],
    *,
    dry_depth: float = 1.0e-3,
) -> Array32:
    """Return the depth of every pixel [m] (rows, cols), NaN where ``bed`` [m] is.

    stage: of the coarse cells with the ring [m]; held: which of them are prescribed. dry_depth: least water over a face
    that joins two cells [m].
    """
    depth = np.empty(bed.shape, dtype=np.float32)
    _spread_stage(
        stage, bed, factor, tables.low_x, tables.low_y, tables.base, tables.access, held, dry_depth, depth
    )  # fmt: skip
    return depth


@compile_loop
def _find_arrival(
    bed: Array, factor: int, base: Array, table: Array32, stage_max: Array, peak: Array, times: Array32,
    arrival_depth: float, arrival: Array,
) -> None:  # fmt: skip
    rows, cols = bed.shape
    last = table.shape[2] - 1
    for r in range(rows):
        for c in range(cols):
            i, j = 1 + r // factor, 1 + c // factor
            wanted, reached = bed[r, c] + arrival_depth - base[i, j], stage_max[i, j] - base[i, j]
            if not (bed[r, c] < 0.5 * WALL and reached >= wanted):
                continue
            m = 0
            while m < last and table[i, j, m + 1] <= wanted:
                m += 1
            lower, begin = np.float64(table[i, j, m]), np.float64(times[i, j, m])
            upper, finish = np.float64(table[i, j, last]) + arrival_depth, np.float64(times[i, j, m + 1])
            if m < last:
                upper = np.float64(table[i, j, m + 1])
            if finish == np.inf:
                upper, finish = reached, peak[i, j]
            part = (wanted - lower) / (upper - lower) if upper > lower else 0.0
            arrival[r, c] = begin + min(max(part, 0.0), 1.0) * max(finish - begin, 0.0)


def compute_arrival(
    bed: Array, factor: int, tables: SubgridTables, stage_max: Array, peak: Array, times: Array32, arrival_depth: float
) -> Array:
    """Return the first time each pixel was ``arrival_depth`` [m] deep [s] (rows, cols), NaN where it never was.

    stage_max [m] and its time ``peak`` [s], and the times [s] at which the levels of the cells' tables were reached
    (coarse grid, levels + 2), inf for never, as record_cells notes them; linear in the stage between.
    """
    arrival = np.full(bed.shape, np.nan)
    _find_arrival(bed, factor, tables.base, tables.stage, stage_max, peak, times, arrival_depth, arrival)
    return arrival


def find_first_time(times: Array, values: Array, wanted: Array) -> Array:
    """Return when the line through ``values`` at ``times`` (n,) first reaches each of ``wanted``, NaN for never."""
    risen = np.maximum.accumulate(values)
    after = np.searchsorted(risen, wanted, side="left")
    hit = after < len(values)
    k = np.where(hit, after, 0)
    before = np.maximum(k - 1, 0)
    climb = values[k] - values[before]
    part = np.where(k > 0, (wanted - values[before]) / np.where(climb > 0.0, climb, 1.0), 0.0)
    return np.where(hit, times[before] + part * (times[k] - times[before]), np.nan)


def spread(values: NDArray[np.floating], factor: int, shape: tuple[int, int]) -> Array32:
    """Return a value for every pixel of ``shape`` from those of the coarse cells without their ring."""
    wide = np.repeat(np.repeat(values, factor, axis=0), factor, axis=1)
    return np.ascontiguousarray(wide[: shape[0], : shape[1]], dtype=np.float32)
