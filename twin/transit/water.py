"""What water on the roads takes from public transport: stops under water, stretches no bus gets through."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from layers.datum import CRS84, make_transformer
from network.transit import Calls
from network.transit_shapes import locate_along
from twin.roads.city_roads import CityRoads
from twin.roads.flooding import RoadWater
from twin.transit.day import DayCalls, DayStops
from twin.transit.features import name_type
from twin.transit.feed import CityFeed
from twin.transit.shapes import read_shapes

BESIDE = 12.0
"""A line of a feed runs on a road within this [m]: it is drawn by hand or from tracks."""
LEAST = 20.0
"""So much of it [m] must lie on closed road: less is a crossing."""
ON_ROADS = frozenset({"bus", "trolleybus"})
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Losses:
    """What is lost: stops under water (stops,), and pairs of stops (n, 2) with closed road between them."""

    stops: Mask
    cuts: Index

    @cached_property
    def pairs(self) -> frozenset[tuple[int, int]]:
        """The pairs, to ask one by one."""
        return frozenset(map(tuple, self.cuts.tolist()))


@dataclass(frozen=True, eq=False)
class Stretches:
    """The ways vehicles are drawn on from stop to stop: ``pairs`` (n, 2) of stops, lines (n,) in the city's CRS."""

    pairs: Index
    lines: NDArray[np.object_]


def find_losses(
    feeds: Sequence[CityFeed],
    stops: DayStops,
    calls: DayCalls,
    water: RoadWater,
    roads: CityRoads,
    crs: str,
    closing_depth: float,
) -> Losses:
    """Return what the peak of a flood takes; roads and stops are lost from ``closing_depth`` [m] on.

    A stop lies as deep as the deepest cell at it; stretches are known of trips that have a shape.
    """
    lost = find_depths(stops, water) >= closing_depth
    shut = np.flatnonzero(water.peak.find_closed("bus", closing_depth))
    return Losses(lost, find_cuts(list_stretches(feeds, stops, calls, crs), roads.lines(shut)))


def find_depths(stops: DayStops, water: RoadWater) -> NDArray[np.float64]:
    """Return the depth at each stop (stops,) [m], 0 where nothing is known."""
    known = np.flatnonzero(np.isfinite(stops.xy).all(axis=1))
    depths = np.zeros(stops.ids.size)
    rows, cols, inside = water.grid.cells(stops.xy[known, 0], stops.xy[known, 1])
    depths[known[inside]] = np.nan_to_num(water.depth[rows[inside], cols[inside]])
    return depths


def list_stretches(feeds: Sequence[CityFeed], stops: DayStops, calls: DayCalls, crs: str) -> Stretches:
    """Return the ways between stops of all trips on roads that have a shape, each once."""
    to_city = make_transformer(CRS84, crs)
    pairs: list[tuple[int, int]] = []
    lines: list[Any] = []
    for number, one in enumerate(feeds):
        shapes = read_shapes(one.feed)
        drawn = shapes.draw(*to_city.transform(shapes.lon, shapes.lat))
        table = one.feed.table("trips")
        shape_of = table.find("shape_id", pa.array(shapes.ids, pa.string()))
        routes = table.find("route_id", one.feed.route_ids)
        words = [name_type(int(code)) for code in one.feed.table("routes").codes("route_type", -1)]
        seen: set[tuple[int, bytes]] = set()
        known: set[tuple[int, int, int]] = set()
        for trip in np.flatnonzero(calls.feeds == number).tolist():
            row = int(calls.rows[trip])
            way = calls.calls.stops[calls.calls.first[trip] : calls.calls.first[trip + 1]]
            key = (int(shape_of[row]), way.tobytes())
            if key in seen or key[0] < 0 or drawn[key[0]] is None or routes[row] < 0:
                continue
            seen.add(key)
            if words[routes[row]] in ON_ROADS and np.isfinite(stops.xy[way]).all():
                _cut_line(key[0], drawn[key[0]], way, stops.xy, known, pairs, lines)
    return Stretches(np.array(pairs, np.int64).reshape(-1, 2), np.array([*lines, None], object)[:-1])


def _cut_line(
    shape: int,
    line: Any,
    way: NDArray[np.int32],
    xy: NDArray[np.float64],
    known: set[tuple[int, int, int]],
    pairs: list[tuple[int, int]],
    lines: list[Any],
) -> None:
    along = locate_along(shapely.get_coordinates(line), xy[way])
    for place, (first, second) in enumerate(zip(way[:-1].tolist(), way[1:].tolist(), strict=True)):
        if (shape, first, second) not in known and along[place + 1] > along[place]:
            known.add((shape, first, second))
            pairs.append((first, second))
            lines.append(substring(line, along[place], along[place + 1]))


def find_cuts(stretches: Stretches, closed: NDArray[np.object_]) -> Index:
    """Return the pairs of stops (n, 2) between which the way runs along ``closed`` road, each once."""
    if not stretches.lines.size or not closed.size:
        return np.zeros((0, 2), np.int64)
    tree = shapely.STRtree(stretches.lines)
    road, stretch = tree.query(closed, predicate="dwithin", distance=BESIDE)
    cut = []
    for one in np.unique(stretch):
        near = shapely.union_all(shapely.buffer(closed[road[stretch == one]], BESIDE, quad_segs=2))
        shared = shapely.length(shapely.intersection(stretches.lines[one], near))
        # Where the whole way is shorter than a crossing is wide, most of it must be closed.
        if shared >= min(LEAST + BESIDE, 0.75 * stretches.lines[one].length):
            cut.append(one)
    return np.unique(stretches.pairs[np.array(cut, np.int64)], axis=0)


def apply_losses(calls: Calls, losses: Losses) -> Calls:
    """Return the trips as they can still run: they pass lost stops without a halt and end where the road is closed.

    Beyond the closed stretch another vehicle goes on at the times of the first. Parts of fewer than two calls are left
    out.
    """
    owners = np.repeat(np.arange(calls.first.size - 1), np.diff(calls.first))
    pairs = losses.pairs
    cut = np.zeros(owners.size, np.int64)
    if pairs:
        cut[1:] = [pair in pairs for pair in zip(calls.stops[:-1].tolist(), calls.stops[1:].tolist(), strict=True)]
    begins = np.diff(owners, prepend=-1) != 0
    cut[begins] = 1
    parts = np.cumsum(cut)
    kept = ~losses.stops[calls.stops]
    counts = np.bincount(parts[kept], minlength=int(parts.max(initial=0)) + 1)
    kept &= counts[parts] > 1
    rows = np.flatnonzero(kept)
    starts = np.flatnonzero(np.diff(parts[rows], prepend=-1) != 0)
    first = np.append(starts, rows.size).astype(np.int64)
    return replace(
        calls, first=first, stops=calls.stops[rows], arrivals=calls.arrivals[rows], departures=calls.departures[rows],
        boards=calls.boards[rows], alights=calls.alights[rows], trips=calls.trips[owners[rows[starts]]],
    )  # fmt: skip
