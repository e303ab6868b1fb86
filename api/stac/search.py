"""What a STAC search asks for, in a query string or a body, checked once."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import shapely

from api.cursors import parse_time_cursor
from api.parameters import parse_bbox, parse_interval
from layers.errors import InputError
from twin.store_stac import Place, Search

MAX_LIMIT, MAX_PAGE, DEFAULT_LIMIT = 10_000, 100, 10
_MAX_NAMES = 200
_MAX_WORDS = 200
_MAX_CORNERS = 5000
_MEMBERS = ("bbox", "datetime", "intersects", "ids", "collections", "limit", "token")


class Asked(NamedTuple):
    """A search, how many items a page shall have at most, and behind which place it begins."""

    search: Search
    limit: int
    after: Place | None


def read_body(document: Mapping[str, Any]) -> Asked:
    """Return the search of a JSON body; InputError names the member that is wrong."""
    for name in document:
        if name not in _MEMBERS:
            raise InputError(f"the body has an unknown member '{name[:80]}'", hint=", ".join(_MEMBERS))
    bbox = document.get("bbox")
    if bbox is not None:
        if not isinstance(bbox, list) or not all(isinstance(part, int | float) for part in bbox):
            raise InputError("bbox is not a list of numbers", hint="[west, south, east, north]")
        bbox = ",".join(str(part) for part in bbox)
    for name in ("datetime", "token"):
        if not isinstance(document.get(name), str | None):
            raise InputError(f"{name} is not a string")
    limit = document.get("limit", DEFAULT_LIMIT)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit '{str(limit)[:40]}' is not a whole number from 1 to {MAX_LIMIT}")
    return build_search(
        bbox=bbox,
        during=document.get("datetime"),
        intersects=document.get("intersects"),
        ids=_read_names(document, "ids"),
        collections=_read_names(document, "collections"),
        limit=limit,
        token=document.get("token"),
    )


def build_search(
    *,
    bbox: str | None,
    during: str | None,
    intersects: Any = None,
    ids: list[str] | None,
    collections: list[str] | None,
    limit: int,
    token: str | None,
) -> Asked:
    """Return the search these words ask for; InputError says which of them is wrong."""
    if bbox is not None and intersects is not None:
        raise InputError("bbox and intersects are both given", hint="one of them says where")
    area = None
    if bbox is not None:
        area = shapely.to_wkt(_draw_box(bbox), rounding_precision=-1)
    elif intersects is not None:
        area = shapely.to_wkt(_read_shape(intersects), rounding_precision=-1)
    for name, names in (("ids", ids), ("collections", collections)):
        if names is not None and (
            len(names) > _MAX_NAMES or any(len(word) > _MAX_WORDS or "\x00" in word for word in names)
        ):
            raise InputError(f"{name} holds more than {_MAX_NAMES} names, or one that is too long")
    interval = None if during is None else parse_interval(during)
    search = Search(
        None if collections is None else tuple(dict.fromkeys(collections)),
        None if ids is None else tuple(dict.fromkeys(ids)),
        area,
        interval,
    )
    return Asked(search, min(limit, MAX_PAGE), None if token is None else parse_time_cursor(token, "token"))


def _draw_box(bbox: str) -> shapely.Geometry:
    """Return the box of ``bbox``; two where it crosses the antimeridian."""
    west, south, east, north = parse_bbox(bbox)
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.MultiPolygon([shapely.box(west, south, 180.0, north), shapely.box(-180.0, south, east, north)])


def _read_shape(given: Any) -> shapely.Geometry:
    """Return the shape of a GeoJSON geometry; InputError for what is none, or too large."""
    hint = "a GeoJSON geometry in CRS84"
    try:
        shape = shapely.geometry.shape(given)
        corners = np.asarray(shapely.get_coordinates(shape), dtype=np.float64)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, shapely.errors.ShapelyError) as error:
        raise InputError(f"intersects cannot be read: {str(error)[:120]}", hint=hint) from None
    if shape.is_empty or len(corners) > _MAX_CORNERS:
        raise InputError(f"intersects has {len(corners)} corners, expected 1 to {_MAX_CORNERS}", hint=hint)
    if not (np.abs(corners) <= (180.0, 90.0)).all():
        raise InputError("intersects does not lie in longitudes −180 to 180 and latitudes −90 to 90", hint=hint)
    return shapely.force_2d(shape)


def _read_names(document: Mapping[str, Any], name: str) -> list[str] | None:
    names = document.get(name)
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(word, str) for word in names):
        raise InputError(f"{name} is not a list of strings")
    return names
