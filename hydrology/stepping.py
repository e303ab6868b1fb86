"""The compiled time loop: which blocks are wet, one sweep over the rows, the sources, the length of the step.

Blocks of a row that are dry, with dry neighbours, are not visited. Two sets of stages and discharges take turns as
old and new; a block that falls dry is visited twice more, after which both sets agree and stay so.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from hydrology.domain import BLOCK, Domain
from hydrology.forcing import Forcing, Segment
from hydrology.kernels import (
    add_depth,
    blend_inertia,
    compute_flow,
    compute_normal_discharge,
    limit_outflow,
    record_depths,
    record_flow,
    update_faces,
    update_stages,
)

REACHED, STEP_TOO_SHORT = 0, 1
STAGE_IN, STAGE_OUT, DISCHARGE_IN, RAIN, PUMPED_OUT, FREE_OUT = range(6)


class Fields(NamedTuple):
    """One set of stages [m] and unit discharges [m2/s], (rows + 2, cols + 2)."""

    stage: NDArray[np.float64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]


class Maxima(NamedTuple):
    """What the run remembers of each cell, (rows + 2, cols + 2): [m], [m/s], [m2/s] and [s] (inf: never)."""

    depth: NDArray[np.float32]
    speed: NDArray[np.float32]
    hazard: NDArray[np.float32]
    arrival: NDArray[np.float64]


class Blocks(NamedTuple):
    """State of each block of a row, (rows + 2, blocks + 2): wet, visits left, visited in this step."""

    wet: NDArray[np.uint8]
    linger: NDArray[np.uint8]
    active: NDArray[np.uint8]


class Scheme(NamedTuple):
    """FloodParameters and the cell size [m] as the loop reads them."""

    cell_size: float
    theta: float
    courant: float
    froude_max: float
    dry_depth: float
    gravity: float
    dt_max: float
    dt_min: float
    arrival_depth: float
    speed_depth: float
    maxima_step: float
    source_step: float


@compile_loop
def mark_active(blocks: Blocks) -> int:
    """Set which blocks this step visits: wet, beside a wet one, or dry for less than two steps; return how many."""
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
def update_row_faces(
    old: Fields, new: Fields, domain: Domain, i: int, lo: int, hi: int, dt: float, scheme: Scheme, blend: Fields
) -> None:
    """Update the west and north faces of the cells [lo, hi) of row ``i``."""
    stage, x, y = old
    inertia_x, inertia_y = x[i, lo:hi], y[i, lo:hi]
    if scheme.theta < 1.0:
        inertia_x, inertia_y = blend.x[i, lo:hi], blend.y[i, lo:hi]
        blend_inertia(x[i, lo - 1 : hi - 1], x[i, lo:hi], x[i, lo + 1 : hi + 1], scheme.theta, inertia_x)
        blend_inertia(y[i - 1, lo:hi], y[i, lo:hi], y[i + 1, lo:hi], scheme.theta, inertia_y)
    update_faces(
        stage[i, lo - 1 : hi - 1], stage[i, lo:hi], domain.crest_x[i, lo:hi], domain.friction_x[i, lo:hi],
        x[i, lo:hi], inertia_x, y[i, lo - 1 : hi], y[i + 1, lo - 1 : hi], new.x[i, lo:hi],
        dt, scheme.cell_size, scheme.gravity, scheme.dry_depth, scheme.froude_max,
    )  # fmt: skip
    update_faces(
        stage[i - 1, lo:hi], stage[i, lo:hi], domain.crest_y[i, lo:hi], domain.friction_y[i, lo:hi],
        y[i, lo:hi], inertia_y, x[i - 1, lo : hi + 1], x[i, lo : hi + 1], new.y[i, lo:hi],
        dt, scheme.cell_size, scheme.gravity, scheme.dry_depth, scheme.froude_max,
    )  # fmt: skip


@compile_loop
def update_free_faces(old: Fields, new: Fields, domain: Domain, forcing: Forcing, i: int, scheme: Scheme) -> None:
    """Set the discharge through the free faces listed under row ``i``."""
    for k in range(forcing.free_start[i], forcing.free_start[i + 1]):
        row, col = forcing.free_row[k], forcing.free_col[k]
        depth = old.stage[row, col] - domain.bed[row, col]
        q = compute_normal_discharge(
            depth, forcing.free_slope_by_n[k], scheme.gravity, scheme.dry_depth, scheme.froude_max
        )
        if forcing.free_axis[k] == 0:
            new.x[i, forcing.free_face[k]] = forcing.free_sign[k] * q
        else:
            new.y[i, forcing.free_face[k]] = forcing.free_sign[k] * q


@compile_loop
def update_row_stages(
    old: Fields, new: Fields, domain: Domain, blocks: Blocks, i: int, dt: float, scheme: Scheme
) -> tuple[float, float]:
    """Update the stages of row ``i`` and which of its blocks are wet; return the lowest and the highest depth [m]."""
    end = old.stage.shape[1] - 1
    lowest, highest = 1.0e30, 0.0
    for b in range(1, blocks.active.shape[1] - 1):
        if blocks.active[i, b]:
            lo = 1 + (b - 1) * BLOCK
            hi = min(lo + BLOCK, end)
            low, high = update_stages(
                old.stage[i, lo:hi], domain.bed[i, lo:hi], domain.per_length[i, lo:hi],
                new.x[i, lo : hi + 1], new.y[i, lo:hi], new.y[i + 1, lo:hi], dt, new.stage[i, lo:hi],
            )  # fmt: skip
            high *= scheme.cell_size
            blocks.wet[i, b] = high > scheme.dry_depth
            lowest, highest = min(lowest, low), max(highest, high)
    return lowest, highest


@compile_loop
def keep_above_bed(
    old: Fields, new: Fields, domain: Domain, blocks: Blocks, short: NDArray[np.uint8], dt: float, scheme: Scheme
) -> None:
    """Repeat the stage update of the rows marked in ``short`` with limited outflow until no depth is below zero.

    A limited cell stays limited, and what it withholds can only shorten the next one, so the loop ends.
    """
    end, rows = old.stage.shape[1] - 1, old.stage.shape[0]
    while short.any():
        for i in range(1, rows - 1):
            if short[i]:
                for b in range(1, blocks.active.shape[1] - 1):
                    if blocks.active[i, b]:
                        lo = 1 + (b - 1) * BLOCK
                        hi = min(lo + BLOCK, end)
                        limit_outflow(
                            old.stage[i, lo:hi], domain.bed[i, lo:hi], domain.per_length[i, lo:hi],
                            new.stage[i, lo:hi], new.x[i, lo : hi + 1], new.y[i, lo:hi], new.y[i + 1, lo:hi], dt,
                        )  # fmt: skip
        again = short.copy()
        again[:-1] |= short[1:]
        again[1:] |= short[:-1]
        for i in range(1, rows - 1):
            short[i] = 0
            if again[i]:
                lowest, _ = update_row_stages(old, new, domain, blocks, i, dt, scheme)
                short[i] = lowest < 0.0


@compile_loop
def sweep(
    old: Fields,
    new: Fields,
    domain: Domain,
    forcing: Forcing,
    blocks: Blocks,
    dt: float,
    scheme: Scheme,
    blend: Fields,
    short: NDArray[np.uint8],
) -> float:
    """Do one step of all active blocks, faces of a row just before the stages of the row above; return max depth."""
    rows, end = old.stage.shape[0], old.stage.shape[1] - 1
    count = blocks.active.shape[1]
    highest, any_short = 0.0, False
    for i in range(1, rows):
        b = 1
        while i < rows - 1 and b < count - 1:
            if blocks.active[i, b] == 0:
                b += 1
                continue
            first = b
            while b < count - 1 and blocks.active[i, b]:
                b += 1
            lo, hi = 1 + (first - 1) * BLOCK, min(1 + (b - 1) * BLOCK, end)
            update_row_faces(old, new, domain, i, lo, hi, dt, scheme, blend)
        update_free_faces(old, new, domain, forcing, i, scheme)
        if i > 1:
            lowest, high = update_row_stages(old, new, domain, blocks, i - 1, dt, scheme)
            highest = max(highest, high)
            if lowest < 0.0:
                short[i - 1] = 1
                any_short = True
    if any_short:
        keep_above_bed(old, new, domain, blocks, short, dt, scheme)
    return highest


@compile_loop
def account_exchange(new: Fields, forcing: Forcing, dt: float, scheme: Scheme, accounts: NDArray[np.float64]) -> None:
    """Add what crossed the faces of prescribed cells and the free faces in this step [m3]."""
    scale = dt * scheme.cell_size
    for k in range(forcing.link_axis.size):
        field = new.x if forcing.link_axis[k] == 0 else new.y
        volume = scale * np.float64(field[forcing.link_face_row[k], forcing.link_face_col[k]]) * forcing.link_sign[k]
        if volume > 0.0:
            accounts[STAGE_IN] += volume
        else:
            accounts[STAGE_OUT] -= volume
    for i in range(forcing.free_start.size - 1):
        for k in range(forcing.free_start[i], forcing.free_start[i + 1]):
            field = new.x if forcing.free_axis[k] == 0 else new.y
            accounts[FREE_OUT] += scale * np.float64(field[i, forcing.free_face[k]]) * forcing.free_sign[k]


@compile_loop
def hold_stages(
    stage: NDArray[np.float64],
    domain: Domain,
    forcing: Forcing,
    segment: Segment,
    elapsed: float,
    blocks: Blocks,
    scheme: Scheme,
) -> float:
    """Set the prescribed cells that border computed ones; return the largest depth over a face between them [m].

    A river below its banks wakes nothing: only faces that water stands over make their blocks wet.
    """
    for k in range(forcing.rim_row.size):
        row, col, which = forcing.rim_row[k], forcing.rim_col[k], forcing.rim_boundary[k]
        level = segment.stage[which] + elapsed * segment.stage_rate[which]
        stage[row, col] = max(level, domain.bed[row, col])
    highest = 0.0
    for k in range(forcing.link_axis.size):
        row, col = forcing.link_face_row[k], forcing.link_face_col[k]
        west, north = 1 - forcing.link_axis[k], forcing.link_axis[k]
        crest = domain.crest_x[row, col] if west else domain.crest_y[row, col]
        over = max(stage[row, col], stage[row - north, col - west]) - crest
        highest = max(highest, over)
        if over > scheme.dry_depth:
            blocks.wet[row, 1 + (col - 1) // BLOCK] = 1
            blocks.wet[row - north, 1 + (col - west - 1) // BLOCK] = 1
    return highest


@compile_loop
def add_inflow(
    stage: NDArray[np.float64],
    domain: Domain,
    forcing: Forcing,
    segment: Segment,
    elapsed: float,
    dt: float,
    blocks: Blocks,
    accounts: NDArray[np.float64],
    scheme: Scheme,
) -> float:
    """Add the inflow of a step that ends ``elapsed`` into the segment; return the largest depth of its cells [m]."""
    highest, area = 0.0, scheme.cell_size * scheme.cell_size
    for k in range(forcing.inlet_row.size):
        row, col, which = forcing.inlet_row[k], forcing.inlet_col[k], forcing.inlet_boundary[k]
        rate = segment.inflow[which] + (elapsed - 0.5 * dt) * segment.inflow_rate[which]
        if rate > 0.0:
            stage[row, col] += rate * dt
            accounts[DISCHARGE_IN] += rate * dt * area
            blocks.wet[row, 1 + (col - 1) // BLOCK] = 1
        highest = max(highest, stage[row, col] - domain.bed[row, col])
    return highest


@compile_loop
def run_pumps(
    stage: NDArray[np.float64],
    domain: Domain,
    forcing: Forcing,
    dt: float,
    running: NDArray[np.uint8],
    pumped: NDArray[np.float64],
    blocks: Blocks,
    accounts: NDArray[np.float64],
    scheme: Scheme,
) -> None:
    """Move water from each pump's cell to where it delivers, never more than the cell holds."""
    area = scheme.cell_size * scheme.cell_size
    for k in range(forcing.pump_row.size):
        row, col = forcing.pump_row[k], forcing.pump_col[k]
        depth = stage[row, col] - domain.bed[row, col]
        if depth <= forcing.pump_stop[k]:
            running[k] = 0
        elif depth >= forcing.pump_start[k]:
            running[k] = 1
        if running[k] and depth > 0.0:
            left = max(stage[row, col] - forcing.pump_capacity[k] * dt / area, domain.bed[row, col])
            taken = stage[row, col] - left
            stage[row, col] = left
            pumped[k] += taken * area
            to_row, to_col = forcing.pump_to_row[k], forcing.pump_to_col[k]
            if to_row > 0 and domain.per_length[to_row, to_col] > 0.0:
                stage[to_row, to_col] += taken
                blocks.wet[to_row, 1 + (to_col - 1) // BLOCK] = 1
            else:
                accounts[PUMPED_OUT] += taken * area


@compile_loop
def add_rain(stage: NDArray[np.float64], domain: Domain, amount: float, blocks: Blocks, scheme: Scheme) -> float:
    """Raise every computed cell by ``amount`` [m] times its share; return the largest depth [m]."""
    end, highest = stage.shape[1] - 1, 0.0
    for i in range(1, stage.shape[0] - 1):
        for b in range(1, blocks.wet.shape[1] - 1):
            lo = 1 + (b - 1) * BLOCK
            hi = min(lo + BLOCK, end)
            high = scheme.cell_size * add_depth(
                amount, domain.rain_share[i, lo:hi], domain.bed[i, lo:hi], domain.per_length[i, lo:hi],
                stage[i, lo:hi],
            )  # fmt: skip
            blocks.linger[i, b] = 2
            if high > scheme.dry_depth:
                blocks.wet[i, b] = 1
            highest = max(highest, high)
    return highest


@compile_loop
def record_maxima(
    now: Fields,
    domain: Domain,
    blocks: Blocks,
    maxima: Maxima,
    flow: NDArray[np.float32],
    time: float,
    whole: bool,
    scheme: Scheme,
) -> None:
    """Raise the maxima of the active blocks, or of the whole grid."""
    end = now.stage.shape[1] - 1
    for i in range(1, now.stage.shape[0] - 1):
        for b in range(1, blocks.active.shape[1] - 1):
            if whole or blocks.active[i, b]:
                lo = 1 + (b - 1) * BLOCK
                hi = min(lo + BLOCK, end)
                stage, bed = now.stage[i, lo:hi], domain.bed[i, lo:hi]
                record_depths(stage, bed, time, scheme.arrival_depth, maxima.depth[i, lo:hi], maxima.arrival[i, lo:hi])
                out = flow[: hi - lo]
                compute_flow(now.x[i, lo : hi + 1], now.y[i, lo:hi], now.y[i + 1, lo:hi], out)
                record_flow(out, stage, bed, scheme.speed_depth, maxima.speed[i, lo:hi], maxima.hazard[i, lo:hi])


@compile_loop
def choose_step(
    stage: NDArray[np.float64],
    domain: Domain,
    forcing: Forcing,
    segment: Segment,
    elapsed: float,
    highest: float,
    scheme: Scheme,
) -> float:
    """Return the longest stable step [s]: courant × cell size / (g h)^(1/2), Bates 2010 eq. 14.

    An inflow may raise its cell by its own depth and 5 cm in one step, so that the first steps into a dry cell are
    short.
    """
    step = scheme.dt_max
    if highest > scheme.dry_depth:
        step = min(step, scheme.courant * scheme.cell_size / np.sqrt(scheme.gravity * highest))
    for k in range(forcing.inlet_row.size):
        row, col, which = forcing.inlet_row[k], forcing.inlet_col[k], forcing.inlet_boundary[k]
        rate = segment.inflow[which] + elapsed * segment.inflow_rate[which]
        later = segment.inflow[which] + (elapsed + step) * segment.inflow_rate[which]
        if max(rate, later) > 0.0:
            step = min(step, (0.05 + stage[row, col] - domain.bed[row, col]) / max(rate, later))
    return step


@compile_loop
def advance(
    old: Fields,
    new: Fields,
    domain: Domain,
    forcing: Forcing,
    segment: Segment,
    blocks: Blocks,
    maxima: Maxima,
    running: NDArray[np.uint8],
    pumped: NDArray[np.float64],
    accounts: NDArray[np.float64],
    scheme: Scheme,
    highest: float,
) -> tuple[int, float, float, int, int]:
    """Run from the segment's start to its end; ``accounts`` [m3], ``pumped`` [m3] and ``maxima`` grow on the way.

    Return the status, the time reached [s], the largest depth [m], the steps and the cell updates. After an odd
    number of steps ``new`` holds the present.
    """
    time, steps, updates = segment.start, 0, 0
    rained, rain_time, recorded = 0.0, segment.start, segment.start
    rows, cols = old.stage.shape
    blend = Fields(old.stage, np.zeros((rows, cols), np.float32), np.zeros((rows, cols), np.float32))
    short, flow = np.zeros(rows, np.uint8), np.zeros(BLOCK, np.float32)
    while time < segment.end:
        elapsed, left = time - segment.start, segment.end - time
        dt = choose_step(old.stage, domain, forcing, segment, elapsed, highest, scheme)
        if not dt >= min(scheme.dt_min, left):
            return STEP_TOO_SHORT, time, highest, steps, updates
        # Two equal last steps rather than a full one and a sliver.
        dt = left if left <= dt else (0.5 * left if left < 2.0 * dt else dt)
        time = segment.end if dt == left else time + dt
        elapsed = time - segment.start
        updates += mark_active(blocks) * BLOCK
        highest = sweep(old, new, domain, forcing, blocks, dt, scheme, blend, short)
        account_exchange(new, forcing, dt, scheme, accounts)
        old, new = new, old
        steps += 1
        highest = max(highest, add_inflow(
            old.stage, domain, forcing, segment, elapsed, dt, blocks, accounts, scheme))  # fmt: skip
        run_pumps(old.stage, domain, forcing, dt, running, pumped, blocks, accounts, scheme)
        rained += segment.rain * dt
        if rained > 0.0 and (time - rain_time >= scheme.source_step or time >= segment.end):
            highest = max(highest, add_rain(old.stage, domain, rained, blocks, scheme))
            accounts[RAIN] += rained * forcing.rain_area
            rained, rain_time = 0.0, time
        highest = max(highest, hold_stages(old.stage, domain, forcing, segment, elapsed, blocks, scheme))
        if time - recorded >= scheme.maxima_step or time >= segment.end:
            record_maxima(old, domain, blocks, maxima, flow, time, time >= segment.end, scheme)
            recorded = time
    return REACHED, time, highest, steps, updates
