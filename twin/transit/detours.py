"""What water on the roads changes in a day's trips: stops that are passed, ways around, trips that end.

Trips of one route, way and shape change alike. A stretch of a trip is a run of calls that are under water or have
closed road between them. Where a road leads around it for a bus, the trip takes it and leaves out the stops under
water; where none does, the trip is cut in two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from layers.datum import CRS84, make_transformer
from network.transit_shapes import locate_along
from twin.transit.day import DayCalls, DayStops
from twin.transit.feed import CityFeed
from twin.transit.road_ways import RoadWays
from twin.transit.shapes import read_shapes
from twin.transit.water import Losses

BUS_SPEED = 25.0
"""Of buses on a way around [km/h]."""


@dataclass(frozen=True, eq=False)
class Change:
    """One stretch of a way. first, last: of its calls that are passed by, last < first where none is.

    before, after: the calls between which the vehicle leaves its way, -1 and the number of calls at the ends. way: the
    line around (city's CRS), None where there is none, or nothing to go around to. delay: [s] more than before.
    """

    first: int
    last: int
    before: int
    after: int
    way: Any
    delay: float


@dataclass(frozen=True, eq=False)
class ChangedTrips:
    """Trips that change alike. trips: their ids; stops, sequences: of their calls; line: as drawn, then as driven."""

    route: int
    direction: int
    trips: tuple[str, ...]
    stops: NDArray[np.int32]
    sequences: NDArray[np.int64]
    shape: str
    changes: tuple[Change, ...]
    driven: Any

    @property
    def is_cut(self) -> bool:
        """Whether somewhere no way leads around."""
        count = self.stops.size
        return any(one.way is None and one.before >= 0 and one.after < count for one in self.changes)

    @property
    def is_lost(self) -> bool:
        """Whether fewer than two calls are left."""
        return self.stops.size - len(self.skipped) < 2

    @property
    def skipped(self) -> tuple[int, ...]:
        """The stops that are passed by."""
        return tuple(int(stop) for one in self.changes for stop in self.stops[one.first : one.last + 1])


def find_changes(
    one: CityFeed, stops: DayStops, day: DayCalls, losses: Losses, ways: RoadWays, crs: str
) -> list[ChangedTrips]:
    """Return the trips of one feed that change; ``ways`` are those by bus under water."""
    found: dict[tuple[int, int, int, bytes], list[int]] = {}
    trips = one.feed.table("trips")
    routes, directions = trips.find("route_id", one.feed.route_ids), trips.codes("direction_id")
    shapes = read_shapes(one.feed)
    shape_of = trips.find("shape_id", pa.array(shapes.ids, pa.string()))
    calls = day.calls
    for trip in range(day.feeds.size):
        row = int(day.rows[trip])
        way = calls.stops[calls.first[trip] : calls.first[trip + 1]]
        key = (int(routes[row]), int(directions[row]), int(shape_of[row]), way.tobytes())
        found.setdefault(key, []).append(trip)
    lines = shapes.draw(*make_transformer(CRS84, crs).transform(shapes.lon, shapes.lat))
    changed = []
    for (route, direction, shape, _), members in found.items():
        own = slice(int(calls.first[members[0]]), int(calls.first[members[0] + 1]))
        way = calls.stops[own]
        spans = _find_spans(way, losses)
        if not spans:
            continue
        line = lines[shape] if shape >= 0 else None
        changes, driven = _go_around(way, spans, losses, stops, line, ways)
        named = list(dict.fromkeys(one.feed.trip_ids[int(day.rows[trip])].as_py() for trip in members))
        changed.append(
            ChangedTrips(
                route, direction, tuple(named), way, day.sequences[own],
                str(shapes.ids[shape]) if shape >= 0 else "", tuple(changes), driven,
            )
        )  # fmt: skip
    return changed


def _find_spans(way: NDArray[np.int32], losses: Losses) -> list[tuple[int, int]]:
    """Return the runs of calls that are lost or have closed road about them, as (call before, call after)."""
    lost = losses.stops[way]
    shut = np.array([pair in losses.pairs for pair in zip(way[:-1].tolist(), way[1:].tolist(), strict=True)], np.bool_)
    spans: list[tuple[int, int]] = []
    for at in np.flatnonzero(shut | lost[:-1] | lost[1:]).tolist():
        begin, end = at if not lost[at] else at - 1, at + 1
        while end < way.size and lost[end]:
            end += 1
        if spans and begin <= spans[-1][1] - 1:
            spans[-1] = (min(spans[-1][0], begin), max(spans[-1][1], end))
        else:
            spans.append((begin, end))
    return spans


def _go_around(
    way: NDArray[np.int32],
    spans: Sequence[tuple[int, int]],
    losses: Losses,
    stops: DayStops,
    line: Any,
    ways: RoadWays,
) -> tuple[list[Change], Any]:
    xy = stops.xy[way]
    drawn = shapely.get_coordinates(line) if line is not None else xy
    along = locate_along(drawn, xy) if np.isfinite(xy).all() else None
    changes, pieces, at = [], [], 0.0
    for before, after in spans:
        lost = [call for call in range(max(before, 0), min(after, way.size - 1) + 1) if losses.stops[way[call]]]
        first, last = (lost[0], lost[-1]) if lost else (before + 1, before)
        inside = before >= 0 and after < way.size
        around = ways.lay(xy[[before, after]])[0] if inside else None
        delay = 0.0
        if along is not None and inside and around is not None:
            delay = max(0.0, (around.length - (along[after] - along[before])) / (BUS_SPEED / 3.6))
            pieces += [_cut(drawn, at, along[before]), shapely.get_coordinates(around)]
            at = float(along[after])
        changes.append(Change(first, last, before, after, around, delay))
    if along is None or not pieces:
        return changes, None
    pieces.append(_cut(drawn, at, float(np.hypot(*np.diff(drawn, axis=0).T).sum())))
    together = np.vstack([piece for piece in pieces if len(piece)])
    return changes, shapely.LineString(together) if len(together) > 1 else None


def _cut(line: NDArray[np.float64], begin: float, end: float) -> NDArray[np.float64]:
    """Return the points of a line from ``begin`` to ``end`` [m] along it."""
    along = np.concatenate([np.zeros(1), np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    places = np.concatenate([[begin], along[(along > begin) & (along < end)], [max(begin, end)]])
    return np.column_stack([np.interp(places, along, line[:, axis]) for axis in (0, 1)])
