"""Every request seen from outside: an id, one line in the log, its counters, its trace."""

import asyncio
import logging
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics, find_kind
from twin.observing.context import bound, choose_request_id
from twin.observing.logs import EXTRA
from twin.observing.traces import PARENT, Span, span

CLIENT_LEFT = 499
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_LONGEST_PATH = 200
_log = logging.getLogger("api.access")


class WatchRequests:
    """Gives each request the id its client sent or a new one, answers it back, and counts and logs it at its end.

    The log has the path without its query, which may hold what nobody else should read.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = choose_request_id(headers.get("x-request-id"))
        with (
            bound({"request_id": request_id}),
            span(scope["method"], "server", headers.get(PARENT), request_id=request_id) as traced,
        ):
            await _Watched(self._metrics, scope, request_id).run(self._app, receive, send, traced)


class _Watched:
    """One request under way."""

    def __init__(self, metrics: Metrics, scope: Scope, request_id: str) -> None:
        self._metrics, self._scope, self._id = metrics, scope, request_id.encode()
        self._began, self._status, self._bytes = time.perf_counter(), 0, 0

    async def run(self, app: ASGIApp, receive: Receive, send: Send, traced: Span | None) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._id)]
            else:
                self._bytes += len(message.get("body", b""))
            await send(message)

        self._metrics.in_progress.inc()
        try:
            await app(self._scope, receive, note)
        except asyncio.CancelledError:
            self._status = self._status or CLIENT_LEFT
            raise
        finally:
            self._metrics.in_progress.dec()
            self._end(traced)

    def _end(self, traced: Span | None) -> None:
        scope, status = self._scope, self._status or 500
        seconds = time.perf_counter() - self._began
        matched = scope.get("route") or scope.get("endpoint")
        route = getattr(matched, "path", None) or "other"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.note_answer(route, method, status, seconds)
        if traced is not None:
            traced.update_name(f"{method} {route}")
            traced.set_attribute("http.route", route)
            traced.set_attribute("http.response.status_code", status)
        level = logging.DEBUG if find_kind(route) == "health" else logging.WARNING if status >= 500 else logging.INFO
        if _log.isEnabledFor(level):
            fields = {
                "method": method,
                "path": scope["path"][:_LONGEST_PATH],
                "route": route,
                "status": status,
                "ms": round(1000.0 * seconds, 1),
                "bytes": self._bytes,
                "client": scope["client"][0] if scope.get("client") else None,
            }
            words = "%s %s %d"
            _log.log(level, words, method, scope["path"][:_LONGEST_PATH], status, extra={EXTRA: fields})
