"""What a raster of water says of an area: how much of it is under water, how deep."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from rasterio.features import geometry_mask

from hydrology.hazard import WET_DEPTH
from layers.datum import CRS84, make_transformer
from layers.store.rasters import read_grid


class WaterInArea(NamedTuple):
    """Ground of an area that a raster of depth covers [m2], of it under water [m2], deepest and mean water [m]."""

    covered: float
    flooded: float
    depth_max: float | None
    depth_mean: float | None


def measure_water(path: Path, shape: shapely.Geometry) -> WaterInArea:
    """Return what the depths [m] at ``path`` are within ``shape`` [°].

    Cells count whose centre lies within; where none does, those that the shape touches.
    """
    whole, grid = read_grid(path)
    transform = make_transformer(CRS84, grid.crs).transform
    placed = shapely.transform(shape, lambda xy: np.column_stack(transform(xy[:, 0], xy[:, 1])))
    within = geometry_mask([placed], grid.shape, grid.transform, invert=True)
    if not within.any():
        within = geometry_mask([placed], grid.shape, grid.transform, invert=True, all_touched=True)
    depths = whole[within]
    known = depths[np.isfinite(depths)]
    wet = known[known >= np.float32(WET_DEPTH)]
    return WaterInArea(
        float(known.size) * grid.cell_area,
        float(wet.size) * grid.cell_area,
        float(wet.max()) if wet.size else None,
        float(wet.mean()) if wet.size else None,
    )
