"""The router that prepares: customisable contraction hierarchies.

Dibbelt, Strasser and Wagner 2016, doi:10.1145/2886843. The order of contraction and the shortcuts depend on the arcs
alone and are made once. Costs are put in by one pass over the triangles of the hierarchy; a few new costs move only
what depends on them. Answers are those of Dijkstra but for the last bits of a sum, which is added up in another order.
"""

import threading
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from network.cch_kernels import change, contract, customise, list_lower, place_arcs
from network.cch_order import dissect, join_neighbours, place_by_walks
from network.cch_queries import climb, fill_many, find_way, sweep
from network.path_kernels import sort_arcs
from network.paths_answers import Ends, Index, Values, check_place
from network.paths_dijkstra import Arcs, Router, Weights, invert_order

Places = NDArray[np.int64]
# Where more than this share of the nodes have arcs with new costs, one pass over all is sooner than change by change.
_MANY = 0.001


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Shortcuts over arcs, for any costs; nodes are named by their rank, as ``network.cch_kernels`` says.

    rank: of each node (nodes,). nodes: the node of each rank. parent: in the elimination tree, -1 for none. slots:
    where the cost of each arc goes (arcs,). slot_first, slot_arcs: the arcs of each edge and direction.
    """

    rank: Index
    nodes: Index
    first: Places
    heads: NDArray[np.uint32]
    lows: Index
    low_first: Places
    low_edges: Index
    parent: Index
    slots: Places
    slot_first: Index
    slot_arcs: Index

    @property
    def edge_count(self) -> int:
        """How many edges there are, shortcuts among them."""
        return self.heads.size


@dataclass(frozen=True, eq=False)
class Metric:
    """Costs of the arcs as they were given; of the edges of the hierarchy, up and down, and where each comes from."""

    given: Values
    weights: Values
    origins: Index


class _Workspace(threading.local):
    """Arrays of one thread, ready for the next climb."""

    def __init__(self, nodes: int) -> None:
        self.distance, self.back_distance = np.full(nodes, np.inf), np.full(nodes, np.inf)
        self.by, self.back_by = np.full(nodes, -1, np.int32), np.full(nodes, -1, np.int32)
        self.visited, self.back_visited = np.empty(nodes, np.int32), np.empty(nodes, np.int32)


class HierarchyRouter(Router):
    """Answers paths, distances and matrices from a hierarchy; trees, whose arcs are asked for, by Dijkstra."""

    engine = "cch"

    def __init__(self, arcs: Arcs, hierarchy: Hierarchy, costs: ArrayLike) -> None:
        self.hierarchy = hierarchy
        self._climbs = _Workspace(hierarchy.rank.size)
        super().__init__(arcs, costs)

    @property
    def order(self) -> Index:
        """The nodes in the order of contraction: given to ``build_router``, it need not be found again."""
        return self.hierarchy.nodes

    def fork(self) -> Self:
        """Return a router on the same arcs and hierarchy with costs of its own, now the same."""
        other = super().fork()
        own = self._metric
        other._metric = Metric(other._weights.given, own.weights.copy(), own.origins.copy())
        return other

    def compute_distances(
        self,
        sources: ArrayLike,
        *,
        source_costs: ArrayLike | None = None,
        limit: float = np.inf,
        backward: bool = False,
    ) -> Values:
        """Return the cost of each node (nodes,) from the nearest source, or backward to it; inf beyond ``limit``."""
        starts, start_costs = check_place(sources, source_costs, self.node_count, "sources")
        tree, metric, space, way = self.hierarchy, self._metric, self._climbs, int(backward)
        count, _, _ = climb(
            tree.first, tree.heads, tree.parent, metric.weights, way, tree.rank[starts], start_costs,
            space.distance, space.by, space.visited, space.back_distance,
        )  # fmt: skip
        costs = np.empty(self.node_count)
        sweep(tree.first, tree.heads, metric.weights, way, space.visited, count, space.distance, costs)
        found = costs[tree.rank]
        if np.isfinite(limit):
            found[found > limit] = np.inf
        return found

    def _fill(self, starts: Ends, ends: Ends) -> Values:
        tree, space = self.hierarchy, self._climbs
        matrix = np.empty((starts.count, ends.count))
        fill_many(
            tree.first, tree.heads, tree.parent, self._metric.weights,
            starts.first, tree.rank[starts.nodes], starts.costs, ends.first, tree.rank[ends.nodes], ends.costs,
            space.distance, space.by, space.visited, space.back_distance, matrix,
        )  # fmt: skip
        return matrix

    def _join(
        self, starts: Index, start_costs: Values, ends: Index, end_costs: Values
    ) -> tuple[float, Index, int, int]:
        tree, metric, space = self.hierarchy, self._metric, self._climbs
        cost, arcs, start, end = find_way(
            tree.first, tree.heads, tree.lows, tree.parent, metric.weights, metric.origins,
            tree.rank[starts], start_costs, tree.rank[ends], end_costs,
            space.distance, space.by, space.visited, space.back_distance, space.back_by, space.back_visited,
        )  # fmt: skip
        return cost, arcs, int(tree.nodes[start]) if start >= 0 else -1, int(tree.nodes[end]) if end >= 0 else -1

    def _weigh(self, costs: Values) -> Weights:
        tree = self.hierarchy
        # Before the kernel sees them: arrays that may be written into are another type to it.
        costs.setflags(write=False)
        weights, origins = np.empty((tree.edge_count, 2)), np.empty((tree.edge_count, 2), np.int32)
        customise(
            tree.first, tree.heads, tree.lows, tree.low_first, tree.low_edges, tree.slots, costs, weights, origins
        )
        self._metric = Metric(costs, weights, origins)
        return super()._weigh(costs)

    def _change(self, places: Places, values: Values) -> None:
        super()._change(places, values)
        tree, metric = self.hierarchy, self._metric
        if places.size > max(16, _MANY * self.node_count):
            customise(
                tree.first, tree.heads, tree.lows, tree.low_first, tree.low_edges, tree.slots,
                metric.given, metric.weights, metric.origins,
            )  # fmt: skip
            return
        slots = tree.slots[places]
        change(
            tree.first, tree.heads, tree.lows, tree.low_first, tree.low_edges, tree.slot_first, tree.slot_arcs,
            metric.given, slots[slots >= 0] >> 1, metric.weights, metric.origins,
        )  # fmt: skip


def build_hierarchy(
    tails: Index, heads: Index, nodes: int, *, xy: Values | None = None, order: Index | None = None
) -> Hierarchy:
    """Return the hierarchy over arcs; order: the nodes in the order of contraction (nodes,), found where none is given.

    xy: places of the nodes (nodes, 2); without them the order is found by counting edges, and is worse.
    """
    halves, others, turned = join_neighbours(tails, heads, nodes)
    if order is None:
        order = dissect(halves, others, turned, place_by_walks(halves, others) if xy is None else xy)
    rank = invert_order(order)
    first, high, parent = contract(halves, others, order, rank)
    lows, low_first, low_edges = list_lower(first, high)
    slots = place_arcs(first, high, rank[tails], rank[heads])
    kept = np.flatnonzero(slots >= 0).astype(np.int32)
    by_slot, slot_first = sort_arcs(slots[kept], 2 * high.size)
    return Hierarchy(rank, order, first, high, lows, low_first, low_edges, parent, slots, slot_first, kept[by_slot])
