"""The leak planted in the demo city is found by its pressure loggers and the meter at the inlet of their area."""

from datetime import datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from tests.twin.conftest import MemoryCity
from twin.demo.pressure_loggers import AREA, LEAK, LEAK_DAYS, LOGGERS
from twin.demo.station_file import STATIONS_FILE, read_stations
from twin.process import Outputs, Quiet, parse_inputs
from twin.processes.leak_detection import PROCESS, LeakDetectionInputs, compute
from twin.water.network import LINK_LAYERS, list_rows


@pytest.fixture(scope="module")
def town(demo_tables: dict[str, gpd.GeoDataFrame], demo_folder: Path, demo_end: datetime) -> MemoryCity:
    """The demo's water network in memory, with the readings of its meters and loggers."""
    streams = pd.read_csv(demo_folder / "datastreams.csv")
    watched = demo_tables["sensors"].set_index("id")["watched_layer"]
    wanted = streams[streams["sensor_id"].map(watched).isin(["water_nodes", *LINK_LAYERS])]
    told = pd.read_csv(demo_folder / "observations.csv.gz")
    told = told[told["datastream_id"].isin(wanted["id"])]
    seconds = pd.to_datetime(told["phenomenon_time"]).map(pd.Timestamp.timestamp).to_numpy()
    names = dict(zip(wanted["id"], wanted["sensor_id"] + "." + wanted["observed_property"], strict=True))
    readings = {
        names[key]: (seconds[rows], told["result"].to_numpy()[rows])
        for key, rows in told.reset_index().groupby("datastream_id").indices.items()
    }
    layers = {name: demo_tables[name] for name in ("water_nodes", "dmas", "sensors", *LINK_LAYERS)}
    return MemoryCity({}, layers, readings, now=demo_end)


@pytest.fixture(scope="module")
def begun(demo_folder: Path) -> datetime:
    """When the leak began."""
    stations, _ = read_stations(demo_folder / STATIONS_FILE)
    [moment] = {one.leak_from for one in stations} - {0}
    return datetime.fromtimestamp(moment).astimezone()


@pytest.fixture(scope="module")
def planted(demo_folder: Path) -> str:
    """The pipe that leaks."""
    faults = pd.read_csv(demo_folder / "faults.csv")
    [pipe] = faults.loc[faults["kind"] == "leak", "item"]
    return str(pipe)


def search(town: MemoryCity, **asked: object) -> Outputs:
    inputs = parse_inputs(PROCESS, asked)
    assert isinstance(inputs, LeakDetectionInputs)
    return compute(town, inputs, Quiet())


def test_a_search_as_it_stands_finds_the_leak(
    town: MemoryCity, begun: datetime, planted: str, demo_end: datetime
) -> None:
    assert timedelta(days=LEAK_DAYS - 1) < demo_end - begun <= timedelta(days=LEAK_DAYS + 1)
    outputs = search(town)
    assert (outputs.summary["area"], outputs.summary["loggers"], outputs.summary["inlet_meters"]) == (AREA, LOGGERS, 1)
    [alarm] = list_rows(outputs.features["leak_alarms"])
    assert alarm.state == "running"
    assert begun <= alarm.raised <= begun + timedelta(days=1)
    assert abs(alarm.onset - begun) <= timedelta(hours=6)
    assert alarm.size == pytest.approx(LEAK, rel=0.3)
    # A walk of hours, not of days, leads along the pipe.
    walk = outputs.features["leak_pipes"]
    assert planted in set(walk["pipe_id"])
    assert alarm.walk_length < 1500.0
    pipes = town.layers["water_pipes"]
    assert pipes.loc[pipes["id"] == planted].distance(alarm.geometry).max() < 300.0


def test_before_it_begins_nothing_is_found(town: MemoryCity, begun: datetime) -> None:
    outputs = search(town, base_time=begun, watch_days=4)
    assert outputs.features["leak_alarms"].empty


def test_the_meters_on_the_way_carry_what_leaks(town: MemoryCity, begun: datetime, demo_folder: Path) -> None:
    """At night, when customers use little; the area hangs on one valve, and that on the two pumps of one works."""
    stations, _ = read_stations(demo_folder / STATIONS_FILE)
    on_the_way = [one for one in stations if one.leak]
    grown = {}
    for one in on_the_way:
        times, flow = town.readings[f"{one.id}.discharge"]
        night = (times + 7 * 3600) % 86_400 // 3600 <= 3
        after = times >= begun.timestamp()
        grown[one.id] = np.median(flow[night & after]) - np.median(flow[night & ~after])
    valves = [one for one in on_the_way if one.watched_layer == "water_valves"]
    pumps = [one for one in on_the_way if one.watched_layer == "water_pumps"]
    assert (len(valves), len(pumps)) == (1, 2)
    assert grown[valves[0].id] == pytest.approx(LEAK, rel=0.2)
    assert sum(grown[one.id] for one in pumps) == pytest.approx(LEAK, rel=0.3)
