"""Override commands: a calendar with one more, kept as its next version."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from layers.errors import InputError, NotFoundError
from layers.store.lamps import EVERYWHERE, declare_calendar, select_calendars, select_circuit_cabinets, select_feeds
from twin.lighting.documents import MAX_ADDRESSES, read_lamp_document

PRESUMED_DOCUMENT = {
    "programs": {"dusk-to-dawn": [{"at": "sunset", "level": 1}, {"at": "sunrise", "level": 0}]},
    "usual": "dusk-to-dawn",
}


def add_override(
    connection: Connection, addresses: Sequence[str], level: float, *, start: datetime, expiration: datetime | None,
    author: str, reason: str,
) -> int:  # fmt: skip
    """Send lamps, circuits and cabinets a level (0–1) from ``start`` on, and return how many calendars it changed.

    Each calendar that one of them follows is declared anew from ``start`` on, with the command. Raises NotFoundError
    for an address that is none of them and InputError for a level, a time or a reason that is not right.
    """
    if not addresses or len(addresses) > MAX_ADDRESSES:
        raise InputError(f"an override has {len(addresses)} addresses", hint="name lamps, circuits or cabinets")
    calendars = select_calendars(connection, start)
    feeds = select_feeds(connection, addresses)
    cabinets = select_circuit_cabinets(connection, addresses)
    changed: dict[str, list[str]] = {}
    for address in dict.fromkeys(addresses):
        if address not in feeds and address not in cabinets:
            raise NotFoundError(f"'{address[:80]}' is no lamp, circuit or cabinet", hint="name one by its id")
        cabinet = feeds[address][0] if address in feeds else cabinets[address]
        changed.setdefault(cabinet if cabinet in calendars else EVERYWHERE, []).append(address)
    state = {"state": {"type": "LevelState", "level": round(100.0 * level, 3)}}
    ends = {} if expiration is None else {"expiration": expiration.isoformat()}
    for name, own in changed.items():
        document = calendars.get(name, PRESUMED_DOCUMENT)
        command = {"addresses": own, "command": {**state, "start": start.isoformat(), **ends}}
        fresh = {**document, "overrideCommands": [*document.get("overrideCommands", ()), command]}
        read_lamp_document(fresh)
        declare_calendar(connection, name, fresh, valid_from=start, author=author, reason=reason)
    return len(changed)
