"""What one server counts for Prometheus, and how the counts of several processes of one server become one.

Started with several processes, each writes its counters into a file of a common folder (multiprocess mode of
prometheus-client); whichever is asked adds them up.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from api.cache import CachedTile, TileCache
from twin.observing.objectives import TILE_S
from twin.store_observing import Counted

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, TILE_S, 0.5, 1.0, 2.5, 5.0, 10.0)
_KINDS = (
    ("/tiles/", "tile"),
    ("/esri/rest/services/twin/VectorTileServer/tile", "tile"),
    ("/api/collections/{collection_id}/tiles", "tile"),
    ("/wms", "picture"),
    ("/wmts", "picture"),
    ("/api/maps", "picture"),
    ("/rasters", "picture"),
    ("/sta", "sensing"),
    ("/sensors", "sensing"),
    ("/telemetry", "sensing"),
    ("/state", "sensing"),
    ("/api/processes", "process"),
    ("/api/jobs", "process"),
    ("/api/runs", "process"),
    ("/alarms", "warning"),
    ("/cap", "warning"),
    ("/api", "features"),
    ("/esri", "features"),
    ("/healthz", "health"),
    ("/readyz", "health"),
    ("/metrics", "health"),
)


@lru_cache(maxsize=1024)
def find_kind(route: str) -> str:
    """Return what kind of request the pattern of a route is: one of few words."""
    return next((kind for start, kind in _KINDS if route.startswith(start)), "other")


class Metrics:
    """The counters of one process of a server."""

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self.registry = CollectorRegistry()
        self.requests = self._count("twin_requests", "Requests answered", "kind", "route", "method", "status")
        self.seconds = Histogram(
            "twin_request_duration_seconds", "Time to answer [s]", ("kind", "route", "method"),
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.in_progress = Gauge(
            "twin_requests_in_progress", "Requests being answered", multiprocess_mode="livesum", registry=self.registry
        )
        self.made = Histogram(
            "twin_tile_make_duration_seconds", "Time to make a tile or picture that was in no cache [s]", ("cache",),
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.sql = Histogram(
            "twin_tile_sql_duration_seconds", "Time the database took for a tile [s]",
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.truncated = self._count("twin_tiles_truncated", "Tiles made that leave features out")
        self.refused = self._count("twin_requests_refused", "Requests refused to protect others", "reason")
        self._pools = Gauge(
            "twin_pool_connections", "Connections of the server to the database", ("pool", "state"),
            multiprocess_mode="livesum", registry=self.registry,
        )  # fmt: skip
        self._cache_hits = self._count("twin_cache_hits", "Tiles and pictures that were ready", "cache")
        self._cache_misses = self._count("twin_cache_misses", "Tiles and pictures that had to be made", "cache")
        self._cache_bytes = Gauge(
            "twin_cache_bytes", "Memory of ready tiles and pictures [B]", ("cache",),
            multiprocess_mode="livesum", registry=self.registry,
        )  # fmt: skip
        self._readers: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._tiles, self._answers = Counted(0, 0), Counted(0, 0)
        self._taken: dict[str, Counted] = {}

    def _count(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self.registry)

    def watch_cache(self, name: str, cache: TileCache) -> None:
        """Report hits, misses and bytes of ``cache`` under ``name``."""
        seen = [0, 0]

        def note_made(seconds: float, tile: CachedTile) -> None:
            self.made.labels(name).observe(seconds)
            if tile.truncated:
                self.truncated.inc()

        def read() -> None:
            hits, misses = cache.hits, cache.misses
            self._cache_hits.labels(name).inc(hits - seen[0])
            self._cache_misses.labels(name).inc(misses - seen[1])
            seen[:] = hits, misses
            self._cache_bytes.labels(name).set(cache.used)

        cache.note_made = note_made
        self._readers.append(read)

    def watch_pool(self, name: str, read_states: Callable[[], dict[str, int]]) -> None:
        """Report how many connections of a pool are in which state."""

        def read() -> None:
            for state, count in read_states().items():
                self._pools.labels(name, state).set(count)

        self._readers.append(read)

    def note_answer(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer by the pattern of its route, never by its path."""
        kind = find_kind(route)
        self.requests.labels(kind, route, method, str(status)).inc()
        self.seconds.labels(kind, route, method).observe(seconds)
        if kind != "health":
            self._answers = _add(self._answers, status < 500)
        if kind == "tile":
            self._tiles = _add(self._tiles, status < 500 and seconds <= TILE_S)

    def take_chances(self) -> dict[str, Counted]:
        """Return what was counted for the objectives since the last call."""
        # The sums only grow and one thread alone adds to them, so that none is lost to who looks.
        sums = {"tiles": self._tiles, "availability": self._answers}
        taken = {name: _subtract(counted, self._taken.get(name, Counted(0, 0))) for name, counted in sums.items()}
        self._taken = sums
        return {name: counted for name, counted in taken.items() if counted.total}

    def refresh(self) -> None:
        """Bring what is read and not counted up to date."""
        with self._lock:
            for read in self._readers:
                read()

    def write(self) -> bytes:
        """Return everything in the text format of Prometheus, of all processes of this server."""
        self.refresh()
        if self._shared is None:
            return generate_latest(self.registry)
        _forget_dead(self._shared)
        joined = CollectorRegistry()
        MultiProcessCollector(joined, path=str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(joined)

    def close(self) -> None:
        """Take what this process has in use out of the sums."""
        if self._shared is not None:
            _leave(os.getpid(), self._shared)


def _add(counted: Counted, good: bool) -> Counted:
    return Counted(counted.good + good, counted.total + 1)


def _subtract(counted: Counted, earlier: Counted) -> Counted:
    return Counted(counted.good - earlier.good, counted.total - earlier.total)


def _forget_dead(folder: Path) -> None:
    """Take what processes that died had in use out of the sums; what they counted stays."""
    pids = {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*_*.db")}
    for pid in pids:
        if not Path(f"/proc/{pid}").exists():
            with suppress(OSError):
                _leave(pid, folder)


def _leave(pid: int, folder: Path) -> None:
    mark_process_dead(pid, path=str(folder))  # type: ignore[no-untyped-call]
