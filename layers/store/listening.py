"""A connection that hears notifications, and can tell that it has heard all there were.

PostgreSQL signals every listener before it answers the writer that its transaction is committed, and a listener's
server process passes on what it was signalled before it says that it is ready again. So an empty round trip on the
listening connection, begun after somebody learned of a commit, ends after the notification of that commit: a barrier
that runs no query and opens no transaction.
"""

import asyncio
from collections.abc import Callable
from typing import Self

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import ExecStatus
from psycopg.rows import TupleRow

PATIENCE = 3.0


class Listener:
    """Calls ``hear(payload)`` for every notification on one channel, from the event loop it was opened in."""

    def __init__(self, connection: AsyncConnection[TupleRow], hear: Callable[[str], None]) -> None:
        self._connection, self._hear = connection, hear
        self._loop = asyncio.get_running_loop()
        self._socket = connection.pgconn.socket
        self._flying: list[asyncio.Future[None]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._watch: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()
        self._lost: Exception | None = None
        connection.pgconn.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def open(cls, url: str, channel: str, hear: Callable[[str], None]) -> Self:
        """Return a listener on ``channel`` of the database at ``url``."""
        connection = await AsyncConnection.connect(url, autocommit=True, application_name=f"twin hears {channel}")
        try:
            await connection.execute(f'listen "{channel}"')
            return cls(connection, hear)
        except BaseException:
            await connection.close()
            raise

    async def catch_up(self) -> None:
        """Return when everything committed before this call was heard; OSError when the connection is lost.

        Calls that come while a round trip is under way share the next one.
        """
        if self._lost is not None:
            raise ConnectionError(str(self._lost))
        waiting = self._loop.create_future()
        self._waiting.append(waiting)
        if not self._flying:
            self._send()
        await waiting

    async def wait(self) -> None:
        """Return when something was heard since the last call; OSError when the connection is lost."""
        await self._news.wait()
        self._news.clear()
        if self._lost is not None:
            raise ConnectionError(str(self._lost))

    async def close(self) -> None:
        """Close the connection; whoever waits is told that it is lost."""
        self._lose(ConnectionError("closed"))
        await self._connection.close()

    def _send(self) -> None:
        self._flying, self._waiting = self._waiting, []
        self._watch = self._loop.call_later(PATIENCE, self._lose, TimeoutError(f"silent for {PATIENCE:.0f} s"))
        try:
            self._connection.pgconn.pipeline_sync()
        except psycopg.Error as error:
            self._lose(error)

    def _read(self) -> None:
        link, synced = self._connection.pgconn, False
        try:
            link.consume_input()
            while not link.is_busy() and (result := link.get_result()) is not None:
                synced = synced or result.status == ExecStatus.PIPELINE_SYNC
        except psycopg.Error as error:
            self._lose(error)
            return
        while (told := link.notifies()) is not None:
            self._hear(told.extra.decode())
            self._news.set()
        if synced:
            self._land()

    def _land(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        landed, self._flying = self._flying, []
        for each in landed:
            if not each.done():
                each.set_result(None)
        if self._waiting:
            self._send()

    def _lose(self, error: Exception) -> None:
        if self._lost is not None:
            return
        self._lost = error
        if self._watch is not None:
            self._watch.cancel()
        self._loop.remove_reader(self._socket)
        for each in (*self._flying, *self._waiting):
            if not each.done():
                each.set_exception(ConnectionError(str(error)))
        self._flying, self._waiting = [], []
        self._news.set()
