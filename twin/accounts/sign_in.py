"""Signing in with name, password and code: one answer for everything that is not right, in the same time."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection

from layers.errors import InputError, UnauthorizedError
from twin.accounts.backing_off import FORGET_S, begin_attempt, find_place, forgive
from twin.accounts.codes import find_step, hash_recovery, make_recovery, make_secret
from twin.accounts.keeping import Author
from twin.accounts.passwords import is_password
from twin.accounts.recording import Deed, record
from twin.accounts.rules import NAME, STRONG_ROLES
from twin.accounts.tokens import digest, make_token
from twin.store_accounts import (
    Account,
    confirm_totp,
    find_account,
    note_sign_in,
    prune,
    read_account,
    use_recovery,
    use_step,
    write_totp,
)
from twin.store_sessions import end_session, insert_session, knows_address

Begin = Callable[[], AbstractContextManager[Connection]]
_WRONG = "name, password or code is not right"


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gives to be let in, and from where."""

    name: str
    password: str
    code: str
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that has begun: its token, shown to the browser alone, and whose it is."""

    token: str
    account: str


def prove(begin: Begin, given: Given, *, with_code: bool = True) -> Account:
    """Return the account whose name, password and code were given; UnauthorizedError, or TooManyError for who waits.

    ``begin`` opens a transaction. The attempt is counted in one that ends before the password is judged.
    """
    name = given.name if NAME.fullmatch(given.name) else "?"
    with begin() as connection:
        begin_attempt(connection, name, find_place(given.address), known=knows_address(connection, name, given.address))
        account = find_account(connection, name)
    usable = account is not None and account.enabled and account.issuer is None
    is_right = is_password(account.password if usable and account is not None else None, given.password)
    with begin() as connection:
        if account is None or not is_right or not (not with_code or _takes_code(connection, account, given.code)):
            # What is no account's name may be a password in the wrong field.
            tried = "unknown" if account is None else account.id
            record(connection, Deed("sign-in", tried, "public", "password", given.address, outcome="refused"))
            proved = None
        else:
            forgive(connection, name, find_place(given.address))
            proved = account
    if proved is None:
        raise UnauthorizedError(_WRONG, hint="an administrator can give a new password")
    return proved


def open_session(
    connection: Connection,
    account: str,
    *,
    via: str,
    address: str,
    agent: str,
    hours: float,
    before: str | None = None,
    id_token: str | None = None,
) -> Opened:
    """Begin a session; the one of the token ``before`` in the same browser ends."""
    prune(connection, FORGET_S)
    if before is not None:
        end_session(connection, digest(before))
    token = make_token()
    insert_session(
        connection, digest(token), secrets.token_hex(6), account, via=via, address=address, agent=agent,
        hours=hours, id_token=id_token,
    )  # fmt: skip
    note_sign_in(connection, account)
    record(connection, Deed("sign-in", account, f"account:{account}", via, address))
    return Opened(token, account)


def needs_code(roles: frozenset[str], *, required: bool) -> bool:
    """Return whether somebody with ``roles`` must have a second factor."""
    return required and bool(roles & set(STRONG_ROLES))


def begin_code(connection: Connection, name: str) -> str:
    """Return a new shared secret for an account; it counts once a code of it was given."""
    account = read_account(connection, name)
    if account.issuer is not None:
        raise InputError("you sign in elsewhere", hint="a second factor is set up there")
    if account.totp_confirmed:
        raise InputError("a second factor is set up already", hint="an administrator can reset it")
    secret = make_secret()
    write_totp(connection, name, secret)
    return secret


def confirm_code(connection: Connection, author: Author, name: str, code: str) -> list[str]:
    """Let the second factor count, and return the recovery codes, shown once; InputError for a wrong code."""
    account = read_account(connection, name)
    if account.totp_confirmed or account.totp_secret is None:
        raise InputError("no second factor is being set up")
    step = find_step(account.totp_secret, code)
    if step is None or not use_step(connection, name, step):
        raise InputError("the code is not right", hint="is the clock of the device right?")
    codes = make_recovery()
    confirm_totp(connection, name, [hash_recovery(one) for one in codes])
    record(connection, author.tell("account.code", name))
    return codes


def _takes_code(connection: Connection, account: Account, code: str) -> bool:
    """Return whether ``code`` is right, if one is needed; each counts once."""
    if not account.totp_confirmed:
        return True
    step = find_step(account.totp_secret or "", code)
    if step is not None:
        return use_step(connection, account.id, step)
    return use_recovery(connection, account.id, hash_recovery(code[:100]))
