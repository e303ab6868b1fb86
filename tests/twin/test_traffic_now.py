"""Traffic on a street with two counters that read what the demo's do: state, counts, incidents, probe speeds."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Engine

from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations
from tests.twin.traffic_town import CRS, line, load, make_roads
from twin.alarms.incidents import IncidentFeed
from twin.alarms.watch import Watch
from twin.city import City
from twin.cli import main
from twin.demo.stations import Station as Counter
from twin.demo.traffic_readings import INCIDENT_S, count_traffic
from twin.process import Quiet
from twin.processes import traffic_counts, traffic_state
from twin.processes.traffic_counts import TrafficCountsInputs
from twin.processes.traffic_state import TrafficStateInputs
from twin.state.assets import find_state
from twin.store_alarms import AlarmQuery, list_alarm_events, list_alarms
from twin.store_traffic import select_many, select_road_series
from twin.traffic.counting import find_sections, gather_stations
from twin.traffic.incident_detection import Readings, find_incidents, find_place
from twin.traffic.speeds import load_speeds

# The watch asks for what is news, so the town lives now.
END = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
OFFSET = 7 * 3600
BEGAN = (END - timedelta(hours=12, minutes=10)).replace(hour=10, minute=10)
"""The incident begins at 17:10 of the local clock, two hours ago at least and thirty-six at most."""
Rows = dict[str, dict[Any, Any]]
Say = Callable[..., tuple[int, str, str]]
KINDS = {"vehicle_speed": "km/h", "vehicle_count": "{#}", "occupancy": "1"}


def make_counters() -> list[Counter]:
    """Return counters of the way east on the first and on the last block of the main street."""
    places = [("C-1", "M0", "up", line((0.5, 0), (0.6, 0))), ("C-2", "M3", "down", line((3.5, 0), (3.6, 0)))]
    counters = [
        Counter(
            name, f"Đếm xe {name}", name, "traffic", shapely.get_point(at, 0), "road_links", road, pair=1, side=side
        )
        for name, road, side, at in places
    ]
    return [replace(one, incident_from=int(BEGAN.timestamp())) for one in counters]


@pytest.fixture(scope="module", autouse=True)
def town(engine: Engine) -> None:
    counters = make_counters()
    seconds = np.arange(int(END.timestamp()) - 15 * 86_400 + 300, int(END.timestamp()) + 1, 300)
    sensors = gpd.GeoDataFrame(
        {
            "id": [one.id for one in counters], "name": [one.name for one in counters], "kind": "traffic",
            "watched_layer": "road_links", "watched_id": [one.watched_id for one in counters],
            "watched_direction": "forward",
        },
        geometry=[one.point for one in counters], crs=CRS,
    )  # fmt: skip
    with engine.begin() as connection:
        load(connection, "road_links", make_roads())
        load(connection, "sensors", sensors)
        rows = []
        for number, one in enumerate(counters):
            series = [
                Datastream(f"{one.id}-{name}", one.id, name, unit, name, name, interval_s=300.0)
                for name, unit in KINDS.items()
            ]
            upsert_datastreams(connection, series, "town")
            for name, results in count_traffic(one, seconds, 7, number).items():
                times = pd.to_datetime(seconds, unit="s", utc=True)
                rows.append(
                    pd.DataFrame(
                        {"datastream_id": f"{one.id}-{name}", "phenomenon_time": times, "result": results, "quality": 1}
                    )
                )
        classes = {"motorbike_count": 900.0, "car_count": 300.0}
        upsert_datastreams(
            connection,
            [Datastream(f"C-1-{name}", "C-1", name, "{#}", name, name, interval_s=300.0) for name in classes],
            "town",
        )
        for name, rate in classes.items():
            times = pd.to_datetime(seconds[-50:], unit="s", utc=True)
            rows.append(pd.DataFrame({"datastream_id": f"C-1-{name}", "phenomenon_time": times, "result": rate}))
        insert_observations(connection, pd.concat(rows).fillna({"quality": 1}))


def list_rows(frame: gpd.GeoDataFrame, key: str) -> Rows:
    """Return the features of a layer by one of their properties."""
    return {str(row[key]): row for row in frame.to_dict("records")}


def see_state(engine: Engine, folder: Path, at: datetime, reach: float = 500.0) -> tuple[Rows, dict[str, Any]]:
    with engine.connect() as connection:
        city = City(connection, folder, END)
        out = traffic_state.compute(city, TrafficStateInputs(at=at, reach=reach), Quiet())
    return list_rows(out.features["traffic_state"], "id"), dict(out.summary)


def test_a_street_is_graded_where_it_is_measured_and_near_it(engine: Engine, tmp_path: Path) -> None:
    night = BEGAN - timedelta(hours=14)
    frame, summary = see_state(engine, tmp_path, night)
    assert {row["grade"] for row in frame.values()} == {"A"} and summary["silent_stations"] == []
    # Only the way that is counted, on the street that is counted: 500 m reach the blocks beside each station.
    assert set(frame) == {"M0-0-f", "M1-0-f", "M2-0-f", "M3-0-f"}
    assert {name: row["measured"] for name, row in frame.items()} == {
        "M0-0-f": True,
        "M1-0-f": False,
        "M2-0-f": False,
        "M3-0-f": True,
    }
    assert frame["M1-0-f"]["station_id"] == "C-1" and frame["M1-0-f"]["distance"] == 300.0
    assert np.isnan(frame["M1-0-f"]["flow"]) and frame["M0-0-f"]["flow"] >= 0.0
    assert set(see_state(engine, tmp_path, night, reach=0.0)[0]) == {"M0-0-f", "M3-0-f"}
    jam, _ = see_state(engine, tmp_path, BEGAN + timedelta(minutes=30))
    assert jam["M0-0-f"]["grade"] == "F" and jam["M3-0-f"]["grade"] in "AB"
    assert jam["M0-0-f"]["time_index"] > 3.0 and jam["M0-0-f"]["age"] <= 300.0


def test_a_station_that_fell_silent_says_nothing(engine: Engine, tmp_path: Path) -> None:
    frame, summary = see_state(engine, tmp_path, END + timedelta(minutes=16))
    assert not frame and summary["silent_stations"] == ["C-1", "C-2"]
    assert len(see_state(engine, tmp_path, END + timedelta(minutes=14))[0]) == 4


def test_counts_by_station_are_those_of_its_readings(engine: Engine, tmp_path: Path) -> None:
    with engine.connect() as connection:
        city = City(connection, tmp_path, END)
        out = traffic_counts.compute(city, TrafficCountsInputs(days=14), Quiet())
        times, counts = city.series("C-1-vehicle_count", END - timedelta(days=14), END)
    row = list_rows(out.features["traffic_counts"], "station_id")["C-1"]
    profiles = out.files["profiles.csv"].decode().splitlines()
    assert profiles[0] == "station_id,road_link_id,weekday,hour,flow" and len(profiles) == 1 + 2 * 168
    # What is counted by class here: three motorbikes to one car.
    assert (row["motorbike_share"], row["car_share"]) == (0.75, 0.25) and np.isnan(row["bus_share"])
    assert out.summary["stations"] == out.summary["good_stations"] == 2 and row["fit"] == "alone"
    # A reading each five minutes: the mean rate of whole days is what passed in a day.
    assert row["daily_traffic"] == pytest.approx(24.0 * counts.mean(), rel=0.05)
    assert row["days"] >= 13 and row["cover"] == pytest.approx(1.0, abs=0.01)
    # Streets are fullest from 16 to 17 in Viet Nam; this city says no time zone, so its clocks are on UTC.
    assert row["peak_hour"] == 9 and 0.8 <= row["peak_factor"] <= 1.0
    assert times.size == 14 * 288 + 1


def test_counts_are_compared_with_a_model_run(engine: Engine, tmp_path: Path) -> None:
    ways = [line((0, 0), (1, 0)), line((1, 0), (0, 0)), line((3, 0), (4, 0)), line((0, 0), (0, 1))]
    flows = gpd.GeoDataFrame(
        {"id": list("abcd"), "run_id": "R1", "road_link_id": "M0", "flow": [1000.0, 50.0, 9000.0, 7.0]},
        geometry=ways, crs=CRS,
    )  # fmt: skip
    with engine.connect() as connection:
        load(connection, "traffic_flows", flows)
        city = City(connection, tmp_path, END)
        out = traffic_counts.compute(city, TrafficCountsInputs(model_run="R1", hour=9), Quiet())
        with pytest.raises(NotFoundError, match="no flows"):
            traffic_counts.compute(city, TrafficCountsInputs(model_run="R2"), Quiet())
    frame = list_rows(out.features["traffic_counts"], "station_id")
    # Only the way that is counted: the traffic against it and that of the cross street are others.
    assert {name: row["model"] for name, row in frame.items()} == {"C-1": 1000.0, "C-2": 9000.0}
    count = frame["C-1"]["count"]
    assert frame["C-1"]["geh"] == pytest.approx(np.sqrt(2 * (1000 - count) ** 2 / (1000 + count)), abs=1e-2)
    assert frame["C-2"]["fit"] == "unfit"
    share = sum(row["geh"] < 5.0 for row in frame.values()) / 2
    assert out.summary["share_below_limit"] == share and out.summary["goal_met"] is (share >= 0.85)


def test_the_planted_incident_is_found_by_the_defaults_and_nothing_else(engine: Engine, tmp_path: Path) -> None:
    with engine.connect() as connection:
        roads = City(connection, tmp_path, END).roads()
        stations = gather_stations(select_road_series(connection, END), roads)
        sections = find_sections(stations, roads)

        def read(ids: Sequence[str], start: datetime, end: datetime) -> Readings:
            return select_many(connection, ids, start, end)

        found = find_incidents(sections, read, END - timedelta(days=4), END, OFFSET)
    assert [section.id for section in sections] == ["C-1.C-2"] and sections[0].length == pytest.approx(900.0)
    assert find_place(sections[0], roads).distance(line((0, 0), (4, 0))) < 1e-6
    assert [one.section for one in found] == ["C-1.C-2"]
    [one] = found
    print(f"begun {BEGAN}, onset told as {one.onset}, told {one.told}, over {one.ended}, sure {one.confidence}")
    # The queue comes seven minutes after it BEGAN, and is confirmed by the second reading after that.
    assert BEGAN - timedelta(minutes=5) <= one.onset <= BEGAN + timedelta(minutes=15)
    assert BEGAN < one.told <= BEGAN + timedelta(minutes=20)
    assert one.ended is not None and abs((one.ended - BEGAN).total_seconds() - INCIDENT_S) <= 900.0
    assert one.confidence == 1.0


def test_the_watch_raises_the_incident_as_an_alarm_and_ends_it(engine: Engine) -> None:
    watch = Watch(engine, (IncidentFeed(),), look_back=timedelta(days=3))
    watch.pass_once()
    with engine.connect() as connection:
        [row] = [one for one in list_alarms(connection, AlarmQuery(states=())) if one.event == "traffic-incident"]
        steps = list_alarm_events(connection, row.id)
    assert row.rule == "incident.C-1.C-2" and row.watched_id == "M0" and not row.active
    times = {one.kind: one.at for one in steps}
    raised, cleared = times["raise"], times["clear"]
    assert BEGAN < raised <= BEGAN + timedelta(minutes=20)
    assert abs((cleared - BEGAN).total_seconds() - INCIDENT_S) <= 900.0
    # What is known by then does not change with what comes after: a second pass takes no step.
    assert watch.pass_once() == 0


def test_speeds_of_vehicles_grade_their_roads(engine: Engine, tmp_path: Path) -> None:
    moment = END - timedelta(minutes=2)
    path = tmp_path / "probes.csv"
    rows = [
        ("N1", moment.isoformat(), "8", "forward"), ("N2", moment.isoformat(), "39", ""),
        ("nowhere", moment.isoformat(), "30", ""), ("N2", "2026-11-28 17:00", "30", ""),
        ("N2", moment.isoformat(), "400", ""), ("N2", moment.isoformat(), "30", "sideways"),
    ]  # fmt: skip
    path.write_text("road_link_id,time,speed,direction\n" + "\n".join(map(",".join, rows)))
    with engine.begin() as connection:
        report = load_speeds(connection, path, "bus", author="test")
        again = load_speeds(connection, path, "bus", author="test")
    assert (report.rows, report.series, report.stored.new, sum(report.rejected.values())) == (6, 2, 2, 4)
    assert len(report.rejected) == 4 and (again.stored.new, again.stored.unchanged) == (0, 2)
    frame, _ = see_state(engine, tmp_path, END, reach=0.0)
    grades = {name: row["grade"] for name, row in frame.items()}
    assert (grades["N1-0-f"], grades["N2-0-f"], grades["N2-0-b"]) == ("F", "A", "A") and "N1-0-b" not in grades
    with engine.connect() as connection:
        state = find_state(
            connection, read_vector_layer("road_links"), "N1", tmp_path, zone=ZoneInfo("Asia/Ho_Chi_Minh"), now=END
        )
    assert (state.word, state.basis, state.value) == ("service_f", "reading", 8.0)
    with pytest.raises(InputError, match="speed"), engine.begin() as connection:
        path.write_text("road,when\n1,2\n")
        load_speeds(connection, path, "bus", author="test")


@pytest.fixture
def say(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that types ``twin traffic …`` and gives exit code, output and errors."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("TWIN_DATABASE_URL", url)
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TWIN_RUN_DIR", str(tmp_path / "run"))

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["twin", "traffic", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def test_what_one_types(say: Say, tmp_path: Path) -> None:
    code, out, err = say("incidents", "--at", END.isoformat(), "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["sections"] == 1 and [one["section"] for one in told["incidents"]] == ["C-1.C-2"]
    assert "1 sự cố" in say("incidents", "--at", END.isoformat())[1]
    measured = json.loads(say("now", "--at", END.isoformat(), "--json")[1])["measured"]
    assert {"C-1", "C-2"} <= {one["station_id"] for one in measured}
    assert "im lặng · silent" in say("now", "--at", END.isoformat())[1]
    code, out, err = say("counts", "days=7", "--json")
    assert code == 0, err
    assert json.loads(out)["stations"] == len(json.loads(out)["station_counts"]) == 2
    feed = tmp_path / "works.geojson"
    assert say("works", "export", feed)[0] == 0
    assert json.loads(feed.read_text())["feed_info"]["version"] == "4.2"
    assert say("works", "import", feed)[0] == 0 and json.loads(say("works", "list", "--all", "--json")[1]) == []
    for words in (
        ("works", "import", tmp_path / "none"),
        ("speeds",),
        ("speeds", feed, "--source", "a b"),
        ("now", "--at", "x"),
    ):
        code, _, err = say(*words)
        assert code == 1 and err.strip().count("\n") <= 1, words
