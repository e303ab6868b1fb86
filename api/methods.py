"""Which methods an address knows, told where it is asked by another one."""

import asyncio
from collections.abc import Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer_problem, tell_sensorthings

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class RefuseMethods:
    """Answers 405 where another method of the address has a route; everything else goes on to ``app``.

    It stands behind all routes, before what serves any path: there the framework no longer knows of the routes.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A mount leaves the whole path in place and notes what it stands for.
        whole = {**scope, "root_path": scope.get("app_root_path", "")}
        allowed = [method for method in _METHODS if self._answers(whole, method)] if scope["type"] == "http" else []
        if not allowed:
            await self._app(scope, receive, send)
            return
        if "GET" in allowed:
            allowed.insert(1, "HEAD")
        told = ", ".join(allowed)
        said = f"{scope['method']} is not possible at {scope['path'][:200]}"
        members = tell_sensorthings(scope["path"], 405, said)
        answer = answer_problem(
            "method-not-allowed", 405, said, hint=f"use {told}", headers={"allow": told}, members=members
        )
        await answer(scope, receive, send)

    def _answers(self, scope: Scope, method: str) -> bool:
        return any(route.matches({**scope, "method": method})[0] == Match.FULL for route in self._routes)


class AnswerHead:
    """Answers HEAD with the headers of GET, for routes that know only GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        begun, asked = asyncio.Event(), False

        async def receive_nothing() -> Message:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            # What follows changes for ever must not be followed by who wants no body, nor be waited for in a circle.
            await begun.wait()
            return {"type": "http.disconnect"}

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and not begun.is_set():
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                begun.set()

        await self._app({**scope, "method": "GET"}, receive_nothing, send_headers)
