"""Circuits, programs and overrides in a real database: the city is read, runs are written, commands keep calendars."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import Connection, Engine

from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.features import select_features, upsert_features
from layers.store.lamps import declare_calendar, select_calendars
from twin.city import City
from twin.lighting.overriding import add_override
from twin.process import Quiet, parse_inputs
from twin.processes import circuit_energy, circuit_faults, circuit_loads
from twin.registry import read_process
from twin.state.programs import read_programs

X, Y, CRS = 586_000.0, 1_109_000.0, "EPSG:5897"
START = datetime(2026, 12, 1, 11, tzinfo=UTC)
EVENING = START + timedelta(hours=1)


def put(connection: Connection, layer: str, ids: list[str], shapes: list[Any], **columns: Any) -> None:
    frame = gpd.GeoDataFrame({"id": ids, **columns}, geometry=shapes, crs=CRS)
    upsert_features(connection, read_vector_layer(layer), frame, source_id="test")


def fill(connection: Connection) -> None:
    lamps = [shapely.Point(X + 30.0 * k, Y) for k in (1, 2, 3)]
    cables = [shapely.LineString([(X + 30.0 * k, Y), (X + 30.0 * k + 30.0, Y)]) for k in range(3)]
    put(
        connection,
        "lighting_cabinets",
        ["C-1", "C-2"],
        [shapely.Point(X, Y), shapely.Point(X, Y + 500)],
        voltage=[380.0] * 2,
    )
    put(connection, "luminaires", ["A1", "A2", "A3"], lamps, circuit_id=["C-1-M1"] * 3, cabinet_id=["C-1"] * 3,
        power=[100.0] * 3, phase=["L1", "L2", "L3"])  # fmt: skip
    put(connection, "lighting_circuits", ["W1", "W2", "W3"], cables, circuit_id=["C-1-M1"] * 3,
        cross_section=[10.0] * 3, conductor_material=["copper"] * 3, fuse_rating=[6.0] * 3)  # fmt: skip


@pytest.fixture(scope="module")
def filled(engine: Engine) -> Engine:
    """A database with the street in it."""
    with engine.begin() as connection:
        fill(connection)
    return engine


def test_runs_of_circuits_are_written_and_read_back(filled: Engine, tmp_path: Path) -> None:
    with filled.connect() as connection:
        check_runs(connection, City(connection, tmp_path, EVENING))


def check_runs(connection: Connection, city: City) -> None:
    for process, values, layer in (
        (circuit_faults, {"dark": ["A2", "A3"], "lit": ["A1"]}, "circuit_faults"),
        (circuit_loads, {}, "circuit_loads"),
        (circuit_energy, {"tariff": 2000.0}, "circuit_energy"),
    ):
        outputs = process.compute(city, parse_inputs(process.PROCESS, values), Quiet())
        made = outputs.features[layer]
        upsert_features(connection, read_vector_layer(layer), made.assign(run_id="R"), source_id="test")
        kept = select_features(connection, read_vector_layer(layer), equals={"run_id": "R"})
        assert len(kept) == len(made) == 1
        json.dumps(outputs.summary)
    fault = select_features(connection, read_vector_layer("circuit_faults")).iloc[0]
    assert (fault["kind"], fault["asset_id"], fault["explains"]) == ("cable", "W2", 2)
    energy = select_features(connection, read_vector_layer("circuit_energy")).iloc[0]
    assert energy["hint"] == "no_meter" and np.isnan(float(energy["metered_energy"] or np.nan))
    assert {"lighting_circuits", "luminaires", "sensors"} <= set(city.layers_read)


def test_an_override_is_the_next_version_of_a_calendar(connection: Connection) -> None:
    fill(connection)
    document = {"programs": {"all": [{"at": "12:00", "level": 0.7}]}, "usual": "all"}
    declare_calendar(connection, "C-2", document, valid_from=START, author="Lan", reason="decision")

    def send(address: str, level: float, reason: str = "thu") -> int:
        end = START + timedelta(hours=2)
        return add_override(connection, [address], level, start=START, expiration=end, author="Lan", reason=reason)

    def levels(at: datetime) -> list[float]:
        zone = City(connection, Path(), at).zone
        found = read_programs(connection, "luminaires", ["A1", "A2"], at, zone)
        return [found.find_level_at(name, 10.03, 105.78) for name in ("A1", "A2")]

    assert send("C-1-M1", 0.5) == 1
    assert levels(EVENING) == [0.5, 0.5]
    assert send("A2", 0.0) == 1
    assert levels(EVENING) == [0.5, 0.0], "of two that began at once the last that was sent"
    assert send("C-2", 0.1) == 1
    assert set(select_calendars(connection, EVENING)) == {"", "C-2"}
    for address, level, reason, error, message in (
        ("X-9", 0.5, "thu", NotFoundError, "no lamp, circuit or cabinet"),
        ("A1", 1.5, "thu", InputError, "outside 0 to 1"),
        ("A1", 0.5, " ", InputError, "gives no reason"),
    ):
        with pytest.raises(error, match=message):
            send(address, level, reason)
    with pytest.raises(InputError, match="0 addresses"):
        add_override(connection, [], 1.0, start=START, expiration=None, author="Lan", reason="x")


def test_circuits_are_answered_at_once() -> None:
    for name in ("circuit-faults", "circuit-loads", "power-outage", "discharge-sources"):
        assert read_process(name).immediate
    assert not read_process("circuit-energy").immediate


@pytest.mark.usefixtures("filled")
def test_programs_on_the_command_line(run: Callable[..., Any], tmp_path: Path) -> None:
    period = {"name": "AbsoluteActivePeriod", "startTime": "18:00:00", "endTime": "06:00:00"}
    fixed = [{"startTime": "12:00:00", "command": {"state": {"type": "LevelState", "level": 60}}}]
    document = {
        "controlPrograms": [
            {"type": "ControlProgramOne", "id": "P", "activePeriods": [period], "fixedTimeControls": fixed}
        ],
        "calendars": [{"id": "C", "rules": [], "defaultProgram": "P"}],
        "assignCommands": [{"entity": "C", "addresses": ["C-1"]}],
    }
    file = tmp_path / "talq.json"
    file.write_text(json.dumps(document))
    told = run("lighting", "programs", "import", file, "--from", "2026-01-01", "--reason", "quyết định 12")
    assert "1 lịch" in told.stdout, told.stderr
    at = run("lighting", "programs", "at", "2026-06-01T20:00+00:00", "--circuits", "--json")
    assert json.loads(at.stdout) == {"C-1-M1": pytest.approx(0.6)}, at.stderr
    faults = json.loads(run("lighting", "faults", "--dark", "A1,A2,A3", "--json").stdout)
    assert faults["circuit_faults"][0]["asset_id"] == "C-1-M1"
