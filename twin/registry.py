"""All processes by id."""

from layers.errors import NotFoundError
from twin.process import Process
from twin.processes import (
    circuit_energy,
    circuit_faults,
    circuit_loads,
    discharge_sources,
    dma_balance,
    drainage_capacity,
    drainage_criticality,
    drainage_profile,
    drainage_run,
    fire_flow,
    flood_access,
    flood_compare,
    flood_difference,
    flood_ensemble,
    flood_forecast,
    flood_scenario,
    isochrone,
    isolation,
    leak_detection,
    map_match,
    network_check,
    power_outage,
    road_criticality,
    route,
    signal_timing,
    trace,
    traffic_assignment,
    traffic_counts,
    traffic_state,
    transit_access,
    transit_check,
    travel_matrix,
    water_age,
    water_run,
)

PROCESSES: dict[str, Process] = {
    module.PROCESS.id: module.PROCESS
    for module in (
        flood_forecast,
        flood_scenario,
        flood_ensemble,
        flood_compare,
        flood_difference,
        flood_access,
        trace,
        isolation,
        network_check,
        drainage_run,
        drainage_profile,
        drainage_capacity,
        drainage_criticality,
        water_run,
        water_age,
        fire_flow,
        dma_balance,
        leak_detection,
        circuit_loads,
        circuit_faults,
        circuit_energy,
        traffic_assignment,
        power_outage,
        discharge_sources,
        traffic_counts,
        traffic_state,
        transit_access,
        transit_check,
        road_criticality,
        route,
        isochrone,
        travel_matrix,
        map_match,
        signal_timing,
    )
}


def read_process(process_id: str) -> Process:
    """Return the process ``process_id``; NotFoundError names the ones there are."""
    if process_id not in PROCESSES:
        raise NotFoundError(f"process '{process_id}' does not exist", hint=f"one of {', '.join(PROCESSES)}")
    return PROCESSES[process_id]
