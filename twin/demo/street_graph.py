"""The streets as a graph: what grows along them from a few roots, and places on them that keep apart."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from twin.demo.plan import Flags, Floats, Ints
from twin.demo.streets import Streets


@dataclass(frozen=True, slots=True)
class Forest:
    """Shortest ways along streets from the nearest root.

    Per node: ``root`` (node, −1 where none reaches), ``link`` (the street by which it is reached, −1 at a root),
    ``before`` (the node before it, −1 at a root) and ``distance`` [m].
    """

    root: Ints
    link: Ints
    before: Ints
    distance: Floats

    def trace_links(self, nodes: Ints) -> Ints:
        """Return the links of the ways from the roots to ``nodes``, each once, in ascending order."""
        used: set[int] = set()
        for node in nodes.tolist():
            while self.link[node] >= 0 and int(self.link[node]) not in used:
                used.add(int(self.link[node]))
                node = int(self.before[node])
        return np.array(sorted(used), np.int64)


def grow_forest(streets: Streets, roots: Ints, *, allowed: Flags | None = None) -> Forest:
    """Return the shortest ways from ``roots`` over the ``allowed`` links (default: all)."""
    links = streets.links
    index = np.arange(len(links)) if allowed is None else np.flatnonzero(allowed)
    length = np.array([links[k].line.length for k in index])
    order = np.argsort(length, kind="stable")
    index, length = index[order], length[order]
    ends = np.array([(links[k].start, links[k].end) for k in index], np.int64).reshape(-1, 2)
    shortest: dict[tuple[int, int], int] = {}
    for k, (a, b) in zip(index.tolist(), ends.tolist(), strict=True):
        shortest.setdefault((a, b) if a < b else (b, a), k)
    size = len(streets.x)
    pairs = np.array(list(shortest), np.int64).reshape(-1, 2)
    weight = np.array([links[k].line.length for k in shortest.values()])
    graph = coo_array((weight, (pairs[:, 0], pairs[:, 1])), shape=(size, size)).tocsr()
    distance, before, root = dijkstra(graph, directed=False, indices=roots, min_only=True, return_predecessors=True)
    before, root = before.astype(np.int64), root.astype(np.int64)
    before[before < 0] = -1
    root[~np.isfinite(distance)] = -1
    link = np.array([-1 if b < 0 else shortest[min(a, b), max(a, b)] for a, b in enumerate(before.tolist())], np.int64)
    return Forest(root, link, before, distance)


def choose_apart(x: Floats, y: Floats, order: Ints, spacing: float) -> Ints:
    """Return the points, taken in ``order``, that lie more than ``spacing`` [m] from those taken before."""
    chosen: list[int] = []
    for point in order.tolist():
        apart = np.hypot(x[chosen] - x[point], y[chosen] - y[point])
        if not chosen or apart.min() > spacing:
            chosen.append(point)
    return np.array(chosen, np.int64)


def find_node(streets: Streets, x: float, y: float, *, among: Ints | None = None) -> int:
    """Return the street node nearest to a point, ``among`` some if given."""
    nodes = np.arange(len(streets.x)) if among is None else among
    return int(nodes[np.hypot(streets.x[nodes] - x, streets.y[nodes] - y).argmin()])


def list_class_nodes(streets: Streets, *classes: str) -> Ints:
    """Return the nodes on streets of some classes, in ascending order."""
    ends = [node for link in streets.links if link.road_class in classes for node in (link.start, link.end)]
    return np.unique(np.array(ends, np.int64))
