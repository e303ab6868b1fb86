"""Giving and taking accounts: the same from the command line and over HTTP, each written to the audit."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from layers.errors import ConflictError, InputError
from twin.accounts.passwords import check_password, hash_password
from twin.accounts.recording import Deed, record
from twin.accounts.rules import check_name, check_roles, check_title, check_wards
from twin.store_accounts import (
    Account,
    delete_account,
    forget_account_attempts,
    insert_account,
    list_accounts,
    lock_accounts,
    read_account,
    update_account,
    write_password,
    write_totp,
)
from twin.store_sessions import end_sessions

_ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Author:
    """Who gives or takes rights: as the audit names it, how it was known, from where."""

    subject: str
    via: str
    address: str = ""

    def tell(self, action: str, thing: str, **detail: object) -> Deed:
        """Return the deed as the audit keeps it."""
        return Deed(action, thing, self.subject, self.via, self.address, detail=dict(detail))


def add_account(
    connection: Connection,
    author: Author,
    name: str,
    *,
    password: str | None,
    roles: Sequence[str],
    wards: Sequence[str] = (),
    title: str = "",
) -> Account:
    """Make an account; the first one must be an administrator's. Without a password it signs in elsewhere only."""
    check_name(name)
    given, bounds = check_roles(roles), check_wards(wards)
    lock_accounts(connection)
    if not any(account.enabled for account in list_accounts(connection)) and _ADMINISTRATOR not in given:
        raise InputError("the first account must be an administrator", hint="give it the role administrator")
    hashed = None if password is None else hash_password(check_password(password, name))
    insert_account(connection, name, check_title(title or name), hashed, given, bounds)
    record(connection, author.tell("account.add", name, roles=given, wards=bounds))
    return read_account(connection, name)


def change_account(
    connection: Connection,
    author: Author,
    name: str,
    *,
    roles: Sequence[str] | None = None,
    wards: Sequence[str] | None = None,
    title: str | None = None,
    enabled: bool | None = None,
) -> Account:
    """Change what is given of an account; what it may do counts at once. ConflictError for the last administrator."""
    lock_accounts(connection)
    before = read_account(connection, name)
    after_roles = before.roles if roles is None else check_roles(roles)
    after_wards = before.wards if wards is None else check_wards(wards)
    after_title = before.title if title is None else check_title(title)
    after_enabled = before.enabled if enabled is None else enabled
    if not (after_enabled and _ADMINISTRATOR in after_roles):
        _keep_administrator(connection, before)
    update_account(connection, name, title=after_title, roles=after_roles, wards=after_wards, enabled=after_enabled)
    said = {"roles": after_roles, "wards": after_wards, "enabled": after_enabled}
    record(connection, author.tell("account.change", name, before=before.roles, **said))
    return read_account(connection, name)


def remove_account(connection: Connection, author: Author, name: str, *, last: bool = False) -> None:
    """Remove an account with its sessions and own keys; with ``last`` even the only one that is left."""
    lock_accounts(connection)
    before = read_account(connection, name)
    if not (last and len(list_accounts(connection)) == 1):
        _keep_administrator(connection, before)
    delete_account(connection, name)
    forget_account_attempts(connection, name)
    record(connection, author.tell("account.remove", name, roles=before.roles, wards=before.wards))


def set_password(connection: Connection, author: Author, name: str, password: str, *, keep: str | None = None) -> None:
    """Give an account a new password; its sessions end but the one ``keep``."""
    before = read_account(connection, name)
    if before.issuer is not None:
        raise ConflictError(f"account '{name}' signs in elsewhere", hint="its password is changed there")
    write_password(connection, name, hash_password(check_password(password, name)))
    end_sessions(connection, name, but=keep)
    forget_account_attempts(connection, name)
    record(connection, author.tell("account.password", name))


def reset_code(connection: Connection, author: Author, name: str) -> None:
    """Take the second factor away: who needs one sets it up again at the next sign-in."""
    read_account(connection, name)
    write_totp(connection, name, None)
    end_sessions(connection, name)
    record(connection, author.tell("account.reset-code", name))


def unlock(connection: Connection, author: Author, name: str) -> None:
    """Forget the failed attempts of an account."""
    read_account(connection, name)
    forget_account_attempts(connection, name)
    record(connection, author.tell("account.unlock", name))


def _keep_administrator(connection: Connection, losing: Account) -> None:
    """Raise ConflictError where nobody could give rights without ``losing``."""
    if not (losing.enabled and _ADMINISTRATOR in losing.roles):
        return
    others = [one for one in list_accounts(connection) if one.id != losing.id]
    if not any(one.enabled and _ADMINISTRATOR in one.roles for one in others):
        raise ConflictError(f"'{losing.id}' is the last administrator", hint="make another one first")
