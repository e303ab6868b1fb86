"""SQL of the audit: entries are added, seals are laid over them, both are read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from layers.store.names import quote
from twin.audit.entry import FIRST, Entry, Kept, Sealed, Who

_COLUMNS = "e.number, e.at, e.subject, e.name, e.via, e.client, e.request_id, e.action, e.object, e.outcome, e.detail"
_VALUES = ":subject, :name, :via, :client, :request_id, :action, :object, :outcome, cast(:detail as jsonb)"
_LOCK = 7_305_811_936
"""Advisory lock of who seals: one process at a time."""
_WRITE = text(f"select audit.write({_VALUES})")
_AT_ONCE = 2000
# A transaction that only read has no number of its own and leaves nothing.
_WRITE_WHERE_WRITTEN = text(f"select audit.write({_VALUES}) where pg_current_xact_id_if_assigned() is not null")


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Which entries: all given conditions hold; ``object`` by its beginning."""

    subject: str | None = None
    action: str | None = None
    object: str | None = None
    outcome: str | None = None
    start: datetime | None = None
    end: datetime | None = None


def has_audit(connection: Connection) -> bool:
    """Return whether the database has an audit: one of an older version has none."""
    return bool(connection.execute(text("select to_regclass('audit.entry') is not null")).scalar_one())


def insert_entry(connection: Connection, entry: Entry, who: Who) -> int:
    """Add an entry and return its number."""
    return int(connection.execute(_WRITE, _bind(entry, who)).scalar_one())


def insert_where_written(connection: Connection, entry: Entry, who: Who) -> bool:
    """Add an entry if the transaction at hand wrote something; say whether it did."""
    return connection.execute(_WRITE_WHERE_WRITTEN, _bind(entry, who)).scalar() is not None


def _bind(entry: Entry, who: Who) -> dict[str, Any]:
    return {
        "subject": who.subject,
        "name": who.name,
        "via": who.via,
        "client": who.client,
        "request_id": who.request_id,
        "action": entry.action,
        "object": entry.object,
        "outcome": entry.outcome,
        "detail": json.dumps(entry.detail, ensure_ascii=False),
    }


def read_kept(row: Row[Any]) -> Kept:
    """Return a row of ``_COLUMNS`` as an entry."""
    return Kept(
        row.number, row.at, row.subject, row.name, row.via, row.client, row.request_id, row.action, row.object,
        row.outcome, row.detail,
    )  # fmt: skip


def list_entries(
    connection: Connection, query: EntryQuery, *, before: int | None = None, after: int | None = None, limit: int
) -> list[Kept]:
    """Return the newest entries that match, those numbered below ``before``; or from ``after`` on, the oldest first."""
    conditions, values = ["true"], dict[str, Any](limit=limit)
    tests = {
        "subject": "e.subject = :subject",
        "action": "e.action = :action",
        "object": "starts_with(e.object, :object)",
        "outcome": "e.outcome = :outcome",
        "start": "e.at >= :start",
        "end": "e.at <= :end",
    }
    for name, condition in tests.items():
        value = getattr(query, name)
        if value is not None:
            conditions.append(condition)
            values[name] = value
    if before is not None:
        conditions.append("e.number < :before")
        values["before"] = before
    if after is not None:
        conditions.append("e.number > :after")
        values["after"] = after
    order = "asc" if after is not None else "desc"
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from audit.entry e where {' and '.join(conditions)} "
            f"order by e.number {order} limit :limit"
        ),
        values,
    )
    return [read_kept(row) for row in rows]


def read_last_number(connection: Connection) -> int:
    """Return the number of the newest entry, 0 where there is none."""
    return int(connection.execute(text("select coalesce(max(number), 0) from audit.entry")).scalar_one())


def count_recent(connection: Connection, subject: str, action: str, since: datetime) -> int:
    """Return how many entries of an action somebody left since a moment."""
    return int(
        connection.execute(
            text("select count(*) from audit.entry where subject = :subject and action = :action and at >= :since"),
            {"subject": subject, "action": action, "since": since},
        ).scalar_one()
    )


def take_sealing(connection: Connection) -> bool:
    """Take the right to seal until the end of the transaction; False where another process has it."""
    return bool(connection.execute(text("select pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar_one())


def read_head(connection: Connection) -> tuple[int, bytes]:
    """Return the last position of the chain and its seal."""
    row = connection.execute(text("select position, hash from audit.seal order by position desc limit 1")).first()
    return (0, FIRST) if row is None else (row.position, bytes(row.hash))


def list_waiting(connection: Connection, limit: int) -> list[Kept]:
    """Return entries that wait for their seal, in the order in which their transactions began to write.

    Only those below the oldest transaction that still writes: none can appear before them later. One that is above the
    newest comes from another server, out of a copy, and waits for nobody.
    """
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from audit.waiting w join audit.entry e on e.number = w.number and e.at = w.at "
            "where w.xid < pg_snapshot_xmin(pg_current_snapshot()) or w.xid >= pg_snapshot_xmax(pg_current_snapshot()) "
            "order by w.xid, w.number limit :limit"
        ),
        {"limit": limit},
    )
    return [read_kept(row) for row in rows]


def add_seals(connection: Connection, seals: Sequence[Sealed]) -> None:
    """Lay seals over entries, which then wait no longer."""
    connection.execute(
        text("insert into audit.seal (position, entry, month, hash) values (:position, :entry, :month, :hash)"),
        [
            {
                "position": one.position,
                "entry": one.entry.number,
                "month": find_month(one.entry.at),
                "hash": one.hash,
            }
            for one in seals
        ],
    )
    connection.execute(
        text("delete from audit.waiting where number = any(:numbers)"),
        {"numbers": [one.entry.number for one in seals]},
    )


def find_month(at: datetime) -> date:
    """Return the first day of the month in which an entry lies."""
    return date(at.year, at.month, 1)


def read_sealed(connection: Connection, *, after: int, limit: int) -> list[Sealed]:
    """Return the sealed entries behind a position, in the order of the chain; those that are gone are left out."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS}, s.position, s.hash from audit.seal s join audit.entry e on e.number = s.entry "
            "where s.position > :after order by s.position limit :limit"
        ),
        {"after": after, "limit": limit},
    )
    return [Sealed(read_kept(row), row.position, bytes(row.hash)) for row in rows]


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the chain as it is stored: ``entry`` is None where there is none of that number."""

    position: int
    number: int
    month: date
    hash: bytes
    entry: Kept | None


def walk_chain(connection: Connection, *, first: int = 1, last: int | None = None) -> Iterator[Link]:
    """Give the links from position ``first`` to ``last`` in their order, without holding them all."""
    statement = text(
        f"select {_COLUMNS}, s.position, s.entry, s.month, s.hash "
        "from audit.seal s left join audit.entry e on e.number = s.entry "
        "where s.position >= :first and (cast(:last as bigint) is null or s.position <= :last) order by s.position"
    ).execution_options(stream_results=True, yield_per=_AT_ONCE)
    rows = connection.execute(statement, {"first": first, "last": last})
    for row in rows:
        kept = None if row.number is None else read_kept(row)
        yield Link(row.position, row.entry, row.month, bytes(row.hash), kept)


def read_seal(connection: Connection, position: int) -> bytes | None:
    """Return the seal at a position; that before the first is zeros."""
    if position == 0:
        return FIRST
    found = connection.execute(text("select hash from audit.seal where position = :p"), {"p": position}).scalar()
    return None if found is None else bytes(found)


def find_positions(
    connection: Connection, start: datetime | None, end: datetime | None
) -> tuple[int | None, int | None]:
    """Return the first and last position of the entries of a time, None where there are none."""
    row = connection.execute(
        text(
            "select min(s.position) as first, max(s.position) as last from audit.seal s "
            "join audit.entry e on e.number = s.entry where (cast(:start as timestamptz) is null or e.at >= :start) "
            "and (cast(:end as timestamptz) is null or e.at <= :end)"
        ),
        {"start": start, "end": end},
    ).one()
    return row.first, row.last


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What has no seal: how many, since when the oldest waits [s], and how many nobody waits for."""

    count: int
    age_s: float
    lost: int


def measure_unsealed(connection: Connection) -> Unsealed:
    """Return what has no seal; ``lost`` is what is neither sealed nor waiting, which nobody does by himself."""
    row = connection.execute(
        text(
            "select count(*) as unsealed, coalesce(extract(epoch from clock_timestamp() - min(e.at)), 0) as age, "
            "count(*) filter (where w.number is null) as lost "
            "from audit.entry e left join audit.waiting w on w.number = e.number "
            "where not exists (select from audit.seal s where s.entry = e.number)"
        )
    ).one()
    return Unsealed(row.unsealed, float(row.age), row.lost)


def count_gaps(connection: Connection) -> tuple[int, list[int]]:
    """Return how many numbers between the first and last entry are missing, and the first ones of gaps.

    A transaction that is rolled back at the last moment leaves one; entries that were removed leave one each.
    """
    rows = connection.execute(
        text(
            "select number, gap from (select number, number - lag(number) over (order by number) - 1 as gap from "
            "(select number from audit.entry union select entry from audit.seal) as known) as steps "
            "where gap > 0 order by number"
        )
    ).all()
    return sum(row.gap for row in rows), [row.number - row.gap for row in rows[:10]]


def prepare_months(connection: Connection, months: Sequence[date]) -> int:
    """Make the partitions of ``months`` that are not there and return how many were made."""
    return int(
        connection.execute(
            text("select count(*) filter (where audit.prepare(month)) from unnest(cast(:months as date[])) as month"),
            {"months": list(months)},
        ).scalar_one()
    )


def list_retired(connection: Connection) -> set[date]:
    """Return the months that left the table."""
    return set(connection.execute(text("select month from audit.retired")).scalars())


def walk_month(connection: Connection, month: date) -> Iterator[Sealed]:
    """Give the sealed entries of a month in the order of the chain."""
    statement = text(
        f"select {_COLUMNS}, s.position, s.hash from audit.seal s join audit.entry e on e.number = s.entry "
        "where s.month = :month order by s.position"
    ).execution_options(stream_results=True, yield_per=_AT_ONCE)
    for row in connection.execute(statement, {"month": month}):
        yield Sealed(read_kept(row), row.position, bytes(row.hash))


def count_month(connection: Connection, month: date) -> tuple[int, int]:
    """Return how many entries lie in a month, and how many of them are sealed."""
    row = connection.execute(
        text(
            "select count(*) as entries, count(s.entry) as sealed from audit.entry e "
            "left join audit.seal s on s.entry = e.number "
            "where e.at >= cast(:month as date) and e.at < cast(:month as date) + interval '1 month'"
        ),
        {"month": month},
    ).one()
    return row.entries, row.sealed


def drop_month(connection: Connection, month: date, entries: int, last: Sealed, digest: bytes) -> None:
    """Note that a month left and drop its partition; the seals stay."""
    connection.execute(
        text(
            "insert into audit.retired (month, entries, last_position, last_hash, digest) "
            "values (:month, :entries, :position, :hash, :digest)"
        ),
        {"month": month, "entries": entries, "position": last.position, "hash": last.hash, "digest": digest},
    )
    name = quote(f"entry_{month:%Y_%m}")
    connection.execute(text(f"alter table audit.entry detach partition audit.{name}"))
    connection.execute(text(f"drop table audit.{name}"))


def take_cursor(connection: Connection, target: str) -> int:
    """Return the last position that was shipped to ``target``, held until the end of the transaction."""
    connection.execute(
        text("insert into audit.shipped (target) values (:target) on conflict do nothing"), {"target": target}
    )
    return int(
        connection.execute(
            text("select position from audit.shipped where target = :target for update"), {"target": target}
        ).scalar_one()
    )


def move_cursor(connection: Connection, target: str, position: int) -> None:
    """Note that everything up to ``position`` arrived at ``target``."""
    connection.execute(
        text("update audit.shipped set position = :position, at = clock_timestamp() where target = :target"),
        {"target": target, "position": position},
    )
