"""Features and quarantined rows → GeoPackage, GeoJSON, FlatGeobuf, zipped shapefile, CSV; whole or not at all."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS

from layers.errors import CrsError, InputError
from layers.ingest.crs import name_crs, read_crs, transform
from layers.schema import VectorLayer

DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".fgb": "FlatGeobuf", ".zip": "ESRI Shapefile"}
SUFFIXES = (*DRIVERS, ".csv")
WGS84 = CRS.from_epsg(4326)
_SHORTEST = 10
# Nine decimals are a tenth of a millimetre; the standard's own seven would move points by a centimetre.
_GEOJSON = {"RFC7946": "YES", "COORDINATE_PRECISION": "9"}


def check_target(path: Path, crs: CRS) -> str:
    """Return the ending of ``path``; InputError for one that cannot be written, CrsError for GeoJSON not in WGS 84."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"files ending in '{suffix}' cannot be written", hint=f"use one of {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise InputError(f"folder {path.parent} does not exist")
    if suffix == ".geojson" and crs != WGS84:
        raise CrsError(f"GeoJSON is in WGS 84 (RFC 7946), not {name_crs(crs)}", hint="use .gpkg, or leave --crs away")
    return suffix


def export_features(frame: gpd.GeoDataFrame, layer: VectorLayer, path: Path, *, crs: str = "EPSG:4326") -> int:
    """Write ``frame`` (as ``select_features`` gives it) to ``path`` in ``crs`` and return how many rows there were.

    The file is written beside its place and renamed, so that a failure leaves what was there. A zipped shapefile
    carries ``fields.csv`` with the full names. CSV has lon and lat (x and y in a projected CRS) for points, ``wkt``
    for other shapes.
    """
    target = read_crs(crs)
    suffix = check_target(path, target)
    rows = pd.DataFrame({"id": frame["id"].to_numpy()})
    for prop in layer.properties:
        if prop.name in frame.columns:
            rows[prop.name] = _to_file_type(frame[prop.name], prop.type).to_numpy()
            if prop.type in ("integer", "boolean"):
                rows[prop.name] = rows[prop.name].astype("Int64" if prop.type == "integer" else "boolean")
    shapes = transform(frame.geometry.to_numpy(), CRS.from_user_input(frame.crs), target)
    located = gpd.GeoDataFrame(rows, geometry=shapes, crs=target)
    if suffix == ".csv":
        _replace(path, lambda beside: _write_csv(located, layer, beside, target))
    elif suffix == ".zip":
        _replace(path, lambda beside: _write_shapefile(located, layer, beside))
    else:
        _replace(path, lambda beside: _write_ogr(located, layer, beside, DRIVERS[suffix]))
    return len(located)


def export_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write quarantined rows (``_wkt`` and ``_crs`` hold their geometry) to CSV or GeoJSON and return how many.

    Columns that begin with an underscore say why the row was rejected; the others are as they came, so that a mended
    file loads with the same mapping.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".geojson"):
        raise InputError(f"quarantined rows cannot be written to '{suffix}'", hint="use .csv or .geojson")
    check_target(path, WGS84)
    table = pd.DataFrame(list(rows))
    if suffix == ".csv":
        _replace(path, lambda beside: table.to_csv(beside, index=False, encoding="utf-8"))
        return len(table)
    located = gpd.GeoDataFrame(
        table.drop(columns=["_wkt", "_crs"], errors="ignore").astype("string"),
        geometry=[_read_shape(row) for row in table.to_dict("records")],
        crs=WGS84,
    )
    _replace(
        path,
        lambda beside: pyogrio.write_dataframe(located, beside, driver="GeoJSON", geometry_type="Unknown", **_GEOJSON),
    )
    return len(table)


def _read_shape(row: Mapping[Any, Any]) -> Any:
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


def _write_ogr(frame: gpd.GeoDataFrame, layer: VectorLayer, path: Path, driver: str) -> None:
    options = _GEOJSON if driver == "GeoJSON" else {}
    pyogrio.write_dataframe(frame, path, layer=layer.id, driver=driver, geometry_type=layer.geometry, **options)


def _write_csv(frame: gpd.GeoDataFrame, layer: VectorLayer, path: Path, crs: CRS) -> None:
    table = pd.DataFrame(frame.drop(columns="geometry"))
    shapes = frame.geometry.to_numpy()
    if layer.geometry == "Point":
        names = ("lon", "lat") if crs.is_geographic else ("x", "y")
        table[names[0]], table[names[1]] = shapely.get_x(shapes), shapely.get_y(shapes)
    else:
        table["wkt"] = shapely.to_wkt(shapes, rounding_precision=-1)
    table.to_csv(path, index=False, encoding="utf-8")


def _write_shapefile(frame: gpd.GeoDataFrame, layer: VectorLayer, path: Path) -> None:
    """Write a zip of the shapefile's parts and ``fields.csv``, which maps its ten-letter names to the full ones."""
    short = shorten_names([str(name) for name in frame.columns if name != "geometry"])
    kind = "Polygon" if layer.geometry == "MultiPolygon" else layer.geometry
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        here = Path(folder)
        renamed = frame.rename(columns=short)
        pyogrio.write_dataframe(
            renamed, here / f"{layer.id}.shp", driver="ESRI Shapefile", geometry_type=kind, encoding="UTF-8"
        )
        pd.DataFrame(short.items(), columns=["property", "field"]).to_csv(here / "fields.csv", index=False)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(here.iterdir()):
                archive.write(part, part.name)


def shorten_names(names: list[str]) -> dict[str, str]:
    """Return unique names of at most ten letters, as shapefiles need them; short ones stay."""
    taken = {name for name in names if len(name) <= _SHORTEST}
    short = {name: name for name in taken}
    for name in names:
        number = 0
        while name not in short:
            tail = str(number) if number else ""
            cut = name[: _SHORTEST - len(tail)] + tail
            if cut not in taken:
                short[name] = cut
                taken.add(cut)
            number += 1
    return {name: short[name] for name in names}


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make the file in a folder beside ``path`` and move it there when it is whole."""
    folder = Path(tempfile.mkdtemp(prefix=".export-", dir=path.parent))
    try:
        write(folder / path.name)
        (folder / path.name).replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
