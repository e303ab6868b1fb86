"""Who acts: one request or one command, which leaves one entry however it ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from twin.audit.entry import Entry, Outcome, Who


@dataclass(slots=True)
class Act:
    """What is being done, by whom (asked when it is written), and whether an entry of it was written.

    ``changes`` says whether what it writes is recorded with it. ``end`` writes an entry in a transaction of its own; it
    is there once there is a database to write to.
    """

    action: str
    object: str
    who: Callable[[], Who]
    detail: dict[str, Any] = field(default_factory=dict)
    changes: bool = True
    is_recorded: bool = False
    is_export: bool = False
    end: Callable[[Entry], None] | None = None

    def write(self, outcome: Outcome, **more: Any) -> Entry:
        """Return its entry."""
        return Entry(self.action, self.object, outcome, {**self.detail, **more}, self.who())


_ACTING: ContextVar[Act | None] = ContextVar("acting", default=None)


@contextmanager
def acting(act: Act | None) -> Iterator[None]:
    """Do what is in the block as ``act``; None: nothing of it is recorded by itself."""
    token = _ACTING.set(act)
    try:
        yield
    finally:
        _ACTING.reset(token)


def who_acts() -> Act | None:
    """Return what is being done."""
    return _ACTING.get()


def tell(object: str | None = None, **detail: Any) -> None:
    """Say more of what is being done: the thing it is done to, and what else the entry should hold."""
    act = _ACTING.get()
    if act is not None:
        act.object = object or act.object
        act.detail.update(detail)


def tell_export(object: str, **detail: Any) -> None:
    """Say that what is read is an export that must be recorded, before anything of it leaves."""
    act = _ACTING.get()
    if act is not None:
        act.action, act.object, act.is_export = "export", object, True
        act.detail.update(detail)
