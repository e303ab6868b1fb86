"""Along a street: which links follow each other under one name, and how far they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from network.roads import Index, RoadGraph, Values


@dataclass(frozen=True, eq=False, slots=True)
class Reach:
    """Links along a street in order from a first one on; distances: metres from the middle of the first (links,)."""

    links: Index
    distances: Values


def trace_street(graph: RoadGraph, link: int, streets: NDArray[np.int64], limit: float, *, upstream: bool) -> Reach:
    """Return the links that follow ``link`` on its street, with or against the traffic, up to ``limit`` metres away.

    streets: a number for the name of each link (links,), -1 where it has none. A bridge belongs to the street that goes
    over it, whatever it is called. No way turns back on itself; where a street forks, all its branches are followed.
    The first is the link itself, at 0.
    """
    reached = {int(link): 0.0}
    waiting = [int(link)]
    while waiting:
        here = waiting.pop(0)
        for after in _list_next(graph, here, upstream=upstream):
            # The same stretch the other way is the way back.
            same = streets[after] >= 0 and streets[after] == streets[link]
            if graph.edges[after] == graph.edges[here] or not (same or graph.is_bridge[after]):
                continue
            far = reached[here] + 0.5 * float(graph.lengths[here] + graph.lengths[after])
            if far <= limit and far < reached.get(after, np.inf):
                reached[after] = far
                waiting.append(after)
    order = sorted(reached, key=lambda one: reached[one])
    return Reach(np.array(order, np.int32), np.array([reached[one] for one in order]))


def _list_next(graph: RoadGraph, link: int, *, upstream: bool) -> list[int]:
    if upstream:
        first, arcs = graph.link_arcs
        reverse_first, reverse_arcs = graph.reverse
        found: list[int] = []
        for tail in np.unique(graph.tails[arcs[first[link] : first[link + 1]]]).tolist():
            found += graph.links[reverse_arcs[reverse_first[tail] : reverse_first[tail + 1]]].tolist()
        return sorted(set(found))
    node = int(graph.link_heads[link])
    return sorted(set(graph.links[graph.first[node] : graph.first[node + 1]].tolist()))
