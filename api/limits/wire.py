"""The server's end of a connection: heads that come whole and in time, bodies that keep coming, readers that read.

Who opens connections and says nothing, or sends a byte now and then, holds them for so long and no longer; where there
are too many, the one that has been idle for the longest goes, so that a new request is still heard.
"""

import asyncio
import resource
import socket
import time
from asyncio import TimerHandle
from functools import cache
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.errors import answer_problem

HEAD_WITHIN_S = 10.0
HEAD_BYTES, ADDRESS_BYTES = 64 * 1024, 32 * 1024
BODY_STALLED_S = 30.0
UNREAD_MS = 30_000
"""How long what was sent may lie unread with who asked."""
MOST_CONNECTIONS, SPARE_FILES = 4096, 256
"""Connections a process holds at most, and files it keeps for everything else."""


@cache
def count_connections() -> int:
    """Return how many connections a process may hold: as many files as the system lets it open, less its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(SPARE_FILES, min(MOST_CONNECTIONS, soft - SPARE_FILES))


class BoundedProtocol(HttpToolsProtocol):
    """An HTTP connection with bounds on what a client may leave undone."""

    head_within_s, body_stalled_s = HEAD_WITHIN_S, BODY_STALLED_S

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timer: TimerHandle | None = None
        self._in_head, self._has_begun, self._head_bytes = True, False, 0
        self.idle_since = time.monotonic()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being answered here."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take up a connection; make room for it where there is none."""
        if len(self.connections) >= count_connections():
            self._close_idlest()
        super().connection_made(transport)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
        self._wait(self.head_within_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that is too long or does not end is refused."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """Begin a head, of which the first byte is here."""
        self._has_begun = True
        self._wait(self.head_within_s)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer; from now on it is the body that must not stall."""
        self._in_head = False
        self._wait(self.body_stalled_s)
        given = self.app
        if len(self.url) > ADDRESS_BYTES:
            self.app = _refuse_address
        elif sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self.app = _refuse_head
        super().on_headers_complete()
        self.app = given

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        super().on_body(body)
        self._wait(self.body_stalled_s)

    def on_message_complete(self) -> None:
        """All of the request is here: the rest is up to us."""
        self._in_head, self._has_begun, self._head_bytes = True, False, 0
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Be idle until the next request."""
        self.idle_since = time.monotonic()
        super().on_response_complete()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        # In two steps: a process that was busy for so long reads what came meanwhile between the one and the other.
        self._timer = self.loop.call_later(seconds / 2.0, self._wait_on, seconds / 2.0)

    def _wait_on(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        """End a connection whose request does not come; who reads its body hears of it."""
        if self.flow.read_paused:
            # It is we who did not read on.
            self._wait(self.body_stalled_s)
        elif self._in_head and self._has_begun:
            self._refuse(b"408 Request Timeout")
        else:
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        """Close with a word, unless another answer is being written."""
        if self.is_idle and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    def _close_idlest(self) -> None:
        idle = [one for one in self.connections if isinstance(one, BoundedProtocol) and one.is_idle]
        if idle:
            min(idle, key=lambda one: one.idle_since).transport.close()


async def _refuse_address(scope: Scope, receive: Receive, send: Send) -> None:
    said = f"the address has more than {ADDRESS_BYTES:,} bytes"
    hint = "send a long filter by POST: a saved query, or /stac/search"
    await answer_problem("too-long", 414, said, hint=hint)(scope, receive, send)


async def _refuse_head(scope: Scope, receive: Receive, send: Send) -> None:
    said = f"the header fields have more than {HEAD_BYTES:,} bytes"
    await answer_problem("too-large", 431, said)(scope, receive, send)
