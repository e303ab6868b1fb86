"""The computational domain: a bed with a ring of closed cells around, and what each face needs to know.

Cell (i, j) of the city grid is (i + 1, j + 1) here, and rows are filled up to whole tiles with cells that are not
there. Face ``x[i, j]`` is the west face of cell (i, j), ``y[i, j]`` its north face.
"""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from layers.grid import Grid

WALL = 1.0e5
"""Bed of cells that are not there and crest of closed faces [m]: higher than any water."""

TILE_ROWS, TILE_COLS = 16, 32
"""Cells that are skipped or computed together."""

STAGE_STEP = 2.0**-30
"""Stages begin as multiples of this [m], so that cells of one level have one stage whatever bed + depth rounds to."""

Raster = NDArray[np.float64]
Raster32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Kind = TypeVar("Kind", bound=np.generic)


class Domain(NamedTuple):
    """Arrays that do not change while the water moves, all (rows + 2, filled columns + 2) float32.

    bed [m]; gain: 1 / (cell size × storage share) where the stage is computed, else 0 [1/m]; crest_x, crest_y [m];
    friction_x, friction_y: g n² [SI].
    """

    bed: Raster32
    gain: Raster32
    crest_x: Raster32
    crest_y: Raster32
    friction_x: Raster32
    friction_y: Raster32


def check_raster(name: str, values: NDArray[np.floating], shape: tuple[int, int]) -> Raster:
    """Return ``values`` as float64; raise InputError where the shape is not the grid's."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}, expected the grid's {shape}")
    return array


def find_bad_cell(name: str, bad: Mask, values: Raster, expected: str) -> None:
    """Raise InputError naming the first cell of ``bad``, if there is one."""
    if bad.any():
        row, col = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(f"{name} is {values[row, col]} in cell ({row}, {col}), expected {expected}")


def check_share(name: str, values: NDArray[np.floating] | None, grid: Grid, there: Mask, least: float) -> Raster:
    """Return shares of cells (rows, cols), 1 where ``values`` is None; InputError below ``least`` or above 1."""
    if values is None:
        return np.ones(grid.shape)
    share = check_raster(name, values, grid.shape)
    find_bad_cell(name, there & ~((share >= least) & (share <= 1.0)), share, f"{least:g} to 1")
    return share


def pad(values: NDArray[Kind], fill: float) -> NDArray[Kind]:
    """Return ``values`` (rows, cols) with a ring of ``fill`` around and columns filled up to whole tiles."""
    more = -values.shape[1] % TILE_COLS
    return np.pad(values, ((1, 1), (1, 1 + more)), constant_values=fill)


def crop(values: NDArray[Kind], grid: Grid) -> NDArray[Kind]:
    """Return the cells of the grid within a padded array (a view)."""
    return values[1 : grid.rows + 1, 1 : grid.cols + 1]


def build_domain(
    grid: Grid,
    bed: NDArray[np.floating],
    mannings_n: NDArray[np.floating] | float,
    prescribed: Mask,
    storage: NDArray[np.floating] | None,
    gravity: float,
) -> Domain:
    """Return the domain of ``bed`` [m] and ``mannings_n`` [s/m^(1/3)], both (rows, cols).

    NaN in the bed is outside the domain. ``prescribed``: cells whose stage is given; faces between two of them are
    closed, so that a deep river costs no short steps. storage: share of each cell that can hold water [1], 1 if None.
    Raise InputError naming the first cell that cannot be used.
    """
    heights = check_raster("bed", bed, grid.shape)
    there = np.isfinite(heights)
    find_bad_cell("bed", np.isinf(heights) | (np.abs(heights) >= 0.1 * WALL), heights, "less than 10 000 m")
    if not there.any():
        raise InputError("bed has no cell with a value, expected at least one")
    given = np.asarray(mannings_n, dtype=np.float64)
    n = check_raster("mannings_n", np.broadcast_to(given, grid.shape) if given.ndim == 0 else given, grid.shape)
    find_bad_cell("mannings_n", there & ~((n >= 0.0) & (n <= 10.0)), n, "0 to 10 s/m^(1/3)")
    share = check_share("storage share", storage, grid, there, 0.01)

    z = pad(np.where(there, heights, WALL), WALL).astype(np.float32)
    rough = pad(np.where(there, n, 0.0), 0.0)
    held = pad(prescribed, 0.0)
    gain = pad(np.where(there & ~prescribed, 1.0 / (grid.cell_size * share), 0.0), 0.0)
    crest_x, crest_y = np.full_like(z, WALL), np.full_like(z, WALL)
    crest_x[:, 1:] = np.where(held[:, 1:] & held[:, :-1], WALL, np.maximum(z[:, 1:], z[:, :-1]))
    crest_y[1:] = np.where(held[1:] & held[:-1], WALL, np.maximum(z[1:], z[:-1]))
    friction_x, friction_y = np.zeros_like(z), np.zeros_like(z)
    friction_x[:, 1:] = gravity * (0.5 * (rough[:, 1:] + rough[:, :-1])) ** 2
    friction_y[1:] = gravity * (0.5 * (rough[1:] + rough[:-1])) ** 2
    return Domain(z, gain.astype(np.float32), crest_x, crest_y, friction_x, friction_y)


def start_stage(domain: Domain, grid: Grid, bed: Raster, depth: Raster) -> Raster:
    """Return the padded stage [m] of ``depth`` [m] over ``bed`` [m], both (rows, cols) with NaN beds outside."""
    wet = np.isfinite(bed) & (depth > 0.0)
    level = np.round(np.where(wet, bed + depth, 0.0) / STAGE_STEP) * STAGE_STEP
    stage = domain.bed.astype(np.float64)
    inside = crop(stage, grid)
    inside[...] = np.where(wet, np.maximum(level, inside), inside)
    return stage
