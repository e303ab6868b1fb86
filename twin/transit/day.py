"""The timetable of one day over several feeds: who calls where and when, trips of frequencies written out.

A service day of GTFS goes on past midnight, so trips of the day before and of the day after that fall into the window
are in it too. Trips whose times go back, and calls whose time nothing gives, are left out and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.datum import CRS84, make_transformer
from network.transit import Calls
from twin.transit.features import name_feature
from twin.transit.feed import CityFeed, Feed
from twin.transit.frequencies import count_departures
from twin.transit.services import find_active_trips
from twin.transit.stop_times import StopTimes, fill_times, read_places, read_stop_times

DAY = 86_400
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DayStops:
    """The stops of all feeds, one after another: ids as in the layer ``stops``, places (stops, 2) in the city's CRS.

    feeds: position of the feed of each; rows: its row in stops.txt. NaN places of those without one.
    """

    ids: NDArray[np.object_]
    xy: NDArray[np.float64]
    feeds: Index
    rows: Index


@dataclass(frozen=True, eq=False)
class DayCalls:
    """The trips of a window, with the feed (trips,), the row in trips.txt (trips,) and the shift from it [s] of each.

    ``calls.trips`` counts them. exact: whether their times are promised, not only how often they run (trips,).
    sequences: stop_sequence of each call. left_out: trips that could not be used. estimated: share of calls whose time
    is not given, or given as approximate.
    """

    calls: Calls
    feeds: Index
    rows: Index
    shifts: Index
    exact: Mask
    sequences: Index
    left_out: int
    estimated: float


def list_stops(feeds: Sequence[CityFeed], crs: str) -> DayStops:
    """Return the stops of feeds."""
    to_city = make_transformer(CRS84, crs)
    ids: list[Any] = []
    xy, owners, rows = [np.zeros((0, 2))], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, one in enumerate(feeds):
        lat, lon = read_places(one.feed)
        x, y = to_city.transform(lon, lat)
        places = np.stack([x, y], axis=1)
        places[~np.isfinite(places)] = np.nan
        xy.append(places)
        ids.extend(name_feature(one.id, stop) for stop in one.feed.stop_ids.to_pylist())
        owners.append(np.full(lat.size, number))
        rows.append(np.arange(lat.size))
    return DayStops(np.array(ids, object), np.concatenate(xy), np.concatenate(owners), np.concatenate(rows))


def list_calls(
    feeds: Sequence[CityFeed], days: Sequence[date], begin: int, end: int, *, around: bool = True
) -> DayCalls:
    """Return the trips that are under way between ``begin`` and ``end`` [s from midnight of the day], feed by feed.

    days: the service day of each feed: one that is over may be looked at on the nearest day it has. around: with the
    trips of the service days before and after that run then.
    """
    parts: list[DayCalls] = []
    offset = 0
    for number, (one, day) in enumerate(zip(feeds, days, strict=True)):
        parts.append(_list_feed_calls(one.feed, number, day, (begin, end), offset, around))
        offset += len(one.feed.stop_ids)
    return _join_parts(parts)


def _list_feed_calls(
    feed: Feed, number: int, day: date, window: tuple[int, int], offset: int, around: bool
) -> DayCalls:
    found = read_stop_times(feed)
    arrivals, departures = fill_times(found)
    usable = np.isfinite(arrivals) & np.isfinite(departures) & (found.stops >= 0)
    firsts, counts, bad = _find_trips(feed, found, arrivals, departures, usable)
    trips, shifts, exact = _choose_trips(feed, day, firsts, counts, arrivals, departures, window, around)
    rows = np.flatnonzero(usable)
    sizes = counts[trips]
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    owner = np.repeat(np.arange(trips.size), sizes)
    places = rows[firsts[trips][owner] + np.arange(owner.size) - first[owner]]
    table = feed.table("stop_times")
    boards = table.codes("pickup_type")[found.order] != 1
    alights = table.codes("drop_off_type")[found.order] != 1
    calls = Calls(
        first, (found.stops[places] + offset).astype(np.int32),
        (arrivals[places] + shifts[owner]).astype(np.int32), (departures[places] + shifts[owner]).astype(np.int32),
        boards[places], alights[places], np.arange(trips.size, dtype=np.int32),
    )  # fmt: skip
    given = ~(np.isnan(found.arrivals) & np.isnan(found.departures))
    given &= table.codes("timepoint", 1)[found.order] != 0
    estimated = 1.0 - float(given[places].mean()) if places.size else 0.0
    return DayCalls(
        calls, np.full(trips.size, number), trips, shifts, exact, found.sequences[places], bad, estimated
    )  # fmt: skip


def _find_trips(
    feed: Feed, found: StopTimes, arrivals: NDArray[np.float64], departures: NDArray[np.float64], usable: Mask
) -> tuple[Index, Index, int]:
    """Return where the usable calls of each trip begin among the usable ones, how many (0: not to be used), how many
    trips are left out.
    """
    size = feed.table("trips").size
    owners = found.trips[usable]
    counts = np.bincount(owners, minlength=size)
    firsts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])[:-1]
    back = np.zeros(owners.size, np.bool_)
    same = owners[1:] == owners[:-1]
    back[1:] = same & (arrivals[usable][1:] < departures[usable][:-1])
    back |= departures[usable] < arrivals[usable]
    wrong = (np.bincount(owners, weights=back, minlength=size) > 0) | (counts == 1)
    return firsts, np.where(wrong, 0, counts), int(wrong.sum())


def _choose_trips(
    feed: Feed,
    day: date,
    firsts: Index,
    counts: Index,
    arrivals: NDArray[np.float64],
    departures: NDArray[np.float64],
    window: tuple[int, int],
    around: bool,
) -> tuple[Index, Index, Mask]:
    """Return trips, the shift of their times [s] and whether these are promised, for all that run in the window."""
    found = read_stop_times(feed)
    usable = np.flatnonzero(np.isfinite(arrivals) & np.isfinite(departures) & (found.stops >= 0))
    leaves = np.full(counts.size, np.nan)
    ends = np.full(counts.size, np.nan)
    kept = counts > 0
    leaves[kept] = departures[usable[firsts[kept]]]
    ends[kept] = arrivals[usable[firsts[kept] + counts[kept] - 1]]
    often = count_departures(feed)
    begin, end = window
    chosen: list[tuple[int, int]] = []
    for step in (-1, 0, 1) if around else (0,):
        active = np.flatnonzero(find_active_trips(feed, day + timedelta(days=step)) & kept)
        for trip in active.tolist():
            last = ends[trip] - leaves[trip]
            for start in often[trip].starts:
                leave = start + DAY * step
                if leave <= end and leave + last >= begin:
                    chosen.append((trip, round(leave - leaves[trip])))
    pairs = np.array(chosen, np.int64).reshape(-1, 2)
    exact = np.array([often[trip].exact for trip in pairs[:, 0].tolist()], np.bool_)
    return pairs[:, 0], pairs[:, 1], exact


def _join_parts(parts: Sequence[DayCalls]) -> DayCalls:
    calls = [part.calls for part in parts]
    firsts, base = [np.zeros(1, np.int64)], 0
    for one in calls:
        firsts.append(one.first[1:] + base)
        base += int(one.first[-1])
    columns: dict[str, Any] = {
        name: np.concatenate([np.zeros(0, dtype), *(getattr(one, name) for one in calls)]).astype(dtype)
        for name, dtype in (
            ("stops", np.int32), ("arrivals", np.int32), ("departures", np.int32), ("boards", np.bool_),
            ("alights", np.bool_),
        )
    }  # fmt: skip
    joined = Calls(
        np.concatenate(firsts),
        trips=np.arange(sum(one.trips.size for one in calls), dtype=np.int32),
        **columns,
    )  # fmt: skip
    feeds, rows, shifts, sequences = (
        np.concatenate([np.zeros(0, np.int64), *(getattr(part, name) for part in parts)])
        for name in ("feeds", "rows", "shifts", "sequences")
    )
    exact = np.concatenate([np.zeros(0, np.bool_), *(part.exact for part in parts)])
    weights = [one.stops.size for one in calls]
    estimated = float(np.average([part.estimated for part in parts], weights=weights)) if sum(weights) else 0.0
    left_out = sum(part.left_out for part in parts)
    return DayCalls(joined, feeds, rows, shifts, exact, sequences, left_out, estimated)
