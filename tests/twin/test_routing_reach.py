"""Isochrones and matrices on a small town: they nest, agree with routes, and count who lives there."""

import csv
import io

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError, NotFoundError
from tests.twin.conftest import X0, Y0, frame
from tests.twin.road_town import Town, ask, make_grid, make_town, place
from twin.process import Outputs
from twin.processes import isochrone, route, travel_matrix

GRID = make_grid()
PEAK = "2026-11-30T17:00:00"
PLACES = st.tuples(st.floats(0.0, 900.0), st.floats(0.0, 900.0))


def reach(city: Town, *origins: list[float], **values: object) -> Outputs:
    return ask(city, isochrone.PROCESS, origins=list(origins), **values)


@settings(max_examples=15, deadline=None)
@given(PLACES, st.lists(st.floats(0.2, 4.0), min_size=2, max_size=6), st.sampled_from([None, PEAK]))
def test_isochrones_nest(origin: tuple[float, float], minutes: list[float], departure: str | None) -> None:
    found = reach(GRID, place(*origin), minutes=minutes, departure=departure, mode="car")
    # Written the largest first, so that the map draws the smaller over it.
    areas = found.features["isochrones"]
    assert areas["reached_within"].is_monotonic_decreasing
    for outer, inner in zip(areas.geometry[:-1], areas.geometry[1:], strict=True):
        assert outer.covers(inner)
    lengths = [told["road_length"] for told in found.summary["areas"]]
    assert lengths == sorted(lengths)


def test_roads_within_reach_are_as_long_as_the_time_allows() -> None:
    found = reach(GRID, place(450, 400), minutes=[1.0], mode="foot")
    # 80 m on foot from the middle of a block: 50 m to each end, then 30 m into three streets.
    (told,) = found.summary["areas"]
    assert told["road_length"] == pytest.approx(2 * (50.0 + 3 * 30.0), abs=0.5)
    assert found.features["isochrone_links"].length.sum() == pytest.approx(told["road_length"], abs=0.5)
    assert found.features["isochrone_links"]["arrival"].min() == 0.0


def test_people_and_places_within_are_counted() -> None:
    cells = [shapely.MultiPolygon([shapely.box(X0 + x, Y0 + 350, X0 + x + 100, Y0 + 450)]) for x in (350, 450, 3_000)]
    city = Town({}, {
        **GRID.layers,
        "population": frame(["c1", "c2", "c3"], cells, population=[100, 20, 7]),
        "places": frame(
            ["p1", "p2"], [shapely.Point(X0 + 460, Y0 + 410), shapely.Point(X0 + 5_000, Y0)],
            category=["school", "hospital"], name=["A", "B"],
        ),
    })  # fmt: skip
    (told,) = reach(city, place(450, 400), minutes=[2.0], mode="foot").summary["areas"]
    assert (told["people"], told["places"]) == (120, {"school": 1})


def test_several_origins_reach_more_than_each(town: Town) -> None:
    both = reach(GRID, place(0, 0), place(900, 900), minutes=[1.0])
    one, other = reach(GRID, place(0, 0), minutes=[1.0]), reach(GRID, place(900, 900), minutes=[1.0])
    parts = one.features["isochrones"].geometry.iloc[0], other.features["isochrones"].geometry.iloc[0]
    area = both.features["isochrones"].geometry.iloc[0].area
    assert area == pytest.approx(sum(part.area for part in parts), rel=0.02)


def test_wrong_minutes_and_far_origins_are_told(town: Town) -> None:
    with pytest.raises(InputError, match="minutes"):
        reach(town, place(100, 0), minutes=[0.0])
    with pytest.raises(InputError, match="minutes"):
        reach(town, place(100, 0), minutes=[1, 2, 3, 4, 5, 6, 7])
    with pytest.raises(NotFoundError, match="within 300 m"):
        reach(town, place(100, 400), minutes=[5.0])


@pytest.mark.parametrize("departure", [None, PEAK])
def test_a_matrix_is_its_routes(town: Town, departure: str | None) -> None:
    places = [place(100, 0), place(300, 0), place(600, -200), place(500, -200), place(1_100, 0), place(100, 900)]
    found = ask(town, travel_matrix.PROCESS, origins=places, mode="car", departure=departure)
    for row, start in enumerate(places):
        for column, end in enumerate(places):
            told = found.summary["durations"][row][column]
            if told is None:
                with pytest.raises(NotFoundError):
                    ask(town, route.PROCESS, origin=start, destination=end, mode="car")
                continue
            asked = ask(town, route.PROCESS, origin=start, destination=end, mode="car", departure=departure)
            assert told == pytest.approx(asked.summary["routes"][0]["duration"], abs=0.11)


def test_a_matrix_comes_as_csv_and_tells_what_no_road_is_near_to(town: Town) -> None:
    origins, to = [place(100, 0), place(100, 5_000)], [place(300, 0)]
    found = ask(town, travel_matrix.PROCESS, origins=origins, destinations=to, as_csv=True)
    assert found.summary["durations"][1] == [None]
    assert found.summary["origins"][1] is None
    rows = list(csv.DictReader(io.StringIO(found.summary["csv"])))
    assert [(row["origin"], row["destination"]) for row in rows] == [("0", "0"), ("1", "0")]
    assert float(rows[0]["duration"]) == found.summary["durations"][0][0]
    assert rows[1]["duration"] == ""
    assert found.files["travel_matrix.csv"].decode() == found.summary["csv"]
    with pytest.raises(InputError, match="origins"):
        ask(town, travel_matrix.PROCESS, origins=[place(0, 0)] * 501)


def test_a_city_without_roads_has_no_times_and_no_reach() -> None:
    bare = Town({}, {"road_links": GRID.layers["road_links"].iloc[:0]})
    assert ask(bare, travel_matrix.PROCESS, origins=[place(0, 0)]).summary["durations"] == [[None]]
    with pytest.raises(NotFoundError, match="within 300 m"):
        reach(bare, place(0, 0))


@pytest.fixture(scope="module")
def town() -> Town:
    return make_town()
