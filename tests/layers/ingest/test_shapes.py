"""Geometry is checked, moved, mended and made of one type; what cannot be is rejected with the reason."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from layers.errors import CrsError, SourceError
from layers.ingest.crs import Shapes, check_area, check_crs, read_crs, transform
from layers.ingest.quality import Problems
from layers.ingest.shapes import (
    MOST_VERTICES,
    count_dimensions,
    fit_type,
    make_points,
    make_squares,
    project,
    reject_unusable,
    repair_areas,
)

WGS84, CITY, UTM = CRS.from_epsg(4326), CRS.from_epsg(5897), CRS.from_epsg(32648)


def shapes_of(*words: str | None) -> Shapes:
    made: Shapes = np.asarray(shapely.from_wkt(list(words)), dtype=object)
    return made


def reasons_of(problems: Problems) -> dict[int, str]:
    count = len(problems.bad)
    found = problems.list_rejections(np.arange(count), {position: {} for position in range(count)})
    return {one.row: one.reason for one in found}


def fit(shapes: Shapes, wanted: str, file: str | None = None) -> tuple[Shapes, dict[int, str], Counter[str]]:
    problems, conversions = Problems(len(shapes)), Counter[str]()
    made = fit_type(shapes, wanted, problems, conversions, file)  # type: ignore[arg-type]
    return made, reasons_of(problems), +conversions


def test_metres_are_not_degrees_and_degrees_not_metres() -> None:
    with pytest.raises(CrsError, match=r"f\.shp: the coordinates are not degrees .* EPSG:4326"):
        check_crs(shapes_of("POINT (580000 1108000)"), WGS84, "f.shp")
    with pytest.raises(CrsError, match=r"look like degrees .* EPSG:5897"):
        check_crs(shapes_of("POINT (105.7 10)"), CITY, "f.shp")
    check_crs(shapes_of("POINT (105.7 10)", None), WGS84, "f.shp")
    check_crs(shapes_of(None), CITY, "f.shp")


def test_a_file_from_elsewhere_is_refused_as_a_whole() -> None:
    with pytest.raises(CrsError, match="exchanged"):
        check_area(shapes_of("POINT (10.02 85.75)"), WGS84, CITY, "f.csv")
    check_area(shapes_of("POINT (10.02 85.75)", "POINT (105.75 10.02)"), WGS84, CITY, "f.csv")


def test_unknown_crs_is_named() -> None:
    with pytest.raises(CrsError, match="'EPSG:999999'"):
        read_crs("EPSG:999999")


def test_rows_far_away_are_rejected_and_the_others_moved() -> None:
    shapes = shapes_of("POINT Z (105.75 10.02 7)", "POINT (129.474 -90)", "POINT (105 95)", "POINT (20 10)")
    problems = Problems(4)
    moved = project(shapes, WGS84, CITY, problems)
    assert reasons_of(problems) == {
        1: "far outside the city's area",
        2: "latitude beyond 90 degrees",
        3: "far outside the city's area",
    }
    # EPSG:5897 is a transverse Mercator at 105° E with 500 km false easting and k = 0.9999.
    assert shapely.get_x(moved[0]) == pytest.approx(582_000, abs=600)
    assert not shapely.has_z(moved[0])


def test_unusable_rows() -> None:
    many = shapely.linestrings(np.column_stack([np.linspace(0, 1, MOST_VERTICES + 1)] * 2))
    shapes = np.array([None, shapely.from_wkt("POLYGON EMPTY"), shapely.points(np.inf, 1), many], dtype=object)
    problems = Problems(5)
    reject_unusable(
        np.append(shapes, [None]), problems, pd.Series([None, None, None, None, "geometry is not WKT"], dtype=object)
    )
    assert reasons_of(problems) == {
        0: "no geometry",
        1: "no geometry",
        2: "a coordinate is not a number",
        3: "too many vertices",
        4: "geometry is not WKT",
    }


def test_places_that_are_none_are_told_apart() -> None:
    shapes = shapes_of(
        "POINT (0 0)",
        "LINESTRING (105.7 10, 0 0)",
        "POINT (1e300 -1e300)",
        "POINT (99999999999 10)",
        "POINT ZM (105.75 10.02 1 2)",
        "POINT (0 10)",
    )
    problems = Problems(6)
    reject_unusable(shapes, problems)
    counted = Counter[str]()
    count_dimensions(shapes, counted)
    moved = project(shapes, WGS84, CITY, problems)
    assert reasons_of(problems) == {
        0: "a coordinate is 0, 0",
        1: "a coordinate is 0, 0",
        2: "latitude beyond 90 degrees",
        3: "far outside the city's area",
        5: "far outside the city's area",
    }
    assert counted == {"geometry: Z dropped": 1, "geometry: M dropped": 1}
    assert shapely.get_coordinate_dimension(moved[4]) == 2


def test_huge_metres_are_outside_not_a_crash() -> None:
    shapes = shapes_of("POINT (1e300 1e300)", "POINT (-1e20 5e20)", "POINT (586000 1109000)")
    problems = Problems(3)
    moved = project(shapes, CITY, CITY, problems)
    assert reasons_of(problems) == {0: "far outside the city's area", 1: "far outside the city's area"}
    assert shapely.to_wkt(moved[2]) == "POINT (586000 1109000)"


def test_a_bow_tie_is_mended_and_a_collapsed_area_rejected() -> None:
    shapes = shapes_of("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))", "POLYGON ((0 0, 1 1, 2 2, 0 0))", "POINT (0 0)")
    problems = Problems(3)
    made, repaired = repair_areas(shapes, problems)
    assert repaired == 1
    assert shapely.is_valid(made[0])
    assert shapely.area(made[0]) == pytest.approx(2.0)
    assert reasons_of(problems) == {1: "the area collapses to nothing"}


def test_single_parts_are_unwrapped_and_areas_promoted() -> None:
    points, reasons, counted = fit(shapes_of("MULTIPOINT ((1 2))", "POINT (1 2)", "MULTIPOINT (1 2, 3 4)"), "Point")
    assert shapely.get_type_id(points[:2]).tolist() == [0, 0]
    assert reasons == {2: "geometry is MultiPoint"}
    assert counted == {"geometry: single part unwrapped": 1}
    areas, reasons, _ = fit(
        shapes_of("POLYGON ((0 0, 1 0, 1 1, 0 0))", "GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)))"),
        "MultiPolygon",
    )
    assert shapely.get_type_id(areas).tolist() == [6, 6]
    assert reasons == {}


def test_lines_are_merged_or_rejected() -> None:
    lines, reasons, counted = fit(
        shapes_of(
            "MULTILINESTRING ((0 0, 1 0), (1 0, 2 0))",
            "MULTILINESTRING ((0 0, 1 0), (5 5, 6 5))",
            "LINEARRING (0 0, 1 0, 1 1, 0 0)",
            "LINESTRING (3 3, 3 3)",
            "POINT (0 0)",
        ),
        "LineString",
    )
    assert shapely.to_wkt(lines[0]) == "LINESTRING (0 0, 1 0, 2 0)"
    assert shapely.get_type_id(lines[2]) == 1
    assert reasons == {1: "line in separate parts", 3: "line without length", 4: "geometry is Point"}
    assert counted["geometry: parts merged"] == 1


def test_a_file_of_another_type_is_refused_as_a_whole() -> None:
    with pytest.raises(SourceError, match=r"f\.gpkg: every geometry is Polygon, the layer holds Point"):
        fit(shapes_of("POLYGON ((0 0, 1 0, 1 1, 0 0))", None), "Point", "f.gpkg")


def test_points_on_areas_and_squares_around_points() -> None:
    counted = Counter[str]()
    horseshoe = "POLYGON ((0 0, 9 0, 9 9, 8 9, 8 1, 1 1, 1 9, 0 9, 0 0))"
    points = make_points(shapes_of(horseshoe, "LINESTRING (0 0, 4 0)", "POINT (1 1)"), counted)
    assert shapely.contains(shapely.from_wkt(horseshoe), points[0])
    assert shapely.to_wkt(points[1]) == "POINT (2 0)"
    squares = make_squares(shapes_of("POINT (10 20)"), 4.0, counted)
    assert shapely.bounds(squares[0]).tolist() == [8.0, 18.0, 12.0, 22.0]


@given(st.lists(st.tuples(st.floats(104.0, 106.4), st.floats(8.6, 23.0)), min_size=1, max_size=20))
def test_there_and_back_is_the_same_place(places: list[tuple[float, float]]) -> None:
    points = np.asarray(shapely.points(np.array(places)), dtype=object)
    back = transform(transform(points, WGS84, CITY), CITY, WGS84)
    assert np.allclose(shapely.get_coordinates(back), np.array(places), atol=1e-8)
