"""Trip modifications told live: stops that are passed by, stops in their place, and the delay of the way around.

Source: https://gtfs.org/documentation/realtime/reference/#message-tripmodifications.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.store_transit_realtime import EntityRow


@dataclass(frozen=True, eq=False)
class Modified:
    """What changes along a trip: calls that are passed by (calls,), delay [s] of each call (calls,).

    replacements: stops in their place, with the call they are timed from and the seconds after its arrival.
    """

    skipped: NDArray[np.bool_]
    delays: NDArray[np.float64]
    replacements: tuple[tuple[str, int, float], ...]


def index_modifications(entities: Sequence[EntityRow]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the modifications in force by the trips they are about."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in entities:
        for trip in list_selected(one.document):
            found.setdefault(trip, []).append(one.document)
    return found


def list_selected(document: Mapping[str, Any]) -> Iterator[str]:
    """Return the trips that a modification is about."""
    for chosen in document.get("selected_trips", ()):
        yield from chosen.get("trip_ids", ())


def replaces(documents: Sequence[Mapping[str, Any]], stop_id: str) -> bool:
    """Return whether one of the modifications halts at ``stop_id`` in place of another stop."""
    return any(
        one.get("stop_id") == stop_id
        for document in documents
        for change in document.get("modifications", ())
        for one in change.get("replacement_stops", ())
    )


def read_modified(
    documents: Sequence[Mapping[str, Any]], sequences: NDArray[Any], stops: Sequence[str], day: date, leaves: str
) -> Modified:
    """Return what the modifications change along a trip of the service day ``day`` that leaves at ``leaves``."""
    skipped, delays = np.zeros(len(stops), np.bool_), np.zeros(len(stops))
    replacements: list[tuple[str, int, float]] = []
    for document in documents:
        days, starts = document.get("service_dates", ()), document.get("start_times", ())
        if f"{day:%Y%m%d}" not in days or (starts and leaves not in starts):
            continue
        for change in document.get("modifications", ()):
            first = _find(change.get("start_stop_selector", {}), sequences, stops)
            if first is None:
                continue
            last = _find(change["end_stop_selector"], sequences, stops) if "end_stop_selector" in change else None
            if last is not None:
                skipped[first : last + 1] = True
            delays[(first if last is None else last) + 1 :] += float(change.get("propagated_modification_delay", 0))
            before = max(first - 1, 0)
            replacements += [
                (str(one.get("stop_id", "")), before, float(one.get("travel_time_to_stop", 0)))
                for one in change.get("replacement_stops", ())
            ]
    return Modified(skipped, delays, tuple(replacements))


def _find(selector: Mapping[str, Any], sequences: NDArray[Any], stops: Sequence[str]) -> int | None:
    if "stop_sequence" in selector:
        found = np.flatnonzero(sequences == int(selector["stop_sequence"]))
        return int(found[0]) if found.size else None
    return stops.index(selector["stop_id"]) if selector.get("stop_id") in stops else None
