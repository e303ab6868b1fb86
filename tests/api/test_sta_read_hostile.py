"""What strangers send as filter, order, expansion or path: answered or refused, never a 500, never obeyed."""

import string
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from layers.store.sensing.sta_functions import FUNCTIONS
from tests.api.sta_city import ask, list_ids

LITERALS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.text(max_size=12).map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.dates().map(str),
    st.times().map(str),
    st.sampled_from(
        ["true", "false", "null", "duration'PT1H'", "duration'P999999D'", "geography'POINT (105.78 10.03)'",
         "geography'POINT EMPTY'", "geography'POLYGON ((0 0, 1 0, 1 1, 0 0))'", "0001-01-01T00:00:00+14:00",
         "9999-12-31T23:59:59-14:00", "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z", "1e308", "5e-324", "'T*F**F***'"]
    ),
)  # fmt: skip
PATHS = st.sampled_from(
    ["id", "phenomenonTime", "result", "result/gate", "resultTime", "validTime", "resultQuality", "parameters",
     "parameters/bucket", "Datastream/name", "Datastream/unitOfMeasurement/symbol", "Datastream/phenomenonTime",
     "Datastream/observedArea", "Datastream/Thing/properties/depth", "Datastream/Thing/properties",
     "Datastream/Thing/Locations/location", "Datastream/Thing/Locations/location/coordinates/0",
     "FeatureOfInterest/feature", "Datastream/Observations/result", "Datastream", "nothing"]
)  # fmt: skip
OPERATORS = ["eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "div", "mod", "and", "or"]


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions made of others."""
    calls = st.sampled_from(list(FUNCTIONS)).flatmap(
        lambda name: st.lists(inner, min_size=len(FUNCTIONS[name].takes), max_size=len(FUNCTIONS[name].takes)).map(
            lambda arguments: f"{name}({','.join(arguments)})"
        )
    )
    return st.one_of(
        calls,
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"not {one}"),
        inner.map(lambda one: f"-{one}"),
    )


LEAVES: dict[str, list[str]] = {
    "number": ["1", "-2.5", "0", "1e300", "result", "resultQuality", "parameters/bucket", "null"],
    "text": ["'a''b'", "''", "Datastream/name", "result", "Datastream/Thing/properties/kind", "null"],
    "boolean": ["true", "false", "result", "Datastream/Thing/properties/active"],
    "time": ["2026-03-01T12:00:00Z", "0001-01-01T00:00:00Z", "phenomenonTime", "resultTime", "2026-03-01",
             "Datastream/Thing/properties/since", "Datastream/phenomenonTime", "null"],
    "date": ["2026-03-01"],
    "clock": ["12:30", "23:59:59.5"],
    "duration": ["duration'PT90S'", "duration'-P3D'"],
    "interval": ["phenomenonTime", "validTime", "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z", "2026-03-01T12:00:00Z"],
    "geometry": ["geography'POINT (105.78 10.03)'", "FeatureOfInterest/feature", "Datastream/observedArea",
                 "Datastream/Thing/Locations/location", "geography'LINESTRING (105 10, 106 11)'"],
}  # fmt: skip
OPERATED = {
    "number": [("number", "add"), ("number", "sub"), ("number", "mul"), ("number", "div"), ("number", "mod")],
    "boolean": [("boolean", "and"), ("boolean", "or")],
    "duration": [("time", "sub"), ("duration", "add")],
}
COMPARED = ("number", "text", "boolean", "time", "date", "clock", "duration")


def build(kind: str, depth: int) -> st.SearchStrategy[str]:
    """Return expressions of ``kind`` in which every piece fits."""
    choices = [st.sampled_from(LEAVES[kind])]
    if depth:
        for name, function in FUNCTIONS.items():
            if function.gives == kind and name != "st_relate":
                inner = st.tuples(*(build(taken, depth - 1) for taken in function.takes))
                choices.append(inner.map(lambda parts, name=name: f"{name}({','.join(parts)})"))
        for taken, operator in OPERATED.get(kind, ()):
            pair = st.tuples(build(taken, depth - 1), build(taken, depth - 1))
            choices.append(pair.map(lambda parts, operator=operator: f"({parts[0]} {operator} {parts[1]})"))
        if kind == "boolean":
            choices.append(build("boolean", depth - 1).map(lambda one: f"not {one}"))
            for taken in COMPARED:
                parts = st.tuples(build(taken, depth - 1), st.sampled_from(OPERATORS[:6]), build(taken, depth - 1))
                choices.append(parts.map(" ".join).map(lambda one: f"({one})"))
    return st.one_of(choices)


EXPRESSIONS = st.recursive(st.one_of(LITERALS, PATHS), grow, max_leaves=6)
CONDITIONS = st.one_of(EXPRESSIONS, st.tuples(EXPRESSIONS, st.sampled_from(OPERATORS[:6]), EXPRESSIONS).map(" ".join))
TRIES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def send(client: TestClient, path: str, **options: str) -> int:
    answer = client.get(f"/sta/v1.1/{path}", params={f"${name}": text for name, text in options.items()})
    assert answer.status_code in (200, 204, 400, 404), (path, options, answer.text)
    return answer.status_code


@given(filter_=CONDITIONS)
@TRIES
def test_any_expression_is_answered_or_refused(sta_reader: TestClient, filter_: str) -> None:
    send(sta_reader, "Observations", filter=filter_)


@given(filter_=build("boolean", 2))
@TRIES
def test_what_fits_together_is_computed(sta_reader: TestClient, filter_: str) -> None:
    answer = sta_reader.get("/sta/v1.1/Observations", params={"$filter": filter_})
    refused = answer.status_code == 400 and ("cannot compute" in answer.text or "cannot compare" in answer.text)
    assert answer.status_code == 200 or refused, (filter_, answer.text)


@pytest.mark.parametrize("order", ["id eq 'none'", "result gt null", "true", "null eq null", "1", "'x'", "now()"])
def test_constants_can_be_an_order(sta_reader: TestClient, order: str) -> None:
    assert sorted(list_ids(sta_reader, "Observations", orderby=order)) == sorted(list_ids(sta_reader, "Observations"))


@given(order=EXPRESSIONS, direction=st.sampled_from(["", " asc", " desc", " up"]))
@settings(TRIES, max_examples=60)
def test_any_order_is_answered_or_refused(sta_reader: TestClient, order: str, direction: str) -> None:
    send(sta_reader, "Observations", orderby=order + direction)


@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
@settings(TRIES, max_examples=60)
def test_any_text_is_answered_or_refused(sta_reader: TestClient, text: str) -> None:
    for name in ("filter", "orderby", "expand", "select", "top", "skip", "skiptoken", "count", "resultFormat"):
        send(sta_reader, "Datastreams", **{name: text})


@given(text=st.text(st.sampled_from(string.printable + "áđ"), max_size=40))
@settings(TRIES, max_examples=60)
def test_any_address_is_answered_or_refused(sta_reader: TestClient, text: str) -> None:
    address = quote(text)
    for path in (address, f"Things('{address}')", f"Things('T-1')/{address}", f"Observations({address})"):
        send(sta_reader, path)


@given(
    words=st.lists(
        st.sampled_from(["Datastreams", "Thing", "Observations", "(", ")", ";", ",", "/", "$top=1", "$filter=", "id",
                         "'", " gt 1", "$expand=", "$orderby=", "$count=true", "$select=id"]), max_size=14)
)  # fmt: skip
@settings(TRIES, max_examples=100)
def test_any_expansion_is_answered_or_refused(sta_reader: TestClient, words: list[str]) -> None:
    send(sta_reader, "Things", expand="".join(words))


INJECTIONS = [
    "'; drop table sensing.thing; --",
    "' or '1'='1",
    "x' union select usename from pg_user --",
    "\\'; select pg_sleep(10); --",
    "$$; drop schema sensing cascade; $$",
    ":p0",
    "%(p0)s",
    "{a}.id",
    "%s%s%s",
    "{0.__class__}",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_injected_sql_is_a_text_like_any_other(sta_reader: TestClient, text: str) -> None:
    before = list_ids(sta_reader, "Things")
    literal = "'" + text.replace("'", "''") + "'"
    for filter_ in (f"name eq {literal}", f"id eq {literal}", f"startswith(name,{literal})"):
        assert list_ids(sta_reader, "Things", filter=filter_) == []
    assert list_ids(sta_reader, "Things", filter=f"concat(name,{literal}) ne {literal}") == before
    for name in ("filter", "orderby", "select", "expand", "skiptoken", "top"):
        send(sta_reader, "Things", **{name: text})
        send(sta_reader, "Things", **{name: f"properties/{text} eq 1"})
    for path in (f"Things('{quote(text.replace(chr(39), chr(39) * 2))}')", f"Things('T-1')/properties/{quote(text)}"):
        assert send(sta_reader, path) == 404
    assert list_ids(sta_reader, "Things") == before


@pytest.mark.parametrize("word", ["select", "pg_sleep", "Things; drop table x", "name::text", "name--", "ctid", "xmin"])
def test_names_of_the_database_are_unknown(sta_reader: TestClient, word: str) -> None:
    assert send(sta_reader, "Things", filter=f"{word} eq 'x'") == 400
    assert send(sta_reader, "Things", orderby=word) == 400


def test_nested_expansions_stay_bounded(sta_reader: TestClient) -> None:
    most = "$top=10000"
    found: Any = ask(
        sta_reader,
        "Sensors",
        top=10000,
        expand=f"Datastreams({most};$expand=Thing($expand=Datastreams({most};$expand=Observations({most}))))",
    )
    inner = found["value"][0]["Datastreams"][0]["Thing"]["Datastreams"][0]
    assert len(inner["Observations"]) == 1
    assert "Observations@iot.nextLink" in inner
