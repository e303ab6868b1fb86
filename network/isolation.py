"""Isolation: which valves to close around a break, and who is without water then.

A valve is a node. Closed, it parts all links that meet there. A segment is what the valves leave together: nodes and
links between which there is no valve (Walski 1993, "segments"; Giswater calls them minsectors). All segments are
computed once for a network; a question then looks only at the segments around the break.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from layers.errors import InputError
from network.graph import Graph, Index, Mask, mark
from network.kernels import join_segments, label_parts
from network.tracing import Trace, set_passes, trace


@dataclass(frozen=True, eq=False)
class Segments:
    """All valve segments of a network.

    valves: which nodes are valves (nodes,). nodes: segment of each node, -1 of a valve. links: segment of each link,
    -1 of one that is not open. count: how many there are. The valves of segment ``s`` are
    ``segment_valves[segment_first[s]:segment_first[s + 1]]``, the segments of node ``v`` are
    ``valve_segments[valve_first[v]:valve_first[v + 1]]``. stamp: the version of the graph.
    """

    valves: Mask
    nodes: Index
    links: Index
    count: int
    segment_first: Index
    segment_valves: Index
    valve_first: Index
    valve_segments: Index
    stamp: str


@dataclass(frozen=True, eq=False)
class Isolation:
    """The valves around a break, as node indices.

    close: to be closed. already_closed: those around it that are closed. passed: those that cannot be used, past which
    the isolation grew. segments: those inside. broken: the broken nodes that are valves.
    """

    close: Index
    already_closed: Index
    passed: Index
    segments: Index
    broken: Index


@dataclass(frozen=True, eq=False)
class Outage:
    """Who loses water, as masks over nodes and links: what is isolated, and what can only be fed through it.

    Only what had water before counts. needed: the valves to close against which water stands. idle: the others to
    close, behind which no source remains; they are needed as soon as an alternative feed is opened. sources_inside:
    sources that no valve parts from the break; they must be shut. feeds: closed valves that would feed what is behind.
    """

    isolated_nodes: Mask
    isolated_links: Mask
    behind_nodes: Mask
    behind_links: Mask
    needed: Index
    idle: Index
    sources_inside: Index
    feeds: Index

    @property
    def nodes(self) -> Mask:
        """Nodes without water (nodes,)."""
        return self.isolated_nodes | self.behind_nodes

    @property
    def links(self) -> Mask:
        """Links without water (links,)."""
        return self.isolated_links | self.behind_links


def build_segments(graph: Graph, valves: Mask, *, open_links: Mask | None = None) -> Segments:
    """Return all segments between ``valves`` (nodes,); links that are not open belong to none."""
    if valves.shape != (graph.node_count,) or valves.dtype != np.bool_:
        raise InputError(
            f"valves is {valves.dtype} {valves.shape}, expected bool ({graph.node_count},)",
            hint="give one truth a node",
        )
    used = np.ones(graph.link_count, np.bool_) if open_links is None else open_links
    nodes, parts = label_parts(graph.starts, graph.ends, used, ~valves)
    links = np.maximum(nodes[graph.starts], nodes[graph.ends])
    # A link between two valves is a segment of its own.
    between = np.flatnonzero((links < 0) & used)
    links[between] = parts + np.arange(between.size, dtype=np.int32)
    links[~used] = -1
    count = parts + between.size
    valve_first, valve_segments, segment_first, segment_valves = join_segments(
        graph.first, graph.halves, valves, links, count
    )
    return Segments(
        valves, nodes, links, count, segment_first, segment_valves, valve_first, valve_segments, graph.stamp
    )


def find_valves(
    segments: Segments,
    *,
    nodes: ArrayLike = (),
    links: ArrayLike = (),
    closed: ArrayLike = (),
    stuck: ArrayLike = (),
) -> Isolation:
    """Return the valves to close so that nothing comes from anywhere to the broken nodes and links.

    closed: valves that are closed now; they hold and are not in the list. stuck: open valves that cannot be closed
    (stuck, buried, not found): the isolation goes past them. A broken valve holds nothing.
    """
    broken = set(_as_list(nodes, segments.valves.size, "node"))
    shut = set(_as_list(closed, segments.valves.size, "valve")) - broken
    unusable = (set(_as_list(stuck, segments.valves.size, "valve")) | broken) - shut
    todo = [int(segments.links[link]) for link in _as_list(links, segments.links.size, "link")]
    for node in broken:
        todo += _list_segments(segments, node) if segments.valves[node] else [int(segments.nodes[node])]
    inside: set[int] = set()
    around: set[int] = set()
    passed: set[int] = set()
    while todo:
        segment = todo.pop()
        if segment in inside or segment < 0:
            continue
        inside.add(segment)
        lies = slice(segments.segment_first[segment], segments.segment_first[segment + 1])
        for valve in segments.segment_valves[lies].tolist():
            if valve in unusable:
                passed.add(valve)
                todo += _list_segments(segments, valve)
            else:
                around.add(valve)
    # A valve with the isolation on every side of it parts nothing.
    around = {valve for valve in around if not inside.issuperset(_list_segments(segments, valve))}
    return Isolation(
        _sort(around - shut),
        _sort(around & shut),
        _sort(passed - broken),
        _sort(inside),
        _sort({node for node in broken if segments.valves[node]}),
    )


def find_outage(
    graph: Graph,
    segments: Segments,
    isolation: Isolation,
    sources: ArrayLike,
    *,
    closed: ArrayLike = (),
    stuck: ArrayLike = (),
    open_links: Mask | None = None,
    before: Trace | None = None,
) -> Outage:
    """Return who is without water once the valves are closed: a second pass from the sources, one-way devices heeded.

    closed, stuck, open_links: as they were given to ``find_valves`` and ``build_segments``. A stuck valve that is
    closed is no alternative feed. before: what ``trace_fed`` returned for these, if it is known and no broken node is
    a closed valve. Raises InputError where segments are of another version of the graph.
    """
    if segments.stamp != graph.stamp or segments.links.size != graph.link_count:
        raise InputError(
            f"the segments are of version '{segments.stamp}', the graph of '{graph.stamp}'", hint="build them anew"
        )
    shut = mark(closed, graph.node_count)
    shut[isolation.broken] = False
    origins = np.unique(np.asarray(sources, np.int64))
    passes = set_passes(graph, "both", open_links=open_links)
    if before is None:
        before = trace(graph, passes, nodes=origins[~shut[origins]], open_nodes=~shut)

    chosen = mark(isolation.segments, segments.count)
    inside_links = (segments.links >= 0) & chosen[segments.links]
    inside_nodes = (segments.nodes >= 0) & chosen[segments.nodes]
    inside_nodes[_list_swallowed(segments, isolation, chosen)] = True
    blocked = shut | inside_nodes
    blocked[isolation.close] = True
    dry = passes.copy()
    dry[inside_links] = 0
    after = trace(graph, dry, nodes=origins[~blocked[origins]], open_nodes=~blocked)

    had_nodes, had_links = mark(before.nodes, graph.node_count), mark(before.links, graph.link_count)
    lost_nodes = had_nodes & ~mark(after.nodes, graph.node_count)
    lost_links = had_links & ~mark(after.links, graph.link_count)
    lost_nodes[isolation.close] = False
    pressed = mark(after.barriers, graph.node_count) | mark(origins, graph.node_count)
    behind_links = lost_links & ~inside_links
    usable = shut & mark(after.barriers, graph.node_count)
    usable[np.asarray(stuck, np.int64)] = False
    ends = mark(graph.starts[behind_links], graph.node_count) | mark(graph.ends[behind_links], graph.node_count)
    return Outage(
        lost_nodes & inside_nodes,
        lost_links & inside_links,
        lost_nodes & ~inside_nodes,
        behind_links,
        isolation.close[pressed[isolation.close]],
        isolation.close[~pressed[isolation.close]],
        origins[inside_nodes[origins]].astype(np.int32),
        np.flatnonzero(usable & ends).astype(np.int32),
    )


def trace_fed(graph: Graph, sources: ArrayLike, *, closed: ArrayLike = (), open_links: Mask | None = None) -> Trace:
    """Return what has water now: all that the sources reach, one-way devices heeded, not past closed valves."""
    shut = mark(closed, graph.node_count)
    origins = np.unique(np.asarray(sources, np.int64))
    passes = set_passes(graph, "both", open_links=open_links)
    return trace(graph, passes, nodes=origins[~shut[origins]], open_nodes=~shut)


def _list_swallowed(segments: Segments, isolation: Isolation, chosen: Mask) -> Index:
    """Return the valves with the isolation on every side."""
    near = [
        segments.segment_valves[segments.segment_first[segment] : segments.segment_first[segment + 1]]
        for segment in isolation.segments
    ]
    valves = np.unique(np.concatenate([*near, isolation.broken])) if near else isolation.broken
    kept = [valve for valve in valves.tolist() if chosen[_list_segments(segments, valve)].all()]
    return np.array(kept, np.int32)


def _list_segments(segments: Segments, valve: int) -> list[int]:
    lies = slice(segments.valve_first[valve], segments.valve_first[valve + 1])
    found: list[int] = segments.valve_segments[lies].tolist()
    return found


def _as_list(given: ArrayLike, size: int, what: str) -> list[int]:
    listed: list[int] = np.atleast_1d(np.asarray(given, np.int64)).tolist()
    for index in listed:
        if not 0 <= index < size:
            raise InputError(f"{what} {index} is outside 0 to {size - 1}", hint=f"name a {what} that exists")
    return listed


def _sort(values: set[int]) -> Index:
    return np.array(sorted(values), np.int32)
