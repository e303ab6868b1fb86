"""A drainage model in a process of its own: as many at a time as wanted, and one that dies takes nobody with it.

SWMM is one per process (see ``hydrology.drainage``). The process is started afresh rather than forked, since the
threads of a surface model do not survive a fork.
"""

import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.drainage import Drainage, Nodes, RoutingTotals
from layers.errors import NumericsError

Array = NDArray[np.float64]


class DrainageProcess:
    """``Drainage`` over a pipe, as far as a coupling needs it. Use it in a ``with`` statement."""

    def __init__(self, model: Path | str, *, duration_s: float | None = None) -> None:
        """Open ``model`` in a new process; arguments and errors as of ``Drainage``."""
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, model, duration_s), name="drainage", daemon=True)
        self._process.start()
        there.close()
        self.nodes: Nodes
        self.outfalls: tuple[str, ...]
        try:
            self.nodes, self.outfalls = self._receive()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "DrainageProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, name: str, *arguments: Any) -> Any:
        try:
            self._here.send((name, arguments))
        except OSError as error:
            raise self._end() from error
        return self._receive()

    def _receive(self) -> Any:
        try:
            fine, answer = self._here.recv()
        except (EOFError, OSError) as error:
            raise self._end() from error
        if not fine:
            raise answer
        return answer

    def _end(self) -> NumericsError:
        self._process.join(5.0)
        return NumericsError(f"the process of the drainage model ended with code {self._process.exitcode}")

    @property
    def outfall_volumes(self) -> Array:
        """What left through each outfall since the start, less what came back (outfalls,) [m3]."""
        return np.asarray(self._ask("outfall_volumes"))

    def couple(self, ids: Sequence[str], shaft_areas: Array) -> Array:
        """See ``Drainage.couple``."""
        return np.asarray(self._ask("couple", list(ids), shaft_areas))

    def heads(self) -> Array:
        """See ``Drainage.heads``."""
        return np.asarray(self._ask("heads"))

    def net_inflows(self) -> Array:
        """See ``Drainage.net_inflows``."""
        return np.asarray(self._ask("net_inflows"))

    def set_inflows(self, rates: Array) -> Array:
        """See ``Drainage.set_inflows``."""
        return np.asarray(self._ask("set_inflows", rates))

    def set_outfall_stages(self, positions: Sequence[int], stages: Array) -> None:
        """See ``Drainage.set_outfall_stages``."""
        self._ask("set_outfall_stages", list(positions), stages)

    def advance(self, duration_s: float) -> float:
        """See ``Drainage.advance``."""
        return float(self._ask("advance", duration_s))

    def totals(self) -> RoutingTotals:
        """See ``Drainage.totals``."""
        account = self._ask("totals")
        assert isinstance(account, RoutingTotals)
        return account

    def close(self) -> None:
        """Close the model and end its process."""
        self._here.close()
        self._process.join(5.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(there: Connection, model: Path | str, duration_s: float | None) -> None:
    """Answer what is asked until nobody listens any more."""
    # An interrupt from the keyboard reaches the whole group: who asks decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Drainage(model, duration_s=duration_s) as drainage:
            there.send((True, (drainage.nodes, drainage.outfalls)))
            while True:
                name, arguments = there.recv()
                found = getattr(drainage, name)
                there.send((True, found(*arguments) if callable(found) else found))
    except (EOFError, OSError):
        there.close()
    except Exception as error:
        there.send((False, error))
