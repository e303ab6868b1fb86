"""On which days services run: calendar.txt with the exceptions of calendar_dates.txt."""

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from twin.transit.feed import Feed
from twin.transit.tables import WEEKDAYS

MOST_DAYS = 3_660
"""Days of a calendar that are looked at, counted from its first."""


def list_service_days(feed: Feed) -> dict[str, frozenset[int]]:
    """Return the days each service runs on, as ordinals of the proleptic calendar."""
    days: dict[str, set[int]] = {}
    calendar = feed.table("calendar")
    runs = [calendar.codes(name) == 1 for name in WEEKDAYS]
    starts, ends = (list(map(read_date, calendar.texts(name))) for name in ("start_date", "end_date"))
    for row, service in enumerate(calendar.texts("service_id")):
        start, end = starts[row], ends[row]
        own = days.setdefault(service, set())
        if start is None or end is None:
            continue
        last = min(end.toordinal(), start.toordinal() + MOST_DAYS)
        own.update(day for day in range(start.toordinal(), last + 1) if runs[(day + 6) % 7][row])
    exceptions = feed.table("calendar_dates")
    kinds = exceptions.codes("exception_type")
    for row, (service, text) in enumerate(zip(exceptions.texts("service_id"), exceptions.texts("date"), strict=True)):
        day = read_date(text)
        own = days.setdefault(service, set())
        if day is not None and kinds[row] == 1:
            own.add(day.toordinal())
        elif day is not None:
            own.discard(day.toordinal())
    return {service: frozenset(own) for service, own in days.items()}


def find_active_trips(feed: Feed, day: date) -> NDArray[np.bool_]:
    """Return which trips run on a service day (trips,)."""
    ordinal = day.toordinal()
    active = {service for service, days in list_service_days(feed).items() if ordinal in days}
    return np.array([service in active for service in feed.table("trips").texts("service_id")], np.bool_)


def read_extent(feed: Feed) -> tuple[date, date] | None:
    """Return the first and the last day on which anything runs, or None."""
    used = set(feed.table("trips").texts("service_id"))
    days = [own for service, own in list_service_days(feed).items() if own and service in used]
    if not days:
        return None
    return date.fromordinal(min(map(min, days))), date.fromordinal(max(map(max, days)))


def count_trips_by_day(feed: Feed) -> dict[date, int]:
    """Return how many trips of trips.txt run on each day that has any, in order."""
    services, counts = np.unique(feed.table("trips").texts("service_id").astype(str), return_counts=True)
    days = list_service_days(feed)
    totals: dict[int, int] = {}
    for service, count in zip(services, counts, strict=True):
        for day in days.get(str(service), ()):
            totals[day] = totals.get(day, 0) + int(count)
    return {date.fromordinal(day): totals[day] for day in sorted(totals)}


def choose_day(feed: Feed, wanted: date) -> date:
    """Return ``wanted`` where trips run on it, else the nearest day of the same weekday that has trips.

    A feed that is over, or not yet valid, still tells what an ordinary day is like. Without any trip it is ``wanted``.
    """
    counts = count_trips_by_day(feed)
    if wanted in counts or not counts:
        return wanted
    same = [day for day in counts if day.weekday() == wanted.weekday()] or list(counts)
    return min(same, key=lambda day: (abs(day - wanted), -counts[day]))


def read_date(text: str) -> date | None:
    """Return ``YYYYMMDD`` as a date, None for anything else."""
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def list_days(first: date, count: int) -> list[date]:
    """Return ``count`` days from ``first`` on."""
    return [first + timedelta(days=step) for step in range(count)]
