"""Inspections: what was seen of an item, and what is due to be looked at."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import answer_json, write_moment
from api.dependencies import ConnectionOf, LinksOf, find_collection, refuse_unknown
from api.plain_types import Day, Number, Whole
from api.routes.work_orders import write_order
from api.writing import Writer, WriterOf
from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.edits import grade_feature
from layers.store.inspections import (
    Inspection,
    NewInspection,
    is_latest,
    list_due,
    list_inspections,
    record_inspection,
)
from layers.store.references import Reference
from layers.store.work_orders import NewWorkOrder, WorkOrder, open_work_order
from layers.upkeep import CONDITION_OF_GRADE, PRIORITY_OF_GRADE, Method, Urgency

OF_ITEM = "/api/collections/{collection_id}/items/{feature_id:path}/inspections"
router = APIRouter(tags=["upkeep"], dependencies=[Depends(refuse_unknown)])


class Observation(BaseModel):
    """One thing seen: its code (EN 13508-2, or the office's own), where along the item [m], in words."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(max_length=40)
    position: Number | None = Field(default=None, ge=0, le=1.0e6, description="Distance from the start of the item [m]")
    text: str = Field(default="", max_length=2000)


class InspectionBody(BaseModel):
    """An inspection as it is sent: ``inspector`` is an office or a team, not a person."""

    model_config = ConfigDict(extra="forbid")
    inspected: Day
    inspector: str = Field(min_length=1, max_length=100)
    method: Method = "visual"
    grade: Whole = Field(ge=1, le=5, description="1 needs nothing, 5 has failed")
    urgency: Urgency = "none"
    remarks: str = Field(default="", max_length=5000)
    observations: list[Observation] = Field(default=[], max_length=500)
    open_work_order: bool = Field(default=False, description="Also open a work order for the repair")


@router.post(OF_ITEM, status_code=201, summary="Record an inspection of an item")
def inspect(
    collection_id: str,
    feature_id: str,
    body: InspectionBody,
    connection: ConnectionOf,
    links: LinksOf,
    writer: WriterOf,
) -> Response:
    """Record it; the newest grade becomes the item's ``condition`` where its layer has one."""
    layer = find_collection(collection_id)
    if body.inspected > datetime.now(UTC).date():
        raise InputError(f"inspected '{body.inspected}' lies in the future")
    new = NewInspection(
        body.inspected, body.inspector, body.method, body.grade, body.urgency, body.remarks,
        [one.model_dump() for one in body.observations],
    )  # fmt: skip
    done = record_inspection(connection, layer, feature_id, new, author=writer.author)
    if layer.find("condition") is not None and is_latest(connection, done):
        condition, reason = CONDITION_OF_GRADE[done.grade], writer.reason or f"inspection {done.id}"
        grade_feature(connection, layer, feature_id, condition, author=writer.author, reason=reason)
    answer = _write(done)
    if body.open_work_order:
        answer["work_order"] = write_order(_open_order(connection, layer, done, writer), links)
    return answer_json(answer, status=201)


def _open_order(connection: Connection, layer: VectorLayer, seen: Inspection, writer: Writer) -> WorkOrder:
    title = f"{layer.title.vi} {seen.feature}: cấp {seen.grade}"
    new = NewWorkOrder(
        title, "repair", [Reference(layer.id, seen.feature)], seen.remarks,
        priority=PRIORITY_OF_GRADE.get(seen.grade, "normal"), origin="inspection", inspection=seen.id,
    )  # fmt: skip
    return open_work_order(connection, new, author=writer.author, reason=writer.reason)


@router.get(OF_ITEM, summary="Inspections of an item")
def list_of_item(collection_id: str, feature_id: str, connection: ConnectionOf, _writer: WriterOf) -> Response:
    """List them, the newest record first."""
    found = list_inspections(connection, layer_id=find_collection(collection_id).id, feature=feature_id, limit=1000)
    return _answer_list(found)


@router.get("/api/inspections", summary="Inspections, the newest record first")
def list_all(
    connection: ConnectionOf,
    _writer: WriterOf,
    collection: Annotated[str | None, Query(description="Only of this collection")] = None,
    worst: Annotated[int | None, Query(ge=1, le=5, description="Only grades from this one upwards")] = None,
    since: Annotated[Day | None, Query(description="Only looks from this day on")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Only ids below this one: the next page")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List them."""
    layer_id = find_collection(collection).id if collection is not None else None
    found = list_inspections(connection, layer_id=layer_id, worst=worst, since=since, before=before, limit=limit)
    return _answer_list(found)


@router.get("/api/inspections/due", summary="Items whose next inspection is due")
def list_what_is_due(
    connection: ConnectionOf,
    _writer: WriterOf,
    collection: Annotated[str, Query(description="Of this collection")],
    on: Annotated[Day | None, Query(description="Due on this day; today if not given")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List items never looked at first, then those looked at longest ago."""
    due = list_due(connection, find_collection(collection), on=on or datetime.now(UTC).date(), limit=limit)
    rows = [{"collection": one.layer, "feature": one.feature, "last": one.last, "due": one.due} for one in due]
    return answer_json({"due": rows}, headers={"cache-control": "no-store"})


def _answer_list(found: list[Inspection]) -> Response:
    return answer_json({"inspections": [_write(one) for one in found]}, headers={"cache-control": "no-store"})


def _write(one: Inspection) -> dict[str, Any]:
    return {
        "id": one.id,
        "collection": one.layer,
        "feature": one.feature,
        "inspected": one.inspected,
        "inspector": one.inspector,
        "method": one.method,
        "grade": one.grade,
        "condition": CONDITION_OF_GRADE[one.grade],
        "urgency": one.urgency,
        "remarks": one.remarks,
        "observations": one.observations,
        "author": one.author,
        "recorded": write_moment(one.recorded),
    }
