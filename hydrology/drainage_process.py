"""A drainage model in a process of its own: as many at a time as wanted, and one that dies takes nobody with it.

SWMM is one per process (see ``hydrology.drainage``). The process is a fresh interpreter and no fork, since the threads
of a surface model do not survive a fork.
"""

import contextlib
import os
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hydrology.drainage import Drainage, Nodes, RoutingTotals, SewerState
from layers.errors import NumericsError

Array = NDArray[np.float64]
_SIZE = struct.Struct("<Q")


class DrainageProcess:
    """``Drainage`` over two pipes, as far as a coupling needs it. Use it in a ``with`` statement."""

    nodes: Nodes
    outfalls: tuple[str, ...]

    def __init__(self, model: Path | str, *, duration_s: float | None = None) -> None:
        """Open ``model`` in a new process; arguments and errors as of ``Drainage``."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hydrology.drainage_process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            self.nodes, self.outfalls = self._ask((model, duration_s))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "DrainageProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def process_id(self) -> int:
        """The system's number of the process."""
        return self._process.pid

    def _ask(self, question: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            _send(self._process.stdin, question)
            fine, answer = _receive(self._process.stdout)
        except (EOFError, OSError) as error:
            code = self._process.wait()
            raise NumericsError(f"the process of the drainage model ended with code {code}") from error
        if not fine:
            raise answer
        return answer

    def couple(self, ids: Sequence[str], shaft_areas: Array) -> Array:
        """See ``Drainage.couple``."""
        return np.asarray(self._ask(("couple", list(ids), shaft_areas)))

    def look(self) -> SewerState:
        """See ``Drainage.look``."""
        return SewerState(*self._ask(("look",)))

    def route(self, rates: Array, outfalls: Sequence[int], stages: Array, duration_s: float) -> SewerState:
        """See ``Drainage.route``."""
        return SewerState(*self._ask(("route", rates, list(outfalls), stages, duration_s)))

    def totals(self) -> RoutingTotals:
        """See ``Drainage.totals``."""
        account = self._ask(("totals",))
        assert isinstance(account, RoutingTotals)
        return account

    def close(self) -> None:
        """Close the model and end its process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        # What was not read of a question breaks the pipe, and the process ends all the same.
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _send(pipe: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_SIZE.pack(len(data)) + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    head = pipe.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    return pickle.loads(pipe.read(*_SIZE.unpack(head)))


def serve(asked: IO[bytes], answered: IO[bytes]) -> None:
    """Open the model of the first question and answer the others, until nobody asks any more."""
    try:
        model, duration = _receive(asked)
        with Drainage(model, duration_s=duration) as drainage:
            _send(answered, (True, (drainage.nodes, drainage.outfalls)))
            while True:
                name, *arguments = _receive(asked)
                _send(answered, (True, getattr(drainage, name)(*arguments)))
    except EOFError:
        return
    except Exception as error:
        _send(answered, (False, error))


if __name__ == "__main__":
    # An interrupt from the keyboard reaches both processes: who asks decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # SWMM may print: not between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)
