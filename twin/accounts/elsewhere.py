"""Accounts of people who sign in at a provider: made at the first time, brought up to date at every other."""

import hashlib

from sqlalchemy import Connection

from layers.errors import ForbiddenError
from twin.accounts.claims import Mapped
from twin.accounts.recording import Deed, record
from twin.store_accounts import find_account, find_by_subject, insert_account, lock_accounts, update_account


def welcome(connection: Connection, issuer: str, subject: str, mapped: Mapped, address: str) -> str:
    """Return the name of the account of ``subject``; ForbiddenError where it is disabled here.

    A name that an account of somebody else has already is never taken over.
    """
    lock_accounts(connection)
    known = find_by_subject(connection, issuer, subject)
    if known is None:
        mark = hashlib.sha256(f"{issuer} {subject}".encode()).hexdigest()[:10]
        name = mapped.name or f"openid-{mark}"
        if find_account(connection, name) is not None:
            name = f"{name[:80]}-{mark}"
        insert_account(connection, name, mapped.title, None, mapped.roles, mapped.wards, issuer=issuer, subject=subject)
        record(connection, Deed("account.add", name, "provider", "oidc", address, detail={"roles": mapped.roles}))
        return name
    if not known.enabled:
        raise ForbiddenError(f"the account '{known.id}' is disabled here", hint="ask an administrator")
    if (known.roles, known.wards, known.title) != (mapped.roles, mapped.wards, mapped.title):
        update_account(connection, known.id, title=mapped.title, roles=mapped.roles, wards=mapped.wards, enabled=True)
        told = {"before": known.roles, "roles": mapped.roles, "wards": mapped.wards}
        record(connection, Deed("account.change", known.id, "provider", "oidc", address, detail=told))
    return known.id
