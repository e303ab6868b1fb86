"""The lines of a feed: shapes.txt in order, and for trips without one the way from stop to stop."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twin.transit.feed import Feed
from twin.transit.stop_times import read_stop_times

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shapes:
    """The points of shapes in order: ``order`` (n,) positions in shapes.txt, ``owners`` (n,) positions in ``ids``."""

    ids: NDArray[np.object_]
    order: Ints
    owners: Ints
    lon: Floats
    lat: Floats
    distances: Floats

    def draw(self, x: Floats, y: Floats) -> NDArray[Any]:
        """Return the lines of shapes (ids,) through points (n,); None for a shape of fewer than two."""
        lines = np.full(self.ids.size, None, object)
        counts = np.bincount(self.owners, minlength=self.ids.size)
        kept = (counts[self.owners] > 1) if self.owners.size else np.zeros(0, np.bool_)
        used, indices = np.unique(self.owners[kept], return_inverse=True)
        if used.size:
            lines[used] = shapely.linestrings(np.stack([x[kept], y[kept]], axis=1), indices=indices)
        return lines


def read_shapes(feed: Feed) -> Shapes:
    """Return the shapes of a feed; points without a place are left out."""
    table = feed.table("shapes")
    encoded = table.column("shape_id").dictionary_encode()
    owners = np.asarray(encoded.indices, dtype=np.int64)
    lat, lon = table.numbers("shape_pt_lat"), table.numbers("shape_pt_lon")
    order = np.lexsort((table.codes("shape_pt_sequence", -1), owners))
    order = order[np.isfinite(lat[order]) & np.isfinite(lon[order])]
    ids = np.asarray(encoded.dictionary.to_numpy(zero_copy_only=False), dtype=object)
    return Shapes(ids, order, owners[order], lon[order], lat[order], table.numbers("shape_dist_traveled")[order])


@dataclass(frozen=True, eq=False)
class TripCalls:
    """Each stop that a trip calls at (n,): positions in trips.txt, in the ids of shapes (-1 none), in stops.txt."""

    trips: Ints
    shapes: Ints
    stops: Ints


def list_trip_calls(feed: Feed) -> TripCalls:
    """Return all calls in the order of travel."""
    found = read_stop_times(feed)
    ids = pa.array(read_shapes(feed).ids, pa.string())
    shapes = feed.table("trips").find("shape_id", ids)
    return TripCalls(found.trips, shapes[found.trips] if shapes.size else found.trips, found.stops)
