"""Shapes of a layer for a picture: those in its frame, simplified to its pixels and cut at its border, with the values
that colour them; and the items at a place of it.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import shapely
from sqlalchemy import Connection

from layers.errors import TooLargeError
from layers.schema import VectorLayer
from layers.store.meeting import write_near
from layers.store.mercator import Bounds
from layers.store.names import quote
from layers.store.origins import PRESENT, Past
from layers.store.overviews import OVERVIEW
from layers.store.query.selection import ItemQuery, build_selection, explain_failure
from layers.store.query.terms import Bindings

# Pixels around a picture in which a wide line or a large circle may reach into it.
MARGIN = 48
# Areas under a quarter of a pixel and lines under half of one are not seen.
_SMALLEST_AREA, _SMALLEST_LENGTH = 0.25, 0.5


class View(NamedTuple):
    """What a picture shows: ``bounds`` (x_min, y_min, x_max, y_max) in EPSG ``srid``, x east and y north; the same as
    ``mercator`` in EPSG:3857 [m]; the width of a pixel in the unit of ``srid`` and in EPSG:3857 [m].
    """

    srid: int
    bounds: Bounds
    mercator: Bounds
    pixel: float
    mercator_pixel: float


class Shapes(NamedTuple):
    """Shapes of a layer in the CRS of a view, and the values of the asked columns of each."""

    geometry: Any
    values: list[tuple[object, ...]]


def select_shapes(
    connection: Connection,
    layer: VectorLayer,
    columns: Sequence[str],
    view: View,
    *,
    budget: int,
    past: Past = PRESENT,
) -> Shapes:
    """Return what of ``layer`` can be seen in ``view``; TooLargeError when it is more than ``budget`` features."""
    selection = build_selection(layer, ItemQuery(past=past))
    bind = selection.scope.bindings.bind
    moved = "t.geom_3857" if view.srid == 3857 else f"ST_Transform(t.geom, {int(view.srid)})"
    read = "".join(f", t.{quote(name)}" for name in columns)
    seen = ""
    if layer.geometry != "Point":
        seen = f" and ST_Length(t.geom_3857) > {bind(view.mercator_pixel * _SMALLEST_LENGTH)}"
    if layer.geometry == "MultiPolygon":
        seen = f" and ST_Area(t.geom_3857) > {bind(view.mercator_pixel**2 * _SMALLEST_AREA)}"
    source = (
        f"select {moved} as moved{read} from {selection.write_origin(columns)} "
        f"where t.geom_3857 && {_write_envelope(bind, view)}{seen}"
    )
    return _select(connection, layer, columns, view, source, selection.scope.bindings, budget)


def select_generalised(
    connection: Connection, layer: VectorLayer, columns: Sequence[str], view: View, *, zoom: int, budget: int
) -> Shapes:
    """Return what `select_shapes` does from the overview of ``zoom``; ``columns`` may hold ``point_count`` too.

    What is marked in the overview must have been drawn anew before.
    """
    bindings = Bindings()
    moved = "t.shape" if view.srid == 3857 else f"ST_Transform(t.shape, {int(view.srid)})"
    read = "".join(f", t.{quote(name)}" for name in columns)
    source = (
        f"select {moved} as moved{read} from {OVERVIEW}.{quote(layer.id)} t "
        f"where t.zoom = {int(zoom)} and t.shape && {_write_envelope(bindings.bind, view)}"
    )
    return _select(connection, layer, columns, view, source, bindings, budget)


def _select(
    connection: Connection,
    layer: VectorLayer,
    columns: Sequence[str],
    view: View,
    source: str,
    bindings: Bindings,
    budget: int,
) -> Shapes:
    """Return the rows of ``source``, simplified to half a pixel and cut at the border of the view."""
    shape = "moved"
    if layer.geometry != "Point":
        box = ", ".join(bindings.bind(side) for side in _expand(view.bounds, view.pixel))
        simple = f"ST_Simplify(moved, {bindings.bind(view.pixel / 2.0)}, true)"
        shape = f"ST_ClipByBox2D({simple}, ST_MakeEnvelope({box}))"
    listed = "".join(f", {quote(name)}" for name in columns)
    statement = f"select ST_AsBinary({shape}){listed} from ({source} limit {int(budget) + 1}) part"
    with explain_failure():
        rows = connection.exec_driver_sql(statement, bindings.values).all()
    if len(rows) > budget:
        raise TooLargeError(
            f"more than {budget:,} features of '{layer.id}' lie in this picture",
            hint="ask for a smaller area, a larger scale, or fewer layers",
        )
    return Shapes(shapely.from_wkb([bytes(row[0]) for row in rows]), [tuple(row[1:]) for row in rows])


def select_items_near(
    connection: Connection,
    layer: VectorLayer,
    columns: Sequence[str],
    place: tuple[float, float],
    *,
    reach: float,
    limit: int,
    past: Past = PRESENT,
) -> list[dict[str, Any]]:
    """Return at most ``limit`` items within ``reach`` [m] of ``place`` (EPSG:3857 [m]), the nearest first.

    Each is a GeoJSON feature in CRS84 with ``columns`` as properties.
    """
    selection = build_selection(layer, ItemQuery(past=past))
    bind = selection.scope.bindings.bind
    x, y = bind(place[0]), bind(place[1])
    point = f"ST_SetSRID(ST_MakePoint({x}, {y}), 3857)"
    near = write_near("t.geom_3857", point, bind(reach))
    listed = "".join(f", t.{quote(name)}" for name in columns)
    statement = (
        f"select t.id, ST_AsGeoJSON(ST_Transform(t.geom, 4326), 7, 0){listed} "
        f"from {selection.write_origin(columns)} where {near} "
        f"order by ST_Distance(t.geom_3857, {point}), t.fid limit {int(limit)}"
    )
    with explain_failure():
        rows = connection.exec_driver_sql(statement, selection.values).all()
    return [
        {
            "type": "Feature",
            "id": row[0],
            "geometry": json.loads(row[1]),
            "properties": dict(zip(columns, row[2:], strict=True)),
        }
        for row in rows
    ]


def _expand(bounds: Bounds, pixel: float) -> Bounds:
    x0, y0, x1, y1 = bounds
    return x0 - MARGIN * pixel, y0 - MARGIN * pixel, x1 + MARGIN * pixel, y1 + MARGIN * pixel


def _write_envelope(bind: Callable[[object], str], view: View) -> str:
    sides = (bind(side) for side in _expand(view.mercator, view.mercator_pixel))
    return f"ST_MakeEnvelope({', '.join(f'{side}::double precision' for side in sides)}, 3857)"
