"""What the server counts for Prometheus: requests by route and status, their time, and the tile cache."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.cache import TileCache

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "twin_requests", "Requests answered", ("route", "method", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "twin_request_seconds", "Time to answer [s]", ("route",), buckets=_BUCKETS, registry=self.registry
        )

    def watch_cache(self, name: str, cache: TileCache) -> None:
        """Report hits, misses and bytes of ``cache`` under ``name``."""
        for field, read in (
            ("hits", lambda: cache.hits),
            ("misses", lambda: cache.misses),
            ("bytes", lambda: cache.used),
        ):
            gauge = Gauge(f"twin_{name}_cache_{field}", f"{name} cache: {field}", registry=self.registry)
            gauge.set_function(read)

    def write(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        return generate_latest(self.registry)


class CountRequests:
    """Counts every request by the pattern of its route, never by its path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            matched = scope.get("route") or scope.get("endpoint")
            route = getattr(matched, "path", None) or "other"
            method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "DELETE", "OPTIONS") else "other"
            self._metrics.requests.labels(route, method, status).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - began)
