"""Shows a resource as a page to who asks for one: ``f=html``, or a browser's ``Accept``.

The page is made of what the resource answers to a program, so that both always say the same.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.negotiation import prefers_page
from api.pages import collections, items, processes, slo
from api.pages.failure import write_failure
from api.pages.parts import Shown

_LAYER = r"/api/collections/(?P<layer>[a-z0-9_]+)"
_ITEMS_A_PAGE = "50"


class _Page(NamedTuple):
    """A resource that has a page; ``takes_form``: its route reads ``f`` itself."""

    pattern: re.Pattern[str]
    write: Callable[[dict[str, Any], Shown], str]
    takes_form: bool = False


_PAGES = (
    _Page(re.compile(r"/api/?"), collections.write_landing),
    _Page(re.compile(r"/api/conformance"), collections.write_conformance),
    _Page(re.compile(r"/api/collections"), collections.write_collections),
    _Page(re.compile(_LAYER), collections.write_collection),
    _Page(re.compile(rf"{_LAYER}/(?P<what>queryables|sortables|schema)"), collections.write_schema),
    _Page(re.compile(r"/api/functions"), collections.write_functions),
    _Page(re.compile(rf"{_LAYER}/items"), items.write_items, takes_form=True),
    _Page(
        re.compile(rf"{_LAYER}/items/(?P<item>(?!.*/(?:versions|attachments|inspections)$).+)"),
        items.write_item,
        takes_form=True,
    ),
    _Page(re.compile(r"/api/queries/[^/]+/items"), items.write_items, takes_form=True),
    _Page(re.compile(r"/api/processes"), processes.write_processes),
    _Page(re.compile(r"/api/processes/[^/]+"), processes.write_process),
    _Page(re.compile(r"/slo"), slo.write_objectives),
    _Page(re.compile(r"/api/jobs"), processes.write_jobs),
    _Page(re.compile(r"/api/jobs/[^/]+"), processes.write_job),
)


class ShowPages:
    """Turns answers in JSON into pages where a person asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _find(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        page, names = found
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        forms = [value for name, value in query if name == "f"]
        accept = Headers(scope=scope).get("accept", "")
        form = forms[0] if len(forms) == 1 else "html" if not forms and prefers_page(accept) else ""
        rest = [(name, value) for name, value in query if name != "f"]
        asked = scope
        if form == "html":
            shown, asked = Shown(scope["path"], dict(rest), names), _ask(scope, rest, page)
            await self._show(page, shown, asked, receive, send)
        elif form == "json" and not page.takes_form:
            asked = _with_query(scope, rest)
            await self._app(asked, receive, send)
        else:
            await self._app(scope, receive, send)
        # By its route a request is counted.
        scope["route"] = asked.get("route")

    async def _show(self, page: _Page, shown: Shown, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        parts: list[bytes] = []

        async def gather(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, gather)
        document = orjson.loads(b"".join(parts)) if parts != [b""] else {}
        written = page.write(document, shown) if start["status"] == 200 else write_failure(document)
        body = written.encode()
        headers = MutableHeaders(raw=list(start["headers"]))
        for name in ("etag", "last-modified", "content-crs", "link"):
            del headers[name]
        headers["content-type"] = "text/html; charset=utf-8"
        headers["content-length"] = str(len(body))
        headers["vary"] = "accept"
        await send({**start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})


def _find(scope: Scope) -> tuple[_Page, dict[str, str]] | None:
    for page in _PAGES:
        match = page.pattern.fullmatch(scope["path"])
        if match:
            return page, match.groupdict()
    return None


def _ask(scope: Scope, rest: list[tuple[str, str]], page: _Page) -> Scope:
    """Return the request a program would make; a page for people is shorter."""
    asked = list(rest)
    if page.write is items.write_items and "limit" not in dict(rest):
        asked.append(("limit", _ITEMS_A_PAGE))
    kept = [(name, value) for name, value in scope["headers"] if name not in (b"accept", b"if-none-match")]
    return {**_with_query(scope, asked), "headers": [*kept, (b"accept", b"application/json")]}


def _with_query(scope: Scope, query: list[tuple[str, str]]) -> Scope:
    return {**scope, "query_string": urlencode(query).encode("latin-1")}
