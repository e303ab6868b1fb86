"""The two places where requests are held back: before anything is read of one, and before it is worked on.

Who says nothing about himself is counted by the address, at once. Who brings a key or a session is counted by what the
door makes of it; an address that brings wrong ones is counted for those.
"""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.limits.answers import add_state, answer_busy, answer_exceeded
from api.limits.askers import has_credentials, name_address
from api.limits.buckets import Buckets, Verdict
from api.limits.kinds import find_kind
from api.limits.lanes import BusyError, in_lane
from api.principal import current_principal
from api.resources import Resources

WRONG_KEY = 50.0
"""What a wrong key or session costs the address, in units."""
_KIND, _COUNTED = "twin.kind", "twin.counted"


class LimitAddresses:
    """Counts requests by address before their bodies are read, and puts their kind into the scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = scope[_KIND] = find_kind(scope)
        address, buckets = name_address(scope), _read_resources(scope).buckets
        async with in_lane(kind.lane):
            if buckets is None or address is None or kind.cost == 0.0:
                scope[_COUNTED] = True
                await self._app(scope, receive, send)
            elif has_credentials(scope):
                await self._try_key(scope, receive, send, buckets, f"wrong {address}")
            else:
                verdict = buckets.take(address, kind.cost)
                if not verdict.allowed:
                    await _refuse(scope, receive, send, buckets, verdict, kind.name)
                    return
                scope[_COUNTED] = True
                await self._app(scope, receive, _telling(send, buckets, verdict))

    async def _try_key(self, scope: Scope, receive: Receive, send: Send, buckets: Buckets, name: str) -> None:
        """Let a request with a key through unless its address brought too many wrong ones."""
        verdict = buckets.look(name, WRONG_KEY)
        if not verdict.allowed:
            await _refuse(scope, receive, send, buckets, verdict, "a key or session that is not right")
            return

        async def count_wrong(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                buckets.take(name, WRONG_KEY)
            await send(message)

        await self._app(scope, receive, count_wrong)


class KeepLanes:
    """Counts who is known by name, then gives each request a place in its lane until its answer begins.

    By then the work is done and connections are given back; only a stream of events is held to its end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind, asker, resources = scope[_KIND], _name_asker(scope), _read_resources(scope)
        buckets, gate = resources.buckets, resources.gates[kind.lane]
        if buckets is not None and asker is not None and _COUNTED not in scope:
            verdict = buckets.take(asker, kind.cost)
            if not verdict.allowed:
                await _refuse(scope, receive, send, buckets, verdict, kind.name)
                return
            send = _telling(send, buckets, verdict)
        try:
            await gate.enter(asker)
        except BusyError as error:
            resources.metrics.refused.labels(f"lane {error.lane.name}").inc()
            await answer_busy(error)(scope, receive, send)
            return
        held = True

        def leave() -> None:
            nonlocal held
            if held:
                held = False
                gate.leave(asker)

        async def give_back(message: Message) -> None:
            if message["type"] == "http.response.start" and kind.lane != "streams":
                leave()
            await send(message)

        try:
            await self._app(scope, receive, give_back)
        finally:
            leave()


async def _refuse(scope: Scope, receive: Receive, send: Send, buckets: Buckets, verdict: Verdict, what: str) -> None:
    _read_resources(scope).metrics.refused.labels("quota").inc()
    await answer_exceeded(verdict, buckets, what)(scope, receive, send)


def _read_resources(scope: Scope) -> Resources:
    held: Resources = scope["app"].state.resources
    return held


def _name_asker(scope: Scope) -> str | None:
    """Return who asks, by what the door found: by name, else by address; None for this machine."""
    principal = current_principal(HTTPConnection(scope))
    if principal.via == "local":
        return None
    return f"known {principal.subject}" if principal.is_known else name_address(scope)


def _telling(send: Send, buckets: Buckets, verdict: Verdict) -> Send:
    """Return a send that says in the head of the answer what is left of the allowance."""

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            add_state(message, buckets, verdict)
        await send(message)

    return tell
