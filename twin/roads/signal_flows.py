"""What arrives at the signals of a corridor: given for all, given for each, or of a run of traffic assignment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from layers.errors import InputError, NotFoundError
from network.paths_answers import Values
from network.signals import SATURATION_FLOW
from twin.process import CityView
from twin.roads.city_roads import CityRoads
from twin.roads.signal_corridor import Corridor


@dataclass(frozen=True, eq=False)
class SignalFlows:
    """Flows at each signal and what it can let pass while green [pcu/h] (signals,): out along the street, back, across.

    across is the busiest approach of those that share the green of the cross streets.
    """

    outbound: Values
    inbound: Values
    across: Values
    outbound_saturation: Values
    inbound_saturation: Values
    across_saturation: Values

    @property
    def main_ratios(self) -> Values:
        """Critical flow ratio of the street (signals,)."""
        return np.maximum(self.outbound / self.outbound_saturation, self.inbound / self.inbound_saturation)


def spread_flows(
    roads: CityRoads, corridor: Corridor, outbound: float, inbound: float, across: float,
    each: Mapping[str, Mapping[str, float]],
) -> SignalFlows:  # fmt: skip
    """Return flows given for all signals, with those that ``each`` gives by id in their place.

    InputError for an id that is not in the corridor.
    """
    unknown = next((name for name in each if name not in corridor.ids), None)
    if unknown is not None:
        raise InputError(f"'flows' names signal '{unknown[:80]}', which is not in the corridor: {corridor.ids}")
    size = len(corridor.ids)
    given = {
        name: np.array([float(each.get(signal, {}).get(name, value)) for signal in corridor.ids])
        for name, value in (("outbound", outbound), ("inbound", inbound), ("across", across))
    }
    lanes = _count_lanes(roads, corridor)
    main, back, side = (SATURATION_FLOW * lanes[key] for key in ("outbound", "inbound", "across"))
    assert size == main.size
    return SignalFlows(given["outbound"], given["inbound"], given["across"], main, back, side)


def read_run_flows(view: CityView, roads: CityRoads, corridor: Corridor, run_id: str) -> SignalFlows:
    """Return the flows of a run of traffic assignment; NotFoundError where it wrote none."""
    frame = view.layer("traffic_flows", columns=["run_id", "road_link_id", "way", "flow_pcu"])
    frame = frame[(frame["run_id"] == run_id) & frame["flow_pcu"].notna()]
    if frame.empty:
        raise NotFoundError(f"run '{run_id[:80]}' wrote no traffic_flows", hint="a run of traffic-assignment")
    ways = dict(iter(frame.groupby(["road_link_id", "way"])))
    graph = roads.graph

    def read(link: int) -> float:
        """Return the flow of the part of the road, this way, that lies at the middle of the link."""
        key = str(roads.items[graph.edges[link]]), "forward" if graph.forward[link] else "backward"
        if link < 0 or key not in ways:
            return 0.0
        [line] = roads.lines([int(graph.edges[link])])
        off = shapely.distance(ways[key].geometry.to_numpy(), line.interpolate(0.5, normalized=True))
        return float(ways[key]["flow_pcu"].iloc[int(np.argmin(off))])

    lanes = _count_lanes(roads, corridor)
    across, saturation = np.zeros(len(corridor.ids)), SATURATION_FLOW * lanes["across"]
    for place, links in enumerate(corridor.across):
        ratios = [(read(link) / (SATURATION_FLOW * max(graph.lanes[link], 0.5)), link) for link in links]
        if ratios:
            _, busiest = max(ratios)
            across[place], saturation[place] = read(busiest), SATURATION_FLOW * max(graph.lanes[busiest], 0.5)
    return SignalFlows(
        np.array([read(link) for link in corridor.outbound.tolist()]),
        np.array([read(link) for link in corridor.inbound.tolist()]),
        across, SATURATION_FLOW * lanes["outbound"], SATURATION_FLOW * lanes["inbound"], saturation,
    )  # fmt: skip


def _count_lanes(roads: CityRoads, corridor: Corridor) -> dict[str, Values]:
    """Return lanes by approach (signals,); half a lane at least, one where there is no such approach."""
    lanes = np.append(np.maximum(roads.graph.lanes, 0.5), 1.0)
    sides: list[Any] = [max((lanes[link] for link in links), default=1.0) for links in corridor.across]
    return {
        "outbound": lanes[corridor.outbound],
        "inbound": lanes[corridor.inbound],
        "across": np.array(sides, np.float64),
    }
