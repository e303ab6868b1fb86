"""Trips that run every so often: frequencies.txt, and how often each trip leaves in a day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.transit.feed import Feed
from twin.transit.stop_times import read_stop_times

MOST_DEPARTURES = 5_000
"""Departures of one trip in one day that are looked at."""


@dataclass(frozen=True, slots=True)
class Departures:
    """How often a trip leaves its first stop in a service day, first and last [s]; ``starts`` are all of them.

    ``exact`` is false where only the headway is promised.
    """

    starts: tuple[float, ...]
    exact: bool

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.starts)

    @property
    def first(self) -> float:
        """The first [s]."""
        return self.starts[0]

    @property
    def last(self) -> float:
        """The last [s]."""
        return self.starts[-1]


def count_departures(feed: Feed) -> Sequence[Departures]:
    """Return the departures of each trip (trips,); of a trip without times one at NaN.

    A trip of frequencies.txt leaves at ``start_time`` and every ``headway_secs`` from then on, before ``end_time``.
    """
    found = read_stop_times(feed)
    first = found.is_first
    begins = np.full(feed.table("trips").size, np.nan)
    times = np.where(np.isnan(found.departures), found.arrivals, found.departures)
    begins[found.trips[first]] = times[first]
    made = [Departures((float(one),), True) for one in begins]
    table = feed.table("frequencies")
    trips, headways = table.find("trip_id", feed.trip_ids), table.numbers("headway_secs")
    starts, ends, exact = table.times("start_time"), table.times("end_time"), table.codes("exact_times")
    listed: dict[int, list[NDArray[np.float64]]] = {}
    certain: dict[int, bool] = {}
    for trip, start, end, headway, is_exact in zip(trips, starts, ends, headways, exact, strict=True):
        if trip >= 0 and headway > 0.0 and end > start:
            count = min(int(np.ceil((end - start) / headway)), MOST_DEPARTURES)
            listed.setdefault(int(trip), []).append(start + headway * np.arange(count))
            certain[int(trip)] = bool(is_exact)
    for trip, several in listed.items():
        together = np.unique(np.concatenate(several))[:MOST_DEPARTURES]
        made[trip] = Departures(tuple(together.tolist()), certain[trip])
    return made
