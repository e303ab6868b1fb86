"""Personal data of the city's own people: who left is named no longer, a file that shows somebody goes for good."""

import secrets
from pathlib import Path

from sqlalchemy import Connection

from layers.errors import InputError, NotFoundError
from twin.audit.entry import Entry
from twin.audit.recording import record
from twin.personal.words import REASONS
from twin.store_names import remove_attachment, replace_name


def anonymise(connection: Connection, name: str, reason: str) -> tuple[str, dict[str, int]]:
    """Put one made-up word in the place of a name in all records; return it, and how many rows of which tables.

    What one person did stays together. The audit keeps that it was done, and its own entries as they are: they leave
    with their months. NotFoundError for a name that is nowhere.
    """
    _check(reason)
    by = f"former-{secrets.token_hex(4)}"
    done = replace_name(connection, name, by)
    if not done:
        raise NotFoundError("nobody of this name did anything that is on record")
    record(connection, Entry("personal-anonymise", by, detail={"reason": reason, "rows": done}))
    return by, done


def erase_file(connection: Connection, processed_dir: Path, attachment: int, reason: str) -> None:
    """Erase an attached file with its record, unless another attachment holds the same bytes."""
    _check(reason)
    path = remove_attachment(connection, attachment)
    record(connection, Entry("personal-erase-file", f"attachment:{attachment}", detail={"reason": reason}))
    if path is not None:
        (processed_dir / path).unlink(missing_ok=True)


def _check(reason: str) -> None:
    if reason not in REASONS:
        raise InputError(f"reason '{reason[:40]}' is not known", hint=", ".join(REASONS))
