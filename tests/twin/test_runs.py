"""Runs on a real PostGIS: results, records, failure, dismissal, a worker killed in the middle."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from sqlalchemy import Engine, text

from hydrology.parameters import FloodParameters
from layers.errors import ConflictError, InputError, NotFoundError
from layers.registry import RASTER_LAYERS, read_vector_layer
from layers.store.engine import plain_url
from layers.store.features import select_features, upsert_features
from layers.store.rasters import list_rasters, register_raster, write_cog
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations
from tests.commands import TwinProcess, start_twin
from twin.jobs import work
from twin.queue import defer_run
from twin.registry import PROCESSES
from twin.runs import _Stored, execute, submit_run
from twin.scene import write_scene
from twin.settings import Settings
from twin.store import create_run, delete_runs_but, list_runs, read_run, request_dismiss
from twin.store_queue import count_workers

LEVEL = {"stage_level": 2.0, "ramp_hours": 1.0, "horizon_hours": 3.0}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Settings:
    """Settings whose data lie in a folder of the test's own."""
    return Settings(
        data_dir=tmp_path_factory.mktemp("data"), database_url=plain_url(engine), run_dir=tmp_path_factory.mktemp("run")
    )


@pytest.fixture(scope="module", autouse=True)
def stored_city(engine: Engine, settings: Settings, request: pytest.FixtureRequest) -> Iterator[None]:
    """The tiny city in the database, with readings up to now."""
    city = request.getfixturevalue("make_tiny_city")()
    array, grid = city.rasters["terrain"]
    write_cog(settings.processed_dir / "terrain.tif", array, grid)
    times = np.arange(time.time() - 30 * 86400.0, time.time() + 1200.0, 600.0)
    with engine.begin() as connection:
        connection.execute(text('update meta.city set declaration = \'{"main_gauge": "S1"}\''))
        for layer_id, frame in city.layers.items():
            upsert_features(connection, read_vector_layer(layer_id), frame, source_id="tiny")
        register_raster(
            connection,
            raster_id="terrain",
            layer_id="terrain",
            run_id=None,
            path="terrain.tif",
            times=None,
            bounds_crs84=(105.0, 10.0, 106.0, 11.0),
            minimum=-6.0,
            maximum=3.0,
            source_id="tiny",
            fingerprint="abc",
        )
        upsert_datastreams(connection, [Datastream("S1.stage", "S1", "stage", "m", "Mực nước", "Stage")], "tiny")
        readings = {
            "datastream_id": "S1.stage",
            "phenomenon_time": [datetime.fromtimestamp(at, UTC) for at in times],
            "result": request.getfixturevalue("tide_of")(times),
        }
        insert_observations(connection, pd.DataFrame(readings))
    yield


def leftovers(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.processed_dir / "runs").glob("*"))


def test_a_forecast_leaves_rasters_features_and_a_record(engine: Engine, settings: Settings) -> None:
    followed: list[float] = []
    run_id = submit_run(engine, "flood-forecast", {"horizon_hours": 6})
    run = execute(engine, settings, run_id, follow=lambda fraction, _: followed.append(fraction))
    assert (run.status, run.progress, run.attempts) == ("successful", 100.0, 1)
    assert followed == sorted(followed) and len(followed) > 10
    with engine.connect() as connection:
        rasters = {row.layer: row for row in list_rasters(connection, run_id=run_id)}
        assets = select_features(connection, read_vector_layer("flood_assets"), equals={"run_id": run_id})
        source = connection.execute(text("select * from meta.source where id = :id"), {"id": f"run:{run_id}"}).one()
    assert set(rasters) | {"flood_assets"} == set(PROCESSES["flood-forecast"].outputs)
    depth = rasters["flood_depth"]
    assert depth.id == f"{run_id}.flood_depth" and len(depth.times) == 25
    assert depth.times[0] == run.base_time
    assert 105.0 < depth.bounds[0] < depth.bounds[2] < 106.5 and 9.5 < depth.bounds[1] < depth.bounds[3] < 10.5
    with rasterio.open(settings.processed_dir / depth.path) as stored:
        assert stored.count == 25 and stored.tags()["run"] == run_id
        assert np.nanmax(stored.read()) == pytest.approx(depth.maximum)
    assert all(name.startswith(run_id) for name in assets["id"])
    assert run.provenance["layers"]["water_bodies"] >= 1
    assert run.provenance["rasters"] == {"terrain": "abc"}
    assert run.provenance["mass_balance_error"] < 1e-6
    assert run.provenance["code_version"] and run.provenance["duration_s"] > 0
    assert run.provenance["parameters"]["flood"]["courant"] == FloodParameters().courant
    assert run.stage_forecast["times"][-1].endswith("Z")
    assert source.layer == "flood_assets"
    assert leftovers(settings) == [run_id]
    with pytest.raises(ConflictError, match="is successful and cannot be started"):
        execute(engine, settings, run_id)


def test_a_scene_is_one_page_that_needs_nothing_else(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    with engine.connect() as connection:
        run_id = next(row.id for row in list_runs(connection, status="successful"))
        size = write_scene(connection, settings.processed_dir, run_id, tmp_path / "scene.html")
    page = (tmp_path / "scene.html").read_text(encoding="utf-8")
    assert size < 15e6
    assert not re.findall(r"<(?:script|link)[^>]+(?:src|href)=[\"']?https?:", page)
    assert "Độ sâu ngập lớn nhất" in page and "Dự báo ngập 6 giờ theo trạm S1" in page
    assert page.count('"height"') > 60
    waiting = submit_run(engine, "flood-scenario", LEVEL)
    with engine.connect() as connection, pytest.raises(ConflictError, match="has no water to show"):
        write_scene(connection, settings.processed_dir, waiting, tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_wrong_inputs_enter_nothing(engine: Engine) -> None:
    with engine.connect() as connection:
        before = len(list_runs(connection, limit=1000))
    with pytest.raises(InputError, match="'horizon_hours'"):
        submit_run(engine, "flood-forecast", {"horizon_hours": 1000})
    with pytest.raises(NotFoundError, match="'nothing'"):
        submit_run(engine, "nothing", {})
    with engine.connect() as connection:
        assert len(list_runs(connection, limit=1000)) == before


def test_a_failure_is_recorded_and_leaves_nothing(engine: Engine, settings: Settings) -> None:
    present = leftovers(settings)
    run_id = submit_run(engine, "flood-scenario", {**LEVEL, "gates_closed": ["G9"]})
    with pytest.raises(NotFoundError, match="gate 'G9' does not exist"):
        execute(engine, settings, run_id)
    with engine.connect() as connection:
        run = read_run(connection, run_id)
        assert list_rasters(connection, run_id=run_id) == []
    assert run.status == "failed"
    assert run.error == {"code": "not-found", "message": "gate 'G9' does not exist — the city has G1"}
    assert leftovers(settings) == present


def test_a_failure_while_writing_leaves_nothing(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = leftovers(settings)
    run_id = submit_run(engine, "flood-scenario", LEVEL)

    def break_down(*_args: object, **_words: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("twin.runs.register_raster", break_down)
    with pytest.raises(OSError, match="disk full"):
        execute(engine, settings, run_id)
    with engine.connect() as connection:
        assert read_run(connection, run_id).error == {"code": "internal", "message": "OSError: disk full"}
        assert select_features(connection, read_vector_layer("flood_assets"), equals={"run_id": run_id}).empty
    assert leftovers(settings) == present


def test_a_dismissed_run_stops_and_leaves_nothing(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.runs.PROGRESS_S", 0.0)
    present = leftovers(settings)
    run_id = submit_run(engine, "flood-scenario", LEVEL)

    def dismiss(fraction: float, _message: str) -> None:
        if fraction > 0.3:
            with engine.begin() as connection:
                request_dismiss(connection, run_id)

    run = execute(engine, settings, run_id, follow=dismiss)
    assert run.status == "dismissed" and 0.0 < run.progress < 60.0
    assert leftovers(settings) == present
    with engine.begin() as connection:
        assert request_dismiss(connection, run_id).status == "dismissed"


def test_a_waiting_run_that_is_dismissed_never_starts(engine: Engine, settings: Settings) -> None:
    run_id = submit_run(engine, "flood-scenario", LEVEL)
    with engine.begin() as connection:
        request_dismiss(connection, run_id)
    with pytest.raises(ConflictError, match="is dismissed and cannot be started"):
        execute(engine, settings, run_id)
    with engine.begin() as connection, pytest.raises(NotFoundError, match="'no-such-run'"):
        request_dismiss(connection, "no-such-run")


def test_two_cannot_carry_out_the_same_run(engine: Engine, settings: Settings) -> None:
    run_id = submit_run(engine, "flood-scenario", LEVEL)

    def try_too(_fraction: float, _message: str) -> None:
        with pytest.raises(ConflictError, match="carried out by another worker"):
            execute(engine, settings, run_id)

    assert execute(engine, settings, run_id, follow=try_too).status == "successful"


def test_the_queue_carries_out_what_waits(engine: Engine, settings: Settings) -> None:
    good, bad = submit_run(engine, "flood-scenario", LEVEL), submit_run(engine, "flood-scenario", {"breaches": []})
    with engine.begin() as connection:
        lost = create_run(connection, process="gone", inputs={}, title=PROCESSES["flood-forecast"].title)
    for run_id in (good, bad, lost):
        defer_run(engine, run_id)
    work(engine, settings, once=True)
    with engine.connect() as connection:
        assert read_run(connection, good).status == "successful"
        assert read_run(connection, bad).status == "successful"
        assert read_run(connection, lost).error["message"].startswith("process 'gone' does not exist")


def start_worker(settings: Settings, *words: str, machine: str = "first", log: Path = Path(os.devnull)) -> TwinProcess:
    environment = {
        **os.environ,
        "TWIN_DATABASE_URL": settings.database_url or "",
        "TWIN_DATA_DIR": str(settings.data_dir),
        "TWIN_MACHINE": machine,
        "TWIN_LOOP_MINUTES": "0",
    }
    return start_twin("worker", "--stalled-after", "2", *words, settings=environment, log=log)


def test_a_killed_worker_loses_nothing(engine: Engine, settings: Settings) -> None:
    run_id = submit_run(
        engine, "flood-scenario", {"stage_level": 2.0, "ramp_hours": 24, "horizon_hours": 72, "output_minutes": 5}
    )
    defer_run(engine, run_id)
    first = start_worker(settings)
    try:
        wait_for(lambda: read(engine, run_id).progress > 10.0)
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    left = read(engine, run_id)
    assert left.status == "running" and left.attempts == 1
    time.sleep(3.0)
    second = start_worker(settings, "--once")
    assert second.wait(timeout=120) == 0
    run = read(engine, run_id)
    assert (run.status, run.attempts) == ("successful", 2)
    with engine.connect() as connection:
        written = {raster.layer for raster in list_rasters(connection, run_id=run_id)}
    assert written == set(PROCESSES["flood-scenario"].outputs) & set(RASTER_LAYERS)
    assert f".{run_id}" not in leftovers(settings)


def test_a_worker_of_another_machine_computes_members(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    worker = start_worker(settings, machine="second", log=log)
    shared = settings.model_copy(update={"share_members": True})
    inputs = {**LEVEL, "members": 8, "stage_spread": 0.1, "past_hours": 0.0}
    try:
        wait_for(lambda: count(engine) > 0)
        run = execute(engine, shared, submit_run(engine, "flood-ensemble", inputs))
        wait_for(lambda: f"members of run {run.id}" in log.read_text())
    finally:
        worker.kill()
        worker.wait()
    assert run.status == "successful"
    assert f".{run.id}" not in leftovers(settings)


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return count_workers(connection, seen_within_s=60.0)


def read(engine: Engine, run_id: str):
    with engine.connect() as connection:
        return read_run(connection, run_id)


def wait_for(condition, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_run_that_kills_its_workers_is_given_up(engine: Engine, settings: Settings) -> None:
    run_id = submit_run(engine, "flood-scenario", LEVEL)
    with engine.begin() as connection:
        connection.execute(text("update run.run set attempts = 3, status = 'running' where id = :id"), {"id": run_id})
    with pytest.raises(Exception, match="left unfinished 3 times"):
        execute(engine, settings, run_id)
    assert read(engine, run_id).status == "failed"


def test_pruning_takes_rasters_and_features_along(engine: Engine) -> None:
    with engine.begin() as connection:
        kept = list_runs(connection, limit=1)[0].id
        gone = delete_runs_but(connection, 1)
        assert kept not in gone and len(gone) > 3
        assert {row.run_id for row in list_rasters(connection)} <= {None, kept}
        assets = select_features(connection, read_vector_layer("flood_assets"))
        assert set(assets["run_id"]) <= {kept}


def test_a_checkpoint_survives_its_worker(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    run = read(engine, submit_run(engine, "flood-scenario", LEVEL))
    saved = {"stage": np.arange(6.0).reshape(2, 3), "names": np.array(["P1"]), "empty": np.array([], dtype=np.str_)}
    _Stored(engine, settings, run, tmp_path, None, 0.0, threading.Event()).write_checkpoint(lambda: saved)
    _Stored(engine, settings, run, tmp_path, None, 60.0, threading.Event()).write_checkpoint(
        lambda: pytest.fail("too early")
    )
    back = _Stored(engine, settings, run, tmp_path, None, 60.0, threading.Event()).read_checkpoint()
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]
    for name, array in saved.items():
        np.testing.assert_array_equal(back[name], array)
