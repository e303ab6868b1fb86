"""Headers that close the browser's doors: what a page may load, who may hold it in a frame, that it comes by https."""

import base64
import hashlib
from collections.abc import Iterable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import chart_style, openapi
from api.maps import information
from api.pages import parts, slo
from api.routes import viewer

EMBEDDED = "/widget.html"
"""The only page that may stand in a frame."""
STYLES = (
    chart_style.STYLE,
    openapi.PAGE_STYLE,
    information.PAGE_STYLE,
    parts.PAGE_STYLE,
    slo.PAGE_STYLE,
    viewer.PAGE_STYLE,
)
"""Styles that stand in pages of the server: these and no others are taken, by their hash."""
HSTS = "max-age=31536000; includeSubDomains"
# A script has its answer's policy where it becomes a worker.
_PAGES = (b"text/html", b"text/javascript", b"application/javascript")
# What is no page loads nothing and asks nobody, also where a browser shows it by itself: a drawing, JSON.
_DATA = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_Headers = Sequence[tuple[bytes, bytes]]
_ALWAYS: _Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), payment=(), usb=(), serial=(), hid=()"),
)


class SecureHeaders:
    """Adds the security headers to every answer; pages of ``embedders`` may hold a widget in a frame.

    ``https``: browsers are told to come by https alone.
    """

    def __init__(self, app: ASGIApp, embedders: Sequence[str] = (), *, https: bool = False) -> None:
        self._app = app
        self._always = always = (*_ALWAYS, (b"strict-transport-security", HSTS.encode())) if https else _ALWAYS
        framed = (*always, (b"x-frame-options", b"DENY"))
        self._page = (*framed, _write_policy(_write_page_policy(), "'none'"))
        self._data = (*framed, _write_policy(_DATA, "'none'"))
        self._embedded = (*always, _write_policy(_write_page_policy(), " ".join(("'self'", *embedders))))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                # What is unchanged keeps the policy it came with.
                unchanged = message["status"] == 304
                message["headers"] = [*given, *(self._always if unchanged else self._choose(scope["path"], given))]
            await send(message)

        await self._app(scope, receive, add_headers if scope["type"] == "http" else send)

    def _choose(self, path: str, given: Iterable[tuple[bytes, bytes]]) -> _Headers:
        if path == EMBEDDED:
            return self._embedded
        kind = next((value for name, value in given if name.lower() == b"content-type"), b"")
        return self._page if kind.startswith(_PAGES) else self._data


def _write_page_policy() -> str:
    known = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in STYLES)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self' " + " ".join(f"'sha256-{digest}'" for digest in known),
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "frame-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def _write_policy(directives: str, ancestors: str) -> tuple[bytes, bytes]:
    return b"content-security-policy", f"{directives}; frame-ancestors {ancestors}".encode()
