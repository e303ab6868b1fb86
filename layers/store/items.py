"""Features as items: keyset pages in any order, one by id, now or at a time past, in CRS84 or another CRS."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import geopandas as gpd
import pandas as pd
import shapely
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from sqlalchemy import Connection, text

from layers.datum import list_shifted
from layers.errors import TooLargeError
from layers.schema import VectorLayer
from layers.store.mercator import Bounds, to_degrees
from layers.store.names import quote
from layers.store.origins import PRESENT, Past, narrow_to_item
from layers.store.projecting import write_to
from layers.store.query.ordering import Position, SortKey, read_keys, write_after, write_order
from layers.store.query.selection import ItemQuery, build_selection, explain_failure
from layers.store.tables import CITY


class OutputCrs(NamedTuple):
    """The CRS of answered geometry: EPSG code, whether northing (latitude) comes first, and decimals written."""

    srid: int = 4326
    flip: bool = False
    decimals: int = 7


DEGREES = OutputCrs()


class View(NamedTuple):
    """What is read of each item: its properties ``columns``, and its geometry once in each of ``places``."""

    columns: Sequence[str]
    places: tuple[OutputCrs, ...] = (DEGREES,)


class Item(NamedTuple):
    """One feature: key of the paging, item id, since when it is so in the city and since when the database says so,
    geometry as GeoJSON text in each CRS asked for, values of the asked properties, and of the sort keys."""

    fid: int
    id: str
    valid_from: datetime
    recorded_from: datetime
    geometries: tuple[str, ...]
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
    view: View,
    query: ItemQuery,
    *,
    limit: int,
    order: Sequence[SortKey] = (),
    after: Position | None = None,
) -> tuple[list[Item], int | None]:
    """Return at most ``limit`` items in ``order`` (then by key), those that follow ``after``, and the version of the
    layer they are of; None where there is no item to say it."""
    selection = build_selection(layer, query)
    keys = read_keys(order, selection.scope)
    following = write_after(order, keys, after, selection.scope) if after is not None else "true"
    ordered = write_order(order, keys, selection.scope)
    listed = "".join(f", {term.sql}" for term in keys)
    version = f"(select version from meta.layer_version where layer = {selection.scope.bindings.bind(layer.id)}::text)"
    statement = (
        f"select {version}, {_write_view(view)}{listed} from {selection.write_origin(view.columns)} "
        f"where {following} and {selection.condition} order by {ordered} limit {selection.scope.bindings.bind(limit)}"
    )
    # Planned anew each time: a plan for any box at all would walk the key where the box's index is right.
    with explain_failure():
        cursor = await connection.cursor(binary=True).execute(statement, selection.values, prepare=False)
    rows = await cursor.fetchall()
    return [_read_item(row[1:], view) for row in rows], (rows[0][0] or 0) if rows else None


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
    view: View,
    item_id: str,
    *,
    past: Past = PRESENT,
) -> Item | None:
    """Return the item called ``item_id``, or None."""
    selection = build_selection(layer, ItemQuery(past=past))
    wanted = selection.scope.bindings.bind(item_id)
    selection = replace(selection, narrowed=narrow_to_item(wanted))
    statement = (
        f"select {_write_view(view)} from {selection.write_origin(view.columns)} "
        f"where t.id = {wanted} order by t.fid desc limit 1"
    )
    with explain_failure():
        cursor = await connection.execute(statement, selection.values)
    row = await cursor.fetchone()
    return _read_item(row, view) if row else None


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


def write_place(crs: OutputCrs) -> str:
    """Return an item's geometry in ``crs``, x (or longitude) first."""
    # The stored Web Mercator gives degrees at half the cost, and a datum without a shift to ours goes by way of it.
    stored = "t.geom" if crs.srid in list_shifted() else "t.geom_3857"
    return stored if crs.srid == 3857 else write_to(stored, crs.srid)


def _read_item(row: TupleRow, view: View) -> Item:
    fid, item_id, valid_from, recorded_from = row[:4]
    values = 4 + len(view.places)
    sort = values + len(view.columns)
    return Item(fid, item_id, valid_from, recorded_from, row[4:values], row[values:sort], row[sort:])


def _write_view(view: View) -> str:
    """Return the list of what an item is read from."""
    parts = ["t.fid", "t.id", "t.valid_from", "t.recorded_from"]
    for crs in view.places:
        placed = f"ST_FlipCoordinates({write_place(crs)})" if crs.flip else write_place(crs)
        parts.append(f"ST_AsGeoJSON({placed}, {int(crs.decimals)}, 0)")
    return ", ".join((*parts, *(f"t.{quote(name)}" for name in view.columns)))
