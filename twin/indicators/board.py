"""All indicators at once, judged: few statements however many there are; hours that have passed are kept a while."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from layers.errors import NotFoundError
from layers.store.migrate import read_city
from twin.indicators.counts import measure_alarms, measure_freshness, measure_work
from twin.indicators.floods import measure_flooded_forecast, measure_flooded_now, measure_people
from twin.indicators.judging import judge
from twin.indicators.registry import INDICATORS
from twin.indicators.series import measure_lamps, measure_series
from twin.indicators.words import Indicator, Measured, OfSeries, Reported
from twin.state.assets import LAMPS, STALE_INTERVALS, STALE_S
from twin.state.programs import LampPrograms, read_programs
from twin.store_indicators import (
    SeriesRow,
    find_flood_runs,
    read_freshness,
    read_work_counts,
    select_alarm_counts,
    select_hours,
    select_indicator_series,
)

RECENT = timedelta(hours=23)
HOURS_KEPT_S = 60.0
Hours = tuple[tuple[datetime, float | None], ...]
_LAMP_SERIES = (("light", "light_level"), ("light", "active_power"))


class IndicatorBoard:
    """Measures all indicators at most once in ``keep_s``, whoever asks; ``processed`` is the folder of rasters."""

    def __init__(self, processed: Path, *, keep_s: float = 2.0) -> None:
        self._processed, self._keep_s = processed, keep_s
        self._lock = threading.Lock()
        self._measured: tuple[float, tuple[Reported, ...]] | None = None
        self._hours: tuple[float, Mapping[str, Hours]] | None = None

    def measure(self, connect: Callable[[], Connection]) -> tuple[Reported, ...]:
        """Return all indicators in the order of the registry; ``connect`` opens a connection where one is needed."""
        with self._lock:
            kept = self._measured
            if kept is not None and time.monotonic() - kept[0] < self._keep_s:
                return kept[1]
            with connect() as connection:
                now = datetime.now(UTC)
                found = measure_all(connection, self._processed, now)
                hours = self._read_hours(connection, now)
            reported = tuple(
                judge(indicator, found[indicator.id], hours.get(indicator.id, ())) for indicator in INDICATORS.values()
            )
            self._measured = (time.monotonic(), reported)
            return reported

    def forget(self) -> None:
        """Measure anew when next asked."""
        with self._lock:
            self._measured = self._hours = None

    def _read_hours(self, connection: Connection, now: datetime) -> Mapping[str, Hours]:
        if self._hours is None or time.monotonic() - self._hours[0] >= HOURS_KEPT_S:
            read = {
                each.id: tuple(select_hours(connection, each.measure, now - RECENT, now))
                for each in INDICATORS.values()
                if isinstance(each.measure, OfSeries)
            }
            self._hours = (time.monotonic(), read)
        return self._hours[1]


def find_indicator(indicator_id: str) -> Indicator:
    """Return the indicator of this id; NotFoundError names the ones there are."""
    found = INDICATORS.get(indicator_id)
    if found is None:
        raise NotFoundError(f"there is no indicator '{indicator_id[:80]}'", hint=f"one of {', '.join(INDICATORS)}")
    return found


def read_history(connection: Connection, indicator: Indicator, start: datetime, end: datetime) -> Hours:
    """Return hourly figures of an indicator; NotFoundError for one that is not made of readings."""
    if not isinstance(indicator.measure, OfSeries):
        raise NotFoundError(f"indicator '{indicator.id}' keeps no history", hint="only those of sensors do")
    return tuple(select_hours(connection, indicator.measure, start, end))


def measure_all(connection: Connection, processed: Path, now: datetime) -> dict[str, Measured]:
    """Return what was measured of every indicator, by id."""
    figures = {each.id: each.measure for each in INDICATORS.values() if isinstance(each.measure, OfSeries)}
    wanted = dict.fromkeys([(each.kind, each.observed_property) for each in figures.values()])
    rows = select_indicator_series(connection, [*wanted, *_LAMP_SERIES])
    runs = find_flood_runs(connection, now)
    counts = {
        **measure_alarms(select_alarm_counts(connection)),
        **measure_work(read_work_counts(connection, now), now),
        "flooded_now": measure_flooded_now(runs, processed, now),
        "flooded_forecast": measure_flooded_forecast(runs),
        "people_affected": measure_people(runs),
        "lamps_failed": _measure_lamps(connection, [row for row in rows if row.kind == "light"], now),
        "sensors_fresh": measure_freshness(read_freshness(connection, now, STALE_INTERVALS, STALE_S)),
    }
    return {
        each.id: measure_series(each.measure, rows, now) if isinstance(each.measure, OfSeries) else counts[each.measure]
        for each in INDICATORS.values()
    }


def _measure_lamps(connection: Connection, rows: Sequence[SeriesRow], now: datetime) -> Measured:
    zone = ZoneInfo(str(read_city(connection).declaration.get("timezone", "UTC")))
    programs: dict[str | None, LampPrograms] = {}
    for layer in LAMPS:
        items = sorted({row.item for row in rows if row.layer == layer and row.item})
        if items:
            programs[layer] = read_programs(connection, layer, items, now, zone)

    def find_level(row: SeriesRow) -> float | None:
        own = programs.get(row.layer)
        if own is None or row.item is None or row.place is None:
            return None
        return own.find_level_at(row.item, row.place[1], row.place[0])

    return measure_lamps(rows, now, find_level)
