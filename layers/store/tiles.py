"""Vector tiles (ST_AsMVT): of layer tables from zoom 14, of overviews below, of filtered and past rows anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from layers.errors import InputError
from layers.schema import DETAIL_ZOOM, VectorLayer
from layers.store.mercator import HALF_WORLD
from layers.store.origins import PRESENT, Past, narrow_to_box
from layers.store.overviews import find_area_name, name_columns, refresh_overview
from layers.store.query.selection import Filter, ItemQuery, build_selection, explain_failure
from layers.store.tile_marks import read_marks
from layers.store.tile_queries import (
    BUFFER,
    EXTENT,
    bind_tile,
    build_chosen_query,
    build_inline_query,
    build_live_query,
    build_tile_query,
    find_margin,
    write_reach,
)

__all__ = (
    "DETAIL_ZOOM", "HALF_WORLD", "MadeTile", "TileAddress", "TileQuery", "build_tile_query", "find_area_name",
    "make_tile", "name_columns", "read_version_tokens",
)  # fmt: skip

MAX_ZOOM = 22
FEATURE_BUDGET = 50_000
BYTE_BUDGET = 4_000_000
TRUNCATED = "twin:truncated"


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


@dataclass(frozen=True, slots=True)
class TileQuery:
    """What is asked of a tile's layers: ``columns`` (None: those declared for tiles), rows that pass all ``filters``
    and equal ``equals``, as they were at ``past``; ``live`` adds the state of what is watched.
    """

    columns: tuple[str, ...] | None = None
    equals: tuple[tuple[str, object], ...] = ()
    filters: tuple[Filter, ...] = ()
    past: Past = PRESENT
    live: bool = False

    @property
    def chooses(self) -> bool:
        """Whether not every present row is asked for."""
        return bool(self.equals or self.filters or self.past != PRESENT)


WHOLE = TileQuery()
_Statement = tuple[str, Mapping[str, object]]
_Part = tuple[bytes, int, bool]


async def make_tile(
    connection: AsyncConnection[TupleRow],
    layers: Sequence[VectorLayer],
    tile: TileAddress,
    query: TileQuery = WHOLE,
    *,
    equals: Mapping[str, object] | None = None,
) -> MadeTile:
    """Return ``tile`` of ``layers`` within the feature budget of each layer and the byte budget of all.

    Layers are parts of one message, so their bytes one after the other are the tile. A layer over a budget is named in
    the tile layer ``twin:truncated``: a point in the middle of the tile with ``layer``, and ``kept``, how many features
    were looked at. Overviews older than their layer are drawn anew first, or, in a transaction, not asked.
    """
    if equals:
        query = TileQuery(query.columns, (*query.equals, *equals.items()), query.filters, query.past, query.live)
    drawn = [layer for layer in layers if tile.z >= layer.min_zoom]
    if not drawn:
        return MadeTile(b"", False)
    statements = [_build(layer, tile, query) for layer in drawn]
    budget, cut = FEATURE_BUDGET, dict[str, int]()
    parts = await _run(connection, statements, tile, budget, prepare=not query.chooses)
    marked = [place for place, part in enumerate(parts) if part[2]]
    if marked:
        for place in marked:
            if connection.info.transaction_status == TransactionStatus.IDLE:
                await refresh_overview(connection, drawn[place], _widen(tile))
            else:
                statements[place] = (build_inline_query(drawn[place], tile.z), {})
        parts = await _run(connection, statements, tile, budget, prepare=True)
    while True:
        cut |= {layer.id: budget for layer, part in zip(drawn, parts, strict=True) if part[1] > budget}
        size, most = sum(len(part[0]) for part in parts), max(part[1] for part in parts)
        if size <= BYTE_BUDGET or budget == 0:
            break
        budget = int(min(budget, most) * 0.9 * BYTE_BUDGET / size)
        parts = await _run(connection, statements, tile, budget, prepare=False)
    data = b"".join(part[0] for part in parts)
    return MadeTile(data + await _tell_cut(connection, cut) if cut else data, bool(cut))


def _build(layer: VectorLayer, tile: TileAddress, query: TileQuery) -> _Statement:
    if query.live:
        if query.chooses or query.columns is not None:
            raise InputError("live tiles take no filter, no properties and no time", hint="leave out live=true")
        return build_live_query(layer), {}
    if not query.chooses:
        return build_tile_query(layer, tile.z, query.columns), {}
    columns = name_columns(layer) if query.columns is None else query.columns
    selection = build_selection(layer, ItemQuery(equals=query.equals, filters=query.filters, past=query.past))
    if query.past != PRESENT:
        width = tile.width * (1.0 + 2.0 * BUFFER / EXTENT) + 2.0 * find_margin(layer, tile.z)
        selection = replace(selection, narrowed=narrow_to_box(write_reach(layer, tile.z), width))
    listed = "".join(f', t."{name}"' for name in columns)
    rows = f"select t.fid, t.id{listed}, t.geom_3857 from {selection.write_origin(columns)} where {selection.condition}"
    return build_chosen_query(layer, tile.z, columns, rows), selection.values


async def _run(
    connection: AsyncConnection[TupleRow],
    statements: Sequence[_Statement],
    tile: TileAddress,
    budget: int,
    *,
    prepare: bool,
) -> list[_Part]:
    """Return the parts of a tile; one row more than the budget tells whether something was left out."""
    bound = bind_tile(tile.bounds, budget + 1)
    if prepare or len(statements) == 1:
        # One round trip: half the time of a statement a layer.
        together = " union all ".join(f"({statement})" for statement, _ in statements)
        values = {**bound, **(statements[0][1] if len(statements) == 1 else {})}
        with explain_failure():
            cursor = await connection.execute(together, values, prepare=prepare, binary=True)
            return await cursor.fetchall()
    parts: list[_Part] = []
    for statement, chosen in statements:
        with explain_failure():
            cursor = await connection.execute(statement, {**chosen, **bound}, prepare=False, binary=True)
            parts += await cursor.fetchall()
    return parts


def _widen(tile: TileAddress) -> tuple[float, float, float, float]:
    """Return the bounds of a tile with its buffer."""
    margin, (x0, y0, x1, y1) = tile.width * BUFFER / EXTENT, tile.bounds
    return x0 - margin, y0 - margin, x1 + margin, y1 + margin


async def _tell_cut(connection: AsyncConnection[TupleRow], cut: Mapping[str, int]) -> bytes:
    cursor = await connection.execute(
        f"select ST_AsMVT(told, '{TRUNCATED}', {EXTENT}, 'shape') from (select layer, kept, "
        f"ST_MakePoint({EXTENT // 2}, {EXTENT // 2}) as shape "
        "from unnest(%s::text[], %s::bigint[]) as c (layer, kept)) told",
        (list(cut), list(cut.values())),
        binary=True,
    )
    row = await cursor.fetchone()
    assert row is not None
    return bytes(row[0])


async def read_version_tokens(connection: AsyncConnection[TupleRow]) -> dict[str, str]:
    """Return the version token of every layer that ever changed."""
    return (await read_marks(connection, {}))[0]
