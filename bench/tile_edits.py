"""How soon an edit of one feature is seen: on every connection to every process, in the next request."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench.city import Server
from bench.client import Connection
from layers.store.tiles import TileAddress

_EDITS = 40
_CONNECTIONS = 16
_PATIENCE_S = 5.0


def rows_of_edits(database: str, server: Server, tile: TileAddress) -> list[dict[str, Any]]:
    """Return how long after its commit an edit is in the answer of every process, and how many were stale at first.

    A building is given a name that its tile carries, and the tile is searched for it.
    """
    address = f"/tiles/buildings/{tile.z}/{tile.x}/{tile.y}.mvt"
    before = {pid: _count_sockets(pid) for pid in server.pids}
    connections = [Connection(server.port) for _ in range(_CONNECTIONS)]
    for connection in connections:
        connection.fetch(address)
    reached = sum(_count_sockets(pid) - before[pid] >= 1 for pid in server.pids)
    waits, stale = [], 0
    with psycopg.connect(database, autocommit=True) as writer:
        feature = writer.execute(
            "select fid from city.buildings where ST_Within(geom_3857, ST_MakeEnvelope(%s, %s, %s, %s, 3857)) limit 1",
            tile.bounds,
        ).fetchone()
        assert feature is not None
        for edit in range(_EDITS):
            name = f"Nhà sửa lần {edit}."
            writer.execute("update city.buildings set name = %s where fid = %s", [name, feature[0]])
            began = time.perf_counter()
            missing = _count_without(connections, address, name)
            stale += missing
            while missing and time.perf_counter() - began < _PATIENCE_S:
                missing = _count_without(connections, address, name)
            waits.append((time.perf_counter() - began) * 1e3)
    for connection in connections:
        connection.socket.close()
    case = f"one feature edited, {_CONNECTIONS} connections to {reached} processes"
    made = {"case": case, "peers": {}}
    return [
        {**made, "metric": "new tile on all, median", "unit": "ms", "ours": sorted(waits)[_EDITS // 2], "limit": None},
        {**made, "metric": "stale answers", "unit": f"of {_EDITS * _CONNECTIONS}", "ours": stale, "limit": None},
    ]


def _count_without(connections: Sequence[Connection], address: str, name: str) -> int:
    """Ask on all connections at once and return in how many answers ``name`` is not."""
    for connection in connections:
        connection.send(address)
    for connection in connections:
        while not connection.receive():
            pass
    return sum(name.encode() not in connection.read_body() for connection in connections)


def _count_sockets(pid: int) -> int:
    folder = Path(f"/proc/{pid}/fd")
    return sum(str(each.readlink()).startswith("socket:") for each in list(folder.iterdir()))
