"""Open water of the city on the grid: what follows the river, what stands still, what lies behind a gate."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy import ndimage

from layers.errors import InputError
from layers.grid import Grid
from twin.process import CityView

Mask = NDArray[np.bool_]
Raster = NDArray[np.float64]
Numbers = NDArray[np.int32]

EDGE_DEPTH = 0.5
LINE_WIDTH = 6.0
"""Width of a waterway that has none [m]."""

VOID_DEPTH = 2.0
"""Water over the bed of a river in which the terrain has no value [m]: surveys by light do not see through it."""


STAGE_REACH = 5.0
"""A gauge on the terrain's datum reads within this [m] of the river's banks, or lies over its bed."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Water levels [m]: at the start, the highest to come, and the usual one that closed canals and ponds keep."""

    start: float
    highest: float
    usual: float


@dataclass(frozen=True, slots=True, eq=False)
class OpenWater:
    """Water of the city, all (rows, cols).

    stage: cells that follow the river. still: number of the body that other water is in, 0 where there is none. canal:
    cells of bodies behind gates. gated: numbers of the bodies behind each gate that would follow the river were it
    open.
    """

    stage: Mask
    still: Numbers
    canal: Mask
    gated: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))


def find_river_below(bed: Raster, elevation: float) -> Mask:
    """Return the cells not above ``elevation`` [m] that are connected to the edge of the terrain through such cells.

    For a city without polygons of water: the river is the low ground that leaves the map. InputError when there is
    none.
    """
    low = np.isfinite(bed) & (bed <= elevation)
    labels, _ = ndimage.label(low)
    rim = ~ndimage.binary_erosion(np.isfinite(bed), border_value=0)
    kept = np.unique(labels[rim & low])
    river: Mask = np.isin(labels, kept[kept > 0])
    if not river.any():
        lowest = float(np.nanmin(np.where(rim, bed, np.nan)))
        raise InputError(
            f"river_below {elevation:g} m finds no river: the lowest cell at the edge lies at {lowest:.2f} m",
            hint="give an elevation above the water surface of the terrain",
        )
    return river


def find_water(
    view: CityView, bed: Raster, grid: Grid, levels: Levels, opened: Set[str] | None, worked: Set[str] = frozenset()
) -> OpenWater:
    """Return the open water.

    Rivers and canals follow it unless they are not tidal (a closed gate makes them so). At high water all gates work
    but those ``opened`` (None: no high water); those ``worked`` by a schedule do at any. A cell at the water's edge
    belongs to it when its mean bed [m] lies well below the usual level. A city with centre lines only gets them at
    their width, or 6 m.
    """
    bodies = view.layer("water_bodies")
    bodies = bodies[bodies.geometry.notna() & ~bodies.geometry.is_empty]
    if bodies.empty:
        return take_river(grid, _rasterize_lines(view, grid))
    kinds, tidal, gates = bodies["water_type"], bodies["is_tidal"], bodies["gate_id"]
    follows = (tidal == True) | (tidal.isna() & kinds.isin(("river", "canal")))  # noqa: E712 - column holds null too
    held = gates.isin(worked) if opened is None else gates.isin(worked) | (gates.notna() & ~gates.isin(opened))
    wanted, held_back = follows.to_numpy(dtype=bool), held.to_numpy(dtype=bool)
    chosen = wanted & ~held_back
    shapes = bodies.geometry.to_numpy()
    edge = draw_shapes(shapes[chosen], grid, touched=True) > 0
    stage = (draw_shapes(shapes[chosen], grid) > 0) | (edge & (bed < levels.usual - EDGE_DEPTH))
    still = draw_shapes(shapes[~chosen], grid, numbered=True)
    canal = draw_shapes(shapes[~chosen & gates.notna().to_numpy(dtype=bool)], grid) > 0
    gated: dict[str, tuple[int, ...]] = {}
    for number, index in enumerate(np.flatnonzero(~chosen), start=1):
        if wanted[index]:
            name = str(gates.iloc[index])
            gated[name] = (*gated.get(name, ()), number)
    return OpenWater(stage, np.where(stage, 0, still).astype(np.int32), canal, gated)


def take_river(grid: Grid, stage: Mask) -> OpenWater:
    """Return open water that is nothing but the river's cells."""
    return OpenWater(stage, np.zeros(grid.shape, dtype=np.int32), np.zeros(grid.shape, dtype=bool))


def fill_voids(bed: Raster, river: Mask, levels: Levels) -> Raster:
    """Return the bed [m] with a depth of water below the usual level where a river has no terrain within the map."""
    return np.where(find_voids(bed) & river, levels.usual - VOID_DEPTH, bed)


def find_voids(bed: Raster) -> Mask:
    """Return the cells without a value that are enclosed by terrain: not the outside of the map but holes in it."""
    missing = ~np.isfinite(bed)
    labels, _ = ndimage.label(missing)
    edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return missing & ~np.isin(labels, np.unique(edges))


def check_voids(bed: Raster, grid: Grid) -> None:
    """Raise InputError naming the first hole of the terrain: water would flow round it as round a wall."""
    holes = find_voids(bed)
    if holes.any():
        row, col = (int(k) for k in np.argwhere(holes)[0])
        x, y = grid.centres()
        raise InputError(
            f"the terrain has no value in cell ({row}, {col}) at ({x[col]:.0f}, {y[row]:.0f}) and "
            f"{int(holes.sum()) - 1} more within it, expected an elevation",
            hint="fill the holes before loading it, or let the run do it: condition=true",
        )


def check_stage(gauge: str, usual: float, bed: Raster, stage: Mask, water: Mask) -> None:
    """Raise InputError where the usual stage of a gauge [m] cannot belong to the terrain: its datum is another one.

    That is where it stands more than STAGE_REACH above the middle of the banks, or more than that below them and below
    the river's own bed.
    """
    banks = ndimage.binary_dilation(stage, iterations=2) & ~water & np.isfinite(bed)
    if not banks.any():
        return
    bank, floor = float(np.median(bed[banks])), float(np.median(bed[stage]))
    if min(floor, bank - STAGE_REACH) <= usual <= bank + STAGE_REACH:
        return
    raise InputError(
        f"gauge series '{gauge}' stands at {usual:.2f} m on average, but the river's banks lie at {bank:.2f} m and its "
        f"bed at {floor:.2f} m: they are not of one datum",
        hint="give the gauge's readings in metres above the datum of the terrain, its own zero added",
    )


def fill_still_water(bed: Raster, still: Numbers, closed: Mask, levels: Levels) -> Raster:
    """Return the starting level [m] of still water: usual level, not above the start stage nor the body's own rim."""
    count = int(still.max()) + 1
    rim = ndimage.grey_dilation(np.where(closed, still, 0), size=(3, 3))
    outside = np.where((rim > 0) & ~closed & np.isfinite(bed), rim, 0)
    lowest = np.asarray(ndimage.minimum(bed, outside, index=np.arange(count)), dtype=np.float64)
    has_rim = np.bincount(outside.ravel(), minlength=count) > 0
    level = np.where(has_rim, np.minimum(lowest, levels.usual), levels.usual)
    return level[still]


def draw_shapes(
    shapes: Iterable[shapely.Geometry], grid: Grid, *, numbered: bool = False, touched: bool = False
) -> Numbers:
    """Return 1 (or the shape's number from 1) in cells whose centre a shape covers, 0 elsewhere."""
    found = list(shapes)
    if not found:
        return np.zeros(grid.shape, dtype=np.int32)
    values = range(1, len(found) + 1) if numbered else [1] * len(found)
    drawn = rasterize(
        zip(found, values, strict=True),
        out_shape=grid.shape,
        transform=grid.transform,
        fill=0,
        all_touched=touched,
        dtype="int32",
    )
    return np.asarray(drawn, dtype=np.int32)


def _rasterize_lines(view: CityView, grid: Grid) -> Mask:
    lines = view.layer("waterways")
    if lines.empty:
        return np.zeros(grid.shape, dtype=bool)
    lines = lines[lines["is_tidal"].ne(False) & lines["waterway"].isin(("river", "canal", "stream"))]
    width = lines["width"].astype(float).fillna(LINE_WIDTH).to_numpy()
    return draw_shapes(shapely.buffer(lines.geometry.to_numpy(), width / 2.0), grid, touched=True) > 0
