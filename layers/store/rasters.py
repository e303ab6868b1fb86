"""Rasters: Cloud-Optimised GeoTIFFs in the city's CRS and the table that lists them."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError
from rasterio.warp import reproject
from rasterio.windows import Window
from sqlalchemy import Connection, text

from layers.errors import DiskFullError, InputError, NotFoundError, SourceError
from layers.grid import Grid

_BLOCK = 256
_SMALLEST_OVERVIEW = 128


@dataclass(frozen=True, slots=True)
class RasterRow:
    """One registered raster; ``path`` is relative to the folder of processed files, ``bounds`` CRS84."""

    id: str
    layer: str
    run_id: str | None
    path: str
    times: tuple[datetime, ...] | None
    bounds: tuple[float, float, float, float]
    minimum: float | None
    maximum: float | None
    source_id: str | None
    fingerprint: str


def write_cog(
    path: Path,
    array: NDArray[np.float32],
    grid: Grid,
    *,
    nodata: float = float("nan"),
    times: Sequence[datetime] | None = None,
    tags: Mapping[str, str] | None = None,
    resampling: Resampling = Resampling.average,
) -> None:
    """Write ``array`` (rows, cols) or (bands, rows, cols) on ``grid`` as a Cloud-Optimised GeoTIFF at ``path``.

    Tiled, DEFLATE, with overviews in front of the data, bands stored one after another so that one time step is
    read alone. ``times`` (one a band) become the band descriptions. The file appears whole or not at all.
    Raises InputError when shape and grid, or times and bands, do not agree, DiskFullError when there is no room.
    """
    bands = array[np.newaxis] if array.ndim == 2 else array
    if bands.ndim != 3 or bands.shape[1:] != grid.shape:
        raise InputError(f"raster of shape {array.shape} does not lie on a grid of {grid.shape}")
    if times is not None and len(times) != bands.shape[0]:
        raise InputError(f"raster has {bands.shape[0]} bands but {len(times)} times")
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        _watch_room(path, _estimate_size(bands.shape, bands.dtype.itemsize)),
        tempfile.TemporaryDirectory(prefix=".cog-", dir=path.parent) as folder,
    ):
        plain, ordered = Path(folder) / "plain.tif", Path(folder) / "ordered.tif"
        profile = {
            "driver": "GTiff",
            "height": grid.rows,
            "width": grid.cols,
            "count": bands.shape[0],
            "dtype": bands.dtype.name,
            "crs": grid.crs,
            "transform": grid.transform,
            "nodata": nodata,
            "interleave": "band",
            "bigtiff": "if_safer",
            "tiled": True,
            "blockxsize": _BLOCK,
            "blockysize": _BLOCK,
        }
        with rasterio.open(plain, "w", **profile) as target:
            target.write(bands)
            for position, moment in enumerate(times or ()):
                target.set_band_description(position + 1, format_time(moment))
            target.update_tags(**(tags or {}))
            factors = _overview_factors(grid)
            if factors:
                target.build_overviews(factors, resampling)
        # The COG driver of GDAL < 3.11 interleaves by pixel: reading one time step would unpack them all.
        rasterio.shutil.copy(
            plain,
            ordered,
            driver="GTiff",
            copy_src_overviews=True,
            tiled=True,
            blockxsize=_BLOCK,
            blockysize=_BLOCK,
            interleave="band",
            bigtiff="if_safer",
            compress="deflate",
            zlevel=4,
            predictor=3 if bands.dtype.kind == "f" else 2,
            num_threads=2,
        )
        _check_whole(ordered)
        ordered.replace(path)


def _estimate_size(shape: tuple[int, ...], itemsize: int) -> int:
    """Return the bytes that whole blocks of (bands, rows, cols) and their overviews take, without compression."""
    bands, rows, cols = shape
    cells = -(-rows // _BLOCK) * -(-cols // _BLOCK) * _BLOCK**2
    # A quarter more for each overview, of which each fills its blocks too.
    return bands * (cells + cells // 2) * itemsize


@contextmanager
def _watch_room(path: Path, needed: int) -> Iterator[None]:
    """Raise DiskFullError before ``needed`` bytes are written twice where there is no room, and for what ends so.

    GDAL ends the process, or writes half a file without a word, when it builds overviews on a full disk.
    """
    full = DiskFullError(
        f"no room on the disk for {path.name}: to write it may take {2 * needed / 1e6:,.1f} MB",
        hint="make room where the processed data lie, then try again",
    )
    if shutil.disk_usage(path.parent).free < 2 * needed:
        raise full
    try:
        yield
    except Exception as error:
        # What GDAL raises says little of why.
        if getattr(error, "errno", None) == errno.ENOSPC or shutil.disk_usage(path.parent).free < needed:
            raise full from error
        raise


def _check_whole(path: Path) -> None:
    """Force a file to the disk and read the last block of each band; OSError or SourceError when it is cut short."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    with rasterio.open(path) as source:
        last = Window((source.width - 1) // _BLOCK * _BLOCK, (source.height - 1) // _BLOCK * _BLOCK, _BLOCK, _BLOCK)
        corner = last.intersection(Window(0, 0, source.width, source.height))
        for band in range(1, source.count + 1):
            source.read(band, window=corner)


def format_time(moment: datetime) -> str:
    """Return ``moment`` as ISO-8601 UTC with a Z, as band descriptions and addresses carry it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read_grid(
    path: Path,
    *,
    bounds: tuple[float, float, float, float] | None = None,
    cell_size: float | None = None,
    resampling: Resampling = Resampling.average,
    band: int = 1,
) -> tuple[NDArray[np.float32], Grid]:
    """Return one band of the raster at ``path`` and its grid; no data becomes NaN.

    ``bounds`` (x0, y0, x1, y1) [m] in the raster's own CRS and ``cell_size`` [m] choose another grid, aligned to
    multiples of the cell size; without bounds its cells lie wholly in the raster, because the mean over part of a cell
    is not that of the cell. Without either, cells come as stored. Raises SourceError when the file cannot be read.
    """
    try:
        with rasterio.open(path) as source:
            crs = ":".join(source.crs.to_authority() or ("", "")) if source.crs else ""
            if not crs.strip(":"):
                raise SourceError(f"raster {path.name} names no EPSG coordinate reference system")
            width, height = source.res
            native = Grid(source.height, source.width, source.bounds.left, source.bounds.top, width, crs)
            if bounds is None and np.isclose(width, height) and (cell_size is None or np.isclose(cell_size, width)):
                values = source.read(band, masked=True)
                return np.ma.filled(values.astype(np.float32), np.nan), native
            size = cell_size or min(width, height)
            grid = Grid.covering(bounds, size, crs) if bounds else Grid.within(tuple(source.bounds), size, crs)
            array = np.full(grid.shape, np.nan, dtype=np.float32)
            reproject(
                rasterio.band(source, band),
                array,
                dst_transform=grid.transform,
                dst_crs=source.crs,
                dst_nodata=np.nan,
                resampling=resampling if grid.cell_size > min(width, height) * 1.01 else _finer(resampling),
            )
            return array, grid
    except RasterioIOError as error:
        raise SourceError(f"raster {path} cannot be read: {error}") from error


def register_raster(
    connection: Connection,
    *,
    raster_id: str,
    layer_id: str,
    run_id: str | None,
    path: str,
    times: Sequence[datetime] | None,
    bounds_crs84: tuple[float, float, float, float],
    minimum: float | None,
    maximum: float | None,
    source_id: str | None,
    fingerprint: str,
) -> None:
    """Enter a raster into the list, or replace the entry of the same id."""
    connection.execute(
        text(
            "insert into run.raster (id, layer, run_id, path, times, bounds, minimum, maximum, source_id, fingerprint) "
            "values (:id, :layer, :run_id, :path, cast(:times as timestamptz[]), :bounds, :minimum, :maximum, "
            ":source_id, :fingerprint) on conflict (id) do update set layer = excluded.layer, "
            "run_id = excluded.run_id, path = excluded.path, times = excluded.times, bounds = excluded.bounds, "
            "minimum = excluded.minimum, maximum = excluded.maximum, source_id = excluded.source_id, "
            "fingerprint = excluded.fingerprint, created = now()"
        ),
        {
            "id": raster_id,
            "layer": layer_id,
            "run_id": run_id,
            "path": path,
            "source_id": source_id,
            "minimum": minimum,
            "maximum": maximum,
            "fingerprint": fingerprint,
            "bounds": [float(value) for value in bounds_crs84],
            "times": None if times is None else list(times),
        },
    )


def read_raster_row(connection: Connection, raster_id: str) -> RasterRow:
    """Return the entry of ``raster_id``; NotFoundError when there is none."""
    found = _select(connection, "id = :id", {"id": raster_id})
    if not found:
        raise NotFoundError(f"raster '{raster_id}' does not exist")
    return found[0]


def find_raster(connection: Connection, name: str) -> RasterRow:
    """Return the raster called ``name``, or the newest of the layer called so; NotFoundError when there is none."""
    found = _select(
        connection, "id = :name or layer = :name", {"name": name}, "id = :name desc, created desc, id desc", 1
    )
    if not found:
        raise NotFoundError(f"raster '{name[:80]}' does not exist", hint="/api/collections lists the layers")
    return found[0]


def list_newest_rasters(connection: Connection) -> list[RasterRow]:
    """Return the newest raster of every layer that has one."""
    newest = "id in (select distinct on (layer) id from run.raster order by layer, created desc, id desc)"
    return _select(connection, newest, {}, "layer")


def list_rasters(connection: Connection, *, run_id: str | None = None, layer: str | None = None) -> list[RasterRow]:
    """Return the entries, of one run or one layer if asked, oldest first."""
    return _select(
        connection,
        "(cast(:run_id as text) is null or run_id = :run_id) and (cast(:layer as text) is null or layer = :layer)",
        {"run_id": run_id, "layer": layer},
    )


def _select(
    connection: Connection,
    condition: str,
    parameters: dict[str, object],
    order: str = "created, id",
    limit: int | None = None,
) -> list[RasterRow]:
    rows = connection.execute(
        text(
            "select id, layer, run_id, path, times, bounds, minimum, maximum, source_id, fingerprint "
            f"from run.raster where {condition} order by {order} limit :limit"
        ),
        {**parameters, "limit": limit},
    )
    return [
        RasterRow(
            id=row.id,
            layer=row.layer,
            run_id=row.run_id,
            path=row.path,
            times=None if row.times is None else tuple(row.times),
            bounds=(row.bounds[0], row.bounds[1], row.bounds[2], row.bounds[3]),
            minimum=row.minimum,
            maximum=row.maximum,
            source_id=row.source_id,
            fingerprint=row.fingerprint,
        )
        for row in rows
    ]


def _overview_factors(grid: Grid) -> list[int]:
    factors, factor = [], 2
    while max(grid.shape) / factor >= _SMALLEST_OVERVIEW:
        factors.append(factor)
        factor *= 2
    return factors


def _finer(resampling: Resampling) -> Resampling:
    """Return what to use when cells become smaller: an average of one cell would draw the coarse cells as steps."""
    return Resampling.bilinear if resampling is Resampling.average else resampling
