"""SQL of sessions of browsers and of sign-ins elsewhere that have begun."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

MOST_SESSIONS = 20
"""Sessions of one account; the oldest end when there are more."""
FIND = """
select s.id, s.account, s.via, a.title, a.roles, a.wards, a.totp_confirmed, s.seen, s.until, s.id_token
from identity.session s join identity.account a on a.id = s.account
where s.hash = %(hash)s and a.enabled and s.until > clock_timestamp()
    and s.seen > clock_timestamp() - make_interval(secs => %(idle)s)
"""
SEE = "update identity.session set seen = clock_timestamp() where hash = %(hash)s"


class Session(NamedTuple):
    """A session as it is listed."""

    id: str
    account: str
    via: str
    address: str
    agent: str
    created: datetime
    seen: datetime
    until: datetime


class Flow(NamedTuple):
    """A sign-in elsewhere that has begun: what its end must prove."""

    nonce: str
    verifier: str
    next: str


def insert_session(
    connection: Connection, token: bytes, name: str, account: str, *, via: str, address: str, agent: str, hours: float,
    id_token: str | None = None,
) -> None:  # fmt: skip
    """Begin a session of ``hours`` [h] at most; the oldest of too many end."""
    connection.execute(
        text(
            "insert into identity.session (hash, id, account, via, address, agent, id_token, until) values "
            "(:hash, :id, :account, :via, :address, :agent, :id_token, "
            "clock_timestamp() + make_interval(secs => :seconds))"
        ),
        {
            "hash": token, "id": name, "account": account, "via": via, "address": address, "agent": agent[:200],
            "id_token": id_token, "seconds": hours * 3600.0,
        },
    )  # fmt: skip
    connection.execute(
        text(
            "delete from identity.session where account = :account and hash in (select hash from identity.session "
            "where account = :account order by created desc offset :most)"
        ),
        {"account": account, "most": MOST_SESSIONS},
    )


def list_sessions(connection: Connection, account: str) -> list[Session]:
    """Return the sessions of an account, the newest first."""
    rows = connection.execute(
        text(
            "select id, account, via, address, agent, created, seen, until from identity.session "
            "where account = :account and until > clock_timestamp() order by created desc"
        ),
        {"account": account},
    )
    return [Session(*row) for row in rows]


def end_session(connection: Connection, token: bytes) -> None:
    """End the session of a token."""
    connection.execute(text("delete from identity.session where hash = :hash"), {"hash": token})


def end_sessions(connection: Connection, account: str, *, one: str | None = None, but: str | None = None) -> int:
    """End sessions of an account: the ``one``, or all ``but`` one; return how many."""
    ended = connection.execute(
        text(
            "delete from identity.session where account = :account "
            "and (cast(:one as text) is null or id = :one) and (cast(:but as text) is null or id <> :but)"
        ),
        {"account": account, "one": one, "but": but},
    )
    return ended.rowcount


def insert_flow(connection: Connection, state: bytes, browser: bytes, flow: Flow) -> None:
    """Remember a sign-in elsewhere that begins in a browser."""
    connection.execute(
        text(
            "insert into identity.flow (state, browser, nonce, verifier, next) "
            "values (:state, :browser, :nonce, :verifier, :next)"
        ),
        {"state": state, "browser": browser, **flow._asdict()},
    )


def take_flow(connection: Connection, state: bytes, browser: bytes) -> Flow | None:
    """Return the sign-in of ``state`` begun in this browser in the last ten minutes; it can be ended once."""
    row = connection.execute(
        text(
            "delete from identity.flow where state = :state and browser = :browser "
            "and created > clock_timestamp() - interval '10 minutes' returning nonce, verifier, next"
        ),
        {"state": state, "browser": browser},
    ).one_or_none()
    return None if row is None else Flow(*row)


def knows_address(connection: Connection, account: str, address: str) -> bool:
    """Return whether an account has a session that began at an address."""
    asked = text("select exists (select from identity.session where account = :account and address = :address)")
    return bool(connection.execute(asked, {"account": account, "address": address}).scalar())
