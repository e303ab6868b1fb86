"""Which raster an address means: its entry, layer, file and step of a series; and between which zooms it is drawn."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from api.answers import write_moment
from api.parameters import parse_interval, parse_moment
from api.resources import Resources
from layers.access import visible_rasters
from layers.errors import InputError, NotFoundError
from layers.schema import RasterLayer
from layers.store.objects import read_gdal_name
from layers.store.rasters import RasterRow, find_raster

GEOTIFF = "image/tiff; application=geotiff; profile=cloud-optimized"
MIN_ZOOM, MAX_ZOOM = 6, 18


class Raster(NamedTuple):
    """A raster and the declaration of its layer."""

    row: RasterRow
    layer: RasterLayer


def read_raster(connection: Connection, name: str) -> Raster:
    """Return the public raster ``name`` means: its own id, or a layer's for the newest of it; else NotFoundError."""
    row = find_raster(connection, name)
    layer = visible_rasters().get(row.layer)
    if layer is None:
        raise NotFoundError(f"raster '{name[:80]}' does not exist", hint="/api/collections lists the layers")
    return Raster(row, layer)


def fetch_raster(resources: Resources, name: str) -> Raster:
    """Return what `read_raster` does, on a connection of its own."""
    with resources.engine.connect() as connection:
        return read_raster(connection, name)


def find_file(resources: Resources, row: RasterRow) -> Path:
    """Return the path of a raster's file, or GDAL's name of the object; NotFoundError when it is gone or does not lie
    among what the settings name.
    """
    url, store = read_gdal_name(row.path), resources.settings.object_store
    if url is not None and store is not None and url.startswith(f"{store}/"):
        return Path(row.path)
    folder = resources.settings.processed_dir.resolve()
    path = (folder / row.path).resolve()
    if not path.is_relative_to(folder) or not path.exists():
        raise NotFoundError(f"the file of raster '{row.id}' is gone", hint="load or run it again")
    return path


def find_band(row: RasterRow, time: str | None, interval: str | None = None) -> int:
    """Return the band (from 1) that ``time``, or ``interval`` (OGC's datetime), names; without both the first.

    An instant must be a time of the series; of an interval it is the last step within. InputError names the times
    there are.
    """
    if time is not None and interval is not None:
        raise InputError("both time and datetime are given", hint="they mean the same: leave one out")
    if time is None and interval is None:
        return 1
    if not row.times:
        raise InputError(f"raster '{row.id}' has no times", hint="leave out time and datetime")
    if time is not None:
        moment = parse_moment(time, "time")
        within = [place for place, each in enumerate(row.times) if each == moment]
    else:
        within = find_steps(row, interval)
    if not within:
        raise InputError(f"time '{time or interval}' is not in raster '{row.id}'", hint=describe_times(row.times))
    return within[-1] + 1


def find_steps(row: RasterRow, interval: str | None) -> list[int]:
    """Return the places (from 0) of the steps of a series within ``datetime``, all without it."""
    times = row.times or ()
    if interval is None:
        return list(range(len(times)))
    asked = parse_interval(interval)
    return [
        place
        for place, each in enumerate(times)
        if (asked.start is None or each >= asked.start) and (asked.end is None or each <= asked.end)
    ]


def describe_times(times: tuple[datetime, ...]) -> str:
    """Return how many times a series has, from when to when."""
    return f"{len(times)} times from {write_moment(times[0])} to {write_moment(times[-1])}"


def write_times(row: RasterRow) -> list[str] | None:
    """Return the times of a series as RFC 3339, None for a raster without."""
    return [write_moment(moment) for moment in row.times] if row.times else None
