"""Rows of a layer for clients that page by offset: features, keys, a count, a box, distinct values, statistics."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.items import OutputCrs, write_place
from layers.store.query.ordering import SortKey, read_keys, write_order
from layers.store.query.selection import ItemQuery, Selection, build_selection, explain_failure
from layers.store.query.terms import Term, describe

MAX_STATISTICS, MAX_GROUPS = 20, 5
_FUNCTIONS = {
    "count": "count({})",
    "sum": "sum({})",
    "min": "min({})",
    "max": "max({})",
    "avg": "avg({})",
    "stddev": "stddev_samp({})",
    "var": "var_samp({})",
}
_NUMERIC = {"sum", "avg", "stddev", "var"}


class Row(NamedTuple):
    """One feature: its key, item id, values of the asked columns and its shape; None where none was asked for."""

    fid: int
    id: str
    values: tuple[object, ...]
    shape: BaseGeometry | None


class Statistic(NamedTuple):
    """A function of a property, and the name its value gets."""

    function: str
    name: str
    alias: str


class RowQuery(NamedTuple):
    """What is asked of a layer, and of that only the features with keys ``fids`` where given."""

    asked: ItemQuery = ItemQuery()
    fids: tuple[int, ...] | None = None


def select_rows(
    connection: Connection,
    layer: VectorLayer,
    query: RowQuery,
    columns: Sequence[str],
    *,
    order: Sequence[SortKey] = (),
    offset: int = 0,
    limit: int,
    crs: OutputCrs | None,
    tolerance: float = 0.0,
) -> list[Row]:
    """Return ``limit`` rows from ``offset`` on in ``order``, then by key.

    Shapes are in ``crs`` (x first), simplified by ``tolerance`` in its unit; None leaves them out.
    """
    selection = _select(layer, query)
    keys = read_keys(order, selection.scope)
    ordered = write_order(order, keys, selection.scope)
    bindings = selection.scope.bindings
    place = "null"
    if crs is not None:
        place = write_place(crs)
        if tolerance > 0 and layer.geometry != "Point":
            place = f"ST_SimplifyPreserveTopology({place}, {bindings.bind(tolerance)}::double precision)"
        place = f"ST_AsBinary({place})"
    listed = "".join(f", {selection.scope.read_property(name).sql}" for name in columns)
    rows = _fetch(
        connection,
        f"select t.fid, t.id, {place}{listed} from {selection.write_origin(columns)} where {selection.condition} "
        f"order by {ordered} limit {bindings.bind(limit)} offset {bindings.bind(offset)}",
        selection,
    )
    return [
        Row(row[0], row[1], row[3:], shapely.from_wkb(bytes(row[2])) if row[2] is not None else None) for row in rows
    ]


def count_rows(connection: Connection, layer: VectorLayer, query: RowQuery) -> int:
    """Return how many rows match."""
    selection = _select(layer, query)
    statement = f"select count(*) from {selection.write_origin()} where {selection.condition}"
    return int(_fetch(connection, statement, selection)[0][0])


def list_fids(connection: Connection, layer: VectorLayer, query: RowQuery) -> list[int]:
    """Return the keys of all rows that match, ascending."""
    selection = _select(layer, query)
    statement = f"select t.fid from {selection.write_origin()} where {selection.condition} order by 1"
    return [row[0] for row in _fetch(connection, statement, selection)]


def read_box(
    connection: Connection, layer: VectorLayer, query: RowQuery, crs: OutputCrs
) -> tuple[float, float, float, float] | None:
    """Return the bounds in ``crs`` (x first) of what matches; None where nothing does."""
    selection = _select(layer, query)
    statement = (
        f"select ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b) from (select ST_Extent({write_place(crs)}) as b "
        f"from {selection.write_origin()} where {selection.condition}) found"
    )
    row = _fetch(connection, statement, selection)[0]
    return None if row[0] is None else (row[0], row[1], row[2], row[3])


def select_distinct(
    connection: Connection, layer: VectorLayer, query: RowQuery, columns: Sequence[str], *, offset: int, limit: int
) -> list[tuple[object, ...]]:
    """Return the different combinations of values of ``columns``, in their order."""
    selection = _select(layer, query)
    listed = ", ".join(selection.scope.read_property(name).sql for name in columns)
    places = ", ".join(str(place + 1) for place in range(len(columns)))
    bindings = selection.scope.bindings
    statement = (
        f"select distinct {listed} from {selection.write_origin()} where {selection.condition} order by {places} "
        f"limit {bindings.bind(limit)} offset {bindings.bind(offset)}"
    )
    return _fetch(connection, statement, selection)


def select_statistics(
    connection: Connection,
    layer: VectorLayer,
    query: RowQuery,
    statistics: Sequence[Statistic],
    groups: Sequence[str],
    *,
    limit: int,
) -> list[tuple[object, ...]]:
    """Return a row a group (one without): the values of ``groups``, then ``statistics``.

    InputError names a function there is none of, or one that does not fit its property.
    """
    if not 0 < len(statistics) <= MAX_STATISTICS or len(groups) > MAX_GROUPS:
        raise InputError(f"at most {MAX_STATISTICS} statistics in at most {MAX_GROUPS} groups are computed")
    selection = _select(layer, query)
    grouped = [selection.scope.read_property(name).sql for name in groups]
    measured = [_measure(one, selection.scope.read_property(one.name)) for one in statistics]
    places = ", ".join(str(place + 1) for place in range(len(groups)))
    statement = (
        f"select {', '.join((*grouped, *measured))} from {selection.write_origin()} where {selection.condition}"
        + (f" group by {places} order by {places}" if groups else "")
        + f" limit {selection.scope.bindings.bind(limit)}"
    )
    return _fetch(connection, statement, selection)


def _measure(statistic: Statistic, term: Term) -> str:
    written = _FUNCTIONS.get(statistic.function)
    if written is None:
        raise InputError(
            f"statistic '{statistic.function[:40]}' is not computed", hint=f"one of {', '.join(_FUNCTIONS)}"
        )
    if statistic.function in _NUMERIC:
        if term.kind != "number":
            raise InputError(f"'{statistic.function}' takes numbers, not {describe(term)}")
        return written.format(f"{term.sql}::double precision")
    if term.kind in ("geometry", "boolean") and statistic.function != "count":
        raise InputError(f"'{statistic.function}' does not take {describe(term)}")
    return written.format(term.sql)


def _select(layer: VectorLayer, query: RowQuery) -> Selection:
    selection = build_selection(layer, query.asked)
    if query.fids is not None:
        keys = selection.scope.bindings.bind(list(query.fids))
        selection.condition = f"{selection.condition} and t.fid = any({keys}::bigint[])"
    return selection


def _fetch(connection: Connection, statement: str, selection: Selection) -> list[tuple[Any, ...]]:
    with explain_failure():
        return [tuple(row) for row in connection.exec_driver_sql(statement, selection.values)]
