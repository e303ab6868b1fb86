"""Item pages and queries a second: over HTTP, beside tipg, beside the same in SQL, and pages by OFFSET with a count."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import psycopg
from pyproj import Transformer

from api.parameters import write_cursor
from bench.city import (
    ORIGIN,
    SIDE,
    Fetch,
    Server,
    count_per_second,
    generated_city,
    open_http,
    running_server,
    running_workers,
)
from bench.city_frames import CRS
from bench.client import Answers, ask
from bench.cpu import measure_cpu
from bench.queries import rows_of_queries
from bench.serving_peers import start_tipg
from layers.store.query.ordering import Position

CLIENTS = 4
PAGE = 100
_LARGE, _LARGE_CLIENTS, _WORKERS, _SECONDS = 1000, 8, 2, 3.0
_LARGE_LAYERS = ("trees", "buildings")
# What the issue asks for.
_BESIDE_TIPG = 5.0
_COLUMNS = "name, address, use, storeys, height, ground_elevation, floor_elevation, year_built, residents, ward_code"
_KEYSET = (
    f"select fid, id, {_COLUMNS}, ST_AsGeoJSON(ST_Transform(geom, 4326), 7) from city.buildings "
    "where fid > %(at)s order by fid limit 101"
)
_OFFSET = (
    f"select id, {_COLUMNS}, ST_AsGeoJSON(ST_Transform(geom, 4326), 7), (select count(*) from city.buildings) "
    "from city.buildings order by id limit 100 offset %(at)s"
)
_BOX = (
    f"select fid, id, {_COLUMNS}, ST_AsGeoJSON(ST_Transform(geom, 4326), 7) from city.buildings where ST_Intersects("
    "geom_3857, ST_Transform(ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 4326), 3857)) order by fid limit 101"
)


def rows(url: str) -> list[dict[str, Any]]:
    """Return the rows of this bench."""
    with generated_city(url, "bench_features") as database:
        return [*_rows_of_large_pages(database), *_rows_of_pages(database)]


def _rows_of_large_pages(database: str) -> list[dict[str, Any]]:
    """Return rate, p95 and CPU of pages of 1,000, without and with a box, beside tipg as it comes."""
    boxes = _choose_boxes(40, side=4000.0)
    ours, tipg = {}, {}
    # Both run at once and are asked in turn: what else the machine does meets both.
    with running_workers(database, cache_mb=0, workers=_WORKERS) as server, ExitStack() as stack:
        peer_server = start_tipg(stack, database, workers=_WORKERS)
        for layer_id in _LARGE_LAYERS:
            path = f"/api/collections/{layer_id}/items?limit={_LARGE}"
            theirs = f"/collections/city.{layer_id}/items?limit={_LARGE}&geom-column=geom"
            for boxed in (False, True):
                ends = [f"&bbox={box}" for box in boxes] if boxed else [""]
                ours[layer_id, boxed] = _measure(database, server, [path + end for end in ends])
                if peer_server:
                    tipg[layer_id, boxed] = _measure(database, peer_server, [theirs + end for end in ends])
    measured = []
    for (layer_id, boxed), (answers, cpu_ms) in ours.items():
        case = f"{layer_id}, pages of 1,000" + (" in a box of 4 km" if boxed else "")
        peer = tipg.get((layer_id, boxed))
        for metric, unit, own, other, limit in (
            ("pages", "1/s", answers.rate, peer and peer[0].rate, peer and _BESIDE_TIPG * peer[0].rate),
            ("p95", "ms", answers.percentile(95), peer and peer[0].percentile(95), None),
            ("CPU a page", "ms", cpu_ms, peer and peer[1], None),
        ):
            peers = {"tipg": other} if other else {}
            measured.append({"case": case, "metric": metric, "unit": unit, "ours": own, "peers": peers, "limit": limit})
    return measured


def _measure(database: str, server: Server, addresses: list[str]) -> tuple[Answers, float]:
    """Return the answers to ``addresses``, and CPU of server and database an answer [ms]."""
    found: list[Answers] = []

    def work() -> None:
        found.append(ask(server.port, addresses, clients=_LARGE_CLIENTS, seconds=_SECONDS, at_least=_LARGE_CLIENTS))

    cpu = measure_cpu(database, server.pids, work)
    return found[0], cpu / found[0].count * 1e3


def _rows_of_pages(database: str) -> list[dict[str, Any]]:
    with running_server(database, cache_mb=0) as port:
        path = "/api/collections/buildings/items"
        starts = [str(number) for number in range(0, 55_000, 1100)]
        first_key = _read_first_key(database)
        pages = [
            f"{path}?limit={PAGE}&cursor={write_cursor('buildings', Position((), first_key + int(start)))}"
            for start in starts
        ]
        boxes = _choose_boxes(60)
        asked = [f"{path}?limit={PAGE}&bbox={box}" for box in boxes]
        return [
            {
                "case": "buildings, pages of 100",
                "metric": "pages",
                "unit": "1/s",
                "ours": count_per_second(open_http(port), pages, clients=CLIENTS, rounds=2),
                "peers": {
                    "raw_sql": count_per_second(_open(database, _KEYSET, _at), starts, clients=CLIENTS, rounds=2),
                    "offset_and_count": count_per_second(
                        _open(database, _OFFSET, _at), starts, clients=CLIENTS, rounds=1
                    ),
                },
                "limit": None,
            },
            {
                "case": "buildings in a box of 300 m",
                "metric": "pages",
                "unit": "1/s",
                "ours": count_per_second(open_http(port), asked, clients=CLIENTS, rounds=3),
                "peers": {
                    "raw_sql": count_per_second(_open(database, _BOX, _corners), boxes, clients=CLIENTS, rounds=3)
                },
                "limit": None,
            },
            *rows_of_queries(database, port),
        ]


def _at(start: str) -> dict[str, float]:
    return {"at": int(start)}


def _corners(box: str) -> dict[str, float]:
    return dict(zip("wsen", (float(part) for part in box.split(",")), strict=True))


def _open(database: str, query: str, read: Callable[[str], dict[str, float]]) -> Callable[[], Fetch]:
    def open_fetch() -> Fetch:
        connection = psycopg.connect(database, autocommit=True)

        def fetch(address: str) -> None:
            connection.execute(query, read(address)).fetchall()

        return fetch

    return open_fetch


def _read_first_key(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("select min(fid) - 1 from city.buildings").fetchone()
    return int(row[0]) if row else 0


def _choose_boxes(count: int, *, side: float = 300.0) -> list[str]:
    to_degrees = Transformer.from_crs(CRS, 4326, always_xy=True)
    rng = random.Random(3)
    boxes = []
    for _ in range(count):
        x, y = (start + rng.uniform(0.2, 0.8) * SIDE for start in ORIGIN)
        west, south = to_degrees.transform(x, y)
        east, north = to_degrees.transform(x + side, y + side)
        boxes.append(f"{west:.6f},{south:.6f},{east:.6f},{north:.6f}")
    return boxes
