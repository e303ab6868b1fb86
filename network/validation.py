"""What is wrong with a network: by its topology, and by the levels and diameters of its sewers."""

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import STRtree

from layers.errors import InputError
from network.findings import Finding
from network.graph import Graph, Index, Values
from network.topology import Topology, build_network, list_collapsed, list_crossings
from network.tracing import find_parts, find_structure

NEAR_MISS = 0.5


def validate_topology(
    topology: Topology, line_ids: ArrayLike, *, near: float = NEAR_MISS, tree: bool = False, parts: bool = True
) -> list[Finding]:
    """Return the faults of a topology; ``tree``: it must have no loops, as a lighting circuit.

    near: an end this close to a line it is not joined to [m] is a near miss. The measure of a near miss is that
    distance, of a loop, a part and a duplicate its length [m]. An end on a given point does not dangle. parts: whether
    parts beside the longest are faults.
    """
    ids = np.asarray(line_ids).astype(str)
    if ids.size != topology.lines.size:
        raise InputError(f"{ids.size} ids for {topology.lines.size} lines", hint="give one id a line")
    graph, links = build_network(topology, ids, point_ids=np.arange(topology.points.size))
    found = [*_find_ends(topology, graph, links.line, ids, near), *_find_duplicates(topology, ids)]
    pairs, places = list_crossings(topology)
    for (a, b), (x, y) in zip(pairs.tolist(), places.tolist(), strict=True):
        found.append(Finding("crossing_without_node", (ids[a], ids[b]), x, y, None))
    for line in list_collapsed(topology).tolist():
        x, y = shapely.get_coordinates(topology.lines[line])[0].tolist()
        found.append(Finding("zero_length", (ids[line],), x, y, float(shapely.length(topology.lines[line]))))
    if parts:
        found += _find_parts(topology, graph, links.line, ids)
    if tree:
        structure = find_structure(graph)
        for block in np.unique(structure.blocks[structure.loops]).tolist():
            of = np.flatnonzero(structure.blocks == block)
            found.append(_describe_links("loop", topology, graph, links.line, of, ids))
    return found


def validate_sewer(
    graph: Graph,
    node_xy: Values,
    *,
    from_inverts: Values,
    to_inverts: Values,
    ground: Values,
    diameters: Values,
) -> list[Finding]:
    """Return the faults of sewers that flow from start to end.

    from_inverts, to_inverts: at both ends of each link [m above datum] (links,). ground: of each node [m above datum]
    (nodes,). diameters: [m] (links,). NaN is not known. Measures: how far it rises, how far the invert stands above
    ground, how much the largest pipe out of a node is smaller than the largest into it [m].
    """
    for name, values, size in (
        ("from_inverts", from_inverts, graph.link_count),
        ("to_inverts", to_inverts, graph.link_count),
        ("diameters", diameters, graph.link_count),
        ("ground", ground, graph.node_count),
    ):
        if values.shape != (size,):
            raise InputError(f"{name} has the shape {values.shape}, expected ({size},)", hint="give one value each")
    return [
        *_find_levels(graph, node_xy, from_inverts, to_inverts, ground),
        *_find_narrowing(graph, node_xy, diameters),
    ]


def _find_levels(graph: Graph, xy: Values, upper: Values, lower: Values, ground: Values) -> Iterator[Finding]:
    middle = (xy[graph.starts] + xy[graph.ends]) / 2.0
    names = graph.link_ids.astype(str)
    for link in np.flatnonzero(np.isnan(upper) | np.isnan(lower)).tolist():
        yield _tell("missing_invert", (str(names[link]),), middle[link], None)
    for link in np.flatnonzero(lower > upper).tolist():
        yield _tell("adverse_slope", (str(names[link]),), middle[link], float(lower[link] - upper[link]))
    for nodes, inverts in ((graph.starts, upper), (graph.ends, lower)):
        for link in np.flatnonzero(inverts > ground[nodes]).tolist():
            node = nodes[link]
            who = str(names[link]), str(graph.node_ids[node])
            yield _tell("invert_above_ground", who, xy[node], float(inverts[link] - ground[node]))


def _find_narrowing(graph: Graph, xy: Values, diameters: Values) -> Iterator[Finding]:
    known = np.flatnonzero(~np.isnan(diameters))
    into, out = np.full(graph.node_count, -np.inf), np.full(graph.node_count, -np.inf)
    np.maximum.at(into, graph.ends[known], diameters[known])
    np.maximum.at(out, graph.starts[known], diameters[known])
    for node in np.flatnonzero((into > out) & np.isfinite(into) & np.isfinite(out)).tolist():
        around = graph.halves[graph.first[node] : graph.first[node + 1]]
        who = tuple(str(name) for name in graph.link_ids[around])
        yield _tell("big_into_small", who, xy[node], float(into[node] - out[node]))


def _find_ends(topology: Topology, graph: Graph, line: Index, ids: NDArray[np.str_], near: float) -> Iterator[Finding]:
    ends = np.flatnonzero((graph.degrees == 1) & (topology.node_points < 0))
    own = line[graph.halves[graph.first[ends]]]
    tree = STRtree(topology.lines)
    at, other = tree.query(shapely.points(topology.node_xy[ends]), predicate="dwithin", distance=near)
    apart = (other != own[at]) & (topology.levels[other] == topology.node_levels[ends[at]])
    at, other = at[apart], other[apart]
    off = shapely.distance(shapely.points(topology.node_xy[ends[at]]), topology.lines[other])
    nearest: dict[int, tuple[float, int]] = {}
    for k, gap, beside in zip(at.tolist(), off.tolist(), other.tolist(), strict=True):
        nearest[k] = min(nearest.get(k, (np.inf, -1)), (gap, beside))
    for k, node in enumerate(ends.tolist()):
        x, y = topology.node_xy[node].tolist()
        if k in nearest:
            gap, beside = nearest[k]
            yield Finding("near_miss", (str(ids[own[k]]), str(ids[beside])), x, y, gap)
        else:
            yield Finding("dangling_end", (str(ids[own[k]]),), x, y, None)


def _find_duplicates(topology: Topology, ids: NDArray[np.str_]) -> Iterator[Finding]:
    tree = STRtree(topology.lines)
    pairs = np.hstack([tree.query(topology.lines, predicate=word) for word in ("overlaps", "covers")])
    pairs = np.unique(np.sort(pairs[:, pairs[0] != pairs[1]], axis=0), axis=1)
    a, b = pairs[:, topology.levels[pairs[0]] == topology.levels[pairs[1]]]
    shared = shapely.intersection(topology.lines[a], topology.lines[b])
    lengths, places = shapely.length(shared), shapely.get_coordinates(shapely.point_on_surface(shared))
    for k in np.flatnonzero(lengths > topology.tolerance).tolist():
        yield _tell("duplicate", (str(ids[a[k]]), str(ids[b[k]])), places[k], float(lengths[k]))


def _find_parts(topology: Topology, graph: Graph, line: Index, ids: NDArray[np.str_]) -> list[Finding]:
    label, count = find_parts(graph)
    if count < 2 or not graph.link_count:
        return []
    part = label[graph.starts]
    order = np.argsort(part, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(part[order])) + 1)
    groups.sort(key=lambda of: -graph.weights[of].sum())
    return [_describe_links("disconnected_part", topology, graph, line, of, ids) for of in groups[1:]]


def _tell(kind: str, ids: tuple[str, ...], place: Values, measure: float | None) -> Finding:
    x, y = place.tolist()
    return Finding(kind, ids, x, y, measure)


def _describe_links(
    kind: str, topology: Topology, graph: Graph, line: Index, of: NDArray[np.intp], ids: NDArray[np.str_]
) -> Finding:
    x, y = topology.node_xy[graph.starts[of[0]]].tolist()
    who = tuple(dict.fromkeys(str(name) for name in ids[line[of]]))
    return Finding(kind, who, x, y, float(graph.weights[of].sum()))
