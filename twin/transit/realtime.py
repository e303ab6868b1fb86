"""GTFS Realtime: messages read from protobuf, entity by entity, and what in them the feed does not know.

Source: https://gtfs.org/documentation/realtime/reference/ (2.0, with TripModifications).
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as rt

from layers.errors import SourceError, TooLargeError
from twin.transit.feed import Feed

MOST_BYTES = 32 << 20
MOST_ENTITIES = 200_000
MOST_TOLD = 200
"""Unknown trips, stops and routes that are listed by name."""
KINDS = ("trip_update", "vehicle", "alert", "trip_modifications", "stop", "shape")
ADDED = frozenset({"ADDED", "NEW", "DUPLICATED", "REPLACEMENT"})
"""Trips that a message brings itself."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity: its kind, the trip and service day it is about if any, and all it says."""

    id: str
    kind: str
    trip: str | None
    start_date: str | None
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message: when it was made, its entities, and a word that tells its content."""

    at: datetime
    entities: tuple[Entity, ...]
    fingerprint: str

    @property
    def counts(self) -> dict[str, int]:
        """Entities by kind."""
        return dict(sorted(Counter(entity.kind for entity in self.entities).items()))


def read_message(content: bytes, name: str, received: datetime) -> Message:
    """Return the message in ``content``; one without a time of its own is of ``received``.

    Raises SourceError for what is no message of GTFS Realtime, TooLargeError beyond the limits.
    """
    if len(content) > MOST_BYTES:
        raise TooLargeError(f"{name} has {len(content) >> 20} MiB, at most {MOST_BYTES >> 20} MiB are read")
    parsed = rt.FeedMessage()
    try:
        parsed.ParseFromString(content)
    except DecodeError as error:
        raise SourceError(f"{name} is no message of GTFS Realtime", hint="give a protobuf file, not JSON") from error
    if not parsed.header.gtfs_realtime_version:
        raise SourceError(f"{name} is no message of GTFS Realtime: its header names no version")
    if len(parsed.entity) > MOST_ENTITIES:
        raise TooLargeError(f"{name} holds {len(parsed.entity):,} entities, at most {MOST_ENTITIES:,} are read")
    seconds = parsed.header.timestamp
    at = datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 4_102_444_800 else received
    entities: dict[tuple[str, str], Entity] = {}
    for one in parsed.entity:
        if not one.is_deleted:
            for entity in _list_entities(one):
                entities[(entity.kind, entity.id)] = entity
    return Message(at, tuple(entities.values()), hashlib.sha256(content).hexdigest()[:16])


def find_unknown(message: Message, feed: Feed) -> dict[str, Any]:
    """Return trips, routes and stops that the message names and the feed lacks, by kind: how many, and the first."""
    named: dict[str, dict[str, None]] = {"trips": {}, "routes": {}, "stops": {}}
    brought = {entity.document.get("stop_id") for entity in message.entities if entity.kind == "stop"}
    for entity in message.entities:
        for kind, value in _list_names(entity):
            named[kind].setdefault(value)
    known = {"trips": feed.trip_ids, "routes": feed.route_ids, "stops": feed.stop_ids}
    told = {}
    for kind, values in named.items():
        own = set(known[kind].to_pylist()) | (brought if kind == "stops" else set())
        unknown = [value for value in values if value not in own]
        if unknown:
            told[kind] = {"count": len(unknown), "of": len(values), "ids": unknown[:MOST_TOLD]}
    return told


def _list_entities(one: Any) -> Iterator[Entity]:
    for kind in KINDS:
        if not one.HasField(kind):
            continue
        document = MessageToDict(getattr(one, kind), preserving_proto_field_name=True)
        trip = document.get("trip", {}) if kind in ("trip_update", "vehicle") else {}
        yield Entity(one.id[:200], kind, trip.get("trip_id"), trip.get("start_date"), _finite(document))


def _list_names(entity: Entity) -> Iterator[tuple[str, str]]:
    document = entity.document
    if entity.kind in ("trip_update", "vehicle"):
        yield from _list_trip(document.get("trip", {}))
        for one in (document, *document.get("stop_time_update", ())):
            if one.get("stop_id"):
                yield "stops", one["stop_id"]
    elif entity.kind == "alert":
        for one in document.get("informed_entity", ()):
            yield from _list_trip(one.get("trip", {}))
            if one.get("route_id"):
                yield "routes", one["route_id"]
            if one.get("stop_id"):
                yield "stops", one["stop_id"]
    elif entity.kind == "trip_modifications":
        for chosen in document.get("selected_trips", ()):
            yield from (("trips", trip) for trip in chosen.get("trip_ids", ()))
        for change in document.get("modifications", ()):
            selectors = (change.get("start_stop_selector", {}), change.get("end_stop_selector", {}))
            for one in (*selectors, *change.get("replacement_stops", ())):
                if one.get("stop_id"):
                    yield "stops", one["stop_id"]


def _list_trip(trip: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if trip.get("trip_id") and trip.get("schedule_relationship") not in ADDED:
        yield "trips", trip["trip_id"]
    if trip.get("route_id"):
        yield "routes", trip["route_id"]


def _finite(value: Any) -> Any:
    """Return a document without NaN and infinities, which JSON does not have, and without NUL."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value.replace("\x00", "") if isinstance(value, str) else value
