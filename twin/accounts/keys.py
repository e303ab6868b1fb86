"""Keys of machines and devices: made and shown once, taken away at once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from layers.errors import InputError
from twin.accounts.keeping import Author
from twin.accounts.recording import record
from twin.accounts.rules import check_roles, check_scopes, check_title, check_wards
from twin.accounts.tokens import digest, hash_for_mqtt, make_key, write_key
from twin.store_keys import insert_key, require_thing, revoke_key

DEVICE = "device"


class Made(NamedTuple):
    """A new key: its id, and the key itself, shown this once."""

    id: str
    key: str


def add_key(
    connection: Connection,
    author: Author,
    title: str,
    *,
    roles: Sequence[str],
    wards: Sequence[str] = (),
    scopes: Sequence[str] | None = None,
    until: datetime | None = None,
    owner: str | None = None,
) -> Made:
    """Make a key that may do what ``roles`` may, within ``wards`` and narrowed to ``scopes`` if there are any."""
    return _make(
        connection, author, title, roles=check_roles(roles), wards=check_wards(wards), scopes=check_scopes(scopes),
        until=until, owner=owner,
    )  # fmt: skip


def add_device_key(
    connection: Connection,
    author: Author,
    title: str,
    *,
    device: str | None = None,
    thing: str | None = None,
    gateway: bool = False,
    until: datetime | None = None,
) -> Made:
    """Make the key of a device, which writes the series of its device or thing; a gateway's, of all devices."""
    if gateway == bool(device or thing):
        raise InputError("a key of a device names its device or thing; a gateway names none")
    require_thing(connection, device, thing)
    return _make(
        connection, author, title, roles=[DEVICE], wards=[], scopes=None, until=until, owner=None, device=device,
        thing=thing, gateway=gateway,
    )  # fmt: skip


def take_key(connection: Connection, author: Author, name: str, *, owner: str | None = None) -> None:
    """Let a key count no longer; NotFoundError where ``owner`` has no such key."""
    revoke_key(connection, name, owner=owner)
    record(connection, author.tell("key.revoke", name))


def _make(
    connection: Connection,
    author: Author,
    title: str,
    *,
    roles: list[str],
    wards: list[str],
    scopes: list[str] | None,
    until: datetime | None,
    owner: str | None,
    device: str | None = None,
    thing: str | None = None,
    gateway: bool = False,
) -> Made:
    if until is not None and until <= datetime.now(UTC):
        raise InputError(f"a key until {until:%Y-%m-%d %H:%M} would be over already")
    parts = make_key()
    written = write_key(parts)
    insert_key(
        connection, parts.id, digest(parts.secret), hash_for_mqtt(written), title=check_title(title), owner=owner,
        roles=roles, wards=wards, scopes=scopes, device=device, thing=thing, gateway=gateway, until=until,
        author=author.subject,
    )  # fmt: skip
    record(
        connection, author.tell("key.add", parts.id, roles=roles, wards=wards, scopes=scopes, device=device or thing)
    )
    return Made(parts.id, written)
