"""What is remembered of sessions and keys for a few seconds, and forgotten at once when rights change anywhere."""

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
import psycopg_pool
from anyio import CapacityLimiter
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, namedtuple_row

from layers.access import WHOLE, asking_as
from layers.store.listening import Listener
from twin.accounts.tokens import KeyParts, digest
from twin.store_accounts import HAS_ACCOUNTS
from twin.store_keys import FIND as FIND_KEY
from twin.store_keys import STREAMS, USE
from twin.store_sessions import FIND as FIND_SESSION
from twin.store_sessions import SEE

Pool = psycopg_pool.AsyncConnectionPool[AsyncConnection[TupleRow]]
REMEMBER_S, SEEN_EVERY_S = 5.0, 60.0
MOST_REMEMBERED = 20_000
_CHANNEL = "identity"
_AT_ONCE = 2
# How long the first requests wait until it is known whether there are accounts [s].
_FIRST_S = 2.0
_log = logging.getLogger("api")


class SessionOf(NamedTuple):
    """The session of a token, and whose it is now."""

    id: str
    account: str
    via: str
    title: str
    roles: frozenset[str]
    wards: tuple[str, ...]
    has_code: bool
    id_token: str | None


class KeyOf(NamedTuple):
    """A key in force, and what it may do now; ``streams``: the series a device writes, None: it is bound to none."""

    id: str
    title: str
    roles: frozenset[str]
    wards: tuple[str, ...]
    scopes: frozenset[str] | None
    streams: frozenset[str] | None


@dataclass(slots=True)
class _Remembered:
    value: Any
    until: float


class Identities:
    """Sessions and keys by their digests; whether anybody has an account at all. One a server.

    ``proving`` bounds how many passwords are judged at once: each takes 64 MB and a core.
    """

    def __init__(self, url: str, pool: Pool, *, idle_s: float) -> None:
        self._url, self._pool, self._idle_s = url, pool, idle_s
        self._kept: dict[bytes, _Remembered] = {}
        self._changes = 0
        self._has: bool | None = None
        self._asked = asyncio.Event()
        self.proving = CapacityLimiter(_AT_ONCE)

    async def follow(self) -> None:
        """Hear of changes until cancelled; a lost connection is taken up again."""
        while True:
            listener: Listener | None = None
            try:
                listener = await Listener.open(self._url, _CHANNEL, lambda _payload: self.forget())
                self.forget()
                while True:
                    await self._ask()
                    await listener.wait()
            except (psycopg.Error, psycopg_pool.PoolTimeout, OSError) as error:
                _log.warning("changes of accounts are not followed for now: %s", error)
            finally:
                self._asked.set()
                if listener is not None:
                    await listener.close()
            await asyncio.sleep(2.0)

    def forget(self) -> None:
        """Ask the database again for everything."""
        self._changes += 1
        self._kept.clear()

    async def has_accounts(self) -> bool:
        """Return whether somebody has an account, as last heard; True while it was never heard."""
        if not self._asked.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), _FIRST_S)
            self._asked.set()
        return self._has is not False

    async def refresh(self) -> None:
        """Know at once what this server itself changed."""
        self.forget()
        await self._ask()

    async def find_session(self, token: str) -> SessionOf | None:
        """Return the session of ``token`` if it is open."""
        key = digest(token)
        kept = self._recall(key)
        if kept is not None:
            found: SessionOf | None = kept.value
            return found
        changes = self._changes
        async with self._connect() as connection:
            row = await self._one(connection, FIND_SESSION, {"hash": key, "idle": self._idle_s})
            if row is not None and _is_old(row.seen):
                await connection.execute(SEE, {"hash": key})
        value = None
        if row is not None:
            value = SessionOf(
                row.id, row.account, row.via, row.title, frozenset(row.roles), tuple(row.wards), row.totp_confirmed,
                row.id_token,
            )  # fmt: skip
        self._keep(key, value, changes, None if row is None else row.until)
        return value

    async def find_key(self, parts: KeyParts) -> KeyOf | None:
        """Return the key of ``parts`` if it is in force and the secret is right."""
        key = digest(f"{parts.id}_{parts.secret}")
        kept = self._recall(key)
        if kept is not None:
            found: KeyOf | None = kept.value
            return found
        changes = self._changes
        async with self._connect() as connection:
            row = await self._one(connection, FIND_KEY, {"id": parts.id})
            # One who is not there is compared as well, so that both take the same time.
            is_right = hmac.compare_digest(bytes(32) if row is None else row.hash, digest(parts.secret))
            if row is None or not is_right:
                self._keep(key, None, changes, None)
                return None
            if row.used is None or _is_old(row.used):
                await connection.execute(USE, {"id": parts.id})
            streams = None
            if row.device is not None or row.thing is not None:
                answer = await connection.execute(STREAMS, {"device": row.device, "thing": row.thing})
                streams = frozenset(str(name) for (name,) in await answer.fetchall())
        scopes = None if row.scopes is None else frozenset(row.scopes)
        value = KeyOf(parts.id, row.title, frozenset(row.roles), tuple(row.wards), scopes, streams)
        self._keep(key, value, changes, row.until)
        return value

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """Give a connection of the twin itself: its tables are for nobody else, also inside of somebody's request."""
        with asking_as(WHOLE):
            async with self._pool.connection() as connection:
                yield connection

    async def _ask(self) -> None:
        async with self._connect() as connection:
            answer = await connection.execute(HAS_ACCOUNTS)
            row = await answer.fetchone()
        self._has = bool(row and row[0])
        self._asked.set()

    async def _one(self, connection: AsyncConnection[TupleRow], asked: str, given: dict[str, Any]) -> Any:
        async with connection.cursor(row_factory=namedtuple_row) as cursor:
            await cursor.execute(asked, given)
            return await cursor.fetchone()

    def _recall(self, key: bytes) -> _Remembered | None:
        kept = self._kept.get(key)
        return kept if kept is not None and kept.until > time.monotonic() else None

    def _keep(self, key: bytes, value: Any, changes: int, ends: datetime | None) -> None:
        """Remember what was read while nothing changed, no longer than it is in force."""
        if changes != self._changes:
            return
        if len(self._kept) >= MOST_REMEMBERED:
            self._kept.clear()
        left = REMEMBER_S if ends is None else (ends - datetime.now(ends.tzinfo)).total_seconds()
        self._kept[key] = _Remembered(value, time.monotonic() + min(REMEMBER_S, left))


def _is_old(moment: datetime) -> bool:
    return (datetime.now(moment.tzinfo) - moment).total_seconds() > SEEN_EVERY_S
