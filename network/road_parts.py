"""Parts of a road network: pieces that do not hang together, and pockets that can be entered and not left."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from network.roads import Mask, RoadGraph


@dataclass(frozen=True, eq=False)
class RoadParts:
    """Which part each link belongs to (links,), -1 of those that are not open.

    weak: pieces that hang together if directions and banned turns did not matter. strong: parts within which one comes
    from each link to each other; a link between two of them belongs to none, and is -2. Both are numbered by falling
    length, 0 the longest.
    """

    weak: NDArray[np.int32]
    strong: NDArray[np.int32]


def find_parts(graph: RoadGraph, open_links: Mask) -> RoadParts:
    """Return the parts of the open links (links,) of a graph."""
    arcs = open_links[graph.links]
    tails, heads, links = graph.tails[arcs], graph.heads[arcs], graph.links[arcs]
    shape = graph.node_count, graph.node_count
    edges = coo_array((np.ones(tails.size, np.int8), (tails, heads)), shape=shape).tocsr()
    _, strong = connected_components(edges, directed=True, connection="strong")
    ends = np.flatnonzero(open_links)
    pairs = coo_array(
        (np.ones(ends.size, np.int8), (graph.starts[ends], graph.ends[ends])),
        shape=(graph.junction_count, graph.junction_count),
    ).tocsr()
    _, weak = connected_components(pairs, directed=False)
    of_weak = np.where(open_links, weak[graph.starts], -1)
    of_strong = np.where(open_links, -2, -1)
    inside = strong[tails] == strong[heads]
    of_strong[links[inside]] = strong[tails[inside]]
    return RoadParts(_rank(of_weak, graph), _rank(of_strong, graph))


def _rank(labels: NDArray[np.int64], graph: RoadGraph) -> NDArray[np.int32]:
    """Return the labels numbered by falling length of their links; those below 0 stay."""
    found = labels.astype(np.int32)
    known = labels >= 0
    if known.any():
        names, number = np.unique(labels[known], return_inverse=True)
        order = np.argsort(-np.bincount(number, graph.lengths[known]), kind="stable")
        place = np.empty(names.size, np.int32)
        place[order] = np.arange(names.size, dtype=np.int32)
        found[known] = place[number]
    return found
