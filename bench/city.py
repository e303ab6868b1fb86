"""A generated city in a database of its own, a server on it, and a way to count answers a second."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from sqlalchemy import Engine, text

from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine, plain_url
from layers.store.features import upsert_features
from layers.store.migrate import migrate

CRS = "EPSG:5897"
ORIGIN = (575_000.0, 1_103_000.0)
SIDE = 12_000.0
COUNTS = {"buildings": 60_000, "road_links": 30_000, "trees": 80_000, "luminaires": 25_000}
Fetch = Callable[[str], object]


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
    """Make database ``name`` beside ``url`` with some 200,000 features on 12 × 12 km; drop it at the end."""
    with fresh_database(url, name) as engine:
        for layer_id, frame in generate_frames().items():
            with engine.begin() as connection_:
                upsert_features(connection_, VECTOR_LAYERS[layer_id], frame, source_id="bench")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection_:
            connection_.execute(text("vacuum analyze"))
        yield plain_url(engine)


def generate_frames() -> dict[str, gpd.GeoDataFrame]:
    """Return the layers, denser towards the middle; the same every time."""
    rng = np.random.default_rng(7)

    def scatter(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        spread = np.clip(rng.normal(0.5, 0.22, (2, count)), 0.0, 1.0) * SIDE
        return ORIGIN[0] + spread[0], ORIGIN[1] + spread[1]

    frames = {}
    x, y = scatter(COUNTS["buildings"])
    wide, deep = rng.uniform(4, 18, (2, len(x)))
    use = rng.choice(["house", "shop", "office", "school", "industrial"], len(x))
    shapes = shapely.multipolygons([[box] for box in shapely.box(x, y, x + wide, y + deep)])
    frames["buildings"] = _frame("b", shapes, use=use, height=rng.uniform(3, 30, len(x)).round(1), address="Đường 30/4")
    x, y = scatter(COUNTS["road_links"])
    angle, length = rng.uniform(0, np.pi, len(x)), rng.uniform(20, 160, len(x))
    steps = np.linspace(0, 1, 5)
    wiggle = rng.normal(0, 2, (len(x), 5))
    along = np.stack([x[:, None] + np.cos(angle)[:, None] * length[:, None] * steps + wiggle,
                      y[:, None] + np.sin(angle)[:, None] * length[:, None] * steps - wiggle], axis=-1)  # fmt: skip
    kinds = rng.choice(["residential", "tertiary", "secondary", "service"], len(x))
    frames["road_links"] = _frame("r", shapely.linestrings(along), road_class=kinds, name="Đường Ninh Kiều")
    x, y = scatter(COUNTS["trees"])
    frames["trees"] = _frame("t", shapely.points(x, y), species="Dầu rái", height=rng.uniform(2, 25, len(x)).round(1))
    x, y = scatter(COUNTS["luminaires"])
    frames["luminaires"] = _frame("l", shapely.points(x, y), lamp_type="led", power=80.0)
    return frames


def _frame(prefix: str, shapes: Any, **columns: object) -> gpd.GeoDataFrame:
    geometry = gpd.GeoSeries(shapes, crs=CRS)
    return gpd.GeoDataFrame({"id": [f"{prefix}{k}" for k in range(len(geometry))], **columns}, geometry=geometry)


@contextlib.contextmanager
def running_server(database_url: str, *, cache_mb: int) -> Iterator[int]:
    """Run ``twin serve`` on ``database_url`` and give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "TWIN_DATABASE_URL": database_url, "TWIN_TILE_CACHE_MB": str(cache_mb)}
    twin = Path(sys.executable).with_name("twin")
    server = subprocess.Popen([twin, "serve", "--port", str(port)], env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until_ready(port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_until_ready(port: int) -> None:
    """Return when the server at ``port`` is ready; RuntimeError when it is not within 30 s."""
    for _ in range(150):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise RuntimeError("the server did not become ready in 30 s")


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
