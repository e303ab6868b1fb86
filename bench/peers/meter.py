"""What every engine of the flood bench measures in the same way: CPU and wall time of the loop, peak memory, stages.

Only NumPy is imported: this runs in the environments of the peers as well.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Plain:
    """The flat plain of EA test 4 as the bench hands it over (``bench.flood_cases.describe_plain``)."""

    def __init__(self, case: dict[str, Any]) -> None:
        """Take over cell size [m], shape, Manning's n, duration and interval [s], inflow [s], [m3/s] and points [m]."""
        self.cell_size: float = case["cell_size"]
        self.rows: int = case["rows"]
        self.cols: int = case["cols"]
        self.mannings_n: float = case["mannings_n"]
        self.duration: float = case["duration"]
        self.interval: float = case["interval"]
        self.times, self.discharge = np.array(case["times"]), np.array(case["discharge"])
        self.points = np.array(case["points"])
        y = (self.rows - np.arange(self.rows) - 0.5) * self.cell_size
        low, high = case["inlet_y"]
        self.inlet_y = (low, high)
        self.inlet_rows = np.flatnonzero((y > low) & (y < high))
        self.stops = self.interval * np.arange(1, round(self.duration / self.interval) + 1)

    def mean_inflow(self, start: float, end: float) -> float:
        """Return the mean discharge [m3/s] between two times [s] without a bend between them."""
        return float(np.interp([start, end], self.times, self.discharge).mean())

    @property
    def received(self) -> float:
        """Volume that came in over the whole duration [m3]."""
        bends = np.unique([0.0, *self.times[self.times < self.duration], self.duration])
        return float(np.trapezoid(np.interp(bends, self.times, self.discharge), bends))

    def sample(self, depth: NDArray[np.floating]) -> list[float]:
        """Return the depth [m] at each point, which is a corner of cells: the mean of the four around it.

        depth [m]: (rows, cols), row 0 at the north.
        """
        row = np.rint(self.rows - self.points[:, 1] / self.cell_size).astype(int)
        col = np.rint(self.points[:, 0] / self.cell_size).astype(int)
        around = depth[row - 1, col - 1] + depth[row - 1, col] + depth[row, col - 1] + depth[row, col]
        return [float(value) for value in around / 4.0]


class Meter:
    """CPU seconds (of all threads) and wall seconds of a ``with`` block."""

    cpu = wall = 0.0

    def __enter__(self) -> "Meter":
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu, self.wall = time.process_time() - self._cpu, time.perf_counter() - self._wall


def read_peak() -> float:
    """Return the most memory this process held [MB]; NaN where the system keeps no such figure.

    Not ``ru_maxrss``: that one begins with what its parent held when it started this one.
    """
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1.024e-3 for line in lines if line.startswith("VmHWM:")), float("nan"))


def read_case() -> dict[str, Any]:
    """Return the case that the bench wrote to standard input."""
    case: dict[str, Any] = json.load(sys.stdin)
    return case


def report_measured(meter: Meter, **figures: object) -> None:
    """Print what was measured as the last line of standard output, as JSON."""
    told = {"cpu": meter.cpu, "wall": meter.wall, "megabytes": read_peak(), **figures}
    sys.stdout.write("\n" + json.dumps(told) + "\n")
