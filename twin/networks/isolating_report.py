"""What a crew takes along: valves with what stands on their plates and where they are, and who is without water."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from layers.datum import CRS84, make_transformer
from layers.registry import read_vector_layer
from network.graph import Index
from twin.networks.attaching import Attached
from twin.networks.city_graph import CityGraph
from twin.networks.isolating import CityIsolation, measure_feed
from twin.networks.results import count_people
from twin.networks.results_items import mark_equipment
from twin.networks.traces import Found
from twin.process import CityView

NAMED = ("hospitals", "schools", "hydrants")
"""Equipment that is told one by one."""
MOST_NAMED, MOST_FEEDS = 500, 5
_SHOWN = ("name", "address", "category", "hydrant_type", "status", "street", "ward_code")
_PLATE = ("valve_type", "status", "diameter", "turns", "is_operable", "last_operated", "pipe_id", "dma_id", "note")


def describe_valves(view: CityView, city: CityGraph, answer: CityIsolation) -> dict[str, list[dict[str, Any]]]:
    """Return the valves by what is to be done with them; those to close carry their place in the order."""
    isolation, outage = answer.isolation, answer.outage
    groups = {
        "close": answer.close[: answer.needed],
        "close_idle": answer.close[answer.needed :],
        "already_closed": isolation.already_closed,
        "stuck": isolation.passed,
        "broken": isolation.broken,
    }
    every = np.concatenate(list(groups.values())).astype(np.int32)
    told = dict(zip(every.tolist(), describe_nodes(view, city, every, _PLATE), strict=True))
    written = {name: [dict(told[node]) for node in nodes.tolist()] for name, nodes in groups.items()}
    for position, each in enumerate((*written["close"], *written["close_idle"]), start=1):
        each["order"] = position
    written["sources_inside"] = describe_nodes(view, city, outage.sources_inside, ("name", "node_type"))
    return written


def describe_feeds(view: CityView, city: CityGraph, answer: CityIsolation) -> list[dict[str, Any]]:
    """Return the closed valves that would feed what is behind, the one that helps most customers first."""
    feeds = answer.outage.feeds[:MOST_FEEDS]
    told = describe_nodes(view, city, feeds, _PLATE)
    for each, feed in zip(told, feeds.tolist(), strict=True):
        again = measure_feed(city, answer, feed)
        each["restores"] = {
            "length": round(float(city.graph.weights[again.links].sum()), 1),
            "customers": _sum(city, "customers", again),
        }
    return sorted(told, key=lambda each: (-each["restores"]["customers"], -each["restores"]["length"]))


def describe_nodes(view: CityView, city: CityGraph, nodes: Index, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return item, place [degrees], street and the named properties of nodes."""
    if not nodes.size:
        return []
    longitude, latitude = make_transformer(view.crs, CRS84).transform(*city.node_xy[nodes].T)
    told: list[dict[str, Any]] = [
        {"position": [round(float(x), 7), round(float(y), 7)]} for x, y in zip(longitude, latitude, strict=True)
    ]
    numbers = city.node_layers[nodes]
    for number in np.unique(numbers[numbers >= 0]).tolist():
        layer_id, own = city.layers[number], np.flatnonzero(numbers == number)
        for each, item, row in zip(own.tolist(), city.node_items[nodes[own]].tolist(),
                                   _pick(city, layer_id, city.node_items[nodes[own]], names), strict=True):  # fmt: skip
            told[each] |= {"item": f"{layer_id}/{item}", **row}
    for one, street in zip(told, _find_streets(city, nodes), strict=True):
        if street and "street" not in one:
            one["street"] = street
    return told


def describe_outage(view: CityView, city: CityGraph, found: Found) -> dict[str, Any]:
    """Return links, length [m], customers, people, and what is named one by one, of what is without water."""
    told: dict[str, Any] = {
        "link_count": int(found.links.size),
        "length": round(float(city.graph.weights[found.links].sum()), 1),
    }
    for kind in city.equipment_kinds:
        attached = city.find_equipment(kind)
        told[kind] = round(float(attached.weights[mark_equipment(city, attached, found)].sum()))
    if "customers" in city.equipment_kinds:
        people = count_people(view, city)
        told["population"] = round(float(people.people[mark_equipment(city, people.attached, found)].sum()))
    return told


def list_named(view: CityView, city: CityGraph, found: Found) -> dict[str, list[dict[str, Any]]]:
    """Return hospitals, schools and hydrants without water with their names, at most ``MOST_NAMED`` of each."""
    listed: dict[str, list[dict[str, Any]]] = {}
    for kind in NAMED:
        if kind in city.equipment_kinds:
            attached = city.find_equipment(kind)
            here = np.flatnonzero(mark_equipment(city, attached, found))
            listed[kind] = describe_equipment(view, city, attached, here[:MOST_NAMED], _SHOWN)
    return listed


def list_customers(view: CityView, city: CityGraph, found: Found, most: int) -> list[dict[str, Any]]:
    """Return the customers without water with their addresses, at most so many."""
    attached = city.find_equipment("customers")
    here = np.flatnonzero(mark_equipment(city, attached, found))[:most]
    return describe_equipment(view, city, attached, here, ("customer_type", "connections", "address", "ward_code"))


def describe_equipment(
    view: CityView, city: CityGraph, attached: Attached, chosen: ArrayLike, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return item, place [degrees] of its node and the named properties of some equipment."""
    places = np.asarray(chosen, np.int64)
    if not places.size:
        return []
    items = attached.items[places]
    longitude, latitude = make_transformer(view.crs, CRS84).transform(*city.node_xy[attached.nodes[places]].T)
    return [
        {"item": f"{attached.layer}/{item}", **row, "position": [round(float(x), 7), round(float(y), 7)]}
        for item, row, x, y in zip(
            items.tolist(), _pick(city, attached.layer, items, names), longitude, latitude, strict=True
        )
    ]


def _sum(city: CityGraph, kind: str, found: Found) -> int:
    if kind not in city.equipment_kinds:
        return 0
    attached = city.find_equipment(kind)
    return round(float(attached.weights[mark_equipment(city, attached, found)].sum()))


def _pick(city: CityGraph, layer_id: str, items: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the named properties of items that are filled in."""
    known = [name for name in names if read_vector_layer(layer_id).find(name) is not None]
    values = city.reader.pick(layer_id, items, known).values
    return [{name: values[name][k] for name in known if values[name][k] is not None} for k in range(len(items))]


def _find_streets(city: CityGraph, nodes: Index) -> list[str | None]:
    """Return the street of a link at each node, where links know theirs."""
    graph = city.graph
    layers = [key for key in city.layers if read_vector_layer(key).find("street") is not None]
    streets: list[str | None] = [None] * nodes.size
    beside = [graph.halves[graph.first[node] : graph.first[node + 1]] for node in nodes.tolist()]
    for layer_id in layers:
        number = city.layers.index(layer_id)
        pairs = [
            (k, link) for k, near in enumerate(beside) for link in near.tolist() if city.link_layers[link] == number
        ]
        if not pairs:
            continue
        found = city.reader.pick(layer_id, city.link_items[[link for _, link in pairs]], ("street",)).values["street"]
        for (k, _), street in zip(pairs, found.tolist(), strict=True):
            streets[k] = streets[k] or street
    return streets
