"""The table of formats: a file's ending → who opens it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from layers.errors import SourceError
from layers.ingest.formats import (
    cityjson,
    csv,
    dxf,
    gdal,
    geodatabase,
    kml,
    mapinfo,
    osm,
    parquet,
    shapefile,
    sheets,
    zipped,
)
from layers.ingest.formats.request import Request
from layers.ingest.raw import Opened, Raw, join_chunks

OSM = (".osm", ".pbf")


class Reader(NamedTuple):
    """What people call a format, and the function that opens it."""

    kind: str
    open: Callable[[Path, Request], Opened]


def _through_gdal(known: gdal.Format) -> Reader:
    return Reader(known.kind, known.open)


def _open_json(path: Path, request: Request) -> Opened:
    """Open what calls itself .json: CityJSON where it says so, else GeoJSON."""
    return (cityjson.open_cityjson if cityjson.is_cityjson(path) else gdal.GEOJSON.open)(path, request)


def _open_zip(path: Path, request: Request) -> Opened:
    return zipped.open_zip(path, request, {ending: READERS[ending].open for ending in _IN_ZIPS})


_GEOJSON = _through_gdal(gdal.GEOJSON)
_CITYJSON = Reader(cityjson.KIND, cityjson.open_cityjson)
# A name may end in several of these; the first one counts.
READERS: dict[str, Reader] = {
    ".gpkg": _through_gdal(gdal.GEOPACKAGE),
    ".geojson": _GEOJSON,
    ".geojsonl": _through_gdal(gdal.GEOJSON_LINES),
    ".city.json": _CITYJSON,
    ".cityjson": _CITYJSON,
    ".json": Reader(_GEOJSON.kind, _open_json),
    ".shp": Reader(shapefile.KIND, shapefile.open_shapefile),
    ".gdb": Reader(geodatabase.KIND, geodatabase.open_geodatabase),
    ".zip": Reader(zipped.KIND, _open_zip),
    ".fgb": _through_gdal(gdal.FLATGEOBUF),
    ".parquet": Reader(parquet.KIND, parquet.open_parquet),
    ".geoparquet": Reader(parquet.KIND, parquet.open_parquet),
    ".tab": Reader(mapinfo.TAB, mapinfo.open_tab),
    ".mif": Reader(mapinfo.MIF, mapinfo.open_mif),
    ".kml": Reader(kml.KIND, kml.open_kml),
    ".kmz": Reader(kml.ZIPPED, kml.open_kmz),
    ".dxf": Reader(dxf.KIND, dxf.open_dxf),
    ".gml": _through_gdal(gdal.GML),
    ".gpx": _through_gdal(gdal.GPX),
    ".sqlite": _through_gdal(gdal.SPATIALITE),
    ".xlsx": Reader(sheets.XLSX, sheets.open_xlsx),
    ".ods": Reader(sheets.ODS, sheets.open_ods),
    ".csv": Reader(csv.KIND, csv.open_csv),
    ".csv.gz": Reader(csv.KIND, csv.open_csv),
    ".tsv": Reader(csv.KIND, csv.open_csv),
    **dict.fromkeys(OSM, Reader(osm.KIND, osm.open_osm)),
}
# What ``rasters`` reads.
RASTERS = (".tif", ".tiff", ".asc")
_INSTEAD = {".xls": ".xlsx", ".dwg": ".dxf", ".mdb": ".gpkg", ".rar": ".zip", ".7z": ".zip"}
# What is known and not read yet, by ending and first bytes: what it is, and what to load in its place.
_NOT_YET = (
    (".inp", b"", "a network model of SWMM or EPANET", "save its nodes and links as GeoPackage or CSV"),
    (".txt", b"[IDT;*DIF*", "a DONAR file of readings", "save it as CSV: datastream_id, phenomenon_time, result"),
    (".noos", b"", "a NOOS file of readings", "save it as CSV: datastream_id, phenomenon_time, result"),
)
# What is looked for in a zip, the likeliest first: tables often lie beside a map as its explanation.
_IN_ZIPS = (
    ".shp", ".gdb", ".gpkg", ".tab", ".mif", ".geojson", ".fgb", ".parquet", ".kml", ".dxf", ".gml", ".city.json",
    ".json", ".osm", ".xlsx", ".csv",
)  # fmt: skip


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
    is_folder = path.is_dir() and reader.open is not geodatabase.open_geodatabase
    if is_folder or path.stat().st_size == 0:
        raise SourceError(f"{path} is {'a folder' if is_folder else 'an empty file'}, expected {reader.kind}")
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


def find_ending(name: str) -> str | None:
    """Return the known ending a file name has, of tables, maps or rasters, or None."""
    return next((ending for ending in (*READERS, *RASTERS) if name.lower().endswith(ending)), None)


def find_reader(path: Path) -> Reader:
    """Return who opens a file of this name; SourceError says what to load instead, or lists the known endings."""
    ending = find_ending(path.name)
    if ending in READERS:
        return READERS[ending]
    suffix = path.suffix.lower()
    for named, start, kind, instead in _NOT_YET:
        if suffix == named and _starts_with(path, start):
            raise SourceError(f"{path} is {kind}, which is not read yet", hint=instead)
    hint = f"save it as {_INSTEAD[suffix]}" if suffix in _INSTEAD else f"known are {', '.join(READERS)}"
    raise SourceError(f"{path}: files ending in '{suffix}' cannot be read", hint=hint)


def _starts_with(path: Path, start: bytes) -> bool:
    if not start:
        return True
    if not path.is_file():
        return False
    with path.open("rb") as opened:
        return opened.read(len(start)) == start
