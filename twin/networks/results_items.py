"""From nodes and links of a graph to items and feature ids: numbered once a graph, marked by arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from network.graph import Index, Mask
from twin.networks.attaching import Attached
from twin.networks.city_graph import CityGraph
from twin.networks.kept import Fids
from twin.networks.reading import Objects
from twin.networks.traces import Found
from twin.process import CityView

# Fewer items than these are looked up one by one; of more, the feature ids of all items are read and kept.
_FEW = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class LayerItems:
    """The items (n,) of one layer in a network: those that have links first, each with its ``first`` and the one after
    its last among ``links``; then those that only stand at nodes. node_items: which item stands at each of ``nodes``.
    """

    ids: Objects
    links: Index
    first: Index
    nodes: Index
    node_items: Index

    def mark(self, nodes: Mask, links: Mask) -> Mask:
        """Return which items lie on marked nodes or links (n,)."""
        marked = np.zeros(self.ids.size, np.bool_)
        if self.links.size:
            marked[: self.first.size] = np.logical_or.reduceat(links[self.links], self.first)
        marked[self.node_items[nodes[self.nodes]]] = True
        return marked


def number_items(city: CityGraph) -> Mapping[str, LayerItems]:
    """Return the items of each layer of the network that has any; computed once a graph."""
    return city.kept.get("items", lambda: _number_items(city))


def _number_items(city: CityGraph) -> dict[str, LayerItems]:
    found: dict[str, LayerItems] = {}
    for layer_id in city.layers:
        spans, places = city.find_spans(layer_id), city.places.get(layer_id, {})
        numbers = {item: number for number, item in enumerate(dict.fromkeys((*spans, *places)))}
        if not numbers:
            continue
        ids = np.empty(len(numbers), object)
        ids[:] = list(numbers)
        ends = np.array(list(spans.values()), np.int64).reshape(-1, 2)
        lengths = ends[:, 1] - ends[:, 0]
        first = np.append(0, np.cumsum(lengths)[:-1])[: lengths.size]
        # Each item's links follow one another: count up from its first.
        links = np.arange(lengths.sum()) + np.repeat(ends[:, 0] - first, lengths)
        found[layer_id] = LayerItems(
            ids,
            links.astype(np.int32),
            first.astype(np.int32),
            np.fromiter(places.values(), np.int32, len(places)),
            np.fromiter((numbers[item] for item in places), np.int32, len(places)),
        )
    return found


def mark_items(city: CityGraph, found: Found) -> dict[str, Mask]:
    """Return by layer of the network which of its items (as ``number_items`` has them) were found."""
    nodes, links = found.mark(city.graph)
    if found.barriers.size:
        nodes = nodes.copy()
        nodes[found.barriers] = True
    return {layer_id: items.mark(nodes, links) for layer_id, items in number_items(city).items()}


def mark_equipment(city: CityGraph, attached: Attached, found: Found) -> Mask:
    """Return which equipment hangs on what was found (n,): on its link where it has one, else at its node."""
    nodes, links = found.mark(city.graph)
    if not links.size:
        return nodes[attached.nodes]
    return np.where(attached.links >= 0, links[attached.links], nodes[attached.nodes])


def find_members(view: CityView, city: CityGraph, found: Found, marked: Mapping[str, Mask]) -> dict[str, Fids]:
    """Return by layer the feature ids of what was found and of what hangs on it.

    marked: as ``mark_items`` returns it of what was found.
    """
    numbered = number_items(city)
    parts: dict[str, list[Fids]] = {}
    for layer_id, here in marked.items():
        parts.setdefault(layer_id, []).append(find_fids(view, city, layer_id, numbered[layer_id].ids, here))
    for kind in city.equipment_kinds:
        attached = city.find_equipment(kind)
        here = mark_equipment(city, attached, found)
        fids = find_fids(view, city, attached.layer, attached.items, here, name=kind)
        parts.setdefault(attached.layer, []).append(fids)
    together = {layer_id: np.concatenate(each) for layer_id, each in parts.items()}
    return {layer_id: fids for layer_id, fids in together.items() if fids.size}


def find_fids(
    view: CityView, city: CityGraph, layer_id: str, ids: Objects, marked: Mask, *, name: str = "items"
) -> Fids:
    """Return the feature ids of the marked of ``ids`` (n,); what is gone meanwhile is left out.

    name: under which the feature ids of all ``ids`` are kept with the graph.
    """
    if not marked.any():
        return np.zeros(0, np.int64)
    if np.count_nonzero(marked) <= _FEW:
        return view.find_features(layer_id, named=ids[marked].tolist())[1]
    every = city.kept.get(("fids", layer_id, name), lambda: _list_fids(view, layer_id, ids))
    fids = every[marked]
    return fids[fids >= 0]


def _list_fids(view: CityView, layer_id: str, ids: Objects) -> Fids:
    names, fids = view.find_features(layer_id)
    known = dict(zip(names.tolist(), fids.tolist(), strict=True))
    return np.fromiter((known.get(item, -1) for item in ids.tolist()), np.int64, ids.size)
