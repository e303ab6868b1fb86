"""What the addresses below ``/auth`` share: connections of the twin itself, whose session asks, who gives rights."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import answer_json
from api.identity.cookies import find_forgery, read_cookie
from api.identity.remembered import SessionOf
from api.principal import Principal, current_principal
from api.resources import Resources
from layers.access import WHOLE, asking_as
from layers.errors import ForbiddenError, UnauthorizedError
from twin.accounts.keeping import Author


@contextmanager
def begin_as_twin(resources: Resources) -> Iterator[Connection]:
    """Give a transaction on tables that are for the twin alone."""
    with asking_as(WHOLE), resources.engine.begin() as connection:
        yield connection


def find_address(request: Request) -> str:
    """Return the address of the client."""
    return request.client.host if request.client else ""


async def give_session(request: Request) -> SessionOf:
    """Return the session of the browser that asks, also one that still lacks its second factor.

    Raises UnauthorizedError without one, ForbiddenError where another site's page may be behind a change.
    """
    resources: Resources = request.app.state.resources
    token = read_cookie(request, resources.settings)
    found = None if token is None else await resources.identities.find_session(token)
    if found is None:
        raise UnauthorizedError("sign in first", hint="POST /auth/sign-in")
    forgery = find_forgery(request, resources.settings)
    if forgery is not None:
        raise forgery
    return found


async def give_administrator(request: Request) -> Principal:
    """Return who gives rights; UnauthorizedError or ForbiddenError for who may not."""
    principal = current_principal(request)
    principal.require("administer")
    if principal.wards:
        raise ForbiddenError("who is bound to wards does not give rights")
    return principal


def name_author(request: Request) -> Author:
    """Return who asks as the audit names it."""
    principal = current_principal(request)
    return Author(principal.subject, principal.via, find_address(request))


def answer_private(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that is kept nowhere."""
    return answer_json(content, status=status, headers={"cache-control": "no-store", **(headers or {})})


def answer_nothing() -> Response:
    """Return that it is done."""
    return Response(None, 204, headers={"cache-control": "no-store"})


SessionOfAsking = Annotated[SessionOf, Depends(give_session)]
AdministratorOf = Annotated[Principal, Depends(give_administrator)]
