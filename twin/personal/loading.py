"""Loading owners from a file: one transaction, told to the audit; a file can be loaded again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, Engine

from twin.audit.entry import Entry
from twin.audit.recording import record
from twin.personal.key import PersonalKey
from twin.personal.owners import NewOwner
from twin.personal.reading import FoundRow, read_owner_mapping, read_owners
from twin.store_personal import RejectedRow, find_parcels, list_known_parcels, put_owner, replace_rejected

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a file: rows read and rejected, owners that are new and that were there."""

    source: str
    rows: int
    rejected: tuple[RejectedRow, ...]
    new: int
    known: int


def load_owners(engine: Engine, key: PersonalKey, path: Path, mapping: Path | None, *, source: str) -> Loaded:
    """Load the owners of ``path``; rows that cannot be used are kept by number and reason alone.

    MappingError and SourceError say what is wrong with the file as a whole.
    """
    found, rejected = read_owners(path, read_owner_mapping(mapping))
    with engine.begin() as connection:
        placed, lost = _place(connection, found)
        rejected = sorted((*rejected, *lost), key=lambda one: one.row)
        new, known = put_all(connection, key, [one.owner for one in placed], source)
        replace_rejected(connection, source, rejected)
        counts = {"rows": len(found) + len(rejected) - len(lost), "rejected": len(rejected), "new": new, "known": known}
        record(connection, Entry("personal-load", f"source:{source}", detail=counts))
    return Loaded(source, counts["rows"], tuple(rejected), new, known)


def put_all(connection: Connection, key: PersonalKey, owners: Sequence[NewOwner], source: str) -> tuple[int, int]:
    """Write owners, several rows of one person as one; return how many are new and how many were there."""
    merged: dict[bytes, NewOwner] = {}
    for owner in owners:
        mark = owner.mark(key)
        before = merged.get(mark)
        merged[mark] = owner if before is None else replace(owner, rights=(*before.rights, *owner.rights))
    new = sum(put_owner(connection, owner, key, source) for owner in merged.values())
    return new, len(merged) - new


def _place(connection: Connection, found: Sequence[FoundRow]) -> tuple[list[FoundRow], list[RejectedRow]]:
    """Return the rows with the ids of their parcels, and those whose parcel there is not."""
    placed: list[FoundRow] = []
    lost: list[RejectedRow] = []
    for begin in range(0, len(found), _AT_ONCE):
        part = found[begin : begin + _AT_ONCE]
        pairs = find_parcels(connection, [one.sheet_and_number for one in part if one.sheet_and_number])
        known = list_known_parcels(connection, [one.owner.rights[0].parcel for one in part])
        for one in part:
            (right,) = one.owner.rights
            parcel = pairs.get(one.sheet_and_number) if one.sheet_and_number else right.parcel
            if parcel is None or (one.sheet_and_number is None and parcel not in known):
                reason = "no parcel, or several, of this sheet and number" if one.sheet_and_number else "no such parcel"
                lost.append(RejectedRow(one.row, "parcel", reason))
            else:
                placed.append(replace(one, owner=replace(one.owner, rights=(replace(right, parcel=parcel),))))
    return placed, lost
