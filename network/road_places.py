"""Where roads meet: at vertices they share, never where they merely cross; and never on two levels at once.

Lines that share a vertex meet there, at an end or on the inside of either, as ways of OpenStreetMap do. Bridges join
the road they continue, though their level is another; where two roads pass straight through one place on different
levels, as in a file that was cut at every crossing, they stay apart.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from network.kernels import label_parts

Geometries = NDArray[np.object_]
Index = NDArray[np.int32]
Mask = NDArray[np.bool_]
Values = NDArray[np.float64]

TOLERANCE = 0.001
"""Vertices within this distance are one place [m]."""
_STRAIGHT = np.cos(np.radians(45.0))


@dataclass(frozen=True, eq=False)
class Vertices:
    """The vertices of lines, one after the other; a vertex on the place of the one before it is left out.

    xy: (vertices, 2) [m]. line: the line of each. first: (lines + 1,) where each line begins. places: the place of
    each. place_xy: (places, 2). measures: along the line [m].
    """

    xy: Values
    line: Index
    first: NDArray[np.int64]
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
    begin: NDArray[np.int64]
    finish: NDArray[np.int64]
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
    """Return vertices in the order of their lines, without those that repeat the place before them."""
    fresh = np.ones(line.size, np.bool_)
    fresh[1:] = (line[1:] != line[:-1]) | (places[1:] != places[:-1])
    xy, line, places = xy[fresh], line[fresh], places[fresh]
    first = np.searchsorted(line, np.arange(lines + 1))
    steps = np.zeros(line.size)
    if line.size:
        steps[1:] = np.hypot(*np.diff(xy, axis=0).T)
    along = np.cumsum(steps)
    begin = np.minimum(first[:-1], max(line.size - 1, 0))
    measures = along - along[begin][line] if line.size else along
    return Vertices(xy, line, first, places, place_xy, measures)


def label_places(xy: Values, tolerance: float = TOLERANCE) -> tuple[Index, Values]:
    """Return the place of each vertex (n,) and where it is (places, 2): those within the tolerance are one."""
    if not xy.size:
        return np.zeros(0, np.int32), np.zeros((0, 2))
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    inline = xy[order]
    fresh = np.append(True, np.any(inline[1:] != inline[:-1], axis=1))
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


def cut_at_junctions(vertices: Vertices, levels: Index) -> Stretches:
    """Return the stretches between junctions. levels: of each line (lines,), 0 on the ground.

    A place is a junction where a line ends, or where two vertices meet.
    """
    ends = vertices.ends
    met = np.bincount(vertices.places, minlength=vertices.place_xy.shape[0])
    junction = vertices.places.astype(np.int64)
    stops = ends | (met[vertices.places] > 1)
    extra, parted = _part_levels(vertices, levels, ends, met, stops, junction)
    junction_place, number = np.unique(junction[stops], return_inverse=True)
    places = np.append(np.arange(vertices.place_xy.shape[0]), np.array(extra, np.int64))
    at = np.flatnonzero(stops)
    follows = np.flatnonzero(vertices.line[at[1:]] == vertices.line[at[:-1]]) if at.size else np.zeros(0, np.int64)
    begin, finish = at[follows], at[follows + 1]
    line = vertices.line[begin]
    fresh = np.append(True, line[1:] != line[:-1])[: line.size]
    leading = np.flatnonzero(fresh)
    part = np.arange(line.size) - np.repeat(leading, np.diff(np.append(leading, line.size)))
    return Stretches(
        line.astype(np.int32),
        part.astype(np.int32),
        begin,
        finish,
        number[follows].astype(np.int32),
        number[follows + 1].astype(np.int32),
        np.column_stack((vertices.measures[begin], vertices.measures[finish])),
        vertices.place_xy[places[junction_place]],
        vertices.place_xy[np.array(parted, np.int64)],
    )


def _part_levels(
    vertices: Vertices, levels: Index, ends: Mask, met: NDArray[np.intp], stops: Mask, junction: NDArray[np.int64]
) -> tuple[list[int], list[int]]:
    """Set apart roads that pass through one place on different levels; change ``stops`` and ``junction``.

    Returns the place of each junction that was added, and the places where roads were kept apart.
    """
    of = levels[vertices.line]
    low, high = np.full(met.size, np.iinfo(np.int32).max), np.full(met.size, np.iinfo(np.int32).min)
    np.minimum.at(low, vertices.places, of)
    np.maximum.at(high, vertices.places, of)
    mixed = (met > 1) & (low != high)
    there = np.flatnonzero(mixed[vertices.places])
    order = there[np.argsort(vertices.places[there], kind="stable")]
    begin = np.flatnonzero(np.append(True, np.diff(vertices.places[order]) != 0)) if order.size else order
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
            group = members[nearest == level]
            if group.size == 1 and not ends[group[0]]:
                stops[group] = False
            elif rank:
                junction[group] = met.size + len(extra)
                extra.append(place)
    return extra, parted


def _passes(vertices: Vertices, members: NDArray[np.int64], ends: Mask) -> bool:
    """Return whether a road passes straight through a place: on the inside of a line, or from one line to another."""
    if not ends[members].all():
        return True
    ways = []
    for vertex in members:
        is_first = vertices.first[vertices.line[vertex]] == vertex
        step = vertices.xy[vertex + (1 if is_first else -1)] - vertices.xy[vertex]
        ways.append(step / max(float(np.hypot(*step)), 1e-12))
    return any(float(a @ b) < -_STRAIGHT for k, a in enumerate(ways) for b in ways[k + 1 :])
