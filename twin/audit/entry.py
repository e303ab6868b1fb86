"""What an entry of the audit says, how long it may be, and the bytes that are sealed."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

Outcome = Literal["done", "unchanged", "refused", "failed"]
FIRST = bytes(32)
"""What stands before the first seal."""
LONGEST_OBJECT, LONGEST_WORDS, LONGEST_DETAIL = 400, 200, 4000
_MOST_KEYS = 40
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Who:
    """Who did something: for good and for people, how it was known, from which address, in which request."""

    subject: str
    name: str = ""
    via: str = "twin"
    client: str | None = None
    request_id: str | None = None


TWIN = Who("twin")
"""The twin itself: what its processes do without being asked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing done: an ``action`` (``edit``, ``sign-in`` …) on an ``object`` (``edit:12``), and its ``outcome``.

    ``who`` is found in the request or the command at hand where it is left out. ``detail`` is plain JSON without
    secrets; what is too long is cut.
    """

    action: str
    object: str = ""
    outcome: Outcome = "done"
    detail: Mapping[str, Any] = field(default_factory=dict)
    who: Who | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it is kept."""

    number: int
    at: datetime
    subject: str
    name: str
    via: str
    client: str | None
    request_id: str | None
    action: str
    object: str
    outcome: str
    detail: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "number": self.number,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "subject": self.subject,
            "name": self.name,
            "via": self.via,
            "client": self.client,
            "request_id": self.request_id,
            "action": self.action,
            "object": self.object,
            "outcome": self.outcome,
            "detail": dict(self.detail),
        }


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry with its place in the chain and its seal."""

    entry: Kept
    position: int
    hash: bytes


def write_canonical(entry: Mapping[str, Any]) -> bytes:
    """Return the bytes of an entry that are sealed: JSON with sorted keys and no spaces, in UTF-8."""
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def seal(previous: bytes, entry: Mapping[str, Any]) -> bytes:
    """Return the seal of ``entry``: SHA-256 of the seal before it and its canonical bytes."""
    return hashlib.sha256(previous + write_canonical(entry)).digest()


def bound(entry: Entry, who: Who) -> tuple[Entry, Who]:
    """Return both cut to what is kept, without characters that the database cannot hold."""
    detail = _plain(entry.detail)
    if len(json.dumps(detail, ensure_ascii=False)) > LONGEST_DETAIL:
        detail = {"cut": True, "keys": sorted(detail)[:_MOST_KEYS]}
    kept = replace(entry, action=_cut(entry.action, 60), object=_cut(entry.object, LONGEST_OBJECT), detail=detail)
    return kept, Who(
        _cut(who.subject, 200) or "unknown",
        _cut(who.name, 200),
        _cut(who.via, 40) or "unknown",
        None if who.client is None else _cut(who.client, 60),
        None if who.request_id is None else _cut(who.request_id, 80),
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON that reads back as the same: what it holds otherwise becomes text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    if isinstance(value, float):
        # A database that keeps decimals would give 1.0 back as it came, 1e300 as three hundred digits.
        return value if math.isfinite(value) and (value == 0 or 1e-6 < abs(value) < 1e15) else str(value)
    if isinstance(value, Mapping):
        return {_cut(str(key), 60): _plain(one) for key, one in list(value.items())[:_MOST_KEYS]}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [_plain(one) for one in list(value)[:200]]
    return _cut(str(value), LONGEST_WORDS)


def _cut(words: str, longest: int) -> str:
    # Half a surrogate and NUL are no text to PostgreSQL.
    clean = words.encode("utf-8", "replace").decode().replace("\x00", "")
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"
