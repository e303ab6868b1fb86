"""How much a network of roads hangs on each of its stretches, by several measures that need not agree.

Betweenness (trips on cheapest ways), trips that find no way and time added when a stretch closes (Jenelius et al. 2006,
doi:10.1016/j.tra.2005.11.003), people behind it, and how good the next-best way is. A stretch is closed in both
directions. Trips are between junctions; costs are those of a router over the arcs of the graph.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from layers.errors import InputError
from network.access import find_main_part, find_reaching
from network.criticality_kernels import load_tree
from network.graph import build_graph
from network.paths import Ends, Router
from network.road_turns import group
from network.roads import Mask, RoadGraph, Values
from network.tracing import find_structure

Index = NDArray[np.int64]
Follow = Callable[[int], None]

MAX_PLACES = 1_000


@dataclass(frozen=True, eq=False)
class Demand:
    """Trips: ``trips`` (origins, destinations) between junctions ``origins`` and ``destinations``."""

    origins: Index
    destinations: Index
    trips: Values


@dataclass(frozen=True, eq=False)
class Closures:
    """What closing each stretch does: trips that find no way, time added to the others [s] (stretches,).

    served: trips that had a way, spent: the time of all of them [s].
    """

    unserved: Values
    added: Values
    served: float
    spent: float


def spread_trips(seconds: Values, produced: Values, attracted: Values, mean_time: float) -> Values:
    """Return trips (origins, destinations): what each origin produces, by attraction × exp(-seconds / mean_time).

    A gravity model held at the origins (Wilson 1971, doi:10.1068/a030001). An origin from which nothing that attracts
    can be reached sends its trips by attraction alone, so that they count as unserved.
    """
    if not mean_time > 0.0:
        raise InputError(f"the mean time of trips is {mean_time:g} s, expected more than 0")
    nearest = seconds.min(axis=1, keepdims=True, initial=np.inf)
    # From the nearest on: far away the exponential would be nothing for all of them.
    pull = attracted * np.exp((np.where(np.isfinite(nearest), nearest, 0.0) - seconds) / mean_time)
    sums = pull.sum(axis=1, keepdims=True)
    pull = np.where(sums > 0.0, pull, attracted)
    sums = pull.sum(axis=1, keepdims=True)
    return np.asarray(produced[:, None] * np.divide(pull, sums, out=np.zeros_like(pull), where=sums > 0.0))


def time_trips(graph: RoadGraph, router: Router, origins: Index, destinations: Index) -> Values:
    """Return the cost of the cheapest way from each origin to each destination (origins, destinations)."""
    if max(origins.size, destinations.size) > MAX_PLACES:
        raise InputError(f"{max(origins.size, destinations.size)} places are more than {MAX_PLACES}", hint="take fewer")
    return router.compute_matrix(origins, _arrive(graph, destinations))


def load_roads(graph: RoadGraph, router: Router, demand: Demand) -> Values:
    """Return how many trips use each stretch (edges,) when all go the cheapest way."""
    loads, arriving = np.zeros(graph.arc_count), np.zeros(graph.node_count)
    first, nodes = graph.junction_nodes
    for row, origin in enumerate(demand.origins):
        tree = router.grow_tree([origin])
        for column, destination in enumerate(demand.destinations):
            ends = nodes[first[destination] : first[destination + 1]]
            end = ends[np.argmin(tree.costs[ends])]
            if np.isfinite(tree.costs[end]):
                arriving[end] += demand.trips[row, column]
        load_tree(tree.order, tree.by, graph.tails, arriving, loads)
    links = np.bincount(graph.links, loads, graph.link_count)
    return np.bincount(graph.edges, links, graph.edge_count).astype(np.float64)


def close_each(
    graph: RoadGraph, router: Router, demand: Demand, stretches: Index, follow: Follow | None = None
) -> Closures:
    """Return what closing each of the stretches (k,) by itself does to the trips; ``follow`` hears of each."""
    own = router.fork()
    arrive = _arrive(graph, demand.destinations)
    before = own.compute_matrix(demand.origins, arrive)
    ways = np.isfinite(before)
    unserved, added = np.zeros(stretches.size), np.zeros(stretches.size)
    for place, arcs in enumerate(_list_arcs(graph, stretches)):
        costs = own.costs[arcs].copy()
        own.update(arcs, np.inf)
        after = own.compute_matrix(demand.origins, arrive)
        own.update(arcs, costs)
        lost = ways & np.isinf(after)
        unserved[place] = demand.trips[lost].sum()
        kept = ways & ~lost
        # What is below nothing is the last bits of sums added up in another order.
        added[place] = (demand.trips[kept] * np.maximum(after[kept] - before[kept], 0.0)).sum()
        if follow is not None:
            follow(place)
    spent = float((demand.trips[ways] * before[ways]).sum())
    return Closures(unserved, added, float(demand.trips[ways].sum()), spent)


def count_behind(graph: RoadGraph, usable: Mask, people: Values) -> Values:
    """Return how many people a stretch alone joins to the rest (edges,): 0 where there is another way round.

    usable: links that may be gone (links,), each taken both ways; people: at each junction (junctions,).
    """
    edges, ends, bridges = _find_bridges(graph, usable)
    behind = np.zeros(graph.edge_count)
    joined = coo_array(
        (np.ones(int((~bridges).sum()), np.int8), (ends[0][~bridges], ends[1][~bridges])),
        shape=(graph.junction_count,) * 2,
    )
    count, part = connected_components(joined, directed=False)
    weight = np.bincount(part, people, count)
    one, two, names = part[ends[0][bridges]], part[ends[1][bridges]], edges[bridges]
    # Parts and the stretches between them are a forest: what hangs below a stretch is a sum from its leaves.
    ones = np.ones(names.size, np.int8)
    forest = coo_array((np.append(ones, ones), (np.append(one, two), np.append(two, one))), shape=(count,) * 2).tocsr()
    _, trees = connected_components(forest, directed=False)
    _, roots, sizes = np.unique(trees, return_index=True, return_counts=True)
    total = np.bincount(trees, weight)
    below, above = weight.astype(np.float64).copy(), np.full(count, -1, np.int64)
    for root in roots[sizes > 1]:
        order, before = breadth_first_order(forest, root, directed=False)
        for node in order[:0:-1]:
            above[node] = before[node]
            below[before[node]] += below[node]
    lower = np.where(above[two] == one, two, one)
    behind[names] = np.minimum(below[lower], total[trees[lower]] - below[lower])
    return behind


def find_core(graph: RoadGraph, usable: Mask) -> Mask:
    """Return the junctions that lie on a way round (junctions,): those of no dead end."""
    _, (one, two), bridges = _find_bridges(graph, usable)
    core = np.zeros(graph.junction_count, np.bool_)
    core[one[~bridges]] = core[two[~bridges]] = True
    return core


def choose_stretches(graph: RoadGraph, usable: Mask, loads: Values, behind: Values, count: int) -> Index:
    """Return up to ``count`` stretches to be tried: those with most trips and most people behind, turn by turn.

    Of stretches that follow each other without a junction between them only one is taken.
    """
    edges = np.unique(graph.edges[usable]).astype(np.int64)
    chain = _name_chains(graph, edges)
    orders = []
    for values in (loads[edges], behind[edges]):
        order = np.argsort(-values, kind="stable")
        orders.append(order[values[order] > 0.0])
    found: list[int] = []
    seen: set[int] = set()
    for turn in range(max(order.size for order in orders)):
        for order in orders:
            if turn < order.size and len(found) < count and chain[order[turn]] not in seen:
                seen.add(int(chain[order[turn]]))
                found.append(int(edges[order[turn]]))
    return np.array(found, np.int64)


def count_cut_off(
    graph: RoadGraph, usable: Mask, people: Values, hospitals: Index, stretches: Index, follow: Follow | None = None
) -> tuple[Values, Values]:
    """Return who leaves the main part, and who reaches no hospital any more, when each stretch closes (k,), (k,).

    The main part is that of ``network.access``: everyone in it reaches everyone else in it and comes back.
    """
    main = find_main_part(graph, usable, people)
    inside = np.where(main, people, 0.0)
    served = find_reaching(graph, usable, hospitals)
    cut, without = np.zeros(stretches.size), np.zeros(stretches.size)
    for place, edge in enumerate(stretches):
        left = usable & (graph.edges != edge)
        cut[place] = inside[~find_main_part(graph, left, inside)].sum()
        without[place] = people[served & ~find_reaching(graph, left, hospitals)].sum()
        if follow is not None:
            follow(place)
    return cut, without


def measure_redundancy(graph: RoadGraph, router: Router, stretches: Index, usable: Mask) -> tuple[Values, Index]:
    """Return the cost of the next-best way between the ends over that of the stretch (k,), inf where there is none, and
    how many ways without a common stretch lead from one end to the other, itself among them (k,), the lesser direction.
    """
    own = router.fork()
    links = np.flatnonzero(usable)
    shape = (graph.junction_count, graph.junction_count)
    room = coo_array((np.ones(links.size, np.int32), (graph.starts[links], graph.ends[links])), shape=shape).tocsr()
    room.sum_duplicates()
    ratios, ways = np.ones(stretches.size), np.zeros(stretches.size, np.int64)
    first, nodes = graph.junction_nodes
    for place, (edge, arcs) in enumerate(zip(stretches, _list_arcs(graph, stretches), strict=True)):
        costs = own.costs[arcs].copy()
        own.update(arcs, np.inf)
        least = np.iinfo(np.int64).max
        for link in graph.edge_links[edge]:
            if link < 0 or not usable[link] or graph.starts[link] == graph.ends[link]:
                continue
            start, end = int(graph.starts[link]), int(graph.ends[link])
            direct = float(costs[graph.links[arcs] == link].min())
            around = own.find_path([start], nodes[first[end] : first[end + 1]]).cost
            if direct > 0.0:
                ratios[place] = max(ratios[place], around / direct)
            least = min(least, int(maximum_flow(room, start, end).flow_value))
        ways[place] = least if least < np.iinfo(np.int64).max else 0
        own.update(arcs, costs)
    return ratios, ways


def _arrive(graph: RoadGraph, junctions: Index) -> Ends:
    """Return the places one may arrive at: all nodes of each junction."""
    first, nodes = graph.junction_nodes
    sizes = first[junctions + 1] - first[junctions]
    offsets = np.append(0, np.cumsum(sizes)).astype(np.int32)
    inside = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
    return Ends(offsets, nodes[np.repeat(first[junctions], sizes) + inside], np.zeros(int(offsets[-1])))


def _list_arcs(graph: RoadGraph, stretches: Index) -> Iterator[Index]:
    """Yield the arcs of each stretch in both directions."""
    first, arcs = group(graph.edges[graph.links], graph.edge_count)
    for edge in stretches:
        yield arcs[first[edge] : first[edge + 1]].astype(np.int64)


def _find_bridges(graph: RoadGraph, usable: Mask) -> tuple[Index, tuple[Index, Index], Mask]:
    """Return the stretches that may be gone, their ends, and which of them alone join two parts."""
    edges = np.unique(graph.edges[usable]).astype(np.int64)
    ends = _find_ends(graph, edges)
    return edges, ends, find_structure(build_graph(*ends, nodes=graph.junction_count)).critical_links


def _find_ends(graph: RoadGraph, edges: Index) -> tuple[Index, Index]:
    """Return the junctions at both ends of edges (n,) that have a link."""
    links = graph.edge_links[edges]
    link = np.where(links[:, 0] >= 0, links[:, 0], links[:, 1])
    return graph.starts[link].astype(np.int64), graph.ends[link].astype(np.int64)


def _name_chains(graph: RoadGraph, edges: Index) -> Index:
    """Return a number for each of the edges (n,), the same where only places that two of them meet lie between."""
    one, two = _find_ends(graph, edges)
    degree = np.bincount(np.append(one, two), minlength=graph.junction_count)
    # An edge and a place it passes through are joined; other places are left out.
    through = [np.flatnonzero(degree[ends] == 2) for ends in (one, two)]
    rows = np.append(through[0], through[1])
    columns = edges.size + np.append(one[through[0]], two[through[1]])
    size = edges.size + graph.junction_count
    _, chain = connected_components(
        coo_array((np.ones(rows.size, np.int8), (rows, columns)), shape=(size, size)), False
    )
    return np.asarray(chain[: edges.size], np.int64)
