"""Which lamp follows which calendar: that of its cabinet, that of the city, or the presumed one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from layers.store.lamps import EVERYWHERE, select_calendars, select_feeds
from layers.store.sensing.state import WatchedItem
from twin.lighting.documents import read_lamp_document
from twin.state.lamps import PRESUMED, LampCalendar, compute_level

Feed = tuple[str | None, str | None]
_NO_FEED: Feed = (None, None)


@dataclass(frozen=True)
class LampPrograms:
    """The calendars in force at ``at``, by cabinet, and the cabinet and circuit of each lamp."""

    at: datetime
    zone: ZoneInfo
    calendars: Mapping[str, LampCalendar]
    feeds: Mapping[str, Feed]

    @cached_property
    def _levels(self) -> dict[tuple[str, float, float], float]:
        return {}

    def is_declared(self, item: str) -> bool:
        """Return whether somebody declared a calendar for a lamp."""
        return self.find_name(item) in self.calendars

    def find_level(self, place: WatchedItem) -> float:
        """Return the level (0–1) a lamp should burn at."""
        return self.find_level_at(place.id, place.lat, place.lon)

    def find_level_at(self, item: str, latitude: float, longitude: float) -> float:
        """Return the level (0–1) a lamp at a place [°] should burn at; within a kilometre lamps see the same sun."""
        name = self.find_name(item)
        calendar = self.calendars.get(name, PRESUMED)
        override = calendar.find_override(self.at, self.list_addresses(item)) if calendar.overrides else None
        if override is not None:
            return override.level
        here = round(latitude, 2), round(longitude, 2)
        key = (name, *here)
        if key not in self._levels:
            self._levels[key] = compute_level(calendar, self.at, *here, self.zone, frozenset({""}))
        return self._levels[key]

    def find_name(self, item: str) -> str:
        """Return the cabinet whose calendar a lamp follows; "" for that of all others."""
        cabinet = self.feeds.get(item, _NO_FEED)[0] or EVERYWHERE
        return cabinet if cabinet in self.calendars else EVERYWHERE

    def list_addresses(self, item: str) -> frozenset[str]:
        """Return what an override may have been sent to, to reach a lamp: itself, its circuit, its cabinet."""
        return frozenset({item, *(each for each in self.feeds.get(item, _NO_FEED) if each)})


def read_calendars(documents: Mapping[str, Any]) -> dict[str, LampCalendar]:
    """Return the calendars of documents, by cabinet."""
    return {name: read_lamp_document(document) for name, document in documents.items()}


def choose_versions(versions: Iterable[tuple[str, datetime, Any]], at: datetime) -> dict[str, Any]:
    """Return the documents in force at a time of all versions, which are in the order of their times."""
    return {cabinet: document for cabinet, valid_from, document in versions if valid_from <= at}


def read_programs(
    connection: Connection, layer_id: str, items: Sequence[str], at: datetime, zone: ZoneInfo
) -> LampPrograms:
    """Return what the lamps ``items`` of a layer follow at a time; for a cabinet, the lamps it switches."""
    calendars = read_calendars(select_calendars(connection, at))
    own: dict[str, Feed] = {item: (item, None) for item in items}
    feeds = own if layer_id == "lighting_cabinets" else select_feeds(connection, items) if calendars else {}
    return LampPrograms(at, zone, calendars, feeds)
