"""From a place to the road beside it: the nearest stretch a mode may use, and how a journey begins or ends there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from layers.datum import CRS84, make_transformer
from layers.errors import InputError, NotFoundError
from network.paths import Ends
from network.roads import Mask, RoadGraph, Values
from twin.roads.city_roads import CityRoads

REACH_M = 300.0
"""How far a place may lie from a road [m]."""
_NEAR_M = 60.0


@dataclass(frozen=True, eq=False)
class Snaps:
    """Places on roads: edge (places,), shares along it as drawn 0–1, how far off it each was given [m], where (n, 2).

    An edge is -1 where no road is within reach.
    """

    edges: NDArray[np.int64]
    shares: Values
    offs: Values
    xy: Values

    def take(self, first: int, last: int) -> "Snaps":
        """Return the places from ``first`` up to before ``last``."""
        part = slice(first, last)
        return Snaps(self.edges[part], self.shares[part], self.offs[part], self.xy[part])


@dataclass(frozen=True, eq=False)
class Departures:
    """How journeys begin or end: places as Ends of the router, and the link of each entry of it."""

    ends: Ends
    links: NDArray[np.int64]


def project_places(places: Sequence[Sequence[float]], crs: str, name: str) -> Values:
    """Return places given as (longitude, latitude) in the city's CRS (places, 2) [m]; InputError names a wrong one."""
    lonlat = np.asarray(places, np.float64).reshape(-1, 2)
    wrong = np.flatnonzero(~((np.abs(lonlat[:, 0]) <= 180.0) & (np.abs(lonlat[:, 1]) <= 90.0)))
    if wrong.size:
        lon, lat = lonlat[wrong[0]]
        raise InputError(f"'{name}' has the place {lon:g}, {lat:g}, expected longitude and latitude in degrees")
    x, y = make_transformer(CRS84, crs).transform(lonlat[:, 0], lonlat[:, 1])
    return np.column_stack((x, y))


def snap_places(roads: CityRoads, usable: Mask, xy: Values, *, reach: float = REACH_M) -> Snaps:
    """Return the nearest edge of each place (places, 2) [m] with a usable link, within ``reach`` [m].

    usable: links (links,) that the mode may use.
    """
    graph = roads.graph
    open_edges = np.zeros(graph.edge_count, np.bool_)
    open_edges[graph.edges[usable]] = True
    found = Snaps(
        np.full(len(xy), -1, np.int64), np.zeros(len(xy)), np.full(len(xy), np.inf), np.asarray(xy, np.float64).copy()
    )
    points = np.array(shapely.points(xy), object).reshape(-1)
    for distance in (min(_NEAR_M, reach), reach):
        missing = np.flatnonzero(found.edges < 0)
        if not missing.size:
            break
        place, edge = roads.tree.query(points[missing], "dwithin", distance)
        kept = open_edges[edge]
        _take_nearest(roads, found, points, missing[place[kept]], edge[kept])
    return found


def _take_nearest(
    roads: CityRoads, found: Snaps, points: NDArray[np.object_], places: NDArray[np.int64], edges: NDArray[np.int64]
) -> None:
    """Write the nearest of the pairs of place and edge into ``found``."""
    if not places.size:
        return
    lines = roads.tree.geometries[edges]
    offs = shapely.distance(lines, points[places])
    order = np.lexsort((edges, offs, places))
    nearest = order[np.flatnonzero(np.append(True, np.diff(places[order]) > 0))]
    at, line = places[nearest], lines[nearest]
    shares = shapely.line_locate_point(line, points[at], normalized=True)
    on = shapely.line_interpolate_point(line, shares, normalized=True)
    found.edges[at], found.shares[at], found.offs[at] = edges[nearest], shares, offs[nearest]
    found.xy[at] = shapely.get_coordinates(on)


def require_snaps(snaps: Snaps, places: Sequence[Sequence[float]], name: str, mode: str, reach: float) -> None:
    """Raise NotFoundError for the first place no usable road is near to."""
    lost = np.flatnonzero(snaps.edges < 0)
    if lost.size:
        lon, lat = places[int(lost[0])]
        raise NotFoundError(
            f"no road for mode '{mode}' within {reach:g} m of {lon:.6f},{lat:.6f} ('{name}')",
            hint="a place nearer to a road, or another mode",
        )


def find_departures(graph: RoadGraph, seconds: Values, snaps: Snaps) -> Departures:
    """Return how journeys begin at each place: by either direction of its edge, to the end of the link.

    graph: with the turns of the mode; seconds: of its links (links,), inf where closed.
    """
    links, costs = _list_ways(graph, seconds, snaps, leaving=True)
    good = np.isfinite(costs)
    place = np.repeat(np.arange(snaps.edges.size), 2)[good]
    return Departures(
        _group(place, graph.link_heads[links[good]], costs[good], snaps.edges.size), links[good].astype(np.int64)
    )


def find_arrivals(graph: RoadGraph, seconds: Values, snaps: Snaps) -> Departures:
    """Return how journeys end at each place: from the beginning of either link of its edge; a link may begin at
    several nodes."""
    links, costs = _list_ways(graph, seconds, snaps, leaving=False)
    good = np.flatnonzero(np.isfinite(costs))
    first, arcs = graph.link_arcs
    counts = first[links[good] + 1] - first[links[good]]
    which = np.repeat(good, counts)
    inside = np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)
    tails = graph.tails[arcs[first[links[which]] + inside]]
    return Departures(_group(which // 2, tails, costs[which], snaps.edges.size), links[which].astype(np.int64))


def _list_ways(graph: RoadGraph, seconds: Values, snaps: Snaps, *, leaving: bool) -> tuple[NDArray[np.int64], Values]:
    """Return the links of each place as drawn and against it (2 places,), and what they cost from or to there."""
    edges = np.maximum(snaps.edges, 0)
    pairs = graph.edge_links[edges] if graph.edge_count else np.full((edges.size, 2), -1, np.int32)
    share = np.column_stack((snaps.shares, 1.0 - snaps.shares))
    rest = 1.0 - share if leaving else share
    known = np.append(seconds, np.inf)[pairs]
    costs = np.where(np.isfinite(known), known, 0.0) * rest
    costs[~np.isfinite(known) | (snaps.edges < 0)[:, None]] = np.inf
    return pairs.ravel().astype(np.int64), costs.ravel()


def _group(place: NDArray[np.int64], nodes: ArrayLike, costs: Values, count: int) -> Ends:
    first = np.zeros(count + 1, np.int32)
    first[1:] = np.cumsum(np.bincount(place, minlength=count))
    return Ends(first, np.asarray(nodes, np.int32), costs)
