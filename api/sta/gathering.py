"""Readings of many requests stored together: while one batch is written the next one gathers.

A statement and a commit cost as much for one reading as for fifty. Nobody waits longer for it: a batch takes what is
there and leaves at once. Whoever brought a reading is answered after its commit.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from layers.errors import DatabaseError
from layers.store.sensing.observing import Row

MOST_ROWS, MOST_WAITING = 5_000, 500_000
LINGER_S = 0.003
Store = Callable[[Sequence[Row], str, str], None]


@dataclass(slots=True)
class _Part:
    """What one request brought, and who waits for it."""

    rows: Sequence[Row]
    author: str
    reason: str
    done: asyncio.Future[None] = field(repr=False)


class Gatherer:
    """Stores rows by ``store(rows, author, reason)``, called in a thread, one call at a time.

    When several came together, those just answered are about to send their next: it is waited for, ``LINGER_S`` [s].
    A call that fails is made again for each request alone, so that nobody fails for another's rows.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[_Part] = deque()
        self._rows = 0
        self._task: asyncio.Task[None] | None = None

    async def store(self, rows: Sequence[Row], author: str, reason: str) -> None:
        """Return when the rows are committed; raises what storing them raised.

        DatabaseError when too many wait already: more is taken when those are written.
        """
        if self._rows + len(rows) > MOST_WAITING:
            raise DatabaseError(f"{self._rows} readings wait to be stored", hint="send them again soon")
        part = _Part(rows, author, reason, asyncio.get_running_loop().create_future())
        self._waiting.append(part)
        self._rows += len(rows)
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        await part.done

    async def _drain(self) -> None:
        try:
            while self._waiting:
                parts = self._take()
                error = await self._write(parts)
                if error is not None and len(parts) > 1:
                    for part in parts:
                        _settle(part, await self._write([part]))
                    continue
                for part in parts:
                    _settle(part, error)
                if len(parts) > 1:
                    await asyncio.sleep(LINGER_S)
        finally:
            self._task = None

    def _take(self) -> list[_Part]:
        """Return the next requests of one author and reason that speak of different readings."""
        first = self._waiting.popleft()
        parts, count = [first], len(first.rows)
        named: set[tuple[str, datetime]] = _name_rows(first.rows) if self._waiting else set()
        while self._waiting and count < MOST_ROWS:
            part = self._waiting[0]
            if (part.author, part.reason) != (first.author, first.reason):
                break
            names = _name_rows(part.rows)
            if not named.isdisjoint(names):
                break
            named |= names
            parts.append(self._waiting.popleft())
            count += len(part.rows)
        self._rows -= count
        return parts

    async def _write(self, parts: Sequence[_Part]) -> Exception | None:
        rows = parts[0].rows if len(parts) == 1 else [row for part in parts for row in part.rows]
        try:
            await asyncio.to_thread(self._store, rows, parts[0].author, parts[0].reason)
        except Exception as error:
            return error
        return None


def _name_rows(rows: Sequence[Row]) -> set[tuple[str, datetime]]:
    return {(row["datastream_id"], row["phenomenon_time"]) for row in rows}


def _settle(part: _Part, error: Exception | None) -> None:
    if part.done.done():
        return
    if error is None:
        part.done.set_result(None)
    else:
        part.done.set_exception(error)
