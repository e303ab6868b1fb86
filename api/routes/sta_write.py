"""Writing SensorThings 1.1: entities created, changed and deleted, Observations and data arrays, batches."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api.answers import answer_json
from api.bodies import read_kind
from api.identity.devices import check_change
from api.principal import current_principal
from api.resources import Resources
from api.sta.answers import ROOT, find_root
from api.sta.observing import find_datastream, give_observing
from api.sta.paths import parse_path
from api.sta.writing import CREATE_OBSERVATIONS, JSON_KINDS, METHODS, Change, Outcome, parse_body, perform
from api.writing import Writer, WriterOf, give_writer
from layers.errors import InputError
from layers.store.sensing.documents import ID

router = APIRouter(prefix=ROOT, tags=["sensorthings"])


async def write_entity(path: str, request: Request, writer: WriterOf) -> Response:
    """Do one change in one transaction: all of a deep insert, or nothing of it."""
    body = None if request.method == "DELETE" else await read_change_body(request)
    change = Change(request.method, path, body, read_kind(request))
    check_change(current_principal(request), change)
    return answer_outcome(await write_change(request, change, writer))


for _method in METHODS:
    # A route for each, for an operation of OpenAPI is one method.
    router.add_api_route("/{path:path}", write_entity, methods=[_method], summary="Create, change or delete an entity")


async def write_change(request: Request, change: Change, writer: Writer) -> Outcome:
    """Do a change in a transaction of its own."""
    resources: Resources = request.app.state.resources
    root = find_root(request)

    def write() -> Outcome:
        with resources.engine.begin() as connection:
            return perform(connection, change, writer, root)

    outcome = await run_in_threadpool(write)
    # What is new changes nothing that is known, except where something stands.
    if change.method != "POST" or outcome.changed & {"Locations", "HistoricalLocations", "Things"}:
        give_observing(request.app.state).forget()
    return outcome


async def read_change_body(request: Request) -> Any:
    """Return the JSON of a request that has one; InputError for another media type."""
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


class PostObservation:
    """The short way for what devices send all day: ``POST Observations``, also below a Datastream.

    ``path`` is the pattern of the route, by which requests are counted.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        writer = await give_writer(request)
        sent = await read_change_body(request)
        path = scope["path"].removeprefix(ROOT).strip("/")
        key = parse_path(path).steps[0].key
        if key is not None and isinstance(sent, dict):
            sent["Datastream"] = {ID: key}
        check_change(current_principal(request), Change("POST", "Observations", sent))
        stream = find_datastream(sent)
        if stream is None:
            outcome = await write_change(request, Change("POST", "Observations", sent), writer)
        else:
            made = await give_observing(request.app.state).create(sent, stream, writer)
            link = f"{find_root(request)}/Observations('{made}')"
            outcome = Outcome(201, {"@iot.id": made, "@iot.selfLink": link}, link)
        await answer_outcome(outcome)(scope, receive, send)


class CreateObservations:
    """``POST CreateObservations``: data arrays, each row with its own answer."""

    path = f"{ROOT}/{CREATE_OBSERVATIONS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        writer = await give_writer(request)
        sent = await read_change_body(request)
        check_change(current_principal(request), Change("POST", CREATE_OBSERVATIONS, sent))
        prefix = f"{find_root(request)}/Observations"
        answers = await give_observing(request.app.state).create_from_arrays(sent, writer, prefix)
        await answer_outcome(Outcome(201, answers))(scope, receive, send)


_OBSERVATIONS = (f"{ROOT}/Observations", f"{ROOT}/Datastreams({{key}})/Observations")
routes: list[BaseRoute] = [
    *(Route(path, PostObservation(path), methods=["POST"]) for path in _OBSERVATIONS),
    Route(CreateObservations.path, CreateObservations(), methods=["POST"]),
]
