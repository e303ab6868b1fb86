"""Verifying: the chain is computed again, from the entries alone, and compared with what is stored or was shipped."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from layers.errors import InputError, SourceError
from twin.audit.entry import FIRST, seal
from twin.store_audit import (
    Link,
    count_gaps,
    find_positions,
    list_retired,
    measure_unsealed,
    read_head,
    read_seal,
    walk_chain,
)

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Broken:
    """A place where the chain does not hold."""

    position: int
    number: int | None
    reason: str


@dataclass(slots=True)
class Verdict:
    """What was found: ``checked`` links, those in months that left, what is ``broken``, what has no seal."""

    checked: int = 0
    retired: int = 0
    broken: list[Broken] = field(default_factory=list)
    broken_count: int = 0
    head: int = 0
    head_hash: str = ""
    unsealed: int = 0
    unsealed_age_s: float = 0.0
    missing_numbers: int = 0
    first_gaps: list[int] = field(default_factory=list)
    compared: int = 0

    @property
    def holds(self) -> bool:
        """Whether the chain holds."""
        return self.broken_count == 0

    def blame(self, position: int, number: int | None, reason: str) -> None:
        """Note a broken place; the first ones are named."""
        self.broken_count += 1
        if len(self.broken) < _MOST_NAMED:
            self.broken.append(Broken(position, number, reason))


def verify(connection: Connection, start: datetime | None = None, end: datetime | None = None) -> Verdict:
    """Compute the chain again and return what was found; with ``start`` or ``end`` only that time's part of it."""
    verdict = Verdict()
    head, head_hash = read_head(connection)
    verdict.head, verdict.head_hash = head, head_hash.hex()
    first: int | None = 1
    last: int | None = None
    if start is not None or end is not None:
        first, last = find_positions(connection, start, end)
    if first is not None:
        before = read_seal(connection, first - 1)
        _walk(verdict, walk_chain(connection, first=first, last=last), first, before, list_retired(connection))
    waiting = measure_unsealed(connection)
    verdict.unsealed, verdict.unsealed_age_s = waiting.count, waiting.age_s
    if waiting.lost:
        verdict.blame(head, None, f"{waiting.lost} entries have no seal and do not wait for one")
    verdict.missing_numbers, verdict.first_gaps = count_gaps(connection)
    return verdict


def _walk(verdict: Verdict, links: Iterator[Link], first: int, before: bytes | None, retired: set[Any]) -> None:
    expected, previous = first, before
    for link in links:
        if link.position != expected:
            verdict.blame(expected, None, f"positions {expected} to {link.position - 1} are missing from the chain")
            previous = None
        expected = link.position + 1
        if link.entry is None and link.month in retired:
            verdict.retired += 1
        else:
            verdict.checked += 1
            _check(verdict, link, previous)
        previous = link.hash


def _check(verdict: Verdict, link: Link, previous: bytes | None) -> None:
    if link.entry is None:
        verdict.blame(link.position, link.number, "the entry is gone")
    elif previous is None:
        verdict.blame(link.position, link.number, "the seal before it is gone")
    elif seal(previous, link.entry.as_dict()) != link.hash:
        verdict.blame(link.position, link.number, "the entry is not what was sealed")


def compare(connection: Connection, path: Path, verdict: Verdict) -> None:
    """Check a shipped copy by itself, and that the database still has what it has, adding to ``verdict``.

    SourceError where the file cannot be read or a line of it is none of the audit's.
    """
    previous: bytes | None = None
    reached = 0
    for number, line in enumerate(_read_lines(path), start=1):
        position, entry, given = _parse(line, path, number)
        if position <= reached:
            # Shipped at least once: again what came already.
            continue
        if previous is None or position != reached + 1:
            if reached:
                verdict.blame(reached + 1, None, f"the copy lacks positions {reached + 1} to {position - 1}")
            previous = FIRST if position == 1 else None
        verdict.compared += 1
        if previous is not None and seal(previous, entry) != given:
            verdict.blame(position, entry.get("number"), "the copy itself is not what was sealed")
        stored = read_seal(connection, position)
        if stored is None:
            verdict.blame(position, entry.get("number"), "the copy has it, the database has not")
        elif stored != given:
            verdict.blame(position, entry.get("number"), "the seal in the database is not that of the copy")
        previous, reached = given, position
    if not verdict.compared:
        raise InputError(f"{path} holds no entry of the audit")


def _read_lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from (line for line in file if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


def _parse(line: str, path: Path, number: int) -> tuple[int, Mapping[str, Any], bytes]:
    try:
        document = json.loads(line)
        position, entry, given = document["position"], document["entry"], bytes.fromhex(document["seal"])
        if isinstance(position, int) and position > 0 and isinstance(entry, dict):
            return position, entry, given
    except (ValueError, KeyError, TypeError):
        pass
    raise SourceError(f"line {number} of {path} is no entry of the audit", hint="files of TWIN_AUDIT_SHIP or export")
