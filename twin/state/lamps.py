"""Is a lamp lit at t? A control program and a calendar say so, where no controller reports (words after TALQ).

A program gives the switches of one lighting day, each at a moment; the level of the last one counts until the next. A
calendar names the program of each day: by date, by its rules in their order, by weekday, else the usual one. An
override command goes before them all while it lasts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol
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
class Night:
    """One lighting day, from noon of ``day`` to the next noon, with its sunset and the sunrise after it, if any."""

    day: date
    sunset: datetime | None
    sunrise: datetime | None
    zone: ZoneInfo

    def find_moment(self, clock: time) -> datetime:
        """Return when the clock shows a time within this lighting day."""
        day = self.day if clock >= time(12) else self.day + timedelta(days=1)
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


class Program(Protocol):
    """What can stand in a calendar."""

    @property
    def id(self) -> str:
        """The name of the program."""

    def list_switches(self, night: Night) -> list[tuple[datetime, float]]:
        """Return the moments of a lighting day at which the level changes, with the level from then on."""


@dataclass(frozen=True, slots=True)
class ControlProgram:
    """A named list of switching events; a lighting day runs from noon to noon, so that a night is not cut."""

    id: str
    events: tuple[SwitchEvent, ...]

    def list_switches(self, night: Night) -> list[tuple[datetime, float]]:
        """Return the moments of its events; those of a sun that does not rise or set are left out."""
        found = []
        for event in self.events:
            if isinstance(event.at, time):
                moment: datetime | None = night.find_moment(event.at)
            else:
                moment = night.sunset if event.at == "sunset" else night.sunrise
            if moment is not None:
                found.append((moment + timedelta(minutes=event.offset), event.level))
        return sorted(found)


DUSK_TO_DAWN = ControlProgram("dusk-to-dawn", (SwitchEvent("sunset", 1.0), SwitchEvent("sunrise", 0.0)))
"""What a photocell does, and the presumption where nobody declared a program."""


class Rule(Protocol):
    """What names a program for some days."""

    @property
    def program(self) -> Program:
        """The program of the days it applies to."""

    def applies(self, day: date) -> bool:
        """Return whether it applies to the lighting day that begins at noon of ``day``."""


@dataclass(frozen=True, slots=True)
class OverrideCommand:
    """From ``start`` on lamps burn at ``level`` (0–1), until ``expiration`` if it has one.

    addresses: ids of lamps, circuits and cabinets it was sent to; empty for all that follow the calendar.
    """

    level: float
    start: datetime
    expiration: datetime | None = None
    addresses: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 0.0 <= self.level <= 1.0:
            raise InputError(f"level {self.level:g} of an override lies outside 0 to 1")
        if self.expiration is not None and self.expiration <= self.start:
            raise InputError(f"an override ends at {self.expiration} before it begins at {self.start}")

    def holds(self, at: datetime, addresses: frozenset[str]) -> bool:
        """Return whether it is in force at a time for what has any of these addresses."""
        lasts = self.start <= at and (self.expiration is None or at < self.expiration)
        return lasts and (not self.addresses or bool(self.addresses & addresses))


@dataclass(frozen=True, slots=True)
class LampCalendar:
    """Programs by day: ``days`` for single dates (holidays), the first of ``rules`` that applies, ``weekdays``
    (0 Monday – 6 Sunday), else ``usual``. ``overrides`` go before programs; of several the one that began last,
    of those that began at once the last in the list.
    """

    usual: Program = DUSK_TO_DAWN
    weekdays: Mapping[int, Program] = field(default_factory=lambda: MappingProxyType({}))
    days: Mapping[date, Program] = field(default_factory=lambda: MappingProxyType({}))
    rules: tuple[Rule, ...] = ()
    overrides: tuple[OverrideCommand, ...] = ()

    def find_program(self, day: date) -> Program:
        """Return the program of the lighting day that begins at noon of ``day``."""
        if day in self.days:
            return self.days[day]
        ruled = next((rule.program for rule in self.rules if rule.applies(day)), None)
        return ruled or self.weekdays.get(day.weekday()) or self.usual

    def find_override(self, at: datetime, addresses: frozenset[str]) -> OverrideCommand | None:
        """Return the override command in force at a time for what has any of these addresses."""
        holding = [each for each in reversed(self.overrides) if each.holds(at, addresses)]
        return max(holding, key=lambda each: each.start, default=None)


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


def compute_level(
    calendar: LampCalendar,
    at: datetime,
    latitude: float,
    longitude: float,
    zone: ZoneInfo,
    addresses: frozenset[str] = frozenset(),
) -> float:
    """Return the level (0–1) a lamp burns at: a pure function of time, place [°], calendar and the lamp's addresses.

    Before the first switch of a lighting day the level is that of the last switch of the day before, and 0 before that.
    """
    override = calendar.find_override(at, addresses)
    if override is not None:
        return override.level
    local = at.astimezone(zone)
    day = local.date() if local.time() >= time(12) else local.date() - timedelta(days=1)
    for past in range(2):
        switched = _list_switches(calendar, day - timedelta(days=past), latitude, longitude, zone)
        before = [level for moment, level in switched if moment <= at]
        if before:
            return before[-1]
    return 0.0


def list_levels(
    calendar: LampCalendar,
    start: datetime,
    end: datetime,
    latitude: float,
    longitude: float,
    zone: ZoneInfo,
    addresses: frozenset[str] = frozenset(),
) -> list[tuple[datetime, float]]:
    """Return the levels from ``start`` to ``end`` as steps: the moment each begins, and the level from then on.

    At every time between, the step it lies in has the level that ``compute_level`` gives.
    """
    if not start < end:
        raise InputError(f"the period ends at {end} before it begins at {start}")
    edges = {start}
    day, last = (
        start.astimezone(zone).date() - timedelta(days=2),
        end.astimezone(zone).date() + timedelta(days=1),
    )
    while day <= last:
        edges.update(moment for moment, _ in _list_switches(calendar, day, latitude, longitude, zone))
        # A lighting day whose first switch lies before the last one of the day before takes over at noon.
        edges.add(datetime.combine(day, time(12), zone).astimezone(UTC))
        day += timedelta(days=1)
    for override in calendar.overrides:
        edges.add(override.start)
        if override.expiration is not None:
            edges.add(override.expiration)
    steps: list[tuple[datetime, float]] = []
    for moment in sorted(edge for edge in edges if start <= edge < end):
        level = compute_level(calendar, moment, latitude, longitude, zone, addresses)
        if not steps or steps[-1][1] != level:
            steps.append((moment, level))
    return steps


def _list_switches(
    calendar: LampCalendar, day: date, latitude: float, longitude: float, zone: ZoneInfo
) -> Sequence[tuple[datetime, float]]:
    """Return the moments of the lighting day that begins at noon of ``day``, in order, with the level from then on."""
    evening, morning = (_find_sun(each, latitude, longitude) for each in (day, day + timedelta(days=1)))
    night = Night(day, evening and evening[1], morning and morning[0], zone)
    return calendar.find_program(day).list_switches(night)


@lru_cache(maxsize=8192)
def _find_sun(day: date, latitude: float, longitude: float) -> tuple[datetime, datetime] | None:
    return compute_sunrise(day, latitude, longitude)
