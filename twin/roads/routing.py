"""Routes between places on the roads of the city: the quickest, alternatives, over other places, at any time of day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from network.alternatives import SHARE, STRETCH, find_alternatives
from network.alternatives import Ends as PairEnds
from network.paths_answers import Values
from network.roads import RoadGraph
from network.time_dependent import Profiles, find_journey, follow, leave_each
from twin.roads.city_roads import CityRoads
from twin.roads.routers import RoadCosts
from twin.roads.snapping import Departures, Snaps, find_arrivals, find_departures

Links = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Route:
    """A way along roads.

    links (links,) in order; begins, ends: where on each it is driven from and to, 0–1 as the link runs; lengths [m] and
    seconds (links,) of that; legs: how many links lead to each place passed and to the end.
    """

    links: Links
    begins: Values
    ends: Values
    lengths: Values
    seconds: Values
    legs: tuple[int, ...]

    @property
    def length(self) -> float:
        """How long it is [m]."""
        return float(self.lengths.sum())

    @property
    def duration(self) -> float:
        """How long it takes [s]."""
        return float(self.seconds.sum())


@dataclass(frozen=True, eq=False)
class Clock:
    """When a journey begins [s since Monday 00:00] and how speeds of links change through the week."""

    moment: float
    profiles: Profiles


@dataclass(frozen=True, eq=False)
class _Leg:
    """Links from one place to the next, and from and to where on them it is driven."""

    links: Links
    begins: Values
    ends: Values

    @property
    def parts(self) -> Values:
        return self.ends - self.begins


def find_routes(
    roads: CityRoads, costs: RoadCosts, snaps: Snaps, *, count: int = 1, clock: Clock | None = None
) -> list[Route]:
    """Return routes over the places in order, the quickest first; none where there is no way.

    snaps: two places or more, all on usable roads. count: how many; more than one between two places only. clock: when
    it begins, without it all goes at free speed.
    """
    leave, arrive = find_departures(costs.graph, costs.seconds, snaps), find_arrivals(costs.graph, costs.seconds, snaps)
    if snaps.edges.size == 2 and count > 1:
        legs = _list_alternatives(roads, costs, snaps, leave, arrive, count, clock)
        routes = [_join(roads, costs, [leg], clock) for leg in legs]
        return _keep_good(routes, count) if clock is not None else routes
    found, moment = list[_Leg](), clock
    for place in range(snaps.edges.size - 1):
        leg = _find_leg(roads, costs, snaps, leave, arrive, place, moment)
        if leg is None:
            return []
        found.append(leg)
        if moment is not None:
            moment = Clock(_follow(costs, leg, moment)[-1], moment.profiles)
    return [_join(roads, costs, found, clock)]


def _find_leg(
    roads: CityRoads, costs: RoadCosts, snaps: Snaps, leave: Departures, arrive: Departures, place: int,
    clock: Clock | None,
) -> _Leg | None:  # fmt: skip
    """Return the quickest way from a place to the next; None where there is none."""
    straight = _stay(roads, costs, snaps, place)
    start, end = _take(leave, place), _take(arrive, place + 1)
    if clock is None:
        path = costs.router.find_path(start[0], end[0], source_costs=start[1], target_costs=end[1])
        best = np.inf if straight is None else float((costs.seconds[straight.links] * straight.parts).sum())
        if path.source < 0 or path.cost >= best:
            return straight
        return _lay(costs.graph, snaps, place, start[2][path.source], path.arcs, end[2][path.target])
    leg = _journey(roads, costs, snaps, start, end, place, clock)
    if leg is None or straight is None:
        return leg or straight
    quicker = _follow(costs, straight, clock)[-1] <= _follow(costs, leg, clock)[-1]
    return straight if quicker else leg


def _journey(
    roads: CityRoads, costs: RoadCosts, snaps: Snaps, start: tuple[Links, Values, Links],
    end: tuple[Links, Values, Links], place: int, clock: Clock,
) -> _Leg | None:  # fmt: skip
    graph, profiles = costs.graph, clock.profiles
    moments = leave_each(clock.moment, start[1], profiles.take(start[2]))
    journey = find_journey(
        graph.first, graph.tails, graph.heads, costs.router.costs, profiles.take(graph.links), sources=start[0],
        moments=moments, targets=end[0], rests=end[1], rest_profiles=profiles.take(end[2]),
    )  # fmt: skip
    if journey.source < 0:
        return None
    return _lay(costs.graph, snaps, place, start[2][journey.source], journey.arcs, end[2][journey.target])


def _list_alternatives(
    roads: CityRoads, costs: RoadCosts, snaps: Snaps, leave: Departures, arrive: Departures, count: int,
    clock: Clock | None,
) -> list[_Leg]:  # fmt: skip
    """Return ways between two places; at a time of day the quickest at that time is the first of them."""
    best = _find_leg(roads, costs, snaps, leave, arrive, 0, clock)
    if best is None or best.links.size < 3:
        return [] if best is None else [best]
    start, end = _take(leave, 0), _take(arrive, 1)
    ends = PairEnds(start[0].astype(np.int32), start[1], end[0].astype(np.int32), end[1])
    graph = costs.graph
    paths = find_alternatives(costs.router, graph.tails, graph.heads, ends, count)
    legs = [_lay(costs.graph, snaps, 0, start[2][path.source], path.arcs, end[2][path.target]) for path in paths]
    return legs if clock is None else [best, *legs]


def _keep_good(routes: list[Route], count: int) -> list[Route]:
    """Return of routes at a time of day those short and different enough, the quickest first."""
    kept = list[Route]()
    for route in sorted(routes, key=lambda one: one.duration):
        if kept and route.duration > STRETCH * kept[0].duration:
            break
        if all(_measure_shared(route, other) <= SHARE for other in kept):
            kept.append(route)
    return kept[:count]


def _measure_shared(first: Route, second: Route) -> float:
    common = float(first.seconds[np.isin(first.links, second.links)].sum())
    return common / max(min(first.duration, second.duration), 1e-9)


def _stay(roads: CityRoads, costs: RoadCosts, snaps: Snaps, place: int) -> _Leg | None:
    """Return the way along the one edge that a place and the next both lie on; None where it is not passed so."""
    if snaps.edges[place] != snaps.edges[place + 1]:
        return None
    first, last = float(snaps.shares[place]), float(snaps.shares[place + 1])
    pair = roads.graph.edge_links[snaps.edges[place]]
    link = int(pair[0] if last >= first else pair[1])
    if link < 0 or not np.isfinite(costs.seconds[link]):
        return None
    begin, end = (first, last) if last >= first else (1.0 - first, 1.0 - last)
    return _Leg(np.array([link]), np.array([begin]), np.array([end]))


def _lay(graph: RoadGraph, snaps: Snaps, place: int, leaving: int, arcs: NDArray[np.int32], arriving: int) -> _Leg:
    links = np.concatenate(([leaving], graph.links[arcs], [arriving])).astype(np.int64)
    first, last = float(snaps.shares[place]), float(snaps.shares[place + 1])
    begin = first if graph.forward[leaving] else 1.0 - first
    end = last if graph.forward[arriving] else 1.0 - last
    begins, ends = np.zeros(links.size), np.ones(links.size)
    begins[0], ends[-1] = begin, end
    return _Leg(links, begins, ends)


def _join(roads: CityRoads, costs: RoadCosts, legs: Sequence[_Leg], clock: Clock | None) -> Route:
    links = np.concatenate([leg.links for leg in legs])
    begins, ends = np.concatenate([leg.begins for leg in legs]), np.concatenate([leg.ends for leg in legs])
    parts = ends - begins
    seconds = costs.seconds[links] * parts
    if clock is not None:
        leaves = follow(clock.moment, seconds, clock.profiles.take(links))
        seconds = np.diff(leaves, prepend=clock.moment)
    counts = tuple(leg.links.size for leg in legs)
    return Route(links, begins, ends, roads.graph.lengths[links] * parts, seconds, counts)


def _follow(costs: RoadCosts, leg: _Leg, clock: Clock) -> Values:
    return follow(clock.moment, costs.seconds[leg.links] * leg.parts, clock.profiles.take(leg.links))


def _take(given: Departures, place: int) -> tuple[Links, Values, Links]:
    """Return nodes, costs and links of the entries of a place."""
    entries = slice(int(given.ends.first[place]), int(given.ends.first[place + 1]))
    return given.ends.nodes[entries].astype(np.int64), given.ends.costs[entries], given.links[entries]
