"""Water on roads: what a new depth map costs, from the raster in memory to a router that answers with it.

The peer is what one would write with pandas: a group-by over the same samples for the deepest and the mean water of
each stretch, then the same speeds. Both must agree before a time is shown.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import shapely

from bench.routing_city import make_city
from layers.grid import Grid
from network.flooded_roads import EdgeSamples, find_closed, flood_speeds, read_cells, read_depths, sample_edges
from network.paths import build_router
from network.road_times import compute_times, free_speeds
from network.roads import EVERY_MODE, RoadGraph, Values, build_road_graph

CELL, REPEATS = 30.0, 9
_LIMIT_S = 0.03 / 100_000
"""Seconds a junction: 30 ms for 100,000."""

Row = dict[str, Any]


def rows() -> list[Row]:
    """Return a row for the pass over the depth map and for each engine that takes its costs up, CPU seconds."""
    graph, samples, grid = _lay_streets()
    depth = np.maximum(np.random.default_rng(3).normal(-0.2, 0.3, grid.shape), 0.0).astype(np.float32)
    free = free_speeds(graph, "motorbike")

    def weigh() -> Values:
        return _weigh(graph, *read_depths(samples, depth), free)

    costs = weigh()
    peer = _weigh(graph, *_read_with_pandas(samples, depth), free)
    if not np.allclose(costs, peer, rtol=1e-4):
        raise SystemExit("flooded roads bench: the group-by says another thing than we do")
    case = f"{graph.junction_count:,} junctions, {graph.link_count:,} links"
    limit = _LIMIT_S * graph.junction_count
    found = [
        {
            "case": case,
            "metric": "depth map to costs of all arcs",
            "unit": "s",
            "ours": _clock(weigh),
            "peers": {"pandas": _clock(lambda: _weigh(graph, *_read_with_pandas(samples, depth), free))},
            "limit": limit,
        }
    ]
    for engine in ("dijkstra", "cch"):
        router = build_router(
            graph.tails, graph.heads, costs[graph.links], nodes=graph.node_count, xy=graph.node_xy,
            engine="cch" if engine == "cch" else "dijkstra",
        )  # fmt: skip
        seconds = _clock(partial(router.reweight, costs[graph.links]))
        found.append({
            "case": f"{case}: {engine}", "metric": "a router takes them up", "unit": "s", "ours": seconds, "peers": {},
            "limit": limit,
        })  # fmt: skip
    return found


def _lay_streets() -> tuple[RoadGraph, EdgeSamples, Grid]:
    city = make_city()
    tails, heads, xy = city["tails"].astype(np.int64), city["heads"].astype(np.int64), city["xy"].astype(np.float64)
    xy = xy - xy.min(axis=0)
    low, high = np.minimum(tails, heads), np.maximum(tails, heads)
    _, first, edge = np.unique(low * xy.shape[0] + high, return_index=True, return_inverse=True)
    starts, ends = low[first], high[first]
    access = np.zeros((first.size, 2), np.uint8)
    access[edge, np.where(tails == low, 0, 1)] = EVERY_MODE
    rows, cols = (int(np.ceil(span / CELL)) + 1 for span in xy.max(axis=0)[::-1])
    grid = Grid(rows, cols, 0.0, rows * CELL, CELL, "EPSG:5897")
    lines = np.asarray(shapely.linestrings(np.stack([xy[starts], xy[ends]], axis=1)), dtype=object)
    return build_road_graph(starts, ends, xy, access=access), sample_edges(lines, grid), grid


def _weigh(graph: RoadGraph, deepest: Any, mean: Any, free: Values) -> Values:
    speeds = flood_speeds(graph, "motorbike", mean, find_closed(deepest, "motorbike"), speeds=free)
    return compute_times(graph, "motorbike", speeds=speeds)


def _read_with_pandas(samples: EdgeSamples, depth: Any) -> tuple[Any, Any]:
    owner = np.repeat(np.arange(samples.outside.size), np.diff(samples.first))
    local = np.nan_to_num(read_cells(samples, depth))
    frame = pd.DataFrame({"edge": owner, "depth": local, "part": local * samples.shares})
    grouped = frame.groupby("edge").agg({"depth": "max", "part": "sum"})
    return grouped["depth"].to_numpy(np.float32), grouped["part"].to_numpy(np.float32)


def _clock(question: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPEATS):
        begin = time.process_time()
        question()
        seconds.append(time.process_time() - begin)
    return float(np.median(seconds))
