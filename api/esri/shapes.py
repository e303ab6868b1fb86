"""Geometry in Esri's JSON: read from what clients send, written from shapes."""

import math
from collections.abc import Mapping
from typing import Any

import orjson
import shapely
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from layers.errors import CrsError, InputError
from layers.schema import GeometryType

MERCATOR, DEGREES = 3857, 4326
ESRI_TYPES: dict[GeometryType, str] = {
    "Point": "esriGeometryPoint",
    "LineString": "esriGeometryPolyline",
    "MultiPolygon": "esriGeometryPolygon",
}
# Esri's own numbers of Web Mercator.
_MERCATORS = {102100, 102113, 900913}
MAX_POINTS = 100_000


def read_wkid(value: Any, name: str) -> int:
    """Return the EPSG code of a spatial reference, a number or an object with ``wkid``; CrsError names ``name``."""
    if isinstance(value, str) and value.strip().startswith("{"):
        value = read_object(value, name)
    if isinstance(value, Mapping):
        value = value.get("latestWkid") or value.get("wkid")
    try:
        wkid = int(value)
    except (TypeError, ValueError):
        raise CrsError(f"{name} '{str(value)[:80]}' is not a spatial reference", hint="a number: 4326") from None
    return MERCATOR if wkid in _MERCATORS else wkid


def describe_reference(srid: int) -> dict[str, int]:
    """Return a spatial reference as Esri writes it."""
    return {"wkid": 102100, "latestWkid": srid} if srid == MERCATOR else {"wkid": srid, "latestWkid": srid}


def read_object(words: str, name: str) -> dict[str, Any]:
    """Return a JSON object; InputError names parameter ``name``."""
    try:
        found = orjson.loads(words)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{name} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InputError(f"{name} is not a JSON object")
    return found


def read_asked_shape(words: str, kind: str | None) -> tuple[BaseGeometry, int | None]:
    """Return the geometry of a query and the EPSG code it names itself.

    ``words`` is JSON, or ``x,y`` of a point, or ``xmin,ymin,xmax,ymax`` of an envelope.
    """
    if words.lstrip().startswith("{"):
        given = read_object(words, "geometry")
        reference = given.get("spatialReference")
        return read_shape(given), None if reference is None else read_wkid(reference, "spatialReference")
    try:
        numbers = [float(part) for part in words.split(",")]
    except ValueError:
        raise InputError(f"geometry '{words[:80]}' is neither JSON nor numbers") from None
    if len(numbers) == 2 and kind in (None, "esriGeometryPoint"):
        return read_shape({"x": numbers[0], "y": numbers[1]}), None
    if len(numbers) == 4:
        return read_shape(dict(zip(("xmin", "ymin", "xmax", "ymax"), numbers, strict=True))), None
    raise InputError(f"geometry has {len(numbers)} numbers", hint="x,y or xmin,ymin,xmax,ymax")


def read_shape(given: Mapping[str, Any]) -> BaseGeometry:
    """Return an Esri geometry as a shape, heights left out; InputError says what is wrong with it."""
    try:
        shape = _build(given)
    except (TypeError, ValueError, KeyError, IndexError, GEOSException) as error:
        raise InputError(f"the geometry cannot be read: {str(error)[:120]}") from None
    if shape is None or shape.is_empty or not all(math.isfinite(edge) for edge in shapely.bounds(shape)):
        raise InputError("the geometry is empty or not finite", hint="x and y, rings, paths, points or an envelope")
    if shapely.count_coordinates(shape) > MAX_POINTS:
        raise InputError(f"the geometry has more than {MAX_POINTS} points")
    return shape


def _build(given: Mapping[str, Any]) -> BaseGeometry | None:
    if "rings" in given:
        return _build_area([_flatten(ring) for ring in given["rings"]])
    if "paths" in given:
        lines = [shapely.LineString(_flatten(path)) for path in given["paths"]]
        return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    if "points" in given:
        return shapely.MultiPoint(_flatten(given["points"]))
    if "xmin" in given:
        x0, y0, x1, y1 = (float(given[side]) for side in ("xmin", "ymin", "xmax", "ymax"))
        if x0 > x1 or y0 > y1:
            raise InputError("the corners of the envelope do not ascend")
        # An envelope without width or height is a point or a line to clients that click.
        return shapely.box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else shapely.LineString([(x0, y0), (x1, y1)])
    return shapely.Point(float(given["x"]), float(given["y"])) if "x" in given else None


def _flatten(points: Any) -> list[tuple[float, float]]:
    return [(float(point[0]), float(point[1])) for point in points]


def _build_area(rings: list[list[tuple[float, float]]]) -> BaseGeometry:
    """Return the area of rings by the rule of odd and even: clients disagree on which way a hole turns."""
    parts = sorted((shapely.make_valid(shapely.Polygon(ring)) for ring in rings), key=shapely.area, reverse=True)
    area: BaseGeometry = shapely.Polygon()
    for part in parts:
        area = shapely.symmetric_difference(area, part)
    return area


def write_geojson(shape: shapely.Geometry) -> dict[str, Any]:
    """Return ``shape`` as a GeoJSON geometry."""
    found: dict[str, Any] = orjson.loads(shapely.to_geojson(shape))
    return found


def write_shape(shape: BaseGeometry, decimals: int) -> dict[str, Any]:
    """Return a feature's shape in Esri's JSON, outer rings clockwise."""
    if isinstance(shape, shapely.Point):
        return {"x": round(shape.x, decimals), "y": round(shape.y, decimals)}
    if shape.geom_type == "LineString":
        return {"paths": [_round(shape, decimals)]}
    rings = []
    for part in shapely.get_parts(shape):
        turned = shapely.orient_polygons(part, exterior_cw=True)
        rings += [_round(ring, decimals) for ring in (turned.exterior, *turned.interiors)]
    return {"rings": rings}


def _round(line: shapely.Geometry, decimals: int) -> list[list[float]]:
    rounded: list[list[float]] = shapely.get_coordinates(line).round(decimals).tolist()
    return rounded
