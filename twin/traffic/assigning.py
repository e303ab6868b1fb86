"""The roads of the city as a network to assign trips on: delays, closures, water, and zones joined to junctions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from network.assignment_network import AssignmentNetwork, Index, Mask, Values
from network.delays import Delays, build_bpr, build_conical
from network.gap_kernels import measure_costs
from network.road_times import compute_times
from network.roads import RoadGraph
from twin.traffic.demand import CLASSES
from twin.traffic.zones import Doors, Zones

WALK_KMH = 15.0
"""From a door of a zone to its middle: alleys that the roads do not have."""
_WIDE = 1e7
BPR_A, BPR_POWER, CONICAL_ALPHA = 0.15, 4.0, 4.0


@dataclass(frozen=True, eq=False)
class CityNetwork:
    """Roads and zones: the first ``road_links`` links are those of the roads, the others join zones to junctions.

    zone_nodes: node of each zone (zones,). free_times: of a car on roads (road_links,) [s], infinite where closed.
    fixed: by class (links,) [s]. closed: links that no class may use (road_links,). lengths: (links,) [m].
    """

    network: AssignmentNetwork
    road_links: int
    zone_nodes: Index
    free_times: Values
    fixed: Mapping[str, Values]
    closed: Mask
    lengths: Values


@dataclass(frozen=True, eq=False)
class Limits:
    """What holds on roads besides their nature (links,): closed by class, share of capacity left, speed of a car.

    speeds [km/h]: None where nothing slows cars.
    """

    closed: Mapping[str, Mask]
    capacity_factors: Values
    speeds: Mapping[str, Values]


def build_city_network(
    graph: RoadGraph, zones: Zones, doors: Doors, limits: Limits, *, delay: str, capacity_factor: float = 1.0
) -> CityNetwork:  # fmt: skip
    """Return the network; delays are those of a car, other classes add what they are slower by.

    A class that is faster than a car where only it may go, such as motorbikes in alleys, sets the time there.
    """
    times = {
        name: compute_times(graph, name, speeds=limits.speeds.get(name), closed=limits.closed.get(name))
        for name in CLASSES
    }
    free = times["car"].copy()
    for name in CLASSES:
        free = np.where(np.isfinite(free), free, times[name])
    closed = ~np.isfinite(free)
    base = np.where(closed, 0.0, free)
    walk = doors.distances / (WALK_KMH / 3.6)
    capacity = np.maximum(graph.capacities * np.maximum(limits.capacity_factors, 0.0) * capacity_factor, 1.0)
    count, doors_count = graph.link_count, doors.zones.size
    whole_free = np.concatenate((base, walk, walk))
    whole_capacity = np.concatenate((capacity, np.full(2 * doors_count, _WIDE)))
    roads_only = np.concatenate((np.where(np.isfinite(graph.fixed_times), 0.0, 1.0), np.zeros(2 * doors_count)))
    delays = _build_delays(delay, whole_free, whole_capacity, roads_only)
    fixed = {
        name: np.concatenate(
            (np.where(np.isfinite(own), np.maximum(own - base, 0.0), np.inf), np.zeros(2 * doors_count))
        )
        for name, own in times.items()
    }
    network = _join(graph, zones, doors, delays)
    lengths = np.concatenate((graph.lengths, doors.distances, doors.distances))
    nodes = np.arange(graph.node_count, graph.node_count + len(zones.ids), dtype=np.int32)
    return CityNetwork(network, count, nodes, free, fixed, closed, lengths)


def measure_zones(city: CityNetwork, name: str) -> Values:
    """Return the time between zones (zones, zones) [s] of a class on free roads; infinite where no way leads."""
    network = city.network
    costs = (network.delays.free_times + city.fixed[name])[network.links]
    rows = [measure_costs(network.first, network.heads, costs, network.through, node) for node in city.zone_nodes]
    return np.array(rows)[:, city.zone_nodes]


def _join(graph: RoadGraph, zones: Zones, doors: Doors, delays: Delays) -> AssignmentNetwork:
    """Return arcs of roads, from zones to their junctions, and from every node of those junctions to zones."""
    first, nodes = graph.junction_nodes
    sizes = np.diff(first)[doors.junctions]
    owner = np.repeat(np.arange(doors.zones.size), sizes)
    inside = np.arange(owner.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    arriving = nodes[first[doors.junctions][owner] + inside]
    zone_nodes = graph.node_count + doors.zones
    out, back = graph.link_count, graph.link_count + doors.zones.size
    tails = np.concatenate((graph.tails, zone_nodes, arriving)).astype(np.int32)
    # The first nodes are the junctions themselves, from where every turn is free.
    heads = np.concatenate((graph.heads, doors.junctions, zone_nodes[owner])).astype(np.int32)
    links = np.concatenate((graph.links, out + np.arange(doors.zones.size), back + owner)).astype(np.int32)
    count = graph.node_count + len(zones.ids)
    order = np.argsort(tails, kind="stable")
    begins = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(tails, minlength=count), out=begins[1:])
    places = np.concatenate((graph.junctions, graph.junction_count + np.arange(len(zones.ids)))).astype(np.int32)
    zone_places = (graph.junction_count + doors.zones).astype(np.int32)
    return AssignmentNetwork(
        begins, tails[order], heads[order], links[order], np.arange(count) < graph.node_count, places,
        np.concatenate((graph.starts, zone_places, doors.junctions)).astype(np.int32),
        np.concatenate((graph.ends, doors.junctions, zone_places)).astype(np.int32), delays,
    )  # fmt: skip


def _build_delays(kind: str, free: Values, capacities: Values, roads: Values) -> Delays:
    """Return delays; ferries and what joins zones (where ``roads`` is 0) take as long however many come."""
    if kind == "bpr":
        return build_bpr(free, capacities, a=BPR_A * roads, power=BPR_POWER)
    return build_conical(free, np.where(roads > 0.0, capacities, _WIDE), alpha=CONICAL_ALPHA)
