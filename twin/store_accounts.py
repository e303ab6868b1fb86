"""SQL of accounts and of what is remembered of failed attempts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.errors import ConflictError, NotFoundError

_COLUMNS = (
    "id, title, password, roles, wards, enabled, totp_secret, totp_confirmed, cardinality(recovery) as recovery_left, "
    "issuer, subject, created, changed, signed_in"
)
_LOCK = 7_041_900_022
HAS_ACCOUNTS = "select exists (select from identity.account where enabled)"


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its secrets; ``describe`` leaves them out."""

    id: str
    title: str
    password: str | None
    roles: list[str]
    wards: list[str]
    enabled: bool
    totp_secret: str | None
    totp_confirmed: bool
    recovery_left: int
    issuer: str | None
    subject: str | None
    created: datetime
    changed: datetime
    signed_in: datetime | None

    def describe(self) -> dict[str, Any]:
        """Return what may be shown."""
        return {
            "name": self.id, "title": self.title, "roles": self.roles, "wards": self.wards, "enabled": self.enabled,
            "password": self.password is not None, "code": self.totp_confirmed, "recovery": self.recovery_left,
            "issuer": self.issuer, "created": _tell(self.created), "signedIn": _tell(self.signed_in),
        }  # fmt: skip


def _tell(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def list_accounts(connection: Connection) -> list[Account]:
    """Return all accounts by name."""
    rows = connection.execute(text(f"select {_COLUMNS} from identity.account order by id"))
    return [Account(**row) for row in rows.mappings()]


def find_account(connection: Connection, name: str) -> Account | None:
    """Return the account called ``name`` if there is one."""
    row = connection.execute(text(f"select {_COLUMNS} from identity.account where id = :id"), {"id": name})
    found = row.mappings().one_or_none()
    return None if found is None else Account(**found)


def read_account(connection: Connection, name: str) -> Account:
    """Return the account called ``name``; NotFoundError where there is none."""
    found = find_account(connection, name)
    if found is None:
        raise NotFoundError(f"account '{name[:100]}' does not exist", hint="twin accounts list")
    return found


def find_by_subject(connection: Connection, issuer: str, subject: str) -> Account | None:
    """Return the account of somebody who signs in elsewhere."""
    row = connection.execute(
        text(f"select {_COLUMNS} from identity.account where issuer = :issuer and subject = :subject"),
        {"issuer": issuer, "subject": subject},
    )
    found = row.mappings().one_or_none()
    return None if found is None else Account(**found)


def lock_accounts(connection: Connection) -> None:
    """Let nobody else give or take rights until the transaction ends."""
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def insert_account(
    connection: Connection,
    name: str,
    title: str,
    password: str | None,
    roles: Sequence[str],
    wards: Sequence[str],
    *,
    issuer: str | None = None,
    subject: str | None = None,
) -> None:
    """Write a new account; ConflictError where the name is taken."""
    made = connection.execute(
        text(
            "insert into identity.account (id, title, password, roles, wards, issuer, subject) "
            "values (:id, :title, :password, :roles, :wards, :issuer, :subject) on conflict do nothing"
        ),
        {
            "id": name, "title": title, "password": password, "roles": list(roles), "wards": list(wards),
            "issuer": issuer, "subject": subject,
        },
    )  # fmt: skip
    if made.rowcount == 0:
        raise ConflictError(f"account '{name}' is there already", hint="twin accounts change")


def update_account(
    connection: Connection, name: str, *, title: str, roles: Sequence[str], wards: Sequence[str], enabled: bool
) -> None:
    """Write what an account may do; sessions of one that is disabled end."""
    connection.execute(
        text(
            "update identity.account set title = :title, roles = :roles, wards = :wards, enabled = :enabled, "
            "changed = clock_timestamp() where id = :id"
        ),
        {"id": name, "title": title, "roles": list(roles), "wards": list(wards), "enabled": enabled},
    )
    if not enabled:
        connection.execute(text("delete from identity.session where account = :id"), {"id": name})


def write_password(connection: Connection, name: str, password: str) -> None:
    """Write the hash of a new password."""
    connection.execute(
        text("update identity.account set password = :password, changed = clock_timestamp() where id = :id"),
        {"id": name, "password": password},
    )


def delete_account(connection: Connection, name: str) -> None:
    """Delete an account with its sessions and its own keys."""
    connection.execute(text("delete from identity.account where id = :id"), {"id": name})


def note_sign_in(connection: Connection, name: str) -> None:
    """Write down that somebody signed in now."""
    connection.execute(text("update identity.account set signed_in = clock_timestamp() where id = :id"), {"id": name})


def write_totp(connection: Connection, name: str, secret: str | None) -> None:
    """Write a shared secret that is not confirmed yet; None takes the second factor away."""
    connection.execute(
        text(
            "update identity.account set totp_secret = :secret, totp_confirmed = false, totp_step = 0, recovery = '{}' "
            "where id = :id"
        ),
        {"id": name, "secret": secret},
    )


def confirm_totp(connection: Connection, name: str, recovery: Sequence[bytes]) -> None:
    """Let the second factor count from now on."""
    connection.execute(
        text("update identity.account set totp_confirmed = true, recovery = :recovery where id = :id"),
        {"id": name, "recovery": list(recovery)},
    )


def use_step(connection: Connection, name: str, step: int) -> bool:
    """Return whether the code of this step was not used yet; from now on it is."""
    used = connection.execute(
        text("update identity.account set totp_step = :step where id = :id and totp_step < :step"),
        {"id": name, "step": step},
    )
    return used.rowcount == 1


def use_recovery(connection: Connection, name: str, code: bytes) -> bool:
    """Return whether this is a recovery code that was not used yet; from now on it is none."""
    used = connection.execute(
        text(
            "update identity.account set recovery = array_remove(recovery, cast(:code as bytea)) "
            "where id = :id and cast(:code as bytea) = any (recovery)"
        ),
        {"id": name, "code": code},
    )
    return used.rowcount == 1


def lock_attempts(connection: Connection, who: Sequence[str]) -> None:
    """Let no other attempt of ``who`` be counted until the transaction ends."""
    for one in who:
        connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:who, 22))"), {"who": one})


def count_attempt(connection: Connection, who: str, forget_s: float) -> None:
    """Count one more failure of ``who``; those older than ``forget_s`` [s] are forgotten."""
    connection.execute(
        text(
            "insert into identity.attempt as a (who, failures) values (:who, 1) on conflict (who) do update set "
            "failures = case when a.at < clock_timestamp() - make_interval(secs => :forget) then 1 "
            "else a.failures + 1 end, at = clock_timestamp()"
        ),
        {"who": who, "forget": forget_s},
    )


def forgive_attempt(connection: Connection, who: str) -> None:
    """Take one failure of ``who`` back."""
    connection.execute(
        text("update identity.attempt set failures = greatest(failures - 1, 0) where who = :who"), {"who": who}
    )


def read_attempts(connection: Connection, who: Sequence[str], forget_s: float) -> dict[str, tuple[int, float]]:
    """Return failures of each of ``who`` and how long ago the last was [s]."""
    rows = connection.execute(
        text(
            "select who, failures, extract(epoch from clock_timestamp() - at)::float8 as ago from identity.attempt "
            "where who = any (:who) and at > clock_timestamp() - make_interval(secs => :forget)"
        ),
        {"who": list(who), "forget": forget_s},
    )
    return {row.who: (int(row.failures), float(row.ago)) for row in rows}


def forget_attempts(connection: Connection, who: Sequence[str]) -> None:
    """Forget the failures of ``who``."""
    connection.execute(text("delete from identity.attempt where who = any (:who)"), {"who": list(who)})


def forget_account_attempts(connection: Connection, name: str) -> None:
    """Forget all failures of an account, from wherever."""
    connection.execute(
        text("delete from identity.attempt where who = :one or who like :pairs escape '\\'"),
        {"one": f"account:{name}", "pairs": f"pair:{_escape(name)}|%"},
    )


def prune(connection: Connection, forget_s: float) -> None:
    """Delete sessions that are over, sign-ins that were not ended, failures that no longer count."""
    connection.execute(text("delete from identity.session where until < clock_timestamp()"))
    connection.execute(text("delete from identity.flow where created < clock_timestamp() - interval '1 hour'"))
    connection.execute(
        text("delete from identity.attempt where at < clock_timestamp() - make_interval(secs => :forget)"),
        {"forget": forget_s},
    )


def _escape(name: str) -> str:
    return name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
