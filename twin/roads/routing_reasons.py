"""Why there is no way: what closes it, or which end lies where one cannot get out of or into."""

from dataclasses import replace

import numpy as np

from layers.errors import NotFoundError
from twin.process import CityView
from twin.roads.city_roads import CityRoads
from twin.roads.routers import ROUTERS, Conditions, RoadCosts
from twin.roads.snapping import Snaps, find_arrivals, find_departures

_PART = 0.5
"""Whoever reaches less than this share of all nodes is in a pocket."""


def explain_no_way(
    view: CityView, roads: CityRoads, conditions: Conditions, costs: RoadCosts, snaps: Snaps
) -> NotFoundError:
    """Return the error that says between which places there is no way, and why."""
    place = next((place for place in range(snaps.edges.size - 1) if not _is_joined(roads, costs, snaps, place)), 0)
    between = "between the start and the end" if snaps.edges.size == 2 else f"from place {place + 1} to {place + 2}"
    pair = snaps.take(place, place + 2)
    for lifted, reason, hint in (
        (replace(conditions, flood_run=None, flood_at=None), "water closes every way", "another time of the flood"),
        (replace(conditions, closures=False), "road works or closures in force close every way", "closures=false"),
        (replace(conditions, vehicle=None), "the vehicle is too high, heavy or wide for every way", "its real size"),
        (replace(conditions, avoid=()), "the roads to avoid are on every way", "avoid fewer"),
    ):
        if lifted != conditions and _is_joined(roads, ROUTERS.get(view, roads, lifted), pair, 0):
            works = _name_works(roads, costs) if "works" in reason else ""
            return NotFoundError(f"no way {between}: {reason}{works}", hint=hint)
    bare = replace(conditions, flood_run=None, flood_at=None, closures=False, avoid=(), vehicle=None)
    free = ROUTERS.get(view, roads, bare)
    if bare != conditions and _is_joined(roads, free, pair, 0):
        return NotFoundError(f"no way {between}: closures, water and limits together close it", hint="lift one of them")
    return NotFoundError(f"no way {between} for mode '{conditions.mode}': {_find_pocket(roads, free, pair)}")


def _is_joined(roads: CityRoads, costs: RoadCosts, snaps: Snaps, place: int) -> bool:
    if snaps.edges[place] == snaps.edges[place + 1]:
        return True
    leave, arrive = find_departures(costs.graph, costs.seconds, snaps), find_arrivals(costs.graph, costs.seconds, snaps)
    start, end = leave.ends, arrive.ends
    found = costs.router.find_path(
        start.nodes[start.first[place] : start.first[place + 1]], end.nodes[end.first[place + 1] : end.first[place + 2]]
    )
    return found.source >= 0


def _find_pocket(roads: CityRoads, costs: RoadCosts, pair: Snaps) -> str:
    leave, arrive = find_departures(costs.graph, costs.seconds, pair), find_arrivals(costs.graph, costs.seconds, pair)
    out = leave.ends.nodes[: leave.ends.first[1]]
    into = arrive.ends.nodes[arrive.ends.first[1] :]
    ahead = int(np.isfinite(costs.router.compute_distances(out)).sum()) if out.size else 0
    back = int(np.isfinite(costs.router.compute_distances(into, backward=True)).sum()) if into.size else 0
    if min(ahead, back) > _PART * costs.router.node_count:
        return "one-way streets or detached parts of the network lie between them"
    if ahead <= back:
        return "the start lies in a part of the network that no road leads out of (one-way pocket or detached roads)"
    return "the end lies in a part of the network that no road leads into (one-way pocket or detached roads)"


def _name_works(roads: CityRoads, costs: RoadCosts) -> str:
    shut = [work.name or work.id for work in costs.works if work.closes and work.links.size]
    return f" ({', '.join(shut[:3])})" if shut else ""
