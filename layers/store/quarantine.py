"""The quarantine: rows that were read and not loaded, each with its reason and all it held."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.ingest.quality import Rejection

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One rejected row; ``row`` is its number in the file, ``payload`` what it held."""

    id: int
    source_id: str
    layer: str
    uri: str
    row: int | None
    field: str | None
    value: str | None
    reason: str
    hint: str | None
    payload: dict[str, Any]
    created: datetime


def replace_quarantine(
    connection: Connection,
    rejections: Sequence[Rejection],
    *,
    source_id: str,
    layer_id: str,
    uri: str,
) -> None:
    """Make ``rejections`` the open quarantine of one source and layer; what an earlier load left is removed."""
    connection.execute(
        text("delete from meta.quarantine where source_id = :source and layer = :layer"),
        {"source": source_id, "layer": layer_id},
    )
    for start in range(0, len(rejections), _CHUNK):
        rows = [
            {
                "row": one.row,
                "field": one.field,
                "value": one.value,
                "reason": one.reason,
                "hint": one.hint,
                "payload": one.payload,
            }
            for one in rejections[start : start + _CHUNK]
        ]
        connection.execute(
            text(
                "insert into meta.quarantine "
                "(source_id, layer, uri, row, field, value, reason, hint, payload) "
                "select :source, :layer, :uri, r.row, r.field, r.value, r.reason, r.hint, r.payload "
                "from jsonb_to_recordset(cast(:rows as jsonb)) as "
                "r(row bigint, field text, value text, reason text, hint text, payload jsonb)"
            ),
            {
                "source": source_id,
                "layer": layer_id,
                "uri": uri,
                "rows": _to_json(rows),
            },
        )


def link_load(connection: Connection, load_id: int, *, source_id: str, layer_id: str) -> None:
    """Say of the open quarantine of one source and layer which load it came from."""
    connection.execute(
        text("update meta.quarantine set load_id = :load where source_id = :source and layer = :layer"),
        {"load": load_id, "source": source_id, "layer": layer_id},
    )


def _to_json(rows: list[dict[str, Any]]) -> str:
    # PostgreSQL's jsonb cannot hold the character NUL or half of a surrogate pair.
    written = json.dumps(rows, ensure_ascii=False, default=str)
    return written.replace("\\u0000", "\\ufffd").encode("utf-8", "replace").decode("utf-8")


def list_quarantine(
    connection: Connection,
    *,
    layer_id: str | None = None,
    source_id: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[QuarantineRow]:
    """Return the quarantined rows in file order, of one layer or source if given."""
    rows = connection.execute(
        text(
            "select id, source_id, layer, uri, row, field, value, reason, hint, payload, created from meta.quarantine "
            "where (cast(:layer as text) is null or layer = :layer) "
            "and (cast(:source as text) is null or source_id = :source) "
            "order by source_id, layer, row, id limit :limit offset :offset"
        ),
        {"layer": layer_id, "source": source_id, "limit": limit, "offset": offset},
    )
    return [QuarantineRow(*row) for row in rows]


def count_quarantine(
    connection: Connection, *, layer_id: str | None = None, source_id: str | None = None
) -> list[tuple[str, str, str | None, str, int]]:
    """Return (source, layer, field, reason, rows), the most frequent first."""
    rows = connection.execute(
        text(
            "select source_id, layer, field, reason, count(*) from meta.quarantine "
            "where (cast(:layer as text) is null or layer = :layer) "
            "and (cast(:source as text) is null or source_id = :source) "
            "group by 1, 2, 3, 4 order by 5 desc, 1, 2, 3, 4"
        ),
        {"layer": layer_id, "source": source_id},
    )
    return [(row[0], row[1], row[2], row[3], int(row[4])) for row in rows]
