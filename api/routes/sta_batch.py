"""``POST $batch`` of SensorThings 1.1: many requests in one, as JSON or as multipart/mixed."""

from collections.abc import Mapping, Sequence
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message

from api.answers import PROBLEM, answer_json, write_json
from api.bodies import read_kind
from api.identity.devices import check_change
from api.principal import current_principal
from api.resources import Resources
from api.routes.sta_write import write_change
from api.sta.answers import ROOT, find_root
from api.sta.batch import (
    ROLLED_BACK,
    BatchAnswer,
    BatchRequest,
    answer_batch,
    fail,
    parse_json_batch,
    resolve,
    write_json_batch,
)
from api.sta.multipart import parse_multipart, write_multipart
from api.sta.observing import find_datastream, give_observing
from api.sta.writing import Change, Outcome, parse_body, perform
from api.writing import Writer, WriterOf
from layers.errors import InputError, TwinError

MULTIPART = "multipart/mixed"
router = APIRouter(prefix=ROOT, tags=["sensorthings"])


@router.post("/$batch", summary="Many requests in one")
async def batch(request: Request, writer: WriterOf) -> Response:
    """Answer every request of the batch in order; those of a group, or a change set, are done all or none."""
    kind = read_kind(request)
    if kind == "application/json":
        asked = parse_json_batch(parse_body(await request.body()))
    elif kind == MULTIPART:
        asked = parse_multipart(request.headers["content-type"], await request.body())
    else:
        raise InputError(f"content-type '{kind[:80]}' is not read", hint=f"send application/json or {MULTIPART}")
    door = _Door(request, writer)
    preferred = request.headers.get("prefer", "").replace(" ", "").lower()
    go_on = "continue-on-error" in preferred and "continue-on-error=false" not in preferred
    answers = await answer_batch(asked, door.ask, door.ask_together, go_on=go_on)
    if kind == MULTIPART:
        media, body = write_multipart(asked, answers)
        return Response(body, headers={"content-type": media, "cache-control": "no-store"})
    return answer_json(write_json_batch(answers), headers={"cache-control": "no-store"})


class _Door:
    """Asks single requests and groups in the name of who sent the batch."""

    def __init__(self, request: Request, writer: Writer) -> None:
        self._request, self._writer = request, writer
        self._root = find_root(request)

    async def ask(self, asked: BatchRequest) -> BatchAnswer:
        """Do one request in a transaction of its own, or read."""
        if asked.method == "GET":
            return await self._read(asked)
        try:
            change = self._make_change(asked)
            stream = find_datastream(change.body) if (change.method, change.path) == ("POST", "Observations") else None
            if stream is None:
                return self._tell(asked, await write_change(self._request, change, self._writer))
            made = await give_observing(self._request.app.state).create(change.body, stream, self._writer)
            return self._tell(asked, Outcome(201, {"@iot.id": made}, f"{self._root}/Observations('{made}')"))
        except (TwinError, HTTPException) as error:
            return _tell_error(asked, error)

    async def ask_together(self, asked: Sequence[BatchRequest], made: Mapping[str, str]) -> list[BatchAnswer]:
        """Do a group in one transaction: one that fails undoes the others."""
        resources: Resources = self._request.app.state.resources

        def write() -> list[BatchAnswer]:
            with resources.engine.connect() as connection, connection.begin() as transaction:
                answers = self._perform_all(connection, asked, made)
                if answers[-1].status >= 400:
                    transaction.rollback()
                return answers

        answers = await run_in_threadpool(write)
        give_observing(self._request.app.state).forget()
        wrong = answers[-1]
        if wrong.status < 400:
            return answers
        return [
            wrong if one.id == wrong.id else fail(one, ROLLED_BACK, f"request '{wrong.id}' of its group failed")
            for one in asked
        ]

    def _perform_all(
        self, connection: Connection, asked: Sequence[BatchRequest], made: Mapping[str, str]
    ) -> list[BatchAnswer]:
        """Return the answers up to the first that fails."""
        known, answers = dict(made), list[BatchAnswer]()
        for one in asked:
            try:
                change = self._make_change(resolve(one, known))
                answer = self._tell(one, perform(connection, change, self._writer, self._root))
            except (TwinError, HTTPException) as error:
                return [*answers, _tell_error(one, error)]
            if answer.made is not None:
                known[one.id] = answer.made
            answers.append(answer)
        return answers

    def _make_change(self, asked: BatchRequest) -> Change:
        kind = asked.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        change = Change(asked.method, unquote(urlsplit(self._strip(asked.url)).path), asked.body, kind)
        check_change(current_principal(self._request), change)
        return change

    def _strip(self, url: str) -> str:
        """Return an address below the service root; InputError for one elsewhere."""
        for begin in (self._root, ROOT):
            if url.startswith(f"{begin}/"):
                return url[len(begin) + 1 :]
        if url.startswith("/") or "://" in url.partition("?")[0]:
            raise InputError(f"'{url[:80]}' does not lie below {self._root}")
        return url

    def _tell(self, asked: BatchRequest, outcome: Outcome) -> BatchAnswer:
        headers = {} if outcome.location is None else {"location": outcome.location}
        made = None if outcome.location is None else outcome.location.removeprefix(f"{self._root}/")
        if outcome.body is None:
            return BatchAnswer(asked.id, outcome.status, headers, made=made)
        headers["content-type"] = "application/json"
        return BatchAnswer(asked.id, outcome.status, headers, write_json(outcome.body), made)

    async def _read(self, asked: BatchRequest) -> BatchAnswer:
        """Ask the application itself, as if the request had come alone."""
        try:
            path, _, query = self._strip(asked.url).partition("?")
        except InputError as error:
            return _tell_error(asked, error)
        passed = [(name, value) for name, value in self._request.scope["headers"] if name in _PASSED]
        scope = {
            **{name: value for name, value in self._request.scope.items() if name in _KEPT},
            "method": "GET", "path": f"{ROOT}/{unquote(path)}", "raw_path": f"{ROOT}/{path}".encode(),
            "query_string": query.encode(), "headers": passed,
        }  # fmt: skip
        answered: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            answered.append(message)

        await self._request.app(scope, receive, send)
        start = answered[0]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        told = {name: headers[name] for name in ("content-type", "location") if name in headers}
        return BatchAnswer(asked.id, start["status"], told, b"".join(part.get("body", b"") for part in answered[1:]))


_PASSED = (b"host", b"authorization", b"cookie", b"x-api-key")
_KEPT = ("type", "asgi", "http_version", "scheme", "root_path", "client", "server", "state")


def _tell_error(asked: BatchRequest, error: TwinError | HTTPException) -> BatchAnswer:
    if isinstance(error, HTTPException):
        told = {"status": error.status_code, "detail": f"{asked.method} is not possible at {asked.url[:200]}"}
        return BatchAnswer(asked.id, error.status_code, {"content-type": PROBLEM}, write_json(told))
    told = {"type": f"urn:twin:problem:{error.code}", "status": error.status, "detail": error.message}
    if error.hint:
        told["hint"] = error.hint
    return BatchAnswer(asked.id, error.status, {"content-type": PROBLEM}, write_json(told))
