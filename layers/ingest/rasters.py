"""A GeoTIFF or ESRI ASCII grid of the city → a Cloud-Optimised GeoTIFF in the city's CRS, listed among the rasters."""

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.warp import calculate_default_transform, reproject
from sqlalchemy import Connection

from layers.datum import CRS84, make_transformer, write_for_gdal
from layers.errors import CrsError, SourceError
from layers.grid import Grid
from layers.ingest.catalog import Source
from layers.ingest.crs import Chosen, name_crs
from layers.ingest.placing import place_file
from layers.ingest.quality import LoadReport
from layers.quantities import QUANTITIES
from layers.registry import read_raster_layer
from layers.schema import RasterLayer
from layers.store.area import CityArea, read_area
from layers.store.objects import name_for_gdal, put_object
from layers.store.rasters import list_rasters, register_raster, write_cog

_MOST_CELLS = 400_000_000
_DRIVERS = {".tif": "GTiff", ".tiff": "GTiff", ".asc": "AAIGrid"}
# Points across a raster, each way, that tell where it lies.
_MESH = 22


def load_raster(
    connection: Connection,
    source: Source,
    path: Path,
    target: CRS,
    processed_dir: Path | None,
    fingerprint: str,
    *,
    object_store: str | None = None,
    crs: str | None = None,
    dry_run: bool = False,
) -> LoadReport:
    """Bring the raster at ``path`` into the city's CRS, write ``rasters/<layer>.tif`` and list it.

    Values outside what the layer's quantity can be become no data and are counted. ``read`` counts cells with a value.
    Raises SourceError for a file that is no raster or has no value, CrsError where it does not say its CRS or cannot
    be where it says.
    """
    if processed_dir is None and not dry_run:
        raise SourceError(f"raster {path} needs a folder of processed files to go to")
    layer = read_raster_layer(source.layer)
    chosen = _place(path, read_area(connection), given=crs or source.crs)
    array, grid = read_in_crs(path, target, layer, crs=chosen.crs.to_wkt())
    measured = int(np.isfinite(array).sum())
    impossible = _blank_impossible(array, layer)
    if measured == impossible:
        raise SourceError(f"raster {path} has no value the layer '{layer.id}' can hold")
    stored = {row.fingerprint for row in list_rasters(connection, layer=layer.id) if row.run_id is None}
    good = measured - impossible
    report = LoadReport(source.id, layer.id, read=measured, quarantined=impossible, crs=chosen.words)
    report.loaded, report.unchanged = (0, good) if fingerprint in stored else (good, 0)
    if impossible:
        report.reasons = Counter({f"cells outside what {layer.quantity} can be": impossible})
    if not dry_run and processed_dir is not None:
        relative = f"rasters/{layer.id}.tif"
        resampling = Resampling.mode if layer.stepped else Resampling.average
        write_cog(processed_dir / relative, array, grid, tags={"source": source.id}, resampling=resampling)
        place = relative
        if object_store is not None:
            # A new name each time: others may be reading the one before, and keep parts of it.
            url = f"{object_store}/rasters/{layer.id}-{fingerprint[:16]}-{secrets.token_hex(4)}.tif"
            put_object(processed_dir / relative, url)
            place = name_for_gdal(url)
        register_raster(
            connection,
            raster_id=layer.id,
            layer_id=layer.id,
            run_id=None,
            path=place,
            times=None,
            bounds_crs84=_bounds_in_degrees(grid),
            minimum=float(np.nanmin(array)),
            maximum=float(np.nanmax(array)),
            source_id=source.id,
            fingerprint=fingerprint,
        )
    return report


def _place(path: Path, area: CityArea, *, given: str | None) -> Chosen:
    """Return the CRS of a raster by what it says and by where a mesh of points over it falls."""
    with _open(path) as opened:
        declared = opened.crs.to_wkt() if opened.crs else None
        x0, y0, x1, y1 = opened.bounds
    x, y = np.meshgrid(np.linspace(x0, x1, _MESH), np.linspace(y0, y1, _MESH))
    mesh = np.asarray(shapely.points(x.ravel(), y.ravel()), dtype=object)
    return place_file(str(path), mesh, area, given=given, declared=declared, default=None, is_table=False)


@contextmanager
def _open(path: Path) -> Iterator[rasterio.DatasetReader]:
    """Open a raster; SourceError names a file that is absent or none, also when it turns out while it is read."""
    if not path.exists():
        raise SourceError(f"raster {path} does not exist")
    if path.suffix.lower() not in _DRIVERS:
        hint = f"known are {', '.join(_DRIVERS)}"
        raise SourceError(f"{path}: rasters ending in '{path.suffix.lower()}' cannot be read", hint=hint)
    try:
        # The driver is named because others, such as VRT, open what a file tells them to.
        with rasterio.open(path, driver=_DRIVERS[path.suffix.lower()]) as opened:
            if opened.width * opened.height > _MOST_CELLS:
                cells = opened.width * opened.height
                raise SourceError(f"raster {path} has {cells} cells, at most {_MOST_CELLS}", hint="cut it to the city")
            yield opened
    except RasterioError as error:
        raise SourceError(f"{path} cannot be read as a raster: {' '.join(str(error).split())}") from error


def read_in_crs(
    path: Path, target: CRS, layer: RasterLayer, *, crs: str | None = None
) -> tuple[NDArray[np.float32], Grid]:
    """Return the first band of ``path`` in ``target`` at its own resolution, NaN where it has no data.

    Codes are taken from the nearest cell, measures interpolated. A raster that already lies in ``target`` with square
    cells is not resampled.
    """
    with _open(path) as opened:
        source_crs = crs or (opened.crs.to_wkt() if opened.crs else None)
        if source_crs is None:
            raise CrsError(f"raster {path} does not say its CRS", hint="give it with --crs EPSG:N")
        values = opened.read(1, masked=True).astype(np.float32).filled(np.nan)
        here, bounds = opened.transform, opened.bounds
    name = name_crs(target)
    square = here.b == 0 and here.d == 0 and here.e < 0 and np.isclose(here.a, -here.e)
    if CRS.from_user_input(source_crs) == target and square:
        return values, Grid(values.shape[0], values.shape[1], here.c, here.f, here.a, name)
    try:
        moved, cols, rows = calculate_default_transform(
            write_for_gdal(source_crs),
            write_for_gdal(target),
            values.shape[1],
            values.shape[0],
            *bounds,
        )
    except RasterioError as error:
        raise CrsError(f"raster {path} cannot be brought into {name}: {' '.join(str(error).split())}") from error
    if rows * cols > _MOST_CELLS:
        raise SourceError(f"raster {path} would have {rows * cols} cells in {name}, at most {_MOST_CELLS}")
    grid = Grid(rows, cols, moved.c, moved.f, moved.a, name)
    made = np.full(grid.shape, np.nan, dtype=np.float32)
    reproject(
        values,
        made,
        src_transform=here,
        src_crs=write_for_gdal(source_crs),
        src_nodata=np.nan,
        dst_transform=grid.transform,
        dst_crs=write_for_gdal(target),
        dst_nodata=np.nan,
        resampling=Resampling.nearest if layer.stepped else Resampling.bilinear,
    )
    return made, grid


def _blank_impossible(array: NDArray[np.float32], layer: RasterLayer) -> int:
    """Set cells outside the quantity's range to NaN and return how many they were."""
    measure = QUANTITIES[layer.quantity]
    with np.errstate(invalid="ignore"):
        outside = (array < measure.minimum) | (array > measure.maximum)
    array[outside] = np.nan
    return int(outside.sum())


def _bounds_in_degrees(grid: Grid) -> tuple[float, float, float, float]:
    moving = make_transformer(grid.crs, CRS84)
    west, south, east, north = moving.transform_bounds(*grid.bounds)
    return west, south, east, north
