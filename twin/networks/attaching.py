"""What hangs on a network: meters, hydrants, hospitals, and at which node or link each does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from network.graph import Graph, Index, Values
from twin.networks.commodities import Attachment, Commodity
from twin.networks.reading import Objects, Reader, Rows, list_names


class Network(Protocol):
    """What equipment hangs on: a ``CityGraph``."""

    @property
    def commodity(self) -> Commodity:
        """What it is the network of."""

    @property
    def graph(self) -> Graph:
        """Its nodes and links."""

    @property
    def node_xy(self) -> Values:
        """Where its nodes are [m] (nodes, 2)."""

    @property
    def places(self) -> Mapping[str, Mapping[str, int]]:
        """The node of every feature that is one, by layer and item."""

    @property
    def reader(self) -> Reader:
        """Where features come from."""

    def find_spans(self, layer: str) -> dict[str, tuple[int, int]]:
        """Return the first link and the one after the last of each item of a layer."""

    def link_geometry(self, links: ArrayLike) -> Objects:
        """Return the shapes of links [m]."""


@dataclass(frozen=True, eq=False)
class Attached:
    """Equipment on a network (n,): its layer and item ids, the node it hangs at, the link if it hangs on one (else
    -1), and what it counts for. unresolved: how many more there are that hang nowhere.
    """

    layer: str
    items: Objects
    nodes: Index
    links: Index
    weights: Values
    unresolved: int


def attach(graph: Network, declared: Attachment) -> Attached:
    """Return where each feature of an attachment hangs: at the node it names, on the line, or at the nearest node."""
    rules = (declared.only,)
    names = list_names(declared.node_id, declared.line_id, declared.weight, rules=rules)
    rows = graph.reader.list(declared.layer, names, shapes=True)
    if declared.only is not None:
        rows = rows.take(rows.test(declared.only))
    nodes, links = np.full(rows.ids.size, -1, np.int32), np.full(rows.ids.size, -1, np.int32)
    if declared.self_node:
        own = graph.places.get(declared.layer, {})
        nodes[:] = [own.get(item, -1) for item in rows.ids.tolist()]
    if declared.node_id is not None:
        every = {item: node for places in graph.places.values() for item, node in places.items()}
        nodes[:] = [every.get(name, -1) for name in rows.values[declared.node_id].tolist()]
    if declared.line_id is not None:
        _hang_on_lines(graph, rows, declared.line_id, nodes, links)
    if declared.reach > 0.0:
        _hang_nearby(graph, rows, declared.reach, nodes)
    found = np.flatnonzero(nodes >= 0)
    weights = np.ones(rows.ids.size)
    if declared.weight is not None:
        weights = np.array([1.0 if word is None else float(word) for word in rows.values[declared.weight].tolist()])
    return Attached(
        declared.layer, rows.ids[found], nodes[found], links[found], weights[found], rows.ids.size - found.size
    )


def _hang_on_lines(graph: Network, rows: Rows, name: str, nodes: Index, links: Index) -> None:
    """Hang those without a node on the nearest part of the line they name, and at its nearer end."""
    spans: dict[str, tuple[int, int]] = {}
    for lines in graph.commodity.lines:
        spans |= graph.find_spans(lines.layer)
    left = [k for k in np.flatnonzero(nodes < 0).tolist() if rows.values[name][k] in spans]
    if not left:
        return
    assert rows.shapes is not None
    pairs = np.array([(k, link) for k in left for link in range(*spans[rows.values[name][k]])], np.int64)
    places = rows.shapes[pairs[:, 0]]
    off = shapely.distance(places, graph.link_geometry(pairs[:, 1]))
    best = pairs[np.lexsort((off, pairs[:, 0]))]
    best = best[np.append(True, best[1:, 0] != best[:-1, 0])]
    links[best[:, 0]] = best[:, 1]
    here = shapely.get_coordinates(rows.shapes[best[:, 0]])
    start, end = graph.graph.starts[best[:, 1]], graph.graph.ends[best[:, 1]]
    nearer = np.hypot(*(graph.node_xy[start] - here).T) <= np.hypot(*(graph.node_xy[end] - here).T)
    nodes[best[:, 0]] = np.where(nearer, start, end)


def _hang_nearby(graph: Network, rows: Rows, reach: float, nodes: Index) -> None:
    left = np.flatnonzero(nodes < 0)
    if not left.size or not graph.graph.node_count:
        return
    assert rows.shapes is not None
    places = shapely.get_coordinates(shapely.centroid(rows.shapes[left]))
    used = np.flatnonzero(graph.graph.degrees > 0)
    if not used.size:
        return
    off, nearest = cKDTree(graph.node_xy[used]).query(places, distance_upper_bound=reach)
    close = np.isfinite(off)
    nodes[left[close]] = used[nearest[close]]
