"""Compile the engines before somebody waits for them: ``python -m hydrology.prepare``.

The machine code stays beside the sources, so that the first flood starts at once. Parts are compiled side by side, one
process each; prints a line for each that is ready.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial

import numpy as np

from hydrology.conditioning import breach_pits, fill_depressions
from hydrology.flood import FloodSolver
from hydrology.infiltration import describe_soil
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainSeries
from hydrology.subgrid_flood import SubgridSolver
from layers.grid import Grid

SHAPE = (8, 8)


def _make_grid() -> Grid:
    return Grid(*SHAPE, 0.0, 80.0, 10.0, "EPSG:5897")


def _run_grid(threads: int) -> None:
    soil = describe_soil("clay", 0.5, storage=np.ones(SHAPE), impervious=np.zeros(SHAPE))
    rain = RainSeries(np.zeros(1), np.full(1, 10.0))
    parameters = FloodParameters(threads=threads)
    solver = FloodSolver(_make_grid(), np.zeros(SHAPE), 0.03, rain=rain, losses=soil, parameters=parameters)
    solver.run(60.0, output_interval_s=60.0)


def _run_subgrid(threads: int) -> None:
    rain, parameters = RainSeries(np.zeros(1), np.full(1, 10.0)), FloodParameters(threads=threads)
    solver = SubgridSolver(_make_grid(), np.zeros(SHAPE), 0.03, 2, rain=rain, parameters=parameters)
    solver.run(60.0, output_interval_s=60.0)


def _condition() -> None:
    bed = np.ones(SHAPE)
    bed[4, 4] = 0.0
    fill_depressions(breach_pits(bed, max_length=4, max_depth=2.0))


# The longest first.
PARTS: dict[str, Callable[[], None]] = {
    "flood on coarse cells": partial(_run_subgrid, 1),
    "flood on one thread": partial(_run_grid, 1),
    "flood on several threads": partial(_run_grid, 2),
    "flood on coarse cells, several threads": partial(_run_subgrid, 2),
    "terrain": _condition,
}


def main() -> int:
    """Compile all parts and return 0."""
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(compile_part): name for name, compile_part in PARTS.items()}
        for done in as_completed(running):
            done.result()
            sys.stdout.write(f"{running[done]}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
