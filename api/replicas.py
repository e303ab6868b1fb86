"""Reading from streaming replicas, never older than the primary's answer would be.

A replica answers a question only if it has replayed the log up to the ``position`` at which the ages of what is asked
were read (see ``api.versions``); else the primary does. So a tile is never older than its tag, and who wrote reads
what was written, whatever a replica is behind. A replica that is away, or that ends a statement to go on replaying,
costs one more question to the primary.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeVar

import psycopg
from prometheus_client import CollectorRegistry, Counter, Gauge
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import PoolTimeout
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolWaitError

from api.limits.connections import WAIT_S, Pools
from layers.access import WHOLE, asking_as
from layers.store.assuming import assume_on_checkout
from layers.store.engine import open_engine
from layers.store.replication import read_replayed
from twin.observing.checks import Check
from twin.settings import Settings

_PICTURES = 3
CLOSE_S, CALM_S = 0.02, 1.0
"""How often a replica is asked how far it is: while it is behind, and while nobody waits for it."""

Kind = Literal["tiles", "items"]
Result = TypeVar("Result")
Work = Callable[[AsyncConnection[TupleRow]], Awaitable[Result]]

_log = logging.getLogger("api")
_REFUSALS = (
    psycopg.OperationalError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.SerializationFailure,
    PoolTimeout,
)


class Replica:
    """One standby: connections to it, and up to where it has replayed the log [byte], None while nobody knows."""

    def __init__(self, name: str, url: str, settings: Settings) -> None:
        self.name, self.pools = name, Pools(url, settings)
        self.engine = open_engine(
            url, statement_timeout_s=settings.file_timeout, pool_size=1, overflow=_PICTURES - 1, wait_s=WAIT_S
        )
        assume_on_checkout(self.engine)
        self.replayed: int | None = None

    def has(self, position: int) -> bool:
        """Whether it is known to have replayed up to ``position`` [byte]."""
        return self.replayed is not None and self.replayed >= position

    async def look(self) -> None:
        """Ask how far it is."""
        try:
            with asking_as(WHOLE):
                async with self.pools.own.connection() as connection:
                    found = await read_replayed(connection)
        except (psycopg.Error, PoolTimeout, OSError) as error:
            if self.replayed is not None:
                _log.warning("replica %s is away: %s", self.name, " ".join(str(error).split())[:200])
            self.replayed = None
            return
        if found is None and self.replayed is not None:
            _log.warning("replica %s is none any more: it was promoted", self.name)
        self.replayed = found


class Replicas:
    """The primary's pools and its replicas, and who answers what."""

    def __init__(self, primary: Pools, settings: Settings, registry: CollectorRegistry) -> None:
        self._primary = primary
        self._replicas = [
            Replica(f"replica-{number}", url, settings) for number, url in enumerate(settings.replica_urls, start=1)
        ]
        self._turn = itertools.count()
        self._wanted: int | None = None
        self._news = asyncio.Event()
        registry = registry if self._replicas else CollectorRegistry()
        self._reads = Counter(
            "twin_reads",
            "Questions for tiles, items, maps by who answered, and why",
            ("by", "why"),
            registry=registry,
        )
        self._behind = Gauge(
            "twin_replica_behind_bytes", "How much log a replica has yet to replay [B]; -1 while it is away",
            ("replica",), multiprocess_mode="livemax", registry=registry,
        )  # fmt: skip

    @property
    def names(self) -> Sequence[str]:
        """The replicas that were named."""
        return [one.name for one in self._replicas]

    async def open(self) -> None:
        """Open connections to the replicas; one that is away is waited for, and not asked."""
        for one in self._replicas:
            await one.pools.open()

    async def close(self) -> None:
        """Close all connections to the replicas."""
        for one in self._replicas:
            await one.pools.close()
            one.engine.dispose()

    async def follow(self) -> None:
        """Ask the replicas how far they are until cancelled, often while one is behind what somebody waits for."""
        while self._replicas:
            await asyncio.gather(*(one.look() for one in self._replicas))
            wanted = self._wanted or 0
            for one in self._replicas:
                behind = -1 if one.replayed is None else max(0, wanted - one.replayed)
                self._behind.labels(one.name).set(behind)
            if any(one.replayed is not None and not one.has(wanted) for one in self._replicas):
                await asyncio.sleep(CLOSE_S)
                continue
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), CALM_S)
            except TimeoutError:
                continue

    async def choose(self, position: int | None) -> Replica | None:
        """Return the next replica that has replayed up to ``position`` [byte]; None means the primary."""
        there = [one for one in self._replicas if one.replayed is not None]
        if position is None or not there:
            return None
        chosen = there[next(self._turn) % len(there)]
        if not chosen.has(position):
            # Since it was asked last it may have come so far: asking again is cheaper than the primary's work.
            await chosen.look()
        if chosen.has(position):
            return chosen
        if self._wanted is None or position > self._wanted:
            self._wanted = position
            self._news.set()
        return next((one for one in there if one.has(position)), None)

    def stand_in(self) -> Replica | None:
        """Return a replica that answers while the primary is away, None where none is there either."""
        return next((one for one in self._replicas if one.replayed is not None), None)

    async def read(self, kind: Kind, position: int | None, work: Work[Result]) -> Result:
        """Return what ``work``, which only reads, makes of a connection to whoever may answer."""
        if not self._replicas:
            return await self._ask(self._primary, kind, work)
        chosen = await self.choose(position)
        why = "fresh" if chosen else "behind" if any(one.replayed is not None for one in self._replicas) else "away"
        if chosen is not None:
            try:
                result = await self._ask_twice(chosen.pools, kind, work)
                self._reads.labels(chosen.name, why).inc()
                return result
            except psycopg.errors.QueryCanceled:
                # It took too long here and would there.
                raise
            except _REFUSALS as error:
                why = "drawing" if isinstance(error, psycopg.errors.ReadOnlySqlTransaction) else "failed"
                if why == "failed":
                    _log.warning("replica %s did not answer: %s", chosen.name, " ".join(str(error).split())[:200])
        self._reads.labels("primary", why).inc()
        return await self._ask(self._primary, kind, work)

    def draw(self, chosen: Replica | None, connection: Connection, work: Callable[[Connection], Result]) -> Result:
        """Return what ``work``, which only reads, makes of a connection to the replica, else of the primary's own."""
        if chosen is not None:
            try:
                with chosen.engine.connect() as reading:
                    result = work(reading)
                self._reads.labels(chosen.name, "fresh").inc()
                return result
            except (OperationalError, PoolWaitError) as error:
                _log.warning("replica %s did not answer: %s", chosen.name, " ".join(str(error).split())[:200])
        return work(connection)

    async def _ask_twice(self, pools: Pools, kind: Kind, work: Work[Result]) -> Result:
        """Ask again where the connection was one from before the replica was last started."""
        try:
            return await self._ask(pools, kind, work)
        except psycopg.errors.AdminShutdown:
            return await self._ask(pools, kind, work)

    async def _ask(self, pools: Pools, kind: Kind, work: Work[Result]) -> Result:
        async with (pools.tiles if kind == "tiles" else pools.items).connection() as connection:
            return await work(connection)

    def list_checks(self) -> list[Check]:
        """Return how the replicas stand; none is needed."""
        return [self._check(one) for one in self._replicas]

    def _check(self, one: Replica) -> Check:
        if one.replayed is None:
            hint = "look at its log, and at pg_stat_replication of the primary"
            return Check(one.name, "degraded", "it is away, or no replica: the primary answers", hint)
        behind = max(0, (self._wanted or 0) - one.replayed)
        if behind:
            hint = "look at pg_stat_replication of the primary"
            return Check(one.name, "degraded", f"{behind:,} bytes behind: the primary answers what it lacks", hint)
        return Check(one.name, "ok", "it has all that was asked for")
