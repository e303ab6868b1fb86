"""A leak in the readings of a city becomes an alarm on the map with the pipes to walk."""

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Engine

from layers.errors import InputError, NotFoundError, TooLargeError
from layers.registry import read_vector_layer
from layers.store.features import select_features, upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations
from tests.commands import run_twin
from tests.network.leak_town import DAY, LOGGERS, STEP, Hole, simulate_town, write_town
from twin.city import City
from twin.leaks.instruments import KPA_PER_METRE
from twin.process import Outputs, Quiet, parse_inputs
from twin.processes import leak_detection
from twin.water.importing import import_model

START = datetime(2026, 11, 2, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))  # a Monday
DAYS = 20
NOW = START + timedelta(days=DAYS)
BURST = Hole("n4-1", 2.0e-3, 16 * DAY + 30, DAYS * DAY)
ASKED = {"model": "town", "known_days": 14, "watch_days": 6, "step_minutes": 15}


@pytest.fixture(scope="module")
def town(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A city with an imported model, nine loggers, a meter at the inlet, and 20 days of their readings."""
    path = tmp_path_factory.mktemp("town") / "town.inp"
    path.write_text(write_town())
    readings = simulate_town(DAYS, [BURST], 1)
    watched = [(f"P-{name}", "water_nodes", f"town.{name}", "pressure", "kPa") for name in LOGGERS]
    watched.append(("F-1", "water_pipes", "town.inlet", "discharge", "m3/s"))
    values = np.hstack((readings.pressures * KPA_PER_METRE, readings.inlets))
    times = pd.DatetimeIndex([START + timedelta(seconds=STEP * k) for k in range(DAYS * DAY)]).tz_convert("UTC")
    with engine.begin() as connection:
        import_model(connection, path, origin=(105.78, 10.03))
        columns = zip(*watched, strict=True)
        ids, layers, items, observed, units = (list(column) for column in columns)
        sensors = {"id": ids, "name": ids, "kind": "flow", "watched_layer": layers, "watched_id": items}
        frame = gpd.GeoDataFrame(sensors, geometry=[shapely.Point(586_000, 1_109_000)] * len(ids), crs="EPSG:5897")
        upsert_features(connection, read_vector_layer("sensors"), frame, source_id="epanet-town")
        upsert_datastreams(
            connection,
            [
                Datastream(f"{sensor}.{what}", sensor, what, unit, what, what, interval_s=float(STEP))
                for sensor, what, unit in zip(ids, observed, units, strict=True)
            ],
            "epanet-town",
        )
        for k, (sensor, what) in enumerate(zip(ids, observed, strict=True)):
            rows = {"datastream_id": f"{sensor}.{what}", "phenomenon_time": times, "result": values[:, k]}
            insert_observations(connection, pd.DataFrame(rows))
    yield engine


def compute(town: Engine, **asked: object) -> Outputs:
    with town.connect() as connection:
        view = City(connection, Path("unused"), NOW)
        inputs = parse_inputs(leak_detection.PROCESS, {**ASKED, **asked})
        return leak_detection.compute(view, inputs, Quiet())


def test_an_alarm_has_time_size_place_and_a_walk(town: Engine) -> None:
    outputs = compute(town)
    [alarm] = outputs.features["leak_alarms"].itertuples()
    began = START + timedelta(seconds=BURST.start * STEP)
    assert began <= alarm.raised <= began + timedelta(hours=6)
    assert alarm.state == "running"
    assert alarm.size == pytest.approx(BURST.flow, rel=0.25)
    walk = outputs.features["leak_pipes"].sort_values("walk_order")
    assert list(walk["walk_order"]) == list(range(1, len(walk) + 1))
    assert walk["alarm_id"].unique().tolist() == [alarm.id]
    assert walk["length"].sum() == pytest.approx(alarm.walk_length, abs=0.1 * len(walk))
    # The leak's node is the end of a pipe to walk; the alarm stands within two streets of it.
    with town.connect() as connection:
        nodes = select_features(connection, read_vector_layer("water_nodes"), equals={"model_id": "town"})
    place = nodes.set_index("id").geometry["town.n4-1"]
    assert walk.geometry.distance(place).min() < 1.0
    assert alarm.geometry.distance(place) < 200.0
    assert outputs.summary["loggers"] == 9
    assert outputs.summary["inlet_meters"] == 1


def test_what_comes_later_is_not_used(town: Engine) -> None:
    before = compute(town, base_time=START + timedelta(days=16), watch_days=2)
    assert before.features["leak_alarms"].empty
    assert before.features["leak_pipes"].empty
    assert before.summary["running"] == 0


def test_wrong_questions_are_told(town: Engine) -> None:
    with pytest.raises(NotFoundError, match="is in area 'Z9'"):
        compute(town, area="Z9")
    with pytest.raises(TooLargeError, match="steps of readings"):
        compute(town, known_days=366, watch_days=366, step_minutes=5)
    with pytest.raises(InputError, match="does not divide the hour"):
        compute(town, step_minutes=7)
    with pytest.raises(InputError, match="too few to learn"):
        compute(town, base_time=START, known_days=3, watch_days=1)
    with pytest.raises(InputError, match="has no input 'radius'"):
        compute(town, radius=3)


def test_the_command_line(town: Engine, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "TWIN_DATABASE_URL": town.url.render_as_string(hide_password=False),
        "TWIN_DATA_DIR": str(tmp_path),
    }
    words = [f"{name}={value}" for name, value in ASKED.items()]
    done = run_twin("leaks", "detect", f"base_time={NOW.isoformat()}", *words, "--json", settings=environment)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [alarm["kind"] for alarm in told["alarms"]] in (["abrupt"], ["incipient"])
    with town.connect() as connection:
        stored = select_features(connection, read_vector_layer("leak_alarms"), equals={"run_id": told["run"]})
        walked = select_features(connection, read_vector_layer("leak_pipes"), equals={"run_id": told["run"]})
    assert len(stored) == 1
    assert len(walked) == told["alarms"][0]["walk"]["pipes"]
