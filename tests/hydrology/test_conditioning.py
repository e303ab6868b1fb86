"""Conditioned terrain drains everywhere, ditches move less ground than fill, lines touch only their cells."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from hydrology.conditioning import breach_pits, burn_lines, fill_depressions, raise_lines, trace_line
from layers.errors import InputError
from layers.grid import Grid

GRID = Grid(12, 16, 100.0, 220.0, 10.0, "EPSG:5897")
HEIGHTS = st.integers(0, 9).map(float) | st.just(np.nan)
BEDS = arrays(np.float64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=HEIGHTS)
POINTS = arrays(np.float64, (3, 2), elements=st.floats(80.0, 280.0))


def find_outlets(bed: np.ndarray) -> np.ndarray:
    known = np.isfinite(bed)
    return known & ~ndimage.binary_erosion(known, border_value=0)


def lowest_neighbour(bed: np.ndarray) -> np.ndarray:
    padded = np.pad(np.where(np.isfinite(bed), bed, np.inf), 1, constant_values=np.inf)
    return np.minimum.reduce([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])


def fill_slowly(bed: np.ndarray, drop: float) -> np.ndarray:
    """Planchon and Darboux 2002: from a flood without end down to the lowest level that every cell can drain at."""
    water = np.where(find_outlets(bed) | ~np.isfinite(bed), bed, np.inf)
    for _ in range(bed.size + 1):
        water = np.where(np.isfinite(bed), np.minimum(water, np.maximum(bed, lowest_neighbour(water) + drop)), np.nan)
    return water


def make_hills(seed: int, size: int = 40) -> np.ndarray:
    """Rough ground falling to one side, as a survey with noise shows it."""
    rng = np.random.default_rng(seed)
    rough = (
        ndimage.gaussian_filter(rng.standard_normal((size, size)), 2.0) * 3.0 + rng.standard_normal((size, size)) * 0.2
    )
    return rough + np.linspace(0.0, 4.0, size)


@settings(max_examples=150, deadline=None)
@given(BEDS, st.sampled_from([0.0, 0.25]))
def test_filling_is_the_lowest_bed_that_drains(bed: np.ndarray, drop: float) -> None:
    filled = fill_depressions(bed, drop=drop)
    np.testing.assert_array_equal(filled, fill_slowly(bed, drop))


def test_filled_ground_falls_everywhere() -> None:
    bed = make_hills(1)
    filled = fill_depressions(bed, drop=1e-4)
    inner = ~find_outlets(bed)
    assert (lowest_neighbour(filled)[inner] <= filled[inner] - 1e-4 + 1e-12).all()
    assert (filled >= bed).all() and (filled > bed).any()
    np.testing.assert_array_equal(fill_depressions(filled, drop=1e-4), filled)


def make_dam() -> np.ndarray:
    """A valley falling to the east, dammed for one cell."""
    bed = np.full((5, 9), 20.0)
    bed[2] = np.arange(9.0, 0.0, -1.0)
    bed[2, 5] = 12.0
    return bed


def test_a_ditch_opens_the_dam_and_nothing_else() -> None:
    bed = make_dam()
    breached = breach_pits(bed, max_length=3, max_depth=10.0)
    changed = np.zeros(bed.shape, dtype=np.bool_)
    changed[2, 5] = True
    np.testing.assert_array_equal(breached != bed, changed)
    assert breached[2, 5] == 5.0, "level with the cell behind the dam"
    np.testing.assert_array_equal(fill_depressions(breached), breached)


@pytest.mark.parametrize(("length", "depth"), [(1, 10.0), (3, 6.5)])
def test_limits_leave_the_dam(length: int, depth: float) -> None:
    np.testing.assert_array_equal(breach_pits(make_dam(), max_length=length, max_depth=depth), make_dam())


def test_a_pit_that_is_cheaper_to_fill_is_left() -> None:
    bed = np.full((7, 7), 5.0)
    bed[3, 3] = 4.9
    np.testing.assert_array_equal(breach_pits(bed, max_length=9, max_depth=9.0), bed)


@pytest.mark.parametrize("seed", range(12))
def test_breaching_moves_less_ground_than_filling(seed: int) -> None:
    bed = make_hills(seed)
    breached = breach_pits(bed, max_length=8, max_depth=2.0)
    conditioned, filled = fill_depressions(breached), fill_depressions(bed)
    assert (breached <= bed).all() and (breached < bed).any()
    assert np.abs(conditioned - bed).sum() < np.abs(filled - bed).sum()
    assert (conditioned <= filled).all()


@settings(max_examples=60, deadline=None)
@given(BEDS)
def test_breaching_only_digs(bed: np.ndarray) -> None:
    breached = breach_pits(bed, max_length=4, max_depth=5.0)
    assert (np.isnan(breached) == np.isnan(bed)).all()
    assert (np.nan_to_num(bed - breached) >= 0.0).all()
    assert (np.nan_to_num(fill_depressions(bed) - fill_depressions(breached)) >= 0.0).all(), "nothing drains worse"


@given(POINTS)
def test_a_traced_line_is_the_cells_it_crosses(line: np.ndarray) -> None:
    rows, cols, along = trace_line(line, GRID)
    traced, shape = set(zip(rows.tolist(), cols.tolist(), strict=True)), shapely.LineString(line)
    for row in range(GRID.rows):
        for col in range(GRID.cols):
            left, top = GRID.x_min + col * 10.0, GRID.y_max - row * 10.0
            # A line on the border of two cells belongs to one of them, so only the inside counts.
            inside = shapely.box(left + 1e-6, top - 10.0 + 1e-6, left + 10.0 - 1e-6, top - 1e-6)
            assert (row, col) in traced or shape.intersection(inside).length < 1e-5
            assert (row, col) not in traced or shape.distance(shapely.Point(left + 5.0, top - 5.0)) <= 7.0711
    assert (np.diff(along) >= -1e-9).all()


@given(arrays(np.float64, (4, 2), elements=st.floats(101.0, 219.0)))
def test_consecutive_cells_share_a_side(line: np.ndarray) -> None:
    rows, cols, _ = trace_line(line, GRID)
    assert (np.abs(np.diff(rows)) + np.abs(np.diff(cols)) <= 1).all()


def test_burning_and_raising_touch_only_the_line() -> None:
    bed = np.random.default_rng(5).uniform(1.0, 2.0, GRID.shape)
    lines = [np.array([[105.0, 215.0], [255.0, 105.0]]), np.array([[105.0, 105.0], [255.0, 215.0]])]
    cells = np.zeros(GRID.shape, dtype=np.bool_)
    for line in lines:
        rows, cols, _ = trace_line(line, GRID)
        cells[rows, cols] = True
    burned, raised = burn_lines(bed, GRID, lines, 1.5), raise_lines(bed, GRID, lines, [3.0, 1.5])
    assert burned[cells] == pytest.approx(bed[cells] - 1.5), "once, also where the lines cross"
    np.testing.assert_array_equal(burned[~cells], bed[~cells])
    np.testing.assert_array_equal(raised[~cells], bed[~cells])
    rows, cols, _ = trace_line(lines[0], GRID)
    assert (raised[rows, cols] == 3.0).all(), "the higher wall counts where two cross"
    assert (raised >= bed).all()


def test_a_wall_slopes_between_its_vertices_and_holds_water() -> None:
    line = np.array([[105.0, 165.0], [155.0, 165.0], [255.0, 165.0]])
    raised = raise_lines(np.zeros(GRID.shape), GRID, [line], [np.array([2.0, 4.0, 4.0])])
    assert raised[5, 1] == pytest.approx(2.4) and raised[5, 3] == pytest.approx(3.2)
    assert (raised[5, 6:] == 4.0)[:10].all()
    assert (np.delete(raised, 5, axis=0) == 0.0).all()
    around = np.array([[125.0, 195.0], [195.0, 185.0], [185.0, 125.0], [125.0, 195.0]])
    walled = raise_lines(np.zeros(GRID.shape), GRID, [around], [3.0])
    held = fill_depressions(walled) > walled
    assert held.any() and (fill_depressions(walled)[held] == 3.0).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fill_depressions(np.zeros((3, 3)), drop=-1.0), "fill drop is -1 m"),
        (lambda: fill_depressions(np.zeros(3)), r"bed has shape \(3,\)"),
        (lambda: fill_depressions(np.array([[0.0, np.inf]])), r"infinite in cell \(0, 1\)"),
        (lambda: breach_pits(np.zeros((3, 3)), max_length=0, max_depth=1.0), "breach limits are 0 cells"),
        (lambda: burn_lines(np.zeros(GRID.shape), GRID, [], 0.0), "burn depth is 0 m"),
        (lambda: raise_lines(np.zeros(GRID.shape), GRID, [], [1.0]), "0 walls have 1 crests"),
        (lambda: raise_lines(np.zeros(GRID.shape), GRID, [np.ones((2, 2))], [np.ones(3)]), "wall 0 has 3 values"),
        (lambda: burn_lines(np.zeros((3, 3)), GRID, [], 1.0), r"bed has shape \(3, 3\), expected the grid's"),
        (lambda: trace_line(np.ones((1, 2)), GRID), "two vertices or more"),
    ],
)
def test_what_cannot_be_is_named(make, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()
