"""The audit at the door: what changes something, is refused or is taken out leaves an entry, whichever route it is.

A change is recorded in its own transaction, just before it is committed (``twin.audit.recording``). What was refused or
failed is recorded here once the answer is known; an export of what is not for everybody before its first byte leaves.
"""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.principal import Principal
from api.rights import find_action
from twin.audit.act import Act, acting
from twin.audit.entry import Entry, Outcome, Who
from twin.audit.recording import record_alone
from twin.observing.context import read_context
from twin.roles import Action

SAFE = ("GET", "HEAD", "OPTIONS")
ROUTINE = re.compile(
    r"/sensors/telemetry/[^/]+|/sta/v1\.1/(Observations|CreateObservations|Datastreams\([^/]*\)/Observations)"
)
"""Readings that arrive: who sent them stands in the ledger of each. Only what is refused is recorded."""
UNRECORDED: frozenset[Action] = frozenset({"read", "ask"})
"""Actions that change nothing by themselves: recorded where they write, as a run that is begun, or are refused."""
BUSY = (429, 503)
"""Answers of a server that has no time: nothing was done, and writing it down would take what is short."""
_log = logging.getLogger("api.audit")


class Sieve:
    """Lets few refusals a minute of one address through, and tells with the next one how many were held back.

    So nobody fills the audit by knocking.
    """

    def __init__(
        self, per_minute: int = 30, addresses: int = 2000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute, self._addresses, self._clock = per_minute, addresses, clock
        self._seen: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def pass_on(self, address: str) -> int | None:
        """Return how many were held back since the last one that passed; None for one that is held back itself."""
        now = self._clock()
        with self._lock:
            began, passed, held = self._seen.pop(address, [now, 0, 0])
            if now - began >= 60.0:
                began, passed = now, 0
            passes = passed < self._per_minute
            self._seen[address] = [began, passed + 1, 0] if passes else [began, passed, held + 1]
            if len(self._seen) > self._addresses:
                self._seen.popitem(last=False)
        return int(held) if passes else None


class Audited:
    """Puts every request into an act, and records at the answer what no transaction did."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sieve = Sieve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        act, answered = begin(scope), False

        async def note(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                await self._end(scope, act, message["status"])
            await send(message)

        try:
            with acting(act):
                await self._app(scope, receive, note)
        except Exception:
            # Nobody foresaw it: it is answered further out.
            if not answered:
                await self._end(scope, act, 500)
            raise

    async def _end(self, scope: Scope, act: Act, status: int) -> None:
        outcome = judge(scope, act, status)
        if outcome is None:
            return
        more: dict[str, int] = {"status": status}
        if outcome == "refused":
            held = self._sieve.pass_on(act.who().client or "")
            if held is None:
                return
            more |= {"held_back": held} if held else {}
        await run_in_threadpool(self._write, scope, act.write(outcome, **more))

    def _write(self, scope: Scope, entry: Entry) -> None:
        try:
            record_alone(scope["app"].state.resources.engine, entry)
        except SQLAlchemyError as error:
            # The answer stands; what is not in the audit is in the log.
            _log.error("not recorded: %s %s %s: %s", entry.action, entry.object, entry.outcome, error)
            if entry.action == "export":
                raise


def begin(scope: Scope) -> Act:
    """Return the act of a request."""
    method, path = scope["method"], scope["path"]
    action = find_action(method, path)
    is_change = method not in SAFE and action != "read" and not (method == "POST" and ROUTINE.fullmatch(path))
    # A process that answers at once leaves nothing: what is recorded of it is a run that was begun.
    asked = "account" if path.startswith("/auth/") else "run"
    return Act(
        asked if action == "ask" else action, path, lambda: name_who(scope), {"method": method}, changes=is_change
    )


def judge(scope: Scope, act: Act, status: int) -> Outcome | None:
    """Return the outcome that must be recorded once the status is known; None where nothing must.

    Who is not known and only reads what is for others is not worth an entry; wrong credentials are.
    """
    if status in (401, 403):
        named = find_principal(scope).is_known or b"authorization" in dict(scope["headers"])
        return "refused" if named or scope["method"] not in SAFE else None
    if status in BUSY:
        return None
    if act.is_export and status < 400:
        return "done"
    if not act.changes or (find_action(scope["method"], scope["path"]) in UNRECORDED and not act.is_recorded):
        return None
    if status >= 400:
        return "failed"
    return None if act.is_recorded else "unchanged"


def find_principal(scope: Scope) -> Principal:
    """Return who asks, the public where the door did not come to know."""
    found: Principal = scope.get("principal") or Principal()
    return found


def name_who(scope: Scope) -> Who:
    """Return who sent a request, as the audit names it."""
    principal = find_principal(scope)
    client = HTTPConnection(scope).client
    return Who(
        principal.subject,
        principal.name,
        principal.via,
        client.host if client else None,
        read_context().get("request_id"),
    )
