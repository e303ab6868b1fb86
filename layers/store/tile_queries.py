"""The statements that make a tile of a layer: from its table, from its overview, or from rows a filter or a past chose.

Each answers one row: the tile layer as bytes, how many features were found, and whether its overview is marked as older
than the layer. The envelope is a parameter, so that no row is transformed and every zoom has one prepared statement.
"""

from collections.abc import Sequence
from functools import lru_cache

from layers.registry import VECTOR_LAYERS
from layers.schema import DETAIL_ZOOM, VectorLayer
from layers.store.generalise import CELL, write_generalised, write_placed_rows
from layers.store.mercator import Bounds
from layers.store.names import quote
from layers.store.overviews import OVERVIEW, find_area_name, name_columns
from layers.store.sensing.live import build_live_columns, build_live_join

EXTENT, BUFFER = 4096, 64
ENVELOPE = "ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, 3857)"
REACH = f"ST_Expand({ENVELOPE}, (%(x1)s - %(x0)s) * {BUFFER / EXTENT})"
_MARKED = (
    "exists (select 1 from meta.overview_mark where layer = '{layer}' and extent && box("
    "point(%(x0)s - (%(x1)s - %(x0)s) / 64, %(y0)s - (%(y1)s - %(y0)s) / 64), "
    "point(%(x1)s + (%(x1)s - %(x0)s) / 64, %(y1)s + (%(y1)s - %(y0)s) / 64)))"
)


def bind_tile(bounds: Bounds, budget: int) -> dict[str, float]:
    """Return the parameters of the statements for a tile with ``bounds`` (EPSG:3857 [m]) and ``budget`` features."""
    return {**dict(zip(("x0", "y0", "x1", "y1"), bounds, strict=True)), "budget": budget}


def build_tile_query(layer: VectorLayer, zoom: int, columns: tuple[str, ...] | None = None) -> str:
    """Return the statement for a tile of all features with ``columns`` (None: those the layer declares).

    Below zoom 14 it reads the overview if that has the columns.
    """
    return _build_whole(layer.id, zoom, columns)


@lru_cache(maxsize=2048)
def _build_whole(layer_id: str, zoom: int, columns: tuple[str, ...] | None) -> str:
    layer = VECTOR_LAYERS[layer_id]
    carried = name_columns(layer) if columns is None else columns
    if zoom >= DETAIL_ZOOM:
        return _write_detailed(layer, f"city.{quote(layer.id)}", carried)
    if not set(carried) <= set(name_columns(layer)):
        return build_inline_query(layer, zoom, carried)
    source = f"select * from {OVERVIEW}.{quote(layer.id)} where zoom = {zoom}::smallint"
    return _write_drawn(layer, source, carried, _MARKED.format(layer=layer.id))


def build_inline_query(layer: VectorLayer, zoom: int, columns: Sequence[str] | None = None) -> str:
    """Return the statement for a tile of all features that asks no overview."""
    carried = name_columns(layer) if columns is None else columns
    rows = f"select fid, id{_list(carried)}, geom_3857 from city.{quote(layer.id)}"
    return build_chosen_query(layer, zoom, carried, rows)


def build_chosen_query(layer: VectorLayer, zoom: int, columns: Sequence[str], rows: str) -> str:
    """Return the statement for a tile of ``rows``: a select of fid, id, ``columns`` and geom_3857."""
    if zoom >= DETAIL_ZOOM:
        return _write_detailed(layer, f"({rows})", columns)
    reach = write_reach(layer, zoom)
    placed = write_placed_rows(layer, columns, f"select * from ({rows}) chosen where geom_3857 && {reach}")
    drawn = write_generalised(layer, columns, (zoom,), placed, label=_find_name(layer, columns))
    return _write_drawn(layer, drawn, columns, "false")


def find_margin(layer: VectorLayer, zoom: int) -> float:
    """Return how far beyond the buffer of a tile features of a layer count for it [m]."""
    # Lines are put together cell by cell: all that lie in a cell count, though the tile shows a part of it.
    return CELL if layer.geometry == "LineString" and zoom < DETAIL_ZOOM else 0.0


def write_reach(layer: VectorLayer, zoom: int) -> str:
    """Return the box whose features count for a tile."""
    margin = find_margin(layer, zoom)
    return f"ST_Expand({REACH}, {margin!r})" if margin else REACH


def build_live_query(layer: VectorLayer) -> str:
    """Return the statement for a tile whose features carry their live state, at any zoom feature by feature."""
    made = _write_features(layer, f"city.{quote(layer.id)}", name_columns(layer))
    made = f"select item.*, {build_live_columns()} from ({made}) item {build_live_join(layer.id)}"
    return _write_parts([_write_part(layer.id, made)], "false")


def _write_detailed(layer: VectorLayer, source: str, columns: Sequence[str]) -> str:
    parts = [_write_part(layer.id, _write_features(layer, source, columns))]
    label = _find_name(layer, columns)
    if label is not None:
        parts.append(
            _write_part(
                f"{layer.id}-label",
                f"select fid, id, {quote(label)}, {_write_shape('ST_PointOnSurface(geom_3857)', 0)} from {source} rows "
                f"where geom_3857 && {ENVELOPE} and {quote(label)} is not null limit %(budget)s",
            )
        )
    return _write_parts(parts, "false")


def _write_features(layer: VectorLayer, source: str, columns: Sequence[str]) -> str:
    return (
        f"select fid, id{_list(columns)}, {_write_shape('geom_3857', BUFFER)} from {source} rows "
        f"where geom_3857 && {REACH} limit %(budget)s"
    )


def _write_drawn(layer: VectorLayer, source: str, columns: Sequence[str], marked: str) -> str:
    """Return the statement for a tile of generalised rows. A cluster stands in one tile, so points have no buffer."""
    points = layer.geometry == "Point"
    listed = f"fid, id{', point_count' if points else ''}{_list(columns)}"
    reach = ENVELOPE if points else REACH
    parts = [
        _write_part(
            layer.id,
            f"select {listed}, {_write_shape('shape', 0 if points else BUFFER)} "
            f"from ({source}) drawn where shape && {reach} limit %(budget)s",
        )
    ]
    name = _find_name(layer, columns)
    if name is not None:
        parts.append(
            _write_part(
                f"{layer.id}-label",
                f"select fid, id, {quote(name)}, {_write_shape('spot', 0)} from ({source}) drawn "
                f"where shape && {ENVELOPE} and spot && {ENVELOPE} limit %(budget)s",
            )
        )
    return _write_parts(parts, marked)


def _write_part(name: str, features: str) -> str:
    return (
        f"select ST_AsMVT(part, '{name}', {EXTENT}, 'mvt_shape', 'fid') filter (where part.mvt_shape is not null) "
        f"as tile, count(*) as found from ({features}) part"
    )


def _write_parts(parts: Sequence[str], marked: str) -> str:
    tiles = " || ".join(f"coalesce(p{place}.tile, '')" for place in range(len(parts)))
    found = ", ".join(f"p{place}.found" for place in range(len(parts)))
    sources = ", ".join(f"({part}) p{place}" for place, part in enumerate(parts))
    return f"select {tiles}, greatest({found}), {marked} from {sources}"


def _find_name(layer: VectorLayer, columns: Sequence[str]) -> str | None:
    """Return the property areas are named by, if it is among ``columns``."""
    name = find_area_name(layer)
    return name if name in columns else None


def _write_shape(shape: str, buffer: int) -> str:
    return f"ST_AsMVTGeom({shape}, {ENVELOPE}, {EXTENT}, {buffer}, true) as mvt_shape"


def _list(columns: Sequence[str]) -> str:
    return "".join(f", {quote(name)}" for name in columns)
