"""The ways buses take on the roads of the city from stop to stop."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.process import CityView
from twin.roads.routers import ROUTERS, Conditions
from twin.roads.routing import find_routes
from twin.roads.routing_lines import draw_route
from twin.roads.snapping import snap_places

REACH = 80.0
"""A stop lies within this of the road the bus halts on [m]."""
ROUND_ABOUT = 4.0
"""A way longer than so many times the straight line, and half a kilometre, is none that a bus takes."""


class RoadWays:
    """Ways by bus under one set of conditions; each pair of places is asked once."""

    def __init__(self, view: CityView, at: datetime, *, flood_run: str | None = None) -> None:
        self._roads = view.roads()
        conditions = Conditions("bus", at, closures=False, flood_run=flood_run)
        self._costs = ROUTERS.get(view, self._roads, conditions) if self._roads.graph.edge_count else None
        self._known: dict[tuple[float, ...], Any] = {}

    def lay(self, xy: NDArray[np.float64]) -> list[Any]:
        """Return the line (city's CRS) from each place (n, 2) to the next (n − 1), None where no road leads there."""
        if self._costs is None or len(xy) < 2:
            return [None] * (len(xy) - 1)
        snaps = snap_places(self._roads, np.isfinite(self._costs.seconds), xy, reach=REACH)
        found = []
        for at in range(len(xy) - 1):
            key = (*xy[at].tolist(), *xy[at + 1].tolist())
            if key not in self._known:
                self._known[key] = self._find(snaps.take(at, at + 2), xy[at : at + 2])
            found.append(self._known[key])
        return found

    def _find(self, pair: Any, xy: NDArray[np.float64]) -> Any:
        if (pair.edges < 0).any() or self._costs is None:
            return None
        routes = find_routes(self._roads, self._costs, pair)
        straight = float(np.hypot(*(xy[1] - xy[0])))
        if not routes or routes[0].length > max(ROUND_ABOUT * straight, 500.0):
            return None
        line = draw_route(self._roads, routes[0])
        return line if line.length > 0.0 else None


def join_ways(ways: Sequence[Any], xy: NDArray[np.float64]) -> tuple[Any, NDArray[np.float64]]:
    """Return one line through all places, straight where a way is None, and how far along it each lies [m] (n,)."""
    points, along = [xy[0]], [0.0]
    for at, way in enumerate(ways):
        step = shapely.get_coordinates(way) if way is not None else xy[at : at + 2]
        joined = np.vstack([points[-1], step])
        along.append(along[-1] + float(np.hypot(*np.diff(joined, axis=0).T).sum()))
        points.extend(step)
    coordinates = np.array(points)
    kept = np.append(True, np.hypot(*np.diff(coordinates, axis=0).T) > 0.0)
    coordinates = coordinates[kept]
    return (shapely.LineString(coordinates) if len(coordinates) > 1 else None), np.array(along)
