"""Live changes to many listeners: one task reads what the database tells, each listener has its own bounded share.

A slow listener gets fewer, newer readings, never a growing queue: of each series only the newest waits for it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import anyio
import orjson
import psycopg
import psycopg_pool
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from sse_starlette import ServerSentEvent

from layers.access import who_asks
from layers.errors import InputError
from layers.store.mercator import Bounds
from layers.store.sensing.changes import Change, follow_notices, read_clock, read_horizon, select_changes, select_unseen

MOST_NOTICES = 256
_BEGIN_WITHIN_S = 30.0
READINGS, NOTICES = "reading", ("alarm",)
Notice = tuple[str, str]
Pool = psycopg_pool.AsyncConnectionPool[AsyncConnection[TupleRow]]
# A transaction may commit some time after its readings were stamped; a client that comes gets those too.
_OVERLAP_US = 60_000_000
_log = logging.getLogger("api")


@dataclass(frozen=True, slots=True)
class Interest:
    """Which changes one wants: of these series, of sensors of the kind, within west, south, east, north [°]."""

    bounds: Bounds | None = None
    kind: str | None = None
    datastreams: frozenset[str] | None = None
    sees_hidden: bool = False

    def wants(self, change: Change) -> bool:
        """Return whether a change is one of them."""
        if change.hidden and not self.sees_hidden:
            return False
        if self.datastreams is not None and change.datastream_id not in self.datastreams:
            return False
        if self.kind is not None and change.kind != self.kind:
            return False
        if self.bounds is None:
            return True
        west, south, east, north = self.bounds
        if change.lon is None or change.lat is None or not south <= change.lat <= north:
            return False
        return west <= change.lon <= east if west <= east else change.lon >= west or change.lon <= east


class Told:
    """Changes on their way to listeners; written once, however many of them hear it."""

    def __init__(self, changes: Iterable[Change]) -> None:
        # Of each series the newest.
        self._changes = {change.datastream_id: change for change in changes}

    def __bool__(self) -> bool:
        return bool(self._changes)

    def __or__(self, later: "Told") -> "Told":
        return Told((*self._changes.values(), *later._changes.values()))

    @cached_property
    def event(self) -> bytes:
        """The server-sent event."""
        last = max(change.stored for change in self._changes.values())
        shown = orjson.dumps({"readings": [_show(change) for change in self._changes.values()]})
        return ServerSentEvent(shown.decode(), event=READINGS, id=str(last)).encode()


@dataclass(slots=True, eq=False)
class Listener:
    """What waits for one listener: the newest of each series it wants, and notices of other kinds, newest kept."""

    interest: Interest
    told: Told | None = None
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=MOST_NOTICES))
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, told: Told, notices: list[Notice]) -> None:
        """Take it; ``told`` is what this listener wants."""
        if told or notices:
            if told:
                self.told = self.told | told if self.told else told
            self.notices.extend(notices)
            self.woken.set()


class LiveChanges:
    """Follows the database while anybody listens; at most one look a second, whatever is written."""

    def __init__(self, url: str, pool: Pool, *, pause: float = 1.0, wait: float = 15.0) -> None:
        self._url, self._pool, self._pause, self._wait = url, pool, pause, wait
        self._listeners: set[Listener] = set()
        self._wanted = asyncio.Event()
        # Of many who begin to listen at once only two ask the database at a time: all others can wait.
        self._beginning = asyncio.Semaphore(2)
        self.ending = anyio.Event()

    @contextmanager
    def listen(self, interest: Interest) -> Iterator[Listener]:
        """Give a listener, which hears what who asks may see, for the time of the block."""
        sees_hidden = who_asks().sees("restricted") and not who_asks().wards
        listener = Listener(replace(interest, sees_hidden=sees_hidden))
        self._listeners.add(listener)
        self._wanted.set()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def follow(self) -> None:
        """Tell listeners what changes until cancelled; a lost connection is taken up again.

        When ``ending`` is set, every listener's stream ends.
        """
        ending = asyncio.create_task(self._end())
        try:
            await self._follow()
        finally:
            ending.cancel()

    async def _end(self) -> None:
        await self.ending.wait()
        for listener in self._listeners:
            listener.woken.set()

    async def _follow(self) -> None:
        seen: int | None = None
        while True:
            if not self._listeners:
                self._wanted.clear()
                await self._wanted.wait()
                seen = None
            try:
                if seen is None:
                    async with self._pool.connection() as connection:
                        seen = await read_clock(connection)
                async with aclosing(follow_notices(self._url, (READINGS, *NOTICES), self._wait)) as notices:
                    async for changes, others in self._look(notices, seen):
                        seen = max([seen, *(change.stored for change in changes)])
                        self._tell(changes, others)
                        if not self._listeners:
                            break
            except (psycopg.Error, psycopg_pool.PoolTimeout, OSError) as error:
                _log.warning("live changes are not followed for now: %s", error)
                await asyncio.sleep(2.0)

    def _tell(self, changes: list[Change], notices: list[Notice]) -> None:
        shares = dict[Interest, Told]()
        for listener in list(self._listeners):
            interest = listener.interest
            if interest not in shares:
                shares[interest] = Told(filter(interest.wants, changes))
            listener.offer(shares[interest], notices)

    async def _look(
        self, notices: AsyncIterator[list[Notice]], seen: int
    ) -> AsyncIterator[tuple[list[Change], list[Notice]]]:
        """Yield changes and other notices after each notification, at most one look a ``pause``."""
        horizon, told = None, dict[str, Change]()
        async for heard in notices:
            async with self._pool.connection() as connection:
                following = await read_horizon(connection)
                if horizon is None:
                    found = await select_changes(connection, seen)
                else:
                    found = await select_unseen(connection, horizon)
            yield (
                [change for change in found if told.get(change.datastream_id) != change],
                [notice for notice in heard if notice[0] != READINGS],
            )
            told = {change.datastream_id: change for change in found}
            horizon = following
            await asyncio.sleep(self._pause)

    async def stream(self, interest: Interest, after: int | None) -> AsyncIterator[bytes]:
        """Yield events for one client: ``ready``, what changed since ``after`` [µs], then changes as they come.

        Without ``after`` it begins a minute ago: who has just asked for the latest of everything misses nothing.
        """
        with self.listen(interest) as listener:
            async with self._beginning, self._pool.connection(_BEGIN_WITHIN_S) as connection:
                # By the clock that stamps readings: ours, or that of an earlier event, may be ahead of it.
                begin = await read_clock(connection)
                begin = begin if after is None else min(after, begin)
                before = await select_changes(connection, begin - _OVERLAP_US)
            listener.offer(Told(filter(listener.interest.wants, before)), [])
            yield ServerSentEvent("{}", event="ready", id=str(begin)).encode()
            while True:
                await listener.woken.wait()
                if self.ending.is_set():
                    return
                listener.woken.clear()
                told, listener.told = listener.told, None
                if told:
                    yield told.event
                while listener.notices:
                    kind, payload = listener.notices.popleft()
                    yield ServerSentEvent(_write_notice(payload), event=kind).encode()


def parse_event_id(value: str | None) -> int | None:
    """Return the moment an event's id names [µs since 1970 UTC], None without one; InputError for what is none."""
    if value is None or not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 16):
        raise InputError(f"Last-Event-ID '{value[:40]}' is none of ours", hint="leave it out to begin now")
    return int(value)


def _show(change: Change) -> dict[str, Any]:
    return {
        "id": change.datastream_id,
        "sensor_id": change.sensor_id,
        "kind": change.kind,
        "observed_property": change.observed_property,
        "unit": change.unit,
        "result": change.result,
        "phenomenon_time": change.phenomenon_time,
        "quality": change.quality,
    }


def _write_notice(payload: str) -> str:
    """Return the payload where it is a JSON object, else an object that names it as ``id``."""
    try:
        given: Any = orjson.loads(payload)
    except orjson.JSONDecodeError:
        given = payload
    return orjson.dumps(given if isinstance(given, dict) else {"id": payload}).decode()
