"""The compiled time loop of the subgrid solver: length of the step, what adds water, the sweep, what is remembered."""

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from hydrology.forcing import Forcing, Segment
from hydrology.links import Links
from hydrology.sources import RAIN, account_exchange
from hydrology.subgrid_domain import Blocks, Terrain, Water
from hydrology.subgrid_ends import Ends
from hydrology.subgrid_forcing import Places
from hydrology.subgrid_kernels import BLOCK
from hydrology.subgrid_lookups import Lookups
from hydrology.subgrid_record import Memory, count, remember
from hydrology.subgrid_sources import add_inflow, add_rain, hold_stages, serve_points, work_structures
from hydrology.subgrid_sweeping import mark_active, refresh_stages, sweep
from hydrology.sweeping import Scheme
from hydrology.sweeping import Water as Surface

REACHED, STEP_TOO_SHORT = 0, 1

Array = NDArray[np.float64]


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


@compile_loop
def advance(
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
    lookups: Lookups,
    blocks: Blocks,
    memory: Memory,
    accounts: Array,
    scheme: Scheme,
) -> tuple[int, float, int, int]:
    """Run from the start of the segment to its end; ``accounts`` [m3], ``moved`` [m3] and ``memory`` grow on the way.

    rain: mean rate on each coarse cell with the ring [m/s]; segment.rain: their sum [m3/s]. Return the status, the time
    reached [s], the steps and the cell updates.
    """
    time, steps, updates = segment.start, 0, 0
    rain_time, recorded, counted, wetted = segment.start, segment.start, segment.start, True
    shape = water.depth.shape
    x, y, new_x, new_y = water.x, water.y, water.x.copy(), water.y.copy()
    after, short = np.zeros(shape), np.zeros(shape[0], np.uint8)
    lines = np.zeros((3, shape[1]), np.float32)
    highest = refresh_stages(water, terrain, lookups, blocks, True, scheme)
    highest = max(highest, hold_stages(water, terrain, forcing, segment, 0.0, blocks, scheme))
    status = REACHED
    while time < segment.end:
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
        raining = segment.rain > 0.0 and (time - rain_time >= scheme.source_step or time >= segment.end)
        if raining:
            add_rain(water.depth, rain, time - rain_time)
            accounts[RAIN] += segment.rain * (time - rain_time)
            rain_time, wetted = time, True
        updates += mark_active(blocks) * BLOCK
        now = Water(water.depth, x, y, water.stage, water.steep)
        sweep(now, new_x, new_y, after, terrain, forcing, places, lookups, blocks, short, lines, dt, scheme)
        account_exchange(Surface(water.stage, new_x, new_y), forcing, dt, scheme, accounts)
        x, y, new_x, new_y = new_x, new_y, x, y
        steps += 1
        highest = refresh_stages(water, terrain, lookups, blocks, raining, scheme)
        highest = max(highest, hold_stages(water, terrain, forcing, segment, elapsed, blocks, scheme))
        if time - recorded >= scheme.maxima_step or time >= segment.end:
            remember(water, x, y, terrain, blocks, memory, time, wetted or time >= segment.end, scheme)
            recorded, wetted = time, False
        if time - counted >= scheme.duration_step or time >= segment.end:
            count(water, terrain, memory, time)
            counted = time
    if steps % 2:
        water.x[:] = x
        water.y[:] = y
    return status, time, steps, updates
