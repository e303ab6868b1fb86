"""The record of loads: one row for every load of a source into a layer, with its full report."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.ingest.quality import LoadReport


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One load on record."""

    id: int
    source_id: str
    layer: str
    uri: str
    finished: datetime
    report: dict[str, Any]


def lock_layer(connection: Connection, layer_id: str) -> None:
    """Make other loads into ``layer_id`` wait until this transaction ends."""
    connection.execute(
        text("select pg_advisory_xact_lock(hashtextextended('load ' || :layer, 0))"), {"layer": layer_id}
    )


def record_load(connection: Connection, report: LoadReport, *, uri: str) -> int:
    """Write one load and return its id."""
    row = connection.execute(
        text(
            "insert into meta.load (source_id, layer, uri, started, finished, read, loaded, unchanged, quarantined, "
            "report) values (:source, :layer, :uri, clock_timestamp() - make_interval(secs => :seconds), "
            "clock_timestamp(), :read, :loaded, :unchanged, :quarantined, cast(:report as jsonb)) returning id"
        ),
        {
            "source": report.source,
            "layer": report.layer,
            "uri": uri,
            "seconds": report.seconds,
            "read": report.read,
            "loaded": report.loaded,
            "unchanged": report.unchanged,
            "quarantined": report.quarantined,
            "report": json.dumps(report.as_dict(), ensure_ascii=False),
        },
    )
    return int(row.scalar_one())


def list_loads(connection: Connection, *, source_id: str | None = None, limit: int = 100) -> list[LoadRow]:
    """Return the latest loads, newest first, of one source if given."""
    rows = connection.execute(
        text(
            "select id, source_id, layer, uri, finished, report from meta.load "
            "where cast(:source as text) is null or source_id = :source order by id desc limit :limit"
        ),
        {"source": source_id, "limit": limit},
    )
    return [LoadRow(*row) for row in rows]
