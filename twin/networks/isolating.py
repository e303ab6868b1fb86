"""Isolation of a break in a city's network: the valves to close in order, and who is without water then."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from layers.errors import InputError, NotFoundError
from network.graph import Index, Mask, mark
from network.isolation import Isolation, Outage, find_outage, find_valves, trace_fed
from network.tracing import Trace, set_passes, trace
from twin.networks.asking import Places
from twin.networks.city_graph import CityGraph
from twin.networks.traces import Found

_NONE: Index = np.zeros(0, np.int32)
SHORT_END = 10.0
"""Dead ends up to this length [m] are the stub between a valve and its junction: nobody drinks from them."""


@dataclass(frozen=True, slots=True, eq=False)
class DeadEnd:
    """A stretch that a closed valve leaves with one way in: its valve, the links from the valve back, length [m]."""

    valve: int
    links: Index
    length: float


@dataclass(frozen=True, slots=True, eq=False)
class CityIsolation:
    """What an isolation of a break takes and costs.

    close: valves to close in order, those against which water stands first. needed: how many of them those are.
    dead_ends: stretches that keep water but lose their second way. closed, stuck: valves taken for such (nodes).
    """

    isolation: Isolation
    outage: Outage
    close: Index
    needed: int
    dead_ends: tuple[DeadEnd, ...]
    closed: Index
    stuck: Index

    @property
    def dry(self) -> Found:
        """What is without water: nodes and links."""
        return Found(
            np.flatnonzero(self.outage.nodes).astype(np.int32), np.flatnonzero(self.outage.links).astype(np.int32)
        )

    @property
    def isolated(self) -> Found:
        """What the valves close off."""
        return Found(
            np.flatnonzero(self.outage.isolated_nodes).astype(np.int32),
            np.flatnonzero(self.outage.isolated_links).astype(np.int32),
        )

    @property
    def behind(self) -> Found:
        """What is fed only through it."""
        return Found(
            np.flatnonzero(self.outage.behind_nodes).astype(np.int32),
            np.flatnonzero(self.outage.behind_links).astype(np.int32),
        )


def isolate(city: CityGraph, places: Places, *, closed: Index = _NONE, stuck: Index = _NONE) -> CityIsolation:
    """Return the valves around the broken places and what closing them does.

    closed, stuck: valves beside those of which the city says so; a closed one holds even if it is stuck. Raises
    NotFoundError where the network has no links, valves or sources.
    """
    graph = city.graph
    if not graph.link_count:
        raise NotFoundError(f"the network '{city.commodity.id}' is empty", hint="load its layers: twin load FILE")
    if not city.valves.any():
        raise NotFoundError(f"the network '{city.commodity.id}' has no valves", hint="load them: twin load FILE")
    if not city.sources.size:
        raise NotFoundError(f"the network '{city.commodity.id}' has no sources", hint="load them: twin load FILE")
    shut = np.union1d(np.flatnonzero(city.closed), closed).astype(np.int32)
    unusable = np.union1d(np.flatnonzero(city.stuck & city.valves), stuck).astype(np.int32)
    isolation = find_valves(city.segments, nodes=places.nodes, links=places.links, closed=shut, stuck=unusable)
    outage = find_outage(
        graph,
        city.segments,
        isolation,
        city.sources,
        closed=shut,
        stuck=unusable,
        open_links=find_open_links(city),
        before=_trace_fed(city) if not closed.size and not city.closed[isolation.broken].any() else None,
    )
    centre = _locate(city, places)
    needed, idle = (_order(city, valves, centre) for valves in (outage.needed, outage.idle))
    ends = _find_dead_ends(city, isolation, outage, shut)
    return CityIsolation(isolation, outage, np.append(needed, idle), needed.size, ends, shut, unusable)


def choose_parts(city: CityGraph, places: Places) -> Places:
    """Return places with only the longest part of each pipe, where a break most likely is: valves split pipes.

    What each word was taken for tells the length of the part [m] and how many parts there are.
    """
    links = places.links
    items = city.link_layers[links].astype(np.int64) * (city.graph.link_count + 1) + links - city.link_parts[links]
    kept: list[int] = []
    parts: dict[str, tuple[float, int]] = {}
    for item in np.unique(items).tolist():
        own = links[items == item]
        longest = int(own[np.argmax(city.graph.weights[own])])
        kept.append(longest)
        name = f"{city.layers[city.link_layers[longest]]}/{city.link_items[longest]}"
        parts[name] = round(float(city.graph.weights[longest]), 1), own.size
    told = tuple(
        {**each, "length": parts[each["item"]][0], "parts": parts[each["item"]][1]} if each["item"] in parts else each
        for each in places.told
    )
    return Places(places.nodes, np.array(kept, np.int32), told)


def find_valve_nodes(city: CityGraph, words: Iterable[str], name: str) -> Index:
    """Return the nodes of valves given as ``LAYER/ITEM`` or as the id alone; errors name the input ``name``."""
    found = []
    for word in words:
        layer_id, slash, item = word.rpartition("/")
        layers = [layer_id] if slash else [key for key in city.layers if word in city.places.get(key, {})]
        node = next((city.places[key][item] for key in layers if item in city.places.get(key, {})), None)
        if node is None:
            raise NotFoundError(
                f"'{name}': the network '{city.commodity.id}' has no valve '{word[:80]}'", hint="LAYER/ITEM"
            )
        if not city.valves[node]:
            raise InputError(f"'{name}': '{word[:80]}' is no valve that can be closed")
        found.append(node)
    return np.array(found, np.int32)


def find_open_links(city: CityGraph) -> Mask:
    """Return which links let water through once all valves are open (links,); found once a graph.

    A pipe that is recorded as closed and has a closed valve on it is closed by this valve: water stands in it up to the
    valve, and comes through when that is opened.
    """
    return city.kept.get("held open", lambda: _find_open_links(city))


def _find_open_links(city: CityGraph) -> Mask:
    graph, opened = city.graph, city.open_links.copy()
    valves = city.closed & city.valves
    for layer_id in {lines.layer for lines in city.commodity.lines}:
        for first, last in city.find_spans(layer_id).values():
            # Between the parts of one pipe: its ends belong to other pipes too.
            if last - first > 1 and not opened[first] and valves[graph.ends[first : last - 1]].any():
                opened[first:last] = True
    return opened


def measure_feed(city: CityGraph, answer: CityIsolation, feed: int) -> Found:
    """Return what gets water again once ``feed``, a closed valve, is opened and all valves to close are closed."""
    graph, outage = city.graph, answer.outage
    blocked = mark(answer.closed, graph.node_count)
    blocked[feed] = False
    blocked |= outage.isolated_nodes
    blocked[answer.isolation.close] = True
    passes = set_passes(graph, "both", open_links=find_open_links(city))
    passes[outage.isolated_links] = 0
    found = trace(graph, passes, nodes=city.sources[~blocked[city.sources]], open_nodes=~blocked)
    nodes, links = mark(found.nodes, graph.node_count), mark(found.links, graph.link_count)
    return Found(
        np.flatnonzero(nodes & outage.behind_nodes).astype(np.int32),
        np.flatnonzero(links & outage.behind_links).astype(np.int32),
    )


def _trace_fed(city: CityGraph) -> Trace:
    """Return what has water as the network is; found once a graph."""
    return city.kept.get(
        "fed",
        lambda: trace_fed(
            city.graph, city.sources, closed=np.flatnonzero(city.closed), open_links=find_open_links(city)
        ),
    )


def _locate(city: CityGraph, places: Places) -> np.ndarray:
    """Return the middle of the broken places [m], from where a crew sets out."""
    nodes = np.concatenate((places.nodes, city.graph.starts[places.links], city.graph.ends[places.links]))
    middle: np.ndarray = city.node_xy[nodes].mean(axis=0)
    return middle


def _order(city: CityGraph, valves: Index, start: np.ndarray) -> Index:
    """Return valves in the order of a walk that always goes to the nearest one left (nearest-neighbour tour)."""
    left, here, order = valves.tolist(), start, []
    while left:
        away = np.hypot(*(city.node_xy[left] - here).T)
        order.append(left.pop(int(np.argmin(away))))
        here = city.node_xy[order[-1]]
    return np.array(order, np.int32)


def _find_dead_ends(city: CityGraph, isolation: Isolation, outage: Outage, shut: Index) -> tuple[DeadEnd, ...]:
    """Return the stretches with water that end at a valve to close and had another way before, longest first.

    From each valve back along links with water as long as a node has just one other such link.
    """
    graph = city.graph
    holds = mark(shut, graph.node_count)
    holds[isolation.close] = True
    dry = outage.links | ~find_open_links(city)
    found = []
    for valve in outage.needed.tolist():
        for link, node in _list_wet(city, valve, dry):
            stretch, length = [link], float(graph.weights[link])
            came, here = link, node
            while not holds[here]:
                onward = [(each, other) for each, other in _list_wet(city, here, dry) if each != came]
                if len(onward) != 1 or onward[0][0] in stretch:
                    break
                came, here = onward[0]
                stretch.append(came)
                length += float(graph.weights[came])
            if length > SHORT_END:
                found.append(DeadEnd(valve, np.array(stretch, np.int32), length))
    return tuple(sorted(found, key=lambda each: -each.length))


def _list_wet(city: CityGraph, node: int, dry: np.ndarray) -> list[tuple[int, int]]:
    """Return the links with water at a node, and the node at the other end of each."""
    graph = city.graph
    halves = slice(graph.first[node], graph.first[node + 1])
    pairs = zip(graph.halves[halves].tolist(), graph.others[halves].tolist(), strict=True)
    return [(link, other) for link, other in pairs if not dry[link]]
