"""A city of sensors for measuring: 5,000 with hourly readings of a day, one of them of a year, and what runs on it."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Engine, text

from bench.city import ORIGIN, SIDE, fresh_database, wait_until_ready
from bench.city_frames import CRS
from layers.registry import read_vector_layer
from layers.store.engine import plain_url
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations
from twin.sensors.broker import Broker, await_broker, build_command, name_broker, prepare_broker

SENSORS = 5_000
YEAR = "B-00001-stage"
WRITTEN = 1_000
"""Series that the measured writes go to: the first so many."""


@dataclass(frozen=True, slots=True)
class SensorCity:
    """The database, the HTTP server's port and process, and the folder of everything."""

    url: str
    port: int
    server: int
    folder: Path


def name_series(number: int) -> str:
    """Return the id of the series of sensor ``number``, from 1."""
    return f"B-{number:05d}-stage"


@contextlib.contextmanager
def sensor_city(url: str, name: str) -> Iterator[SensorCity]:
    """Make database ``name`` beside ``url`` with its sensors and run ``twin serve`` on it; drop it at the end."""
    with fresh_database(url, name) as engine:
        fill_sensors(engine)
        with tempfile.TemporaryDirectory(prefix="twin-bench-") as folder:
            Path(folder).chmod(0o755)
            with _running(plain_url(engine), Path(folder)) as city:
                yield city


def fill_sensors(engine: Engine) -> None:
    """Write the sensors, their series and readings; the same every time."""
    rng = np.random.default_rng(7)
    ids = [f"B-{number:05d}" for number in range(1, SENSORS + 1)]
    frame = gpd.GeoDataFrame(
        {"id": ids, "name": [f"Trạm đo {name}" for name in ids], "kind": "stage", "alarm_1": 1.8, "alarm_2": 1.9},
        geometry=shapely.points(ORIGIN[0] + rng.uniform(0, SIDE, SENSORS), ORIGIN[1] + rng.uniform(0, SIDE, SENSORS)),
        crs=CRS,
    )
    series = [
        Datastream(f"{name}-stage", name, "stage", "m", f"Mực nước – {name}", f"Stage – {name}", interval_s=3600.0)
        for name in ids
    ]
    with engine.begin() as connection:
        upsert_features(connection, read_vector_layer("sensors"), frame, source_id="bench")
        upsert_datastreams(connection, series, "bench")
    day = pd.date_range("2026-01-01", periods=24, freq="h", tz="UTC")
    year = pd.date_range("2025-01-01", periods=8_760, freq="h", tz="UTC")
    for times, names in ((day, [one.id for one in series]), (year, [YEAR])):
        frame_ = pd.DataFrame(
            {
                "datastream_id": np.repeat(names, len(times)),
                "phenomenon_time": np.tile(times, len(names)),
                "result": rng.normal(1.0, 0.4, len(names) * len(times)).round(3),
            }
        )
        with engine.begin() as connection:
            insert_observations(connection, frame_)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


@contextlib.contextmanager
def _running(database_url: str, folder: Path) -> Iterator[SensorCity]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "twin", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=_surround(database_url, folder), stdout=subprocess.DEVNULL)
    try:
        wait_until_ready(port)
        yield SensorCity(database_url, port, server.pid, folder)
    finally:
        server.terminate()
        server.wait(timeout=20)


@contextlib.contextmanager
def running_ingest(city: SensorCity) -> Iterator[tuple[Broker, int]]:
    """Run a broker and ``twin sensors ingest``; give where the broker is and the process of the ingest."""
    folder = name_broker(city.folder)
    broker = prepare_broker(folder, 25_883)
    serving = subprocess.Popen(build_command(folder), stderr=subprocess.DEVNULL)
    try:
        await_broker(broker, serving)
        ingest = subprocess.Popen(
            [sys.executable, "-m", "twin", "sensors", "ingest"],
            env=_surround(city.url, city.folder), stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield broker, ingest.pid
        finally:
            ingest.terminate()
            ingest.wait(timeout=20)
    finally:
        serving.terminate()
        serving.wait(timeout=20)


def _surround(database_url: str, folder: Path) -> dict[str, str]:
    return {**os.environ, "TWIN_DATABASE_URL": database_url, "TWIN_RUN_DIR": str(folder), "TWIN_TILE_CACHE_MB": "0"}
