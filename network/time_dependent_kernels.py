"""Loops of journeys whose speeds change with the time of day: one link, one journey, a search for the earliest arrival.

Speeds are constant within a slot of time, and a vehicle that passes from one slot to the next goes on at the new speed
(Sung, Bell, Seong and Park 2000, doi:10.1016/S0377-2217(99)00035-1). Who enters a link later never leaves it earlier,
whatever the speeds are, so Dijkstra's search is exact (Dreyfus 1969, doi:10.1287/opre.17.3.395).
"""

from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]


@compile_loop
def pass_link(moment: float, seconds: float, row: int, factors: Array, slot: float) -> float:
    """Return when who enters a link at ``moment`` [s] leaves it.

    seconds: at free speed; row: of ``factors`` (profiles, slots), the share of the free speed in each slot of ``slot``
    seconds, after the last the first again; -1 for a link that takes the same time always.
    """
    if row < 0 or seconds == 0.0 or not np.isfinite(seconds):
        return moment + seconds
    left = seconds
    number = np.floor(moment / slot)
    while True:
        factor = factors[row, int(number) % factors.shape[1]]
        until = (number + 1.0) * slot
        room = (until - moment) * factor
        if left <= room:
            return float(moment + left / factor)
        left -= room
        moment = until
        number += 1.0


@compile_loop
def pass_links(moment: float, seconds: Array, rows: Array, factors: Array, slot: float, leaves: Array) -> float:
    """Write when each link of a journey is left [s] into ``leaves`` and return the last."""
    for place in range(seconds.size):
        moment = pass_link(moment, seconds[place], rows[place], factors, slot)
        leaves[place] = moment
    return moment


@compile_loop
def pass_each(moments: Array, seconds: Array, rows: Array, factors: Array, slot: float) -> Array:
    """Return when each of many links is left by who enters it at its moment [s] (links,)."""
    leaves = np.empty(moments.size)
    for place in range(moments.size):
        leaves[place] = pass_link(moments[place], seconds[place], rows[place], factors, slot)
    return leaves


@compile_loop
def search(
    first: Array, heads: Array, seconds: Array, rows: Array, factors: Array, slot: float,
    sources: Array, moments: Array, limit: float, targets: Array, rests: Array, rest_rows: Array,
    arrivals: Array, by: Array,
) -> tuple[float, int]:  # fmt: skip
    """Fill the earliest arrival at each node [s] and the arc it is reached by; return the best arrival and its target.

    Arcs that leave node i are first[i] to first[i + 1], with seconds at free speed and rows (arcs,). Search begins at
    ``sources`` at ``moments`` and ends where nothing is left before ``limit``, or no better arrival at a target is
    possible. From the node of a target on, ``rests`` seconds on a link of ``rest_rows`` remain. arrivals: inf and by:
    -1 on entry. The target is -1 where none is reached.
    """
    heap = [(0.0, np.int64(0))]
    heap.pop()
    for place in range(sources.size):
        if moments[place] < arrivals[sources[place]]:
            arrivals[sources[place]] = moments[place]
            heappush(heap, (moments[place], np.int64(sources[place])))
    best, chosen = np.inf, -1
    while heap:
        moment, node = heappop(heap)
        if moment > arrivals[node]:
            continue
        if moment >= best or moment > limit:
            break
        for place in range(targets.size):
            if targets[place] == node:
                end = pass_link(moment, rests[place], rest_rows[place], factors, slot)
                if end < best:
                    best, chosen = end, place
        for arc in range(first[node], first[node + 1]):
            if not np.isfinite(seconds[arc]):
                continue
            after = pass_link(moment, seconds[arc], rows[arc], factors, slot)
            if after < arrivals[heads[arc]] and after <= limit:
                arrivals[heads[arc]] = after
                by[heads[arc]] = arc
                heappush(heap, (after, np.int64(heads[arc])))
    return best, chosen
