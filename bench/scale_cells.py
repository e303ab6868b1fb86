"""The flood engine on more and more cells: time of a simulated hour, and memory, in a process of its own."""

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson

from bench.memory import read_available
from bench.scale_point import Point

CELL_M = 10.0
DEPTH_M = 1.1
UPDATES = 5e8
"""Cell updates of one measurement: as many steps as make so many, two at least."""
MEMORY_A_CELL = 190.0
"""What is taken for granted before a size is tried [B]; a machine with less is told to stop there."""
MOST_S = 600.0


def measure(size: int) -> Iterator[Point]:
    """Yield the figures of a flood on ``size`` cells, nothing where the machine has no memory for them."""
    free = read_available()
    if size * MEMORY_A_CELL > free:
        sys.stderr.write(f"bench: {size:,} cells need some {size * MEMORY_A_CELL / 1e9:.0f} GB of memory; left out\n")
        return
    root = Path(__file__).resolve().parent.parent
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bench.scale_cells_ours", str(math.isqrt(size))],
            check=False, capture_output=True, cwd=root, timeout=MOST_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"bench: {size:,} cells take more than {MOST_S:.0f} s; left out\n")
        return
    if done.returncode:
        sys.stderr.write(f"bench: {size:,} cells ended with {done.returncode}: {done.stderr.decode()[-300:]}\n")
        return
    found = orjson.loads(done.stdout)
    yield Point("cells", size, "wall of a simulated hour", "s", found["hour_s"])
    yield Point("cells", size, "cell updates, all cores", "1/s", found["rate"])
    yield Point("cells", size, "peak memory a cell", "B", found["peak_bytes"] / size)
    yield Point("cells", size, "peak memory", "GiB", found["peak_bytes"] / 2**30)


def choose_span(side: int) -> float:
    """Return how long to simulate [s] for about ``UPDATES`` cell updates at the steps that the water allows."""
    step = 0.7 * CELL_M / math.sqrt(9.81 * DEPTH_M)
    return step * max(2.0, UPDATES / side**2)
