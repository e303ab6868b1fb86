"""Porto Alegre by bus and train: its real timetables, people and jobs, with and without the stops by the river."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.datum import CRS84, make_transformer
from tests.twin.conftest import MemoryCity
from twin.process import Outputs, Quiet, parse_inputs
from twin.processes.transit_access import PROCESS, compute
from twin.transit.feed import CityFeed
from twin.transit.reading import read_feed
from twin.transit.stop_times import read_places

CRS = "EPSG:31982"
# The market, where most lines end.
MARKET = (-51.2282, -30.0263)


@pytest.fixture(scope="module")
def city(shared: Callable[[str], Path]) -> MemoryCity:
    with shared("porto-alegre/poa_hexgrid.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    x, y = make_transformer(CRS84, CRS).transform(*([float(row[name]) for row in rows] for name in ("lon", "lat")))
    names = ("population", "jobs", "schools", "healthcare")
    cells = gpd.GeoDataFrame(
        {"id": [row["id"] for row in rows], **{name: [float(row[name] or 0) for row in rows] for name in names}},
        geometry=[shapely.MultiPolygon([shapely.Point(place).buffer(150.0)]) for place in zip(x, y, strict=True)],
        crs=CRS,
    )
    made = MemoryCity({}, {"population": cells}, crs=CRS, now=datetime(2019, 5, 6, 15, tzinfo=UTC))
    for name in ("eptc", "trensurb"):
        feed = read_feed(shared(f"porto-alegre/poa_{name}.zip"))
        made.timetables.append(CityFeed(name, f"poa-{name}", name, feed))
    return made


def ask(city: MemoryCity, **values: object) -> Outputs:
    given = {"day": date(2019, 5, 6), "start": "13:00", "window": 60, "longitude": MARKET[0], "latitude": MARKET[1]}
    return compute(city, parse_inputs(PROCESS, {**given, **values}), Quiet())


def test_from_the_market_most_jobs_are_within_an_hour(city: MemoryCity) -> None:
    dry = ask(city)
    reached, totals = dry.summary["reached"], dry.summary["totals"]
    # Sums of the file itself.
    assert (totals["people"], totals["jobs"]) == (812_935, 337_921)
    for kind in ("people", "jobs", "schools", "healthcare"):
        assert 0 < reached[kind]["30"] <= reached[kind]["45"] <= reached[kind]["60"] <= totals[kind]
    # On foot alone, at 4.5 km/h and 1.3 times the straight line, nobody gets farther than 3.5 km in an hour.
    frame = dry.features["transit_access"]
    origin = np.array(make_transformer(CRS84, CRS).transform(*MARKET))
    away = np.hypot(*(shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy())) - origin).T)
    assert (frame["travel_time"].to_numpy()[away > 4_000.0] < 3_600.0).sum() > 100
    # No bus drives faster than 60 km/h over the straight line, so nothing 20 km away is within 20 minutes.
    known = np.isfinite(frame["travel_time"].to_numpy())
    assert (away[known] / frame["travel_time"].to_numpy()[known] < 60.0 / 3.6).all()


def test_without_the_stops_by_the_river_less_is_reached(city: MemoryCity) -> None:
    lost = []
    for one in city.timetables:
        lat, lon = read_places(one.feed)
        # The old town and the fourth district lie on the bank, west of this line and north of the ridge.
        near = (lon < -51.195) & (lat > -30.035)
        lost += [
            f"{one.id}.{stop}" for stop, is_near in zip(one.feed.stop_ids.to_pylist(), near, strict=True) if is_near
        ]
    wet = ask(city, lost_stops=lost)
    assert wet.summary["stops_lost"] == len(lost) > 100
    dry, left = wet.summary["reached"], wet.summary["reached_under_water"]
    for kind, minutes in (("jobs", "30"), ("jobs", "60"), ("people", "60"), ("schools", "45")):
        assert left[kind][minutes] <= dry[kind][minutes]
    assert left["people"]["60"] < 0.5 * dry["people"]["60"]
    assert wet.summary["trips_cut"] == 0
