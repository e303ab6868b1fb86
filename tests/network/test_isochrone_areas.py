"""Areas within reach nest exactly, hold what is near a reached road, and nothing far from one."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from network.isochrone_areas import REACH_M, compute_areas


def scatter(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places along random roads that leave one place, and arrivals at 10 m/s."""
    rng = np.random.default_rng(seed)
    along = np.arange(0.0, 2_000.0, 20.0)
    turns = rng.uniform(0.0, 2.0 * np.pi, 7)
    xy = np.concatenate([np.column_stack((along * np.cos(t), along * np.sin(t))) for t in turns])
    return xy + 1_000.0, np.tile(along / 10.0, turns.size)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.floats(1.0, 250.0), min_size=2, max_size=6))
def test_areas_nest_exactly(seed: int, limits: list[float]) -> None:
    limits = sorted(limits)
    areas = compute_areas(*scatter(seed), limits)
    for inner, outer in pairwise(areas):
        assert outer.covers(inner)
    assert all(area.is_valid for area in areas)


def test_an_area_holds_the_roads_reached_and_ends_beyond_them() -> None:
    along = np.arange(0.0, 1_001.0, 10.0)
    (area,) = compute_areas(np.column_stack((along, np.zeros(along.size))), along / 10.0, [60.0])
    assert area.covers(shapely.LineString([(5.0, 0.0), (560.0, 0.0)]))
    # Beyond 600 m the road takes more than 60 s; off it nothing farther than the reach counts.
    x0, y0, x1, y1 = area.bounds
    assert x1 < 640.0
    assert max(-y0, y1) < REACH_M + 40.0
    assert x0 > -REACH_M - 40.0
    # On foot at 1.33 m/s, 40 s remain after 200 m of road: 53 m.
    assert area.covers(shapely.Point(200.0, 45.0))
    assert not area.covers(shapely.Point(550.0, 45.0))


def test_nothing_reached_is_an_empty_area() -> None:
    assert compute_areas(np.zeros((0, 2)), np.zeros(0), [60.0])[0].is_empty
    assert compute_areas([[0.0, 0.0]], [90.0], [60.0])[0].is_empty
    with pytest.raises(InputError, match="reach"):
        compute_areas([[0.0, 0.0]], [0.0], [60.0], reach=0.0)
