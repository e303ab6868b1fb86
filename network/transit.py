"""Timetables and what they reach: earliest arrivals by RAPTOR, travel times over a window of departures.

Times are seconds, whole, from the beginning of the day looked at. Everything is plain arrays: stops, trips and places
are indices.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.transit_kernels import NEVER, reach_places, scan_departure

Index = NDArray[np.int32]
Mask = NDArray[np.bool_]
Seconds = NDArray[np.int32]
MOST_ROUNDS = 8
MOST_DEPARTURES = 240
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class Walks:
    """Ways on foot from several origins: those of origin i at ``first[i]:first[i + 1]``, to what, how long [s]."""

    first: Index
    to: Index
    seconds: Seconds

    @property
    def arrays(self) -> tuple[Index, Index, Seconds]:
        """The three arrays."""
        return self.first, self.to, self.seconds


def build_walks(origins: ArrayLike, to: ArrayLike, seconds: ArrayLike, count: int) -> Walks:
    """Return walks of ``count`` origins from pairs (n,) in any order; seconds are rounded up."""
    starts = np.asarray(origins, np.int64)
    order = np.argsort(starts, kind="stable")
    first = np.zeros(count + 1, np.int32)
    first[1:] = np.cumsum(np.bincount(starts, minlength=count))
    whole = np.ceil(np.asarray(seconds, np.float64)[order]).astype(np.int32)
    return Walks(first, np.asarray(to, np.int64)[order].astype(np.int32), whole)


@dataclass(frozen=True, eq=False)
class Timetable:
    """Trips of one day in patterns: trips that call at the same stops in the same order and never overtake each other.

    pattern_first: (patterns + 1,) where the stops of each begin in pattern_stops. trip_first: (patterns + 1,) where its
    trips begin in ``trips`` (the caller's numbers), by departure. time_first: (patterns + 1,) where its times begin in
    arrivals and departures [s]: of position p and trip t at ``time_first + p * trips of the pattern + t``. boards,
    alights: of pattern_stops, whether one may. stop_first, stop_patterns, stop_positions: the patterns of each stop.
    walks: from stop to stop, for changes.
    """

    pattern_first: Index
    pattern_stops: Index
    trip_first: Index
    time_first: NDArray[np.int64]
    arrivals: Seconds
    departures: Seconds
    boards: Mask
    alights: Mask
    stop_first: Index
    stop_patterns: Index
    stop_positions: Index
    walks: Walks
    trips: Index

    @property
    def stop_count(self) -> int:
        """How many stops there are."""
        return self.stop_first.size - 1

    @property
    def pattern_count(self) -> int:
        """How many patterns there are."""
        return self.pattern_first.size - 1

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """What the kernels take."""
        return (
            self.pattern_first, self.pattern_stops, self.trip_first, self.time_first, self.arrivals, self.departures,
            self.boards, self.alights, self.stop_first, self.stop_patterns, self.stop_positions, *self.walks.arrays,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Calls:
    """Where trips call, trip after trip: those of trip i at ``first[i]:first[i + 1]``; at least two each.

    stops, arrivals, departures [s], boards, alights: of the calls. trips: the caller's number of each trip.
    """

    first: NDArray[np.int64]
    stops: Index
    arrivals: Seconds
    departures: Seconds
    boards: Mask
    alights: Mask
    trips: Index


def build_timetable(calls: Calls, stop_count: int, walks: Walks) -> Timetable:
    """Return the timetable of trips; InputError where a trip goes back in time or names a stop that is not there."""
    _refuse_wrong(calls, stop_count)
    lanes: list[tuple[int, list[int]]] = []
    for members in _group_by_stops(calls):
        for lane in _part_lanes(calls, members):
            lanes.append((int(calls.first[lane[0] + 1] - calls.first[lane[0]]), lane))
    sizes = np.array([size for size, _ in lanes], np.int64)
    counts = np.array([len(lane) for _, lane in lanes], np.int64)
    arrivals, departures, stops, boards, alights, trips = [], [], [], [], [], []
    for size, lane in lanes:
        rows = calls.first[lane][:, None] + np.arange(size)
        arrivals.append(calls.arrivals[rows].T.ravel())
        departures.append(calls.departures[rows].T.ravel())
        way = rows[0]
        stops.append(calls.stops[way])
        boards.append(calls.boards[way])
        alights.append(calls.alights[way])
        trips.append(calls.trips[lane])
    pattern_stops = _join(stops, np.int32)
    order = np.argsort(pattern_stops, kind="stable")
    pattern_first = _sum(sizes)
    owners = np.repeat(np.arange(sizes.size), sizes)
    positions = np.arange(pattern_stops.size) - pattern_first[owners]
    return Timetable(
        pattern_first.astype(np.int32), pattern_stops, _sum(counts).astype(np.int32), _sum(sizes * counts),
        _join(arrivals, np.int32), _join(departures, np.int32), _join(boards, np.bool_), _join(alights, np.bool_),
        _sum(np.bincount(pattern_stops, minlength=stop_count)).astype(np.int32), owners[order].astype(np.int32),
        positions[order].astype(np.int32), walks, _join(trips, np.int32),
    )  # fmt: skip


def find_arrivals(
    timetable: Timetable, access: Walks, start: int, *, cutoff: int, slack: int = 0, rounds: int = 5
) -> Seconds:
    """Return the earliest arrival at each stop (stops,) [s] of who leaves at ``start``, ``NEVER`` past the cut-off.

    access: of one origin to stops. cutoff: longest journey [s]. slack: between reaching a stop and boarding [s].
    rounds: most rides.
    """
    _refuse_options(rounds, 1)
    best = np.full((rounds + 1, timetable.stop_count), NEVER, np.int32)
    scan: Callable[..., None] = scan_departure
    scan(
        *timetable.arrays, access.to, access.seconds, start, cutoff, slack, best, best.copy(),
        np.zeros((2, timetable.stop_count), np.bool_), np.full(timetable.pattern_count, 1_000_000, np.int32),
        np.zeros(timetable.stop_count, np.bool_),
    )  # fmt: skip
    found: Seconds = best[rounds]
    return found


@dataclass(frozen=True, slots=True)
class Question:
    """When to leave, and how far to look.

    starts: departures [s]. cutoff: longest journey [s]. slack: between reaching a stop and boarding [s]. rounds: most
    rides. percentile: which of the travel times over the departures counts, 50 is the median.
    """

    starts: tuple[int, ...]
    cutoff: int
    slack: int = 60
    rounds: int = 4
    percentile: float = 50.0


def iterate_times(
    timetable: Timetable,
    access: Walks,
    egress: Walks,
    direct: Walks,
    question: Question,
    *,
    places: int,
    follow: Callable[[float], None] | None = None,
) -> Iterator[tuple[int, Seconds]]:
    """Yield (first origin, travel times (origins of the block, places) [s]), ``NEVER`` where past the cut-off.

    access: of origins to stops. egress: of stops to places. direct: of origins to places, all the way on foot. The time
    of a pair is that of the ``percentile`` by nearest rank. ``follow`` hears which share is done.
    """
    _refuse_options(question.rounds, len(question.starts))
    starts = np.array(sorted(question.starts, reverse=True), np.int32)
    rank = max(0, int(np.ceil(question.percentile / 100.0 * starts.size)) - 1)
    count = access.first.size - 1
    for begin in range(0, count, _CHUNK):
        end = min(begin + _CHUNK, count)
        times = np.empty((end - begin, places), np.int32)
        reach_places(
            timetable.arrays, access.arrays, egress.arrays, direct.arrays, begin, end, starts, question.cutoff,
            question.slack, question.rounds, rank, places, times,
        )  # fmt: skip
        yield begin, times
        if follow is not None:
            follow(end / count)


def _refuse_options(rounds: int, departures: int) -> None:
    if not 1 <= rounds <= MOST_ROUNDS:
        raise InputError(f"{rounds} rides are asked for, expected 1 to {MOST_ROUNDS}")
    if not 1 <= departures <= MOST_DEPARTURES:
        raise InputError(f"{departures} departures are asked for, expected 1 to {MOST_DEPARTURES}")


def _refuse_wrong(calls: Calls, stop_count: int) -> None:
    if np.any(np.diff(calls.first) < 2):
        raise InputError("a trip calls at fewer than two stops", hint="leave such trips out")
    if calls.stops.size and (calls.stops.min() < 0 or calls.stops.max() >= stop_count):
        raise InputError(f"a trip calls at a stop outside 0 to {stop_count - 1}")
    later = np.ones(calls.stops.size, np.bool_)
    later[calls.first[:-1]] = False
    back = np.zeros(calls.stops.size, np.bool_)
    back[1:] = calls.arrivals[1:] < calls.departures[:-1]
    wrong = (back & later) | (calls.departures < calls.arrivals)
    if wrong.any():
        trip = int(np.searchsorted(calls.first, np.flatnonzero(wrong)[0], side="right")) - 1
        raise InputError(f"trip {int(calls.trips[trip])} goes back in time", hint="validate the timetable first")


def _group_by_stops(calls: Calls) -> list[list[int]]:
    groups: dict[tuple[bytes, bytes, bytes], list[int]] = {}
    for trip in range(calls.first.size - 1):
        own = slice(calls.first[trip], calls.first[trip + 1])
        key = (calls.stops[own].tobytes(), calls.boards[own].tobytes(), calls.alights[own].tobytes())
        groups.setdefault(key, []).append(trip)
    return list(groups.values())


def _part_lanes(calls: Calls, members: list[int]) -> list[list[int]]:
    """Return the trips of one way in lanes in which none overtakes another, each by departure."""
    size = calls.first[members[0] + 1] - calls.first[members[0]]
    rows = calls.first[members][:, None] + np.arange(size)
    arrivals, departures = calls.arrivals[rows], calls.departures[rows]
    order = np.lexsort((arrivals[:, -1], departures[:, 0]))
    lanes: list[list[int]] = []
    last: list[int] = []
    for trip in order.tolist():
        for number, before in enumerate(last):
            if (arrivals[before] <= arrivals[trip]).all() and (departures[before] <= departures[trip]).all():
                lanes[number].append(members[trip])
                last[number] = trip
                break
        else:
            lanes.append([members[trip]])
            last.append(trip)
    return lanes


def _sum(sizes: NDArray[Any]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])


def _join(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)
