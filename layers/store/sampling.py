"""Values of a raster at many places."""

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.errors import RasterioError
from rasterio.windows import Window

from layers.errors import SourceError


def sample_raster(
    path: Path, longitudes: NDArray[np.float64], latitudes: NDArray[np.float64], *, band: int = 1
) -> NDArray[np.float64]:
    """Return the cell values of one band at places [°] (n,); NaN outside and where there is none.

    Only the part of the file that the places lie in is read. Raises SourceError when the file cannot be read.
    """
    values = np.full(len(longitudes), np.nan)
    if not len(longitudes):
        return values
    try:
        with rasterio.open(path) as source:
            transformer = Transformer.from_crs("OGC:CRS84", source.crs.to_wkt(), always_xy=True)
            x, y = transformer.transform(longitudes, latitudes)
            finite = np.isfinite(x) & np.isfinite(y)
            cols, rows = (np.full(len(x), -1), np.full(len(x), -1))
            back = ~source.transform
            cols[finite] = np.floor(back.a * x[finite] + back.b * y[finite] + back.c)
            rows[finite] = np.floor(back.d * x[finite] + back.e * y[finite] + back.f)
            inside = (cols >= 0) & (cols < source.width) & (rows >= 0) & (rows < source.height)
            if not inside.any():
                return values
            left, top = int(cols[inside].min()), int(rows[inside].min())
            window = Window(left, top, int(cols[inside].max()) - left + 1, int(rows[inside].max()) - top + 1)
            part = np.ma.filled(source.read(band, window=window, masked=True).astype(np.float64), np.nan)
            values[inside] = part[rows[inside] - top, cols[inside] - left]
            return values
    except RasterioError as error:
        raise SourceError(f"raster {path.name} cannot be read: {error}") from error
