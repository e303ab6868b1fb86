"""Footprints with the heights they are built with: by tile of the scene, one by one, and what each tile holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, text

from layers.access import visible_layers
from layers.errors import NotFoundError
from layers.registry import VECTOR_LAYERS
from layers.scene.attributes import HEIGHT_SOURCES, list_columns, list_told
from layers.scene.levels import LEAF_ZOOM, LEVELS
from layers.scene.tileset import Address, Content, Region
from layers.schema import VectorLayer
from layers.store.mercator import to_degrees
from layers.store.names import quote
from layers.store.tables import CITY
from layers.store.tiles import HALF_WORLD, TileAddress

STOREY_HEIGHT = 3.3
"""Height of a storey where only their number is known [m]."""
USUAL_HEIGHT = 6.0
"""Height of a solid of which neither height nor storeys are known [m]."""
_GREATEST_HEIGHT = 1000.0
_LOWEST, _HIGHEST = -500.0, 9000.0
MOST_SOLIDS = 10_000
MOST_POINTS = 500_000
SOLID_LAYERS = {
    layer.id: layer for layer in VECTOR_LAYERS.values() if layer.geometry == "MultiPolygon" and layer.style.height
}


@dataclass(frozen=True, slots=True)
class Solids:
    """n solids: ``shapes`` (n,) in the city's CRS, ``rows`` with n values of every column of the scene.

    ``srid`` is the city's CRS; ``truncated`` says that a budget left small ones out.
    """

    shapes: NDArray[Any]
    rows: dict[str, list[Any]]
    srid: int
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class SolidVersion:
    """Which version of an item a solid shows: its key and when it was written."""

    fid: int
    recorded_from: datetime


def find_solid_layer(layer_id: str) -> VectorLayer:
    """Return the layer ``layer_id`` whose style names a height; NotFoundError names those there are."""
    layer = visible_layers().get(layer_id) if layer_id in SOLID_LAYERS else None
    if layer is None:
        raise NotFoundError(f"layer '{layer_id[:80]}' has no solids", hint=f"one of {', '.join(SOLID_LAYERS)}")
    return layer


def select_tile(connection: Connection, layer: VectorLayer, tile: TileAddress) -> Solids:
    """Return the solids of one tile, the largest first, at most ``MOST_SOLIDS`` of at most ``MOST_POINTS`` points."""
    x0, y0, x1, y1 = tile.bounds
    near = "geom_3857 && ST_MakeEnvelope(:x0, :y0, :x1, :y1, 3857)"
    rows = connection.execute(
        text(
            f"select {_list(layer)}, shape, points from ({_write_sized(layer, near)}) as sized "
            "where z = :z and x = :x and y = :y order by size desc, fid limit :most"
        ),
        {"x0": x0, "y0": y0, "x1": x1, "y1": y1, "z": tile.z, "x": tile.x, "y": tile.y, "most": MOST_SOLIDS + 1},
    )
    found = rows.mappings().all()
    kept = found[:MOST_SOLIDS]
    points = np.cumsum([row["points"] for row in kept])
    kept = kept[: max(1, int(np.searchsorted(points, MOST_POINTS, side="right")))]
    return _gather(connection, layer, kept, truncated=len(kept) < len(found))


def select_solid(connection: Connection, layer: VectorLayer, item_id: str) -> tuple[Solids, SolidVersion]:
    """Return the solid of one item and its version; NotFoundError when there is no such item."""
    columns = f"{_list(layer)}, shape, recorded_from"
    statement = text(f"select {columns} from ({_write_solids(layer)}) as solid where id = :id")
    row = connection.execute(statement, {"id": item_id}).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"layer '{layer.id}' has no item '{item_id[:80]}'")
    return _gather(connection, layer, [row]), SolidVersion(row["fid"], row["recorded_from"])


def list_contents(connection: Connection, layer: VectorLayer, *, undulation: float = 0.0) -> dict[Address, Content]:
    """Return what each tile of a layer's scene holds; ``undulation`` [m] is added to levels for ellipsoidal heights."""
    rows = connection.execute(
        text(
            "select z, x, y, count(*), min(ST_XMin(geom_3857)), min(ST_YMin(geom_3857)), max(ST_XMax(geom_3857)), "
            f"max(ST_YMax(geom_3857)), min(base), max(base + height), max(size) from ({_write_sized(layer)}) as sized "
            "group by z, x, y"
        )
    )
    contents = {}
    for z, x, y, count, x0, y0, x1, y1, low, high, size in rows:
        region = Region(*to_degrees(x0, y0), *to_degrees(x1, y1), low + undulation, high + undulation)
        contents[z, x, y] = Content(count, region, size)
    return contents


def _gather(
    connection: Connection, layer: VectorLayer, found: Sequence[RowMapping], *, truncated: bool = False
) -> Solids:
    shapes = shapely.from_wkb(np.array([bytes(row["shape"]) for row in found], dtype=object))
    srid = int(connection.execute(text("select srid from meta.city")).scalar_one())
    rows = {column.name: [row[column.name] for row in found] for column in list_columns(layer)}
    return Solids(shapes, rows, srid, truncated)


def _list(layer: VectorLayer) -> str:
    return ", ".join(quote(column.name) for column in list_columns(layer))


def _write_solids(layer: VectorLayer, condition: str = "true") -> str:
    """Return the query of a layer's solids that meet ``condition``: height, where that is from, and base [m]."""
    assert layer.style.height is not None
    measured, counted, assumed = HEIGHT_SOURCES
    height, storeys = quote(layer.style.height), "null::integer"
    if layer.find("storeys") is not None:
        storeys = quote("storeys")
    known = f"{height} > 0 and {height} <= {_GREATEST_HEIGHT}"
    by_storeys = f"{storeys} > 0 and {storeys} * {STOREY_HEIGHT} <= {_GREATEST_HEIGHT}"
    levels = [f"{quote(name)}" for name in ("ground_elevation", "floor_elevation") if layer.find(name) is not None]
    level = f"coalesce({', '.join([*levels, '0.0'])})"
    told = "".join(f", {quote(prop.name)}" for prop in list_told(layer))
    return (
        f"select fid, id, recorded_from{told}, "
        f"case when {known} then {height} when {by_storeys} then {storeys} * {STOREY_HEIGHT} else {USUAL_HEIGHT} end "
        f"as height, case when {known} then '{measured}' when {by_storeys} then '{counted}' else '{assumed}' end "
        f"as height_source, case when {level} between {_LOWEST} and {_HIGHEST} then {level} else 0.0 end as base, "
        f"geom, geom_3857, ST_AsBinary(geom) as shape, ST_NPoints(geom) as points "
        f"from {CITY}.{quote(layer.id)} where {condition}"
    )


def _write_sized(layer: VectorLayer, condition: str = "true") -> str:
    """Return the query of solids that meet ``condition`` with size [m] and tile: see ``layers.scene.levels``."""
    zooms = " ".join(f"when size >= {smallest} then {zoom}" for zoom, smallest in LEVELS)
    box = "(ST_XMax(geom) - ST_XMin(geom))^2 + (ST_YMax(geom) - ST_YMin(geom))^2 + height^2"
    sized = f"select *, sqrt({box}) as size from ({_write_solids(layer, condition)}) as solid offset 0"
    zoomed = f"select *, case {zooms} else {LEAF_ZOOM} end as z from ({sized}) as measured offset 0"
    width = f"{2.0 * HALF_WORLD} / 2^z"
    return (
        f"select *, floor(({HALF_WORLD} + (ST_XMin(geom_3857) + ST_XMax(geom_3857)) / 2) / ({width}))::bigint as x, "
        f"floor(({HALF_WORLD} - (ST_YMin(geom_3857) + ST_YMax(geom_3857)) / 2) / ({width}))::bigint as y "
        f"from ({zoomed}) as zoomed"
    )
