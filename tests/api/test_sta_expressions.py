"""The parser of filters: what it makes of them, and agreement with another OData parser on what both know."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odata_query import ast
from odata_query.grammar import ODataLexer, ODataParser

from api.sta.expressions import parse_expression
from layers.errors import InputError
from layers.store.sensing.sta_request import Call, Expression, Member, Period, Value

OPERATORS = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Add: "add",
    ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Mod: "mod", ast.And: "and", ast.Or: "or", ast.USub: "minus",
    ast.Not: "not",
}  # fmt: skip


def parse(text: str) -> Expression:
    return parse_expression(text, "$filter")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a''b'", Value("a'b")),
        ("''", Value("")),
        ("12", Value(12)),
        ("1.5e3", Value(1500.0)),
        ("true", Value(True)),
        ("null", Value(None)),
        ("2026-03-01", Value(date(2026, 3, 1))),
        ("07:30", Value(time(7, 30))),
        ("2026-03-01T07:00:00+07:00", Value(datetime(2026, 3, 1, tzinfo=UTC), 420)),
        ("2026-03-01T07:00:00.5Z", Value(datetime(2026, 3, 1, 7, 0, 0, 500_000, UTC))),
        ("2026-03-01T00:00:00Z/2026-03-02T00:00:00Z",
         Value(Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)))),
        ("duration'P1DT2H3M4.5S'", Value(timedelta(days=1, hours=2, minutes=3, seconds=4.5))),
        ("duration'-PT1M'", Value(timedelta(minutes=-1))),
        ("name", Member(("name",))),
        ("@iot.id", Member(("@iot.id",))),
        ("Datastream/@iot.id", Member(("Datastream", "@iot.id"))),
        ("properties/my-key/0", Member(("properties", "my-key", "0"))),
        ("properties/tên", Member(("properties", "tên"))),
        ("now()", Call("now", ())),
        ("android", Member(("android",))),
        ("nullable", Member(("nullable",))),
        ("not a eq 1", Call("not", (Call("eq", (Member(("a",)), Value(1))),))),
        ("a or b or c", Call("or", (Member(("a",)), Member(("b",)), Member(("c",))))),
        ("-1", Call("minus", (Value(1),))),
    ],
)  # fmt: skip
def test_pieces_of_expressions(text: str, expected: Expression) -> None:
    assert parse(text) == expected


def test_a_shape_is_read_from_wkt() -> None:
    found = parse("geography'SRID=4326;POINT (105.78 10.03)'")
    assert isinstance(found, Value)
    assert str(found.value) == "POINT (105.78 10.03)"


@pytest.mark.parametrize("text", ["", " ", "a b", "a eq", "(a", "a)", "a,b", "f(", "now(,)", "'a", "a eq eq b", "a//b"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"\$filter"):
        parse(text)


def combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions of others. Comparisons and what is negated stand in brackets: there the two may differ."""
    weak = st.sampled_from(["and", "or", "add", "sub", "mul", "div", "mod"])
    compared = st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"])
    calls = [("length", 1), ("concat", 2), ("substring", 3), ("geo.distance", 2), ("now", 0), ("round", 1)]
    return st.one_of(
        st.tuples(inner, weak, inner).map(" ".join),
        st.tuples(inner, compared, inner).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"(not ({one}))"),
        st.sampled_from(calls).flatmap(
            lambda call: st.lists(inner, min_size=call[1], max_size=call[1]).map(lambda a: f"{call[0]}({','.join(a)})")
        ),
    )


LEAVES = st.one_of(
    st.sampled_from(["name", "result", "Datastream/Thing/name", "properties/kind", "true", "false", "null"]),
    st.integers(0, 10**9).map(str),
    st.text("ab'é ,()", max_size=5).map(lambda text: "'" + text.replace("'", "''") + "'"),
)


@given(text=st.recursive(LEAVES, combine, max_leaves=10))
@settings(max_examples=200, deadline=None)
def test_another_parser_reads_the_same(text: str) -> None:
    assert flatten(parse(text)) == flatten(translate(ODataParser().parse(ODataLexer().tokenize(text))))


def translate(node: Any) -> Expression:
    """Return a tree of the other parser as one of ours."""
    match node:
        case ast.Null():
            return Value(None)
        case ast.String() | ast.Integer() | ast.Float() | ast.Boolean():
            return Value(node.py_val)
        case ast.Identifier():
            return Member((node.full_name(),))
        case ast.Attribute():
            owner = translate(node.owner)
            assert isinstance(owner, Member)
            return Member((*owner.names, node.attr))
        case ast.Call():
            return Call(node.func.full_name(), tuple(translate(each) for each in node.args))
        case ast.UnaryOp():
            return Call(OPERATORS[type(node.op)], (translate(node.operand),))
        case ast.BinOp() | ast.BoolOp():
            return Call(OPERATORS[type(node.op)], (translate(node.left), translate(node.right)))
        case ast.Compare():
            return Call(OPERATORS[type(node.comparator)], (translate(node.left), translate(node.right)))
    raise AssertionError(node)


def flatten(node: Expression) -> Expression:
    """Return a tree in which a chain of ``and``, or of ``or``, is one call."""
    if not isinstance(node, Call):
        return node
    parts: list[Expression] = []
    for part in map(flatten, node.arguments):
        same = isinstance(part, Call) and part.name == node.name and node.name in ("and", "or")
        parts += part.arguments if isinstance(part, Call) and same else [part]
    return Call(node.name, tuple(parts))
