"""Travel times between many places: every origin to every destination."""

import numpy as np

from network.paths_answers import Values
from network.time_dependent import grow_tree_at, leave_each
from twin.roads.routers import RoadCosts
from twin.roads.routing import Clock
from twin.roads.snapping import Snaps, find_arrivals, find_departures


def compute_travel_times(costs: RoadCosts, origins: Snaps, destinations: Snaps, clock: Clock | None = None) -> Values:
    """Return the seconds from each origin to each destination (origins, destinations), inf where there is no way.

    Leaving at once at free speed, or at the clock's time.
    """
    leave = find_departures(costs.graph, costs.seconds, origins)
    arrive = find_arrivals(costs.graph, costs.seconds, destinations)
    if clock is None:
        times = costs.router.compute_matrix(leave.ends, arrive.ends)
    else:
        times = np.full((leave.ends.count, arrive.ends.count), np.inf)
        graph, profiles = costs.graph, clock.profiles
        arcs, rests = profiles.take(graph.links), profiles.take(arrive.links)
        place = np.repeat(np.arange(arrive.ends.count), np.diff(arrive.ends.first))
        for row in range(leave.ends.count):
            part = slice(leave.ends.first[row], leave.ends.first[row + 1])
            moments = leave_each(clock.moment, leave.ends.costs[part], profiles.take(leave.links[part]))
            tree = grow_tree_at(
                graph.first, graph.heads, costs.router.costs, arcs, sources=leave.ends.nodes[part], moments=moments,
                limit=np.inf,
            )  # fmt: skip
            reached = np.flatnonzero(np.isfinite(tree.costs[arrive.ends.nodes]))
            ends = leave_each(tree.costs[arrive.ends.nodes[reached]], arrive.ends.costs[reached], rests.take(reached))
            np.minimum.at(times[row], place[reached], ends - clock.moment)
    return _stay(costs, origins, destinations, times, clock)


def _stay(costs: RoadCosts, origins: Snaps, destinations: Snaps, times: Values, clock: Clock | None) -> Values:
    """Shorten the times between places on one edge where its link leads straight from one to the other."""
    same = (origins.edges[:, None] == destinations.edges[None, :]) & (origins.edges >= 0)[:, None]
    rows, columns = np.nonzero(same)
    if not rows.size:
        return times
    way = destinations.shares[columns] - origins.shares[rows]
    pairs = costs.graph.edge_links[origins.edges[rows]]
    links = np.where(way >= 0.0, pairs[:, 0], pairs[:, 1])
    whole = np.append(costs.seconds, np.inf)[links]
    open_ = np.isfinite(whole)
    rows, columns, links = rows[open_], columns[open_], links[open_]
    seconds = whole[open_] * np.abs(way[open_])
    if clock is not None:
        seconds = leave_each(clock.moment, seconds, clock.profiles.take(links)) - clock.moment
    times[rows, columns] = np.minimum(times[rows, columns], seconds)
    return times
