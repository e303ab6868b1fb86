"""Signs of life: written by real processes, gone when they take leave, missed when they die; figures on a port."""

import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from layers.store.engine import plain_url
from tests.commands import start_twin
from twin.observing.checks import check_migrations, check_parts, check_workers
from twin.observing.heart import PORTS, Heart
from twin.observing.work import WorkFigures
from twin.settings import Settings
from twin.store_observing import FORGET_S, SILENT_S, ProcessRow, give_sign, list_processes


@pytest.fixture
def settings(engine: Engine, tmp_path: Path) -> Settings:
    return Settings(database_url=plain_url(engine), data_dir=tmp_path, run_dir=tmp_path, machine="here")


def wait_for(found: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def list_parts(engine: Engine) -> dict[str, ProcessRow]:
    with engine.connect() as connection:
        return {row.part: row for row in list_processes(connection)}


def test_a_heart_beats_and_takes_leave(engine: Engine, settings: Settings) -> None:
    figures = WorkFigures()
    with figures.measure("execute_run"):
        pass
    heart = Heart(settings, "worker", figures.registry, beat_s=0.05)
    heart.start()
    wait_for(lambda: "worker" in list_parts(engine), "a first sign")
    first = list_parts(engine)["worker"]
    assert (first.machine, first.pid, first.is_alive) == ("here", os.getpid(), True)
    assert 'twin_job_duration_seconds_count{outcome="done",task="execute_run"} 1.0' in first.figures
    wait_for(lambda: list_parts(engine)["worker"].seen > first.seen, "another sign")
    heart.stop()
    assert "worker" not in list_parts(engine)


def test_a_database_that_is_away_is_waited_for(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    heart = Heart(away, "alarms", None, beat_s=0.05)
    heart.start()
    wait_for(lambda: heart._said, "it says that the database is away")
    away.database_url = settings.database_url
    wait_for(lambda: "alarms" in list_parts(engine), "a sign once the database is there")
    heart.stop()


@pytest.fixture
def silent(engine: Engine) -> Iterator[None]:
    """A process that died a minute ago, and one that died long since."""
    with engine.begin() as connection:
        for part, machine, age in (("ingest", "dead", SILENT_S + 15.0), ("alarms", "gone", FORGET_S + 60.0)):
            give_sign(connection, part, machine, 7, "")
            connection.execute(
                text("update observing.process set seen = seen - make_interval(secs => :age) where machine = :machine"),
                {"age": age, "machine": machine},
            )
    yield
    with engine.begin() as connection:
        connection.execute(text("delete from observing.process"))


def test_a_process_that_died_is_missed(engine: Engine, silent: None) -> None:
    with engine.begin() as connection:
        give_sign(connection, "warnings", "here", 8, "")
        checks = {check.name: check for check in check_parts(connection)}
    assert checks["ingest"].state == "degraded"
    assert checks["ingest"].hint == "type: twin sensors ingest"
    assert checks["warnings"].state == "ok"
    # One that is silent for an hour was stopped by somebody.
    assert "alarms" not in checks


def test_tables_older_than_the_program_cannot_be_served(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        assert check_migrations(connection).state == "ok"
        for revision, state in (("0001", "failed"), ("9999", "degraded")):
            connection.execute(text("update meta.alembic_version set version_num = :it"), {"it": revision})
            assert check_migrations(connection).state == state
        transaction.rollback()


def find_free_range() -> int:
    """Return the first of ports that nobody has."""
    for first in range(20_000, 60_000, 50):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", first + PORTS["worker"]))
            except OSError:
                continue
            return first
    raise AssertionError("no port is free")


def test_a_real_worker_is_seen_in_the_database_and_on_its_port(engine: Engine, tmp_path: Path) -> None:
    first = find_free_range()
    environment = {
        **os.environ, "TWIN_DATABASE_URL": plain_url(engine), "TWIN_DATA_DIR": str(tmp_path),
        "TWIN_RUN_DIR": str(tmp_path), "TWIN_METRICS_PORT": str(first), "TWIN_LOOP_MINUTES": "0",
    }  # fmt: skip
    worker = start_twin("worker", settings=environment)
    try:
        wait_for(lambda: "worker" in list_parts(engine), "the worker gives a sign")
        assert list_parts(engine)["worker"].pid == worker.pid
        with engine.connect() as connection:
            wait_for(lambda: check_workers(connection).state == "ok", "the queue knows it")
        with urllib.request.urlopen(f"http://127.0.0.1:{first + PORTS['worker']}/metrics", timeout=10) as answer:
            assert b"twin_jobs_at_work 0.0" in answer.read()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
        assert "worker" not in list_parts(engine)
    finally:
        worker.kill()
        worker.wait()
