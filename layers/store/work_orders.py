"""Work orders: what is to be done to which features, who does it, and every step on record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError, PreconditionError
from layers.store.references import Reference, locate_middle
from layers.upkeep import Kind, Origin, Priority, Status, check_transition

Bounds = tuple[float, float, float, float]
CHANGEABLE = ("title", "description", "kind", "priority", "assignee", "due", "cost")
_COLUMNS = (
    "id, title, description, kind, status, priority, assignee, due, cost, origin, inspection, "
    "ST_X(position) as longitude, ST_Y(position) as latitude, created, updated, version, "
    "(due < current_date and status in ('open', 'assigned')) is true as overdue, "
    "coalesce((select array_agg(array[f.layer, f.feature] order by f.layer, f.feature) "
    "from inventory.work_order_feature f where f.work_order = w.id), '{}') as features"
)


@dataclass(frozen=True, slots=True)
class NewWorkOrder:
    """What somebody asks to be done; ``position`` (longitude, latitude) where no feature says it."""

    title: str
    kind: Kind
    features: Sequence[Reference] = ()
    description: str = ""
    priority: Priority = "normal"
    assignee: str | None = None
    due: date | None = None
    cost: float | None = None
    origin: Origin = "plan"
    inspection: int | None = None
    position: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """One work order as it is now; ``cost`` in the city's currency, ``version`` counts its changes."""

    id: int
    title: str
    description: str
    kind: Kind
    status: Status
    priority: Priority
    assignee: str | None
    due: date | None
    cost: float | None
    origin: Origin
    inspection: int | None
    position: tuple[float, float] | None
    features: tuple[Reference, ...]
    created: datetime
    updated: datetime
    version: int
    overdue: bool


@dataclass(frozen=True, slots=True)
class WorkOrderEvent:
    """One step in the life of a work order: who, why, from which status to which, what else changed."""

    id: int
    at: datetime
    author: str
    reason: str
    status_before: Status | None
    status_after: Status
    changes: dict[str, Any]


def open_work_order(connection: Connection, new: NewWorkOrder, *, author: str, reason: str = "") -> WorkOrder:
    """Write a work order, open or — with an assignee — assigned; NotFoundError names a feature that does not exist."""
    middle = locate_middle(connection, new.features)
    position = new.position or middle
    if position is None:
        raise InputError("a work order needs a feature or a position", hint="give 'features' or 'position'")
    order_id = connection.execute(
        text(
            "insert into inventory.work_order "
            "(title, description, kind, status, priority, assignee, due, cost, origin, inspection, position) values "
            "(:title, :description, :kind, :status, :priority, :assignee, :due, :cost, :origin, :inspection, "
            "ST_SetSRID(ST_MakePoint(:longitude, :latitude), 4326)) returning id"
        ),
        {
            "title": new.title,
            "description": new.description,
            "kind": new.kind,
            "status": "assigned" if new.assignee else "open",
            "priority": new.priority,
            "assignee": new.assignee,
            "due": new.due,
            "cost": new.cost,
            "origin": new.origin,
            "inspection": new.inspection,
            "longitude": position[0],
            "latitude": position[1],
        },
    ).scalar_one()
    named = list(dict.fromkeys(new.features))
    connection.execute(
        text(
            "insert into inventory.work_order_feature "
            "select :id, * from unnest(cast(:layers as text[]), cast(:features as text[]))"
        ),
        {"id": order_id, "layers": [one.layer for one in named], "features": [one.feature for one in named]},
    )
    order = read_work_order(connection, order_id)
    _record(connection, order, None, author=author, reason=reason, changes={})
    return order


def read_work_order(connection: Connection, order_id: int, *, lock: bool = False) -> WorkOrder:
    """Return one work order; ``lock`` makes others wait with it until the transaction ends."""
    found = text(f"select {_COLUMNS} from inventory.work_order w where id = :id {'for update of w' if lock else ''}")
    row = connection.execute(found, {"id": order_id}).first()
    if row is None:
        raise NotFoundError(f"work order {order_id} does not exist")
    return _read_row(row)


def list_work_orders(
    connection: Connection,
    *,
    status: Sequence[Status] = (),
    layer_id: str | None = None,
    feature: str | None = None,
    assignee: str | None = None,
    overdue: bool = False,
    bounds: Bounds | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[WorkOrder]:
    """Return work orders, the newest first; ``bounds``: west, south, east, north [°]; ``before``: only ids below it."""
    west, south, east, north = bounds or (None, None, None, None)
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from inventory.work_order w "
            "where (cardinality(cast(:status as text[])) = 0 or status = any(:status)) "
            "and (cast(:assignee as text) is null or assignee = :assignee) "
            "and (not :overdue or (due < current_date and status in ('open', 'assigned'))) "
            "and (cast(:west as double precision) is null "
            "or position && ST_MakeEnvelope(:west, :south, :east, :north, 4326)) "
            "and (cast(:layer as text) is null or exists (select 1 from inventory.work_order_feature f "
            "where f.work_order = w.id and f.layer = :layer "
            "and (cast(:feature as text) is null or f.feature = :feature))) "
            "and (cast(:before as bigint) is null or id < :before) order by id desc limit :limit"
        ),
        {
            "status": list(status),
            "assignee": assignee,
            "overdue": overdue,
            "west": west,
            "south": south,
            "east": east,
            "north": north,
            "layer": layer_id,
            "feature": feature,
            "before": before,
            "limit": limit,
        },
    )
    return [_read_row(row) for row in rows]


def change_work_order(
    connection: Connection,
    order_id: int,
    changes: Mapping[str, Any],
    *,
    author: str,
    reason: str = "",
    version: int | None = None,
) -> WorkOrder:
    """Change the named columns and return the order; PreconditionError when it is no longer at ``version``."""
    unknown = [name for name in changes if name not in CHANGEABLE]
    if unknown:
        raise InputError(f"'{unknown[0]}' of a work order cannot be changed", hint=f"only {', '.join(CHANGEABLE)}")
    before = _lock(connection, order_id, version)
    if before.status == "assigned" and "assignee" in changes and not changes["assignee"]:
        raise InputError(f"work order {order_id} is assigned and needs an assignee", hint="move it to open")
    different = {name: value for name, value in changes.items() if getattr(before, name) != value}
    if not different:
        return before
    _update(connection, order_id, different)
    after = read_work_order(connection, order_id)
    _record(connection, after, before.status, author=author, reason=reason, changes=different)
    return after


def move_work_order(
    connection: Connection,
    order_id: int,
    status: Status,
    *,
    author: str,
    reason: str = "",
    assignee: str | None = None,
    version: int | None = None,
) -> WorkOrder:
    """Take an order to its next ``status``; ConflictError when that step does not exist."""
    before = _lock(connection, order_id, version)
    check_transition(order_id, before.status, status, assignee=assignee or before.assignee)
    changes: dict[str, Any] = {"assignee": assignee} if assignee else {}
    if status == "open":
        changes["assignee"] = None
    _update(connection, order_id, {**changes, "status": status})
    after = read_work_order(connection, order_id)
    _record(connection, after, before.status, author=author, reason=reason, changes=changes)
    return after


def list_events(connection: Connection, order_id: int) -> list[WorkOrderEvent]:
    """Return the steps of a work order in their order."""
    rows = connection.execute(
        text(
            "select id, at, author, reason, status_before, status_after, changes from inventory.work_order_event "
            "where work_order = :id order by id"
        ),
        {"id": order_id},
    )
    return [WorkOrderEvent(*row) for row in rows]


def _lock(connection: Connection, order_id: int, version: int | None) -> WorkOrder:
    order = read_work_order(connection, order_id, lock=True)
    if version is not None and order.version != version:
        raise PreconditionError(f"work order {order_id} was changed meanwhile", hint="read it again")
    return order


def _update(connection: Connection, order_id: int, values: Mapping[str, Any]) -> None:
    assigned = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(
        text(
            f"update inventory.work_order set {assigned}, updated = clock_timestamp(), version = version + 1 "
            "where id = :id"
        ),
        {**values, "id": order_id},
    )


def _record(
    connection: Connection,
    order: WorkOrder,
    before: Status | None,
    *,
    author: str,
    reason: str,
    changes: Mapping[str, Any],
) -> None:
    connection.execute(
        text(
            "insert into inventory.work_order_event (work_order, author, reason, status_before, status_after, changes) "
            "values (:id, :author, :reason, :before, :after, cast(:changes as jsonb))"
        ),
        {
            "id": order.id,
            "author": author,
            "reason": reason,
            "before": before,
            "after": order.status,
            "changes": json.dumps(dict(changes), ensure_ascii=False, default=str),
        },
    )


def _read_row(row: Any) -> WorkOrder:
    position = None if row.longitude is None else (row.longitude, row.latitude)
    features = tuple(Reference(*pair) for pair in row.features)
    head = (row.id, row.title, row.description, row.kind, row.status, row.priority, row.assignee, row.due, row.cost)
    return WorkOrder(
        *head, row.origin, row.inspection, position, features, row.created, row.updated, row.version, row.overdue
    )
