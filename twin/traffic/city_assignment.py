"""An assignment on the roads of the city: zones, trips, closures and water in, an equilibrium out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from layers.errors import InputError
from network.assignment import Assignment, Start, Step, assign
from network.assignment_network import Mask, Values
from network.assignment_reading import SelectedLinks, select_links
from network.gap import Check, check_flows, require_balance
from network.road_times import free_speeds
from network.roads import RoadGraph
from twin.process import CityView
from twin.roads.city_roads import CityRoads
from twin.roads.closures import read_closures
from twin.roads.flooding import read_flood_times
from twin.traffic.assigned import KeptPaths
from twin.traffic.assigning import CityNetwork, Limits, build_city_network, measure_zones
from twin.traffic.calibrating import calibrate, read_counts
from twin.traffic.demand import CLASSES, HOUR_SHARES, Trips, make_classes, place_trips, split_classes, spread_people
from twin.traffic.published import read_trips
from twin.traffic.zones import Doors, Zones, join_zones, read_zones


@dataclass(frozen=True, eq=False)
class Question:
    """Whose trips, on which roads: the inputs of the process in SI units, and what follows the rounds."""

    trips: str | None
    counts: str | None
    hour: int
    trips_per_person: float
    mean_time: float | None
    zone_size: float
    shares: Mapping[str, float]
    pcu: Mapping[str, float]
    delay: str
    gap: float
    max_iterations: int
    at: datetime | None
    works: bool
    closed: tuple[str, ...]
    flood_run: str | None
    base: str | None
    select: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CityAssignment:
    """The equilibrium on the city's roads; vehicles (classes, links) an hour, base: those of the run compared with."""

    roads: CityRoads
    zones: Zones
    city: CityNetwork
    found: Assignment
    check: Check
    vehicles: Values
    base: Values | None
    selected: SelectedLinks | None
    lost_zones: int
    demand: Mapping[str, Any]


def assign_city(view: CityView, asked: Question, follow: Callable[[Step], bool]) -> CityAssignment:
    """Return the equilibrium; InputError where the city has no roads or zones, UnbalancedError for flows that are none.

    Raises NotFoundError for runs and roads that are not there.
    """
    roads = view.roads()
    graph = roads.graph
    if graph.link_count == 0:
        raise InputError("the city has no roads", hint="load a source of layer road_links")
    zones = read_zones(view, asked.zone_size)
    # Doors are those of the open roads, so that runs with and without closures have the same links.
    doors = join_zones(zones, graph, graph.allows("car") | graph.allows("motorbike"))
    limits = _read_limits(view, roads, asked)
    city = build_city_network(graph, zones, doors, limits, delay=asked.delay)
    trips, demand = _read_demand(asked, zones, graph, doors)
    classes = make_classes(trips, city.zone_nodes, asked.pcu, city.fixed)
    names = [each.name for each in classes]
    kept = None
    if asked.base is not None:
        kept = KeptPaths(view.find_run_folder(asked.base), asked.base, _stamp(roads, zones), names,
                         city.network.link_count)  # fmt: skip
    start: Start | None = kept
    if asked.counts is not None:
        counts = read_counts(asked.counts, _find_ways(roads))
        fitted = calibrate(city.network, classes, counts, warm=kept, follow=follow)
        classes, start = fitted.classes, fitted.found
        demand["calibration"] = fitted.figures
    found = assign(city.network, classes, gap=asked.gap, warm=start, max_iterations=asked.max_iterations, follow=follow)
    check = check_flows(city.network, classes, found.flows)
    require_balance(check)
    selected = select_links(found, _find_links(roads, asked.select, city.network.link_count)) if asked.select else None
    vehicles = found.flows / np.array([[each.pcu] for each in classes])
    base = None if kept is None else kept.vehicles
    return CityAssignment(roads, zones, city, found, check, vehicles, base, selected, int(doors.lost.size), demand)


def stamp_of(done: CityAssignment) -> str:
    """Return what the roads and zones of an assignment are known by."""
    return _stamp(done.roads, done.zones)


def _stamp(roads: CityRoads, zones: Zones) -> str:
    return f"{roads.stamp} {zones.source} {len(zones.ids)} {zones.centres.sum():.3f}"


def _read_demand(
    asked: Question, zones: Zones, graph: RoadGraph, doors: Doors
) -> tuple[list[Trips], dict[str, Any]]:  # fmt: skip
    """Return trips by class and what is told of them."""
    if asked.trips is not None:
        given = place_trips(read_trips(asked.trips), {name: k for k, name in enumerate(zones.ids)}, asked.shares)
        if not given:
            raise InputError("the table of trips has none")
        return given, {"source": "given", "zones": len(zones.ids), "zone_layer": zones.source}
    # Where people go does not change because a street is closed for a day: times are those of open, free roads.
    city = build_city_network(graph, zones, doors, Limits({}, np.ones(graph.link_count), {}), delay=asked.delay)
    gravity = spread_people(
        zones, measure_zones(city, "motorbike"), trips_per_person=asked.trips_per_person,
        share=HOUR_SHARES[asked.hour], mean_time=asked.mean_time,
    )  # fmt: skip
    told: dict[str, Any] = {
        "source": "gravity", "zones": len(zones.ids), "zone_layer": zones.source, "mean_time": gravity.mean_cost,
        "scale": gravity.scale, "balancing_rounds": gravity.rounds, "balancing_error": gravity.error,
    }  # fmt: skip
    return split_classes(gravity.trips, asked.shares), told


def _read_limits(view: CityView, roads: CityRoads, asked: Question) -> Limits:
    graph = roads.graph
    at = asked.at or view.now
    shut = np.zeros(graph.link_count, np.bool_)
    if asked.closed:
        shut = _find_links(roads, asked.closed, graph.link_count)
    closed: dict[str, Mask] = {}
    speeds: dict[str, Values] = {}
    factors = np.ones(graph.link_count)
    for name in CLASSES:
        closed[name] = shut.copy()
        if asked.works:
            events = read_closures(view, roads, at, name)
            closed[name] |= events.closed
            factors = np.minimum(factors, np.where(events.closed, 1.0, events.capacity_factors))
            if np.isfinite(events.speed_limits).any():
                speeds[name] = np.minimum(free_speeds(graph, name), events.speed_limits)
        if asked.flood_run is not None:
            wet = read_flood_times(view, roads, asked.flood_run, asked.at, name, speeds=speeds.get(name))
            closed[name] |= wet.closed
            speeds[name] = _read_speeds(graph, wet.seconds, name)
    return Limits(closed, factors, speeds)


def _read_speeds(graph: RoadGraph, seconds: Values, name: str) -> Values:
    """Return the speed [km/h] that times on links stand for; the free one where there is no time."""
    speeds = free_speeds(graph, name)
    moving = np.isfinite(seconds) & (seconds > 0.0) & (graph.lengths > 0.0)
    return np.where(moving, 3.6 * graph.lengths / np.where(moving, seconds, 1.0), speeds)


def _find_ways(roads: CityRoads) -> Callable[[str, str], Sequence[int]]:
    """Return what finds the links in the middle of a road by id and way, as a counter there sees them."""
    columns = {"forward": [0], "backward": [1], "": [0, 1]}

    def find(item: str, way: str) -> Sequence[int]:
        edges = roads.find_edges(item)
        links = roads.graph.edge_links[edges[edges.size // 2], columns[way]]
        return [int(link) for link in links if link >= 0]

    return find


def _find_links(roads: CityRoads, items: tuple[str, ...], count: int) -> Mask:
    """Return the links of roads by id (count,); NotFoundError names one that is not there."""
    mask = np.zeros(count, np.bool_)
    for item in items:
        found = roads.graph.edge_links[roads.find_edges(item)]
        mask[found[found >= 0]] = True
    return mask
