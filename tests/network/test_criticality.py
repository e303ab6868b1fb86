"""Criticality by hand on small networks, and what must hold on any."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError
from network.criticality import (
    Demand,
    choose_stretches,
    close_each,
    count_behind,
    count_cut_off,
    find_core,
    load_roads,
    measure_redundancy,
    spread_trips,
    time_trips,
)
from network.criticality_capacity import cut_capacities
from network.paths import Router, build_router
from network.roads import RoadGraph, build_road_graph
from tests.network.road_arcs import PROPERTY

# A square of four streets, 0 to 3, and a street from corner 2 to a lonely place 4; all 100 s long but for 3 - 0.
ENDS = ((0, 1), (1, 2), (2, 3), (3, 0), (2, 4))
SECONDS = np.array([100.0, 100.0, 100.0, 150.0, 100.0])
BRIDGE = 4


def build(ends: tuple[tuple[int, int], ...], seconds: np.ndarray, **more: object) -> tuple[RoadGraph, Router]:
    nodes = 1 + max(max(pair) for pair in ends)
    xy = np.column_stack((np.arange(nodes), np.arange(nodes) ** 2)).astype(float) * 100.0
    graph = build_road_graph([a for a, _ in ends], [b for _, b in ends], xy, **more)  # type: ignore[arg-type]
    costs = seconds[graph.edges][graph.links]
    return graph, build_router(graph.tails, graph.heads, costs, nodes=graph.node_count, xy=graph.node_xy)


@pytest.fixture(scope="module")
def square() -> tuple[RoadGraph, Router]:
    return build(ENDS, SECONDS)


def ask(trips: dict[tuple[int, int], float]) -> Demand:
    places = np.unique(np.array(list(trips)).ravel())
    number = {int(place): k for k, place in enumerate(places)}
    matrix = np.zeros((places.size, places.size))
    for (a, b), count in trips.items():
        matrix[number[a], number[b]] = count
    return Demand(places, places, matrix)


def test_trips_load_the_cheapest_ways(square: tuple[RoadGraph, Router]) -> None:
    demand = ask({(0, 4): 10.0, (4, 0): 5.0, (1, 0): 2.0})
    # 0 → 1 → 2 → 4 is 300 s, 0 → 3 → 2 → 4 is 350 s.
    np.testing.assert_array_equal(load_roads(*square, demand), [17.0, 15.0, 0.0, 0.0, 15.0])


def test_what_a_closed_street_costs(square: tuple[RoadGraph, Router]) -> None:
    closed = close_each(*square, ask({(0, 4): 10.0, (1, 0): 2.0}), np.array([0, 2, BRIDGE]))
    assert (closed.served, closed.spent) == (12.0, 10.0 * 300.0 + 2.0 * 100.0)
    np.testing.assert_array_equal(closed.unserved, [0.0, 0.0, 10.0])
    # Without 0 - 1: 350 s for 300 s, and 350 s (by 2 and 3) for 100 s.
    np.testing.assert_array_equal(closed.added, [10.0 * 50.0 + 2.0 * 250.0, 0.0, 0.0])


def test_a_bridge_cuts_exactly_its_side(square: tuple[RoadGraph, Router]) -> None:
    graph, _ = square
    people, usable = np.array([5.0, 6.0, 7.0, 8.0, 3.0]), np.ones(graph.link_count, np.bool_)
    np.testing.assert_array_equal(count_behind(graph, usable, people), [0.0, 0.0, 0.0, 0.0, 3.0])
    assert find_core(graph, usable).tolist() == [True, True, True, True, False]
    cut, without = count_cut_off(graph, usable, people, np.array([0]), np.array([0, BRIDGE]))
    np.testing.assert_array_equal(cut, [0.0, 3.0])
    np.testing.assert_array_equal(without, [0.0, 3.0])
    _, without = count_cut_off(graph, usable, people, np.array([4]), np.array([BRIDGE]))
    np.testing.assert_array_equal(without, [26.0])


def test_other_ways_and_how_long_they_are(square: tuple[RoadGraph, Router]) -> None:
    graph, router = square
    usable = np.ones(graph.link_count, np.bool_)
    ratios, ways = measure_redundancy(graph, router, np.array([0, 3, BRIDGE]), usable)
    np.testing.assert_allclose(ratios, [3.5, 2.0, np.inf])
    np.testing.assert_array_equal(ways, [2, 2, 1])


def test_streets_in_a_row_are_tried_once(square: tuple[RoadGraph, Router]) -> None:
    graph, router = square
    usable = np.ones(graph.link_count, np.bool_)
    loads = load_roads(graph, router, ask({(0, 4): 10.0, (1, 0): 20.0}))
    behind = count_behind(graph, usable, np.array([0.0, 0.0, 0.0, 0.0, 3.0]))
    # All four of the square follow each other from corner 2 back to it.
    assert choose_stretches(graph, usable, loads, behind, 10).tolist() == [0, BRIDGE]
    assert choose_stretches(graph, usable, loads, behind, 1).tolist() == [0]


def test_trips_are_held_at_their_origins() -> None:
    seconds = np.array([[60.0, 660.0], [np.inf, np.inf]])
    trips = spread_trips(seconds, np.array([8.0, 4.0]), np.array([1.0, 3.0]), 600.0)
    np.testing.assert_allclose(trips[0], 8.0 * np.array([1.0, 3.0 / np.e]) / (1.0 + 3.0 / np.e))
    np.testing.assert_allclose(trips[1], [1.0, 3.0])
    with pytest.raises(InputError):
        spread_trips(seconds, np.ones(2), np.ones(2), 0.0)


def test_one_way_streets_count_by_direction() -> None:
    graph, router = build(((0, 1), (1, 2), (2, 0)), np.full(3, 60.0), access=np.array([[1, 0]] * 3))
    assert graph.link_count == 3
    closed = close_each(graph, router, ask({(0, 2): 6.0}), np.arange(3))
    np.testing.assert_array_equal(closed.unserved, [6.0, 6.0, 0.0])
    cut, _ = count_cut_off(graph, np.ones(3, np.bool_), np.array([4.0, 2.0, 1.0]), np.zeros(0, np.int64), np.arange(3))
    np.testing.assert_array_equal(cut, [3.0, 3.0, 3.0])


def test_banned_turns_lengthen_the_next_way() -> None:
    """At corner 1 nobody may turn from 0 - 1 into 1 - 2, so trips from 0 to 2 go round by 3."""
    graph, router = build(ENDS, SECONDS, banned_turns=[((0, True), (1, True))])
    assert graph.arc_count > graph.link_count
    np.testing.assert_array_equal(time_trips(graph, router, np.array([0, 1]), np.array([2])), [[250.0], [100.0]])
    np.testing.assert_array_equal(load_roads(graph, router, ask({(0, 2): 2.0, (1, 2): 1.0})), [0.0, 1.0, 2.0, 2.0, 0.0])


def test_less_room_can_serve_all_better() -> None:
    """Braess: from 0 to 3 by 1 or by 2; the short cut from 1 to 2 draws all onto the two narrow streets.

    All on the short cut need 2 × 78.5 + 1 s; half and half on a narrow and a long street each they need 14.3 + 100 s.
    """
    ends = ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))
    graph, _ = build(ends, np.ones(5), access=np.array([[1, 0]] * 5), capacities=np.array([500, 9e4, 5e3, 9e4, 500.0]))
    seconds = np.array([10.0, 100.0, 1.0, 100.0, 10.0])[graph.edges]
    demand = ask({(0, 3): 1300.0})
    cuts = cut_capacities(graph, seconds, demand, np.array([0, 2]), share=0.99, gap=1e-10)
    assert cuts.lost == 0.0 and cuts.gap <= 1e-9
    assert cuts.added[0] > 0.0 > cuts.added[1]
    narrow, short = 10.0 * (1.0 + 0.15 * 2.6**4), 1.0 + 0.15 * 0.26**4
    assert cuts.spent == pytest.approx(1300.0 * (2.0 * narrow + short), rel=1e-9), "all take the short cut"
    with pytest.raises(InputError):
        cut_capacities(graph, seconds, demand, np.array([0]), share=1.0)


@st.composite
def draw_roads(draw: st.DrawFn) -> tuple[tuple[tuple[int, int], ...], np.ndarray, np.ndarray]:
    nodes = draw(st.integers(2, 9))
    pairs = list(itertools.combinations(range(nodes), 2))
    ends = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=14))
    seconds = draw(st.lists(st.integers(1, 50), min_size=len(ends), max_size=len(ends)))
    people = draw(st.lists(st.integers(0, 9), min_size=nodes, max_size=nodes))
    return (*ends, (0, nodes - 1)), np.array([*seconds, 7], float), np.array(people, float)


@PROPERTY
@given(draw_roads())
def test_bridges_are_those_of_networkx(drawn: tuple[tuple[tuple[int, int], ...], np.ndarray, np.ndarray]) -> None:
    ends, seconds, people = drawn
    graph, _ = build(ends, seconds)
    usable = np.ones(graph.link_count, np.bool_)
    plain = nx.MultiGraph(ends)
    behind = count_behind(graph, usable, people)
    for edge, (a, b) in enumerate(ends):
        key = next(iter(plain[a][b]))
        plain.remove_edge(a, b, key)
        sides = [sum(people[list(nx.node_connected_component(plain, place))]) for place in (a, b)]
        parted = not nx.has_path(plain, a, b)
        plain.add_edge(a, b)
        assert behind[edge] == (min(sides) if parted else 0.0)


@PROPERTY
@given(draw_roads())
def test_closing_never_helps_and_opens_again(
    drawn: tuple[tuple[tuple[int, int], ...], np.ndarray, np.ndarray],
) -> None:
    ends, seconds, people = drawn
    graph, router = build(ends, seconds)
    demand = Demand(np.arange(people.size), np.arange(people.size), np.ones((people.size, people.size)))
    before = router.costs.copy()
    every = np.arange(len(ends))
    closed = close_each(graph, router, demand, every)
    assert (closed.added >= 0.0).all() and (closed.unserved >= 0.0).all()
    assert (closed.unserved <= closed.served).all()
    np.testing.assert_array_equal(router.costs, before)
    # Trips lose their way exactly where a stretch alone joins two sides.
    one_each = count_behind(graph, np.ones(graph.link_count, np.bool_), np.ones(people.size))
    np.testing.assert_array_equal(closed.unserved > 0.0, one_each > 0.0)
    unused = load_roads(graph, router, demand) == 0.0
    np.testing.assert_array_equal(closed.added[unused], 0.0)
