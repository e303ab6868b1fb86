"""A wrong or missing CRS is found by where the rows would fall, and said with those that would fit; none is guessed."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from sqlalchemy import Connection, text

from layers.datum import CRS84, make_transformer
from layers.errors import CrsError
from layers.ingest.candidates import list_candidates
from layers.ingest.crs import Chosen, Shapes, name_crs, read_crs
from layers.ingest.placing import find_inside, pick_points, place_file
from layers.ingest.readers import open_file
from layers.ingest.shapes import exchange_axes
from layers.store.area import CityArea, read_area

# Extent of the 103 wards of Can Tho since July 2025, as their official boundaries have it.
CAN_THO = CityArea("Thành phố Cần Thơ", (105.226, 9.245, 106.298, 10.325), 5897, is_exact=True)
UNKNOWN = CityArea("the area of EPSG:5897", (103.5, 8.33, 106.51, 23.4), 5897, is_exact=False)
BOSTON = CityArea("Boston", (-71.2, 42.2, -70.9, 42.5), 26986, is_exact=True)
Points = NDArray[np.float64]


def scatter(code: int, area: CityArea = CAN_THO) -> Points:
    """Return points around the middle of the city in a CRS."""
    random = np.random.default_rng(code)
    west, south, east, north = area.bounds
    lon = (west + east) / 2 + 0.05 * random.uniform(-1, 1, 40)
    lat = (south + north) / 2 + 0.05 * random.uniform(-1, 1, 40)
    return np.column_stack(make_transformer(CRS84, f"EPSG:{code}").transform(lon, lat))


def place(
    points: Points,
    area: CityArea = CAN_THO,
    *,
    given: str | None = None,
    declared: str | None = None,
    is_table: bool = False,
) -> Chosen:
    shapes: Shapes = np.asarray(shapely.points(points), dtype=object)
    return place_file("f.shp", shapes, area, given=given, declared=declared, default=None, is_table=is_table)


def refuse(points: Points, area: CityArea = CAN_THO, declared: str | None = None) -> str:
    with pytest.raises(CrsError) as caught:
        place(points, area, declared=declared)
    return str(caught.value)


@pytest.mark.parametrize("code", [5897, 9209, 9210, 3405, 2044, 32648])
def test_the_true_crs_is_among_those_said(code: int) -> None:
    words = refuse(scatter(code))
    assert words.startswith("f.shp does not say its coordinate reference system — give it with --crs EPSG:")
    assert f"--crs EPSG:{code} (" in words
    assert "100% of the rows into Thành phố Cần Thơ" in words


def test_the_citys_own_crs_comes_first_and_the_distance_is_told() -> None:
    first = list_candidates(scatter(5897), CAN_THO)[0]
    assert (first.say, first.name) == ("EPSG:5897", "VN-2000 / TM-3 zone 482")
    assert first.distance < 2000.0
    assert first.remark == ", the city's own"


def test_a_declared_crs_that_leads_elsewhere_is_refused() -> None:
    # Read on 107°45' instead of 105°00' the city comes to lie 300 km to the east, in the sea.
    words = refuse(scatter(5897), declared="EPSG:5899")
    assert "read as EPSG:5899, as the file says, every row lies outside Thành phố Cần Thơ, 30" in words
    assert "give it with --crs EPSG:5897 (VN-2000 / TM-3 zone 482, the city's own)" in words
    assert words.endswith("if EPSG:5899 is right, say --crs EPSG:5899")
    insisted = place(scatter(5897), given="EPSG:5899")
    assert name_crs(insisted.crs) == "EPSG:5899"
    assert "every row lies outside Thành phố Cần Thơ" in insisted.words


def test_data_from_beside_the_city_is_taken_and_said() -> None:
    # A gauge on the coast 60 km away: no other reading of its degrees would put it into the city.
    chosen = place(np.array([[106.9, 9.3]]), declared="EPSG:4326")
    assert name_crs(chosen.crs) == "EPSG:4326"
    assert "every row lies outside Thành phố Cần Thơ" in chosen.words


def test_a_grid_beside_the_true_one_is_noticed_when_part_of_the_rows_falls_out() -> None:
    west, south, east, north = CAN_THO.bounds
    mesh = np.stack(np.meshgrid(np.linspace(west, east, 12), np.linspace(south, north, 12)), axis=-1).reshape(-1, 2)
    points = np.column_stack(make_transformer(CRS84, "EPSG:5897").transform(*(0.95 * mesh + 0.05 * mesh.mean(0)).T))
    assert place(points, declared="EPSG:5897").words == "EPSG:5897, as the file says"
    # 105°30' instead of 105°00' moves all by 55 km, half of the city's width.
    words = place(points, declared="EPSG:9209").words
    assert (
        words == "EPSG:9209, as the file says; 50% of the rows lie outside Thành phố Cần Thơ, with --crs EPSG:5897 0%"
    )


def test_exchanged_coordinates() -> None:
    words = refuse(scatter(4326)[:, ::-1], declared="EPSG:4326")
    assert "x and y exchanged" in words and "--crs EPSG:4326 with 'swap: yes'" in words
    words = refuse(scatter(5897)[:, ::-1], declared="EPSG:5897")
    assert "--crs EPSG:5897 with 'swap: yes' under geometry in the mapping" in words


def test_zone_number_before_x() -> None:
    points = scatter(3405) + np.array([48_000_000.0, 0.0])
    words = refuse(points)
    assert '--crs "EPSG:3405 zone=48" (VN-2000 / UTM zone 48N, zone number 48 before x)' in words
    read = place(points, given="EPSG:3405 zone=48")
    moved = make_transformer(read.crs, "EPSG:3405").transform(*points.T)
    assert np.allclose(np.column_stack(moved), scatter(3405), atol=1e-6)


@pytest.mark.parametrize(("unit", "length"), [("ft", 0.3048), ("mm", 0.001)])
def test_another_unit_of_length(unit: str, length: float) -> None:
    points = scatter(5897) / length
    words = refuse(points, declared="EPSG:5897")
    assert f'--crs "EPSG:5897 unit={unit}"' in words
    read = place(points, given=f"EPSG:5897 unit={unit}")
    assert read_crs(name_crs(read.crs)) == read.crs
    moved = make_transformer(read.crs, "EPSG:5897").transform(*points.T)
    assert np.allclose(np.column_stack(moved), scatter(5897), atol=1e-6)


def test_state_plane_feet() -> None:
    words = refuse(scatter(2249, BOSTON), BOSTON)
    assert "--crs EPSG:2249 (NAD83 / Massachusetts Mainland (ftUS))" in words


def test_degrees() -> None:
    assert "--crs EPSG:4326 (WGS 84)" in refuse(scatter(4326))
    assert "coordinates look like degrees" in refuse(scatter(4326), declared="EPSG:5897")
    assert "are not degrees" in refuse(scatter(5897), declared="EPSG:4326")
    table = place(scatter(4326), is_table=True)
    assert table.words == "EPSG:4326, for a table of degrees that names none"
    with pytest.raises(CrsError, match="does not say"):
        place(scatter(5897), is_table=True)


def test_a_crs_of_no_place_is_as_good_as_none() -> None:
    words = refuse(scatter(5897), declared='LOCAL_CS["Undefined Cartesian SRS",UNIT["metre",1]]')
    assert "'Undefined Cartesian SRS' is a local one, tied to no place on Earth" in words
    assert "give it with --crs EPSG:5897" in words


def test_without_the_citys_bounds_the_area_of_its_crs_must_do() -> None:
    assert place(scatter(9210), UNKNOWN, declared="EPSG:5897").words == "EPSG:5897, as the file says"
    assert "into the area of EPSG:5897" in refuse(scatter(5897), UNKNOWN)
    assert "none known here" in refuse(np.array([[20.0, 60.0]]), UNKNOWN, declared="EPSG:4326")


def test_a_grid_known_by_its_parameters_is_named_in_words() -> None:
    esri = CRS.from_epsg(9209).to_wkt("WKT1_ESRI").replace("VN-2000_TM-3_105-30", "VN_2000_3deg_105_30")
    chosen = place(scatter(9209), declared=esri)
    assert name_crs(chosen.crs) == "EPSG:9209"
    assert chosen.words == "EPSG:9209, known by its parameters; the file calls it 'VN_2000_3deg_105_30'"


MAPINFO = (
    'Version 300\nCharset "WindowsLatin1"\nDelimiter ","\nCoordSys Earth Projection 8, {datum}"m", 105.5, 0, 0.9999, '
    "500000, 0\nColumns 1\n  ID Integer\nData\n\nPoint 586000 1109000\n"
)
SHIFT = "9999, 28, -191.90441429, -39.30318279, -111.45032835, 0.00928836, -0.01975479, 0.00427372, 0.252906278, 0, "


@pytest.mark.parametrize(
    ("datum", "words"),
    [
        (SHIFT, "EPSG:9209, known by its parameters; the file calls it 'unnamed'"),
        ("104, ", "as the file says; it has the projection of EPSG:9209: if its datum is VN-2000, 200 m away, say"),
    ],
)
def test_a_file_of_mapinfo(tmp_path: Path, datum: str, words: str) -> None:
    path = tmp_path / "p.mif"
    path.write_text(MAPINFO.format(datum=datum))
    path.with_suffix(".mid").write_text("1\n")
    with open_file(path) as opened:
        chosen = place(scatter(9209), declared=opened.crs)
    assert words in chosen.words


def test_rows_that_lie_nowhere_decide_nothing() -> None:
    shapes: Shapes = np.array([None, shapely.from_wkt("POINT EMPTY"), shapely.points(np.inf, 0.0)], dtype=object)
    assert len(pick_points(shapes)) == 0
    assert place(np.array([[np.nan, 0.0]]), declared="EPSG:5897").words == "EPSG:5897, as the file says"
    huge = np.vstack([scatter(5897), [[1e300, -1e300]]])
    assert place(huge, declared="EPSG:5897").words == "EPSG:5897, as the file says"


def test_single_rows_with_exchanged_coordinates() -> None:
    points = np.array([[105.75, 10.02], [10.02, 105.75], [20.0, 10.0]])
    shapes: Shapes = np.append(np.asarray(shapely.points(points), dtype=object), [None])
    counted = Counter[str]()
    made = exchange_axes(shapes, "auto", CRS.from_epsg(4326), CAN_THO, counted)
    assert [shapely.to_wkt(one, rounding_precision=2) for one in made[:3]] == [
        "POINT (105.75 10.02)",
        "POINT (105.75 10.02)",
        "POINT (20 10)",
    ]
    assert made[3] is None
    assert counted == {"geometry: x and y exchanged": 1}
    assert find_inside(made, CRS.from_epsg(4326), CAN_THO).tolist() == [True, True, False, False]
    assert shapely.get_x(exchange_axes(shapes, "yes", CRS.from_epsg(4326), CAN_THO, counted)[0]) == 10.02
    assert exchange_axes(shapes, "no", CRS.from_epsg(4326), CAN_THO, counted) is shapes


def test_the_city_is_where_its_wards_are_or_the_catalogue_says(connection: Connection) -> None:
    assert read_area(connection) == UNKNOWN
    connection.execute(
        text(
            "insert into city.wards (id, source_id, ward_code, name, geom) values ('w', 's', '1', 'Ninh Kiều', "
            "st_multi(st_transform(st_makeenvelope(105.7, 10.0, 105.8, 10.1, 4326), 5897)))"
        )
    )
    area = read_area(connection)
    assert area.is_exact
    assert area.bounds == pytest.approx((105.7, 10.0, 105.8, 10.1), abs=1e-3)
    words = '{"title": {"vi": "Cần Thơ"}, "bounds": [105.2, 9.2, 106.3, 10.3]}'
    connection.execute(text("update meta.city set declaration = cast(:words as jsonb)"), {"words": words})
    assert read_area(connection) == CityArea("Cần Thơ", (105.2, 9.2, 106.3, 10.3), 5897, is_exact=True)
