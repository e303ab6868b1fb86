"""Conditioning of a terrain for water: fill what cannot drain, breach what only noise dams, burn canals, raise walls.

Water leaves at the edge of the array and beside cells without a value (NaN). Neighbours are the four cells that share
a side, as in the solver. All functions return a new bed [m] (rows, cols) and leave the one given alone.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hydrology.compile import compile_loop
from hydrology.domain import check_raster
from hydrology.terrain import lower_cells, raise_cells
from layers.errors import InputError
from layers.grid import Grid

Bed = NDArray[np.float64]
Line = NDArray[np.float64]

ROUNDS = 8
"""Breaching one pit may leave others inside it, which the next round finds."""


def fill_depressions(bed: NDArray[np.floating], *, drop: float = 0.0) -> Bed:
    """Return the lowest bed [m] not below the given one from each cell of which water reaches an outlet.

    Each cell lies at least ``drop`` [m] above the one it drains to; with 0 filled pits are level. Priority flood,
    Barnes, Lehman and Mulla 2014, doi:10.1016/j.cageo.2013.04.024. Raise InputError for a negative drop.
    """
    if not drop >= 0.0:
        raise InputError(f"fill drop is {drop:g} m, expected 0 or more")
    z = _copy_bed(bed)
    _flood(z, drop, np.zeros(z.shape, dtype=np.bool_))
    return z


def breach_pits(bed: NDArray[np.floating], *, max_length: int, max_depth: float) -> Bed:
    """Return the bed [m] with ditches out of its pits where digging moves less ground than filling.

    A ditch is the path of least digging, at most ``max_length`` cells long and ``max_depth`` [m] deep, from the
    lowest cell of a pit to the nearest that drains at its level: Lindsay and Dhun 2015,
    doi:10.1080/13658816.2014.975715, held against the volume of the pit. Pits that remain are for
    ``fill_depressions``. Raise InputError for limits that are not positive.
    """
    if max_length < 1 or not max_depth > 0.0:
        raise InputError(f"breach limits are {max_length} cells and {max_depth:g} m, expected at least 1 and above 0")
    z = _copy_bed(bed)
    for _ in range(ROUNDS):
        filled = fill_depressions(z)
        depressions, count = ndimage.label(filled > z)
        if count == 0:
            break
        volumes = np.asarray(ndimage.sum_labels(filled - z, depressions, np.arange(1, count + 1)))
        places = ndimage.minimum_position(z, depressions, np.arange(1, count + 1))
        pits = np.array([row * z.shape[1] + col for row, col in places], dtype=np.int64)
        # The deepest first: what drains it may drain others on the way.
        order = np.argsort(z.ravel()[pits], kind="stable")
        if not _breach(z, filled, pits[order], volumes[order], max_length, max_depth):
            break
    return z


def burn_lines(bed: NDArray[np.floating], grid: Grid, lines: Sequence[Line], depth: float) -> Bed:
    """Return the bed with each cell that one of ``lines`` crosses lower by ``depth`` [m], once however many cross it.

    lines: x and y [m] of the vertices (n, 2). Raise InputError for a depth that is not positive.
    """
    if not depth > 0.0:
        raise InputError(f"burn depth is {depth:g} m, expected above 0")
    z = check_raster("bed", bed, grid.shape)
    cells = np.zeros(z.shape, dtype=np.bool_)
    for line in lines:
        rows, cols, _ = trace_line(line, grid)
        cells[rows, cols] = True
    return lower_cells(z, cells, z - depth)


def raise_lines(bed: NDArray[np.floating], grid: Grid, lines: Sequence[Line], crests: Sequence[Line | float]) -> Bed:
    """Return the bed not lower than its crest in each cell that one of ``lines`` crosses; the highest counts.

    lines: x and y [m] of the vertices (n, 2). crests: of each line one elevation [m], or one a vertex (n,), between
    which the crest slopes evenly. Raise InputError where these do not fit together.
    """
    if len(lines) != len(crests):
        raise InputError(f"{len(lines)} walls have {len(crests)} crests, expected one each")
    z = check_raster("bed", bed, grid.shape)
    tops = np.full(z.shape, -np.inf)
    for number, (line, crest) in enumerate(zip(lines, crests, strict=True)):
        rows, cols, along = trace_line(line, grid)
        heights = np.atleast_1d(np.asarray(crest, dtype=np.float64))
        if heights.shape not in ((1,), (len(line),)) or not np.isfinite(heights).all():
            raise InputError(f"crest of wall {number} has {heights.size} values, expected 1 or {len(line)} elevations")
        heights = np.broadcast_to(heights, len(line))
        np.maximum.at(tops, (rows, cols), np.interp(along, np.arange(len(line)), heights))
    return raise_cells(z, np.isfinite(tops) & np.isfinite(z), tops)


def trace_line(line: Line, grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return row, column and place along it of each cell that a line (n, 2) of x and y [m] crosses, in its order.

    The place counts vertices: 1.5 is halfway between the second and the third. Consecutive cells share a side, so
    that a canal carries water; cells off the grid are left out. Raise InputError for a line without two vertices.
    """
    points = np.asarray(line, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2 or not np.isfinite(points).all():
        raise InputError(f"line has shape {points.shape}, expected x and y of two vertices or more, all finite")
    corner = np.array([grid.x_min, grid.y_max])
    # Column and row as real numbers: cell (i, j) is [i, i + 1) × [j, j + 1).
    scaled = (points - corner) * np.array([1.0, -1.0]) / grid.cell_size
    found = [_cross_cells(scaled[k], scaled[k + 1], k) for k in range(len(points) - 1)]
    cols, rows, along = (np.concatenate(part) for part in zip(*found, strict=True))
    inside = (rows >= 0) & (rows < grid.rows) & (cols >= 0) & (cols < grid.cols)
    return rows[inside], cols[inside], along[inside]


def _cross_cells(start: Line, end: Line, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Line]:
    """Return columns, rows and places of the cells between two points; each crossing of a grid line is one step."""
    first, last = np.floor(start).astype(np.int64), np.floor(end).astype(np.int64)
    counts, signs = np.abs(last - first), np.sign(last - first)
    shares, axes = [], []
    for axis in (0, 1):
        lines = first[axis] + signs[axis] * np.arange(counts[axis]) + (1 if signs[axis] > 0 else 0)
        span = end[axis] - start[axis]
        shares.append((lines - start[axis]) / (span if span != 0.0 else 1.0))
        axes.append(np.full(counts[axis], axis))
    share, axis_of = np.concatenate(shares), np.concatenate(axes)
    order = np.argsort(share, kind="stable")
    share, axis_of = np.clip(share[order], 0.0, 1.0), axis_of[order]
    cols = first[0] + signs[0] * np.concatenate([[0], np.cumsum(axis_of == 0)])
    rows = first[1] + signs[1] * np.concatenate([[0], np.cumsum(axis_of == 1)])
    edges = np.concatenate([[0.0], share, [1.0]])
    return cols, rows, number + (edges[:-1] + edges[1:]) / 2.0


def _copy_bed(bed: NDArray[np.floating]) -> Bed:
    z = np.array(bed, dtype=np.float64)
    if z.ndim != 2 or z.size == 0:
        raise InputError(f"bed has shape {z.shape}, expected (rows, cols)")
    if np.isinf(z).any():
        row, col = (int(k) for k in np.argwhere(np.isinf(z))[0])
        raise InputError(f"bed is infinite in cell ({row}, {col}), expected an elevation or NaN")
    return z


@compile_loop
def _is_outlet(z: Bed, row: int, col: int) -> bool:
    """Whether water leaves the terrain from the cell."""
    if row == 0 or col == 0 or row == z.shape[0] - 1 or col == z.shape[1] - 1:
        return True
    return bool(
        np.isnan(z[row - 1, col]) or np.isnan(z[row + 1, col]) or np.isnan(z[row, col - 1]) or np.isnan(z[row, col + 1])
    )


@compile_loop
def _flood(z: Bed, drop: float, done: NDArray[np.bool_]) -> None:
    """Fill ``z`` in place: the lowest cell reached so far says how low its neighbours can drain."""
    rows, cols = z.shape
    heap = [(np.inf, np.int64(-1))]
    for row in range(rows):
        for col in range(cols):
            if not np.isnan(z[row, col]) and _is_outlet(z, row, col):
                done[row, col] = True
                heappush(heap, (z[row, col], np.int64(row * cols + col)))
    while len(heap) > 1:
        level, cell = heappop(heap)
        row, col = cell // cols, cell % cols
        for side in range(4):
            r, c = row + (side == 0) - (side == 1), col + (side == 2) - (side == 3)
            if r < 0 or c < 0 or r >= rows or c >= cols or done[r, c] or np.isnan(z[r, c]):
                continue
            done[r, c] = True
            z[r, c] = max(z[r, c], level + drop)
            heappush(heap, (z[r, c], np.int64(r * cols + c)))


@compile_loop
def _breach(
    z: Bed,
    filled: Bed,
    pits: NDArray[np.int64],
    volumes: Bed,
    max_length: int,
    max_depth: float,
) -> int:
    """Dig the ditches of ``pits`` into ``z`` in place and return how many there are.

    filled: level at which each cell drains for sure [m], lowered along the ditches. volumes: of the pits [m].
    """
    rows, cols = z.shape
    cost = np.empty(z.size)
    parent, seen = np.empty(z.size, dtype=np.int64), np.full(z.size, -1, dtype=np.int64)
    dug = 0
    for number in range(pits.size):
        pit = pits[number]
        level = z[pit // cols, pit % cols]
        cost[pit], parent[pit], seen[pit] = 0.0, -1, number
        heap = [(0.0, np.int64(0), pit)]
        while len(heap) > 0:
            spent, length, cell = heappop(heap)
            if spent > cost[cell]:
                continue
            row, col = cell // cols, cell % cols
            if spent >= volumes[number] and cell != pit:
                break
            if cell != pit and (filled[row, col] <= level or _is_outlet(z, row, col)):
                while cell >= 0:
                    row, col = cell // cols, cell % cols
                    z[row, col] = min(z[row, col], level)
                    filled[row, col] = min(filled[row, col], level)
                    cell = parent[cell]
                dug += 1
                break
            if length == max_length:
                continue
            for side in range(4):
                r, c = row + (side == 0) - (side == 1), col + (side == 2) - (side == 3)
                if r < 0 or c < 0 or r >= rows or c >= cols or np.isnan(z[r, c]) or z[r, c] - level > max_depth:
                    continue
                near = r * cols + c
                total = spent + max(z[r, c] - level, 0.0)
                if seen[near] != number or total < cost[near]:
                    seen[near], cost[near], parent[near] = number, total, cell
                    heappush(heap, (total, length + 1, near))
    return dug
