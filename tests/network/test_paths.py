"""Cheapest ways agree with a plain search and with scipy on arcs of every shape."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from layers.errors import InputError
from network.cch import HierarchyRouter
from network.paths import ENGINES, Engine, Router, build_ends, build_router
from tests.network.road_arcs import PROPERTY, SmallArcs, draw_arcs, search_plainly

CLOSE = {"rtol": 1e-12, "atol": 0.0}
with_each_engine = pytest.mark.parametrize("engine", ENGINES)


def build(arcs: SmallArcs, engine: Engine) -> Router:
    return build_router(arcs.tails, arcs.heads, arcs.costs, nodes=arcs.nodes, xy=arcs.xy, engine=engine)


def draw_place(data: st.DataObject, nodes: int) -> dict[int, float]:
    return data.draw(
        st.dictionaries(st.integers(0, nodes - 1), st.integers(0, 30).map(float), min_size=1, max_size=min(3, nodes))
    )


def split(place: dict[int, float]) -> tuple[list[int], list[float]]:
    return list(place), list(place.values())


@with_each_engine
@PROPERTY
@given(draw_arcs(), st.data())
def test_a_path_costs_what_a_plain_search_finds(engine: Engine, arcs: SmallArcs, data: st.DataObject) -> None:
    sources, targets = draw_place(data, arcs.nodes), draw_place(data, arcs.nodes)
    costs = search_plainly(arcs, sources)
    path = build(arcs, engine).find_path(
        list(sources), list(targets), source_costs=list(sources.values()), target_costs=list(targets.values())
    )
    np.testing.assert_allclose(path.cost, min(costs[node] + cost for node, cost in targets.items()), **CLOSE)
    if np.isinf(path.cost):
        assert (path.arcs.size, path.source, path.target) == (0, -1, -1)
        return
    start, end = list(sources)[path.source], list(targets)[path.target]
    walk = [start, *arcs.heads[path.arcs].tolist()]
    assert walk[:-1] == arcs.tails[path.arcs].tolist()
    assert walk[-1] == end
    told = sources[start] + arcs.costs[path.arcs].sum() + targets[end]
    np.testing.assert_allclose(told, path.cost, **CLOSE)


@with_each_engine
@PROPERTY
@given(draw_arcs(), st.data())
def test_trees_are_those_of_a_plain_search(engine: Engine, arcs: SmallArcs, data: st.DataObject) -> None:
    sources, router = draw_place(data, arcs.nodes), build(arcs, engine)
    nodes, offsets = split(sources)
    expected = search_plainly(arcs, sources)
    tree = router.grow_tree(nodes, source_costs=offsets)
    np.testing.assert_allclose(tree.costs, expected, **CLOSE)
    assert sorted(tree.order.tolist()) == np.flatnonzero(np.isfinite(expected)).tolist()
    assert (np.diff(tree.costs[tree.order]) >= 0.0).all()
    for node in tree.order.tolist():
        arc = tree.by[node]
        if arc < 0:
            assert tree.costs[node] == sources[node]
        else:
            assert arcs.heads[arc] == node
            assert tree.costs[node] == tree.costs[arcs.tails[arc]] + arcs.costs[arc]
    np.testing.assert_allclose(router.compute_distances(nodes, source_costs=offsets), expected, **CLOSE)


@with_each_engine
@PROPERTY
@given(draw_arcs(), st.data())
def test_backward_is_forward_on_turned_arcs(engine: Engine, arcs: SmallArcs, data: st.DataObject) -> None:
    nodes, offsets = split(draw_place(data, arcs.nodes))
    turned = build_router(arcs.heads, arcs.tails, arcs.costs, nodes=arcs.nodes, engine=engine)
    router = build(arcs, engine)
    ahead = turned.grow_tree(nodes, source_costs=offsets)
    back = router.grow_tree(nodes, source_costs=offsets, backward=True)
    np.testing.assert_allclose(back.costs, ahead.costs, **CLOSE)
    np.testing.assert_allclose(
        router.compute_distances(nodes, source_costs=offsets, backward=True), ahead.costs, **CLOSE
    )


@with_each_engine
@PROPERTY
@given(draw_arcs(), st.integers(0, 60), st.integers(0, 60))
def test_isochrones_nest(engine: Engine, arcs: SmallArcs, one: int, two: int) -> None:
    small, large = sorted((one / 10.0, two / 10.0))
    router = build(arcs, engine)
    near, far = router.compute_distances([0], limit=small), router.compute_distances([0], limit=large)
    assert (near[np.isfinite(near)] <= small).all()
    assert set(np.flatnonzero(np.isfinite(near))) <= set(np.flatnonzero(np.isfinite(far)))
    whole = router.compute_distances([0])
    np.testing.assert_array_equal(far, np.where(whole <= large, whole, np.inf))


@with_each_engine
@PROPERTY
@given(draw_arcs(), st.data())
def test_a_matrix_is_many_paths(engine: Engine, arcs: SmallArcs, data: st.DataObject) -> None:
    router = build(arcs, engine)
    starts = [draw_place(data, arcs.nodes) for _ in range(data.draw(st.integers(1, 4)))]
    ends = [draw_place(data, arcs.nodes) for _ in range(data.draw(st.integers(1, 4)))]
    matrix = router.compute_matrix(build_ends([split(one) for one in starts]), build_ends([split(one) for one in ends]))
    for row, start in enumerate(starts):
        for column, end in enumerate(ends):
            path = router.find_path(
                list(start), list(end), source_costs=list(start.values()), target_costs=list(end.values())
            )
            np.testing.assert_allclose(matrix[row, column], path.cost, **CLOSE)


@with_each_engine
@PROPERTY
@given(draw_arcs())
def test_a_matrix_of_nodes_is_that_of_scipy(engine: Engine, arcs: SmallArcs) -> None:
    dense = np.full((arcs.nodes, arcs.nodes), np.inf)
    np.minimum.at(dense, (arcs.tails, arcs.heads), arcs.costs)
    # scipy takes a stored zero for an arc, an absent entry for none.
    rows, columns = np.nonzero(np.isfinite(dense))
    graph = csr_array((dense[rows, columns], (rows, columns)), shape=dense.shape)
    every = np.arange(arcs.nodes)
    np.testing.assert_allclose(build(arcs, engine).compute_matrix(every, every), dijkstra(graph), **CLOSE)


@with_each_engine
@PROPERTY
@given(draw_arcs(), st.data())
def test_closing_never_shortens_and_opening_restores(engine: Engine, arcs: SmallArcs, data: st.DataObject) -> None:
    router, every = build(arcs, engine), np.arange(arcs.nodes)
    before = router.compute_matrix(every, every)
    if not arcs.costs.size:
        return
    closed = data.draw(st.lists(st.integers(0, arcs.costs.size - 1), min_size=1, max_size=5))
    other = router.fork()
    other.update(closed, np.inf)
    after = other.compute_matrix(every, every)
    assert (after >= before * (1.0 - 1e-12)).all()
    costs = arcs.costs.copy()
    costs[closed] = np.inf
    np.testing.assert_allclose(after[0], search_plainly(arcs, {0: 0.0}, costs), **CLOSE)
    for start in range(arcs.nodes):
        path = other.find_path([start], [arcs.nodes - 1])
        assert not set(path.arcs.tolist()) & set(closed)
    other.update(closed, arcs.costs[closed])
    np.testing.assert_array_equal(other.compute_matrix(every, every), before)
    # The first router never saw the closure.
    np.testing.assert_array_equal(router.compute_matrix(every, every), before)
    np.testing.assert_array_equal(router.costs, arcs.costs)


@with_each_engine
@PROPERTY
@given(draw_arcs(), st.data())
def test_reweighting_is_building_anew(engine: Engine, arcs: SmallArcs, data: st.DataObject) -> None:
    factors = data.draw(st.lists(st.integers(1, 5), min_size=arcs.costs.size, max_size=arcs.costs.size))
    costs, every = arcs.costs * np.array(factors, np.float64), np.arange(arcs.nodes)
    router = build(arcs, engine)
    router.reweight(costs)
    anew = build_router(arcs.tails, arcs.heads, costs, nodes=arcs.nodes, xy=arcs.xy, engine=engine)
    np.testing.assert_array_equal(router.compute_matrix(every, every), anew.compute_matrix(every, every))


@with_each_engine
def test_two_ways_by_hand(engine: Engine) -> None:
    """0 → 1 → 3 costs 2 + 2, 0 → 2 → 3 costs 1 + 4; two arcs join 1 and 3, of 9 and 2."""
    router = build_router([0, 1, 0, 2, 1], [1, 3, 2, 3, 3], [2.0, 9.0, 1.0, 4.0, 2.0], engine=engine)
    path = router.find_path([0], [3])
    assert (path.cost, path.arcs.tolist()) == (4.0, [0, 4])
    router.update([4], [9.5])
    assert router.find_path([0], [3]).arcs.tolist() == [2, 3]
    assert router.find_path([3], [0]).cost == np.inf
    assert router.find_path([2, 0], [2], source_costs=[7.0, 0.5]).source == 1


@with_each_engine
def test_what_cannot_be_is_refused(engine: Engine) -> None:
    router = build_router([0, 1], [1, 2], [1.0, 1.0], engine=engine)
    for call in (
        lambda: build_router([0], [1, 2], [1.0]),
        lambda: build_router([0], [5], [1.0], nodes=2),
        lambda: build_router([0], [1], [-1.0]),
        lambda: build_router([0], [1], [np.nan]),
        lambda: build_router([0], [1], [1.0], xy=[[0.0, 0.0]]),
        lambda: router.reweight([1.0]),
        lambda: router.update([7], [1.0]),
        lambda: router.update([0], [-1.0]),
        lambda: router.find_path([9], [0]),
        lambda: router.find_path([0.5], [0]),
        lambda: router.find_path([0], [1], source_costs=[1.0, 2.0]),
        lambda: router.find_path([0], [1], source_costs=[-1.0]),
        lambda: router.grow_tree([0, 1, 2, 0]),
        lambda: router.compute_matrix(build_ends([([0], [np.nan])]), [0]),
        lambda: build_ends([([0, 1], [0.0])]),
    ):
        with pytest.raises(InputError):
            call()


@with_each_engine
def test_many_threads_may_ask_one_router(engine: Engine) -> None:
    chance = np.random.default_rng(3)
    tails, heads = chance.integers(0, 400, (2, 1600))
    router = build_router(tails, heads, chance.random(1600), nodes=400, engine=engine)
    pairs = chance.integers(0, 400, (300, 2)).tolist()
    alone = [router.find_path([a], [b]).cost for a, b in pairs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda pair: router.find_path(pair[:1], pair[1:]).cost, pairs)) == alone


def test_the_order_of_one_router_serves_the_next() -> None:
    chance = np.random.default_rng(4)
    tails, heads = chance.integers(0, 60, (2, 240))
    costs, every = chance.random(240), np.arange(60)
    one = build_router(tails, heads, costs, nodes=60)
    assert isinstance(one, HierarchyRouter)
    two = build_router(tails, heads, costs, nodes=60, order=one.order)
    np.testing.assert_array_equal(two.compute_matrix(every, every), one.compute_matrix(every, every))
    with pytest.raises(InputError):
        build_router(tails, heads, costs, nodes=60, order=one.order[1:])
    with pytest.raises(InputError):
        build_router(tails, heads, costs, nodes=60, engine="bfs")  # type: ignore[arg-type]
