"""Every error leaves as RFC 9457 problem+json; what is not the user's fault is logged, never shown."""

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import psycopg
import psycopg_pool
import sqlalchemy.exc
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import PROBLEM, answer_json
from layers.errors import OverloadedError, TwinError

_log = logging.getLogger("api")
_SENSORTHINGS = "/sta/"
_RETRY_S = 5.0
_BUSY = (
    sqlalchemy.exc.TimeoutError,
    psycopg_pool.TooManyRequests,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)
"""Nothing is wrong: there was no connection or lock to be had in time."""


def answer_problem(
    code: str,
    status: int,
    detail: str,
    *,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """Return a problem document; ``code`` is its type if it is an address, else the last part of it.

    ``members`` are those of the problem's own type, such as the findings of a rejected edit.
    """
    problem: dict[str, Any] = {
        "type": code if "://" in code else f"urn:twin:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if hint:
        problem["hint"] = hint
    problem |= members or {}
    return answer_json(
        problem, status=status, media_type=PROBLEM, headers={"cache-control": "no-store", **(headers or {})}
    )


def install_handlers(app: FastAPI) -> None:
    """Let every error of ``app`` leave as a problem document."""
    app.add_exception_handler(TwinError, _answer_twin)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    for kind in (psycopg.OperationalError, psycopg_pool.PoolTimeout, sqlalchemy.exc.OperationalError):
        app.add_exception_handler(kind, _answer_database)
    app.add_exception_handler(sqlalchemy.exc.TimeoutError, _answer_database)
    for refused in (psycopg.errors.InsufficientPrivilege, sqlalchemy.exc.ProgrammingError):
        app.add_exception_handler(refused, _answer_privilege)


def tell_sensorthings(path: str, status: int, message: str) -> dict[str, Any]:
    """Return ``code`` and ``message``, which clients of SensorThings read in an error."""
    return {"code": status, "message": message} if path.startswith(_SENSORTHINGS) else {}


async def _answer_twin(request: Request, error: Exception) -> Response:
    assert isinstance(error, TwinError)
    return answer_error(error, request.url.path)


def answer_error(error: TwinError, path: str) -> Response:
    """Return the problem document of an error met at ``path``."""
    if error.status >= 500 and not isinstance(error, OverloadedError):
        _log.error("%s: %s", error.code, error)
    headers: dict[str, str] = {}
    if error.status == 401:
        # A client that is not known is told how to make itself known (RFC 9110, 15.5.2).
        headers["www-authenticate"] = "Bearer"
    elif error.status in (429, 503):
        headers["retry-after"] = str(math.ceil(getattr(error, "wait_s", _RETRY_S)))
    members = {
        **tell_sensorthings(path, error.status, str(error)),
        **(getattr(error, "members", None) or {}),
    }
    return answer_problem(error.code, error.status, error.message, hint=error.hint, headers=headers, members=members)


async def _answer_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:]) or "body"
    found = first.get("input")
    # Half a surrogate is no text that could be sent back.
    words = str(found)[:80] if isinstance(found, str | int | float) else ""
    shown = f" '{words.encode('utf-8', 'replace').decode()}'" if words else ""
    message = f"{name}{shown}: {first['msg']}"
    return answer_problem("bad-input", 400, message, members=tell_sensorthings(request.url.path, 400, message))


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, detail, hint = "http", str(error.detail), None
    if error.status_code == 404:
        code, detail, hint = "not-found", f"there is nothing at {request.url.path[:200]}", "/api lists what there is"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow") or (error.headers or {}).get("allow") or ""
        code, detail = "method-not-allowed", f"{request.method} is not possible at {request.url.path[:200]}"
        hint = f"use {allowed}" if allowed else None
    elif error.status_code == 413:
        code = "too-large"
    members = tell_sensorthings(request.url.path, error.status_code, detail)
    return answer_problem(code, error.status_code, detail, hint=hint, headers=error.headers, members=members)


async def _answer_database(_request: Request, error: Exception) -> Response:
    cause = error.orig if isinstance(error, sqlalchemy.exc.OperationalError) else error
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return answer_problem(
            "too-slow", 503, "the database took too long to answer", hint="ask for a smaller area or fewer items"
        )
    if isinstance(cause, psycopg.errors.DiskFull):
        _log.error("database: %s", cause)
        hint = "what is there can be read; make room where the database lies"
        return answer_problem("disk-full", 507, "the database has no room on its disk", hint=hint)
    if isinstance(cause, _BUSY):
        return answer_problem(
            "busy",
            503,
            "others are at the same or have all connections",
            hint="try again",
            headers={"retry-after": "1"},
        )
    _log.error("database: %s", cause)
    return answer_problem(
        "database", 503, "the database cannot be reached", hint="try again soon", headers={"retry-after": "5"}
    )


async def _answer_privilege(request: Request, error: Exception) -> Response:
    """Answer what the database's own rights refused; any other mistake in a statement is ours."""
    cause = error.orig if isinstance(error, sqlalchemy.exc.ProgrammingError) else error
    if not isinstance(cause, psycopg.errors.InsufficientPrivilege):
        raise error
    _log.warning("the database refused %s %s: %s", request.method, request.url.path, cause)
    said = "what is asked lies outside of what you may see or edit"
    return answer_problem("forbidden", 403, said, members=tell_sensorthings(request.url.path, 403, said))


class AnswerUnexpected:
    """Answers what nobody foresaw with a problem document.

    The framework would do so outside of all middleware, where neither the security headers nor CORS are added.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def note_start(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except Exception as error:
            # Half an answer cannot be taken back: the server ends the connection. Start-up and its end are not ours.
            if begun or scope["type"] != "http":
                raise
            _log.error("unexpected error at %s %s", scope["method"], scope["path"], exc_info=error)
            answer = answer_problem("internal", 500, "the server made a mistake; it is in the server's log")
            await answer(scope, receive, send)
