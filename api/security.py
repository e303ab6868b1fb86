"""What every request must be: bodies that stay small, addresses without tricks."""

import re

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer_problem

MAX_BODY = 1_000_000
# What a file is attached with goes to the disk, and a CSV of readings to the database, as it comes; the route counts.
_STREAMED = re.compile(r"^/api/collections/[^/]+/items/.+/attachments$|^/sensors/observations$")
# Data arrays and batches are large by nature.
_LARGE = "/sta/"


class RefuseBadRequests:
    """Answers at the door what no route should see: bodies over ``MAX_BODY`` bytes, NUL in the address.

    SensorThings may send ``sta_limit`` bytes. Attached files and CSV of readings pass: their routes take them in pieces
    and stop at their own limits.
    """

    def __init__(self, app: ASGIApp, sta_limit: int = MAX_BODY) -> None:
        self._app, self._sta_limit = app, sta_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\x00" in scope["path"] or b"%00" in scope["query_string"] or b"\x00" in scope["query_string"]:
            await answer_problem("bad-input", 400, "the address holds a NUL character")(scope, receive, send)
            return
        if scope["method"] == "POST" and _STREAMED.match(scope["path"]):
            await self._app(scope, receive, send)
            return
        limit = self._sta_limit if scope["path"].startswith(_LARGE) else MAX_BODY
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > limit:
            await _refuse_size(limit)(scope, receive, send)
            return
        has_body = declared != b"0" or any(name == b"transfer-encoding" for name, _ in scope["headers"])
        if not has_body:
            await self._app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > limit:
                await _refuse_size(limit)(scope, receive, send)
                return
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                break
        await self._app(scope, _replay(bytes(body), receive), send)


def _refuse_size(limit: int) -> Response:
    return answer_problem("too-large", 413, f"the body is larger than {limit} bytes")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives ``body`` once and then whatever comes."""
    given = False

    async def give() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give
