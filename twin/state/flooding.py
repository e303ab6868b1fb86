"""How deep items are under water at a time, by the newest flood run that covers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from layers.errors import SourceError
from layers.schema import VectorLayer
from layers.store.sampling import sample_raster
from layers.store.sensing.state import WatchedItem
from twin.store_state import FloodRun, TouchedItem, find_flood_run, select_touched

WET = 0.02
"""Depth from which ground counts as flooded [m]; the map draws it from here on."""


@dataclass(frozen=True, slots=True)
class Flooding:
    """What a flood run says of an item: ``depth`` [m] at a point of it at the time asked for (None where the run keeps
    only its largest depths), ``depth_max`` [m] of the whole run, ``arrival`` of the first water.
    """

    run_id: str
    base_time: datetime
    depth: float | None
    depth_max: float
    arrival: datetime | None
    hazard_class: str | None

    @property
    def deepest(self) -> float:
        """The depth at the time, else the largest of the run [m]."""
        return self.depth_max if self.depth is None else self.depth

    @property
    def is_wet(self) -> bool:
        """Whether the item stands in water."""
        return self.deepest >= WET


def find_flooding(
    connection: Connection,
    layer: VectorLayer,
    processed: Path,
    places: Sequence[WatchedItem],
    at: datetime,
    known: datetime | None,
) -> dict[str, Flooding]:
    """Return how deep each of ``places`` is under water at ``at``, by id; nothing where no run covers it.

    A run whose file is gone says nothing.
    """
    run = find_flood_run(connection, at, known) if places else None
    if run is None:
        return {}
    west, south, east, north = run.bounds
    places = [place for place in places if west <= place.lon <= east and south <= place.lat <= north]
    touched = select_touched(connection, run.id, layer.id, [place.id for place in places])
    longitudes, latitudes = (np.array([getattr(place, side) for place in places]) for side in ("lon", "lat"))
    try:
        values = sample_raster(processed / run.path, longitudes, latitudes, band=_find_band(run, at))
    except SourceError:
        return {}
    depths = np.nan_to_num(values, nan=0.0)
    return {
        place.id: _describe(run, float(depth), touched.get(place.id), at)
        for place, depth in zip(places, depths, strict=True)
    }


def _describe(run: FloodRun, depth: float, touched: TouchedItem | None, at: datetime) -> Flooding:
    largest = max(depth, touched.depth_max or 0.0) if touched else depth
    arrival = touched.arrival if touched else None
    now = None if run.times is None else depth
    if now is None and arrival is not None and at < arrival:
        now = 0.0
    return Flooding(run.id, run.base_time, now, largest, arrival, touched.hazard_class if touched else None)


def _find_band(run: FloodRun, at: datetime) -> int:
    """Return the number of the band whose time is nearest."""
    if run.times is None:
        return 1
    return 1 + min(range(len(run.times)), key=lambda band: abs(run.times[band] - at) if run.times else at - at)
