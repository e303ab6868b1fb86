"""Small parts of a network handed to users: as a networkx graph, or as the node-link JSON that networkx reads."""

from typing import Any

import networkx as nx
import numpy as np
import shapely
from numpy.typing import ArrayLike

from layers.errors import InputError, TooLargeError
from network.graph import Index
from twin.networks.city_graph import CityGraph

MOST_NODES = 20_000


def to_networkx(graph: CityGraph, nodes: ArrayLike) -> "nx.MultiDiGraph[str]":
    """Return the part of a network between ``nodes`` (indices): those nodes and the links with both ends among them.

    Links go as they are drawn; ``one_way`` and ``open`` say what they let through. Nodes are called ``layer/item``, or
    ``x,y`` where they are only an end of lines; links by the key ``layer/item``, with ``#part`` where their line is
    split. TooLargeError for more than 20,000 nodes.
    """
    chosen = _check_nodes(graph, nodes)
    names = name_nodes(graph, chosen)
    made: nx.MultiDiGraph[str] = nx.MultiDiGraph(commodity=graph.commodity.id, stamp=graph.stamp)
    for name, node in zip(names.tolist(), chosen.tolist(), strict=True):
        made.add_node(name, **_describe_node(graph, node))
    links = _find_links(graph, chosen)
    place = np.full(graph.graph.node_count, -1, np.int64)
    place[chosen] = np.arange(chosen.size)
    first, last = place[graph.graph.starts[links]], place[graph.graph.ends[links]]
    keys, shapes = name_links(graph, links), shapely.to_wkt(graph.link_geometry(links), rounding_precision=3)
    each = zip(keys.tolist(), first.tolist(), last.tolist(), links.tolist(), shapes.tolist(), strict=True)
    for key, a, b, link, shape in each:
        made.add_edge(names[a], names[b], key=key, **_describe_link(graph, link), wkt=shape)
    return made


def to_node_link(graph: CityGraph, nodes: ArrayLike) -> dict[str, Any]:
    """Return the same as JSON can hold it; ``networkx.node_link_graph(data, edges="edges")`` makes a graph of it."""
    data: dict[str, Any] = nx.node_link_data(to_networkx(graph, nodes), edges="edges")
    return data


def name_nodes(graph: CityGraph, nodes: Index) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Return ``layer/item`` of nodes, ``x,y`` in millimetres of those that no feature stands for."""
    found = np.empty(nodes.size, object)
    found[:] = [
        f"{graph.layers[layer]}/{item}" if layer >= 0 else f"{x:.3f},{y:.3f}"
        for layer, item, (x, y) in zip(
            graph.node_layers[nodes].tolist(), graph.node_items[nodes].tolist(), graph.node_xy[nodes].tolist(),
            strict=True,
        )
    ]  # fmt: skip
    return found


def name_links(graph: CityGraph, links: Index) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Return ``layer/item`` of links, with ``#part`` where there are several of an item."""
    found = np.empty(links.size, object)
    spans = {layer: graph.find_spans(layer) for layer in graph.layers}
    for k, link in enumerate(links.tolist()):
        layer, item = graph.layers[graph.link_layers[link]], graph.link_items[link]
        begin, end = spans[layer][item]
        found[k] = f"{layer}/{item}" + (f"#{graph.link_parts[link]}" if end - begin > 1 else "")
    return found


def _check_nodes(graph: CityGraph, nodes: ArrayLike) -> Index:
    chosen = np.unique(np.asarray(nodes, np.int64))
    if chosen.size > MOST_NODES:
        raise TooLargeError(
            f"{chosen.size:,} nodes are more than {MOST_NODES:,}", hint="hand out a smaller part of the network"
        )
    if chosen.size and not 0 <= chosen[0] <= chosen[-1] < graph.graph.node_count:
        raise InputError(f"a node lies outside 0 to {graph.graph.node_count - 1}", hint="give nodes of this network")
    return chosen.astype(np.int32)


def _find_links(graph: CityGraph, nodes: Index) -> Index:
    inside = np.zeros(graph.graph.node_count, np.bool_)
    inside[nodes] = True
    return np.flatnonzero(inside[graph.graph.starts] & inside[graph.graph.ends]).astype(np.int32)


def _describe_node(graph: CityGraph, node: int) -> dict[str, Any]:
    layer = int(graph.node_layers[node])
    x, y = graph.node_xy[node].tolist()
    return {
        "layer": graph.layers[layer] if layer >= 0 else None,
        "item": graph.node_items[node] or None,
        "x": x,
        "y": y,
        "valve": bool(graph.valves[node]),
        "open": not graph.closed[node],
    }


def _describe_link(graph: CityGraph, link: int) -> dict[str, Any]:
    return {
        "layer": graph.layers[graph.link_layers[link]],
        "item": graph.link_items[link],
        "part": int(graph.link_parts[link]),
        "length": float(graph.graph.weights[link]),
        "one_way": bool(graph.graph.one_way[link]),
        "open": bool(graph.open_links[link]),
    }
