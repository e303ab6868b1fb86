"""Water on roads: how deep it stands along each stretch, how fast what moves still goes through it, and what is closed.

All functions are monotone: more water never opens a road and never makes one faster.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from layers.grid import Grid
from network.road_times import free_speeds
from network.roads import Mask, RoadGraph, Values, mode_bits

CAR_DEPTH = 0.3
"""Cars stop at this depth [m] (Pregnolato et al. 2017; a total head of 0.3 m: Kramer et al. 2016)."""

LEAST_DEPTH = 0.005
"""Less water than this [m] is a wet road, not a flooded one."""

SLOW_SHARE = 0.9
"""A link is told to be slow where it is passed at less than this share of its free speed."""

WALKING_LOSS = 1.2
"""Share of the speed on foot lost per metre of water: 39–45 % at 0.35 m.

Li et al. 2026, doi:10.14311/APP.2026.57.0226.
"""


@dataclass(frozen=True, slots=True)
class WaterLimit:
    """Where a mode stops: ``depth`` [m], or depth times velocity above ``product`` [m2/s]."""

    depth: float
    product: float


WATER_LIMITS = {
    "car": WaterLimit(CAR_DEPTH, 0.3),
    "motorbike": WaterLimit(0.25, 0.3),
    "truck": WaterLimit(0.5, 0.6),
    "bus": WaterLimit(0.4, 0.6),
    "emergency": WaterLimit(0.5, 0.6),
    "bicycle": WaterLimit(0.3, 0.3),
    "foot": WaterLimit(0.5, 0.6),
}
"""Limits by mode of network.roads.MODES.

depth: cars Pregnolato et al. 2017, doi:10.1016/j.trd.2017.06.020. Buses, trucks and emergency vehicles: still water of
0.4 m for large passenger cars and 0.5 m for high four-wheel drives, Shand et al. 2011 (Australian Rainfall and Runoff,
project 10, stage 2); Kramer et al. 2016 (Int. J. Disaster Risk Reduction 17) allow emergency vehicles 0.6 m. People on
foot: 0.5 m, above which children and the elderly are in danger (AIDR 7-3, 2017, class H3). Motorbikes and bicycles have
no measured limit: 0.25 m is the hub of a 17-inch wheel less a small wave, 0.3 m the bottom bracket of a bicycle.
product: 0.3 m2/s is the limit of class H1 and 0.6 of H2 (AIDR 7-3, 2017): above it small vehicles, or all vehicles,
children and the elderly, are carried away.
"""


@dataclass(frozen=True, slots=True, eq=False)
class EdgeSamples:
    """Points along stretches of road, at most a cell apart, on a grid.

    cells: flat index of the cell of each sample (samples,); that of no cell where it lies outside. shares: of its
    stretch that each sample stands for (samples,). first: samples of stretch i are first[i] to first[i + 1]. outside:
    share of each stretch that lies outside the grid (edges,).
    """

    cells: NDArray[np.int64]
    shares: Values
    first: NDArray[np.int64]
    outside: Values


def sample_edges(lines: NDArray[np.object_], grid: Grid) -> EdgeSamples:
    """Return samples along lines (edges,) in the CRS of the grid, at their vertices and at most a cell apart.

    Raises InputError where something is not a line.
    """
    shapes = np.asarray(lines, dtype=object)
    points, owner = shapely.get_coordinates(shapely.segmentize(shapes, grid.cell_size), return_index=True)
    counts = np.bincount(owner, minlength=shapes.size)
    if shapes.size and counts.min() < 2:
        raise InputError(f"road {int(counts.argmin())} is no line", hint="give lines of two points or more")
    first = np.append(0, np.cumsum(counts))
    if not points.size:
        return EdgeSamples(np.zeros(0, np.int64), np.zeros(0), first, np.zeros(shapes.size))
    step = np.hypot(*np.diff(points, axis=0).T) * (np.diff(owner) == 0) / 2.0
    own = np.append(step, 0.0) + np.append(0.0, step)
    total = np.bincount(owner, own, minlength=shapes.size)
    shares = np.where(total[owner] > 0.0, own / np.where(total > 0.0, total, 1.0)[owner], 1.0 / counts[owner])
    row, col, inside = grid.cells(points[:, 0], points[:, 1])
    cells = np.where(inside, row * grid.cols + col, grid.rows * grid.cols)
    outside = np.bincount(owner, shares * ~inside, minlength=shapes.size).astype(np.float64)
    return EdgeSamples(cells, shares, first, outside)


def read_cells(samples: EdgeSamples, raster: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the value of a raster (rows, cols) at each sample (samples,), NaN outside it."""
    return np.append(np.asarray(raster, np.float32).ravel(), np.float32(np.nan))[samples.cells]


def read_depths(
    samples: EdgeSamples,
    depth: NDArray[np.floating],
    *,
    bed: NDArray[np.float32] | None = None,
    elevations: Values | None = None,
    exempt: Mask | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the deepest and the mean water along each stretch [m] (edges,), 0 where it is dry, outside or unknown.

    depth: above ground (rows, cols) [m]. bed: the ground under each sample (samples,) [m] and elevations: the surface
    of each road (edges,) [m], NaN where unknown; where both are known, water is told above the road and not above the
    ground. exempt: stretches that no water reaches (edges,).
    """
    local = np.nan_to_num(read_cells(samples, depth))
    if bed is not None and elevations is not None:
        road = np.repeat(elevations, np.diff(samples.first)).astype(np.float32)
        above = bed + local - road
        local = np.where((local > 0.0) & np.isfinite(above), np.maximum(above, 0.0), local)
    if not local.size:
        return np.zeros(samples.outside.size, np.float32), np.zeros(samples.outside.size, np.float32)
    deepest = np.maximum.reduceat(local, samples.first[:-1])
    mean = np.add.reduceat(local * samples.shares.astype(np.float32), samples.first[:-1])
    if exempt is not None:
        deepest[exempt] = 0.0
        mean[exempt] = 0.0
    return deepest, mean


def read_products(
    samples: EdgeSamples,
    depth: NDArray[np.floating],
    velocity: NDArray[np.float32],
    product: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the largest depth times velocity that a stretch can have had [m2/s] (edges,), an upper bound.

    depth (rows, cols) [m] of a time; velocity [m/s] and product [m2/s]: the largest of the whole flood at each sample.
    """
    local = np.nan_to_num(read_cells(samples, depth))
    bound = np.minimum(local * np.nan_to_num(velocity), np.nan_to_num(product))
    return np.maximum.reduceat(bound, samples.first[:-1]) if bound.size else np.zeros(samples.outside.size, np.float32)


def limit_speeds(depth: ArrayLike, mode: str, *, closed_from: float | None = None) -> Values:
    """Return the safe speed of a mode in water [km/h], any shape, 0 from the depth [m] on that closes its roads.

    Of cars v = 0.0009 w² − 0.5529 w + 86.9448 with w in mm (Pregnolato et al. 2017, doi:10.1016/j.trd.2017.06.020, eq.
    5), which is clamped at 0.3 m because the parabola rises again from 0.307 m. Other vehicles have that curve over
    their own closing depth. On foot the walking speed falls by 1.2 of itself per metre. closed_from: another closing
    depth than that of WATER_LIMITS. Raises InputError for an unknown mode.
    """
    mode_bits(mode)
    limit = WATER_LIMITS[mode].depth if closed_from is None else closed_from
    found = np.asarray(depth, np.float64)
    if mode == "foot":
        speeds = 4.8 * np.maximum(1.0 - WALKING_LOSS * found, 0.1)
    else:
        w = 1000.0 * np.minimum(found * (CAR_DEPTH / limit), CAR_DEPTH)
        speeds = 0.0009 * w**2 - 0.5529 * w + 86.9448
    # Compared as float32: a depth read from a raster that stands on the limit is on it.
    shut = found.astype(np.float32) >= np.float32(limit)
    return np.asarray(np.where(shut, 0.0, np.where(found < LEAST_DEPTH, np.inf, speeds)), np.float64)


def find_closed(
    deepest: NDArray[np.floating],
    mode: str,
    *,
    closed_from: float | None = None,
    product: NDArray[np.floating] | None = None,
) -> Mask:
    """Return which stretches are closed to a mode, any shape.

    deepest [m]; product: largest depth times velocity [m2/s] where it is known. A road closes at its limit of depth,
    and above that of the product.
    """
    mode_bits(mode)
    limit = WATER_LIMITS[mode]
    depth = limit.depth if closed_from is None else closed_from
    closed: Mask = np.asarray(deepest, np.float32) >= np.float32(depth)
    if product is not None:
        closed = closed | (np.nan_to_num(np.asarray(product, np.float32)) > np.float32(limit.product))
    return closed


def flood_speeds(
    graph: RoadGraph,
    mode: str,
    mean: NDArray[np.floating],
    closed: Mask,
    *,
    speeds: Values | None = None,
    closed_from: float | None = None,
) -> Values:
    """Return the speed of a mode on each link under water [km/h] (links,), 0 where its stretch is closed.

    mean: water along each stretch [m] (edges,); closed: (edges,). speeds: of this mode when dry (links,), its free
    speed where not given. closed_from: as in find_closed. Ferries are not slowed by water.
    """
    free = free_speeds(graph, mode) if speeds is None else np.asarray(speeds, np.float64)
    limit = limit_speeds(mean, mode, closed_from=closed_from)
    # What is closed follows from the deepest water; a mean that is at the limit but for rounding closes nothing.
    wet = np.where(closed, 0.0, np.maximum(limit, 1.0))[graph.edges]
    return np.asarray(np.where(graph.is_ferry, free, np.minimum(free, wet)), np.float64)


def find_spans(closed: NDArray[np.bool_], seconds: Values) -> tuple[NDArray[np.int64], NDArray[np.int64], Values]:
    """Return when each stretch is closed: first step, step it is open again for good, and seconds in all (edges,).

    closed: (times, edges); seconds: the time of each step (times,), each standing for half the way to its neighbours.
    -1 for a stretch that is never closed; the number of steps where it is still closed at the end.
    """
    steps = closed.shape[0]
    any_time = closed.any(axis=0)
    first = np.where(any_time, closed.argmax(axis=0), -1)
    last = np.where(any_time, steps - closed[::-1].argmax(axis=0), -1)
    return first, last, measure_steps(seconds) @ closed


def measure_steps(seconds: Values) -> Values:
    """Return how long each step stands for [s] (times,): half the way to each neighbour; 0 where there is only one."""
    if seconds.size < 2:
        return np.zeros(seconds.size)
    half = np.diff(seconds) / 2.0
    return np.asarray(np.append(half, 0.0) + np.append(0.0, half), np.float64)
