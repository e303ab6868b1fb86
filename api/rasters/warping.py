"""A stored raster seen in another CRS: cells of a picture or a tile, by the city's own datum shift.

Places are moved exactly on a mesh of pixels and along straight lines in between; values are read there from the file or
from an overview of it. GDAL's warper would do the same, but it sets up its transformation anew for every picture, which
takes longer than the picture, and rounds it differently for every cut, so that tiles of heights would not meet.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from layers.datum import make_transformer
from layers.errors import BrokenFileError, InputError

MAX_PIXELS = 4096 * 4096
Bounds = tuple[float, float, float, float]
Array = NDArray[np.float64]
_Sample = Callable[[NDArray[np.float32], Array, Array], NDArray[np.float32]]
# Pixels around the raster that are drawn too, because its border is curved in another CRS.
_MARGIN = 2
# Pixels between two places that are moved exactly: over 33 km they lie 20 m off the straight line between them.
_MESH = 16
# Rows made at once, which bounds the memory.
_ROWS = 256


class _Part(NamedTuple):
    """The pixels a raster can reach, and the overview (None: the image itself) that is fine enough for them."""

    left: int
    top: int
    right: int
    bottom: int
    overview: int | None


@contextmanager
def open_raster(path: Path, *, overview: int | None = None) -> Iterator[DatasetReader]:
    """Open the GeoTIFF at ``path``, or its overview ``overview`` (from 0), for the time of the block.

    Raises BrokenFileError when it, or what is read of it in the block, cannot be read.
    """
    level = {} if overview is None else {"overview_level": overview}
    try:
        with rasterio.open(path, driver="GTiff", **level) as opened:
            yield opened
    except RasterioError as error:
        name = "/".join(path.parts[-2:])
        hint = "run or load it again"
        raise BrokenFileError(f"the file of this raster cannot be read: {name}", hint=hint) from error


def warp(
    path: Path, *, bounds: Bounds, crs: str, width: int, height: int, band: int, resampling: Resampling
) -> NDArray[np.float32]:
    """Return band ``band`` (from 1) of the GeoTIFF at ``path`` as (height, width) values over ``bounds`` in ``crs``.

    ``bounds`` are (x_min, y_min, x_max, y_max) with x east and y north whatever the order of axes of ``crs`` is, in its
    units. A value is that at the centre of its pixel: of the nearest cell, or (``Resampling.bilinear``) between the
    four around, of which those without a value do not count. NaN where the cell there has no value. Where a pixel
    covers several cells, they are those of an overview. Raises InputError for a picture without area or of more than
    ``MAX_PIXELS``.
    """
    x0, y0, x1, y1 = bounds
    if not (all(math.isfinite(value) for value in bounds) and x0 < x1 and y0 < y1):
        raise InputError(f"bounds {bounds} hold no area, expected x_min < x_max and y_min < y_max")
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise InputError(f"a picture of {width} × {height} pixels, expected 1 to {MAX_PIXELS} in all")
    values = np.full((height, width), np.nan, dtype=np.float32)
    with open_raster(path) as dataset:
        part = _find_part(dataset, bounds, crs, width, height)
    if part is None:
        return values
    x = x0 + (np.arange(part.left, part.right, dtype=np.float64) + 0.5) * ((x1 - x0) / width)
    sample = sample_nearest if resampling is Resampling.nearest else sample_between
    with open_raster(path, overview=part.overview) as dataset:
        for top in range(part.top, part.bottom, _ROWS):
            bottom = min(top + _ROWS, part.bottom)
            y = y1 - (np.arange(top, bottom, dtype=np.float64) + 0.5) * ((y1 - y0) / height)
            col, row = _locate_cells(dataset, x, y, crs)
            values[top:bottom, part.left : part.right] = _read_around(dataset, band, col, row, sample)
    return values


def _find_part(dataset: DatasetReader, bounds: Bounds, crs: str, width: int, height: int) -> _Part | None:
    """Return what of a picture the raster can reach; None when it is nothing.

    Far from the raster its projection has no inverse, so only where it lies is ever looked at.
    """
    moving, box = make_transformer(dataset.crs.to_wkt(), crs), dataset.bounds
    west, south, east, north = moving.transform_bounds(box.left, box.bottom, box.right, box.top, densify_pts=21)
    x0, y0, x1, y1 = bounds
    across, down = width / (x1 - x0), height / (y1 - y0)
    if not all(math.isfinite(value) for value in (west, south, east, north, across, down)):
        return None
    if west >= x1 or east <= x0 or south >= y1 or north <= y0:
        return None
    cells_a_pixel = min(dataset.width / ((east - west) * across), dataset.height / ((north - south) * down))
    fine = [place for place, factor in enumerate(dataset.overviews(1)) if factor <= cells_a_pixel]
    return _Part(
        left=max(0, math.floor(max((west - x0) * across, 0.0)) - _MARGIN),
        top=max(0, math.floor(max((y1 - north) * down, 0.0)) - _MARGIN),
        right=min(width, math.ceil(min((east - x0) * across, width)) + _MARGIN),
        bottom=min(height, math.ceil(min((y1 - south) * down, height)) + _MARGIN),
        overview=fine[-1] if fine else None,
    )


def _locate_cells(dataset: DatasetReader, x: Array, y: Array, crs: str) -> tuple[Array, Array]:
    """Return column and row (len(y), len(x)) of places in ``crs``, 0 at the centre of the first cell."""
    mesh_x, mesh_y = (_thin(values) for values in (x, y))
    moving = make_transformer(crs, dataset.crs.to_wkt())
    moved = moving.transform(*np.meshgrid(mesh_x, mesh_y), errcheck=False)
    box, (width, height) = dataset.bounds, dataset.res
    col = (np.asarray(moved[0]) - box.left) / width - 0.5
    row = (box.top - np.asarray(moved[1])) / height - 0.5
    return _fill_mesh(col, len(x), len(y)), _fill_mesh(row, len(x), len(y))


def _thin(values: Array) -> Array:
    """Return every ``_MESH``-th of evenly spaced ``values``, and one behind the last."""
    step = values[1] - values[0] if len(values) > 1 else 0.0
    made: Array = values[0] + np.arange((len(values) - 1) // _MESH + 2) * (_MESH * step)
    return made


def _fill_mesh(mesh: Array, width: int, height: int) -> Array:
    """Return (height, width) values in between those of a mesh, straight along rows and columns."""
    across, down = (np.arange(size) / _MESH for size in (width, height))
    left, above = across.astype(np.int64), down.astype(np.int64)
    rows = mesh[:, left] + (mesh[:, left + 1] - mesh[:, left]) * (across - left)
    filled: Array = rows[above] + (rows[above + 1] - rows[above]) * (down - above)[:, np.newaxis]
    return filled


def _read_around(dataset: DatasetReader, band: int, col: Array, row: Array, sample: _Sample) -> NDArray[np.float32]:
    """Return the values at places of ``dataset``, reading only the cells around them; NaN outside."""
    inside = (col >= -0.5) & (col < dataset.width - 0.5) & (row >= -0.5) & (row < dataset.height - 0.5)
    if not inside.any():
        return np.full(col.shape, np.nan, dtype=np.float32)
    left, right = max(0, math.floor(col[inside].min())), min(dataset.width, math.floor(col[inside].max()) + 2)
    top, bottom = max(0, math.floor(row[inside].min())), min(dataset.height, math.floor(row[inside].max()) + 2)
    cells = dataset.read(band, window=Window.from_slices((top, bottom), (left, right))).astype(np.float32, copy=False)
    if dataset.nodata is not None:
        cells[cells == dataset.nodata] = np.nan
    made = sample(cells, np.where(inside, col - left, 0.0), np.where(inside, row - top, 0.0))
    made[~inside] = np.nan
    return made


def sample_nearest(cells: NDArray[np.float32], col: Array, row: Array) -> NDArray[np.float32]:
    """Return the value of the cell each place lies in."""
    rows, cols = cells.shape
    c = np.clip(np.floor(col + 0.5).astype(np.intp), 0, cols - 1)
    r = np.clip(np.floor(row + 0.5).astype(np.intp), 0, rows - 1)
    return cells[r, c]


def sample_between(cells: NDArray[np.float32], col: Array, row: Array) -> NDArray[np.float32]:
    """Return the value between the centres of the four cells around each place; NaN where the cell itself has none.

    A cell around it that has no value counts like the cell itself.
    """
    rows, cols = cells.shape
    c, r = np.floor(col).astype(np.intp), np.floor(row).astype(np.intp)
    right, below = (col - c).astype(np.float32), (row - r).astype(np.float32)
    c1, r1 = np.minimum(c + 1, cols - 1), np.minimum(r + 1, rows - 1)
    c, r = np.maximum(c, 0), np.maximum(r, 0)
    corners = [cells[r, c], cells[r, c1], cells[r1, c], cells[r1, c1]]
    if np.isnan(cells).any():
        own = sample_nearest(cells, col, row)
        corners = [np.where(np.isnan(corner), own, corner) for corner in corners]
    above, under = (corners[k] + (corners[k + 1] - corners[k]) * right for k in (0, 2))
    made: NDArray[np.float32] = above + (under - above) * below
    return made
