"""The quarantine: rows that were read and not loaded, each with all that is wrong with it and all it held.

A row is open until it is mended or dismissed. Each load of a source puts its own open rows in place of those of the
load before; a row that was mended or dismissed stays so, and the same row of a later file, known by a digest of what it
holds, is not opened again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from layers.ingest.payloads import digest_payload
from layers.ingest.quality import Problem, Rejection

Status = Literal["open", "mended", "dismissed"]
_COLUMNS = (
    "id, load_id, source_id, layer, uri, row, problems, payload, changes, feature_id, rule, status, created, "
    "settled, settled_by, settled_why"
)


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One rejected row; ``row`` is its number in the file, ``payload`` what it held, ``rule`` the rule that chose it.

    ``changes`` are the values mended since, by column; the payload stays as it came. ``settled``, ``settled_by`` and
    ``settled_why`` say when, by whom and why it was mended or dismissed.
    """

    id: int
    load_id: int | None
    source_id: str
    layer: str
    uri: str
    row: int | None
    problems: tuple[Problem, ...]
    payload: dict[str, Any]
    changes: dict[str, Any]
    feature_id: str | None
    rule: int
    status: Status
    created: datetime
    settled: datetime | None
    settled_by: str | None
    settled_why: str | None

    @property
    def values(self) -> dict[str, Any]:
        """What the row holds with what was mended."""
        return self.payload | self.changes

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain values for JSON, ``source`` for ``source_id``, with field and reason of the first."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}
        source = held.pop("source_id")
        first = {"field": self.field, "value": self.value, "reason": self.reason, "hint": self.hint}
        return {**held, "source": source, **first, "problems": [asdict(one) for one in self.problems]}

    @property
    def field(self) -> str | None:
        """The field of the first problem."""
        return self.problems[0].field

    @property
    def value(self) -> str | None:
        """What the field of the first problem held."""
        return self.problems[0].value

    @property
    def reason(self) -> str:
        """The reason of the first problem."""
        return self.problems[0].reason

    @property
    def hint(self) -> str | None:
        """What would help against the first problem."""
        return self.problems[0].hint


class Count(NamedTuple):
    """How many rows of a source and layer have one problem."""

    source: str
    layer: str
    field: str | None
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of the quarantine: those for which all that is given holds; ``text`` is part of what a row held."""

    source: str | None = None
    layer: str | None = None
    field: str | None = None
    reason: str | None = None
    text: str | None = None
    status: Status | None = "open"
    ids: tuple[int, ...] | None = None

    def make_sql(self) -> tuple[str, dict[str, object]]:
        """Return the condition and its parameters."""
        tests = {
            "source": "source_id = :source",
            "layer": "layer = :layer",
            "field": "problems @> jsonb_build_array(jsonb_build_object('field', cast(:field as text)))",
            "reason": "problems @> jsonb_build_array(jsonb_build_object('reason', cast(:reason as text)))",
            "text": "position(lower(:text) in lower(payload::text)) > 0",
            "status": "status = :status",
            "ids": "id = any(:ids)",
        }
        given = {name: getattr(self, name) for name in tests if getattr(self, name) is not None}
        if self.ids is not None:
            given["ids"] = list(self.ids)
        return " and ".join(["true", *(tests[name] for name in given)]), given


def clear_quarantine(connection: Connection, *, source_id: str, layer_id: str, load_id: int | None = None) -> None:
    """Remove the open rows that loads of one source into one layer left, but for those of ``load_id``."""
    connection.execute(
        text(
            "delete from meta.quarantine where source_id = :source and layer = :layer and status = 'open' "
            "and load_id is distinct from :load"
        ),
        {"source": source_id, "layer": layer_id, "load": load_id},
    )


def drop_settled(connection: Connection, load_id: int) -> list[str | None]:
    """Remove the open rows of a load that are settled in an earlier one's; return what became of each, as read_settled.

    These were mended or dismissed while the load was reading.
    """
    rows = connection.execute(
        text(
            "with settled as (select q.id, max(case when s.status = 'mended' then s.feature_id end) as feature_id "
            "from meta.quarantine q join meta.quarantine s on s.source_id = q.source_id and s.layer = q.layer "
            "and s.digest = q.digest and s.status <> 'open' where q.load_id = :load and q.status = 'open' "
            "group by q.id) delete from meta.quarantine q using settled where q.id = settled.id "
            "returning settled.feature_id"
        ),
        {"load": load_id},
    )
    return list(rows.scalars())


def read_settled(connection: Connection, *, source_id: str, layer_id: str) -> dict[str, str | None]:
    """Return the rows of a source that were mended or dismissed: digest → identifier of the feature made, if any."""
    rows = connection.execute(
        text(
            "select digest, case when status = 'mended' then feature_id end as feature_id from meta.quarantine "
            "where source_id = :source and layer = :layer and status <> 'open' and digest is not null order by id"
        ),
        {"source": source_id, "layer": layer_id},
    )
    return {row.digest: row.feature_id for row in rows}


def write_rejections(
    connection: Connection,
    rejections: Sequence[Rejection],
    *,
    source_id: str,
    layer_id: str,
    uri: str,
    load_id: int | None = None,
) -> None:
    """Add open rows."""
    driver = connection.connection.driver_connection
    assert driver is not None
    query = (
        "copy meta.quarantine (load_id, source_id, layer, uri, row, field, value, reason, hint, problems, payload, "
        "digest, feature_id, rule) from stdin"
    )
    with driver.cursor() as cursor, cursor.copy(query) as copy:
        for one in rejections:
            first = one.problems[0]
            words = (first.field, first.value, first.reason, first.hint)
            copy.write_row(
                (
                    load_id,
                    source_id,
                    layer_id,
                    uri,
                    one.row,
                    *map(_as_text, words),
                    _to_json([asdict(problem) for problem in one.problems]),
                    _to_json(one.payload),
                    digest_payload(one.payload),
                    _as_text(one.feature_id),
                    one.rule,
                )
            )


def _to_json(value: object) -> str:
    # PostgreSQL's jsonb cannot hold the character NUL or half of a surrogate pair.
    written = json.dumps(value, ensure_ascii=False, default=str)
    return written.replace("\\u0000", "\\ufffd").encode("utf-8", "replace").decode("utf-8")


def _as_text(words: str | None) -> str | None:
    if words is None:
        return None
    return words.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def read_quarantined(connection: Connection, row_id: int) -> QuarantineRow:
    """Return one row; NotFoundError when there is none of this number."""
    rows = list_quarantine(connection, Wanted(status=None, ids=(row_id,)))
    if not rows:
        raise NotFoundError(
            f"the quarantine has no row {row_id}", hint="a later load of its source may have replaced it"
        )
    return rows[0]


def list_quarantine(
    connection: Connection,
    wanted: Wanted | None = None,
    *,
    limit: int | None = None,
    after: int = 0,
) -> list[QuarantineRow]:
    """Return the rows ``wanted`` (all open ones if not said) in the order they came, with a number above ``after``."""
    condition, parameters = (wanted or Wanted()).make_sql()
    rows = connection.execute(
        text(f"select {_COLUMNS} from meta.quarantine where {condition} and id > :after order by id limit :limit"),
        {**parameters, "after": after, "limit": limit},
    )
    return [
        QuarantineRow(**{**row, "problems": tuple(Problem(**one) for one in row["problems"])})
        for row in rows.mappings()
    ]


def count_quarantine(connection: Connection, wanted: Wanted | None = None) -> list[Count]:
    """Return how many rows of each source and layer have which problem, the most frequent first.

    A row with two problems counts in both.
    """
    condition, parameters = (wanted or Wanted()).make_sql()
    rows = connection.execute(
        text(
            "select source_id, layer, one ->> 'field', one ->> 'reason', count(*) "
            f"from meta.quarantine cross join jsonb_array_elements(problems) as one where {condition} "
            "group by 1, 2, 3, 4 order by 5 desc, 1, 2, 3, 4"
        ),
        parameters,
    )
    return [Count(*row) for row in rows]


def note_attempt(connection: Connection, row_id: int, changes: Mapping[str, Any], problems: Sequence[Problem]) -> None:
    """Keep what was changed of an open row, and what is wrong with it now."""
    first = problems[0]
    connection.execute(
        text(
            "update meta.quarantine set field = :field, value = :value, reason = :reason, hint = :hint, "
            "problems = cast(:problems as jsonb), changes = cast(:changes as jsonb) where id = :id and status = 'open'"
        ),
        {
            "id": row_id,
            "field": first.field,
            "value": _as_text(first.value),
            "reason": first.reason,
            "hint": first.hint,
            "problems": _to_json([asdict(problem) for problem in problems]),
            "changes": _to_json(changes),
        },
    )


def settle_mended(
    connection: Connection, row_id: int, changes: Mapping[str, Any], *, feature_id: str, author: str, reason: str
) -> None:
    """Close an open row: with ``changes`` it became the feature ``feature_id``."""
    connection.execute(
        text(
            "update meta.quarantine set status = 'mended', settled = clock_timestamp(), settled_by = :author, "
            "settled_why = :reason, feature_id = :feature, changes = cast(:changes as jsonb) "
            "where id = :id and status = 'open'"
        ),
        {"id": row_id, "feature": feature_id, "author": author, "reason": reason, "changes": _to_json(changes)},
    )


def dismiss_rows(connection: Connection, wanted: Wanted, *, author: str, reason: str) -> int:
    """Close the open rows ``wanted`` without loading them and return how many there were."""
    condition, parameters = replace(wanted, status="open").make_sql()
    return connection.execute(
        text(
            "update meta.quarantine set status = 'dismissed', settled = clock_timestamp(), settled_by = :author, "
            f"settled_why = :why where {condition}"
        ),
        {**parameters, "author": author, "why": reason},
    ).rowcount
