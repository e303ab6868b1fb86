"""SQL of drafts: messages that are proposed and wait for somebody to issue or discard them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, text

from layers.errors import ConflictError, NotFoundError
from twin.warning.flood import FloodWarning, Kind

DraftState = Literal["open", "issued", "discarded", "outdated"]
Origin = Literal["alarms", "person"]
_COLUMNS = "id, kind, chains, content, origin, state, message, author, reason, settled_by, created, updated"


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that somebody may issue; ``chains`` are those it updates or cancels."""

    id: int
    kind: Kind
    chains: tuple[str, ...]
    warning: FloodWarning
    origin: Origin
    state: DraftState
    message: str | None
    author: str
    reason: str
    settled_by: str | None
    created: datetime
    updated: datetime


def insert_draft(
    connection: Connection,
    kind: Kind,
    warning: FloodWarning,
    *,
    chains: Sequence[str] = (),
    origin: Origin,
    author: str,
    reason: str = "",
) -> Draft:
    """Write an open draft and return it."""
    row = connection.execute(
        text(
            "insert into warning.draft (kind, chains, content, origin, author, reason) values (:kind, :chains, "
            f"cast(:content as jsonb), :origin, :author, :reason) returning {_COLUMNS}"
        ),
        {
            "kind": kind,
            "chains": list(chains),
            "content": warning.model_dump_json(),
            "origin": origin,
            "author": author,
            "reason": reason,
        },
    ).one()
    return _read(row)


def read_draft(connection: Connection, draft_id: int) -> Draft:
    """Return one draft; NotFoundError when there is none of this number."""
    row = connection.execute(text(f"select {_COLUMNS} from warning.draft where id = :id"), {"id": draft_id}).first()
    if row is None:
        raise NotFoundError(f"draft {draft_id} does not exist", hint="/cap/drafts lists them")
    return _read(row)


def list_drafts(
    connection: Connection, *, state: DraftState | None = "open", origin: Origin | None = None, limit: int = 100
) -> list[Draft]:
    """Return drafts, the newest first."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from warning.draft where (cast(:state as text) is null or state = :state) "
            "and (cast(:origin as text) is null or origin = :origin) order by id desc limit :limit"
        ),
        {"state": state, "origin": origin, "limit": limit},
    )
    return [_read(row) for row in rows]


def rewrite_draft(connection: Connection, draft_id: int, warning: FloodWarning) -> Draft:
    """Change what an open draft says and return it."""
    connection.execute(
        text(
            "update warning.draft set content = cast(:content as jsonb), updated = clock_timestamp() "
            "where id = :id and state = 'open'"
        ),
        {"id": draft_id, "content": warning.model_dump_json()},
    )
    return read_draft(connection, draft_id)


def settle_draft(
    connection: Connection, draft_id: int, state: DraftState, *, author: str, message: str | None = None
) -> Draft:
    """Close an open draft as ``state`` in the name of ``author``; ConflictError when it is no longer open."""
    row = connection.execute(
        text(
            "update warning.draft set state = :state, message = :message, settled_by = :author, "
            f"updated = clock_timestamp() where id = :id and state = 'open' returning {_COLUMNS}"
        ),
        {"id": draft_id, "state": state, "message": message, "author": author},
    ).first()
    if row is None:
        raise ConflictError(f"draft {draft_id} is {read_draft(connection, draft_id).state}, no longer open")
    return _read(row)


def _read(row: Row[Any]) -> Draft:
    warning = FloodWarning.model_validate_json(json.dumps(row.content))
    return Draft(
        row.id,
        row.kind,
        tuple(row.chains),
        warning,
        row.origin,
        row.state,
        row.message,
        row.author,
        row.reason,
        row.settled_by,
        row.created,
        row.updated,
    )
