"""What the server holds while it lives: connections, caches, counters."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from anyio import to_thread
from sqlalchemy import Connection, Engine

from api.cache import TileCache
from api.draining import take_leave_slowly
from api.identity.remembered import Identities
from api.latest import LatestAnswers
from api.limits.buckets import Buckets
from api.limits.connections import Engines, Pools, open_storing
from api.limits.lanes import THREADS, Gates
from api.live import LiveChanges
from api.metrics import Metrics
from api.pools import read_async_pool, read_pool
from api.readiness import Readiness
from api.replicas import Replica, Replicas, Result, Work
from api.versions import LayerVersions
from layers.access import name_sight
from layers.schema import VectorLayer
from layers.store.engine import plain_url
from layers.store.items import LayerExtent, read_extent
from layers.store.mercator import Bounds
from layers.store.overviews import refresh_overview
from layers.store.replication import read_written
from twin.connect import find_database, reach_buckets
from twin.indicators.board import IndicatorBoard
from twin.observing.city import CityFigures
from twin.observing.heart import alive
from twin.observing.measuring import measure_objectives
from twin.observing.work import make_part_registry
from twin.settings import Settings
from twin.store_observing import add_chances

REFRESH_S = 5.0


@dataclass(slots=True)
class Resources:
    """Connections (``pools`` for tiles and items, ``storing`` for readings that arrive, ``engine`` for the rest),
    caches, counters.
    """

    settings: Settings
    engines: Engines
    storing: Engine
    pools: Pools
    replicas: Replicas
    versions: LayerVersions
    tiles: TileCache
    pictures: TileCache
    latest: LatestAnswers
    live: LiveChanges
    indicators: IndicatorBoard
    metrics: Metrics
    readiness: Readiness
    figures: CityFigures
    identities: Identities
    buckets: Buckets | None
    gates: Gates = field(default_factory=Gates)
    _extents: dict[tuple[str, tuple[object, ...]], tuple[str, LayerExtent]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def engine(self) -> Engine:
        """The connections for the request that is being answered."""
        return self.engines.current()

    async def read_items(self, work: Work[Result]) -> Result:
        """Return what ``work``, which only reads, makes of a connection that sees all committed until now."""
        position = None
        if self.replicas.names:
            await self.versions.read()
            position = self.versions.position
        return await self.replicas.read("items", position, work)

    async def find_replica(self, layer: VectorLayer, bounds: Bounds | None) -> Replica | None:
        """Return a replica that holds all committed until now; None means the primary.

        With ``bounds`` (EPSG:3857 [m]) also what the primary has drawn of the layer's overview there.
        """
        position = None
        if bounds is not None:
            async with self.pools.items.connection() as connection:
                await refresh_overview(connection, layer, bounds)
                position = await read_written(connection) if self.replicas.names else None
        elif self.replicas.names:
            await self.versions.read()
            position = self.versions.position
        return await self.replicas.choose(position)

    def read_extent(self, connection: Connection, layer: VectorLayer) -> LayerExtent:
        """Return count and bounds of ``layer``, kept until the layer changes."""
        tokens = self.versions.tokens
        token = None if tokens is None else tokens.get(layer.id, "0")
        key = (layer.id, name_sight([layer]))
        kept = self._extents.get(key)
        if kept is not None and kept[0] == token:
            return kept[1]
        extent = read_extent(connection, layer)
        if token is not None:
            with self._lock:
                self._extents[key] = (token, extent)
        return extent

    def peek_count(self, layer: VectorLayer) -> int | None:
        """Return how many features ``layer`` has if that is known without asking the database."""
        tokens = self.versions.tokens
        kept = self._extents.get((layer.id, name_sight([layer])))
        return kept[1].count if tokens is not None and kept and kept[0] == tokens.get(layer.id, "0") else None


@asynccontextmanager
async def hold_resources(settings: Settings, metrics: Metrics) -> AsyncIterator[Resources]:
    """Open what the server needs and close it at the end; an unreachable database is waited for, not fatal."""
    reach_buckets(settings)
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    engines = Engines(find_database(settings), settings)
    url = plain_url(engines.own)
    storing, pools = open_storing(url, settings), Pools(url, settings)
    replicas = Replicas(pools, settings, metrics.registry)
    await pools.open()
    await replicas.open()
    versions = LayerVersions(url, pools.own, replicas if replicas.names else None)
    budget = settings.tile_cache_mb * 1_000_000
    held = Resources(
        settings, engines, storing, pools, replicas, versions, TileCache(budget * 3 // 4), TileCache(budget // 4),
        LatestAnswers(pools.tiles), LiveChanges(url, pools.own), IndicatorBoard(settings.processed_dir), metrics,
        Readiness(settings, engines.own, pools, versions, replicas), CityFigures(settings, engines.own),
        Identities(url, pools.own, idle_s=settings.session_idle_minutes * 60.0), _make_buckets(settings),
    )  # fmt: skip
    metrics.watch_cache("tile", held.tiles)
    metrics.watch_cache("picture", held.pictures)
    for name, pool in pools.by_name.items():
        metrics.watch_pool(name, partial(read_async_pool, pool))
    for name, engine in {**engines.by_group, "storing": storing}.items():
        metrics.watch_pool(name, partial(read_pool, engine))
    followers = [
        asyncio.create_task(work)
        for work in (
            versions.follow(),
            replicas.follow(),
            held.live.follow(),
            held.identities.follow(),
            _refresh_forever(metrics),
        )
    ]
    try:
        with (
            alive(settings, "serve", make_part_registry(), beside=partial(_note_chances, metrics=metrics)),
            take_leave_slowly(held.readiness, settings.leave_seconds, held.live.ending.set),
        ):
            yield held
    finally:
        for follower in followers:
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower
        await pools.close()
        await replicas.close()
        storing.dispose()
        engines.dispose()
        if held.buckets is not None:
            held.buckets.close()
        metrics.close()


def _make_buckets(settings: Settings) -> Buckets | None:
    """Return what counts requests by who asks, shared by all servers of this installation on this machine."""
    if not settings.rate_limit:
        return None
    return Buckets(settings.state_dir / "limits.bin", rate=settings.rate_limit, burst=settings.rate_burst)


async def _refresh_forever(metrics: Metrics) -> None:
    """Keep current what other processes of this server tell of this one."""
    while True:
        metrics.refresh()
        await asyncio.sleep(REFRESH_S)


def _note_chances(connection: Connection, metrics: Metrics) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for objective, counted in metrics.take_chances().items():
        add_chances(connection, objective, hour, counted)
    measure_objectives(connection)
