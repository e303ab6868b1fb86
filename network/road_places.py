"""Where roads meet: at vertices they share, never where they merely cross; and never on two levels at once.

Lines that share a vertex meet there, at an end or on the inside of either, as ways of OpenStreetMap do. An end that
stops just short of a line of its level meets it too. Bridges join the road they continue, though their level is
another; where two roads pass straight through one place on different levels, as in a file that was cut at every
crossing, they stay apart.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely import STRtree

from network.kernels import label_parts

Geometries = NDArray[np.object_]
Index = NDArray[np.int32]
Longs = NDArray[np.int64]
Mask = NDArray[np.bool_]
Values = NDArray[np.float64]

TOLERANCE = 0.001
"""Vertices within this distance are one place [m]."""
REACH = 0.5
"""An end that hangs in the air no further than this from a line of its level meets it [m]."""
_STRAIGHT = np.cos(np.radians(45.0))


@dataclass(frozen=True, eq=False)
class Vertices:
    """The vertices of lines, one after the other; a vertex on the place of the one before it is left out.

    xy: (vertices, 2) [m]. line: the line of each. first: (lines + 1,) where each line begins. places: the place of
    each. place_xy: (places, 2); a place may have no vertex. measures: along the line [m].
    """

    xy: Values
    line: Index
    first: Longs
    places: Index
    place_xy: Values
    measures: Values

    @property
    def ends(self) -> Mask:
        """Which vertices are the first or last of their line."""
        found = np.zeros(self.line.size, np.bool_)
        there = self.first[1:] > self.first[:-1]
        found[self.first[:-1][there]] = True
        found[self.first[1:][there] - 1] = True
        return found


@dataclass(frozen=True, eq=False)
class Stretches:
    """Stretches of lines between junctions, in the order of the lines and along them (edges,).

    line, part: which. begin, finish: first and last vertex. starts, ends: junctions. measures: (edges, 2) along the
    line [m]. junction_xy: (junctions, 2). parted: places (n, 2) where roads on different levels were kept apart.
    """

    line: Index
    part: Index
    begin: Longs
    finish: Longs
    starts: Index
    ends: Index
    measures: Values
    junction_xy: Values
    parted: Values


def gather_vertices(lines: Geometries, *, tolerance: float = TOLERANCE) -> Vertices:
    """Return the vertices of lines [m] with their places; None is a line without vertices."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    places, place_xy = label_places(xy, tolerance)
    return arrange(xy, owner.astype(np.int32), lines.size, places, place_xy)


def arrange(xy: Values, line: Index, lines: int, places: Index, place_xy: Values) -> Vertices:
    """Return vertices that stand in the order of their lines, without those that repeat the place before them."""
    fresh = np.ones(line.size, np.bool_)
    fresh[1:] = (line[1:] != line[:-1]) | (places[1:] != places[:-1])
    if not fresh.all():
        xy, line, places = xy[fresh], line[fresh], places[fresh]
    first = np.append(0, np.cumsum(np.bincount(line, minlength=lines))).astype(np.int64)
    along = np.zeros(line.size)
    if line.size:
        step = xy[1:] - xy[:-1]
        np.cumsum(np.hypot(step[:, 0], step[:, 1]), out=along[1:])
        along -= along[np.minimum(first[:-1], line.size - 1)][line]
    return Vertices(xy, line, first, places, place_xy, along)


def label_places(xy: Values, tolerance: float = TOLERANCE) -> tuple[Index, Values]:
    """Return the place of each vertex (n,) and where it is (places, 2): those within the tolerance are one."""
    if not xy.size:
        return np.zeros(0, np.int32), np.zeros((0, 2))
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    inline = xy[order]
    fresh = np.append(True, (inline[1:, 0] != inline[:-1, 0]) | (inline[1:, 1] != inline[:-1, 1]))
    label = np.empty(order.size, np.int32)
    label[order] = np.cumsum(fresh) - 1
    unique = inline[fresh]
    tree = cKDTree(unique, balanced_tree=False, compact_nodes=False)
    pairs = tree.query_pairs(tolerance, output_type="ndarray").astype(np.int32)
    if not pairs.size:
        return label, unique
    near, far = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    merged, _ = label_parts(near, far, np.ones(near.size, np.bool_), np.ones(unique.shape[0], np.bool_))
    kept, leading = np.unique(merged, return_index=True)
    number = np.zeros(int(kept.max()) + 1, np.int32)
    number[kept] = np.arange(kept.size)
    return number[merged][label], unique[leading]


def join_loose_ends(vertices: Vertices, levels: Index, lines: Geometries, *, reach: float = REACH) -> Vertices:
    """Return the vertices with one more on each line that a loose end stops short of, at the place of that end.

    levels: of each line. A line is not joined to itself. The end keeps its own place, the line bends there by less
    than ``reach`` [m]; of several lines it is the nearest.
    """
    met = np.bincount(vertices.places, minlength=vertices.place_xy.shape[0])
    loose = np.flatnonzero(vertices.ends & (met[vertices.places] == 1))
    if not loose.size:
        return vertices
    at, line = STRtree(lines).query(shapely.points(vertices.xy[loose]), predicate="dwithin", distance=reach)
    end = loose[at]
    fits = (vertices.line[end] != line) & (levels[vertices.line[end]] == levels[line])
    end, line = end[fits], line[fits]
    if not end.size:
        return vertices
    points = shapely.points(vertices.xy[end])
    off = shapely.distance(lines[line], points)
    least = np.full(vertices.line.size, np.inf)
    np.minimum.at(least, end, off)
    # Lines that lie on each other are equally near.
    nearest = off <= least[end] + TOLERANCE
    end, line, points = end[nearest], line[nearest], points[nearest]
    measure = shapely.line_locate_point(lines[line], points)
    inside = np.searchsorted(_positions(vertices), line * _stride(vertices) + measure)
    inside = np.clip(inside, vertices.first[line], vertices.first[line + 1])
    # By measure along one line, for several ends may fall between the same two vertices.
    order = np.lexsort((measure, line))
    inside, end, line = inside[order], end[order], line[order]
    return arrange(
        np.insert(vertices.xy, inside, vertices.xy[end], axis=0),
        np.insert(vertices.line, inside, line).astype(np.int32),
        vertices.first.size - 1,
        np.insert(vertices.places, inside, vertices.places[end]),
        vertices.place_xy,
    )


def _stride(vertices: Vertices) -> float:
    return float(vertices.measures.max(initial=0.0)) + 1.0


def _positions(vertices: Vertices) -> Values:
    return np.asarray(vertices.line * _stride(vertices) + vertices.measures, np.float64)


def cut_at_junctions(vertices: Vertices, levels: Index) -> Stretches:
    """Return the stretches between junctions. levels: of each line (lines,), 0 on the ground.

    A place is a junction where a line ends, or where two vertices meet.
    """
    ends = vertices.ends
    count = vertices.place_xy.shape[0]
    met = np.bincount(vertices.places, minlength=count)
    stops = ends | (met[vertices.places] > 1)
    junction = vertices.places.astype(np.int64)
    extra, parted = _part_levels(vertices, levels, ends, met, stops, junction)
    at = np.flatnonzero(stops)
    used = np.zeros(count + len(extra), np.bool_)
    used[junction[at]] = True
    number = (np.cumsum(used) - 1)[junction[at]]
    junction_place = np.append(np.arange(count), np.array(extra, np.int64))[used]
    follows = np.flatnonzero(vertices.line[at[1:]] == vertices.line[at[:-1]])
    begin, finish = at[follows], at[follows + 1]
    line = vertices.line[begin]
    leading = np.flatnonzero(np.append(True, line[1:] != line[:-1])[: line.size])
    part = np.arange(line.size) - np.repeat(leading, np.diff(np.append(leading, line.size)))
    return Stretches(
        line,
        part.astype(np.int32),
        begin,
        finish,
        number[follows].astype(np.int32),
        number[follows + 1].astype(np.int32),
        np.column_stack((vertices.measures[begin], vertices.measures[finish])),
        vertices.place_xy[junction_place],
        vertices.place_xy[np.array(parted, np.int64)],
    )


def _part_levels(
    vertices: Vertices, levels: Index, ends: Mask, met: NDArray[np.intp], stops: Mask, junction: Longs
) -> tuple[list[int], list[int]]:
    """Set apart roads that pass through one place on different levels; change ``stops`` and ``junction``.

    Returns the place of each junction that was added, and the places where roads were kept apart.
    """
    raised = vertices.places[(levels != 0)[vertices.line]]
    beside = np.zeros(met.size, np.bool_)
    beside[raised[met[raised] > 1]] = True
    there = np.flatnonzero(beside[vertices.places])
    order = there[np.argsort(vertices.places[there], kind="stable")]
    begin = np.flatnonzero(np.append(True, np.diff(vertices.places[order]) != 0)[: order.size])
    of = levels[vertices.line]
    extra: list[int] = []
    parted: list[int] = []
    for members in np.split(order, begin[1:]) if order.size else ():
        place = int(vertices.places[members[0]])
        through = [level for level in np.unique(of[members]) if _passes(vertices, members[of[members] == level], ends)]
        if len(through) < 2:
            continue
        parted.append(place)
        nearest = np.array(through)[np.abs(of[members][:, None] - np.array(through)).argmin(axis=1)]
        for rank, level in enumerate(through):
            together = members[nearest == level]
            if together.size == 1 and not ends[together[0]]:
                stops[together] = False
            elif rank:
                junction[together] = met.size + len(extra)
                extra.append(place)
    return extra, parted


def _passes(vertices: Vertices, members: Longs, ends: Mask) -> bool:
    """Return whether a road passes straight through a place: on the inside of a line, or from one line to another."""
    if not ends[members].all():
        return True
    ways = []
    for vertex in members:
        line = vertices.line[vertex]
        other = vertex + 1 if vertices.first[line] == vertex else vertex - 1
        if vertices.first[line] <= other < vertices.first[line + 1]:
            step = vertices.xy[other] - vertices.xy[vertex]
            ways.append(step / max(float(np.hypot(*step)), 1e-12))
    return any(float(a @ b) < -_STRAIGHT for k, a in enumerate(ways) for b in ways[k + 1 :])
