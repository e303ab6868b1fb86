"""Journeys through a day: nobody arrives earlier by leaving later, and without change it is the ordinary search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from network.paths import build_router
from network.roads import RoadGraph, build_road_graph
from network.time_dependent import SLOTS, Profiles, build_profiles, find_journey, follow, grow_tree_at

HOURS = st.floats(0.0, 7 * 86_400.0)


def build(seed: int, size: int = 6) -> tuple[RoadGraph, np.ndarray]:
    """Return a grid of streets, some one-way, and seconds of its links at free speed."""
    rng = np.random.default_rng(seed)
    at = np.arange(size * size).reshape(size, size)
    starts = np.concatenate((at[:, :-1].ravel(), at[:-1].ravel()))
    ends = np.concatenate((at[:, 1:].ravel(), at[1:].ravel()))
    xy = np.column_stack((np.tile(np.arange(size), size), np.repeat(np.arange(size), size))) * 200.0
    access = np.full((starts.size, 2), 127)
    access[rng.random(starts.size) < 0.15, 1] = 0
    graph = build_road_graph(starts, ends, xy, access=access)
    return graph, rng.uniform(100.0, 2_000.0, graph.link_count)


def draw_profiles(graph: RoadGraph, seed: int) -> Profiles:
    rng = np.random.default_rng(seed)
    rows = rng.integers(-1, 3, graph.link_count)
    return build_profiles(rows, rng.uniform(0.05, 1.5, (3, SLOTS)))


def arrive(graph: RoadGraph, seconds: np.ndarray, profiles: Profiles, start: int, end: int, moment: float) -> float:
    journey = find_journey(
        graph.first, graph.tails, graph.heads, seconds[graph.links], profiles.take(graph.links), sources=[start],
        moments=[moment], targets=[end], rests=[0.0], rest_profiles=profiles.take([0]),
    )  # fmt: skip
    if np.isfinite(journey.arrival):
        links = graph.links[journey.arcs]
        leaves = follow(moment, seconds[links], profiles.take(links))
        assert (leaves[-1] if leaves.size else moment) == pytest.approx(journey.arrival, abs=1e-6)
    return journey.arrival


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 35), st.integers(0, 35), HOURS, st.floats(0.0, 20_000.0))
def test_nobody_arrives_earlier_by_leaving_later(seed: int, start: int, end: int, moment: float, later: float) -> None:
    graph, seconds = build(seed)
    profiles = draw_profiles(graph, seed)
    first = arrive(graph, seconds, profiles, start, end, moment)
    assert arrive(graph, seconds, profiles, start, end, moment + later) >= first - 1e-6


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 35), st.integers(0, 35), HOURS)
def test_with_speeds_that_never_change_it_is_the_ordinary_search(seed: int, start: int, end: int, at: float) -> None:
    graph, seconds = build(seed)
    profiles = build_profiles(np.zeros(graph.link_count, np.int16), np.full((1, SLOTS), 0.5))
    router = build_router(
        graph.tails, graph.heads, 2.0 * seconds[graph.links], nodes=graph.node_count, engine="dijkstra"
    )
    expected = router.find_path([start], [end]).cost
    assert arrive(graph, seconds, profiles, start, end, at) - at == pytest.approx(expected, abs=1e-6)


def test_who_crosses_into_another_quarter_goes_on_at_its_speed() -> None:
    factors = np.ones((1, SLOTS))
    factors[0, 1] = 0.5
    profiles = build_profiles([0], factors)
    # 300 s of free driving: 100 s before a quarter past, then 200 s at half speed take 400 s.
    assert follow(800.0, [300.0], profiles).tolist() == [1_300.0]


def test_a_limited_tree_holds_what_can_be_reached_in_time() -> None:
    graph, seconds = build(4)
    profiles = draw_profiles(graph, 4)
    arcs = seconds[graph.links], profiles.take(graph.links)
    whole = grow_tree_at(graph.first, graph.heads, *arcs, sources=[0], moments=[3_600.0], limit=np.inf)
    limit = float(np.median(whole.costs[whole.order]))
    part = grow_tree_at(graph.first, graph.heads, *arcs, sources=[0], moments=[3_600.0], limit=limit)
    assert set(part.order.tolist()) == set(np.flatnonzero(whole.costs <= limit).tolist())
    assert np.array_equal(part.costs[part.order], whole.costs[part.order])


def test_wrong_profiles_are_told() -> None:
    with pytest.raises(InputError, match="below"):
        build_profiles([0], np.zeros((1, SLOTS)))
    with pytest.raises(InputError, match="outside"):
        build_profiles([3], np.ones((1, SLOTS)))
