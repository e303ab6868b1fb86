"""Ready tiles in memory: least recently used out first, within a byte budget, each made once at a time."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CachedTile:
    """A tile as it is sent; ``truncated`` when a budget left features out."""

    body: bytes
    truncated: bool = False


class TileCache:
    """Keeps at most ``budget`` bytes. A key must hold everything the tile depends on, its version included.

    ``note_made`` hears how long [s] each tile took that was made.
    """

    _OVERHEAD = 400

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.used = 0
        self.hits = 0
        self.misses = 0
        self._tiles: OrderedDict[Hashable, CachedTile] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[CachedTile]] = {}
        self.note_made: Callable[[float, CachedTile], None] | None = None

    def find(self, key: Hashable) -> CachedTile | None:
        """Return the tile of ``key`` and remember that it was wanted, or None."""
        tile = self._tiles.get(key)
        if tile is not None:
            self._tiles.move_to_end(key)
            self.hits += 1
        return tile

    async def get(self, key: Hashable, make: Callable[[], Awaitable[CachedTile]]) -> CachedTile:
        """Return the tile of ``key``; whoever asks while it is being made waits for that one."""
        tile = self.find(key)
        if tile is not None:
            return tile
        task = self._making.get(key)
        if task is None:
            self.misses += 1
            task = asyncio.create_task(self._make(key, make))
            self._making[key] = task
            task.add_done_callback(lambda _: self._making.pop(key, None))
        # A client that goes away must not take the tile of the others with it.
        return await asyncio.shield(task)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[CachedTile]]) -> CachedTile:
        began = time.perf_counter()
        tile = await make()
        if self.note_made is not None:
            self.note_made(time.perf_counter() - began, tile)
        size = len(tile.body) + self._OVERHEAD
        if size <= self.budget:
            self._tiles[key] = tile
            self.used += size
            while self.used > self.budget:
                _, gone = self._tiles.popitem(last=False)
                self.used -= len(gone.body) + self._OVERHEAD
        return tile
