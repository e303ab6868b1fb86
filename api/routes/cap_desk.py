"""What the desk needs before a warning leaves the house: the rules of sending, a preview, drafts of a person."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.routes.cap import Identifier, write_alert, write_draft
from api.writing import WriterOf
from layers.errors import InputError
from layers.store.migrate import read_city
from twin.store_drafts import insert_draft, read_draft, rewrite_draft, settle_draft
from twin.store_warnings import read_body, read_message
from twin.warning.flood import STATUSES, FloodWarning, Kind, Name, Status
from twin.warning.issuing import check_open
from twin.warning.levels import LEVELS
from twin.warning.message import LONGEST
from twin.warning.policy import Policy, read_policy
from twin.warning.preview import describe_message, preview
from twin.warning.words import EVENT_TITLE

router = APIRouter(prefix="/cap", tags=["warnings"], dependencies=[Depends(refuse_unknown)])
Number = Annotated[int, Path(ge=1, le=2**62)]
_UNKEPT = {"cache-control": "no-store"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DraftBody(_Body):
    """A message that somebody writes: what it says, and the chains it updates."""

    warning: FloodWarning
    msgType: Kind = "Alert"
    chains: list[Name] = Field(default=[], max_length=20)


class PreviewBody(DraftBody):
    """The same, with the reason it would be issued for."""

    reason: str = Field(default="", max_length=500)


@router.get("/policy", summary="What may be sent from here, and the levels with what they mean")
def read_rules(connection: ConnectionOf, resources: ResourcesOf) -> Response:
    """Return the sender, each status with why it is refused, and the levels."""
    policy = read_policy(resources.settings, read_city(connection))
    levels = [
        {
            "level": level.number,
            "title": level.title._asdict(),
            "severity": level.severity.value,
            "responses": [one.value for one in level.responses],
        }
        for level in LEVELS.values()
    ]
    return answer_json(
        {
            "sender": policy.originator.sender,
            "name": policy.originator.name._asdict(),
            "event": EVENT_TITLE._asdict(),
            "statuses": [_describe_status(policy, status) for status in STATUSES],
            "proposals": policy.status,
            "automatic": policy.issues_itself(policy.status),
            "longest_hours": LONGEST.total_seconds() / 3600.0,
            "levels": levels,
        },
        headers={"cache-control": "no-cache"},
    )


@router.post("/preview", summary="A message as it would be issued; nothing is written")
def preview_message(body: PreviewBody, connection: ConnectionOf, resources: ResourcesOf) -> Response:
    """Return the message, its usual words and what stands against issuing it."""
    policy = read_policy(resources.settings, read_city(connection))
    seen = preview(connection, policy, body.warning, kind=body.msgType, chains=_name_chains(body), reason=body.reason)
    said = {"infos": [], "area": None} if seen.body is None else describe_message(seen.body)
    return answer_json(
        {
            "xml": None if seen.body is None else seen.body.decode(),
            **said,
            "words": seen.words,
            "problems": [asdict(one) for one in seen.problems],
        },
        headers=_UNKEPT,
    )


@router.get("/alerts/{identifier}.json", summary="A message as people read it")
def read_alert_words(identifier: Identifier, connection: ConnectionOf, links: LinksOf) -> Response:
    """Return what the message says in each language, its area, and the warning behind it."""
    message = read_message(connection, identifier)
    return answer_json(
        {
            **write_alert(message, links),
            **describe_message(read_body(connection, identifier)),
            "warning": message.warning.model_dump(mode="json"),
        },
        headers={"cache-control": "no-cache"},
    )


@router.post("/drafts", status_code=201, summary="Keep a message that is not issued yet")
def write_new_draft(body: DraftBody, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Keep the draft in the writer's name."""
    draft = insert_draft(
        connection,
        body.msgType,
        body.warning,
        chains=_name_chains(body),
        origin="person",
        author=writer.author,
        reason=writer.reason,
    )
    return answer_json(write_draft(draft), status=201, headers=_UNKEPT)


@router.put("/drafts/{draft}", summary="Change what an open draft says")
def change_draft(draft: Number, body: DraftBody, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Rewrite it; of a proposal of alarms a draft of the writer's own is made, and the proposal is discarded."""
    old = read_draft(connection, draft)
    check_open(old)
    if old.origin == "person" and (body.msgType, tuple(body.chains)) == (old.kind, old.chains):
        return answer_json(write_draft(rewrite_draft(connection, draft, body.warning)), headers=_UNKEPT)
    settle_draft(connection, draft, "discarded", author=writer.author)
    return write_new_draft(body, connection, writer)


def _name_chains(body: DraftBody) -> list[str]:
    """Return the chains; InputError where they do not fit the kind of message."""
    if (body.msgType == "Alert") == bool(body.chains):
        raise InputError(
            f"'chains' names {len(body.chains)} chains for a message of kind {body.msgType}",
            hint="an Alert follows none, an Update or Cancel at least one",
        )
    return list(dict.fromkeys(body.chains))


def _describe_status(policy: Policy, status: Status) -> dict[str, object]:
    refused = policy.find_refusal(status)
    why = None if refused is None else {"detail": refused.message, "hint": refused.hint}
    return {"status": status, "refused": why}
