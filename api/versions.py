"""Layer versions in memory, kept by the database's own notifications: a 304 needs no query."""

import asyncio
import logging

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from layers.store.tiles import follow_versions, read_version_tokens

_log = logging.getLogger("api")


class LayerVersions:
    """Version tokens by layer. While the database does not speak to us, every question goes to it."""

    def __init__(self, url: str, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._url, self._pool = url, pool
        self.tokens: dict[str, str] | None = None

    async def follow(self) -> None:
        """Listen for changes until cancelled; a lost connection is taken up again."""
        while True:
            try:
                async for tokens in follow_versions(self._url):
                    self.tokens = tokens
            except (psycopg.Error, OSError) as error:
                _log.warning("layer versions are not followed for now: %s", error)
            finally:
                self.tokens = None
            await asyncio.sleep(2.0)

    async def read(self) -> dict[str, str]:
        """Return the version token of every layer that ever changed."""
        if self.tokens is not None:
            return self.tokens
        async with self._pool.connection() as connection:
            return await read_version_tokens(connection)
