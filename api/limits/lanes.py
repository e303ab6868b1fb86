"""Lanes: so many requests of a sort at work at once, so many more that wait for a short time, and no further one.

Each server process has its own. The lanes together need no more threads and connections than the process has, so none
can take those of another: alarms, warnings, health and readings that arrive have theirs whatever is asked beside.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

LaneName = Literal["control", "map", "features", "pictures", "answers", "files", "accounts", "streams"]
_RETRY_S = (1, 4)


@dataclass(frozen=True, slots=True)
class Lane:
    """How many are at work at once, how many wait at most, and for how long [s]."""

    name: LaneName
    at_work: int
    waiting: int
    patience_s: float


LANES: tuple[Lane, ...] = (
    Lane("control", at_work=16, waiting=400, patience_s=10.0),
    Lane("map", at_work=24, waiting=400, patience_s=5.0),
    Lane("features", at_work=8, waiting=80, patience_s=5.0),
    # What keeps a core busy for long: each sort has its own, so that a file does not stand in the way of a picture.
    Lane("pictures", at_work=3, waiting=40, patience_s=5.0),
    Lane("answers", at_work=3, waiting=30, patience_s=10.0),
    Lane("files", at_work=2, waiting=10, patience_s=10.0),
    # Passwords are slow to check on purpose.
    Lane("accounts", at_work=2, waiting=40, patience_s=10.0),
    # Held as long as somebody listens.
    Lane("streams", at_work=1000, waiting=0, patience_s=0.0),
)
THREADS = sum(lane.at_work for lane in LANES if lane.name != "streams") + 16
"""Threads a process may need at once: one a request at work, and some for what the server does for itself."""
_LANE: ContextVar[LaneName] = ContextVar("lane", default="control")


class BusyError(Exception):
    """There is no room: come back after ``retry_after`` [s]. ``own`` says that who asks has taken too much of it."""

    def __init__(self, lane: Lane, *, own: bool) -> None:
        super().__init__(lane.name)
        self.lane, self.own = lane, own
        # Not all at the same second.
        self.retry_after = random.randint(*_RETRY_S)


class Gate:
    """One lane of a process: who is at work, who waits, and how many were sent away."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._free = asyncio.Semaphore(lane.at_work)
        self._held: Counter[str] = Counter()
        self.working = self.waiting = self.refused = 0

    async def enter(self, asker: str | None) -> None:
        """Take a place, waiting a little for one; BusyError where there is none, or where ``asker`` has half of all."""
        lane = self.lane
        if asker is not None and self._held[asker] >= max(1, (lane.at_work + lane.waiting) // 2):
            self.refused += 1
            raise BusyError(lane, own=True)
        if self._free.locked() and self.waiting >= lane.waiting:
            self.refused += 1
            raise BusyError(lane, own=False)
        if asker is not None:
            self._held[asker] += 1
        self.waiting += 1
        try:
            async with asyncio.timeout(lane.patience_s if self._free.locked() else None):
                await self._free.acquire()
        except BaseException as error:
            self._forget(asker)
            if isinstance(error, TimeoutError):
                self.refused += 1
                raise BusyError(lane, own=False) from None
            raise
        finally:
            self.waiting -= 1
        self.working += 1

    def leave(self, asker: str | None) -> None:
        """Give the place back."""
        self.working -= 1
        self._free.release()
        self._forget(asker)

    def _forget(self, asker: str | None) -> None:
        if asker is not None:
            self._held[asker] -= 1
            if self._held[asker] <= 0:
                del self._held[asker]


class Gates:
    """All lanes of a process."""

    def __init__(self, lanes: Iterable[Lane] = LANES) -> None:
        self._gates = {lane.name: Gate(lane) for lane in lanes}

    def __getitem__(self, name: LaneName) -> Gate:
        return self._gates[name]

    def __iter__(self) -> Iterator[Gate]:
        return iter(self._gates.values())


def current_lane() -> LaneName:
    """Return the lane of the request that is being answered; what the server does for itself is of the control lane."""
    return _LANE.get()


@asynccontextmanager
async def in_lane(name: LaneName) -> AsyncIterator[None]:
    """Do what belongs to lane ``name``."""
    token = _LANE.set(name)
    try:
        yield
    finally:
        _LANE.reset(token)
