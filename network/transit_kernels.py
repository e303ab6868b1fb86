"""Loops over timetables, compiled on first use: RAPTOR and range RAPTOR, Delling, Pajor, Werneck 2012.

doi:10.1287/trsc.2014.0534. Rounds count rides; ``best[k, s]`` is the earliest arrival at stop s with at most k rides,
``rode[k, s]`` that of those that end with a ride: only these walk on, so a change never holds two walks in a row.
Departures are taken from the latest to the earliest; what a later departure reached bounds what an earlier one must
better (self-pruning). Arrivals past the cut-off are not followed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]
NEVER = np.int32(2_000_000_000)


@compile_loop
def scan_departure(
    pattern_first: Array,
    pattern_stops: Array,
    trip_first: Array,
    time_first: Array,
    arrivals: Array,
    departures: Array,
    boards: Array,
    alights: Array,
    stop_first: Array,
    stop_patterns: Array,
    stop_positions: Array,
    walk_first: Array,
    walk_stops: Array,
    walk_seconds: Array,
    access_stops: Array,
    access_seconds: Array,
    start: int,
    cutoff: int,
    slack: int,
    best: Array,
    rode: Array,
    marked: Array,
    queue: Array,
    improved: Array,
) -> None:
    """Lower ``best`` and ``rode`` (rounds + 1, stops) by what leaves at ``start`` [s]; note stops in ``improved``.

    marked: (2, stops) bool, clear before and after. queue: (patterns,) filled with a large number, so after.
    """
    rounds, stops, last = best.shape[0] - 1, best.shape[1], start + cutoff
    far = np.int32(1_000_000)
    any_marked = False
    for at in range(access_stops.size):
        stop, time = access_stops[at], start + access_seconds[at]
        if time <= last and time < best[0, stop]:
            for k in range(rounds + 1):
                best[k, stop] = min(best[k, stop], time)
            marked[0, stop] = True
            any_marked = True
    for k in range(1, rounds + 1):
        if not any_marked:
            break
        any_marked = False
        for stop in range(stops):
            if marked[0, stop]:
                marked[0, stop] = False
                for at in range(stop_first[stop], stop_first[stop + 1]):
                    pattern = stop_patterns[at]
                    queue[pattern] = min(queue[pattern], stop_positions[at])
        for pattern in range(queue.size):
            if queue[pattern] == far:
                continue
            begin, end = pattern_first[pattern], pattern_first[pattern + 1]
            trips, base = trip_first[pattern + 1] - trip_first[pattern], time_first[pattern]
            position = queue[pattern]
            queue[pattern] = far
            trip = trips
            for place in range(position, end - begin):
                stop, row = pattern_stops[begin + place], base + place * trips
                if trip < trips and alights[begin + place]:
                    time = arrivals[row + trip]
                    if time <= last and time < rode[k, stop]:
                        for later in range(k, rounds + 1):
                            rode[later, stop] = min(rode[later, stop], time)
                            best[later, stop] = min(best[later, stop], time)
                        marked[1, stop] = True
                        improved[stop] = True
                if boards[begin + place]:
                    ready = best[k - 1, stop]
                    if ready > last:
                        continue
                    ready += slack
                    # The first trip that leaves when ready, if it is earlier than the one taken.
                    if trip == trips or departures[row + trip] >= ready:
                        low, high = 0, trip
                        while low < high:
                            middle = (low + high) // 2
                            if departures[row + middle] < ready:
                                low = middle + 1
                            else:
                                high = middle
                        trip = low
        for stop in range(stops):
            if not marked[1, stop]:
                continue
            marked[1, stop] = False
            marked[0, stop] = True
            any_marked = True
            for at in range(walk_first[stop], walk_first[stop + 1]):
                other, time = walk_stops[at], rode[k, stop] + walk_seconds[at]
                if time <= last and time < best[k, other]:
                    for later in range(k, rounds + 1):
                        best[later, other] = min(best[later, other], time)
                    marked[0, other] = True
    for stop in range(stops):
        marked[0, stop] = False


@compile_loop
def reach_places(
    timetable: tuple[Array, ...],
    access: tuple[Array, Array, Array],
    egress: tuple[Array, Array, Array],
    direct: tuple[Array, Array, Array],
    begin: int,
    end: int,
    starts: Array,
    cutoff: int,
    slack: int,
    rounds: int,
    rank: int,
    places: int,
    times: Array,
) -> None:
    """Write the travel time [s] of rank ``rank`` over the departures into ``times`` (end − begin, places).

    access, direct: of origins to stops and to places, each (first, to, seconds). egress: of stops to places. starts
    (departures,) [s], descending.
    """
    pattern_first, stop_first = timetable[0], timetable[8]
    stops, patterns = stop_first.size - 1, pattern_first.size - 1
    best = np.empty((rounds + 1, stops), np.int32)
    rode = np.empty((rounds + 1, stops), np.int32)
    marked, improved = np.zeros((2, stops), np.bool_), np.zeros(stops, np.bool_)
    queue = np.full(patterns, 1_000_000, np.int32)
    walked, arrived = np.empty(places, np.int32), np.empty(places, np.int32)
    found = np.empty((places, starts.size), np.int32)
    for origin in range(begin, end):
        best[:], rode[:], walked[:], arrived[:] = NEVER, NEVER, NEVER, NEVER
        for at in range(direct[0][origin], direct[0][origin + 1]):
            walked[direct[1][at]] = direct[2][at]
        own = slice(access[0][origin], access[0][origin + 1])
        for number in range(starts.size):
            start = starts[number]
            scan_departure(
                timetable[0], timetable[1], timetable[2], timetable[3], timetable[4], timetable[5], timetable[6],
                timetable[7], timetable[8], timetable[9], timetable[10], timetable[11], timetable[12], timetable[13],
                access[1][own], access[2][own], start, cutoff, slack, best, rode, marked, queue, improved,
            )  # fmt: skip
            for stop in range(stops):
                if improved[stop]:
                    improved[stop] = False
                    for at in range(egress[0][stop], egress[0][stop + 1]):
                        place = egress[1][at]
                        arrived[place] = min(arrived[place], rode[rounds, stop] + egress[2][at])
            for place in range(places):
                time = walked[place]
                if arrived[place] != NEVER:
                    time = min(time, arrived[place] - start)
                found[place, number] = time if time <= cutoff else NEVER
        for place in range(places):
            times[origin - begin, place] = np.sort(found[place])[rank]
