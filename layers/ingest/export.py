"""Features and quarantined rows → files; whole or not at all."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS

from layers.errors import CrsError, InputError, NotFoundError
from layers.ingest.crs import name_crs, read_crs, transform
from layers.ingest.writers import GEOJSON, LONGEST_CELL, WGS84, WRITERS
from layers.schema import VectorLayer

SUFFIXES = tuple(WRITERS)
# Formats whose whole content is one file, which can be sent as an answer.
SINGLE_FILES = tuple(suffix for suffix, writer in WRITERS.items() if not writer.many_files)


def find_suffix(path: Path) -> str:
    """Return the ending of ``path`` that says its format; InputError lists those that can be written."""
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return suffix
    raise InputError(f"files ending in '{path.suffix}' cannot be written", hint=f"use one of {', '.join(SUFFIXES)}")


def check_target(path: Path, crs: CRS) -> str:
    """Return the ending of ``path``; InputError for one that cannot be written, CrsError for a CRS it cannot hold."""
    suffix = find_suffix(path)
    writer = WRITERS[suffix]
    if not path.parent.is_dir():
        raise InputError(f"folder {path.parent} does not exist")
    if writer.only_degrees and crs != WGS84:
        raise CrsError(f"{writer.kind} is in WGS 84, not {name_crs(crs)}", hint="use .gpkg, or leave --crs away")
    if writer.only_wgs84 and crs.geodetic_crs != WGS84:
        hint = "use .gpkg, leave --crs away, or take UTM (EPSG:32648)"
        raise CrsError(f"{writer.kind} cannot name the datum of {name_crs(crs)}", hint=hint)
    return suffix


def export_features(frame: gpd.GeoDataFrame, layer: VectorLayer, path: Path, *, crs: str = "EPSG:4326") -> int:
    """Write ``frame`` (as ``select_features`` gives it) to ``path`` in ``crs`` and return how many rows there were.

    The files are written beside their place and moved there, so that a failure leaves what was there. Names that a
    format cuts are listed in full in ``fields.csv``. CSV and workbooks have lon and lat (x and y in a projected CRS)
    for points, ``wkt`` for other shapes. InputError names a text too long for the format.
    """
    target = read_crs(crs)
    suffix = check_target(path, target)
    rows = pd.DataFrame({"id": frame["id"].to_numpy()}, dtype=object)
    for prop in layer.properties:
        if prop.name in frame.columns:
            rows[prop.name] = _to_file_type(frame[prop.name], prop.type).to_numpy()
            if prop.type in ("integer", "boolean"):
                rows[prop.name] = rows[prop.name].astype("Int64" if prop.type == "integer" else "boolean")
    shapes = transform(frame.geometry.to_numpy(), CRS.from_user_input(frame.crs), target)
    located = gpd.GeoDataFrame(rows, geometry=shapes, crs=target)
    _replace(path, lambda beside: WRITERS[suffix].write(located, layer, beside))
    return len(located)


def export_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write quarantined rows (``_wkt`` and ``_crs`` hold their geometry) to CSV, XLSX or GeoJSON, return how many.

    Columns that begin with an underscore say why the row was rejected; the others are as they came, so that a mended
    file loads with the same mapping. A geometry too long for a cell of a workbook is left out of it. NotFoundError when
    there is no row: a file without columns is of no use.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".xlsx", ".geojson"):
        raise InputError(f"quarantined rows cannot be written to '{suffix}'", hint="use .csv, .xlsx or .geojson")
    check_target(path, WGS84)
    table = pd.DataFrame(list(rows))
    if table.empty:
        raise NotFoundError(f"there is no rejected row to write to {path}", hint="see: twin quarantine list")
    if suffix == ".xlsx":
        cells = table.astype("string")
        cells = cells.where(cells.apply(lambda column: column.str.len() <= LONGEST_CELL), None)
        _replace(path, lambda beside: pyogrio.write_dataframe(cells, beside, layer="quarantine", driver="XLSX"))
    elif suffix == ".csv":
        _replace(path, lambda beside: table.to_csv(beside, index=False, encoding="utf-8"))
    else:
        shown = table.drop(columns=["_wkt", "_crs"], errors="ignore").astype("string")
        located = gpd.GeoDataFrame(shown, geometry=[read_shape(row) for row in table.to_dict("records")], crs=WGS84)
        _replace(path, lambda beside: _write_geojson(located, beside))
    return len(table)


def _write_geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    pyogrio.write_dataframe(frame, path, driver="GeoJSON", geometry_type="Unknown", **GEOJSON)


def read_shape(row: Mapping[Any, Any]) -> Any:
    """Return a rejected row's geometry in degrees, or None where it has none that a map can show."""
    words, crs = row.get("_wkt"), row.get("_crs")
    shape = shapely.from_wkt(words, on_invalid="ignore") if isinstance(words, str) else None
    if shape is None or not isinstance(crs, str):
        return None
    moved = transform(gpd.GeoSeries([shape]).to_numpy(), read_crs(crs), WGS84)[0]
    west, south, east, north = shapely.bounds(moved)
    return moved if -180 <= west <= east <= 180 and -90 <= south <= north <= 90 else None


def _to_file_type(values: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    """Return a column as every format can hold it: dates and times as ISO text."""
    if kind == "datetime":
        return pd.to_datetime(values, utc=True).dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype(object)
    if kind == "date":
        return values.map(str, na_action="ignore").astype(object)
    return values.astype("float64") if kind == "number" else values.astype(object)


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make the file in a folder beside ``path``; move it there with its parts when it is whole."""
    folder = Path(tempfile.mkdtemp(prefix=".export-", dir=path.parent))
    try:
        write(folder / path.name)
        for part in sorted(folder.iterdir()):
            part.replace(path.parent / part.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
