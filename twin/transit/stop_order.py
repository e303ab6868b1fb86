"""Stops out of order: tables gathered by hand often hold the stops of a branch, or forgotten ones, behind the last."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]
Index = NDArray[np.int64]


def mend_order(xy: Places, farthest: float) -> tuple[Index, int]:
    """Return the order in which stops (n, 2) [m] are called at, and how many were moved.

    Where two neighbours are more than ``farthest`` [m] apart, the longest run of stops without such a jump stays, and
    each of the others goes where the way becomes least longer: cheapest insertion, Rosenkrantz, Stearns, Lewis 1977,
    doi:10.1137/0206041. A terminal that lies so far away stays at its end.
    """
    steps = np.hypot(*np.diff(xy, axis=0).T)
    jumps = np.flatnonzero(steps > farthest)
    if not jumps.size:
        return np.arange(len(xy)), 0
    bounds = [0, *(jumps + 1).tolist(), len(xy)]
    runs = [range(begin, end) for begin, end in pairwise(bounds)]
    sizes = [len(run) for run in runs]
    order = list(runs[sizes.index(max(sizes))])
    for stop in range(len(xy)):
        if stop not in order:
            order.insert(_find_cheapest(xy, order, stop), stop)
    found = np.array(order)
    if np.hypot(*np.diff(xy[found], axis=0).T).sum() >= steps.sum():
        return np.arange(len(xy)), 0
    return found, _count_moved(order)


def _find_cheapest(xy: Places, order: list[int], stop: int) -> int:
    """Return before which of the stops in ``order`` the way passes ``stop`` with the least detour."""
    way = xy[order]
    away = np.hypot(*(way - xy[stop]).T)
    between = away[:-1] + away[1:] - np.hypot(*np.diff(way, axis=0).T)
    costs = np.concatenate([away[:1], between, away[-1:]])
    return int(costs.argmin())


def _count_moved(order: list[int]) -> int:
    """Return how many stops must be taken out for the rest to be in their old order."""
    tails: list[int] = []
    for stop in order:
        at = int(np.searchsorted(tails, stop))
        tails[at : at + 1] = [stop]
    return len(order) - len(tails)
