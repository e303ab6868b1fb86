"""The SELECT of a set of entities: filter, order, page, and every expansion beside its row.

Expansions are lateral: the database aggregates each into JSON beside its row, so that a page costs one statement
however much comes along.
"""

from dataclasses import dataclass

from layers.errors import InputError
from layers.store.sensing.entities import ENTITIES, Attribute, Entity, Navigation
from layers.store.sensing.sta_filter import build_condition, build_term
from layers.store.sensing.sta_request import DEFAULT_PAGE, LONGEST_PAGE, Expansion, Member, Order, Query
from layers.store.sensing.sta_scope import ID_NAMES, Scope, bind_key, read_key
from layers.store.sensing.sta_terms import Statement

MOST_ROWS = 100_000


def find_page_size(query: Query, outer: int) -> int:
    """Return how many rows a page holds; inside ``outer`` others it shrinks, so that an answer stays bounded."""
    asked = DEFAULT_PAGE if query.top is None else query.top
    return min(asked, LONGEST_PAGE, max(1, MOST_ROWS // outer))


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a set come from: a relation, and the condition that a row of it belongs to the set."""

    table: str
    condition: str


def find_source(link: Navigation | None, entity: Entity, alias: str, condition: str) -> Source:
    """Return the source of the rows ``condition`` chooses, those a link to them leads to."""
    if link is None or not link.scattered:
        return Source(entity.table, condition)
    # The offset keeps the database from walking all rows in their order until enough of them fit.
    return Source(f"(select {alias}.* from {entity.table} {alias} where {condition} offset 0)", "true")


def build_set(
    statement: Statement, entity: Entity, alias: str, query: Query, source: Source, size: int, outer: int
) -> str:
    """Return the statement that gives ``size`` + 1 rows of a set as JSON text, in order."""
    scope = Scope(statement, entity, alias)
    conditions = [source.condition]
    if query.filter is not None:
        conditions.append(build_condition(scope, query.filter))
    terms = _build_order(scope, query.orders)
    if query.after is not None:
        conditions.append(_build_after(scope, query))
    sorting = ", ".join(f"{sql} {direction}" for sql, direction in terms)
    numbered = ", ".join(f"o{place} {direction}" for place, (_, direction) in enumerate(terms))
    orders = "".join(f", {sql} as o{place}" for place, (sql, _) in enumerate(terms))
    skip = f" offset {query.skip}" if query.skip else ""
    row = statement.name()
    columns, laterals = build_row(statement, entity, row, query, outer * max(size, 1))
    return (
        f"select {columns} from (select {alias}.*{orders} from {source.table} {alias} {' '.join(scope.joins)} "
        f"where {' and '.join(f'({each})' for each in conditions)} order by {sorting} limit {size + 1}{skip}) {row} "
        f"{laterals} order by {numbered}"
    )


def build_count(statement: Statement, entity: Entity, alias: str, query: Query, condition: str) -> str:
    """Return the statement that counts the rows of a set."""
    scope = Scope(statement, entity, alias)
    conditions = [condition] if query.filter is None else [condition, build_condition(scope, query.filter)]
    held = " and ".join(f"({each})" for each in conditions)
    return f"select count(*) from {entity.table} {alias} {' '.join(scope.joins)} where {held}"


def build_row(statement: Statement, entity: Entity, alias: str, query: Query, outer: int) -> tuple[str, str]:
    """Return the JSON text of the row under ``alias``, and the lateral joins it draws on."""
    pieces = [f"'@iot.id', {entity.key.replace('{a}', alias)}"]
    for attribute in entity.attributes:
        if query.select is None or attribute.name in query.select:
            pieces.append(f"'{attribute.name}', {write_attribute(attribute, alias)}")
    laterals = []
    for expansion in query.expand:
        name = statement.name()
        inner = _build_expansion(statement, expansion, alias, outer)
        laterals.append(f"left join lateral ({inner}) {name} on true")
        pieces.append(f"'{expansion.link.name}', {name}.j")
    return f"json_build_object({', '.join(pieces)})::text as j", " ".join(laterals)


def _build_expansion(statement: Statement, expansion: Expansion, alias: str, outer: int) -> str:
    """Return the statement that gives what the row under ``alias`` leads to by ``expansion`` as JSON ``j``."""
    link, query = expansion.link, expansion.query
    target, inner = ENTITIES[link.target], statement.name()
    condition = link.join.replace("{a}", alias).replace("{b}", inner)
    if not link.many:
        row = statement.name()
        columns, laterals = build_row(statement, target, row, query, outer)
        return (
            f"select ({columns.removesuffix(' as j')})::json as j "
            f"from (select {inner}.* from {target.table} {inner} where {condition} limit 1) {row} {laterals}"
        )
    size = find_page_size(query, outer)
    rows = build_set(statement, target, inner, query, find_source(link, target, inner, condition), size, outer)
    count = ""
    if query.count:
        other = statement.name()
        condition = link.join.replace("{a}", alias).replace("{b}", other)
        count = f", 'count', ({build_count(statement, target, other, query, condition)})"
    return f"select json_build_object('value', coalesce(json_agg(x.j::json), '[]'){count}) as j from ({rows}) x"


def write_attribute(attribute: Attribute, alias: str) -> str:
    """Return the attribute of the row under ``alias`` as it stands in JSON: times in UTC with ``Z``."""
    start = attribute.expression.replace("{a}", alias)
    if attribute.kind == "time":
        return _write_time(start)
    if attribute.kind != "interval":
        return start
    end = (attribute.end or attribute.expression).replace("{a}", alias)
    period = f"{_write_time(start)} || '/' || {_write_time(end)}"
    return period if attribute.period else f"case when {start} = {end} then {_write_time(start)} else {period} end"


def _write_time(moment: str) -> str:
    return f"replace(to_json({moment}) #>> array[]::text[], '+00:00', 'Z')"


def find_keyset(entity: Entity, orders: tuple[Order, ...]) -> tuple[tuple[str, ...], bool] | None:
    """Return the columns over ``{a}`` that order a set where that order follows its key, and whether downwards."""
    if not orders:
        return entity.order, False
    if len(orders) > 1 or not isinstance(orders[0].expression, Member):
        return None
    names, descending = orders[0].expression.names, orders[0].descending
    if len(names) == 1 and names[0] in ID_NAMES:
        return entity.order, descending
    attribute = entity.find_attribute(names[0]) if len(names) == 1 else None
    if attribute is not None and attribute.expression in entity.order:
        return (
            attribute.expression,
            *(column for column in entity.order if column != attribute.expression),
        ), descending
    return None


def _build_order(scope: Scope, orders: tuple[Order, ...]) -> list[tuple[str, str]]:
    """Return the terms of an order with their directions; the key comes last, so that pages never overlap."""
    keyset = find_keyset(scope.entity, orders)
    if keyset is not None:
        columns, descending = keyset
        return [(column.replace("{a}", scope.alias), "desc" if descending else "asc") for column in columns]
    terms = []
    for order in orders:
        term = build_term(scope, order.expression, "$orderby")
        if term.kind in ("geometry", "null"):
            raise InputError("$orderby: this cannot be put in order", hint="order by a number, a text or a time")
        direction = "desc nulls last" if order.descending else "asc nulls first"
        terms.append((term.sql, direction))
        if term.kind == "result":
            terms.append((term.end, direction))
    return [*terms, *((column.replace("{a}", scope.alias), "asc") for column in scope.entity.order)]


def _build_after(scope: Scope, query: Query) -> str:
    """Return the condition that a row comes behind the one whose id ``query.after`` is."""
    keyset = find_keyset(scope.entity, query.orders)
    values = read_key(scope.entity, query.after or "")
    if keyset is None or values is None:
        raise InputError(
            f"$skiptoken '{(query.after or '')[:80]}' does not fit this order", hint="follow @iot.nextLink"
        )
    by_column = dict(zip(scope.entity.order, values, strict=True))
    sign = "<" if keyset[1] else ">"
    columns = [column.replace("{a}", scope.alias) for column in keyset[0]]
    marks = [bind_key(scope.statement, by_column[column]) for column in keyset[0]]
    return f"{columns[0]} {sign}= {marks[0]} and ({', '.join(columns)}) {sign} ({', '.join(marks)})"
