"""Journeys through a day: speeds by the quarter of an hour; nobody arrives earlier by leaving later.

Times are seconds since Monday 00:00 by the city's clocks; after a week comes the same week.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.paths_answers import Index, Tree, Values
from network.time_dependent_kernels import pass_each, pass_links, search

SLOT_S = 900.0
WEEK_S = 7 * 86_400.0
SLOTS = int(WEEK_S / SLOT_S)
LEAST_FACTOR = 0.02
_NONE = np.zeros(0, np.int32)


@dataclass(frozen=True, eq=False)
class Profiles:
    """How the speed of each arc or link changes.

    rows: the profile of each (arcs,), -1 where time does not matter, as on a ferry. factors: share of the free speed in
    each quarter of an hour of a week (profiles, 672), above 0.
    """

    rows: NDArray[np.int16]
    factors: Values

    def take(self, chosen: ArrayLike) -> "Profiles":
        """Return those of the ``chosen`` arcs or links, in that order."""
        return Profiles(self.rows[np.asarray(chosen)], self.factors)


@dataclass(frozen=True, eq=False)
class Journey:
    """The earliest arrival [s], inf where there is none; arcs in order; places of source and target, -1 without."""

    arrival: float
    arcs: Index
    source: int
    target: int


def build_profiles(rows: ArrayLike, factors: ArrayLike) -> Profiles:
    """Return checked profiles; factors are (profiles, 672) and 0.02 or more, so that nobody stands still for ever."""
    number, share = np.ascontiguousarray(rows, np.int16), np.ascontiguousarray(factors, np.float64)
    if share.ndim != 2 or share.shape[1] != SLOTS:
        raise InputError(f"factors have the shape {share.shape}, expected (profiles, {SLOTS})")
    if share.size and not (np.isfinite(share).all() and share.min() >= LEAST_FACTOR):
        raise InputError(f"a factor of speed is below {LEAST_FACTOR:g} or no number", hint="close the road instead")
    if number.size and not (number.min() >= -1 and number.max() < share.shape[0]):
        raise InputError(f"a row lies outside -1 to {share.shape[0] - 1}", hint="give rows of factors")
    return Profiles(number, share)


def find_journey(
    first: Index,
    tails: Index,
    heads: Index,
    seconds: Values,
    profiles: Profiles,
    *,
    sources: ArrayLike,
    moments: ArrayLike,
    targets: ArrayLike,
    rests: ArrayLike,
    rest_profiles: Profiles,
) -> Journey:
    """Return the journey that arrives earliest.

    first, tails, heads: arcs by tail, as in RoadGraph; seconds: at free speed (arcs,), inf where closed. sources are
    nodes reached at ``moments`` [s]; from each node of ``targets`` remain ``rests`` seconds at free speed on a link of
    ``rest_profiles``.
    """
    arrivals, by = np.full(first.size - 1, np.inf), np.full(first.size - 1, -1, np.int32)
    starts, ends = np.asarray(sources, np.int32), np.asarray(targets, np.int32)
    best, target = search(
        first, heads, seconds, profiles.rows, profiles.factors, SLOT_S, starts, np.asarray(moments, np.float64), np.inf,
        ends, np.asarray(rests, np.float64), rest_profiles.rows, arrivals, by,
    )  # fmt: skip
    if target < 0:
        return Journey(np.inf, _NONE, -1, -1)
    arcs, node = list[int](), int(ends[target])
    while by[node] >= 0:
        arcs.append(int(by[node]))
        node = int(tails[arcs[-1]])
    places = np.flatnonzero(starts == node)
    source = int(places[np.argmin(np.asarray(moments, np.float64)[places])])
    return Journey(float(best), np.array(arcs[::-1], np.int32), source, int(target))


def grow_tree_at(
    first: Index,
    heads: Index,
    seconds: Values,
    profiles: Profiles,
    *,
    sources: ArrayLike,
    moments: ArrayLike,
    limit: float,
) -> Tree:
    """Return the tree of earliest arrivals [s] up to ``limit``; parameters as in ``find_journey``."""
    arrivals, by = np.full(first.size - 1, np.inf), np.full(first.size - 1, -1, np.int32)
    empty = np.zeros(0)
    search(
        first, heads, seconds, profiles.rows, profiles.factors, SLOT_S, np.asarray(sources, np.int32),
        np.asarray(moments, np.float64), limit, _NONE, empty, np.zeros(0, np.int16), arrivals, by,
    )  # fmt: skip
    reached = np.flatnonzero(np.isfinite(arrivals)).astype(np.int32)
    return Tree(arrivals, by, reached[np.argsort(arrivals[reached], kind="stable")])


def follow(moment: float, seconds: ArrayLike, profiles: Profiles) -> Values:
    """Return when each link of a journey is left [s] by who begins it at ``moment`` [s].

    seconds: at free speed (links,); profiles: of the same links.
    """
    given = np.ascontiguousarray(seconds, np.float64)
    leaves = np.empty(given.size)
    pass_links(float(moment), given, profiles.rows, profiles.factors, SLOT_S, leaves)
    return leaves


def leave_each(moments: ArrayLike, seconds: ArrayLike, profiles: Profiles) -> Values:
    """Return when each of many links is left by who enters it at its moment [s] (links,).

    moments: one, or one a link; seconds: at free speed (links,), inf where closed; profiles: of the same links.
    """
    given = np.ascontiguousarray(seconds, np.float64)
    begin = np.ascontiguousarray(np.broadcast_to(np.asarray(moments, np.float64), given.shape))
    return np.asarray(pass_each(begin, given, profiles.rows, profiles.factors, SLOT_S), np.float64)
