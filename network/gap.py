"""What flows on links are worth as an equilibrium, computed from the flows and the trips alone.

No path, tree or cost of the assignment is believed: times follow from the flows, least costs from a search of its own.
So the flows of any program can be checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layers.errors import TwinError
from network.assignment_network import AssignmentNetwork, TravelClass, Values, read_fixed
from network.gap_kernels import measure_costs

# Of all trips: what rounding may leave over at a place.
BALANCE = 1e-9


class UnbalancedError(TwinError):
    """Flows that do not lead from origins to destinations; no result to be shown."""

    code, status = "unbalanced-flows", 500


@dataclass(frozen=True, eq=False)
class Check:
    """What a check found.

    gap: (spent - least) / spent. spent, least: total cost at the flows, and the least it could be at their times
    [pcu s/h]. imbalances: (classes,), the most that arrives at a place and neither leaves nor ends there [pcu/h].
    banned: flow where a class may not go [pcu/h], the most of any link. trips: served (classes,) [pcu/h]; lost: trips
    that no path serves (classes,) [pcu/h].
    """

    gap: float
    spent: float
    least: float
    imbalances: Values
    banned: float
    trips: Values
    lost: Values

    @property
    def is_balanced(self) -> bool:
        """Whether flows are trips, but for rounding."""
        return bool(np.all(np.append(self.imbalances, self.banned) <= BALANCE * max(float(self.trips.sum()), 1.0)))


def check_flows(
    network: AssignmentNetwork, classes: Sequence[TravelClass], flows: Values, *, preload: Values | None = None
) -> Check:
    """Return what flows (classes, links) [pcu/h] above a preload (links,) are worth.

    Trips that no path serves are left out of the balance and counted as lost.
    """
    fixed = read_fixed(classes, network.link_count)
    times = network.delays.compute_times(flows.sum(axis=0) + (0.0 if preload is None else preload))
    spent, least, banned = 0.0, 0.0, 0.0
    rows: list[tuple[float, float, float]] = []
    for each, own, flow in zip(classes, fixed, flows, strict=True):
        costs = times + own
        is_open = np.isfinite(own)
        banned = max(banned, float(np.abs(flow[~is_open]).max(initial=0.0)))
        spent += float(np.sum(flow[is_open] * costs[is_open]))
        paid, balance, served, lost = _send_trips(network, each, costs)
        least += paid
        balance += np.bincount(network.ends, flow, minlength=network.place_count)
        balance -= np.bincount(network.starts, flow, minlength=network.place_count)
        rows.append((float(np.abs(balance).max(initial=0.0)), served, lost))
    imbalances, trips, lost_trips = np.array(rows).reshape(-1, 3).T
    gap = (spent - least) / spent if spent > 0.0 else 0.0
    return Check(gap, spent, least, imbalances, banned, trips, lost_trips)


def require_balance(check: Check) -> None:
    """Raise UnbalancedError where flows are not trips."""
    if not check.is_balanced:
        worst = float(check.imbalances.max(initial=0.0))
        raise UnbalancedError(
            f"flows leave {worst:g} pcu/h over at a node and {check.banned:g} pcu/h on links that are closed, expected "
            f"at most {BALANCE:g} of {float(check.trips.sum()):g} pcu/h",
            hint="this is a fault of the program: please report it with the inputs of the run",
        )


def _send_trips(
    network: AssignmentNetwork, each: TravelClass, costs: Values
) -> tuple[float, Values, float, float]:  # fmt: skip
    """Return least cost of the trips of a class, trips begun less ended by place, trips served and lost [pcu/h]."""
    balance = np.zeros(network.place_count)
    arc_costs = costs[network.links]
    moving = (each.origins != each.destinations) & (each.volumes > 0.0)
    order = np.flatnonzero(moving)[np.argsort(each.origins[moving], kind="stable")]
    origins, ends, volumes = each.origins[order], each.destinations[order], each.volumes[order] * each.pcu
    paid = served = lost = 0.0
    cuts = np.flatnonzero(np.diff(origins)) + 1
    for mine in np.split(np.arange(order.size), cuts) if order.size else []:
        origin = int(origins[mine[0]])
        labels = measure_costs(network.first, network.heads, arc_costs, network.through, origin)[ends[mine]]
        reached = np.isfinite(labels)
        volume = volumes[mine][reached]
        paid += float(volume @ labels[reached])
        served += float(volume.sum())
        lost += float(volumes[mine][~reached].sum())
        balance[network.places[origin]] += volume.sum()
        np.subtract.at(balance, network.places[ends[mine][reached]], volume)
    return paid, balance, served, lost
