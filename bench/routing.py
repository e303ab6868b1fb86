"""Cheapest ways beside networkx, rustworkx, igraph, scipy and routingkit-cch, on the same arcs with the same costs.

The networks are the streets of Porto Alegre, where the real test data are at hand, and a made-up city of about 100,000
nodes. Figures are CPU seconds of one core. An engine whose answer differs from ours is an error, not a figure.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.environments import LeftOutError, Peer, prepare_environment
from bench.flood_peers import run_process
from bench.peers.path_case import AREA, MATRIX, ONE
from bench.routing_city import Arrays, find_streets, make_city, read_streets
from network.paths import ENGINES

Row = dict[str, Any]
Told = dict[str, dict[str, Any]]

PEERS = (
    Peer("scipy", "bench.peers.path_scipy", "scipy==1.17.1 numpy==2.4.6"),
    Peer("rustworkx", "bench.peers.path_rustworkx", "rustworkx==0.18.1 numpy==2.4.6"),
    Peer("igraph", "bench.peers.path_igraph", "igraph==1.0.0 numpy==2.4.6"),
    Peer("networkx", "bench.peers.path_networkx", "networkx==3.6.1 numpy==2.4.6"),
    Peer("routingkit-cch", "bench.peers.path_routingkit", "routingkit-cch==0.1.4 numpy==2.4.6"),
)
PAIRS, ORIGINS, POINTS, CLOSED = 1000, 20, 500, 200
QUARTER_HOUR = 900.0
_REWEIGHT_S = 0.03 / 100_000
# It counts whole tenths of milliseconds: that makes seconds of some hundred arcs, and nodes at the edge of an area.
_ROUNDED = {"routingkit-cch": {ONE: 0.05, AREA: 5.0, MATRIX: 0.05}}


def rows() -> list[Row]:
    """Return a row for each network, engine of ours and question: our CPU seconds, the peers' and the limit."""
    cities = {"made-up city": make_city()}
    streets = find_streets()
    if streets is None:
        sys.stderr.write("routing bench: Porto Alegre is left out: its file is absent (see TWIN_TEST_DATA)\n")
    else:
        cities = {"Porto Alegre": read_streets(streets), **cities}
    return [row for name, city in cities.items() for row in _compare(name, city)]


def _compare(name: str, city: Arrays) -> list[Row]:
    size, arcs = city["xy"].shape[0], city["tails"].size
    chance = np.random.default_rng(1)
    asked = {
        "pairs": chance.integers(0, size, (PAIRS, 2)),
        "origins": chance.choice(size, ORIGINS, replace=False),
        "points": chance.choice(size, POINTS, replace=False),
        "closed": chance.choice(arcs, CLOSED, replace=False),
        "limit": np.array(QUARTER_HOUR),
    }
    with tempfile.TemporaryDirectory(prefix="twin-routing-") as folder:
        ours: dict[str, Told] = {}
        peers: dict[str, Told] = {}
        for engine in ENGINES:
            case = {"file": str(Path(folder) / f"{engine}.npz")}
            np.savez(case["file"], **city, **asked, engine=np.array(engine))  # type: ignore[arg-type]
            ours[engine] = run_process(Path(sys.executable), "bench.routing_ours", case)
        for peer in PEERS:
            try:
                peers[peer.name] = run_process(prepare_environment(peer), peer.script, case)
            except LeftOutError as why:
                sys.stderr.write(f"routing bench: {peer.name} is left out: {why}\n")
    for rival, told in {"our dijkstra": ours["dijkstra"], **peers}.items():
        _check(rival, ours["cch"], told, name)
    limits = {"re-weight": _REWEIGHT_S * size}
    return [
        {
            "case": f"{name}, {size:,} nodes, {arcs:,} arcs: {engine}",
            "metric": question,
            "unit": "s",
            "ours": each["time"],
            "peers": {peer: told[question]["time"] for peer, told in peers.items() if question in told},
            "limit": limits.get(question),
        }
        for engine, answers in ours.items()
        for question, each in answers.items()
    ]


def _check(rival: str, ours: Told, theirs: Told, city: str) -> None:
    """End the bench where one who was asked the same says another thing, within the bits of a sum."""
    for question, told in theirs.items():
        size = min(len(told["answers"]), len(ours[question]["answers"]))
        here, there = ours[question]["answers"][:size], told["answers"][:size]
        if not np.allclose(here, there, rtol=1e-9, atol=_ROUNDED.get(rival, {}).get(question, 0.0)):
            raise SystemExit(f"routing bench: {rival} answers another thing than we do for '{question}' in {city}")
