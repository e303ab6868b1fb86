"""The compiled time loop of the subgrid solver: length of the step, what adds water, the sweep, what is remembered."""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop, compile_twice
from hydrology.forcing import Forcing, Segment
from hydrology.links import Links
from hydrology.sources import RAIN, account_exchange
from hydrology.subgrid_domain import Blocks, Terrain, Water
from hydrology.subgrid_ends import Ends
from hydrology.subgrid_forcing import Places
from hydrology.subgrid_kernels import BLOCK
from hydrology.subgrid_lookups import CellPieces, FacePieces
from hydrology.subgrid_record import Memory, count, remember
from hydrology.subgrid_sources import add_inflow, add_rain, hold_stages, serve_points, work_structures
from hydrology.subgrid_sweeping import (
    finish_rows,
    keep_above_empty,
    mark_active,
    refresh_stages,
    sweep_depths,
    sweep_faces,
    update_free_faces,
)
from hydrology.sweeping import Scheme
from hydrology.sweeping import Water as Surface

REACHED, STEP_TOO_SHORT, LEFT = 0, 1, 2

Array = NDArray[np.float64]


class Clock(NamedTuple):
    """Where the loop is in a segment, one number each [s]: now, last rain, last look at the maxima, last count.

    highest: largest height over a face [m]; wetted: whether it rained since the last look at the maxima.
    """

    now: Array
    rained: Array
    recorded: Array
    counted: Array
    highest: Array
    wetted: NDArray[np.uint8]


@compile_loop
def start_segment(
    water: Water,
    terrain: Terrain,
    forcing: Forcing,
    places: Places,
    segment: Segment,
    cells: CellPieces,
    blocks: Blocks,
    scheme: Scheme,
) -> Clock:
    """Return the clock at the start of a segment: nothing of what came before but the water itself has a say."""
    highest = refresh_stages(water, terrain, cells, blocks, scheme)
    highest = max(highest, hold_stages(water, terrain, forcing, segment, 0.0, blocks, scheme))
    start = np.full(1, segment.start)
    return Clock(start, start.copy(), start.copy(), start.copy(), np.full(1, highest), np.ones(1, np.uint8))


@compile_loop
def choose_step(
    water: Water, forcing: Forcing, places: Places, segment: Segment, elapsed: float, highest: float, scheme: Scheme
) -> float:
    """Return the longest stable step [s], courant × cell size / (g h)^(1/2), h being the height over a face.

    An inflow may raise its cell by its own mean depth and 5 cm in one step.
    """
    step, area = scheme.dt_max, scheme.cell_size * scheme.cell_size
    if highest > scheme.dry_depth:
        step = min(step, scheme.courant * scheme.cell_size / np.sqrt(scheme.gravity * highest))
    for k in range(forcing.inlet_row.size):
        which = forcing.inlet_boundary[k]
        now = segment.inflow[which] + elapsed * segment.inflow_rate[which]
        rate = max(now, now + step * segment.inflow_rate[which]) * places.inlet_weight[k] / area
        if rate > 0.0:
            step = min(step, (0.05 + water.depth[forcing.inlet_row[k], forcing.inlet_col[k]]) / rate)
    return step


def _advance(
    water: Water,
    terrain: Terrain,
    forcing: Forcing,
    places: Places,
    segment: Segment,
    rain: Array,
    links: Links,
    ends: Ends,
    settings: Array,
    running: NDArray[np.uint8],
    moved: Array,
    point_rates: Array,
    point_volumes: Array,
    cells: CellPieces,
    west: FacePieces,
    north: FacePieces,
    blocks: Blocks,
    memory: Memory,
    accounts: Array,
    scheme: Scheme,
    clock: Clock,
    threads: int,
    most_steps: int,
) -> tuple[int, int, int]:
    """Run to the segment's end, or for ``most_steps``; ``accounts`` [m3], ``moved`` [m3] and ``memory`` grow.

    rain: mean rate on each coarse cell with the ring [m/s]; segment.rain: their sum [m3/s]. Return how the loop was
    left, the steps and the cell updates.
    """
    time, steps, updates, highest = clock.now[0], 0, 0, clock.highest[0]
    shape = water.depth.shape
    x, y, new_x, new_y = water.x, water.y, water.x.copy(), water.y.copy()
    after, short = np.zeros(shape), np.zeros(shape[0], np.uint8)
    lines = np.zeros((threads, 3, shape[1]), np.float32)
    bands, heights = np.zeros(threads + 1, np.int64), np.zeros(threads)
    status = REACHED
    while time < segment.end:
        if steps >= most_steps:
            status = LEFT
            break
        elapsed, left = time - segment.start, segment.end - time
        dt = choose_step(water, forcing, places, segment, elapsed, highest, scheme)
        if not dt >= min(scheme.dt_min, left):
            status = STEP_TOO_SHORT
            break
        # Two equal last steps rather than a full one and a sliver.
        dt = left if left <= dt else (0.5 * left if left < 2.0 * dt else dt)
        time = segment.end if dt == left else time + dt
        elapsed = time - segment.start
        work_structures(
            water, terrain, links, ends, settings, running, moved, segment, elapsed, dt, blocks, accounts, scheme
        )
        serve_points(water, terrain, forcing, point_rates, dt, blocks, point_volumes, accounts, scheme)
        add_inflow(water, terrain, forcing, places, segment, elapsed, dt, blocks, accounts, scheme)
        span = time - clock.rained[0]
        raining = segment.rain > 0.0 and (span >= scheme.source_step or time >= segment.end)
        if raining:
            add_rain(water.depth, rain, span)
            accounts[RAIN] += segment.rain * span
            clock.rained[0], clock.wetted[0] = time, 1
        updates += mark_active(blocks, bands) * BLOCK
        for band in numba.prange(threads):
            sweep_faces(
                bands[band], bands[band + 1], water, x, y, new_x, new_y, terrain, west, north, blocks, lines[band],
                dt, scheme,
            )  # fmt: skip
        update_free_faces(water, new_x, new_y, terrain, forcing, places, scheme)
        for band in numba.prange(threads):
            sweep_depths(bands[band], bands[band + 1], water, new_x, new_y, after, terrain, blocks, short, dt)
        if short.any():
            keep_above_empty(water, new_x, new_y, after, terrain, blocks, short, dt)
        account_exchange(Surface(water.stage, new_x, new_y), forcing, dt, scheme, accounts)
        x, y, new_x, new_y = new_x, new_y, x, y
        steps += 1
        for band in numba.prange(threads):
            heights[band] = finish_rows(
                bands[band], bands[band + 1], water, after, terrain, cells, blocks, raining, scheme
            )
        highest = max(heights.max(), hold_stages(water, terrain, forcing, segment, elapsed, blocks, scheme))
        if time - clock.recorded[0] >= scheme.maxima_step or time >= segment.end:
            remember(water, x, y, terrain, blocks, memory, time, clock.wetted[0] > 0 or time >= segment.end, scheme)
            clock.recorded[0], clock.wetted[0] = time, 0
        if time - clock.counted[0] >= scheme.duration_step or time >= segment.end:
            count(water, terrain, memory, time)
            clock.counted[0] = time
    clock.now[0], clock.highest[0] = time, highest
    if steps % 2:
        water.x[:] = x
        water.y[:] = y
    return status, steps, updates


advance, advance_in_parallel = compile_twice(_advance)
