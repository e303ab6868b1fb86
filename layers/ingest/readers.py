"""Files → raw rows: GeoPackage, GeoJSON, shapefile, FlatGeobuf, CSV and OpenStreetMap, as they are."""

import csv
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio
import pyogrio.errors
import shapely

from layers.errors import SourceError
from layers.ingest.crs import WGS84, Shapes
from layers.ingest.mapping import GeometryRule
from layers.ingest.osm import read_osm
from layers.ingest.values import TEXT

OGR = {".gpkg": "GeoPackage", ".geojson": "GeoJSON", ".json": "GeoJSON", ".shp": "shapefile", ".fgb": "FlatGeobuf"}
OSM = (".osm", ".pbf")
LONGEST_WKT = 1_000_000
_PAIRS = (("lon", "lat"), ("longitude", "latitude"), ("lng", "lat"), ("x", "y"), ("easting", "northing"))


@dataclass(frozen=True, slots=True)
class Raw:
    """Rows of a file: ``frame`` (columns as they came, position = row number − 1), geometry and its CRS if it has any.

    ``reasons`` says, where a row's geometry could not be made, why. ``notes`` are the reader's remarks.
    """

    frame: pd.DataFrame
    shapes: Shapes | None
    crs: str | None
    reasons: "pd.Series[Any] | None" = None
    notes: tuple[str, ...] = ()


def read_file(path: Path, *, table: str | None = None, keys: tuple[str, ...] = (), tags: tuple[str, ...] = ()) -> Raw:
    """Return the rows of ``path``; ``table`` chooses a layer of the file.

    ``keys`` and ``tags`` (OpenStreetMap only): objects that have one of ``keys`` are read, with these ``tags``.
    SourceError names a missing, empty, broken or unknown file, or a table it lacks.
    """
    kind = find_kind(path)
    if not path.exists():
        raise SourceError(f"{path} does not exist")
    if path.is_dir() or path.stat().st_size == 0:
        raise SourceError(f"{path} is {'a folder' if path.is_dir() else 'an empty file'}, expected {kind}")
    if path.suffix.lower() in OSM:
        frame, shapes, reasons = read_osm(path, keys=keys, tags=tags)
        return Raw(frame, shapes, WGS84, reasons)
    if kind == "CSV":
        return _read_csv(path)
    return _read_ogr(path, kind, table)


def find_kind(path: Path) -> str:
    """Return the format a file name stands for; SourceError lists the known ones."""
    suffix = path.suffix.lower()
    if suffix in OGR:
        return OGR[suffix]
    if suffix in OSM:
        return "OpenStreetMap"
    if path.name.lower().endswith((".csv", ".csv.gz")):
        return "CSV"
    if suffix == ".zip":
        return "zipped shapefile"
    known = ", ".join([*OGR, ".zip", ".csv", ".csv.gz", *OSM])
    raise SourceError(f"{path}: files ending in '{suffix}' cannot be read", hint=f"known are {known}")


def _read_ogr(path: Path, kind: str, table: str | None) -> Raw:
    """Read one layer of a file through GDAL."""
    address, table = _find_in_zip(path, table) if kind == "zipped shapefile" else (str(path), table)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            table = _choose_table(path, address, table)
            promised = pyogrio.read_info(address, layer=table, force_feature_count=True)["features"]
            frame = pyogrio.read_dataframe(address, layer=table, datetime_as_string=True)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.FeatureError, RuntimeError) as error:
            words = " ".join(str(error).replace(str(path), path.name).split())[:200]
            raise SourceError(f"{path} cannot be read as {kind}: {words}") from error
        except (shapely.errors.GEOSException, UnicodeDecodeError) as error:
            raise SourceError(f"{path} holds what {kind} cannot: {error}") from error
    if len(frame) == 0:
        raise SourceError(f"{path}: {f'table {table!r}' if table else 'the file'} has no rows")
    if len(frame) != promised:
        raise SourceError(f"{path} breaks off: {len(frame)} of {promised} rows can be read")
    if "geometry" not in frame.columns or not hasattr(frame, "geometry"):
        return Raw(pd.DataFrame(frame), None, None, notes=_list_notes(caught))
    crs = frame.crs.to_wkt() if frame.crs is not None else None
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    return Raw(pd.DataFrame(frame.drop(columns="geometry")), shapes, crs, notes=_list_notes(caught))


def _list_notes(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(str(one.message).split()) for one in caught))


def _choose_table(path: Path, address: str, table: str | None) -> str:
    """Return the layer of the file to read; SourceError lists those there are."""
    tables = [str(name) for name, _ in pyogrio.list_layers(address)]
    if not tables:
        raise SourceError(f"{path} holds no table")
    listed = ", ".join(tables)
    if table is None and len(tables) > 1:
        raise SourceError(f"{path} holds {len(tables)} tables", hint=f"choose one with 'table': {listed}")
    if table is not None and table not in tables:
        raise SourceError(f"{path} has no table '{table}'", hint=f"it has {listed}")
    return table or tables[0]


def _find_in_zip(path: Path, table: str | None) -> tuple[str, str | None]:
    """Return GDAL's address of the shapefile inside a zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
            names = [name for name in archive.namelist() if name.lower().endswith(".shp")]
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise SourceError(f"{path} is not a whole zip file: {error}") from error
    if broken is not None:
        raise SourceError(f"{path}: '{broken}' in it is damaged")
    if table is not None:
        names = [name for name in names if Path(name).stem == table]
    if len(names) != 1:
        wanted = f"'{table}.shp'" if table else "one shapefile"
        raise SourceError(f"{path} holds {len(names)} files .shp, expected {wanted}", hint=", ".join(names) or None)
    return f"/vsizip/{path.resolve()}/{names[0]}", None


def _read_csv(path: Path) -> Raw:
    """Read all cells as text; the delimiter is the most frequent of comma, semicolon and tab in the header."""
    try:
        head = pd.read_csv(
            path, header=None, nrows=1, sep="\x01", encoding="utf-8-sig", dtype=str, quoting=csv.QUOTE_NONE
        )
        first = str(head.iloc[0, 0])
        delimiter = max(",;\t", key=first.count)
        frame = pd.read_csv(
            path, dtype=str, sep=delimiter, encoding="utf-8-sig", keep_default_na=False, index_col=False
        )
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is not UTF-8 text: {error}", hint="save it as CSV UTF-8") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, EOFError, OSError) as error:
        raise SourceError(f"{path} is not a CSV table: {' '.join(str(error).split())}") from error
    if frame.empty:
        raise SourceError(f"{path} has a header but no rows")
    return Raw(frame, None, None)


def locate(raw: Raw, rule: GeometryRule, path: Path) -> Raw:
    """Return the rows with geometry, made from columns where the rule says so or the file has none of its own.

    SourceError lists the columns there are when the coordinate columns are not among them.
    """
    if rule.wkt is not None:
        return _from_wkt(raw, rule.wkt, path)
    if rule.x is None and raw.shapes is not None:
        return raw
    x, y = (rule.x, rule.y) if rule.x is not None and rule.y is not None else _guess_pair(raw.frame, path)
    for name in (x, y):
        if name not in raw.frame.columns:
            listed = ", ".join(map(str, raw.frame.columns))
            raise SourceError(f"{path} has no coordinate column '{name}'", hint=f"it has {listed}")
    numbers = [pd.to_numeric(raw.frame[name], errors="coerce").to_numpy(dtype=float) for name in (x, y)]
    texts = [raw.frame[name].astype(TEXT).str.strip().fillna("") for name in (x, y)]
    blank = ((texts[0] == "") & (texts[1] == "")).to_numpy(dtype=bool)
    finite = np.isfinite(numbers[0]) & np.isfinite(numbers[1])
    shapes: Shapes = np.full(len(raw.frame), None, dtype=object)
    shapes[finite] = shapely.points(numbers[0][finite], numbers[1][finite])
    reasons = pd.Series(None, index=raw.frame.index, dtype=object)
    reasons[~finite & ~blank] = "a coordinate is not a number"
    return Raw(raw.frame, shapes, raw.crs, reasons, raw.notes)


def _from_wkt(raw: Raw, column: str, path: Path) -> Raw:
    if column not in raw.frame.columns:
        listed = ", ".join(map(str, raw.frame.columns))
        raise SourceError(f"{path} has no geometry column '{column}'", hint=f"it has {listed}")
    text = raw.frame[column].astype(TEXT).str.strip().fillna("")
    long = (text.str.len() > LONGEST_WKT).to_numpy(dtype=bool)
    words = [None if skip else word for word, skip in zip(text, long | (text == "").to_numpy(dtype=bool), strict=True)]
    shapes: Shapes = np.asarray(shapely.from_wkt(words, on_invalid="ignore"), dtype=object)
    reasons = pd.Series(None, index=raw.frame.index, dtype=object)
    reasons[long] = f"geometry text longer than {LONGEST_WKT} characters"
    reasons[shapely.is_missing(shapes) & ~long & (text != "").to_numpy(dtype=bool)] = "geometry is not WKT"
    return Raw(raw.frame, shapes, raw.crs, reasons, raw.notes)


def _guess_pair(frame: pd.DataFrame, path: Path) -> tuple[str, str]:
    by_lower = {str(name).lower(): str(name) for name in frame.columns}
    for x, y in _PAIRS:
        if x in by_lower and y in by_lower:
            return by_lower[x], by_lower[y]
    listed = ", ".join(map(str, frame.columns))
    raise SourceError(
        f"{path} has no coordinate columns (lon and lat, or x and y)",
        hint=f"name them in a mapping under geometry; it has {listed}"[:600],
    )
