"""What is within reach: roads reached from one or several places within a time, and the ground beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from network.isochrone_areas import LEAST_SPACING_M, REACH_M, compute_areas
from network.paths_answers import Tree, Values
from network.time_dependent import grow_tree_at, leave_each
from twin.roads.city_roads import CityRoads
from twin.roads.routers import RoadCosts
from twin.roads.routing import Clock
from twin.roads.snapping import Snaps, find_departures

_EPS = 1e-9


@dataclass(frozen=True, eq=False)
class Reach:
    """Arrivals on links [s after departure].

    links (n,): which; begins: where on each it is entered, 0–1 as it runs; entries: when; seconds: of the whole link
    at that time. A link stands several times where it is entered at several places.
    """

    links: NDArray[np.int64]
    begins: Values
    entries: Values
    seconds: Values

    def ends(self, limit: float) -> Values:
        """Return where on each link one has come at ``limit`` [s], 0–1 as it runs."""
        share = (limit - self.entries) / np.maximum(self.seconds, _EPS)
        return np.clip(self.begins + share, self.begins, 1.0)


@dataclass(frozen=True, eq=False)
class ReachedRoads:
    """Stretches of edges within a limit: edges (n,), begins and ends along them as drawn 0–1, first arrival [s]."""

    edges: NDArray[np.int64]
    begins: Values
    ends: Values
    arrivals: Values


def find_reach(costs: RoadCosts, snaps: Snaps, limit: float, clock: Clock | None = None) -> Reach:
    """Return what is reached from any of the places within ``limit`` [s], leaving at once or at the clock's time."""
    graph = costs.graph
    leave = find_departures(graph, costs.seconds, snaps)
    place = np.repeat(np.arange(snaps.edges.size), np.diff(leave.ends.first))
    shares = np.where(graph.forward[leave.links], snaps.shares[place], 1.0 - snaps.shares[place])
    tree, whole = _grow(costs, leave.ends.nodes, leave.ends.costs, leave.links, limit, clock)
    entry = np.full(graph.link_count, np.inf)
    np.minimum.at(entry, graph.links, tree.costs[graph.tails])
    reached = np.flatnonzero((entry <= limit) & np.isfinite(costs.seconds))
    start = whole(leave.links, np.zeros(leave.links.size))
    return Reach(
        np.concatenate((leave.links, reached)),
        np.concatenate((shares, np.zeros(reached.size))),
        np.concatenate((np.zeros(leave.links.size), entry[reached])),
        np.concatenate((start, whole(reached, entry[reached]))),
    )


def list_reached(roads: CityRoads, reach: Reach, limit: float) -> ReachedRoads:
    """Return the stretches reached within ``limit`` [s], those that meet on an edge as one."""
    graph = roads.graph
    ahead = graph.forward[reach.links]
    within = reach.entries <= limit
    ends = reach.ends(limit)
    low, high = np.where(ahead, reach.begins, 1.0 - ends)[within], np.where(ahead, ends, 1.0 - reach.begins)[within]
    edges, entries = graph.edges[reach.links][within].astype(np.int64), reach.entries[within]
    order = np.lexsort((low, edges))
    edges, low, high, entries = edges[order], low[order], high[order], entries[order]
    if not edges.size:
        return ReachedRoads(edges, low, high, entries)
    # Sorted by edge and begin, a stretch begins anew where it begins after all before it on its edge have ended.
    shift = 2.0 * edges
    furthest = np.maximum.accumulate(high + shift)
    new = np.append(True, low[1:] + shift[1:] > furthest[:-1] + _EPS)
    first = np.flatnonzero(new)
    return ReachedRoads(
        edges[first],
        low[first],
        np.maximum.reduceat(high, first),
        np.minimum.reduceat(entries, first),
    )


def draw_reached(roads: CityRoads, reached: ReachedRoads) -> NDArray[np.object_]:
    """Return the lines of stretches (n,), in the city's CRS."""
    lines = roads.lines(reached.edges)
    for place in np.flatnonzero((reached.begins > 0.0) | (reached.ends < 1.0)).tolist():
        lines[place] = substring(
            lines[place], float(reached.begins[place]), float(reached.ends[place]), normalized=True
        )
    return lines


def draw_areas(
    roads: CityRoads, reach: Reach, limits: Sequence[float], *, beside: float = REACH_M
) -> list[shapely.MultiPolygon]:
    """Return the area reached within each limit [s], nested; ``beside`` [m]: how far from a road ground counts."""
    longest = max(limits)
    near = reach.entries <= longest
    links, begins = reach.links[near], reach.begins[near]
    graph = roads.graph
    spans = (reach.ends(longest)[near] - begins) * graph.lengths[links]
    step = max(LEAST_SPACING_M, beside / 3.0)
    counts = np.maximum(np.ceil(spans / step).astype(np.int64), 1) + 1
    owner = np.repeat(np.arange(links.size), counts)
    inside = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
    part = inside / (counts[owner] - 1) * (reach.ends(longest)[near] - begins)[owner]
    moments = reach.entries[near][owner] + part * reach.seconds[near][owner]
    shares = begins[owner] + part
    along = np.where(graph.forward[links][owner], shares, 1.0 - shares)
    xy = _place(roads, graph.edges[links], owner, along)
    return compute_areas(xy, moments, limits, reach=beside)


def _place(roads: CityRoads, edges: NDArray[np.int32], owner: NDArray[np.int64], shares: Values) -> Values:
    """Return the places at shares of the lines of ``edges[owner]`` (places, 2)."""
    vertices = roads.vertices
    steps = np.diff(vertices.measures, prepend=0.0)
    steps[vertices.first[:-1][np.diff(vertices.first) > 0]] = 0.0
    # How far each vertex lies along all lines laid end to end.
    along = np.cumsum(steps)
    begin, finish = roads.begin[edges][owner], roads.finish[edges][owner]
    wanted = along[begin] + shares * (along[finish] - along[begin])
    after = np.clip(np.searchsorted(along, wanted, side="right"), begin + 1, finish)
    span = along[after] - along[after - 1]
    part = np.clip((wanted - along[after - 1]) / np.maximum(span, _EPS), 0.0, 1.0)[:, None]
    return np.asarray(vertices.xy[after - 1] * (1.0 - part) + vertices.xy[after] * part, np.float64)


def _grow(
    costs: RoadCosts, nodes: NDArray[np.int32], starts: Values, links: NDArray[np.int64], limit: float,
    clock: Clock | None,
) -> tuple[Tree, "_Whole"]:  # fmt: skip
    """Return arrivals at nodes [s after departure], and what gives the seconds of links entered at a time."""
    if clock is None:
        tree = costs.router.grow_tree(nodes, source_costs=starts, limit=limit)
        return tree, _Whole(costs.seconds, None)
    graph, profiles = costs.graph, clock.profiles
    moments = leave_each(clock.moment, starts, profiles.take(links))
    tree = grow_tree_at(
        graph.first, graph.heads, costs.router.costs, profiles.take(graph.links), sources=nodes, moments=moments,
        limit=clock.moment + limit,
    )  # fmt: skip
    return Tree(tree.costs - clock.moment, tree.by, tree.order), _Whole(costs.seconds, clock)


@dataclass(frozen=True, eq=False)
class _Whole:
    """Seconds of whole links entered some seconds after departure."""

    seconds: Values
    clock: Clock | None

    def __call__(self, links: NDArray[np.int64], entries: Values) -> Values:
        seconds = self.seconds[links]
        if self.clock is None:
            return seconds
        moments = self.clock.moment + entries
        return leave_each(moments, seconds, self.clock.profiles.take(links)) - moments
