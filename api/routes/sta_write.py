"""Writing SensorThings 1.1: entities created, changed and deleted, data arrays, batches."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import answer_json
from api.bodies import read_kind
from api.dependencies import ResourcesOf
from api.sta.answers import ROOT, find_root
from api.sta.writing import JSON_KINDS, METHODS, Change, Outcome, parse_body, perform
from api.writing import WriterOf
from layers.errors import InputError

router = APIRouter(prefix=ROOT, tags=["sensorthings"])


@router.api_route("/{path:path}", methods=list(METHODS), summary="Create, change or delete an entity")
async def write_entity(path: str, request: Request, resources: ResourcesOf, writer: WriterOf) -> Response:
    """Do one change in one transaction: all of a deep insert, or nothing of it."""
    change = Change(request.method, path, await read_change_body(request), read_kind(request))
    root = find_root(request)

    def write() -> Outcome:
        with resources.engine.begin() as connection:
            return perform(connection, change, writer, root)

    return answer_outcome(await run_in_threadpool(write))


async def read_change_body(request: Request) -> Any:
    """Return the JSON of a request that has one; InputError for another media type."""
    if request.method == "DELETE":
        return None
    kind = read_kind(request)
    if kind not in JSON_KINDS:
        raise InputError(f"content-type '{kind[:80]}' is not read", hint=f"send {' or '.join(JSON_KINDS)}")
    return parse_body(await request.body())


def answer_outcome(outcome: Outcome) -> Response:
    """Return the HTTP answer of a change."""
    headers = {"cache-control": "no-store"}
    if outcome.location is not None:
        headers["location"] = outcome.location
    if outcome.body is None:
        return Response(None, outcome.status, headers=headers)
    return answer_json(outcome.body, status=outcome.status, headers=headers)
