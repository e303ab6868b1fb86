"""Warnings as CAP 1.2: the feed, the messages as issued, and issuing them."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import answer_json, write_moment
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.links import Links
from api.writing import WriterOf
from layers.errors import InputError
from layers.store.migrate import read_city
from twin.settings import Settings
from twin.store_drafts import Draft, DraftState, list_drafts, settle_draft
from twin.store_outbox import Delivery, State, list_deliveries, retry_delivery
from twin.store_warnings import Message, list_messages, read_body, read_message
from twin.warning.feed import FEED_TYPE, write_feed
from twin.warning.flood import FloodWarning, Status
from twin.warning.issuing import cancel, issue, issue_draft
from twin.warning.message import MEDIA_TYPE
from twin.warning.policy import Policy, read_policy

router = APIRouter(prefix="/cap", tags=["warnings"], dependencies=[Depends(refuse_unknown)])
Identifier = Annotated[str, Path(min_length=1, max_length=200, description="Identifier of a message")]
StatusOf = Annotated[Status | None, Query(description="Only with this status; Actual leaves exercises and tests out")]
_FEED_LENGTH = 50


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IssueBody(_Body):
    """What is issued: a draft by its number, or a warning written out."""

    draft: int | None = Field(default=None, ge=1, le=2**62)
    warning: FloodWarning | None = None


class UpdateBody(_Body):
    """What the message says now; ``joins`` names other chains it takes in."""

    warning: FloodWarning
    joins: list[str] = Field(default=[], max_length=20)


@router.get("/alerts.atom", summary="Issued messages as an Atom feed, the newest first")
def read_feed(
    request: Request,
    connection: ConnectionOf,
    resources: ResourcesOf,
    links: LinksOf,
    status: StatusOf = None,
    limit: Annotated[int, Query(ge=1, le=500)] = _FEED_LENGTH,
) -> Response:
    """Return the feed; 304 while nothing was issued."""
    policy = _read_policy(connection, resources.settings)
    messages = list_messages(connection, status=status, limit=limit)
    address = links.url("/cap/alerts.atom", {"status": status} if status else None)
    body = write_feed(messages, policy.originator, address=address, link_of=lambda one: _link(links, one))
    return _answer_bytes(request, body, FEED_TYPE, "no-cache")


@router.get("/alerts.json", summary="Issued messages in short, the newest first")
def list_alerts(
    connection: ConnectionOf,
    links: LinksOf,
    status: StatusOf = None,
    in_force: Annotated[bool, Query(description="Only the latest of every chain that is open now")] = False,
    chain: Annotated[str | None, Query(max_length=200, description="Only of this chain")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Only numbers below: the next page")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List messages."""
    messages = list_messages(
        connection,
        status=status,
        chain=chain,
        in_force=datetime.now(UTC) if in_force else None,
        before=before,
        limit=limit,
    )
    alerts = [write_alert(one, links) for one in messages]
    return answer_json({"numberReturned": len(alerts), "alerts": alerts}, headers={"cache-control": "no-cache"})


@router.get("/alerts/{identifier}.xml", summary="A message as it was issued")
def read_alert(request: Request, identifier: Identifier, connection: ConnectionOf) -> Response:
    """Return the bytes of the message; they never change."""
    body = read_body(connection, identifier)
    return _answer_bytes(request, body, MEDIA_TYPE, "public, max-age=31536000, immutable")


@router.post("/alerts", status_code=201, summary="Issue a message: a draft, or a new alert")
def issue_alert(
    body: IssueBody, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf, writer: WriterOf
) -> Response:
    """Issue it in the writer's name; 409 where a ward is already warned."""
    policy = _read_policy(connection, resources.settings)
    if body.draft is not None and body.warning is None:
        return _answer_issued(
            issue_draft(connection, policy, body.draft, author=writer.author, reason=writer.reason), links
        )
    if body.warning is not None and body.draft is None:
        return _answer_issued(
            issue(connection, policy, body.warning, author=writer.author, reason=writer.reason), links
        )
    raise InputError("the body holds either 'draft' or 'warning'", hint='{"draft": 3}')


@router.post("/alerts/{identifier}/update", status_code=201, summary="Issue an update of a chain")
def update_alert(
    identifier: Identifier,
    body: UpdateBody,
    connection: ConnectionOf,
    resources: ResourcesOf,
    links: LinksOf,
    writer: WriterOf,
) -> Response:
    """Issue what holds now, referring to what was issued before."""
    policy, before = _read_policy(connection, resources.settings), read_message(connection, identifier)
    chains = list(dict.fromkeys([before.chain, *body.joins]))
    issued = issue(
        connection,
        policy,
        body.warning,
        author=writer.author,
        reason=writer.reason,
        kind="Update",
        chains=chains,
    )
    return _answer_issued(issued, links)


@router.post("/alerts/{identifier}/cancel", status_code=201, summary="Issue the end of a chain")
def cancel_alert(
    identifier: Identifier, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf, writer: WriterOf
) -> Response:
    """End the chain; the header ``Twin-Reason`` says why."""
    policy = _read_policy(connection, resources.settings)
    latest = list_messages(connection, chain=read_message(connection, identifier).chain, limit=1)[0]
    return _answer_issued(cancel(connection, policy, latest, author=writer.author, reason=writer.reason), links)


@router.get("/drafts", summary="Messages that are proposed, the newest first")
def read_drafts(
    connection: ConnectionOf,
    _writer: WriterOf,
    state: Annotated[DraftState | Literal["all"], Query(description="Only in this state")] = "open",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List drafts for who may issue them."""
    drafts = list_drafts(connection, state=None if state == "all" else state, limit=limit)
    return answer_json({"drafts": [write_draft(one) for one in drafts]}, headers={"cache-control": "no-store"})


@router.post("/drafts/{draft}/discard", summary="Decide not to issue a draft")
def discard_draft(draft: Annotated[int, Path(ge=1, le=2**62)], connection: ConnectionOf, writer: WriterOf) -> Response:
    """Close the draft; it is proposed again only when something else is known."""
    return answer_json(
        write_draft(settle_draft(connection, draft, "discarded", author=writer.author)),
        headers={"cache-control": "no-store"},
    )


@router.get("/outbox", summary="Deliveries, the newest first")
def read_outbox(
    connection: ConnectionOf,
    _writer: WriterOf,
    state: Annotated[State | None, Query(description="Only in this state")] = None,
    reference: Annotated[str | None, Query(max_length=200, description="Only of this message or alarm step")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List what was sent, what waits, and what could not be sent and why; no address is shown."""
    deliveries = list_deliveries(connection, state=state, reference=reference, limit=limit)
    return answer_json(
        {"deliveries": [write_delivery(one) for one in deliveries]}, headers={"cache-control": "no-store"}
    )


@router.post("/outbox/{delivery}/retry", summary="Try a dead delivery again")
def retry(delivery: UUID, connection: ConnectionOf, _writer: WriterOf) -> Response:
    """Put it back into the queue; 409 unless it is dead."""
    again = retry_delivery(connection, delivery, moment=datetime.now(UTC))
    return answer_json(write_delivery(again), headers={"cache-control": "no-store"})


def write_alert(message: Message, links: Links) -> dict[str, Any]:
    """Return a message in short as JSON."""
    return {
        "number": message.number,
        "identifier": message.identifier,
        "href": _link(links, message.identifier),
        "sender": message.sender,
        "sent": write_moment(message.sent),
        "status": message.status,
        "msgType": message.kind,
        "event": message.event,
        "chain": message.chain,
        "severity": message.severity,
        "expires": write_moment(message.expires),
        "headline": message.headline._asdict(),
        **_write_warning(message.warning),
    }


def write_draft(draft: Draft) -> dict[str, Any]:
    """Return a draft as JSON."""
    return {
        "id": draft.id,
        "msgType": draft.kind,
        "chains": list(draft.chains),
        "origin": draft.origin,
        "state": draft.state,
        "message": draft.message,
        "reason": draft.reason,
        "settled_by": draft.settled_by,
        "created": write_moment(draft.created),
        "updated": write_moment(draft.updated),
        "warning": draft.warning.model_dump(mode="json"),
    }


def write_delivery(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as JSON."""
    return {
        "id": str(delivery.id),
        "kind": delivery.kind,
        "reference": delivery.reference,
        "subject": delivery.subject,
        "group": delivery.contact_group,
        "channel": delivery.channel,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "due": write_moment(delivery.due),
        "settled": write_moment(delivery.settled) if delivery.settled else None,
        "error": delivery.error,
    }


def _write_warning(warning: FloodWarning) -> dict[str, Any]:
    said = warning.model_dump(mode="json", include={"level", "station", "stage", "threshold", "probability", "wards"})
    return {**said, "alarms": len(warning.alarms)}


def _read_policy(connection: Connection, settings: Settings) -> Policy:
    return read_policy(settings, read_city(connection))


def _link(links: Links, identifier: str) -> str:
    return links.url(f"/cap/alerts/{quote(identifier)}.xml")


def _answer_issued(message: Message, links: Links) -> Response:
    headers = {"location": _link(links, message.identifier), "cache-control": "no-store"}
    return answer_json(write_alert(message, links), status=201, headers=headers)


def _answer_bytes(request: Request, body: bytes, media_type: str, cache: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": cache}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
