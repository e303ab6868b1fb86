"""Cheapest ways over arcs with costs: one path, trees within a limit, matrices; costs change while it stays warm.

``build_router`` gives the engine. A way begins and ends at sets of nodes with costs of their own: a journey begins
within an edge, and a junction with banned turns is several nodes. A cost is any number of 0 or more (seconds, metres);
inf closes an arc. Of parallel arcs the cheapest counts.
"""

import numpy as np
from numpy.typing import ArrayLike

from layers.errors import InputError
from network.paths_answers import Ends, Path, Tree, build_ends
from network.paths_dijkstra import Router, arrange_arcs

__all__ = ["Ends", "Path", "Router", "Tree", "build_ends", "build_router"]

MAX_ARCS = 50_000_000


def build_router(
    tails: ArrayLike,
    heads: ArrayLike,
    costs: ArrayLike,
    *,
    nodes: int | None = None,
    xy: ArrayLike | None = None,
) -> Router:
    """Return a router over arcs from ``tails`` to ``heads`` (arcs,), nodes from 0, in any order.

    costs: of the arcs (arcs,), 0 or more, inf where closed. nodes: how many there are; without it those that arcs name.
    xy: places of the nodes (nodes, 2); with them searches find their data sooner. Raises InputError where lengths
    differ, a node is outside, or a cost is negative.
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
    return Router(arrange_arcs(starts.astype(np.int32), ends.astype(np.int32), count, places), costs)
