"""The road graph: every way that is allowed exists, no banned one does, and time follows from road and vehicle."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from network.road_parts import find_parts
from network.road_times import AGAINST_TRAFFIC_SPEED, WALKING_SPEED, Vehicle, compute_times, free_speeds
from network.roads import EVERY_MODE, ROAD_CLASSES, RoadGraph, Way, ban_turns, build_road_graph, mode_bits

# A cross: junction 0 in the middle, 1 to 4 around it, 100 m away.
CROSS_XY = [[0.0, 0.0], [-100.0, 0.0], [100.0, 0.0], [0.0, 100.0], [0.0, -100.0]]
ARMS = [1, 2, 3, 4]


def build_cross(**given_columns: object) -> RoadGraph:
    """Edges 0 to 3 lead from the arms to the middle as drawn."""
    return build_road_graph(ARMS, [0, 0, 0, 0], CROSS_XY, **given_columns)  # type: ignore[arg-type]


def walk(graph: RoadGraph, steps: int) -> list[tuple[int, ...]]:
    """Return the links of every walk of up to so many arcs from a junction."""
    found: list[tuple[int, ...]] = []
    going = [(node, ()) for node in range(graph.junction_count)]
    for _ in range(steps):
        longer: list[tuple[int, tuple[int, ...]]] = []
        for node, links in going:
            for arc in range(graph.first[node], graph.first[node + 1]):
                longer.append((int(graph.heads[arc]), (*links, int(graph.links[arc]))))
        found += [links for _, links in longer]
        going = longer  # type: ignore[assignment]
    return found


def list_allowed(graph: RoadGraph, banned: set[tuple[int, ...]], steps: int) -> list[tuple[int, ...]]:
    """Return the same from links alone: each begins where the one before ends, and none is a banned way."""
    found: list[tuple[int, ...]] = []
    going: list[tuple[int, ...]] = [(link,) for link in range(graph.link_count)]
    for _ in range(steps):
        found += going
        going = [
            (*links, link)
            for links in going
            for link in range(graph.link_count)
            if graph.starts[link] == graph.ends[links[-1]]
            and not any((*links, link)[-len(way) :] == way for way in banned)
        ]
    return found


@st.composite
def draw_networks(draw: st.DrawFn) -> tuple[list[int], list[int], int, list[Way]]:
    junctions = draw(st.integers(2, 5))
    ends = draw(st.lists(st.tuples(*[st.integers(0, junctions - 1)] * 2), min_size=1, max_size=4))
    halves = [(edge, drawn) for edge in range(len(ends)) for drawn in (True, False)]
    enter = {half: ends[half[0]][0 if half[1] else 1] for half in halves}
    leave = {half: ends[half[0]][1 if half[1] else 0] for half in halves}
    ways: list[Way] = []
    for _ in range(draw(st.integers(0, 5))):
        way = [draw(st.sampled_from(halves))]
        for _ in range(draw(st.integers(1, 3))):
            onward = [half for half in halves if enter[half] == leave[way[-1]]]
            way.append(draw(st.sampled_from(onward)))
        ways.append(way)
    return [a for a, _ in ends], [b for _, b in ends], junctions, ways


@settings(deadline=None, max_examples=60)
@given(draw_networks())
def test_every_allowed_way_exists_and_no_banned_one(case: tuple[list[int], list[int], int, list[Way]]) -> None:
    starts, ends, junctions, ways = case
    graph = build_road_graph(starts, ends, np.zeros((junctions, 2)), banned_turns=ways)
    banned = {tuple(int(graph.edge_links[edge, 0 if drawn else 1]) for edge, drawn in way) for way in ways}
    # Each way once: a search goes over one node at a time.
    assert sorted(walk(graph, 4)) == sorted(list_allowed(graph, banned, 4))
    assert (graph.links[: graph.link_count] == np.arange(graph.link_count)).all()
    assert (graph.junctions[: graph.junction_count] == np.arange(graph.junction_count)).all()
    assert (graph.junctions[graph.heads] == graph.ends[graph.links]).all()
    assert (graph.junctions[graph.tails] == graph.starts[graph.links]).all()
    assert (np.diff(graph.tails) >= 0).all()


def test_without_bans_arcs_are_links() -> None:
    graph = build_cross()
    assert graph.arc_count == graph.link_count == 8 and graph.node_count == graph.junction_count == 5
    assert (graph.edge_links[graph.edges, np.where(graph.forward, 0, 1)] == np.arange(8)).all()
    first, arcs = graph.reverse
    assert all((graph.heads[arcs[first[node] : first[node + 1]]] == node).all() for node in range(5))


def test_a_junction_is_split_only_where_a_turn_is_banned() -> None:
    # From the west neither to the north nor back, from the east not to the north: two nodes more.
    bans: list[Way] = [[(0, True), (2, False)], [(0, True), (0, False)], [(1, True), (2, False)]]
    graph = build_cross(banned_turns=bans)
    assert graph.node_count == 5 + 2 and graph.arc_count == 8 + (4 - 2) + (4 - 1)
    assert graph.links.size == graph.arc_count and ban_turns(graph, []).arc_count == 8
    # Links that may not go on the same ways share a node.
    same = build_cross(banned_turns=[[(0, True), (2, False)], [(1, True), (2, False)]])
    assert same.node_count == 6


def test_a_way_over_an_edge_is_banned_whole() -> None:
    # A street of three edges and a side street at each inner junction: 0 -1- 2 …, no turn round over the middle one.
    xy = np.column_stack((np.arange(4) * 100.0, np.zeros(4)))
    graph = build_road_graph([0, 1, 2], [1, 2, 3], xy, banned_turns=[[(0, True), (1, True), (2, True)]])
    walks = set(walk(graph, 3))
    links = graph.edge_links[:, 0].tolist()
    assert tuple(links) not in walks and tuple(links[:2]) in walks and tuple(links[1:]) in walks


@pytest.mark.parametrize(
    ("given_columns", "message"),
    [
        ({"banned_turns": [[(0, True), (1, True)]]}, "which do not meet"),
        ({"banned_turns": [[(0, True)]]}, "less than two edges"),
        ({"banned_turns": [[(0, True), (9, True)]]}, "outside 0 to 3"),
        ({"speeds": [30.0]}, "has the shape"),
        ({"lengths": [-1.0, 1.0, 1.0, 1.0]}, "shorter than nothing"),
    ],
)
def test_what_is_no_network_is_refused(given_columns: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_cross(**given_columns)


def test_a_direction_nobody_may_use_is_no_link() -> None:
    one_way = np.array([[EVERY_MODE, 0], [EVERY_MODE, mode_bits("foot")], [EVERY_MODE, EVERY_MODE], [0, 0]], np.uint8)
    graph = build_cross(access=one_way)
    assert graph.edge_links.tolist()[0][1] == -1 and graph.edge_links.tolist()[3] == [-1, -1]
    assert graph.link_count == 5 and graph.allows("foot").sum() == 5 and graph.allows("car").sum() == 4


def test_times_of_modes() -> None:
    graph = build_cross(speeds=36.0, road_classes=ROAD_CLASSES.index("living_street"))
    assert compute_times(graph, "car") == pytest.approx(np.full(8, 10.0))
    assert compute_times(graph, "foot") == pytest.approx(np.full(8, 100.0 / (WALKING_SPEED / 3.6)))
    assert (free_speeds(graph, "truck") < free_speeds(graph, "car")).all()
    fixed = build_cross(fixed_times=[[600.0, 600.0], *[[np.nan, np.nan]] * 3], is_ferry=[True, False, False, False])
    times = compute_times(fixed, "car", speeds=np.full(8, 18.0))
    assert sorted(times.tolist()) == [20.0] * 6 + [600.0] * 2
    against = build_cross(access=[[EVERY_MODE, mode_bits("emergency", "foot")]] * 4, speeds=60.0)
    back = ~against.forward
    assert (free_speeds(against, "emergency")[back] == AGAINST_TRAFFIC_SPEED).all()
    assert np.isinf(compute_times(against, "car")[back]).all()


@given(st.floats(0.0, 6.0), st.floats(0.0, 40.0), st.floats(0.0, 4.0))
def test_a_vehicle_goes_nowhere_it_does_not_fit(height: float, weight: float, width: float) -> None:
    graph = build_cross(max_heights=[4.5, 3.0, np.inf, 2.2], max_weights=[10.0, np.inf, 30.0, 5.0], max_widths=2.5)
    times = compute_times(graph, "truck", vehicle=Vehicle(height=height, weight=weight, width=width))
    fits = (height <= graph.max_heights) & (weight <= graph.max_weights) & (width <= graph.max_widths)
    assert (np.isfinite(times) == fits).all()
    wider = compute_times(graph, "truck", vehicle=Vehicle(height=height, weight=weight + 1.0, width=width))
    assert (wider >= times).all()


def test_closed_links_and_bad_vehicles() -> None:
    graph = build_cross()
    closed = np.zeros(8, bool)
    closed[3] = True
    assert np.flatnonzero(np.isinf(compute_times(graph, "car", closed=closed))).tolist() == [3]
    with pytest.raises(InputError, match="sizes"):
        compute_times(graph, "truck", vehicle=Vehicle(height=np.nan))
    with pytest.raises(InputError, match="no mode"):
        compute_times(graph, "tank")
    with pytest.raises(InputError, match="shape"):
        compute_times(graph, "car", closed=[True])


def test_pockets_and_parts() -> None:
    # A ring of three junctions, a street that only leads in, and a street for itself.
    xy = np.zeros((6, 2))
    only = [EVERY_MODE, 0]
    graph = build_road_graph(
        [0, 1, 2, 3, 4], [1, 2, 0, 0, 5], xy, lengths=[10.0] * 5,
        access=np.array([only, only, only, only, [EVERY_MODE] * 2], np.uint8),
    )  # fmt: skip
    parts = find_parts(graph, graph.allows("car"))
    links = {edge: graph.edge_links[edge, 0] for edge in range(5)}
    assert [int(parts.weak[links[edge]]) for edge in range(5)] == [0, 0, 0, 0, 1]
    assert [int(parts.strong[links[edge]]) for edge in range(5)] == [0, 0, 0, -2, 1]
    assert all(a == b for a, b in pairwise(parts.strong[[links[0], links[1], links[2]]]))
