"""Backups and restores with real clusters: what was there comes back to the row, what is damaged is refused by name."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import text

from layers.errors import ConflictError, InputError, SetupError, SourceError, TwinError
from layers.store.cluster import start_cluster, stop_cluster
from layers.store.wal_archive import list_segments
from tests.commands import run_twin
from tests.twin.living_city import LivingCity, ask
from tests.whole_twin import ROOT
from twin.backup.drilling import drill_backup
from twin.backup.making import Order, make_backup
from twin.backup.manifest import NAME, Backup
from twin.backup.restoring import check_backup, restore_backup
from twin.backup.room import Target
from twin.backup.shelf import list_backups
from twin.backup.standing import read_standing

TREES = "select id, ST_AsEWKT(geom), recorded_from from city.trees order by id"
READINGS = "select datastream, phenomenon_time, result from sensing.observation order by 1, 2"
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def city() -> Iterator[LivingCity]:
    made = LivingCity()
    yield made
    made.close()


def be_quiet(_share: float, _message: str) -> None:
    """Follow no progress."""


def back_up(city: LivingCity, **order: object) -> Backup:
    time.sleep(max(0.0, 1.0 - time.time() % 1.0) if list_backups(city.settings.backups_dir) else 0.0)
    return make_backup(city.settings, city.settings.backups_dir, Order(**order), be_quiet)[0]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def first(city: LivingCity) -> Backup:
    """A backup that was made while somebody planted trees without a pause, one a transaction."""
    stop = threading.Event()

    def plant() -> None:
        with psycopg.connect(city.url, autocommit=True) as connection:
            for number in range(1_000, 1_000_000):
                if stop.is_set():
                    break
                connection.execute(
                    "insert into city.trees (id, source_id, geom) values (%s, 'test', 'SRID=5897;POINT(1 1)')",
                    (f"W{number}",),
                )

    writer = threading.Thread(target=plant)
    writer.start()
    try:
        return back_up(city)
    finally:
        stop.set()
        writer.join()


@pytest.fixture
def place(city: LivingCity) -> Iterator[Path]:
    """A folder for a restored city."""
    folder = city.folder / "restored"
    yield folder
    stop_cluster(folder / "run" / "postgres")
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def target_of(folder: Path) -> Target:
    return Target(folder / "run" / "postgres", folder / "data")


def restore(city: LivingCity, backup: Backup, target: Target, **options: object) -> object:
    folder = city.settings.backups_dir / backup.name
    return restore_backup(folder, backup, target, be_quiet, **options)  # type: ignore[arg-type]


def test_what_was_written_meanwhile_is_there_up_to_the_moment_and_no_further(
    city: LivingCity, first: Backup, place: Path
) -> None:
    restore(city, first, target_of(place))
    url = start_cluster(place / "run" / "postgres")
    expected = f"{TREES.partition(' order')[0]} where recorded_from < '{first.moment.isoformat()}' order by id"
    found = ask(url, TREES)
    assert len(found) == first.tables["city.trees"].rows > 20
    assert found == ask(city.url, expected)
    assert len(ask(city.url, TREES)) > len(found)
    assert ask(url, READINGS) == ask(city.url, READINGS)
    for path in first.files:
        assert (place / "data" / path).read_bytes() == (city.settings.data_dir / path).read_bytes()
    assert first.files.keys() >= {"raw/roads.csv", "processed/rasters/dem.tif"}
    # It is a city to live in: it takes new trees.
    with psycopg.connect(url) as connection:
        connection.execute("insert into city.trees (id, source_id, geom) select 'N', 'x', geom from city.trees limit 1")


def test_a_moment_holds_what_came_before_it_and_not_what_came_after(
    city: LivingCity, first: Backup, place: Path
) -> None:
    city.add_trees(range(100, 110))
    before = ask(city.url, TREES)
    readings = ask(city.url, READINGS)
    moment = city.now()
    city.add_trees(range(200, 210))
    city.add_readings(range(48, 60))
    await_archive(city, first)
    # As people of the city write it.
    words = moment.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).isoformat()
    done = call(city, "restore", "--to", words, "--into", str(place))
    assert done.returncode == 0, done.stderr
    assert f"the city 'test' as of {words[:19]}" in done.stdout
    url = start_cluster(place / "run" / "postgres")
    assert ask(url, TREES) == before
    assert ask(url, READINGS) == readings
    assert len(ask(city.url, TREES)) == len(before) + 10


def call(city: LivingCity, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a ``twin`` command on the city."""
    return run_twin(*words, settings={**os.environ, **city.environment})


def await_archive(city: LivingCity, backup: Backup) -> Path:
    """Return the folder of the archived log when all that was written up to now is in it."""
    with city.engine.connect() as connection:
        name = connection.execute(text("select pg_walfile_name(pg_current_wal_lsn())")).scalar_one()
        connection.execute(text("select pg_switch_wal()"))
    assert city.settings.wal_archive and backup.system_identifier
    archive = city.settings.wal_archive / backup.system_identifier
    deadline = time.monotonic() + PATIENCE_S
    while name not in list_segments(archive):
        assert time.monotonic() < deadline, f"{name} was not archived"
        time.sleep(0.05)
    return archive


def test_a_moment_before_the_backup_or_without_a_log_is_refused(city: LivingCity, first: Backup, place: Path) -> None:
    with pytest.raises(InputError, match="is before the backup"):
        restore(city, first, target_of(place), to=first.started, archive=city.settings.wal_archive)
    with pytest.raises(InputError, match="no archived log"):
        restore(city, first, target_of(place), to="latest", archive=city.folder / "nowhere")
    assert not place.exists()
    archive = await_archive(city, first)
    with pytest.raises(TwinError, match="recovery ended before configured recovery target"):
        restore(city, first, target_of(place), to=first.moment + timedelta(days=3650), archive=archive)
    assert not (place / "run" / "postgres" / "data").exists()


def test_a_city_is_never_overwritten_unasked_and_comes_back_when_a_restore_fails(
    city: LivingCity, first: Backup, place: Path
) -> None:
    (place / "data" / "raw").mkdir(parents=True)
    (place / "data" / "raw" / "dear.csv").write_text("dear")
    with pytest.raises(ConflictError, match="there is a city already"):
        restore(city, first, target_of(place))
    # A manifest that promises one row more than there is.
    promised = first.tables | {"city.trees": type(first.tables["city.trees"])(0, "0")}
    wrong = Backup(**{name: getattr(first, name) for name in first.__slots__} | {"tables": promised})
    with pytest.raises(TwinError, match=r"city.trees has [\d,]+ rows, expected 0"):
        restore(city, wrong, target_of(place), replace=True)
    assert (place / "data" / "raw" / "dear.csv").read_text() == "dear"
    assert not (place / "run" / "postgres" / "data").exists()


@pytest.mark.parametrize(
    "path", ["files/raw/roads.csv", "database/base/global/pg_control", "database/base/backup_manifest", NAME]
)
def test_a_damaged_file_is_refused_by_its_name(city: LivingCity, first: Backup, path: str) -> None:
    damaged = city.settings.backups_dir / first.name / path
    content = damaged.read_bytes()
    place = len(content) // 2
    damaged.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    try:
        if path == NAME:
            listed = list_backups(city.settings.backups_dir)
            assert [one.backup for one in listed if one.name == first.name] == [None]
            return
        with pytest.raises(SourceError, match=Path(path).name):
            check_backup(damaged.parents[len(Path(path).parts) - 1], first, be_quiet, files=True)
    finally:
        damaged.write_bytes(content)
    check_backup(city.settings.backups_dir / first.name, first, be_quiet, files=True)


def test_unchanged_files_are_shared_and_old_backups_go_with_their_log(city: LivingCity, first: Backup) -> None:
    archive = await_archive(city, first)
    city.add_raster("second")
    second = back_up(city, keep=1)
    shelf = city.settings.backups_dir
    assert [one.name for one in list_backups(shelf)] == [second.name]
    assert second.fresh_bytes == second.files["processed/rasters/second.tif"].bytes
    assert second.first_segment is not None
    assert min(name for name in list_segments(archive) if len(name) == 24) >= second.first_segment
    assert read_standing(shelf).backup_at == second.moment


def test_a_drill_proves_the_newest_backup_and_says_so(city: LivingCity) -> None:
    shelf = city.settings.backups_dir
    backup = list_backups(shelf)[-1].backup or back_up(city)
    city.add_trees(range(300, 305))
    await_archive(city, backup)
    done = drill_backup(city.settings, shelf, "latest", None, be_quiet)
    assert (done.ok, done.problem, done.backup, done.compared) == (True, None, backup.name, len(backup.tables))
    assert done.as_of is not None and done.as_of > backup.moment
    assert read_standing(shelf).drill_at == done.at
    assert not list(city.settings.state_dir.glob(".drill-*"))

    raster = shelf / backup.name / "files" / "processed" / "rasters" / "dem.tif"
    content = raster.read_bytes()
    raster.write_bytes(b"not a raster")
    failed = drill_backup(city.settings, shelf, "latest", None, be_quiet)
    raster.write_bytes(content)
    assert not failed.ok
    assert failed.problem and "dem.tif" in failed.problem
    assert read_standing(shelf).drill_at == done.at


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_backup_that_is_broken_off_leaves_nothing_that_looks_like_one(city: LivingCity, number: int) -> None:
    shelf = city.folder / f"broken-{number}"
    with psycopg.connect(city.url) as writer:
        # As long as this is not over, there is no moment without a writer.
        writer.execute("update city.trees set source_id = 'x' where id = 'T1'")
        process = subprocess.Popen(
            [sys.executable, "-m", "twin", "backup", "--folder", str(shelf)],
            cwd=ROOT, env={**os.environ, **city.environment}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        await_lock(writer, process)
        assert [path for path in shelf.iterdir() if path.name.startswith(".part-")]
        process.send_signal(number)
        process.communicate(timeout=PATIENCE_S)
        writer.rollback()
    assert process.returncode != 0
    assert list_backups(shelf) == []
    slots = "select count(*) from pg_replication_slots"
    deadline = time.monotonic() + PATIENCE_S
    while ask(city.url, slots) != [(0,)]:
        assert time.monotonic() < deadline, "a slot keeps the log for ever"
        time.sleep(0.05)
    if number == signal.SIGINT:
        assert not [path for path in shelf.iterdir() if path.name.startswith(".part-")]


def await_lock(writer: "psycopg.Connection[tuple[object, ...]]", process: "subprocess.Popen[str]") -> None:
    """Return when the backup waits for who writes."""
    waiting = "select count(*) from pg_locks where not granted and mode = 'ShareLock' and locktype = 'relation'"
    deadline = time.monotonic() + PATIENCE_S
    while True:
        count = writer.execute(waiting).fetchone()
        if count and count[0]:
            return
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_full_disk_ends_a_backup_and_leaves_nothing(city: LivingCity) -> None:
    shelf = city.folder / "small"
    shelf.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=420m", "tmpfs", str(shelf)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    huge = city.settings.raw_dir / "huge.bin"
    try:
        with huge.open("wb") as opened:
            opened.truncate(2_000_000_000)
        with pytest.raises(SetupError, match="No space left on device"):
            make_backup(city.settings, shelf, Order(), be_quiet)
        assert [path.name for path in shelf.iterdir()] == [".lock"]
        with (shelf / "filler").open("wb") as opened:
            opened.write(bytes(200_000_000))
        with pytest.raises(SetupError, match="GB free"):
            make_backup(city.settings, shelf, Order(), be_quiet)
    finally:
        huge.unlink()
        subprocess.run(["umount", str(shelf)], check=True)


def test_the_archive_never_overwrites_another_segment(city: LivingCity) -> None:
    script = city.settings.state_dir / "postgres" / "archive-segment"
    folder, segment = city.folder / "archive", city.folder / "segment"
    folder.mkdir()
    segment.write_bytes(b"first")

    def archive() -> int:
        return subprocess.run([script, segment, folder, "000000010000000000000001"], check=False).returncode

    assert [archive(), archive()] == [0, 0]
    segment.write_bytes(b"other")
    assert archive() != 0
    assert [path.name for path in folder.iterdir()] == ["000000010000000000000001.gz"]


def test_a_dump_goes_into_another_server(city: LivingCity, place: Path) -> None:
    dump = back_up(city, dump=True)
    assert (dump.kind, dump.point) == ("dump", None)
    with psycopg.connect(city.url, autocommit=True) as connection:
        connection.execute("create database another")
    url = f"{city.url.rpartition('/')[0]}/another"
    restore(city, dump, Target(None, place / "data", url))
    assert ask(url, TREES) == ask(city.url, TREES)
    assert (place / "data" / "raw" / "roads.csv").exists()
    with pytest.raises(ConflictError, match="holds tables already"):
        restore(city, dump, Target(None, None, url), replace=True)
    with pytest.raises(InputError, match="is a dump"):
        restore(city, dump, Target(None, None, url), to="latest")


def test_the_commands_say_what_they_did(city: LivingCity) -> None:
    listed = json.loads(call(city, "backup", "list", "--json").stdout)
    assert listed["backups"][-1]["city"] == "test"
    assert listed["backup_at"] is not None
    assert listed["archive"]["segment"] and not listed["archive"]["failing"]
    refused = call(city, "restore", "latest", "--here")
    assert refused.returncode == 1
    assert refused.stderr.startswith("twin: this would replace the living city")
    city.now()
    refused = call(city, "restore", "latest", "--here", "--replace")
    assert refused.returncode == 1
    assert "connections to the city's database are open: twin" in refused.stderr
