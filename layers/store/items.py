"""Features as items: keyset pages in any order, one by id, now or at a time past, in CRS84 or another CRS."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import geopandas as gpd
import pandas as pd
import shapely
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from sqlalchemy import Connection, text

from layers.errors import TooLargeError
from layers.schema import VectorLayer
from layers.store.mercator import Bounds, to_degrees
from layers.store.names import quote
from layers.store.origins import PRESENT, Past
from layers.store.query.ordering import Position, SortKey, read_keys, write_after, write_order
from layers.store.query.selection import ItemQuery, build_selection, explain_failure
from layers.store.tables import CITY


class OutputCrs(NamedTuple):
    """The CRS of answered geometry: EPSG code, whether northing (latitude) comes first, and decimals written."""

    srid: int = 4326
    flip: bool = False
    decimals: int = 7


DEGREES = OutputCrs()


class Item(NamedTuple):
    """One feature: key of the paging, item id, since when the database says so, geometry as GeoJSON text, values of
    the asked properties, and of the sort keys."""

    fid: int
    id: str
    recorded_from: datetime
    geometry: str
    values: tuple[object, ...]
    sort: tuple[object, ...] = ()

    @property
    def position(self) -> Position:
        """Where a page that ends with this item is continued."""
        return Position(self.sort, self.fid)


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
    limit: int,
    order: Sequence[SortKey] = (),
    after: Position | None = None,
    crs: OutputCrs = DEGREES,
) -> list[Item]:
    """Return at most ``limit`` items in ``order`` (then by key), those that follow ``after``."""
    selection = build_selection(layer, query)
    keys = read_keys(order, selection.scope)
    following = write_after(order, keys, after, selection.scope) if after is not None else "true"
    ordered = write_order(order, keys, selection.scope)
    listed = "".join(f", {term.sql}" for term in keys)
    statement = (
        f"select {_write_columns(columns, crs)}{listed} from {selection.write_origin(columns)} "
        f"where {following} and {selection.condition} order by {ordered} limit {selection.scope.bindings.bind(limit)}"
    )
    # Planned anew each time: a plan for any box at all would walk the key where the box's index is right.
    with explain_failure():
        cursor = await connection.execute(statement, selection.values, prepare=False)
    return [_read_item(row, len(columns)) for row in await cursor.fetchall()]


async def count_items(connection: AsyncConnection[TupleRow], layer: VectorLayer, query: ItemQuery) -> int:
    """Return how many items match ``query``."""
    selection = build_selection(layer, query)
    statement = f"select count(*) from {selection.write_origin()} where {selection.condition}"
    with explain_failure():
        cursor = await connection.execute(statement, selection.values, prepare=False)
    return int((await cursor.fetchone() or (0,))[0])


async def select_item(
    connection: AsyncConnection[TupleRow],
    layer: VectorLayer,
    columns: Sequence[str],
    item_id: str,
    *,
    past: Past = PRESENT,
    crs: OutputCrs = DEGREES,
) -> Item | None:
    """Return the item called ``item_id``, or None."""
    selection = build_selection(layer, ItemQuery(past=past))
    statement = (
        f"select {_write_columns(columns, crs)} from {selection.write_origin(columns)} "
        f"where t.id = {selection.scope.bindings.bind(item_id)} order by t.fid desc limit 1"
    )
    cursor = await connection.execute(statement, selection.values)
    row = await cursor.fetchone()
    return _read_item(row, len(columns)) if row else None


def select_frame(
    connection: Connection,
    layer: VectorLayer,
    columns: Sequence[str],
    query: ItemQuery,
    *,
    order: Sequence[SortKey] = (),
    limit: int | None = None,
) -> gpd.GeoDataFrame:
    """Return all items that match as a frame with ``id``, ``columns`` and geometry in the city's CRS.

    TooLargeError when there are more than ``limit``.
    """
    selection = build_selection(layer, query)
    keys = read_keys(order, selection.scope)
    ordered = write_order(order, keys, selection.scope)
    listed = "".join(f", t.{quote(name)}" for name in columns)
    most = f" limit {int(limit) + 1}" if limit is not None else ""
    statement = (
        f"select t.id{listed}, ST_AsBinary(t.geom) from {selection.write_origin(columns)} "
        f"where {selection.condition} order by {ordered}{most}"
    )
    with explain_failure():
        rows = connection.exec_driver_sql(statement, selection.values).all()
    if limit is not None and len(rows) > limit:
        raise TooLargeError(f"more than {limit:,} items of '{layer.id}' match", hint="filter more, or: twin export")
    srid = connection.execute(text("select srid from meta.city")).scalar_one()
    frame = pd.DataFrame([row[:-1] for row in rows], columns=["id", *columns])
    return gpd.GeoDataFrame(frame, geometry=shapely.from_wkb([bytes(row[-1]) for row in rows]), crs=f"EPSG:{srid}")


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


def _read_item(row: TupleRow, count: int) -> Item:
    fid, item_id, recorded_from, geometry = row[:4]
    return Item(fid, item_id, recorded_from, geometry, row[4 : 4 + count], row[4 + count :])


def _write_columns(columns: Sequence[str], crs: OutputCrs) -> str:
    """Return the list of what an item is read from."""
    placed = f"ST_Transform(t.geom, {int(crs.srid)})"
    if crs.flip:
        placed = f"ST_FlipCoordinates({placed})"
    listed = "".join(f", t.{quote(name)}" for name in columns)
    return f"t.fid, t.id, t.recorded_from, ST_AsGeoJSON({placed}, {int(crs.decimals)}, 0){listed}"
