"""Readings in buckets of time: minimum, mean, maximum, sum, count and last of each series.

From the roll-ups where whole hours or days are asked for and none of them waits to be rolled up again, else from the
readings; both give the same. Counted are readings with a number whose quality is good, suspect or not evaluated, in the
bucket their phenomenonTime begins in. Buckets are aligned to 1970-01-01T00:00:00Z.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from layers.errors import InputError
from layers.store.sensing.rollups import COUNTING
from layers.store.sensing.sta_build import find_page_size
from layers.store.sensing.sta_filter import build_condition
from layers.store.sensing.sta_request import Call, Expression, Member, Query, ResourcePath, Value
from layers.store.sensing.sta_scope import Scope
from layers.store.sensing.sta_select import restrict, run
from layers.store.sensing.sta_terms import Statement

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_UNITS = {"hour": HOUR, "day": DAY}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BIN = "date_bin({width}, {at}, '1970-01-01 00:00+00'::timestamptz)"
_FROM_READINGS = (
    "count(*) as number, min(a.result) as minimum, max(a.result) as maximum, sum(a.result) as sum, "
    "(array_agg(a.result order by a.phenomenon_time desc))[1] as last"
)
_FROM_ROLLUPS = (
    "sum(a.count)::bigint as number, min(a.minimum) as minimum, max(a.maximum) as maximum, sum(a.sum) as sum, "
    "(array_agg(a.last order by a.start desc))[1] as last"
)
_AS_ROLLED = "a.count as number, a.minimum, a.maximum, a.sum, a.last"
Source = Literal["reading", "hour", "day"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of one series: from ``start`` up to, not including, ``end``."""

    datastream_id: str
    start: datetime
    end: datetime
    count: int
    minimum: float
    mean: float
    maximum: float
    sum: float
    last: float


@dataclass(frozen=True, slots=True)
class Buckets:
    """A page of buckets; ``source`` says what they were computed from, ``count`` how many there are where asked."""

    buckets: list[Bucket]
    more: bool
    count: int | None
    source: Source


@dataclass(frozen=True, slots=True)
class _Range:
    """What a filter says about time, as conditions on the start of a reading, and the rest of it."""

    bounds: tuple[tuple[str, datetime], ...]
    rest: Expression | None

    def fits(self, width: timedelta) -> bool:
        """Return whether the bounds lie between buckets of ``width``: from one on, up to one."""
        return all(sign in (">=", "<") and not (at - _EPOCH) % width for sign, at in self.bounds)


def select_buckets(
    connection: Connection, path: ResourcePath, query: Query, width: timedelta, *, use_rollups: bool = True
) -> Buckets:
    """Return the buckets of ``width`` (≥ 1 min) of the Observations ``path`` leads to.

    ``query`` may filter, order by phenomenonTime, page and count. Raises NotFoundError and InputError as `select_page`.
    """
    span = _split(query.filter)
    source = _choose_source(connection, path, span, width) if use_rollups else "reading"
    statement = Statement()
    grouped = _build_groups(connection, statement, path, span, width, source)
    count = int(run(connection, f"select count(*) from ({grouped}) g", statement).scalar_one()) if query.count else None
    size = find_page_size(query, 1)
    order = _build_order(query)
    rows = run(
        connection,
        f"select d.id, g.* from (select * from ({grouped}) b order by {order} limit {size + 1} offset {query.skip}) g "
        f"join sensing.datastream d on d.fid = g.datastream order by {order}",
        statement,
    ).all()
    made = [
        Bucket(row.id, row.start, row.start + width, row.number, row.minimum, row.sum / row.number, row.maximum,
               row.sum, row.last)
        for row in rows[:size]
    ]  # fmt: skip
    return Buckets(made, len(rows) > size > 0, count, source)


def _build_groups(
    connection: Connection, statement: Statement, path: ResourcePath, span: _Range, width: timedelta, source: Source
) -> str:
    columns, time, condition = _FROM_READINGS, "phenomenon_time", f"a.result is not null and a.quality in {COUNTING}"
    table = path.entity.table
    if source != "reading":
        columns, time, condition = _FROM_ROLLUPS, "start", f"a.width = '{source}'"
        table = "sensing.rollup"
    if width == _UNITS.get(source):
        tables = _build_tables(connection, statement, path, span, table, time)
        return f"select a.datastream, a.start, {_AS_ROLLED} {tables} and {condition}"
    start = _BIN.format(width=statement.bind(width, "interval"), at=f"a.{time}")
    tables = _build_tables(connection, statement, path, span, table, time)
    return f"select a.datastream, {start} as start, {columns} {tables} and {condition} group by 1, 2"


def _build_tables(
    connection: Connection, statement: Statement, path: ResourcePath, span: _Range, table: str, time: str
) -> str:
    """Return from and where for the rows of ``table`` (alias a) that belong to the path and lie in the range."""
    conditions = [restrict(connection, statement, path, "a")]
    scope = Scope(statement, path.entity, "a")
    if span.rest is not None:
        conditions.append(build_condition(scope, span.rest))
    conditions += [f"a.{time} {sign} {statement.bind(at, 'timestamptz')}" for sign, at in span.bounds]
    held = " and ".join(f"({each})" for each in conditions)
    return f"from {table} a {' '.join(scope.joins)} where {held}"


def _choose_source(connection: Connection, path: ResourcePath, span: _Range, width: timedelta) -> Source:
    """Return the coarsest source that gives the same as the readings."""
    unit = next((unit for unit in (DAY, HOUR) if not width % unit and span.fits(unit)), None)
    of_series = path.last.link is None or path.steps[-2].entity.name == "Datastreams"
    if unit is None or not of_series or not (span.rest is None or _asks_series(span.rest)):
        return "reading"
    if _wait_to_be_rolled_up(connection, path, span):
        return "reading"
    return "day" if unit is DAY else "hour"


def _wait_to_be_rolled_up(connection: Connection, path: ResourcePath, span: _Range) -> bool:
    """Return whether an hour of the range is dirty, or a series has a past that was never rolled up.

    A dirty hour spoils the day it lies in, too. A past from before there were roll-ups is told by its first day, which
    then has none.
    """
    statement = Statement()
    dirty = _build_tables(connection, statement, path, span, "sensing.dirty_hour", "start")
    always = _Range((), span.rest)
    old = _build_tables(connection, statement, path, always, "sensing.latest", "first_time")
    found = run(
        connection,
        f"select exists (select {dirty}) or exists (select {old} and not exists (select from sensing.rollup u "
        "where u.datastream = a.datastream and u.width = 'day' and u.start = date_trunc('day', a.first_time, 'UTC')))",
        statement,
    )
    return bool(found.scalar_one())


def _asks_series(expression: Expression) -> bool:
    """Return whether an expression speaks of the series alone, not of single readings."""
    if isinstance(expression, Member):
        return expression.names[0] == "Datastream" and len(expression.names) > 1
    return not isinstance(expression, Call) or all(_asks_series(part) for part in expression.arguments)


_SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def _split(expression: Expression | None) -> _Range:
    """Return what ``expression`` says of phenomenonTime against a literal, apart from the rest."""
    if expression is None:
        return _Range((), None)
    parts = expression.arguments if isinstance(expression, Call) and expression.name == "and" else (expression,)
    bounds, rest = [], []
    for part in parts:
        match part:
            case Call(("ge" | "gt" | "le" | "lt") as name, (Member(("phenomenonTime",)), Value(datetime() as at))):
                bounds.append((_SIGNS[name], at))
            case _:
                rest.append(part)
    left = None if not rest else rest[0] if len(rest) == 1 else Call("and", tuple(rest))
    return _Range(tuple(bounds), left)


def _build_order(query: Query) -> str:
    match query.orders:
        case ():
            return "datastream, start"
        case (order,) if order.expression == Member(("phenomenonTime",)):
            return "start desc, datastream desc" if order.descending else "start, datastream"
    raise InputError("buckets are ordered by phenomenonTime only", hint="$orderby=phenomenonTime desc")
