"""Congestion from stations: each link that one measures, and links near it on the same street, graded.

A measured link has what its own station reads. A link without one takes the speed of the nearest station on its street
within ``reach``, as a share of its own free speed; its flow is not told. A reading older than three of its intervals
says nothing any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from network.counts_reach import trace_street
from network.level_of_service import GRADES, UNGRADED, compute_time_index, estimate_queue_growth, grade_speed
from network.roads import Index, Values
from twin.roads.city_roads import CityRoads
from twin.traffic.counting import Section, Station, find_sections, number_streets

STALE_INTERVALS = 3.0
REACH_M = 500.0
PCU = 0.4
"""Passenger car units a vehicle where most are motorbikes."""


@dataclass(frozen=True, eq=False, slots=True)
class TrafficState:
    """What is told of links at a time; all arrays are (told,).

    links: of the graph. stations: place in ``seen`` of the station that tells. distances [m], 0 where it is measured
    here. speeds, free_speeds [km/h]; flows [veh/h] and volume_shares, NaN where not measured; ages [s]. grades: 0 to 5.
    queue_growth [m/h], NaN where no section tells.
    """

    links: Index
    stations: NDArray[np.int64]
    distances: Values
    speeds: Values
    free_speeds: Values
    flows: Values
    volume_shares: Values
    ages: Values
    grades: NDArray[np.int8]
    queue_growth: Values
    seen: tuple[Station, ...]
    silent: tuple[Station, ...]


def compute_state(
    stations: Sequence[Station], roads: CityRoads, at: datetime, *, reach: float = REACH_M, pcu: float = PCU
) -> TrafficState:
    """Return what the newest readings up to ``at`` tell of links; stations that are silent or stale are listed.

    reach: how far a station speaks for its street [m]. pcu: passenger car units a vehicle.
    """
    graph = roads.graph
    streets = number_streets(roads)
    seen: list[Station] = []
    silent: list[Station] = []
    best: dict[int, tuple[float, int]] = {}
    for station in stations:
        told = station.find_newest("vehicle_speed", at)
        if not station.links.size:
            continue
        if told is None or told[1] > STALE_INTERVALS * station.interval_s:
            silent.append(station)
            continue
        place = len(seen)
        seen.append(station)
        for link in station.links.tolist():
            for upstream in (True, False):
                found = trace_street(graph, link, streets, reach, upstream=upstream)
                for other, far in zip(found.links.tolist(), found.distances.tolist(), strict=True):
                    if far < best.get(other, (np.inf, 0))[0]:
                        best[other] = (far, place)
    links = np.array(sorted(best), np.int32)
    by = np.array([best[link][1] for link in links.tolist()], np.int64)
    distances = np.array([best[link][0] for link in links.tolist()])
    read = [one.find_newest("vehicle_speed", at) or (np.nan, np.nan) for one in seen]
    at_speed, age = np.array([value for value, _ in read]), np.array([old for _, old in read])
    own_free = np.array([float(graph.speeds[one.links].mean()) for one in seen])
    share = np.divide(at_speed, own_free, out=np.full(len(seen), np.nan), where=own_free > 0.0)
    here = distances == 0.0
    free = graph.speeds[links]
    speeds = np.where(here, at_speed[by], share[by] * free) if links.size else np.empty(0)
    flows = _read_flows(seen, at)
    flow = np.where(here, flows[by], np.nan) if links.size else np.empty(0)
    volume = pcu * flow / np.maximum(graph.capacities[links], 1.0)
    growth = np.full(graph.link_count, np.nan)
    for section in find_sections(seen, roads):
        growth[section.links] = _grow(section, at, float(graph.lanes[section.links].mean()))
    return TrafficState(
        links, by, distances, speeds, free, flow, volume, age[by] if links.size else np.empty(0),
        grade_speed(speeds, free, volume), growth[links], tuple(seen), tuple(silent),
    )  # fmt: skip


def make_frame(state: TrafficState, roads: CityRoads, at: datetime, crs: str) -> gpd.GeoDataFrame:
    """Return the state as features of layer ``traffic_state``: one line a link, drawn as its traffic runs."""
    graph = roads.graph
    edges = graph.edges[state.links]
    forward = graph.forward[state.links]
    lines = [line if ahead else line.reverse() for line, ahead in zip(roads.lines(edges), forward, strict=True)]
    index = compute_time_index(state.speeds, state.free_speeds)
    return gpd.GeoDataFrame(
        {
            "id": [_name(roads, edge, ahead) for edge, ahead in zip(edges.tolist(), forward.tolist(), strict=True)],
            "road_link_id": roads.items[edges],
            "name": [name or None for name in roads.names[edges]],
            "way": np.where(forward, "forward", "backward"),
            "grade": [None if grade == UNGRADED else GRADES[grade] for grade in state.grades.tolist()],
            "speed": state.speeds.round(1),
            "free_speed": state.free_speeds.round(1),
            "time_index": index.round(3),
            "flow": state.flows.round(0),
            "volume_share": state.volume_shares.round(3),
            "queue_growth": np.where(state.queue_growth > 0.0, state.queue_growth, np.nan).round(0),
            "measured": state.distances == 0.0,
            "station_id": [state.seen[place].id for place in state.stations.tolist()],
            "distance": state.distances.round(1),
            "observed": [at - timedelta(seconds=float(age)) for age in state.ages.tolist()],
            "age": state.ages.round(0),
        },
        geometry=lines,
        crs=crs,
    )  # fmt: skip


def _name(roads: CityRoads, edge: int, ahead: bool) -> str:
    return f"{roads.items[edge]}-{roads.parts[edge]}-{'f' if ahead else 'b'}"


def _read_flows(stations: Sequence[Station], at: datetime) -> Values:
    """Return the flow of one way at each station [veh/h]: half of what one of both ways counts."""
    found = []
    for one in stations:
        told = one.find_newest("vehicle_count", at)
        ways = max(one.links.size, 1) if one.direction == "both" else 1
        found.append(np.nan if told is None else told[0] / ways)
    return np.array(found)


def _grow(section: Section, at: datetime, lanes: float) -> float:
    flows = _read_flows((section.upstream, section.downstream), at)
    speed = section.upstream.find_newest("vehicle_speed", at)
    if speed is None or not np.isfinite(flows).all():
        return float("nan")
    return float(estimate_queue_growth(flows[0], flows[1], speed[0], max(lanes, 1.0)))
