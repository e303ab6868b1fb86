"""The record of edits: who changed what and why; every version of a feature names the edit that made it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from layers.access import who_asks
from layers.errors import ConflictError, NotFoundError
from layers.schema import VectorLayer
from layers.store.loads import lock_layer
from layers.store.names import quote
from layers.store.tables import CITY

EditKind = Literal["load", "edit", "revert", "mend", "run"]


@dataclass(frozen=True, slots=True)
class EditRow:
    """One edit on record; ``valid_from`` where it was back-dated, ``reverts`` the edit it takes back."""

    id: int
    at: datetime
    valid_from: datetime | None
    author: str
    reason: str
    kind: EditKind
    source: str | None
    reverts: int | None
    layers: tuple[str, ...]


def begin_edit(
    connection: Connection,
    *,
    author: str,
    reason: str,
    kind: EditKind,
    source: str | None = None,
    valid_from: datetime | None = None,
    reverts: int | None = None,
    layers: Iterable[str] = (),
    wait_s: float | None = None,
) -> int:
    """Record an edit, let the rest of the transaction write in its name, and return its id.

    ``layers`` are locked against loads and other edits first, so that the times of edits of a layer follow the order
    in which they are committed; ConflictError when that takes longer than ``wait_s`` [s]. ``valid_from`` back-dates:
    since when it is so in the city.
    """
    if wait_s is not None:
        connection.execute(text("select set_config('lock_timeout', :wait, true)"), {"wait": f"{int(wait_s * 1000)}ms"})
    for layer_id in sorted(set(layers)):
        try:
            lock_layer(connection, layer_id)
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            raise ConflictError(f"layer '{layer_id}' is being loaded or edited", hint="try again soon") from None
    row = connection.execute(
        text(
            "with made as (insert into meta.edit (author, reason, kind, source, valid_from, reverts) "
            "values (:author, :reason, :kind, :source, :valid_from, :reverts) returning id, at, valid_from) "
            "select id, set_config('twin.edit', id::text, true), set_config('twin.edit_at', at::text, true), "
            "set_config('twin.edit_valid', coalesce(valid_from::text, ''), true) from made"
        ),
        {
            "author": author,
            "reason": reason,
            "kind": kind,
            "source": source,
            "valid_from": valid_from,
            "reverts": reverts,
        },
    )
    return int(row.one().id)


def grade_feature(
    connection: Connection, layer: VectorLayer, feature: str, condition: str, *, author: str, reason: str
) -> None:
    """Make ``condition`` the present condition of a feature, as an edit of ``author``."""
    begin_edit(connection, author=author, reason=reason, kind="edit", layers=[layer.id])
    connection.execute(
        text(
            f"update {CITY}.{quote(layer.id)} set condition = :condition, valid_from = meta.edit_valid() "
            "where id = :id and condition is distinct from :condition"
        ),
        {"id": feature, "condition": condition},
    )


def read_clock(connection: Connection) -> datetime:
    """Return the database's time."""
    moment: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return moment


def read_edit(connection: Connection, edit_id: int) -> EditRow:
    """Return one edit; NotFoundError when there is none of that number."""
    found = read_edits(connection, [edit_id])
    if edit_id not in found:
        raise NotFoundError(f"edit {edit_id} does not exist", hint="/api/edits lists them")
    return found[edit_id]


def read_edits(connection: Connection, ids: Iterable[int | None]) -> dict[int, EditRow]:
    """Return the edits with these ids that exist, by id; None is passed over."""
    wanted = sorted({one for one in ids if one is not None})
    # Who and why is for the staff; who may not read it gets neither.
    columns = _COLUMNS if who_asks().sees("staff") else _COLUMNS.replace("author, reason", "'' as author, '' as reason")
    rows = connection.execute(text(f"select {columns} from meta.edit where id = any(:ids)"), {"ids": wanted})
    return {row.id: _read(row) for row in rows}


def list_edits(
    connection: Connection,
    *,
    layer_id: str | None = None,
    author: str | None = None,
    kind: EditKind | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[EditRow]:
    """Return the newest edits first: of a layer, an author or a kind if given, numbered below ``before``."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from meta.edit where (cast(:layer as text) is null or :layer = any(layers)) "
            "and (cast(:author as text) is null or author = :author) and (cast(:kind as text) is null or kind = :kind) "
            "and (cast(:before as bigint) is null or id < :before) order by id desc limit :limit"
        ),
        {"layer": layer_id, "author": author, "kind": kind, "before": before, "limit": limit},
    )
    return [_read(row) for row in rows]


def read_last_edits(connection: Connection) -> dict[str, datetime]:
    """Return when each layer was last edited by a person, by layer; loads and runs are no edits."""
    rows = connection.execute(
        text(
            "select layer, max(at) as at from meta.edit, unnest(layers) as layer "
            "where kind in ('edit', 'revert', 'mend') group by layer"
        )
    )
    return {row.layer: row.at for row in rows}


_COLUMNS = "id, at, valid_from, author, reason, kind, source, reverts, layers"


def _read(row: Any) -> EditRow:
    known = {name: value for name, value in row._mapping.items() if name != "layers"}
    return EditRow(**known, layers=tuple(row.layers))
