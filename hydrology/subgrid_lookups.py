"""Tables read in pieces: a cell or face keeps the straight line of its table it is on until it leaves it.

Between two steps the water hardly moves, so that a step reads a few rows of numbers in order instead of the tables.
Which piece a cell or face is in follows from its water alone: what was kept before leaves no trace in the result.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_row
from hydrology.subgrid_kernels import BLOCK

Row = NDArray[Any]
Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

CHUNK = 32
"""Cells or faces that are looked at together for one that left its piece."""

TINY = 1.0e-12


class CellPieces(NamedTuple):
    """Stage = at + slope × depth for mean depths from begin to end [m]; the coarse grid with its ring."""

    begin: Array
    end: Array
    at: Array
    slope: Array


class FacePieces(NamedTuple):
    """Depth and n² of faces for heights over their opening level from begin to end [m]; the coarse grid with its ring.

    depth = depth + depth_slope × height; n² = rough + rough_slope × height + rough_deep / depth².
    """

    begin: Array32
    end: Array32
    depth: Array32
    depth_slope: Array32
    rough: Array32
    rough_slope: Array32
    rough_deep: Array32


class Lookups(NamedTuple):
    """The pieces of the cells, of their west and of their north faces: the coarse grid with its ring."""

    cells: CellPieces
    x: FacePieces
    y: FacePieces


def make_lookups(shape: tuple[int, int]) -> Lookups:
    """Return lookups of a coarse grid of ``shape`` with its ring, in which nothing has been looked up."""
    cells = CellPieces(np.full(shape, np.inf), np.full(shape, -np.inf), np.zeros(shape), np.zeros(shape))
    x, y = (
        FacePieces(
            np.full(shape, np.inf, dtype=np.float32),
            np.full(shape, -np.inf, dtype=np.float32),
            *(np.zeros(shape, dtype=np.float32) for _ in range(5)),
        )
        for _ in range(2)
    )
    return Lookups(cells, x, y)


@compile_row
def find_face_piece(
    over: np.float32, per_span: np.float32, face: Row, k: int, begin: Row, end: Row, depth: Row, depth_slope: Row,
    rough: Row, rough_slope: Row, rough_deep: Row,
) -> None:  # fmt: skip
    """Write the piece that ``over`` [m] lies in to entry ``k``; face and per_span as in look_up_face."""
    last, one = face.shape[0] - 2, np.float32(1.0)
    m = min(np.int32(np.sqrt(over * per_span)), np.int32(last))
    # Rounding of the root or the quotient may miss by one.
    while m < last and over >= np.float32((m + 1) * (m + 1)) / per_span:
        m += 1
    while m > 0 and over < np.float32(m * m) / per_span:
        m -= 1
    square = np.float32(m * m)
    begin[k] = square / per_span if m > 0 else np.float32(0.0)
    if m == last:
        top, end[k] = face[last, 0], np.float32(np.inf)
        depth_slope[k] = face[last + 1, 0]
        depth[k] = top - square / per_span * face[last + 1, 0]
        rough[k], rough_slope[k] = face[last + 1, 1], np.float32(0.0)
        rough_deep[k] = top * top * (face[last, 1] - face[last + 1, 1])
        return
    # The last number before the next piece.
    following = np.float32(np.float32((m + 1) * (m + 1)) / per_span)
    end[k] = np.int32(following.view(np.int32) - np.int32(1)).view(np.float32)
    part = one / np.float32(2 * m + 1)
    rise, gain = (face[m + 1, 0] - face[m, 0]) * part, (face[m + 1, 1] - face[m, 1]) * part
    depth_slope[k], depth[k] = per_span * rise, face[m, 0] - square * rise
    rough_slope[k], rough[k] = per_span * gain, face[m, 1] - square * gain
    rough_deep[k] = np.float32(0.0)


@compile_row
def find_heights(before: Row, after: Row, low: Row, dry_depth: float, lean: float, over: Row) -> None:
    """Write the height over their opening level [m] at which n faces are read, 0 where they are dry.

    It is that of the higher stage where the lower side is dry, and nearer to the mean of both the more they agree:
    ``lean`` is how far, 1/2 (1 - 1 / factor), which is where the fine solver reads between two fine cells.

    before, after: stage of the two cells of each face [m] (n,). low: stage at which the face opens [m].
    """
    towards, dry, zero, tiny = np.float32(lean), np.float32(dry_depth), np.float32(0.0), np.float32(TINY)
    for k in range(over.size):
        one, other = np.float32(before[k] - low[k]), np.float32(after[k] - low[k])
        high, under = max(one, other), max(min(one, other), zero)
        value = high - towards * (high - under) * under / max(high, tiny)
        over[k] = value if high > dry else zero


@compile_row
def move_on(
    over: Row, per_span: Row, face: Row, begin: Row, end: Row, depth: Row, depth_slope: Row, rough: Row,
    rough_slope: Row, rough_deep: Row,
) -> None:  # fmt: skip
    """Look up the pieces of the wet ones of n faces that have left theirs.

    face (n, levels + 2, 2); over and the pieces in metres and SI (n,); else as find_face_piece.
    """
    zero = np.float32(0.0)
    for first in range(0, over.size, CHUNK):
        last, most = min(first + CHUNK, over.size), zero
        for k in range(first, last):
            beyond = max(begin[k] - over[k], over[k] - end[k])
            most = max(most, beyond if over[k] > zero else zero)
        if most <= zero:
            continue
        for k in range(first, last):
            if over[k] > zero and (over[k] < begin[k] or over[k] > end[k]):
                find_face_piece(
                    over[k], per_span[k], face[k], k, begin, end, depth, depth_slope, rough, rough_slope, rough_deep
                )


@compile_row
def read_depths(over: Row, at: Row, slope: Row, depth: Row) -> None:
    """Write the depth [m] of n faces, 0 where they are dry."""
    zero = np.float32(0.0)
    for k in range(over.size):
        depth[k] = at[k] + over[k] * slope[k] if over[k] > zero else zero


@compile_row
def read_roughness(over: Row, depth: Row, at: Row, slope: Row, deep: Row, rough: Row) -> None:
    """Write the n² [SI] of n faces with ``depth`` [m]."""
    tiny = np.float32(TINY)
    for k in range(over.size):
        rough[k] = at[k] + over[k] * slope[k] + deep[k] / max(depth[k] * depth[k], tiny)


@compile_row
def find_cell_piece(
    depth: float, base: float, per_full: float, full: float, above: float, table: Row, k: int, begin: Row, end: Row,
    at: Row, slope: Row,
) -> None:  # fmt: skip
    """Write the piece that a mean ``depth`` [m] lies in to entry ``k``; table and per_full as in look_up_stage."""
    last = table.size - 1
    place = depth * per_full
    m = last if place >= last * last else int(np.sqrt(place))
    while m < last and depth >= (m + 1) * (m + 1) / per_full:
        m += 1
    while m > 0 and depth < m * m / per_full:
        m -= 1
    begin[k] = m * m / per_full if m > 0 else 0.0
    low = base + np.float64(table[m])
    if m == last:
        end[k], slope[k] = np.inf, above
        at[k] = low - full * above
        return
    following = np.float64((m + 1) * (m + 1) / per_full)
    end[k] = np.int64(following.view(np.int64) - np.int64(1)).view(np.float64)
    gain = (np.float64(table[m + 1]) - np.float64(table[m])) / (2 * m + 1)
    slope[k], at[k] = gain * per_full, low - m * m * gain


@compile_row
def find_pieces(
    depth: Row, per_length: Row, base: Row, per_full: Row, full: Row, above: Row, table: Row, begin: Row, end: Row,
    at: Row, slope: Row, steep: Row,
) -> None:  # fmt: skip
    """Look up the pieces of the computed cells that have left theirs, and their dS/dD [1].

    table (n, levels + 1), else as find_cell_piece.
    """
    for first in range(0, depth.size, CHUNK):
        last, most = min(first + CHUNK, depth.size), 0.0
        for k in range(first, last):
            beyond = max(begin[k] - depth[k], depth[k] - end[k])
            most = max(most, beyond if per_length[k] > 0.0 else 0.0)
        if most <= 0.0:
            continue
        for k in range(first, last):
            if per_length[k] > 0.0 and (depth[k] < begin[k] or depth[k] > end[k]):
                find_cell_piece(depth[k], base[k], per_full[k], full[k], above[k], table[k], k, begin, end, at, slope)
                steep[k] = np.float32(slope[k])


@compile_row
def read_stages(depth: Row, per_length: Row, at: Row, slope: Row, stage: Row) -> None:
    """Write the stage [m] of the computed ones of n cells."""
    for k in range(depth.size):
        level = at[k] + slope[k] * depth[k]
        stage[k] = level if per_length[k] > 0.0 else stage[k]


@compile_row
def find_wet(stage: Row, per_length: Row, spill: Row, dry_depth: float, wet: Row) -> float:
    """Return the largest height of computed cells over their lowest face [m].

    spill: the level at which the first face of a cell opens [m]. wet: 1 for blocks with a cell more than ``dry_depth``
    [m] over it, else 0.
    """
    highest = 0.0
    for block in range(wet.size):
        high = 0.0
        for k in range(block * BLOCK, min(block * BLOCK + BLOCK, stage.size)):
            over = stage[k] - spill[k]
            high = max(high, over if per_length[k] > 0.0 else 0.0)
        wet[block] = high > dry_depth
        highest = max(highest, high)
    return highest
