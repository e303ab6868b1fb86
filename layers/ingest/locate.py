"""Rows without geometry of their own get it from their columns."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import shapely

from layers.errors import SourceError
from layers.ingest.coordinates import read_coordinates
from layers.ingest.crs import Shapes
from layers.ingest.mapping import GeometryRule
from layers.ingest.raw import Raw, name_reasons
from layers.ingest.values import TEXT, as_text

LONGEST_WKT = 1_000_000
# Boundaries in WGS 84 by official code.
Wards = Mapping[str, Any]
NO_WARDS: Wards = MappingProxyType({})
_LINE, _RING, _FEWEST = 1, 2, 3
_PAIRS = (("lon", "lat"), ("longitude", "latitude"), ("lng", "lat"), ("x", "y"), ("easting", "northing"))


def locate(raw: Raw, rule: GeometryRule, path: Path, wards: Wards = NO_WARDS) -> Raw:
    """Return the rows with geometry, made from columns where the rule says so or the file has none of its own.

    ``wards`` gives the boundary [°] of the ward a row names. A row that cannot be used keeps its reason and gets no
    geometry. SourceError lists the columns there are when the coordinate columns are not among them.
    """
    if rule.ward is not None:
        return _from_wards(raw, rule.ward, path, wards)
    if rule.wkt is not None:
        return _from_wkt(raw, rule.wkt, path)
    if rule.xy is not None:
        return _from_cells(raw, rule.xy, path)
    if rule.x is None and raw.shapes is not None:
        return replace(raw, shapes=_close_lines(raw.shapes)) if rule.as_area else raw
    x, y = (rule.x, rule.y) if rule.x is not None and rule.y is not None else guess_pair(raw.frame, path)
    for name in (x, y):
        _require_column(raw.frame, name, "coordinate", path)
    return _make_points(raw, raw.frame[x], raw.frame[y])


def _from_cells(raw: Raw, column: str, path: Path) -> Raw:
    """Make points of cells that hold x and y, apart by a comma, semicolon or blank."""
    _require_column(raw.frame, column, "coordinate", path)
    parts = raw.frame[column].astype(TEXT).str.extract(r"^\s*\(?\s*([^\s,;]+)\s*[,;\s]\s*([^\s,;)]+)\s*\)?\s*$")
    broken = parts[0].isna() & raw.frame[column].astype(TEXT).str.strip().fillna("").ne("")
    return _make_points(raw, parts[0].mask(broken, "?"), parts[1])


def _make_points(raw: Raw, east: "pd.Series[Any]", north: "pd.Series[Any]") -> Raw:
    numbers = [read_coordinates(values) for values in (east, north)]
    texts = [values.astype(TEXT).str.strip().fillna("") for values in (east, north)]
    reasons = name_reasons(raw)
    usable = reasons.isna().to_numpy(dtype=bool)
    blank = ((texts[0] == "") & (texts[1] == "")).to_numpy(dtype=bool)
    finite = np.isfinite(numbers[0]) & np.isfinite(numbers[1])
    good = finite & usable
    shapes: Shapes = np.full(len(raw.frame), None, dtype=object)
    shapes[good] = shapely.points(numbers[0][good], numbers[1][good])
    reasons[usable & ~finite & ~blank] = "a coordinate is not a number"
    return replace(raw, shapes=shapes, reasons=reasons)


def _from_wkt(raw: Raw, column: str, path: Path) -> Raw:
    _require_column(raw.frame, column, "geometry", path)
    reasons = name_reasons(raw)
    usable = reasons.isna().to_numpy(dtype=bool)
    text = raw.frame[column].astype(TEXT).str.strip().fillna("")
    long = usable & (text.str.len() > LONGEST_WKT).to_numpy(dtype=bool)
    given = usable & ~long & (text != "").to_numpy(dtype=bool)
    words = [word if keep else None for word, keep in zip(text, given, strict=True)]
    shapes: Shapes = np.asarray(shapely.from_wkt(words, on_invalid="ignore"), dtype=object)
    reasons[long] = f"geometry text longer than {LONGEST_WKT} characters"
    reasons[shapely.is_missing(shapes) & given] = "geometry is not WKT"
    return replace(raw, shapes=shapes, reasons=reasons)


def _from_wards(raw: Raw, column: str, path: Path, wards: Wards) -> Raw:
    _require_column(raw.frame, column, "ward", path)
    if not wards:
        raise SourceError(f"{path} says places by ward code, but layer 'wards' is empty", hint="load the wards first")
    codes = as_text(raw.frame[column])
    shapes: Shapes = np.full(len(codes), None, dtype=object)
    reasons = name_reasons(raw)
    for at in np.flatnonzero(codes.notna() & reasons.isna()).tolist():
        code = str(codes.iloc[at])
        shapes[at] = wards.get(write_code(code))
        if shapes[at] is None:
            reasons.iloc[at] = f"no ward has the code '{code[:20]}'"
    return replace(raw, shapes=shapes, reasons=reasons)


def write_code(text: str) -> str:
    """Return an official ward code with its five digits, which spreadsheets cut to a number."""
    return text.zfill(5) if text.isdigit() else text


def _close_lines(shapes: Shapes) -> Shapes:
    """Return areas for lines that end where they begin, as drawings have them; other shapes stay."""
    closed = np.isin(shapely.get_type_id(shapes), (_LINE, _RING)) & shapely.is_closed(shapes)
    closed &= shapely.get_num_points(shapes) > _FEWEST
    made = shapes.copy()
    rings, places = shapely.get_coordinates(shapes[closed], return_index=True)
    made[closed] = shapely.polygons(shapely.linearrings(rings, indices=places)) if closed.any() else None
    return made


def _require_column(frame: pd.DataFrame, name: str, what: str, path: Path) -> None:
    if name not in frame.columns:
        listed = ", ".join(map(str, frame.columns))
        raise SourceError(f"{path} has no {what} column '{name}'", hint=f"it has {listed}")


def guess_pair(frame: pd.DataFrame, path: Path) -> tuple[str, str]:
    """Return the columns of a table that hold x and y by their names; SourceError lists those there are."""
    by_lower = {str(name).lower(): str(name) for name in frame.columns}
    for x, y in _PAIRS:
        if x in by_lower and y in by_lower:
            return by_lower[x], by_lower[y]
    listed = ", ".join(map(str, frame.columns))
    raise SourceError(
        f"{path} has no coordinate columns (lon and lat, or x and y)",
        hint=f"name them in a mapping under geometry (x and y, wkt, or ward for ward codes); it has {listed}"[:600],
    )
