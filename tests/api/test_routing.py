"""Routes, reach, matrices and tracks over HTTP and on the command line, on a small town in a database."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import shapely
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.app import create_app
from layers.grid import Grid
from layers.registry import VECTOR_LAYERS
from layers.schema import Text
from layers.store.engine import open_engine
from layers.store.features import delete_features, upsert_features
from layers.store.rasters import write_cog
from tests.api.conftest import ADDRESS
from tests.twin.conftest import CRS, X0, Y0
from tests.twin.road_town import close, make_town, place
from twin.commands import route as typed
from twin.runs import execute, submit_run
from twin.settings import Settings
from twin.store import claim_run, create_run, finish_run

Ask = Callable[..., httpx.Response]
TOWN = make_town()
STRAIGHT, ROUND = 900.0, 1_300.0


@pytest.fixture(scope="module")
def settings(make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a server on the town."""
    folder, url = tmp_path_factory.mktemp("routing"), make_database("routing")
    engine = open_engine(url)
    with engine.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["road_links"], TOWN.layers["road_links"], source_id="test")
    engine.dispose()
    return Settings(database_url=url, data_dir=folder, web_dir=folder / "web", tile_cache_mb=8)


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    """Engine beside the server."""
    opened = open_engine(str(settings.database_url))
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def ask(settings: Settings) -> Iterator[Ask]:
    """Return what asks a process of the server."""
    app = create_app(settings)
    with TestClient(app, ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False) as client:

        def ask(process: str, body: dict[str, Any] | None = None, **inputs: Any) -> httpx.Response:
            asked = {"inputs": inputs, **(body or {})}
            found: httpx.Response = client.post(f"/api/processes/{process}/execution", json=asked)
            return found

        yield ask


def measure(ask: Ask, **inputs: Any) -> float:
    """Return the length of the route from west to east [m]."""
    found = ask("route", origin=place(100, 0), destination=place(1000, 0), **inputs)
    assert found.status_code == 200, found.text
    return float(found.json()["summary"]["value"]["routes"][0]["length"])


def test_a_route_comes_with_its_line(ask: Ask) -> None:
    found = ask("route", origin=place(100, 0), destination=place(1000, 0), mode="car").json()
    assert found["summary"]["value"]["routes"][0]["length"] == pytest.approx(STRAIGHT, abs=1.0)
    (line,) = found["routes"]["value"]["features"]
    assert line["geometry"]["type"] == "LineString"
    assert line["geometry"]["coordinates"][0] == pytest.approx(place(100, 0), abs=1e-6)
    assert line["properties"]["mode"] == "car"


def test_edits_and_closures_act_on_the_next_route(ask: Ask, engine: Engine) -> None:
    assert measure(ask) == pytest.approx(STRAIGHT, abs=1.0)
    works = VECTOR_LAYERS["road_works"]
    with engine.begin() as connection:
        upsert_features(connection, works, close("main-2"), source_id="test")
    assert measure(ask) == pytest.approx(ROUND, abs=1.0)
    assert measure(ask, closures=False) == pytest.approx(STRAIGHT, abs=1.0)
    with engine.begin() as connection:
        delete_features(connection, works, ["W1"])
    assert measure(ask) == pytest.approx(STRAIGHT, abs=1.0)
    roads = VECTOR_LAYERS["road_links"]
    with engine.begin() as connection:
        delete_features(connection, roads, ["main-2"])
    assert measure(ask) == pytest.approx(ROUND, abs=1.0)
    with engine.begin() as connection:
        upsert_features(connection, roads, TOWN.layers["road_links"], source_id="test")
    assert measure(ask) == pytest.approx(STRAIGHT, abs=1.0)


def test_water_of_a_run_is_gone_round_at_its_time(ask: Ask, engine: Engine, settings: Settings) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    grid = Grid(60, 140, X0 - 50.0, Y0 + 300.0, 10.0, CRS)
    depth = np.zeros((2, 60, 140), np.float32)
    depth[1, 28:33, 60:80] = 1.0
    with engine.begin() as connection:
        run_id = create_run(connection, process="flood-scenario", inputs={}, title=Text("Ngập", "Flood"))
        claim_run(connection, run_id)
        finish_run(
            connection, run_id, title=Text("Ngập", "Flood"), base_time=start, horizon_hours=1.0, summary={},
            stage_forecast=None, balance=None, provenance={},
        )  # fmt: skip
    folder: Path = settings.processed_dir / "runs" / run_id
    folder.mkdir(parents=True)
    write_cog(folder / "flood_depth_max.tif", depth.max(axis=0), grid)
    write_cog(folder / "flood_depth.tif", depth, grid, times=(start, start + timedelta(hours=1)))
    assert measure(ask, flood_run=run_id) == pytest.approx(ROUND, abs=1.0)
    assert measure(ask, flood_run=run_id, flood_at=start.isoformat()) == pytest.approx(STRAIGHT, abs=1.0)
    reached = ask("isochrone", origins=[place(100, 0)], minutes=[2], flood_run=run_id).json()
    dry = ask("isochrone", origins=[place(100, 0)], minutes=[2]).json()
    lengths = [each["summary"]["value"]["areas"][0]["road_length"] for each in (reached, dry)]
    assert lengths[0] < lengths[1]
    assert ask("route", origin=place(100, 0), destination=place(1000, 0), flood_run="none").status_code == 404


def test_all_four_are_answered_at_once(ask: Ask) -> None:
    reach = ask("isochrone", origins=[place(100, 0)], minutes=[1, 2]).json()
    assert [each["properties"]["reached_within"] for each in reach["isochrones"]["value"]["features"]] == [120.0, 60.0]
    times = ask("travel-matrix", origins=[place(100, 0), place(1000, 0)], as_csv=True).json()["summary"]["value"]
    assert times["durations"][0][0] == 0.0
    assert times["csv"].startswith("origin,destination,duration\n0,0,0.0\n")
    track = {"type": "LineString", "coordinates": [place(x, 0) for x in range(100, 701, 40)]}
    driven = ask("map-match", track=track).json()
    assert driven["summary"]["value"]["length"] == pytest.approx(600.0, abs=1.0)
    assert {each["properties"]["name"] for each in driven["matched_links"]["value"]["features"]} == {"Đường Chính"}


@pytest.mark.parametrize(
    ("process", "inputs", "status", "words"),
    [
        ("route", {"origin": [105.0, 10.0]}, 400, "destination"),
        ("route", {"origin": [0, 200], "destination": [0, 0]}, 400, "no place"),
        ("route", {"origin": [0], "destination": [0, 0]}, 400, "origin"),
        ("route", {"origin": [0, 0], "destination": [0, 0]}, 404, "within 300 m"),
        ("route", {"origin": [0, 0], "destination": [0, 0], "mode": "boat"}, 400, "mode"),
        ("route", {"origin": [0, 0], "destination": [0, 0], "alternatives": 6}, 400, "alternatives"),
        ("route", {"origin": [0, 0], "destination": [0, 0], "height": -1}, 400, "height"),
        ("route", {"origin": [0, 0], "destination": [0, 0], "departure": "soon"}, 400, "departure"),
        ("route", {"origin": [0, 0], "destination": [0, 0], "colour": 1}, 400, "no input 'colour'"),
        ("route", {"origin": [0, 0], "destination": [0, 0], "via": [[0, 0]] * 21}, 400, "via"),
        ("route", {"origin": place(100, 900), "destination": place(1000, 0)}, 404, "pocket"),
        ("isochrone", {"origins": []}, 400, "origins"),
        ("isochrone", {"origins": [[0, 0]], "minutes": [1000]}, 400, "minutes"),
        ("travel-matrix", {"origins": [[0, 0]] * 501}, 400, "origins"),
        ("map-match", {"track": 7}, 400, "track"),
        ("map-match", {"track": {"type": "Point"}}, 400, "LineString"),
        ("signal-timing", {"street": ""}, 400, "street"),
    ],
)
def test_what_is_wrong_is_told(ask: Ask, process: str, inputs: dict[str, Any], status: int, words: str) -> None:
    body = {"inputs": inputs} | ({} if process != "signal-timing" else {"mode": "async"})
    found = ask(process, body)
    assert found.status_code == status
    assert words in found.text


def test_a_job_writes_the_routes_and_keeps_the_table(engine: Engine, settings: Settings) -> None:
    done = execute(
        engine, settings, submit_run(engine, "route", {"origin": place(100, 0), "destination": place(1000, 0)})
    )
    assert done.status == "successful"
    with engine.connect() as connection:
        count = connection.exec_driver_sql(
            "select count(*) from city.routes where run_id = %s", (done.id,)
        ).scalar_one()
    assert count == 1
    table = execute(engine, settings, submit_run(engine, "travel-matrix", {"origins": [place(100, 0), place(900, 0)]}))
    text = (settings.processed_dir / "runs" / table.id / "travel_matrix.csv").read_text()
    assert len(text.splitlines()) == 5


def test_the_commands_say_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(typed, "read_settings", lambda: settings)
    start, end = (",".join(map(str, place(x, 0))) for x in (100, 1000))
    typed.path(start, end, output=tmp_path / "way.geojson")
    printed = capsys.readouterr().out
    assert "0.90 km" in printed
    assert "Đi trên Đường Chính" in printed
    (line,) = json.loads((tmp_path / "way.geojson").read_text())["features"]
    assert shapely.from_geojson(json.dumps(line["geometry"])).geom_type == "LineString"
    typed.isochrone([start], minutes="1,2", as_json=True)
    assert len(json.loads(capsys.readouterr().out)["areas"]) == 2
    (tmp_path / "places.csv").write_text(f"lon,lat\n{start}\n{end}\n")
    typed.matrix(tmp_path / "places.csv")
    assert capsys.readouterr().out.startswith("origin,destination,duration\n")
    (tmp_path / "track.csv").write_text(
        "lon,lat\n" + "\n".join(",".join(map(str, place(x, 0))) for x in (100, 400, 700))
    )
    typed.match(tmp_path / "track.csv")
    assert "0.60 km" in capsys.readouterr().out
