"""Overviews: what tiles below zoom 14 are drawn from, one table a layer in schema ``overview``.

A row holds for one zoom. It belongs to a cell, a tile of zoom 14: an area to the one that holds the middle of its
bounds, points and lines are put together cell by cell, and so an edit has only its own cells drawn anew. Points become
clusters on a grid (``point_count``, and the commonest value of the property that colours them), lines of equal
properties are merged, areas too small to see are left out (see ``layers.schema.Overview``).

Writers leave marks (migration 0013). A reader who meets a mark where it reads has the marked cells drawn anew first:
what it then reads holds every commit from before it asked.
"""

import hashlib
import math

from sqlalchemy import Connection, text

from layers.registry import VECTOR_LAYERS
from layers.schema import DETAIL_ZOOM, VectorLayer
from layers.store.names import quote

OVERVIEW = "overview"
WORLD = 2.0 * math.pi * 6378137.0
CELL = WORLD / (1 << DETAIL_ZOOM)
CELLS_AT_ONCE = 64
_SCREEN = 512
_HALF = WORLD / 2.0


def list_overview_columns(layer: VectorLayer) -> tuple[str, ...]:
    """Return the properties an overview holds: those of tiles that everybody may see."""
    public = {prop.name for prop in layer.properties if prop.access == "public"}
    return tuple(name for name in layer.tile_properties if name in public)


def sync_overviews(connection: Connection) -> None:
    """Bring the overview tables to what is declared; one whose declaration changed is emptied and marked as a whole."""
    known = dict(
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
    told = (layer.geometry, layer.min_zoom, layer.style.by, list_overview_columns(layer), layer.overview)
    return hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()


def _write_table(layer: VectorLayer) -> str:
    name = f"{OVERVIEW}.{quote(layer.id)}"
    kinds = {"integer": "bigint", "number": "double precision", "datetime": "timestamptz", "string": "text"}
    columns = "".join(
        f", {quote(prop.name)} {kinds.get(prop.type, prop.type)}"
        for prop in layer.properties
        if prop.name in list_overview_columns(layer)
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
            "insert into meta.overview_mark (layer, x0, y0, x1, y1, extent) "
            f"select '{layer.id}', meta.find_cell(ST_XMin(b) + {_HALF!r}), meta.find_cell({_HALF!r} - ST_YMax(b)), "
            f"meta.find_cell(ST_XMax(b) + {_HALF!r}), meta.find_cell({_HALF!r} - ST_YMin(b)), "
            "box(point(ST_XMin(b), ST_YMin(b)), point(ST_XMax(b), ST_YMax(b))) "
            f"from (select ST_Extent(geom_3857)::geometry as b from city.{quote(layer.id)}) whole where b is not null",
        )
    )
