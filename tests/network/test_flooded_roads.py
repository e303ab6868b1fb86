"""Water on roads: the law of speed, closing depths, samples along lines, bridges; more water never helps."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layers.errors import InputError
from layers.grid import Grid
from network.flooded_roads import (
    WATER_LIMITS,
    find_closed,
    find_spans,
    flood_speeds,
    limit_speeds,
    measure_steps,
    read_cells,
    read_depths,
    read_products,
    sample_edges,
)
from network.paths import build_router
from network.road_times import compute_times, free_speeds
from network.roads import MODES, RoadGraph, build_road_graph

GRID = Grid(10, 10, 0.0, 100.0, 10.0, "EPSG:5897")
LINES = shapely.linestrings([[[5.0, 95.0], [95.0, 95.0]], [[5.0, 5.0], [95.0, 5.0]], [[-95.0, 5.0], [5.0, 5.0]]])


def make_streets(size: int = 6) -> RoadGraph:
    """A square of streets, 100 m apart, both ways."""
    number = np.arange(size * size).reshape(size, size)
    starts = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    ends = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    rows, cols = np.divmod(np.arange(size * size), size)
    return build_road_graph(starts, ends, 100.0 * np.column_stack((cols, rows)), speeds=50.0)


def test_the_law_of_pregnolato_is_clamped() -> None:
    # By hand from the equation: 86.9448; 86.9448 - 82.935 + 20.25; and nothing from 300 mm on, though it rises again.
    speeds = limit_speeds(np.array([0.01, 0.15, 0.2999, 0.3, 0.31, 2.0]), "car")
    assert speeds == pytest.approx([81.51, 24.26, 2.08, 0.0, 0.0, 0.0], abs=0.02)
    assert np.isinf(limit_speeds(np.array([0.0]), "car")).all()
    # The same curve over the depth that closes a truck's road, and another one that is asked for.
    assert limit_speeds(0.25, "truck") == pytest.approx(24.26, abs=0.01)
    assert limit_speeds(0.2, "car", closed_from=0.4) == pytest.approx(24.26, abs=0.01)
    # On foot 42 % slower at 0.35 m, between the 38.6 and 44.8 % that were measured.
    assert limit_speeds(0.35, "foot") / 4.8 == pytest.approx(0.58)
    with pytest.raises(InputError, match="no mode"):
        limit_speeds(0.1, "boat")


@pytest.mark.parametrize("mode", MODES)
def test_more_water_never_makes_a_mode_faster(mode: str) -> None:
    depth = np.linspace(0.0, 1.0, 2001)
    speeds = limit_speeds(depth, mode)
    assert (speeds[1:] <= speeds[:-1]).all()
    assert (speeds[depth.astype(np.float32) >= np.float32(WATER_LIMITS[mode].depth)] == 0.0).all()
    assert (speeds[depth < WATER_LIMITS[mode].depth - 1e-6] > 0.0).all()


def test_a_single_wet_cell_closes_a_street_and_slows_its_mean() -> None:
    samples = sample_edges(LINES, GRID)
    depth = np.zeros(GRID.shape, np.float32)
    depth[0, 4] = 0.5
    deepest, mean = read_depths(samples, depth)
    assert deepest.tolist() == [0.5, 0.0, 0.0]
    # One of nine whole cells between the middles of ten.
    assert mean[0] == pytest.approx(0.5 / 9.0, rel=1e-6)
    assert samples.outside == pytest.approx([0.0, 0.0, 0.95], abs=0.05)
    assert find_closed(deepest, "car").tolist() == [True, False, False]
    assert not find_closed(deepest, "car", closed_from=0.6).any()


def test_a_road_above_the_ground_has_less_water_and_a_bridge_none() -> None:
    samples = sample_edges(LINES, GRID)
    depth = np.full(GRID.shape, 0.5, np.float32)
    bed = read_cells(samples, np.full(GRID.shape, 1.0, np.float32))
    raised = np.array([1.3, np.nan, 2.0])
    deepest, _ = read_depths(samples, depth, bed=bed, elevations=raised)
    assert deepest == pytest.approx([0.2, 0.5, 0.0], abs=1e-6)
    deepest, mean = read_depths(samples, depth, exempt=np.array([False, True, True]))
    assert deepest.tolist() == [0.5, 0.0, 0.0] and mean[1] == 0.0


def test_swift_water_closes_before_deep_water_does() -> None:
    samples = sample_edges(LINES, GRID)
    depth = np.full(GRID.shape, 0.2, np.float32)
    velocity = read_cells(samples, np.full(GRID.shape, 2.0, np.float32))
    # At 0.2 m and 2 m/s the product is 0.4 m2/s: too much for small vehicles (H1 ends at 0.3), not for large ones.
    product = read_products(samples, depth, velocity, read_cells(samples, np.full(GRID.shape, 0.9, np.float32)))
    assert product[:2] == pytest.approx([0.4, 0.4]) and product[2] < 0.5
    deepest, _ = read_depths(samples, depth)
    assert find_closed(deepest, "motorbike", product=product)[:2].all()
    assert not find_closed(deepest, "emergency", product=product).any()


def test_no_line_is_told() -> None:
    with pytest.raises(InputError, match="road 1 is no line"):
        sample_edges(np.array([LINES[0], shapely.Point(1, 1)], object), GRID)
    empty = sample_edges(np.zeros(0, object), GRID)
    assert read_depths(empty, np.zeros(GRID.shape))[0].size == 0


def test_when_a_road_is_closed() -> None:
    seconds = np.array([0.0, 3600.0, 7200.0, 10800.0])
    closed = np.array([[0, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [1, 1, 0, 1]], np.bool_)
    first, last, total = find_spans(closed, seconds)
    assert first.tolist() == [1, 0, -1, 3]
    assert last.tolist() == [4, 4, -1, 4]
    assert total.tolist() == [5400.0, 10800.0, 0.0, 1800.0]
    assert measure_steps(seconds).sum() == 10800.0
    assert measure_steps(np.zeros(1)).tolist() == [0.0]


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.float32, 60, elements=st.floats(0.0, 0.75, width=32)),
    arrays(np.float32, 60, elements=st.floats(0.0, 0.5, width=32)),
    st.sampled_from(MODES),
)
def test_more_water_never_opens_a_road_nor_shortens_a_path(depth: np.ndarray, more: np.ndarray, mode: str) -> None:
    graph = make_streets()
    times, closed = [], []
    for deep in (np.zeros(60, np.float32), depth, depth + more):
        shut = find_closed(deep, mode)
        closed.append(shut)
        times.append(compute_times(graph, mode, speeds=flood_speeds(graph, mode, 0.7 * deep, shut)))
    assert times[0] == pytest.approx(compute_times(graph, mode)), "dry roads are roads without a flood"
    assert not (closed[1] & ~closed[2]).any()
    found = []
    for cost in times:
        router = build_router(graph.tails, graph.heads, cost[graph.links], nodes=graph.node_count)
        found.append(router.compute_distances([0]))
    for less, deeper in ((times[0], times[1]), (times[1], times[2]), (found[0], found[1]), (found[1], found[2])):
        assert (deeper >= less - 1e-9).all()
    assert np.isinf(times[2][closed[2][graph.edges]]).all()
    assert (flood_speeds(graph, mode, depth, closed[1]) <= free_speeds(graph, mode) + 1e-9).all()
