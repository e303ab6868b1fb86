"""Errors below the service root: problem documents, with ``code`` and ``message`` for SensorThings clients."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.errors import answer_problem
from layers.errors import TwinError


class StaRoute(APIRoute):
    """A route whose errors carry ``code`` and ``message``, which SensorThings clients read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that answers what a person did wrong; the rest goes on to the application."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except TwinError as error:
                if error.status >= 500:
                    raise
                return answer_sta_problem(error)
            except RequestValidationError as error:
                first = error.errors()[0]
                name = ".".join(str(part) for part in first["loc"][1:]) or "body"
                return answer_sta_problem(TwinError(f"{name}: {first['msg']}"), status=400, code="bad-input")

        return answer


def answer_sta_problem(error: TwinError, *, status: int | None = None, code: str | None = None) -> Response:
    """Return ``error`` as a problem document with ``code`` (the status) and ``message``."""
    used = status or error.status
    members = {"code": used, "message": str(error), **(getattr(error, "members", None) or {})}
    headers = {"www-authenticate": "Bearer"} if used == 401 else None
    return answer_problem(code or error.code, used, error.message, hint=error.hint, headers=headers, members=members)
