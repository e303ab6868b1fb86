"""Rows and columns to x and y and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError
from layers.grid import Grid


@given(
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
    st.floats(1.0, 5e3),
    st.floats(1.0, 5e3),
    st.sampled_from([0.5, 5.0, 10.0, 30.0]),
)
def test_a_covering_grid_covers(x: float, y: float, width: float, height: float, cell: float) -> None:
    grid = Grid.covering((x, y, x + width, y + height), cell, "EPSG:5897")
    left, bottom, right, top = grid.bounds
    assert left <= x + 1e-6 and bottom <= y + 1e-6 and right >= x + width - 1e-6 and top >= y + height - 1e-6
    assert grid.rows * cell < height + 2.001 * cell and grid.cols * cell < width + 2.001 * cell


def test_centres_fall_into_their_own_cells() -> None:
    grid = Grid(7, 11, 580_000.0, 1_110_000.0, 5.0, "EPSG:5897")
    x, y = grid.centres()
    xs, ys = np.meshgrid(x, y)
    rows, cols, inside = grid.cells(xs.ravel(), ys.ravel())
    assert inside.all()
    assert (rows.reshape(7, 11) == np.arange(7)[:, None]).all()
    assert (cols.reshape(7, 11) == np.arange(11)[None, :]).all()
    assert grid.transform @ (0.5, 0.5) == (x[0], y[0])


def test_points_outside_are_told() -> None:
    grid = Grid(2, 2, 0.0, 2.0, 1.0, "EPSG:5897")
    _, _, inside = grid.cells(np.array([-0.1, 0.5, 2.1]), np.array([1.0, 1.0, 1.0]))
    assert inside.tolist() == [False, True, False]


def test_empty_grids_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(0, 3\)"):
        Grid(0, 3, 0.0, 0.0, 1.0, "EPSG:5897")
    with pytest.raises(InputError, match=r"cell_size -1\.0"):
        Grid(1, 1, 0.0, 0.0, -1.0, "EPSG:5897")
    with pytest.raises(InputError, match="bounds"):
        Grid.covering((1.0, 0.0, 1.0, 5.0), 1.0, "EPSG:5897")


@given(
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
    st.floats(100.0, 5e3),
    st.floats(100.0, 5e3),
    st.sampled_from([5.0, 15.0, 30.0]),
)
def test_a_grid_within_stays_within(x: float, y: float, width: float, height: float, cell: float) -> None:
    grid = Grid.within((x, y, x + width, y + height), cell, "EPSG:5897")
    left, bottom, right, top = grid.bounds
    assert left >= x - 1e-4 * cell and bottom >= y - 1e-4 * cell
    assert right <= x + width + 1e-4 * cell and top <= y + height + 1e-4 * cell
    assert grid.cols * cell > width - 2.001 * cell and grid.rows * cell > height - 2.001 * cell


def test_a_whole_grid_within_itself_is_itself() -> None:
    grid = Grid(7, 11, 580_000.0, 1_110_000.0, 5.0, "EPSG:5897")
    assert Grid.within(grid.bounds, 5.0, "EPSG:5897") == grid
