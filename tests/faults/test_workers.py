"""Workers that die, are told to leave, or meet a run that kills them: no run is lost, none is applied twice."""

import signal
from collections.abc import Mapping
from pathlib import Path

from layers.registry import RASTER_LAYERS
from tests.faults.plant import Plant, Process, wait_for
from twin.queue import defer_run
from twin.registry import PROCESSES
from twin.runs import MOST_ATTEMPTS, execute, submit_run

LONG = {"stage_level": 2.0, "ramp_hours": 24, "horizon_hours": 72, "output_minutes": 5}
SHORT = {"stage_level": 2.0, "ramp_hours": 1.0, "horizon_hours": 3.0}
MANY = {**SHORT, "horizon_hours": 12.0, "members": 10, "stage_spread": 0.1, "past_hours": 0.0, "cell_size": 10.0}


def check_written_once(plant: Plant, run_id: str, process: str) -> None:
    """Check that a run's rasters, features and files are there once, and that nothing else is left of it."""
    assert plant.list_rasters(run_id) == sorted(set(PROCESSES[process].outputs) & set(RASTER_LAYERS))
    assets = f"from city.flood_assets where run_id = '{run_id}'"
    assert plant.read_value(f"select count(*) {assets}") == plant.read_value(f"select count(distinct id) {assets}")
    assert plant.read_value(f"select count(*) from meta.source where id = 'run:{run_id}'") == 1
    # The work folder goes after the results are there.
    wait_for(lambda: f".{run_id}" not in plant.list_leftovers(), "nothing is left")


def start_run(plant: Plant, process: str, inputs: Mapping[str, object]) -> tuple[str, Process]:
    """Return a run that a worker carries out, and the worker."""
    run_id, worker = plant.ask(process, inputs), plant.take_worker()
    wait_for(lambda: plant.read_run(run_id).progress > 5.0, f"{process} is on its way")
    return run_id, worker


def test_a_run_of_a_killed_worker_is_carried_out_once(plant: Plant) -> None:
    run_id, worker = start_run(plant, "flood-scenario", LONG)
    plant.end(worker, signal.SIGKILL)
    left = plant.read_run(run_id)
    assert (left.status, left.attempts) == ("running", 1)
    plant.take_worker()
    wait_for(lambda: plant.read_run(run_id).status == "successful", "another worker finds the run")
    assert plant.read_run(run_id).attempts == 2
    check_written_once(plant, run_id, "flood-scenario")


def test_who_lost_a_run_writes_nothing(plant: Plant) -> None:
    run_id, _ = start_run(plant, "flood-scenario", LONG)
    # As where a network is cut: the worker computes on, and holds nothing any more.
    plant.write("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
    wait_for(lambda: not plant.read_value("select count(*) from pg_locks where locktype = 'advisory'"), "no lock")
    run = execute(plant.engine, plant.settings, run_id)
    assert (run.status, run.attempts) == ("successful", 2)
    wait_for(
        lambda: not plant.read_value("select count(*) from queue.procrastinate_jobs where status in ('todo', 'doing')"),
        "the worker parts with the run",
    )
    assert plant.read_run(run_id).attempts == 2
    check_written_once(plant, run_id, "flood-scenario")


def test_a_run_that_kills_workers_is_given_up_and_others_go_on(plant: Plant) -> None:
    poisoned = submit_run(plant.engine, "flood-scenario", LONG)
    # It killed all workers but the last.
    plant.write("update run.run set attempts = :n where id = :id", n=MOST_ATTEMPTS - 1, id=poisoned)
    worker = plant.take_worker()
    defer_run(plant.engine, poisoned)
    other = plant.ask("flood-scenario", SHORT)
    wait_for(lambda: plant.read_run(poisoned).status == "running", "it is started for the last time")
    plant.end(worker, signal.SIGKILL)
    plant.take_worker()
    wait_for(lambda: plant.read_run(other).status == "successful", "the run behind it is carried out")
    wait_for(lambda: plant.read_run(poisoned).status == "failed", "it is given up")
    assert f"left unfinished {MOST_ATTEMPTS} times" in plant.read_error(poisoned)["message"]
    assert plant.list_rasters(poisoned) == []
    wait_for(lambda: plant.list_leftovers() == [], "nothing is left")


def test_who_is_told_to_stop_hands_its_run_back_with_the_members_that_are_done(plant: Plant) -> None:
    run_id, worker = start_run(plant, "flood-ensemble", MANY)
    shelf = plant.settings.processed_dir / "runs" / f".{run_id}" / "kept"
    wait_for(lambda: len(list_kept(shelf)) > 1, "members are done")
    assert plant.end(worker) == 0
    left, kept = plant.read_run(run_id), list_kept(shelf)
    assert (left.status, left.attempts) == ("accepted", 0) and 1 < len(kept) < 10
    plant.take_worker()
    while plant.read_run(run_id).status in ("accepted", "running"):
        # None of them is written anew.
        present = list_kept(shelf)
        assert not present or plant.read_run(run_id).status == "successful" or kept.items() <= present.items()
    assert (plant.read_run(run_id).status, plant.read_run(run_id).attempts) == ("successful", 1)
    check_written_once(plant, run_id, "flood-ensemble")


def list_kept(shelf: Path) -> dict[str, tuple[int, int]]:
    """Return which file each finished member lies in."""
    found = {}
    for path in shelf.glob("*"):
        if not path.suffix:
            told = path.stat()
            found[path.name] = (told.st_ino, told.st_mtime_ns)
    return found


def test_a_run_that_lost_its_job_is_found(plant: Plant) -> None:
    plant.take_worker()
    run_id = submit_run(plant.engine, "flood-scenario", SHORT)
    plant.write("update run.run set updated = now() - interval '1 hour' where id = :id", id=run_id)
    wait_for(lambda: plant.read_run(run_id).status == "successful", "the run without a job is carried out")


def test_a_database_that_restarts_costs_no_run(plant: Plant) -> None:
    run_id, worker = start_run(plant, "flood-scenario", LONG)
    plant.break_database()
    plant.start_database()
    wait_for(lambda: plant.read_run(run_id).status == "successful", "the run is carried out")
    check_written_once(plant, run_id, "flood-scenario")
    again = plant.ask("flood-scenario", SHORT)
    wait_for(lambda: plant.read_run(again).status == "successful", "the worker follows the queue again")
    assert worker.poll() is None
