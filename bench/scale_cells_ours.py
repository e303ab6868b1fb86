"""One size of the flood engine's curve: ``python -m bench.scale_cells_ours SIDE`` prints what was measured as JSON."""

import resource
import sys
import time

import orjson

from bench.flood_cases import make_basin
from bench.scale_cells import CELL_M, choose_span
from hydrology.flood import FloodSolver
from hydrology.parameters import FloodParameters


def main() -> None:
    """Run a basin that is wet everywhere, the worst there is; kernels are compiled before the clock starts."""
    side = int(sys.argv[1])
    _build(64).run(10.0, output_interval_s=10.0)
    solver = _build(side)
    span = choose_span(side)
    began = time.perf_counter()
    result = solver.run(span, output_interval_s=span)
    wall = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = {"hour_s": wall * 3600.0 / span, "rate": result.cell_updates / wall, "peak_bytes": peak}
    sys.stdout.write(orjson.dumps(told).decode())


def _build(side: int) -> FloodSolver:
    grid, bed, depth = make_basin(side, CELL_M)
    return FloodSolver(grid, bed, 0.03, depth=depth, parameters=FloodParameters())


if __name__ == "__main__":
    main()
