"""Water on the roads of the city: of a flood run at any of its times, or of a level over the terrain.

``read_flood_times`` is what a route or an isochrone asks: seconds and closures of links at a time of a run.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.errors import RasterioIOError

from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from layers.store.rasters import read_grid
from network.flooded_roads import (
    EdgeSamples,
    find_closed,
    flood_speeds,
    read_cells,
    read_depths,
    read_products,
    sample_edges,
)
from network.road_times import Vehicle, compute_times
from network.roads import Mask, Values
from twin.process import CityView
from twin.roads.city_roads import CityRoads

Depths = NDArray[np.float32]

BRIDGE_REACH = 20.0
"""A bridge carries the roads whose middle lies within this of its line [m]."""
KEPT = 3
"""Floods kept in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class WaterAt:
    """Water on each stretch of road at one time (edges,): deepest and mean [m], largest depth times velocity [m2/s].

    product is None where no velocity is known.
    """

    deepest: Depths
    mean: Depths
    product: Depths | None

    def find_closed(self, mode: str, closed_from: float | None = None) -> Mask:
        """Return which stretches are closed to a mode (edges,)."""
        return find_closed(self.deepest, mode, closed_from=closed_from, product=self.product)


@dataclass(frozen=True, slots=True, eq=False)
class RoadWater:
    """A flood on the roads: at its peak, and at each of its times.

    times: of the steps, none where only the peak is known. outside: share of each stretch of which nothing is known
    (edges,). bridges: stretches taken to stand above all water (edges,); lifted: stretches told by their own elevation
    (edges,). depth, grid: the deepest water of the flood (rows, cols).
    """

    peak: WaterAt
    times: tuple[datetime, ...]
    steps: tuple[WaterAt, ...]
    outside: Values
    bridges: Mask
    lifted: Mask
    depth: Depths
    grid: Grid

    @property
    def seconds(self) -> Values:
        """The times of the steps [s since 1970 UTC] (times,)."""
        return np.array([moment.timestamp() for moment in self.times])

    def at(self, moment: datetime | None) -> WaterAt:
        """Return the water at a time, between steps in proportion; that of the peak without a time.

        Raises InputError for a time outside the flood, or where only the peak is known.
        """
        if moment is None:
            return self.peak
        if not self.times:
            raise InputError("the flood keeps no water in time", hint="leave the time out: its peak is known")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if not self.times[0] <= moment <= self.times[-1]:
            raise InputError(
                f"{moment.isoformat()} lies outside the flood, which is known from {self.times[0].isoformat()} to "
                f"{self.times[-1].isoformat()}",
                hint="give a time in between",
            )
        seconds = self.seconds
        after = int(np.clip(np.searchsorted(seconds, moment.timestamp()), 1, max(len(self.times) - 1, 1)))
        if len(self.times) == 1:
            return self.steps[0]
        share = np.float32((moment.timestamp() - seconds[after - 1]) / (seconds[after] - seconds[after - 1]))
        first, second = self.steps[after - 1], self.steps[after]
        return WaterAt(
            _mix(first.deepest, second.deepest, share),
            _mix(first.mean, second.mean, share),
            None if first.product is None or second.product is None else _mix(first.product, second.product, share),
        )


@dataclass(frozen=True, slots=True, eq=False)
class LinkTimes:
    """Links under water at a time (links,): seconds, infinite where the mode may not or cannot go; closed by water."""

    seconds: Values
    closed: Mask


def read_flood_times(
    view: CityView,
    roads: CityRoads,
    run_id: str,
    at: datetime | None,
    mode: str,
    *,
    vehicle: Vehicle | None = None,
    speeds: Values | None = None,
    closed: Mask | None = None,
) -> LinkTimes:
    """Return what links cost a mode under the water of a flood run at a time, its peak without one.

    speeds: of the mode when dry [km/h] (links,), its free speed where not given. closed: links closed for other
    reasons (links,). The water is kept in memory, so a second question of the same run takes milliseconds. Raises
    NotFoundError for a run that wrote no depths, InputError for a time outside it.
    """
    return find_link_times(
        roads, read_run_water(view, roads, run_id).at(at), mode, vehicle=vehicle, speeds=speeds, closed=closed
    )


def find_link_times(
    roads: CityRoads,
    water: WaterAt,
    mode: str,
    *,
    closed_from: float | None = None,
    vehicle: Vehicle | None = None,
    speeds: Values | None = None,
    closed: Mask | None = None,
) -> LinkTimes:
    """Return what links cost a mode under water (links,); ``closed_from`` [m] is another closing depth."""
    graph = roads.graph
    shut = water.find_closed(mode, closed_from)
    wet = flood_speeds(graph, mode, water.mean, shut, speeds=speeds, closed_from=closed_from)
    by_water = shut[graph.edges] & ~graph.is_ferry
    closed_links = by_water if closed is None else by_water | closed
    return LinkTimes(compute_times(graph, mode, vehicle=vehicle, speeds=wet, closed=closed_links), by_water)


def read_run_water(view: CityView, roads: CityRoads, run_id: str) -> RoadWater:
    """Return the water of a flood run on the roads; NotFoundError for a run that wrote no depths."""
    folder = view.find_run_folder(run_id)
    peak = folder / "flood_depth_max.tif"
    if not peak.exists():
        raise NotFoundError(
            f"run '{run_id[:80]}' wrote no flood depth", hint="give a run of flood-forecast or -scenario"
        )
    return _WATER.get((str(folder), roads.stamp), lambda: _read_run(view, roads, folder))


def hold_water(view: CityView, roads: CityRoads, depth: Depths, bed: Depths, grid: Grid) -> RoadWater:
    """Return the water of one depth [m] over a bed [m] (rows, cols) on the roads; there are no times."""
    ground = _read_ground(view, roads, grid, bed)
    return RoadWater(
        _read_water(ground, depth, None), (), (), ground.samples.outside, ground.bridges, ground.lifted, depth, grid
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What the water is held to: samples, the bed under them, elevations of roads [m], what no water reaches."""

    samples: EdgeSamples
    bed: Depths
    elevations: Values
    exempt: Mask
    bridges: Mask
    lifted: Mask


def _read_run(view: CityView, roads: CityRoads, folder: Path) -> RoadWater:
    depth, grid = read_grid(folder / "flood_depth_max.tif")
    stage = folder / "flood_stage_max.tif"
    bed = read_grid(stage)[0] - depth if stage.exists() else np.full(depth.shape, np.nan, np.float32)
    ground = _read_ground(view, roads, grid, bed)
    flow = _read_flow(ground.samples, folder)
    times, series = _read_times(folder / "flood_depth.tif"), []
    for band in range(1, len(times) + 1):
        array, _ = read_grid(folder / "flood_depth.tif", band=band)
        series.append(_read_water(ground, array, flow))
    return RoadWater(
        _read_water(ground, depth, flow), times, tuple(series), ground.samples.outside, ground.bridges, ground.lifted,
        depth, grid,
    )  # fmt: skip


def _read_ground(view: CityView, roads: CityRoads, grid: Grid, bed: Depths) -> _Ground:
    samples = sample_edges(roads.lines(), grid)
    frame = view.layer("road_links", columns=["elevation", "level"])
    row = dict(zip(frame["id"].astype(str), range(len(frame)), strict=True))
    places = np.array([row.get(item, -1) for item in roads.items.tolist()], np.int64)
    elevations = np.append(frame["elevation"].astype(float).to_numpy(), np.nan)[places]
    raised = np.append(np.nan_to_num(frame["level"].astype(float).to_numpy()), 0.0)[places] > 0.0
    graph = roads.graph
    count = graph.edge_count
    bridge = _of_edges(graph.is_bridge, graph.edges, count)
    tunnel = _of_edges(graph.is_tunnel, graph.edges, count)
    ferry = _of_edges(graph.is_ferry, graph.edges, count)
    up = (bridge | raised) & ~tunnel
    elevations = np.where(up & np.isnan(elevations), _find_decks(view, roads, up), elevations)
    known = np.isfinite(elevations) & np.isfinite(bed).any()
    exempt = (up & ~known) | ferry
    return _Ground(samples, read_cells(samples, bed), elevations, exempt, exempt & ~ferry, known & ~ferry)


def _find_decks(view: CityView, roads: CityRoads, up: Mask) -> Values:
    """Return the deck elevation [m] of the bridge that carries each stretch (edges,), NaN where none is known."""
    found = np.full(up.size, np.nan)
    edges = np.flatnonzero(up)
    frame = view.layer("bridges", columns=["deck_elevation"])
    frame = frame[frame["deck_elevation"].notna() & frame.geometry.notna()]
    if edges.size and not frame.empty:
        middle = shapely.line_interpolate_point(roads.lines(edges), 0.5, normalized=True)
        tree = shapely.STRtree(frame.geometry.to_numpy())
        near = tree.query_nearest(middle, max_distance=BRIDGE_REACH, all_matches=False)
        found[edges[near[0]]] = frame["deck_elevation"].astype(float).to_numpy()[near[1]]
    return found


def _read_flow(samples: EdgeSamples, folder: Path) -> tuple[Depths, Depths] | None:
    velocity, product = folder / "flood_velocity_max.tif", folder / "flood_hazard_max.tif"
    if not (velocity.exists() and product.exists()):
        return None
    return read_cells(samples, read_grid(velocity)[0]), read_cells(samples, read_grid(product)[0])


def _read_water(ground: _Ground, depth: Depths, flow: tuple[Depths, Depths] | None) -> WaterAt:
    deepest, mean = read_depths(
        ground.samples, depth, bed=ground.bed, elevations=ground.elevations, exempt=ground.exempt
    )
    if flow is None:
        return WaterAt(deepest, mean, None)
    product = read_products(ground.samples, depth, *flow)
    # What stands above the water, or is passed by it, is not carried away.
    return WaterAt(deepest, mean, np.where(deepest > 0.0, product, np.float32(0.0)))


def _read_times(path: Path) -> tuple[datetime, ...]:
    if not path.exists():
        return ()
    try:
        with rasterio.open(path) as source:
            words = source.descriptions
    except RasterioIOError as error:
        raise NotFoundError(f"the depths of run '{path.parent.name}' cannot be read: {error}") from error
    if not all(words):
        return ()
    return tuple(datetime.fromisoformat(str(word).replace("Z", "+00:00")) for word in words)


def _of_edges(links: Mask, edges: NDArray[np.int32], count: int) -> Mask:
    found = np.zeros(count, np.bool_)
    found[edges[links]] = True
    return found


def _mix(first: Depths, second: Depths, share: np.float32) -> Depths:
    return np.asarray(first + (second - first) * share, np.float32)


@dataclass(slots=True, eq=False)
class _Slot:
    """A flood in memory, and the lock under which it is made."""

    lock: threading.Lock
    water: RoadWater | None = None


class _Kept:
    """The floods asked last, by run and roads; each is made by one thread while others are answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: OrderedDict[tuple[str, str], _Slot] = OrderedDict()

    def get(self, key: tuple[str, str], make: Callable[[], RoadWater]) -> RoadWater:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot(threading.Lock()))
            self._slots.move_to_end(key)
            while len(self._slots) > KEPT:
                self._slots.popitem(last=False)
        with slot.lock:
            if slot.water is None:
                slot.water = make()
            return slot.water


_WATER = _Kept()
