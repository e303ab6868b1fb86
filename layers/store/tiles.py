"""Vector tiles out of layer tables (ST_AsMVT).

One statement a set of layers and zoom band: the envelope is computed here, so that no row is transformed; below zoom 14
shapes are simplified by half a pixel and those smaller than a pixel are left out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from layers.errors import InputError
from layers.schema import GeometryType, VectorLayer
from layers.store.names import quote
from layers.store.sensing.live import build_live_columns, build_live_join
from layers.store.tables import CITY
from layers.store.tile_marks import read_marks

MAX_ZOOM = 22
DETAIL_ZOOM = 14
FEATURE_BUDGET = 50_000
BYTE_BUDGET = 4_000_000
HALF_WORLD = math.pi * 6378137.0
_EXTENT, _BUFFER = 4096, 64
_SCREEN = 512


@dataclass(frozen=True, slots=True)
class TileAddress:
    """One tile of WebMercatorQuad. InputError names a zoom, column or row that does not exist."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not 0 <= self.z <= MAX_ZOOM:
            raise InputError(f"tile zoom {self.z} does not exist, expected 0 to {MAX_ZOOM}")
        for name, value in (("column x", self.x), ("row y", self.y)):
            if not 0 <= value < 1 << self.z:
                raise InputError(f"tile {name} {value} does not exist at zoom {self.z}, expected 0 to {2**self.z - 1}")

    @property
    def width(self) -> float:
        """Width and height in EPSG:3857 [m]."""
        return 2.0 * HALF_WORLD / float(1 << self.z)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(x_min, y_min, x_max, y_max) in EPSG:3857 [m]."""
        left, top = self.x * self.width - HALF_WORLD, HALF_WORLD - self.y * self.width
        return left, top - self.width, left + self.width, top


@dataclass(frozen=True, slots=True)
class MadeTile:
    """A tile as bytes; ``truncated`` when the budget left features out."""

    data: bytes
    truncated: bool


@lru_cache(maxsize=1024)
def build_tile_query(
    layer_id: str,
    geometry: GeometryType,
    columns: tuple[str, ...],
    filters: tuple[str, ...],
    detailed: bool,
    live: bool = False,
) -> str:
    """Return the statement that makes a tile of a layer with ``id`` and ``columns``, equal on ``filters``.

    Where ``live``, items that are watched carry their state too.
    """
    listed = "".join(f", {quote(name)}" for name in columns)
    conditions = "".join(f" and {quote(name)} = %(f{place})s" for place, name in enumerate(filters))
    shape = "geom_3857"
    if not detailed and geometry != "Point":
        shape = "ST_Simplify(geom_3857, %(pixel)s / 2, true)"
        measure = "ST_Length(geom_3857) > %(pixel)s"
        if geometry == "MultiPolygon":
            measure = "ST_Area(geom_3857) > %(pixel)s * %(pixel)s"
        conditions += f" and {measure}"
    margin = f"%(width)s * {_BUFFER / _EXTENT}"
    made = (
        f"select fid, id{listed}, ST_AsMVTGeom({shape}, "
        f"ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, 3857), {_EXTENT}, {_BUFFER}, true) as shape "
        f"from {CITY}.{quote(layer_id)} where geom_3857 && ST_Expand("
        f"ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, 3857), {margin}){conditions} limit %(budget)s"
    )
    if live:
        made = f"select item.*, {build_live_columns()} from ({made}) item {build_live_join(layer_id)}"
    return (
        f"select ST_AsMVT(part, '{layer_id}', {_EXTENT}, 'shape', 'fid') filter (where part.shape is not null), "
        f"count(*) from ({made}) part"
    )


@lru_cache(maxsize=1024)
def build_name_query(layer_id: str, label: str, filters: tuple[str, ...]) -> str:
    """Return the statement that makes the places of an area layer's names, as layer ``<layer_id>-label``.

    An area lies in many tiles, and its name would stand in each of them; a point of it lies in one.
    """
    conditions = "".join(f" and {quote(name)} = %(f{place})s" for place, name in enumerate(filters))
    envelope = "ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, 3857)"
    return (
        f"select ST_AsMVT(part, '{layer_id}-label', {_EXTENT}, 'shape', 'fid') filter (where part.shape is not null), "
        f"count(*) from (select fid, id, {quote(label)}, ST_AsMVTGeom(ST_PointOnSurface(geom_3857), {envelope}, "
        f"{_EXTENT}, 0, true) as shape from {CITY}.{quote(layer_id)} "
        f"where geom_3857 && {envelope} and {quote(label)} is not null{conditions} limit %(budget)s) part"
    )


async def make_tile(
    connection: AsyncConnection[TupleRow],
    layers: Sequence[VectorLayer],
    tile: TileAddress,
    *,
    equals: Mapping[str, object],
    live: bool = False,
) -> MadeTile:
    """Return ``tile`` of ``layers`` within the feature budget of each layer and the byte budget of all.

    Where ``live``, features that are watched carry live_state, live_value and live_time [s since 1970].
    Layers are parts of one message, so their bytes one after the other are the tile.
    """
    drawn = [layer for layer in layers if tile.z >= layer.min_zoom]
    if not drawn:
        return MadeTile(b"", False)
    detailed = tile.z >= DETAIL_ZOOM
    # One statement, one round trip: half the time of a statement a layer.
    queries = [
        build_tile_query(layer.id, layer.geometry, name_columns(layer), tuple(equals), detailed, live)
        for layer in drawn
    ]
    queries += [build_name_query(layer.id, label, tuple(equals)) for layer in drawn if (label := find_area_name(layer))]
    query = " union all ".join(f"({query})" for query in queries)
    parameters: dict[str, object] = {f"f{place}": value for place, value in enumerate(equals.values())}
    parameters.update(zip(("x0", "y0", "x1", "y1"), tile.bounds, strict=True))
    parameters |= {"width": tile.width, "pixel": tile.width / _SCREEN}
    budget, truncated = FEATURE_BUDGET, False
    while True:
        # One row more than the budget tells whether something was left out.
        cursor = await connection.execute(query, {**parameters, "budget": budget + 1}, prepare=True, binary=True)
        parts = await cursor.fetchall()
        data = b"".join(part[0] for part in parts if part[0])
        most = max(part[1] for part in parts)
        truncated = truncated or most > budget
        if len(data) <= BYTE_BUDGET or budget == 0:
            return MadeTile(data, truncated)
        budget, truncated = int(min(budget, most) * 0.9 * BYTE_BUDGET / len(data)), True


async def read_version_tokens(connection: AsyncConnection[TupleRow]) -> dict[str, str]:
    """Return the version token of every layer that ever changed."""
    return (await read_marks(connection, {}))[0]


def find_area_name(layer: VectorLayer) -> str | None:
    """Return the property an area layer is named by on the map; None for other layers."""
    label = layer.style.label
    return label if layer.geometry == "MultiPolygon" and label in name_columns(layer) else None


def name_columns(layer: VectorLayer) -> tuple[str, ...]:
    """Return the properties a tile of ``layer`` carries that everybody may see."""
    public = {prop.name for prop in layer.properties if prop.access == "public"}
    return tuple(name for name in layer.tile_properties if name in public)
