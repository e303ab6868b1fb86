"""SQL of the intake: declared devices, what datastreams are, the account of what arrived, what was refused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from twin.sensors.mapping import Device, read_mapping
from twin.sensors.message import Format


class Stream(NamedTuple):
    """What the intake must know of a datastream: whose it is, the type of its results (OM_…), its unit (UCUM)."""

    thing_id: str
    kind: str
    unit: str


class Fate(NamedTuple):
    """What became of a row: whether it was new, and whether it corrected what was there."""

    new: bool
    corrected: bool


@dataclass(slots=True)
class Tally:
    """What one device sent in one hour; lags are arrival minus time of the reading [s]."""

    received: int = 0
    stored: int = 0
    repeated: int = 0
    corrected: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    lag_least: float | None = None
    lag_most: float | None = None


class Rejected(NamedTuple):
    """A refused message: ``readings`` of it were refused for ``code``, ``times`` says how often it came."""

    id: int
    at: datetime
    received: datetime
    device: str
    channel: str
    topic: str
    payload: bytes
    code: str
    reason: str
    readings: int
    times: int
    settled: datetime | None
    settled_by: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {**self._asdict(), "payload": self.payload.decode("utf-8", "replace")}


_REJECTED = ", ".join(Rejected._fields)


def read_streams(connection: Connection, ids: Iterable[str]) -> dict[str, Stream]:
    """Return what is known of those datastreams that are there, by id."""
    rows = connection.execute(
        text("select id, thing_id, observation_type, unit from sensing.datastream where id = any(:ids)"),
        {"ids": list(ids)},
    )
    return {row.id: Stream(row.thing_id, row.observation_type.rpartition("/")[2], row.unit) for row in rows}


def find_features(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Return those of ``ids`` that are features of interest."""
    found = connection.execute(
        text("select id from sensing.feature_of_interest where id = any(:ids)"), {"ids": list(ids)}
    ).scalars()
    return set(found)


def read_devices(connection: Connection, ids: Iterable[str]) -> dict[str, Device]:
    """Return the declared devices among ``ids``."""
    rows = connection.execute(
        text("select id, format, mapping, thing_id from sensing.device where id = any(:ids)"), {"ids": list(ids)}
    )
    return {row.id: Device(row.id, row.format, read_mapping(row.mapping), row.thing_id) for row in rows}


def list_devices(connection: Connection) -> list[dict[str, Any]]:
    """Return all declared devices by id, with mapping, thing, who changed them and when."""
    rows = connection.execute(
        text("select id, format, mapping, thing_id, changed, changed_by from sensing.device order by id")
    )
    return [dict(row) for row in rows.mappings()]


def upsert_device(
    connection: Connection, device_id: str, format_: Format, mapping: Any, *, thing_id: str | None, author: str
) -> None:
    """Declare a device, or declare it anew. NotFoundError names a thing or datastream that is not there."""
    rules = read_mapping(mapping)
    wanted = {rule.datastream for rule in rules.readings} if rules else set()
    missing = sorted(wanted - read_streams(connection, wanted).keys())
    if missing:
        raise NotFoundError(f"datastream '{missing[0]}' does not exist", hint="see: twin sensors list")
    there = connection.execute(text("select 1 from sensing.thing where id = :id"), {"id": thing_id}).scalar()
    if thing_id is not None and there is None:
        raise NotFoundError(f"thing '{thing_id}' does not exist")
    connection.execute(
        text(
            "insert into sensing.device as d (id, format, mapping, thing_id, changed_by) "
            "values (:id, :format, cast(:mapping as jsonb), :thing_id, :author) "
            "on conflict (id) do update set format = excluded.format, mapping = excluded.mapping, "
            "thing_id = excluded.thing_id, changed = clock_timestamp(), changed_by = excluded.changed_by"
        ),
        {
            "id": device_id,
            "format": format_,
            "mapping": orjson.dumps(mapping or {}).decode(),
            "thing_id": thing_id,
            "author": author,
        },
    )


def delete_device(connection: Connection, device_id: str) -> None:
    """Forget a device; its readings stay. NotFoundError when it was not declared."""
    done = connection.execute(text("delete from sensing.device where id = :id"), {"id": device_id})
    if done.rowcount == 0:
        raise NotFoundError(f"device '{device_id}' is not declared", hint="see: twin sensors devices list")


def read_fates(connection: Connection, rows: Sequence[Mapping[str, Any]], since: datetime) -> list[Fate]:
    """Return what became of rows stored after ``since`` (the database's clock), in their order."""
    keys = [{"n": n, "d": row["datastream_id"], "t": row["phenomenon_time"]} for n, row in enumerate(rows)]
    found = connection.execute(
        text(
            "select k.n, o.stored >= :since as new, exists (select from sensing.correction c where "
            "c.datastream = o.datastream and c.phenomenon_time = o.phenomenon_time and c.stored >= :since) "
            "as corrected from json_to_recordset(cast(:keys as json)) as k (n int, d text, t timestamptz) "
            "join sensing.datastream s on s.id = k.d "
            "join sensing.observation o on o.datastream = s.fid and o.phenomenon_time = k.t"
        ),
        {"keys": orjson.dumps(keys).decode(), "since": since},
    )
    by_number = {row.n: Fate(row.new, row.corrected) for row in found}
    return [by_number.get(number, Fate(False, False)) for number in range(len(rows))]


def write_ledger(connection: Connection, tallies: Mapping[tuple[str, datetime], Tally]) -> None:
    """Add what devices sent in an hour to the account; the table itself checks that it adds up."""
    rows = [
        {
            "device": clean_text(device), "hour": hour, "received": one.received, "stored": one.stored,
            "repeated": one.repeated, "corrected": one.corrected, "rejected": one.rejected, "reasons": one.reasons,
            "lag_least": one.lag_least, "lag_most": one.lag_most,
        }
        for (device, hour), one in sorted(tallies.items())
    ]  # fmt: skip
    if not rows:
        return
    connection.execute(
        text(
            "insert into sensing.ledger as l (device, hour, received, stored, repeated, corrected, rejected, reasons, "
            "lag_least, lag_most) select * from json_to_recordset(cast(:rows as json)) as (device text, "
            "hour timestamptz, received bigint, stored bigint, repeated bigint, corrected bigint, rejected bigint, "
            "reasons jsonb, lag_least double precision, lag_most double precision) "
            "on conflict (device, hour) do update set received = l.received + excluded.received, "
            "stored = l.stored + excluded.stored, repeated = l.repeated + excluded.repeated, "
            "corrected = l.corrected + excluded.corrected, rejected = l.rejected + excluded.rejected, "
            "lag_least = least(l.lag_least, excluded.lag_least), lag_most = greatest(l.lag_most, excluded.lag_most), "
            "reasons = case when excluded.reasons = '{}' then l.reasons else "
            "(select coalesce(jsonb_object_agg(code, n), '{}') from (select key as code, sum(value::bigint) as n "
            "from (select * from jsonb_each_text(l.reasons) union all "
            "select * from jsonb_each_text(excluded.reasons)) of_both group by key "
            "having sum(value::bigint) <> 0) counted) end"
        ),
        {"rows": orjson.dumps(rows).decode()},
    )


def list_ledger(
    connection: Connection, *, device: str | None = None, since: datetime | None = None, limit: int = 1000
) -> list[dict[str, Any]]:
    """Return the account by device and hour, the newest hour first."""
    rows = connection.execute(
        text(
            "select device, hour, received, stored, repeated, corrected, rejected, reasons, lag_least, lag_most "
            "from sensing.ledger where (cast(:device as text) is null or device = :device) "
            "and (cast(:since as timestamptz) is null or hour >= :since) order by hour desc, device limit :limit"
        ),
        {"device": device, "since": since, "limit": limit},
    )
    return [dict(row) for row in rows.mappings()]


def write_rejected(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep refused messages: device, channel, topic, payload, code, reason, readings, received.

    A message that is there and not settled is counted once more.
    """
    given = [{**row, **{name: clean_text(row[name]) for name in ("device", "topic", "reason")}} for row in rows]
    connection.execute(
        text(
            "insert into sensing.rejected as r (device, channel, topic, payload, code, reason, readings, received) "
            "values (:device, :channel, :topic, :payload, :code, :reason, :readings, :received) "
            "on conflict (device, channel, topic, code, md5(payload)) where settled is null "
            "do update set times = r.times + 1, at = clock_timestamp(), reason = excluded.reason"
        ),
        given,
    )


def list_rejected(
    connection: Connection,
    *,
    device: str | None = None,
    code: str | None = None,
    ids: Sequence[int] | None = None,
    settled: bool = False,
    limit: int | None = None,
    lock: bool = False,
) -> list[Rejected]:
    """Return refused messages in the order they came; ``settled`` ones too if asked."""
    rows = connection.execute(
        text(
            f"select {_REJECTED} from sensing.rejected where (cast(:device as text) is null or device = :device) "
            "and (cast(:code as text) is null or code = :code) and (cast(:ids as bigint[]) is null or id = any(:ids)) "
            f"and (:settled or settled is null) order by id limit :limit{' for update' if lock else ''}"
        ),
        {"device": device, "code": code, "ids": None if ids is None else list(ids), "settled": settled, "limit": limit},
    )
    return [Rejected(*row) for row in rows]


def count_rejected(connection: Connection) -> list[dict[str, Any]]:
    """Return how many open messages and readings of each device were refused for which code, the most first."""
    rows = connection.execute(
        text(
            "select device, code, count(*) as messages, sum(readings::bigint * times)::bigint as readings, "
            "max(at) as last from sensing.rejected where settled is null group by device, code order by 4 desc, 1, 2"
        )
    )
    return [dict(row) for row in rows.mappings()]


def read_rejected(connection: Connection, row_id: int) -> Rejected:
    """Return one refused message; NotFoundError when there is none of this number."""
    rows = list_rejected(connection, ids=[row_id], settled=True)
    if not rows:
        raise NotFoundError(f"there is no refused message {row_id}", hint="see: twin sensors rejected list")
    return rows[0]


def settle_rejected(connection: Connection, ids: Sequence[int], *, author: str) -> int:
    """Close refused messages and return how many were open."""
    return connection.execute(
        text(
            "update sensing.rejected set settled = clock_timestamp(), settled_by = :author "
            "where id = any(:ids) and settled is null"
        ),
        {"ids": list(ids), "author": author},
    ).rowcount


def note_refusal(connection: Connection, row_id: int, reason: str) -> None:
    """Write down why a refused message is refused still."""
    connection.execute(
        text("update sensing.rejected set reason = :reason where id = :id"),
        {"id": row_id, "reason": clean_text(reason)},
    )


def read_backfill(connection: Connection, fingerprint: str) -> int:
    """Return how many rows of a file are loaded."""
    done = connection.execute(
        text("select done from sensing.backfill where fingerprint = :print"), {"print": fingerprint}
    ).scalar()
    return int(done or 0)


def write_backfill(connection: Connection, fingerprint: str, name: str, done: int) -> None:
    """Write down how many rows of a file are loaded."""
    connection.execute(
        text(
            "insert into sensing.backfill (fingerprint, name, done) values (:print, :name, :done) "
            "on conflict (fingerprint) do update set done = excluded.done, at = clock_timestamp()"
        ),
        {"print": fingerprint, "name": name, "done": done},
    )


def clean_text(words: str) -> str:
    """Return text that PostgreSQL can hold: without NUL and half surrogates."""
    return words.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
