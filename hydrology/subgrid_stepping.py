"""The compiled time loop of the subgrid solver: which blocks flow, faces, cells, sources, the length of the step.

A block of a row sleeps while no cell in it or beside it stands above the level at which its first face opens: rain
that ponds below every sill costs a lookup and no flow.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from hydrology.subgrid_kernels import (
    BLOCK,
    limit_outflow,
    look_up_face,
    look_up_stage,
    look_up_stages,
    read_faces,
    record_cells,
    update_depths,
    update_faces,
)

REACHED, STEP_TOO_SHORT = 0, 1
STAGE_IN, STAGE_OUT, DISCHARGE_IN, RAIN, FREE_OUT = range(5)

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]
Index = NDArray[np.int64]
Flags = NDArray[np.uint8]


class Terrain(NamedTuple):
    """What does not change during a run; 2-D arrays are the coarse grid with a ring around, tables as SubgridTables.

    per_length: 1 / cell size where the stage is computed, else 0 [1/m]. per_full, per_span: levels² / height of the
    table [1/m]. low: opening level of the faces [m], WALL where closed. spill: lowest of a cell's four [m].
    rain_share: share of the rain that becomes water, by area [1]. last_place: place in the cell's table of the
    highest pixel under ``arrival_depth``.
    """

    per_length: Array
    base: Array
    full: Array
    per_full: Array
    above: Array
    stage: Array32
    low_x: Array
    low_y: Array
    per_span_x: Array32
    per_span_y: Array32
    face_x: Array32
    face_y: Array32
    spill: Array
    rain_share: Array
    last_place: Array


class Drive(NamedTuple):
    """Where things act, in indices of the coarse grid with its ring.

    rim: prescribed cells beside computed ones. link: faces between the two, axis 0 is x, sign +1 where positive
    discharge enters the computed cell. inlet: cells with inflow and their share of it [1]. free: faces open to the
    outside with the level at which they open [m] and slope^(1/2).
    """

    rim_row: Index
    rim_col: Index
    rim_boundary: Index
    link_axis: Index
    link_row: Index
    link_col: Index
    link_sign: Array
    inlet_row: Index
    inlet_col: Index
    inlet_boundary: Index
    inlet_share: Array
    free_axis: Index
    free_row: Index
    free_col: Index
    free_cell_row: Index
    free_cell_col: Index
    free_sign: Array
    free_low: Array
    free_root: Array


class Span(NamedTuple):
    """Forcing between two times [s], linear: stages [m], [m/s]; inflow [m3/s], [m3/s2]; rain [m/s]."""

    start: float
    end: float
    stage: Array
    stage_rate: Array
    inflow: Array
    inflow_rate: Array
    rain: float


class Water(NamedTuple):
    """The state, changed in place: mean depth [m], unit discharges [m2/s]; stage [m] and dS/dD [1] follow from it."""

    depth: Array
    x: Array32
    y: Array32
    stage: Array
    steep: Array32


class Record(NamedTuple):
    """What a run remembers of each cell: [m], [s], [m/s], levels reached and when [s] after the solver's start."""

    depth: Array
    peak: Array
    speed: Array32
    reached: Flags
    arrival: Array32


class Blocks(NamedTuple):
    """State of each block of a row, (rows + 2, blocks + 2): flows, visits left, visited in this step."""

    wet: Flags
    linger: Flags
    active: Flags


class Scheme(NamedTuple):
    """Numbers of FloodParameters and the cell size [m] as the loop reads them.

    origin: start of the solver [s]. lean: see update_faces.
    """

    cell_size: float
    origin: float
    lean: float
    courant: float
    froude_max: float
    dry_depth: float
    gravity: float
    dt_max: float
    dt_min: float
    speed_depth: float
    maxima_step: float
    source_step: float


@compile_loop
def refresh_stage(water: Water, terrain: Terrain, i: int, j: int) -> None:
    """Look up the stage of one computed cell again after its depth changed."""
    water.stage[i, j] = look_up_stage(
        water.depth[i, j], terrain.base[i, j], terrain.per_full[i, j], terrain.full[i, j], terrain.above[i, j],
        terrain.stage[i, j],
    )  # fmt: skip


@compile_loop
def pour(water: Water, terrain: Terrain, blocks: Blocks, i: int, j: int, volume: float, cell_size: float) -> float:
    """Give ``volume`` [m3] to a cell, or take it where negative, no more than there is; return what was moved [m3].

    Prescribed cells take and give anything and keep their stage.
    """
    if terrain.per_length[i, j] == 0.0:
        return volume
    area = cell_size * cell_size
    left = max(water.depth[i, j] + volume / area, 0.0)
    moved = float((left - water.depth[i, j]) * area)
    water.depth[i, j] = left
    refresh_stage(water, terrain, i, j)
    blocks.wet[i, 1 + (j - 1) // BLOCK] = 1
    return moved


@compile_loop
def mark_active(blocks: Blocks) -> int:
    """Set which blocks this step visits: flowing, beside one that is, or at rest for less than two steps; count."""
    wet, linger, active = blocks
    count = 0
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
    return count


@compile_loop
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


@compile_loop
def update_row_faces(
    water: Water, new_x: Array32, new_y: Array32, terrain: Terrain, lines: Array32, i: int, lo: int, hi: int,
    dt: float, scheme: Scheme,
) -> None:  # fmt: skip
    """Write the discharge through the west and north faces of the cells [lo, hi) of row ``i``; lines (2, cols) free."""
    stage, steep, x, y = water.stage, water.steep, water.x, water.y
    depth, rough = lines[0, lo:hi], lines[1, lo:hi]
    here, west, north = stage[i, lo:hi], stage[i, lo - 1 : hi - 1], stage[i - 1, lo:hi]
    read_faces(
        west, here, terrain.low_x[i, lo:hi], terrain.per_span_x[i, lo:hi], terrain.face_x[i, lo:hi],
        scheme.dry_depth, scheme.lean, depth, rough,
    )  # fmt: skip
    update_faces(
        west, here, steep[i, lo - 1 : hi - 1], steep[i, lo:hi], depth, rough,
        x[i, lo:hi], y[i, lo - 1 : hi], y[i + 1, lo - 1 : hi], new_x[i, lo:hi],
        dt, scheme.cell_size, scheme.gravity, scheme.froude_max, scheme.courant,
    )  # fmt: skip
    read_faces(
        north, here, terrain.low_y[i, lo:hi], terrain.per_span_y[i, lo:hi], terrain.face_y[i, lo:hi],
        scheme.dry_depth, scheme.lean, depth, rough,
    )  # fmt: skip
    update_faces(
        north, here, steep[i - 1, lo:hi], steep[i, lo:hi], depth, rough,
        y[i, lo:hi], x[i - 1, lo : hi + 1], x[i, lo : hi + 1], new_y[i, lo:hi],
        dt, scheme.cell_size, scheme.gravity, scheme.froude_max, scheme.courant,
    )  # fmt: skip


@compile_loop
def update_free_faces(
    water: Water, new_x: Array32, new_y: Array32, terrain: Terrain, drive: Drive, scheme: Scheme
) -> None:
    """Let water leave the free faces as uniform flow, q = H^(5/3) S^(1/2) / n, below the Froude limit."""
    for k in range(drive.free_axis.size):
        row, col, along = drive.free_row[k], drive.free_col[k], drive.free_axis[k] == 0
        over = water.stage[drive.free_cell_row[k], drive.free_cell_col[k]] - drive.free_low[k]
        q = 0.0
        if over > scheme.dry_depth:
            table = terrain.face_x[row, col] if along else terrain.face_y[row, col]
            per_span = terrain.per_span_x[row, col] if along else terrain.per_span_y[row, col]
            depth, rough = look_up_face(np.float32(over), per_span, table)
            h = max(np.float64(depth), 0.0)
            q = min(
                h ** (5.0 / 3.0) * drive.free_root[k] / np.sqrt(rough),
                scheme.froude_max * h * np.sqrt(scheme.gravity * h),
            )
        if along:
            new_x[row, col] = drive.free_sign[k] * q
        else:
            new_y[row, col] = drive.free_sign[k] * q


@compile_loop
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


@compile_loop
def sweep(
    water: Water, new_x: Array32, new_y: Array32, after: Array, terrain: Terrain, drive: Drive, blocks: Blocks,
    short: Flags, lines: Array32, dt: float, scheme: Scheme,
) -> None:  # fmt: skip
    """Do one step of the active blocks: discharges to ``new_x`` and ``new_y``, depths in ``water``."""
    rows, end = after.shape[0], after.shape[1] - 1
    for i in range(1, rows - 1):
        lo, hi, b = find_run(blocks.active[i], 1, False, end)
        while lo < hi:
            update_row_faces(water, new_x, new_y, terrain, lines, i, lo, hi, dt, scheme)
            lo, hi, b = find_run(blocks.active[i], b, False, end)
    update_free_faces(water, new_x, new_y, terrain, drive, scheme)
    any_short = False
    for i in range(1, rows - 1):
        short[i] = update_row_depths(water, new_x, new_y, after, terrain, blocks, i, dt) < 0.0
        any_short |= short[i] > 0
    if any_short:
        keep_above_empty(water, new_x, new_y, after, terrain, blocks, short, dt)
    for i in range(1, rows - 1):
        lo, hi, b = find_run(blocks.active[i], 1, False, end)
        while lo < hi:
            water.depth[i, lo:hi] = after[i, lo:hi]
            lo, hi, b = find_run(blocks.active[i], b, False, end)


@compile_loop
def refresh_stages(water: Water, terrain: Terrain, blocks: Blocks, whole: bool, scheme: Scheme) -> float:
    """Look up the stages of the active blocks, or of all; return the largest height over an opening level [m]."""
    end, highest = water.depth.shape[1] - 1, 0.0
    for i in range(1, water.depth.shape[0] - 1):
        lo, hi, b = find_run(blocks.active[i], 1, whole, end)
        while lo < hi:
            high = look_up_stages(
                water.depth[i, lo:hi], terrain.per_length[i, lo:hi], terrain.base[i, lo:hi],
                terrain.per_full[i, lo:hi], terrain.full[i, lo:hi], terrain.above[i, lo:hi],
                terrain.stage[i, lo:hi], terrain.spill[i, lo:hi], water.stage[i, lo:hi], water.steep[i, lo:hi],
                scheme.dry_depth, blocks.wet[i, 1 + (lo - 1) // BLOCK : b],
            )  # fmt: skip
            highest = max(highest, high)
            lo, hi, b = find_run(blocks.active[i], b, whole, end)
    return highest


@compile_loop
def hold_stages(
    water: Water, terrain: Terrain, drive: Drive, span: Span, elapsed: float, blocks: Blocks, scheme: Scheme
) -> float:
    """Set the prescribed cells that border computed ones; return the largest height over a face between them [m]."""
    for k in range(drive.rim_row.size):
        row, col, which = drive.rim_row[k], drive.rim_col[k], drive.rim_boundary[k]
        water.stage[row, col] = max(span.stage[which] + elapsed * span.stage_rate[which], terrain.base[row, col])
    highest = 0.0
    for k in range(drive.link_axis.size):
        row, col = drive.link_row[k], drive.link_col[k]
        west, north = 1 - drive.link_axis[k], drive.link_axis[k]
        low = terrain.low_x[row, col] if west else terrain.low_y[row, col]
        over = max(water.stage[row, col], water.stage[row - north, col - west]) - low
        highest = max(highest, over)
        if over > scheme.dry_depth:
            blocks.wet[row, 1 + (col - 1) // BLOCK] = 1
            blocks.wet[row - north, 1 + (col - west - 1) // BLOCK] = 1
    return highest


@compile_loop
def add_sources(
    water: Water, terrain: Terrain, drive: Drive, span: Span, elapsed: float, dt: float, rained: float,
    blocks: Blocks, accounts: Array, scheme: Scheme,
) -> None:  # fmt: skip
    """Add the inflow of a step that ends ``elapsed`` into the span, and ``rained`` [m] of rain, to the depths."""
    area = scheme.cell_size * scheme.cell_size
    if rained > 0.0:
        for i in range(1, water.depth.shape[0] - 1):
            for j in range(1, water.depth.shape[1] - 1):
                water.depth[i, j] += rained * terrain.rain_share[i, j]
    for k in range(drive.inlet_row.size):
        row, col, which = drive.inlet_row[k], drive.inlet_col[k], drive.inlet_boundary[k]
        volume = (span.inflow[which] + (elapsed - 0.5 * dt) * span.inflow_rate[which]) * dt * drive.inlet_share[k]
        accounts[DISCHARGE_IN] += volume
        if terrain.per_length[row, col] > 0.0:
            water.depth[row, col] += volume / area
            if volume > 0.0:
                blocks.wet[row, 1 + (col - 1) // BLOCK] = 1
        else:
            accounts[STAGE_OUT] += volume


@compile_loop
def account_exchange(new_x: Array32, new_y: Array32, drive: Drive, dt: float, accounts: Array, scheme: Scheme) -> None:
    """Add what crossed the faces of prescribed cells and the free faces in this step [m3]."""
    scale = dt * scheme.cell_size
    for k in range(drive.link_axis.size):
        field = new_x if drive.link_axis[k] == 0 else new_y
        volume = scale * np.float64(field[drive.link_row[k], drive.link_col[k]]) * drive.link_sign[k]
        if volume > 0.0:
            accounts[STAGE_IN] += volume
        else:
            accounts[STAGE_OUT] -= volume
    for k in range(drive.free_axis.size):
        field = new_x if drive.free_axis[k] == 0 else new_y
        accounts[FREE_OUT] += scale * np.float64(field[drive.free_row[k], drive.free_col[k]]) * drive.free_sign[k]


@compile_loop
def record(
    water: Water, x: Array32, y: Array32, terrain: Terrain, blocks: Blocks, memory: Record, time: float, whole: bool,
    scheme: Scheme,
) -> None:  # fmt: skip
    """Raise the maxima of the active blocks, or of the whole grid."""
    end = water.depth.shape[1] - 1
    for i in range(1, water.depth.shape[0] - 1):
        lo, hi, b = find_run(blocks.active[i], 1, whole, end)
        while lo < hi:
            record_cells(
                water.depth[i, lo:hi], terrain.per_length[i, lo:hi], terrain.per_full[i, lo:hi],
                x[i, lo : hi + 1], y[i, lo:hi], y[i + 1, lo:hi], time - scheme.origin, scheme.speed_depth,
                terrain.last_place[i, lo:hi], memory.depth[i, lo:hi], memory.peak[i, lo:hi],
                memory.speed[i, lo:hi], memory.reached[i, lo:hi], memory.arrival[i, lo:hi],
            )  # fmt: skip
            lo, hi, b = find_run(blocks.active[i], b, whole, end)


@compile_loop
def choose_step(water: Water, drive: Drive, span: Span, elapsed: float, highest: float, scheme: Scheme) -> float:
    """Return the longest stable step [s], courant × cell size / (g h)^(1/2), h being the height over a face.

    An inflow may raise its cell by its own mean depth and 5 cm in one step.
    """
    step, area = scheme.dt_max, scheme.cell_size * scheme.cell_size
    if highest > scheme.dry_depth:
        step = min(step, scheme.courant * scheme.cell_size / np.sqrt(scheme.gravity * highest))
    for k in range(drive.inlet_row.size):
        which = drive.inlet_boundary[k]
        now = span.inflow[which] + elapsed * span.inflow_rate[which]
        rate = max(now, now + step * span.inflow_rate[which]) * drive.inlet_share[k] / area
        if rate > 0.0:
            step = min(step, (0.05 + water.depth[drive.inlet_row[k], drive.inlet_col[k]]) / rate)
    return step


@compile_loop
def advance(
    water: Water, terrain: Terrain, drive: Drive, span: Span, blocks: Blocks, memory: Record, accounts: Array,
    scheme: Scheme,
) -> tuple[int, float, int, int]:  # fmt: skip
    """Run from the start of the span to its end; ``accounts`` [m3] and ``memory`` grow on the way.

    Return the status, the time reached [s], the steps and the cell updates.
    """
    time, steps, updates = span.start, 0, 0
    rained, rain_time, recorded, wetted = 0.0, span.start, span.start, True
    shape = water.depth.shape
    rain_area = terrain.rain_share.sum() * scheme.cell_size * scheme.cell_size
    x, y, new_x, new_y = water.x, water.y, water.x.copy(), water.y.copy()
    after, short = np.zeros(shape), np.zeros(shape[0], np.uint8)
    lines = np.zeros((2, shape[1]), np.float32)
    highest = refresh_stages(water, terrain, blocks, True, scheme)
    highest = max(highest, hold_stages(water, terrain, drive, span, 0.0, blocks, scheme))
    status = REACHED
    while time < span.end:
        elapsed, left = time - span.start, span.end - time
        dt = choose_step(water, drive, span, elapsed, highest, scheme)
        if not dt >= min(scheme.dt_min, left):
            status = STEP_TOO_SHORT
            break
        # Two equal last steps rather than a full one and a sliver.
        dt = left if left <= dt else (0.5 * left if left < 2.0 * dt else dt)
        time = span.end if dt == left else time + dt
        elapsed = time - span.start
        rained += span.rain * dt
        raining = rained > 0.0 and (time - rain_time >= scheme.source_step or time >= span.end)
        portion = rained if raining else 0.0
        add_sources(water, terrain, drive, span, elapsed, dt, portion, blocks, accounts, scheme)
        if raining:
            accounts[RAIN] += rained * rain_area
            rained, rain_time, wetted = 0.0, time, True
        updates += mark_active(blocks) * BLOCK
        now = Water(water.depth, x, y, water.stage, water.steep)
        sweep(now, new_x, new_y, after, terrain, drive, blocks, short, lines, dt, scheme)
        account_exchange(new_x, new_y, drive, dt, accounts, scheme)
        x, y, new_x, new_y = new_x, new_y, x, y
        steps += 1
        highest = refresh_stages(water, terrain, blocks, raining, scheme)
        highest = max(highest, hold_stages(water, terrain, drive, span, elapsed, blocks, scheme))
        if time - recorded >= scheme.maxima_step or time >= span.end:
            record(water, x, y, terrain, blocks, memory, time, wetted or time >= span.end, scheme)
            recorded, wetted = time, False
    if steps % 2:
        water.x[:] = x
        water.y[:] = y
    return status, time, steps, updates
