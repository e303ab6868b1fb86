"""The stop times of a feed in the order of travel, with the times that are not given filled in.

Between two timepoints times follow the distance: ``shape_dist_traveled`` where a trip has it, else the straight line
from stop to stop.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.transit.feed import Feed

EARTH_RADIUS = 6_371_008.8
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class StopTimes:
    """The rows of stop_times.txt sorted by trip and sequence; those of unknown trips are left out.

    ``order`` (n,) positions in the table; ``trips``, ``stops`` (n,) positions in trips.txt and stops.txt, stops -1
    where unknown; ``sequences`` (n,); ``arrivals``, ``departures`` (n,) [s] as given, NaN where not; ``steps`` (n,)
    straight distance from the stop before [m], 0 at the first, NaN where a place is not known; ``distances`` (n,) as
    given, NaN where not.
    """

    order: Ints
    trips: Ints
    stops: Ints
    sequences: Ints
    arrivals: Floats
    departures: Floats
    steps: Floats
    distances: Floats

    @property
    def is_first(self) -> Mask:
        """Where a trip begins (n,)."""
        return np.asarray(np.diff(self.trips, prepend=-1) != 0, np.bool_)

    @property
    def is_last(self) -> Mask:
        """Where a trip ends (n,)."""
        return np.asarray(np.diff(self.trips, append=-1) != 0, np.bool_)


def read_stop_times(feed: Feed) -> StopTimes:
    """Return the stop times of a feed in the order of travel."""
    table = feed.table("stop_times")
    trips, sequences = table.find("trip_id", feed.trip_ids), table.codes("stop_sequence", -1)
    order = np.lexsort((sequences, trips))
    order = order[trips[order] >= 0]
    trips, stops = trips[order], table.find("stop_id", feed.stop_ids)[order]
    lat, lon = read_places(feed)
    known = stops >= 0
    x, y = (np.where(known, values[np.maximum(stops, 0)] if values.size else np.nan, np.nan) for values in (lon, lat))
    steps = np.zeros(order.size)
    if order.size:
        steps[1:] = measure_distance(x[:-1], y[:-1], x[1:], y[1:])
        steps[np.diff(trips, prepend=-1) != 0] = 0.0
    return StopTimes(
        order, trips, stops, sequences[order], table.times("arrival_time")[order], table.times("departure_time")[order],
        steps, table.numbers("shape_dist_traveled")[order],
    )  # fmt: skip


def read_places(feed: Feed) -> tuple[Floats, Floats]:
    """Return latitude and longitude [°] of each stop; a stop without a place has that of its parent, or NaN."""
    table = feed.table("stops")
    lat, lon = table.numbers("stop_lat"), table.numbers("stop_lon")
    parents = table.find("parent_station", feed.stop_ids)
    lost = (~np.isfinite(lat) | ~np.isfinite(lon)) & (parents >= 0)
    lat[lost], lon[lost] = lat[parents[lost]], lon[parents[lost]]
    return lat, lon


def measure_distance(lon0: Floats, lat0: Floats, lon1: Floats, lat1: Floats) -> Floats:
    """Return the great-circle distance [m] between places [°] (haversine)."""
    a0, a1 = np.radians(lat0), np.radians(lat1)
    half = np.sin((a1 - a0) / 2.0) ** 2 + np.cos(a0) * np.cos(a1) * np.sin(np.radians(lon1 - lon0) / 2.0) ** 2
    distance: Floats = 2.0 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return distance


def fill_times(found: StopTimes) -> tuple[Floats, Floats]:
    """Return arrivals and departures (n,) [s] with those not given between timepoints filled in; NaN stays outside."""
    arrivals = np.where(np.isnan(found.arrivals), found.departures, found.arrivals)
    departures = np.where(np.isnan(found.departures), found.arrivals, found.departures)
    open_rows = np.isnan(arrivals)
    if not open_rows.any():
        return arrivals, departures
    # One metre more a stop keeps the coordinate growing where two stops lie at one place.
    steps = np.where(np.isnan(found.steps), 0.0, found.steps) + 1.0
    given = np.zeros(steps.size)
    given[1:] = np.diff(found.distances)
    whole = np.isfinite(given) & (given > 0.0)
    trip_count = int(found.trips.max()) + 1
    partly = np.bincount(found.trips, weights=~(whole | found.is_first), minlength=trip_count) > 0
    along = np.cumsum(np.where(partly[found.trips], steps, np.where(found.is_first, 1.0, given)))
    known = np.flatnonzero(~open_rows)
    holes = np.flatnonzero(open_rows)
    before = np.searchsorted(known, holes) - 1
    after = before + 1
    inside = (before >= 0) & (after < known.size)
    holes, before, after = holes[inside], known[before[inside]], known[after[inside]]
    inside = (found.trips[before] == found.trips[holes]) & (found.trips[after] == found.trips[holes])
    holes, before, after = holes[inside], before[inside], after[inside]
    share = (along[holes] - along[before]) / (along[after] - along[before])
    filled = departures[before] + share * (arrivals[after] - departures[before])
    arrivals[holes] = departures[holes] = np.round(filled)
    return arrivals, departures
