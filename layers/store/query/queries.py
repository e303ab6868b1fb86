"""Saved queries: a filter of a layer under a name, to be asked again, exported, or shared as a link."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, text

from layers.errors import ConflictError, InputError, NotFoundError
from layers.schema import Text
from layers.store.query.cql2 import parse_filter
from layers.store.query.filters import find_layer
from layers.store.query.ordering import parse_sort, read_keys
from layers.store.query.selection import Filter, ItemQuery, build_selection

_SLUG = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")
_COLUMNS = "id, title_vi, title_en, layer, filter, sortby, properties, author, created, changed"


@dataclass(frozen=True, slots=True)
class QueryWords:
    """What somebody saves: a filter in CQL2 text, an order (``+a,-b``) and the properties to show (``a,b``)."""

    id: str
    title: Text
    layer: str
    filter: str | None = None
    sortby: str | None = None
    properties: str | None = None


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A saved query, who saved it last, and when."""

    words: QueryWords
    author: str
    created: datetime
    changed: datetime


def check_query(words: QueryWords) -> None:
    """Raise InputError for a query that could never be answered, before it is kept."""
    if not _SLUG.match(words.id):
        raise InputError(
            f"query id '{words.id[:80]}' is not a name", hint="small letters, digits and '-': cong-cu-hong"
        )
    layer = find_layer(words.layer)
    filters = (Filter(parse_filter(words.filter)),) if words.filter is not None else ()
    selection = build_selection(layer, ItemQuery(filters=filters))
    if words.sortby is not None:
        read_keys(parse_sort(words.sortby), selection.scope)
    for name in words.properties.split(",") if words.properties is not None else ():
        selection.scope.find_property(name.strip())


def create_query(connection: Connection, words: QueryWords, *, author: str) -> SavedQuery:
    """Keep a new query and return it; ConflictError where its id is taken."""
    check_query(words)
    row = connection.execute(
        text(
            "insert into meta.saved_query (id, title_vi, title_en, layer, filter, sortby, properties, author) values "
            "(:id, :title_vi, :title_en, :layer, :filter, :sortby, :properties, :author) "
            f"on conflict (id) do nothing returning {_COLUMNS}"
        ),
        _write(words, author),
    ).first()
    if row is None:
        raise ConflictError(f"a query called '{words.id}' exists", hint="PUT changes it")
    return _read(row)


def put_query(connection: Connection, words: QueryWords, *, author: str) -> SavedQuery:
    """Keep a query in place of the one of its id, if there is one, and return it."""
    check_query(words)
    row = connection.execute(
        text(
            "insert into meta.saved_query (id, title_vi, title_en, layer, filter, sortby, properties, author) values "
            "(:id, :title_vi, :title_en, :layer, :filter, :sortby, :properties, :author) "
            "on conflict (id) do update set title_vi = excluded.title_vi, title_en = excluded.title_en, "
            "layer = excluded.layer, filter = excluded.filter, sortby = excluded.sortby, "
            f"properties = excluded.properties, author = excluded.author, changed = now() returning {_COLUMNS}"
        ),
        _write(words, author),
    ).one()
    return _read(row)


def delete_query(connection: Connection, query_id: str) -> None:
    """Forget a query; NotFoundError where there is none."""
    done = connection.execute(text("delete from meta.saved_query where id = :id"), {"id": query_id})
    if not done.rowcount:
        raise NotFoundError(f"no query is called '{query_id[:80]}'", hint="/api/queries lists them")


def read_query(connection: Connection, query_id: str) -> SavedQuery:
    """Return the query called ``query_id``; NotFoundError where there is none."""
    row = connection.execute(text(f"select {_COLUMNS} from meta.saved_query where id = :id"), {"id": query_id}).first()
    if row is None:
        raise NotFoundError(f"no query is called '{query_id[:80]}'", hint="/api/queries lists them")
    return _read(row)


def list_queries(connection: Connection, *, layer: str | None = None, limit: int = 1_000) -> Sequence[SavedQuery]:
    """Return the saved queries by id, those of ``layer`` if one is named."""
    rows = connection.execute(
        text(f"select {_COLUMNS} from meta.saved_query where layer = coalesce(:layer, layer) order by id limit :limit"),
        {"layer": layer, "limit": limit},
    )
    return [_read(row) for row in rows]


def _write(words: QueryWords, author: str) -> dict[str, object]:
    return {
        "id": words.id,
        "title_vi": words.title.vi,
        "title_en": words.title.en,
        "layer": words.layer,
        "filter": words.filter,
        "sortby": words.sortby,
        "properties": words.properties,
        "author": author,
    }


def _read(row: Row[tuple[object, ...]]) -> SavedQuery:
    words = QueryWords(row.id, Text(row.title_vi, row.title_en), row.layer, row.filter, row.sortby, row.properties)
    return SavedQuery(words, row.author, row.created, row.changed)
