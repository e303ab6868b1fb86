"""Where a page of a list that is ordered by time ended, as an opaque word in its link 'next'."""

import base64
import binascii
from datetime import UTC, datetime

from layers.errors import InputError


def write_time_cursor(moment: datetime, name: str) -> str:
    """Return the cursor of the page behind the entry ``name`` of ``moment``."""
    words = f"{moment.astimezone(UTC).isoformat()} {name}"
    return base64.urlsafe_b64encode(words.encode()).decode().rstrip("=")


def parse_time_cursor(cursor: str, parameter: str) -> tuple[datetime, str]:
    """Return moment and name a cursor means; InputError names ``parameter`` where it was not given here."""
    try:
        words = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        written, _, name = words.partition(" ")
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is not None and name and "\x00" not in name:
            return moment.astimezone(UTC), name
    except (binascii.Error, ValueError, OverflowError):
        pass
    raise InputError(f"{parameter} '{cursor[:80]}' was not given by this list", hint="follow the link 'next'")
