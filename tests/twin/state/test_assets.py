"""What is said of a pump, a gate, a lamp, a car park, a canal and a house: at a time, and why."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import Connection

from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from layers.registry import read_vector_layer
from layers.schema import Text
from layers.store.features import upsert_features
from layers.store.lamps import declare_calendar
from layers.store.rasters import register_raster, write_cog
from layers.store.sensing.arrival import store_live
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from twin.state.assets import AssetState, find_state, find_states
from twin.store import claim_run, create_run, finish_run
from twin.store_forecasts import Values, keep_issue

X, Y = 586_000.0, 1_108_000.0
NOW = datetime(2026, 11, 2, 5, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def add(connection: Connection, layer: str, columns: dict[str, list[Any]], shapes: list[Any]) -> None:
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:5897")
    upsert_features(connection, read_vector_layer(layer), frame, source_id="test")


@pytest.fixture
def city(connection: Connection) -> Iterator[Connection]:
    """A pump with a sensor and one without, two lamps of which one hangs on a cabinet, a car park, a canal, a house."""
    lines = [shapely.LineString([(X + k, Y), (X + k + 5, Y)]) for k in (0, 20)]
    add(connection, "drainage_links", {"id": ["P-1", "P-2"], "link_type": ["pump", "pump"]}, lines)
    add(connection, "lighting_cabinets", {"id": ["C-1"]}, [shapely.Point(X, Y + 50)])
    lamps = [shapely.Point(X, Y + 60), shapely.Point(X, Y + 70)]
    add(connection, "luminaires", {"id": ["L-1", "L-2"], "cabinet_id": ["C-1", None]}, lamps)
    area = shapely.MultiPolygon([shapely.box(X, Y + 100, X + 30, Y + 120)])
    add(connection, "parking_areas", {"id": ["A-1"], "parking_type": ["off_street"]}, [area])
    spaces = [shapely.Point(X + 5 * k, Y + 110) for k in range(3)]
    columns = {"id": ["B-0", "B-1", "B-2"], "parking_id": ["A-1"] * 3, "status": ["unknown"] * 3}
    add(connection, "parking_spaces", columns, spaces)
    canal = shapely.MultiPolygon([shapely.box(X + 200, Y, X + 220, Y + 300)])
    add(connection, "water_bodies", {"id": ["W-1"], "kind": ["canal"]}, [canal])
    add(connection, "sensors", {"id": ["S-1"], "name": ["Trạm"], "kind": ["stage"], "alarm_1": [1.5], "alarm_2": [1.8]},
        [shapely.Point(X + 210, Y)])  # fmt: skip
    house = shapely.MultiPolygon([shapely.box(X + 300, Y + 10, X + 310, Y + 20)])
    add(connection, "buildings", {"id": ["H-1"], "use": ["house"], "height": [4.0]}, [house])
    streams = [
        ("P-1.state", "pump_state", "1", "drainage_links", "P-1"),
        ("C-1.level", "light_level", "1", "lighting_cabinets", "C-1"),
        *((f"B-{k}.bay", "bay_occupied", "1", "parking_spaces", f"B-{k}") for k in range(3)),
        ("S-1.stage", "stage", "m", "water_bodies", "W-1"),
        ("S-1.ph", "ph", "[pH]", "water_bodies", "W-1"),
    ]
    rows = [
        Datastream(name, name.split(".")[0], kind, unit, "Đo", "Measure", layer, item, 600.0)
        for name, kind, unit, layer, item in streams
    ]
    upsert_datastreams(connection, rows, "test")
    yield connection


def send(connection: Connection, series: str, at: datetime, result: float, **extra: object) -> None:
    row = {"datastream_id": series, "phenomenon_time": at, "result": result, **extra}
    store_live(connection, [row], author="test")


def ask(connection: Connection, layer: str, item: str, at: datetime = NOW, **options: Any) -> AssetState:
    folder = options.pop("folder", Path("/nowhere"))
    return find_state(connection, read_vector_layer(layer), item, folder, zone=ZONE, at=at, now=NOW, **options)


def test_pumps_pump_or_not_and_without_a_sensor_nobody_knows(city: Connection) -> None:
    send(city, "P-1.state", NOW - 25 * MINUTE, 0.0)
    send(city, "P-1.state", NOW - 5 * MINUTE, 1.0)
    pumping = ask(city, "drainage_links", "P-1")
    assert (pumping.word, pumping.title.vi, pumping.basis) == ("pumping", "đang bơm", "reading")
    assert (pumping.value, pumping.age_s, pumping.quality, pumping.stale) == (1.0, 300.0, 1, False)
    assert ask(city, "drainage_links", "P-1", NOW - 10 * MINUTE).word == "off"
    before = ask(city, "drainage_links", "P-1", NOW - HOUR)
    assert (before.word, before.note and before.note.en) == ("unknown", "its sensor has not sent a reading")
    later = ask(city, "drainage_links", "P-1", NOW + HOUR)
    assert (later.word, later.stale, later.note and later.note.vi) == ("pumping", True, "số đo đã cũ")
    none = ask(city, "drainage_links", "P-2")
    assert (none.word, none.basis, none.note and none.note.vi) == ("unknown", "none", "không có cảm biến")
    with pytest.raises(NotFoundError, match="has no item 'P-9'"):
        ask(city, "drainage_links", "P-9")


def test_a_reading_that_failed_tells_nothing(city: Connection) -> None:
    send(city, "P-1.state", NOW - 5 * MINUTE, 7.0)
    assert ask(city, "drainage_links", "P-1").word == "unknown"


def test_lamps_go_by_their_cabinet_and_else_by_their_program(city: Connection) -> None:
    night = datetime(2026, 11, 2, 13, tzinfo=UTC)
    send(city, "C-1.level", night - MINUTE, 0.5)
    assert [ask(city, "luminaires", name, night).word for name in ("L-1", "L-2")] == ["dimmed", "lit"]
    assert [ask(city, "luminaires", name, night).basis for name in ("L-1", "L-2")] == ["feeder", "program"]
    assert ask(city, "lighting_cabinets", "C-1", night).basis == "reading"
    noon = ask(city, "luminaires", "L-1", NOW)
    assert (noon.word, noon.basis, noon.value) == ("dark", "program", 0.0)
    assert noon.note is not None and "presumed" in noon.note.en


def test_a_declared_program_is_no_presumption(city: Connection) -> None:
    def declare(cabinet: str, level: float, at: datetime) -> None:
        events = [{"at": "sunset", "level": level}, {"at": "sunrise", "level": 0}]
        calendar = {"programs": {"usual": events}, "usual": "usual"}
        declare_calendar(city, cabinet, calendar, valid_from=at, author="Lan", reason="decision 12")

    night = datetime(2026, 11, 2, 13, tzinfo=UTC)
    declare("", 0.7, night - 30 * HOUR)
    declare("C-1", 0.4, night - 30 * HOUR)
    declare("C-1", 1.0, night - HOUR)
    states = [ask(city, "luminaires", name, night) for name in ("L-1", "L-2")]
    assert [(each.value, each.word, each.note) for each in states] == [(1.0, "lit", None), (0.7, "dimmed", None)]
    assert ask(city, "lighting_cabinets", "C-1", night - 24 * HOUR).value == 0.4
    with pytest.raises(NotFoundError, match="no lighting cabinet 'C-9'"):
        declare("C-9", 1.0, night)
    with pytest.raises(InputError, match="gives no reason"):
        declare_calendar(city, "", {}, valid_from=night, author="Lan", reason="")


def test_free_bays_are_counted_where_sensors_speak(city: Connection) -> None:
    assert ask(city, "parking_areas", "A-1").word == "unknown"
    for k, occupied in enumerate((1.0, 0.0)):
        send(city, f"B-{k}.bay", NOW - MINUTE, occupied)
    send(city, "B-2.bay", NOW - 3 * HOUR, 0.0)
    area = ask(city, "parking_areas", "A-1")
    assert (area.word, area.value, area.unit, area.basis) == ("room", 1, "{#}", "members")
    assert area.note is not None and area.note.en == "of 2 bays with a sensor"
    assert ask(city, "parking_spaces", "B-0").word == "occupied"


def test_a_canal_stands_at_its_alarm_level_and_will(city: Connection) -> None:
    send(city, "S-1.ph", NOW - 4 * MINUTE, 7.1)
    send(city, "S-1.stage", NOW - 15 * MINUTE, 1.45)
    send(city, "S-1.stage", NOW - 5 * MINUTE, 1.55)
    now = ask(city, "water_bodies", "W-1")
    assert (now.word, now.value, now.unit) == ("alarm_1", 1.55, "m")
    assert [each.source.observed_property for each in now.readings] == ["stage", "ph"]
    assert ask(city, "sensors", "S-1").word == "alarm_1"
    times = NOW.timestamp() + 3600.0 * np.arange(4, dtype=np.float64)
    middle = np.array([1.6, 1.6, 1.8, 1.7])
    quantiles = middle[:, None] + np.array([-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3])
    keep_issue(
        city, "S-1.stage", issue_time=NOW, origin=NOW, model="test", parameters={}, skill={},
        values=Values(times, quantiles, middle + 0.15, np.full(4, np.nan)),
    )  # fmt: skip
    coming = ask(city, "water_bodies", "W-1", NOW + timedelta(minutes=90))
    assert (coming.basis, coming.word) == ("forecast", "alarm_2"), "warned from a quantile: 1.85 m"
    assert coming.value == pytest.approx(1.7, abs=1e-6)
    says = coming.readings[0].forecast
    assert says is not None and says.q10 == pytest.approx(1.5, abs=1e-6)
    beyond = ask(city, "water_bodies", "W-1", NOW + 5 * HOUR)
    assert (beyond.basis, beyond.stale) == ("reading", True)
    earlier = ask(city, "water_bodies", "W-1", NOW + HOUR, known=NOW - 10 * MINUTE)
    assert earlier.basis != "forecast", "nobody knew it yet"


def test_houses_are_flooded_as_deep_as_the_newest_run_has_it(city: Connection, tmp_path: Path) -> None:
    assert ask(city, "buildings", "H-1").word == "unknown"
    grid = Grid(60, 60, X, Y + 500, 10.0, "EPSG:5897")
    times = [NOW + k * HOUR for k in range(3)]
    depth = np.stack([np.full(grid.shape, 0.3 * k, dtype=np.float32) for k in range(3)])
    write_cog(tmp_path / "depth.tif", depth, grid, times=times)
    run_id = create_run(city, process="flood-forecast", inputs={}, title=Text("Dự báo", "Forecast"))
    claim_run(city, run_id)
    finish_run(
        city, run_id, title=Text("Dự báo", "Forecast"), base_time=NOW, horizon_hours=2.0, summary={},
        stage_forecast=None, balance={}, provenance={},
    )  # fmt: skip
    place = ask(city, "buildings", "H-1").item
    register_raster(
        city, raster_id=f"{run_id}.flood_depth", layer_id="flood_depth", run_id=run_id, path="depth.tif", times=times,
        bounds_crs84=(place.lon - 0.01, place.lat - 0.01, place.lon + 0.01, place.lat + 0.01), minimum=0.0, maximum=1.0,
        source_id=None, fingerprint="f",
    )  # fmt: skip
    dry, wet = (ask(city, "buildings", "H-1", NOW + k * HOUR, folder=tmp_path) for k in (0, 2))
    assert (dry.word, dry.basis, wet.word) == ("not_flooded", "flood", "flooded")
    assert wet.flooding is not None and wet.flooding.depth == pytest.approx(0.6)
    assert wet.value == pytest.approx(0.6)
    assert ask(city, "buildings", "H-1", NOW + 3 * HOUR, folder=tmp_path).word == "unknown"
    pump = ask(city, "drainage_links", "P-2", NOW + 2 * HOUR, folder=tmp_path)
    assert pump.word == "unknown"
    assert pump.flooding is not None and pump.flooding.depth == pytest.approx(0.6)


def test_a_whole_layer_at_once_says_the_same(city: Connection) -> None:
    send(city, "P-1.state", NOW - 5 * MINUTE, 1.0)
    links = read_vector_layer("drainage_links")
    states = find_states(city, links, Path("/nowhere"), zone=ZONE, at=NOW, now=NOW)
    assert [(state.item.id, state.word) for state in states] == [("P-1", "pumping"), ("P-2", "unknown")]
    place = states[1].item
    near = (place.lon - 2e-5, place.lat - 2e-5, place.lon + 1e-4, place.lat + 1e-4)
    some = find_states(city, links, Path("/nowhere"), zone=ZONE, at=NOW, now=NOW, bbox=near)
    assert [state.item.id for state in some] == ["P-2"]
