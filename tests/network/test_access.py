"""Who is cut off, what to open again, who goes to which shelter; known small networks, and properties on streets."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from network.access import find_cut_off, find_main_part, find_parts, find_reaching, plan_reopening
from network.evacuation import assign_evacuees
from network.roads import EVERY_MODE, RoadGraph, build_road_graph


def make_chain() -> RoadGraph:
    """Junctions 0-1-2-3-4 on a line, 100 m apart but 300 m from 2 to 3, and 5 beside 1; edges 0 to 4."""
    xy = np.array([[0, 0], [100, 0], [200, 0], [500, 0], [600, 0], [100, 100]], float)
    return build_road_graph([0, 1, 2, 3, 1], [1, 2, 3, 4, 5], xy)


PEOPLE = np.array([50.0, 10.0, 20.0, 30.0, 5.0, 2.0])


def shut(graph: RoadGraph, *edges: int) -> np.ndarray:
    return ~np.isin(graph.edges, edges)


def test_a_closed_bridge_cuts_off_its_side() -> None:
    graph = make_chain()
    dry = find_main_part(graph, np.ones(graph.link_count, bool), PEOPLE)
    assert dry.all()
    cut = find_cut_off(graph, dry, shut(graph, 1), PEOPLE)
    # 62 people live on the left, 55 on the right: the right is cut off.
    assert np.flatnonzero(cut).tolist() == [2, 3, 4]
    assert find_reaching(graph, shut(graph, 1), np.array([4])).tolist() == [False, False, True, True, True, False]
    assert not find_reaching(graph, shut(graph), np.zeros(0, int)).any()


def test_one_way_in_is_no_way_out() -> None:
    access = np.array([[EVERY_MODE, EVERY_MODE], [EVERY_MODE, 0]])
    graph = build_road_graph([0, 1], [1, 2], [[0, 0], [100, 0], [200, 0]], access=access)
    every = np.ones(graph.link_count, bool)
    assert find_main_part(graph, every, np.array([9.0, 1.0, 5.0])).tolist() == [True, True, False]
    assert len(set(find_parts(graph, every).tolist())) == 2
    assert find_reaching(graph, every, np.array([2])).all()
    assert find_reaching(graph, every, np.array([0])).tolist() == [True, True, False]


def test_roads_are_opened_by_what_a_metre_gives_back() -> None:
    graph = make_chain()
    usable = np.ones(graph.link_count, bool)
    plan = plan_reopening(graph, usable, shut(graph, 1, 2, 3, 4), PEOPLE)
    # 20 people for 100 m; then 30 for 300 m, or 35 for 400 m, or 2 for 100 m.
    assert [step.edges.tolist() for step in plan.steps] == [[1], [2], [3], [4]]
    assert [step.people for step in plan.steps] == [20.0, 30.0, 5.0, 2.0]
    assert [step.people_total for step in plan.steps] == [20.0, 50.0, 55.0, 57.0]
    assert [step.length for step in plan.steps] == [100.0, 300.0, 100.0, 100.0]
    assert plan.regained.tolist() == [-1, -1, 0, 1, 2, 3]
    assert len(plan_reopening(graph, usable, shut(graph, 1, 2, 3, 4), PEOPLE, steps=2).steps) == 2
    # Counted in hours, those who wait longest come first.
    hours = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 400.0])
    assert plan_reopening(graph, usable, shut(graph, 1, 2, 3, 4), PEOPLE, person_hours=hours).regained[5] == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.6))
def test_opening_all_restores_and_gains_only_grow(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    number = np.arange(36).reshape(6, 6)
    starts = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    ends = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    one_way = rng.random(starts.size) < 0.2
    access = np.column_stack((np.full(starts.size, EVERY_MODE), np.where(one_way, 0, EVERY_MODE)))
    rows, cols = np.divmod(np.arange(36), 6)
    graph = build_road_graph(starts, ends, 100.0 * np.column_stack((cols, rows)), access=access)
    people = rng.integers(0, 50, 36).astype(float)
    usable = rng.random(graph.link_count) < 0.97
    closed = rng.random(graph.edge_count) < share
    now = usable & ~closed[graph.edges]
    dry = find_main_part(graph, usable, people)
    inside = np.where(dry, people, 0.0)
    cut = find_cut_off(graph, dry, now, people)
    lost = inside[cut].sum()
    assert 0.0 <= lost <= people.sum()
    assert not find_cut_off(graph, dry, usable, people).any()
    deeper = now & ~(rng.random(graph.edge_count) < 0.1)[graph.edges]
    assert inside[find_cut_off(graph, dry, deeper, people)].sum() >= lost
    plan = plan_reopening(graph, usable, now, inside, steps=100)
    totals = [0.0, *(step.people_total for step in plan.steps)]
    assert all(later >= earlier for earlier, later in itertools.pairwise(totals))
    assert totals[-1] == pytest.approx(lost), "in the end everybody is connected again"
    opened = now.copy()
    for step in plan.steps:
        assert closed[step.edges].all()
        opened |= usable & np.isin(graph.edges, step.edges)
        assert inside[find_cut_off(graph, dry, opened, people)].sum() == pytest.approx(lost - step.people_total)


def test_the_most_are_sheltered_and_of_those_the_nearest() -> None:
    times = np.array([[10.0, 20.0], [11.0, np.inf]])
    # The second can only go to the first shelter: the first makes way though it is nearer.
    found = assign_evacuees(times, np.array([5, 5]), np.array([5, 3]))
    moves = dict(zip(zip(found.origins.tolist(), found.shelters.tolist(), strict=True), found.people, strict=True))
    assert moves == {(0, 1): 3, (1, 0): 3, (0, 0): 2}
    assert found.left.tolist() == [0, 2]
    nobody = assign_evacuees(np.full((2, 1), np.inf), np.array([4, 0]), np.array([9]))
    assert nobody.people.size == 0 and nobody.left.tolist() == [4, 0]
    with pytest.raises(InputError, match="shape"):
        assign_evacuees(times, np.array([5]), np.array([5, 3]))
    with pytest.raises(InputError, match="negative"):
        assign_evacuees(times, np.array([5, -1]), np.array([5, 3]))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_shelter_is_overfull_and_everybody_is_counted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    origins, shelters = rng.integers(1, 8), rng.integers(1, 5)
    times = rng.uniform(1.0, 900.0, (origins, shelters))
    times[rng.random(times.shape) < 0.2] = np.inf
    people, capacities = rng.integers(0, 60, origins), rng.integers(0, 120, shelters)
    found = assign_evacuees(times, people, capacities)
    assert (np.bincount(found.shelters, found.people, shelters) <= capacities).all()
    assert np.bincount(found.origins, found.people, origins) + found.left == pytest.approx(people)
    assert np.isfinite(times[found.origins, found.shelters]).all()
    # Nobody stays where a shelter within reach has room.
    room = capacities - np.bincount(found.shelters, found.people, shelters)
    assert not (np.isfinite(times) & (found.left > 0)[:, None] & (room > 0)[None, :]).any()
