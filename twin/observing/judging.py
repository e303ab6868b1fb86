"""How the objectives stand: now, over a day, over thirty days, and how much may still go wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from layers.schema import Text
from twin.observing.objectives import DAYS, OBJECTIVES, Objective
from twin.store_observing import MEASURED, Counted

State = Literal["met", "risk", "missed", "unknown"]
STATE_TITLES: Mapping[State, Text] = {
    "met": Text("đạt", "met"),
    "risk": Text("sắp không đạt", "at risk"),
    "missed": Text("không đạt", "missed"),
    "unknown": Text("chưa có số liệu", "no figures yet"),
}
LOW_BUDGET = 0.25
NONE = Counted(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Judged:
    """One objective: what was counted this hour and the one before, within a day, within ``DAYS`` days, day by day.

    ``budget``: share of what may go wrong in ``DAYS`` days that is left, below zero when too much did.
    """

    objective: Objective
    state: State
    now: Counted
    day: Counted
    month: Counted
    budget: float | None
    days: Sequence[tuple[date, Counted]]


def judge_objectives(hours: Mapping[str, Mapping[datetime, Counted]], now: datetime, zone: ZoneInfo) -> list[Judged]:
    """Return every objective, judged by what was counted in the ``hours`` up to ``now``; days are those of ``zone``."""
    return [_judge(each, hours.get(each.id, {}), now, zone) for each in OBJECTIVES.values()]


def find_measured_share(hours: Mapping[str, Mapping[datetime, Counted]], now: datetime) -> float | None:
    """Return the share of the minutes since the first that was measured that were, None where none was."""
    measured = hours.get(MEASURED)
    if not measured:
        return None
    minutes = max((now - min(measured)).total_seconds() / 60.0, 1.0)
    return min(_sum(measured.values()).total / minutes, 1.0)


def find_ratio(counted: Counted) -> float | None:
    """Return the share of good chances, None where there were none."""
    return counted.good / counted.total if counted.total else None


def _judge(objective: Objective, hours: Mapping[datetime, Counted], now: datetime, zone: ZoneInfo) -> Judged:
    def since(start: datetime) -> Counted:
        return _sum(counted for hour, counted in hours.items() if hour >= start)

    this_hour = now.replace(minute=0, second=0, microsecond=0)
    month = since(now - timedelta(days=DAYS))
    ratio = find_ratio(month)
    budget = None if ratio is None else 1.0 - (1.0 - ratio) / (1.0 - objective.target)
    state: State = "met"
    if ratio is None or budget is None:
        state = "unknown"
    elif ratio < objective.target:
        state = "missed"
    elif budget < LOW_BUDGET:
        state = "risk"
    return Judged(
        objective,
        state,
        since(this_hour - timedelta(hours=1)),
        since(now - timedelta(days=1)),
        month,
        budget,
        _sum_days(hours, now, zone),
    )


def _sum_days(hours: Mapping[datetime, Counted], now: datetime, zone: ZoneInfo) -> list[tuple[date, Counted]]:
    today = now.astimezone(zone).date()
    by_day: dict[date, list[Counted]] = {today - timedelta(days=DAYS - 1 - k): [] for k in range(DAYS)}
    for hour, counted in hours.items():
        by_day.get(hour.astimezone(zone).date(), []).append(counted)
    return [(day, _sum(counts)) for day, counts in by_day.items()]


def _sum(counts: Iterable[Counted]) -> Counted:
    good, total = 0.0, 0.0
    for counted in counts:
        good, total = good + counted.good, total + counted.total
    return Counted(good, total)
