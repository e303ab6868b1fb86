"""The figures of access by public transport, on a dry day and under water."""

from typing import Any

import numpy as np

from layers.types.transit_runs import MINUTES
from network.transit import Calls
from twin.transit.accessibility import NAMES, Cells, Reached
from twin.transit.day import DayCalls, DayStops
from twin.transit.water import Losses


def summarize_reached(cells: Cells, dry: Reached, wet: Reached | None, *, from_point: bool) -> dict[str, Any]:
    """Return what a person reaches on average, weighted by who lives in the cells; from a point what it reaches."""
    people = cells.values[:, 0]

    def add_up(reached: Reached) -> dict[str, dict[str, float]]:
        weights = np.ones(1) if from_point else people / max(float(people.sum()), 1.0)
        means = np.tensordot(weights, reached.counts, axes=1)
        return {
            name: {str(minutes): round(float(means[k, m]), 1) for m, minutes in enumerate(MINUTES)}
            for k, name in enumerate(NAMES)
        }

    found: dict[str, Any] = {"reached": add_up(dry)}
    if wet is not None:
        found["reached_under_water"] = add_up(wet)
        lost = dry.counts[:, 1, MINUTES.index(45)] - wet.counts[:, 1, MINUTES.index(45)]
        if not from_point:
            half = lost > 0.5 * np.maximum(dry.counts[:, 1, MINUTES.index(45)], 1.0)
            found["people_losing_half_the_jobs"] = round(float(people[half].sum()))
    return found


def summarize_losses(
    stops: DayStops, day: DayCalls, losses: Losses, left: Calls, told: dict[str, Any]
) -> dict[str, Any]:
    """Return what water takes: stops, those of them that are called at, stretches, trips cut in parts or lost."""
    called = np.bincount(day.calls.stops, minlength=stops.ids.size) > 0
    counts = np.bincount(left.trips, minlength=day.feeds.size)
    return {
        "water": told,
        "stops_lost": int(losses.stops.sum()),
        "stops_lost_called_at": int((losses.stops & called).sum()),
        "stretches_closed": len(losses.cuts),
        "trips_cut": int((counts > 1).sum()),
        "trips_lost": int((counts == 0).sum()),
    }
