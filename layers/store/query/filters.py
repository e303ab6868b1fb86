"""CQL2 → SQL: a filter's tree becomes a condition on a layer, checked against its declaration.

Beside the standard's classes three functions join layers; the last argument is a filter on the layer they name:
``near(places, 50, category = 'school')`` within 50 m of a school, ``inside(wards, name = 'Ninh Kiều')`` within that
ward, ``related(lighting_circuits, circuit_id, circuit_id, cabinet_id = 'LC-7')`` own and its property are equal.
A fourth asks for what a trace of a network found: ``in_trace('5f0c2b9e7a1d4c38')``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from layers.access import visible_layers
from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.query.filter_functions import IN_TRACE, JOINS
from layers.store.query.filter_space import PREDICATES, compare_shapes, measure_distance, own_geometry, read_shape
from layers.store.query.filter_time import RELATIONS, Span, compare_times, read_end, to_span
from layers.store.query.terms import Bindings, Scope, Term, align, check_text, describe, read_date, read_moment

MAX_JOINS = 4
_COMPARISONS = {"=", "<>", "<", ">", "<=", ">="}
_ARITHMETIC = {"+": "{} + {}", "-": "{} - {}", "*": "{} * {}", "/": "{} / nullif({}, 0)", "^": "power({}, {})"}
_DIVISIONS = {"div": "trunc({a} / nullif({b}, 0))", "%": "({a} - {b} * trunc({a} / nullif({b}, 0)))"}
_TEXT_FUNCTIONS = {"casei": "lower({})", "accenti": "meta.strip_accents({})"}
Origin = Callable[[VectorLayer, Sequence[str], Bindings], str]


@dataclass(slots=True)
class Translator:
    """Makes conditions; ``origin`` says where rows of a joined layer come from (the present, or a past)."""

    origin: Origin
    joins: int = 0

    def translate_condition(self, node: Any, scope: Scope) -> str:
        """Return ``node`` as a condition; InputError where it is none."""
        term = self.translate(node, scope)
        if term.kind != "boolean":
            raise InputError(f"the filter expects a condition and finds {describe(term)}")
        return term.sql

    def translate(self, node: Any, scope: Scope) -> Term:
        """Return any part of a filter as a term."""
        if isinstance(node, bool | int | float | str):
            return scope.read_literal(node)
        if not isinstance(node, dict):
            what = "NULL" if node is None else "a list"
            raise InputError(f"the filter holds {what} where a value is expected", hint="use IS NULL, or IN")
        if isinstance(node.get("property"), str):
            return scope.read_property(node["property"])
        if isinstance(node.get("date"), str):
            return scope.bind("date", read_date(node["date"]))
        if isinstance(node.get("timestamp"), str):
            return scope.bind("moment", read_moment(node["timestamp"]))
        if "bbox" in node or isinstance(node.get("type"), str):
            return read_shape(node, scope)
        operator, arguments = node.get("op"), node.get("args")
        if not isinstance(operator, str) or not isinstance(arguments, list):
            raise InputError(f"the filter holds something that is not CQL2: {str(node)[:80]}")
        return self._apply(operator.lower(), arguments, scope)

    def _apply(self, operator: str, arguments: list[Any], scope: Scope) -> Term:
        if operator in ("and", "or", "not"):
            return self._apply_logic(operator, arguments, scope)
        if operator in _COMPARISONS | {"between", "like", "in", "isnull"}:
            return Term(self._compare(operator, arguments, scope), "boolean")
        if operator in _ARITHMETIC or operator in _DIVISIONS:
            return self._calculate(operator, arguments, scope)
        if operator in _TEXT_FUNCTIONS:
            (inner,) = self._read_all(operator, arguments, scope, 1)
            if inner.kind != "text":
                raise InputError(f"{operator} takes text, not {describe(inner)}")
            return Term(_TEXT_FUNCTIONS[operator].format(inner.sql), "text")
        if operator in PREDICATES or operator == "s_dwithin":
            return Term(self._compare_shapes(operator, arguments, scope), "boolean")
        if operator in RELATIONS:
            left, right = (self._read_span(node, scope) for node in check_count(operator, arguments, 2))
            return Term(compare_times(operator, left, right), "boolean")
        if operator in JOINS:
            return Term(self._join(operator, arguments, scope), "boolean")
        if operator == IN_TRACE.name:
            return Term(_select_traced(arguments, scope), "boolean")
        raise InputError(f"the filter's operator '{operator[:40]}' is not served", hint=f"served: {OPERATORS}")

    def _apply_logic(self, operator: str, arguments: list[Any], scope: Scope) -> Term:
        if operator == "not":
            (inner,) = check_count(operator, arguments, 1)
            return Term(f"(not {self.translate_condition(inner, scope)})", "boolean")
        if len(arguments) < 2:
            raise InputError(f"'{operator}' takes two or more conditions")
        parts = [self.translate_condition(inner, scope) for inner in arguments]
        return Term(f"({f' {operator} '.join(parts)})", "boolean")

    def _compare(self, operator: str, arguments: list[Any], scope: Scope) -> str:
        if operator == "isnull":
            (inner,) = self._read_all(operator, arguments, scope, 1)
            return f"({inner.sql} is null)"
        if operator == "in":
            subject, values = check_count(operator, arguments, 2)
            if not isinstance(values, list) or not values:
                raise InputError("'in' takes a list of values", hint="use IN ('house', 'shop')")
            listed = align([self.translate(subject, scope), *(self.translate(value, scope) for value in values)], scope)
            _refuse_geometry(operator, listed)
            return f"({listed[0].sql} in ({', '.join(term.sql for term in listed[1:])}))"
        if operator == "between":
            subject, lower, upper = self._align_all(operator, arguments, scope, 3)
            return f"({subject.sql} between {lower.sql} and {upper.sql})"
        if operator == "like":
            subject, pattern = self._read_all(operator, arguments, scope, 2)
            for term in (subject, pattern):
                if term.kind != "text":
                    raise InputError(f"'like' compares text, not {describe(term)}")
            return f"({subject.sql} like {pattern.sql})"
        left, right = self._align_all(operator, arguments, scope, 2)
        return f"({left.sql} {operator} {right.sql})"

    def _calculate(self, operator: str, arguments: list[Any], scope: Scope) -> Term:
        left, right = self._read_all(operator, arguments, scope, 2)
        for term in (left, right):
            if term.kind != "number":
                raise InputError(f"'{operator}' takes numbers, not {describe(term)}")
        # As doubles: whole numbers would be divided without a rest and overflow.
        a, b = f"({left.sql})::double precision", f"({right.sql})::double precision"
        if operator in _DIVISIONS:
            return Term(_DIVISIONS[operator].format(a=a, b=b), "number")
        return Term(f"({_ARITHMETIC[operator].format(a, b)})", "number")

    def _compare_shapes(self, operator: str, arguments: list[Any], scope: Scope) -> str:
        wanted = 3 if operator == "s_dwithin" else 2
        check_count(operator, arguments, wanted)
        left, right = (self.translate(node, scope) for node in arguments[:2])
        for term in (left, right):
            if term.kind != "geometry":
                raise InputError(f"{operator} takes geometries, not {describe(term)}")
        if operator == "s_dwithin":
            return measure_distance(left, right, _read_metres(operator, arguments[2]))
        return compare_shapes(operator, left, right)

    def _read_span(self, node: Any, scope: Scope) -> Span:
        if not isinstance(node, dict) or "interval" not in node:
            return to_span(self.translate(node, scope), scope)
        ends = node["interval"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise InputError("an INTERVAL has two ends", hint="INTERVAL('2020-01-01', '..')")
        start, end = (
            blank if inner == ".." else to_span(self._read_end(inner, scope), scope).start
            for inner, blank in zip(ends, ("'-infinity'::timestamptz", "'infinity'::timestamptz"), strict=True)
        )
        return Span(start, end)

    def _read_end(self, node: Any, scope: Scope) -> Term:
        return read_end(node, scope) if isinstance(node, str) else self.translate(node, scope)

    def _join(self, operator: str, arguments: list[Any], scope: Scope) -> str:
        needed = len(JOINS[operator].arguments) - 1
        if not needed <= len(arguments) <= needed + 1:
            raise InputError(f"'{operator}' takes {needed} or {needed + 1} arguments", hint=JOINS[operator].use)
        self.joins += 1
        if self.joins > MAX_JOINS:
            raise InputError(f"the filter joins more than {MAX_JOINS} layers")
        layer = find_layer(_read_name(operator, arguments[0]))
        number = self.joins
        other = replace(scope, layer=layer, alias=f"j{number}", columns={})
        inner = self.translate_condition(arguments[needed], other) if len(arguments) > needed else "true"
        if operator == "related":
            own = scope.read_property(_read_name(operator, arguments[1]))
            theirs = other.read_property(_read_name(operator, arguments[2]))
            link = " = ".join(term.sql for term in align([own, theirs], scope))
            return f"exists (select 1 from {self._write_rows(other)} where {link} and {inner})"
        # By key, not by 'exists': so the few schools come first instead of every light of the city. As an array, for
        # the planner takes a join by distance for a thousand times larger than it is and would then read every light.
        same = replace(scope, alias=f"h{number}", columns={})
        here, there = same.read_property("geometry"), other.read_property("geometry")
        if operator == "near":
            link = measure_distance(here, there, _read_metres(operator, arguments[1]))
        elif layer.geometry == "MultiPolygon":
            link = f"ST_Within({own_geometry(here)}, {own_geometry(there)})"
        else:
            raise InputError(f"nothing lies inside of layer '{layer.id}', which holds no areas")
        return (
            f"{scope.alias}.fid = any(array(select {same.alias}.fid from {self._write_rows(same)} "
            f"join {self._write_rows(other)} on {link} where {inner}))"
        )

    def _write_rows(self, scope: Scope) -> str:
        return f"{self.origin(scope.layer, list(scope.columns), scope.bindings)} as {scope.alias}"

    def _read_all(self, operator: str, arguments: list[Any], scope: Scope, count: int) -> list[Term]:
        return [self.translate(node, scope) for node in check_count(operator, arguments, count)]

    def _align_all(self, operator: str, arguments: list[Any], scope: Scope, count: int) -> list[Term]:
        listed = align(self._read_all(operator, arguments, scope, count), scope)
        _refuse_geometry(operator, listed)
        return listed


OPERATORS = ", ".join(
    (
        *("and, or, not, =, <>, <, >, <=, >=, between, like, in, is null", *_ARITHMETIC, *_DIVISIONS, *_TEXT_FUNCTIONS),
        *(*PREDICATES, "s_dwithin", *RELATIONS, *JOINS, IN_TRACE.name),
    )
)


def _select_traced(arguments: list[Any], scope: Scope) -> str:
    (trace,) = check_count(IN_TRACE.name, arguments, 1)
    if not isinstance(trace, str):
        raise InputError(f"'{IN_TRACE.name}' expects the id of a trace and finds {str(trace)[:40]}", hint=IN_TRACE.use)
    asked = scope.bind("text", check_text(trace)).sql
    layer = scope.bind("text", scope.layer.id).sql
    return f"network.holds((select network.read_members({asked}, {layer})), {scope.alias}.fid)"


def reads_other_layers(tree: Any) -> bool:
    """Return whether a filter joins other layers, so that its answer changes with them."""
    if isinstance(tree, dict):
        operator = tree.get("op")
        joins = isinstance(operator, str) and operator.lower() in JOINS
        return joins or any(map(reads_other_layers, tree.values()))
    return isinstance(tree, list) and any(map(reads_other_layers, tree))


def find_layer(name: str) -> VectorLayer:
    """Return the layer a filter names as who asks sees it; InputError where there is none."""
    layer = visible_layers().get(name)
    if layer is None:
        known = ", ".join(visible_layers())
        raise InputError(f"the filter names layer '{name[:80]}', which does not exist", hint=f"one of {known}")
    return layer


def check_count(operator: str, arguments: list[Any], count: int) -> list[Any]:
    """Return ``arguments``; InputError when there are not ``count``."""
    if len(arguments) != count:
        raise InputError(f"'{operator}' takes {count} arguments, the filter gives {len(arguments)}")
    return arguments


def _read_name(operator: str, node: Any) -> str:
    """Return a name, written bare or in quotes."""
    name = node.get("property") if isinstance(node, dict) else node
    if not isinstance(name, str):
        raise InputError(f"'{operator}' expects a name and finds {str(node)[:40]}", hint=JOINS[operator].use)
    return name


def _read_metres(operator: str, node: Any) -> float:
    if isinstance(node, bool) or not isinstance(node, int | float):
        raise InputError(f"'{operator}' expects a distance in metres and finds {str(node)[:40]}")
    return float(node)


def _refuse_geometry(operator: str, terms: Sequence[Term]) -> None:
    if any(term.kind == "geometry" for term in terms):
        raise InputError(f"'{operator}' does not compare geometries", hint="use s_intersects, s_within …")
