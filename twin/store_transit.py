"""SQL of public transport feeds: versions with their tables; the newest is in force."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from twin.transit.feed import Feed, FeedTable

KEPT_VERSIONS = 3
"""Versions of a feed whose tables are kept; of older ones the record stays."""
_ROWS = "csv_row"


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One version of a feed on record. ``report`` is that of its validation."""

    id: str
    version: int
    title: str
    uri: str
    licence: str
    attribution: str
    timezone: str
    fingerprint: str
    author: str
    loaded: datetime
    first_day: date | None
    last_day: date | None
    counts: dict[str, int]
    report: dict[str, Any]

    @property
    def stamp(self) -> str:
        """What tells one version of one feed from all others, of any city."""
        return f"{self.id}@{self.version}-{self.fingerprint}"


_COLUMNS = (
    "id, version, title, uri, licence, attribution, timezone, fingerprint, author, loaded, first_day, last_day, "
    "counts, report"
)


def lock_feed(connection: Connection, feed_id: str) -> None:
    """Make other imports of a feed wait until this transaction ends."""
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"feed {feed_id}"})


def list_feeds(connection: Connection) -> list[FeedRow]:
    """Return the version in force of each feed, by id."""
    rows = connection.execute(text(f"select distinct on (id) {_COLUMNS} from transit.feed order by id, version desc"))
    return [FeedRow(**row._mapping) for row in rows]


def list_versions(connection: Connection, feed_id: str) -> list[FeedRow]:
    """Return the versions of a feed, the newest first."""
    rows = connection.execute(
        text(f"select {_COLUMNS} from transit.feed where id = :id order by version desc"), {"id": feed_id}
    )
    return [FeedRow(**row._mapping) for row in rows]


def read_feed_row(connection: Connection, feed_id: str) -> FeedRow:
    """Return the version in force of a feed; NotFoundError names the feeds there are."""
    found = list_versions(connection, feed_id)
    if not found:
        known = ", ".join(row.id for row in list_feeds(connection))
        hint = f"one of {known}" if known else "type: twin transit import FILE.zip"
        raise NotFoundError(f"there is no feed '{feed_id[:80]}'", hint=hint)
    return found[0]


def insert_feed(connection: Connection, row: Mapping[str, Any], feed: Feed) -> int:
    """Keep a feed as the next version of ``row['id']`` and return that version.

    Tables of all but the newest versions are let go.
    """
    version = int(
        connection.execute(
            text("select coalesce(max(version), 0) + 1 from transit.feed where id = :id"), {"id": row["id"]}
        ).scalar_one()
    )
    connection.execute(
        text(
            "insert into transit.feed (id, version, title, uri, licence, attribution, timezone, fingerprint, author, "
            "first_day, last_day, counts, report) values (:id, :version, :title, :uri, :licence, :attribution, "
            ":timezone, :fingerprint, :author, :first_day, :last_day, cast(:counts as jsonb), cast(:report as jsonb))"
        ),
        {
            **row,
            "version": version,
            "counts": json.dumps(feed.counts),
            "report": json.dumps(row["report"], ensure_ascii=False, allow_nan=False),
        },
    )
    files = [(name, True, _pack(table)) for name, table in feed.tables.items()]
    files += [(name, False, content) for name, content in feed.others.items()]
    connection.execute(
        text(
            "insert into transit.feed_file (feed, version, name, is_table, content) "
            "values (:feed, :version, :name, :is_table, :content)"
        ),
        [
            {"feed": row["id"], "version": version, "name": name, "is_table": is_table, "content": content}
            for name, is_table, content in files
        ],
    )
    connection.execute(
        text("delete from transit.feed_file where feed = :id and version <= :last"),
        {"id": row["id"], "last": version - KEPT_VERSIONS},
    )
    return version


def read_feed_tables(connection: Connection, row: FeedRow) -> Feed:
    """Return the tables and files of a version; NotFoundError where they were let go."""
    files = connection.execute(
        text("select name, is_table, content from transit.feed_file where feed = :id and version = :version"),
        {"id": row.id, "version": row.version},
    ).all()
    if not files:
        raise NotFoundError(f"the tables of feed '{row.id}' version {row.version} are no longer kept")
    tables = {one.name: _unpack(bytes(one.content)) for one in files if one.is_table}
    return Feed(tables, {one.name: bytes(one.content) for one in files if not one.is_table})


def delete_feed(connection: Connection, feed_id: str) -> None:
    """Forget a feed with all its versions and messages."""
    connection.execute(text("delete from transit.feed where id = :id"), {"id": feed_id})
    connection.execute(text("delete from transit.message where feed = :id"), {"id": feed_id})


def _pack(table: FeedTable) -> bytes:
    """Return a table as an Arrow stream, columns of repeated text as dictionaries, pressed."""
    columns: dict[str, pa.Array] = {_ROWS: pa.array(table.rows)}
    for name in table.names:
        columns[f"c:{name}"] = table.column(name).dictionary_encode()
    packed = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, packed.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(packed)
    return bytes(memoryview(sink.getvalue()))


def _unpack(content: bytes) -> FeedTable:
    with pa.ipc.open_stream(content) as reader:
        packed = reader.read_all().combine_chunks()
    columns = {
        name.removeprefix("c:"): packed.column(name).cast(pa.string()) for name in packed.column_names if name != _ROWS
    }
    return FeedTable(pa.table(columns), packed.column(_ROWS).to_numpy())
