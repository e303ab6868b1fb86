"""Shipping: sealed entries as JSON lines to a file, standard output or a collector, each at least once.

How far a target is stands in the database and moves once what was sent has arrived. The seals go along, so the copy can
be checked by itself and against the database: who rewrites the whole chain does not reach the copy.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import httpx
from sqlalchemy import Engine

from layers.errors import TwinError
from layers.outbound import open_client
from twin.audit.entry import Sealed
from twin.settings import Settings
from twin.store_audit import move_cursor, read_sealed, take_cursor

AT_ONCE = 500
_TOTAL_S, _READ_S = 30.0, 20.0


class NotShippedError(TwinError):
    """A collector did not take what was sent."""

    code, status = "not-shipped", 502


def write_line(one: Sealed) -> str:
    """Return a sealed entry as a line of JSON."""
    document = {"position": one.position, "seal": one.hash.hex(), "entry": one.entry.as_dict()}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def ship(engine: Engine, settings: Settings) -> int:
    """Send what was sealed since the last time and return how many entries that were.

    Raises NotShippedError or OSError where the target does not take it: it is sent again the next time.
    """
    target = settings.audit_ship
    if target is None:
        return 0
    done = 0
    while True:
        with engine.begin() as connection:
            reached = take_cursor(connection, target)
            found = read_sealed(connection, after=reached, limit=AT_ONCE)
            if not found:
                return done
            _send(target, [write_line(one) for one in found], settings)
            move_cursor(connection, target, found[-1].position)
        done += len(found)


def _send(target: str, lines: Sequence[str], settings: Settings) -> None:
    if target == "-":
        sys.stdout.writelines(lines)
        sys.stdout.flush()
    elif target.startswith(("http://", "https://")):
        _post(target, "".join(lines).encode(), settings)
    else:
        _append(Path(target), lines)


def _append(path: Path, lines: Iterable[str]) -> None:
    """Add lines to a file that only its owner reads, on the disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def _post(url: str, body: bytes, settings: Settings) -> None:
    headers = {"content-type": "application/x-ndjson"}
    if settings.audit_ship_token is not None:
        headers["authorization"] = f"Bearer {settings.audit_ship_token.get_secret_value()}"
    private = settings.private_callback_hosts
    try:
        with open_client(total_s=_TOTAL_S, read_s=_READ_S, private_hosts=private) as client:
            answer = client.post(url, content=body, headers=headers)
    except httpx.HTTPError as error:
        raise NotShippedError(f"the collector of the audit cannot be reached: {type(error).__name__}") from error
    if not answer.is_success:
        raise NotShippedError(f"the collector of the audit answered {answer.status_code}")
