"""What a person may ask for: all that is kept of them, and that it is gone. And what is gone by itself in time."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from layers.errors import InputError, NotFoundError, SourceError
from twin.audit.entry import Entry
from twin.audit.recording import record
from twin.personal.key import PersonalKey
from twin.personal.owners import StoredOwner, mark_identity
from twin.personal.words import BASES, KINDS, REASONS
from twin.store_personal import delete_owner, find_owner, list_expired

ERASED = "personal-erase"
"""The action of an entry in the audit that says that somebody was erased."""


@dataclass(frozen=True, slots=True)
class Erased:
    """Somebody who was erased: how many rights went along, until when backups may still hold the data."""

    owner: uuid.UUID
    rights: int
    backups_until: date


def find_person(connection: Connection, key: PersonalKey, words: str) -> StoredOwner:
    """Return who has this id here, or this identity number; NotFoundError does not repeat it."""
    try:
        found = find_owner(connection, id=uuid.UUID(words))
    except ValueError:
        found = find_owner(connection, mark=mark_identity(key, words))
    if found is None:
        raise NotFoundError("nobody has this id or identity number", hint="twin personal find NAME --purpose request")
    return found


def export_person(connection: Connection, key: PersonalKey, words: str) -> dict[str, Any]:
    """Return all that is kept of a person, with the words for it; the audit keeps that it was given out."""
    owner = find_person(connection, key, words)
    record(connection, Entry("personal-export", f"owner:{owner.id}", detail={"rights": len(owner.rights)}))
    return {
        **owner.show(key),
        "kind_title": _say(KINDS, owner.kind),
        "basis_title": _say(BASES, owner.basis),
    }


def erase_person(
    connection: Connection, key: PersonalKey, words: str, reason: str, *, today: date, backup_days: int
) -> Erased:
    """Erase a person with all rights; the audit keeps that it was done and why, not who it was.

    ``backup_days``: how long a backup is kept at most [d].
    """
    if reason not in REASONS:
        raise InputError(f"reason '{reason[:40]}' is not known", hint=", ".join(REASONS))
    return _erase(connection, find_person(connection, key, words).id, reason, today + timedelta(days=backup_days))


def expire(connection: Connection, *, today: date, backup_days: int) -> list[Erased]:
    """Erase who was kept long enough, whose rights have ended."""
    until = today + timedelta(days=backup_days)
    return [_erase(connection, owner, "expired", until) for owner in list_expired(connection, today)]


def erase_again(connection: Connection, copy: Path, *, today: date, backup_days: int) -> list[Erased]:
    """Erase once more who was erased before, by the shipped copy of the audit: after a restore they are back."""
    done = []
    for owner, reason in _read_erased(copy):
        if find_owner(connection, id=owner) is not None:
            done.append(_erase(connection, owner, reason, today + timedelta(days=backup_days)))
    return done


def _erase(connection: Connection, owner: uuid.UUID, reason: str, backups_until: date) -> Erased:
    rights = delete_owner(connection, owner, reason, backups_until)
    detail = {"reason": reason, "rights": rights, "backups_until": backups_until.isoformat()}
    record(connection, Entry(ERASED, f"owner:{owner}", detail=detail))
    return Erased(owner, rights, backups_until)


def _read_erased(copy: Path) -> Iterator[tuple[uuid.UUID, str]]:
    try:
        with copy.open(encoding="utf-8") as file:
            for line in file:
                if ERASED in line:
                    entry = json.loads(line)["entry"]
                    if entry["action"] == ERASED and entry["outcome"] == "done":
                        yield uuid.UUID(entry["object"].removeprefix("owner:")), str(entry["detail"]["reason"])
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{copy} is no copy of the audit") from error


def list_late_backups(erased: list[datetime], moments: dict[str, datetime]) -> list[str]:
    """Return the backups that are older than an erasure whose time for leaving all backups is over."""
    last = max(erased, default=None)
    return sorted(name for name, moment in moments.items() if last is not None and moment < last)


def _say(words: Any, code: str) -> dict[str, str]:
    title = words[code]
    return {"vi": title.vi, "en": title.en}
