"""SQL of GTFS Realtime: messages kept by time; at any moment the newest of each source before it is in force."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from twin.transit.realtime import Message

KEPT_DAYS = 30
FRESH = timedelta(minutes=10)
"""A message older than this is no longer in force."""
LASTING = timedelta(days=1)
"""One of alerts and modifications, which say themselves until when they hold, is in force so long."""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message on record."""

    id: int
    feed: str
    source: str
    at: datetime
    received: datetime
    counts: dict[str, int]
    unmatched: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EntityRow:
    """One entity in force, with the time of its message."""

    id: str
    trip: str | None
    start_date: str | None
    at: datetime
    document: dict[str, Any]


def insert_message(
    connection: Connection, feed_id: str, source: str, message: Message, unmatched: Mapping[str, Any]
) -> int | None:
    """Keep a message and return its id, None where it is kept already; those older than ``KEPT_DAYS`` are let go."""
    found = connection.execute(
        text(
            "insert into transit.message (feed, source, at, fingerprint, counts, unmatched) values "
            "(:feed, :source, :at, :fingerprint, cast(:counts as jsonb), cast(:unmatched as jsonb)) "
            "on conflict (feed, source, at, fingerprint) do nothing returning id"
        ),
        {
            "feed": feed_id,
            "source": source,
            "at": message.at,
            "fingerprint": message.fingerprint,
            "counts": json.dumps(message.counts),
            "unmatched": json.dumps(unmatched, ensure_ascii=False),
        },
    ).scalar()
    if found is None:
        return None
    if message.entities:
        connection.execute(
            text(
                "insert into transit.entity (message, id, kind, trip, start_date, document) "
                "values (:message, :id, :kind, :trip, :start_date, cast(:document as jsonb))"
            ),
            [
                {
                    "message": found,
                    "id": one.id,
                    "kind": one.kind,
                    "trip": one.trip,
                    "start_date": one.start_date,
                    "document": json.dumps(one.document, ensure_ascii=False, allow_nan=False),
                }
                for one in message.entities
            ],
        )
    connection.execute(
        text("delete from transit.message where feed = :feed and received < now() - make_interval(days => :days)"),
        {"feed": feed_id, "days": KEPT_DAYS},
    )
    return int(found)


def list_messages(connection: Connection, feed_id: str, *, limit: int = 20) -> list[MessageRow]:
    """Return the newest messages of a feed."""
    rows = connection.execute(
        text(
            "select id, feed, source, at, received, counts, unmatched from transit.message where feed = :feed "
            "order by at desc, id desc limit :limit"
        ),
        {"feed": feed_id, "limit": limit},
    )
    return [MessageRow(**row._mapping) for row in rows]


def select_entities(
    connection: Connection, feed_id: str, kinds: Sequence[str], at: datetime, *, fresh: timedelta = FRESH
) -> list[EntityRow]:
    """Return the entities of ``kinds`` in force at ``at``: of the newest message of each source that holds such a kind,
    not older than ``fresh``.
    """
    rows = connection.execute(
        text(
            "select e.id, e.trip, e.start_date, m.at, e.document from transit.entity e join transit.message m "
            "on m.id = e.message where e.kind = any(:kinds) and m.id in (select distinct on (n.source) n.id from "
            "transit.message n where n.feed = :feed and n.at <= :at and n.at >= :since and n.counts ?| :kinds "
            "order by n.source, n.at desc, n.id desc) order by e.id"
        ),
        {"feed": feed_id, "kinds": list(kinds), "at": at, "since": at - fresh},
    )
    return [EntityRow(**row._mapping) for row in rows]
