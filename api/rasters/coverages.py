"""A part of a raster as GeoTIFF: a box, some times of a series, at full or a lower resolution."""

import math
from collections.abc import Sequence
from pathlib import Path

from affine import Affine
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.windows import Window

from api.rasters.pictures import choose_resampling
from api.rasters.warping import Bounds, open_raster
from layers.datum import make_transformer
from layers.errors import InputError, TooLargeError
from layers.schema import RasterLayer

MAX_VALUES = 50_000_000


def cut_coverage(
    path: Path, layer: RasterLayer, *, bounds: Bounds | None, crs: str, bands: Sequence[int], factor: float
) -> bytes:
    """Return the cells of ``bands`` (from 1) that touch ``bounds`` as GeoTIFF in the raster's own CRS.

    ``bounds`` are (x_min, y_min, x_max, y_max) in ``crs``, x east and y north; None is the whole raster. A ``factor``
    above 1 makes cells so many times as wide: means of measures, single cells of classes. Raises InputError where the
    raster has no cell, TooLargeError for more than ``MAX_VALUES`` values.
    """
    with open_raster(path) as dataset:
        left, top, right, bottom = 0, 0, dataset.width, dataset.height
        if bounds is not None:
            x0, y0, x1, y1 = make_transformer(crs, CRS.from_wkt(dataset.crs.to_wkt())).transform_bounds(*bounds)
            if not all(math.isfinite(value) for value in (x0, y0, x1, y1)):
                raise InputError(f"bbox {bounds} cannot be brought into the CRS of the raster")
            box, (width, height) = dataset.bounds, dataset.res
            left = min(max(math.floor((x0 - box.left) / width), 0), dataset.width)
            right = min(max(math.ceil((x1 - box.left) / width), 0), dataset.width)
            top = min(max(math.floor((box.top - y1) / height), 0), dataset.height)
            bottom = min(max(math.ceil((box.top - y0) / height), 0), dataset.height)
        if right <= left or bottom <= top:
            raise InputError("bbox does not touch the raster", hint="the collection's extent says where it is")
        window = Window.from_slices((top, bottom), (left, right))
        rows, cols = max(1, round((bottom - top) / factor)), max(1, round((right - left) / factor))
        if rows * cols * len(bands) > MAX_VALUES:
            raise TooLargeError(
                f"the coverage would hold {rows * cols * len(bands)} values, at most {MAX_VALUES}",
                hint="ask for a bbox, one datetime or a scale-factor, or take the whole file by its link 'enclosure'",
            )
        resampling = Resampling.average if choose_resampling(layer) is Resampling.bilinear else Resampling.nearest
        values = dataset.read(list(bands), window=window, out_shape=(len(bands), rows, cols), resampling=resampling)
        whole = dataset.window_transform(window)
        transform = whole @ Affine.scale((right - left) / cols, (bottom - top) / rows)
        profile = {
            "driver": "GTiff", "height": rows, "width": cols, "count": len(bands), "dtype": values.dtype,
            "crs": dataset.crs, "transform": transform, "nodata": dataset.nodata, "compress": "deflate", "tiled": True,
        }  # fmt: skip
        names = [dataset.descriptions[band - 1] for band in bands]
    with MemoryFile() as memory:
        with memory.open(**profile) as made:
            made.write(values)
            for place, name in enumerate(names, start=1):
                made.set_band_description(place, name or layer.id)
        return bytes(memory.getbuffer())
