"""A layer that grows at the density of a province: what an import, a tile, a page, an edit and the disk cost then."""

import asyncio
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import psycopg
import shapely
from pyproj import Transformer
from sqlalchemy import Engine

from bench.city import fresh_database, running_workers
from bench.city_frames import CENTRE, CRS
from bench.client import ask
from bench.scale_point import Point, own_cluster
from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.store.engine import plain_url
from layers.store.mercator import HALF_WORLD
from layers.store.overviews import refresh_overviews

DENSITY = 1_500.0
"""Features a square kilometre: ten million on the 6,700 km² of a province."""
AT_ONCE, IMPORTED, ASKED, EDITS = 200_000, 20_000, 40, 50
LAYER = "buildings"
_FILL = """
insert into city.buildings (id, source_id, name, use, height, geom)
select 'g' || n, 'scale', 'Nhà ' || n, (array['house', 'shop', 'office', 'school'])[1 + n %% 4], 3 + n %% 20,
    ST_Multi(ST_MakeEnvelope(x, y, x + 12, y + 9, 5897))
from (select n, %(x)s + %(side)s * random() as x, %(y)s + %(side)s * random() as y
    from generate_series(%(first)s::bigint, %(last)s::bigint) n) placed
"""


def measure(size: int) -> Iterator[Point]:
    """Yield the figures of a layer of ``size`` features."""

    def point(metric: str, unit: str, value: float) -> Point:
        return Point("features", size, metric, unit, value)

    side = 1_000.0 * math.sqrt(size / DENSITY)
    with own_cluster() as url, fresh_database(url, "scale_features") as engine:
        yield point("written by one statement after another", "1/s", size / fill_layer(engine, size, side))
        yield point("import of a file of 20,000 more", "1/s", IMPORTED / _import(engine, side))
        yield point("overviews drawn", "s", _time(lambda: asyncio.run(refresh_overviews(plain_url(engine)))))
        with psycopg.connect(plain_url(engine), autocommit=True) as connection:
            yield point("vacuum and statistics", "s", _time(lambda: connection.execute(f"vacuum analyze city.{LAYER}")))
            yield point("all indexes built anew", "s", _time(lambda: connection.execute(f"reindex table city.{LAYER}")))
            disk = connection.execute(f"select pg_total_relation_size('city.{LAYER}')::float").fetchone()
            assert disk is not None
            yield point("disk a feature, with indexes", "B", disk[0] / (size + IMPORTED))
            yield point("one edit, p50", "ms", _edit(connection, size))
        with running_workers(plain_url(engine), cache_mb=0, workers=1) as server:
            for zoom in (12, 14, 16):
                answers = ask(server.port, choose_tiles(zoom, side), clients=1, seconds=0.0, at_least=ASKED)
                yield point(f"tile z{zoom} made anew, p50", "ms", answers.percentile(50))
                yield point(f"tile z{zoom} made anew, p95", "ms", answers.percentile(95))
            path = f"/api/collections/{LAYER}/items"
            for metric, asked in (
                ("page of 1,000, p50", [f"{path}?limit=1000"]),
                ("page of a box of 300 m, p50", [f"{path}?limit=1000&bbox={box}" for box in choose_boxes(side)]),
                ("count of all, p50", [f"{path}?limit=1&count=true&use=shop"]),
            ):
                rounds = 5 if metric.startswith("count") else ASKED
                answers = ask(server.port, asked, clients=1, seconds=0.0, at_least=rounds)
                yield point(metric, "ms", answers.percentile(50))


def fill_layer(engine: Engine, size: int, side: float) -> float:
    """Write ``size`` features and return how long that took [s]."""
    began = time.perf_counter()
    with psycopg.connect(plain_url(engine), autocommit=True) as connection:
        connection.execute("select setseed(0.5)")
        for first in range(0, size, AT_ONCE):
            last = min(size, first + AT_ONCE) - 1
            connection.execute(_FILL, {"x": CENTRE[0], "y": CENTRE[1], "side": side, "first": first, "last": last})
    return time.perf_counter() - began


def _import(engine: Engine, side: float) -> float:
    """Import a file as an operator does and return how long that took [s]."""
    rng = np.random.default_rng(3)
    x, y = CENTRE[0] + rng.uniform(0, side, IMPORTED), CENTRE[1] + rng.uniform(0, side, IMPORTED)
    frame = gpd.GeoDataFrame(
        {"id": [f"i{number}" for number in range(IMPORTED)], "name": "Nhà mới", "use": "house", "height": 6.0},
        geometry=shapely.box(x, y, x + 10.0, y + 8.0),
        crs=CRS,
    )
    with tempfile.TemporaryDirectory() as folder:
        frame.to_file(Path(folder) / "more.gpkg")
        source = Source(
            id="more", uri="more.gpkg", layer=LAYER, title=Words(vi="Thêm", en="More"), licence="", attribution=""
        )
        return _time(lambda: load_source(engine, source, Path(folder)))


def _edit(connection: psycopg.Connection, size: int) -> float:
    """Return the median time of giving one feature another name, with its history [ms]."""
    rng = np.random.default_rng(5)
    ids = iter(rng.integers(0, size, EDITS).tolist())

    def edit() -> None:
        connection.execute(f"update city.{LAYER} set name = 'Nhà sửa' where id = %s", [f"g{next(ids)}"])

    return 1e3 * float(np.median([_time(edit) for _ in range(EDITS)]))


def choose_tiles(zoom: int, side: float) -> list[str]:
    rng, to_mercator = np.random.default_rng(zoom), Transformer.from_crs(CRS, "EPSG:3857", always_xy=True)
    width = 2.0 * HALF_WORLD / 2**zoom
    x, y = to_mercator.transform(CENTRE[0] + rng.uniform(0, side, ASKED), CENTRE[1] + rng.uniform(0, side, ASKED))
    columns, rows = ((x + HALF_WORLD) / width).astype(int), ((HALF_WORLD - y) / width).astype(int)
    return [f"/tiles/{LAYER}/{zoom}/{column}/{row}.mvt" for column, row in zip(columns, rows, strict=True)]


def choose_boxes(side: float) -> list[str]:
    rng, to_degrees = np.random.default_rng(1), Transformer.from_crs(CRS, "OGC:CRS84", always_xy=True)
    corners = zip(rng.uniform(0, side, ASKED), rng.uniform(0, side, ASKED), strict=True)
    boxes = [to_degrees.transform_bounds(x, y, x + 300.0, y + 300.0) for x, y in (
        (CENTRE[0] + dx, CENTRE[1] + dy) for dx, dy in corners
    )]  # fmt: skip
    return [",".join(f"{value:.6f}" for value in box) for box in boxes]


def _time(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes [s]."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
