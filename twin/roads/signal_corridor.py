"""Signals along a street: which ones, in which order, how far apart, and what arrives at each from where."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from layers.errors import InputError, NotFoundError
from network.paths_answers import Values
from twin.process import CityView
from twin.roads.city_roads import CityRoads

AT_JUNCTION_M = 40.0
"""A signal belongs to the nearest junction within this [m]."""
APART_M = 60.0
"""Signals of the street nearer than this are one crossing of it."""
_OFF_STREET = 8.0


@dataclass(frozen=True, eq=False)
class Corridor:
    """Signals in order along a street.

    street; ids, names (signals,); junctions (signals,); distances: from the first [m] (signals,). outbound, inbound:
    the links by which traffic along the street arrives at each signal, up and down the order (signals,), -1 where there
    is none; across: the other links that arrive.
    """

    street: str
    ids: tuple[str, ...]
    names: tuple[str, ...]
    junctions: NDArray[np.int64]
    distances: Values
    outbound: NDArray[np.int64]
    inbound: NDArray[np.int64]
    across: tuple[tuple[int, ...], ...]

    @property
    def spacing(self) -> Values:
        """From each signal to the next [m] (signals − 1,)."""
        return np.diff(self.distances)


def read_corridor(view: CityView, roads: CityRoads, street: str, chosen: Sequence[str] = ()) -> Corridor:
    """Return the signals on a street in order along it, of ``chosen`` ids only where some are given.

    Raises NotFoundError for a street there is none of or without signals, InputError for a chosen one not on it.
    """
    on_street = roads.names == street
    if not on_street.any():
        raise NotFoundError(f"there is no street '{street[:80]}'", hint="its whole name, as written in road_links")
    graph = roads.graph
    links = on_street[graph.edges] & graph.allows("car")
    own = np.unique(np.concatenate((graph.starts[links], graph.ends[links])))
    frame = view.layer("signals", columns=["name"])
    rows, junctions = _place_signals(frame.geometry.to_numpy().astype(object), graph.junction_xy, own)
    ids = frame["id"].astype(str).to_numpy()[rows]
    missing = [name for name in chosen if name not in ids]
    if missing:
        raise InputError(
            f"signal '{missing[0][:80]}' is not on '{street}'", hint=f"those on it: {', '.join(ids)[:300]}"
        )
    if chosen:
        wanted = np.isin(ids, list(chosen))
        rows, junctions, ids = rows[wanted], junctions[wanted], ids[wanted]
    if not rows.size:
        raise NotFoundError(
            f"no signal within {AT_JUNCTION_M:g} m of a junction of '{street}'", hint="the layer signals holds them"
        )
    distances = _measure_along(roads, links, own, junctions)
    order = _thin(distances)
    junctions, distances = junctions[order], distances[order] - distances[order][0]
    outbound, inbound, across = _find_approaches(roads, links, junctions, distances)
    names = [name if isinstance(name, str) else "" for name in frame["name"].to_numpy(object)[rows[order]].tolist()]
    return Corridor(
        street, tuple(ids[order].tolist()), tuple(names), junctions, distances, outbound, inbound, tuple(across)
    )


def _place_signals(
    shapes: NDArray[np.object_], junction_xy: Values, own: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of signals at junctions ``own``, and the junction of each."""
    points = np.asarray(shapely.centroid(shapes), object)
    tree = shapely.STRtree(np.asarray(shapely.points(junction_xy[own]), object))
    there = np.flatnonzero(~shapely.is_missing(points))
    near, place = tree.query_nearest(points[there], max_distance=AT_JUNCTION_M, all_matches=False)
    return there[near].astype(np.int64), own[place].astype(np.int64)


def _measure_along(
    roads: CityRoads, links: NDArray[np.bool_], own: NDArray[np.int32], junctions: NDArray[np.int64]
) -> Values:
    """Return how far along the street each junction lies [m], from the end that is farthest from the others.

    Where a street is in pieces, the way between them counts too, though it is not driven along it.
    """
    graph = roads.graph
    lengths = graph.lengths * np.where(links, 1.0, _OFF_STREET) + 1e-3
    size = graph.junction_count
    cheapest = np.lexsort((lengths, graph.ends, graph.starts))
    pair = graph.starts[cheapest].astype(np.int64) * size + graph.ends[cheapest]
    kept = cheapest[np.append(True, np.diff(pair) > 0)]
    matrix = csr_matrix((lengths[kept], (graph.starts[kept], graph.ends[kept])), (size, size))
    away = dijkstra(matrix, directed=False, indices=int(junctions[0]))
    reached = own[np.isfinite(away[own])]
    first = int(reached[np.argmax(away[reached])])
    along = dijkstra(matrix, directed=False, indices=first)[junctions]
    return np.asarray(np.where(np.isfinite(along), along, np.inf), np.float64)


def _thin(distances: Values) -> NDArray[np.int64]:
    """Return the places of signals in order along the street; of those that stand together the first."""
    kept = list[int]()
    for place in np.argsort(distances, kind="stable").tolist():
        if np.isfinite(distances[place]) and (not kept or distances[place] - distances[kept[-1]] >= APART_M):
            kept.append(place)
    return np.array(kept, np.int64)


def _find_approaches(
    roads: CityRoads, links: NDArray[np.bool_], junctions: NDArray[np.int64], distances: Values
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[tuple[int, ...]]]:
    """Return by which links one arrives along the street from before, from behind, and from its sides."""
    graph = roads.graph
    xy = graph.junction_xy
    outbound, inbound = np.full(junctions.size, -1, np.int64), np.full(junctions.size, -1, np.int64)
    across = list[tuple[int, ...]]()
    for place, junction in enumerate(junctions.tolist()):
        before, behind = max(place - 1, 0), min(place + 1, junctions.size - 1)
        way = xy[junctions[behind]] - xy[junctions[before]] if behind > before else np.array([1.0, 0.0])
        arriving = np.flatnonzero((graph.ends == junction) & graph.allows("car"))
        sides = list[int]()
        for link in arriving.tolist():
            if not links[link]:
                sides.append(link)
                continue
            ahead = float((xy[junction] - xy[graph.starts[link]]) @ way) > 0.0
            target = outbound if ahead else inbound
            if target[place] < 0 or graph.lanes[link] > graph.lanes[target[place]]:
                target[place] = link
        across.append(tuple(sides))
    return outbound, inbound, across
