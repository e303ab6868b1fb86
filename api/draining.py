"""Taking leave: told to stop (SIGTERM), a server says for a while that it is not ready, and only then stops to listen.

A balancer that asks ``/readyz`` sends nobody here meanwhile; connections that are kept open are closed after their next
answer. What is being answered then is finished within a bound.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.readiness import Readiness


@contextmanager
def take_leave_slowly(readiness: Readiness, seconds: float, end_streams: Callable[[], None]) -> Iterator[None]:
    """Let the first SIGTERM of the block only begin the leave; a second one, or ``seconds`` [s], ends it.

    At the end ``end_streams`` is called: streams of events would be waited for in vain, and broken off.
    """
    stop = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(stop):
        yield
        return
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        end_streams()
        stop(number, None)

    def begin(number: int, frame: FrameType | None) -> None:
        wait = 0.0 if readiness.is_draining else seconds
        readiness.drain()
        loop.call_soon_threadsafe(loop.call_later, wait, end, number)

    signal.signal(signal.SIGTERM, begin)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, stop)


class CloseWhenLeaving:
    """Closes connections after their answer while the server takes leave."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def close_after(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["app"].state.resources.readiness.is_draining:
                message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, close_after if scope["type"] == "http" else send)
