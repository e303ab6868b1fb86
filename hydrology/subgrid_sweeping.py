"""One step of the coarse cells: which blocks flow, discharges through the faces, depths and stages of the cells.

A block of a row sleeps while no cell in it or beside it stands above the level at which its first face opens: rain
that ponds below every sill costs a lookup and no flow.
"""

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop, compile_part
from hydrology.forcing import Forcing
from hydrology.subgrid_domain import Blocks, Terrain, Water
from hydrology.subgrid_forcing import Places
from hydrology.subgrid_kernels import (
    BLOCK,
    limit_outflow,
    look_up_face,
    update_depths,
    update_faces,
)
from hydrology.subgrid_lookups import (
    CellPieces,
    FacePieces,
    find_heights,
    find_pieces,
    find_wet,
    move_on,
    read_depths,
    read_roughness,
    read_stages,
)
from hydrology.sweeping import Scheme

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]
Flags = NDArray[np.uint8]
Index = NDArray[np.int64]


@compile_loop
def mark_active(blocks: Blocks, bands: Index) -> int:
    """Set which blocks this step visits: flowing, beside one that is, or at rest for less than two steps; count.

    bands: first row of each thread's share and the end (threads + 1,), set so that each has about as many blocks.
    """
    wet, linger, active = blocks
    count, threads = 0, bands.size - 1
    for i in range(1, wet.shape[0] - 1):
        for b in range(1, wet.shape[1] - 1):
            if wet[i, b] | wet[i - 1, b] | wet[i + 1, b] | wet[i, b - 1] | wet[i, b + 1]:
                linger[i, b] = 2
                active[i, b] = 1
            elif linger[i, b] > 0:
                linger[i, b] -= 1
                active[i, b] = 1
            else:
                active[i, b] = 0
            count += active[i, b]
    passed, band = 0, 1
    bands[0] = 1
    for i in range(1, wet.shape[0] - 1):
        if threads == 1:
            break
        for b in range(1, wet.shape[1] - 1):
            passed += active[i, b]
        while band < threads and passed * threads >= count * band:
            bands[band] = i + 1
            band += 1
    bands[threads] = wet.shape[0] - 1
    return count


@compile_part
def find_run(flags: Flags, b: int, whole: bool, end: int) -> tuple[int, int, int]:
    """Return the cells [lo, hi) of the next run of flagged blocks of a row from block ``b`` on, and the block after it.

    flags (blocks + 2,); ``whole`` takes all; end: one past the last cell. lo = hi = end where there is none.
    """
    last = flags.size - 1
    while b < last and not (whole or flags[b]):
        b += 1
    first = b
    while b < last and (whole or flags[b]):
        b += 1
    return min(1 + (first - 1) * BLOCK, end), min(1 + (b - 1) * BLOCK, end), b


@compile_part
def read_row_faces(
    before: Array, after: Array, low: Array, per_span: Array32, face: Array32, pieces: FacePieces, lines: Array32,
    i: int, lo: int, hi: int, dry_depth: float, lean: float,
) -> None:  # fmt: skip
    """Write depth [m] and n² [SI] of the faces of the cells [lo, hi) of row ``i`` to the second and third of ``lines``.

    before, after: rows of stages (hi - lo,). low, per_span, face: of the faces, 2-D; see Terrain.
    """
    over = lines[0, lo:hi]
    find_heights(before, after, low[i, lo:hi], dry_depth, lean, over)
    begin, end = pieces.begin[i, lo:hi], pieces.end[i, lo:hi]
    depth, depth_slope = pieces.depth[i, lo:hi], pieces.depth_slope[i, lo:hi]
    rough, rough_slope, rough_deep = pieces.rough[i, lo:hi], pieces.rough_slope[i, lo:hi], pieces.rough_deep[i, lo:hi]
    move_on(over, per_span[i, lo:hi], face[i, lo:hi], begin, end, depth, depth_slope, rough, rough_slope, rough_deep)
    read_depths(over, depth, depth_slope, lines[1, lo:hi])
    read_roughness(over, lines[1, lo:hi], rough, rough_slope, rough_deep, lines[2, lo:hi])


@compile_part
def update_row_faces(
    water: Water, x: Array32, y: Array32, new_x: Array32, new_y: Array32, terrain: Terrain, pieces_x: FacePieces,
    pieces_y: FacePieces, lines: Array32, i: int, lo: int, hi: int, dt: float, scheme: Scheme,
) -> None:  # fmt: skip
    """Write the discharge through the west and north faces of the cells [lo, hi) of row ``i``; lines (3, cols) free."""
    stage, steep = water.stage, water.steep
    depth, rough = lines[1, lo:hi], lines[2, lo:hi]
    here, west, north = stage[i, lo:hi], stage[i, lo - 1 : hi - 1], stage[i - 1, lo:hi]
    read_row_faces(
        west, here, terrain.low_x, terrain.per_span_x, terrain.face_x, pieces_x, lines, i, lo, hi,
        scheme.dry_depth, terrain.lean,
    )  # fmt: skip
    update_faces(
        west, here, steep[i, lo - 1 : hi - 1], steep[i, lo:hi], depth, rough,
        x[i, lo:hi], y[i, lo - 1 : hi], y[i + 1, lo - 1 : hi], new_x[i, lo:hi],
        dt, scheme.cell_size, scheme.gravity, scheme.froude_max, scheme.courant,
    )  # fmt: skip
    read_row_faces(
        north, here, terrain.low_y, terrain.per_span_y, terrain.face_y, pieces_y, lines, i, lo, hi,
        scheme.dry_depth, terrain.lean,
    )  # fmt: skip
    update_faces(
        north, here, steep[i - 1, lo:hi], steep[i, lo:hi], depth, rough,
        y[i, lo:hi], x[i - 1, lo : hi + 1], x[i, lo : hi + 1], new_y[i, lo:hi],
        dt, scheme.cell_size, scheme.gravity, scheme.froude_max, scheme.courant,
    )  # fmt: skip


@compile_loop
def update_free_faces(
    water: Water, new_x: Array32, new_y: Array32, terrain: Terrain, forcing: Forcing, places: Places, scheme: Scheme
) -> None:
    """Let water leave the free faces as uniform flow, q = H^(5/3) S^(1/2) / n, below the Froude limit."""
    for i in range(forcing.free_start.size - 1):
        for k in range(forcing.free_start[i], forcing.free_start[i + 1]):
            col, along = forcing.free_face[k], forcing.free_axis[k] == 0
            over = water.stage[forcing.free_row[k], forcing.free_col[k]] - places.free_low[k]
            q = 0.0
            if over > scheme.dry_depth:
                table = terrain.face_x[i, col] if along else terrain.face_y[i, col]
                per_span = terrain.per_span_x[i, col] if along else terrain.per_span_y[i, col]
                depth, rough = look_up_face(np.float32(over), per_span, table)
                h = max(np.float64(depth), 0.0)
                q = min(
                    h ** (5.0 / 3.0) * forcing.free_slope_by_n[k] / np.sqrt(rough),
                    scheme.froude_max * h * np.sqrt(scheme.gravity * h),
                )
            if along:
                new_x[i, col] = forcing.free_sign[k] * q
            else:
                new_y[i, col] = forcing.free_sign[k] * q


@compile_part
def update_row_depths(
    water: Water, new_x: Array32, new_y: Array32, after: Array, terrain: Terrain, blocks: Blocks, i: int, dt: float
) -> float:
    """Write the depths of row ``i`` to ``after``; return the lowest [m]."""
    end, lowest = after.shape[1] - 1, 0.0
    lo, hi, b = find_run(blocks.active[i], 1, False, end)
    while lo < hi:
        low = update_depths(
            water.depth[i, lo:hi], terrain.per_length[i, lo:hi], new_x[i, lo : hi + 1], new_y[i, lo:hi],
            new_y[i + 1, lo:hi], dt, after[i, lo:hi],
        )  # fmt: skip
        lowest = min(lowest, low)
        lo, hi, b = find_run(blocks.active[i], b, False, end)
    return lowest


@compile_loop
def keep_above_empty(
    water: Water, new_x: Array32, new_y: Array32, after: Array, terrain: Terrain, blocks: Blocks, short: Flags,
    dt: float,
) -> None:  # fmt: skip
    """Repeat the rows marked in ``short`` with limited outflow until no depth is below zero.

    A limited cell stays limited, and what it withholds can only shorten the next one, so the loop ends.
    """
    end, rows = after.shape[1] - 1, after.shape[0]
    while short.any():
        for i in range(1, rows - 1):
            if short[i]:
                lo, hi, b = find_run(blocks.active[i], 1, False, end)
                while lo < hi:
                    limit_outflow(
                        water.depth[i, lo:hi], terrain.per_length[i, lo:hi], after[i, lo:hi],
                        new_x[i, lo : hi + 1], new_y[i, lo:hi], new_y[i + 1, lo:hi], dt,
                    )  # fmt: skip
                    lo, hi, b = find_run(blocks.active[i], b, False, end)
        again = short.copy()
        again[:-1] |= short[1:]
        again[1:] |= short[:-1]
        for i in range(1, rows - 1):
            short[i] = 0
            if again[i]:
                short[i] = update_row_depths(water, new_x, new_y, after, terrain, blocks, i, dt) < 0.0


@compile_part
def take_depths(water: Water, after: Array, blocks: Blocks, i: int) -> None:
    """Make the depths ``after`` of the active blocks of row ``i`` those of the water."""
    end = after.shape[1] - 1
    lo, hi, b = find_run(blocks.active[i], 1, False, end)
    while lo < hi:
        for j in range(lo, hi):
            water.depth[i, j] = after[i, j]
        lo, hi, b = find_run(blocks.active[i], b, False, end)


@compile_part
def sweep_faces(
    first: int, last: int, water: Water, x: Array32, y: Array32, new_x: Array32, new_y: Array32, terrain: Terrain,
    pieces_x: FacePieces, pieces_y: FacePieces, blocks: Blocks, lines: Array32, dt: float, scheme: Scheme,
) -> None:  # fmt: skip
    """Write the discharges of the active blocks of the rows [first, last) to ``new_x`` and ``new_y``."""
    end = water.depth.shape[1] - 1
    for i in range(first, last):
        lo, hi, b = find_run(blocks.active[i], 1, False, end)
        while lo < hi:
            update_row_faces(water, x, y, new_x, new_y, terrain, pieces_x, pieces_y, lines, i, lo, hi, dt, scheme)
            lo, hi, b = find_run(blocks.active[i], b, False, end)


@compile_part
def sweep_depths(
    first: int, last: int, water: Water, new_x: Array32, new_y: Array32, after: Array, terrain: Terrain,
    blocks: Blocks, short: Flags, dt: float,
) -> None:  # fmt: skip
    """Write the depths of the rows [first, last) to ``after`` and mark in ``short`` those with one below zero."""
    for i in range(first, last):
        short[i] = update_row_depths(water, new_x, new_y, after, terrain, blocks, i, dt) < 0.0


@compile_part
def finish_rows(
    first: int, last: int, water: Water, after: Array, terrain: Terrain, pieces: CellPieces, blocks: Blocks,
    whole: bool, scheme: Scheme,
) -> float:  # fmt: skip
    """Take over the depths of the rows [first, last) and look up their stages, as ``refresh_rows`` does."""
    for i in range(first, last):
        take_depths(water, after, blocks, i)
    return refresh_rows(first, last, water, terrain, pieces, blocks, whole, scheme)


@compile_part
def refresh_rows(
    first: int,
    last: int,
    water: Water,
    terrain: Terrain,
    pieces: CellPieces,
    blocks: Blocks,
    whole: bool,
    scheme: Scheme,
) -> float:
    """Look up the stages of the active blocks, or of all; return the largest height over an opening level [m]."""
    end, highest = water.depth.shape[1] - 1, 0.0
    for i in range(first, last):
        lo, hi, b = find_run(blocks.active[i], 1, whole, end)
        while lo < hi:
            depth, computed = water.depth[i, lo:hi], terrain.per_length[i, lo:hi]
            at, slope = pieces.at[i, lo:hi], pieces.slope[i, lo:hi]
            find_pieces(
                depth, computed, terrain.base[i, lo:hi], terrain.per_full[i, lo:hi], terrain.full[i, lo:hi],
                terrain.above[i, lo:hi], terrain.stage[i, lo:hi], pieces.begin[i, lo:hi], pieces.end[i, lo:hi],
                at, slope, water.steep[i, lo:hi],
            )  # fmt: skip
            stage, wet = water.stage[i, lo:hi], blocks.wet[i, 1 + (lo - 1) // BLOCK : b]
            read_stages(depth, computed, at, slope, stage)
            high = find_wet(stage, computed, terrain.spill[i, lo:hi], scheme.dry_depth, wet)
            highest = max(highest, high)
            lo, hi, b = find_run(blocks.active[i], b, whole, end)
    return highest


@compile_loop
def refresh_stages(water: Water, terrain: Terrain, pieces: CellPieces, blocks: Blocks, scheme: Scheme) -> float:
    """Look up the stages of all cells; return the largest height over an opening level [m]."""
    return refresh_rows(1, water.depth.shape[0] - 1, water, terrain, pieces, blocks, True, scheme)
