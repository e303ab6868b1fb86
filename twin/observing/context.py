"""On whose behalf something is done: ids that every line of the log and every job carries along.

What is noted deep inside a request is seen by its last line too: all of a request share one dictionary, also in the
threads it uses.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Field = Literal["request_id", "run_id", "job_id", "who"]
CARRIED = ("request_id", "who")
"""What goes with a job to the worker."""
_held: ContextVar[dict[str, str] | None] = ContextVar("observing", default=None)
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,63}")


@contextmanager
def bound(fields: Mapping[Field, str | None]) -> Iterator[None]:
    """Let everything in the block be done on behalf of ``fields``, beside those that hold already."""
    token = _held.set({**read_context(), **{name: value for name, value in fields.items() if value}})
    try:
        yield
    finally:
        _held.reset(token)


def note(field: Field, value: str) -> None:
    """Add a field to those of the block this is called in; outside of any nothing happens."""
    held = _held.get()
    if held is not None:
        held[field] = value


def read_context() -> dict[str, str]:
    """Return the fields that hold here."""
    return dict(_held.get() or {})


def choose_request_id(given: str | None) -> str:
    """Return the id a client gave if it is a harmless one of at most 64 characters, else a new one."""
    return given if given is not None and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
