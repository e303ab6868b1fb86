"""The record of loads: one row for every load of a source into a layer, with its full report."""

import json
from collections.abc import Iterable
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


def lock_loads(connection: Connection, layer_ids: Iterable[str]) -> None:
    """Make other loads into these layers wait until this transaction ends; edits by hand go on."""
    for layer_id in sorted(set(layer_ids)):
        _lock(connection, f"load {layer_id}")


def lock_layer(connection: Connection, layer_id: str) -> None:
    """Make all that writes features of ``layer_id`` wait until this transaction ends."""
    _lock(connection, f"write {layer_id}")


def _lock(connection: Connection, name: str) -> None:
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def start_load(
    connection: Connection, *, source_id: str, layer_id: str, uri: str, plan: dict[str, Any] | None = None
) -> int:
    """Put a load on record and return its id; ``plan`` holds the rules its rows are read by."""
    row = connection.execute(
        text(
            "insert into meta.load (source_id, layer, uri, started, plan) "
            "values (:source, :layer, :uri, clock_timestamp(), cast(:plan as jsonb)) returning id"
        ),
        {
            "source": source_id,
            "layer": layer_id,
            "uri": uri,
            "plan": json.dumps(plan or {}, ensure_ascii=False),
        },
    )
    return int(row.scalar_one())


def finish_load(connection: Connection, load_id: int, report: LoadReport) -> None:
    """Write what came of a load beside its start."""
    connection.execute(
        text(
            "update meta.load set started = clock_timestamp() - make_interval(secs => :seconds), "
            "finished = clock_timestamp(), read = :read, loaded = :loaded, unchanged = :unchanged, "
            "quarantined = :quarantined, report = cast(:report as jsonb) where id = :id"
        ),
        {
            "id": load_id,
            "seconds": report.seconds,
            "read": report.read,
            "loaded": report.loaded,
            "unchanged": report.unchanged,
            "quarantined": report.quarantined,
            "report": json.dumps(report.as_dict(), ensure_ascii=False),
        },
    )


def read_plan(connection: Connection, load_id: int) -> dict[str, Any]:
    """Return the plan of a load, empty where it had none."""
    found = connection.execute(text("select plan from meta.load where id = :id"), {"id": load_id}).scalar()
    return dict(found or {})


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
