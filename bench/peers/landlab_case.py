"""EA test 4 in Landlab's OverlandFlow, with its own defaults (theta 0.8, alpha 0.7): run by the flood bench."""

import numpy as np
from landlab import RasterModelGrid  # type: ignore[import-not-found]
from landlab.components import OverlandFlow  # type: ignore[import-not-found]
from numpy.typing import NDArray

from bench.peers.meter import Meter, Plain, read_case, report_measured


class CountingFlow(OverlandFlow):  # type: ignore[misc]
    """OverlandFlow that counts the steps it takes inside one call."""

    steps = 0

    def calc_time_step(self) -> float:
        """Return the longest stable step [s]; asked once a step."""
        self.steps += 1
        return float(super().calc_time_step())


def main() -> None:
    """Run the case of standard input and print what was measured."""
    case = Plain(read_case())
    # The cells of the case are the core nodes; the ring of nodes around them is the closed edge.
    shape = (case.rows + 2, case.cols + 2)
    grid = RasterModelGrid(shape, xy_spacing=case.cell_size)
    grid.set_closed_boundaries_at_grid_edges(True, True, True, True)
    grid.add_zeros("topographic__elevation", at="node")
    depth = grid.add_zeros("surface_water__depth", at="node")
    flow = CountingFlow(grid, mannings_n=case.mannings_n)
    film = depth.copy()

    def read_depth() -> NDArray[np.float64]:
        # Rows of nodes run from the south.
        added: NDArray[np.float64] = (depth - film).reshape(shape)[::-1][1:-1, 1:-1]
        return added

    source = np.zeros(shape)
    area = case.cell_size**2 * len(case.inlet_rows)
    times, depths = [0.0], [[0.0] * len(case.points)]
    with Meter() as meter:
        for stop in case.stops:
            source[case.rows - case.inlet_rows, 1] = case.mean_inflow(stop - case.interval, stop) / area
            flow.rainfall_intensity = source.ravel()
            flow.run_one_step(dt=case.interval)
            times.append(float(stop))
            depths.append(case.sample(read_depth()))
    stored = float(read_depth().sum()) * case.cell_size**2
    report_measured(
        meter,
        steps=flow.steps,
        cell_steps=flow.steps * case.rows * case.cols,
        mass_error=abs(stored - case.received) / case.received,
        times=times,
        depths=depths,
    )


if __name__ == "__main__":
    main()
