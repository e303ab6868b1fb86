"""The computational domain: a bed with a ring of closed cells around, and what each face needs to know.

Cell (i, j) of the city grid is (i + 1, j + 1) here. Face ``x[i, j]`` is the west face of cell (i, j), ``y[i, j]`` its
north face.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from layers.grid import Grid

WALL = 1.0e5
"""Bed of cells that are not there and crest of closed faces [m]: higher than any water."""

BLOCK = 32
"""Cells of a row that are skipped or computed together."""

INSIDE = (slice(1, -1), slice(1, -1))
"""The city grid within a padded array."""


class Domain(NamedTuple):
    """Arrays that do not change during a run, all (rows + 2, cols + 2).

    bed [m]; per_length: 1 / cell size where the stage is computed, else 0 [1/m]; crest_x, crest_y [m]; friction_x,
    friction_y: g n² [SI]; rain_share: share of the rain that becomes water on the cell [1].
    """

    bed: NDArray[np.float64]
    per_length: NDArray[np.float64]
    crest_x: NDArray[np.float64]
    crest_y: NDArray[np.float64]
    friction_x: NDArray[np.float32]
    friction_y: NDArray[np.float32]
    rain_share: NDArray[np.float64]


def check_raster(name: str, values: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return ``values`` as float64; raise InputError where the shape is not the grid's."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}, expected the grid's {shape}")
    return array


def find_bad_cell(name: str, bad: NDArray[np.bool_], values: NDArray[np.float64], expected: str) -> None:
    """Raise InputError naming the first cell of ``bad``, if there is one."""
    if bad.any():
        row, col = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(f"{name} is {values[row, col]} in cell ({row}, {col}), expected {expected}")


def pad(values: NDArray[np.float64], fill: float) -> NDArray[np.float64]:
    """Return ``values`` with a ring of ``fill`` around."""
    return np.pad(values, 1, constant_values=fill)


def build_domain(
    grid: Grid,
    bed: NDArray[np.floating],
    mannings_n: NDArray[np.floating] | float,
    prescribed: NDArray[np.bool_],
    rain_share: NDArray[np.floating] | None,
    gravity: float,
) -> Domain:
    """Return the domain of ``bed`` [m] and ``mannings_n`` [s/m^(1/3)], both (rows, cols).

    NaN in the bed is outside the domain. ``prescribed``: cells whose stage is given; faces between two of them are
    closed, so that a deep river costs no short steps. Raise InputError naming the first cell that cannot be used.
    """
    heights = check_raster("bed", bed, grid.shape)
    there = np.isfinite(heights)
    find_bad_cell("bed", np.isinf(heights) | (np.abs(heights) >= 0.1 * WALL), heights, "less than 10 000 m")
    if not there.any():
        raise InputError("bed has no cell with a value, expected at least one")
    n = np.broadcast_to(np.asarray(mannings_n, dtype=np.float64), grid.shape) if np.ndim(mannings_n) == 0 else None
    n = check_raster("mannings_n", np.asarray(mannings_n), grid.shape) if n is None else n
    find_bad_cell("mannings_n", there & ~((n >= 0.0) & (n <= 10.0)), n, "0 to 10 s/m^(1/3)")
    share = np.ones(grid.shape) if rain_share is None else check_raster("runoff coefficient", rain_share, grid.shape)
    find_bad_cell("runoff coefficient", there & ~((share >= 0.0) & (share <= 1.0)), share, "0 to 1")

    z = pad(np.where(there, heights, WALL), WALL)
    rough = pad(np.where(there, n, 0.0), 0.0)
    held = np.pad(prescribed, 1)
    free = np.pad(there, 1) & ~held
    crest_x, crest_y = np.full_like(z, WALL), np.full_like(z, WALL)
    crest_x[:, 1:] = np.where(held[:, 1:] & held[:, :-1], WALL, np.maximum(z[:, 1:], z[:, :-1]))
    crest_y[1:] = np.where(held[1:] & held[:-1], WALL, np.maximum(z[1:], z[:-1]))
    friction_x, friction_y = np.zeros_like(z), np.zeros_like(z)
    friction_x[:, 1:] = gravity * (0.5 * (rough[:, 1:] + rough[:, :-1])) ** 2
    friction_y[1:] = gravity * (0.5 * (rough[1:] + rough[:-1])) ** 2
    return Domain(
        z,
        np.where(free, 1.0 / grid.cell_size, 0.0),
        crest_x,
        crest_y,
        friction_x.astype(np.float32),
        friction_y.astype(np.float32),
        np.where(free, pad(share, 0.0), 0.0),
    )
