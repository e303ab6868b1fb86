"""How old layers and tiles are, kept in memory by the database's own notifications: a 304 runs no query.

Every answer holds all that was committed before it was asked: first an empty round trip on the listening connection
(see ``layers.store.listening``) brings what is still under way, and only if a layer was written since its marks were
read are the new ones fetched. While the database does not speak to us, every question is a query.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from api.replicas import Replicas
from layers.store.listening import Listener
from layers.store.replication import read_written
from layers.store.tile_marks import LayerMarks, Mark, read_marks

_log = logging.getLogger("api")


class LayerVersions:
    """Version tokens by layer, and the moments [µs since 1970] at which tiles last changed."""

    def __init__(
        self, url: str, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], replicas: Replicas | None = None
    ) -> None:
        self._url, self._pool, self._replicas = url, pool, replicas
        self._listener: Listener | None = None
        self._lock = asyncio.Lock()
        self._is_away = False
        self._forget()

    def _forget(self) -> None:
        """Know nothing: a connection that was lost may have been lost to a restored database."""
        self.tokens: dict[str, str] | None = None
        self._marks: dict[str, LayerMarks] = {}
        # Notifications are counted: a layer is up to date when it was read at a count not below its last one.
        self._count = 0
        self._changed: dict[str, int] = {}
        self._read_at: dict[str, int] = {}
        self._tokens_at = -1
        # Up to where the log holds all that tokens and marks tell [byte]; None where there are no replicas.
        self.position: int | None = None

    async def follow(self) -> None:
        """Listen for changes until cancelled; a lost connection is taken up again."""
        while True:
            listener: Listener | None = None
            try:
                self._forget()
                listener = await Listener.open(self._url, "layer_version", self._hear)
                self._listener, self._is_away = listener, False
                while True:
                    await self._refresh(self._marks)
                    await listener.wait()
            except (psycopg.Error, OSError) as error:
                _log.warning("layer versions are not followed for now: %s", error)
                self._is_away = listener is None
            finally:
                self._listener = None
                self._forget()
                if listener is not None:
                    await listener.close()
            await asyncio.sleep(2.0)

    async def read(self) -> Mapping[str, str]:
        """Return the version token of every layer that ever changed."""
        if await self._catch_up():
            while self.tokens is not None and self._tokens_at < self._count:
                await self._refresh(())
            if self.tokens is not None:
                return self.tokens
        return (await self._ask({}))[0]

    async def read_tile(self, layers: Sequence[str], z: int, x: int, y: int) -> tuple[int, ...]:
        """Return when the tile of each of ``layers`` last changed [µs since 1970], 0 for never."""
        if await self._catch_up():
            marks = self._marks
            while marks is self._marks and self._list_old(layers):
                await self._refresh(layers)
            # Another dictionary tells that the connection was lost meanwhile.
            if marks is self._marks:
                return tuple([marks[layer].find(z, x, y) for layer in layers])
        found = (await self._ask(dict.fromkeys(layers, 0)))[1]
        read = {layer: LayerMarks() for layer in layers}
        for layer, added in found.items():
            read[layer].add(added)
        return tuple([read[layer].find(z, x, y) for layer in layers])

    async def _ask(self, known: Mapping[str, int]) -> tuple[dict[str, str], dict[str, list[Mark]]]:
        """Ask the primary while nothing can be heard, or a replica while it is away: as it knows them."""
        stand_in = self._replicas.stand_in() if self._replicas is not None and self._is_away else None
        pool = self._pool if stand_in is None else stand_in.pools.own
        async with pool.connection() as connection:
            found, position = await self._read(connection, known)
        self.position = position
        return found

    async def _read(
        self, connection: AsyncConnection[TupleRow], known: Mapping[str, int]
    ) -> tuple[tuple[dict[str, str], dict[str, list[Mark]]], int | None]:
        """Return tokens, marks, and up to where the log holds them."""
        found = await read_marks(connection, known)
        return found, None if self._replicas is None else await read_written(connection)

    def _hear(self, layer: str) -> None:
        self._count += 1
        self._changed[layer] = self._count

    async def _catch_up(self) -> bool:
        """Hear all that was committed until now; False when nothing can be heard."""
        listener = self._listener
        if listener is None:
            return False
        try:
            await listener.catch_up()
        except OSError:
            return False
        return listener is self._listener

    def _list_old(self, layers: Iterable[str]) -> list[str]:
        changed, read_at = self._changed, self._read_at
        return [layer for layer in layers if read_at.get(layer, -1) < changed.get(layer, 0)]

    async def _refresh(self, layers: Iterable[str]) -> None:
        """Read the tokens, and the marks of those of ``layers`` that changed since they were read."""
        async with self._lock:
            old, count, listener = self._list_old(layers), self._count, self._listener
            if not old and self._tokens_at == count:
                return
            known = {layer: self._marks[layer].newest if layer in self._marks else 0 for layer in old}
            async with self._pool.connection() as connection:
                (tokens, marks), position = await self._read(connection, known)
            if listener is None or listener is not self._listener:
                return
            for layer, added in marks.items():
                self._marks.setdefault(layer, LayerMarks()).add(added)
                self._read_at[layer] = count
            self.tokens, self._tokens_at, self.position = tokens, count, position
