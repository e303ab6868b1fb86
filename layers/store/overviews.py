"""Overviews: what tiles below zoom 14 are drawn from, one table a layer in schema ``overview``.

A row holds for one zoom. It belongs to a cell, a tile of zoom 14: an area to the one that holds the middle of its
bounds, points and lines are put together cell by cell, and so an edit has only its own cells drawn anew. Points become
clusters on a grid (``point_count``, and the commonest value of the property that colours them), lines of equal
properties are merged, areas too small to see are left out (see ``layers.schema.Overview``).

Writers leave marks (migration 0013). A reader who meets a mark where it reads has the marked cells drawn anew first:
what it then reads holds every commit from before it asked.
"""

import hashlib

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from sqlalchemy import Connection, text

from layers.registry import VECTOR_LAYERS
from layers.schema import VectorLayer
from layers.store.assuming import as_whole
from layers.store.generalise import CELL, CELLS_ACROSS, COLUMNS, write_cell_rows, write_generalised
from layers.store.mercator import HALF_WORLD, Bounds
from layers.store.names import quote

OVERVIEW = "overview"
CELLS_AT_ONCE = 64


def name_columns(layer: VectorLayer) -> tuple[str, ...]:
    """Return the properties a tile of ``layer`` carries: all who see the layer see them."""
    return layer.tile_properties


def sync_overviews(connection: Connection) -> None:
    """Bring the overview tables to what is declared; one whose declaration changed is emptied and marked as a whole."""
    known: dict[str, str | None] = dict(
        connection.execute(
            text(
                "select relname, obj_description(oid, 'pg_class') from pg_class "
                "where relnamespace = 'overview'::regnamespace and relkind = 'r'"
            )
        ).all()
    )
    for layer in VECTOR_LAYERS.values():
        if layer.overview_zooms and known.get(layer.id) != _describe(layer):
            connection.exec_driver_sql(_write_table(layer))
    for gone in set(known) - {layer.id for layer in VECTOR_LAYERS.values() if layer.overview_zooms}:
        connection.execute(text(f"drop table {OVERVIEW}.{quote(gone)}"))


def _describe(layer: VectorLayer) -> str:
    """Return a mark of all that the rows of an overview depend on."""
    told = (layer.geometry, layer.min_zoom, layer.style.by, name_columns(layer), layer.overview)
    return hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()


def _write_table(layer: VectorLayer) -> str:
    name = f"{OVERVIEW}.{quote(layer.id)}"
    kinds = {"integer": "bigint", "number": "double precision", "datetime": "timestamptz", "string": "text"}
    columns = "".join(
        f", {quote(prop.name)} {kinds.get(prop.type, prop.type)}"
        for prop in layer.properties
        if prop.name in name_columns(layer)
    )
    spot = ", spot geometry(Point, 3857)" if layer.geometry == "MultiPolygon" else ""
    return ";\n".join(
        (
            f"drop table if exists {name}",
            f"create table {name} (zoom smallint not null, cell integer not null, fid bigint, id text, "
            f"point_count bigint{columns}, shape geometry(Geometry, 3857){spot})",
            f"create index on {name} using gist (zoom, shape)",
            f"create index on {name} (cell)",
            f"comment on table {name} is '{_describe(layer)}'",
            _write_mark(layer),
        )
    )


def mark_overviews(connection: Connection) -> None:
    """Mark every overview as a whole, so that all of them are drawn anew."""
    for layer in VECTOR_LAYERS.values():
        if layer.overview_zooms:
            connection.exec_driver_sql(f"truncate {OVERVIEW}.{quote(layer.id)}")
            connection.exec_driver_sql(_write_mark(layer))


def _write_mark(layer: VectorLayer) -> str:
    half = repr(HALF_WORLD)
    return (
        "insert into meta.overview_mark (layer, x0, y0, x1, y1, extent) "
        f"select '{layer.id}', meta.find_cell(ST_XMin(b) + {half}), meta.find_cell({half} - ST_YMax(b)), "
        f"meta.find_cell(ST_XMax(b) + {half}), meta.find_cell({half} - ST_YMin(b)), "
        "box(point(ST_XMin(b), ST_YMin(b)), point(ST_XMax(b), ST_YMax(b))) "
        f"from (select ST_Extent(geom_3857)::geometry as b from city.{quote(layer.id)}) whole where b is not null"
    )


async def refresh_overview(
    connection: AsyncConnection[TupleRow], layer: VectorLayer, bounds: Bounds | None = None
) -> int:
    """Draw anew what is marked within ``bounds`` (EPSG:3857 [m], None: everywhere) and return how many cells that were.

    The connection must be in no transaction: some cells at a time are drawn and committed. One process at a time draws
    a layer; others wait and find it done.
    """
    async with as_whole(connection):
        return await _draw_marked(connection, layer, bounds)


async def _draw_marked(connection: AsyncConnection[TupleRow], layer: VectorLayer, bounds: Bounds | None) -> int:
    done = 0
    while True:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"overview {layer.id}",))
            cells = await _take_marks(connection, layer, bounds)
            if not cells:
                return done
            await _redraw(connection, layer, cells)
        done += len(cells)


async def refresh_overviews(url: str) -> dict[str, int]:
    """Draw anew all that is marked in the database at ``url`` and return how many cells that were, layer by layer."""
    done: dict[str, int] = {}
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        for layer in VECTOR_LAYERS.values():
            if layer.overview_zooms and (cells := await refresh_overview(connection, layer)):
                done[layer.id] = cells
    return done


async def _take_marks(connection: AsyncConnection[TupleRow], layer: VectorLayer, bounds: Bounds | None) -> list[int]:
    """Take the marks of some cells away and return the cells."""
    reach = "true" if bounds is None else "extent && box(point(%(x0)s, %(y0)s), point(%(x1)s, %(y1)s))"
    values: dict[str, object] = {"layer": layer.id, "most": CELLS_AT_ONCE}
    values |= dict(zip(("x0", "y0", "x1", "y1"), bounds or (0.0, 0.0, 0.0, 0.0), strict=True))
    # What one mark says of many cells is said of each: where an area with its middle in a cell ends nobody knows.
    cell = "extent"
    if layer.geometry != "MultiPolygon":
        west, north = f"x * {CELL!r} - {HALF_WORLD!r}", f"{HALF_WORLD!r} - y * {CELL!r}"
        cell = f"box(point({west}, {north} - {CELL!r}), point({west} + {CELL!r}, {north}))"
    await connection.execute(
        f"with wide as (delete from meta.overview_mark where layer = %(layer)s and {reach} "
        "and (x0, y0) <> (x1, y1) returning *) "
        "insert into meta.overview_mark (layer, x0, y0, x1, y1, extent) "
        f"select layer, x, y, x, y, {cell} from wide, generate_series(x0, x1) x, generate_series(y0, y1) y",
        values,
    )
    cursor = await connection.execute(
        "with cells as (select distinct x0, y0 from meta.overview_mark "
        f"where layer = %(layer)s and {reach} limit %(most)s) "
        "delete from meta.overview_mark m using cells c "
        "where m.layer = %(layer)s and (m.x0, m.y0, m.x1, m.y1) = (c.x0, c.y0, c.x0, c.y0) returning m.x0, m.y0",
        values,
    )
    return list({x * CELLS_ACROSS + y for x, y in await cursor.fetchall()})


async def _redraw(connection: AsyncConnection[TupleRow], layer: VectorLayer, cells: list[int]) -> None:
    table, columns = f"{OVERVIEW}.{quote(layer.id)}", name_columns(layer)
    areas = layer.geometry == "MultiPolygon"
    listed = ", ".join((*COLUMNS, *map(quote, columns), "shape", *(("spot",) if areas else ())))
    drawn = write_generalised(
        layer, columns, layer.overview_zooms, write_cell_rows(layer, columns), label=find_area_name(layer)
    )
    await connection.execute(f"delete from {table} where cell = any(%(cells)s)", {"cells": cells})
    await connection.execute(f"insert into {table} ({listed}) select {listed} from ({drawn}) drawn", {"cells": cells})


def find_area_name(layer: VectorLayer) -> str | None:
    """Return the property an area layer is named by on the map; None for other layers."""
    label = layer.style.label
    return label if layer.geometry == "MultiPolygon" and label in name_columns(layer) else None
