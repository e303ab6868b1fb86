"""User equilibrium: flows at which nobody gets there at less cost by another path (Wardrop 1952, Beckmann et al. 1956).

Paths are kept for each class, origin and destination. One tree an origin finds cheaper ones (column generation), then
flow moves between the paths of each pair (gradient projection, Jayakrishnan et al. 1994). Flows are in passenger car
units [pcu/h] throughout, so that classes share capacity while each has costs and bans of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import process_time
from typing import Protocol

import numpy as np

from layers.errors import InputError
from network.assignment_kernels import balance_paths, renew_paths
from network.assignment_network import AssignmentNetwork, Mask, Pairs, TravelClass, Values, gather_pairs, read_fixed
from network.assignment_paths import Paths, empty_paths, take_over

MAX_ITERATIONS = 300
# Flow is moved between the paths there are until they are this much nearer to equal than the trees found them.
_NEARER, _FIRST_NEARER, _SWEEPS = 0.03, 0.1, 60
# Below this share of the total cost, differences are those of rounding.
_ROUNDING = 1e-14
# Trees of all origins are kept for the next round while they take no more than this [bytes].
_TREES = 1_500_000_000


@dataclass(frozen=True, eq=False)
class Step:
    """One round: relative gap of the flows it began with (infinite while loading), paths, CPU seconds so far."""

    gap: float
    paths: int
    cpu_s: float


class Start(Protocol):
    """What a later assignment starts from: paths, and the pairs they belong to, classes by number."""

    @property
    def paths(self) -> Paths:
        """The paths."""

    @property
    def pairs(self) -> Pairs:
        """Their pairs."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """Flows of an equilibrium on the links of a network.

    fixed: (classes, links) [s]. flows: (classes, links) [pcu/h], without the preload (links,). total: with it (links,)
    [pcu/h]. times: (links,) [s]. gap: (spent - least) / spent at these flows. objective: Beckmann's, with fixed costs
    and without the preload's own part [s pcu/h].
    """

    network: AssignmentNetwork
    classes: tuple[TravelClass, ...]
    pairs: Pairs
    paths: Paths
    fixed: Values
    preload: Values
    flows: Values
    total: Values
    times: Values
    gap: float
    objective: float
    steps: tuple[Step, ...] = field(repr=False)

    @property
    def served(self) -> Mask:
        """Which pairs a path leads to (pairs,)."""
        return np.diff(self.paths.first) > 0

    @property
    def cpu_s(self) -> float:
        """CPU seconds from trips to flows."""
        return self.steps[-1].cpu_s


def assign(
    network: AssignmentNetwork,
    classes: Sequence[TravelClass],
    *,
    gap: float = 1e-6,
    preload: Values | None = None,
    warm: Start | None = None,
    max_iterations: int = MAX_ITERATIONS,
    follow: Callable[[Step], bool] | None = None,
) -> Assignment:
    """Return the equilibrium of the trips of all classes, to a relative gap of (spent - least) / spent.

    preload: flow that is there anyway (links,) [pcu/h]. warm: an earlier assignment of the same links, whose paths are
    taken over where they are still open. ``follow`` hears of each round and stops it by returning True; then, or after
    ``max_iterations``, the gap is what was reached. InputError where shapes do not fit, or
    times grow beyond all numbers.
    """
    began = process_time()
    links, delays = network.link_count, network.delays
    base = _read_preload(preload, links)
    pairs = gather_pairs(network, classes)
    fixed = read_fixed(classes, links)
    paths = empty_paths(pairs.count) if warm is None else take_over(warm.paths, warm.pairs, pairs, fixed)
    spare = empty_paths(pairs.count)
    total = base + paths.sum_links(links)
    states = delays.compute_states(total)
    kept = pairs.group_count * network.node_count * 4 <= _TREES
    trees = np.empty((pairs.group_count if kept else 1, network.node_count), np.int32)
    grown = np.zeros(pairs.group_count, np.bool_)
    seen, stamp = np.full((links, 2), -1, np.int64), 0
    steps: list[Step] = []
    while True:
        totals, done = np.zeros(3), 0
        spare = spare.make_room(paths)
        while (
            done := renew_paths(
                network.first, network.tails, network.heads, network.links, network.through, fixed, pairs.classes,
                pairs.origins, pairs.first, pairs.ends, pairs.volumes, delays.code, delays.curves, total, states, trees,
                grown, *paths.arrays, *spare.arrays, done, totals,
            )
        ) < pairs.count:  # fmt: skip
            spare = spare.grow()
        paths, spare = spare, paths
        spent, least, loaded = totals
        if not np.isfinite(spent):
            raise InputError("times grow beyond all numbers", hint="look for capacities far below the trips, or powers")
        # While pairs get their first path, costs move between origins: what is summed then is no gap.
        reached = np.inf if loaded else (max(spent - least, 0.0) / spent if spent else 0.0)
        steps.append(Step(float(reached), paths.count, process_time() - began))
        stopped = follow is not None and follow(steps[-1])
        enough = reached <= gap or stopped or len(steps) >= max_iterations
        if not enough:
            aim = spent * (_FIRST_NEARER if loaded else max(_NEARER * reached, _ROUNDING))
            _set_flows(network, base, paths, total, states)
            stamp = balance_paths(
                delays.code, delays.curves, total, states, *paths.arrays, seen, stamp, _SWEEPS, aim
            )  # fmt: skip
        # Rounding of many small moves does not add up: flows are those of the paths again.
        _set_flows(network, base, paths, total, states)
        if enough:
            break
    flows = np.zeros((len(classes), links))
    for index in range(len(classes)):
        flows[index] = paths.sum_links(links, *pairs.find_range(index))
    objective = compute_objective(network, fixed, base, flows)
    return Assignment(
        network, tuple(classes), pairs, paths, fixed, base, flows, total, states[:, 0].copy(), steps[-1].gap, objective,
        tuple(steps),
    )  # fmt: skip


def compute_objective(network: AssignmentNetwork, fixed: Values, preload: Values, flows: Values) -> float:
    """Return Beckmann's objective [s pcu/h] of flows (classes, links) above a preload (links,)."""
    delays = network.delays
    total = preload + flows.sum(axis=0)
    extra = float(np.sum(np.where(flows > 0.0, fixed, 0.0) * flows))
    return float(np.sum(delays.integrate(total)) - np.sum(delays.integrate(preload))) + extra


def _set_flows(network: AssignmentNetwork, base: Values, paths: Paths, total: Values, states: Values) -> None:
    total[:] = base + paths.sum_links(network.link_count)
    network.delays.set_states(total, states)


def _read_preload(preload: Values | None, links: int) -> Values:
    base = np.zeros(links) if preload is None else np.array(preload, np.float64)
    if base.shape != (links,) or not np.all(np.isfinite(base) & (base >= 0.0)):
        raise InputError(f"the preload has shape {base.shape}, expected ({links},) of numbers of at least 0")
    return base
