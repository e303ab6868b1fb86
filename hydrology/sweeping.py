"""One step of the water over all active tiles: rows one after the other, bands of rows side by side.

State is changed in place. The rows of discharges that a neighbour still needs as they were are copied before: two
rows a band on the way, and the rows at the edges of the bands at the start. The last row of a band gets its stages
when all bands are through, so that any number of bands gives the same water to the bit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.advection import update_faces_with_advection
from hydrology.breaches import BreachFaces, limit_breaches
from hydrology.compile import compile_part
from hydrology.domain import TILE_COLS, TILE_ROWS, Domain
from hydrology.forcing import Forcing
from hydrology.kernels import add_push, blend_inertia, compute_normal_discharge, copy_row, update_faces, update_stages
from hydrology.tiling import Tiles
from hydrology.walls import WallFaces, limit_walls
from hydrology.wind import SHELTER_DEPTH

Rows32 = NDArray[np.float32]


class Water(NamedTuple):
    """The state of the padded domain: stage [m] float64, discharges through west and north faces [m2/s] float32."""

    stage: NDArray[np.float64]
    x: Rows32
    y: Rows32


class Scheme(NamedTuple):
    """FloodParameters and the cell size [m] as the loop reads them; wet_depth: tiles with no more sleep [m].

    least_share: the smallest storage share of a cell [1].
    """

    cell_size: float
    theta: float
    courant: float
    froude_max: float
    dry_depth: float
    wet_depth: float
    gravity: float
    dt_max: float
    dt_min: float
    arrival_depth: float
    speed_depth: float
    maxima_step: float
    duration_step: float
    source_step: float
    least_share: float
    advection: bool


class Buffers(NamedTuple):
    """Room for a step: rows of a band as they were (bands, 2, columns), rows at the edges of bands (bands, columns).

    highest: largest depth × gain of each band; short (rows + 2): rows with a stage that may lie below its bed.
    film_x, film_y: two rows each of the film's discharge (2, columns). inertia_x, inertia_y, u, v: discharges less
    their advection [m2/s] and velocities [m/s] of the whole domain, empty without advection.
    """

    x: Rows32
    y: Rows32
    above_x: Rows32
    above_y: Rows32
    below_y: Rows32
    highest: NDArray[np.int32]
    short: NDArray[np.uint8]
    film_x: Rows32
    film_y: Rows32
    inertia_x: Rows32
    inertia_y: Rows32
    u: Rows32
    v: Rows32


def make_buffers(shape: tuple[int, int], bands: int, *, advection: bool) -> Buffers:
    """Return the room that a padded domain of ``shape`` needs with ``bands`` bands."""
    rows, cols = shape

    def make(*size: int) -> Rows32:
        return np.zeros(size, dtype=np.float32)

    whole = shape if advection else (1, 1)
    return Buffers(
        make(bands, 2, cols),
        make(bands, 2, cols),
        make(bands, cols),
        make(bands, cols),
        make(bands, cols),
        np.zeros(bands, dtype=np.int32),
        np.zeros(rows, dtype=np.uint8),
        make(2, cols),
        make(2, cols),
        make(*whole),
        make(*whole),
        make(*whole),
        make(*whole),
    )


@compile_part
def copy_edges(water: Water, tiles: Tiles, buffers: Buffers) -> None:
    """Keep the rows at the edges of the bands as they are before the step."""
    for band in range(1, tiles.bands.size - 1):
        # A band without rows begins below the last one.
        row = min(1 + (tiles.bands[band] - 1) * TILE_ROWS, water.stage.shape[0] - 1)
        copy_row(water.x[row - 1], buffers.above_x[band])
        copy_row(water.y[row - 1], buffers.above_y[band])
        copy_row(water.y[row], buffers.below_y[band - 1])


@compile_part
def find_reach(tiles: Tiles, tile: int) -> tuple[np.int64, np.int64]:
    """Return the first column that row ``tile`` of tiles or the next one reads and the one after the last."""
    low, high = np.int64(1 << 40), np.int64(0)
    for i in range(tile, min(tile + 2, tiles.run_count.size - 1)):
        if tiles.run_count[i] > 0:
            low = min(low, tiles.run_first[i, 0] - 1)
            high = max(high, tiles.run_last[i, tiles.run_count[i] - 1] + 1)
    return low, high


@compile_part
def apply_free_faces(water: Water, domain: Domain, forcing: Forcing, tiles: Tiles, i: int, scheme: Scheme) -> None:
    """Set the discharge through the free faces listed under row ``i``."""
    for k in range(forcing.free_start[i], forcing.free_start[i + 1]):
        row, col = forcing.free_row[k], forcing.free_col[k]
        q = 0.0
        if tiles.active[1 + (row - 1) // TILE_ROWS, 1 + (col - 1) // TILE_COLS]:
            depth = water.stage[row, col] - domain.bed[row, col]
            q = compute_normal_discharge(
                depth, forcing.free_slope_by_n[k], scheme.gravity, scheme.dry_depth, scheme.froude_max
            )
        if forcing.free_axis[k] == 0:
            water.x[i, forcing.free_face[k]] = forcing.free_sign[k] * q
        else:
            water.y[i, forcing.free_face[k]] = forcing.free_sign[k] * q


@compile_part
def close_sleeping_sides(x: Rows32, y: Rows32, tiles: Tiles, i: int) -> None:
    """Stop the discharge of row ``i`` between active and sleeping tiles: nobody would see it leave the sleeping one."""
    tile = 1 + (i - 1) // TILE_ROWS
    is_top = (i - 1) % TILE_ROWS == 0
    for k in range(tiles.run_count[tile]):
        lo, hi = tiles.run_first[tile, k], tiles.run_last[tile, k]
        x[i, lo] = 0.0
        if is_top:
            for j in range(1 + (lo - 1) // TILE_COLS, 1 + (hi - 1) // TILE_COLS):
                if tiles.active[tile - 1, j] == 0:
                    y[i, 1 + (j - 1) * TILE_COLS : 1 + j * TILE_COLS] = 0.0


@compile_part
def update_row_stages(
    water: Water, domain: Domain, tiles: Tiles, i: int, dt: float, short: NDArray[np.uint8]
) -> np.int32:
    """Bring the stages of row ``i`` forward and mark it where one may lie below its bed; return max depth × gain."""
    tile, highest = 1 + (i - 1) // TILE_ROWS, np.int32(0)
    for k in range(tiles.run_count[tile]):
        lo, hi = tiles.run_first[tile, k], tiles.run_last[tile, k]
        high, low = update_stages(
            water.stage[i, lo:hi], domain.bed[i, lo:hi], domain.gain[i, lo:hi],
            water.x[i, lo : hi + 1], water.y[i, lo:hi], water.y[i + 1, lo:hi], dt,
        )  # fmt: skip
        highest = max(highest, high)
        if low < 0:
            short[i] = 1
    return highest


@compile_part
def sweep_band(
    band: int,
    water: Water,
    domain: Domain,
    forcing: Forcing,
    walls: WallFaces,
    breaches: BreachFaces,
    tiles: Tiles,
    buffers: Buffers,
    push_x: float,
    push_y: float,
    dt: float,
    scheme: Scheme,
) -> None:
    """Do one step of the rows of a band, all but the stages of its last row; ``buffers`` take what it found.

    push_x, push_y: of the wind in this step [m2/s].
    """
    stage, x, y = water
    rows = stage.shape[0] - 2
    first, last = 1 + (tiles.bands[band] - 1) * TILE_ROWS, min((tiles.bands[band + 1] - 1) * TILE_ROWS, rows)
    is_lowest_band = band == tiles.bands.size - 2
    step, dry = np.float32(dt), np.float32(scheme.dry_depth)
    push = np.float32(scheme.gravity * dt / scheme.cell_size)
    froude = np.float32(scheme.froude_max * np.sqrt(scheme.gravity))
    highest = np.int32(0)
    x_above, y_above = buffers.above_x[band], buffers.above_y[band]
    for i in range(first, last + 1):
        tile = 1 + (i - 1) // TILE_ROWS
        x_now, y_now = buffers.x[band, i % 2], buffers.y[band, i % 2]
        low, high = find_reach(tiles, tile)
        if high > 0:
            copy_row(x[i, low:high], x_now[low:high])
            copy_row(y[i, low:high], y_now[low:high])
        y_below = y[i + 1]
        if i == last and not is_lowest_band:
            y_below = buffers.below_y[band]
        for k in range(tiles.run_count[tile]):
            lo, hi = tiles.run_first[tile, k], tiles.run_last[tile, k]
            level, north, west = stage[i, lo:hi], stage[i - 1, lo:hi], stage[i, lo - 1 : hi - 1]
            crest_x, crest_y = domain.crest_x[i, lo:hi], domain.crest_y[i, lo:hi]
            friction_x, friction_y = domain.friction_x[i, lo:hi], domain.friction_y[i, lo:hi]
            x_run, y_run = x[i, lo:hi], y[i, lo:hi]
            if scheme.advection:
                copy_row(buffers.inertia_x[i, lo:hi], x_run)
                copy_row(buffers.inertia_y[i, lo:hi], y_run)
            elif scheme.theta < 1.0:
                blend_inertia(x_now[lo - 1 : hi - 1], x_now[lo:hi], x_now[lo + 1 : hi + 1], scheme.theta, x_run)
                blend_inertia(y_above[lo:hi], y_now[lo:hi], y_below[lo:hi], scheme.theta, y_run)
            if push_x != 0.0 or push_y != 0.0:
                add_push(west, level, crest_x, np.float32(push_x), np.float32(SHELTER_DEPTH), x_run)
                add_push(north, level, crest_y, np.float32(push_y), np.float32(SHELTER_DEPTH), y_run)
            if scheme.advection:
                update_faces_with_advection(
                    west, level, crest_x, friction_x, x_now[lo:hi], y_now[lo - 1 : hi], y_below[lo - 1 : hi], x_run,
                    push, step, dry, froude,
                )  # fmt: skip
                update_faces_with_advection(
                    north, level, crest_y, friction_y, y_now[lo:hi], x_above[lo : hi + 1], x_now[lo : hi + 1], y_run,
                    push, step, dry, froude,
                )  # fmt: skip
            else:
                update_faces(
                    west, level, crest_x, friction_x, x_now[lo:hi], y_now[lo - 1 : hi], y_below[lo - 1 : hi], x_run,
                    push, step, dry, froude,
                )  # fmt: skip
                update_faces(
                    north, level, crest_y, friction_y, y_now[lo:hi], x_above[lo : hi + 1], x_now[lo : hi + 1], y_run,
                    push, step, dry, froude,
                )  # fmt: skip
        limit_walls(walls, i, stage, domain.crest_x, domain.crest_y, x, y)
        limit_breaches(breaches, i, stage, x, y)
        close_sleeping_sides(x, y, tiles, i)
        apply_free_faces(water, domain, forcing, tiles, i, scheme)
        if i > first:
            highest = max(highest, update_row_stages(water, domain, tiles, i - 1, dt, buffers.short))
        x_above, y_above = x_now, y_now
    if is_lowest_band:
        apply_free_faces(water, domain, forcing, tiles, rows + 1, scheme)
    buffers.highest[band] = highest


@compile_part
def finish_bands(water: Water, domain: Domain, tiles: Tiles, buffers: Buffers, dt: float) -> np.int32:
    """Bring the last row of each band forward; return the largest depth × gain of all as bits."""
    rows, highest = water.stage.shape[0] - 2, np.int32(0)
    for band in range(tiles.bands.size - 1):
        last = min((tiles.bands[band + 1] - 1) * TILE_ROWS, rows)
        if last >= 1 + (tiles.bands[band] - 1) * TILE_ROWS:
            highest = max(highest, update_row_stages(water, domain, tiles, last, dt, buffers.short))
        highest = max(highest, buffers.highest[band])
    return highest


@compile_part
def keep_above_bed(
    water: Water, domain: Domain, tiles: Tiles, short: NDArray[np.uint8], dt: float, cell_size: float
) -> float:
    """Take back what cells gave away beyond what they held, in the rows marked ``short``; return the volume made [m3].

    A face carries water out of one cell only. What is not taken from the donor is not given to its neighbour, which
    may then lack water itself: that is repeated until none does. Water is made only where the last bits of a stage
    lie below a bed and nothing flows out: that stage becomes the bed.
    """
    made = 0.0
    stage, x, y = water
    while short.any():
        for i in range(1, stage.shape[0] - 1):
            if short[i] == 0:
                continue
            short[i] = 0
            tile = 1 + (i - 1) // TILE_ROWS
            for run in range(tiles.run_count[tile]):
                for j in range(tiles.run_first[tile, run], tiles.run_last[tile, run]):
                    gain = np.float64(domain.gain[i, j])
                    lack = domain.bed[i, j] - stage[i, j]
                    if gain == 0.0 or lack <= 0.0:
                        continue
                    given = (max(-np.float64(x[i, j]), 0.0) + max(np.float64(x[i, j + 1]), 0.0)) + (
                        max(-np.float64(y[i, j]), 0.0) + max(np.float64(y[i + 1, j]), 0.0)
                    )
                    if given * dt * gain <= 1.0e-14:
                        stage[i, j] = domain.bed[i, j]
                        made += lack * cell_size / gain
                        continue
                    # The margin covers the rounding of 32-bit discharges, of which one must change.
                    share = 1.0 - (lack * (1.0 + 1.0e-6) + 1.0e-15) / (given * dt * gain)
                    keep = np.float32(min(max(share, 0.0), 0.9999998))
                    if x[i, j] < 0.0:
                        back = np.float64(x[i, j]) - np.float64(x[i, j] * keep)
                        x[i, j] *= keep
                        stage[i, j] -= dt * gain * back
                        stage[i, j - 1] += dt * np.float64(domain.gain[i, j - 1]) * back
                    if x[i, j + 1] > 0.0:
                        back = np.float64(x[i, j + 1]) - np.float64(x[i, j + 1] * keep)
                        x[i, j + 1] *= keep
                        stage[i, j] += dt * gain * back
                        stage[i, j + 1] -= dt * np.float64(domain.gain[i, j + 1]) * back
                    if y[i, j] < 0.0:
                        back = np.float64(y[i, j]) - np.float64(y[i, j] * keep)
                        y[i, j] *= keep
                        stage[i, j] -= dt * gain * back
                        stage[i - 1, j] += dt * np.float64(domain.gain[i - 1, j]) * back
                    if y[i + 1, j] > 0.0:
                        back = np.float64(y[i + 1, j]) - np.float64(y[i + 1, j] * keep)
                        y[i + 1, j] *= keep
                        stage[i, j] += dt * gain * back
                        stage[i + 1, j] -= dt * np.float64(domain.gain[i + 1, j]) * back
                    short[i - 1 : i + 2] = 1
        short[0] = 0
        short[stage.shape[0] - 1] = 0
    return made
