"""Who asks, by a key or a session; and nobody by being this machine as soon as there are accounts."""

import logging
from typing import cast

import psycopg
import psycopg_pool
from starlette.requests import HTTPConnection

from api.identity.cookies import find_forgery, read_cookie
from api.principal import Principal
from api.resources import Resources
from layers.errors import DatabaseError, TwinError, UnauthorizedError
from twin.accounts.sign_in import needs_code
from twin.accounts.tokens import PREFIX, read_key
from twin.roles import Action
from twin.settings import Settings

_SIGN_IN = "sign in, or send a key: Authorization: Bearer twin_…"
_AWAY = (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed, psycopg_pool.TooManyRequests)
_log = logging.getLogger("api")


async def identify_by_key(request: HTTPConnection, resources: Resources) -> Principal | None:
    """Return whose key a request carries, None where it carries none; UnauthorizedError for one that does not count."""
    written = request.headers.get("x-api-key", "").strip() or _read_bearer(request)
    if not written.startswith(PREFIX):
        if "x-api-key" in request.headers:
            raise UnauthorizedError("the key does not count", hint=_SIGN_IN)
        return None
    parts = read_key(written)
    try:
        found = None if parts is None else await resources.identities.find_key(parts)
    except _AWAY as error:
        return _say_away(error)
    if found is None:
        raise UnauthorizedError("the key does not count", hint="it may be over or revoked")
    return Principal(
        f"key:{found.id}", found.title, found.roles or frozenset({"public"}), found.wards, "key",
        cast("frozenset[Action] | None", found.scopes), streams=found.streams,
    )  # fmt: skip


async def identify_by_session(request: HTTPConnection, resources: Resources) -> Principal | None:
    """Return who signed in with a browser; whoever lacks a second factor that is needed is the public until then."""
    settings = resources.settings
    token = read_cookie(request, settings)
    if token is None:
        return None
    try:
        found = await resources.identities.find_session(token)
    except _AWAY as error:
        return _say_away(error)
    if found is None:
        return None
    forgery = find_forgery(request, settings)
    if forgery is not None:
        return Principal(refusal=forgery)
    missing = found.via == "password" and not found.has_code and needs_code(found.roles, required=asks_code(settings))
    roles = frozenset({"public"}) if missing else found.roles
    return Principal(f"account:{found.account}", found.title, roles, found.wards, "session")


async def refuse_this_machine(_request: HTTPConnection, resources: Resources) -> Principal | None:
    """Return nobody where somebody could sign in; None where the server's token or this machine decide."""
    settings = resources.settings
    if settings.write_token is not None:
        return None
    if settings.oidc_issuer is None and not await resources.identities.has_accounts():
        return None
    return Principal(refusal=UnauthorizedError("sign in first", hint=_SIGN_IN))


def asks_code(settings: Settings) -> bool:
    """Return whether strong roles need a second factor: as set, else wherever others than this machine reach it."""
    if settings.second_factor is not None:
        return settings.second_factor
    return settings.public_url is not None or settings.host not in ("127.0.0.1", "::1", "localhost")


def _read_bearer(request: HTTPConnection) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _say_away(error: Exception) -> Principal:
    """Return nobody: reading what is public goes on while it cannot be said who asks."""
    _log.warning("who asks cannot be found: %s", error)
    refusal: TwinError = DatabaseError("it cannot be said who you are now", hint="try again soon")
    return Principal(refusal=refusal)
