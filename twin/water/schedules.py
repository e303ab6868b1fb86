"""When pumps work: hours of the clock such as ``05:00-22:00`` or ``22:00-04:00, 11:00-13:00``."""

import re

from layers.errors import InputError

_SPAN = re.compile(r"^\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*$")
_DAY = 1440
MOST_SPANS = 24


def read_hours(words: str, pump: str) -> list[tuple[int, int]]:
    """Return spans of minutes of the day, the second below the first where it goes past midnight.

    Raises InputError where the words are otherwise.
    """
    parts = words.split(",")
    if len(parts) > MOST_SPANS:
        raise InputError(f"hours of pump '{pump}' have {len(parts)} spans, expected at most {MOST_SPANS}")
    spans = []
    for part in parts:
        found = _SPAN.match(part)
        begin, end = (
            (0, 0) if found is None else (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]))
        )
        if found is None or max(begin, end) > _DAY or begin == end or int(found[2]) > 59 or int(found[4]) > 59:
            raise InputError(f"hours '{part.strip()[:40]}' of pump '{pump}' are not as 05:00-22:00")
        spans.append((begin % _DAY, end % _DAY))
    return spans


def runs_at(spans: list[tuple[int, int]], minute: int) -> bool:
    """Return whether a pump with these spans works at a minute of the day."""
    return any(begin <= minute < end if begin < end else minute >= begin or minute < end for begin, end in spans)


def find_switches(words: str, pump: str) -> list[tuple[int, bool]]:
    """Return the minutes of the day at which a pump is switched, and whether it runs from then on.

    Midnight is among them, so that a run that begins there begins as it should.
    """
    spans = read_hours(words, pump)
    minutes = sorted({0, *(minute for span in spans for minute in span)})
    return [(minute, runs_at(spans, minute)) for minute in minutes]
