"""Every invariant is broken for real and found, and a city that is whole breaks none."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from layers.store.networks.state import write_state
from tests.commands import run_twin
from tests.twin.test_audit import as_owner, write
from twin.audit.sealing import seal_waiting
from twin.invariants.checking import check_invariants
from twin.invariants.registry import INVARIANTS, select_invariants
from twin.invariants.words import Scene

AGO_S = 7200.0


@dataclass(frozen=True)
class Place:
    """A city in a transaction that is rolled back, and its folder of files."""

    connection: Connection
    folder: Path

    def do(self, *statements: str) -> None:
        for statement in statements:
            self.connection.exec_driver_sql(statement)

    def put(self, path: str, age_s: float = AGO_S) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
        os.utime(file, (time.time() - age_s,) * 2)
        os.utime(file.parent, (time.time() - age_s,) * 2)
        return file


@pytest.fixture
def place(connection: Connection, tmp_path: Path) -> Iterator[Place]:
    found = Place(connection, tmp_path)
    found.do(
        "insert into meta.edit (author, reason, kind) values ('test', 'why', 'edit')",
        "insert into city.trees (id, source_id, geom) select 'T' || n, 'test', 'SRID=5897;POINT(586000 1109000)' "
        "from generate_series(1, 3) n",
        "update city.trees set source_id = 'again' where id = 'T1'",
        "update city.trees set source_id = 'and again' where id = 'T1'",
        "insert into sensing.observed_property (id, name) values ('stage', 'stage')",
        "insert into sensing.thing (id, name, layer, feature) values ('S1', 'S1', 'trees', 'T1')",
        "insert into sensing.datastream (id, thing_id, observed_property, unit, title_vi, watched_layer, watched_id) "
        "values ('S1.stage', 'S1', 'stage', 'm', '', 'trees', 'T2')",
        "create table if not exists sensing.observation_2026_10 partition of sensing.observation "
        "for values from ('2026-10-01T00:00:00+00:00') to ('2026-11-01T00:00:00+00:00')",
        "insert into sensing.observation (datastream, phenomenon_time, result) "
        "select fid, '2026-10-05T00:00Z', 1 from sensing.datastream",
        "insert into sensing.latest (datastream, phenomenon_time, result, quality, first_time) "
        "select fid, '2026-10-05T00:00Z', 1, 1, '2026-10-05T00:00Z' from sensing.datastream",
        "insert into sensing.rollup select fid, 'hour', '2026-10-05T00:00Z', 1, 1, 1, 1, 1 from sensing.datastream",
        "insert into run.run (id, process, status, inputs, finished, summary, provenance) "
        "values ('r1', 'p', 'successful', '{}', now(), '{}', '{}')",
        "insert into run.raster (id, layer, path, bounds, fingerprint, run_id) "
        "values ('r1.depth', 'flood_depth', 'runs/r1/depth.tif', '{0,0,1,1}', '-', 'r1')",
        "insert into meta.load (source_id, layer, uri, finished, read, loaded, unchanged, quarantined) "
        "values ('s', 'trees', 'u', now(), 3, 1, 1, 1)",
        "insert into sensing.ledger (device, hour, received, stored, rejected) values ('d', now(), 3, 2, 1)",
    )
    write_state(connection, "test", declared="-", tolerance=0.1, lines=[], points=["trees"], next_node=2)
    found.do(
        "insert into network.node values ('test', 1, 0, 0, 0)",
        "insert into network.place select 'test', 0, fid, 1, 0, 0 from city.trees",
    )
    found.put("runs/r1/depth.tif")
    yield found


def break_loads(place: Place) -> str:
    place.do("update meta.load set loaded = 0")
    return "read 3, but loaded 0 + unchanged 1 + quarantined 1"


def break_quarantine(place: Place) -> str:
    place.do(
        "insert into meta.quarantine (load_id, source_id, layer, uri, reason, payload) "
        "select id, source_id, layer, uri, 'bad', '{}' from meta.load, generate_series(1, 2)"
    )
    return "says 1 rows in quarantine, 2 are there"


def break_readings(place: Place) -> str:
    place.do("alter table sensing.ledger drop constraint ledger_adds_up", "update sensing.ledger set stored = 1")
    return "received 3, but stored 1"


def break_versions(place: Place) -> str:
    place.do("update meta.layer_version set changed = changed - interval '1 hour' where layer = 'trees'")
    return "its clock says"


def break_tiles(place: Place) -> str:
    place.do("delete from meta.tile_mark where layer = 'trees'")
    return "no tile of it was ever marked"


def break_history_by_an_overlap(place: Place) -> str:
    place.do("update history.trees set recorded_to = recorded_to + interval '1 hour' where source_id = 'test'")
    return "two versions overlap"


def break_history_by_time(place: Place) -> str:
    place.do("update history.trees set valid_to = valid_from - interval '1 hour' where source_id = 'test'")
    return "ends in valid time before it begins"


def break_history_by_a_gap(place: Place) -> str:
    place.do(
        "update history.trees set ended_by = (select max(id) from meta.edit)",
        "alter table city.trees disable trigger user",
        "update city.trees set edit_id = (select max(id) from meta.edit), "
        "recorded_from = recorded_from + interval '1 hour' where id = 'T1'",
    )
    return "nothing is known from"


def break_history_by_an_edit(place: Place) -> str:
    place.do("update history.trees set ended_by = 987654321")
    return "edit 987654321 is not on record"


def break_network_by_age(place: Place) -> str:
    place.do("update network.commodity set changed = changed - interval '1 hour'")
    return "its layer trees was written at"


def break_network_by_a_feature(place: Place) -> str:
    place.do("update network.place set fid = 987654321 where fid = (select max(fid) from network.place)")
    return "is in the network and not in the layer"


def break_network_by_a_node(place: Place) -> str:
    place.do("delete from network.node")
    return "is named by a line or point and is not there"


def break_network_by_numbers(place: Place) -> str:
    place.do("update network.commodity set next_node = 1")
    return "gives numbers from 1 on and has node 1"


def break_run(place: Place) -> str:
    place.do("update run.run set summary = null")
    return "is successful and has no summary"


def break_results(place: Place) -> str:
    place.do("update run.run set status = 'failed', error = '{}'")
    return "is a result of run r1, which is failed"


def break_job(place: Place) -> str:
    place.do(
        "set local search_path to queue, public",
        "insert into queue.procrastinate_jobs (queue_name, task_name, priority, args, status) "
        "values ('runs', 'execute_run', 0, '{\"run_id\": \"gone\"}', 'todo')",
    )
    return "is to carry out run gone, which is not there"


def break_waiting_run(place: Place) -> str:
    place.do(
        "insert into run.run (id, process, status, inputs, updated) "
        "values ('r2', 'p', 'running', '{}', now() - interval '1 hour')"
    )
    return "no job is at it"


def break_thing(place: Place) -> str:
    place.do("update sensing.thing set feature = 'T9'")
    return "names trees T9, which is not there"


def break_series(place: Place) -> str:
    place.do("update sensing.datastream set watched_id = 'T9'")
    return "watches trees T9, which is not there"


def break_latest(place: Place) -> str:
    place.do("delete from sensing.observation")
    return "says its latest reading is of"


def break_month(place: Place) -> str:
    place.do("delete from sensing.latest", "drop table sensing.observation_2026_10")
    return "its readings are neither here nor retired"


def break_retiring(place: Place) -> str:
    place.do("create table sensing.retiring_2026_08 (like sensing.observation)")
    return "neither written to a file nor dropped"


def break_overview(place: Place) -> str:
    place.do("delete from meta.overview_mark")
    return "nothing waits to be drawn"


def break_raster(place: Place) -> str:
    (place.folder / "runs/r1/depth.tif").unlink()
    return "the file is not there"


def break_attachment(place: Place) -> str:
    place.do(
        "insert into inventory.attachment (layer, feature, sha256, media_type, filename, bytes, author) "
        "values ('trees', 'T1', 'ab12', 'image/png', 'a.png', 1, 'test')"
    )
    return "the file is not there"


def leave_raster(place: Place) -> str:
    place.put("rasters/lost.tif")
    return "no raster of the city is in this file"


def leave_attachment(place: Place) -> str:
    place.put("attachments/ab/ab12.png")
    return "no feature has this attachment"


def leave_run(place: Place) -> str:
    place.put("runs/gone/depth.tif")
    return "there is no such run"


def leave_work(place: Place) -> str:
    place.put("runs/.r1/checkpoint.npz")
    return "work left behind by a run that is successful"


BREAKS: tuple[tuple[str, Callable[[Place], str]], ...] = (
    ("loads", break_loads), ("loads", break_quarantine), ("readings", break_readings), ("versions", break_versions),
    ("versions", break_tiles), ("history", break_history_by_an_overlap), ("history", break_history_by_time),
    ("history", break_history_by_a_gap), ("history", break_history_by_an_edit), ("networks", break_network_by_age),
    ("networks", break_network_by_a_feature), ("networks", break_network_by_a_node),
    ("networks", break_network_by_numbers), ("runs", break_run), ("runs", break_results), ("jobs", break_job),
    ("jobs", break_waiting_run), ("sensors", break_thing), ("sensors", break_series), ("sensors", break_latest),
    ("months", break_month), ("months", break_retiring), ("overviews", break_overview), ("files", break_raster),
    ("files", break_attachment), ("orphans", leave_raster), ("orphans", leave_attachment), ("orphans", leave_run),
    ("orphans", leave_work),
)  # fmt: skip


def test_a_whole_city_breaks_none(place: Place) -> None:
    for one in INVARIANTS:
        found = one.find(Scene(place.connection, place.folder, 5))
        assert (one.id, found.count, found.breaches) == (one.id, 0, ())


@pytest.mark.parametrize(("name", "break_it"), BREAKS, ids=[one.__name__ for _, one in BREAKS])
def test_a_breach_is_found_with_its_place(place: Place, name: str, break_it: Callable[[Place], str]) -> None:
    words = break_it(place)
    found = select_invariants(name)[0].find(Scene(place.connection, place.folder, 5))
    assert found.count >= 1
    assert any(words in one.what for one in found.breaches), found.breaches
    assert all(one.place for one in found.breaches)


def test_every_invariant_is_broken_by_a_test() -> None:
    assert {name for name, _ in BREAKS} | {"audit"} == {one.id for one in INVARIANTS}
    assert all(one.remedy and one.title.vi != one.title.en for one in INVARIANTS)


def test_what_takes_too_long_is_said_and_the_rest_is_checked(engine: Engine, tmp_path: Path) -> None:
    with engine.connect() as blocker:
        # Whoever asks for the loads waits behind this for ever.
        blocker.execute(text("lock table meta.load in access exclusive mode"))
        chosen = [*select_invariants("loads"), *select_invariants("readings")]
        found = check_invariants(engine, chosen, tmp_path, most=3, within_s=0.2, report=lambda share, words: None)
    assert [(one.invariant.id, one.finished, one.count) for one in found] == [
        ("loads", False, 0),
        ("readings", True, 0),
    ]


def test_the_command_names_the_place_and_what_to_type(engine: Engine, tmp_path: Path) -> None:
    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        given = {"TWIN_DATABASE_URL": url, "TWIN_DATA_DIR": str(tmp_path)}
        return run_twin("check", *words, settings={**os.environ, **given})

    whole = call("--invariants", "--json")
    assert whole.returncode == 0, whole.stdout
    assert {one["invariant"] for one in json.loads(whole.stdout)["invariants"]} == {one.id for one in INVARIANTS}
    with engine.begin() as connection:
        connection.execute(text("insert into run.run (id, process, status, inputs) values ('r9', 'p', 'failed', '{}')"))
    broken = call("--invariant", "runs")
    assert broken.returncode == 1
    assert "run r9: failed and does not say why" in broken.stdout
    assert "type: twin run PROCESS again" in broken.stdout


def test_a_changed_entry_of_the_audit_is_found(engine: Engine, tmp_path: Path) -> None:
    write(engine, 3)
    seal_waiting(engine)
    with as_owner(engine) as connection:
        connection.execute(text("update audit.entry set name = 'nobody' where object = 'edit:1'"))
    found = check_invariants(
        engine, select_invariants("audit"), tmp_path, most=3, within_s=60.0, report=lambda share, words: None
    )
    assert [(one.finished, one.count) for one in found] == [(True, 1)]
    assert found[0].breaches[0].place.startswith("audit position")
