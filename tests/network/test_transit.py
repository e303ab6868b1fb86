"""Earliest arrivals of RAPTOR against a search through every event, and what must hold of any timetable."""

import heapq
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from network.transit import Calls, Question, Walks, build_timetable, build_walks, find_arrivals, iterate_times
from network.transit_kernels import NEVER

STOPS, CUTOFF, SLACK = 6, 5_000, 30
Trips = list[list[tuple[int, int, int]]]


@st.composite
def make_trips(draw: st.DrawFn) -> Trips:
    """Return trips as lists of (stop, arrival, departure)."""
    trips: Trips = []
    for _ in range(draw(st.integers(1, 9))):
        clock, calls = draw(st.integers(0, 2_000)), []
        for stop in draw(st.lists(st.integers(0, STOPS - 1), min_size=2, max_size=5)):
            arrival = clock + draw(st.integers(0, 400))
            clock = arrival + draw(st.integers(0, 60))
            calls.append((stop, arrival, clock))
        trips.append(calls)
    return trips


@st.composite
def make_walks(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Return walks between stops as (from, to, seconds)."""
    pairs = st.tuples(st.integers(0, STOPS - 1), st.integers(0, STOPS - 1), st.integers(1, 500))
    return [one for one in draw(st.lists(pairs, max_size=6)) if one[0] != one[1]]


def build(trips: Trips, walks: list[tuple[int, int, int]]):  # type: ignore[no-untyped-def]
    flat = np.array([call for trip in trips for call in trip], np.int32).reshape(-1, 3)
    first = np.concatenate([[0], np.cumsum([len(trip) for trip in trips])]).astype(np.int64)
    yes = np.ones(len(flat), np.bool_)
    calls = Calls(first, flat[:, 0], flat[:, 1], flat[:, 2], yes, yes, np.arange(len(trips), dtype=np.int32))
    pairs = np.array(walks, np.int64).reshape(-1, 3)
    return build_timetable(calls, STOPS, build_walks(pairs[:, 0], pairs[:, 1], pairs[:, 2], STOPS))


def search_events(
    trips: Trips, walks: list[tuple[int, int, int]], access: list[tuple[int, int]], start: int, rounds: int
) -> list[int]:
    """Return the earliest arrivals by a search over (time, stop, rides, whether the last leg was a ride)."""
    best = [int(NEVER)] * STOPS
    heap = [(start + seconds, stop, 0, False) for stop, seconds in access if seconds <= CUTOFF]
    seen: set[tuple[int, int, int, bool]] = set()
    while heap:
        state = heapq.heappop(heap)
        if state in seen:
            continue
        seen.add(state)
        time, stop, rides, rode = state
        best[stop] = min(best[stop], time)
        if rode:
            for a, b, seconds in walks:
                if a == stop and time + seconds <= start + CUTOFF:
                    heapq.heappush(heap, (time + seconds, b, rides, False))
        if rides == rounds:
            continue
        for calls in trips:
            for at, (board, _, departure) in enumerate(calls):
                if board == stop and departure >= time + SLACK:
                    for alight, arrival, _ in calls[at + 1 :]:
                        if arrival <= start + CUTOFF:
                            heapq.heappush(heap, (arrival, alight, rides + 1, True))
    return best


def one_origin(access: list[tuple[int, int]]) -> Walks:
    pairs = np.array(access, np.int64).reshape(-1, 2)
    return build_walks(np.zeros(len(pairs), np.int64), pairs[:, 0], pairs[:, 1], 1)


ACCESS = st.lists(st.tuples(st.integers(0, STOPS - 1), st.integers(0, 300)), min_size=1, max_size=3)
PLAIN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@PLAIN
@given(make_trips(), make_walks(), ACCESS, st.integers(0, 2_000), st.integers(1, 3))
def test_arrivals_are_those_of_a_search_through_every_event(
    trips: Trips, walks: list[tuple[int, int, int]], access: list[tuple[int, int]], start: int, rounds: int
) -> None:
    found = find_arrivals(build(trips, walks), one_origin(access), start, cutoff=CUTOFF, slack=SLACK, rounds=rounds)
    assert found.tolist() == search_events(trips, walks, access, start, rounds)


@PLAIN
@given(make_trips(), make_walks(), ACCESS)
def test_who_leaves_later_never_arrives_earlier(
    trips: Trips, walks: list[tuple[int, int, int]], access: list[tuple[int, int]]
) -> None:
    timetable = build(trips, walks)
    found = [find_arrivals(timetable, one_origin(access), start, cutoff=CUTOFF) for start in range(0, 2_001, 250)]
    for early, late in pairwise(found):
        reached = (late != NEVER) & (early != NEVER)
        assert (early[reached] <= late[reached]).all()


@PLAIN
@given(make_trips(), make_walks(), st.lists(ACCESS, min_size=1, max_size=3), st.sampled_from([1.0, 50.0, 100.0]))
def test_a_window_is_its_departures_one_by_one(
    trips: Trips, walks: list[tuple[int, int, int]], origins: list[list[tuple[int, int]]], percentile: float
) -> None:
    """Range RAPTOR with places at the stops themselves gives, of each departure alone, the arrival of a ride."""
    timetable = build(trips, walks)
    rows = [(origin, stop, seconds) for origin, access in enumerate(origins) for stop, seconds in access]
    pairs = np.array(rows, np.int64)
    access = build_walks(pairs[:, 0], pairs[:, 1], pairs[:, 2], len(origins))
    stops = np.arange(STOPS)
    egress = build_walks(stops, stops, np.zeros(STOPS), STOPS)
    nowhere = build_walks([], [], [], len(origins))
    starts = (0, 500, 1_000, 1_500)
    question = Question(starts, CUTOFF, SLACK, 3, percentile)
    ((_, times),) = iterate_times(timetable, access, egress, nowhere, question, places=STOPS)
    for origin, own in enumerate(origins):
        single = []
        for start in starts:
            # Without walks to change by, an arrival that bettered the access was a ride.
            alone = Question((start,), CUTOFF, SLACK, 3, 50.0)
            ((_, one),) = iterate_times(
                timetable, one_origin(own), egress, build_walks([], [], [], 1), alone, places=STOPS
            )
            single.append(one[0])
        rank = {1.0: 0, 50.0: 1, 100.0: 3}[percentile]
        assert times[origin].tolist() == np.sort(single, axis=0)[rank].tolist()


@PLAIN
@given(make_trips(), make_walks(), ACCESS, st.integers(0, STOPS - 1))
def test_a_lost_stop_never_gains(
    trips: Trips, walks: list[tuple[int, int, int]], access: list[tuple[int, int]], lost: int
) -> None:
    whole = find_arrivals(build(trips, walks), one_origin(access), 0, cutoff=CUTOFF)
    kept = [trip for trip in ([call for call in calls if call[0] != lost] for calls in trips) if len(trip) > 1]
    left = [walk for walk in walks if lost not in walk[:2]]
    if not kept:
        return
    cut = find_arrivals(build(kept, left), one_origin([one for one in access if one[0] != lost]), 0, cutoff=CUTOFF)
    assert (cut >= whole).all()


def test_longer_thresholds_hold_shorter_ones() -> None:
    trips = [[(0, 60 * k, 60 * k), (1, 60 * k + 300, 60 * k + 310), (2, 60 * k + 700, 60 * k + 700)] for k in range(20)]
    timetable = build(trips, [(2, 3, 200)])
    stops = np.arange(STOPS)
    egress = build_walks(stops, stops, np.full(STOPS, 30), STOPS)
    direct = build_walks([0], [0], [10], 1)
    question = Question((0, 300, 600), CUTOFF, 0, 2, 50.0)
    ((_, times),) = iterate_times(timetable, one_origin([(0, 45)]), egress, direct, question, places=STOPS)
    # 45 s to the stop, 15 s until the next bus, and the 30 s from the stop; place 3 is behind a walk of its own.
    assert times[0].tolist() == [10, 60 + 300 + 30, 60 + 700 + 30, int(NEVER), int(NEVER), int(NEVER)]
