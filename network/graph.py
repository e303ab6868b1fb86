"""The graph of one commodity: nodes and links as arrays, indexed once and never changed.

Both directions and the undirected view share the same arrays. A graph of 300,000 nodes is built in hundredths of a
second, so an edit builds it anew: there is no other update.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError, NotFoundError
from network.kernels import sort_halves

Index = NDArray[np.int32]
Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
Ids = NDArray[np.generic]

MAX_LINKS = 50_000_000


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes and links of one commodity.

    starts, ends: index of the node at each end of a link (links,). weights: of each link, not negative, such as its
    length [m]. node_ids, link_ids: the ids of the features. node_kinds, link_kinds: words, "" where none was given.
    one_way: links that let through only from start to end, such as check valves and pumps. first, middle, others,
    halves: the half-links, as in ``network.kernels``. stamp: the version of what it was built from.
    """

    starts: Index
    ends: Index
    weights: Values
    node_ids: Ids
    link_ids: Ids
    node_kinds: Ids
    link_kinds: Ids
    one_way: Mask
    stamp: str
    first: Index
    middle: Index
    others: Index
    halves: Index

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return self.first.size - 1

    @property
    def link_count(self) -> int:
        """How many links there are."""
        return self.starts.size

    @cached_property
    def degrees(self) -> Index:
        """How many link ends meet at each node (nodes,)."""
        return np.diff(self.first)

    @cached_property
    def every_node(self) -> Mask:
        """The mask of all nodes (nodes,); nobody writes into it."""
        return np.ones(self.node_count, np.bool_)

    @cached_property
    def as_drawn(self) -> NDArray[np.uint8]:
        """Passes (links,) of links that are walked from start to end only; nobody writes into it."""
        return np.full(self.link_count, 1, np.uint8)

    @cached_property
    def against_drawn(self) -> NDArray[np.uint8]:
        """Passes (links,) of links that are walked from end to start only; nobody writes into it."""
        return np.full(self.link_count, 2, np.uint8)

    @cached_property
    def _sorted_nodes(self) -> NDArray[np.intp]:
        return np.argsort(self.node_ids, kind="stable")

    @cached_property
    def _sorted_links(self) -> NDArray[np.intp]:
        return np.argsort(self.link_ids, kind="stable")

    def find_nodes(self, ids: ArrayLike) -> Index:
        """Return the index of each named node; raise NotFoundError for one that is not there."""
        return _find(self.node_ids, self._sorted_nodes, ids, "node")

    def find_links(self, ids: ArrayLike) -> Index:
        """Return the index of each named link; raise NotFoundError for one that is not there."""
        return _find(self.link_ids, self._sorted_links, ids, "link")


def build_graph(
    starts: ArrayLike,
    ends: ArrayLike,
    *,
    nodes: int | None = None,
    weights: ArrayLike | None = None,
    node_ids: ArrayLike | None = None,
    link_ids: ArrayLike | None = None,
    node_kinds: ArrayLike | None = None,
    link_kinds: ArrayLike | None = None,
    one_way: ArrayLike | None = None,
    stamp: str = "",
) -> Graph:
    """Return the graph of links between node indices.

    Without ``nodes`` there are as many as ``node_ids``, or as the largest index asks for. Weights are 1 where none are
    given, ids are the indices. Raises InputError where lengths differ, an index is outside, or a weight is negative.
    """
    named = None if node_ids is None else np.asarray(node_ids)
    wide_starts, wide_ends = np.asarray(starts, np.int64).ravel(), np.asarray(ends, np.int64).ravel()
    links = wide_starts.size
    if links > MAX_LINKS:
        raise InputError(f"a graph has {links} links, more than {MAX_LINKS}", hint="build it of a smaller area")
    highest = int(max(wide_starts.max(initial=-1), wide_ends.max(initial=-1)))
    count = nodes if nodes is not None else named.size if named is not None else highest + 1
    if links and (highest >= count or min(wide_starts.min(), wide_ends.min()) < 0):
        raise InputError(f"a link ends on a node outside 0 to {count - 1}", hint="give indices of nodes that exist")
    first_ends = np.ascontiguousarray(wide_starts, np.int32), np.ascontiguousarray(wide_ends, np.int32)
    _check_size("ends", wide_ends, links)
    halves = sort_halves(*first_ends, count)
    costs = np.ones(links) if weights is None else np.array(weights, np.float64)
    _check_size("weights", costs, links)
    if links and not costs.min() >= 0.0:
        raise InputError("a link weight is negative or not a number", hint="give lengths or costs of 0 or more")
    graph = Graph(
        *first_ends,
        costs,
        _take("node_ids", named, np.arange(count), count),
        _take("link_ids", link_ids, np.arange(links), links),
        _take("node_kinds", node_kinds, np.broadcast_to(np.array(""), (count,)), count),
        _take("link_kinds", link_kinds, np.broadcast_to(np.array(""), (links,)), links),
        _take("one_way", one_way, np.zeros(links, np.bool_), links).astype(np.bool_),
        stamp,
        *halves,
    )
    for array in (graph.starts, graph.ends, costs, *halves):
        array.setflags(write=False)
    return graph


def mark(indices: ArrayLike, size: int) -> Mask:
    """Return a mask (size,) that is true at ``indices``."""
    mask = np.zeros(size, np.bool_)
    mask[np.asarray(indices, np.int64)] = True
    return mask


def _check_size(name: str, values: NDArray[np.generic], size: int) -> None:
    if values.shape != (size,):
        raise InputError(f"{name} has the shape {values.shape}, expected ({size},)", hint="give one value each")


def _take(name: str, given: ArrayLike | None, default: NDArray[np.generic], size: int) -> NDArray[np.generic]:
    values = default if given is None else np.asarray(given)
    _check_size(name, values, size)
    return values


def _find(ids: Ids, order: NDArray[np.intp], wanted: ArrayLike, what: str) -> Index:
    names = np.atleast_1d(np.asarray(wanted))
    if not ids.size:
        places, missing = np.zeros(names.size, np.int64), np.ones(names.size, np.bool_)
    else:
        places = order[np.minimum(np.searchsorted(ids, names, sorter=order), ids.size - 1)]
        missing = ids[places] != names
    if missing.any():
        raise NotFoundError(f"there is no {what} {names[missing][0]}", hint=f"name a {what} of this network")
    return places.astype(np.int32)
