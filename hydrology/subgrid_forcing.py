"""What drives the pixels, on the coarse grid: prescribed cells, inflows, free edges, rain and losses."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from hydrology.boundaries import DischargeBoundary
from hydrology.domain import WALL
from hydrology.forcing import Drivers, Forcing, build_forcing
from hydrology.rainfall import RainGrid, RainSeries
from hydrology.subgrid import SubgridTables
from hydrology.subgrid_domain import INSIDE
from layers.grid import Grid

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Places(NamedTuple):
    """What a ``Forcing`` of the coarse grid does not say.

    inlet_weight: inflow of each of its inlets in that of an even share [1]. free_low: stage at which each of its free
    faces opens [m].
    """

    inlet_weight: Array
    free_low: Array


def coarsen(values: Array, factor: int, reduce: np.ufunc = np.add) -> Array:
    """Return the sum (or ``reduce``) of the pixels of each coarse cell, on the coarse grid with its ring."""
    rows, cols = values.shape
    bands = reduce.reduceat(values, np.arange(0, rows, factor), axis=0)
    return np.pad(reduce.reduceat(bands, np.arange(0, cols, factor), axis=1), 1)


def coarsen_grid(grid: Grid, factor: int) -> Grid:
    """Return the grid of the coarse cells, which may reach beyond that of the pixels to the south and east."""
    return replace(grid, rows=-(-grid.rows // factor), cols=-(-grid.cols // factor), cell_size=grid.cell_size * factor)


def locate_held(owner: Index, count: int, tables: SubgridTables, factor: int) -> Index:
    """Return which of ``count`` stage boundaries prescribes each coarse cell, -1 for none (with the ring).

    owner: the same of the pixels (rows, cols). A cell follows the boundary that has at least half of its pixels with
    ground, or its anchor: a canal narrower than half a cell still holds the cells it runs through.
    """
    held = np.full(tables.base.shape, -1, dtype=np.int64)
    ground = coarsen((tables.access < WALL).astype(np.float64), factor)
    standing = tables.anchor >= 0
    at = np.where(standing, owner.ravel()[np.maximum(tables.anchor, 0)], -1)
    for which in range(count):
        share = coarsen((owner == which).astype(np.float64), factor)
        held[standing & ((at == which) | ((held < 0) & (2.0 * share >= ground) & (share > 0.0)))] = which
    return held


def build_coarse_forcing(
    grid: Grid,
    drivers: Drivers,
    owner: Index,
    tables: SubgridTables,
    factor: int,
    points: tuple[Index, Index],
) -> tuple[Drivers, Forcing, Places]:
    """Return the drivers with their inflows in coarse cells, and where they act there.

    grid: of the coarse cells. owner: stage boundary of each of them, -1 for none, with the ring. points: pixels that
    are given or lose water, in indices of their padded grid (n,). Raise InputError for an edge named twice.
    """
    pixels = [coarsen(boundary.cells.astype(np.float64), factor)[INSIDE] for boundary in drivers.inflows]
    inflows: tuple[DischargeBoundary, ...] = tuple(
        replace(boundary, cells=count > 0.0) for boundary, count in zip(drivers.inflows, pixels, strict=True)
    )
    coarse = replace(drivers, inflows=inflows)
    there = (tables.anchor >= 0)[INSIDE]
    cells = (points[0] - 1) // factor, (points[1] - 1) // factor
    # With n = 1 the forcing keeps slope^(1/2) of a free face: its roughness is in the tables.
    forcing = build_forcing(grid, coarse, owner[INSIDE], there, np.ones(grid.shape), cells)
    weights = [count[count > 0.0] * (count > 0.0).sum() / count.sum() for count in pixels]
    low = np.empty(forcing.free_face.size)
    row = np.repeat(np.arange(forcing.free_start.size - 1), np.diff(forcing.free_start))
    for axis, levels in ((0, tables.low_x), (1, tables.low_y)):
        mine = forcing.free_axis == axis
        low[mine] = levels[row[mine], forcing.free_face[mine]]
    return coarse, forcing, Places(np.concatenate([np.empty(0), *weights]), low)


def find_open_faces(forcing: Forcing, places: Places, shape: tuple[int, int]) -> tuple[Mask, Mask]:
    """Return which west and north faces of the coarse grid with its ring, of ``shape``, are open to the outside."""
    open_x, open_y = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    row = np.repeat(np.arange(forcing.free_start.size - 1), np.diff(forcing.free_start))
    for axis, faces in ((0, open_x), (1, open_y)):
        mine = (forcing.free_axis == axis) & (places.free_low < 0.5 * WALL)
        faces[row[mine], forcing.free_face[mine]] = True
    return open_x, open_y


def weigh_rain(rain: RainSeries | RainGrid, share: Array, computed: Mask, factor: int) -> csr_array:
    """Return the weights [1] that give the mean rain on each coarse cell, (cells, grid cells of the rain).

    share: runoff coefficient of each pixel, 0 outside the domain (rows, cols). computed: coarse cells that rain counts
    for, without their ring.
    """
    rows, cols = share.shape
    row, col = np.arange(rows) // factor, np.arange(cols) // factor
    cell = (row[:, None] * computed.shape[1] + col[None, :]).ravel()
    source, count = np.zeros(share.size, dtype=np.int64), 1
    if isinstance(rain, RainGrid):
        source, count = rain.cell.ravel().astype(np.int64), rain.intensity.shape[1]
    weight = np.where(computed.ravel()[cell], share.ravel(), 0.0) / factor**2
    return csr_array(coo_array((weight, (cell, source)), shape=(computed.size, count)))
