"""The audit over HTTP: all of it for administrators, their own entries for everybody who is known."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import LinksOf, ResourcesOf, refuse_unknown
from api.links import Links
from api.parameters import parse_interval
from api.principal import current_principal
from api.resources import Resources
from layers.access import WHOLE, asking_as
from layers.errors import UnauthorizedError
from twin.store_audit import EntryQuery, list_entries

router = APIRouter(prefix="/api/audit", tags=["audit"], dependencies=[Depends(refuse_unknown)])
Limit = Annotated[int, Query(ge=1, le=1000)]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Entries numbered lower, as the link 'next' says")]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries."""

    action: Annotated[str | None, Query(max_length=60, description="As in edit, sign-in, personal, export")] = None
    object: Annotated[str | None, Query(max_length=400, description="How the object begins")] = None
    outcome: Literal["done", "unchanged", "refused", "failed"] | None = None
    when: Annotated[str | None, Query(alias="datetime", description="An instant, or start/end ('..' is open)")] = None


@router.get("", summary="The audit: who did what")
def list_all(
    request: Request,
    resources: ResourcesOf,
    links: LinksOf,
    asked: Annotated[Asked, Depends()],
    subject: Annotated[str | None, Query(max_length=200, description="Who: account:ann, key:…, cli:…")] = None,
    before: Before = None,
    limit: Limit = 100,
) -> Response:
    """List the newest entries that match; for administrators."""
    current_principal(request).require("administer")
    return _answer(request, resources, links, _read_query(asked, subject), before, limit)


@router.get("/mine", summary="One's own entries in the audit")
def list_mine(
    request: Request,
    resources: ResourcesOf,
    links: LinksOf,
    asked: Annotated[Asked, Depends()],
    before: Before = None,
    limit: Limit = 100,
) -> Response:
    """List the newest entries of who asks."""
    principal = current_principal(request)
    if not principal.is_known:
        raise principal.refusal or UnauthorizedError("sign in first")
    return _answer(request, resources, links, _read_query(asked, principal.subject), before, limit)


def _read_query(asked: Asked, subject: str | None) -> EntryQuery:
    times = parse_interval(asked.when) if asked.when is not None else None
    start, end = (None, None) if times is None else (times.start, times.end)
    return EntryQuery(subject, asked.action, asked.object, asked.outcome, start, end)


def _answer(
    request: Request, resources: Resources, links: Links, query: EntryQuery, before: int | None, limit: int
) -> Response:
    # Nobody's own role reads the audit: who may was asked for above.
    with asking_as(WHOLE), resources.engine.connect() as connection:
        found = list_entries(connection, query, before=before, limit=limit + 1)
    shown = found[:limit]
    more = []
    if len(found) > limit:
        following = {**request.query_params, "before": str(shown[-1].number)}
        more = [{**links.link(request.url.path, "next"), "href": links.url(request.url.path, following)}]
    answer = {"numberReturned": len(shown), "entries": [one.as_dict() for one in shown], "links": more}
    return answer_json(answer, headers={"cache-control": "no-store"})
