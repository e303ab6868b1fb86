"""Checks of trips: times in order, speeds a vehicle can drive, frequencies, blocks, use of what is declared."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.transit.checking_fields import list_rows
from twin.transit.feed import Feed, write_time
from twin.transit.notices import MOST_SAMPLES, Notices
from twin.transit.services import list_service_days
from twin.transit.stop_times import StopTimes, fill_times, read_stop_times
from twin.transit.tables import TABLES

FAR = 10_000.0
"""Stops farther apart than this [m] are far: a wrong speed is then told even with stops between them."""
_SPEEDS = {0: 100.0, 1: 150.0, 2: 500.0, 3: 150.0, 4: 80.0, 5: 30.0, 6: 50.0, 7: 50.0, 11: 150.0, 12: 150.0}
"""The fastest a vehicle of a route type goes [km/h]; of the canonical validator."""
_FASTEST = 200.0
_STOP_TIMES = TABLES["stop_times"]


def check_trips(feed: Feed, notices: Notices) -> None:
    """Check trips, their stop times, frequencies and blocks."""
    found = read_stop_times(feed)
    _check_times(feed, found, notices)
    _check_distances(feed, found, notices)
    _check_speeds(feed, found, notices)
    _check_use(feed, found, notices)
    _check_frequencies(feed, notices)
    _check_blocks(feed, found, notices)


def _list_stop_times(feed: Feed, found: StopTimes, where: NDArray[Any], *names: str) -> Iterator[dict[str, Any]]:
    chosen = np.zeros(feed.table("stop_times").size, np.bool_)
    chosen[found.order[where]] = True
    return list_rows(_STOP_TIMES, feed.table("stop_times"), chosen, "trip_id", "stop_sequence", *names)


def _check_times(feed: Feed, found: StopTimes, notices: Notices) -> None:
    lacks_arrival, lacks_departure = np.isnan(found.arrivals), np.isnan(found.departures)
    windowed = feed.table("stop_times").times("start_pickup_drop_off_window")[found.order] >= 0.0
    edges = (found.is_first | found.is_last) & (lacks_arrival | lacks_departure) & ~windowed
    only_one = (lacks_arrival != lacks_departure) & ~edges
    for code, where in (("missing_trip_edge", edges), ("stop_time_with_only_arrival_or_departure_time", only_one)):
        samples = _list_stop_times(feed, found, where, "arrival_time", "departure_time")
        notices.add(code, samples, count=int(where.sum()))
    timepoint = feed.table("stop_times").numbers("timepoint")[found.order]
    bare = (timepoint == 1.0) & (lacks_arrival | lacks_departure)
    notices.add("stop_time_timepoint_without_times", _list_stop_times(feed, found, bare), count=int(bare.sum()))
    if "timepoint" in feed.table("stop_times").names:
        silent = np.isnan(timepoint) & ~lacks_arrival & ~lacks_departure
        notices.add("missing_timepoint_value", _list_stop_times(feed, found, silent), count=int(silent.sum()))
    known = np.flatnonzero(~(lacks_arrival & lacks_departure))
    arrivals = np.where(lacks_arrival, found.departures, found.arrivals)[known]
    departures = np.where(lacks_departure, found.arrivals, found.departures)[known]
    backwards = np.zeros(found.order.size, np.bool_)
    same = found.trips[known][1:] == found.trips[known][:-1]
    backwards[known[1:][same & (arrivals[1:] < departures[:-1])]] = True
    backwards[known[departures < arrivals]] = True
    samples = _list_stop_times(feed, found, backwards, "arrival_time", "departure_time")
    notices.add("stop_time_with_arrival_before_previous_departure_time", samples, count=int(backwards.sum()))


def _check_distances(feed: Feed, found: StopTimes, notices: Notices) -> None:
    falls = np.zeros(found.order.size, np.bool_)
    falls[1:] = (np.diff(found.distances) <= 0.0) & ~found.is_first[1:]
    samples = _list_stop_times(feed, found, falls, "shape_dist_traveled")
    notices.add("decreasing_or_equal_stop_time_distance", samples, count=int(falls.sum()))


def _check_speeds(feed: Feed, found: StopTimes, notices: Notices) -> None:
    routes = feed.table("trips").find("route_id", feed.route_ids)
    types = feed.table("routes").codes("route_type", -1)
    if not routes.size or not types.size:
        return
    fastest = np.array([_SPEEDS.get(int(one), _FASTEST) for one in types])[routes[found.trips]]
    arrivals, departures = fill_times(found)
    given = ~(np.isnan(found.arrivals) & np.isnan(found.departures))
    steps = np.where(np.isnan(found.steps), 0.0, found.steps)
    along = np.cumsum(steps)
    known = np.flatnonzero(given)
    before, after = known[:-1], known[1:]
    one_trip = found.trips[before] == found.trips[after]
    before, after = before[one_trip], after[one_trip]
    distance, seconds = along[after] - along[before], arrivals[after] - departures[before]
    # A timetable in whole minutes may be a minute off.
    seconds = np.where((arrivals[after] % 60.0 == 0.0) & (departures[before] % 60.0 == 0.0), seconds + 60.0, seconds)
    speed = distance / np.maximum(seconds, 1.0) * 3.6
    fast = (seconds > 0.0) & (speed > fastest[after])
    for code, where in (
        ("fast_travel_between_consecutive_stops", fast),
        ("fast_travel_between_far_stops", fast & (distance > FAR)),
    ):
        notices.add(code, _list_speeds(feed, found, before[where], after[where], speed[where]), count=int(where.sum()))


def _list_speeds(
    feed: Feed, found: StopTimes, before: NDArray[Any], after: NDArray[Any], speed: NDArray[np.float64]
) -> Iterator[dict[str, Any]]:
    table = feed.table("stop_times")
    for first, second, kmh in zip(before[:MOST_SAMPLES], after[:MOST_SAMPLES], speed, strict=False):
        yield {
            "filename": _STOP_TIMES.filename,
            "csvRowNumber": int(table.rows[found.order[second]]),
            "tripId": feed.trip_ids[int(found.trips[second])].as_py(),
            "stopId1": feed.stop_ids[int(found.stops[first])].as_py(),
            "stopId2": feed.stop_ids[int(found.stops[second])].as_py(),
            "speedKph": round(float(kmh), 1),
        }


def _check_use(feed: Feed, found: StopTimes, notices: Notices) -> None:
    trips, stops = feed.table("trips"), feed.table("stops")
    calls = np.bincount(found.trips, minlength=trips.size)
    for code, where in (("unused_trip", calls == 0), ("unusable_trip", calls == 1)):
        notices.add(code, list_rows(TABLES["trips"], trips, where, "trip_id"), count=int(where.sum()))
    used = np.bincount(found.stops[found.stops >= 0], minlength=stops.size) > 0
    idle = ~used & (stops.codes("location_type") == 0)
    if "location_group_stops" not in feed.tables:
        notices.add("stop_without_stop_time", list_rows(TABLES["stops"], stops, idle, "stop_id"), count=int(idle.sum()))
    parents = stops.find("parent_station", feed.stop_ids)
    lonely = (stops.codes("location_type") == 1) & ~np.isin(np.arange(stops.size), parents)
    notices.add("unused_parent_station", list_rows(TABLES["stops"], stops, lonely, "stop_id"), count=int(lonely.sum()))
    shapes = feed.table("shapes")
    unused = shapes.find("shape_id", trips.column("shape_id")) < 0
    ids = list(dict.fromkeys(shapes.texts("shape_id")[unused])) if shapes.size else []
    notices.add("unused_shape", ({"filename": "shapes.txt", "shapeId": one} for one in ids))


def _check_frequencies(feed: Feed, notices: Notices) -> None:
    table = feed.table("frequencies")
    if not table.size:
        return
    declared = TABLES["frequencies"]
    trips, starts, ends = table.find("trip_id", feed.trip_ids), table.times("start_time"), table.times("end_time")
    for code, where in (
        ("start_and_end_range_equal", starts == ends),
        ("start_and_end_range_out_of_order", starts > ends),
    ):
        notices.add(code, list_rows(declared, table, where, "start_time", "end_time"), count=int(where.sum()))
    order = np.lexsort((starts, trips))
    overlaps = np.zeros(table.size, np.bool_)
    same = trips[order][1:] == trips[order][:-1]
    overlaps[order[1:][same & (starts[order][1:] < ends[order][:-1])]] = True
    samples = list_rows(declared, table, overlaps, "trip_id", "start_time", "end_time")
    notices.add("overlapping_frequency", samples, count=int(overlaps.sum()))


def _check_blocks(feed: Feed, found: StopTimes, notices: Notices) -> None:
    """Tell of trips of one block that are under way at one time on a day both run."""
    trips = feed.table("trips")
    blocks = trips.column("block_id").dictionary_encode()
    named = np.array([bool(one) for one in blocks.dictionary.to_pylist()], np.bool_)
    if not named.any() or not found.order.size:
        return
    arrivals, departures = fill_times(found)
    starts, ends = np.full(trips.size, np.nan), np.full(trips.size, np.nan)
    starts[found.trips[found.is_first]] = departures[found.is_first]
    ends[found.trips[found.is_last]] = arrivals[found.is_last]
    codes = np.asarray(blocks.indices)
    chosen = np.flatnonzero(named[codes] & np.isfinite(starts) & np.isfinite(ends))
    chosen = chosen[np.lexsort((starts[chosen], codes[chosen]))]
    days = list_service_days(feed)
    services = trips.texts("service_id")
    samples = []
    for first, second in pairwise(chosen.tolist()):
        if codes[first] != codes[second] or starts[second] >= ends[first]:
            continue
        if days.get(services[first], frozenset()) & days.get(services[second], frozenset()):
            samples.append({
                "filename": "trips.txt", "csvRowNumber": int(trips.rows[second]),
                "blockId": blocks.dictionary[int(codes[second])].as_py(),
                "tripIdA": feed.trip_ids[int(first)].as_py(), "tripIdB": feed.trip_ids[int(second)].as_py(),
                "startTimeB": write_time(float(starts[second])), "endTimeA": write_time(float(ends[first])),
            })  # fmt: skip
    notices.add("block_trips_with_overlapping_stop_times", samples)
