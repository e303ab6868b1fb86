"""Recorded tracks on the roads of the city: which roads were driven, when, and how fast."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from network.map_matching import ERROR_M, Candidates, Match, match_track, measure_times
from network.paths_answers import Values
from network.roads import Mask
from twin.roads.city_roads import CityRoads

RADIUS_M = 50.0
MOST_EDGES = 8
"""Roads that a position may lie on."""


@dataclass(frozen=True, eq=False)
class DrivenLinks:
    """Links driven in order, over all unbroken parts of a track.

    links (n,), stretches: which unbroken part; begins, ends: shares of each link, 0–1 as it runs; lengths [m]; entered
    [s] and seconds: NaN without times, or where a link was only touched.
    """

    links: NDArray[np.int64]
    stretches: NDArray[np.int64]
    begins: Values
    ends: Values
    lengths: Values
    entered: Values
    seconds: Values

    @property
    def speeds(self) -> Values:
        """Speed on each link [km/h], NaN where it is not known."""
        good = (self.seconds > 0.0) & (self.lengths > 0.0)
        return np.where(good, 3.6 * self.lengths / np.where(good, self.seconds, 1.0), np.nan)


def match_positions(
    roads: CityRoads,
    mode: str,
    xy: Values,
    *,
    times: Values | None = None,
    error: float = ERROR_M,
    radius: float = RADIUS_M,
) -> tuple[Match, DrivenLinks]:
    """Return the match of positions (points, 2) [m], and the links driven.

    times [s] (points,); error: standard deviation of positions [m]; radius: roads this near come into question [m].
    """
    graph = roads.graph_of(mode)
    usable = graph.allows(mode)
    match = match_track(graph, usable, xy, find_candidates(roads, usable, xy, radius), times=times, error=error)
    parts = [_list_driven(roads, match, number, times) for number in range(len(match.stretches))]
    if not parts:
        none = np.zeros(0)
        empty = none.astype(np.int64)
        return match, DrivenLinks(empty, empty, none, none, none, none, none)
    fields = (np.concatenate(values) for values in zip(*(tuple(vars(part).values()) for part in parts), strict=True))
    return match, DrivenLinks(*fields)


def find_candidates(roads: CityRoads, usable: Mask, xy: Values, radius: float) -> Candidates:
    """Return the links that each position may lie on: both directions of the nearest roads within ``radius`` [m]."""
    graph = roads.graph
    open_edges = np.zeros(graph.edge_count, np.bool_)
    open_edges[graph.edges[usable]] = True
    points = np.array(shapely.points(xy), object).reshape(-1)
    place, edge = roads.tree.query(points, "dwithin", radius)
    place, edge = place[open_edges[edge]], edge[open_edges[edge]]
    offs = shapely.distance(roads.tree.geometries[edge], points[place])
    order = np.lexsort((offs, place))
    place, edge, offs = place[order], edge[order], offs[order]
    rank = np.arange(place.size) - np.searchsorted(place, place)
    place, edge, offs = place[rank < MOST_EDGES], edge[rank < MOST_EDGES], offs[rank < MOST_EDGES]
    shares = shapely.line_locate_point(roads.tree.geometries[edge], points[place], normalized=True)
    links = graph.edge_links[edge].astype(np.int64)
    both = np.column_stack((shares, 1.0 - shares))
    known = (links >= 0) & np.append(usable, False)[links]
    row, _ = np.nonzero(known)
    counts = np.bincount(place[row], minlength=len(xy))
    chosen = links[known]
    return Candidates(
        np.concatenate(([0], np.cumsum(counts))),
        chosen.astype(np.int32),
        both[known] * graph.lengths[chosen],
        offs[row],
    )


def _list_driven(roads: CityRoads, match: Match, number: int, times: Values | None) -> DrivenLinks:
    graph, stretch = roads.graph, match.stretches[number]
    links = stretch.links.astype(np.int64)
    whole = np.maximum(graph.lengths[links], 1e-9)
    begins, ends = np.zeros(links.size), np.ones(links.size)
    begins[0], ends[-1] = stretch.begin / whole[0], stretch.end / whole[-1]
    lengths = stretch.lengths(graph)
    seconds, entered = np.full(links.size, np.nan), np.full(links.size, np.nan)
    if times is not None and stretch.points.size > 1:
        seconds = measure_times(graph, stretch, times)
        entered = times[stretch.points[0]] + np.cumsum(seconds) - seconds
    return DrivenLinks(links, np.full(links.size, number), begins, np.maximum(ends, begins), lengths, entered, seconds)
