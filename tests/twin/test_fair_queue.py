"""The queue under many: everybody's first run first, and a place for the flood loop in a worker that is full."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text

from layers.store.engine import plain_url
from tests.commands import start_twin
from twin.jobs import work
from twin.observing.context import bound
from twin.queue import LOOP, QUICK, choose_priority, defer_run
from twin.registry import PROCESSES
from twin.settings import Settings
from twin.store import create_run, read_run
from twin.store_queue import count_waiting, count_workers, has_waiting, lock_queue

WITHIN_S = 120.0


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Settings:
    """Settings of a worker with one place."""
    folder = tmp_path_factory.mktemp("fair")
    return Settings(data_dir=folder, database_url=plain_url(engine), run_dir=folder, loop_minutes=0, worker_threads=1)


def enter(engine: Engine) -> str:
    """Enter a run of a process that does not exist: it is carried out by saying so."""
    with engine.begin() as connection:
        return create_run(connection, process="gone", inputs={}, title=PROCESSES["flood-forecast"].title)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def status(engine: Engine, run_id: str) -> str:
    with engine.connect() as connection:
        return read_run(connection, run_id).status


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """Run a worker as an operator starts it."""
    environment = {
        **os.environ,
        "TWIN_DATABASE_URL": str(settings.database_url),
        "TWIN_DATA_DIR": str(settings.data_dir),
        "TWIN_RUN_DIR": str(settings.run_dir),
        "TWIN_LOOP_MINUTES": "0",
        "TWIN_WORKER_THREADS": "1",
    }
    worker = start_twin("worker", settings=environment)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(60)


def test_the_first_of_everybody_comes_before_the_second_of_anybody(engine: Engine, settings: Settings) -> None:
    names: dict[str, str] = {}
    for who, quick in (("ann", False), ("ann", False), ("ann", False), ("binh", False), ("chi", True), ("binh", True)):
        with bound({"who": who}), engine.begin() as turn:
            lock_queue(turn)
            ahead = count_waiting(turn, who)[1]
            run_id = enter(engine)
            names[run_id] = f"{who} {ahead + 1}{' quick' if quick else ''}"
            defer_run(engine, run_id, priority=choose_priority(ahead, quick=quick))
    with engine.connect() as connection:
        assert count_waiting(connection, "ann") == (6, 3)
        assert count_waiting(connection, "nobody") == (6, 0)
    work(engine, settings, once=True)
    with engine.connect() as connection:
        begun = connection.execute(
            text(
                "select j.args ->> 'run_id' from queue.procrastinate_jobs j join queue.procrastinate_events e "
                "on e.job_id = j.id and e.type = 'started' where j.args ->> 'run_id' = any(:ids) order by e.id"
            ),
            {"ids": list(names)},
        ).scalars()
        order = [names[run_id] for run_id in begun]
    assert order == ["chi 1 quick", "binh 2 quick", "ann 1", "binh 1", "ann 2", "ann 3"]


def test_a_quick_run_stands_before_all_others_however_many_its_owner_has() -> None:
    assert choose_priority(QUICK // 2, quick=True) > choose_priority(0, quick=False) > choose_priority(1, quick=False)


def test_a_full_worker_carries_out_the_loops_run_at_once(engine: Engine, settings: Settings) -> None:
    long, waiting, loop = enter(engine), enter(engine), enter(engine)
    with engine.connect() as holder:
        # The worker cannot begin this run while we hold its record: its one place is taken for as long as we like.
        holder.execute(text("select from run.run where id = :id for update"), {"id": long})
        with working(settings):
            defer_run(engine, long)
            wait_for(lambda: _is_taken(engine, long))
            defer_run(engine, waiting)
            defer_run(engine, loop, queue=LOOP)
            wait_for(lambda: status(engine, loop) == "failed")
            assert status(engine, waiting) == "accepted"
            with engine.connect() as connection:
                assert not has_waiting(connection, LOOP)
                # The place for the loop is no other worker.
                assert count_workers(connection, seen_within_s=60.0) == 1
            holder.rollback()
            wait_for(lambda: status(engine, waiting) == "failed")


def _is_taken(engine: Engine, run_id: str) -> bool:
    with engine.connect() as connection:
        return bool(
            connection.execute(
                text(
                    "select exists (select from queue.procrastinate_jobs "
                    "where status = 'doing' and args ->> 'run_id' = :id)"
                ),
                {"id": run_id},
            ).scalar_one()
        )
