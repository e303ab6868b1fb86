"""Traces: what is connected, upstream, downstream, on a loop, on a path, or held by one link alone.

Up and down follow the drawn direction of the links, as sewers do (sink-based), or the way from the sources, where a
``flow`` of ``orient_from_sources`` is given (source-based: water, power). A mask of open nodes and links holds both
barriers and filters: what is not open is not passed. A link that leads to a closed node is part of the trace.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.graph import Graph, Index, Mask, build_graph
from network.kernels import find_distances, label_blocks, label_parts, spread

Passes = NDArray[np.uint8]
Direction = Literal["both", "forward", "backward"]

FORWARD, BACKWARD, BOTH = 1, 2, 3
_NO_LINKS = np.zeros((0, 3), np.int32)


@dataclass(frozen=True, eq=False)
class Trace:
    """What a trace found, as indices.

    nodes: in the order of the walk. reached_by: the link by which each node was reached, -1 for a start. links: those
    walked. barriers: closed nodes that the trace stopped at. stamp: the version of the graph.
    """

    nodes: Index
    reached_by: Index
    links: Index
    barriers: Index
    stamp: str


@dataclass(frozen=True, eq=False)
class Path:
    """A shortest path: its nodes from start to end, the links between them and the sum of their weights."""

    nodes: Index
    links: Index
    weight: float


@dataclass(frozen=True, eq=False)
class Structure:
    """How a network hangs together.

    loops: links that lie on a cycle (links,). critical_links: links whose loss parts the network. critical_nodes: the
    same of nodes. blocks: the block of each link (links,), -1 where it is not open.
    """

    loops: Mask
    critical_links: Mask
    critical_nodes: Mask
    blocks: Index


def set_passes(
    graph: Graph,
    direction: Direction,
    *,
    open_links: Mask | None = None,
    flow: Passes | None = None,
    heed_one_way: bool = True,
) -> Passes:
    """Return how each link may be walked (links,): bit 1 from start to end, bit 2 from end to start, 0 not at all."""
    if flow is not None and direction != "both":
        # Against the flow the two bits change places.
        passes = flow.copy() if direction == "forward" else (((flow & 1) << 1) | (flow >> 1)).astype(np.uint8)
    else:
        passes = np.full(
            graph.link_count, {"both": BOTH, "forward": FORWARD, "backward": BACKWARD}[direction], np.uint8
        )
    if direction == "both" and heed_one_way:
        passes[graph.one_way] = FORWARD
    if open_links is not None:
        passes[~_check_mask("open_links", open_links, graph.link_count)] = 0
    return passes


def orient_from_sources(
    graph: Graph, sources: ArrayLike, *, open_nodes: Mask | None = None, open_links: Mask | None = None
) -> Passes:
    """Return the direction of flow of each link away from the nearest source, by weight, as passes (links,).

    A link whose ends are equally far carries flow either way (3); one that no source reaches carries none (0).
    """
    passes = set_passes(graph, "both", open_links=open_links)
    distance, _ = _measure(graph, passes, _as_nodes(graph, sources), open_nodes, -1)
    start, end = distance[graph.starts], distance[graph.ends]
    flow = np.where(start < end, FORWARD, np.where(end < start, BACKWARD, BOTH)).astype(np.uint8)
    flow[np.isinf(start) & np.isinf(end)] = 0
    return flow & passes


def trace(
    graph: Graph,
    passes: Passes,
    *,
    nodes: ArrayLike = (),
    links: ArrayLike = (),
    open_nodes: Mask | None = None,
) -> Trace:
    """Return what can be reached from nodes and links along ``passes``, not past nodes that are not open."""
    seeds, rows = _as_nodes(graph, nodes), _NO_LINKS
    if np.size(links):
        starts = _check_indices("link", links, graph.link_count)
        rows = np.column_stack((starts, graph.starts[starts], graph.ends[starts])).astype(np.int32)
    found = spread(graph.first, graph.middle, graph.others, graph.halves, passes, _open(graph, open_nodes), seeds, rows)
    return Trace(found[0], found[1], found[2], found[3], graph.stamp)


def trace_connected(
    graph: Graph,
    *,
    nodes: ArrayLike = (),
    links: ArrayLike = (),
    open_nodes: Mask | None = None,
    open_links: Mask | None = None,
) -> Trace:
    """Return all that hangs together with the starts, whichever way the commodity flows."""
    passes = set_passes(graph, "both", open_links=open_links, heed_one_way=False)
    return trace(graph, passes, nodes=nodes, links=links, open_nodes=open_nodes)


def trace_subnetwork(
    graph: Graph, controllers: ArrayLike, *, open_nodes: Mask | None = None, open_links: Mask | None = None
) -> Trace:
    """Return what the controllers (sources, cabinets, inlets of a zone) feed, one-way devices heeded."""
    return trace(graph, set_passes(graph, "both", open_links=open_links), nodes=controllers, open_nodes=open_nodes)


def trace_downstream(
    graph: Graph,
    *,
    nodes: ArrayLike = (),
    links: ArrayLike = (),
    flow: Passes | None = None,
    open_nodes: Mask | None = None,
    open_links: Mask | None = None,
) -> Trace:
    """Return where what passes the starts goes."""
    plain = flow is None and open_links is None
    passes = graph.as_drawn if plain else set_passes(graph, "forward", open_links=open_links, flow=flow)
    return trace(graph, passes, nodes=nodes, links=links, open_nodes=open_nodes)


def trace_upstream(
    graph: Graph,
    *,
    nodes: ArrayLike = (),
    links: ArrayLike = (),
    flow: Passes | None = None,
    open_nodes: Mask | None = None,
    open_links: Mask | None = None,
) -> Trace:
    """Return where what passes the starts can come from."""
    plain = flow is None and open_links is None
    passes = graph.against_drawn if plain else set_passes(graph, "backward", open_links=open_links, flow=flow)
    return trace(graph, passes, nodes=nodes, links=links, open_nodes=open_nodes)


def find_parts(graph: Graph, *, open_nodes: Mask | None = None, open_links: Mask | None = None) -> tuple[Index, int]:
    """Return the connected part of each node (nodes,), -1 where it is not open, and how many parts there are."""
    links = np.ones(graph.link_count, np.bool_) if open_links is None else open_links
    return label_parts(graph.starts, graph.ends, links, _open(graph, open_nodes))


def find_shortest_path(
    graph: Graph, start: int, end: int, *, passes: Passes | None = None, open_nodes: Mask | None = None
) -> Path | None:
    """Return the path of least weight between two nodes, None where there is none; one-way devices are heeded."""
    walk = set_passes(graph, "both") if passes is None else passes
    origin, goal = _as_nodes(graph, [start, end])
    distance, by = _measure(graph, walk, np.array([origin], np.int32), open_nodes, int(goal))
    if np.isinf(distance[goal]):
        return None
    nodes, links, node = [int(goal)], [], int(goal)
    while node != origin:
        link = int(by[node])
        node = int(graph.starts[link]) if graph.ends[link] == node else int(graph.ends[link])
        links.append(link)
        nodes.append(node)
    return Path(np.array(nodes[::-1], np.int32), np.array(links[::-1], np.int32), float(distance[goal]))


def find_structure(graph: Graph, *, open_nodes: Mask | None = None, open_links: Mask | None = None) -> Structure:
    """Return loops and what the network cannot lose without falling apart, whichever way the commodity flows."""
    links = np.ones(graph.link_count, np.bool_) if open_links is None else open_links
    block, size, joins = label_blocks(graph.first, graph.others, graph.halves, links, _open(graph, open_nodes))
    walked = block >= 0
    alone = np.zeros(graph.link_count, np.bool_)
    alone[walked] = size[block[walked]] == 1
    own = graph.starts == graph.ends
    return Structure(walked & (~alone | own), alone & ~own, joins, block)


def find_links_between(
    graph: Graph, start: int, end: int, *, open_nodes: Mask | None = None, open_links: Mask | None = None
) -> Index:
    """Return the links that lie on any path between two nodes that passes no node twice.

    They are those of one block with a link that joins the two nodes directly.
    """
    origin, goal = _as_nodes(graph, [start, end])
    if origin == goal:
        return np.zeros(0, np.int32)
    joined = build_graph(np.append(graph.starts, origin), np.append(graph.ends, goal), nodes=graph.node_count)
    links = np.ones(graph.link_count, np.bool_) if open_links is None else open_links
    blocks = find_structure(joined, open_nodes=open_nodes, open_links=np.append(links, True)).blocks
    return np.flatnonzero((blocks[:-1] == blocks[-1]) & (blocks[-1] >= 0)).astype(np.int32)


def _measure(
    graph: Graph, passes: Passes, seeds: Index, open_nodes: Mask | None, target: int
) -> tuple[NDArray[np.float64], Index]:
    half = graph.first, graph.middle, graph.others, graph.halves
    return find_distances(*half, passes, _open(graph, open_nodes), graph.weights, seeds, target)


def _open(graph: Graph, mask: Mask | None) -> Mask:
    if mask is None:
        return graph.every_node
    return _check_mask("open_nodes", mask, graph.node_count)


def _check_mask(name: str, mask: Mask, size: int) -> Mask:
    if mask.shape != (size,) or mask.dtype != np.bool_:
        raise InputError(f"{name} is {mask.dtype} {mask.shape}, expected bool ({size},)", hint="give one truth each")
    return mask


def _as_nodes(graph: Graph, nodes: ArrayLike) -> Index:
    return _check_indices("node", nodes, graph.node_count)


def _check_indices(what: str, given: ArrayLike, size: int) -> Index:
    indices = np.atleast_1d(np.asarray(given, np.int64))
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        wrong = indices[(indices < 0) | (indices >= size)][0]
        raise InputError(f"{what} {wrong} is outside 0 to {size - 1}", hint=f"name a {what} that exists")
    return indices.astype(np.int32)
