"""A lean HTTP client: many kept-alive connections on one thread, raw sockets, every answer timed.

It costs some 30 to 60 µs an answer, so that on few cores it is the server that is measured.
"""

import gzip
import itertools
import re
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_ETAG = re.compile(rb"\r\netag: *([^\r]+)", re.IGNORECASE)
_GZIP = re.compile(rb"\r\ncontent-encoding: *gzip", re.IGNORECASE)
_BODILESS = (b"204", b"304")
_END = b"0\r\n\r\n"
_PIECE = 1 << 18
_PATIENCE_S = 120.0


@dataclass(slots=True)
class Answers:
    """What came: how many answers in how long [s], and how long each took [s]."""

    count: int
    elapsed: float
    times: list[float] = field(repr=False)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.count / self.elapsed

    def percentile(self, share: float) -> float:
        """Return the time [ms] within which ``share`` [%] of the answers came."""
        return float(np.percentile(self.times, share)) * 1e3


class Connection:
    """One kept-alive connection: a request at a time, sent at once and read as it comes.

    Bodies are counted and thrown away where they are not to be kept.
    """

    def __init__(self, port: int, headers: str = "", *, keep: bool = True) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tail = f" HTTP/1.1\r\nhost: 127.0.0.1\r\naccept-encoding: gzip\r\n{headers}\r\n".encode()
        self._keep, self._buffer = keep, memoryview(bytearray(_PIECE))
        self._received, self._head, self._last = bytearray(), b"", b""
        self._size, self._whole = 0, -1
        self.sent = 0.0
        self.address = ""

    def send(self, address: str) -> None:
        """Ask for ``address``."""
        self._received, self._size, self._whole, self.address = bytearray(), 0, -1, address
        self.sent = time.perf_counter()
        self.socket.sendall(b"GET " + address.encode() + self._tail)

    def receive(self) -> bool:
        """Take what has come; return whether the answer is whole. RuntimeError for an answer that is an error."""
        size = self.socket.recv_into(self._buffer)
        if not size:
            raise RuntimeError(f"{self.address}: the connection was closed")
        self._size += size
        if self._keep or self._whole < 0:
            self._received += self._buffer[:size]
        if self._whole < 0 and not self._read_head():
            return False
        if self._whole == 0:
            self._last = (self._last + bytes(self._buffer[max(0, size - len(_END)) : size]))[-len(_END) :]
            return self._last == _END
        return self._size >= self._whole

    def fetch(self, address: str) -> bytes:
        """Return the bytes of the answer to ``address``, head included."""
        self.send(address)
        while not self.receive():
            pass
        return bytes(self._received)

    def read_etag(self) -> str:
        """Return the ETag of the last answer, or nothing."""
        found = _ETAG.search(self._head)
        return found.group(1).decode() if found else ""

    def read_body(self) -> bytes:
        """Return the body of the last answer, unpacked."""
        body = bytes(self._received[len(self._head) + 2 :])
        return gzip.decompress(body) if _GZIP.search(self._head) else body

    def _read_head(self) -> bool:
        """Learn from the head, once it is there, how long the answer is; 0 stands for pieces of unknown length."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        self._head = bytes(self._received[: end + 2])
        status = self._head[9:12]
        if status >= b"400":
            raise RuntimeError(f"{self.address}: {self._head[:200]!r}")
        if status in _BODILESS:
            self._whole = end + 4
        elif found := _LENGTH.search(self._head):
            self._whole = end + 4 + int(found.group(1))
        elif _CHUNKED.search(self._head):
            self._whole = 0
        else:
            raise RuntimeError(f"{self.address}: an answer of unknown length")
        return True


def ask(
    port: int, addresses: Sequence[str], *, clients: int, seconds: float, headers: str = "", at_least: int = 0
) -> Answers:
    """Ask for ``addresses`` in turn on ``clients`` connections for ``seconds``, or until ``at_least`` answers came."""
    opened = [Connection(port, headers, keep=False) for _ in range(clients)]
    turn = itertools.cycle(addresses)
    times: list[float] = []
    with selectors.DefaultSelector() as waiting:
        for connection in opened:
            waiting.register(connection.socket, selectors.EVENT_READ, connection)
        began = time.perf_counter()
        for connection in opened:
            connection.send(next(turn))
        under_way = len(opened)
        while under_way:
            for key, _ in waiting.select(timeout=_PATIENCE_S):
                connection = key.data
                if not connection.receive():
                    continue
                now = time.perf_counter()
                times.append(now - connection.sent)
                if now - began < seconds or len(times) + under_way <= at_least:
                    connection.send(next(turn))
                else:
                    under_way -= 1
        elapsed = time.perf_counter() - began
    for connection in opened:
        connection.socket.close()
    return Answers(len(times), elapsed, times)
