"""Traces of a city's network: each kind of question, answered as nodes and links of its graph."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from layers.errors import InputError, NotFoundError
from network.graph import Graph, Index, Mask, mark
from network.tracing import (
    Structure,
    Trace,
    find_links_between,
    find_parts,
    find_shortest_path,
    find_structure,
    set_passes,
    trace_connected,
    trace_downstream,
    trace_subnetwork,
    trace_upstream,
)
from twin.networks.asking import Openness, Places, find_node
from twin.networks.city_graph import CityGraph

Kind = Literal[
    "connected",
    "subnetwork",
    "upstream",
    "downstream",
    "loops",
    "shortest_path",
    "critical_links",
    "paths_between",
]
KINDS: tuple[str, ...] = get_args(Kind)
BETWEEN = ("shortest_path", "paths_between")
ANYWHERE = ("subnetwork", "loops", "critical_links")
"""Kinds that need no start: they are asked of the whole network then."""
_NONE: Index = np.zeros(0, np.int32)


@dataclass(frozen=True, eq=False)
class Found:
    """What a trace found: nodes and links in the order of the walk, where it stopped, and of a path its length [m]."""

    nodes: Index
    links: Index
    barriers: Index = field(default_factory=lambda: _NONE)
    length: float | None = None
    _masks: dict[str, Mask] = field(default_factory=dict, repr=False)

    def mark(self, graph: Graph) -> tuple[Mask, Mask]:
        """Return which nodes (nodes,) and links (links,) of ``graph`` were found; made once, not to be changed."""
        if not self._masks:
            self._masks["nodes"] = mark(self.nodes, graph.node_count)
            self._masks["links"] = mark(self.links, graph.link_count)
        return self._masks["nodes"], self._masks["links"]

    def to_trace(self, stamp: str) -> Trace:
        """Return it as the numerics measure it."""
        return Trace(self.nodes, np.full(self.nodes.size, -1, np.int32), self.links, self.barriers, stamp)


def trace_city(city: CityGraph, kind: str, starts: Places, ends: Places, openness: Openness) -> Found:
    """Return what the question ``kind`` finds; InputError where it lacks starts or ends, or has some too many.

    Up and down follow the way from the sources (water, power) or the links as drawn (drains). A subnetwork is what
    the sources among the starts feed, else the sources that hang together with them, else all sources; of drains, what
    flows to the outfalls. A path is one along the ground: it does not heed the direction of flow.
    """
    if not city.graph.link_count:
        layers = ", ".join(part.layer for part in city.commodity.lines)
        raise NotFoundError(
            f"the network '{city.commodity.id}' is empty", hint=f"load features into {layers}: twin load FILE --layer"
        )
    given = bool(starts.told)
    if not given and kind not in ANYWHERE:
        raise InputError(f"a trace '{kind}' needs a start", hint="starts: LAYER/ITEM or LON,LAT")
    if bool(ends.told) != (kind in BETWEEN):
        what = "needs an end" if kind in BETWEEN else "takes no ends"
        raise InputError(f"a trace '{kind}' {what}", hint=f"ends belong to {' and '.join(BETWEEN)}")
    if kind in BETWEEN:
        return _trace_between(city, kind, find_node(city, starts, "starts"), find_node(city, ends, "ends"), openness)
    if kind in ("loops", "critical_links"):
        return _trace_structure(city, kind, starts, openness)
    return _WALKS[kind](city, starts, openness)


def _trace_connected(city: CityGraph, starts: Places, openness: Openness) -> Found:
    return _keep(
        trace_connected(
            city.graph,
            nodes=starts.nodes,
            links=starts.links,
            open_nodes=openness.nodes,
            open_links=openness.links,
        )
    )


def _trace_subnetwork(city: CityGraph, starts: Places, openness: Openness) -> Found:
    drains = city.commodity.basis == "sink"
    controllers = city.sinks if drains else city.sources
    if starts.told:
        own = starts.nodes[np.isin(starts.nodes, controllers)]
        controllers = own if own.size else _find_near(city, starts, openness, controllers)
    if not controllers.size:
        what, where = (
            "outfall" if drains else "source",
            "that hangs together with the starts" if starts.told else "at all",
        )
        raise NotFoundError(f"the network '{city.commodity.id}' has no {what} {where}", hint="ask for 'connected'")
    if drains:
        return _keep(
            trace_upstream(city.graph, nodes=controllers, open_nodes=openness.nodes, open_links=openness.links)
        )
    return _keep(trace_subnetwork(city.graph, controllers, open_nodes=openness.nodes, open_links=openness.links))


def _find_near(city: CityGraph, starts: Places, openness: Openness, controllers: Index) -> Index:
    """Return the controllers that hang together with the starts."""
    if not openness.as_is:
        return controllers[_trace_connected(city, starts, openness).mark(city.graph)[0][controllers]]
    parts, _ = city.kept.get(
        "parts", lambda: find_parts(city.graph, open_nodes=openness.nodes, open_links=openness.links)
    )
    links = starts.links[openness.links[starts.links]]
    own = parts[np.concatenate((starts.nodes, city.graph.starts[links], city.graph.ends[links]))]
    return controllers[np.isin(parts[controllers], own[own >= 0])]


def _follow(walk: Callable[..., Trace], city: CityGraph, starts: Places, openness: Openness) -> Found:
    return _keep(
        walk(
            city.graph,
            nodes=starts.nodes,
            links=starts.links,
            flow=city.flow,
            open_nodes=openness.nodes,
            open_links=openness.links,
        )
    )


def _trace_upstream(city: CityGraph, starts: Places, openness: Openness) -> Found:
    return _follow(trace_upstream, city, starts, openness)


def _trace_downstream(city: CityGraph, starts: Places, openness: Openness) -> Found:
    return _follow(trace_downstream, city, starts, openness)


_WALKS: dict[str, Callable[[CityGraph, Places, Openness], Found]] = {
    "connected": _trace_connected,
    "subnetwork": _trace_subnetwork,
    "upstream": _trace_upstream,
    "downstream": _trace_downstream,
}


def _trace_between(city: CityGraph, kind: str, start: int, end: int, openness: Openness) -> Found:
    graph = city.graph
    if kind == "paths_between":
        links = find_links_between(graph, start, end, open_nodes=openness.nodes, open_links=openness.links)
        return Found(_list_ends(city, links), links)
    passes = set_passes(graph, "both", open_links=openness.links, heed_one_way=False)
    path = find_shortest_path(graph, start, end, passes=passes, open_nodes=openness.nodes)
    return Found(_NONE, _NONE) if path is None else Found(path.nodes, path.links, _NONE, path.weight)


def _trace_structure(city: CityGraph, kind: str, starts: Places, openness: Openness) -> Found:
    structure = _find_structure(city, openness)
    chosen = structure.loops if kind == "loops" else structure.critical_links
    if starts.told:
        chosen = chosen & _trace_connected(city, starts, openness).mark(city.graph)[1]
    links = np.flatnonzero(chosen).astype(np.int32)
    return Found(_list_ends(city, links), links)


def _find_structure(city: CityGraph, openness: Openness) -> Structure:
    """Return loops and critical links; of the network as it is, they are found once."""
    if openness.as_is:
        return city.kept.get(
            "structure", lambda: find_structure(city.graph, open_nodes=openness.nodes, open_links=openness.links)
        )
    return find_structure(city.graph, open_nodes=openness.nodes, open_links=openness.links)


def _list_ends(city: CityGraph, links: Index) -> Index:
    ends = mark(city.graph.starts[links], city.graph.node_count)
    ends[city.graph.ends[links]] = True
    return np.flatnonzero(ends).astype(np.int32)


def _keep(found: Trace) -> Found:
    return Found(found.nodes, found.links, found.barriers)
