"""EA test 4 in itzi-core, with its own defaults (theta 0.9, Courant 0.7, 32 bits): run by the flood bench."""

from datetime import datetime, timedelta

import numpy as np
from itzi_core import (  # type: ignore[import-not-found]
    DomainData,
    SimulationBuilder,
    SimulationConfig,
    SurfaceFlowParameters,
    TemporalType,
)
from itzi_core.providers.memory_output import MemoryRasterOutputProvider  # type: ignore[import-not-found]

from bench.peers.meter import Meter, Plain, read_case, report_measured


def main() -> None:
    """Run the case of standard input and print what was measured."""
    case = Plain(read_case())
    start, span = datetime(2000, 1, 1), timedelta(seconds=case.duration)
    config = SimulationConfig(
        start_time=start,
        end_time=start + span,
        record_step=span,
        temporal_type=TemporalType.RELATIVE,
        input_map_names={},
        output_map_names={},
        surface_flow_parameters=SurfaceFlowParameters(),
    )
    shape = (case.rows, case.cols)
    north, east = case.rows * case.cell_size, case.cols * case.cell_size
    domain = DomainData(north=north, south=0.0, east=east, west=0.0, rows=case.rows, cols=case.cols, crs_wkt="")
    builder = SimulationBuilder(config, np.zeros(shape, dtype=np.bool_))
    simulation = builder.with_domain_data(domain).with_raster_output_provider(MemoryRasterOutputProvider()).build()
    simulation.set_array("ground_elevation", np.zeros(shape, dtype=np.float32))
    simulation.set_array("friction", np.full(shape, case.mannings_n, dtype=np.float32))
    simulation.set_array("water_depth", np.zeros(shape, dtype=np.float32))
    simulation.initialize()
    inflow, area = np.zeros(shape, dtype=np.float32), case.cell_size**2 * len(case.inlet_rows)
    times, depths = [0.0], [[0.0] * len(case.points)]
    with Meter() as meter:
        for stop in case.stops:
            inflow[case.inlet_rows, 0] = case.mean_inflow(stop - case.interval, stop) / area
            simulation.set_array("inflow", inflow)
            simulation.update_until(timedelta(seconds=float(stop)))
            times.append(float(stop))
            depths.append(case.sample(simulation.get_array("water_depth")))
    steps = simulation.time_steps_counters["since_start"]
    stored = float(simulation.get_array("water_depth").sum(dtype=np.float64)) * case.cell_size**2
    report_measured(
        meter,
        steps=steps,
        cell_steps=steps * case.rows * case.cols,
        mass_error=abs(stored - case.received) / case.received,
        times=times,
        depths=depths,
    )


if __name__ == "__main__":
    main()
