"""Which connected sources can have caused an exceedance at an outfall.

A source is a suspect where its water comes by the outfall (an upstream trace), where it holds the substance, and where
what it let go in the hours it works can have arrived while the exceedance lasted. Travel is bounded by a quick and a
slow speed in each link; by either, water takes the way that is soonest there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.graph import Graph, Mask
from network.kernels import find_distances
from network.tracing import set_passes


@dataclass(frozen=True, slots=True)
class Suspect:
    """A source that can have caused it.

    source: its row in what was asked. node: where it is connected. quickest, slowest: time of travel [s]. released:
    from when to when it must have let it go [s], on the clock of the exceedance. distance: its shortest way [m].
    """

    source: int
    node: int
    quickest: float
    slowest: float
    released: tuple[float, float]
    distance: float


def find_suspects(
    graph: Graph,
    outfall: int,
    sources: ArrayLike,
    exceeded: tuple[float, float],
    *,
    speeds: tuple[NDArray[np.float64], NDArray[np.float64]],
    holds: Mask | None = None,
    works: NDArray[np.float64] | None = None,
    open_nodes: Mask | None = None,
    open_links: Mask | None = None,
) -> list[Suspect]:
    """Return the suspects, the nearest in time first.

    sources: the node each is connected to (sources,). exceeded: from when to when [s]. speeds: slow and quick in each
    link [m/s] (links,), more than 0; the graph's weights are lengths [m]. holds: which sources hold the substance
    (sources,). works: from when to when each lets go (sources, 2) [s]; always without it. Raises InputError for values
    that do not fit.
    """
    nodes = np.atleast_1d(np.asarray(sources, np.int64))
    begin, end = exceeded
    slow, quick = speeds
    if not begin <= end:
        raise InputError(f"the exceedance ends at {end} before it begins at {begin}", hint="give its begin and end")
    if slow.shape != (graph.link_count,) or quick.shape != slow.shape or not ((slow > 0.0) & (quick >= slow)).all():
        raise InputError("speeds are not a slow and a quick one above 0 for each link", hint="give [m/s], slow first")
    if nodes.size and not (nodes.min() >= 0 and nodes.max() < graph.node_count):
        raise InputError("a source is connected to a node that is not there", hint="give indices of nodes")
    if not 0 <= outfall < graph.node_count:
        raise InputError(f"node {outfall} is outside 0 to {graph.node_count - 1}", hint="name an outfall that exists")
    held = np.ones(nodes.size, np.bool_) if holds is None else holds
    hours = np.tile([-np.inf, np.inf], (nodes.size, 1)) if works is None else works
    if held.shape != (nodes.size,) or hours.shape != (nodes.size, 2):
        raise InputError(f"holds or works do not fit {nodes.size} sources", hint="give one row a source")

    passes = set_passes(graph, "backward", open_links=open_links)
    walkable = np.ones(graph.node_count, np.bool_) if open_nodes is None else open_nodes
    half = graph.first, graph.middle, graph.others, graph.halves
    seed = np.array([outfall], np.int32)
    quickest, slowest, length = (
        find_distances(*half, passes, walkable, costs, seed, -1)[0][nodes]
        for costs in (graph.weights / quick, graph.weights / slow, graph.weights)
    )
    earliest, latest = begin - slowest, end - quickest
    guilty = held & np.isfinite(quickest) & (hours[:, 0] <= latest) & (hours[:, 1] >= earliest)
    found = sorted(np.flatnonzero(guilty).tolist(), key=lambda row: (quickest[row], row))
    return [
        Suspect(
            row,
            int(nodes[row]),
            float(quickest[row]),
            float(slowest[row]),
            (float(max(earliest[row], hours[row, 0])), float(min(latest[row], hours[row, 1]))),
            float(length[row]),
        )
        for row in found
    ]
