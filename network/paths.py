"""Cheapest ways over arcs with costs: one path, trees within a limit, matrices; costs change while it stays warm.

``build_router`` gives the engine. A way begins and ends at sets of nodes with costs of their own: a journey begins
within an edge, and a junction with banned turns is several nodes. A cost is any number of 0 or more (seconds, metres);
inf closes an arc. Of parallel arcs the cheapest counts.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from layers.errors import InputError
from network.cch import HierarchyRouter, build_hierarchy
from network.paths_answers import Ends, Index, Path, Tree, build_ends
from network.paths_dijkstra import Router, arrange_arcs

__all__ = ["ENGINES", "Ends", "Engine", "Path", "Router", "Tree", "build_ends", "build_router"]

Engine = Literal["cch", "dijkstra"]
ENGINES: tuple[str, ...] = get_args(Engine)
MAX_ARCS = 50_000_000


def build_router(
    tails: ArrayLike,
    heads: ArrayLike,
    costs: ArrayLike,
    *,
    nodes: int | None = None,
    xy: ArrayLike | None = None,
    engine: Engine = "cch",
    order: ArrayLike | None = None,
) -> Router:
    """Return a router over arcs from ``tails`` to ``heads`` (arcs,), nodes from 0, in any order.

    costs: of the arcs (arcs,), 0 or more, inf where closed. nodes: how many there are; without it those that arcs name.
    xy: places of the nodes (nodes, 2), of which a better order is made. engine: "cch" prepares about a second for
    100,000 nodes and then answers in microseconds; "dijkstra" prepares nothing. order: of contraction, from the
    ``order`` of an earlier router over the same arcs. Raises InputError where lengths differ, a node is outside, or a
    cost is negative.
    """
    starts, ends = np.asarray(tails, np.int64).ravel(), np.asarray(heads, np.int64).ravel()
    if starts.size != ends.size:
        raise InputError(f"there are {starts.size} tails and {ends.size} heads", hint="give both for each arc")
    if starts.size > MAX_ARCS:
        raise InputError(f"{starts.size} arcs are more than {MAX_ARCS}", hint="take a smaller area")
    highest = int(max(starts.max(initial=-1), ends.max(initial=-1)))
    count = highest + 1 if nodes is None else nodes
    if starts.size and (highest >= count or min(starts.min(), ends.min()) < 0):
        raise InputError(f"an arc ends on a node outside 0 to {count - 1}", hint="give indices of nodes that exist")
    places = None if xy is None else np.asarray(xy, np.float64)
    if places is not None and (places.shape != (count, 2) or not np.isfinite(places).all()):
        raise InputError(
            f"xy has the shape {places.shape}, expected ({count}, 2) finite numbers", hint="give all places"
        )
    if engine not in ENGINES:
        raise InputError(f"'{str(engine)[:40]}' is no engine for paths", hint=f"one of {', '.join(ENGINES)}")
    first, last = starts.astype(np.int32), ends.astype(np.int32)
    arcs = arrange_arcs(first, last, count, places)
    if engine == "dijkstra":
        return Router(arcs, costs)
    known = None if order is None else _check_order(order, count)
    return HierarchyRouter(arcs, build_hierarchy(first, last, count, xy=places, order=known), costs)


def _check_order(order: ArrayLike, nodes: int) -> Index:
    values = np.asarray(order)
    if values.shape != (nodes,) or not np.array_equal(np.sort(values), np.arange(nodes)):
        raise InputError(f"the order does not name each of {nodes} nodes once", hint="take the order of a router")
    return np.ascontiguousarray(values, np.int32)
