"""The pool of a server whose database may go away: while it is, nobody waits for it; when it is back, it is used again.

A connection that comes back broken starts a look at the database. Only if that fails too it counts as away. Afterwards
the connections of all pools of this server on that database are checked, those that nobody has used since too.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

LOOK_S = 0.5
CONNECT_S = 3
"""How long a connection may take to be made [s]; libpq counts in whole seconds, two at least."""

_log = logging.getLogger("api")
_opened: "WeakSet[PatientPool]" = WeakSet()


class PatientPool(AsyncConnectionPool[AsyncConnection[TupleRow]]):
    """Refuses at once, with PoolTimeout, while the database is away."""

    def __init__(self, url: str, **options: Any) -> None:
        # The pool's own attempts grow rarer with time; ours do not.
        super().__init__(url, open=False, reconnect_timeout=2.0, **options)
        self._url = url
        self._look: asyncio.Task[None] | None = None
        self._of: asyncio.AbstractEventLoop | None = None
        self.is_away = False

    async def open(self, wait: bool = False, timeout: float = 30.0) -> None:
        """Open the pool and look whether the database is there."""
        await super().open(wait, timeout)
        self._of = asyncio.get_running_loop()
        _opened.add(self)
        self._begin_look()

    async def close(self, timeout: float = 5.0) -> None:
        """Close the pool."""
        _opened.discard(self)
        if self._look is not None:
            self._look.cancel()
            with suppress(asyncio.CancelledError):
                await self._look
        await super().close(timeout)

    async def getconn(self, timeout: float | None = None) -> AsyncConnection[TupleRow]:
        """Return a connection; PoolTimeout at once while the database is away."""
        if self.is_away:
            raise PoolTimeout("the database is away")
        return await super().getconn(timeout)

    async def putconn(self, conn: AsyncConnection[TupleRow]) -> None:
        """Take a connection back; one that broke may mean that the database is away."""
        broken = conn.closed
        await super().putconn(conn)
        if broken:
            self._begin_look()

    def _begin_look(self) -> None:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._await_database())

    async def _await_database(self) -> None:
        """Return when the database answers, with all connections of before checked."""
        while True:
            try:
                async with await AsyncConnection.connect(self._url, autocommit=True, connect_timeout=CONNECT_S):
                    break
            except (psycopg.Error, OSError) as error:
                if not self.is_away:
                    _log.warning("the database is away: %s", " ".join(str(error).split())[:200])
                self.is_away = True
            await asyncio.sleep(LOOK_S)
        if self.is_away:
            _log.warning("the database is back")
            self.is_away = False
        for pool in [pool for pool in _opened if pool._url == self._url and pool._of is self._of]:
            with suppress(psycopg.Error):
                await pool.check()
