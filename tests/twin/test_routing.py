"""Routes on a small town and on the demo: where they start and end, what they obey, what they say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError, NotFoundError
from network.alternatives import STRETCH
from network.road_times import Vehicle
from tests.twin.conftest import NOW, X0, Y0, MemoryCity
from tests.twin.road_town import Town, ask, close, make_grid, make_town, place
from twin.process import Outputs
from twin.processes import route
from twin.roads.routers import Conditions, WarmRouters
from twin.roads.routing import find_routes
from twin.roads.snapping import snap_places
from twin.store_traffic import RoadSeries

GRID = make_grid()


@pytest.fixture(scope="module")
def town() -> Town:
    return make_town()


def go(city: MemoryCity, start: list[float], end: list[float], **values: Any) -> Outputs:
    return ask(city, route.PROCESS, origin=start, destination=end, **values)


def test_a_route_begins_and_ends_within_its_roads(town: Town) -> None:
    found = go(town, place(100, 12), place(700, -8), mode="car")
    (told,) = found.summary["routes"]
    assert told["length"] == pytest.approx(600.0, abs=0.5)
    assert told["duration"] == pytest.approx(600.0 * 3.6 / 50.0, rel=1e-3)
    shape = found.features["routes"].geometry.iloc[0]
    assert shape.length == pytest.approx(600.0, abs=0.5)
    assert [place["distance"] for place in found.summary["places"]] == pytest.approx([12.0, 8.0], abs=0.1)
    assert [step["kind"] for step in told["steps"]] == ["depart", "arrive"]
    assert told["streets"] == ["Đường Chính"]


def test_within_one_street_both_ways(town: Town) -> None:
    for a, b in ((100, 300), (300, 100)):
        assert go(town, place(a, 0), place(b, 0)).summary["routes"][0]["length"] == pytest.approx(200.0, abs=0.5)
    # Against a one-way street one goes round: over the main street and in at its beginning.
    back = go(town, place(700, -200), place(500, -200), mode="car").summary["routes"][0]
    assert back["length"] == pytest.approx(300.0 + 400.0 + 300.0, abs=1.0)


def test_steps_say_where_to_turn_in_both_languages(town: Town) -> None:
    told = go(town, place(100, 0), place(600, -200), mode="motorbike").summary["routes"][0]
    assert [step["kind"] for step in told["steps"]] == ["depart", "turn", "arrive"]
    turn = told["steps"][1]
    assert turn["modifier"] == "right"
    assert turn["text"] == {"vi": "Rẽ phải vào Đường Nam", "en": "Turn right into Đường Nam"}
    assert sum(step["length"] for step in told["steps"]) == pytest.approx(told["length"], abs=0.5)
    left = go(town, place(100, 0), place(600, 200)).summary["routes"][0]["steps"][1]
    assert left["text"]["vi"] == "Rẽ trái vào Đường Bắc"


def test_a_place_to_pass_makes_legs(town: Town) -> None:
    told = go(town, place(100, 0), place(1000, 0), via=[place(600, 200)]).summary["routes"][0]
    assert len(told["legs"]) == 2
    assert sum(leg["length"] for leg in told["legs"]) == pytest.approx(told["length"], abs=0.3)
    assert "pass" in [step["kind"] for step in told["steps"]]
    assert told["length"] == pytest.approx(300.0 + 400.0 + 400.0 + 200.0, abs=1.0)


def test_people_on_foot_ignore_one_way_streets(town: Town) -> None:
    told = go(town, place(700, -200), place(500, -200), mode="foot").summary["routes"][0]
    assert told["length"] == pytest.approx(200.0, abs=0.5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(1.5, 4.5))
def test_a_truck_never_goes_where_it_does_not_fit(seed: int, height: float) -> None:
    rng = np.random.default_rng(seed)
    roads = GRID.roads()
    limits = np.where(rng.random(roads.graph.link_count) < 0.3, rng.uniform(2.0, 4.0, roads.graph.link_count), np.inf)
    low = replace(roads, graph=replace(roads.graph, max_heights=limits))
    costs = WarmRouters().get(GRID, low, Conditions("truck", GRID.now, Vehicle(height=height)))
    xy = np.array([X0, Y0]) + rng.uniform(0.0, 900.0, (2, 2))
    for way in find_routes(low, costs, snap_places(low, np.isfinite(costs.seconds), xy), count=3):
        assert (limits[way.links] >= height).all()


def test_a_truck_goes_round_a_low_gate(town: Town) -> None:
    low = go(town, place(100, 0), place(1000, 0), mode="truck", height=2.0, avoid=["main-2"])
    high = go(town, place(100, 0), place(1000, 0), mode="truck", height=4.0, avoid=["main-2"])
    assert "Đường Nam" in [step["name"] for step in high.summary["routes"][0]["steps"]]
    assert low.summary["routes"][0]["length"] <= high.summary["routes"][0]["length"] + 1.0
    with pytest.raises(NotFoundError, match="too high, heavy or wide"):
        go(town, place(100, 0), place(1000, 0), mode="truck", height=4.0, avoid=["main-2", "south"])


def test_alternatives_are_sorted_and_short_enough(town: Town) -> None:
    found = go(town, place(100, 0), place(1000, 0), mode="foot", alternatives=3)
    routes = found.summary["routes"]
    durations = [told["duration"] for told in routes]
    assert durations == sorted(durations)
    assert all(duration <= STRETCH * durations[0] for duration in durations)
    assert found.features["routes"]["rank"].tolist() == list(range(1, len(routes) + 1))


def test_a_closure_in_force_is_gone_round_and_can_be_left_aside() -> None:
    city = make_town(close("main-2"))
    round_ = go(city, place(100, 0), place(1000, 0))
    assert round_.summary["routes"][0]["length"] == pytest.approx(1_300.0, abs=1.0)
    assert round_.summary["works"][0]["name"] == "Sửa cống"
    straight = go(city, place(100, 0), place(1000, 0), closures=False)
    assert straight.summary["routes"][0]["length"] == pytest.approx(900.0, abs=1.0)
    later = go(city, place(100, 0), place(1000, 0), departure="2027-06-01T09:00:00+07:00")
    assert later.summary["routes"][0]["length"] == pytest.approx(900.0, abs=1.0)


def test_why_there_is_no_way_is_told(town: Town) -> None:
    with pytest.raises(NotFoundError, match="closures in force close every way \\(Sửa cống\\)"):
        go(make_town(close("east")), place(100, 0), place(1000, 0))
    with pytest.raises(NotFoundError, match="leads into"):
        go(town, place(100, 0), place(1200, 200), mode="car")
    with pytest.raises(NotFoundError, match="no road leads"):
        go(town, place(100, 900), place(1000, 0))
    with pytest.raises(NotFoundError, match="roads to avoid"):
        go(town, place(100, 0), place(1000, 0), avoid=["Đường Đông"])
    with pytest.raises(NotFoundError, match="within 300 m"):
        go(town, place(100, 400), place(1000, 0))


def test_wrong_inputs_are_told(town: Town) -> None:
    with pytest.raises(InputError, match="no id and no name"):
        go(town, place(100, 0), place(1000, 0), avoid=["Đường Xa Lạ"])
    with pytest.raises(InputError, match="no place"):
        go(town, [200.0, 10.0], place(1000, 0))
    with pytest.raises(InputError, match="two places only"):
        go(town, place(100, 0), place(1000, 0), via=[place(500, 0)], alternatives=2)
    with pytest.raises(InputError, match="flood_run"):
        go(town, place(100, 0), place(1000, 0), flood_at="2026-01-01T00:00:00Z")


def test_the_peak_hour_takes_longer_than_the_night(town: Town) -> None:
    def take(hour: str, mode: str) -> float:
        found = go(town, place(100, 0), place(1000, 0), mode=mode, departure=f"2026-11-30T{hour}:00")
        return float(found.summary["routes"][0]["duration"])

    free = go(town, place(100, 0), place(1000, 0), mode="car").summary["routes"][0]["duration"]
    assert take("03:00", "car") == pytest.approx(free, rel=1e-6)
    assert take("17:00", "car") > 1.3 * free
    assert take("17:00", "motorbike") < take("17:00", "car")
    assert take("17:00", "foot") == pytest.approx(take("03:00", "foot"))


def test_where_a_class_has_counters_they_say_how_fast_it_is() -> None:
    city = make_town()
    times = np.arange(NOW.timestamp() - 28 * 86_400.0, NOW.timestamp(), 600.0)
    hour = (times + 7 * 3_600.0) % 86_400.0 / 3_600.0
    city.readings["C-1.vehicle_speed"] = (times, np.where((hour >= 7.0) & (hour < 8.0), 20.0, 50.0))
    city.counters = [
        RoadSeries(
            "C-1.vehicle_speed", "C-1", "Trạm 1", "vehicle_speed", "main-1", "forward", 600.0, X0 + 50, Y0, NOW, 50.0
        )
    ]
    free = go(city, place(100, 0), place(300, 0), mode="car").summary["routes"][0]["duration"]
    for day in ("2026-11-30", "2026-11-28"):
        slow = go(city, place(100, 0), place(300, 0), mode="car", departure=f"{day}T07:20:00").summary
        assert slow["routes"][0]["duration"] == pytest.approx(free / 0.4, rel=0.02)
        assert slow["counted_classes"] == ["primary"]
    evening = go(city, place(100, 0), place(300, 0), mode="car", departure="2026-11-30T17:30:00").summary
    assert evening["routes"][0]["duration"] == pytest.approx(free, rel=1e-6)
    motorbike = go(city, place(100, 0), place(300, 0), departure="2026-11-30T07:20:00").summary["routes"][0]
    assert motorbike["duration"] == pytest.approx(free / (1.0 - 0.55 * 0.6), rel=0.02)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 900.0), st.floats(0.0, 900.0)), min_size=2, max_size=2), st.integers(1, 3))
def test_routes_are_their_lines_and_their_steps(ends: list[tuple[float, float]], count: int) -> None:
    found = go(GRID, place(*ends[0]), place(*ends[1]), alternatives=count, mode="car")
    for told, shape in zip(found.summary["routes"], found.features["routes"].geometry, strict=True):
        assert shape.length == pytest.approx(told["length"], abs=0.5)
        assert sum(step["length"] for step in told["steps"]) == pytest.approx(told["length"], abs=1.0)
        assert sum(step["duration"] for step in told["steps"]) == pytest.approx(told["duration"], abs=1.0)
    durations = [told["duration"] for told in found.summary["routes"]]
    assert durations == sorted(durations)
