"""Topology from geometry: ends snap, nodes split, crossings stay apart, and an edit gives what a build gives."""

from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from shapely import LineString, MultiLineString, Point

from layers.errors import InputError
from network.topology import (
    AT_OTHER_END,
    AT_POINT,
    Box,
    Topology,
    build_network,
    build_part,
    build_topology,
    lies_in,
    list_collapsed,
    list_crossings,
    list_links,
    take_parts,
)
from network.tracing import find_parts
from tests.network.networks import PROPERTY


def describe(topology: Topology) -> tuple[Counter[object], Counter[object], Counter[object]]:
    """Return links, nodes and crossings in words that do not depend on any order."""
    links = list_links(topology)
    xy, stands_for = topology.node_xy.tolist(), topology.node_points.tolist()
    rows = zip(links.line, links.part, links.starts, links.ends, links.from_measure, links.to_measure, strict=True)
    return (
        Counter((int(l), int(p), *xy[a], *xy[b], float(m), float(n)) for l, p, a, b, m, n in rows),  # noqa: E741
        Counter(
            (*place, point, int(level))
            for place, point, level in zip(xy, stands_for, topology.node_levels, strict=True)
        ),
        Counter(
            (*map(int, pair), *place)
            for pair, place in zip(*(each.tolist() for each in list_crossings(topology)), strict=True)
        ),
    )


def describe_inside(topology: Topology, box: Box) -> tuple[Counter[object], Counter[object]]:
    """Return the nodes in a box and the stops there, in words that do not depend on any order."""
    inside, xy, stops = lies_in(topology.node_xy, box), topology.node_xy.tolist(), topology.stops
    nodes = zip(xy, topology.node_points.tolist(), topology.node_levels.tolist(), inside, strict=True)
    rows = zip(stops.line, stops.measure, stops.node, stops.cause, stops.shift, strict=True)
    return (
        Counter((*place, point, level) for place, point, level, there in nodes if there),
        Counter((int(l), float(m), *xy[n], int(c), float(d)) for l, m, n, c, d in rows if inside[n]),  # noqa: E741
    )


@st.composite
def draw_place(draw: DrawFn) -> tuple[float, float]:
    """Draw a place on a small lattice, moved by less or by more than the tolerance."""
    moved = st.sampled_from((0.0, 0.0, 0.0, 0.0004, 0.0008, 0.003))
    return draw(st.integers(0, 4)) + draw(moved), draw(st.integers(0, 4)) + draw(moved)


LINES = st.lists(draw_place(), min_size=2, max_size=3).map(LineString)


@PROPERTY
@given(st.lists(LINES, max_size=7), st.lists(draw_place().map(Point), max_size=3), st.data())
def test_a_part_is_what_a_build_from_nothing_has_there(
    lines: list[LineString], points: list[Point], data: st.DataObject
) -> None:
    levels = data.draw(st.lists(st.sampled_from((0, 0, 0, 1)), min_size=len(lines), max_size=len(lines)))
    left, low = data.draw(draw_place())
    part, box = build_part(lines, points, (left, low, left + 1.0, low + 1.0), levels=levels)
    whole = build_topology(lines, points, levels=levels)
    assert describe_inside(part, box) == describe_inside(whole, box)
    assert lies_in(part.node_xy, box).all()


@PROPERTY
@given(st.lists(LINES, max_size=8), st.randoms(use_true_random=False))
def test_order_does_not_matter(lines: list[LineString], random: object) -> None:
    order = list(range(len(lines)))
    random.shuffle(order)  # type: ignore[attr-defined]
    links, nodes, crossings = describe(build_topology(lines))
    shuffled = describe(build_topology([lines[k] for k in order]))
    assert Counter((order[l], *rest) for l, *rest in shuffled[0].elements()) == links  # noqa: E741
    assert shuffled[1] == nodes
    assert sum(shuffled[2].values()) == sum(crossings.values())


def test_ends_within_a_millimetre_are_one_node_and_farther_ones_are_not() -> None:
    made = build_topology(
        [LineString([(0, 0), (5, 0)]), LineString([(5.0009, 0), (9, 0)]), LineString([(9.002, 0), (12, 0)])]
    )
    links = list_links(made)
    assert links.ends[0] == links.starts[1]
    assert links.ends[1] != links.starts[2]
    assert made.stops.shift.max() == pytest.approx(0.0009)


def test_an_end_and_a_point_on_the_inside_of_a_line_split_it() -> None:
    main, branch = LineString([(0, 0), (10, 0)]), LineString([(4, 0.0005), (4, 6)])
    made = build_topology([main, branch], [Point(7, 0), Point(0, 0)])
    graph, links = build_network(made, ["main", "branch"], point_ids=["valve", "tank"], stamp="v3")
    assert graph.link_ids.tolist() == ["main#0", "main#1", "main#2", "branch"]
    assert graph.weights.tolist() == pytest.approx([4.0, 3.0, 3.0, 5.9995])
    assert graph.node_ids[links.starts[0]] == "tank"
    assert graph.node_ids[links.ends[1]] == "valve"
    assert links.ends[0] == links.starts[3]
    cause = made.stops.cause[made.stops.line == 0].tolist()
    assert sorted(cause) == [0, 0, AT_POINT, AT_OTHER_END]
    assert find_parts(graph)[1] == 1


def test_what_crosses_without_a_node_is_listed_and_not_joined() -> None:
    cross = [LineString([(0, 0), (4, 4)]), LineString([(0, 4), (4, 0)])]
    made = build_topology(cross)
    pairs, places = list_crossings(made)
    assert (pairs.tolist(), places.tolist(), list_links(made).line.size) == ([[0, 1]], [[2.0, 2.0]], 2)
    joined = build_topology(cross, shapely.points(places))
    assert (list_links(joined).line.size, list_crossings(joined)[0].size) == (4, 0)
    assert list_crossings(build_topology(cross, levels=[0, 1]))[0].size == 0


def test_lines_of_two_levels_do_not_meet() -> None:
    lines = [LineString([(0, 0), (4, 0)]), LineString([(4, 0), (8, 0)]), LineString([(2, 0), (2, 3)])]
    assert build_topology(lines, levels=[0, 0, 0]).node_xy.shape[0] == 5
    apart = build_topology(lines, levels=[0, 1, 1])
    assert (apart.node_xy.shape[0], list_links(apart).line.size) == (6, 3)


def test_rings_stay_and_specks_go() -> None:
    ring = LineString([(0, 0), (3, 0), (3, 3), (0, 0)])
    made = build_topology([ring, LineString([(9, 9), (9, 9.0005)]), None])
    links = list_links(made)
    assert (links.line.tolist(), (links.starts == links.ends).tolist()) == ([0], [True])
    assert list_collapsed(made).tolist() == [1]


def test_what_is_no_line_is_named() -> None:
    with pytest.raises(InputError, match="line 0 is a MultiLineString"):
        build_topology([MultiLineString([[(0, 0), (1, 1)]])])
    with pytest.raises(InputError, match="point 1 has a coordinate"):
        build_topology([], [Point(0, 0), Point(0, np.inf)])
    with pytest.raises(InputError, match="tolerance"):
        build_topology([], tolerance=0.0)
    parts, owners = take_parts([MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]), LineString([(0, 0), (1, 0)])])
    assert (parts.size, owners.tolist()) == (3, [0, 0, 1])
