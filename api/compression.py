"""Text is sent compressed to whoever accepts it."""

from isal import igzip
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TEXTS = ("json", "text/", "javascript", "svg", "xml")
_SMALLEST = 1000


def accepts_gzip(headers: Headers) -> bool:
    """Return whether the client takes gzip (``gzip;q=0`` refuses it)."""
    for part in headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


class CompressText:
    """Compresses JSON, scripts and pages sent in one piece or many; what is already encoded passes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not accepts_gzip(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        start: Message = {}
        parts: list[bytes] = []

        async def compress(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                if not _is_text(Headers(raw=message["headers"])):
                    await send(message)
                    start = {}
                return
            if message["type"] != "http.response.body" or not start:
                await send(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body", False):
                return
            body = b"".join(parts)
            headers = MutableHeaders(raw=start["headers"])
            headers.add_vary_header("accept-encoding")
            if len(body) >= _SMALLEST:
                body = igzip.compress(body, compresslevel=2)
                headers["content-encoding"] = "gzip"
                headers["content-length"] = str(len(body))
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, compress)


def _is_text(headers: Headers) -> bool:
    if "content-encoding" in headers:
        return False
    media_type = headers.get("content-type", "")
    # Events leave one by one as they happen.
    return not media_type.startswith("text/event-stream") and any(word in media_type for word in _TEXTS)
