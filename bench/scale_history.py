"""Past versions of a layer: what the past of a tile, a page and an item costs, and parting with the oldest of them."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import psycopg

from bench.city import fresh_database, running_workers
from bench.client import ask
from bench.scale_features import LAYER, choose_boxes, choose_tiles, fill_layer
from bench.scale_point import Point, own_cluster
from layers.store.engine import plain_url

VERSIONS = 10
"""Past versions of every feature, a month each."""
ASKED = 10
_PAST = """
insert into history.buildings (fid, id, source_id, name, use, height, geom, valid_from, valid_to, recorded_from,
    recorded_to)
select fid, id, source_id, name || ' ' || n, use, height, geom, timestamptz '2025-01-01' + (n - 1) * interval '30 days',
    timestamptz '2025-01-01' + n * interval '30 days', timestamptz '2025-01-01' + (n - 1) * interval '30 days',
    timestamptz '2025-01-01' + n * interval '30 days'
from city.buildings, generate_series(1, %(versions)s) n where fid between %(first)s and %(last)s
"""
_THEN = "2025-05-11T00:00:00Z"


def measure(size: int) -> Iterator[Point]:
    """Yield the figures of ``size`` past versions of a tenth as many features."""

    def point(metric: str, unit: str, value: float) -> Point:
        return Point("history", size, metric, unit, value)

    features = max(1, size // VERSIONS)
    side = 1_000.0 * float(np.sqrt(features / 1_500.0))
    with own_cluster() as url, fresh_database(url, "scale_history") as engine:
        fill_layer(engine, features, side)
        with psycopg.connect(plain_url(engine), autocommit=True) as connection:
            lowest = connection.execute(f"select min(fid) from city.{LAYER}").fetchone()
            assert lowest is not None
            # Without the triggers, which let nobody write into the past.
            connection.execute("set session_replication_role = replica")
            connection.execute(f"update city.{LAYER} set valid_from = '2025-11-01', recorded_from = '2025-11-01'")
            for first in range(lowest[0], lowest[0] + features, 50_000):
                connection.execute(_PAST, {"versions": VERSIONS, "first": first, "last": first + 49_999})
            yield point("vacuum and statistics", "s", _time(lambda: connection.execute("vacuum analyze")))
            disk = connection.execute(f"select pg_total_relation_size('history.{LAYER}')::float").fetchone()
            assert disk is not None
            yield point("disk a version, with indexes", "B", disk[0] / size)
            with running_workers(plain_url(engine), cache_mb=0, workers=1) as server:
                path = f"/api/collections/{LAYER}/items"
                for metric, asked in (
                    ("tile z14 of the past, p50", [f"{one}?datetime={_THEN}" for one in choose_tiles(14, side)]),
                    ("tile z16 of the past, p50", [f"{one}?datetime={_THEN}" for one in choose_tiles(16, side)]),
                    ("box of 300 m of the past, p50",
                     [f"{path}?datetime={_THEN}&bbox={box}" for box in choose_boxes(side)]),
                    ("item of the past, p50", [f"{path}/g{n * features // 50}?datetime={_THEN}" for n in range(50)]),
                    ("versions of an item, p50", [f"{path}/g{n * features // 50}/versions" for n in range(50)]),
                ):  # fmt: skip
                    answers = ask(server.port, asked, clients=1, seconds=0.0, at_least=ASKED)
                    yield point(metric, "ms", answers.percentile(50))
            gone = _time(lambda: connection.execute(f"delete from history.{LAYER} where recorded_to <= '2025-02-01'"))
            yield point("a tenth deleted", "s", gone)
            yield point("vacuum after it", "s", _time(lambda: connection.execute(f"vacuum history.{LAYER}")))


def _time(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
