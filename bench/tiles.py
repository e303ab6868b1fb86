"""Vector tiles of 460,000 features: made anew and from memory, beside tipg and beside the bare statement in pgbench.

A tile is what a map shows at a place: all layers that ours draws at its zoom. Ours gives them as one tile, the
statement joins them, and tipg, which knows tiles of one layer only, is asked once a layer. From zoom 14, where tiles
hold the features as they are, a layer a tile is compared too. Each server has two processes and eight clients. tipg
runs as it comes, on the column that needs no transformation; it cuts a tile off at 10,000 features, ours and the
statement hold all of them.
"""

import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import Transformer

from bench.city import Server, generated_city, running_workers
from bench.city_frames import COUNTS, CRS, place_crossings
from bench.client import Answers, Connection, ask
from bench.cpu import measure_cpu
from bench.environments import LeftOutError
from bench.serving_peers import run_pgbench, start_tipg
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
        with running_workers(database, cache_mb=0, workers=WORKERS) as server, ExitStack() as stack:
            tipg = start_tipg(stack, database, workers=WORKERS)
            measured = [_settle(server, asked)]
            # All run at once and are asked in turn: what else the machine does meets all.
            cold = [_measure_cold(database, server, tipg, zoom, tiles) for zoom, tiles in asked.items()]
        with running_workers(database, cache_mb=_CACHE_MB, workers=WORKERS) as server:
            warm = {}
            for zoom, tiles in asked.items():
                # Every process has to have met every tile.
                ask(server.port, _write_single(tiles), clients=CLIENTS, seconds=0.5, at_least=6 * len(tiles))
                warm[zoom] = measure(database, server, _write_single(tiles))
            unchanged = list(_measure_unchanged(database, server, asked[16]))
            edits = rows_of_edits(database, server, asked[16][0][1])
    measured += [row for whole, _ in cold for row in whole] + [row for _, single in cold for row in single]
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
        ask(server.port, _write_single(tiles), clients=CLIENTS, seconds=0.0, at_least=len(tiles))
    return _row("all of them for the first time after loading", "elapsed", "s", time.perf_counter() - began)


def _write_single(tiles: Sequence[Asked]) -> list[str]:
    """Return an address for each layer of each tile."""
    return [f"/tiles/{layer_id}/{tile.z}/{tile.x}/{tile.y}.mvt" for layer_id, tile in tiles]


def _write_whole(tiles: Sequence[Asked]) -> list[str]:
    """Return an address for each tile with all its layers."""
    return [f"/tiles/{','.join(ids)}/{tile.z}/{tile.x}/{tile.y}.mvt" for tile, ids in _group(tiles).items()]


def _group(tiles: Sequence[Asked]) -> dict[TileAddress, list[str]]:
    grouped: dict[TileAddress, list[str]] = {}
    for layer_id, tile in tiles:
        grouped.setdefault(tile, []).append(layer_id)
    return grouped


def _measure_cold(
    database: str, server: Server, tipg: Server | None, zoom: int, tiles: Sequence[Asked]
) -> tuple[list[Row], list[Row]]:
    """Return the rows of tiles with all layers, and of a layer a tile where layers are not generalised."""
    detailed = zoom >= DETAIL_ZOOM
    whole = measure(database, server, _write_whole(tiles))
    theirs = measure(database, tipg, _write_tipg(tiles)) if tipg else None
    joined = _measure_statements(database, write_whole(tiles)) if detailed else None
    count = len({layer_id for layer_id, _ in tiles})
    rows_of_whole = _compare(f"z{zoom}, {count} layers in a tile", zoom, whole, theirs, joined, parts=count)
    if not detailed:
        return rows_of_whole, []
    single = measure(database, server, _write_single(tiles))
    alone = _measure_statements(database, [write_statement(*each) for each in tiles])
    return rows_of_whole, _compare(f"z{zoom}, a layer a tile", zoom, single, theirs, alone, parts=1)


def _write_tipg(tiles: Sequence[Asked]) -> list[str]:
    return [
        f"/collections/city.{layer_id}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}?geom-column=geom_3857"
        for layer_id, tile in tiles
    ]


def _measure_statements(database: str, statements: Sequence[str]) -> Measured | None:
    """Run the bare statements in pgbench."""
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


def write_statement(layer_id: str, tile: TileAddress) -> str:
    """Return the statement of one layer of a tile."""
    columns = "".join(f', "{name}"' for name in name_columns(VECTOR_LAYERS[layer_id]))
    corners = dict(zip(("x0", "y0", "x1", "y1"), tile.bounds, strict=True))
    margin = tile.width / 64.0
    wide = {f"e{name}": value - margin if name.endswith("0") else value + margin for name, value in corners.items()}
    return _STATEMENT.format(layer=layer_id, columns=columns, **corners, **wide)


def write_whole(tiles: Sequence[Asked]) -> list[str]:
    """Return the statement of each tile with all its layers."""
    return [
        "select " + " || ".join(f"({write_statement(layer_id, tile)})" for layer_id in ids)
        for tile, ids in _group(tiles).items()
    ]


def _measure_unchanged(database: str, server: Server, tiles: Sequence[Asked]) -> Iterator[Row]:
    """Yield what a client costs that has the tile already, and what of that the database."""
    address = _write_single(tiles)[0]
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
    case: str, zoom: int, ours: Measured, tipg: Measured | None, statement: Measured | None, *, parts: int
) -> list[Row]:
    """Return rate, p50, p95 and CPU of tiles made anew, beside those of the peers.

    tipg answers ``parts`` requests for what is one tile of ours, so nothing is said of how long that takes it.
    """
    peers = {"raw_sql": statement} if statement else {}
    waits = peers | ({"tipg": tipg} if tipg and parts == 1 else {})
    rates = {name: found.answers.rate for name, found in peers.items()}
    costs = {name: found.cpu_ms for name, found in peers.items()}
    if tipg:
        rates["tipg"], costs["tipg"] = tipg.answers.rate / parts, tipg.cpu_ms * parts
    limits = [_OF_STATEMENT * rates["raw_sql"]] if statement else []
    if tipg and zoom in _BESIDE_TIPG:
        limits.append(_BESIDE_TIPG[zoom] * rates["tipg"])
    return [
        _row(case, "tiles", "1/s", ours.answers.rate, rates, max(limits, default=None)),
        *(
            _row(case, f"p{share}", "ms", ours.answers.percentile(share),
                 {name: found.answers.percentile(share) for name, found in waits.items()})
            for share in (50, 95)
        ),
        _row(case, "CPU a tile", "ms", ours.cpu_ms, costs),
    ]  # fmt: skip


def _row(
    case: str, metric: str, unit: str, ours: float, peers: dict[str, float] | None = None, limit: float | None = None
) -> Row:
    return {"case": case, "metric": metric, "unit": unit, "ours": ours, "peers": peers or {}, "limit": limit}
