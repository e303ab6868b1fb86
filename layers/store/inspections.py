"""Inspections: what was seen of a feature, when, by whom, and the grade it was given."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from layers.schema import VectorLayer
from layers.store.names import quote
from layers.store.references import require_feature
from layers.store.tables import CITY
from layers.upkeep import YEARS_BETWEEN_INSPECTIONS, Method, Urgency

_COLUMNS = "id, layer, feature, inspected, inspector, method, grade, urgency, remarks, observations, author, recorded"


@dataclass(frozen=True, slots=True)
class NewInspection:
    """What an inspector brings: ``grade`` 1 (good) to 5 (failed); ``observations`` are ``{code, position, text}``."""

    inspected: date
    inspector: str
    method: Method
    grade: int
    urgency: Urgency = "none"
    remarks: str = ""
    observations: Sequence[dict[str, Any]] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection on record."""

    id: int
    layer: str
    feature: str
    inspected: date
    inspector: str
    method: str
    grade: int
    urgency: str
    remarks: str
    observations: list[dict[str, Any]]
    author: str
    recorded: datetime


@dataclass(frozen=True, slots=True)
class DueInspection:
    """A feature that should be looked at: last time (None: never) and since when it is due."""

    layer: str
    feature: str
    last: date | None
    due: date | None


def record_inspection(
    connection: Connection, layer: VectorLayer, feature: str, new: NewInspection, *, author: str
) -> Inspection:
    """Write an inspection; NotFoundError when there is no such feature."""
    require_feature(connection, layer, feature)
    row = connection.execute(
        text(
            "insert into inventory.inspection "
            "(layer, feature, inspected, inspector, method, grade, urgency, remarks, observations, author) values "
            "(:layer, :feature, :inspected, :inspector, :method, :grade, :urgency, :remarks, "
            f"cast(:observations as jsonb), :author) returning {_COLUMNS}"
        ),
        {
            "layer": layer.id,
            "feature": feature,
            "inspected": new.inspected,
            "inspector": new.inspector,
            "method": new.method,
            "grade": new.grade,
            "urgency": new.urgency,
            "remarks": new.remarks,
            "observations": json.dumps(list(new.observations), ensure_ascii=False),
            "author": author,
        },
    ).one()
    return Inspection(*row)


def is_latest(connection: Connection, inspection: Inspection) -> bool:
    """Return whether no later look at the same feature is on record."""
    later = connection.execute(
        text(
            "select 1 from inventory.inspection where layer = :layer and feature = :feature "
            "and (inspected, id) > (:inspected, :id) limit 1"
        ),
        {
            "layer": inspection.layer,
            "feature": inspection.feature,
            "inspected": inspection.inspected,
            "id": inspection.id,
        },
    )
    return later.first() is None


def list_inspections(
    connection: Connection,
    *,
    layer_id: str | None = None,
    feature: str | None = None,
    worst: int | None = None,
    since: date | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Inspection]:
    """Return inspections, the newest record first.

    ``worst``: only grades from this one upwards; ``since``: only looks from this day on; ``before``: only ids below it.
    """
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from inventory.inspection "
            "where (cast(:layer as text) is null or layer = :layer) "
            "and (cast(:feature as text) is null or feature = :feature) "
            "and (cast(:worst as smallint) is null or grade >= :worst) "
            "and (cast(:since as date) is null or inspected >= :since) "
            "and (cast(:before as bigint) is null or id < :before) order by id desc limit :limit"
        ),
        {"layer": layer_id, "feature": feature, "worst": worst, "since": since, "before": before, "limit": limit},
    )
    return [Inspection(*row) for row in rows]


def list_due(connection: Connection, layer: VectorLayer, *, on: date, limit: int = 100) -> list[DueInspection]:
    """Return the features of ``layer`` whose next look is due ``on`` a day, those never seen first.

    NotFoundError when no interval is declared for the layer.
    """
    years = YEARS_BETWEEN_INSPECTIONS.get(layer.id)
    if years is None:
        known = ", ".join(YEARS_BETWEEN_INSPECTIONS)
        raise NotFoundError(f"no interval of inspection is declared for layer '{layer.id}'", hint=f"one of {known}")
    rows = connection.execute(
        text(
            "select f.id, s.last, s.last + make_interval(years => :years) as due "
            f"from {CITY}.{quote(layer.id)} f left join "
            "(select feature, max(inspected) as last from inventory.inspection where layer = :layer group by 1) s "
            "on s.feature = f.id where s.last is null or s.last + make_interval(years => :years) <= :on "
            "order by s.last nulls first, f.id limit :limit"
        ),
        {"layer": layer.id, "years": years, "on": on, "limit": limit},
    )
    return [DueInspection(layer.id, row.id, row.last, row.due and row.due.date()) for row in rows]
