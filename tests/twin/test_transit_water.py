"""Water on the way of a bus: stops that are lost, ways around, what is announced, and who reaches less."""

from datetime import UTC, date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from google.transit import gtfs_realtime_pb2 as rt

from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from layers.grid import Grid
from layers.registry import read_vector_layer
from network.flooded_roads import WATER_LIMITS
from network.transit_shapes import locate_along
from tests.twin.conftest import CRS, MemoryCity
from tests.twin.transit_feeds import FILES, LAT, LON, STEP, make_feed
from twin.process import Outputs, Quiet, parse_inputs
from twin.processes.transit_access import PROCESS, compute
from twin.processes.transit_check import PROCESS as CHECK
from twin.roads.flooding import RoadWater, hold_water
from twin.transit.announcing import encode_polyline, write_message
from twin.transit.day import list_calls, list_stops
from twin.transit.detours import ChangedTrips, find_changes
from twin.transit.feed import CityFeed
from twin.transit.road_ways import RoadWays
from twin.transit.water import Losses, apply_losses, find_losses

DAY = date(2026, 6, 1)
NORTH = 400.0
"""How far north of the street with the stops another one runs beside it [m]."""
SHAPE = "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n" + "".join(
    f"P,{LAT},{LON + STEP * k / 2.0:.4f},{k + 1}\n" for k in range(9)
)
TRIPS = FILES["trips.txt"].replace("T1,0,", "T1,0,P").replace("T2,0,", "T2,0,P")


def place(share: float, north: float = 0.0) -> tuple[float, float]:
    """Return a place so many stops east of the first and so many metres north of the line, in the city's CRS."""
    x, y = make_transformer(CRS84, CRS).transform(LON + STEP * share, LAT)
    return float(x), float(y) + north


def make_city(*, with_north: bool = True) -> MemoryCity:
    """Return five stops along a street of 4.4 km, another street beside it joined at each stop, people at the stops."""
    lines = [[place(k), place(k + 1)] for k in range(4)]
    if with_north:
        lines += [[place(k, NORTH), place(k + 1, NORTH)] for k in range(4)]
        lines += [[place(k), place(k, NORTH)] for k in range(5)]
    roads = gpd.GeoDataFrame(
        {"id": [f"R{k}" for k in range(len(lines))], "road_class": "primary", "name": None},
        geometry=[shapely.LineString(line) for line in lines],
        crs=CRS,
    )
    cells = gpd.GeoDataFrame(
        {"id": [f"C{k}" for k in range(5)], "population": [100, 200, 300, 400, 500], "jobs": [10, 20, 30, 40, 50]},
        geometry=[shapely.MultiPolygon([shapely.Point(place(k)).buffer(80.0).envelope]) for k in range(5)],
        crs=CRS,
    )
    feed = make_feed({"shapes.txt": SHAPE, "trips.txt": TRIPS})
    city = MemoryCity({}, {"road_links": roads, "population": cells}, now=datetime(2026, 6, 1, tzinfo=UTC))
    city.timetables.append(CityFeed("line", f"line@1-{with_north}", "Xe buýt", feed))
    return city


def flood(city: MemoryCity, *boxes: tuple[float, float, float, float]) -> RoadWater:
    """Return a metre of water in boxes: from so many stops east to so many, from so many metres north to so many."""
    x0, y0 = place(-1.0, -1_000.0)
    x1, y1 = place(5.0, 1_500.0)
    grid = Grid.covering((x0, y0, x1, y1), 20.0, CRS)
    depth = np.zeros((grid.rows, grid.cols), np.float32)
    for west, east, south, north in boxes:
        rows, cols, _ = grid.cells(
            np.array([place(west)[0], place(east)[0]]), np.array([place(0, north)[1], place(0, south)[1]])
        )
        depth[rows[0] : rows[1] + 1, cols[0] : cols[1] + 1] = 1.0
    return hold_water(city, city.roads(), depth, np.zeros_like(depth), grid)


def find(city: MemoryCity, water: RoadWater) -> tuple[Losses, list[ChangedTrips]]:
    stops = list_stops(city.timetables, CRS)
    calls = list_calls(city.timetables, [DAY], 0, 86_400)
    losses = find_losses(city.timetables, stops, calls, water, city.roads(), CRS, WATER_LIMITS["bus"].depth)
    city_ways = RoadWays(city, city.now)
    # The ways that buses take once the closed streets are out of them.
    shut = water.peak.find_closed("bus", None)
    kept = city.layers["road_links"][~np.isin(np.arange(len(shut)), np.flatnonzero(shut))]
    dry = MemoryCity({}, {"road_links": kept.reset_index(drop=True)}, now=city.now)
    ways = RoadWays(dry, city.now) if len(kept) else city_ways
    return losses, find_changes(city.timetables[0], stops, calls, losses, ways, CRS)


def test_closed_road_between_two_stops_is_driven_around() -> None:
    city = make_city()
    losses, changed = find(city, flood(city, (1.3, 1.7, -30.0, 30.0)))
    assert not losses.stops.any()
    assert losses.cuts.tolist() == [[1, 2]]
    (one,) = {id(each): each for each in changed if "T1" in each.trips}.values()
    assert one.skipped == ()
    assert not one.is_cut
    (change,) = one.changes
    assert (change.before, change.after) == (1, 2)
    # Up to the other street, along it, and down again.
    assert change.way.length == pytest.approx(2 * NORTH + 1_095.0, rel=0.01)
    assert change.delay == pytest.approx(2 * NORTH / (25.0 / 3.6), rel=0.02)
    assert one.driven.length == pytest.approx(4 * 1_095.0 + 2 * NORTH, rel=0.01)


def test_a_stop_under_water_is_passed_by() -> None:
    city = make_city()
    losses, changed = find(city, flood(city, (1.8, 2.2, -30.0, 30.0)))
    assert np.flatnonzero(losses.stops).tolist() == [2]
    one = next(each for each in changed if each.trips == ("T1",))
    assert one.skipped == (2,)
    (change,) = one.changes
    assert (change.before, change.first, change.last, change.after) == (1, 2, 2, 3)
    assert not one.is_cut
    # Trip T2 ends there: nothing lies beyond to go around to.
    short = next(each for each in changed if each.trips == ("T2",))
    assert (short.skipped, short.is_cut) == ((2,), False)


def test_where_no_way_leads_around_a_trip_is_cut() -> None:
    city = make_city(with_north=False)
    losses, changed = find(city, flood(city, (1.3, 1.7, -30.0, 30.0)))
    assert next(each for each in changed if "T1" in each.trips).is_cut
    calls = list_calls(city.timetables, [DAY], 0, 86_400).calls
    left = apply_losses(calls, losses)
    # T1 in two parts, T2 keeps S0–S1, B1 has no shape that tells where it drives.
    parts = [left.stops[a:b].tolist() for a, b in zip(left.first[:-1], left.first[1:], strict=True)]
    assert sorted(parts) == [[0, 1], [0, 1], [2, 3, 4], [4, 0]]


def test_what_is_announced_can_be_read_again() -> None:
    city = make_city()
    _, changed = find(city, flood(city, (1.8, 2.2, -30.0, 30.0)))
    period = (datetime(2026, 6, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, 5, tzinfo=UTC))
    made = write_message(city.timetables[0], changed, DAY, city.now, period, CRS)
    message = rt.FeedMessage.FromString(made.SerializeToString())
    alert = next(one.alert for one in message.entity if one.HasField("alert"))
    assert (alert.cause, alert.effect) == (rt.Alert.WEATHER, rt.Alert.DETOUR)
    assert [one.stop_id for one in alert.informed_entity] == ["", "S2"]
    assert [one.language for one in alert.header_text.translation] == ["vi", "en"]
    changes = [one.trip_modifications for one in message.entity if one.HasField("trip_modifications")]
    (first,) = (one for one in changes if "T1" in one.selected_trips[0].trip_ids)
    assert list(first.service_dates) == ["20260601"]
    (change,) = first.modifications
    assert (change.start_stop_selector.stop_sequence, change.end_stop_selector.stop_sequence) == (3, 3)
    shapes = {one.shape.shape_id for one in message.entity if one.HasField("shape")}
    assert first.selected_trips[0].shape_id in shapes


def test_lines_are_encoded_as_the_format_says() -> None:
    # The example of the format's own documentation.
    assert encode_polyline([(-120.2, 38.5), (-120.95, 40.7), (-126.453, 43.252)]) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


def test_stops_keep_their_order_where_a_line_passes_twice() -> None:
    line = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 1.0]])
    stops = np.array([[50.0, 0.0], [99.0, 0.0], [50.0, 0.6]])
    assert locate_along(line, stops) == pytest.approx([50.0, 99.0, 150.0], abs=1.0)


def ask(city: MemoryCity, **values: Any) -> Outputs:
    given = {"day": DAY, "start": "06:55", "window": 5, "step": 5, **values}
    return compute(city, parse_inputs(PROCESS, given), Quiet())


def test_who_reaches_whom() -> None:
    outputs = ask(make_city())
    frame = outputs.features["transit_access"].set_index("cell_id")
    layer = read_vector_layer("transit_access")
    assert set(frame.columns) - {"id", "geometry"} <= {prop.name for prop in layer.properties}
    # The bus of 07:00 is at the last stop at 07:13: from the first all 1,500 people are within half an hour.
    assert frame.loc["C0", "people_30"] == 1_500
    # Back goes a bus only at 08:00: on foot 1.1 km take 15 minutes, so from the last the two next are within 30.
    assert frame.loc["C4", "people_30"] == 300 + 400 + 500
    for kind in ("people", "jobs"):
        assert (frame[f"{kind}_30"] <= frame[f"{kind}_45"]).all()
        assert (frame[f"{kind}_45"] <= frame[f"{kind}_60"]).all()
    assert outputs.summary["people"] == 1_500
    assert outputs.summary["walking"] == "roads"


def test_a_lost_stop_takes_people_away_and_gives_none() -> None:
    city = make_city()
    dry, wet = ask(city), ask(city, lost_stops=["line.S3", "line.S4"])
    before, after = (one.features["transit_access"].set_index("cell_id") for one in (dry, wet))
    assert (after["people_30"] <= before["people_30"]).all()
    # The bus is at S2 at 07:06; from there C3 is a quarter of an hour on foot, and C4 farther than anybody walks.
    assert before.loc["C0", "people_30"] - after.loc["C0", "people_30"] == 500
    assert after.loc["C0", "people_lost_45"] == 500
    assert wet.summary["stops_lost"] == 2
    with pytest.raises(InputError, match=r"stop 'line\.S9' is of none of the feeds"):
        ask(city, lost_stops=["line.S9"])


def test_from_one_point() -> None:
    frame = ask(make_city(), longitude=LON, latitude=LAT).features["transit_access"].set_index("cell_id")
    assert frame.loc["C0", "travel_time"] == pytest.approx(0.0, abs=60.0)
    # 06:55 to 07:13.
    assert frame.loc["C4", "travel_time"] == pytest.approx(18 * 60.0, abs=60.0)
    with pytest.raises(InputError, match="together"):
        ask(make_city(), longitude=LON)


def test_without_trips_or_feeds_it_says_so() -> None:
    with pytest.raises(InputError, match="no trip runs from 22:00"):
        ask(make_city(), start="22:00")
    empty = make_city()
    empty.timetables.clear()
    with pytest.raises(InputError, match="no public transport feed"):
        ask(empty)


def test_the_check_of_a_feed_as_a_process() -> None:
    outputs = CHECK.compute(make_city(), parse_inputs(CHECK, {}), Quiet())
    assert outputs.summary["errors"] == 0
    assert set(outputs.summary["feeds"]) == {"line"}
