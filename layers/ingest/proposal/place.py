"""Where a sample's rows are: geometry or coordinate columns, their CRS, columns about persons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.ingest.personal import find_personal_columns
from layers.ingest.proposal.column import Column
from layers.ingest.proposal.draft import Guess
from layers.ingest.proposal.wording import compare, split_words
from layers.ingest.raw import Raw
from layers.schema import GeometryType

_X = (
    "x",
    "lon",
    "long",
    "lng",
    "longitude",
    "kinh do",
    "toa do x",
    "x coord",
    "point x",
    "easting",
    "kinhdo",
    "xcoord",
)
_Y = ("y", "lat", "latitude", "vi do", "toa do y", "y coord", "point y", "northing", "vido", "ycoord")
_WARDS = ("ward code", "ma phuong", "ma xa", "ma phuong xa", "ma dvhc", "ma don vi hanh chinh")
_WARD = re.compile(r"^\d{5}$")
_PAIR = re.compile(r"^\s*\(?\s*(-?\d{1,3}\.\d+)\s*[,; ]\s*(-?\d{1,3}\.\d+)\s*\)?\s*$")
_WKT = re.compile(r"^\s*(?:SRID=\d+;)?\s*(?:MULTI)?(POINT|LINESTRING|POLYGON)\s*Z?M?\s*\(", re.IGNORECASE)
_KINDS: dict[int, GeometryType] = {
    0: "Point", 1: "LineString", 2: "LineString", 3: "MultiPolygon", 4: "Point", 5: "LineString", 6: "MultiPolygon",
}  # fmt: skip
_WKT_KINDS: dict[str, GeometryType] = {"POINT": "Point", "LINESTRING": "LineString", "POLYGON": "MultiPolygon"}
# Contiguous United States, west south east north: cities there measure heights in feet.
_FEET = (-125.0, 24.4, -66.9, 48.9)
UNKNOWN_CRS = Guess("EPSG:…", 0.0, "REQUIRED: the file does not say its CRS and the coordinates are not degrees")
_DEGREES = Guess("EPSG:4326", 0.8, "the coordinates are degrees")


@dataclass(frozen=True, slots=True)
class Place:
    """What a sample says of its geometry: the type, the rule where columns hold it, those columns, the CRS to declare,
    where the coordinates say it or nobody knows it, whether the place measures in feet, and columns that are about
    persons with the reason."""

    geometry: GeometryType | None
    rule: Guess | None = None
    columns: tuple[str, ...] = ()
    crs: Guess | None = None
    in_feet: bool = False
    personal: dict[str, str] = field(default_factory=dict)


def find_place(raw: Raw, columns: Sequence[Column]) -> Place:
    """Return where the rows of a sample are."""
    personal = find_personal_columns(raw.frame)
    if raw.shapes is not None:
        kinds = np.asarray(shapely.get_type_id(raw.shapes))
        kinds = kinds[kinds >= 0]
        kind = _KINDS.get(int(np.bincount(kinds).argmax())) if len(kinds) else None
        bounds = tuple(float(edge) for edge in shapely.total_bounds(raw.shapes))
        crs = None if raw.crs is not None else _DEGREES if _are_degrees(bounds) else UNKNOWN_CRS
        return Place(kind, crs=crs, in_feet=_is_in_feet(bounds), personal=personal)
    for column in columns:
        found = [match[1].upper() for value in list(column.counts)[:20] if (match := _WKT.match(value))]
        if found and len(found) == len(list(column.counts)[:20]):
            kind = _WKT_KINDS[found[0]]
            rule = Guess({"wkt": column.name}, 0.95, "its values are WKT")
            return Place(kind, rule, (column.name,), personal=personal)
        if (pairs := _read_pairs(column)) is not None:
            return Place("Point", pairs, (column.name,), _DEGREES, personal=personal)
    place = _find_pair(columns, personal)
    return place if place.rule is not None else _find_wards(columns, personal)


def _read_pairs(column: Column) -> Guess | None:
    """Return the rule for a column whose cells hold longitude and latitude, in either order."""
    pairs = [_PAIR.match(value) for value in list(column.counts)[:200]]
    if not pairs or not all(pairs):
        return None
    numbers = np.array([[float(pair[1]), float(pair[2])] for pair in pairs if pair])
    first, second = np.abs(numbers).max(axis=0)
    if max(first, second) > 180.0 or min(first, second) > 90.0:
        return None
    if not _are_latitudes_first(numbers):
        return Guess({"xy": column.name}, 0.9, "its cells hold longitude and latitude")
    return Guess({"xy": column.name, "swap": "yes"}, 0.8, "its cells hold latitude and longitude")


def _are_latitudes_first(numbers: NDArray[np.float64]) -> bool:
    """Return whether pairs of degrees begin with the latitude: the other is beyond 90, or they lie in Viet Nam so."""
    east, north = np.median(numbers, axis=0)
    return bool(abs(north) > 90.0 or (8.0 <= east <= 24.0 and 102.0 <= north <= 118.0))


def _find_wards(columns: Sequence[Column], personal: dict[str, str]) -> Place:
    """Return the column of official ward codes, which stand for the place where nothing else does."""
    for column in columns:
        codes = sum(often for value, often in column.counts.items() if _WARD.match(value))
        if column.counts and codes >= 0.9 * column.filled and _compare_any(column, _WARDS) >= 0.8:
            rule = Guess({"ward": column.name}, 0.8, "official codes of wards: their areas stand for the place")
            return Place("MultiPolygon", rule, (), personal=personal)
    return Place(None, personal=personal)


def _find_pair(columns: Sequence[Column], personal: dict[str, str]) -> Place:
    """Return the best pair of coordinate columns, exchanged where their values say so."""
    best: tuple[float, Column, Column] | None = None
    for x in columns:
        for y in columns:
            named = min(_compare_any(x, _X), _compare_any(y, _Y))
            if x is y or named < 0.6 or not len(x.numbers[0]) or not len(y.numbers[0]):
                continue
            full = min(x.filled, y.filled) / max(1, x.rows)
            degrees = 0.3 if _are_degrees(_bound(x, y)) else 0.0
            rating = named + degrees + full + 0.01 * (x.name[:1] == y.name[:1])
            if best is None or rating > best[0]:
                best = (rating, x, y)
    if best is None:
        return Place(None, personal=personal)
    _, x, y = best
    confidence = min(_compare_any(x, _X), _compare_any(y, _Y))
    why = "names and values are coordinates"
    if _is_exchanged(x, y):
        x, y, why = y, x, "exchanged: the values say that this one is east and that one north"
    bounds = _bound(x, y)
    degrees = _are_degrees(bounds)
    return Place(
        "Point",
        Guess({"x": x.name, "y": y.name}, confidence, why),
        (x.name, y.name),
        _DEGREES if degrees else UNKNOWN_CRS,
        degrees and _is_in_feet(bounds),
        personal,
    )


def _compare_any(column: Column, names: tuple[str, ...]) -> float:
    return max(compare(words, split_words(name)).score for name in names for words in (column.words, column.bare_words))


def _bound(x: Column, y: Column) -> tuple[float, float, float, float]:
    """Return the bounds without the outer hundredth, which may be dirt."""
    west, east = np.quantile(x.numbers[0], (0.01, 0.99))
    south, north = np.quantile(y.numbers[0], (0.01, 0.99))
    return float(west), float(south), float(east), float(north)


def _are_degrees(bounds: Sequence[float]) -> bool:
    west, south, east, north = bounds
    return -180 <= west <= east <= 180 and -90 <= south <= north <= 90 and (east - west) < 90


def _is_in_feet(bounds: Sequence[float]) -> bool:
    west, south, east, north = bounds
    return _FEET[0] <= west and _FEET[1] <= south and east <= _FEET[2] and north <= _FEET[3]


def _is_exchanged(x: Column, y: Column) -> bool:
    """Return whether x holds the north: latitudes of Viet Nam, or the X of its survey, which points north."""
    east, north = float(np.median(x.numbers[0])), float(np.median(y.numbers[0]))
    degrees = 8.0 <= east <= 24.0 and 102.0 <= north <= 118.0
    metres = 8.5e5 <= east <= 2.7e6 and 1.5e5 <= north <= 8.5e5
    return degrees or metres
