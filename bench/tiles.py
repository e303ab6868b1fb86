"""Vector tiles a second: over HTTP, beside the same statements alone and beside a transformation a row."""

import http.client
import random
from collections.abc import Callable
from typing import Any

import psycopg
from pyproj import Transformer

from bench.city import CRS, ORIGIN, SIDE, Fetch, count_per_second, generated_city, open_http, running_server
from layers.registry import VECTOR_LAYERS
from layers.store.tiles import DETAIL_ZOOM, HALF_WORLD, TileAddress, build_tile_query, name_columns

CLIENTS = 4
CASES = {
    13: ("buildings", "road_links"),
    14: ("buildings", "road_links"),
    15: ("buildings", "road_links", "trees", "luminaires"),
    16: ("buildings", "road_links", "trees", "luminaires"),
}
SAMPLE = {13: 12, 14: 40, 15: 80, 16: 160}

# What a tile server writes that keeps one geometry column in the data's CRS and sends all columns.
_PER_ROW = (
    "select ST_AsMVT(part, 'default', 4096, 'shape') from (select {columns}, "
    "ST_AsMVTGeom(ST_Transform(geom, 3857), ST_TileEnvelope(%(z)s, %(x)s, %(y)s), 4096, 64, true) as shape "
    "from city.{layer} where geom && ST_Transform(ST_TileEnvelope(%(z)s, %(x)s, %(y)s), {srid})) part"
)


def rows(url: str) -> list[dict[str, Any]]:
    """Return the rows of this bench."""
    measured: list[dict[str, Any]] = []
    with generated_city(url, "bench_tiles") as database:
        addresses = {zoom: _choose(zoom) for zoom in CASES}
        with running_server(database, cache_mb=0) as port:
            for zoom, layers in CASES.items():
                chosen = addresses[zoom]
                asked = [f"/tiles/{','.join(layers)}/{address}.mvt" for address in chosen]
                rounds = 2 if zoom < 15 else 3
                measured.append(
                    {
                        "case": f"z{zoom}, {len(layers)} layers, made anew",
                        "metric": "tiles",
                        "unit": "1/s",
                        "ours": count_per_second(open_http(port), asked, clients=CLIENTS, rounds=rounds),
                        "peers": {
                            "raw_sql": count_per_second(
                                _open_ours(database, layers), chosen, clients=CLIENTS, rounds=rounds
                            ),
                            "transform_per_row": count_per_second(
                                _open_per_row(database, layers), chosen, clients=CLIENTS, rounds=1
                            ),
                        },
                        "limit": None,
                    }
                )
        with running_server(database, cache_mb=256) as port:
            asked = [f"/tiles/{','.join(CASES[16])}/{address}.mvt" for address in addresses[16]]
            count_per_second(open_http(port), asked, clients=CLIENTS, rounds=1)
            for case, headers in (("from memory", None), ("unchanged (304)", _read_etag(port, asked[0]))):
                chosen = asked if headers is None else asked[:1] * len(asked)
                rate = count_per_second(open_http(port, headers), chosen, clients=CLIENTS, rounds=10)
                measured.append(_row(f"z16, 4 layers, {case}", rate))
    return measured


def _row(case: str, rate: float) -> dict[str, Any]:
    return {"case": case, "metric": "tiles", "unit": "1/s", "ours": rate, "peers": {}, "limit": None}


def _read_etag(port: int, address: str) -> dict[str, str]:
    """Return the header of a client that has the tile already."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", address)
    return {"if-none-match": connection.getresponse().getheader("etag", "")}


def _choose(zoom: int) -> list[str]:
    """Return addresses of tiles spread over the generated city, the same every time."""
    to_mercator = Transformer.from_crs(CRS, 3857, always_xy=True)
    rng = random.Random(zoom)
    width = TileAddress(zoom, 0, 0).width
    found: dict[str, None] = {}
    for _ in range(SAMPLE[zoom] * 20):
        east, north = (start + rng.uniform(0.15, 0.85) * SIDE for start in ORIGIN)
        x, y = to_mercator.transform(east, north)
        found[f"{zoom}/{int((x + HALF_WORLD) / width)}/{int((HALF_WORLD - y) / width)}"] = None
    return list(found)[: SAMPLE[zoom]]


def _open_ours(database: str, layers: tuple[str, ...]) -> Callable[[], Fetch]:
    def open_fetch() -> Fetch:
        connection = psycopg.connect(database, autocommit=True)

        def fetch(address: str) -> None:
            tile = TileAddress(*(int(part) for part in address.split("/")))
            parameters = dict(zip(("x0", "y0", "x1", "y1"), tile.bounds, strict=True))
            parameters |= {"width": tile.width, "pixel": tile.width / 512, "budget": 50_001}
            for layer_id in layers:
                layer = VECTOR_LAYERS[layer_id]
                query = build_tile_query(layer.id, layer.geometry, name_columns(layer), (), tile.z >= DETAIL_ZOOM)
                connection.execute(query, parameters, prepare=True, binary=True).fetchone()

        return fetch

    return open_fetch


def _open_per_row(database: str, layers: tuple[str, ...]) -> Callable[[], Fetch]:
    def open_fetch() -> Fetch:
        connection = psycopg.connect(database, autocommit=True)

        def fetch(address: str) -> None:
            parameters = dict(zip(("z", "x", "y"), (int(part) for part in address.split("/")), strict=True))
            for layer_id in layers:
                columns = ", ".join(["id", *(prop.name for prop in VECTOR_LAYERS[layer_id].properties)])
                query = _PER_ROW.format(layer=layer_id, columns=columns, srid=CRS.removeprefix("EPSG:"))
                connection.execute(query, parameters, prepare=True, binary=True).fetchone()

        return fetch

    return open_fetch
