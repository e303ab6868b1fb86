"""Flows of a model run at the links of stations: lines of ``traffic_flows`` that run along them, the same way."""

from collections.abc import Iterable

import numpy as np
import shapely
from shapely import STRtree

from layers.errors import NotFoundError
from twin.process import CityView
from twin.roads.city_roads import CityRoads

NEAR_M = 5.0


class ModelFlows:
    """The flows of a run [veh/h]; NotFoundError where the run has none."""

    def __init__(self, city: CityView, roads: CityRoads, run: str) -> None:
        frame = city.layer("traffic_flows", columns=["run_id", "flow"])
        own = frame[frame["run_id"] == run]
        if own.empty:
            raise NotFoundError(f"run '{run[:80]}' has no flows", hint="give the id of a finished traffic-assignment")
        self._roads = roads
        self._flows = own["flow"].to_numpy(np.float64)
        self._lines = own.geometry.to_numpy()
        self._tree = STRtree(self._lines)

    def sum(self, links: Iterable[int]) -> float:
        """Return the flow of links together; NaN where the model has no line along one of them."""
        found = [self._find(int(link)) for link in links]
        return float(np.sum(found)) if found else float("nan")

    def _find(self, link: int) -> float:
        graph = self._roads.graph
        [line] = self._roads.lines([int(graph.edges[link])])
        line = line if graph.forward[link] else line.reverse()
        middle = line.interpolate(0.5, normalized=True)
        best, flow = np.inf, float("nan")
        for place in self._tree.query(middle, predicate="dwithin", distance=NEAR_M).tolist():
            other = self._lines[place]
            ahead = shapely.line_locate_point(other, shapely.points([line.coords[0], line.coords[-1]]))
            far = float(shapely.distance(other, middle))
            # The other way of the same street lies on the same line, drawn against it.
            if ahead[1] > ahead[0] and far < best:
                best, flow = far, float(self._flows[place])
        return flow
