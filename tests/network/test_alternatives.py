"""Alternatives: sorted, different, no longer than they may be, and each of them a way that exists."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from network.alternatives import SHARE, STRETCH, Ends, find_alternatives, measure_shared
from network.paths import Path, Router, build_router


def build_grid(size: int, seed: int) -> tuple[Router, np.ndarray, np.ndarray]:
    """Return a router over a grid of streets, both ways, with lengths between 80 and 120, and its tails and heads."""
    at = np.arange(size * size).reshape(size, size)
    pairs = np.concatenate([
        np.column_stack((at[:, :-1].ravel(), at[:, 1:].ravel())), np.column_stack((at[:-1].ravel(), at[1:].ravel()))
    ])  # fmt: skip
    costs = np.random.default_rng(seed).uniform(80.0, 120.0, len(pairs))
    tails = np.concatenate((pairs[:, 0], pairs[:, 1])).astype(np.int32)
    heads = np.concatenate((pairs[:, 1], pairs[:, 0])).astype(np.int32)
    return build_router(tails, heads, np.tile(costs, 2), engine="dijkstra"), tails, heads


def between(start: int, end: int) -> Ends:
    zero = np.zeros(1)
    return Ends(np.array([start], np.int32), zero, np.array([end], np.int32), zero)


def check(router: Router, tails: np.ndarray, heads: np.ndarray, paths: list[Path], start: int, end: int) -> None:
    best = router.find_path([start], [end]).cost
    assert [path.cost for path in paths] == sorted(path.cost for path in paths)
    assert paths[0].cost == pytest.approx(best)
    for path in paths:
        assert (heads[path.arcs[:-1]] == tails[path.arcs[1:]]).all()
        assert (tails[path.arcs[0]], heads[path.arcs[-1]]) == (start, end)
        assert path.cost == pytest.approx(router.costs[path.arcs].sum())
        assert path.cost <= STRETCH * best * (1.0 + 1e-9)
        assert np.unique(heads[path.arcs]).size == path.arcs.size
    for k, path in enumerate(paths):
        assert all(measure_shared(path, other, router.costs) <= SHARE for other in paths[:k])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 143), st.integers(0, 143), st.integers(1, 5))
def test_ways_are_sorted_distinct_and_short(seed: int, start: int, end: int, count: int) -> None:
    router, tails, heads = build_grid(12, seed)
    paths = find_alternatives(router, tails, heads, between(start, end), count)
    if start == end:
        assert len(paths) == 1
        return
    assert 1 <= len(paths) <= count
    check(router, tails, heads, paths, start, end)


def test_across_a_grid_there_are_as_many_as_asked() -> None:
    router, tails, heads = build_grid(20, 3)
    paths = find_alternatives(router, tails, heads, between(0, 399), 4)
    assert len(paths) == 4
    check(router, tails, heads, paths, 0, 399)


def test_a_single_road_has_no_alternative() -> None:
    router = build_router([0, 1, 2], [1, 2, 3], [1.0, 1.0, 1.0])
    tails, heads = np.array([0, 1, 2], np.int32), np.array([1, 2, 3], np.int32)
    assert len(find_alternatives(router, tails, heads, between(0, 3), 3)) == 1
    assert find_alternatives(router, tails, heads, between(3, 0), 3) == []


def test_a_count_out_of_range_is_told() -> None:
    router, tails, heads = build_grid(3, 0)
    with pytest.raises(InputError, match="1 to 5"):
        find_alternatives(router, tails, heads, between(0, 8), 9)
