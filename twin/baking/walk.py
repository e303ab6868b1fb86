"""The walk down the pyramid of tiles: only where something lies, in the order an archive keeps them."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pmtiles.tile import zxy_to_tileid
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from layers.schema import VectorLayer
from layers.store.mercator import Bounds
from layers.store.snapshots import is_occupied
from layers.store.tiles import MadeTile, TileAddress, make_tile

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")
Connections = Sequence[AsyncConnection[TupleRow]]
# Tiles under way or waiting to be written, for each connection.
_AHEAD = 8


@dataclass(frozen=True, slots=True)
class WalkedTile:
    """A tile of the walk: ``made`` is None above the lowest zoom, ``share`` says how much of the walk is done (0…1)."""

    address: TileAddress
    made: MadeTile | None
    occupied: bool
    share: float


async def walk_pyramid(
    connections: Connections,
    layers: Sequence[VectorLayer],
    *,
    zooms: range,
    boxes: Sequence[Bounds],
) -> AsyncGenerator[WalkedTile, None]:
    """Yield the tiles of ``zooms`` that touch one of ``boxes`` (EPSG:3857 [m]), zoom by zoom along the Hilbert curve.

    Below a tile in which no feature of ``layers`` lies there is nothing to make. A tile that came out empty is asked
    for once more: its features may be too small for its zoom, or their layer may begin deeper.
    """

    async def visit(connection: AsyncConnection[TupleRow], tile: TileAddress) -> tuple[MadeTile | None, bool]:
        made = await make_tile(connection, layers, tile) if tile.z in zooms else None
        filled = made is not None and bool(made.data)
        return made, filled or await is_occupied(connection, layers, tile)

    level = [TileAddress(0, 0, 0)]
    for zoom in range(zooms.stop):
        below: list[TileAddress] = []
        weight = 4.0 ** (zoom + 1 - zooms.stop)
        done = 0
        async for tile, (made, occupied) in map_in_order(connections, level, visit):
            done += 1
            yield WalkedTile(tile, made, occupied, weight * (0.25 + 0.75 * done / len(level)))
            if occupied and zoom + 1 < zooms.stop:
                below += [child for child in list_children(tile) if _touches(child, boxes)]
        level = below


def list_children(tile: TileAddress) -> list[TileAddress]:
    """Return the four tiles below ``tile``, along the Hilbert curve."""
    children = [TileAddress(tile.z + 1, 2 * tile.x + right, 2 * tile.y + down) for right in (0, 1) for down in (0, 1)]
    return sorted(children, key=lambda child: zxy_to_tileid(child.z, child.x, child.y))


def _touches(tile: TileAddress, boxes: Sequence[Bounds]) -> bool:
    x0, y0, x1, y1 = tile.bounds
    return any(x0 < right and left < x1 and y0 < top and bottom < y1 for left, bottom, right, top in boxes)


async def map_in_order(
    connections: Connections,
    things: Iterable[Thing],
    work: Callable[[AsyncConnection[TupleRow], Thing], Coroutine[Any, Any, Answer]],
) -> AsyncGenerator[tuple[Thing, Answer], None]:
    """Yield every thing with what ``work`` returns for it, in order, a connection working on one at a time."""
    free: asyncio.Queue[AsyncConnection[TupleRow]] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)

    async def take(thing: Thing) -> Answer:
        connection = await free.get()
        try:
            return await work(connection, thing)
        finally:
            free.put_nowait(connection)

    under_way: deque[tuple[Thing, asyncio.Task[Answer]]] = deque()
    try:
        for thing in things:
            under_way.append((thing, asyncio.create_task(take(thing))))
            if len(under_way) >= _AHEAD * len(connections):
                first, task = under_way.popleft()
                yield first, await task
        while under_way:
            first, task = under_way.popleft()
            yield first, await task
    finally:
        for _, task in under_way:
            task.cancel()
        await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)
