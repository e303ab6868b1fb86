"""What public transport and one's feet reach: cells of the city, a timetable, and the walks between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from layers.errors import InputError, TooLargeError
from layers.types.transit_runs import KINDS, MINUTES
from network.transit import Calls, Question, Timetable, Walks, build_timetable, build_walks, iterate_times
from network.transit_kernels import NEVER
from twin.process import CityView
from twin.transit.day import DayStops
from twin.transit.feed import FeedTable
from twin.transit.walking import Ground, find_walks

MOST_CELLS = 20_000
CHANGE_WALK = 600.0
"""Longest walk from stop to stop [s] on the way."""
NAMES = tuple(kind for kind, *_ in KINDS)
_COLUMNS = {"people": "population"}
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Where people live and what is there. frame: the cells; xy (cells, 2) a place in each; values (cells, kinds)."""

    frame: gpd.GeoDataFrame
    xy: Values
    values: Values


def read_cells(view: CityView) -> Cells:
    """Return the population cells that hold anything; InputError where there are none, TooLargeError for too many."""
    columns = [_COLUMNS.get(name, name) for name in NAMES]
    frame = view.layer("population", columns=columns)
    values = np.stack([frame[name].fillna(0).to_numpy(np.float64) for name in columns], axis=1)
    kept = (values.sum(axis=1) > 0.0) & frame.geometry.notna().to_numpy()
    frame, values = frame[kept].reset_index(drop=True), values[kept]
    if frame.empty:
        raise InputError("the city has no population cells", hint="load a source of layer population")
    if len(frame) > MOST_CELLS:
        raise TooLargeError(f"the city has {len(frame):,} population cells, at most {MOST_CELLS:,} are compared")
    xy = shapely.get_coordinates(shapely.point_on_surface(frame.geometry.to_numpy()))
    return Cells(frame, xy, values)


@dataclass(frozen=True, eq=False)
class Feet:
    """The walks of a question: of origins to stops and cells, of stops to cells and stops."""

    access: Walks
    direct: Walks
    egress: Walks
    changes: Walks


def walk_all(ground: Ground, origins: Values, cells: Values, stops: DayStops, *, access: float, cutoff: float) -> Feet:
    """Return the walks: to and from stops of at most ``access`` [s], all the way of at most ``cutoff`` [s]."""
    to_stops = find_walks(ground, origins, stops.xy, access)
    from_cells = to_stops if origins is cells else find_walks(ground, cells, stops.xy, access)
    return Feet(
        to_stops,
        find_walks(ground, origins, cells, cutoff),
        turn_round(from_cells, stops.ids.size),
        find_walks(ground, stops.xy, stops.xy, CHANGE_WALK),
    )


def turn_round(walks: Walks, count: int) -> Walks:
    """Return the same walks from the other end, of which there are ``count``."""
    owners = np.repeat(np.arange(walks.first.size - 1), np.diff(walks.first))
    return build_walks(walks.to, owners, walks.seconds, count)


def change_walks(walks: Walks, feeds: Sequence[FeedTable], rows: Sequence[tuple[Any, Any]], count: int) -> Walks:
    """Return the walks between stops with what transfers.txt says of them.

    rows: of each table the stops (index, -1 unknown) its rows go from and to. Type 2 gives the time of a change, type 3
    forbids it; both hold for all trips and routes only where none is named.
    """
    owners = np.repeat(np.arange(walks.first.size - 1), np.diff(walks.first)).astype(np.int64)
    pairs = dict(zip(zip(owners.tolist(), walks.to.tolist(), strict=True), walks.seconds.tolist(), strict=True))
    for table, (starts, ends) in zip(feeds, rows, strict=True):
        kinds, least = table.codes("transfer_type"), table.numbers("min_transfer_time")
        plain = np.ones(table.size, np.bool_)
        for name in ("from_route_id", "to_route_id", "from_trip_id", "to_trip_id"):
            plain &= table.texts(name) == ""
        for row in np.flatnonzero(plain & (starts >= 0) & (ends >= 0) & (starts != ends)).tolist():
            pair = (int(starts[row]), int(ends[row]))
            if kinds[row] == 3:
                pairs.pop(pair, None)
            elif kinds[row] == 2 and np.isfinite(least[row]):
                pairs[pair] = int(least[row])
    keys = np.array(list(pairs), np.int64).reshape(-1, 2)
    return build_walks(keys[:, 0], keys[:, 1], np.array(list(pairs.values()), np.float64), count)


@dataclass(frozen=True, eq=False)
class Reached:
    """What is reached. counts (origins, kinds, minutes); times (cells,) [s] from the first origin, NaN never."""

    counts: Values
    times: Values


def count_reached(
    calls: Calls,
    stops: DayStops,
    feet: Feet,
    cells: Cells,
    question: Question,
    *,
    follow: Callable[[float], None] | None = None,
) -> Reached:
    """Return what is within reach of each origin."""
    timetable: Timetable = build_timetable(calls, stops.ids.size, feet.changes)
    count = feet.access.first.size - 1
    counts = np.zeros((count, len(NAMES), len(MINUTES)))
    first = np.full(len(cells.frame), np.nan)
    blocks = iterate_times(
        timetable, feet.access, feet.egress, feet.direct, question, places=len(cells.frame), follow=follow
    )
    for begin, times in blocks:
        if begin == 0:
            first = np.where(times[0] == NEVER, np.nan, times[0].astype(np.float64))
        for number, minutes in enumerate(MINUTES):
            counts[begin : begin + len(times), :, number] = (times <= minutes * 60) @ cells.values
    return Reached(counts, first)
