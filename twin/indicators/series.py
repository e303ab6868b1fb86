"""Figures over the newest readings of sensors: how many count, the highest, the lowest."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from layers.schema import Text
from layers.states import FAILED
from twin.indicators.words import Behind, Measured, OfSeries, Part
from twin.state.assets import STALE_INTERVALS, STALE_S
from twin.store_indicators import SeriesRow

MOST_ITEMS = 50
_SILENT = Text("không cảm biến nào còn gửi số đo mới", "no sensor has sent lately")
_LEVELS = (Text("Báo động I", "Level I"), Text("Báo động II", "Level II"), Text("Báo động III", "Level III"))
_MISSING = 9


def is_fresh(row: SeriesRow, now: datetime) -> bool:
    """Return whether a series says anything: its newest reading is there, sound and not stale."""
    if row.value is None or row.time is None or row.quality in (FAILED, _MISSING):
        return False
    limit = STALE_INTERVALS * row.interval_s if row.interval_s else STALE_S
    return (now - row.time).total_seconds() <= limit


def measure_series(measure: OfSeries, rows: Sequence[SeriesRow], now: datetime) -> Measured:
    """Return the figure of ``measure`` over the rows of its kind and property."""
    own = [row for row in rows if _speaks(measure, row)]
    fresh = [row for row in own if is_fresh(row, now)]
    if not fresh:
        return Measured(None, 0, len(own), note=_SILENT if own else None)
    time = max(row.time for row in fresh if row.time)
    if measure.figure == "count":
        return _count(measure, own, fresh, time)
    downward = measure.figure == "lowest"
    ranked = sorted(fresh, key=lambda row: row.value or 0.0, reverse=not downward)
    return Measured(ranked[0].value, len(fresh), len(own), time, items=_list(ranked))


def measure_lamps(
    rows: Sequence[SeriesRow], now: datetime, find_level: Callable[[SeriesRow], float | None]
) -> Measured:
    """Return how many lamps with a controller failed; ``find_level`` gives the level (0–1) one should burn at.

    Failed is what should burn and reports to be dark, and what reports to burn and draws under 1 W.
    """
    own = [row for row in rows if row.observed_property == "light_level"]
    powers = {row.thing: row.value for row in rows if row.observed_property == "active_power" and is_fresh(row, now)}
    fresh = [row for row in own if is_fresh(row, now)]
    if not fresh:
        return Measured(None, 0, len(own), note=_SILENT if own else None)
    failed = []
    for row in fresh:
        lit, power = (row.value or 0.0) >= 0.01, powers.get(row.thing)
        draws_nothing = lit and power is not None and power < 1.0
        if draws_nothing or (not lit and (find_level(row) or 0.0) >= 0.01):
            failed.append(row)
    time = max(row.time for row in fresh if row.time)
    return Measured(float(len(failed)), len(fresh), len(own), time, items=_list(failed))


def _speaks(measure: OfSeries, row: SeriesRow) -> bool:
    if (row.kind, row.observed_property) != (measure.kind, measure.observed_property):
        return False
    if measure.test == "alarm":
        return any(level is not None for level in row.alarms)
    return measure.test != "slow" or bool(row.speed_limit)


def _count(measure: OfSeries, own: Sequence[SeriesRow], fresh: Sequence[SeriesRow], time: datetime) -> Measured:
    graded = [(_grade(measure, row), row) for row in fresh]
    found = [(grade, row) for grade, row in graded if grade]
    found.sort(key=lambda pair: -pair[0])
    least: Literal["good", "bad"] = "bad" if any(_is_urgent(measure, grade, row) for grade, row in found) else "good"
    parts: tuple[Part, ...] = ()
    if measure.test == "alarm":
        parts = tuple(
            Part(f"level_{level}", title, float(sum(grade == level for grade, _ in found)))
            for level, title in enumerate(_LEVELS, 1)
        )
    items = _list([row for _, row in found])
    return Measured(float(len(found)), len(fresh), len(own), time, least=least, parts=parts, items=items)


def _grade(measure: OfSeries, row: SeriesRow) -> int:
    """Return 0 for a reading that does not count, else 1, of a gauge its alarm level."""
    value = row.value or 0.0
    if measure.test == "alarm":
        reached = [n for n, level in enumerate(row.alarms, 1) if level is not None and value >= level]
        return max(reached, default=0)
    if measure.test == "slow":
        return int(value <= measure.step * (row.speed_limit or 0.0))
    return int(value >= measure.step if measure.test == "above" else value < measure.step)


def _is_urgent(measure: OfSeries, grade: int, row: SeriesRow) -> bool:
    if measure.urgent is None:
        return False
    if measure.test == "alarm":
        return grade >= measure.urgent
    return (row.value or 0.0) <= measure.urgent * (row.speed_limit or 0.0)


def _list(rows: Sequence[SeriesRow]) -> tuple[Behind, ...]:
    return tuple(Behind("sensors", row.thing, row.name, row.value, row.place) for row in rows[:MOST_ITEMS])
