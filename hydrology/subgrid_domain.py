"""What the loop of the subgrid solver reads and changes: terrain of the coarse cells, their water, sleeping blocks."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.domain import WALL
from hydrology.parameters import FloodParameters
from hydrology.subgrid import FACE_LEVELS, STAGE_LEVELS, SubgridTables
from hydrology.subgrid_kernels import BLOCK
from hydrology.sweeping import Scheme
from layers.errors import InputError

MOST_COURANT = 0.5
"""Largest Courant number [1]: at 0.6, canals 3 m deep with their banks inside a cell oscillate and overtop."""

INSIDE = (slice(1, -1), slice(1, -1))
"""The coarse grid within an array that has a ring around it."""

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]
Flags = NDArray[np.uint8]
Index = NDArray[np.int64]


class Terrain(NamedTuple):
    """What does not change during a run; 2-D arrays are the coarse grid with a ring around, tables as SubgridTables.

    per_length: 1 / cell size where the stage is computed, else 0 [1/m]. per_full, per_span: levels² / height of the
    table [1/m]. low: opening level of the faces [m], WALL where closed. spill: lowest of a cell's four [m].
    last_place: place in the cell's table of the highest pixel under ``arrival_depth``. lean: see read_faces.
    """

    per_length: Array
    base: Array
    full: Array
    per_full: Array
    above: Array
    stage: Array32
    low_x: Array
    low_y: Array
    per_span_x: Array32
    per_span_y: Array32
    face_x: Array32
    face_y: Array32
    spill: Array
    last_place: Array
    lean: float


class Water(NamedTuple):
    """The state, changed in place: mean depth [m], unit discharges [m2/s]; stage [m] and dS/dD [1] follow from it."""

    depth: Array
    x: Array32
    y: Array32
    stage: Array
    steep: Array32


class Blocks(NamedTuple):
    """State of each block of a row, (rows + 2, blocks + 2): flows, visits left, visited in this step."""

    wet: Flags
    linger: Flags
    active: Flags


def make_blocks(shape: tuple[int, int]) -> Blocks:
    """Return the blocks of a coarse grid of ``shape`` with its ring, all of them to be visited first."""
    size = (shape[0], -(-(shape[1] - 2) // BLOCK) + 2)
    blocks = Blocks(*(np.zeros(size, dtype=np.uint8) for _ in range(3)))
    blocks.linger[1:-1, 1:-1] = 2
    return blocks


def build_terrain(
    tables: SubgridTables,
    owner: Index,
    open_x: NDArray[np.bool_],
    open_y: NDArray[np.bool_],
    cell_size: float,
    factor: int,
    arrival_depth: float,
) -> Terrain:
    """Return the terrain as the loop reads it.

    owner: stage boundary of each coarse cell, -1 for none; open_x, open_y: faces open to the outside; all with the
    ring. cell_size: of a coarse cell [m]. arrival_depth [m].
    """
    held, computed = owner >= 0, (owner < 0) & (tables.anchor >= 0)
    low_x, low_y = tables.low_x.copy(), tables.low_y.copy()
    low_x[:, 1:][held[:, 1:] & held[:, :-1]] = WALL
    low_y[1:][held[1:] & held[:-1]] = WALL
    spill_x, spill_y = low_x.copy(), low_y.copy()
    spill_x[:, [1, -1]] = np.where(open_x[:, [1, -1]], low_x[:, [1, -1]], WALL)
    spill_y[[1, -1]] = np.where(open_y[[1, -1]], low_y[[1, -1]], WALL)
    low_x[:, [1, -1]], low_y[[1, -1]] = WALL, WALL
    spill = np.minimum(spill_x, spill_y)
    spill[:, :-1] = np.minimum(spill[:, :-1], spill_x[:, 1:])
    spill[:-1] = np.minimum(spill[:-1], spill_y[1:])
    per_full = STAGE_LEVELS**2 / np.maximum(tables.full, 1.0e-30)
    return Terrain(
        per_length=np.where(computed, 1.0 / cell_size, 0.0),
        base=tables.base,
        full=tables.full,
        per_full=per_full,
        above=tables.above,
        stage=tables.stage,
        low_x=low_x,
        low_y=low_y,
        per_span_x=(FACE_LEVELS**2 / tables.span_x).astype(np.float32),
        per_span_y=(FACE_LEVELS**2 / tables.span_y).astype(np.float32),
        face_x=tables.face_x,
        face_y=tables.face_y,
        spill=spill,
        last_place=(tables.full + arrival_depth / tables.above) * per_full,
        lean=0.5 * (1.0 - 1.0 / factor),
    )


def read_scheme(parameters: FloodParameters, cell_size: float) -> Scheme:
    """Return the parameters as the loop reads them; ``cell_size`` of a coarse cell [m].

    Raise InputError where they ask for advection, which the tables have no place for.
    """
    if parameters.advection:
        raise InputError(
            "parameter advection is True, expected False on a subgrid", hint="compute with every pixel a cell"
        )
    own: dict[str, Any] = {
        "cell_size": cell_size,
        "courant": min(parameters.courant, MOST_COURANT),
        "wet_depth": parameters.dry_depth,
        "least_share": 1.0,
    }
    return Scheme(**own, **{name: getattr(parameters, name) for name in Scheme._fields if name not in own})
