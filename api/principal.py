"""Who asks: found once at the door of every request, with what it may do and how far it sees.

Without accounts, tokens and a public address this machine is the administrator. Everybody else is the public until a
token, a key or a session says more.
"""

import hmac
import ipaddress
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from layers.access import Reach
from layers.errors import ForbiddenError, TwinError, UnauthorizedError
from twin.roles import Action, find_reach, list_actions
from twin.settings import Settings

_NAMED = "name yourself with the header Authorization: Bearer TOKEN"
_OPEN = "set TWIN_WRITE_TOKEN on the server and send it, or write from the server's own machine"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: ``subject`` names it for good (``account:ann``, ``key:7f3a``, ``local``), ``name`` to people.

    ``wards`` bound it to a part of the city. ``via`` is how it was known: nothing, this machine, the server's token, an
    API key, a session of a browser. ``refusal`` says why nobody was known, for who must be somebody. ``scopes`` narrow
    the actions of a key further; ``streams`` are the only series that a device writes.
    """

    subject: str = "public"
    name: str = ""
    roles: frozenset[str] = frozenset({"public"})
    wards: tuple[str, ...] = ()
    via: str = "none"
    scopes: frozenset[Action] | None = None
    streams: frozenset[str] | None = None
    refusal: TwinError | None = field(default=None, compare=False)

    @property
    def is_known(self) -> bool:
        """Whether it is more than the public."""
        return self.via != "none"

    @property
    def names_others(self) -> bool:
        """Whether it says itself whose name it works in: it is a machine, not a person who signed in."""
        return self.via in ("local", "token")

    @property
    def reach(self) -> Reach:
        """How far it sees and edits."""
        reach = find_reach(self.roles, self.wards)
        return reach if self.may("edit") else replace(reach, edits=())

    def may(self, action: Action) -> bool:
        """Whether one of its roles allows ``action``, and its key does not leave it out."""
        return action in list_actions(self.roles) and (self.scopes is None or action in self.scopes)

    def require(self, action: Action) -> None:
        """Raise UnauthorizedError for who is not known, ForbiddenError for who may not do ``action``."""
        if self.may(action):
            return
        if not self.is_known:
            raise self.refusal or UnauthorizedError("sign in first", hint=_NAMED)
        held = ", ".join(sorted(self.roles))
        raise ForbiddenError(f"{self.name or self.subject} ({held}) may not {action}", hint="ask an administrator")


LOCAL = Principal("local", "local", frozenset({"administrator"}), via="local")
TOKEN = Principal("token", "local", frozenset({"administrator"}), via="token")


def identify(request: HTTPConnection, settings: Settings) -> Principal:
    """Return who sent ``request`` by the server's token or from this machine; UnauthorizedError for a wrong token."""
    token = settings.write_token
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if token is not None:
        if scheme.lower() != "bearer" or not given:
            return Principal(refusal=UnauthorizedError("writing needs a token", hint=_NAMED))
        if not hmac.compare_digest(given.strip().encode("latin-1"), token.get_secret_value().encode()):
            raise UnauthorizedError("the token is not the right one", hint=_NAMED)
        return TOKEN
    if settings.public_url is not None:
        said = "this server is behind a proxy and has no token for writing"
        return Principal(refusal=ForbiddenError(said, hint=_OPEN))
    refusal = find_distance(request)
    return LOCAL if refusal is None else Principal(refusal=refusal)


def find_distance(request: HTTPConnection) -> ForbiddenError | None:
    """Return why a request is not one of this machine's own; None for one that comes from it, to it, and from no other
    site's page."""
    client = request.client.host if request.client else ""
    if not is_loopback(client):
        return ForbiddenError(f"{client or 'who asks'} may not write: only this machine may", hint=_OPEN)
    host = request.headers.get("host", "")
    if not is_loopback(urlsplit(f"//{host}").hostname or ""):
        return ForbiddenError(f"'{host[:80]}' is no name of this machine", hint=_OPEN)
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return ForbiddenError(f"a page of '{origin[:80]}' may not write here")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return ForbiddenError("a page of another site may not write here")
    forwarded = next((name for name in ("forwarded", "x-forwarded-for", "via") if name in request.headers), None)
    if forwarded is not None:
        return ForbiddenError(f"the header '{forwarded}' says that this request was passed on", hint=_OPEN)
    return None


def current_principal(request: HTTPConnection) -> Principal:
    """Return who sent ``request``, as the door found it."""
    found: Principal = request.scope["principal"]
    return found


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is a name or an address of this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
