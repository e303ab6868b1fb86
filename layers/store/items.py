"""Features as items: keyset pages, one by id, now or at a time past, in CRS84."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from sqlalchemy import Connection, text

from layers.schema import VectorLayer
from layers.store.names import quote
from layers.store.tables import CITY, HISTORY
from layers.store.tiles import HALF_WORLD

Bounds = tuple[float, float, float, float]
_MERCATOR_LATITUDE = 85.051128


class Interval(NamedTuple):
    """A closed stretch of time, open where None; an instant has both ends equal."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """What is asked of a layer.

    ``bounds`` (west, south, east, north) in CRS84, west > east across the antimeridian; ``equals`` pairs of property
    and value; ``during`` reads the past: every feature that existed then, in its last version of that time.
    """

    bounds: Bounds | None = None
    equals: tuple[tuple[str, object], ...] = ()
    during: Interval | None = None


class Item(NamedTuple):
    """One feature: key of the paging, item id, values of the asked properties, geometry as GeoJSON text."""

    fid: int
    id: str
    values: tuple[object, ...]
    geometry: str


@dataclass(frozen=True, slots=True)
class LayerExtent:
    """How many features a layer has and where they are (CRS84; None when empty)."""

    count: int
    bounds: Bounds | None


async def select_items(
    connection: AsyncConnection[TupleRow],
    layer: VectorLayer,
    columns: Sequence[str],
    query: ItemQuery,
    *,
    after: int,
    limit: int,
) -> list[Item]:
    """Return at most ``limit`` items whose key is greater than ``after``, in the order of the key."""
    origin, condition, parameters = _build_origin(layer, columns, query)
    statement = (
        f"select fid, id, ST_AsGeoJSON(ST_Transform(geom, 4326), 7) {_list(columns)} from {origin} "
        f"where fid > %(after)s and {condition} order by fid limit %(limit)s"
    )
    # Planned anew each time: a plan for any box at all would walk the key where the box's index is right.
    cursor = await connection.execute(statement, {**parameters, "after": after, "limit": limit}, prepare=False)
    return [Item(row[0], row[1], row[3:], row[2]) for row in await cursor.fetchall()]


async def count_items(connection: AsyncConnection[TupleRow], layer: VectorLayer, query: ItemQuery) -> int:
    """Return how many items match ``query``."""
    origin, condition, parameters = _build_origin(layer, [name for name, _ in query.equals], query)
    cursor = await connection.execute(f"select count(*) from {origin} where {condition}", parameters, prepare=False)
    return int((await cursor.fetchone() or (0,))[0])


async def select_item(
    connection: AsyncConnection[TupleRow],
    layer: VectorLayer,
    columns: Sequence[str],
    item_id: str,
    *,
    during: Interval | None = None,
) -> Item | None:
    """Return the item called ``item_id``, or None."""
    origin, condition, parameters = _build_origin(layer, columns, ItemQuery(during=during))
    cursor = await connection.execute(
        f"select fid, id, ST_AsGeoJSON(ST_Transform(geom, 4326), 7) {_list(columns)} from {origin} "
        f"where id = %(id)s and {condition} order by fid desc limit 1",
        {**parameters, "id": item_id},
    )
    row = await cursor.fetchone()
    return Item(row[0], row[1], row[3:], row[2]) if row else None


def read_extent(connection: Connection, layer: VectorLayer) -> LayerExtent:
    """Return count and bounds of ``layer``."""
    row = connection.execute(
        text(
            "select n, ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box) from "
            f"(select count(*) as n, ST_Extent(geom_3857) as box from {CITY}.{quote(layer.id)}) as whole"
        )
    ).one()
    if row[1] is None:
        return LayerExtent(row[0], None)
    west, south = to_degrees(row[1], row[2])
    east, north = to_degrees(row[3], row[4])
    return LayerExtent(row[0], (west, south, east, north))


def to_degrees(x: float, y: float) -> tuple[float, float]:
    """Return longitude and latitude [°] of a point in EPSG:3857 [m]."""
    latitude = math.degrees(2.0 * math.atan(math.exp(y / HALF_WORLD * math.pi)) - math.pi / 2.0)
    return round(x / HALF_WORLD * 180.0, 7), round(latitude, 7)


def to_mercator(longitude: float, latitude: float) -> tuple[float, float]:
    """Return x and y in EPSG:3857 [m] of a point [°]; latitudes end at ±85.05."""
    clipped = math.radians(max(-_MERCATOR_LATITUDE, min(_MERCATOR_LATITUDE, latitude)))
    return longitude / 180.0 * HALF_WORLD, math.log(math.tan(math.pi / 4.0 + clipped / 2.0)) / math.pi * HALF_WORLD


def cut_mercator_boxes(bounds: Bounds) -> list[Bounds]:
    """Return ``bounds`` [°] in EPSG:3857 [m]: one box, or two when it crosses the antimeridian (west > east)."""
    west, south, east, north = bounds
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return [(*to_mercator(left, south), *to_mercator(right, north)) for left, right in spans]


def _list(columns: Sequence[str]) -> str:
    return "".join(f", {quote(name)}" for name in columns)


def _build_origin(layer: VectorLayer, columns: Sequence[str], query: ItemQuery) -> tuple[str, str, dict[str, object]]:
    """Return where rows come from, the condition on them, and its parameters."""
    parameters: dict[str, object] = {}
    conditions = ["true"]
    for place, (name, value) in enumerate(query.equals):
        conditions.append(f"{quote(name)} = %(f{place})s")
        parameters[f"f{place}"] = value
    if query.bounds is not None:
        # CRS84 and EPSG:3857 have the same rectangles, so the indexed column answers without a transformation.
        boxes = []
        for place, corners in enumerate(cut_mercator_boxes(query.bounds)):
            names = [f"b{place}{side}" for side in range(4)]
            parameters.update(zip(names, corners, strict=True))
            envelope = f"ST_MakeEnvelope({', '.join(f'%({name})s' for name in names)}, 3857)"
            boxes.append(f"ST_Intersects(geom_3857, {envelope})")
        conditions.append(f"({' or '.join(boxes)})")
    origin = f"{CITY}.{quote(layer.id)}"
    if query.during is not None:
        needed = dict.fromkeys((*columns, *(name for name, _ in query.equals)))
        origin = _build_past(layer, list(needed), query.during, parameters)
    return origin, " and ".join(conditions), parameters


def _build_past(layer: VectorLayer, columns: Sequence[str], during: Interval, parameters: dict[str, object]) -> str:
    """Return a sub-select of the last version each feature had within ``during``."""
    began, ended = "true", "true"
    if during.end is not None:
        began, parameters["end"] = "valid_from <= %(end)s", during.end
    if during.start is not None:
        ended, parameters["start"] = "valid_to > %(start)s", during.start
    listed = f"fid, id, valid_from, geom{_list(columns)}"
    return (
        f"(select distinct on (fid) *, ST_Transform(geom, 3857) as geom_3857 from ("
        f"select {listed} from {CITY}.{quote(layer.id)} where {began} union all "
        f"select {listed} from {HISTORY}.{quote(layer.id)} where {began} and {ended}"
        f") versions order by fid, valid_from desc) as past"
    )
