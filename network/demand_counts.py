"""Trips brought nearer to counts: the gradient method of Spiess 1990 (A gradient approach for the O-D matrix adjustment
problem, CRT 693), which changes a matrix no more than counts ask for and leaves what is 0 at 0."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from layers.errors import InputError
from network.assignment import Assignment
from network.assignment_network import Index, Values

MAX_COUNTS = 100_000
# No trip is cut by more than this share in a step.
_MOST = 0.9


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Volumes after a step (pairs,), flows at the counts before it and expected after it (counts,) [pcu/h]."""

    volumes: Values
    before: Values
    after: Values


def compute_shares(assignment: Assignment, links: Index) -> csr_array:
    """Return which share of each pair's trips passes each counted link, (pairs, counts)."""
    paths, pairs = assignment.paths, assignment.pairs
    if links.size > MAX_COUNTS:
        raise InputError(f"{links.size:,} counts, at most {MAX_COUNTS:,} are taken")
    columns = np.full(assignment.network.link_count, -1)
    columns[links] = np.arange(links.size)
    sizes = np.diff(paths.link_first[: paths.count + 1])
    column = columns[paths.used_links]
    counted = column >= 0
    path = np.repeat(np.arange(paths.count), sizes)[counted]
    pair = paths.owners[path]
    shares = paths.flows[path] / pairs.volumes[pair]
    return csr_array((shares, (pair, column[counted])), shape=(pairs.count, links.size))


def adjust_trips(
    volumes: Values, shares: csr_array, counts: Values, *, preload: Values | None = None, steps: int = 1
) -> Adjusted:  # fmt: skip
    """Return volumes (pairs,) moved along the gradient of the squared differences from counts (counts,) [pcu/h].

    preload: what flows at the counts besides these trips (counts,). The length of each step is the best one along the
    gradient at these shares, so that differences never grow while paths stay as they are.
    """
    base = np.zeros(counts.size) if preload is None else preload
    trips = np.array(volumes, np.float64)
    before = base + shares.T @ trips
    flows = before
    for _ in range(steps):
        off = flows - counts
        gradient = shares @ off
        moved = shares.T @ (trips * gradient)
        whole = float(moved @ moved)
        if whole <= 0.0:
            break
        length = float(moved @ off) / whole
        steepest = float(gradient.max(initial=0.0))
        if steepest > 0.0:
            length = min(length, _MOST / steepest)
        trips = trips * (1.0 - length * gradient)
        flows = base + shares.T @ trips
    return Adjusted(trips, before, flows)
