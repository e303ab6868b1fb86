"""Roles: what a person or a machine may see, edit and do."""

from dataclasses import dataclass, field
from typing import Literal

from layers.access import EVERYTHING, Reach
from layers.schema import LEVELS, Access, Text

Action = Literal[
    "read", "read-staff", "ask", "edit", "upkeep", "quarantine", "query", "run", "alarm", "rule", "warn", "sense",
    "personal", "administer",
]  # fmt: skip
"""What a request does: read what is public or for the staff; ask a process that answers at once; edit features; keep
inspections, files and work orders; mend what was rejected; keep queries and traces; begin and end runs; act on alarms;
change their rules; warn the public; hand in readings; see personal data; give rights and read the audit."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its level, the themes whose layers it edits, and what it may do beside reading."""

    id: str
    title: Text
    level: Access
    edits: tuple[str, ...] = ()
    actions: frozenset[Action] = field(default_factory=frozenset)


_EVERYBODY: frozenset[Action] = frozenset({"read", "ask"})
_STAFF: frozenset[Action] = _EVERYBODY | {"read-staff"}
_ALL: frozenset[Action] = _STAFF | {
    "edit", "upkeep", "quarantine", "query", "run", "alarm", "rule", "warn", "sense", "personal", "administer",
}  # fmt: skip

ROLES: dict[str, Role] = {
    role.id: role
    for role in (
        Role("public", Text("Công chúng", "Public"), "public", (), _EVERYBODY),
        Role("viewer", Text("Người xem", "Viewer"), "staff", (), _STAFF),
        Role(
            "planner", Text("Cán bộ quy hoạch", "Planner"), "staff", ("planning", "land", "places"),
            _STAFF | {"edit", "query", "run"},
        ),
        Role(
            "engineer", Text("Kỹ sư hạ tầng", "Engineer"), "restricted", (EVERYTHING,),
            _STAFF | {"edit", "upkeep", "quarantine", "query", "run", "sense"},
        ),
        Role(
            "flood-operator", Text("Trực chống ngập", "Flood operator"), "restricted", (),
            _STAFF | {"query", "run", "alarm"},
        ),
        Role(
            "duty-officer", Text("Trực ban", "Duty officer"), "restricted", (),
            _STAFF | {"query", "run", "alarm", "rule", "warn"},
        ),
        Role("operations-centre", Text("Trung tâm điều hành (IOC)", "Operations centre"), "staff", (), _STAFF),
        Role("device", Text("Thiết bị", "Device"), "public", (), frozenset({"read", "sense"})),
        Role("data-officer", Text("Cán bộ dữ liệu cá nhân", "Data officer"), "staff", (), _STAFF | {"personal"}),
        Role("administrator", Text("Quản trị", "Administrator"), "restricted", (EVERYTHING,), _ALL),
    )
}  # fmt: skip


def list_actions(roles: frozenset[str]) -> frozenset[Action]:
    """Return what somebody with ``roles`` may do."""
    return frozenset[Action]().union(*(ROLES[role].actions for role in roles))


def find_reach(roles: frozenset[str], wards: tuple[str, ...] = ()) -> Reach:
    """Return how far somebody with ``roles``, bound to ``wards`` if there are any, sees and edits."""
    held = [ROLES[role] for role in sorted(roles)]
    level: Access = max((role.level for role in held), key=LEVELS.index, default="public")
    edits = tuple(dict.fromkeys(theme for role in held for theme in role.edits))
    return Reach(level, tuple(sorted(wards)), edits)
