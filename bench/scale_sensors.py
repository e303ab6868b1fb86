"""Sensors that become more: storing their readings, the newest of all, the map that shows them, a reading's disk."""

import time
from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely
from pyproj import Transformer
from sqlalchemy import Engine

from bench.city import ORIGIN, fresh_database, running_workers
from bench.city_frames import CRS
from bench.client import ask
from bench.scale_point import Point, own_cluster
from layers.registry import read_vector_layer
from layers.store.engine import plain_url
from layers.store.features import upsert_features
from layers.store.mercator import HALF_WORLD
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations

DENSITY = 15.0
"""Sensors a square kilometre: a hundred thousand on the 6,700 km² of a province."""
HOURS, AT_ONCE, MOST_STORED = 48, 200_000, 2_000_000
ROUNDS = 15


def measure(size: int) -> Iterator[Point]:
    """Yield the figures of ``size`` sensors with a series each."""

    def point(metric: str, unit: str, value: float) -> Point:
        return Point("sensors", size, metric, unit, value)

    side = 1_000.0 * float(np.sqrt(size / DENSITY))
    with own_cluster() as url, fresh_database(url, "scale_sensors") as engine:
        yield point("sensors and series entered", "1/s", size / _enter(engine, size, side))
        readings, took = _store(engine, size)
        yield point("readings stored in large batches", "1/s", readings / took)
        yield point("readings stored, a message of 100 at a time", "1/s", _trickle(engine, size))
        with psycopg.connect(plain_url(engine), autocommit=True) as connection:
            connection.execute("vacuum analyze")
            disk = connection.execute(
                "select sum(pg_total_relation_size(inhrelid))::float from pg_inherits "
                "where inhparent = 'sensing.observation'::regclass"
            ).fetchone()
            assert disk is not None
            yield point("disk a reading, with indexes", "B", disk[0] / readings)
            with running_workers(plain_url(engine), cache_mb=0, workers=1) as server:
                for metric, address in (
                    ("newest of all, after a reading, p50", "/sensors/latest"),
                    ("newest in a box of 3 km, p50", f"/sensors/latest?bbox={_choose_box(side)}"),
                    ("live tile z14, p50", _choose_tile(side)),
                ):
                    spent = []
                    for _ in range(ROUNDS):
                        connection.execute(
                            "update sensing.latest set stored = clock_timestamp() where datastream = "
                            "(select fid from sensing.datastream where id = 'B-0000007-stage')"
                        )
                        spent += ask(server.port, [address], clients=1, seconds=0.0, at_least=1).times
                    yield point(metric, "ms", 1e3 * float(np.median(spent[2:])))


def _enter(engine: Engine, size: int, side: float) -> float:
    """Enter sensors and their series and return how long that took [s]."""
    rng, began = np.random.default_rng(7), time.perf_counter()
    for first in range(1, size + 1, 20_000):
        ids = [f"B-{number:07d}" for number in range(first, min(first + 20_000, size + 1))]
        frame = gpd.GeoDataFrame(
            {"id": ids, "name": [f"Trạm đo {name}" for name in ids], "kind": "stage", "alarm_1": 1.8},
            geometry=shapely.points(
                ORIGIN[0] + rng.uniform(0, side, len(ids)), ORIGIN[1] + rng.uniform(0, side, len(ids))
            ),
            crs=CRS,
        )
        series = [
            Datastream(f"{name}-stage", name, "stage", "m", f"Mực nước – {name}", f"Stage – {name}", interval_s=3600.0)
            for name in ids
        ]
        with engine.begin() as connection:
            upsert_features(connection, read_vector_layer("sensors"), frame, source_id="scale")
            upsert_datastreams(connection, series, "scale")
    return time.perf_counter() - began


def _store(engine: Engine, size: int) -> tuple[int, float]:
    """Store hourly readings and return how many there were and how long it took [s]."""
    hours = min(HOURS, max(2, MOST_STORED // size))
    names = np.array([f"B-{number:07d}-stage" for number in range(1, size + 1)])
    times = pd.date_range("2026-01-01", periods=hours, freq="h", tz="UTC")
    rng, took = np.random.default_rng(8), 0.0
    for first in range(0, size, max(1, AT_ONCE // hours)):
        own = names[first : first + max(1, AT_ONCE // hours)]
        frame = pd.DataFrame(
            {
                "datastream_id": np.repeat(own, hours),
                "phenomenon_time": np.tile(times, len(own)),
                "result": rng.normal(1.0, 0.4, len(own) * hours).round(3),
            }
        )
        began = time.perf_counter()
        with engine.begin() as connection:
            insert_observations(connection, frame)
        took += time.perf_counter() - began
    return size * hours, took


def _trickle(engine: Engine, size: int) -> float:
    """Return readings a second when a hundred are stored in a transaction, as messages bring them."""
    rng, rounds = np.random.default_rng(9), 40
    began = time.perf_counter()
    for turn in range(rounds):
        names = [f"B-{number:07d}-stage" for number in rng.choice(size, 100, replace=False) + 1]
        moment = pd.Timestamp("2026-01-10", tz="UTC") + pd.Timedelta(minutes=turn)
        frame = pd.DataFrame({"datastream_id": names, "phenomenon_time": moment, "result": rng.normal(1.0, 0.4, 100)})
        with engine.begin() as connection:
            insert_observations(connection, frame)
    return 100 * rounds / (time.perf_counter() - began)


def _choose_box(side: float) -> str:
    to_degrees = Transformer.from_crs(CRS, "OGC:CRS84", always_xy=True)
    x, y = ORIGIN[0] + side / 2.0, ORIGIN[1] + side / 2.0
    return ",".join(f"{value:.6f}" for value in to_degrees.transform_bounds(x, y, x + 3_000.0, y + 3_000.0))


def _choose_tile(side: float) -> str:
    to_mercator, width = Transformer.from_crs(CRS, "EPSG:3857", always_xy=True), 2.0 * HALF_WORLD / 2**14
    x, y = to_mercator.transform(ORIGIN[0] + side / 2.0, ORIGIN[1] + side / 2.0)
    return f"/tiles/sensors/14/{int((x + HALF_WORLD) / width)}/{int((HALF_WORLD - y) / width)}.mvt?live=true"
