"""A stored raster seen in another CRS: cells of a picture or a tile, by the city's own datum shift."""

import math
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.transform import from_bounds
from rasterio.warp import reproject
from rasterio.windows import Window

from layers.datum import make_transformer, write_for_gdal
from layers.errors import InputError, NotFoundError

MAX_PIXELS = 4096 * 4096
Bounds = tuple[float, float, float, float]
# Pixels around the raster that are warped too, because its border is curved in another CRS.
_MARGIN = 2
# Cells around what a picture covers: interpolation and the mean over a pixel reach that far.
_CELLS_AROUND = 6


def open_raster(path: Path, *, overview: int | None = None) -> DatasetReader:
    """Open the GeoTIFF at ``path``, or its overview ``overview`` (from 0); NotFoundError when it cannot be read."""
    level = {} if overview is None else {"overview_level": overview}
    try:
        opened: DatasetReader = rasterio.open(path, driver="GTiff", **level)
    except RasterioError as error:
        raise NotFoundError(f"the file of this raster cannot be read: {path.name}", hint="run it again") from error
    return opened


def warp(
    path: Path, *, bounds: Bounds, crs: str, width: int, height: int, band: int, resampling: Resampling
) -> NDArray[np.float32]:
    """Return band ``band`` (from 1) of the GeoTIFF at ``path`` as (height, width) cells over ``bounds`` in ``crs``.

    ``bounds`` are (x_min, y_min, x_max, y_max) with x east and y north whatever the order of axes of ``crs`` is, in its
    units. NaN where the raster has no value. Overviews are used where a cell covers many; places are right to an eighth
    of a cell. Raises InputError for a picture without area or of more than ``MAX_PIXELS``.
    """
    x0, y0, x1, y1 = bounds
    if not (all(math.isfinite(value) for value in bounds) and x0 < x1 and y0 < y1):
        raise InputError(f"bounds {bounds} hold no area, expected x_min < x_max and y_min < y_max")
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise InputError(f"a picture of {width} × {height} pixels, expected 1 to {MAX_PIXELS} in all")
    values = np.full((height, width), np.nan, dtype=np.float32)
    with open_raster(path) as dataset:
        found = _find_part(dataset, bounds, crs, width, height)
    if found is None:
        return values
    (left, top, right, bottom), overview, scale = found
    pixel_x, pixel_y = (x1 - x0) / width, (y1 - y0) / height
    where = (x0 + left * pixel_x, y1 - bottom * pixel_y, x0 + right * pixel_x, y1 - top * pixel_y)
    part = np.full((bottom - top, right - left), np.nan, dtype=np.float32)
    with open_raster(path, overview=overview) as dataset:
        # One band is read and warped: a warped view of the file would warp every time of a series.
        window = _find_window(dataset, where, crs)
        reproject(
            dataset.read(band, window=window).astype(np.float32, copy=False),
            part,
            src_transform=dataset.window_transform(window),
            src_crs=write_for_gdal(dataset.crs.to_wkt()),
            src_nodata=dataset.nodata,
            dst_transform=from_bounds(*where, right - left, bottom - top),
            dst_crs=write_for_gdal(crs),
            dst_nodata=float("nan"),
            resampling=resampling,
            # Else GDAL measures it on each part anew, and neighbours would differ.
            XSCALE=scale,
            YSCALE=scale,
        )
    values[top:bottom, left:right] = part
    return values


def _find_window(dataset: DatasetReader, where: Bounds, crs: str) -> Window:
    """Return the cells of ``dataset`` that ``where`` in ``crs`` is made from, with some around them."""
    x0, y0, x1, y1 = make_transformer(crs, dataset.crs.to_wkt()).transform_bounds(*where, densify_pts=21)
    box, (width, height) = dataset.bounds, dataset.res
    left = min(max(0, math.floor((x0 - box.left) / width) - _CELLS_AROUND), dataset.width - 1)
    right = max(min(dataset.width, math.ceil((x1 - box.left) / width) + _CELLS_AROUND), left + 1)
    top = min(max(0, math.floor((box.top - y1) / height) - _CELLS_AROUND), dataset.height - 1)
    bottom = max(min(dataset.height, math.ceil((box.top - y0) / height) + _CELLS_AROUND), top + 1)
    return Window.from_slices((top, bottom), (left, right))


def _find_part(
    dataset: DatasetReader, bounds: Bounds, crs: str, width: int, height: int
) -> tuple[tuple[int, int, int, int], int | None, float] | None:
    """Return the pixels (left, top, right, bottom) the raster can reach, the overview that is fine enough for them, and
    how many pixels lie on a cell of it, at most 1.

    None when it reaches none. Far from the raster its projection has no inverse, so only where it lies is ever warped.
    """
    moving, box = make_transformer(dataset.crs.to_wkt(), crs), dataset.bounds
    west, south, east, north = moving.transform_bounds(box.left, box.bottom, box.right, box.top, densify_pts=21)
    x0, y0, x1, y1 = bounds
    across, down = width / (x1 - x0), height / (y1 - y0)
    if not all(math.isfinite(value) for value in (west, south, east, north, across, down)):
        return None
    if west >= x1 or east <= x0 or south >= y1 or north <= y0:
        return None
    left = max(0, math.floor(max((west - x0) * across, 0.0)) - _MARGIN)
    right = min(width, math.ceil(min((east - x0) * across, width)) + _MARGIN)
    top = max(0, math.floor(max((y1 - north) * down, 0.0)) - _MARGIN)
    bottom = min(height, math.ceil(min((y1 - south) * down, height)) + _MARGIN)
    cells_a_pixel = min(dataset.width / ((east - west) * across), dataset.height / ((north - south) * down))
    factors = [1, *(factor for factor in dataset.overviews(1) if factor <= cells_a_pixel)]
    overview = None if len(factors) == 1 else len(factors) - 2
    return (left, top, right, bottom), overview, min(1.0, factors[-1] / cells_a_pixel)
