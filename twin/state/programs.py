"""Which lamp follows which calendar: that of its cabinet, that of the city, or the presumed one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from layers.store.lamps import EVERYWHERE, select_cabinets, select_calendars
from layers.store.sensing.state import WatchedItem
from twin.state.lamps import PRESUMED, LampCalendar, compute_level, read_calendar


@dataclass(frozen=True)
class LampPrograms:
    """The calendars in force at ``at``, by cabinet, and the cabinet of each lamp."""

    at: datetime
    zone: ZoneInfo
    calendars: dict[str, LampCalendar]
    cabinets: dict[str, str]

    @cached_property
    def _levels(self) -> dict[tuple[str, float, float], float]:
        return {}

    def is_declared(self, item: str) -> bool:
        """Return whether somebody declared a calendar for a lamp."""
        return self._find(item) in self.calendars

    def find_level(self, place: WatchedItem) -> float:
        """Return the level (0–1) a lamp should burn at; lamps within a kilometre see the same sun."""
        found, latitude, longitude = self._find(place.id), round(place.lat, 2), round(place.lon, 2)
        key = (found, latitude, longitude)
        if key not in self._levels:
            calendar = self.calendars.get(found, PRESUMED)
            self._levels[key] = compute_level(calendar, self.at, latitude, longitude, self.zone)
        return self._levels[key]

    def _find(self, item: str) -> str:
        cabinet = self.cabinets.get(item, EVERYWHERE)
        return cabinet if cabinet in self.calendars else EVERYWHERE


def read_programs(
    connection: Connection, layer_id: str, items: Sequence[str], at: datetime, zone: ZoneInfo
) -> LampPrograms:
    """Return what the lamps ``items`` of a layer follow at a time; for a cabinet, the lamps it switches."""
    calendars = {name: read_calendar(document) for name, document in select_calendars(connection, at).items()}
    own = {item: item for item in items}
    cabinets = own if layer_id == "lighting_cabinets" else select_cabinets(connection, items) if calendars else {}
    return LampPrograms(at, zone, calendars, cabinets)
