"""Rain, terrain edits, hazard classes and scores."""

import numpy as np
import pytest

from hydrology.hazard import (
    DEPTH_CLASSES,
    RATING_CLASSES,
    ROAD_CLASSES,
    classify,
    compute_rating,
)
from hydrology.parameters import MANNINGS_N
from hydrology.rainfall import RainSeries
from hydrology.terrain import check_complete, coarsen, lower_cells, raise_cells
from hydrology.verification import compute_mae, compute_nse, compute_peak_error, compute_rmse
from layers.errors import InputError
from layers.quantities import QUANTITIES


def test_rain_in_wrong_units_is_named() -> None:
    with pytest.raises(InputError, match="rain intensity 0 is 5000 mm/h"):
        RainSeries(np.array([0.0]), np.array([5000.0]))
    with pytest.raises(InputError, match="not in m/h"):
        RainSeries(np.array([0.0, 60.0]), np.array([1e-5, 0.0]))


def test_rain_holds_each_value_until_the_next() -> None:
    rain = RainSeries(np.array([10.0, 20.0]), np.array([5.0, 7.0]))
    assert [rain.intensity_at(t) for t in (0.0, 10.0, 19.9, 20.0, 99.0)] == [0.0, 5.0, 5.0, 7.0, 7.0]


def test_terrain_edits_only_raise_and_only_lower() -> None:
    bed, mask = np.array([[1.0, 3.0], [2.0, 5.0]]), np.array([[True, True], [False, False]])
    assert raise_cells(bed, mask, 2.0).tolist() == [[2.0, 3.0], [2.0, 5.0]]
    assert lower_cells(bed, mask, 2.0).tolist() == [[1.0, 2.0], [2.0, 5.0]]


def test_coarsen_takes_means_but_keeps_the_crest_of_walls() -> None:
    bed = np.array([[1.0, 3.0, 0.0], [5.0, np.nan, 0.0], [2.0, 2.0, np.nan]])
    wall = np.zeros((3, 3), dtype=np.bool_)
    assert coarsen(bed, 2) == pytest.approx(np.array([[3.0, 0.0], [2.0, np.nan]]), nan_ok=True)
    wall[0, 1] = True
    assert coarsen(bed, 2, keep_max=wall)[0, 0] == 3.0
    wall[1, 0] = True
    assert coarsen(bed, 2, keep_max=wall)[0, 0] == 5.0
    with pytest.raises(InputError, match=r"cell \(1, 1\) and 1 more"):
        check_complete(bed, np.ones((3, 3), dtype=np.bool_))


def test_hazard_classes_start_at_their_bounds() -> None:
    depth = np.array([0.0, 0.05, 0.1, 0.3, 0.5, 1.0, 1.5, np.nan], dtype=np.float32)
    assert classify(depth, DEPTH_CLASSES).tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert classify(depth, ROAD_CLASSES).tolist() == [0, 0, 1, 2, 2, 2, 2, 0]
    # FD2320/TR2 by hand: 0.2 (0 + 0.5) = 0.1; 0.5 (1 + 0.5) + 1 = 1.75; 1 (1 + 0.5) + 1 = 2.5.
    rating = compute_rating(np.array([0.0, 0.2, 0.5, 1.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert rating == pytest.approx([0.0, 0.1, 1.75, 2.5])
    assert classify(rating, RATING_CLASSES).tolist() == [0, 1, 3, 4]


def test_roughness_is_possible() -> None:
    bounds = QUANTITIES["mannings_n"]
    assert all(bounds.minimum <= n <= bounds.maximum for n in MANNINGS_N.values())


def test_scores() -> None:
    measured, computed = np.array([0.0, 1.0, 2.0, np.nan]), np.array([0.0, 1.0, 3.0, 9.0])
    assert compute_rmse(computed, measured) == pytest.approx(3**-0.5)
    assert compute_mae(computed, measured) == pytest.approx(1 / 3)
    assert compute_nse(computed, measured) == pytest.approx(0.5)
    assert compute_peak_error(np.arange(3.0) * 60, np.array([0.0, 5.0, 1.0]), np.array([0.0, 1.0, 4.0])) == (1.0, -60.0)
    with pytest.raises(InputError, match="share no pair"):
        compute_rmse(np.array([np.nan]), np.array([1.0]))
