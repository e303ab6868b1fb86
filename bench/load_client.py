"""An HTTP client for many users on one event loop: a kept-alive connection, one request at a time, every one tallied.

It costs some 100 µs of CPU a request, so that on few cores it is the server that is measured.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

import httptools

from bench.load_tally import UNANSWERED, Tally

PATIENCE_S = 30.0
AFTER_FAILURE_S = 0.5
"""How long somebody waits before the next try when nobody answered."""


class Answer(NamedTuple):
    """Status (``UNANSWERED`` without an answer), headers by lower-case name, and body."""

    status: int
    headers: dict[str, str]
    body: bytes


NOTHING = Answer(UNANSWERED, {}, b"")


class Client:
    """One user's connection to ``127.0.0.1``: opened when it is needed, again when it was lost."""

    def __init__(self, port: int, tally: Tally, headers: Mapping[str, str] | None = None) -> None:
        self._port, self._tally = port, tally
        self._headers = {"host": f"127.0.0.1:{port}", "accept-encoding": "gzip", **(headers or {})}
        self._wire: _Wire | None = None

    async def ask(
        self, kind: str, address: str, *, headers: Mapping[str, str] | None = None, keep: bool = False
    ) -> Answer:
        """GET ``address`` and tally it as ``kind``; the body is thrown away unless it is to be kept."""
        return await self._exchange(kind, "GET", address, headers or {}, b"", keep=keep)

    async def send(
        self, kind: str, method: str, address: str, body: bytes, *, headers: Mapping[str, str], keep: bool = False
    ) -> Answer:
        """Send ``body`` and tally it as ``kind``."""
        return await self._exchange(kind, method, address, headers, body, keep=keep)

    async def listen(self, kind: str, address: str) -> None:
        """Follow a stream until it ends; what is tallied is the time until it began."""
        began = time.perf_counter()
        wire, status = None, UNANSWERED
        try:
            async with asyncio.timeout(PATIENCE_S):
                wire = await self._open()
                wire.write(_write_request("GET", address, {**self._headers, "accept": "text/event-stream"}, b""))
                status = await wire.begun
            self._tally.record(kind, status, time.perf_counter() - began)
            await wire.ended
        except (OSError, TimeoutError):
            # A stream that began and ended is begun again.
            if status == UNANSWERED:
                self._tally.record(kind, UNANSWERED, time.perf_counter() - began)
            else:
                self._tally.record(f"{kind}, broken off", UNANSWERED, time.perf_counter() - began)
            await asyncio.sleep(AFTER_FAILURE_S)
        finally:
            if wire is not None:
                wire.close()

    def close(self) -> None:
        """Close the connection."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    async def _exchange(
        self, kind: str, method: str, address: str, headers: Mapping[str, str], body: bytes, *, keep: bool
    ) -> Answer:
        began, answer = time.perf_counter(), NOTHING
        request = _write_request(method, address, {**self._headers, **headers}, body)
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._try(request, keep=keep, again=method == "GET")
        self._tally.record(kind, answer.status, time.perf_counter() - began)
        if answer.status == UNANSWERED:
            self.close()
            await asyncio.sleep(AFTER_FAILURE_S)
        return answer

    async def _try(self, request: bytes, *, keep: bool, again: bool) -> Answer:
        """Send ``request``; a kept connection that the server has just closed is opened anew where ``again`` allows."""
        kept = self._wire is not None and not self._wire.closed
        wire = self._wire = self._wire if self._wire is not None and kept else await self._open()
        wire.expect(keep=keep)
        wire.write(request)
        try:
            return await wire.ended
        except OSError:
            if not (again and kept and not wire.begun.done()):
                raise
            self._wire = None
            return await self._try(request, keep=keep, again=False)

    async def _open(self) -> "_Wire":
        _, wire = await asyncio.get_running_loop().create_connection(_Wire, "127.0.0.1", self._port)
        wire.expect(keep=False)
        return wire


def _write_request(method: str, address: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {address} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body or method != "GET":
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Wire(asyncio.Protocol):
    """The bytes of one connection, read by the parser that servers use."""

    def __init__(self) -> None:
        self.closed = False

    def expect(self, *, keep: bool) -> None:
        """Make ready for the next answer."""
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[int] = loop.create_future()
        self.ended: asyncio.Future[Answer] = loop.create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._keep, self._last, self._said, self._body = keep, False, dict[str, str](), bytearray()

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def close(self) -> None:
        self.closed = True
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._transport.abort()
            self._fail(ConnectionError(f"not an answer: {error}"))

    def connection_lost(self, reason: Exception | None) -> None:
        self.closed = True
        self._fail(reason if isinstance(reason, OSError) else ConnectionError("the connection was closed"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._said[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if not self.begun.done():
            self.begun.set_result(self._parser.get_status_code())

    def on_body(self, piece: bytes) -> None:
        if self._keep:
            self._body += piece

    def on_message_complete(self) -> None:
        # A server that closes says so before it does.
        self.closed = self.closed or not self._parser.should_keep_alive()
        if not self.ended.done():
            self.ended.set_result(Answer(self._parser.get_status_code(), self._said, bytes(self._body)))

    def _fail(self, reason: Exception) -> None:
        for waiting in (self.ended, self.begun):
            if not waiting.done():
                waiting.set_exception(reason)
                # Nobody may be waiting for it.
                waiting.exception()
