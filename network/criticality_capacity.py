"""What it costs when a stretch keeps only part of its capacity and everybody finds a new equilibrium.

Closing a stretch asks what those lose who must go another way; losing 70 to 95 % of its room asks what a lane of works
or water does to all. The change may be below nothing: less room can serve all better (Braess 1968).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from layers.errors import InputError
from network.assignment import assign
from network.assignment_network import TravelClass, build_assignment_network
from network.criticality import Demand, Index
from network.delays import build_bpr
from network.gap import check_flows, require_balance
from network.roads import Mask, RoadGraph, Values

LEAST_SHARE, MOST_SHARE = 0.05, 0.99


@dataclass(frozen=True, eq=False)
class CapacityCuts:
    """Total time at equilibrium before [s h-1], and how much more it is with each stretch cut (k,), below 0 if less.

    gap: the largest of all equilibria, computed from their flows alone: differences below ``gap`` times ``spent`` are
    not told apart from nothing. lost: trips no way serves [pcu/h].
    """

    spent: float
    added: Values
    gap: float
    lost: float


def cut_capacities(
    graph: RoadGraph,
    seconds: Values,
    demand: Demand,
    stretches: Index,
    *,
    share: float,
    pcu: float = 1.0,
    gap: float = 1e-5,
    follow: Callable[[int], None] | None = None,
) -> CapacityCuts:
    """Return what taking ``share`` of the capacity of each stretch (k,), both directions, adds to the time of all.

    seconds: free time of links (links,), inf where nobody may go. Trips are of one hour, of vehicles of ``pcu`` each.
    Banned turns are not heeded; times are those of the Bureau of Public Roads. Raises InputError for a share outside
    0.05 to 0.99 and UnbalancedError where flows are not the trips.
    """
    if not LEAST_SHARE <= share <= MOST_SHARE:
        raise InputError(f"{share:g} of the capacity is to be lost, expected {LEAST_SHARE:g} to {MOST_SHARE:g}")
    usable: Mask = np.isfinite(seconds) & (graph.capacities > 0.0)
    links = np.flatnonzero(usable)
    pairs = np.nonzero((demand.trips > 0.0) & (demand.origins[:, None] != demand.destinations[None, :]))
    trips = TravelClass(
        "trips",
        demand.origins[pairs[0]].astype(np.int32),
        demand.destinations[pairs[1]].astype(np.int32),
        demand.trips[pairs],
        pcu=pcu,
    )

    def solve(capacities: Values, warm: object = None) -> tuple[float, float, float, object]:
        network = build_assignment_network(
            graph.starts[links], graph.ends[links], build_bpr(seconds[links], capacities),
            node_count=graph.junction_count,
        )  # fmt: skip
        found = assign(network, [trips], gap=gap, warm=warm)  # type: ignore[arg-type]
        check = check_flows(network, [trips], found.flows)
        require_balance(check)
        return check.spent, check.gap, float(check.lost.sum()), found

    room = graph.capacities[links]
    spent, worst, lost, base = solve(room)
    added = np.zeros(stretches.size)
    for place, edge in enumerate(stretches):
        total, reached, _, _ = solve(np.where(graph.edges[links] == edge, (1.0 - share) * room, room), base)
        added[place], worst = total - spent, max(worst, reached)
        if follow is not None:
            follow(place)
    return CapacityCuts(spent, added, worst, lost)
