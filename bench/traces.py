"""Traces of a network of 300,000 nodes and 350,000 links beside networkx, rustworkx, igraph and pgRouting; over HTTP.

Links are those of a street grid: a random spanning tree and 50,001 more. Drawn downhill to one outfall they are the
sewer, undirected they are the water network with a valve on every fifth node. An engine whose answer differs from ours
is an error, not a figure.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from bench.environments import LeftOutError, Peer, prepare_environment
from bench.flood_peers import run_process
from bench.traces_http import has_pgrouting
from bench.traces_http import rows as http_rows

Row = dict[str, Any]

ROWS, COLS, LINKS = 500, 600, 350_000
RUSTWORKX = Peer("rustworkx", "bench.peers.graph_rustworkx", "rustworkx==0.18.1 numpy==2.4.6")
IGRAPH = Peer("igraph", "bench.peers.graph_igraph", "igraph==1.0.0 numpy==2.4.6")
# Seconds: that an answer over HTTP stays under 50 ms leaves this to the engine; the build goes with every edit.
LIMITS = {"build": 0.1, "upstream of everything": 0.05, "downstream": 0.05, "all valve segments": 0.05}


def rows(url: str) -> list[Row]:
    """Return a row for each task: our time [s], the peers' and the limit; then those over HTTP, a city at ``url``."""
    network = make_network()
    with tempfile.TemporaryDirectory(prefix="twin-traces-") as folder:
        case = {"file": str(Path(folder) / "network.npz"), "url": url}
        np.savez(case["file"], **network)  # type: ignore[arg-type]
        ours = run_process(Path(sys.executable), "bench.traces_ours", case)
        peers = {"networkx": run_process(Path(sys.executable), "bench.peers.graph_networkx", case)}
        for peer in (RUSTWORKX, IGRAPH):
            try:
                peers[peer.name] = run_process(prepare_environment(peer), peer.script, case)
            except LeftOutError as why:
                sys.stderr.write(f"traces bench: {peer.name} is left out: {why}\n")
        if has_pgrouting(url):
            peers["pgRouting"] = run_process(Path(sys.executable), "bench.peers.graph_pgrouting", case)
        else:
            sys.stderr.write("traces bench: pgRouting is left out: the database server does not have it\n")
    for rival, told in peers.items():
        for name, each in told.items():
            if each["answer"] != ours[name]["answer"]:
                raise SystemExit(f"traces bench: {rival} answers another thing than we do for '{name}'")
    size = f"{ROWS * COLS:,} nodes, {LINKS:,} links"
    engines = [
        {
            "case": size,
            "metric": name,
            "unit": "s",
            "ours": each["time"],
            "peers": {peer: told[name]["time"] for peer, told in peers.items() if name in told},
            "limit": LIMITS.get(name),
        }
        for name, each in ours.items()
    ]
    return engines + http_rows(url, network, COLS, size)


def make_network() -> dict[str, np.ndarray]:
    """Return the arrays of the case, as ``bench.peers.graph_case`` names them."""
    chance = np.random.default_rng(20)
    node = np.arange(ROWS * COLS).reshape(ROWS, COLS)
    a = np.concatenate((node[:, :-1].ravel(), node[:-1].ravel()))
    b = np.concatenate((node[:, 1:].ravel(), node[1:].ravel()))
    tree = minimum_spanning_tree(csr_array((chance.random(a.size) + 0.1, (a, b)), shape=(node.size,) * 2)).tocoo()
    in_tree = np.isin(a * node.size + b, tree.row.astype(np.int64) * node.size + tree.col)
    more = chance.choice(np.flatnonzero(~in_tree), LINKS - (node.size - 1), replace=False)
    kept = np.sort(np.append(np.flatnonzero(in_tree), more))
    a, b = a[kept], b[kept]
    order, _ = breadth_first_order(csr_array((np.ones(a.size), (a, b)), shape=(node.size,) * 2), 0, directed=False)
    height = np.empty(node.size, np.int64)
    height[order] = np.arange(node.size)
    down = height[a] > height[b]
    return {
        "starts": np.where(down, a, b).astype(np.int32),
        "ends": np.where(down, b, a).astype(np.int32),
        "weights": chance.uniform(20.0, 120.0, a.size),
        "valves": chance.random(node.size) < 0.2,
        "outfall": np.array(0),
        "top": order[-1:].reshape(()),
        "broken": chance.choice(a.size, 100, replace=False),
    }
