"""The layer and the figures of an assignment on the roads of the city."""

from typing import Any

import geopandas as gpd
import numpy as np

from network.level_of_service import GRADES, grade_volume
from twin.traffic.assigned import list_names, write_skims, write_table
from twin.traffic.city_assignment import CityAssignment
from twin.traffic.demand import CLASSES

LEAST_FLOW = 0.5
"""Roads with fewer vehicles an hour are not drawn."""


def list_flows(done: CityAssignment, crs: str) -> gpd.GeoDataFrame:
    """Return ``traffic_flows``: a line for each link with traffic, as its traffic runs, and for closed ones."""
    graph, city = done.roads.graph, done.city
    count = city.road_links
    vehicles = done.vehicles[:, :count]
    flow = vehicles.sum(axis=0)
    change = None if done.base is None else flow - done.base[:, :count].sum(axis=0)
    kept = (flow >= LEAST_FLOW) | city.closed
    if change is not None:
        kept |= np.abs(change) >= LEAST_FLOW
    links = np.flatnonzero(kept)
    edges = graph.edges[links]
    lines = done.roads.lines(edges)
    back = ~graph.forward[links]
    lines[back] = [line.reverse() for line in lines[back]]
    pcu, times = done.found.total[:count][links], done.found.times[:count][links]
    free = np.where(np.isfinite(city.free_times), city.free_times, np.nan)[links]
    capacity = city.network.delays.capacities[:count][links]
    share = pcu / capacity
    grades = np.array([*GRADES, None], object)[grade_volume(np.where(city.closed[links], np.nan, share))]
    length = graph.lengths[links]
    own = {each.name: row[links] for each, row in zip(done.found.classes, vehicles, strict=True)}
    nothing = np.zeros(links.size)
    columns: dict[str, Any] = {
        "id": [f"{done.roads.items[edge]}:{done.roads.parts[edge]}:{'f' if ahead else 'b'}"
               for edge, ahead in zip(edges.tolist(), (~back).tolist(), strict=True)],
        "road_link_id": done.roads.items[edges],
        "name": done.roads.names[edges],
        "way": np.where(back, "backward", "forward"),
        "grade": grades,
        "flow": flow[links],
        "flow_pcu": pcu,
        **{f"flow_{name}": own.get(name, nothing) for name in CLASSES},
        "capacity": capacity,
        "volume_share": share,
        "speed": _divide(3.6 * length, times),
        "free_speed": _divide(3.6 * length, free),
        "time": np.where(city.closed[links], np.nan, times),
        "delay": np.maximum(times - free, 0.0),
        "closed": city.closed[links],
    }  # fmt: skip
    if change is not None:
        columns["flow_change"] = change[links]
    if done.selected is not None:
        columns["selected_flow"] = _to_vehicles(done)[:count][links]
    frame = gpd.GeoDataFrame(columns, geometry=lines, crs=crs)
    numbers = frame.select_dtypes("float").columns
    frame[numbers] = frame[numbers].round(3)
    return frame


def summarize_city(done: CityAssignment) -> dict[str, Any]:
    """Return trips, vehicle kilometres and hours, delay, and length of roads by level of service."""
    graph, city, found = done.roads.graph, done.city, done.found
    count = city.road_links
    vehicles = done.vehicles[:, :count]
    flow, times = vehicles.sum(axis=0), found.times[:count]
    free = np.where(city.closed, 0.0, city.free_times)
    grades = grade_volume(found.total[:count] / city.network.delays.capacities[:count])
    used = flow >= LEAST_FLOW
    travelled = float(flow @ graph.lengths) / 1000.0
    hours = float(flow @ times) / 3600.0
    pcu = np.array([each.pcu for each in found.classes])
    return {
        **done.demand,
        "trips": round(float((done.check.trips / pcu).sum()), 3),
        "trips_within_zones": round(float(found.pairs.within.sum()), 3),
        "trips_lost": round(float((done.check.lost / pcu).sum()), 3),
        "zones_without_roads": done.lost_zones,
        "vehicle_km": round(travelled, 3),
        "vehicle_hours": round(hours, 3),
        "delay_hours": round(float(flow @ np.maximum(times - free, 0.0)) / 3600.0, 3),
        "mean_speed": round(travelled / hours, 2) if hours else None,
        "closed_km": round(float(graph.lengths[city.closed].sum()) / 1000.0, 3),
        "classes": {
            each.name: {
                "trips": round(float(served / each.pcu), 3),
                "vehicle_km": round(float(row @ graph.lengths) / 1000.0, 3),
            }
            for each, row, served in zip(found.classes, vehicles, done.check.trips, strict=True)
        },
        "grades_km": {
            grade: round(float(graph.lengths[used & (grades == k)].sum()) / 1000.0, 3) for k, grade in enumerate(GRADES)
        },
        **({} if done.selected is None else {"selected_trips": round(_sum_selected(done), 3)}),
    }


def write_city_files(done: CityAssignment) -> dict[str, bytes]:
    """Return flows.csv by road and direction, and skims.csv by pair of zones."""
    graph, city = done.roads.graph, done.city
    count = city.road_links
    edges = graph.edges
    network = city.network
    names = list_names(done.zones.ids, city.zone_nodes, network.node_count)
    classes = [each.name for each in done.found.classes]
    flows = write_table(
        ["road_link_id", "part", "way", "flow", "flow_pcu", "capacity", "time", "free_time",
         *(f"flow_{name}" for name in classes)],
        [
            done.roads.items[edges], done.roads.parts[edges], np.where(graph.forward, "forward", "backward"),
            done.vehicles[:, :count].sum(axis=0), done.found.total[:count], network.delays.capacities[:count],
            np.where(city.closed, np.nan, done.found.times[:count]), np.where(city.closed, np.nan, city.free_times),
            *done.vehicles[:, :count],
        ],
    )  # fmt: skip
    return {"flows.csv": flows, "skims.csv": write_skims(done.found, names, city.lengths, done.selected)}


def _to_vehicles(done: CityAssignment) -> Any:
    assert done.selected is not None
    return (done.selected.flows / np.array([[each.pcu] for each in done.found.classes])).sum(axis=0)


def _sum_selected(done: CityAssignment) -> float:
    assert done.selected is not None
    pairs = done.found.pairs
    pcu = np.array([each.pcu for each in done.found.classes])
    return float((done.selected.pairs / pcu[pairs.classes[pairs.groups]]).sum())


def _divide(above: Any, below: Any) -> Any:
    found = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=found, where=np.asarray(below) > 0.0)
    return found
