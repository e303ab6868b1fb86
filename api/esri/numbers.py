"""The numbers by which GeoServices clients know layers: saved maps hold them, so one is never changed or used again."""

from layers.access import visible_layers
from layers.errors import NotFoundError
from layers.schema import VectorLayer

# A new layer goes to the end; the name of one that is gone stays in its place.
ORDER = (
    "parcels", "land_use", "zoning", "planning_projects", "buildings", "drainage_nodes", "drainage_links",
    "catchments", "waterways", "water_bodies", "dykes", "dmas", "water_pipes", "water_nodes", "water_valves",
    "water_pumps", "hydrants", "water_meters", "substations", "power_lines", "transformers", "poles", "luminaires",
    "lighting_cabinets", "lighting_circuits", "telecom_cabinets", "telecom_lines", "antennas", "waste_bins",
    "waste_points", "waste_facilities", "waste_routes", "parking_areas", "parking_spaces", "parking_access",
    "monitoring_stations", "discharge_permits", "trees", "green_spaces", "fire_stations", "fire_water_points",
    "road_links", "road_nodes", "bridges", "rail_links", "waterway_links", "ferry_landings", "stops", "signals",
    "sensors", "places", "streets", "addresses", "provinces", "wards", "admin_changes", "population", "flood_assets",
    "circuit_loads", "circuit_faults", "circuit_energy", "outage_assets", "discharge_suspects", "rain_gauges",
    "water_pressures", "water_flows", "water_qualities", "hydrant_flows", "dma_balances", "leak_alarms", "leak_pipes",
    "drainage_node_results", "drainage_link_results", "drainage_capacity", "drainage_capacity_nodes", "trace_links",
    "trace_nodes", "isolation_outage", "isolation_valves", "network_findings", "turn_restrictions", "transit_routes",
    "ferry_routes", "ports", "airports", "road_works", "traffic_state", "traffic_counts", "traffic_zones",
    "flooded_roads", "cut_off_areas", "access_places", "evacuation_routes", "road_reopenings", "road_criticality",
    "transit_access", "routes", "isochrones", "isochrone_links", "matched_links", "signal_plans", "traffic_flows",
)  # fmt: skip


def list_numbers() -> dict[str, int]:
    """Return the numbers of the layers that who asks sees, by name."""
    return {name: number for number, name in enumerate(ORDER) if name in visible_layers()}


def find_numbered(number: int) -> VectorLayer:
    """Return the layer of ``number``; NotFoundError when there is none."""
    layer = visible_layers().get(ORDER[number]) if 0 <= number < len(ORDER) else None
    if layer is None:
        raise NotFoundError(f"layer {number} does not exist", hint="the service lists its layers")
    return layer
