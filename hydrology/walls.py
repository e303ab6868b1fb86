"""Walls on the faces between cells: flood walls, dyke crests and kerbs thinner than a cell.

A face is raised where a line crosses the segment between the centres of its two cells. Water that walks from cell to
cell round the line's end is not stopped; water that walks through it meets a raised face, whatever the line's
direction: a walk over cell centres that gets across must cross the line. So traced walls have no gaps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_row
from hydrology.flow_laws import WEIR_COEFFICIENT, compute_weir
from layers.errors import InputError
from layers.grid import Grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FINE = 1024
"""Corners of lines are moved to the nearest 1/1024 of a cell, so that crossings are decided in whole numbers."""

_OVERLAP = 0.01
"""Ends of lines are lengthened by this share of a cell, so that walls that touch meet."""


@dataclass(frozen=True, slots=True, eq=False)
class Walls:
    """Raised faces: x (rows, cols + 1) west faces of cells and the east edge, y (rows + 1, cols) north faces and edge.

    x, y: crest [m], NaN where there is no wall. line_x, line_y: number of the line, -1 where none. place_x, place_y:
    distance along that line [m], NaN where none. lengths: of the lines [m]. missed: lines too
    short to part any two cells.
    """

    x: Floats
    y: Floats
    line_x: Ints
    line_y: Ints
    place_x: Floats
    place_y: Floats
    lengths: Floats
    missed: tuple[int, ...]


class WallFaces(NamedTuple):
    """Raised faces as the loop reads them, (n,) each, in indices of the padded grid.

    axis: 0 is x, the west face of cell (row, col), 1 is y, its north face. crest: of the wall as built, not below the
    beds beside it [m]. base: the beds [m]. line; begin, end: the part of the line it stands for [m]. Sorted by row;
    faces row_start[i] to row_start[i + 1] belong to row i.
    """

    axis: Ints
    row: Ints
    col: Ints
    crest: Floats
    base: Floats
    line: Ints
    begin: Floats
    end: Floats
    row_start: Ints


def _check_line(
    number: int, points: NDArray[np.floating], crest: NDArray[np.floating] | float
) -> tuple[Floats, Floats]:
    xy = np.asarray(points, dtype=np.float64)
    if xy.ndim != 2 or xy.shape[1] != 2 or len(xy) < 2:
        raise InputError(f"wall {number} has points of shape {xy.shape}, expected (n, 2) with 2 points or more")
    if not np.isfinite(xy).all():
        raise InputError(f"wall {number}: point {int(np.argwhere(~np.isfinite(xy))[0][0])} is no number")
    z = np.asarray(crest, dtype=np.float64)
    if z.ndim > 1 or (z.ndim == 1 and z.shape != (len(xy),)):
        raise InputError(
            f"wall {number} has crests of shape {z.shape}, expected one number or one a point ({len(xy)},)"
        )
    z = np.broadcast_to(z, (len(xy),))
    bad = ~((z > -500.0) & (z < 9000.0))
    if bad.any():
        raise InputError(f"wall {number}: crest {int(np.argmax(bad))} is {z[bad][0]} m, expected -500 to 9000 m")
    return xy, z


def _lengthen(xy: Floats, by: float) -> Floats:
    """Return the line with its first and last piece lengthened by ``by`` [m]; a closed ring as it is."""
    if np.array_equal(xy[0], xy[-1]):
        return xy
    longer = xy.copy()
    for end, next_ in ((0, 1), (-1, -2)):
        along = xy[end] - xy[next_]
        length = float(np.hypot(*along))
        longer[end] += along / length * by if length > 0.0 else 0.0
    return longer


def _measure(xy: Floats) -> Floats:
    """Return the distance of each point along its line [m]."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])


def _cross(first: Ints, second: Ints, axis: int) -> tuple[Ints, Ints, Floats]:
    """Return where the piece from ``first`` to ``second`` crosses the lines of cell centres of one axis.

    Points are (column, row) from the first cell's centre in 1/(2 × _FINE) cells, odd, so that no corner lies on such a
    line. For each crossed line: its number, the number of the centre before the crossing, and the share of the piece.
    A piece through a centre itself is taken to pass just north of it, on both axes alike.
    """
    unit, other = 2 * _FINE, 1 - axis
    low, high = sorted((int(first[axis]), int(second[axis])))
    numbers = np.arange(-(-low // unit), high // unit + 1, dtype=np.int64)
    run, rise = int(second[axis] - first[axis]), int(second[other] - first[other])
    if run == 0 or numbers.size == 0:
        return numbers[:0], numbers[:0], np.empty(0)
    # place × run, in whole numbers: floor division by unit × run is exact.
    top = int(first[other]) * run + (numbers * unit - int(first[axis])) * rise
    bottom = unit * run
    if bottom < 0:
        top, bottom = -top, -bottom
    before = top // bottom
    through = top % bottom == 0
    # North is towards smaller rows. A piece moved north meets the row of centres a little later on its way south: to
    # the east of the centre where it heads south-east, to the west where it heads south-west.
    back = through if axis == 0 else through & (run * rise < 0)
    return numbers, before - back, (numbers * unit - int(first[axis])) / run


def _trace_line(xy: Floats, z: Floats, grid: Grid) -> tuple[Ints, Floats]:
    """Return axis, row and col (n, 3) of the faces a line crosses, and crest and place (n, 2) [m] there."""
    corner = np.array([grid.x_min, grid.y_max])
    longer = _lengthen(xy, _OVERLAP * grid.cell_size)
    cells = (longer - corner) / grid.cell_size * np.array([1.0, -1.0]) - 0.5
    points = 2 * np.round(cells * _FINE).astype(np.int64) + 1
    places, lengths = _measure(xy), np.hypot(*np.diff(longer, axis=0).T)
    ahead = np.hypot(*(longer[0] - xy[0]))
    faces, values = [np.empty((0, 3), dtype=np.int64)], [np.empty((0, 2))]
    for k in range(len(points) - 1):
        for axis in (0, 1):
            number, before, share = _cross(points[k], points[k + 1], axis)
            # Crossing a column of centres passes between two rows, a y face; crossing a row, an x face.
            row, col = (before + 1, number) if axis == 0 else (number, before + 1)
            inside = (row >= 0) & (col >= 0) & (row < grid.rows + (axis == 0)) & (col < grid.cols + (axis == 1))
            found = np.stack([np.full_like(row, 1 - axis), row, col], axis=1)[inside]
            faces.append(found)
            place = np.clip(places[k] - (ahead if k == 0 else 0.0) + share[inside] * lengths[k], 0.0, places[-1])
            values.append(np.stack([np.interp(place, places, z), place], axis=1))
    return np.concatenate(faces), np.concatenate(values)


def trace_walls(
    lines: Sequence[NDArray[np.floating]], crests: Sequence[NDArray[np.floating] | float], grid: Grid
) -> Walls:
    """Return the faces that lines raise.

    lines: points (n, 2) of each, x and y in the grid's CRS [m]. crests: elevation [m] of each, one number or one a
    point, linear between. Where lines share a face the higher crest counts. Raise InputError naming the wall at fault.
    """
    if len(lines) != len(crests):
        raise InputError(f"{len(lines)} walls and {len(crests)} crests, expected one crest a wall")
    shapes = ((grid.rows, grid.cols + 1), (grid.rows + 1, grid.cols))
    crest = [np.full(shape, -np.inf) for shape in shapes]
    line = [np.full(shape, -1, dtype=np.int64) for shape in shapes]
    place = [np.full(shape, np.nan) for shape in shapes]
    missed, lengths = [], []
    for number, (points, heights) in enumerate(zip(lines, crests, strict=True)):
        xy, z = _check_line(number, points, heights)
        faces, values = _trace_line(xy, z, grid)
        lengths.append(float(_measure(xy)[-1]))
        if not len(faces):
            missed.append(number)
        for (axis, row, col), (height, along) in zip(faces.tolist(), values.tolist(), strict=True):
            if height > crest[axis][row, col]:
                crest[axis][row, col], line[axis][row, col], place[axis][row, col] = height, number, along
    x, y = (np.where(np.isfinite(values), values, np.nan) for values in crest)
    return Walls(x, y, line[0], line[1], place[0], place[1], np.array(lengths, dtype=np.float64), tuple(missed))


def list_faces(walls: Walls, crest_x: NDArray[np.floating], crest_y: NDArray[np.floating]) -> WallFaces:
    """Return the raised faces that stand above ``crest_x`` and ``crest_y`` [m], the padded crests without walls.

    Each face stands for the part of its line up to half way to the faces before and after along it, the first and the
    last one up to the line's end.
    """
    found: list[list[Floats]] = []
    for axis, (crest, line, place, bed) in enumerate(
        ((walls.x, walls.line_x, walls.place_x, crest_x), (walls.y, walls.line_y, walls.place_y, crest_y))
    ):
        below = np.asarray(bed, dtype=np.float64)[1:, 1:][: crest.shape[0], : crest.shape[1]]
        row, col = np.nonzero((line >= 0) & (np.nan_to_num(crest, nan=-np.inf) > below))
        values = (line[row, col], place[row, col], np.full(row.size, axis), row + 1, col + 1)
        found.append([np.asarray(v, dtype=np.float64) for v in (*values, crest[row, col], below[row, col])])
    table = np.concatenate([np.stack(part) for part in found], axis=1)
    line_, place_, axis_, row_, col_, crest_, base_ = table[:, np.lexsort(table[:5][::-1])]
    begin, end = np.zeros(line_.size), walls.lengths[line_.astype(np.int64)]
    beside = np.nonzero(np.diff(line_) == 0.0)[0]
    begin[beside + 1] = end[beside] = 0.5 * (place_[beside] + place_[beside + 1])
    by_row = np.argsort(row_, kind="stable")
    axes, rows, cols, lines = (values[by_row].astype(np.int64) for values in (axis_, row_, col_, line_))
    crests, bases, begins, ends = (values[by_row] for values in (crest_, base_, begin, end))
    return WallFaces(axes, rows, cols, crests, bases, lines, begins, ends, start_rows(rows, len(crest_x)))


def start_rows(rows: Ints, count: int) -> Ints:
    """Return where the entries of each of ``count`` rows begin in sorted ``rows``, and the end."""
    return np.searchsorted(rows, np.arange(count + 1)).astype(np.int64)


@compile_row
def limit_weir(q: float, stage_up: float, stage_down: float, crest: float) -> float:
    """Return the unit discharge [m2/s] cut to what a weir passes, |q| <= 1.7 H^1.5 with Villemonte's factor.

    stage_up, stage_down: stages on the side q comes from and goes to; crest [m]. See compute_weir.
    """
    most = compute_weir(stage_up - crest, stage_down - crest, WEIR_COEFFICIENT, 1.0)
    return min(max(q, -most), most)


@compile_row
def limit_walls(
    faces: WallFaces,
    i: int,
    stage: NDArray[Any],
    crest_x: NDArray[Any],
    crest_y: NDArray[Any],
    x: NDArray[Any],
    y: NDArray[Any],
) -> None:
    """Cut the discharges x and y [m2/s] of the raised faces of row ``i`` to weir flow over crest_x and crest_y [m].

    stage [m] and all else padded. A crest that a breach has lowered counts as it is now.
    """
    for f in range(faces.row_start[i], faces.row_start[i + 1]):
        j = faces.col[f]
        along = faces.axis[f] == 0
        before, after = (stage[i, j - 1] if along else stage[i - 1, j]), stage[i, j]
        q, crest = (x[i, j], crest_x[i, j]) if along else (y[i, j], crest_y[i, j])
        if q == 0.0:
            continue
        cut = limit_weir(q, before, after, crest) if q > 0.0 else limit_weir(q, after, before, crest)
        if along:
            x[i, j] = cut
        else:
            y[i, j] = cut
