"""Looking at personal data: for a purpose, within bounds, told to the audit with what was shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from layers.errors import ForbiddenError, InputError, TooLargeError
from twin.audit.entry import Entry
from twin.audit.recording import record
from twin.personal.key import PersonalKey
from twin.personal.owners import SEALED, StoredOwner
from twin.personal.words import PURPOSES, SEARCH
from twin.store_personal import list_parcel_owners, search_owners

MOST_PARCELS, MOST_FOUND = 20, 20
SHORTEST_GROUND, LONGEST_GROUND = 5, 200
SHORTEST_NAME = 4
Sight = Callable[[Sequence[str]], set[str]]
"""Which of some parcels who asks sees."""
READ, SEARCHED = "personal-read", "personal-search"


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why somebody looks: a coded purpose, and the ground in words, such as the number of the case."""

    code: str
    ground: str

    @classmethod
    def of(cls, code: str | None, ground: str | None) -> "Purpose":
        """Return the purpose; InputError where one of both is missing or the code is not known."""
        if code not in PURPOSES:
            raise InputError(
                f"purpose '{(code or '')[:40]}' is not known" if code else "personal data is shown for a purpose",
                hint=f"Twin-Purpose: {', '.join(PURPOSES)}; Twin-Ground: the case it is for",
            )
        words = " ".join((ground or "").split())
        if not SHORTEST_GROUND <= len(words) <= LONGEST_GROUND:
            raise InputError(
                f"the ground has {len(words)} characters, expected {SHORTEST_GROUND} to {LONGEST_GROUND}",
                hint="ground: the case it is for, as in 'hồ sơ 123/2026'",
            )
        return cls(code, words)


def show_parcels(
    connection: Connection,
    key: PersonalKey,
    parcels: Sequence[str],
    purpose: Purpose,
    *,
    today: date,
    recent: int = 0,
) -> dict[str, list[dict[str, Any]]]:
    """Return who holds each of ``parcels``, and record it in the same transaction; TooLargeError for too many.

    ``recent`` is how often the same person asked in the last hour, which is recorded too.
    """
    if len(parcels) > MOST_PARCELS:
        raise TooLargeError(f"{len(parcels)} parcels are asked for at once, at most {MOST_PARCELS}")
    found = list_parcel_owners(connection, parcels, today)
    shown = {parcel: [_show(one, key) for one in owners] for parcel, owners in found.items()}
    everybody = [one for part in found.values() for one in part]
    _record(connection, READ, f"parcel:{','.join(parcels)}", purpose, everybody, recent)
    return shown


def show_by_name(
    connection: Connection,
    key: PersonalKey,
    name: str,
    purpose: Purpose,
    *,
    recent: int = 0,
    sees: Sight = set,
) -> list[dict[str, Any]]:
    """Return who has all words of ``name``, and record it without the name; for few purposes only.

    Of their rights, those to parcels that who asks ``sees``; who has none of these is left out.
    """
    if purpose.code not in SEARCH:
        raise ForbiddenError(f"people are not searched by name for '{purpose.code}'", hint=", ".join(SEARCH))
    words = name.split()
    if not 1 <= len(words) <= 8 or len("".join(words)) < SHORTEST_NAME or len(name) > 100:
        raise InputError(f"a name has at least {SHORTEST_NAME} letters and at most eight words")
    found = search_owners(connection, name, limit=MOST_FOUND + 1)
    if len(found) > MOST_FOUND:
        raise TooLargeError(f"more than {MOST_FOUND} people have this name", hint="give more of it")
    seen = sees([right.parcel for one in found for right in one.rights])
    found = [replace(one, rights=[right for right in one.rights if right.parcel in seen]) for one in found]
    found = [one for one in found if one.rights]
    _record(connection, SEARCHED, "name", purpose, found, recent)
    return [_show(one, key) for one in found]


def _show(owner: StoredOwner, key: PersonalKey) -> dict[str, Any]:
    shown = owner.show(key)
    return {name: value for name, value in shown.items() if name not in ("source", "consented")}


def _record(
    connection: Connection, action: str, object: str, purpose: Purpose, owners: Sequence[StoredOwner], recent: int
) -> None:
    """Record what was shown to whom and why: ids of owners and names of fields, never what they say."""
    fields = ["name", "kind", *(name for name in SEALED if any(one.sealed[name] for one in owners))]
    detail = {
        "purpose": purpose.code,
        "ground": purpose.ground,
        "owners": [str(one.id) for one in owners],
        "fields": fields if owners else [],
        "in_last_hour": recent,
    }
    record(connection, Entry(action, object, detail=detail))
