"""Ways on foot between stops and places: along the roads where the city has them, else straight and a bit longer."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from network.paths import Router, build_router
from network.road_times import compute_times
from network.transit import Walks, build_walks
from twin.roads.city_roads import CityRoads

WALK_SPEED = 1.25
"""On foot with a bag or a child [m/s]; 4.5 km/h."""
DETOUR = 1.3
"""How much longer a way on foot is than the straight line, where no roads are known."""
SNAP = 250.0
"""Farthest from a road [m] that a place still hangs on it."""

Places = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ground:
    """What one walks on. roads: None for straight lines. speed [m/s]."""

    roads: CityRoads | None
    speed: float = WALK_SPEED

    @property
    def kind(self) -> str:
        """``roads`` or ``straight``."""
        return "straight" if self.roads is None else "roads"

    @cached_property
    def _router(self) -> Router:
        """People need not heed banned turns: junctions are nodes, links are arcs."""
        assert self.roads is not None
        graph = self.roads.graph
        return build_router(
            graph.starts, graph.ends, self._link_seconds, nodes=graph.junction_count, xy=graph.junction_xy
        )

    @cached_property
    def _link_seconds(self) -> NDArray[np.float64]:
        assert self.roads is not None
        graph = self.roads.graph
        open_links = np.isfinite(compute_times(graph, "foot"))
        return np.where(open_links, graph.lengths / self.speed, np.inf)

    @cached_property
    def _walkable(self) -> tuple[Index, shapely.STRtree, Places, Index]:
        """Edges one may walk on, their tree, seconds (edges,) and junctions (edges, 2) of each."""
        assert self.roads is not None
        graph = self.roads.graph
        links = np.flatnonzero(np.isfinite(self._link_seconds) & graph.forward)
        edges = graph.edges[links].astype(np.int64)
        ends = np.stack([graph.starts[links], graph.ends[links]], axis=1).astype(np.int64)
        return edges, shapely.STRtree(self.roads.lines(edges)), self._link_seconds[links], ends


@dataclass(frozen=True, eq=False)
class _Snapped:
    """Places on the roads: which edge (places,), -1 none; seconds to its two junctions (places, 2) and along it."""

    edge: Index
    junctions: Index
    seconds: Places
    along: Places
    aside: Places


def find_walks(ground: Ground, origins: Places, targets: Places, longest: float) -> Walks:
    """Return the walks of at most ``longest`` [s] from origins (n, 2) to targets (m, 2), in the city's CRS.

    A place without coordinates (NaN) is not walked from nor to; one far from any road is walked to straight.
    """
    straight = _find_straight(ground, origins, targets, longest)
    if ground.roads is None:
        return build_walks(*straight, len(origins))
    own, other = _snap(ground, origins), _snap(ground, targets)
    off_road = (own.edge[straight[0]] < 0) | (other.edge[straight[1]] < 0)
    starts, ends, seconds = [straight[0][off_road]], [straight[1][off_road]], [straight[2][off_road]]
    for origin in np.flatnonzero(own.edge >= 0):
        reached, took = _walk_from(ground, own, int(origin), other, longest)
        starts.append(np.full(reached.size, origin))
        ends.append(reached)
        seconds.append(took)
    return build_walks(np.concatenate(starts), np.concatenate(ends), np.concatenate(seconds), len(origins))


def _find_straight(ground: Ground, origins: Places, targets: Places, longest: float) -> tuple[Index, Index, Places]:
    known, there = (np.flatnonzero(np.isfinite(one).all(axis=1)) for one in (origins, targets))
    if not known.size or not there.size:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, np.zeros(0)
    reach = longest * ground.speed / DETOUR
    pairs = KDTree(origins[known]).sparse_distance_matrix(KDTree(targets[there]), reach, output_type="coo_matrix")
    return known[pairs.row], there[pairs.col], pairs.data * DETOUR / ground.speed


def _snap(ground: Ground, places: Places) -> _Snapped:
    edges, tree, lasts, ends = ground._walkable
    count = len(places)
    found = _Snapped(
        np.full(count, -1, np.int64), np.zeros((count, 2), np.int64), np.full((count, 2), np.inf),
        np.zeros(count), np.zeros(count),
    )  # fmt: skip
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    if not known.size or not edges.size:
        return found
    points = np.asarray(shapely.points(places[known]), object)
    (near, edge), away = tree.query_nearest(points, max_distance=SNAP, all_matches=False, return_distance=True)
    share = shapely.line_locate_point(tree.geometries[edge], points[near], normalized=True)
    at = known[near]
    aside = away / ground.speed
    found.edge[at], found.junctions[at], found.aside[at] = edge, ends[edge], aside
    found.along[at] = share * lasts[edge]
    found.seconds[at, 0] = aside + share * lasts[edge]
    found.seconds[at, 1] = aside + (1.0 - share) * lasts[edge]
    return found


def _walk_from(ground: Ground, own: _Snapped, origin: int, other: _Snapped, longest: float) -> tuple[Index, Places]:
    times = ground._router.compute_distances(own.junctions[origin], source_costs=own.seconds[origin], limit=longest)
    took = np.min(times[other.junctions] + other.seconds, axis=1)
    same = np.flatnonzero(other.edge == own.edge[origin])
    beside = np.abs(other.along[same] - own.along[origin]) + other.aside[same] + own.aside[origin]
    took[same] = np.minimum(took[same], beside)
    reached = np.flatnonzero(took <= longest)
    return reached, took[reached]
