"""Item pages and queries a second: over HTTP, beside the same in SQL, and pages by OFFSET with a count."""

import random
from collections.abc import Callable
from typing import Any

import psycopg
from pyproj import Transformer

from api.parameters import write_cursor
from bench.city import CRS, ORIGIN, SIDE, Fetch, count_per_second, generated_city, open_http, running_server
from bench.queries import rows_of_queries
from layers.store.query.ordering import Position

CLIENTS = 4
PAGE = 100
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
    with generated_city(url, "bench_features") as database, running_server(database, cache_mb=0) as port:
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


def _choose_boxes(count: int) -> list[str]:
    to_degrees = Transformer.from_crs(CRS, 4326, always_xy=True)
    rng = random.Random(3)
    boxes = []
    for _ in range(count):
        x, y = (start + rng.uniform(0.2, 0.8) * SIDE for start in ORIGIN)
        west, south = to_degrees.transform(x, y)
        east, north = to_degrees.transform(x + 300.0, y + 300.0)
        boxes.append(f"{west:.6f},{south:.6f},{east:.6f},{north:.6f}")
    return boxes
