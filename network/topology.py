"""Topology from geometry: which lines meet where, though nobody wrote it down.

Ends and points within a tolerance of each other are one node. A node that lies on the inside of a line splits it. Lines
that cross without a node are not joined, they are listed; to join them, give the places as points. Lines of different
levels (a bridge, a pipe under another) never meet.

What is kept is a table of stops: at which measure of which line lies which node. Links are what lies between two stops.
An edit changes the stops of its neighbourhood only, and the result is the one that a build from nothing gives.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from shapely import STRtree

from layers.errors import InputError
from network.graph import Graph, Index, Mask, Values, build_graph
from network.kernels import label_parts

Geometries = NDArray[np.object_]
Box = tuple[float, float, float, float]

TOLERANCE = 0.001
AT_END, AT_POINT, AT_OTHER_END = 0, 1, 2
# Parts levels in space: no city is so wide.
_LEVEL_HEIGHT = 1.0e8
# A crossing this many tolerances from a node is that node: lines meet at sharp angles too.
_NEAR = 10.0


@dataclass(frozen=True, eq=False)
class Stops:
    """Where nodes lie on lines, one row a stop.

    line: index. measure: distance along the line [m]. node: index. cause: AT_END (the line ends there), AT_POINT (a
    point splits it), AT_OTHER_END (the end of another line does). shift: how far the end, or the line, lies from the
    node [m].
    """

    line: Index
    measure: Values
    node: Index
    cause: NDArray[np.uint8]
    shift: Values


@dataclass(frozen=True, eq=False)
class Topology:
    """Nodes, stops and crossings of lines and points.

    lines, points: geometries, None for one that was taken away. levels, point_levels: whole numbers. node_xy: place of
    each node [m] (nodes, 2). node_levels: its level. node_points: index of the point it stands for, -1 where it is an
    end of lines only. point_nodes: the node of each point (points,), -1 of one that was taken away. crossed: pairs of
    lines that cross (crossings, 2) and crossing_xy: where, nodes included.
    """

    lines: Geometries
    points: Geometries
    levels: Index
    point_levels: Index
    tolerance: float
    node_xy: Values
    node_levels: Index
    node_points: Index
    point_nodes: Index
    stops: Stops
    crossed: Index
    crossing_xy: Values


@dataclass(frozen=True, eq=False)
class Links:
    """The links of a topology: part ``part`` of line ``line`` from one measure to another [m], between two nodes."""

    starts: Index
    ends: Index
    line: Index
    part: Index
    from_measure: Values
    to_measure: Values


def take_parts(geometries: ArrayLike) -> tuple[Geometries, NDArray[np.intp]]:
    """Return the lines of lines and multi-lines, and for each the index of the geometry it came from."""
    parts, owners = shapely.get_parts(np.asarray(geometries, object), return_index=True)
    return parts, owners


def build_topology(
    lines: ArrayLike,
    points: ArrayLike = (),
    *,
    levels: ArrayLike | None = None,
    point_levels: ArrayLike | None = None,
    tolerance: float = TOLERANCE,
    crossings: bool = True,
) -> Topology:
    """Return the topology of lines and points [m]; raise InputError for another geometry or one that is not finite.

    Without ``crossings`` none are looked for, which is a third of the work.
    """
    given = _check_input(lines, points, levels, point_levels, tolerance)
    return _solve(*given, tolerance, (-np.inf, -np.inf, np.inf, np.inf), crossings=crossings)


def build_part(
    lines: ArrayLike,
    points: ArrayLike,
    box: Box,
    *,
    levels: ArrayLike | None = None,
    tolerance: float = TOLERANCE,
) -> tuple[Topology, Box]:
    """Return the nodes in a box with their stops, and the box, grown until no node reaches out of it.

    lines, points: all that lie in the grown box or reach into it; whoever gives those near the box checks that it did
    not grow beyond them. Nodes outside are not in the topology.
    """
    given = _check_input(lines, points, levels, None, tolerance)
    grown = _grow_box(box, _list_candidates(*given[:2]), tolerance)
    return _solve(*given, tolerance, grown, crossings=False), grown


def lies_in(xy: Values, box: Box) -> Mask:
    """Return which places (n, 2) lie in a box (n,), its border included."""
    return _lies_in(xy, box)


def list_links(topology: Topology) -> Links:
    """Return the links between the stops, ordered by line and part; what is no longer than the tolerance is no link."""
    return list_stop_links(topology.stops, topology.node_xy, topology.tolerance)


def list_stop_links(stops: Stops, node_xy: Values, tolerance: float) -> Links:
    """Return the links between stops, ordered by line and part. node_xy: place of each node [m] (nodes, 2)."""
    order = np.lexsort((stops.measure, stops.line))
    line, measure, node = stops.line[order], stops.measure[order], stops.node[order]
    if np.any((line[1:] == line[:-1]) & (measure[1:] == measure[:-1])):
        # Two nodes at one measure, on either side of the line, are in the order of their places.
        xy = node_xy[stops.node]
        order = np.lexsort((xy[:, 1], xy[:, 0], stops.measure, stops.line))
        line, measure, node = stops.line[order], stops.measure[order], stops.node[order]
    short = (node[1:] == node[:-1]) & (measure[1:] - measure[:-1] <= tolerance)
    at = np.flatnonzero((line[1:] == line[:-1]) & ~short)
    of = line[at]
    fresh = np.append(True, of[1:] != of[:-1]) if of.size else np.zeros(0, np.bool_)
    begin = np.flatnonzero(fresh)
    part = np.arange(of.size) - np.repeat(begin, np.diff(np.append(begin, of.size)))
    return Links(node[at], node[at + 1], of, part.astype(np.int32), measure[at], measure[at + 1])


def list_collapsed(topology: Topology) -> NDArray[np.intp]:
    """Return the lines that are no longer than the tolerance and so are no link."""
    kept = np.zeros(topology.lines.size, np.bool_)
    kept[list_links(topology).line] = True
    return np.flatnonzero(~kept & ~shapely.is_missing(topology.lines))


def list_crossings(topology: Topology) -> tuple[Index, Values]:
    """Return the pairs of lines (crossings, 2) that cross where there is no node, and where (crossings, 2)."""
    if not topology.crossed.size or not topology.node_xy.size:
        return topology.crossed, topology.crossing_xy
    tree = cKDTree(_lift(topology.node_xy, topology.node_levels))
    places = _lift(topology.crossing_xy, topology.levels[topology.crossed[:, 0]])
    far = tree.query(places)[0] > _NEAR * topology.tolerance
    return topology.crossed[far], topology.crossing_xy[far]


def build_network(
    topology: Topology,
    line_ids: ArrayLike,
    *,
    point_ids: ArrayLike = (),
    stamp: str = "",
) -> tuple[Graph, Links]:
    """Return the graph of a topology and its links.

    Weights are lengths [m]. A link has the id of its line, with ``#part`` where the line is split; a node that of its
    point, else ``x,y`` in millimetres.
    """
    links = list_links(topology)
    lines, points = np.asarray(line_ids).astype(str), np.asarray(point_ids).astype(str)
    split = np.bincount(links.line, minlength=topology.lines.size)[links.line] > 1
    ids = lines[links.line].astype(object)
    ids[split] = [f"{name}#{part}" for name, part in zip(ids[split], links.part[split], strict=True)]
    named = topology.node_points >= 0
    nodes = np.array([f"{x:.3f},{y:.3f}" for x, y in topology.node_xy.tolist()], object)
    nodes[named] = points[topology.node_points[named]]
    graph = build_graph(
        links.starts,
        links.ends,
        weights=links.to_measure - links.from_measure,
        node_ids=nodes.astype(str),
        link_ids=ids.astype(str),
        stamp=stamp,
    )
    return graph, links


def _solve(
    lines: Geometries, points: Geometries, levels: Index, point_levels: Index, tolerance: float, box: Box,
    *, crossings: bool = True,
) -> Topology:  # fmt: skip
    """Return nodes, stops and crossings in a box that no cluster of ends reaches out of."""
    chosen = np.flatnonzero(_meets(shapely.bounds(lines), box, tolerance))
    there = np.flatnonzero(_meets(shapely.bounds(points), box, 0.0))
    parts = lines[chosen]
    ends = shapely.get_coordinates(np.concatenate((shapely.get_point(parts, 0), shapely.get_point(parts, -1))))
    xy = np.vstack((shapely.get_coordinates(points[there]), ends))
    level = np.concatenate((point_levels[there], levels[chosen], levels[chosen])).astype(np.int32)
    owner = np.concatenate((np.full(there.size, -1), np.tile(np.arange(chosen.size), 2))).astype(np.int32)
    far_end = np.arange(xy.shape[0]) >= there.size + chosen.size
    point = np.append(there, np.full(ends.shape[0], -1)).astype(np.int32)
    inside = _lies_in(xy, box)
    xy, level, owner, far_end, point = xy[inside], level[inside], owner[inside], far_end[inside], point[inside]

    node, first = _cluster(xy, level, point, tolerance)
    lengths = shapely.length(parts)
    is_end = owner >= 0
    stop = [owner[is_end], np.where(far_end, lengths[owner] if lengths.size else 0.0, 0.0)[is_end], node[is_end]]
    shift = np.hypot(*(xy - xy[first[node]]).T)[is_end]
    own = np.full((2, chosen.size), -1, np.int32)
    own[far_end[is_end].astype(np.int8), owner[is_end]] = node[is_end]

    tree = STRtree(parts)
    at, line = tree.query(shapely.points(xy), predicate="dwithin", distance=tolerance)
    other = (level[at] == levels[chosen[line]]) & (node[at] != own[0][line]) & (node[at] != own[1][line])
    at, line = at[other], line[other]
    off = shapely.distance(shapely.points(xy[at]), parts[line])
    order = np.lexsort((xy[at, 1], xy[at, 0], off, node[at], line))
    at, line, off = at[order], line[order], off[order]
    fresh = np.append(True, (line[1:] != line[:-1]) | (node[at][1:] != node[at][:-1]))[: at.size]
    at, line, off = at[fresh], line[fresh], off[fresh]
    cause = np.where(point[first[node[at]]] >= 0, AT_POINT, AT_OTHER_END)
    stops = Stops(
        chosen[np.append(stop[0], line)].astype(np.int32),
        np.append(stop[1], shapely.line_locate_point(parts[line], shapely.points(xy[at]))),
        np.append(stop[2], node[at]).astype(np.int32),
        np.append(np.full(stop[0].size, AT_END), cause).astype(np.uint8),
        np.append(shift, off),
    )
    crossed, places = np.zeros((0, 2), np.int32), np.zeros((0, 2))
    if crossings:
        crossed, places = _find_crossings(tree, parts, levels[chosen], box)
    point_nodes = np.full(points.size, -1, np.int32)
    point_nodes[point[point >= 0]] = node[point >= 0]
    return Topology(
        lines, points, levels, point_levels, tolerance, xy[first], level[first], point[first], point_nodes, stops,
        chosen[crossed].astype(np.int32), places,
    )  # fmt: skip


def _cluster(xy: Values, level: Index, point: Index, tolerance: float) -> tuple[Index, NDArray[np.intp]]:
    """Return the node of each candidate, and of each node the candidate that gives its place: a point before an end,
    then the most western, then the most southern, so that neither order nor neighbourhood matters.
    """
    if not xy.size:
        return np.zeros(0, np.int32), np.zeros(0, np.intp)
    pairs = cKDTree(_lift(xy, level)).query_pairs(tolerance, output_type="ndarray").astype(np.int32)
    near, far = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    node, _ = label_parts(near, far, np.ones(near.size, np.bool_), np.ones(xy.shape[0], np.bool_))
    order = np.lexsort((point, xy[:, 1], xy[:, 0], point < 0))
    _, leading = np.unique(node[order], return_index=True)
    return node, order[leading]


def _find_crossings(tree: STRtree, lines: Geometries, levels: Index, box: Box) -> tuple[Index, Values]:
    a, b = tree.query(lines, predicate="crosses")
    once = (a < b) & (levels[a] == levels[b])
    a, b = a[once], b[once]
    parts, pair = shapely.get_parts(shapely.intersection(lines[a], lines[b]), return_index=True)
    lone = shapely.get_type_id(parts) == shapely.GeometryType.POINT
    xy, pair = shapely.get_coordinates(parts[lone]), pair[lone]
    inside = _lies_in(xy, box)
    return np.column_stack((a[pair], b[pair]))[inside].astype(np.int32), xy[inside]


def _check_input(
    lines: ArrayLike, points: ArrayLike, levels: ArrayLike | None, point_levels: ArrayLike | None, tolerance: float
) -> tuple[Geometries, Geometries, Index, Index]:
    if not 0.0 < tolerance < 10.0:
        raise InputError(f"the tolerance is {tolerance} m, expected more than 0 and less than 10", hint="try 0.001")
    found = []
    for name, given, kind in (("line", lines, "LineString"), ("point", points, "Point")):
        each = np.atleast_1d(np.asarray(given, object))
        wrong = ~shapely.is_missing(each) & (shapely.get_type_id(each) != shapely.GeometryType[kind.upper()])
        wrong |= shapely.is_empty(each)
        for k in np.flatnonzero(wrong):
            raise InputError(f"{name} {k} is a {each[k].geom_type} of no use, expected a {kind}", hint="see take_parts")
        xy, owner = shapely.get_coordinates(each, return_index=True)
        for k in owner[~np.isfinite(xy).all(axis=1)]:
            raise InputError(f"{name} {k} has a coordinate that is not a number", hint="mend or leave out the feature")
        found.append(each)
    sizes = found[0].size, found[1].size
    heights = [
        np.zeros(size, np.int32) if each is None else np.asarray(each, np.int32)
        for each, size in zip((levels, point_levels), sizes, strict=True)
    ]
    if (heights[0].size, heights[1].size) != sizes:
        raise InputError("levels are not one a line and one a point", hint="give one whole number each")
    return found[0], found[1], heights[0], heights[1]


def _list_candidates(lines: Geometries, points: Geometries) -> Values:
    ends = np.concatenate((points, shapely.get_point(lines, 0), shapely.get_point(lines, -1)))
    return np.asarray(shapely.get_coordinates(ends), np.float64)


def _grow_box(box: Box, candidates: Values, tolerance: float) -> Box:
    """Return the box wide enough that no candidate outside is within the tolerance of it."""
    west, south, east, north = box
    grown = west - tolerance, south - tolerance, east + tolerance, north + tolerance
    while True:
        wide = grown[0] - tolerance, grown[1] - tolerance, grown[2] + tolerance, grown[3] + tolerance
        near = candidates[_lies_in(candidates, wide) & ~_lies_in(candidates, grown)]
        if not near.size:
            return grown
        low, high = near.min(axis=0), near.max(axis=0)
        grown = min(grown[0], low[0]), min(grown[1], low[1]), max(grown[2], high[0]), max(grown[3], high[1])


def _lies_in(xy: Values, box: Box) -> Mask:
    west, south, east, north = box
    return (xy[:, 0] >= west) & (xy[:, 0] <= east) & (xy[:, 1] >= south) & (xy[:, 1] <= north)


def _meets(bounds: Values, box: Box, margin: float) -> Mask:
    west, south, east, north = box
    across = (bounds[:, 0] <= east + margin) & (bounds[:, 2] >= west - margin)
    return across & (bounds[:, 1] <= north + margin) & (bounds[:, 3] >= south - margin)


def _lift(xy: Values, level: Index) -> Values:
    return np.column_stack((xy, level * _LEVEL_HEIGHT))
