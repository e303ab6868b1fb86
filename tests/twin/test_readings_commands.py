"""``twin sensors rollup|quality|flag|correct|retain`` on a real database, and what the worker does each minute."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Connection, Engine, text

from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.flags import flag_by_hand
from layers.store.sensing.retesting import retest
from layers.store.sensing.writing import insert_observations
from twin.tending import tend_readings

START = datetime(2026, 11, 1, tzinfo=UTC)
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def fill(connection: Connection, series_id: str = "S1.stage", days: int = 40) -> None:
    """Load a quiet tide with a spike of 0.8 m at reading 100 and a stuck sensor from reading 300 to 360."""
    stream = Datastream(series_id, "S1", "stage", "m", "Mực nước", "Stage", interval_s=600.0)
    upsert_datastreams(connection, [stream], "test")
    steps = np.arange(days * 144)
    levels = np.sin(steps / 71.0)
    levels[100] += 0.8
    levels[300:361] = levels[300] if len(levels) > 300 else 0.0
    times = [START + timedelta(minutes=10 * int(k)) for k in steps]
    frame = pd.DataFrame({"datastream_id": series_id, "phenomenon_time": times, "result": levels})
    insert_observations(connection, frame)


def test_a_window_is_tested_anew(connection: Connection) -> None:
    fill(connection)
    flag_by_hand(connection, "S1.stage", START, START, 3, author="Lan", reason="first day")
    done = retest(connection, "S1.stage", START, START + timedelta(days=50))
    # Three hours are 18 steps, six 36: of 61 equal readings 18 are suspect and 25 fail; and so does the spike.
    assert done.flags == {1: 5760 - 18 - 26, 3: 18, 4: 26}
    assert (done.tested, done.changed) == (5760, 5759)
    assert retest(connection, "S1.stage", START, START + timedelta(days=50)).changed == 0
    kept = connection.execute(text("select quality from sensing.observation order by phenomenon_time limit 1"))
    assert kept.scalar_one() == 3
    with pytest.raises(NotFoundError, match="'S9'"):
        retest(connection, "S9", START, START)
    connection.execute(text("update sensing.datastream set quality_tests = '{\"spikes\": {}}'"))
    with pytest.raises(InputError, match="no quality test 'spikes'"):
        retest(connection, "S1.stage", START, START)


def test_the_command_line(engine: Engine, run: Run) -> None:
    with engine.begin() as connection:
        fill(connection, days=3)
    at = "2026-11-01T16:40"
    tested = run("sensors", "quality", "--from", "2026-11-01", "--to", "2026-11-04", "--json")
    assert tested.returncode == 0, tested.stderr
    assert json.loads(tested.stdout)["flags"]["4"] >= 1
    assert "changed" in run("sensors", "quality", "--from", "2026-11-01", "--datastream", "S1.stage").stdout
    rolled = json.loads(run("sensors", "rollup", "--json").stdout)
    assert (rolled["hours"], rolled["left"]) == (72, 0)
    corrected = run("sensors", "correct", "S1.stage", at, "0.98", "--reason", "a boat", "--author", "Lan")
    assert "0.98 m" in corrected.stdout, corrected.stderr
    flagged = run("sensors", "flag", "S1.stage", 1, "--from", at, "--reason", "checked", "--author", "Lan")
    assert "tốt · good" in flagged.stdout, flagged.stderr
    assert json.loads(run("sensors", "rollup", "--json").stdout)["hours"] == 1
    with engine.connect() as connection:
        highest = connection.execute(
            text("select maximum from sensing.rollup where width = 'hour' and start = '2026-11-01 16:00Z'")
        )
        assert highest.scalar_one() < 1.0
    refused = run("sensors", "retain")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "no month is older" in run("sensors", "retain", "--months", 12).stdout


def test_the_worker_tends_readings(engine: Engine) -> None:
    with engine.begin() as connection:
        fill(connection, "S2.stage", days=2)
    assert tend_readings(engine, datetime(2031, 12, 3, tzinfo=UTC)) == 48
    assert tend_readings(engine, datetime(2031, 12, 3, tzinfo=UTC)) == 0
    with engine.connect() as connection:
        assert connection.execute(text("select to_regclass('sensing.observation_2032_01')")).scalar_one()


def test_state_and_lamps_on_the_command_line(engine: Engine, run: Run, tmp_path: Path) -> None:
    lines = [shapely.LineString([(586_000.0, 1_108_000.0), (586_010.0, 1_108_000.0)])]
    pump = gpd.GeoDataFrame({"id": ["P-1"], "link_type": ["pump"]}, geometry=lines, crs="EPSG:5897")
    lamp = gpd.GeoDataFrame({"id": ["L-1"]}, geometry=[shapely.Point(586_000.0, 1_108_000.0)], crs="EPSG:5897")
    with engine.begin() as connection:
        upsert_features(connection, read_vector_layer("drainage_links"), pump, source_id="test")
        upsert_features(connection, read_vector_layer("luminaires"), lamp, source_id="test")
    told = run("sensors", "state", "drainage_links", "P-1")
    assert "không rõ · unknown" in told.stdout, told.stderr
    assert "không có cảm biến" in told.stdout
    calendar = tmp_path / "calendar.json"
    calendar.write_text(json.dumps({"programs": {"all": [{"at": "12:00", "level": 0.5}]}, "usual": "all"}))
    declared = run("sensors", "lamps", calendar, "--from", "2026-01-01", "--reason", "test")
    assert "1 chương trình" in declared.stdout, declared.stderr
    assert list(json.loads(run("sensors", "lamps").stdout)) == [""]
    lit = json.loads(run("sensors", "state", "luminaires", "L-1", "--at", "2026-06-01T13:00Z", "--json").stdout)
    assert (lit["state"], lit["value"], lit["basis"], lit["note"]) == ("dimmed", 0.5, "program", None)
    assert run("sensors", "state", "luminaires", "L-9").returncode == 1
