"""Who may write, and in whose name: the one door of everything that changes the city over HTTP.

With ``TWIN_WRITE_TOKEN`` a write carries it as a bearer token. Without one only this machine may write: the connection
comes from loopback, is addressed to a loopback name (a rebound one is none), and no page of another origin sent it.
"""

import hmac
import ipaddress
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote, urlsplit

from fastapi import Depends, Request

from api.dependencies import ResourcesOf
from layers.errors import ForbiddenError, InputError, UnauthorizedError

LONGEST_AUTHOR, LONGEST_REASON = 100, 500
_NAMED = "name yourself with the header Authorization: Bearer TOKEN"
_OPEN = "set TWIN_WRITE_TOKEN on the server and send it, or write from the server's own machine"


@dataclass(frozen=True, slots=True)
class Writer:
    """Who changes something, and why."""

    author: str
    reason: str


async def give_writer(request: Request, resources: ResourcesOf) -> Writer:
    """Return who writes; UnauthorizedError or ForbiddenError for who may not."""
    settings = resources.settings
    if settings.write_token is not None:
        _check_token(request, settings.write_token.get_secret_value())
    elif settings.public_url is not None:
        raise ForbiddenError("this server is behind a proxy and has no token for writing", hint=_OPEN)
    else:
        _check_local(request)
    return Writer(
        _read_words(request, "twin-author", LONGEST_AUTHOR) or "local",
        _read_words(request, "twin-reason", LONGEST_REASON),
    )


async def find_writer(request: Request, resources: ResourcesOf) -> Writer | None:
    """Return who could write, None for who only reads."""
    try:
        return await give_writer(request, resources)
    except (ForbiddenError, UnauthorizedError):
        return None


WriterOf = Annotated[Writer, Depends(give_writer)]
MaybeWriterOf = Annotated[Writer | None, Depends(find_writer)]


def _check_token(request: Request, token: str) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        raise UnauthorizedError("writing needs a token", hint=_NAMED)
    if not hmac.compare_digest(given.strip().encode("latin-1"), token.encode()):
        raise UnauthorizedError("the token is not the right one", hint=_NAMED)


def _check_local(request: Request) -> None:
    """Raise ForbiddenError unless the request comes from this machine and from no other site's page."""
    client = request.client.host if request.client else ""
    if not _is_loopback(client):
        raise ForbiddenError(f"{client or 'who asks'} may not write: only this machine may", hint=_OPEN)
    host = request.headers.get("host", "")
    if not _is_loopback(urlsplit(f"//{host}").hostname or ""):
        raise ForbiddenError(f"'{host[:80]}' is no name of this machine", hint=_OPEN)
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        raise ForbiddenError(f"a page of '{origin[:80]}' may not write here")
    forwarded = next((name for name in ("forwarded", "x-forwarded-for", "via") if name in request.headers), None)
    if forwarded is not None:
        raise ForbiddenError(f"the header '{forwarded}' says that this request was passed on", hint=_OPEN)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_words(request: Request, name: str, longest: int) -> str:
    """Return a header as text: UTF-8, or percent-encoded UTF-8 where a client can send ASCII only."""
    sent = request.headers.get(name, "").encode("latin-1")
    try:
        words = unquote(sent.decode("utf-8"), errors="strict").strip()
    except UnicodeDecodeError:
        raise InputError(f"header '{name}' is not UTF-8", hint="percent-encode it") from None
    return check_words(words, name, longest)


def check_words(words: str, name: str, longest: int) -> str:
    """Return ``words`` if they are one line of at most ``longest`` characters; InputError names ``name``."""
    if len(words) > longest:
        raise InputError(f"'{name}' has {len(words)} characters, at most {longest} are kept")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in words):
        raise InputError(f"'{name}' holds control characters")
    return words
