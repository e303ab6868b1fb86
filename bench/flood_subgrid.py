"""The city of the flood bench in the subgrid solver, in a process of its own: ``python -m bench.flood_subgrid``."""

import numpy as np

from bench.flood_cases import make_city
from bench.peers.meter import Meter, read_case, report_measured
from hydrology.parameters import FloodParameters
from hydrology.subgrid import build_tables
from hydrology.subgrid_flood import SubgridSolver
from hydrology.verification import compute_rmse


def main() -> None:
    """Run the city of ``flood_cases`` for ``duration`` [s] on cells of ``factor`` pixels a side; print what was found.

    The RMSE [m] is that of the highest stages against the file ``depths`` of the fine run, over what that one floods.
    """
    case = read_case()
    city = make_city()
    # A corner of it first, so that compilation does not count.
    build_tables(city.bed[:64, :64].copy(), city.mannings_n[:64, :64].copy(), case["factor"])
    with Meter() as preparing:
        tables = build_tables(city.bed, city.mannings_n, case["factor"])

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
        )

    build().run(30.0, output_interval_s=30.0)
    solver = build()
    with Meter() as meter:
        result = solver.run(case["duration"], output_interval_s=3600.0)
    fine = np.load(case["depths"])
    flooded = (fine >= FloodParameters().arrival_depth) & ~city.river.cells
    rmse = compute_rmse(result.depth_max[flooded], fine[flooded])
    report_measured(
        meter,
        steps=result.steps,
        cell_steps=result.cell_updates,
        mass_error=result.balance.relative_error,
        rmse=rmse,
        preparing=preparing.cpu,
    )


if __name__ == "__main__":
    main()
