"""The advection of momentum, which the local inertial scheme leaves out: for dam breaks and flow that passes critical.

Momentum carried by the flow through cell centres and corners, upwind and conservative: Stelling and Duinmeijer 2003,
doi:10.1002/fld.537, with the unit discharge as the momentum. Its pressure acts on the mean of the two depths over the
crest, so that the two terms together are conservative over a level bed.
"""

import numpy as np

from hydrology.compile import compile_part, compile_row
from hydrology.domain import TILE_ROWS, Domain
from hydrology.kernels import Row
from hydrology.tiling import Tiles


@compile_row
def update_faces_with_advection(
    before: Row,
    after: Row,
    crest: Row,
    friction: Row,
    discharge: Row,
    side_a: Row,
    side_b: Row,
    out: Row,
    push: np.float32,
    dt: np.float32,
    dry_depth: np.float32,
    froude: np.float32,
) -> None:
    """Bring the unit discharge through n faces forward as ``update_faces`` does; ``out`` holds q less its advection."""
    seven_thirds = np.float32(7.0 / 3.0)
    quarter, one, half, nothing = np.float32(0.25), np.float32(1.0), np.float32(0.5), np.float32(0.0)
    for k in range(out.size):
        above_a = np.float32(before[k] - np.float64(crest[k]))
        above_b = np.float32(after[k] - np.float64(crest[k]))
        a, b = np.float32(max(above_a, nothing)), np.float32(max(above_b, nothing))
        h = np.float32(max(max(a, b), dry_depth))
        across = quarter * ((side_a[k] + side_b[k]) + (side_a[k + 1] + side_b[k + 1]))
        length = np.sqrt(discharge[k] * discharge[k] + across * across)
        drag = one + dt * friction[k] * length * np.float32(np.exp(-seven_thirds * np.log(h)))
        value = (out[k] - push * half * (a + b) * (b - a)) / drag
        limit = froude * h * np.sqrt(h)
        value = min(max(value, -limit), limit)
        out[k] = value if max(a, b) > dry_depth else nothing


@compile_part
def find_velocities(stage: Row, x: Row, y: Row, domain: Domain, tiles: Tiles, dry_depth: float, u: Row, v: Row) -> None:
    """Write the velocities through all faces of the active tiles [m/s] to ``u`` and ``v``: q over the mean depth."""
    for i in range(1, stage.shape[0] - 1):
        tile = 1 + (i - 1) // TILE_ROWS
        for run in range(tiles.run_count[tile]):
            for j in range(tiles.run_first[tile, run], tiles.run_last[tile, run]):
                here = stage[i, j]
                for axis in range(2):
                    there = stage[i, j - 1] if axis == 0 else stage[i - 1, j]
                    crest = domain.crest_x[i, j] if axis == 0 else domain.crest_y[i, j]
                    mean = 0.5 * (max(here - crest, 0.0) + max(there - crest, 0.0))
                    q = x[i, j] if axis == 0 else y[i, j]
                    speed = np.float32(q / mean) if mean > dry_depth else np.float32(0.0)
                    if axis == 0:
                        u[i, j] = speed
                    else:
                        v[i, j] = speed


@compile_part
def carry(flow: float, before: float, after: float) -> float:
    """Return the momentum that ``flow`` [m2/s] carries: with the velocity of the side it comes from [m3/s2]."""
    return flow * before if flow > 0.0 else flow * after


@compile_part
def compute_inertia(
    x: Row, y: Row, u: Row, v: Row, tiles: Tiles, dt: float, cell_size: float, out_x: Row, out_y: Row
) -> None:
    """Write the unit discharges less what advection takes from them in ``dt`` [m2/s] to ``out_x`` and ``out_y``."""
    ratio = dt / cell_size
    for i in range(1, x.shape[0] - 1):
        tile = 1 + (i - 1) // TILE_ROWS
        for run in range(tiles.run_count[tile]):
            for j in range(tiles.run_first[tile, run], tiles.run_last[tile, run]):
                west = carry(0.5 * (x[i, j - 1] + x[i, j]), u[i, j - 1], u[i, j])
                east = carry(0.5 * (x[i, j] + x[i, j + 1]), u[i, j], u[i, j + 1])
                north = carry(0.5 * (y[i, j - 1] + y[i, j]), u[i - 1, j], u[i, j])
                south = carry(0.5 * (y[i + 1, j - 1] + y[i + 1, j]), u[i, j], u[i + 1, j])
                out_x[i, j] = x[i, j] - ratio * ((east - west) + (south - north))
                north = carry(0.5 * (y[i - 1, j] + y[i, j]), v[i - 1, j], v[i, j])
                south = carry(0.5 * (y[i, j] + y[i + 1, j]), v[i, j], v[i + 1, j])
                west = carry(0.5 * (x[i - 1, j] + x[i, j]), v[i, j - 1], v[i, j])
                east = carry(0.5 * (x[i - 1, j + 1] + x[i, j + 1]), v[i, j], v[i, j + 1])
                out_y[i, j] = y[i, j] - ratio * ((south - north) + (east - west))
