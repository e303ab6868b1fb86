"""What was found as features: the parts of links and the nodes, made only when somebody asks for them."""

from collections.abc import Callable, Iterator, Mapping

import geopandas as gpd
import numpy as np
import shapely

from layers.errors import TooLargeError
from network.graph import Index
from twin.networks.asking import Places
from twin.networks.city_graph import CityGraph
from twin.networks.traces import Found

MOST_FEATURES = 200_000


class LazyFrames(Mapping[str, gpd.GeoDataFrame]):
    """Features by layer; a layer's frame is made when it is asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], gpd.GeoDataFrame]]) -> None:
        self._makers = makers

    def __getitem__(self, layer_id: str) -> gpd.GeoDataFrame:
        return self._makers[layer_id]()

    def __contains__(self, layer_id: object) -> bool:
        return layer_id in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def build_link_frame(city: CityGraph, crs: str, links: Index, **columns: object) -> gpd.GeoDataFrame:
    """Return links as features with layer, item, part, length [m] and ``columns``; TooLargeError for too many."""
    if links.size > MOST_FEATURES:
        raise TooLargeError(
            f"{links.size:,} links are more than {MOST_FEATURES:,} that are written as features",
            hint="ask for items with the filter in_trace",
        )
    shapes = city.link_geometry(links)
    real = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    kept = links[real]
    frame = {
        "id": [f"L{link}" for link in kept.tolist()],
        "commodity": city.commodity.id,
        "layer_id": [city.layers[number] for number in city.link_layers[kept].tolist()],
        "item_id": city.link_items[kept].tolist(),
        "part": city.link_parts[kept].astype(np.int64),
        "length": np.round(city.graph.weights[kept], 3),
    }
    own = {name: value[real] if isinstance(value, np.ndarray) else value for name, value in columns.items()}
    return gpd.GeoDataFrame({**frame, **own}, geometry=shapes[real], crs=crs)


def build_node_frame(city: CityGraph, crs: str, nodes: Index, **columns: object) -> gpd.GeoDataFrame:
    """Return nodes as features with layer, item and ``columns``; TooLargeError for too many."""
    if nodes.size > MOST_FEATURES:
        raise TooLargeError(
            f"{nodes.size:,} nodes are more than {MOST_FEATURES:,} that are written as features",
            hint="ask for items with the filter in_trace",
        )
    numbers = city.node_layers[nodes]
    frame = {
        "id": [f"N{node}" for node in nodes.tolist()],
        "commodity": city.commodity.id,
        "layer_id": [city.layers[number] if number >= 0 else None for number in numbers.tolist()],
        "item_id": [item or None for item in city.node_items[nodes].tolist()],
    }
    return gpd.GeoDataFrame({**frame, **columns}, geometry=shapely.points(city.node_xy[nodes]), crs=crs)


def build_trace_frames(city: CityGraph, crs: str, kind: str, found: Found, starts: Places, ends: Places) -> LazyFrames:
    """Return what a trace found as ``trace_links`` and ``trace_nodes``."""

    def make_links() -> gpd.GeoDataFrame:
        places = np.arange(found.links.size)
        return build_link_frame(city, crs, found.links, kind=kind, position=places)

    def make_nodes() -> gpd.GeoDataFrame:
        nodes = np.concatenate((found.nodes, found.barriers)).astype(np.int32)
        roles = np.full(nodes.size, "passed", object)
        for role, chosen in (
            ("source", city.sources),
            ("sink", city.sinks),
            ("end", ends.nodes),
            ("start", starts.nodes),
        ):
            roles[np.isin(nodes, chosen)] = role
        roles[found.nodes.size :] = "barrier"
        return build_node_frame(city, crs, nodes, kind=kind, role=roles, position=np.arange(nodes.size))

    return LazyFrames({"trace_links": make_links, "trace_nodes": make_nodes})
