"""What feeds cabinets, hospitals and pumps: the transformer of each, its feeder and its substation.

Low-voltage lines lead from a place to its transformer; where none is near, the nearest transformer is presumed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from network.circuits import Circuit, trace_circuit
from network.graph import Index, Mask
from twin.networks.city_graph import CityGraph
from twin.process import CityView

TRANSFORMERS, SUBSTATIONS = "transformers", "substations"
LINE_REACH, TRANSFORMER_REACH = 150.0, 600.0
"""How far a place may lie from the low-voltage line, or else from the transformer, that is taken to feed it [m]."""


@dataclass(frozen=True, eq=False)
class PowerSupply:
    """The power network as trees from its substations.

    transformers, feeders, substations: the id of each that feeds a node (nodes,), "" where none does; a transformer
    feeds itself.
    """

    network: CityGraph
    tree: Circuit
    transformers: NDArray[np.object_]
    feeders: NDArray[np.object_]
    substations: NDArray[np.object_]

    def find_nodes(self, xy: NDArray[np.float64]) -> Index:
        """Return the node that feeds each place [m] (n, 2): of the nearest low-voltage line, else the nearest
        transformer; -1 where neither is near.
        """
        graph = self.network.graph
        found = np.full(len(xy), -1, np.int32)
        low = np.flatnonzero(self.network.words("voltage_class") == "low")
        own = np.fromiter(self.network.places.get(TRANSFORMERS, {}).values(), np.int64)
        near = np.unique(np.concatenate([graph.starts[low], graph.ends[low], own])).astype(np.int64)
        for nodes, reach in ((near, LINE_REACH), (own, TRANSFORMER_REACH)):
            missing = np.flatnonzero(found < 0)
            if nodes.size and missing.size:
                away, nearest = cKDTree(self.network.node_xy[nodes]).query(xy[missing])
                inside = away <= reach
                found[missing[inside]] = nodes[nearest[inside]]
        return found


def read_supply(city: CityView, *, open_nodes: Mask | None = None, open_links: Mask | None = None) -> PowerSupply:
    """Return what feeds what, with all closed but the open nodes and links where these are given."""
    network = city.network("power")
    nodes = network.open_nodes if open_nodes is None else network.open_nodes & open_nodes
    links = network.open_links if open_links is None else network.open_links & open_links
    tree = trace_circuit(network.graph, network.sources, open_nodes=nodes, open_links=links)
    own = {name: _mark(network, name) for name in (TRANSFORMERS, SUBSTATIONS)}
    lines = network.words("feeder")
    size = network.graph.node_count
    transformers, feeders, substations = (np.full(size, "", object) for _ in range(3))
    for node in tree.order.tolist():
        parent = int(tree.parents[node])
        before = (transformers[parent], feeders[parent], substations[parent]) if parent >= 0 else ("", "", "")
        word = lines[tree.feeders[node]] if parent >= 0 else None
        transformers[node] = own[TRANSFORMERS][node] or before[0]
        feeders[node] = word if isinstance(word, str) else before[1]
        substations[node] = own[SUBSTATIONS][node] or before[2]
    return PowerSupply(network, tree, transformers, feeders, substations)


def _mark(network: CityGraph, layer: str) -> NDArray[np.object_]:
    names = np.full(network.graph.node_count, "", object)
    for item, node in network.places.get(layer, {}).items():
        names[node] = item
    return names
