"""A generated city in a database of its own, a server on it, and a way to count answers a second."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import Engine, text

from bench.city_frames import CRS, generate_frames
from bench.cpu import list_family
from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine, plain_url
from layers.store.features import upsert_features
from layers.store.migrate import migrate

ORIGIN = (575_000.0, 1_103_000.0)
SIDE = 12_000.0
Fetch = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, and its processes."""

    port: int
    pids: tuple[int, ...]


@contextlib.contextmanager
def fresh_database(url: str, name: str) -> Iterator[Engine]:
    """Make and migrate database ``name`` beside ``url``; drop it at the end."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')
        connection.execute(f'create database "{name}"')
    engine = open_engine(f"{url.rsplit('/', 1)[0]}/{name}")
    try:
        migrate(engine, "bench", CRS, {"id": "bench", "crs": CRS})
        yield engine
    finally:
        engine.dispose()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'drop database if exists "{name}" with (force)')


@contextlib.contextmanager
def generated_city(url: str, name: str) -> Iterator[str]:
    """Make database ``name`` beside ``url`` with 460,000 features around Can Tho; drop it at the end."""
    with fresh_database(url, name) as engine:
        for layer_id, frame in generate_frames().items():
            with engine.begin() as connection_:
                upsert_features(connection_, VECTOR_LAYERS[layer_id], frame, source_id="bench")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection_:
            connection_.execute(text("vacuum analyze"))
        yield plain_url(engine)


@contextlib.contextmanager
def running_server(database_url: str, *, cache_mb: int) -> Iterator[int]:
    """Run ``twin serve`` on ``database_url`` and give its port."""
    with running_workers(database_url, cache_mb=cache_mb, workers=1) as server:
        yield server.port


@contextlib.contextmanager
def running_workers(database_url: str, *, cache_mb: int, workers: int) -> Iterator[Server]:
    """Run ``twin serve`` with so many ``workers`` on ``database_url``."""
    port = find_free_port()
    environment = {**os.environ, "TWIN_DATABASE_URL": database_url, "TWIN_TILE_CACHE_MB": str(cache_mb)}
    twin = Path(sys.executable).with_name("twin")
    words = [str(twin), "serve", "--port", str(port), "--workers", str(workers)]
    server = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until_ready(port)
        yield Server(port, list_family(server.pid))
    finally:
        stop_server(server)


def stop_server(server: "subprocess.Popen[bytes]") -> None:
    """Ask a server to stop, and end it and its processes where it does not."""
    family = list_family(server.pid)
    server.terminate()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        server.wait()


def find_free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(port: int, address: str = "/readyz", *, within_s: float = 90.0) -> None:
    """Return when the server at ``port`` answers ``address``; RuntimeError when it does not within ``within_s`` [s]."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", address)
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the server did not become ready in {within_s:.0f} s")


def count_per_second(open_fetch: Callable[[], Fetch], addresses: Sequence[str], *, clients: int, rounds: int) -> float:
    """Return answers a second when ``clients`` threads share ``rounds`` passes over ``addresses``."""
    waiting = list(addresses) * rounds
    lock = threading.Lock()

    def work() -> None:
        fetch = open_fetch()
        while True:
            with lock:
                if not waiting:
                    return
                address = waiting.pop()
            fetch(address)

    for address in addresses[:4]:
        open_fetch()(address)
    threads = [threading.Thread(target=work) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(addresses) * rounds / (time.perf_counter() - began)


def open_http(port: int, headers: dict[str, str] | None = None) -> Callable[[], Fetch]:
    """Return how a client of its own kept-alive connection is opened."""

    def open_fetch() -> Fetch:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        sent = {"accept-encoding": "gzip", **(headers or {})}

        def fetch(address: str) -> bytes:
            connection.request("GET", address, headers=sent)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{address}: {answer.status} {body[:200]!r}")
            return body

        return fetch

    return open_fetch
