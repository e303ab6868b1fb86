"""Counts of what people and programs work on: alarms, work orders, jobs, warnings."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from layers.schema import Text
from twin.alarms.words import PRIORITY_TITLES
from twin.indicators.words import Measured, Part, State
from twin.store_indicators import Freshness

_APART = ("traffic-incident", "leak")
_LEAST: Mapping[str, State] = {"critical": "bad", "high": "bad"}


def measure_alarms(rows: Sequence[Mapping[str, Any]]) -> dict[str, Measured]:
    """Return the indicators that are counts of alarms, by id."""
    return {
        "alarms": _count_open(rows),
        "unacknowledged": _count(rows, "unacknowledged"),
        "traffic_incidents": _count([row for row in rows if row["event"] == "traffic-incident"], "active"),
        "leaks": _count([row for row in rows if row["event"] == "leak"], "active"),
        "other_incidents": _count([row for row in rows if row["event"] not in _APART], "incidents"),
    }


def measure_work(counts: Mapping[str, Any], now: datetime) -> dict[str, Measured]:
    """Return the indicators that are counts of work, by id."""
    orders = counts["orders_open"] + counts["orders_assigned"]
    overdue: State = "watch" if counts["orders_overdue"] else "good"
    issued: datetime | None = counts["forecast_time"]
    age = None if issued is None else max((now - issued).total_seconds(), 0.0) // 60.0
    return {
        "work_orders": Measured(
            float(orders), orders, time=counts["orders_time"], least=overdue,
            parts=(
                Part("open", Text("Mới", "New"), float(counts["orders_open"])),
                Part("assigned", Text("Đã giao", "Assigned"), float(counts["orders_assigned"])),
                Part("overdue", Text("Quá hạn", "Overdue"), float(counts["orders_overdue"])),
            ),
        ),
        "jobs": Measured(
            float(counts["jobs_running"] + counts["jobs_waiting"]), counts["jobs_running"] + counts["jobs_waiting"],
            time=counts["jobs_time"],
            parts=(
                Part("running", Text("Đang chạy", "Running"), float(counts["jobs_running"])),
                Part("waiting", Text("Đang chờ", "Waiting"), float(counts["jobs_waiting"])),
            ),
        ),
        "warnings": Measured(
            float(counts["warnings_actual"] + counts["warnings_exercise"]),
            counts["warnings_actual"] + counts["warnings_exercise"], time=counts["warnings_time"],
            parts=(
                Part("actual", Text("Thật", "Actual"), float(counts["warnings_actual"])),
                Part("exercise", Text("Diễn tập", "Exercise"), float(counts["warnings_exercise"])),
            ),
        ),
        "forecast_age": Measured(age, 0 if issued is None else 1, time=issued),
    }  # fmt: skip


def measure_freshness(found: Freshness) -> Measured:
    """Return the share of series whose readings are fresh [%]."""
    if not found.series or found.newest is None:
        return Measured(None, 0, found.series)
    return Measured(100.0 * found.fresh / found.series, found.fresh, found.series, found.newest)


def _count(rows: Sequence[Mapping[str, Any]], name: str) -> Measured:
    number = sum(row[name] for row in rows)
    return Measured(float(number), number, time=max((row["since"] for row in rows), default=None))


def _count_open(rows: Sequence[Mapping[str, Any]]) -> Measured:
    by_priority = {
        priority: sum(row["standing"] for row in rows if row["priority"] == priority) for priority in PRIORITY_TITLES
    }
    urgent = [_LEAST.get(priority, "good") for priority, number in by_priority.items() if number]
    total = _count(rows, "standing")
    return Measured(
        total.value, total.count, time=total.time, least="bad" if "bad" in urgent else "good",
        parts=tuple(Part(name, PRIORITY_TITLES[name], float(by_priority[name])) for name in by_priority),
    )  # fmt: skip
