"""The words of upkeep: condition grades, inspections, the life of a work order.

Grades run as in the NASSCO programme and the VSA guideline turned round: 1 needs nothing, 5 has failed. A work order
maps to a request of Open311 GeoReport v2: open and assigned are its ``open``, the other states its ``closed``.
"""

from typing import Literal

from layers.errors import ConflictError
from layers.schema import Text

Method = Literal["visual", "cctv", "survey", "acoustic", "sensor"]
Urgency = Literal["none", "year", "quarter", "month", "now"]
Status = Literal["open", "assigned", "done", "verified", "cancelled"]
Priority = Literal["low", "normal", "high", "urgent"]
Kind = Literal["repair", "clean", "replace", "inspect", "other"]
Origin = Literal["inspection", "alarm", "report", "plan"]

CONDITION_OF_GRADE = {1: "good", 2: "good", 3: "fair", 4: "poor", 5: "failed"}
PRIORITY_OF_GRADE: dict[int, Priority] = {4: "high", 5: "urgent"}

NEXT: dict[Status, tuple[Status, ...]] = {
    "open": ("assigned", "cancelled"),
    "assigned": ("done", "open", "cancelled"),
    "done": ("verified", "assigned"),
    "verified": (),
    "cancelled": ("open",),
}
STATUS_TITLES: dict[Status, Text] = {
    "open": Text("Mới mở", "Open"),
    "assigned": Text("Đã giao", "Assigned"),
    "done": Text("Đã làm xong", "Done"),
    "verified": Text("Đã nghiệm thu", "Verified"),
    "cancelled": Text("Đã hủy", "Cancelled"),
}

# Years between two looks at the same asset; layers that are not named are looked at when somebody asks.
YEARS_BETWEEN_INSPECTIONS: dict[str, int] = {
    "drainage_nodes": 2,
    "drainage_links": 5,
    "dykes": 1,
    "bridges": 2,
    "road_links": 1,
    "signals": 1,
    "luminaires": 2,
    "lighting_cabinets": 1,
    "trees": 2,
}


def check_transition(order: int, before: Status, after: Status, *, assignee: str | None) -> None:
    """Raise ConflictError when a work order cannot go from ``before`` to ``after``; ``assigned`` needs an assignee."""
    if after not in NEXT[before]:
        possible = ", ".join(NEXT[before]) or "nothing, it is over"
        raise ConflictError(f"work order {order} is {before} and cannot become {after}", hint=f"next is {possible}")
    if after == "assigned" and not assignee:
        raise ConflictError(f"work order {order} has nobody it is assigned to", hint="give 'assignee'")
