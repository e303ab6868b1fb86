"""The router that needs no preparation: Dijkstra from both ends, trees, rows of a matrix."""

import threading
from copy import copy
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.path_kernels import clear, fill_rows, grow, meet, order_breadth_first, sort_arcs, trace_path
from network.paths_answers import Ends, Index, Path, Tree, Values, check_arc_costs, check_ends, check_place

MAX_MATRIX = 100_000_000
_NO_MARKS = np.zeros(1, np.bool_)


@dataclass(frozen=True, eq=False)
class Arcs:
    """Arcs in an order that keeps neighbours near in memory; nodes are renumbered by ``rank`` (nodes,).

    nodes: the node of each rank. first, heads, tails, ids: by tail, ids are places in the arcs as they were given;
    back_…: the same by head. places, back_places: where each arc as it was given lies by tail and by head.
    """

    rank: Index
    nodes: Index
    first: Index
    tails: Index
    heads: NDArray[np.uint32]
    ids: Index
    back_first: Index
    back_tails: NDArray[np.uint32]
    back_heads: Index
    back_ids: Index
    places: Index
    back_places: Index


@dataclass(frozen=True, eq=False)
class Weights:
    """Costs of all arcs: as they were given, by tail and by head of ``Arcs``."""

    given: Values
    ahead: Values
    back: Values


class _Workspace(threading.local):
    """Arrays of one thread, ready for the next search."""

    def __init__(self, nodes: int, arcs: int) -> None:
        self.distance, self.back_distance = np.full(nodes, np.inf), np.full(nodes, np.inf)
        self.by, self.back_by = np.full(nodes, -1, np.int32), np.full(nodes, -1, np.int32)
        self.keys, self.back_keys = np.empty(arcs + nodes + 1), np.empty(arcs + nodes + 1)
        self.items, self.back_items = np.empty(arcs + nodes + 1, np.int32), np.empty(arcs + nodes + 1, np.int32)
        self.touched = np.empty(4 * nodes, np.int32)


class Router:
    """Answers questions for cheapest ways on one set of arcs; many threads may ask at once.

    ``reweight`` swaps all costs at once: a question under way goes on with those it began with. ``update`` changes some
    in place, so it is for a router that nobody else asks; ``fork`` makes such a one. Memory grows with the threads.
    """

    engine = "dijkstra"

    def __init__(self, arcs: Arcs, costs: ArrayLike) -> None:
        self._arcs = arcs
        self._weights = self._weigh(check_arc_costs(costs, arcs.ids.size))
        self._workspace = _Workspace(self.node_count, self.arc_count)

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return self._arcs.rank.size

    @property
    def arc_count(self) -> int:
        """How many arcs there are."""
        return self._arcs.ids.size

    @property
    def costs(self) -> Values:
        """The costs in force (arcs,); nobody writes into it."""
        return self._weights.given

    def reweight(self, costs: ArrayLike) -> None:
        """Take other costs (arcs,) of 0 or more for all arcs, inf where closed."""
        self._weights = self._weigh(check_arc_costs(costs, self.arc_count))

    def update(self, arcs: ArrayLike, costs: ArrayLike) -> None:
        """Take other costs for some arcs (places,), in place; the last counts where an arc is named twice."""
        places = np.asarray(arcs, np.int64).ravel()
        if places.size and not (places.min() >= 0 and places.max() < self.arc_count):
            raise InputError(f"an arc lies outside 0 to {self.arc_count - 1}", hint="give indices of arcs that exist")
        values = check_arc_costs(np.broadcast_to(np.asarray(costs, np.float64), places.shape), places.size)
        self._change(places, values)

    def fork(self) -> Self:
        """Return a router on the same arcs with costs of its own, now the same."""
        other = copy(self)
        own = self._weights
        other._weights = Weights(own.given.copy(), own.ahead.copy(), own.back.copy())
        return other

    def find_path(
        self,
        sources: ArrayLike,
        targets: ArrayLike,
        *,
        source_costs: ArrayLike | None = None,
        target_costs: ArrayLike | None = None,
    ) -> Path:
        """Return the cheapest way from any of the sources (nodes,) to any of the targets, with what they cost."""
        starts, start_costs = check_place(sources, source_costs, self.node_count, "sources")
        ends, end_costs = check_place(targets, target_costs, self.node_count, "targets")
        cost, arcs, start, end = self._join(starts, start_costs, ends, end_costs)
        if start < 0:
            return Path(np.inf, arcs, -1, -1)
        return Path(cost, arcs, _choose(starts, start_costs, start), _choose(ends, end_costs, end))

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
        distance, _, _ = self._grow(starts, start_costs, limit, backward, _NO_MARKS, -1)
        return distance[self._arcs.rank]

    def grow_tree(
        self,
        sources: ArrayLike,
        *,
        source_costs: ArrayLike | None = None,
        limit: float = np.inf,
        backward: bool = False,
        until: ArrayLike | None = None,
    ) -> Tree:
        """Return the tree of cheapest ways from the sources, or backward to them, up to ``limit``.

        until: nodes after all of which are reached the tree may end.
        """
        arcs, nodes = self._arcs, self.node_count
        starts, start_costs = check_place(sources, source_costs, nodes, "sources")
        wanted, count = _NO_MARKS, -1
        if until is not None:
            ends, _ = check_place(until, None, nodes, "until")
            wanted, count = _mark(arcs.rank[ends], nodes)
        distance, by, order = self._grow(starts, start_costs, limit, backward, wanted, count)
        ids = arcs.back_ids if backward else arcs.ids
        named = np.where(by >= 0, ids[by], np.int32(-1)) if self.arc_count else by
        return Tree(distance[arcs.rank], named[arcs.rank], arcs.nodes[order])

    def _grow(
        self, starts: Index, start_costs: Values, limit: float, backward: bool, wanted: NDArray[np.bool_], count: int
    ) -> tuple[Values, Index, Index]:
        """Return costs (nodes,), arcs by which (nodes,) and the nodes within reach, all by rank."""
        arcs, weights, space, nodes = self._arcs, self._weights, self._workspace, self.node_count
        way = (arcs.back_first, arcs.back_tails, weights.back) if backward else (arcs.first, arcs.heads, weights.ahead)
        distance, by, order = np.full(nodes, np.inf), np.full(nodes, -1, np.int32), np.empty(nodes, np.int32)
        reached = grow(
            *way, arcs.rank[starts], start_costs, float(limit), wanted, count,
            distance, by, order, space.keys, space.items,
        )  # fmt: skip
        return distance, by, order[:reached]

    def compute_matrix(self, sources: Ends | ArrayLike, targets: Ends | ArrayLike) -> Values:
        """Return the least cost from each source to each target (sources, targets), inf where there is no way.

        Sources and targets are nodes, or Ends where a place has several. Raises InputError beyond 100 million cells.
        """
        starts = check_ends(sources, self.node_count, "sources")
        ends = check_ends(targets, self.node_count, "targets")
        if starts.count * ends.count > MAX_MATRIX:
            raise InputError(
                f"a matrix of {starts.count} × {ends.count} is larger than {MAX_MATRIX} cells",
                hint="ask for parts of it",
            )
        return self._fill(starts, ends)

    def _fill(self, starts: Ends, ends: Ends) -> Values:
        arcs, weights, space = self._arcs, self._weights, self._workspace
        # One tree a row: fewer where there are fewer columns than rows.
        backward = ends.count < starts.count
        graph = (
            (arcs.back_first, arcs.back_tails, weights.back) if backward else (arcs.first, arcs.heads, weights.ahead)
        )
        rows, columns = (ends, starts) if backward else (starts, ends)
        matrix = np.empty((rows.count, columns.count))
        column_nodes = arcs.rank[columns.nodes]
        wanted, count = _mark(column_nodes, self.node_count)
        fill_rows(
            *graph, rows.first, arcs.rank[rows.nodes], rows.costs, columns.first, column_nodes, columns.costs,
            wanted, count, space.distance, space.by, space.touched, space.keys, space.items, matrix,
        )  # fmt: skip
        return np.ascontiguousarray(matrix.T) if backward else matrix

    def _join(
        self, starts: Index, start_costs: Values, ends: Index, end_costs: Values
    ) -> tuple[float, Index, int, int]:
        """Return cost, arcs, first and last node of the cheapest way; nodes are -1 where there is none."""
        arcs, weights, space = self._arcs, self._weights, self._workspace
        cost, middle, count = meet(
            arcs.first, arcs.heads, weights.ahead, arcs.back_first, arcs.back_tails, weights.back,
            arcs.rank[starts], start_costs, arcs.rank[ends], end_costs,
            space.distance, space.by, space.keys, space.items,
            space.back_distance, space.back_by, space.back_keys, space.back_items, space.touched,
        )  # fmt: skip
        found = np.zeros(0, np.int32), -1, -1
        if middle >= 0:
            half, start, rest, end = trace_path(middle, arcs.tails, space.by, arcs.back_heads, space.back_by)
            found = np.concatenate((arcs.ids[half], arcs.back_ids[rest])), int(arcs.nodes[start]), int(arcs.nodes[end])
        clear(space.touched, count, space.distance, space.by)
        clear(space.touched, count, space.back_distance, space.back_by)
        return float(cost), *found

    def _weigh(self, costs: Values) -> Weights:
        costs.setflags(write=False)
        return Weights(costs, costs[self._arcs.ids], costs[self._arcs.back_ids])

    def _change(self, places: NDArray[np.int64], values: Values) -> None:
        given = self._weights.given
        given.setflags(write=True)
        given[places] = values
        given.setflags(write=False)
        self._weights.ahead[self._arcs.places[places]] = given[places]
        self._weights.back[self._arcs.back_places[places]] = given[places]


def arrange_arcs(tails: Index, heads: Index, nodes: int, xy: Values | None) -> Arcs:
    """Return the arcs with nodes along a Z-order curve of their places ``xy`` (nodes, 2), or breadth-first."""
    by_tail, first = sort_arcs(tails, nodes)
    order = order_breadth_first(first, heads[by_tail]) if xy is None else _order_by_place(xy)
    rank = invert_order(order)
    starts, ends = rank[tails], rank[heads]
    ids, first = sort_arcs(starts, nodes)
    back_ids, back_first = sort_arcs(ends, nodes)
    return Arcs(
        rank, order,
        first, starts[ids], ends[ids].astype(np.uint32), ids,
        back_first, starts[back_ids].astype(np.uint32), ends[back_ids], back_ids,
        invert_order(ids), invert_order(back_ids),
    )  # fmt: skip


def invert_order(order: Index) -> Index:
    """Return where each index stands in ``order``."""
    places = np.empty_like(order)
    places[order] = np.arange(order.size, dtype=order.dtype)
    return places


def _order_by_place(xy: Values) -> Index:
    """Return the nodes along the Z-order curve (Morton 1966) of a grid of 2^16 × 2^16 over them."""
    low, high = xy.min(axis=0, initial=np.inf), xy.max(axis=0, initial=-np.inf)
    span = float(np.max(high - low)) if xy.size else 0.0
    cells = ((xy - low) / span * 65_535.0 if span > 0.0 else np.zeros_like(xy)).astype(np.uint64)
    code = np.zeros(xy.shape[0], np.uint64)
    for axis in range(2):
        bits = cells[:, axis]
        for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
            bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
        code |= bits << np.uint64(axis)
    return np.argsort(code, kind="stable").astype(np.int32)


def _mark(nodes: Index, size: int) -> tuple[NDArray[np.bool_], int]:
    """Return a mask (size,) of the nodes and how many different ones there are."""
    mask = np.zeros(size, np.bool_)
    mask[nodes] = True
    return mask, int(np.count_nonzero(mask))


def _choose(nodes: Index, costs: Values, node: int) -> int:
    """Return the place of the cheapest entry of ``node``."""
    if nodes.size == 1:
        return 0
    places = np.flatnonzero(nodes == node)
    return int(places[np.argmin(costs[places])])
