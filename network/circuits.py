"""Which failed fuse, cabinet or cable explains the lamps that are dark: the least that does, exactly.

A circuit is a tree from its cabinet: what has failed takes all that hangs on it. The best explanation of what was
reported is found from the leaves to the root: either a device has failed and all below it is dark, or it has not and
its branches are explained one by one. A report may be wrong at a price, so that a few wrong ones do not hide a fuse.
"""

from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.graph import Graph, Index, Mask
from network.tracing import trace_subnetwork

LIT, DARK, UNKNOWN = 1, 0, -1
MAX_ALTERNATIVES = 20


@dataclass(frozen=True, eq=False)
class Circuit:
    """A tree from each cabinet: ``parents`` of each node (nodes,), -1 of cabinets and of what none feeds.

    order: the nodes fed, cabinets first, then outward. feeders: the link by which each node is fed (nodes,), -1 for
    none. loops: links that close a ring, or join two cabinets, which a circuit must not have.
    """

    parents: Index
    feeders: Index
    order: Index
    loops: Index


@dataclass(frozen=True, slots=True)
class Explanation:
    """Nodes that have failed, reports (nodes) that must then be wrong, and what it costs."""

    failed: tuple[int, ...]
    wrong: tuple[int, ...]
    cost: float


def trace_circuit(
    graph: Graph, cabinet: ArrayLike, *, open_nodes: Mask | None = None, open_links: Mask | None = None
) -> Circuit:
    """Return the tree that a cabinet feeds, or one for each of several, breadth-first; links that would close a ring
    are listed.
    """
    found = trace_subnetwork(graph, np.atleast_1d(cabinet), open_nodes=open_nodes, open_links=open_links)
    parents, feeders = np.full(graph.node_count, -1, np.int32), np.full(graph.node_count, -1, np.int32)
    reached = found.reached_by >= 0
    fed, by = found.nodes[reached], found.reached_by[reached]
    feeders[fed] = by
    parents[fed] = graph.starts[by] + graph.ends[by] - fed
    inside = np.zeros(graph.node_count, np.bool_)
    inside[found.nodes] = True
    both = found.links[inside[graph.starts[found.links]] & inside[graph.ends[found.links]]]
    return Circuit(parents, feeders, found.nodes, np.setdiff1d(both, by))


def find_owners(circuit: Circuit) -> Index:
    """Return the cabinet that feeds each node (nodes,), -1 where none does; a cabinet feeds itself."""
    owners = np.full(circuit.parents.size, -1, np.int32)
    for node in circuit.order.tolist():
        parent = circuit.parents[node]
        owners[node] = node if parent < 0 else owners[parent]
    return owners


def find_branches(circuit: Circuit) -> Index:
    """Return the first node after its cabinet on the way to each node (nodes,), -1 of cabinets and of what none feeds.

    All nodes with one branch leave the cabinet by one cable.
    """
    branches = np.full(circuit.parents.size, -1, np.int32)
    for node in circuit.order.tolist():
        parent = circuit.parents[node]
        if parent >= 0:
            branches[node] = node if branches[parent] < 0 else branches[parent]
    return branches


def sum_below(circuit: Circuit, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of the values of each node and of all it feeds (nodes,)."""
    sums = np.array(values, np.float64)
    for node in circuit.order[::-1].tolist():
        parent = circuit.parents[node]
        if parent >= 0:
            sums[parent] += sums[node]
    return sums


def explain_dark_lamps(
    circuit: Circuit,
    reports: ArrayLike,
    failure_costs: ArrayLike,
    *,
    wrong_cost: float | NDArray[np.float64] = np.inf,
    most: int = MAX_ALTERNATIVES,
) -> list[Explanation]:
    """Return the cheapest explanations of what was reported, all of equal cost, at most ``most``.

    reports: LIT, DARK or UNKNOWN of each node (nodes,). failure_costs: of the failure of each node (nodes,), more than
    0, inf where it cannot fail; 1 everywhere asks for the smallest set. A cable stands for the node it leads to, a lamp
    for itself. wrong_cost: of one wrong report, one number or one a node; inf where reports are sure. Empty where
    nothing explains them. Raises InputError for values that do not fit.

    Nothing is said to fail below what has failed: no report could tell.
    """
    told, prices = np.asarray(reports), np.asarray(failure_costs, np.float64)
    size = circuit.parents.size
    if told.shape != (size,) or prices.shape != (size,) or not np.isin(told, (LIT, DARK, UNKNOWN)).all():
        raise InputError(f"reports or costs do not fit {size} nodes", hint="give 1, 0 or -1, and a cost, one a node")
    doubts = np.broadcast_to(np.asarray(wrong_cost, np.float64), (size,))
    if not (prices > 0.0).all() or not (doubts > 0.0).all() or most < 1:
        raise InputError("a cost is not more than 0, or no explanation is asked for", hint="give costs above 0")
    children: dict[int, list[int]] = {int(node): [] for node in circuit.order}
    for node in circuit.order[1:].tolist():
        children[int(circuit.parents[node])].append(node)

    dark_cost, on_cost, best = np.zeros(size), np.zeros(size), np.zeros(size)
    for node in circuit.order[::-1].tolist():
        below = children[node]
        dark_cost[node] = dark_cost[below].sum() + (doubts[node] if told[node] == LIT else 0.0)
        on_cost[node] = best[below].sum() + (doubts[node] if told[node] == DARK else 0.0)
        best[node] = min(prices[node] + dark_cost[node], on_cost[node])
    root = int(circuit.order[0])
    if np.isinf(best[root]):
        return []
    # From the leaves again, now the sets themselves; each list is cut, so that it stays short.
    sets: dict[int, list[tuple[int, ...]]] = {}
    for node in circuit.order[::-1].tolist():
        ways: list[tuple[int, ...]] = []
        if np.isclose(prices[node] + dark_cost[node], best[node]):
            ways.append((node,))
        if np.isclose(on_cost[node], best[node]):
            combined = product(*(sets[child] for child in children[node]))
            ways += [tuple(sorted(sum(each, ()))) for each in islice(combined, most)]
        sets[node] = ways[:most]
        for child in children[node]:
            del sets[child]
    return [Explanation(failed, _list_wrong(circuit, told, failed), float(best[root])) for failed in sets[root]]


def list_alternatives(circuit: Circuit, reports: ArrayLike, failed: int, failure_costs: ArrayLike) -> list[int]:
    """Return the other nodes whose failure, in place of that of ``failed``, would explain the same reports.

    From the cabinet outward: those above it that feed no more lamps reported lit, and those below it that feed all the
    lamps reported dark. reports and failure_costs as in ``explain_dark_lamps``; what cannot fail is left out.
    """
    told, prices = np.asarray(reports), np.asarray(failure_costs, np.float64)
    lit, dark = (sum_below(circuit, (told == word).astype(np.float64)) for word in (LIT, DARK))
    above, node = [], int(circuit.parents[failed])
    while node >= 0 and lit[node] == lit[failed]:
        above.append(node)
        node = int(circuit.parents[node])
    below, node = [], failed
    while told[node] != DARK:
        feeding = [child for child in np.flatnonzero(circuit.parents == node).tolist() if dark[child] == dark[failed]]
        if len(feeding) != 1 or not dark[failed]:
            break
        node = feeding[0]
        below.append(node)
    return [each for each in [*above[::-1], *below] if np.isfinite(prices[each])]


def _list_wrong(circuit: Circuit, told: NDArray[np.generic], failed: tuple[int, ...]) -> tuple[int, ...]:
    dark = np.zeros(circuit.parents.size, np.bool_)
    dark[list(failed)] = True
    for node in circuit.order[1:].tolist():
        dark[node] |= dark[circuit.parents[node]]
    fed = circuit.order
    wrong = ((told[fed] == LIT) & dark[fed]) | ((told[fed] == DARK) & ~dark[fed])
    return tuple(sorted(int(node) for node in fed[wrong]))
