"""The door: who asks is found, what it may do is checked, and everything behind works with its reach."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import answer_error
from api.identity.known import identify_by_key, identify_by_session, refuse_this_machine
from api.principal import Principal, identify
from api.resources import Resources
from api.rights import AS_ASKED, find_action
from layers.access import asking_as
from layers.errors import TwinError
from twin.observing.context import note

Identifier = Callable[[HTTPConnection, Resources], Awaitable[Principal | None]]
IDENTIFIERS: tuple[Identifier, ...] = (identify_by_key, identify_by_session, refuse_this_machine)
"""Ways to be known beside the server's own token and this machine, in the order in which they are tried."""


class Door:
    """Refuses what who asks may not do; puts the principal into the scope and its reach around the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            principal = await find_principal(HTTPConnection(scope), scope["app"].state.resources)
            action = find_action(scope.get("method", "GET"), scope["path"])
            # Also who is refused: the audit names him.
            scope["principal"] = principal
            principal.require(action)
        except TwinError as error:
            await answer_error(error, scope["path"])(scope, receive, send)
            return
        note("who", principal.subject)
        reach = principal.reach
        with asking_as(reach if action in AS_ASKED else replace(reach, whole=True)):
            await self._app(scope, receive, send)


async def find_principal(connection: HTTPConnection, resources: Resources) -> Principal:
    """Return who asks; UnauthorizedError for credentials that are not right."""
    for known in IDENTIFIERS:
        if (found := await known(connection, resources)) is not None:
            return found
    return identify(connection, resources.settings)
