"""Water as in a bath tub: a level over the terrain, wherever the ground below it is joined to the river."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from layers.errors import InputError, TooLargeError
from layers.grid import Grid
from twin.process import CityView
from twin.processes.flood_water import Levels, Mask, Raster, find_river_below, find_water
from twin.roads.flooding import Depths

MAX_CELLS = 12_000_000


@dataclass(frozen=True, slots=True, eq=False)
class TubWater:
    """Depth and bed [m] (rows, cols), NaN where the city has water on any day; notes: what was taken for the river."""

    depth: Depths
    bed: Depths
    grid: Grid
    notes: dict[str, Any]


def fill_tub(
    view: CityView, stage: float, *, river_below: float | None = None, cell_size: float | None = None
) -> TubWater:
    """Return the water of a ``stage`` [m] above the terrain's datum; dykes that the terrain does not show hold nothing.

    The river is the water bodies that follow rivers and tides; without any, ground at the edge of the terrain not
    above ``river_below`` [m], or not above the lowest cell there. In that case roads in the river are told by the
    terrain too. cell_size [m]: as stored without it. Raises InputError where there is no river, TooLargeError for too
    many cells.
    """
    terrain, grid = view.raster("terrain", cell_size=cell_size)
    if terrain.size > MAX_CELLS:
        raise TooLargeError(
            f"{terrain.size:,} cells of {grid.cell_size:g} m exceed the limit of {MAX_CELLS:,}",
            hint="give a larger cell_size",
        )
    bed = terrain.astype(np.float64)
    if not np.isfinite(bed).any():
        raise InputError("the terrain has no value anywhere in the city", hint="load a source of layer terrain")
    river, told, told_as = _find_river(view, bed, grid, stage, river_below)
    low = (np.isfinite(bed) & (bed < stage)) | river
    labels, _ = ndimage.label(low)
    reached = np.isin(labels, np.unique(labels[river & (labels > 0)])) & (labels > 0)
    depth = np.where(reached, np.maximum(stage - bed, 0.0), np.where(np.isfinite(bed), 0.0, np.nan))
    if not told:
        depth = np.where(river, np.nan, depth)
    notes = {"river": told_as, "cell_size": grid.cell_size, "low_not_joined": _measure(low & ~reached, grid)}
    return TubWater(depth.astype(np.float32), bed.astype(np.float32), grid, notes)


def _find_river(
    view: CityView, bed: Raster, grid: Grid, stage: float, river_below: float | None
) -> tuple[Mask, bool, str]:
    """Return the river's cells, whether the terrain told them, and in words what they are."""
    if river_below is None and len(view.layer("water_bodies", columns=["water_type"])):
        water = find_water(view, bed, grid, Levels(-np.inf, stage, -np.inf), frozenset())
        if water.stage.any():
            return water.stage, False, "water_bodies"
    if river_below is None:
        rim = ~ndimage.binary_erosion(np.isfinite(bed), border_value=0) & np.isfinite(bed)
        river_below = float(bed[rim].min())
    return find_river_below(bed, river_below), True, f"ground not above {river_below:g} m at the edge of the terrain"


def _measure(cells: Mask, grid: Grid) -> float:
    return float(cells.sum()) * grid.cell_area
