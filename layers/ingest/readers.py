"""The table of formats: a file's ending → who opens it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from layers.errors import SourceError
from layers.ingest.formats import csv, osm, shapefile
from layers.ingest.formats.ogr import Dataset, open_ogr
from layers.ingest.formats.request import Request
from layers.ingest.locate import locate as locate
from layers.ingest.raw import Opened, join_chunks
from layers.ingest.raw import Raw as Raw

OSM = (".osm", ".pbf")


class Reader(NamedTuple):
    """What people call a format, and the function that opens it."""

    kind: str
    open: Callable[[Path, Request], Opened]


def _through_gdal(kind: str) -> Reader:
    return Reader(kind, lambda path, request: open_ogr(Dataset(path, str(path.resolve()), kind), request))


# Longer endings stand before their shorter ones.
READERS: dict[str, Reader] = {
    ".gpkg": _through_gdal("GeoPackage"),
    ".geojson": _through_gdal("GeoJSON"),
    ".json": _through_gdal("GeoJSON"),
    ".shp": Reader(shapefile.KIND, shapefile.open_shapefile),
    ".zip": Reader(shapefile.ZIPPED, shapefile.open_zip),
    ".fgb": _through_gdal("FlatGeobuf"),
    ".csv.gz": Reader(csv.KIND, csv.open_csv),
    ".csv": Reader(csv.KIND, csv.open_csv),
    **dict.fromkeys(OSM, Reader(osm.KIND, osm.open_osm)),
}


def open_file(
    path: Path,
    *,
    table: str | None = None,
    keys: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    encoding: str | None = None,
) -> Opened:
    """Open the file at ``path``; its rows come in chunks from ``read``. Use it in a ``with`` statement.

    ``table`` chooses a layer or sheet of the file. With ``encoding`` text comes one character a byte even where the
    file says what its bytes mean. ``keys`` and ``tags`` (OpenStreetMap only): objects that have one of ``keys`` are
    read, with these ``tags``. SourceError names a missing, empty, broken or unknown file, or a table it lacks.
    """
    reader = find_reader(path)
    if not path.exists():
        raise SourceError(f"{path} does not exist")
    if path.is_dir() or path.stat().st_size == 0:
        raise SourceError(f"{path} is {'a folder' if path.is_dir() else 'an empty file'}, expected {reader.kind}")
    return reader.open(path, Request(table, keys, tags, encoding))


def read_file(
    path: Path,
    *,
    table: str | None = None,
    keys: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    encoding: str | None = None,
) -> Raw:
    """Return all rows of ``path`` at once, as ``open_file`` reads them."""
    with open_file(path, table=table, keys=keys, tags=tags, encoding=encoding) as opened:
        return join_chunks(opened)


def find_reader(path: Path) -> Reader:
    """Return who opens a file of this name; SourceError lists the known endings."""
    name = path.name.lower()
    for ending, reader in READERS.items():
        if name.endswith(ending):
            return reader
    raise SourceError(
        f"{path}: files ending in '{path.suffix.lower()}' cannot be read", hint=f"known are {', '.join(READERS)}"
    )
