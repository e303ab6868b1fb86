"""What a search for paths takes and gives: ends, paths, trees."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError

Index = NDArray[np.int32]
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Path:
    """The cheapest way: its cost with the costs of both ends, inf where there is none; its arcs in order.

    source, target: which of the sources and targets it joins, as places in what was given; -1 where there is none.
    """

    cost: float
    arcs: Index
    source: int
    target: int


@dataclass(frozen=True, eq=False)
class Tree:
    """The cheapest ways from some nodes to all within reach, or backward to them.

    costs: of each node (nodes,), inf out of reach. by: the arc by which a node is reached, or by which the way goes on
    in a backward tree (nodes,), -1 for roots and nodes out of reach. order: the nodes within reach, cheapest first.
    """

    costs: Values
    by: Index
    order: Index


@dataclass(frozen=True, eq=False)
class Ends:
    """Several places, each of them nodes with costs to or from there.

    Place ``i`` is ``nodes[first[i]:first[i + 1]]`` with ``costs``: a place within an edge has both ends of it, a
    junction with banned turns has several nodes.
    """

    first: Index
    nodes: Index
    costs: Values

    @property
    def count(self) -> int:
        """How many places there are."""
        return self.first.size - 1


def build_ends(places: Sequence[tuple[ArrayLike, ArrayLike]]) -> Ends:
    """Return the ends of places given as (nodes, costs) each; a place without nodes is one nobody reaches."""
    groups = [(np.asarray(nodes, np.int64).ravel(), np.asarray(costs, np.float64).ravel()) for nodes, costs in places]
    for place, (nodes, costs) in enumerate(groups):
        if nodes.size != costs.size:
            raise InputError(
                f"place {place} has {nodes.size} nodes and {costs.size} costs", hint="give one cost a node"
            )
    first = np.zeros(len(groups) + 1, np.int32)
    first[1:] = np.cumsum([nodes.size for nodes, _ in groups])
    if not groups:
        return Ends(first, np.zeros(0, np.int32), np.zeros(0))
    return Ends(
        first,
        np.concatenate([nodes for nodes, _ in groups]).astype(np.int32),
        np.concatenate([costs for _, costs in groups]),
    )


def check_ends(given: Ends | ArrayLike, nodes: int, what: str) -> Ends:
    """Return the places as Ends, checked: nodes (places,) stand for a place each, at no cost."""
    if isinstance(given, Ends):
        _check_nodes(given.nodes, nodes, what)
        _check_costs(given.costs, what)
        _check_count(int(np.diff(given.first).max(initial=0)), nodes, what)
        return given
    places = _check_nodes(given, nodes, what)
    return Ends(np.arange(places.size + 1, dtype=np.int32), places, np.zeros(places.size))


def check_place(given: ArrayLike, costs: ArrayLike | None, nodes: int, what: str) -> tuple[Index, Values]:
    """Return the nodes of one place and the costs there, checked."""
    places = _check_nodes(given, nodes, what)
    _check_count(places.size, nodes, what)
    if costs is None:
        return places, np.zeros(places.size)
    values = np.ascontiguousarray(costs, np.float64).ravel()
    if values.size != places.size:
        raise InputError(f"{what} has {places.size} nodes and {values.size} costs", hint="give one cost a node")
    _check_costs(values, what)
    return places, values


def _check_nodes(given: ArrayLike, nodes: int, what: str) -> Index:
    places = np.asarray(given)
    if places.size and places.dtype.kind not in "iu":
        raise InputError(f"{what} holds {places.dtype} values", hint="give indices of nodes")
    # Of a few nodes plain numbers are compared sooner than arrays.
    told = places.ravel().tolist() if places.size <= 4 else [places.min(), places.max()]
    if any(not 0 <= node < nodes for node in told):
        raise InputError(f"{what} names a node outside 0 to {nodes - 1}", hint="give indices of nodes that exist")
    return np.ascontiguousarray(places.ravel(), np.int32)


def _check_count(named: int, nodes: int, what: str) -> None:
    if named > nodes:
        raise InputError(f"a place of {what} names {named} nodes, there are {nodes}", hint="name each node once")


def _check_costs(costs: Values, what: str) -> None:
    if costs.size and not costs.min() >= 0.0:
        raise InputError(f"a cost of {what} is negative or not a number", hint="give costs of 0 or more")


def check_arc_costs(costs: ArrayLike, arcs: int) -> Values:
    """Return costs (arcs,) of 0 or more, inf where an arc is closed; raise InputError for others."""
    values = np.array(costs, np.float64)
    if values.shape != (arcs,):
        raise InputError(f"costs have the shape {values.shape}, expected ({arcs},)", hint="give one cost an arc")
    if arcs and not values.min() >= 0.0:
        raise InputError("an arc cost is negative or not a number", hint="give costs of 0 or more, inf where closed")
    return values
