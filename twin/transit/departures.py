"""What leaves a stop next: by the timetable of the day, with the delays, cancellations and skipped stops told live."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from layers.errors import NotFoundError
from twin.store_transit_realtime import EntityRow
from twin.transit.day import DAY, DayCalls, list_calls
from twin.transit.feed import CityFeed, write_time
from twin.transit.modifications import index_modifications, read_modified, replaces
from twin.transit.services import read_date
from twin.transit.warm import Kept

LATEST = 7_200
"""Trips are looked for that should have left up to so long ago [s]: they may be late."""
_DAYS = Kept()


@dataclass(frozen=True, slots=True)
class Departure:
    """One vehicle that leaves a stop. delay [s] is None where unknown.

    state: scheduled, live, canceled, skipped, or replacement where it halts in place of another stop.
    """

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


@dataclass(frozen=True, eq=False)
class _Live:
    """What is told live: trip updates and trip modifications by trip."""

    updates: Mapping[str, Sequence[EntityRow]]
    changes: Mapping[str, Sequence[Mapping[str, Any]]]


def list_departures(
    one: CityFeed,
    stop_id: str,
    at: datetime,
    updates: Sequence[EntityRow],
    changes: Sequence[EntityRow] = (),
    *,
    within: timedelta,
    limit: int,
) -> list[Departure]:
    """Return what leaves a stop, or the stops of a station, from ``at`` on, by expected time.

    updates, changes: trip updates and trip modifications in force. Raises NotFoundError for a stop that neither the
    feed nor a modification knows.
    """
    live = _Live(_index(updates), index_modifications(changes))
    replacing = [trip for trip, documents in live.changes.items() if replaces(documents, stop_id)]
    stops = _find_stops(one, stop_id, is_needed=not replacing)
    zone = ZoneInfo(one.feed.timezone)
    local = at.astimezone(zone)
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
        replaced = _list_replacements(one, calls, stop_id, day, midnight, replacing, live)
        found += [told for told in replaced if at <= told.expected <= at + within]
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


def _tell(one: CityFeed, day_calls: DayCalls, call: int, day: date, midnight: datetime, live: _Live) -> Departure:
    calls, feed = day_calls.calls, one.feed
    trip = int(np.searchsorted(calls.first, call, side="right")) - 1
    begin, end, row = int(calls.first[trip]), int(calls.first[trip + 1]), int(day_calls.rows[trip])
    trip_id = feed.trip_ids[row].as_py()
    sequences = day_calls.sequences[begin:end]
    stops = [feed.stop_ids[int(stop)].as_py() for stop in calls.stops[begin:end]]
    scheduled = midnight + timedelta(seconds=int(calls.departures[call]))
    state, delay, expected = "scheduled", None, scheduled
    leaves = write_time(float(calls.departures[begin]))
    for update in live.updates.get(trip_id, ()):
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
    changed = read_modified(live.changes.get(trip_id, ()), sequences, stops, day, leaves)
    if state != "canceled" and changed.skipped[call - begin]:
        state = "skipped"
    elif state != "canceled" and changed.delays[call - begin]:
        state, delay = "live", (delay or 0) + round(float(changed.delays[call - begin]))
        expected = scheduled + timedelta(seconds=delay)
    return _name(
        one, day_calls, trip, stop_id=stops[call - begin], sequence=int(sequences[call - begin]), scheduled=scheduled,
        expected=expected, delay=delay, state=state,
    )  # fmt: skip


def _list_replacements(
    one: CityFeed,
    day_calls: DayCalls,
    stop_id: str,
    day: date,
    midnight: datetime,
    trips: Sequence[str],
    live: _Live,
) -> Iterator[Departure]:
    """Return the halts that modified trips make at a stop in place of others."""
    calls, feed = day_calls.calls, one.feed
    rows = feed.table("trips").find("trip_id", pa.array(trips, pa.string()))
    for trip in np.flatnonzero(rows[day_calls.rows] >= 0).tolist():
        begin, end = int(calls.first[trip]), int(calls.first[trip + 1])
        stops = [feed.stop_ids[int(stop)].as_py() for stop in calls.stops[begin:end]]
        leaves = write_time(float(calls.departures[begin]))
        documents = live.changes[feed.trip_ids[int(day_calls.rows[trip])].as_py()]
        changed = read_modified(documents, day_calls.sequences[begin:end], stops, day, leaves)
        for stop, before, seconds in changed.replacements:
            if stop == stop_id:
                when = midnight + timedelta(seconds=int(calls.arrivals[begin + before]) + seconds)
                yield _name(
                    one, day_calls, trip, stop_id=stop, sequence=int(day_calls.sequences[begin + before]),
                    scheduled=when, expected=when, delay=None, state="replacement",
                )  # fmt: skip


def _name(one: CityFeed, day_calls: DayCalls, trip: int, **told: Any) -> Departure:
    """Return a departure of a trip with the names of its route and of where it goes."""
    feed, row = one.feed, int(day_calls.rows[trip])
    routes, route = feed.table("routes"), int(feed.trip_routes[row])
    names = [routes.column(name)[route].as_py() for name in ("route_short_name", "route_long_name")]
    last = int(day_calls.calls.stops[day_calls.calls.first[trip + 1] - 1])
    headsign = feed.table("trips").column("trip_headsign")[row].as_py()
    return Departure(
        trip_id=feed.trip_ids[row].as_py(), route_id=feed.route_ids[route].as_py(), route=names[0] or names[1],
        headsign=headsign or feed.table("stops").column("stop_name")[last].as_py(), exact=bool(day_calls.exact[trip]),
        **told,
    )  # fmt: skip


def _is_about(named: Mapping[str, Any], day: date, leaves: str, often: bool) -> bool:
    """Return whether an update is about the trip of this day, and of several that leave, the one that leaves then."""
    given = named.get("start_date")
    if given and read_date(given) != day:
        return False
    return not (often and named.get("start_time") and named["start_time"] != leaves)


def _find_stops(one: CityFeed, stop_id: str, *, is_needed: bool) -> NDArray[np.int64]:
    table = one.feed.table("stops")
    own = np.flatnonzero(table.texts("stop_id") == stop_id)
    if not own.size and is_needed:
        raise NotFoundError(
            f"feed '{one.id}' has no stop '{stop_id[:80]}'", hint="ids of stops.txt: property gtfs_id of layer stops"
        )
    children = np.flatnonzero(table.texts("parent_station") == stop_id)
    return np.concatenate([own, children])
