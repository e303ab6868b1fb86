"""SQL of warnings: messages as issued, their chains, the wards they hold."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import IntegrityError

from layers.errors import ConflictError, NotFoundError
from layers.schema import Text
from twin.warning.areas import Ward
from twin.warning.flood import FloodWarning, Kind, Station, Status

_COLUMNS = (
    "number, identifier, sender, sent, status, kind, event, chain, expires, severity, headline_vi, headline_en, "
    "content, author, reason, stored"
)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message about to be kept: what it says as a value and as bytes."""

    identifier: str
    sender: str
    sent: datetime
    kind: Kind
    event: str
    chain: str
    severity: str
    headline: Text
    warning: FloodWarning
    body: bytes
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was issued, without its bytes; ``number`` counts all messages."""

    number: int
    identifier: str
    sender: str
    sent: datetime
    status: Status
    kind: Kind
    event: str
    chain: str
    expires: datetime
    severity: str
    headline: Text
    warning: FloodWarning
    author: str
    reason: str
    stored: datetime


def lock_event(connection: Connection, event: str) -> None:
    """Make all others who issue or propose for ``event`` wait until the transaction ends."""
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"warning:{event}"})


def insert_message(connection: Connection, new: NewMessage) -> Message:
    """Keep a message for good and return it."""
    values = {name: getattr(new, name) for name in NewMessage.__slots__ if name not in ("headline", "warning")}
    row = connection.execute(
        text(
            "insert into warning.message (identifier, sender, sent, status, kind, event, chain, expires, severity, "
            "headline_vi, headline_en, content, body, author, reason) values (:identifier, :sender, :sent, :status, "
            ":kind, :event, :chain, :expires, :severity, :headline_vi, :headline_en, cast(:content as jsonb), :body, "
            f":author, :reason) returning {_COLUMNS}"
        ),
        {
            **values,
            "status": new.warning.status,
            "expires": new.warning.expires,
            "headline_vi": new.headline.vi,
            "headline_en": new.headline.en,
            "content": new.warning.model_dump_json(),
        },
    ).one()
    return _read_message(row)


def read_message(connection: Connection, identifier: str) -> Message:
    """Return one message; NotFoundError when none was issued as ``identifier``."""
    row = connection.execute(
        text(f"select {_COLUMNS} from warning.message where identifier = :identifier"), {"identifier": identifier}
    ).first()
    if row is None:
        raise NotFoundError(f"message '{identifier[:100]}' was never issued", hint="/cap/alerts.json lists them")
    return _read_message(row)


def read_body(connection: Connection, identifier: str) -> bytes:
    """Return the bytes of a message as they were issued; NotFoundError when there is none."""
    body = connection.execute(
        text("select body from warning.message where identifier = :identifier"), {"identifier": identifier}
    ).scalar()
    if body is None:
        raise NotFoundError(f"message '{identifier[:100]}' was never issued", hint="/cap/alerts.json lists them")
    return bytes(body)


def list_messages(
    connection: Connection,
    *,
    status: Status | None = None,
    chain: str | None = None,
    in_force: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Message]:
    """Return messages, the newest first; ``in_force`` only the last of every chain that is open at that moment."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from warning.message m where (cast(:status as text) is null or status = :status) "
            "and (cast(:chain as text) is null or chain = :chain) "
            "and (cast(:moment as timestamptz) is null or exists (select from warning.chain c "
            "where c.latest = m.identifier and c.closed is null and c.expires > :moment)) "
            "and (cast(:before as bigint) is null or number < :before) order by number desc limit :limit"
        ),
        {"status": status, "chain": chain, "moment": in_force, "before": before, "limit": limit},
    )
    return [_read_message(row) for row in rows]


def close_expired(connection: Connection, event: str, moment: datetime) -> None:
    """Close the chains of ``event`` whose last message has expired at ``moment``."""
    connection.execute(
        text(
            "with ended as (update warning.chain set closed = expires "
            "where event = :event and closed is null and expires <= :moment returning id) "
            "delete from warning.claim where chain in (select id from ended)"
        ),
        {"event": event, "moment": moment},
    )


def find_open_chains(
    connection: Connection, event: str, status: Status, moment: datetime, *, wards: Sequence[str] | None = None
) -> list[Message]:
    """Return the latest message of every chain in force at ``moment``; of those that hold one of ``wards`` if given."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from warning.message where identifier in ("
            "select latest from warning.chain c where event = :event and status = :status and closed is null "
            "and expires > :moment and (cast(:wards as text[]) is null or exists (select from warning.claim "
            "where chain = c.id and ward = any(:wards)))) order by number"
        ),
        {"event": event, "status": status, "moment": moment, "wards": None if wards is None else list(wards)},
    )
    return [_read_message(row) for row in rows]


def follow_chain(connection: Connection, message: Message, *, joined: Sequence[str] = ()) -> None:
    """Make ``message`` the latest of its chain, opened or closed with it; chains ``joined`` to it are closed.

    ConflictError names a ward that another open chain of the event holds.
    """
    closed = message.sent if message.kind == "Cancel" else None
    connection.execute(
        text("delete from warning.claim where chain = any(:chains)"), {"chains": [message.chain, *joined]}
    )
    connection.execute(
        text("update warning.chain set closed = :moment where id = any(:joined) and closed is null"),
        {"moment": message.sent, "joined": list(joined)},
    )
    connection.execute(
        text(
            "insert into warning.chain (id, event, status, latest, expires, closed) "
            "values (:id, :event, :status, :latest, :expires, :closed) on conflict (id) do update "
            "set latest = excluded.latest, expires = excluded.expires, closed = excluded.closed"
        ),
        {
            "id": message.chain,
            "event": message.event,
            "status": message.status,
            "latest": message.identifier,
            "expires": message.expires,
            "closed": closed,
        },
    )
    if closed is not None:
        return
    try:
        connection.execute(
            text("insert into warning.claim select :event, :status, unnest(cast(:wards as text[])), :chain"),
            {
                "event": message.event,
                "status": message.status,
                "wards": list(message.warning.wards),
                "chain": message.chain,
            },
        )
    except IntegrityError as error:
        raise ConflictError(
            "a warning of the same event is already in force in one of these wards", hint="update it instead"
        ) from error


def list_chain_messages(connection: Connection, chains: Sequence[str], moment: datetime) -> list[Message]:
    """Return what a successor refers to: the messages of ``chains`` that have not expired, and the latest always."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from warning.message where chain = any(:chains) and (expires > :moment or identifier "
            "in (select latest from warning.chain where id = any(:chains))) order by number"
        ),
        {"chains": list(chains), "moment": moment},
    )
    return [_read_message(row) for row in rows]


def find_wards(connection: Connection, codes: Sequence[str]) -> list[Ward]:
    """Return wards by their codes in this order; NotFoundError names one that does not exist."""
    rows = connection.execute(
        text(
            "select ward_code, min(name) as name, coalesce(min(name_en), '') as name_en, "
            "st_asbinary(st_transform(st_union(geom), 4326)) as shape from city.wards "
            "where ward_code = any(:codes) group by ward_code"
        ),
        {"codes": list(codes)},
    )
    found = {row.ward_code: Ward(row.ward_code, row.name, row.name_en, shapely.from_wkb(row.shape)) for row in rows}
    for code in codes:
        if code not in found:
            raise NotFoundError(f"ward '{code[:40]}' does not exist", hint="give codes of layer wards (ward_code)")
    return [found[code] for code in codes]


def find_station(connection: Connection, station: str) -> Station:
    """Return a sensor as a warning names it; NotFoundError when there is none of this id."""
    name = connection.execute(text("select name from sensing.thing where id = :id"), {"id": station}).scalar()
    if name is None:
        raise NotFoundError(f"sensor '{station[:80]}' does not exist", hint="twin sensors list shows them")
    return Station(id=station, name=name[:200])


def find_wards_near(connection: Connection, stations: Sequence[str], distance: float) -> dict[str, list[str]]:
    """Return the codes of the wards within ``distance`` [m] of each sensor, the nearest one where none is so near.

    A sensor that does not exist has none.
    """
    rows = connection.execute(
        text(
            "select s.id, coalesce(n.codes, array[(select ward_code from city.wards w order by w.geom <-> s.geom "
            "limit 1)]) as codes from city.sensors s left join lateral (select array_agg(distinct ward_code "
            "order by ward_code) as codes from city.wards w where st_dwithin(w.geom, s.geom, :distance)) n on true "
            "where s.id = any(:stations) and exists (select from city.wards)"
        ),
        {"stations": list(stations), "distance": distance},
    )
    near = {row.id: list(row.codes) for row in rows}
    return {station: near.get(station, []) for station in stations}


def _read_message(row: Row[Any]) -> Message:
    head = (row.number, row.identifier, row.sender, row.sent, row.status, row.kind, row.event, row.chain, row.expires)
    return Message(
        *head,
        row.severity,
        Text(row.headline_vi, row.headline_en),
        FloodWarning.model_validate_json(json.dumps(row.content)),
        row.author,
        row.reason,
        row.stored,
    )
