"""Filters as SQL: comparisons, logic, arithmetic and functions over terms of known kinds.

A path over a link to many holds where it holds for one combination of the entities it leads to, as in other servers of
the standard: ``Datastreams/name eq 'x'`` of Things means that one of the Thing's Datastreams is called x.
"""

import re

from layers.errors import InputError
from layers.store.sensing.entities import Entity
from layers.store.sensing.sta_functions import FUNCTIONS, Function
from layers.store.sensing.sta_grouping import group_conditions
from layers.store.sensing.sta_request import Call, Expression, Member, Value
from layers.store.sensing.sta_scope import Scope, match_id
from layers.store.sensing.sta_terms import Kind, Term, bind_value, bound, convert, to_json

_COMPARISONS = {"eq": "=", "ne": "is distinct from", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_ARITHMETIC = {
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / nullif({1}, 0))",
    "mod": "mod(({0})::numeric, nullif({1}, 0)::numeric)::double precision",
}
_COMPARED: tuple[Kind, ...] = ("time", "date", "clock", "duration", "number", "boolean", "text", "id")
_RELATION = re.compile(r"[012TF*]{9}")
_MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}


def build_condition(scope: Scope, expression: Expression, option: str = "$filter") -> str:
    """Return ``expression`` as a condition on the row of ``scope``; InputError names what does not fit."""
    parts = expression.arguments if isinstance(expression, Call) and expression.name == "and" else (expression,)
    plain, groups = group_conditions(scope.entity, parts)
    conditions = [build_boolean(scope, part, option) for part in plain]
    for group in groups:
        entity, alias, _ = scope.reach(group.root, option)
        conditions.append(_build_group(scope, entity, alias, group.parts, option))
    return " and ".join(conditions)


def _build_group(scope: Scope, entity: Entity, alias: str, parts: tuple[Expression, ...], option: str) -> str:
    """Return the condition that ``parts`` hold for one combination of what the row under ``alias`` leads to.

    Of rows that are joined (not those of ``scope`` itself) the ids for which they do are found once, and the way leads
    from them to the rows. Readings are too many for that: they are asked one by one.
    """
    by_id = len(entity.order) == 1
    inner = Scope(scope.statement, entity, scope.statement.name() if by_id else alias, many=True)
    held = " and ".join(build_boolean(inner, part, option) for part in parts)
    joins = " ".join(inner.joins)
    if not by_id:
        return f"exists (select from (values (1)) once {joins} where {held})"
    found = f"select {inner.alias}.id from {entity.table} {inner.alias} {joins} where {held}"
    return f"{alias}.id in ({found})" if alias == scope.alias else f"{alias}.id = any (array({found}))"


def build_boolean(scope: Scope, expression: Expression, option: str) -> str:
    """Return ``expression`` as SQL that is true, false or null."""
    return convert(build_term(scope, expression, option), "boolean", option)


def build_term(scope: Scope, expression: Expression, option: str) -> Term:
    """Return ``expression`` as a term."""
    if isinstance(expression, Value):
        return bind_value(scope.statement, expression)
    if isinstance(expression, Member):
        return scope.find(expression, option)
    name = expression.name
    if name in ("and", "or"):
        parts = (f"({build_boolean(scope, part, option)})" for part in expression.arguments)
        return Term(f"({f' {name} '.join(parts)})", "boolean")
    if name == "not":
        return Term(f"(not coalesce({build_boolean(scope, expression.arguments[0], option)}, false))", "boolean")
    if name in _COMPARISONS:
        return Term(f"({_compare(scope, expression, option)})", "boolean")
    terms = [build_term(scope, argument, option) for argument in expression.arguments]
    if name == "minus":
        kind: Kind = "duration" if terms[0].kind == "duration" else "number"
        return Term(f"(- {convert(terms[0], kind, f'{option}: -')})", kind)
    if name in _ARITHMETIC:
        return _calculate(name, terms[0], terms[1], f"{option}: '{name}'")
    return _call(name, FUNCTIONS[name], terms, f"{option}: '{name}'")


def _compare(scope: Scope, call: Call, option: str) -> str:
    name, where = call.name, f"{option}: '{call.name}'"
    first, second = call.arguments
    if isinstance(second, Member) and isinstance(first, Value):
        first, second, name = second, first, _MIRRORED[name]
    left, right = (build_term(scope, argument, option) for argument in (first, second))
    if left.kind == "id" and right.bare is not None and name == "eq":
        return _find_id(scope, first, right, option)
    if "null" in (left.kind, right.kind):
        return _compare_null(name, left if right.kind == "null" else right)
    if "geometry" in (left.kind, right.kind):
        raise InputError(f"{where} cannot compare geometries", hint="use st_equals or another geo function")
    if "interval" in (left.kind, right.kind):
        return _compare_periods(name, bound(left, where), bound(right, where))
    if left.kind in ("json", "result") and right.kind in ("json", "result"):
        return f"{to_json(left)} {_COMPARISONS[name]} {to_json(right)}"
    kind = next(each for each in _COMPARED if each in (left.kind, right.kind))
    if kind == "id" or (kind == "number" and "id" in (left.kind, right.kind)):
        kind = "text"
    sides = [_write_id(term) if kind == "text" else convert(term, kind, where) for term in (left, right)]
    return f"{sides[0]} {_COMPARISONS[name]} {sides[1]}"


def _find_id(scope: Scope, member: Expression, literal: Term, option: str) -> str:
    """Return the condition that the id ``member`` is a literal; numbers are ids too."""
    assert isinstance(member, Member) and literal.bare is not None
    entity, alias, _ = scope.reach(member.names, option)
    return match_id(scope.statement, entity, alias, str(literal.bare.value))


def _write_id(term: Term) -> str:
    return f"({term.sql})::text" if term.kind in ("id", "number") else convert(term, "text", "a comparison with a text")


def _compare_null(name: str, term: Term) -> str:
    if name not in ("eq", "ne"):
        return "1 = 0"
    documents = {"json": term.sql, "result": term.end}
    empty = f"({term.sql}) is null"
    if term.kind in documents:
        empty = f"({empty} and coalesce({documents[term.kind]}, 'null'::jsonb) = 'null'::jsonb)"
        if term.kind == "json":
            empty = f"coalesce({term.sql}, 'null'::jsonb) = 'null'::jsonb"
    return empty if name == "eq" else f"not ({empty})"


def _compare_periods(name: str, left: tuple[str, str], right: tuple[str, str]) -> str:
    """Compare stretches of time: before, after, or equal at both ends.

    An end is never before its start, so the condition on the start alone follows; the index is on the start.
    """
    (start, end), (other_start, other_end) = left, right
    equal = f"{start} = {other_start} and {end} = {other_end}"
    sign = _COMPARISONS[name]
    if name == "eq":
        return equal
    if name == "ne":
        return f"not coalesce({equal}, false)"
    held = f"{end} {sign} {other_start} and {start} {sign} {other_start}"
    if name in ("gt", "ge"):
        held = f"{start} {sign} {other_end} and {end} {sign} {other_end}"
    return held if name in ("lt", "gt") or other_start == other_end else f"({held}) or ({equal})"


def _calculate(name: str, left: Term, right: Term, where: str) -> Term:
    """Add and subtract times and durations, or calculate with numbers."""
    kinds = left.kind, right.kind
    if "duration" in kinds and name in ("add", "sub"):
        if kinds == ("duration", "duration"):
            return Term(_ARITHMETIC[name].format(left.sql, right.sql), "duration")
        if right.kind == "duration" or name == "add":
            moment, length = (left, right) if right.kind == "duration" else (right, left)
            return Term(_ARITHMETIC[name].format(convert(moment, "time", where), length.sql), "time")
    if (name == "mul" and "duration" in kinds) or (name == "div" and left.kind == "duration"):
        length, factor = (left, right) if left.kind == "duration" else (right, left)
        return Term(_ARITHMETIC[name].format(length.sql, convert(factor, "number", where)), "duration")
    if name == "sub" and any(kind in ("time", "interval", "date") for kind in kinds):
        return Term(f"({convert(left, 'time', where)} - {convert(right, 'time', where)})", "duration")
    return Term(_ARITHMETIC[name].format(*(convert(term, "number", where) for term in (left, right))), "number")


def _call(name: str, function: Function, terms: list[Term], where: str) -> Term:
    if name == "st_relate":
        pattern = terms[2].bare.value if terms[2].bare else None
        if not isinstance(pattern, str) or _RELATION.fullmatch(pattern) is None:
            raise InputError(f"{where} needs a pattern such as 'T*F**F***', found '{str(pattern)[:40]}'")
    pieces: dict[str, str] = {"zone": str(terms[0].zone if terms else 0)}
    for place, (term, kind) in enumerate(zip(terms, function.takes, strict=False)):
        if kind == "interval":
            pieces[f"s{place}"], pieces[f"e{place}"] = bound(term, where)
        else:
            pieces[f"a{place}"] = convert(term, kind, where)
    sql = function.sql if len(terms) == len(function.takes) else function.shorter
    assert sql is not None
    return Term(f"({sql.format(**pieces)})", function.gives)
