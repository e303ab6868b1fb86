"""Members in processes of their own: in order, named when they fail, gone after."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from layers.errors import InputError, TwinError
from layers.schema import Text
from layers.store.engine import open_engine, plain_url
from twin.board import LEFT_S, Board
from twin.ensemble import help_members, run_members
from twin.parcel import read_parcel, write_parcel
from twin.process import Progress, Quiet, StoppedError
from twin.store import create_run


def follow_task(task: str, progress: Progress) -> str:
    """Do what a task's word says, in the process of a member."""
    match task.split():
        case ["sleep", seconds]:
            end = time.monotonic() + float(seconds)
            while time.monotonic() < end:
                if progress.should_stop():
                    raise StoppedError
                progress.report(1.0 - (end - time.monotonic()) / float(seconds), "")
                time.sleep(0.02)
        case ["die"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["refuse"]:
            raise InputError("depth is -1 m, expected 0 or more", hint="look at the terrain")
        case ["fail"]:
            raise ValueError("it broke")
    return f"{task} in {os.getpid()}"


def run(*words: str, progress: Quiet | None = None, processes: int = 2) -> list[str]:
    tasks = [(f"member {number}", word) for number, word in enumerate(words, start=1)]
    with closing(
        run_members(follow_task, tasks, count=len(words), progress=progress or Quiet(), processes=processes)
    ) as results:
        return list(results)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No process of a member outlives its test."""
    before = set(multiprocessing.active_children())
    yield
    assert set(multiprocessing.active_children()) <= before


def test_results_come_in_the_order_of_the_tasks() -> None:
    results = run("sleep 0.6", "sleep 0", "sleep 0.01")
    assert [result.split(" in ")[0] for result in results] == ["sleep 0.6", "sleep 0", "sleep 0.01"]
    pids = [int(result.split(" in ")[1]) for result in results]
    assert os.getpid() not in pids
    assert pids[1] == pids[2] != pids[0], "the free process takes the next member"


@pytest.mark.parametrize(
    ("word", "error", "message"),
    [
        ("die", TwinError, r"^member 2: its process ended with signal 9 \(SIGKILL\)$"),
        ("refuse", InputError, "^member 2: depth is -1 m, expected 0 or more — look at the terrain$"),
        ("fail", TwinError, "^member 2: ValueError: it broke$"),
    ],
)
def test_a_member_that_fails_is_named(word: str, error: type[TwinError], message: str) -> None:
    with pytest.raises(error, match=message):
        run("sleep 0", word, "sleep 30")


class Impatient(Quiet):
    """Progress that asks to stop once the work is a little under way."""

    def __init__(self, after: float) -> None:
        self.after, self.fractions = after, [0.0]

    def report(self, fraction: float, message: str) -> None:
        self.fractions.append(fraction)

    def should_stop(self) -> bool:
        return self.fractions[-1] > self.after


def test_a_stop_ends_all_members_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(StoppedError):
        run("sleep 60", "sleep 60", "sleep 60", progress=Impatient(0.001))
    assert time.monotonic() - began < 30.0


def test_progress_adds_up_the_members_and_only_grows() -> None:
    progress = Impatient(2.0)
    run("sleep 0.8", "sleep 0.8", progress=progress)
    assert progress.fractions == sorted(progress.fractions)
    assert progress.fractions[-1] == 1.0
    assert any(0.1 < fraction < 0.9 for fraction in progress.fractions)


def test_tasks_are_made_when_a_process_is_free() -> None:
    made: list[int] = []

    def make() -> Iterator[tuple[str, str]]:
        for number in range(4):
            made.append(number)
            yield str(number), "sleep 0"

    with closing(run_members(follow_task, make(), count=4, progress=Quiet(), processes=1)) as results:
        next(results)
        assert made == [0], "one process, and its first result not yet looked at"
        assert len(list(results)) == 3


def test_a_parcel_is_mapped_and_changes_stay_with_the_reader(tmp_path: Path) -> None:
    value = {
        "stage": np.arange(12.0).reshape(3, 4),
        "wet": np.array([True, False]),
        "name": "sông",
        "none": np.empty(0),
    }
    write_parcel(tmp_path / "parcel", value)
    first, second = read_parcel(tmp_path / "parcel"), read_parcel(tmp_path / "parcel")
    first["stage"][0, 0] = 99.0
    assert second["name"] == "sông" and second["none"].size == 0
    np.testing.assert_array_equal(second["stage"], value["stage"])
    np.testing.assert_array_equal(second["wet"], value["wet"])
    assert not second["stage"].flags.owndata and second["stage"].ctypes.data % 64 == 0


@pytest.fixture(scope="module")
def engine(make_database: Callable[..., str]) -> Iterator[Engine]:
    opened = open_engine(make_database("members"))
    yield opened
    opened.dispose()


@pytest.fixture
def board(engine: Engine) -> Iterator[Board]:
    """A board that this machine opened."""
    with engine.begin() as connection:
        run_id = create_run(connection, process="flood-ensemble", inputs={}, title=Text("một", "one"))
    opened = Board(engine, run_id)
    opened.open("here", follow_task)
    yield opened
    opened.close()


def help_there(url: str, run_id: str) -> None:
    """Help as another machine would, with one process and nothing but the database."""
    there = Board(open_engine(url), run_id)
    help_members(there, processes=1)
    there.leave()


def start_helper(board: Board, engine: Engine) -> BaseProcess:
    helper = multiprocessing.get_context("spawn").Process(target=help_there, args=(plain_url(engine), board.run_id))
    helper.start()
    return helper


def run_on(board: Board, *words: str) -> list[str]:
    tasks = [(f"member {number}", word) for number, word in enumerate(words, start=1)]
    shared = run_members(follow_task, tasks, count=len(words), progress=Quiet(), processes=1, board=board)
    with closing(shared) as results:
        return list(results)


def test_another_machine_takes_members_and_hands_them_in(board: Board, engine: Engine) -> None:
    helper = start_helper(board, engine)
    try:
        words = [f"sleep 0.{50 + k}" for k in range(12)]
        results = run_on(board, *words)
    finally:
        board.close()
        helper.join(20.0)
    assert [result.split(" in ")[0] for result in results] == words
    assert len({result.split(" in ")[1] for result in results}) == 2
    assert helper.exitcode == 0


def test_a_member_left_by_its_machine_is_taken_over_and_counts_once(board: Board, engine: Engine) -> None:
    board.offer(0, "member 1", "sleep 0")
    other, third = Board(engine, board.run_id), Board(engine, board.run_id)
    assert other.claim() == (0, "member 1", "sleep 0")
    assert third.claim() is None
    with engine.begin() as connection:
        connection.execute(text("update run.member set kept = kept - make_interval(secs => :s)"), {"s": 2.0 * LEFT_S})
    assert third.claim() == (0, "member 1", "sleep 0")
    assert not other.settle(0, "late"), "it is the third's now"
    assert third.settle(0, "in time") and not third.settle(0, "again")
    assert board.collect([0]) == [(0, "in time")]
    for each in (other, third):
        each.leave()


def test_what_is_shared_lies_in_a_folder_of_each_machine(board: Board, engine: Engine) -> None:
    stage = np.arange(3_000_000, dtype=np.float64)
    write_parcel(board.folder / "shared", {"stage": stage, "noise": np.random.default_rng(1).random(1_000_000)})
    board.offer(0, "member 1", [board.folder / "shared"])
    other = Board(engine, board.run_id)
    claimed = other.claim()
    assert claimed is not None
    (path,) = claimed[2]
    assert path == other.folder / "shared" != board.folder / "shared"
    np.testing.assert_array_equal(read_parcel(path)["stage"], stage)
    other.leave()


def test_a_member_that_fails_elsewhere_is_named(board: Board, engine: Engine) -> None:
    helper = start_helper(board, engine)
    try:
        with pytest.raises(InputError, match=r"^member \d: depth is -1 m, expected 0 or more"):
            run_on(board, "sleep 5", "refuse", "refuse", "refuse")
    finally:
        board.close()
        helper.join(20.0)
    assert helper.exitcode == 0
