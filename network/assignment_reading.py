"""What an assignment says beyond flows: skims of its paths, and who uses a link."""

from dataclasses import dataclass

import numpy as np

from network.assignment import Assignment
from network.assignment_network import Mask, Values


@dataclass(frozen=True, eq=False)
class SelectedLinks:
    """Trips that use one of some links: by pair (pairs,) [pcu/h], and everywhere they go, (classes, links) [pcu/h]."""

    pairs: Values
    flows: Values


def select_links(assignment: Assignment, links: Mask) -> SelectedLinks:
    """Return the trips whose paths use one of the masked links (links,), and their flow on all links."""
    paths = assignment.paths
    chosen = np.where(paths.find_paths(links), paths.flows[: paths.count], 0.0)
    sizes = np.diff(paths.link_first[: paths.count + 1])
    kinds = assignment.pairs.classes[assignment.pairs.groups][paths.owners]
    flows = np.zeros(assignment.flows.shape)
    np.add.at(flows, (np.repeat(kinds, sizes), paths.used_links), np.repeat(chosen, sizes))
    return SelectedLinks(_sum_pairs(assignment, chosen), flows)


def compute_skims(assignment: Assignment, values: Values) -> Values:
    """Return the sum of link values (links,) on the way of each pair (pairs,), the mean over its trips.

    With the times of links it is the time of a trip, with their lengths how far it goes. NaN where no path leads.
    """
    return _average(assignment, assignment.paths.sum_paths(values))


def compute_costs(assignment: Assignment) -> Values:
    """Return the mean generalised cost of each pair's trips (pairs,) [s], fixed costs included; NaN without a path."""
    paths = assignment.paths
    return _average(assignment, paths.sum_paths(assignment.times) + paths.fixed[: paths.count])


def _average(assignment: Assignment, values: Values) -> Values:
    """Return the mean of path values over the trips of each pair; NaN without a path."""
    flows = assignment.paths.flows[: assignment.paths.count]
    sums, trips = _sum_pairs(assignment, flows * values), _sum_pairs(assignment, flows)
    means = np.full(sums.size, np.nan)
    np.divide(sums, trips, out=means, where=trips > 0.0)
    return means


def _sum_pairs(assignment: Assignment, values: Values) -> Values:
    sums: Values = np.bincount(assignment.paths.owners, values, minlength=assignment.pairs.count).astype(np.float64)
    return sums
