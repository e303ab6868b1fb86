"""The city of the flood bench in the subgrid solver, in a process of its own: ``python -m bench.flood_subgrid``."""

import numpy as np
from numpy.typing import NDArray

from bench.flood_cases import make_city
from bench.peers.meter import Meter, read_case, report_measured
from hydrology.flood_record import FloodFrame
from hydrology.parameters import FloodParameters
from hydrology.subgrid import build_tables
from hydrology.subgrid_flood import SubgridSolver
from hydrology.verification import compute_rmse

WET = 0.01
"""Depth from which on a pixel counts as wet [m]."""


def main() -> None:
    """Run the city of ``flood_cases`` for ``duration`` [s] on cells of ``factor`` pixels a side; print what was found.

    The file ``depths`` has the fine run's. RMSE [m] of the stage: of all hours where both are wet; of the depth: of all
    hours on all land; of the highest stage: over what the fine run floods.
    """
    case = read_case()
    city = make_city()
    # A corner of it first, so that compilation does not count.
    build_tables(city.bed[:64, :64].copy(), city.mannings_n[:64, :64].copy(), case["factor"])
    with Meter() as preparing:
        tables = build_tables(city.bed, city.mannings_n, case["factor"])
    frames: list[NDArray[np.float32]] = []

    def build() -> SubgridSolver:
        return SubgridSolver(
            city.grid,
            city.bed,
            city.mannings_n,
            case["factor"],
            depth=city.depth,
            boundaries=[city.river],
            rain=city.rain,
            tables=tables,
            parameters=FloodParameters(threads=case["threads"]),
        )

    def keep(frame: FloodFrame) -> None:
        frames.append(frame.depth)

    build().run(30.0, output_interval_s=30.0, on_frame=lambda frame: None)
    solver = build()
    with Meter() as meter:
        result = solver.run(case["duration"], output_interval_s=3600.0, on_frame=keep)
    land = ~city.river.cells
    with np.load(case["depths"]) as fine:
        there, highest = fine["frames"][:, land], fine["depth_max"]
    here = np.stack(frames)[:, land]
    both = (here >= WET) & (there >= WET)
    flooded = (highest >= FloodParameters().arrival_depth) & land
    report_measured(
        meter,
        steps=result.steps,
        cell_steps=result.cell_updates,
        mass_error=result.balance.relative_error,
        stage_rmse=compute_rmse(here[both], there[both]),
        depth_rmse=compute_rmse(here.ravel(), there.ravel()),
        highest_rmse=compute_rmse(result.depth_max[flooded], highest[flooded]),
        preparing=preparing.cpu,
    )


if __name__ == "__main__":
    main()
