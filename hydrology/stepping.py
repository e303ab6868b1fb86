"""The compiled time loop: the length of the step, the sweep, what adds and takes water, what is remembered.

A stretch of time between two stops is a segment; its forcing is linear. The loop may be left after a number of steps
and taken up again without a difference to the water.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from hydrology.advection import compute_inertia, find_velocities
from hydrology.breaches import BreachFaces, set_breaches
from hydrology.compile import compile_loop, compile_part, compile_twice
from hydrology.domain import TILE_ROWS, Domain
from hydrology.forcing import Forcing, Segment
from hydrology.kernels import find_deepest, read_bits, record_depths, record_durations, record_flow
from hydrology.links import Links
from hydrology.sources import (
    ACCOUNTS,
    MADE,
    RAIN,
    STAGE_OUT,
    account_exchange,
    add_inflow,
    add_rain,
    hold_stages,
    serve_points,
    spread_film,
    work_structures,
)
from hydrology.sweeping import Buffers, Scheme, Water, copy_edges, finish_bands, keep_above_bed, sweep_band
from hydrology.tiling import Tiles, count_active, look_again
from hydrology.walls import WallFaces

REACHED, STEP_TOO_SHORT, LEFT = 0, 1, 2


class Maxima(NamedTuple):
    """What the run remembers of each cell, (rows + 2, columns + 2) float32.

    depth [m], speed [m/s], hazard [m2/s], arrival [s] (inf: never) and durations (thresholds, …) [s].
    """

    depth: NDArray[np.float32]
    speed: NDArray[np.float32]
    hazard: NDArray[np.float32]
    arrival: NDArray[np.float32]
    durations: NDArray[np.float32]


class Record(NamedTuple):
    """What a run counts.

    accounts [m3] (see sources.ACCOUNTS), infiltrated [m3] (1,), moved: volumes of each structure there and back (n, 2)
    [m3], seen: their sum at the last look (n,), counts: steps and cell updates (2,).
    """

    accounts: NDArray[np.float64]
    infiltrated: NDArray[np.float64]
    moved: NDArray[np.float64]
    seen: NDArray[np.float64]
    counts: NDArray[np.int64]


def make_record(structures: int) -> Record:
    """Return an empty record of a run with so many structures."""
    moved, seen = np.zeros((structures, 2)), np.zeros(structures)
    return Record(np.zeros(len(ACCOUNTS)), np.zeros(1), moved, seen, np.zeros(2, dtype=np.int64))


class Clock(NamedTuple):
    """Where the loop is in a segment, one number each [s]: now, last rain, last look at the maxima.

    counted: last count of durations. highest: largest depth that limits the next step [m]; since_look: steps since
    the tiles were looked at.
    """

    now: NDArray[np.float64]
    rained: NDArray[np.float64]
    recorded: NDArray[np.float64]
    counted: NDArray[np.float64]
    highest: NDArray[np.float64]
    since_look: NDArray[np.int64]


def make_clock() -> Clock:
    """Return a clock that stands at 0."""
    now, rained, recorded, counted, highest = (np.zeros(1) for _ in range(5))
    return Clock(now, rained, recorded, counted, highest, np.zeros(1, dtype=np.int64))


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
    if scheme.advection:
        # A wave may ride on water faster than itself, and a bore at longer steps than these rings.
        step *= 0.4
    for k in range(forcing.inlet_row.size):
        row, col, which = forcing.inlet_row[k], forcing.inlet_col[k], forcing.inlet_boundary[k]
        rate = segment.inflow[which] + elapsed * segment.inflow_rate[which]
        later = segment.inflow[which] + (elapsed + step) * segment.inflow_rate[which]
        rise = max(rate, later) * np.float64(domain.gain[row, col]) / scheme.cell_size
        if rise > 0.0:
            step = min(step, (0.05 + stage[row, col] - domain.bed[row, col]) / rise)
    return step


@compile_part
def record_rows(
    first: int,
    last: int,
    water: Water,
    domain: Domain,
    tiles: Tiles,
    maxima: Maxima,
    thresholds: NDArray[np.float64],
    time: float,
    span: float,
    scheme: Scheme,
) -> None:
    """Raise the maxima of the active tiles of rows [first, last]; add ``span`` [s], if any, to their durations."""
    stage, x, y = water
    for i in range(first, last + 1):
        tile = 1 + (i - 1) // TILE_ROWS
        for k in range(tiles.run_count[tile]):
            lo, hi = tiles.run_first[tile, k], tiles.run_last[tile, k]
            level, bed = stage[i, lo:hi], domain.bed[i, lo:hi]
            record_depths(level, bed, time, scheme.arrival_depth, maxima.depth[i, lo:hi], maxima.arrival[i, lo:hi])
            for t in range(thresholds.size if span > 0.0 else 0):
                record_durations(level, bed, span, thresholds[t], maxima.durations[t, i, lo:hi])
            record_flow(
                level, bed, x[i, lo : hi + 1], y[i, lo:hi], y[i + 1, lo:hi], scheme.speed_depth,
                maxima.speed[i, lo:hi], maxima.hazard[i, lo:hi],
            )  # fmt: skip


@compile_loop
def start_segment(
    water: Water, domain: Domain, forcing: Forcing, segment: Segment, tiles: Tiles, clock: Clock, scheme: Scheme
) -> None:
    """Set the clock to the start of a segment: nothing of what came before but the water itself has a say."""
    look_again(tiles, water.stage, water.x, water.y, domain, scheme.dry_depth, scheme.wet_depth, scheme.cell_size, True)
    highest, sleeps = hold_stages(water.stage, domain, forcing, segment, 0.0, tiles, scheme)
    deepest = np.int32(0)
    for i in range(1, water.stage.shape[0] - 1):
        deepest = max(deepest, find_deepest(water.stage[i], domain.bed[i], domain.gain[i]))
    highest = max(highest, np.float64(read_bits(deepest)) * scheme.cell_size)
    clock.now[0] = clock.rained[0] = clock.recorded[0] = clock.counted[0] = segment.start
    clock.highest[0] = highest
    clock.since_look[0] = TILE_ROWS if sleeps else 0


def _advance(
    water: Water,
    domain: Domain,
    forcing: Forcing,
    walls: WallFaces,
    breaches: BreachFaces,
    segment: Segment,
    rain: NDArray[np.float32],
    tiles: Tiles,
    buffers: Buffers,
    maxima: Maxima,
    thresholds: NDArray[np.float64],
    point_rates: NDArray[np.float64],
    point_volumes: NDArray[np.float64],
    links: Links,
    settings: NDArray[np.float64],
    running: NDArray[np.uint8],
    record: Record,
    clock: Clock,
    scheme: Scheme,
    most_steps: int,
) -> int:
    """Run to the segment's end, or for ``most_steps``; ``record`` and ``maxima`` grow on the way.

    Return how the loop was left.
    """
    steps, accounts = 0, record.accounts
    stage, rows, bands = water.stage, water.stage.shape[0] - 2, tiles.bands.size - 1
    cells = count_active(tiles, rows, stage.shape[1] - 2)
    while clock.now[0] < segment.end:
        if steps >= most_steps:
            return LEFT
        if clock.since_look[0] >= TILE_ROWS:
            look_again(
                tiles, stage, water.x, water.y, domain, scheme.dry_depth, scheme.wet_depth, scheme.cell_size, False
            )
            cells = count_active(tiles, rows, stage.shape[1] - 2)
            clock.since_look[0] = 0
        elapsed, left = clock.now[0] - segment.start, segment.end - clock.now[0]
        dt = choose_step(stage, domain, forcing, segment, elapsed, clock.highest[0], scheme)
        if not dt >= min(scheme.dt_min, left):
            return STEP_TOO_SHORT
        # Equal steps up to the end: a short one among long ones, again and again, would stir up waves.
        many = np.ceil(left / dt)
        dt = left / many
        now = segment.end if many == 1.0 else clock.now[0] + dt
        clock.now[0] = now
        elapsed = now - segment.start
        steps += 1
        record.counts[0] += 1
        record.counts[1] += cells
        clock.since_look[0] += 1

        set_breaches(breaches, now, domain.crest_x, domain.crest_y)
        if scheme.advection:
            find_velocities(stage, water.x, water.y, domain, tiles, scheme.dry_depth, buffers.u, buffers.v)
            compute_inertia(
                water.x,
                water.y,
                buffers.u,
                buffers.v,
                tiles,
                dt,
                scheme.cell_size,
                buffers.inertia_x,
                buffers.inertia_y,
            )
        copy_edges(water, tiles, buffers)
        push_x, push_y = segment.wind_x * dt, segment.wind_y * dt
        for band in numba.prange(bands):
            sweep_band(band, water, domain, forcing, walls, breaches, tiles, buffers, push_x, push_y, dt, scheme)
        highest = np.float64(read_bits(finish_bands(water, domain, tiles, buffers, dt))) * scheme.cell_size
        if buffers.short.any():
            accounts[MADE] += keep_above_bed(water, domain, tiles, buffers.short, dt, scheme.cell_size)
        account_exchange(water, forcing, dt, scheme, accounts)

        inlet, inlet_sleeps = add_inflow(
            stage, domain, forcing, segment, elapsed, dt, tiles, accounts, scheme)  # fmt: skip
        point, point_sleeps = serve_points(
            stage, domain, forcing, point_rates, dt, tiles, point_volumes, accounts, scheme)  # fmt: skip
        works_sleep = work_structures(
            stage, domain, links, settings, running, record.moved, record.seen, dt, now, tiles, accounts, scheme
        )
        span = now - clock.rained[0]
        if segment.film and (span >= scheme.source_step or now >= segment.end):
            if segment.rain > 0.0:
                add_rain(stage, rain, span)
                accounts[RAIN] += segment.rain * span
            look_again(
                tiles, stage, water.x, water.y, domain, scheme.dry_depth, scheme.wet_depth, scheme.cell_size, True
            )
            accounts[STAGE_OUT] += spread_film(water, domain, tiles, buffers, span, scheme)
            cells = count_active(tiles, rows, stage.shape[1] - 2)
            clock.rained[0], clock.since_look[0] = now, 0
            highest += segment.rain_most * span
        over, link_sleeps = hold_stages(stage, domain, forcing, segment, elapsed, tiles, scheme)
        if inlet_sleeps or point_sleeps or works_sleep or link_sleeps:
            clock.since_look[0] = TILE_ROWS
        clock.highest[0] = max(highest, inlet, point, over)

        if now - clock.recorded[0] >= scheme.maxima_step or now >= segment.end:
            span = now - clock.counted[0]
            span = span if span >= scheme.duration_step or now >= segment.end else 0.0
            for band in numba.prange(bands):
                first, last = 1 + (tiles.bands[band] - 1) * TILE_ROWS, (tiles.bands[band + 1] - 1) * TILE_ROWS
                record_rows(first, min(last, rows), water, domain, tiles, maxima, thresholds, now, span, scheme)
            clock.recorded[0] = now
            clock.counted[0] = now if span > 0.0 else clock.counted[0]
    return REACHED


advance, advance_in_parallel = compile_twice(_advance)
