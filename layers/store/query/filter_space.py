"""Spatial functions of CQL2: shapes somebody wrote, and how a feature's shape lies to them.

Predicates compare in EPSG:3857, whose index the tiles use too; distances are measured in the city's own CRS [m].
"""

import math
from collections.abc import Sequence
from typing import Any

import orjson
import shapely
from shapely.errors import GEOSException

from layers.errors import InputError
from layers.store.meeting import write_meets, write_near
from layers.store.mercator import MERCATOR_LATITUDE
from layers.store.projecting import write_to_mercator
from layers.store.query.terms import LiteralShape, Scope, Term

PREDICATES = {
    "s_intersects": "ST_Intersects",
    "s_within": "ST_Within",
    "s_contains": "ST_Contains",
    "s_crosses": "ST_Crosses",
    "s_overlaps": "ST_Overlaps",
    "s_touches": "ST_Touches",
    "s_equals": "ST_Equals",
    "s_disjoint": "ST_Disjoint",
}
CITY_SRID = "(select srid from meta.city)"
MAX_DISTANCE = 100_000.0
_CRS84 = 4326
_STEPS = 20


def compare_shapes(operator: str, left: Term, right: Term) -> str:
    """Return the condition that ``left`` lies to ``right`` as ``operator`` says."""
    predicate = PREDICATES[operator]
    if operator == "s_disjoint":
        return f"{predicate}({left.sql}, {right.sql})"
    return write_meets(left.sql, right.sql, predicate)


def measure_distance(left: Term, right: Term, metres: float) -> str:
    """Return the condition that two shapes are at most ``metres`` apart."""
    if not 0 <= metres <= MAX_DISTANCE:
        raise InputError(f"a distance of {metres:g} m cannot be asked for", hint=f"0 to {MAX_DISTANCE:g} m")
    if left.is_literal:
        left, right = right, left
    return write_near(_to_city(left), _to_city(right), repr(float(metres)))


def read_shape(node: dict[str, Any], scope: Scope) -> Term:
    """Return the term of a GeoJSON geometry or ``{"bbox": [...]}``; InputError says what is wrong with it."""
    shape = _read_box(node["bbox"], scope) if "bbox" in node else _read_geometry(node)
    if scope.flip:
        shape = shapely.transform(shape, lambda xy: xy[:, ::-1])
    return bind_shape(shape, scope)


def bind_shape(shape: shapely.Geometry, scope: Scope) -> Term:
    """Return the term of a shape whose coordinates (x first) are in the scope's CRS."""
    if scope.srid == _CRS84:
        x0, y0, x1, y1 = shapely.bounds(shape)
        if not (-180 <= x0 <= x1 <= 180 and -90 <= y0 <= y1 <= 90):
            raise InputError(
                f"the filter's geometry reaches from {x0:g}, {y0:g} to {x1:g}, {y1:g}, which are no degrees",
                hint="longitude comes first; name another CRS in filter-crs",
            )
        shape = shapely.transform(shape, _clip)
    literal = LiteralShape(shapely.to_wkb(shape), scope.srid)
    placed = write_to_mercator(f"ST_GeomFromWKB({scope.bindings.bind(literal.wkb)}::bytea)", literal.srid)
    return Term(placed, "geometry", value=literal)


def own_geometry(term: Term) -> str:
    """Return a feature's geometry in the city's CRS, as it is stored."""
    return term.sql.removesuffix("_3857")


def _to_city(term: Term) -> str:
    return f"ST_Transform({term.sql}, {CITY_SRID})" if term.is_literal else own_geometry(term)


def _read_geometry(node: dict[str, Any]) -> shapely.Geometry:
    try:
        shape = shapely.force_2d(shapely.from_geojson(orjson.dumps(node)))
    except (GEOSException, orjson.JSONEncodeError) as error:
        raise InputError(f"the filter's geometry cannot be read: {error}") from None
    if shape is None or shape.is_empty or not all(math.isfinite(edge) for edge in shapely.bounds(shape)):
        raise InputError("the filter's geometry is empty or not finite")
    if not shape.is_valid:
        raise InputError(f"the filter's geometry is not valid: {shapely.is_valid_reason(shape)}")
    return shape


def _read_box(numbers: Any, scope: Scope) -> shapely.Geometry:
    wanted = isinstance(numbers, Sequence) and len(numbers) in (4, 6)
    if not wanted or not all(isinstance(edge, int | float) and math.isfinite(edge) for edge in numbers):
        raise InputError("a BBOX has 4 or 6 numbers", hint="BBOX(west, south, east, north)")
    half = len(numbers) // 2
    (x0, y0), (x1, y1) = numbers[:2], numbers[half : half + 2]
    if y0 > y1 or (x0 > x1 and (scope.srid != _CRS84 or scope.flip)):
        raise InputError("the corners of the BBOX do not ascend", hint="BBOX(west, south, east, north)")
    # Two boxes where it crosses the antimeridian.
    spans = [(x0, x1)] if x0 <= x1 else [(x0, 180.0), (-180.0, x1)]
    boxes = shapely.union_all([shapely.box(left, y0, right, y1) for left, right in spans])
    # Edges of a box in another CRS are curves in ours.
    return boxes if scope.srid == _CRS84 else shapely.segmentize(boxes, max(x1 - x0, y1 - y0, 1e-9) / _STEPS)


def _clip(points: Any) -> Any:
    # Beyond, EPSG:3857 has no coordinates; no city lies there.
    points[:, 1] = points[:, 1].clip(-MERCATOR_LATITUDE, MERCATOR_LATITUDE)
    return points
