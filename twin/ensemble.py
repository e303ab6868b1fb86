"""Many computations side by side, each in a process of its own: members of an ensemble, cases of a comparison.

A process takes one member after another. It may not outlive the work: one that is stopped, dies or is left alone by
whoever started it ends, and a member that dies with it is named. On a board (twin/board.py) other machines take
members too.
"""

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any, TypeVar

from layers.errors import TwinError
from twin.board import Board
from twin.process import Checkpoint, Progress, StoppedError
from twin.shelf import Shelf, Sign, sign_plainly

Task = TypeVar("Task")
Result = TypeVar("Result")

TELL_S = 0.25
"""How often a member says how far it is, and how often somebody looks whether to stop."""

END_WITHIN_S = 5.0
IDLE_S = 120.0
AHEAD = 16
"""Tasks that lie on a board at a time: enough for many machines, few enough to make them late."""

_IDLE = -1


def count_processes(members: int) -> int:
    """Return how many processes ``members`` are computed in: one a core this program may use."""
    return max(1, min(members, len(os.sched_getaffinity(0))))


@contextlib.contextmanager
def open_folder(progress: Progress, compute: Callable[[Any, Progress], Any]) -> Generator[tuple[Path, Board | None]]:
    """Give a folder for what members share, and the board on it where other machines help; both are gone after."""
    board = progress.open_board(compute)
    if board is None:
        with tempfile.TemporaryDirectory(prefix="members-") as folder:
            yield Path(folder), None
        return
    try:
        yield board.folder, board
    finally:
        board.close()


def run_members(
    compute: Callable[[Task, Progress], Result],
    tasks: Iterable[tuple[str, Task]],
    *,
    count: int,
    progress: Progress,
    processes: int | None = None,
    board: Board | None = None,
    sign: Sign = sign_plainly,
) -> Generator[Result, None, None]:
    """Yield ``compute(task, progress)`` of every (name, task), in their order, as many at a time as cores.

    ``compute`` is a function of a module, tasks and results can be pickled; a task is asked for when a process is free
    for it. Close the generator (``contextlib.closing``) where it may not be used up: that ends all processes. Raise
    StoppedError when asked to stop, and what a member raised, with its name before the message. With a ``board``
    tasks are offered on it, some ahead, and results of others taken from it. Members an interrupted attempt left whose
    task has the same ``sign`` are not computed again.
    """
    crew = _Crew(compute, processes or count_processes(count))
    kept = progress.open_shelf()
    shelf = None if kept is None else Shelf(kept, sign)
    numbered = _number(tasks) if shelf is None else shelf.sift(tasks)
    desk = _Own(numbered) if board is None else _Shared(numbered, board)
    done: dict[int, Result] = {}
    taken = finished = 0
    try:
        while taken < count:
            while crew.has_room() and (work := desk.take()) is not None:
                crew.give(*work)
            fresh: dict[int, Result] = {}
            for hand in crew.wait():
                number, news = hand.hear()
                if news is not None:
                    desk.finish(number)
                    fresh[number] = news[0]
            fresh.update(desk.collect(crew.list_numbers()))
            if shelf is not None:
                for number, result in fresh.items():
                    shelf.keep(number, result)
                fresh.update(shelf.take())
            finished += len(fresh)
            done.update(fresh)
            progress.report(
                min((finished + crew.share) / count, 1.0), f"{finished} trong {count} lần tính — of {count} runs done"
            )
            if progress.should_stop():
                raise StoppedError
            while taken in done:
                yield done.pop(taken)
                taken += 1
    finally:
        crew.end()


def help_members(board: Board, *, processes: int | None = None, idle_s: float = IDLE_S) -> int:
    """Compute members of another machine's ``board`` until it is closed or offers none for ``idle_s`` [s].

    Return how many. A member that fails is handed in as what it raised; who offers decides what it means.
    """
    computed, last = 0, time.monotonic()
    opened = board.read()
    if opened is None:
        return 0
    crew = _Crew(opened[1], processes or count_processes(len(os.sched_getaffinity(0))))
    try:
        while board.read() is not None and (crew.list_numbers() or time.monotonic() - last < idle_s):
            while crew.has_room() and (claimed := board.claim()) is not None:
                crew.give(*claimed)
            for hand in crew.wait():
                number = hand.number
                try:
                    _, news = hand.hear()
                except TwinError as error:
                    board.settle(number, error)
                    crew.dismiss(hand)
                else:
                    if news is not None and board.settle(number, news[0]):
                        computed += 1
            if at_work := crew.list_numbers():
                board.keep(at_work)
                last = time.monotonic()
    finally:
        crew.end()
    return computed


def _number(tasks: Iterable[tuple[str, Any]]) -> Iterator[tuple[int, str, Any]]:
    for number, (name, task) in enumerate(tasks):
        yield number, name, task


class _Own:
    """Tasks that only this machine computes."""

    def __init__(self, tasks: Iterator[tuple[int, str, Any]]) -> None:
        self._tasks = tasks

    def take(self) -> tuple[int, str, Any] | None:
        """Return the next member to compute, or None when all are given."""
        return next(self._tasks, None)

    def finish(self, number: int) -> None:
        """Note that a member of this machine is done."""

    def collect(self, _own: list[int]) -> list[tuple[int, Any]]:
        """Return nothing: nobody else computes."""
        return []


class _Shared:
    """Tasks on a board: this machine takes what no other has taken."""

    def __init__(self, tasks: Iterator[tuple[int, str, Any]], board: Board) -> None:
        self._tasks, self._board = tasks, board
        self._waiting: set[int] = set()

    def take(self) -> tuple[int, str, Any] | None:
        """Offer some more and return one that is now this machine's, or None where others have them all."""
        while len(self._waiting) < AHEAD and (task := next(self._tasks, None)) is not None:
            self._board.offer(*task)
            self._waiting.add(task[0])
        return self._board.claim()

    def finish(self, number: int) -> None:
        """Take a member of this machine off the board."""
        self._waiting.discard(number)
        self._board.finish(number)

    def collect(self, own: list[int]) -> list[tuple[int, Any]]:
        """Return what other machines handed in; raise what a member of theirs raised."""
        self._board.keep(own)
        found = self._board.collect(sorted(self._waiting.difference(own)))
        self._waiting.difference_update(number for number, _ in found)
        return found


class _Crew:
    """Processes that compute members, at most ``most`` of them."""

    def __init__(self, compute: Callable[[Any, Progress], Any], most: int) -> None:
        self._compute, self._most = compute, most
        self._context = multiprocessing.get_context("spawn")
        self._hands: list[_Hand] = []

    def has_room(self) -> bool:
        """Return whether a process is free or may be started."""
        return len(self._hands) < self._most or any(hand.number == _IDLE for hand in self._hands)

    def give(self, number: int, name: str, task: object) -> None:
        """Let a free process, or a new one, compute a member."""
        hand = next((free for free in self._hands if free.number == _IDLE), None)
        if hand is None:
            self._hands.append(hand := _Hand(self._context, self._compute))
        hand.give(number, name, task)

    def list_numbers(self) -> list[int]:
        """Return the members being computed."""
        return [hand.number for hand in self._hands if hand.number != _IDLE]

    @property
    def share(self) -> float:
        """How much of the members being computed is done, in members."""
        return sum(hand.share for hand in self._hands)

    def wait(self) -> "list[_Hand]":
        """Return the busy ones that have something to say, after a while at most."""
        busy = {hand.pipe: hand for hand in self._hands if hand.number != _IDLE}
        if not busy:
            time.sleep(TELL_S)
        return [busy[pipe] for pipe in wait(list(busy), timeout=TELL_S) if isinstance(pipe, Connection)]

    def dismiss(self, hand: "_Hand") -> None:
        """Part with a process whose member failed."""
        self._hands.remove(hand)
        hand.pipe.close()
        hand.end()

    def end(self) -> None:
        """End all processes."""
        for hand in self._hands:
            hand.pipe.close()
        for hand in self._hands:
            hand.end()


class _Hand:
    """A process that computes members, and the one it is at."""

    def __init__(self, context: SpawnContext, compute: Callable[[Any, Progress], Any]) -> None:
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, compute))
        self._process.start()
        theirs.close()
        self.number = _IDLE
        self.share = 0.0
        self._name = ""

    def give(self, number: int, name: str, task: object) -> None:
        """Let it compute member ``number``."""
        self.number, self._name, self.share = number, name, 0.0
        with contextlib.suppress(BrokenPipeError):  # The reader will find that it is gone, and say who went with it.
            self.pipe.send(task)

    def hear(self) -> tuple[int, tuple[Any] | None]:
        """Return its member and (result,), or None while it is still at work; raise what the member raised."""
        try:
            kind, news = self.pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(END_WITHIN_S)
            raise TwinError(f"{self._name}: its process ended with {_explain(self._process.exitcode)}") from error
        number = self.number
        if kind == "failed":
            raise type(news)(f"{self._name}: {news.message}", hint=news.hint)
        if kind == "share":
            self.share = max(self.share, news)
            return number, None
        self.number, self.share = _IDLE, 0.0
        return number, (news,)

    def end(self) -> None:
        """End the process: by itself, as its pipe is closed and what it computes looks whether to stop, or by force."""
        for force in (None, self._process.terminate, self._process.kill):
            if force is not None and self._process.is_alive():
                force()
            self._process.join(END_WITHIN_S)
        self._process.close()


def _explain(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code} ({signal.Signals(-code).name})"
    return f"exit code {code}"


def _serve(pipe: Connection, compute: Callable[[Any, Progress], Any]) -> None:
    """Compute what comes through ``pipe`` until nothing will come any more."""
    # Ctrl-C reaches all processes of a terminal; who started this one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError, StoppedError):
        while True:
            task = pipe.recv()
            try:
                pipe.send(("done", compute(task, _Told(pipe))))
            except StoppedError:
                raise
            except TwinError as error:
                pipe.send(("failed", error))
            except Exception as error:
                pipe.send(("failed", TwinError(f"{type(error).__name__}: {error}")))


class _Told:
    """Progress of a member, told to who started it; stops when nobody is there any more."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._told = pipe, time.monotonic()

    def report(self, fraction: float, message: str) -> None:
        """Say how far it is, 0–1."""
        if time.monotonic() - self._told >= TELL_S:
            self._told = time.monotonic()
            self._pipe.send(("share", fraction))

    def should_stop(self) -> bool:
        """Return whether the other end is closed: nothing is sent to a member at work."""
        return self._pipe.poll()

    def read_checkpoint(self) -> Checkpoint | None:
        """Return None: a member starts from its beginning."""
        return None

    def write_checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        """Keep none."""

    def open_shelf(self) -> None:
        """Return None: a member has no members."""

    def open_board(self, compute: Callable[[Any, Progress], Any]) -> None:
        """Return None: a member is computed by one."""
