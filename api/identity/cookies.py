"""The cookie of a session, and which requests that carry it come from our own pages."""

from typing import Literal
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from api.principal import is_loopback
from layers.errors import ForbiddenError
from twin.settings import Settings

SECURE, PLAIN = "__Host-twin", "twin_session"
FLOW = "__Host-twin-flow", "twin_flow"
PAGE_HEADER = "twin-page"
_SAFE = ("GET", "HEAD", "OPTIONS")
Kind = Literal["session", "flow"]


def is_secure(request: HTTPConnection, settings: Settings) -> bool:
    """Return whether the browser reached this server by https."""
    public = settings.public_url or ""
    return request.url.scheme in ("https", "wss") or public.startswith("https://")


def read_cookie(request: HTTPConnection, settings: Settings, kind: Kind = "session") -> str | None:
    """Return the token of a cookie; the one that needs no https counts on this machine alone."""
    secure, plain = (SECURE, PLAIN) if kind == "session" else FLOW
    found = request.cookies.get(secure) if is_secure(request, settings) else None
    if found is None and is_loopback(request.url.hostname or ""):
        found = request.cookies.get(plain)
    return found if found and len(found) <= 100 and found.isascii() else None


def write_cookie(
    response: Response, request: HTTPConnection, settings: Settings, token: str, seconds: int, kind: Kind = "session"
) -> None:
    """Give the browser a token; ForbiddenError where it would travel in the clear."""
    require_private_way(request, settings)
    secure = is_secure(request, settings)
    names = (SECURE, PLAIN) if kind == "session" else FLOW
    response.set_cookie(
        names[0] if secure else names[1], token, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def clear_cookie(response: Response, request: HTTPConnection, settings: Settings, kind: Kind = "session") -> None:
    """Take the token from the browser."""
    secure = is_secure(request, settings)
    names = (SECURE, PLAIN) if kind == "session" else FLOW
    response.delete_cookie(names[0] if secure else names[1], path="/", secure=secure, httponly=True, samesite="lax")


def require_private_way(request: HTTPConnection, settings: Settings) -> None:
    """Raise ForbiddenError where a password would travel in the clear."""
    if not is_secure(request, settings) and not is_loopback(request.url.hostname or ""):
        raise ForbiddenError("signing in needs https", hint="put nginx or Caddy before the server: docs/install.md")


def find_forgery(request: HTTPConnection, settings: Settings) -> ForbiddenError | None:
    """Return why a request with a session's cookie may be another site's doing; None for reading and for our pages.

    A page of ours says so in a header that no plain form can send, and the browser says that it is of this origin.
    """
    if request.scope.get("method", "GET") in _SAFE:
        return None
    return find_foreign(request, settings) or _find_missing(request)


def find_foreign(request: HTTPConnection, settings: Settings) -> ForbiddenError | None:
    """Return why a request may come from another site's page; what says nothing of where it comes from may."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return ForbiddenError("a page of another site may not do this in your name")
    if origin is not None:
        own = (request.headers.get("host", ""), urlsplit(settings.public_url or "").netloc)
        if not urlsplit(origin).netloc or urlsplit(origin).netloc not in own:
            return ForbiddenError(f"a page of '{origin[:80]}' may not do this in your name")
    if site is None and origin is None:
        return ForbiddenError("a browser says where a request comes from", hint="programs use a key")
    return None


def _find_missing(request: HTTPConnection) -> ForbiddenError | None:
    if PAGE_HEADER in request.headers:
        return None
    return ForbiddenError("the header Twin-Page is missing", hint="programs use a key: Authorization: Bearer twin_…")
