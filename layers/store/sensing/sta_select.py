"""Reading entities: one statement for a page of a set with everything expanded, one for a count, one for one entity."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from psycopg.errors import DataError, InternalError_, StatementTooComplex
from sqlalchemy import Connection, CursorResult, text
from sqlalchemy.exc import DBAPIError

from layers.errors import InputError, NotFoundError
from layers.store.sensing.sta_build import build_count, build_row, build_set, find_keyset, find_page_size, find_source
from layers.store.sensing.sta_request import Query, ResourcePath, Step
from layers.store.sensing.sta_scope import bind_key, match_id
from layers.store.sensing.sta_terms import Statement
from layers.store.sensing.sta_windows import build_window, find_windows

_COLUMN = re.compile(r"\{a\}\.(\w+)")


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a set (as `api.sta.answers` describes them), and how it goes on.

    ``more``: there are more. ``after``: the id behind which they begin, where the order follows the ids.
    """

    rows: list[dict[str, Any]]
    more: bool
    after: str | None


def select_page(connection: Connection, path: ResourcePath, query: Query) -> Page:
    """Return the entities of the set ``path`` that ``query`` asks for, its page at most `LONGEST_PAGE` long.

    Raises NotFoundError when what the path leads over is not there, InputError for a query that does not fit.
    """
    size = find_page_size(query, 1)
    rows: list[str] = []
    for since in (*find_windows(connection, path, query), None):
        statement = Statement()
        alias = statement.name()
        condition = restrict(connection, statement, path, alias)
        if since is not None:
            condition = build_window(statement, alias, query, since)
        source = find_source(path.last.link, path.entity, alias, condition)
        sql = build_set(statement, path.entity, alias, query, source, size, 1)
        rows = list(run(connection, sql, statement).scalars())
        if len(rows) > size:
            break
    kept = [_trim(orjson.loads(row), query, max(size, 1)) for row in rows[:size]]
    more = len(rows) > size > 0
    follows = more and find_keyset(path.entity, query.orders) is not None
    return Page(kept, more, str(kept[-1]["@iot.id"]) if follows else None)


def count_entities(connection: Connection, path: ResourcePath, query: Query) -> int:
    """Return how many entities of the set ``path`` fit the filter of ``query``."""
    statement = Statement()
    alias = statement.name()
    condition = restrict(connection, statement, path, alias)
    sql = build_count(statement, path.entity, alias, query, condition)
    return int(run(connection, sql, statement).scalar_one())


def select_entity(connection: Connection, path: ResourcePath, query: Query) -> dict[str, Any]:
    """Return the one entity ``path`` names; NotFoundError names the step that leads nowhere."""
    statement = Statement()
    chain, alias = _join_chain(statement, path.steps)
    columns, laterals = build_row(statement, path.entity, alias, query, 1)
    found = run(connection, f"select {columns} {chain[0]} {laterals} where {chain[1]}", statement).scalars().first()
    if found is None:
        raise _name_missing(connection, path.steps)
    return _trim(orjson.loads(found), query, 1)


def restrict(connection: Connection, statement: Statement, path: ResourcePath, alias: str) -> str:
    """Return the condition that the row under ``alias`` belongs to the set ``path``.

    What the path leads over is looked up first: its columns then stand in the statement as constants, and the index on
    series and time gives the readings of one series in order. Raises NotFoundError when it is not there.
    """
    link = path.last.link
    if link is None:
        return "true"
    columns = list(dict.fromkeys(_COLUMN.findall(link.join)))
    values = _read_parent(connection, path.steps[:-1], columns)

    def put(found: re.Match[str]) -> str:
        return bind_key(statement, values[found[1]])

    return _COLUMN.sub(put, link.join).replace("{b}", alias)


def _read_parent(connection: Connection, steps: tuple[Step, ...], columns: list[str]) -> Mapping[str, Any]:
    statement = Statement()
    (joined, condition), alias = _join_chain(statement, steps)
    wanted = ", ".join(f"{alias}.{column}" for column in columns)
    found = run(connection, f"select {wanted} {joined} where {condition}", statement).first()
    if found is None:
        raise _name_missing(connection, steps)
    return dict(zip(columns, found, strict=True))


def _join_chain(statement: Statement, steps: tuple[Step, ...]) -> tuple[tuple[str, str], str]:
    """Return tables and condition that lead over ``steps``, each to one entity, and the alias of the last."""
    joined, conditions, alias = "", [], ""
    for step in steps:
        fresh = statement.name()
        if step.link is None:
            joined = f"from {step.entity.table} {fresh}"
        else:
            condition = step.link.join.replace("{a}", alias).replace("{b}", fresh)
            joined += f" join {step.entity.table} {fresh} on ({condition})"
        if step.key is not None:
            conditions.append(match_id(statement, step.entity, fresh, step.key))
        alias = fresh
    return (joined, " and ".join(conditions)), alias


def _name_missing(connection: Connection, steps: tuple[Step, ...]) -> NotFoundError:
    """Return the error that names the first step that leads nowhere."""
    for length in range(1, len(steps) + 1):
        statement = Statement()
        (joined, condition), _ = _join_chain(statement, steps[:length])
        if run(connection, f"select 1 {joined} where {condition}", statement).first() is None:
            step = steps[length - 1]
            name = step.link.name if step.link is not None and not step.link.many else step.entity.singular
            return NotFoundError(f"there is no {name}" + (f" '{step.key[:80]}'" if step.key else " at this address"))
    return NotFoundError("there is nothing at this address")


def _trim(row: dict[str, Any], query: Query, outer: int) -> dict[str, Any]:
    """Cut the row too many from every expanded set of ``row``, and say that there are more."""
    for expansion in query.expand:
        found: Any = row.get(expansion.link.name)
        if not expansion.link.many:
            if found is not None:
                _trim(found, expansion.query, outer)
            continue
        size = find_page_size(expansion.query, outer)
        found["more"] = len(found["value"]) > size > 0
        found["value"] = [_trim(each, expansion.query, outer * max(size, 1)) for each in found["value"][:size]]
    return row


def run(connection: Connection, sql: str, statement: Statement) -> CursorResult[Any]:
    """Execute ``sql``; InputError for a question whose answer the database cannot compute."""
    try:
        return connection.execute(text(sql), statement.parameters)
    except DBAPIError as error:
        if isinstance(error.orig, DataError | InternalError_ | StatementTooComplex):
            reason = str(error.orig).splitlines()[0]
            raise InputError(
                f"the database cannot compute this: {reason}", hint="look at $filter and $orderby"
            ) from error
        raise
