"""Vector tiles of 460,000 features: made anew and from memory, beside tipg and beside the bare statement in pgbench.

A request asks for one tile of one layer, the same of both servers, each with two processes and eight clients. Only
layers that ours draws at a zoom are asked for at that zoom. tipg runs as it comes, on the column that needs no
transformation; it cuts a tile off at 10,000 features, ours and the statement hold all of them.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import Transformer

from bench.city import Server, generated_city, running_workers
from bench.city_frames import COUNTS, CRS, place_crossings
from bench.client import Answers, Connection, ask
from bench.cpu import measure_cpu
from bench.environments import LeftOutError
from bench.serving_peers import MAX_SCRIPTS, run_pgbench, running_tipg
from bench.tile_edits import rows_of_edits
from layers.registry import VECTOR_LAYERS
from layers.store.tiles import DETAIL_ZOOM, HALF_WORLD, TileAddress, name_columns

ZOOMS = range(10, 17)
CLIENTS = 8
WORKERS = 2
WARM_RATE = 2000.0 * WORKERS
_SECONDS = 3.0
_TILES = 30
_CACHE_MB = 1024
# What the issue asks for: times tipg at z12, times tipg and a share of the bare statement from z14.
_BESIDE_TIPG = {12: 50.0, 14: 3.0, 15: 3.0, 16: 3.0}
_OF_STATEMENT = 0.85

# The same content as our tile of a layer that is not generalised: id and the attributes the style needs.
_STATEMENT = (
    "select ST_AsMVT(part, '{layer}', 4096, 'shape', 'fid') from (select fid, id{columns}, ST_AsMVTGeom(geom_3857, "
    "ST_MakeEnvelope({x0!r}, {y0!r}, {x1!r}, {y1!r}, 3857), 4096, 64, true) as shape from city.{layer} "
    "where geom_3857 && ST_MakeEnvelope({ex0!r}, {ey0!r}, {ex1!r}, {ey1!r}, 3857)) part where shape is not null"
)
Row = dict[str, Any]
Asked = tuple[str, TileAddress]


@dataclass(slots=True)
class Measured:
    """What a server did: its answers, and CPU of server and database together an answer [ms]."""

    answers: Answers
    cpu_ms: float


def rows(url: str) -> list[Row]:
    """Return the rows of this bench."""
    with generated_city(url, "bench_tiles") as database:
        asked = {zoom: choose_tiles(zoom) for zoom in ZOOMS}
        with running_workers(database, cache_mb=0, workers=WORKERS) as server:
            settled = _settle(server, asked)
            cold = {zoom: measure(database, server, _write_ours(tiles)) for zoom, tiles in asked.items()}
        with running_workers(database, cache_mb=_CACHE_MB, workers=WORKERS) as server:
            warm = {}
            for zoom, tiles in asked.items():
                # Every process has to have met every tile.
                ask(server.port, _write_ours(tiles), clients=CLIENTS, seconds=0.5, at_least=6 * len(tiles))
                warm[zoom] = measure(database, server, _write_ours(tiles))
            unchanged = list(_measure_unchanged(database, server, asked[16]))
            edits = rows_of_edits(database, server, asked[16][0][1])
        tipg = _measure_tipg(database, asked)
        statement = {zoom: _measure_statement(database, asked[zoom]) for zoom in ZOOMS if zoom >= DETAIL_ZOOM}
    measured = [settled]
    for zoom in ZOOMS:
        measured += _compare(zoom, asked[zoom], cold[zoom], tipg.get(zoom), statement.get(zoom))
    for zoom in ZOOMS:
        case = f"z{zoom}, from memory"
        measured += [
            _row(case, "tiles", "1/s", warm[zoom].answers.rate, limit=WARM_RATE),
            _row(case, "p95", "ms", warm[zoom].answers.percentile(95)),
            _row(case, "CPU a tile", "ms", warm[zoom].cpu_ms),
        ]
    return [*measured, *unchanged, *edits]


def choose_tiles(zoom: int) -> list[Asked]:
    """Return layers and tiles where streets are, the denser the more often looked at; the same every time."""
    nodes = place_crossings(np.random.default_rng(7))
    x, y = Transformer.from_crs(CRS, 3857, always_xy=True).transform(nodes[:, 0], nodes[:, 1])
    width = TileAddress(zoom, 0, 0).width
    rng = random.Random(zoom)
    found: dict[TileAddress, None] = {}
    for place in rng.sample(range(len(nodes)), 2000):
        found[TileAddress(zoom, int((x[place] + HALF_WORLD) / width), int((HALF_WORLD - y[place]) / width))] = None
        if len(found) == _TILES:
            break
    layers = [layer_id for layer_id in COUNTS if VECTOR_LAYERS[layer_id].min_zoom <= zoom]
    return [(layer_id, tile) for tile in found for layer_id in layers]


def measure(database: str, server: Server, addresses: Sequence[str], *, headers: str = "") -> Measured:
    """Ask for ``addresses`` for some seconds and at least once each client."""
    found: list[Answers] = []

    def work() -> None:
        found.append(
            ask(server.port, addresses, clients=CLIENTS, seconds=_SECONDS, headers=headers, at_least=2 * CLIENTS)
        )

    cpu = measure_cpu(database, server.pids, work)
    return Measured(found[0], cpu / found[0].count * 1e3)


def _settle(server: Server, asked: dict[int, list[Asked]]) -> Row:
    """Ask for every tile once, so that what is made on first use is there; return how long that took."""
    began = time.perf_counter()
    for tiles in asked.values():
        ask(server.port, _write_ours(tiles), clients=CLIENTS, seconds=0.0, at_least=len(tiles))
    return _row("all of them for the first time after loading", "elapsed", "s", time.perf_counter() - began)


def _write_ours(tiles: Sequence[Asked]) -> list[str]:
    return [f"/tiles/{layer_id}/{tile.z}/{tile.x}/{tile.y}.mvt" for layer_id, tile in tiles]


def _measure_tipg(database: str, asked: dict[int, list[Asked]]) -> dict[int, Measured]:
    try:
        with running_tipg(database, workers=WORKERS) as server:
            return {
                zoom: measure(
                    database,
                    server,
                    [
                        f"/collections/city.{layer_id}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}"
                        "?geom-column=geom_3857"
                        for layer_id, tile in tiles
                    ],
                )
                for zoom, tiles in asked.items()
            }
    except LeftOutError as why:
        sys.stderr.write(f"tiles bench: tipg is left out: {why}\n")
        return {}


def _measure_statement(database: str, tiles: Sequence[Asked]) -> Measured | None:
    """Run the bare statements of at most so many tiles as pgbench takes."""
    statements = [_write_statement(layer_id, tile) for layer_id, tile in tiles[:MAX_SCRIPTS]]
    found: list[Answers] = []

    def work() -> None:
        done = run_pgbench(database, statements, clients=CLIENTS, seconds=int(_SECONDS))
        found.append(Answers(done.count, done.count / done.rate, [each / 1e3 for each in done.times]))

    try:
        cpu = measure_cpu(database, (), work)
    except LeftOutError as why:
        sys.stderr.write(f"tiles bench: the bare statement is left out: {why}\n")
        return None
    return Measured(found[0], cpu / found[0].count * 1e3)


def _write_statement(layer_id: str, tile: TileAddress) -> str:
    columns = "".join(f', "{name}"' for name in name_columns(VECTOR_LAYERS[layer_id]))
    corners = dict(zip(("x0", "y0", "x1", "y1"), tile.bounds, strict=True))
    margin = tile.width / 64.0
    wide = {f"e{name}": value - margin if name.endswith("0") else value + margin for name, value in corners.items()}
    return _STATEMENT.format(layer=layer_id, columns=columns, **corners, **wide)


def _measure_unchanged(database: str, server: Server, tiles: Sequence[Asked]) -> Iterator[Row]:
    """Yield what a client costs that has the tile already, and what of that the database."""
    address = _write_ours(tiles)[0]
    connection = Connection(server.port)
    connection.fetch(address)
    header = f"if-none-match: {connection.read_etag()}\r\n"
    connection.socket.close()
    found = measure(database, server, [address], headers=header)
    yield _row("z16, unchanged (304)", "answers", "1/s", found.answers.rate, limit=WARM_RATE)
    yield _row("z16, unchanged (304)", "p95", "ms", found.answers.percentile(95))
    yield _row("z16, unchanged (304)", "CPU an answer", "ms", found.cpu_ms)
    of_database = measure(database, Server(server.port, ()), [address], headers=header)
    yield _row("z16, unchanged (304)", "CPU an answer, database", "ms", of_database.cpu_ms)


def _compare(
    zoom: int, tiles: Sequence[Asked], ours: Measured, tipg: Measured | None, statement: Measured | None
) -> list[Row]:
    """Return rate, p50, p95 and CPU of tiles made anew, beside those of the peers."""
    case = f"z{zoom}, {len({layer_id for layer_id, _ in tiles})} layers, made anew"
    peers = {name: found for name, found in (("tipg", tipg), ("raw_sql", statement)) if found}

    def compare(metric: str, unit: str, read: Callable[[Measured], float], limit: float | None = None) -> Row:
        return _row(case, metric, unit, read(ours), {name: read(found) for name, found in peers.items()}, limit)

    limits = []
    if tipg and zoom in _BESIDE_TIPG:
        limits.append(_BESIDE_TIPG[zoom] * tipg.answers.rate)
    if statement:
        limits.append(_OF_STATEMENT * statement.answers.rate)
    return [
        compare("tiles", "1/s", lambda found: found.answers.rate, max(limits, default=None)),
        compare("p50", "ms", lambda found: found.answers.percentile(50)),
        compare("p95", "ms", lambda found: found.answers.percentile(95)),
        compare("CPU a tile", "ms", lambda found: found.cpu_ms),
    ]


def _row(
    case: str, metric: str, unit: str, ours: float, peers: dict[str, float] | None = None, limit: float | None = None
) -> Row:
    return {"case": case, "metric": metric, "unit": unit, "ours": ours, "peers": peers or {}, "limit": limit}
