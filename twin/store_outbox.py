"""SQL of the outbox: what is to be told, who is to be told of it, and how each delivery ended.

A row of the outbox is written in the transaction that causes it. It is spread into deliveries, one a channel. A
delivery is leased, sent, and only then marked: one whose sender died is sent again under the same id.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, text

from layers.errors import ConflictError, NotFoundError
from layers.store.engine import plain_url

BURST_S = 0.25
Cause = Literal["message", "alarm"]
State = Literal["waiting", "sent", "dead", "expired"]
_COLUMNS = (
    "d.id, d.outbox, d.subject, o.kind, o.reference, o.content, d.contact_group, d.channel, d.state, d.attempts, "
    "d.due, d.expires, d.settled, d.error, o.created"
)
_FROM = "from warning.delivery d join warning.outbox o on o.id = d.outbox"


@dataclass(frozen=True, slots=True)
class Told:
    """A row of the outbox: what happened, to what (``subject``: deliveries of one keep their order)."""

    id: int
    subject: str
    kind: Cause
    reference: str
    content: dict[str, Any]
    created: datetime


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """Something to be sent on one channel, not before ``due`` and not after ``expires``."""

    id: UUID
    contact_group: str
    channel: str
    due: datetime
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it stands; ``error`` is why the last attempt failed, without any secret."""

    id: UUID
    outbox: int
    subject: str
    kind: Cause
    reference: str
    content: dict[str, Any]
    contact_group: str
    channel: str
    state: State
    attempts: int
    due: datetime
    expires: datetime | None
    settled: datetime | None
    error: str | None
    created: datetime


def put_into_outbox(
    connection: Connection, *, kind: Cause, reference: str, subject: str, content: dict[str, Any] | None = None
) -> None:
    """Say that something is to be told; the same ``reference`` only once."""
    connection.execute(
        text(
            "insert into warning.outbox (subject, kind, reference, content) "
            "values (:subject, :kind, :reference, cast(:content as jsonb)) on conflict (kind, reference) do nothing"
        ),
        {
            "subject": subject,
            "kind": kind,
            "reference": reference,
            "content": json.dumps(content or {}, ensure_ascii=False, default=str),
        },
    )


def take_untold(connection: Connection) -> Told | None:
    """Return the oldest row that is not spread yet, kept from others until the transaction ends."""
    row = connection.execute(
        text(
            "select id, subject, kind, reference, content, created from warning.outbox where spread is null "
            "order by id limit 1 for update skip locked"
        )
    ).first()
    return None if row is None else Told(*row)


def spread(connection: Connection, outbox: int, deliveries: Sequence[NewDelivery], *, moment: datetime) -> None:
    """Write the deliveries of a row and note that it is spread.

    What waits on a channel before one of them, for quiet hours to end or after a failure, becomes due no later than it:
    order is kept, and nothing urgent is held up by what was not.
    """
    if deliveries:
        connection.execute(
            text(
                "insert into warning.delivery (id, outbox, subject, contact_group, channel, due, expires) "
                "select :id, o.id, o.subject, :contact_group, :channel, :due, :expires from warning.outbox o "
                "where o.id = :outbox on conflict do nothing"
            ),
            [
                {
                    "id": one.id,
                    "outbox": outbox,
                    "contact_group": one.contact_group,
                    "channel": one.channel,
                    "due": one.due,
                    "expires": one.expires,
                }
                for one in deliveries
            ],
        )
    connection.execute(
        text(
            "update warning.delivery e set due = d.due from warning.delivery d where d.outbox = :outbox "
            "and e.state = 'waiting' and e.contact_group = d.contact_group and e.channel = d.channel "
            "and e.subject = d.subject and e.outbox < d.outbox and e.due > d.due"
        ),
        {"outbox": outbox},
    )
    connection.execute(
        text("update warning.outbox set spread = :moment where id = :outbox"), {"outbox": outbox, "moment": moment}
    )


def lease_delivery(connection: Connection, *, moment: datetime, until: datetime) -> Delivery | None:
    """Return the next delivery that is due, leased until ``until``, its attempt counted; None when there is none.

    On a channel, what concerns one subject goes out in its order: a later one waits until the earlier is settled.
    """
    leased = connection.execute(
        text(
            "update warning.delivery set leased_until = :until, attempts = attempts + 1 where id = ("
            "select id from warning.delivery d where state = 'waiting' and due <= :moment "
            "and (leased_until is null or leased_until <= :moment) and not exists ("
            "select from warning.delivery e where e.state = 'waiting' and e.contact_group = d.contact_group "
            "and e.channel = d.channel and e.subject = d.subject and e.outbox < d.outbox) "
            "order by due, outbox limit 1 for update skip locked) returning id"
        ),
        {"moment": moment, "until": until},
    ).scalar()
    return None if leased is None else read_delivery(connection, leased)


def settle_delivery(
    connection: Connection, delivery: Delivery, state: State, *, moment: datetime, error: str | None = None
) -> None:
    """Note how an attempt ended for good; nothing happens if somebody else has taken the delivery up meanwhile."""
    connection.execute(
        text(
            "update warning.delivery set state = :state, settled = :moment, error = :error, leased_until = null "
            "where id = :id and attempts = :attempts and state = 'waiting'"
        ),
        {"id": delivery.id, "attempts": delivery.attempts, "state": state, "moment": moment, "error": error},
    )


def postpone_delivery(connection: Connection, delivery: Delivery, *, due: datetime, error: str) -> None:
    """Note that an attempt failed and when the next one is due."""
    connection.execute(
        text(
            "update warning.delivery set due = :due, error = :error, leased_until = null "
            "where id = :id and attempts = :attempts and state = 'waiting'"
        ),
        {"id": delivery.id, "attempts": delivery.attempts, "due": due, "error": error},
    )


def read_delivery(connection: Connection, delivery_id: UUID) -> Delivery:
    """Return one delivery; NotFoundError when there is none of this id."""
    row = connection.execute(text(f"select {_COLUMNS} {_FROM} where d.id = :id"), {"id": delivery_id}).first()
    if row is None:
        raise NotFoundError(f"delivery {delivery_id} does not exist", hint="twin warnings outbox lists them")
    return Delivery(*row)


def list_deliveries(
    connection: Connection, *, state: State | None = None, reference: str | None = None, limit: int = 100
) -> list[Delivery]:
    """Return deliveries, the newest first."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS} {_FROM} where (cast(:state as text) is null or d.state = :state) "
            "and (cast(:reference as text) is null or o.reference = :reference) "
            "order by d.outbox desc, d.contact_group, d.channel limit :limit"
        ),
        {"state": state, "reference": reference, "limit": limit},
    )
    return [Delivery(*row) for row in rows]


def retry_delivery(connection: Connection, delivery_id: UUID, *, moment: datetime) -> Delivery:
    """Put a dead delivery back, due now, its attempts counted anew; ConflictError when it is not dead."""
    before = read_delivery(connection, delivery_id)
    if before.state != "dead":
        raise ConflictError(f"delivery {delivery_id} is {before.state}, only a dead one is tried again by hand")
    connection.execute(
        text(
            "update warning.delivery set state = 'waiting', attempts = 0, due = :moment, settled = null "
            "where id = :id and state = 'dead'"
        ),
        {"id": delivery_id, "moment": moment},
    )
    return read_delivery(connection, delivery_id)


def count_deliveries(connection: Connection) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    rows = connection.execute(text("select state, count(*) as found from warning.delivery group by state"))
    return {row.state: row.found for row in rows}


@contextmanager
def listen(engine: Engine) -> Iterator[Callable[[float], set[str]]]:
    """Give a function that waits at most so long [s] and returns who called meanwhile: ``warning``, ``alarm``.

    Calls come in bursts: what follows within a quarter of a second is taken together.
    """
    with psycopg.connect(plain_url(engine), autocommit=True, connect_timeout=10) as connection:
        connection.execute("listen warning")
        connection.execute("listen alarm")

        def wait(seconds: float) -> set[str]:
            called = {one.channel for one in connection.notifies(timeout=seconds, stop_after=1)}
            return called | {one.channel for one in connection.notifies(timeout=BURST_S)} if called else called

        yield wait
