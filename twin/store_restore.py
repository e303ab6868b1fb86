"""SQL of restores: what has to be there before, how far the log was followed, what the city is then."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from layers.errors import DatabaseError
from layers.store.names import quote
from twin.store_backup import OURS, list_roles


@dataclass(frozen=True, slots=True)
class Standing:
    """What a database holds, for people: the newest of each kind, and how much."""

    city: str
    features: int
    layers: int
    last_edit: datetime | None
    last_reading: datetime | None
    runs: int
    last_run: datetime | None


def ensure_roles(connection: Connection, names: list[str]) -> None:
    """Make the roles that are missing, without any right to sign in."""
    present = set(list_roles(connection))
    for name in names:
        if name not in present:
            try:
                connection.exec_driver_sql(f"create role {quote(name)} nologin")
            except ProgrammingError as error:
                raise DatabaseError(
                    f"this user may not make the role '{name}', which rights are granted to",
                    hint=f"as the administrator of the server: create role {name} nologin",
                ) from error


def is_empty(connection: Connection) -> bool:
    """Return whether nobody has a table in this database but its extensions."""
    return not connection.execute(text(f"select exists (select {OURS} and c.relkind in ('r', 'p'))")).scalar_one()


def read_standing(connection: Connection) -> Standing:
    """Return what this database holds."""
    row = connection.execute(
        text(
            "select (select id from meta.city), (select count(*) from meta.layer_version), "
            "(select max(at) from meta.edit), (select max(phenomenon_time) from sensing.latest), "
            "(select count(*) from run.run), (select max(finished) from run.run)"
        )
    ).one()
    layers = (
        connection.execute(
            text(
                "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "where n.nspname = 'city' and c.relkind = 'r'"
            )
        )
        .scalars()
        .all()
    )
    features = sum(
        int(connection.execute(text(f"select count(*) from city.{quote(name)}")).scalar_one()) for name in layers
    )
    return Standing(str(row[0]), features, int(row[1]), row[2], row[3], int(row[4]), row[5])


def read_replayed(connection: Connection) -> datetime | None:
    """Return when the last transaction that was rolled forward had been committed."""
    found: datetime | None = connection.execute(text("select pg_last_xact_replay_timestamp()")).scalar()
    return found


def is_paused(connection: Connection) -> bool:
    """Return whether the recovery reached its point and waits there."""
    row: Any = connection.execute(
        text("select pg_is_in_recovery() and pg_get_wal_replay_pause_state() = 'paused'")
    ).scalar_one()
    return bool(row)


def is_recovering(connection: Connection) -> bool:
    """Return whether the server still rolls its log forward."""
    return bool(connection.execute(text("select pg_is_in_recovery()")).scalar_one())


def list_clients(connection: Connection) -> list[str]:
    """Return by what name each other connection to this server works."""
    rows = connection.execute(
        text(
            "select coalesce(nullif(application_name, ''), 'unnamed') from pg_stat_activity "
            "where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
    )
    return [str(name) for name in rows.scalars()]
