"""Which links an event on a road touches: by the road it names, else by where its line runs.

Of a road that it names, only the stretches beside its line count; where none is beside it, the whole road. Without a
name of a road, a stretch counts that runs along the line for most of its own length or of the line's. A crossing street
does not: it only touches the line.
"""

from collections.abc import Hashable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.roads.city_roads import CityRoads

BESIDE_M = 15.0
ALONG_SHARE = 0.5
LEAST_M = 1.0


_PLACED: WeakKeyDictionary[CityRoads, dict[Hashable, NDArray[np.int32]]] = WeakKeyDictionary()
MOST_PLACED = 10_000
"""As many places of events are remembered for roads that are in memory."""


def find_links(roads: CityRoads, event: Mapping[str, Any]) -> NDArray[np.int32]:
    """Return the links that an event touches, of the ways that it says, in order; what it does not say is left out."""
    known = _PLACED.setdefault(roads, {})
    line = event.get("geometry")
    key = (None if line is None else line.wkb, event.get("affected_direction"), event.get("road_link_id"))
    found = known.get(key)
    if found is None:
        if len(known) >= MOST_PLACED:
            known.clear()
        found = known[key] = _find_links(roads, event)
    return found


def _find_links(roads: CityRoads, event: Mapping[str, Any]) -> NDArray[np.int32]:
    line = event.get("geometry")
    ways = str(event.get("affected_direction", "both"))
    own = np.flatnonzero(roads.items == event.get("road_link_id", ""))
    beside, along = _measure(roads, own if own.size else _find_near(roads, line), line)
    if own.size and not beside.size:
        beside, along = own, np.ones(own.size, np.int8)
    return _take_ways(roads, beside, along, ways)


def _find_near(roads: CityRoads, line: Any) -> NDArray[np.int64]:
    if line is None or line.is_empty:
        return np.zeros(0, np.int64)
    return np.sort(roads.tree.query(line, predicate="dwithin", distance=BESIDE_M))


def _measure(roads: CityRoads, edges: NDArray[np.int64], line: Any) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return which of the edges run along the line, and whether they are drawn as it is (1) or against it (-1)."""
    if line is None or line.is_empty or not edges.size:
        return edges[:0], np.zeros(0, np.int8)
    zone = shapely.buffer(line, BESIDE_M, cap_style="flat" if line.length > LEAST_M else "round")
    shapes = roads.lines(edges)
    inside = shapely.length(shapely.intersection(shapes, zone))
    enough = np.minimum(ALONG_SHARE * shapely.length(shapes), max(ALONG_SHARE * float(line.length), LEAST_M))
    ways = np.array([_compare(shape, line) for shape in shapes], np.int8)
    found = (inside >= enough) & (ways != 0)
    return edges[found], ways[found]


def _compare(shape: Any, line: Any) -> int:
    """Return 1 where a shape runs as the line does, -1 where it runs against it, 0 where it crosses it."""
    if line.length <= LEAST_M:
        return 1
    ends = shapely.line_locate_point(line, shapely.points([shape.coords[0], shape.coords[-1]]))
    run = float(ends[1] - ends[0])
    if abs(run) < ALONG_SHARE * min(float(shape.length), float(line.length)) - LEAST_M:
        return 0
    return 1 if run >= 0.0 else -1


def _take_ways(roads: CityRoads, edges: NDArray[Any], along: NDArray[np.int8], wanted: str) -> NDArray[np.int32]:
    pairs = roads.graph.edge_links[edges]
    if wanted == "both":
        links = pairs.reshape(-1)
    else:
        as_drawn = (along > 0) == (wanted == "forward")
        links = pairs[np.arange(len(edges)), np.where(as_drawn, 0, 1)]
    return np.unique(links[links >= 0]).astype(np.int32)
