"""Traced walls have no gaps, sit where their line is, fail as told, and let pass no more than a weir."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from hydrology.breaches import (
    Breach,
    BreachFaces,
    build_breaches,
    limit_breaches,
    set_breaches,
    size_breach,
    suggest_breach,
)
from hydrology.walls import WallFaces, Walls, limit_walls, limit_weir, list_faces, trace_walls
from layers.errors import InputError
from layers.grid import Grid

Array = NDArray[np.float64]
SLOW = settings(max_examples=150, deadline=None)
GRID = Grid(30, 40, 1000.0, 2300.0, 10.0, "EPSG:5897")


def label_basins(walls: Walls) -> NDArray[np.int64]:
    """Return the number of the basin of each cell: cells joined over faces that are not raised."""
    rows, cols = walls.x.shape[0], walls.y.shape[1]
    open_ = np.zeros((2 * rows + 1, 2 * cols + 1), dtype=np.bool_)
    open_[1::2, 1::2] = True
    open_[1::2, 0::2] = np.isnan(walls.x)
    open_[0::2, 1::2] = np.isnan(walls.y)
    open_[[0, -1]] = open_[:, [0, -1]] = False
    return np.asarray(ndimage.label(open_)[0][1::2, 1::2], dtype=np.int64)


def is_inside(ring: Array, x: Array, y: Array) -> NDArray[np.bool_]:
    """Return which points lie in a closed ring (n, 2), by counting crossings of a ray."""
    inside = np.zeros(x.shape, dtype=np.bool_)
    for (xa, ya), (xb, yb) in pairwise(ring):
        if ya != yb:
            inside ^= ((ya > y) != (yb > y)) & (x < (xb - xa) * (y - ya) / (yb - ya) + xa)
    return inside


def make_ring(rng: np.random.Generator, snap: float) -> Array:
    angles = np.sort(rng.uniform(0.0, 2.0 * np.pi, int(rng.integers(3, 20))))
    radius = rng.uniform(15.0, 140.0, angles.size)
    ring = np.stack([1200.0 + radius * np.cos(angles), 2150.0 + radius * np.sin(angles)], axis=1)
    ring = np.round(ring / snap) * snap if snap else ring
    return np.concatenate([ring, ring[:1]])


@SLOW
@given(seed=st.integers(0, 100_000), snap=st.sampled_from([0.0, 1.0, 5.0, 10.0]))
def test_a_ring_of_wall_parts_its_inside_from_its_outside(seed: int, snap: float) -> None:
    # Corners on a lattice of 5 or 10 m send lines exactly through centres, corners and along faces.
    ring = make_ring(np.random.default_rng(seed), snap)
    basins = label_basins(trace_walls([ring], [3.0], GRID))
    x, y = np.meshgrid(*GRID.centres())
    # Lines are placed to 1/1000 of a cell: centres nearer than that to one may fall on either side.
    clear = np.ones(GRID.shape, dtype=np.bool_)
    for a, b in pairwise(ring):
        along = b - a
        share = np.clip(((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(float(along @ along), 1e-9), 0.0, 1.0)
        clear &= np.hypot(x - a[0] - share * along[0], y - a[1] - share * along[1]) > 0.05
    inside = is_inside(ring, x, y)
    assert not set(basins[inside & clear]) & set(basins[~inside & clear])


@SLOW
@given(seed=st.integers(0, 100_000), snap=st.sampled_from([0.0, 5.0, 10.0]))
def test_a_wall_across_the_grid_parts_it_and_two_that_touch_hold_together(seed: int, snap: float) -> None:
    rng = np.random.default_rng(seed)
    y = rng.uniform(2020.0, 2280.0, 9)
    line = np.stack([np.concatenate([[990.0], np.sort(rng.uniform(1000.0, 1400.0, 7)), [1410.0]]), y], axis=1)
    line[1:-1] = np.round(line[1:-1] / snap) * snap if snap else line[1:-1]
    basins = label_basins(trace_walls([line], [1.0], GRID))
    assert not set(basins[0]) & set(basins[-1])
    # A second wall from the middle of a piece of the first to the south edge parts the south into east and west.
    k, share = int(rng.integers(2, 6)), rng.uniform(0.0, 1.0)
    foot = line[k] + share * (line[k + 1] - line[k])
    spur = np.array([foot, [foot[0] + rng.uniform(-5.0, 5.0), 1990.0]])
    both = trace_walls([line, spur], [1.0, 1.0], GRID)
    basins = label_basins(both)
    spans = np.nonzero(both.line_x[-1] == 1)[0]
    assert spans.size == 1
    if 0 < spans[0] < 40:
        assert basins[-1, spans[0] - 1] != basins[-1, spans[0]]


def test_without_a_wall_all_is_one_basin_and_a_wall_that_ends_is_walked_round() -> None:
    assert np.all(label_basins(trace_walls([], [], GRID)) == 1)
    part = trace_walls([np.array([[1000.0, 2150.0], [1200.0, 2130.0]])], [1.0], GRID)
    assert np.all(label_basins(part) == 1)
    assert np.isfinite(part.y).sum() == 20


def test_faces_lie_at_the_line_with_its_crest_and_place() -> None:
    # 47 m along a row of cells, on y = 2203: between the centres at 2205 and 2195, the y face above row 10.
    walls = trace_walls([np.array([[1011.0, 2203.0], [1058.0, 2203.0]])], [np.array([2.0, 4.35])], GRID)
    assert np.isnan(walls.x).all()
    assert np.argwhere(np.isfinite(walls.y)).tolist() == [[10, col] for col in (1, 2, 3, 4, 5)]
    place = np.array([4.0, 14.0, 24.0, 34.0, 44.0])
    assert walls.place_y[10, 1:6] == pytest.approx(place, abs=0.02)
    assert walls.y[10, 1:6] == pytest.approx(2.0 + 0.05 * place, abs=0.002)
    assert walls.line_y[10, 1:6].tolist() == [0] * 5
    assert walls.lengths.tolist() == [47.0]
    # A line along x = 1020 raises west faces of column 2.
    upright = trace_walls([np.array([[1020.0, 2300.0], [1020.0, 2000.0]])], [1.0], GRID)
    assert np.argwhere(np.isfinite(upright.x)).tolist() == [[row, 2] for row in range(30)]
    assert np.isnan(upright.y).all()


def test_the_higher_of_two_walls_counts_and_a_short_one_is_told() -> None:
    line = np.array([[1000.0, 2150.0], [1400.0, 2150.0]])
    crumb = np.array([[1001.0, 2299.0], [1003.0, 2298.0]])
    walls = trace_walls([line, line, crumb], [1.0, 2.0, 9.0], GRID)
    assert set(walls.line_y[np.isfinite(walls.y)]) == {1}
    assert set(walls.y[np.isfinite(walls.y)]) == {2.0}
    assert walls.missed == (2,)


BAD: dict[str, tuple[list[Array], list[object], str]] = {
    "points": ([np.zeros((1, 2))], [1.0], r"wall 0 has points of shape \(1, 2\), expected \(n, 2\)"),
    "nan": ([np.array([[0.0, 0.0], [np.nan, 1.0]])], [1.0], "wall 0: point 1 is no number"),
    "crest": ([np.zeros((2, 2))], [np.array([1.0, np.nan])], "wall 0: crest 1 is nan m, expected -500 to 9000 m"),
    "crests": ([np.zeros((2, 2))], [np.ones(3)], r"crests of shape \(3,\), expected one number or one a point \(2,\)"),
    "count": ([np.zeros((2, 2))], [], "1 walls and 0 crests"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_walls_are_named(case: str) -> None:
    lines, crests, message = BAD[case]
    with pytest.raises(InputError, match=message):
        trace_walls(lines, crests, GRID)  # type: ignore[arg-type]


def make_faces(angle: float = 0.0, crest: float = 3.0, bed: float = 1.0) -> tuple[WallFaces, Array, Array]:
    """A wall 300 m long through the middle of the grid, padded crests of a flat bed beside."""
    along = 150.0 * np.array([math.cos(angle), math.sin(angle)])
    middle = np.array([1201.3, 2152.7])
    walls = trace_walls([np.array([middle - along, middle + along])], [crest], GRID)
    x = np.full((32, 42), bed)
    y = x.copy()
    faces = list_faces(walls, x, y)
    for axis, row, col, height in zip(faces.axis, faces.row, faces.col, faces.crest, strict=True):
        (y if axis else x)[row, col] = height
    return faces, x, y


def test_faces_are_listed_along_the_wall_where_it_stands_above_the_ground() -> None:
    faces, _, _ = make_faces(0.4)
    along = np.argsort(faces.begin)
    assert faces.begin[along[0]] == 0.0
    assert faces.end[along[-1]] == pytest.approx(300.0)
    assert np.array_equal(faces.begin[along[1:]], faces.end[along[:-1]])
    assert np.all(faces.end > faces.begin)
    listed = [faces.row[faces.row_start[i] : faces.row_start[i + 1]] for i in range(32)]
    assert all(np.all(rows == i) for i, rows in enumerate(listed))
    assert sum(map(len, listed)) == len(faces.row)
    assert set(faces.axis) == {0, 1}
    walls = trace_walls([np.array([[1000.0, 2150.0], [1400.0, 2150.0]])], [np.array([0.0, 4.0])], GRID)
    assert len(list_faces(walls, np.full((32, 42), 1.0), np.full((32, 42), 1.0)).axis) == 30


BREACH = Breach("dyke", 0, 150.0, 600.0, 1000.0, 60.0, 1.5, initial_width=10.0, deepening=0.2)


def test_a_breach_deepens_then_widens() -> None:
    breaches = build_breaches([BREACH], make_faces()[0], 10.0)
    # By hand: 3.0 m falls to 1.5 m within 200 s at 10 m, then 10 m grows to 60 m within 800 s.
    times = {0.0: (3.0, 0.0), 600.0: (3.0, 10.0), 700.0: (2.25, 10.0), 800.0: (1.5, 10.0), 1200.0: (1.5, 35.0),
             1600.0: (1.5, 60.0), 9e9: (1.5, 60.0)}  # fmt: skip
    for time, expected in times.items():
        assert size_breach(breaches, 0, 3.0, time) == pytest.approx(expected)
    sudden = build_breaches([Breach("s", 0, 150.0, 5.0, 0.0, 60.0, 1.5)], make_faces()[0], 10.0)
    assert size_breach(sudden, 0, 3.0, 5.0) == pytest.approx((1.5, 60.0))


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 4, 1.2, math.pi / 2])
def test_widths_on_all_faces_sum_to_that_of_the_breach(angle: float) -> None:
    faces, x, y = make_faces(angle)
    breaches = build_breaches([BREACH], faces, 10.0)
    closed = x.copy(), y.copy()
    set_breaches(breaches, 599.0, x, y)
    assert np.array_equal(x, closed[0])
    assert np.array_equal(y, closed[1])
    for time, width, level in ((700.0, 10.0, 2.25), (1200.0, 35.0, 1.5), (5000.0, 60.0, 1.5)):
        set_breaches(breaches, time, x, y)
        lowered = breaches.crest < 3.0
        assert breaches.share[lowered].sum() * 10.0 == pytest.approx(width, rel=1e-9)
        assert np.all(breaches.crest[lowered] == level)
        assert np.all(breaches.share[~lowered] == 1.0)
        written = [
            (y if axis else x)[r, c] for axis, r, c in zip(breaches.axis, breaches.row, breaches.col, strict=True)
        ]
        assert np.array_equal(written, breaches.crest)
    # Going back in time builds the wall again: nothing is remembered but the time.
    set_breaches(breaches, 0.0, x, y)
    assert np.array_equal(x, closed[0])
    assert np.array_equal(y, closed[1])


def test_a_breach_scours_no_deeper_than_the_bed_and_two_meet() -> None:
    faces, x, y = make_faces()
    deep = Breach("deep", 0, 150.0, 0.0, 0.0, 40.0, -2.0)
    beside = Breach("beside", 0, 185.0, 0.0, 0.0, 40.0, 2.0)
    breaches = build_breaches([deep, beside], faces, 10.0)
    set_breaches(breaches, 1.0, x, y)
    assert breaches.crest.min() == 1.0
    assert set(breaches.crest) <= {1.0, 2.0, 3.0}
    open_ = breaches.crest < 3.0
    # From 130 to 205 m along: 75 m, the 5 m where both are counted once in full faces, twice in shared ones at most.
    assert 75.0 <= breaches.share[open_].sum() * 10.0 <= 80.0


def test_breaches_off_the_wall_are_named() -> None:
    faces = make_faces()[0]
    with pytest.raises(InputError, match="breach 'far' at 900 m along wall 0 meets no raised face"):
        build_breaches([Breach("far", 0, 900.0, 0.0, 1.0, 10.0, 0.0)], faces, 10.0)
    with pytest.raises(InputError, match="breach 'none' at 10 m along wall 4"):
        build_breaches([Breach("none", 4, 10.0, 0.0, 1.0, 10.0, 0.0)], faces, 10.0)
    with pytest.raises(InputError, match="repeat, expected each once"):
        build_breaches([BREACH, BREACH], faces, 10.0)
    with pytest.raises(InputError, match="breach 'x' has duration nan s, expected 0 to"):
        Breach("x", 0, 0.0, 0.0, math.nan, 10.0, 0.0)
    none: BreachFaces = build_breaches([], faces, 10.0)
    set_breaches(none, 0.0, *make_faces()[1:])
    assert none.crest.size == 0


def test_a_width_and_a_duration_are_suggested() -> None:
    # Froehlich 2008 by hand: V 1e6 m3, h 5 m: 0.27 × 1.3 × 83.18 × 1.0665 = 31.1 m; 63.2 (1e6 / (9.80665 × 25))^0.5.
    assert suggest_breach(1.0e6, 5.0) == pytest.approx((31.14, 4036.0), rel=1e-3)
    assert suggest_breach(1.0e6, 5.0, overtopped=False)[0] == pytest.approx(31.14 / 1.3, rel=1e-3)
    with pytest.raises(InputError, match="expected both above 0"):
        suggest_breach(0.0, 5.0)


def test_water_over_a_wall_is_a_weir() -> None:
    # 1.7 × 0.5^1.5 = 0.6010 m2/s; half drowned 0.8454 of it (Villemonte 1947).
    assert limit_weir(5.0, 3.5, 1.0, 3.0) == pytest.approx(0.6010, abs=1e-4)
    assert limit_weir(-5.0, 3.5, 3.25, 3.0) == pytest.approx(-0.6010 * 0.8454, abs=1e-4)
    assert limit_weir(0.3, 3.5, 1.0, 3.0) == 0.3
    assert limit_weir(5.0, 2.9, 1.0, 3.0) == 0.0


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 2])
def test_raised_faces_pass_weir_flow_and_others_are_left_alone(angle: float) -> None:
    faces, crest_x, crest_y = make_faces(angle)
    raised = np.zeros((2, 32, 42), dtype=np.bool_)
    raised[faces.axis, faces.row, faces.col] = True
    stage = np.random.default_rng(1).uniform(2.5, 4.0, (32, 42))
    q = np.random.default_rng(2).normal(0.0, 3.0, (2, 32, 42)).astype(np.float32)
    x, y = q[0].copy(), q[1].copy()
    for row in range(len(stage)):
        limit_walls(faces, row, stage, crest_x, crest_y, x, y)
    assert np.array_equal(x[~raised[0]], q[0][~raised[0]])
    assert np.array_equal(y[~raised[1]], q[1][~raised[1]])
    for axis, i, j in zip(faces.axis, faces.row, faces.col, strict=True):
        before, after = stage[i - axis, j - 1 + axis], stage[i, j]
        upper, lower = (before, after) if q[axis, i, j] > 0.0 else (after, before)
        found = (x, y)[axis][i, j]
        assert found == pytest.approx(limit_weir(float(q[axis, i, j]), upper, lower, 3.0), rel=1e-6)


def test_a_breach_narrower_than_a_face_passes_the_weirs_of_both_its_parts() -> None:
    faces, x, y = make_faces()
    # Place 153.7 m along is the middle of the face between x = 1200 and 1210 m: 2.5 of its 10 m are breached.
    narrow = Breach("narrow", 0, 153.7, 0.0, 0.0, 2.5, 2.5)
    breaches = build_breaches([narrow], faces, 10.0)
    set_breaches(breaches, 1.0, x, y)
    (f,) = np.nonzero(breaches.crest == 2.5)[0]
    assert breaches.share[f] == pytest.approx(0.25)
    i, j = int(breaches.row[f]), int(breaches.col[f])
    stage = np.full((32, 42), 3.5)
    stage[i:] = 0.0
    q = np.zeros((2, 32, 42), dtype=np.float32)
    q[1, i, j] = 5.0
    limit_walls(faces, i, stage, x, y, q[0], q[1])
    assert q[1, i, j] == pytest.approx(1.7, rel=1e-6)
    limit_breaches(breaches, i, stage, q[0], q[1])
    # 0.25 × 1.7 × 1.0^1.5 + 0.75 × 1.7 × 0.5^1.5.
    assert q[1, i, j] == pytest.approx(0.25 * 1.7 + 0.75 * 0.6010, abs=1e-4)
