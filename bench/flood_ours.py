"""One case of the flood bench in our engine, in a process of its own: ``python -m bench.flood_ours < case.json``."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.flood_cases import make_basin, make_city
from bench.peers.meter import Meter, Plain, read_case, report_measured
from hydrology.boundaries import DischargeBoundary
from hydrology.flood import FloodSolver
from hydrology.flood_record import FloodFrame, FloodResult
from hydrology.parameters import FloodParameters
from layers.grid import Grid

Case = dict[str, Any]


def main() -> None:
    """Run the case of standard input and print what was measured; kernels are compiled before the clock starts."""
    case = read_case()
    {"plain": run_plain, "city": run_city, "basin": run_basin}[case["kind"]](case)


def run_plain(case: Case) -> None:
    """Run EA test 4: ``bench.flood_cases.describe_plain``."""
    plain, parameters = Plain(case), FloodParameters(threads=case["threads"])
    times: list[float] = []
    depths: list[list[float]] = []

    def sample(frame: FloodFrame) -> None:
        times.append(frame.time)
        depths.append(plain.sample(frame.depth))

    def build() -> FloodSolver:
        grid = Grid(plain.rows, plain.cols, 0.0, plain.rows * plain.cell_size, plain.cell_size, "EPSG:5897")
        inlet = np.zeros(grid.shape, dtype=np.bool_)
        inlet[plain.inlet_rows, 0] = True
        inflow = DischargeBoundary(inlet, plain.times, plain.discharge)
        return FloodSolver(grid, np.zeros(grid.shape), plain.mannings_n, boundaries=[inflow], parameters=parameters)

    build().run(360.0, output_interval_s=60.0)
    solver = build()
    with Meter() as meter:
        result = solver.run(plain.duration, output_interval_s=plain.interval, on_frame=sample)
    _report(meter, result, times=times, depths=depths)


def run_city(case: Case) -> None:
    """Run the city for ``duration`` [s], an output every hour; keep its depths in the file ``depths``."""
    city = make_city()
    frames: list[NDArray[np.float32]] = []

    def build() -> FloodSolver:
        return FloodSolver(
            city.grid,
            city.bed,
            city.mannings_n,
            depth=city.depth,
            boundaries=[city.river],
            rain=city.rain,
            parameters=FloodParameters(threads=case["threads"]),
        )

    build().run(30.0, output_interval_s=30.0)
    solver = build()
    with Meter() as meter:
        result = solver.run(
            case["duration"], output_interval_s=3600.0, on_frame=lambda frame: frames.append(frame.depth)
        )
    np.savez(case["depths"], frames=np.stack(frames), depth_max=result.depth_max)
    _report(meter, result)


def run_basin(case: Case) -> None:
    """Run the wet basin for about ``steps`` steps, three times; the fastest counts."""
    grid, bed, depth = make_basin()
    parameters = FloodParameters(threads=case["threads"])
    solver = FloodSolver(grid, bed, 0.03, depth=depth, parameters=parameters)
    span = case["steps"] * parameters.courant * grid.cell_size / float(np.sqrt(parameters.gravity * depth.max()))
    solver.run(span / 20.0, output_interval_s=span)
    tries = [_measure(lambda: solver.run(span, output_interval_s=span)) for _ in range(3)]
    meter, result = min(tries, key=lambda one: one[0].wall / one[1].cell_updates)
    # Cells of the basin, whatever the engine counts in blocks that reach over its edge.
    report_measured(meter, steps=result.steps, cell_steps=result.steps * bed.size)


def _measure(run: Callable[[], FloodResult]) -> tuple[Meter, FloodResult]:
    with Meter() as meter:
        result = run()
    return meter, result


def _report(meter: Meter, result: FloodResult, **figures: object) -> None:
    report_measured(
        meter,
        steps=result.steps,
        cell_steps=result.cell_updates,
        mass_error=result.balance.relative_error,
        **figures,
    )


if __name__ == "__main__":
    main()
