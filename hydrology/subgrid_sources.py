"""What adds and takes water between two steps of the coarse cells: stages, inflows, points, structures and rain."""

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from hydrology.forcing import Forcing, Segment
from hydrology.links import OUTLET, Links, compute_transfer, update_setting
from hydrology.sources import (
    DISCHARGE_IN,
    POINTS_IN,
    POINTS_OUT,
    STAGE_OUT,
    STRUCTURES_IN,
    STRUCTURES_OUT,
)
from hydrology.subgrid_domain import Blocks, Terrain, Water
from hydrology.subgrid_ends import OUTSIDE, Ends
from hydrology.subgrid_forcing import Places
from hydrology.subgrid_kernels import BLOCK, look_up_stage
from hydrology.sweeping import Scheme

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]


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
def hold_stages(
    water: Water, terrain: Terrain, forcing: Forcing, segment: Segment, elapsed: float, blocks: Blocks, scheme: Scheme
) -> float:
    """Set the prescribed cells that border computed ones; return the largest height over a face between them [m]."""
    for k in range(forcing.rim_row.size):
        row, col, which = forcing.rim_row[k], forcing.rim_col[k], forcing.rim_boundary[k]
        water.stage[row, col] = max(segment.stage[which] + elapsed * segment.stage_rate[which], terrain.base[row, col])
    highest = 0.0
    for k in range(forcing.link_axis.size):
        row, col = forcing.link_face_row[k], forcing.link_face_col[k]
        west, north = 1 - forcing.link_axis[k], forcing.link_axis[k]
        low = terrain.low_x[row, col] if west else terrain.low_y[row, col]
        over = max(water.stage[row, col], water.stage[row - north, col - west]) - low
        highest = max(highest, over)
        if over > scheme.dry_depth:
            blocks.wet[row, 1 + (col - 1) // BLOCK] = 1
            blocks.wet[row - north, 1 + (col - west - 1) // BLOCK] = 1
    return highest


@compile_loop
def add_inflow(
    water: Water, terrain: Terrain, forcing: Forcing, places: Places, segment: Segment, elapsed: float, dt: float,
    blocks: Blocks, accounts: Array, scheme: Scheme,
) -> None:  # fmt: skip
    """Add the inflow of a step of ``dt`` [s] that ends ``elapsed`` [s] into the segment; held cells pass it on."""
    for k in range(forcing.inlet_row.size):
        row, col, which = forcing.inlet_row[k], forcing.inlet_col[k], forcing.inlet_boundary[k]
        rate = segment.inflow[which] + (elapsed - 0.5 * dt) * segment.inflow_rate[which]
        volume = rate * dt * places.inlet_weight[k]
        if volume > 0.0:
            accounts[DISCHARGE_IN] += volume
            if terrain.per_length[row, col] == 0.0:
                accounts[STAGE_OUT] += volume
            pour(water, terrain, blocks, row, col, volume, scheme.cell_size)


@compile_loop
def serve_points(
    water: Water, terrain: Terrain, forcing: Forcing, rates: Array, dt: float, blocks: Blocks, moved: Array,
    accounts: Array, scheme: Scheme,
) -> None:  # fmt: skip
    """Give each point's cell its rate [m3/s], or take it, not more than the cell holds; ``moved`` [m3] grows."""
    for k in range(forcing.point_row.size):
        row, col = forcing.point_row[k], forcing.point_col[k]
        if rates[k] == 0.0:
            continue
        volume = pour(water, terrain, blocks, row, col, rates[k] * dt, scheme.cell_size)
        moved[k] += volume
        if terrain.per_length[row, col] > 0.0:
            accounts[POINTS_IN] += max(volume, 0.0)
            accounts[POINTS_OUT] += max(-volume, 0.0)


@compile_loop
def look_at_end(
    water: Water, segment: Segment, elapsed: float, row: int, col: int, held: int, area: float
) -> tuple[float, float, float]:
    """Return stage [m], water held [m3] and rise of the stage by a volume [1/m2] at one end of a structure."""
    if held >= 0:
        return segment.stage[held] + elapsed * segment.stage_rate[held], np.inf, 0.0
    # The rise of the last lookup; a cell that was empty then has none, and a full one rises least.
    rise = max(np.float64(water.steep[row, col]), 1.0) / area
    return water.stage[row, col], water.depth[row, col] * area, rise


@compile_loop
def work_structures(
    water: Water, terrain: Terrain, links: Links, ends: Ends, settings: Array, running: NDArray[np.uint8],
    moved: Array, segment: Segment, elapsed: float, dt: float, blocks: Blocks, accounts: Array, scheme: Scheme,
) -> None:  # fmt: skip
    """Run all structures over the ``dt`` [s] that end ``elapsed`` [s] into the segment, one after the other.

    settings [1], running (n,) and moved: volume from a to b and back [m3] (n, 2) change.
    """
    area = scheme.cell_size * scheme.cell_size
    for k in range(links.kind.size):
        if not ends.works[k]:
            continue
        row_a, col_a, held_a = ends.row_a[k], ends.col_a[k], ends.held_a[k]
        row_b, col_b, held_b = ends.row_b[k], ends.col_b[k], ends.held_b[k]
        stage_a, water_a, rise_a = look_at_end(water, segment, elapsed - dt, row_a, col_a, held_a, area)
        stage_b, water_b, rise_b = links.table[k, OUTLET], np.inf, 0.0
        if row_b != OUTSIDE:
            stage_b, water_b, rise_b = look_at_end(water, segment, elapsed - dt, row_b, col_b, held_b, area)
        update_setting(links, settings, running, k, stage_a, stage_b, ends.bed_a[k], segment.start + elapsed - dt, dt)
        volume = compute_transfer(links, k, settings[k], stage_a, stage_b, water_a, water_b, rise_a, rise_b, dt)
        if volume == 0.0:
            continue
        forward = volume > 0.0
        given = (held_a if forward else held_b) >= 0
        taken = row_b == OUTSIDE or (held_b if forward else held_a) >= 0
        volume = abs(volume)
        if given:
            accounts[STRUCTURES_IN] += volume
        else:
            row, col = (row_a, col_a) if forward else (row_b, col_b)
            volume = -pour(water, terrain, blocks, row, col, -volume, scheme.cell_size)
        if taken:
            accounts[STRUCTURES_OUT] += volume
        else:
            row, col = (row_b, col_b) if forward else (row_a, col_a)
            pour(water, terrain, blocks, row, col, volume, scheme.cell_size)
        moved[k, 0 if forward else 1] += volume


@compile_loop
def add_rain(depth: Array, rate: Array, span: float) -> None:
    """Raise the mean depth of every cell by ``rate`` [m/s] × ``span`` [s]."""
    for i in range(1, depth.shape[0] - 1):
        for j in range(1, depth.shape[1] - 1):
            depth[i, j] += rate[i, j] * span
