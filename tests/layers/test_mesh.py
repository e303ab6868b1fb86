"""Solids are closed, face outward and hold area × height, whatever the footprint; what cannot be built is named."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from layers.datum import make_transformer
from layers.ingest.readers import read_file
from layers.scene.mesh import Mesh, build_solids, measure_volume
from tests.conftest import CITY_CRS

SQUARE = shapely.box(0, 0, 10, 10)
STAR_POINTS = 24
RADII = st.lists(st.floats(1.0, 40.0), min_size=3, max_size=STAR_POINTS)
LEVELS = st.floats(-5.0, 20.0)
HEIGHTS = st.floats(0.5, 200.0)


def count_open_edges(mesh: Mesh) -> int:
    """Return how many edges do not have as many triangles on one side as on the other, vertices told by their place."""
    places = [tuple(place) for place in mesh.positions.tolist()]
    edges: Counter[Any] = Counter()
    for triangle in mesh.triangles.tolist():
        for here, there in zip(triangle, [*triangle[1:], triangle[0]], strict=True):
            edges[places[here], places[there]] += 1
    return sum(edges[there, here] != count for (here, there), count in edges.items())


def build(*footprints: Any, height: float = 3.0, base: float = 1.0, floor: bool = True) -> Mesh:
    count = len(footprints)
    return build_solids(footprints, np.full(count, base), np.full(count, height), floor=floor)


def make_star(radii: list[float], *, x: float = 581_234.5, y: float = 1_109_876.5) -> shapely.Polygon:
    """Return a polygon around a place of the city's grid, one point a radius."""
    turn = np.linspace(0.0, 2.0 * np.pi, len(radii), endpoint=False)
    far = np.asarray(radii)
    return shapely.Polygon(np.column_stack([x + far * np.cos(turn), y + far * np.sin(turn)]))


@settings(max_examples=60, deadline=None)
@given(outer=RADII, holes=st.booleans(), base=LEVELS, height=HEIGHTS)
def test_the_volume_of_any_solid_is_area_times_height(
    outer: list[float], holes: bool, base: float, height: float
) -> None:
    star: Any = make_star(outer)
    if holes:
        star = star.difference(shapely.affinity.scale(star, 0.4, 0.4))
    mesh = build(star, base=base, height=height)
    assert count_open_edges(mesh) == 0
    assert measure_volume(mesh) == pytest.approx(shapely.area(star) * height, rel=1e-6, abs=0.02)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=6), max_size=6))
def test_footprints_of_rectangles_close_though_their_points_lie_in_lines(cells: list[list[tuple[int, int]]]) -> None:
    shapes = [shapely.union_all([shapely.box(3 * x, 3 * y, 3 * x + 3, 3 * y + 3) for x, y in each]) for each in cells]
    mesh = build(*shapes)
    assert count_open_edges(mesh) == 0
    # Rooms that touch at a corner are moved 2 mm apart.
    assert measure_volume(mesh) == pytest.approx(3.0 * sum(shape.area for shape in shapes), rel=5e-3)


COLLINEAR = shapely.Polygon([(0, 0), (5, 0), (10, 0), (10, 5), (10, 10), (5, 10), (0, 10), (0, 5)])
YARD = shapely.box(2, 2, 4, 4).exterior.coords
KNOWN = {
    "square": (SQUARE, 100.0, None),
    "reflex quadrilateral": (shapely.Polygon([(0, 0), (4, 1), (8, 0), (4, 8)]), 28.0, None),
    "quadrilateral with a point on an edge": (shapely.Polygon([(0, 0), (5, 0), (10, 0), (5, 5)]), 25.0, None),
    "points in lines": (COLLINEAR, 100.0, None),
    "points in lines, a yard": (shapely.Polygon(COLLINEAR.exterior.coords, [YARD]), 96.0, None),
    "yards that touch": (shapely.Polygon(SQUARE.exterior.coords, [YARD, shapely.box(4, 4, 6, 6).exterior.coords]), 92.0,
                         None),
    "a yard that touches a wall": (shapely.Polygon(SQUARE.exterior.coords, [[(0, 5), (3, 3), (3, 7)]]), 94.0,
                                   "touches itself, mended"),
    "two parts": (shapely.MultiPolygon([SQUARE, shapely.box(20, 0, 21, 1)]), 101.0, None),
    "parts that share a wall": (shapely.MultiPolygon([SQUARE, shapely.box(10, 0, 11, 1)]), 101.0,
                                "Self-intersection, mended"),
    "points given twice": (shapely.Polygon([(0, 0), (10, 0), (10, 0), (10, 10), (0, 10), (0, 0)]), 100.0, None),
    "clockwise": (SQUARE.reverse(), 100.0, None),
    "crosses itself": (shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), 50.0, "Self-intersection, mended"),
    "a line": (shapely.Polygon([(0, 0), (5, 0), (10, 0)]), 0.0, "less than 0.01 m², refused"),
    "a crumb": (shapely.box(0, 0, 0.05, 0.05), 0.0, "less than 0.01 m², refused"),
    "empty": (shapely.Polygon(), 0.0, "empty or infinite, refused"),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_a_footprint_is_built_or_named(name: str) -> None:
    shape, area, fault = KNOWN[name]
    mesh = build(shape)
    assert count_open_edges(mesh) == 0
    assert measure_volume(mesh) == pytest.approx(3.0 * area, rel=2e-3)
    assert mesh.faults == ({0: fault} if fault else {})


REAL = {"cantho-osm/cantho_osm_layers.gpkg": ("multipolygons", 2000), "cityjson/delft.city.json": (None, 500)}


@pytest.mark.parametrize("name", REAL)
def test_real_buildings_are_closed_and_hold_their_area(shared: Callable[[str], Path], name: str) -> None:
    table, least = REAL[name]
    raw = read_file(shared(name), table=table)
    shapes = shapely.force_2d([shape for shape in raw.shapes if shape is not None and "Polygon" in shape.geom_type])
    if CRS.from_user_input(raw.crs).is_geographic:
        shapes = shapely.transform(shapes, make_transformer(raw.crs, CITY_CRS).transform, interleaved=False)
    assert len(shapes) >= least
    mesh = build(*shapes)
    assert count_open_edges(mesh) == 0
    assert measure_volume(mesh) == pytest.approx(3.0 * shapely.area(shapes).sum(), rel=1e-6)
    assert len(mesh.faults) <= 0.002 * len(shapes)


def test_what_is_wrong_with_one_leaves_the_others() -> None:
    bad, good = KNOWN["crosses itself"][0], KNOWN["a line"][0]
    mesh = build(SQUARE, good, bad, shapely.transform(SQUARE, lambda points: points + 50.0))
    assert sorted(mesh.faults) == [1, 2]
    assert set(mesh.owners.tolist()) == {0, 2, 3}
    assert measure_volume(mesh) == pytest.approx(3.0 * 250.0)


def test_normals_have_length_one_and_look_away_from_the_solid() -> None:
    mesh = build(KNOWN["points in lines, a yard"][0])
    a, b, c = (mesh.positions[mesh.triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    for corner in range(3):
        told = mesh.normals[mesh.triangles[:, corner]]
        np.testing.assert_allclose(np.linalg.norm(told, axis=1), 1.0)
        # Two triangles of points in a line have no direction of their own.
        assert (np.einsum("ij,ij->i", faces, told) >= -1e-9).all()


def test_without_a_floor_only_what_is_below_is_open() -> None:
    whole, bare = build(SQUARE), build(SQUARE, floor=False)
    assert len(whole.triangles) - len(bare.triangles) == 2
    assert count_open_edges(bare) == 4
    assert len(bare.corner) == 4 * 4 + 4


def test_nothing_makes_an_empty_mesh() -> None:
    mesh = build_solids([], np.array([]), np.array([]))
    assert len(mesh.triangles) == len(mesh.positions) == 0
    assert measure_volume(mesh) == 0.0
