"""A wire between the clients and a twin, on which every request is noted."""

import contextlib
import re
import socket
import threading
from urllib.parse import unquote_plus, urlsplit

_REQUEST = re.compile(rb"(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (\S+) HTTP/1\.[01]\r\n")


class Wire:
    """A server on a port of its own that passes everything on and keeps the request lines."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._lock = threading.Lock()
        self._lines: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self) -> None:
        """Begin a new list."""
        with self._lock:
            self._lines.clear()

    def list_requests(self) -> list[str]:
        """Return method and address of every request since the last ``forget``, with escapes undone."""
        with self._lock:
            return list(self._lines)

    def _accept(self) -> None:
        while True:
            near, _ = self._listening.accept()
            far = socket.create_connection(self._target)
            threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, asked: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if asked:
                    found = [f"{m[1].decode()} {unquote_plus(m[2].decode())}" for m in _REQUEST.finditer(data)]
                    with self._lock:
                        self._lines += found
                target.sendall(data)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
