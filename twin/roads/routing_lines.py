"""Routes as lines: where each link of a route runs, in the direction it is driven."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from twin.roads.city_roads import CityRoads
from twin.roads.routing import Route

Coordinates = NDArray[np.float64]


def list_coordinates(roads: CityRoads, links: Sequence[int] | NDArray[np.int64]) -> list[Coordinates]:
    """Return the coordinates of each link as it runs [m], whole."""
    chosen = np.asarray(links, np.int64)
    lines = roads.lines(roads.graph.edges[chosen])
    forward = roads.graph.forward[chosen]
    return [
        shapely.get_coordinates(line)[:: 1 if ahead else -1]
        for line, ahead in zip(lines.tolist(), forward.tolist(), strict=True)
    ]


def draw_route(roads: CityRoads, route: Route) -> shapely.LineString:
    """Return the line of a route from its begin to its end, in the city's CRS."""
    whole = list_coordinates(roads, route.links)
    driven = zip(whole, route.begins.tolist(), route.ends.tolist(), strict=True)
    joined = np.concatenate([cut(each, begin, end) for each, begin, end in driven])
    moved = np.append(True, (np.diff(joined, axis=0) != 0.0).any(axis=1))
    kept = joined[moved]
    return shapely.LineString(kept if len(kept) > 1 else np.repeat(joined[:1], 2, axis=0))


def cut(coordinates: Coordinates, begin: float, end: float) -> Coordinates:
    """Return the part of a line between two shares of its length, 0–1."""
    if begin <= 0.0 and end >= 1.0:
        return coordinates
    return shapely.get_coordinates(substring(shapely.LineString(coordinates), begin, end, normalized=True))
