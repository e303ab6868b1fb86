"""What adds and takes water between two steps: prescribed stages, inflows, points, rain and its creeping film."""

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from hydrology.domain import TILE_COLS, TILE_ROWS, Domain
from hydrology.forcing import Forcing, Segment
from hydrology.kernels import add_rates, compute_film_faces, move_film
from hydrology.links import Links, run_links
from hydrology.sweeping import Buffers, Scheme, Water
from hydrology.tiling import Tiles, touch

STAGE_IN, STAGE_OUT, DISCHARGE_IN, RAIN, STRUCTURES_IN, STRUCTURES_OUT, FREE_OUT, POINTS_IN, POINTS_OUT, MADE = range(
    10
)
ACCOUNTS = (
    "stage_in", "stage_out", "discharge_in", "rain", "structures_in", "structures_out", "free_out", "points_in",
    "points_out", "made",
)  # fmt: skip
"""The entries of an account [m3], as ``MassBalance`` calls them."""


@compile_loop
def account_exchange(water: Water, forcing: Forcing, dt: float, scheme: Scheme, accounts: NDArray[np.float64]) -> None:
    """Add what crossed the faces of prescribed cells and the free faces in this step [m3]."""
    scale = dt * scheme.cell_size
    for k in range(forcing.link_axis.size):
        field = water.x if forcing.link_axis[k] == 0 else water.y
        volume = scale * np.float64(field[forcing.link_face_row[k], forcing.link_face_col[k]]) * forcing.link_sign[k]
        if volume > 0.0:
            accounts[STAGE_IN] += volume
        else:
            accounts[STAGE_OUT] -= volume
    for i in range(forcing.free_start.size - 1):
        for k in range(forcing.free_start[i], forcing.free_start[i + 1]):
            field = water.x if forcing.free_axis[k] == 0 else water.y
            accounts[FREE_OUT] += scale * np.float64(field[i, forcing.free_face[k]]) * forcing.free_sign[k]


@compile_loop
def hold_stages(
    stage: NDArray[np.float64],
    domain: Domain,
    forcing: Forcing,
    segment: Segment,
    elapsed: float,
    tiles: Tiles,
    scheme: Scheme,
) -> tuple[float, bool]:
    """Set the prescribed cells that border computed ones; return the largest depth over a face between them [m].

    A river below its banks wakes nothing: only faces that water stands over touch their tiles. Also return whether
    one of those sleeps.
    """
    for k in range(forcing.rim_row.size):
        row, col, which = forcing.rim_row[k], forcing.rim_col[k], forcing.rim_boundary[k]
        level = segment.stage[which] + elapsed * segment.stage_rate[which]
        stage[row, col] = max(level, np.float64(domain.bed[row, col]))
    highest, sleeps = 0.0, False
    for k in range(forcing.link_axis.size):
        row, col = forcing.link_face_row[k], forcing.link_face_col[k]
        west, north = 1 - forcing.link_axis[k], forcing.link_axis[k]
        crest = domain.crest_x[row, col] if west else domain.crest_y[row, col]
        over = max(stage[row, col], stage[row - north, col - west]) - crest
        highest = max(highest, over)
        if over > scheme.dry_depth:
            sleeps |= touch(tiles, row, col)
            sleeps |= touch(tiles, row - north, col - west)
    return highest, sleeps


@compile_loop
def add_inflow(
    stage: NDArray[np.float64],
    domain: Domain,
    forcing: Forcing,
    segment: Segment,
    elapsed: float,
    dt: float,
    tiles: Tiles,
    accounts: NDArray[np.float64],
    scheme: Scheme,
) -> tuple[float, bool]:
    """Add the inflow of a step that ends ``elapsed`` into the segment; return the largest depth of its cells [m].

    Also return whether a tile that sleeps was given water.
    """
    highest, sleeps = 0.0, False
    for k in range(forcing.inlet_row.size):
        row, col, which = forcing.inlet_row[k], forcing.inlet_col[k], forcing.inlet_boundary[k]
        rate = segment.inflow[which] + (elapsed - 0.5 * dt) * segment.inflow_rate[which]
        if rate > 0.0:
            stage[row, col] += rate * dt * np.float64(domain.gain[row, col]) / scheme.cell_size
            accounts[DISCHARGE_IN] += rate * dt
            sleeps |= touch(tiles, row, col)
        highest = max(highest, stage[row, col] - domain.bed[row, col])
    return highest, sleeps


@compile_loop
def serve_points(
    stage: NDArray[np.float64],
    domain: Domain,
    forcing: Forcing,
    rates: NDArray[np.float64],
    dt: float,
    tiles: Tiles,
    moved: NDArray[np.float64],
    accounts: NDArray[np.float64],
    scheme: Scheme,
) -> tuple[float, bool]:
    """Give each point's cell its rate [m3/s], or take it, not more than the cell holds; ``moved`` [m3] grows.

    Return the largest depth of the cells given to [m] and whether one of their tiles sleeps.
    """
    highest, sleeps = 0.0, False
    for k in range(forcing.point_row.size):
        row, col = forcing.point_row[k], forcing.point_col[k]
        gain = np.float64(domain.gain[row, col])
        volume = rates[k] * dt
        if volume == 0.0 or gain == 0.0:
            # Into a prescribed cell, the river, any volume goes.
            moved[k] += volume
            continue
        per_volume = gain / scheme.cell_size
        if volume < 0.0:
            left = max(stage[row, col] + volume * per_volume, np.float64(domain.bed[row, col]))
            taken = (stage[row, col] - left) / per_volume
            stage[row, col] = left
            moved[k] -= taken
            accounts[POINTS_OUT] += taken
        else:
            stage[row, col] += volume * per_volume
            moved[k] += volume
            accounts[POINTS_IN] += volume
            sleeps |= touch(tiles, row, col)
            highest = max(highest, stage[row, col] - domain.bed[row, col])
    return highest, sleeps


@compile_loop
def work_structures(
    stage: NDArray[np.float64],
    domain: Domain,
    links: Links,
    settings: NDArray[np.float64],
    running: NDArray[np.uint8],
    moved: NDArray[np.float64],
    seen: NDArray[np.float64],
    dt: float,
    time: float,
    tiles: Tiles,
    accounts: NDArray[np.float64],
    scheme: Scheme,
) -> bool:
    """Run all structures over the ``dt`` [s] that end at ``time`` [s]; return whether a sleeping tile was given water.

    moved: volumes of each structure (n, 2) [m3], which grow; seen: their sum as of the last call (n,).
    """
    out, given = run_links(
        links, settings, running, moved, stage, domain.bed, domain.gain, scheme.cell_size**2, dt, time - dt
    )
    accounts[STRUCTURES_OUT] += out + max(given, 0.0)
    accounts[STRUCTURES_IN] += max(-given, 0.0)
    sleeps = False
    for k in range(links.kind.size):
        total = moved[k, 0] + moved[k, 1]
        if total > seen[k]:
            sleeps |= touch(tiles, links.row_a[k], links.col_a[k])
            if links.row_b[k] > 0:
                sleeps |= touch(tiles, links.row_b[k], links.col_b[k])
        seen[k] = total
    return sleeps


@compile_loop
def add_rain(stage: NDArray[np.float64], rate: NDArray[np.float32], span: float) -> None:
    """Raise every cell by ``rate`` [m/s] × ``span`` [s]."""
    for i in range(1, stage.shape[0] - 1):
        add_rates(stage[i], rate[i], span)


@compile_loop
def spread_film(water: Water, domain: Domain, tiles: Tiles, buffers: Buffers, span: float, scheme: Scheme) -> float:
    """Let the thin water of the sleeping tiles creep for ``span`` [s]; return what reached prescribed cells [m3].

    Faces between two active tiles are left to the sweep; those beside a sleeping one are done here, all from the stages
    before, so that the order of the rows does not matter.
    """
    rows, across = water.stage.shape[0] - 2, tiles.active.shape[1] - 2
    stage, bed = water.stage, domain.bed
    least, most = np.float32(scheme.dry_depth), np.float32(0.25 * scheme.least_share * scheme.cell_size / span)
    slope_scale = np.float32(np.sqrt(scheme.gravity / scheme.cell_size))
    lost, end = 0.0, stage.shape[1] - 1
    for i in range(1, rows + 2):
        film_x, film_y = buffers.film_x[i % 2], buffers.film_y[i % 2]
        film_x[:] = 0.0
        film_y[:] = 0.0
        tile = 1 + (i - 1) // TILE_ROWS
        is_top = (i - 1) % TILE_ROWS == 0
        for j in range(1, across + 1):
            if i > rows or not (tiles.film[tile, j] | tiles.film[tile, j - 1] | tiles.film[tile - 1, j]):
                continue
            lo, hi = 1 + (j - 1) * TILE_COLS, 1 + j * TILE_COLS
            sleeps = tiles.active[tile, j] == 0
            if sleeps or tiles.active[tile, j - 1] == 0:
                last = hi if sleeps else lo + 1
                compute_film_faces(
                    stage[i, lo - 1 : last - 1], stage[i, lo:last], bed[i, lo - 1 : last - 1], bed[i, lo:last],
                    domain.crest_x[i, lo:last], domain.friction_x[i, lo:last], film_x[lo:last], least, most,
                    slope_scale,
                )  # fmt: skip
            if sleeps or (is_top and tiles.active[tile - 1, j] == 0):
                compute_film_faces(
                    stage[i - 1, lo:hi], stage[i, lo:hi], bed[i - 1, lo:hi], bed[i, lo:hi],
                    domain.crest_y[i, lo:hi], domain.friction_y[i, lo:hi], film_y[lo:hi], least, most, slope_scale,
                )  # fmt: skip
        if i > 1:
            before_x, before_y = buffers.film_x[(i - 1) % 2], buffers.film_y[(i - 1) % 2]
            lost += move_film(
                stage[i - 1, 1:end],
                domain.gain[i - 1, 1:end],
                before_x[1 : end + 1],
                before_y[1:end],
                film_y[1:end],
                span,
            )
    return lost * span * scheme.cell_size
