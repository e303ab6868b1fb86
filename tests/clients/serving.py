"""A twin of its own for the clients, and a wire between them and it on which every request is noted."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus, urlsplit

from tests.conftest import ROOT

READY_WITHIN_S = 900.0
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


@contextlib.contextmanager
def serve_demo() -> Iterator[str]:
    """Start database, demo city, first forecast, worker and server, and give the address; nothing is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="twin-clients-"))
    folder.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "TWIN_RUN_DIR": f"{folder}/run",
        "TWIN_DATA_DIR": f"{folder}/data",
        "TWIN_PORT": str(port),
        "TWIN_LOOP_MINUTES": "0",
        "TWIN_CALLBACK_HOSTS": "127.0.0.1",
    }
    log = folder / "up.log"
    with log.open("wb") as out:
        twin = subprocess.Popen(
            [sys.executable, "-m", "twin", "up"], stdout=out, stderr=out, cwd=ROOT, env={**os.environ, **settings}
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while address not in log.read_text(errors="replace"):
            if twin.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"twin up did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.5)
        yield address
    finally:
        twin.send_signal(signal.SIGINT)
        try:
            twin.wait(60)
        except subprocess.TimeoutExpired:
            twin.kill()
        shutil.rmtree(folder, ignore_errors=True)
