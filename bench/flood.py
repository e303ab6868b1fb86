"""Speed of the flood engine: a flood over a plain, against plain NumPy and the memory's speed in the same run."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import DischargeBoundary
from hydrology.flood import FloodSolver
from layers.grid import Grid

Array = NDArray[np.float64]

ROWS, COLS, CELL_SIZE, MANNINGS_N = 400, 200, 5.0, 0.05
DURATION = 3 * 3600.0
BYTES_PER_CELL_STEP = 52.0
"""What a local inertial step must move: bed, depth, n and two discharges, read and written once in 32 bits."""


def _build_solver() -> FloodSolver:
    inlet = np.zeros((ROWS, COLS), dtype=np.bool_)
    inlet[ROWS // 2 - 2 : ROWS // 2 + 2, 0] = True
    inflow = DischargeBoundary(inlet, np.array([0.0, 300.0, 3600.0]), np.array([0.0, 0.0, 20.0]))
    grid = Grid(ROWS, COLS, 0.0, ROWS * CELL_SIZE, CELL_SIZE, "EPSG:5897")
    return FloodSolver(grid, np.zeros((ROWS, COLS)), MANNINGS_N, boundaries=[inflow])


def _measure_ours() -> float:
    _build_solver().run(60.0, output_interval_s=60.0)
    solver = _build_solver()
    began = time.process_time()
    result = solver.run(DURATION, output_interval_s=DURATION)
    return result.cell_updates / (time.process_time() - began) / 1.0e6


def _step_numpy(bed: Array, depth: Array, x: Array, y: Array, dt: float) -> None:
    """Do one local inertial step the obvious way, in place."""
    gravity, stage = 9.80665, bed + depth
    across_x = 0.25 * (y[:-1, :-1] + y[:-1, 1:] + y[1:, :-1] + y[1:, 1:])
    across_y = 0.25 * (x[:-1, :-1] + x[:-1, 1:] + x[1:, :-1] + x[1:, 1:])
    for q, across, axis in ((x[:, 1:-1], across_x, 1), (y[1:-1], across_y, 0)):
        a, b = (stage[:, :-1], stage[:, 1:]) if axis else (stage[:-1], stage[1:])
        z = np.maximum(bed[:, :-1], bed[:, 1:]) if axis else np.maximum(bed[:-1], bed[1:])
        h = np.maximum(np.maximum(a, b) - z, 1.0e-3)
        drag = 1.0 + gravity * dt * MANNINGS_N**2 * np.hypot(q, across) / h ** (7.0 / 3.0)
        q[...] = np.where(h > 1.0e-3, (q - gravity * h * dt * (b - a) / CELL_SIZE) / drag, 0.0)
    depth += dt / CELL_SIZE * (x[:, :-1] - x[:, 1:] + y[:-1] - y[1:])


def _measure_numpy(steps: int = 100) -> float:
    rng = np.random.default_rng(0)
    depth = 0.3 + 0.01 * rng.random((ROWS, COLS))
    bed, x, y = np.zeros_like(depth), np.zeros((ROWS, COLS + 1)), np.zeros((ROWS + 1, COLS))
    began = time.process_time()
    for _ in range(steps):
        _step_numpy(bed, depth, x, y, 1.0)
    return steps * depth.size / (time.process_time() - began) / 1.0e6


def _measure_triad(megabytes: int = 256) -> float:
    """Return the bytes a second [B/s] of a = b + s c, best of five, on one thread; arrays larger than any cache."""
    count = megabytes * 1_000_000 // 24
    b, c = np.ones(count), np.ones(count)
    a = np.empty(count)
    best = np.inf
    for _ in range(5):
        began = time.process_time()
        for lo in range(0, count, 4096):
            # Blocks that stay in the first cache make NumPy's two passes cost the memory's one.
            np.multiply(c[lo : lo + 4096], 3.0, out=a[lo : lo + 4096])
            np.add(a[lo : lo + 4096], b[lo : lo + 4096], out=a[lo : lo + 4096])
        best = min(best, time.process_time() - began)
    return 24.0 * count / best


def rows() -> list[dict[str, Any]]:
    """Return the measured rows: million cell updates a CPU second, ours, the peer's and the memory limit."""
    ours, peer, limit = _measure_ours(), _measure_numpy(), _measure_triad() / BYTES_PER_CELL_STEP / 1.0e6
    return [
        {
            "case": "flood over a plain (EA test 4), 5 m, 80 000 cells, one thread",
            "metric": "cell updates per CPU second",
            "unit": "10⁶/s",
            "ours": round(ours, 1),
            "peers": {"plain NumPy step": round(peer, 1)},
            "limit": round(limit, 1),
        }
    ]
