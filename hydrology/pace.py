"""How many threads a run takes: found out on the run itself, again and again."""

import threading

import numba

TRIAL_STEPS = 50
"""Steps on which one and several threads are compared."""

LEAST_CELLS, LEAST_COARSE_CELLS = 100_000, 10_000
"""Fewer active cells than this are not worth waking a second thread for; a coarse one takes longer than others."""

PARALLEL = threading.Lock()
"""Who holds it may run bands side by side: numba's own pool serves one caller, a second would end the process."""


class Pace:
    """The seconds a cell takes on one thread and on several, and which of the two to use.

    On a busy machine two threads that wait for each other at every step can be twenty times slower than one, and a
    quiet moment may pass: the slower choice is tried again, less and less often.
    """

    def __init__(self, threads: int | None, least_cells: int = LEAST_CELLS) -> None:
        """Start without knowledge; ``threads`` fixes the number, None leaves the choice to the clock.

        With fewer active cells than ``least_cells`` one thread does it alone.
        """
        self.most = threads or int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
        self._fixed, self._least_cells = threads is not None, least_cells
        self._cost: dict[bool, float] = {}
        self._wait, self._left = 10, 0

    def choose(self, cells: int) -> bool:
        """Return whether to run in parallel the next ``TRIAL_STEPS`` steps over ``cells`` active cells."""
        if self.most == 1 or self._fixed:
            return self.most > 1
        if cells < self._least_cells:
            return False
        if len(self._cost) < 2:
            return len(self._cost) == 1
        best = self._cost[True] < self._cost[False]
        if self._left > 0:
            self._left -= 1
            return best
        self._wait = min(2 * self._wait, 640)
        self._left = self._wait
        return not best

    def note(self, parallel: bool, cell_updates: int, seconds: float) -> None:
        """Remember what the steps just done cost."""
        if cell_updates > 0:
            self._cost[parallel] = seconds / cell_updates
