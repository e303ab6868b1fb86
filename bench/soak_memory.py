"""Memory of the parts of a twin over time, and how fast it grows."""

import threading
import time
from collections import defaultdict

import numpy as np

from bench.memory import measure_memory
from bench.soak_town import Town

FEWEST = 8
_WARM = 0.25
"""The first part of a process's life is not looked at: caches fill, code is loaded."""


class MemoryLog:
    """Samples of memory [MB] of every process every ``pause_s`` [s], until closed."""

    def __init__(self, town: Town, pause_s: float) -> None:
        self._town, self._pause_s = town, pause_s
        self._samples: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def close(self) -> None:
        """Take no more samples."""
        self._stop.set()
        self._thread.join()

    def describe(self) -> dict[str, tuple[float, float | None]]:
        """Return by part the memory of its longest-lived process at the end [MB] and its slope [MB/h], None for a life
        too short to tell.
        """
        found: dict[str, tuple[float, float | None]] = {}
        spans: dict[str, float] = {}
        for (name, _), samples in self._samples.items():
            times, sizes = np.array(samples).T
            if times[-1] - times[0] < spans.get(name, -1.0):
                continue
            spans[name] = float(times[-1] - times[0])
            late = times >= times[0] + _WARM * spans[name]
            slope = float(np.polyfit(times[late], sizes[late], 1)[0]) * 3600.0 if late.sum() >= FEWEST else None
            found[name] = (float(sizes[-1]), slope)
        return found

    def _look(self) -> None:
        while not self._stop.wait(self._pause_s):
            now = time.monotonic()
            for name, pids in self._town.list_processes().items():
                # Backends of the database come and go, members of ensembles too: they count as one.
                alone = {(name, pid): (pid,) for pid in pids} if name.startswith("serve") else {(name, pids[0]): pids}
                for key, family in alone.items():
                    size = measure_memory({"": family})[""]
                    if size > 0.0:
                        self._samples[key].append((now, size))
