"""What a raster's file says of itself: shape, place, type."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from api.rasters.warping import open_raster


class RasterFacts(NamedTuple):
    """Rows and columns, the six numbers from (column, row) to (x, y), type of a value, cell size, bounds, bands."""

    shape: tuple[int, int]
    transform: tuple[float, ...]
    dtype: str
    cell_size: float
    bounds: tuple[float, float, float, float]
    epsg: int | None
    bands: int


@lru_cache(maxsize=2048)
def read_facts(path: Path, fingerprint: str) -> RasterFacts:
    """Return the facts of the GeoTIFF at ``path``, kept by ``fingerprint``; NotFoundError when it is gone."""
    with open_raster(path) as dataset:
        box = dataset.bounds
        return RasterFacts(
            (dataset.height, dataset.width),
            tuple(dataset.transform)[:6],
            dataset.dtypes[0],
            float(dataset.res[0]),
            (box.left, box.bottom, box.right, box.top),
            dataset.crs.to_epsg() if dataset.crs else None,
            dataset.count,
        )
