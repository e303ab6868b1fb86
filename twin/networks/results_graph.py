"""A small trace as a graph that others read: node-link JSON, as networkx writes and reads it."""

from typing import Any

import numpy as np

from layers.datum import CRS84, make_transformer
from layers.errors import TooLargeError
from twin.networks.city_graph import CityGraph
from twin.networks.traces import Found

MOST_LINKS = 5_000


def write_node_link(city: CityGraph, crs: str, found: Found) -> dict[str, Any]:
    """Return nodes and links of a trace for ``networkx.node_link_graph(data, edges="links")``.

    A directed multigraph as the links are drawn: two pipes may join the same nodes. Nodes have an item where they are
    one, and their place [degrees]; links have item, part and length [m]. Raises TooLargeError beyond ``MOST_LINKS``.
    """
    if found.links.size > MOST_LINKS:
        raise TooLargeError(
            f"{found.links.size:,} links are more than {MOST_LINKS:,} that are given as a graph",
            hint="set barriers, or ask for items with the filter in_trace",
        )
    graph = city.graph
    starts, ends = graph.starts[found.links], graph.ends[found.links]
    nodes = np.unique(np.concatenate((found.nodes, starts, ends)))
    longitude, latitude = make_transformer(crs, CRS84).transform(*city.node_xy[nodes].T)
    written = [
        {
            "id": node,
            "item": f"{city.layers[number]}/{item}" if number >= 0 else None,
            "position": [round(x, 7), round(y, 7)],
        }
        for node, number, item, x, y in zip(
            nodes.tolist(),
            city.node_layers[nodes].tolist(),
            city.node_items[nodes].tolist(),
            np.asarray(longitude).tolist(),
            np.asarray(latitude).tolist(),
            strict=True,
        )
    ]
    links = [
        {
            "source": start,
            "target": end,
            "key": link,
            "item": f"{city.layers[city.link_layers[link]]}/{city.link_items[link]}",
            "part": int(city.link_parts[link]),
            "length": round(float(graph.weights[link]), 3),
        }
        for link, start, end in zip(found.links.tolist(), starts.tolist(), ends.tolist(), strict=True)
    ]
    told = {"commodity": city.commodity.id, "stamp": city.stamp}
    return {"directed": True, "multigraph": True, "graph": told, "nodes": written, "links": links}
