"""SQL of keys of machines and devices, and of which series a device writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.errors import NotFoundError

_COLUMNS = (
    "k.id, k.title, k.owner, k.roles, k.wards, k.scopes, k.device, k.thing, k.gateway, k.created, k.created_by, "
    "k.until, k.used, k.revoked"
)
_IN_FORCE = "k.revoked is null and (k.until is null or k.until > clock_timestamp()) and (k.owner is null or a.enabled)"
# A key may never do more than its owner may now.
_ROLES = (
    "case when k.owner is null then k.roles else array(select unnest(k.roles) intersect select unnest(a.roles)) end "
    "as roles"
)
FIND = f"""
select k.hash, k.title, k.wards, k.scopes, k.device, k.thing, k.gateway, k.until, k.used, {_ROLES}
from identity.key k left join identity.account a on a.id = k.owner where k.id = %(id)s and {_IN_FORCE}
"""
USE = (
    "update identity.key set used = clock_timestamp() where id = %(id)s "
    "and (used is null or used < clock_timestamp() - interval '1 minute')"
)
STREAMS = """
select d.id from sensing.datastream d where d.thing_id = %(thing)s
union select d.id from sensing.datastream d join sensing.device v on v.thing_id = d.thing_id where v.id = %(device)s
union select rule ->> 'datastream' from sensing.device v
    cross join lateral jsonb_array_elements(coalesce(v.mapping -> 'readings', '[]')) as rule where v.id = %(device)s
"""
"""The datastreams of a device: those of its thing, and those its mapping names."""
_OF_KEYS = "from identity.key k left join identity.account a on a.id = k.owner"
_OWN = (
    "left join lateral (select array_agg(one.id) as streams from ("
    + STREAMS.replace("%(thing)s", "k.thing").replace("%(device)s", "k.device")
    + ") as one (id)) as own on 'device' = any (k.roles)"
)


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret."""

    id: str
    title: str
    owner: str | None
    roles: list[str]
    wards: list[str]
    scopes: list[str] | None
    device: str | None
    thing: str | None
    gateway: bool
    created: datetime
    created_by: str
    until: datetime | None
    used: datetime | None
    revoked: datetime | None

    def describe(self) -> dict[str, Any]:
        """Return what may be shown."""
        return {
            "id": self.id, "title": self.title, "owner": self.owner, "roles": self.roles, "wards": self.wards,
            "scopes": self.scopes, "device": self.device, "thing": self.thing, "gateway": self.gateway,
            "created": _tell(self.created), "createdBy": self.created_by, "until": _tell(self.until),
            "used": _tell(self.used), "revoked": _tell(self.revoked),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """Who may speak to the broker: name, password as Mosquitto reads it, roles, and what a device writes."""

    id: str
    mqtt: str
    roles: list[str]
    device: str | None
    gateway: bool
    streams: list[str]


def _tell(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def insert_key(
    connection: Connection, name: str, secret: bytes, mqtt: str, *, title: str, owner: str | None, roles: Sequence[str],
    wards: Sequence[str], scopes: Sequence[str] | None, device: str | None, thing: str | None, gateway: bool,
    until: datetime | None, author: str,
) -> None:  # fmt: skip
    """Write a new key."""
    connection.execute(
        text(
            "insert into identity.key (id, hash, mqtt, title, owner, roles, wards, scopes, device, thing, gateway, "
            "until, created_by) values (:id, :hash, :mqtt, :title, :owner, :roles, :wards, :scopes, :device, :thing, "
            ":gateway, :until, :author)"
        ),
        {
            "id": name, "hash": secret, "mqtt": mqtt, "title": title, "owner": owner, "roles": list(roles),
            "wards": list(wards), "scopes": None if scopes is None else list(scopes), "device": device,
            "thing": thing, "gateway": gateway, "until": until, "author": author,
        },
    )  # fmt: skip


def list_keys(connection: Connection, *, owner: str | None = None) -> list[Key]:
    """Return keys, the newest first; only those of ``owner`` if given."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from identity.key k where cast(:owner as text) is null or k.owner = :owner "
            "order by k.created desc, k.id"
        ),
        {"owner": owner},
    )
    return [Key(**row) for row in rows.mappings()]


def revoke_key(connection: Connection, name: str, *, owner: str | None = None) -> None:
    """Let a key count no longer; NotFoundError where there is none, or none of ``owner``."""
    done = connection.execute(
        text(
            "update identity.key set revoked = coalesce(revoked, clock_timestamp()) "
            "where id = :id and (cast(:owner as text) is null or owner = :owner)"
        ),
        {"id": name, "owner": owner},
    )
    if done.rowcount == 0:
        raise NotFoundError(f"key '{name[:40]}' does not exist", hint="twin keys list")


def require_thing(connection: Connection, device: str | None, thing: str | None) -> None:
    """Raise NotFoundError where a device or thing that a key is bound to is not there."""
    for table, name in (("sensing.device", device), ("sensing.thing", thing)):
        asked = text(f"select exists (select from {table} where id = :id)")
        if name is not None and not connection.execute(asked, {"id": name}).scalar():
            said = f"{table.partition('.')[2]} '{name[:100]}' does not exist"
            raise NotFoundError(said, hint="twin sensors devices list")


def list_bound(connection: Connection, devices: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return, of those ``devices`` that have keys in force, the datastreams they may write."""
    rows = connection.execute(
        text(
            f"select k.device, own.streams {_OF_KEYS} {_OWN} "
            f"where k.device = any (:devices) and not k.gateway and {_IN_FORCE}"
        ),
        {"devices": list(devices)},
    )
    found: dict[str, frozenset[str]] = {}
    for device, streams in rows:
        found[device] = found.get(device, frozenset()) | frozenset(streams or ())
    return found


def has_devices(connection: Connection) -> bool:
    """Return whether any key of a device is in force."""
    asked = f"select exists (select {_OF_KEYS} where 'device' = any (k.roles) and {_IN_FORCE})"
    return bool(connection.execute(text(asked)).scalar())


def read_key_mark(connection: Connection) -> str:
    """Return what differs as soon as a key is made, revoked or over, or its owner may do something else."""
    return str(
        connection.execute(
            text(
                f"select concat_ws(' ', count(*) filter (where {_IN_FORCE}), max(k.created), max(k.revoked), "
                f"max(a.changed)) {_OF_KEYS}"
            )
        ).scalar()
    )


def list_broker_users(connection: Connection) -> list[BrokerUser]:
    """Return who may speak to the broker now."""
    rows = connection.execute(
        text(
            f"select k.id, k.mqtt, {_ROLES}, k.device, k.gateway, own.streams {_OF_KEYS} {_OWN} "
            f"where {_IN_FORCE} order by k.id"
        )
    )
    return [BrokerUser(row.id, row.mqtt, row.roles, row.device, row.gateway, sorted(row.streams or ())) for row in rows]
