"""Work orders: open → assigned → done → verified, on the map and in the record."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.dependencies import ConnectionOf, LinksOf, find_collection, refuse_unknown
from api.links import Links
from api.parameters import parse_bbox
from api.plain_types import Day, Number
from api.writing import WriterOf
from layers.errors import InputError, PreconditionRequiredError
from layers.store.references import Reference
from layers.store.work_orders import (
    NewWorkOrder,
    WorkOrder,
    change_work_order,
    list_events,
    list_work_orders,
    move_work_order,
    open_work_order,
    read_work_order,
)
from layers.upkeep import NEXT, STATUS_TITLES, Kind, Origin, Priority, Status

router = APIRouter(prefix="/api/work-orders", tags=["upkeep"], dependencies=[Depends(refuse_unknown)])
OrderId = Annotated[int, Path(ge=1, le=2**63 - 1)]
IfMatch = Annotated[str | None, Header(alias="if-match", description="ETag of the order as it was read")]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=5000)]
Assignee = Annotated[str, Field(min_length=1, max_length=100, description="A team or an office, not a person")]
Cost = Annotated[Number, Field(ge=0, le=1.0e15, description="In the city's currency")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ItemBody(_Body):
    """An item the order is about."""

    collection: str = Field(max_length=48)
    feature: str = Field(max_length=200)


class PositionBody(_Body):
    """A place [°]."""

    lon: Number = Field(ge=-180, le=180)
    lat: Number = Field(ge=-90, le=90)


class OrderBody(_Body):
    """A new order; ``position`` where no item says the place."""

    title: Title
    kind: Kind
    items: list[ItemBody] = Field(default=[], max_length=500)
    position: PositionBody | None = None
    description: Description = ""
    priority: Priority = "normal"
    assignee: Assignee | None = None
    due: Day | None = None
    cost: Cost | None = None
    origin: Origin = "plan"


class ChangeBody(_Body):
    """What changes; what is left out stays."""

    title: Title | None = None
    description: Description | None = None
    kind: Kind | None = None
    priority: Priority | None = None
    assignee: Assignee | None = None
    due: Day | None = None
    cost: Cost | None = None


class MoveBody(_Body):
    """The next status; ``assigned`` needs an assignee if the order has none."""

    status: Status
    assignee: Assignee | None = None


@router.post("", status_code=201, summary="Open a work order")
def open_order(body: OrderBody, connection: ConnectionOf, links: LinksOf, writer: WriterOf) -> Response:
    """Open it, or assign it at once where an assignee is named."""
    new = NewWorkOrder(
        title=body.title,
        kind=body.kind,
        features=[Reference(find_collection(one.collection).id, one.feature) for one in body.items],
        description=body.description,
        priority=body.priority,
        assignee=body.assignee,
        due=body.due,
        cost=body.cost,
        origin=body.origin,
        position=(body.position.lon, body.position.lat) if body.position else None,
    )
    order = open_work_order(connection, new, author=writer.author, reason=writer.reason)
    return _answer(order, links, status=201, location=links.url(f"/api/work-orders/{order.id}"))


@router.get("", summary="Work orders, the newest first")
def list_orders(
    connection: ConnectionOf,
    links: LinksOf,
    _writer: WriterOf,
    status: Annotated[str | None, Query(description="Only with one of these, separated by commas")] = None,
    collection: Annotated[str | None, Query(description="Only about items of this collection")] = None,
    feature: Annotated[str | None, Query(description="Only about this item of the collection")] = None,
    assignee: Annotated[str | None, Query(description="Only of this team or office")] = None,
    overdue: Annotated[bool, Query(description="Only those whose day has passed")] = False,
    bbox: Annotated[str | None, Query(description="west,south,east,north in CRS84")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Only ids below this one: the next page")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List orders as GeoJSON, each at the place of its work."""
    if feature is not None and collection is None:
        raise InputError("parameter 'feature' needs 'collection'")
    orders = list_work_orders(
        connection,
        status=_parse_status(status) if status is not None else (),
        layer_id=find_collection(collection).id if collection is not None else None,
        feature=feature,
        assignee=assignee,
        overdue=overdue,
        bounds=parse_bbox(bbox) if bbox is not None else None,
        before=before,
        limit=limit,
    )
    features = [write_feature(order, links) for order in orders]
    return answer_json(
        {"type": "FeatureCollection", "numberReturned": len(features), "features": features},
        media_type=GEOJSON,
        headers={"cache-control": "no-store"},
    )


def _parse_status(words: str) -> list[Status]:
    known: dict[str, Status] = {status: status for status in NEXT}
    for word in words.split(","):
        if word not in known:
            raise InputError(f"status '{word[:40]}' is not known", hint=f"one of {', '.join(known)}")
    return [known[word] for word in words.split(",")]


@router.get("/{order_id}", summary="A work order with its record")
def read_order(order_id: OrderId, connection: ConnectionOf, links: LinksOf, _writer: WriterOf) -> Response:
    """Return the order, what it may become next, and every step so far."""
    order = read_work_order(connection, order_id)
    events = [
        {
            "at": write_moment(one.at),
            "author": one.author,
            "reason": one.reason,
            "from": one.status_before,
            "to": one.status_after,
            "changes": one.changes,
        }
        for one in list_events(connection, order_id)
    ]
    return _answer(order, links, events=events)


@router.patch("/{order_id}", summary="Change a work order")
def change_order(
    order_id: OrderId,
    body: ChangeBody,
    connection: ConnectionOf,
    links: LinksOf,
    writer: WriterOf,
    if_match: IfMatch = None,
) -> Response:
    """Change what is named; ``If-Match`` must be the ETag that was read."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    for name in ("title", "description", "kind", "priority"):
        if name in changes and changes[name] is None:
            raise InputError(f"'{name}' of a work order cannot be null")
    order = change_work_order(
        connection, order_id, changes, author=writer.author, reason=writer.reason, version=_require_version(if_match)
    )
    return _answer(order, links)


@router.post("/{order_id}/transitions", summary="Take a work order to its next status")
def move_order(
    order_id: OrderId,
    body: MoveBody,
    connection: ConnectionOf,
    links: LinksOf,
    writer: WriterOf,
    if_match: IfMatch = None,
) -> Response:
    """Move it; 409 when there is no such step from where it is."""
    order = move_work_order(
        connection,
        order_id,
        body.status,
        author=writer.author,
        reason=writer.reason,
        assignee=body.assignee,
        version=_read_version(if_match) if if_match is not None else None,
    )
    return _answer(order, links)


def _require_version(if_match: str | None) -> int:
    if if_match is None:
        raise PreconditionRequiredError("a change needs the header If-Match", hint="with the ETag of a GET")
    return _read_version(if_match)


def _read_version(if_match: str) -> int:
    words = if_match.strip().removeprefix('"').removesuffix('"')
    # What no order ever had cannot match: the answer is 412, as for an old one.
    return int(words) if words.isdecimal() and len(words) < 10 else 0


def _answer(
    order: WorkOrder,
    links: Links,
    *,
    status: int = 200,
    location: str | None = None,
    events: list[dict[str, Any]] | None = None,
) -> Response:
    headers = {"etag": f'"{order.version}"', "cache-control": "no-store"}
    if location is not None:
        headers["location"] = location
    written = write_order(order, links)
    return answer_json(written if events is None else {**written, "events": events}, status=status, headers=headers)


def write_order(order: WorkOrder, links: Links) -> dict[str, Any]:
    """Return a work order as JSON."""
    return {
        "id": order.id,
        "title": order.title,
        "description": order.description,
        "kind": order.kind,
        "status": order.status,
        "status_title": STATUS_TITLES[order.status]._asdict(),
        "next": list(NEXT[order.status]),
        "priority": order.priority,
        "assignee": order.assignee,
        "due": order.due,
        "overdue": order.overdue,
        "cost": order.cost,
        "origin": order.origin,
        "inspection": order.inspection,
        "items": [
            {
                "collection": one.layer,
                "feature": one.feature,
                "href": links.of_item(one.layer, one.feature)[0]["href"],
            }
            for one in order.features
        ],
        "position": {"lon": order.position[0], "lat": order.position[1]} if order.position else None,
        "created": write_moment(order.created),
        "updated": write_moment(order.updated),
        "version": order.version,
    }


def write_feature(order: WorkOrder, links: Links) -> dict[str, Any]:
    """Return a work order as a GeoJSON feature at the place of its work."""
    written = write_order(order, links)
    return {
        "type": "Feature",
        "id": written.pop("id"),
        "geometry": {"type": "Point", "coordinates": list(order.position)} if order.position else None,
        "properties": {name: value for name, value in written.items() if name != "position"},
    }
