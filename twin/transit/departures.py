"""What leaves a stop next: by the timetable of the day, with the delays, cancellations and skipped stops told live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from layers.errors import NotFoundError
from twin.store_transit_realtime import EntityRow
from twin.transit.day import DAY, DayCalls, list_calls
from twin.transit.feed import CityFeed, write_time
from twin.transit.services import read_date
from twin.transit.warm import Kept

LATEST = 7_200
"""Trips are looked for that should have left up to so long ago [s]: they may be late."""
_DAYS = Kept()


@dataclass(frozen=True, slots=True)
class Departure:
    """One vehicle that leaves a stop. state: scheduled, live, canceled or skipped; delay [s] None where unknown."""

    stop_id: str
    trip_id: str
    route_id: str
    route: str
    headsign: str
    sequence: int
    scheduled: datetime
    expected: datetime
    delay: int | None
    state: str
    exact: bool


def list_departures(
    one: CityFeed, stop_id: str, at: datetime, updates: Sequence[EntityRow], *, within: timedelta, limit: int
) -> list[Departure]:
    """Return what leaves a stop, or the stops of a station, from ``at`` on, by expected time.

    updates: trip updates in force. Raises NotFoundError for an unknown stop.
    """
    stops = _find_stops(one, stop_id)
    zone = ZoneInfo(one.feed.timezone)
    local = at.astimezone(zone)
    live = _index(updates)
    found = []
    for day in (local.date() - timedelta(days=1), local.date()):
        midnight = find_midnight(day, zone)
        now = (at - midnight).total_seconds()
        calls = read_day(one, day)
        own = calls.calls
        wanted = np.isin(own.stops, stops) & own.boards
        wanted &= (own.departures >= now - LATEST) & (own.departures <= now + within.total_seconds())
        wanted[own.first[1:] - 1] = False
        for call in np.flatnonzero(wanted).tolist():
            told = _tell(one, calls, call, day, midnight, live)
            if told.expected >= at:
                found.append(told)
    return sorted(found, key=lambda each: (each.expected, each.trip_id))[:limit]


def read_day(one: CityFeed, day: date) -> DayCalls:
    """Return the trips of one service day, kept in memory; those of the days about it are not among them."""

    def make() -> DayCalls:
        return list_calls([one], [day], 0, 2 * DAY, around=False)

    return _DAYS.get((one.stamp, day.toordinal()), make)


def find_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return what times of a service day count from: noon less twelve hours."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    return noon.astimezone(UTC) - timedelta(hours=12)


def predict(
    update: Mapping[str, Any], sequences: NDArray[Any], stops: Sequence[str], times: NDArray[Any], midnight: datetime
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the delay [s] at each call of a trip, NaN where nothing is told, and which calls are skipped.

    A delay holds for the calls that follow, until another is told or NO_DATA. sequences, stops, times: of the calls,
    the times departures [s].
    """
    delays, skipped = np.full(len(stops), np.nan), np.zeros(len(stops), np.bool_)
    current = float(update["delay"]) if "delay" in update else np.nan
    told: dict[int, Mapping[str, Any]] = {}
    after = 0
    for one in update.get("stop_time_update", ()):
        at = _find_call(one, sequences, stops, after)
        if at is not None:
            told[at], after = one, at
    for at in range(len(stops)):
        one = told.get(at)
        if one is not None:
            relation = one.get("schedule_relationship", "SCHEDULED")
            if relation == "NO_DATA":
                current = np.nan
            elif relation == "SKIPPED":
                skipped[at] = True
            else:
                current = _read_delay(one, float(times[at]), midnight, current)
        delays[at] = current
    return delays, skipped


def _read_delay(one: Mapping[str, Any], scheduled: float, midnight: datetime, current: float) -> float:
    for name in ("departure", "arrival"):
        event = one.get(name, {})
        if "delay" in event:
            return float(event["delay"])
        if "time" in event:
            return float(event["time"]) - midnight.timestamp() - scheduled
    return current


def _find_call(one: Mapping[str, Any], sequences: NDArray[Any], stops: Sequence[str], after: int) -> int | None:
    if "stop_sequence" in one:
        found = np.flatnonzero(sequences == int(one["stop_sequence"]))
        return int(found[0]) if found.size else None
    return next((at for at in range(after, len(stops)) if stops[at] == one.get("stop_id")), None)


def _index(updates: Sequence[EntityRow]) -> dict[str, list[EntityRow]]:
    found: dict[str, list[EntityRow]] = {}
    for one in updates:
        if one.trip:
            found.setdefault(one.trip, []).append(one)
    return found


def _tell(
    one: CityFeed, day_calls: DayCalls, call: int, day: date, midnight: datetime, live: Mapping[str, list[EntityRow]]
) -> Departure:
    calls, feed = day_calls.calls, one.feed
    trip = int(np.searchsorted(calls.first, call, side="right")) - 1
    begin, end, row = int(calls.first[trip]), int(calls.first[trip + 1]), int(day_calls.rows[trip])
    trip_id = feed.trip_ids[row].as_py()
    sequences = day_calls.sequences[begin:end]
    stops = [feed.stop_ids[int(stop)].as_py() for stop in calls.stops[begin:end]]
    scheduled = midnight + timedelta(seconds=int(calls.departures[call]))
    state, delay, expected = "scheduled", None, scheduled
    leaves = write_time(float(calls.departures[begin]))
    for update in live.get(trip_id, ()):
        named = update.document.get("trip", {})
        if not _is_about(named, day, leaves, one.feed.table("frequencies").size > 0):
            continue
        if named.get("schedule_relationship") in ("CANCELED", "DELETED"):
            state = "canceled"
            break
        delays, skipped = predict(update.document, sequences, stops, calls.departures[begin:end], midnight)
        if skipped[call - begin]:
            state = "skipped"
        elif np.isfinite(delays[call - begin]):
            state, delay = "live", round(float(delays[call - begin]))
            expected = scheduled + timedelta(seconds=delay)
    trips, routes = feed.table("trips"), feed.table("routes")
    route = int(feed.trip_routes[row])
    names = [routes.column(name)[route].as_py() for name in ("route_short_name", "route_long_name")]
    headsign = (
        trips.column("trip_headsign")[row].as_py()
        or feed.table("stops").column("stop_name")[int(calls.stops[end - 1])].as_py()
    )
    return Departure(
        stops[call - begin], trip_id, feed.route_ids[route].as_py(), names[0] or names[1], headsign,
        int(sequences[call - begin]), scheduled, expected, delay, state, bool(day_calls.exact[trip]),
    )  # fmt: skip


def _is_about(named: Mapping[str, Any], day: date, leaves: str, often: bool) -> bool:
    """Return whether an update is about the trip of this day, and of several that leave, the one that leaves then."""
    given = named.get("start_date")
    if given and read_date(given) != day:
        return False
    return not (often and named.get("start_time") and named["start_time"] != leaves)


def _find_stops(one: CityFeed, stop_id: str) -> NDArray[np.int64]:
    table = one.feed.table("stops")
    own = np.flatnonzero(table.texts("stop_id") == stop_id)
    if not own.size:
        raise NotFoundError(
            f"feed '{one.id}' has no stop '{stop_id[:80]}'", hint="ids of stops.txt: property gtfs_id of layer stops"
        )
    children = np.flatnonzero(table.texts("parent_station") == stop_id)
    return np.concatenate([own, children])
