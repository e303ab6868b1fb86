"""What an assignment is asked: links with delays, classes of travel, trips between nodes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.delays import Delays

Index = NDArray[np.int32]
Mask = NDArray[np.bool_]
Values = NDArray[np.float64]

MAX_CLASSES, MAX_PAIRS = 7, 20_000_000


@dataclass(frozen=True, eq=False)
class AssignmentNetwork:
    """Links with delays, and the arcs by which paths are sought.

    first, tails, heads, links, through: as for the loops of ``network.assignment_kernels``; a node that is not
    ``through`` is where trips begin and end only. starts, ends: the place at each end of a link (links,), where what
    arrives must leave; places: that of each node (nodes,). Without banned turns places are nodes and links are arcs.
    """

    first: Index
    tails: Index
    heads: Index
    links: Index
    through: Mask
    places: Index
    starts: Index
    ends: Index
    delays: Delays

    @property
    def node_count(self) -> int:
        """How many nodes paths are sought over."""
        return self.first.size - 1

    @property
    def link_count(self) -> int:
        """How many links carry flow."""
        return self.starts.size

    @property
    def place_count(self) -> int:
        """How many places flow is balanced at."""
        return int(max(self.places.max(initial=-1), self.starts.max(initial=-1), self.ends.max(initial=-1))) + 1


@dataclass(frozen=True, eq=False)
class TravelClass:
    """Trips of one kind of vehicle: from and to nodes (pairs,), how many an hour (pairs,), how much room each takes.

    pcu: passenger car units of one vehicle. fixed: what a link costs this class besides its time (links,) [s]: tolls
    over the value of time, a slower vehicle; infinite where it may not go.
    """

    name: str
    origins: Index
    destinations: Index
    volumes: Values
    pcu: float = 1.0
    fixed: Values | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """All trips, sorted by class, origin and destination: groups of one class and origin, pairs within them.

    classes, origins: (groups,). first: (groups + 1,). ends: destination (pairs,). volumes: (pairs,) [pcu/h].
    within: trips that begin and end at one node, by class [veh/h].
    """

    classes: Index
    origins: Index
    first: Index
    ends: Index
    volumes: Values
    within: Values

    @property
    def count(self) -> int:
        """How many pairs have trips."""
        return self.ends.size

    @property
    def group_count(self) -> int:
        """How many trees are sought in a round."""
        return self.origins.size

    @property
    def groups(self) -> Index:
        """The group of each pair (pairs,)."""
        return np.repeat(np.arange(self.group_count, dtype=np.int32), np.diff(self.first))

    @property
    def keys(self) -> NDArray[np.int64]:
        """A number for each pair (pairs,) that rises with class, origin and destination."""
        groups = self.groups
        kinds, origins = self.classes[groups].astype(np.int64), self.origins[groups].astype(np.int64)
        return (kinds << 60) + (origins << 30) + self.ends.astype(np.int64)

    def find_range(self, index: int) -> tuple[int, int]:
        """Return the first pair of a class and the one after its last."""
        low, high = np.searchsorted(self.classes, [index, index + 1])
        return int(self.first[low]), int(self.first[high])


def build_assignment_network(
    starts: ArrayLike, ends: ArrayLike, delays: Delays, *, node_count: int | None = None, through: Mask | None = None
) -> AssignmentNetwork:
    """Return a network whose links (links,) lead from node to node; InputError where ends are not nodes.

    through: nodes that paths may pass (nodes,); all where it is not given.
    """
    tails, heads = np.asarray(starts, np.int32), np.asarray(ends, np.int32)
    nodes = int(max(tails.max(initial=-1), heads.max(initial=-1))) + 1 if node_count is None else node_count
    if tails.shape != heads.shape or tails.ndim != 1 or tails.size != delays.curves.shape[0]:
        raise InputError(f"{tails.size} starts, {heads.size} ends and {delays.curves.shape[0]} delays do not fit")
    if tails.size and (min(tails.min(), heads.min()) < 0 or max(tails.max(), heads.max()) >= nodes):
        raise InputError(f"a link leads from or to a node beyond the {nodes} there are")
    order = np.lexsort((heads, tails)).astype(np.int32)
    first = np.zeros(nodes + 1, np.int32)
    np.cumsum(np.bincount(tails, minlength=nodes), out=first[1:])
    passed = np.ones(nodes, np.bool_) if through is None else np.asarray(through, np.bool_)
    if passed.shape != (nodes,):
        raise InputError(f"the mask of nodes to pass has shape {passed.shape}, expected ({nodes},)")
    places = np.arange(nodes, dtype=np.int32)
    return AssignmentNetwork(first, tails[order], heads[order], order, passed, places, tails, heads, delays)


def read_fixed(classes: Sequence[TravelClass], links: int) -> Values:
    """Return the fixed costs (classes, links) [s]; InputError where a shape is another or a cost is below 0."""
    costs = np.zeros((len(classes), links))
    for row, each in zip(costs, classes, strict=True):
        fixed = np.zeros(links) if each.fixed is None else np.asarray(each.fixed, np.float64)
        if fixed.shape != (links,):
            raise InputError(f"class '{each.name}' has fixed costs of shape {fixed.shape}, expected ({links},)")
        if not np.all(fixed >= 0.0):
            raise InputError(f"class '{each.name}' has a fixed cost below 0 or that is no number")
        row[:] = fixed
    return costs


def gather_pairs(network: AssignmentNetwork, classes: Sequence[TravelClass]) -> Pairs:
    """Return the trips of all classes, those of a pair added up; InputError names what is wrong with a class."""
    if len(classes) > MAX_CLASSES:
        raise InputError(f"{len(classes)} classes of travel, at most {MAX_CLASSES} are taken")
    parts = []
    within = np.zeros(len(classes))
    for index, each in enumerate(classes):
        origins, ends = np.asarray(each.origins, np.int64), np.asarray(each.destinations, np.int64)
        volumes = np.asarray(each.volumes, np.float64)
        if not origins.shape == ends.shape == volumes.shape or origins.ndim != 1:
            raise InputError(
                f"class '{each.name}' has {origins.size} origins, {ends.size} destinations and "
                f"{volumes.size} volumes, expected as many of each"
            )
        if not (np.isfinite(each.pcu) and each.pcu > 0.0):
            raise InputError(f"class '{each.name}' counts {each.pcu:g} pcu a vehicle, expected above 0")
        if origins.size and (
            min(origins.min(), ends.min()) < 0 or max(origins.max(), ends.max()) >= network.node_count
        ):
            raise InputError(
                f"class '{each.name}' has trips from or to a node beyond the {network.node_count} there are"
            )
        if not np.all(np.isfinite(volumes) & (volumes >= 0.0)):
            raise InputError(f"class '{each.name}' has a volume that is negative or no number")
        within[index] = volumes[origins == ends].sum()
        moving = (origins != ends) & (volumes > 0.0)
        keys = (index * network.node_count + origins[moving]) * network.node_count + ends[moving]
        distinct, where = np.unique(keys, return_inverse=True)
        parts.append((distinct, np.bincount(where, volumes[moving] * each.pcu, minlength=distinct.size)))
    keys = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, np.int64)
    volumes = np.concatenate([part[1] for part in parts]) if parts else np.zeros(0)
    if keys.size > MAX_PAIRS:
        raise InputError(f"{keys.size:,} pairs have trips, at most {MAX_PAIRS:,} are taken")
    sources, ends = np.divmod(keys, network.node_count)
    distinct, first = np.unique(sources, return_index=True)
    owners, origins = np.divmod(distinct, network.node_count)
    return Pairs(
        owners.astype(np.int32), origins.astype(np.int32), np.append(first, keys.size).astype(np.int32),
        ends.astype(np.int32), volumes, within,
    )  # fmt: skip
