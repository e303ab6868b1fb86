"""Months of the audit as files: written with their seals, counted again, and only then taken off the table."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from layers.errors import ConflictError, NotFoundError, SourceError
from twin.audit.entry import Sealed
from twin.audit.shipping import write_line
from twin.store_audit import count_month, drop_month, prepare_months, walk_month

AHEAD = 12
"""For how many months partitions are made ahead."""


@dataclass(frozen=True, slots=True)
class MonthFile:
    """A month in a file: how many entries, the last of them, and the file's SHA-256."""

    path: Path
    entries: int
    last: Sealed
    digest: bytes


def prepare_ahead(connection: Connection, now: datetime) -> int:
    """Make the partitions of this month and the next twelve that are not there; return how many were made."""
    first = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1
    return prepare_months(connection, [date(n // 12, n % 12 + 1, 1) for n in range(first, first + AHEAD + 1)])


def export_month(connection: Connection, month: date, path: Path) -> MonthFile:
    """Write the sealed entries of a month to ``path``, in the form in which they are shipped.

    NotFoundError for a month without entries, ConflictError while some have no seal, or where the file is there.
    """
    entries, sealed = count_month(connection, month)
    if not entries:
        raise NotFoundError(f"the audit has no entries of {month:%Y-%m}")
    if sealed != entries:
        raise ConflictError(f"{entries - sealed} entries of {month:%Y-%m} have no seal yet", hint="twin audit seal")
    if path.exists():
        raise ConflictError(f"{path} is there already", hint="name another file")
    partial = path.with_name(path.name + ".part")
    last: Sealed | None = None
    with partial.open("w", encoding="utf-8") as file:
        for last in walk_month(connection, month):
            file.write(write_line(last))
    partial.chmod(0o600)
    partial.replace(path)
    assert last is not None
    return MonthFile(path, entries, last, _digest(path))


def retire_month(engine: Engine, month: date, path: Path, *, now: datetime) -> MonthFile:
    """Write a closed month to ``path``, read it again, and take it off the table; its seals stay, the chain goes on.

    ConflictError for a month that is not over.
    """
    if (month.year, month.month) >= (now.year, now.month):
        raise ConflictError(f"{month:%Y-%m} is not over", hint="only closed months leave the table")
    with engine.begin() as connection:
        written = export_month(connection, month, path)
        if sum(1 for _ in _read_positions(path)) != written.entries:
            raise SourceError(f"{path} does not hold the {written.entries} entries of {month:%Y-%m}")
        drop_month(connection, month, written.entries, written.last, written.digest)
    return written


def _read_positions(path: Path) -> Iterator[int]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield int(json.loads(line)["position"])


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
