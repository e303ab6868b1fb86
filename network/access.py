"""Who is cut off when roads close, and which roads to open again first.

Connections are those of links between junctions: a banned turn makes a way longer and cuts nobody off. The main part of
a network is the strongly connected part in which the most people live: everyone in it can reach everyone else in it and
come back. Opening a road never makes it smaller in people.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, dijkstra

from network.roads import Mask, RoadGraph, Values

OPEN_COST = 1e-3
"""What it costs to go along an open link, in metres of closed road: next to nothing, but more than no way at all."""

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reopening:
    """Roads to open together: ``edges``, their ``length`` [m], and what that gives back.

    people: how many are connected again by this step, people_total: by this step and those before it; likewise
    person_hours, in the unit of what was counted.
    """

    edges: Index
    length: float
    people: float
    people_total: float
    person_hours: float
    person_hours_total: float


@dataclass(frozen=True, slots=True, eq=False)
class ReopeningPlan:
    """The steps in their order, and the step that connects each junction again (junctions,), -1 where none does."""

    steps: tuple[Reopening, ...]
    regained: Index


def find_parts(graph: RoadGraph, open_links: Mask) -> Index:
    """Return the strongly connected part of each junction (junctions,), numbered from 0."""
    _, parts = connected_components(_connect(graph, open_links), directed=True, connection="strong")
    return np.asarray(parts, np.int64)


def find_main_part(graph: RoadGraph, open_links: Mask, people: Values) -> Mask:
    """Return the junctions of the part in which the most people live (junctions,), the largest where nobody does."""
    parts = find_parts(graph, open_links)
    return np.asarray(parts == _pick_main(parts, people))


def find_cut_off(graph: RoadGraph, main_dry: Mask, open_links: Mask, people: Values) -> Mask:
    """Return the junctions of the dry main part that are not in the main part of what is open (junctions,)."""
    return main_dry & ~find_main_part(graph, open_links, np.where(main_dry, people, 0.0))


def find_reaching(graph: RoadGraph, open_links: Mask, targets: Index) -> Mask:
    """Return the junctions from which some target can be reached along open links (junctions,)."""
    found = np.zeros(graph.junction_count, np.bool_)
    if targets.size == 0:
        return found
    count, links = graph.junction_count, np.flatnonzero(open_links)
    # A place that all targets lie next to, and the links the other way round: one search finds all that reach it.
    tails = np.append(graph.ends[links], np.full(targets.size, count))
    heads = np.append(graph.starts[links], targets)
    matrix = coo_array((np.ones(tails.size, np.int8), (tails, heads)), shape=(count + 1, count + 1)).tocsr()
    order = breadth_first_order(matrix, count, directed=True, return_predecessors=False)
    found[order[order < count]] = True
    return found


def plan_reopening(
    graph: RoadGraph,
    usable: Mask,
    open_links: Mask,
    people: Values,
    *,
    person_hours: Values | None = None,
    steps: int = 20,
) -> ReopeningPlan:
    """Return in which order to open closed roads so that each metre gives the most back; greedy.

    usable: links that are open when it is dry (links,); open_links: those of them that are open now. people: who lives
    at each junction (junctions,), person_hours: what they lose, which is what is counted where it is given. Each step
    takes the part, with all that lies on the way to it, that gains most for a metre of closed road, there and back.
    """
    counted = people if person_hours is None else person_hours
    opened = open_links & usable
    main = find_main_part(graph, opened, people)
    regained = np.full(graph.junction_count, -1, np.int64)
    done: list[Reopening] = []
    total, total_hours = 0.0, 0.0
    while len(done) < steps:
        edges = _choose_edges(graph, usable, opened, main, counted)
        if edges is None:
            break
        opened = opened | (usable & np.isin(graph.edges, edges))
        parts = find_parts(graph, opened)
        grown = parts == parts[main.argmax()]
        gained = grown & ~main
        regained[gained] = len(done)
        main = grown
        gain, hours = float(people[gained].sum()), float(counted[gained].sum())
        total, total_hours = total + gain, total_hours + hours
        done.append(Reopening(edges, _measure(graph, edges), gain, total, hours, total_hours))
    return ReopeningPlan(tuple(done), regained)


def _choose_edges(graph: RoadGraph, usable: Mask, opened: Mask, main: Mask, counted: Values) -> Index | None:
    """Return the closed edges on the way to the part that gains most a metre, and back; None where none gains."""
    parts = find_parts(graph, opened)
    centre = int(parts[main.argmax()])
    weights = np.bincount(parts, counted, minlength=int(parts.max()) + 1).astype(np.float64)
    weights[centre] = 0.0
    if not weights.any():
        return None
    links = np.flatnonzero(usable & (parts[graph.starts] != parts[graph.ends]))
    cost = np.where(opened[links], OPEN_COST, np.maximum(graph.lengths[links], OPEN_COST))
    tails, heads = parts[graph.starts[links]], parts[graph.ends[links]]
    out = _Ways(tails, heads, links, cost, weights.size, centre)
    back = _Ways(heads, tails, links, cost, weights.size, centre)
    reached = np.isfinite(out.cost) & np.isfinite(back.cost) & (weights > 0.0)
    if not reached.any():
        return None
    gain = np.minimum(out.add_up(weights), back.add_up(weights))
    worth = np.where(reached, np.maximum(gain, weights) / np.maximum(out.cost + back.cost, OPEN_COST), -1.0)
    best = int(worth.argmax())
    way = np.concatenate((out.walk(best), back.walk(best)))
    return np.unique(graph.edges[way[~opened[way]]]).astype(np.int64)


class _Ways:
    """Cheapest ways from one part to all others over links between parts."""

    def __init__(self, tails: Index, heads: Index, links: Index, cost: Values, count: int, centre: int) -> None:
        order = np.lexsort((cost, heads, tails))
        key = tails[order] * count + heads[order]
        # Of links side by side only the cheapest; a sparse matrix would add them up.
        kept = order[np.append(True, key[1:] != key[:-1])] if key.size else order
        matrix = csr_array((cost[kept], (tails[kept], heads[kept])), shape=(count, count))
        self.cost, self._before = dijkstra(matrix, directed=True, indices=centre, return_predecessors=True)
        self._keys, self._links, self._count, self._centre = key[np.isin(order, kept)], links[kept], count, centre

    def add_up(self, weights: Values) -> Values:
        """Return the weight of all parts on the way to each, its own included."""
        found = weights.copy()
        for part in np.argsort(self.cost, kind="stable"):
            before = self._before[part]
            if before >= 0:
                found[part] += found[before]
        return found

    def walk(self, part: int) -> Index:
        """Return the links on the way to a part."""
        found: list[int] = []
        while part != self._centre:
            before = int(self._before[part])
            found.append(int(self._links[np.searchsorted(self._keys, before * self._count + part)]))
            part = before
        return np.array(found, np.int64)


def _connect(graph: RoadGraph, open_links: Mask) -> csr_array:
    links = np.flatnonzero(open_links)
    count = graph.junction_count
    values = np.ones(links.size, np.int8)
    return coo_array((values, (graph.starts[links], graph.ends[links])), shape=(count, count)).tocsr()


def _pick_main(parts: Index, people: Values) -> int:
    lives = np.bincount(parts, people)
    return int((lives if lives.any() else np.bincount(parts)).argmax())


def _measure(graph: RoadGraph, edges: Index) -> float:
    links = graph.edge_links[edges]
    return float(graph.lengths[np.where(links[:, 0] >= 0, links[:, 0], links[:, 1])].sum())
