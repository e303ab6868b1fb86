"""Owners and their rights, as they are loaded and as they are shown."""

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from layers.ingest.nulls import strip_marks
from twin.personal.key import PersonalKey

SEALED = ("identity", "phone", "address")
"""Fields that are kept sealed."""


@dataclass(frozen=True, slots=True)
class LandRight:
    """A right to a parcel: the ``share`` of it, what it is based on, since and until when."""

    parcel: str
    share: float = 1.0
    basis: str = ""
    since: date | None = None
    until: date | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        since, until = (day.isoformat() if day else None for day in (self.since, self.until))
        return {"parcel": self.parcel, "share": self.share, "basis": self.basis, "since": since, "until": until}


@dataclass(frozen=True, slots=True)
class NewOwner:
    """Somebody who is to be loaded, with the legal basis of keeping the data and until when."""

    name: str
    kind: str
    identity: str | None = None
    phone: str | None = None
    address: str | None = None
    basis: str = "public-task"
    consented: date | None = None
    keep_until: date | None = None
    rights: tuple[LandRight, ...] = ()

    def mark(self, key: PersonalKey) -> bytes:
        """Return what makes this person the same one: the identity number, else name, address and telephone."""
        if self.identity:
            return mark_identity(key, self.identity)
        return key.mark("name", fold_name(self.name), strip_marks(self.address or ""), self.phone or "")


@dataclass(frozen=True, slots=True)
class StoredOwner:
    """Somebody as stored, fields still sealed."""

    id: uuid.UUID
    name: str
    kind: str
    sealed: dict[str, bytes | None]
    basis: str
    consented: date | None
    keep_until: date | None
    source: str | None = None
    rights: list[LandRight] = field(default_factory=list)

    def show(self, key: PersonalKey) -> dict[str, Any]:
        """Return all of it as plain JSON, fields opened."""
        opened = {name: key.open(self.id, name, self.sealed[name]) for name in SEALED}
        return {
            "id": str(self.id),
            "name": self.name,
            "kind": self.kind,
            **opened,
            "basis": self.basis,
            "consented": self.consented.isoformat() if self.consented else None,
            "keep_until": self.keep_until.isoformat() if self.keep_until else None,
            "source": self.source,
            "rights": [right.as_dict() for right in self.rights],
        }


def fold_name(name: str) -> str:
    """Return a name as names are compared: small letters without marks."""
    return strip_marks(name)


def mark_identity(key: PersonalKey, identity: str) -> bytes:
    """Return the mark of who has an identity number, however its digits are grouped."""
    return key.mark("identity", "".join(letter for letter in identity.upper() if letter.isalnum()))
