"""Many computations side by side, each in a process of its own: members of an ensemble, cases of a comparison.

A process takes one member after another. It may not outlive the work: one that is stopped, dies or is left alone by
whoever started it ends, and a member that dies with it is named.
"""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Generator, Iterable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from typing import Any, TypeVar

from layers.errors import TwinError
from twin.process import Checkpoint, Progress, StoppedError

Task = TypeVar("Task")
Result = TypeVar("Result")

TELL_S = 0.25
"""How often a member says how far it is, and how often somebody looks whether to stop."""

END_WITHIN_S = 5.0
_IDLE = -1


def count_processes(members: int) -> int:
    """Return how many processes ``members`` are computed in: one a core this program may use."""
    return max(1, min(members, len(os.sched_getaffinity(0))))


def run_members(
    compute: Callable[[Task, Progress], Result],
    tasks: Iterable[tuple[str, Task]],
    *,
    count: int,
    progress: Progress,
    processes: int | None = None,
) -> Generator[Result, None, None]:
    """Yield ``compute(task, progress)`` of every (name, task), in their order, as many at a time as cores.

    ``compute`` is a function of a module, tasks and results can be pickled; a task is asked for when a process is free
    for it. Close the generator (``contextlib.closing``) where it may not be used up: that ends all processes. Raise
    StoppedError when asked to stop, and what a member raised, with its name before the message.
    """
    crew: list[_Hand] = []
    context = multiprocessing.get_context("spawn")
    named = iter(tasks)
    done: dict[int, Result] = {}
    given = taken = finished = 0
    try:
        while taken < count:
            while given < count:
                hand = next((free for free in crew if free.number == _IDLE), None)
                if hand is None:
                    if len(crew) >= (processes or count_processes(count)):
                        break
                    crew.append(hand := _Hand(context, compute))
                name, task = next(named)
                hand.give(given, name, task)
                given += 1
            for hand in _wait_for_news(crew):
                number, news = hand.hear()
                if news is not None:
                    done[number] = news[0]
                    finished += 1
            share = (finished + sum(hand.share for hand in crew)) / count
            progress.report(min(share, 1.0), f"{finished} trong {count} lần tính — of {count} runs done")
            if progress.should_stop():
                raise StoppedError
            while taken in done:
                yield done.pop(taken)
                taken += 1
    finally:
        for hand in crew:
            hand.pipe.close()
        for hand in crew:
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


def _wait_for_news(crew: list[_Hand]) -> list[_Hand]:
    """Return the busy ones that have something to say, after a while at most."""
    busy = {hand.pipe: hand for hand in crew if hand.number != _IDLE}
    return [busy[pipe] for pipe in wait(list(busy), timeout=TELL_S) if isinstance(pipe, Connection)]


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
