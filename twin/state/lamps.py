"""Is a lamp lit at t? A control program and a calendar say so, where no controller reports (words after TALQ).

A program is a list of switching events of one lighting day, each at a clock time or at sunset or sunrise; the level of
the last event counts until the next. A calendar names the program of each day; days it does not name have the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from layers.errors import InputError
from twin.state.sun import compute_sunrise


@dataclass(frozen=True, slots=True)
class SwitchEvent:
    """From ``at`` on the lamp burns at ``level`` (0–1).

    ``at`` is a clock time, or ``sunset`` or ``sunrise`` with ``offset`` [min] after it.
    """

    at: time | str
    level: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.at, str) and self.at not in ("sunset", "sunrise"):
            raise InputError(f"a lamp cannot switch at '{self.at}'", hint="sunset, sunrise or a clock time")
        if not 0.0 <= self.level <= 1.0:
            raise InputError(f"level {self.level:g} of a lamp lies outside 0 to 1")


@dataclass(frozen=True, slots=True)
class ControlProgram:
    """A named list of switching events; a lighting day runs from noon to noon, so that a night is not cut."""

    id: str
    events: tuple[SwitchEvent, ...]


DUSK_TO_DAWN = ControlProgram("dusk-to-dawn", (SwitchEvent("sunset", 1.0), SwitchEvent("sunrise", 0.0)))
"""What a photocell does, and the presumption where nobody declared a program."""


@dataclass(frozen=True, slots=True)
class LampCalendar:
    """Programs by day: ``days`` for single dates (holidays), ``weekdays`` (0 Monday – 6 Sunday), else ``usual``."""

    usual: ControlProgram = DUSK_TO_DAWN
    weekdays: Mapping[int, ControlProgram] = field(default_factory=lambda: MappingProxyType({}))
    days: Mapping[date, ControlProgram] = field(default_factory=lambda: MappingProxyType({}))

    def find_program(self, day: date) -> ControlProgram:
        """Return the program of the lighting day that begins at noon of ``day``."""
        return self.days.get(day) or self.weekdays.get(day.weekday()) or self.usual


PRESUMED = LampCalendar()


def read_calendar(document: Any) -> LampCalendar:
    """Return the calendar a JSON document declares.

    ``programs`` holds lists of events by name (``at``: sunset, sunrise or HH:MM; ``level`` 0–1; ``offset`` in minutes),
    ``usual`` names one of them, ``weekdays`` ("0" Monday – "6" Sunday) and ``days`` (dates) name others. Raises
    InputError for what cannot be read.
    """
    try:
        programs = {
            str(name): ControlProgram(str(name), tuple(_read_event(event) for event in events))
            for name, events in document["programs"].items()
        }
        weekdays = {int(day): programs[name] for day, name in document.get("weekdays", {}).items()}
        days = {date.fromisoformat(day): programs[name] for day, name in document.get("days", {}).items()}
        calendar = LampCalendar(programs[document["usual"]], MappingProxyType(weekdays), MappingProxyType(days))
    except KeyError as error:
        raise InputError(f"the calendar names no {error}", hint="programs, usual, weekdays, days") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"the calendar cannot be read: {error}", hint="docs/state.md shows one") from error
    if not set(weekdays) <= set(range(7)):
        raise InputError(f"weekdays {sorted(weekdays)} are not 0 (Monday) to 6 (Sunday)")
    return calendar


def _read_event(event: Mapping[str, Any]) -> SwitchEvent:
    at = event["at"]
    moment = at if at in ("sunset", "sunrise") else time.fromisoformat(at)
    return SwitchEvent(moment, float(event["level"]), float(event.get("offset", 0.0)))


def compute_level(calendar: LampCalendar, at: datetime, latitude: float, longitude: float, zone: ZoneInfo) -> float:
    """Return the level (0–1) a lamp burns at: a pure function of time, place [°] and calendar.

    Before the first event of a lighting day the level is that of the last event of the day before, and 0 before that.
    """
    local = at.astimezone(zone)
    day = local.date() if local.time() >= time(12) else local.date() - timedelta(days=1)
    for past in range(2):
        switched = _list_switches(calendar, day - timedelta(days=past), latitude, longitude, zone)
        before = [level for moment, level in switched if moment <= at]
        if before:
            return before[-1]
    return 0.0


def _list_switches(
    calendar: LampCalendar, day: date, latitude: float, longitude: float, zone: ZoneInfo
) -> Sequence[tuple[datetime, float]]:
    """Return the moments of the lighting day that begins at noon of ``day``, in order, with the level from then on."""
    evening, morning = (compute_sunrise(each, latitude, longitude) for each in (day, day + timedelta(days=1)))
    switches = []
    for event in calendar.find_program(day).events:
        if isinstance(event.at, time):
            date_of = day if event.at >= time(12) else day + timedelta(days=1)
            moment = datetime.combine(date_of, event.at, zone).astimezone(UTC)
        else:
            sun = evening if event.at == "sunset" else morning
            if sun is None:
                continue
            moment = sun[1] if event.at == "sunset" else sun[0]
        switches.append((moment + timedelta(minutes=event.offset), event.level))
    return sorted(switches)
