"""Hours of service and headways as people write them: ``Mo-Su 05:30-17:30``, ``00:25-00:35``, ``20``."""

import re
from dataclasses import dataclass

from layers.errors import InputError

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_CLOCK = r"(\d{1,2}):(\d{2})"
_RULE = re.compile(rf"^(?:((?:[A-Z][a-z])(?:[-,][A-Z][a-z])*)\s+)?{_CLOCK}\s*-\s*{_CLOCK}$")
_HEADWAY = re.compile(r"^(\d{1,2}:\d{2}|\d{1,3})(?:\s*[-–]\s*(\d{1,2}:\d{2}|\d{1,3}))?(?:\s*(?:min|phút))?$")
LONGEST = 86_400


@dataclass(frozen=True, slots=True)
class Span:
    """On which weekdays, Monday first, and from when until when [s] there is service."""

    days: tuple[bool, ...]
    begin: int
    end: int

    @property
    def name(self) -> str:
        """A word for the days."""
        chosen = [word for word, is_on in zip(_DAYS, self.days, strict=True) if is_on]
        return "daily" if len(chosen) == 7 else "-".join(chosen).lower()


def read_hours(text: str) -> list[Span]:
    """Return the spans of ``Mo-Fr 05:00-19:00; Sa,Su 06:00-17:00``; without days it is every day.

    Follows the OpenStreetMap words for opening hours, days and clock times only. InputError for anything else.
    """
    found = []
    for rule in filter(None, (part.strip() for part in text.split(";"))):
        matched = _RULE.match(rule)
        if matched is None:
            raise InputError(f"hours of service '{rule[:80]}' are not of the form Mo-Su 05:30-17:30")
        begin, end = _to_seconds(matched[2], matched[3]), _to_seconds(matched[4], matched[5])
        if end <= begin:
            end += 86_400
        found.append(Span(_read_days(matched[1]), begin, end))
    if not found:
        raise InputError("there are no hours of service", hint="write Mo-Su 05:30-17:30")
    return found


def read_headway(text: str) -> tuple[int, int]:
    """Return the shortest and the longest time between departures [s] of ``00:25-00:35``, ``01:00`` or ``20-25``.

    Numbers with a colon are hours and minutes, those without are minutes.
    """
    matched = _HEADWAY.match(text.strip())
    if matched is None:
        raise InputError(f"headway '{text[:80]}' is not of the form 00:25-00:35, or minutes")
    first = _read_length(matched[1])
    last = _read_length(matched[2]) if matched[2] else first
    if not 0 < first <= LONGEST or not 0 < last <= LONGEST:
        raise InputError(f"headway '{text[:80]}' is not between a minute and a day")
    return min(first, last), max(first, last)


def _read_length(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    return int(hours) * 3600 + int(minutes) * 60 if colon else int(hours) * 60


def _to_seconds(hours: str, minutes: str) -> int:
    if int(hours) > 24 or int(minutes) > 59:
        raise InputError(f"'{hours}:{minutes}' is no time of day")
    return int(hours) * 3600 + int(minutes) * 60


def _read_days(text: str | None) -> tuple[bool, ...]:
    if text is None:
        return (True,) * 7
    chosen = [False] * 7
    for part in text.split(","):
        first, _, last = part.partition("-")
        for word in (first, last or first):
            if word not in _DAYS:
                raise InputError(f"'{word}' is no day of the week", hint=f"one of {', '.join(_DAYS)}")
        day, stop = _DAYS.index(first), _DAYS.index(last or first)
        while True:
            chosen[day] = True
            if day == stop:
                break
            day = (day + 1) % 7
    return tuple(chosen)
