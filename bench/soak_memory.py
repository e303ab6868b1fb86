"""Memory of the parts of a twin over time, and how fast it grows."""

import threading
import time
from collections import defaultdict
from typing import NamedTuple

import numpy as np

from bench.memory import measure_memory
from bench.soak_town import Town

FEWEST = 8
_WARM = 0.5
"""The first part of a process's life is not looked at: caches fill, code is loaded, allocators keep what runs took."""


class Life(NamedTuple):
    """A process: how long it was looked at [s], its memory at the end [MB], how fast that grew [MB/h] or None."""

    seconds: float
    size: float
    slope: float | None


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

    def describe(self) -> dict[str, Life]:
        """Return by part its longest-lived process; there is no slope for a life too short to tell."""
        found: dict[str, Life] = {}
        for (name, _), samples in self._samples.items():
            times, sizes = np.array(samples).T
            seconds = float(times[-1] - times[0])
            if name in found and seconds < found[name].seconds:
                continue
            late = times >= times[0] + _WARM * seconds
            slope = float(np.polyfit(times[late], sizes[late], 1)[0]) * 3600.0 if late.sum() >= FEWEST else None
            found[name] = Life(seconds, float(sizes[-1]), slope)
        return found

    def _look(self) -> None:
        while not self._stop.wait(self._pause_s):
            now = time.monotonic()
            for name, pids in self._town.list_processes().items():
                # Backends of the database come and go, members of ensembles too: they count as one.
                # Of a server those who answer, without who watches over them.
                serves = name.startswith("serve")
                alone = {(name, pid): (pid,) for pid in pids[1:]} if serves else {(name, pids[0]): pids}
                for key, family in alone.items():
                    size = measure_memory({"": family}, segments=False)[""]
                    if size > 0.0:
                        self._samples[key].append((now, size))
