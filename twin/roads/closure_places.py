"""Which links an event on a road touches: by the road it names, else by where its line runs.

Of a road that it names, only the stretches beside its line count; where none is beside it, the whole road. Without a
name of a road, a stretch counts that runs along the line for most of its own length or of the line's. A crossing street
does not: it only touches the line.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from network.roads import RoadGraph

BESIDE_M = 15.0
ALONG_SHARE = 0.5
LEAST_M = 1.0


class RoadsSeen(Protocol):
    """What closures need of the city's roads: graph, ids of the layer's items by edge, lines by edge."""

    @property
    def graph(self) -> RoadGraph:
        """The graph."""

    @property
    def items(self) -> NDArray[Any]:
        """Ids of ``road_links`` by edge (edges,)."""

    def lines(self, edges: Any) -> NDArray[Any]:
        """Return the lines of edges (shapely, city CRS)."""


def find_links(roads: RoadsSeen, event: Mapping[str, Any]) -> NDArray[np.int32]:
    """Return the links that an event touches, of the ways that it says, in order."""
    line = event["geometry"]
    named = event.get("road_link_id")
    known = isinstance(named, str) and bool(named)
    edges = np.flatnonzero(roads.items == named) if known else np.arange(roads.graph.edge_count)
    shapes = roads.lines(edges)
    beside, along = _measure(shapes, line)
    chosen = np.flatnonzero(beside)
    if known and not chosen.size:
        chosen, along = np.arange(edges.size), np.ones(edges.size, np.int8)
    return _take_ways(roads, edges[chosen], along[chosen], str(event.get("affected_direction") or "both"))


def _measure(shapes: NDArray[Any], line: Any) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Return which shapes run along the line, and whether they are drawn as it is (1) or against it (-1)."""
    found = np.zeros(len(shapes), np.bool_)
    ways = np.ones(len(shapes), np.int8)
    if line is None or line.is_empty or not len(shapes):
        return found, ways
    zone = shapely.buffer(line, BESIDE_M, cap_style="flat") if line.length > LEAST_M else shapely.buffer(line, BESIDE_M)
    near = np.flatnonzero(shapely.intersects(shapes, zone))
    inside = shapely.length(shapely.intersection(shapes[near], zone))
    lengths = shapely.length(shapes[near])
    enough = np.minimum(ALONG_SHARE * lengths, max(ALONG_SHARE * float(line.length), LEAST_M))
    for place in near[inside >= enough].tolist():
        way = _compare(shapes[place], line)
        if way:
            found[place], ways[place] = True, way
    return found, ways


def _compare(shape: Any, line: Any) -> int:
    """Return 1 where a shape runs as the line does, -1 where it runs against it, 0 where it crosses it."""
    if line.length <= LEAST_M:
        return 1
    ends = shapely.line_locate_point(line, shapely.points([shape.coords[0], shape.coords[-1]]))
    run = float(ends[1] - ends[0])
    if abs(run) < ALONG_SHARE * min(float(shape.length), float(line.length)) - LEAST_M:
        return 0
    return 1 if run >= 0.0 else -1


def _take_ways(roads: RoadsSeen, edges: NDArray[Any], along: NDArray[np.int8], wanted: str) -> NDArray[np.int32]:
    pairs = roads.graph.edge_links[edges]
    if wanted == "both":
        links = pairs.reshape(-1)
    else:
        as_drawn = (along > 0) == (wanted == "forward")
        links = pairs[np.arange(len(edges)), np.where(as_drawn, 0, 1)]
    return np.unique(links[links >= 0]).astype(np.int32)
