"""SensorThings 1.1, requirements filter, built-in-filter-operations and built-in-query-functions (req/request-data)."""

import pytest
from starlette.testclient import TestClient

from layers.store.sensing.sta_functions import FUNCTIONS
from tests.api.sta_city import DAWN, LEVELS, list_ids

SERIES = "Datastreams('D-1')/Observations"
GAUGE, RAIN, EMPTY = "T-1", "T-2", "T 3/á"
ALL = [EMPTY, GAUGE, RAIN]
AREA = "geography'POLYGON ((105.77 10.02, 105.79 10.02, 105.79 10.04, 105.77 10.04, 105.77 10.02))'"
SQUARE = "geography'POLYGON ((105.7 10, 105.75 10, 105.75 10.05, 105.7 10.05, 105.7 10))'"
SHIFTED = "geography'POLYGON ((105.72 10.01, 105.8 10.01, 105.8 10.02, 105.72 10.02, 105.72 10.01))'"
THROUGH = "geography'LINESTRING (105.72 9.9, 105.72 10.1)'"

OPERATORS = {
    "eq": ("name eq 'Trống'", [EMPTY]),
    "eq doubled quote": ("name eq 'Rain''s gauge'", [RAIN]),
    "eq, literal first": ("'Trống' eq name", [EMPTY]),
    "eq null": ("properties eq null", [EMPTY]),
    "eq id": ("id eq 'T-1'", [GAUGE]),
    "eq @iot.id": ("@iot.id eq 'T-1'", [GAUGE]),
    "ne": ("name ne 'Trống'", [GAUGE, RAIN]),
    "ne null": ("properties ne null", [GAUGE, RAIN]),
    "ne of what is not there": ("properties/kind ne 'rain'", [EMPTY, GAUGE]),
    "gt": ("properties/depth gt 1", [GAUGE]),
    "gt, literal first": ("1 gt properties/depth", []),
    "ge": ("properties/depth ge 1", [GAUGE, RAIN]),
    "lt": ("properties/depth lt 3.5", [RAIN]),
    "le": ("properties/depth le 3.5e0", [GAUGE, RAIN]),
    "and": ("properties/depth ge 1 and name eq 'Trạm Sông Hậu'", [GAUGE]),
    "or": ("name eq 'Trống' or properties/kind eq 'rain'", [EMPTY, RAIN]),
    "not": ("not startswith(name,'T')", [RAIN]),
    "not of what is not there": ("not (properties/depth gt 2)", [EMPTY, RAIN]),
    "add": ("properties/depth add 1 eq 4.5", [GAUGE]),
    "sub": ("properties/depth sub 1 eq 0", [RAIN]),
    "mul": ("properties/depth mul 2 eq 7", [GAUGE]),
    "div": ("properties/depth div 2 eq 1.75", [GAUGE]),
    "div by zero": ("properties/depth div 0 eq 1", []),
    "mod": ("properties/depth mod 2 eq 1.5", [GAUGE]),
    "minus": ("-properties/depth lt -2", [GAUGE]),
    "precedence": ("1 add 2 mul 3 eq 7 and (1 add 2) mul 3 eq 9", ALL),
    "precedence of and, or": ("name eq 'x' and name eq 'y' or id eq 'T-1'", [GAUGE]),
    "left to right": ("10 sub 2 sub 3 eq 5", ALL),
    "true": ("properties/active eq true", [GAUGE]),
    "bare truth": ("properties/active", [GAUGE]),
    "inside JSON": ("properties/owner/name eq 'Sở'", [GAUGE]),
    "inside a JSON list": ("properties/tags/1 eq 'river'", [GAUGE]),
    "JSON against JSON": ("properties/tags/0 ne properties/tags/1", [GAUGE]),
    "time inside JSON": ("properties/since lt 2021-01-01T00:00:00Z", [GAUGE]),
    "over a link to many": ("Datastreams/name eq 'Mưa'", [RAIN]),
    "over two links": ("Datastreams/ObservedProperty/id eq 'state'", [GAUGE]),
    "one Datastream has both": ("Datastreams/name eq 'Mưa' and Datastreams/ObservedProperty/id eq 'stage'", []),
    "over links to readings": ("Datastreams/Observations/result gt 90", [GAUGE]),
    "unit": ("Datastreams/unitOfMeasurement/symbol eq 'mm'", [RAIN]),
}
FUNCTIONS_OF_THINGS = {
    "substringof": ("substringof('Sông',name)", [GAUGE]),
    "contains": ("contains(name,'Sông')", [GAUGE]),
    "endswith": ("endswith(name,'gauge')", [RAIN]),
    "startswith": ("startswith(name,'Tr') eq true", [EMPTY, GAUGE]),
    "substring": ("substring(name,5) eq 'Sông Hậu'", [GAUGE]),
    "substring of a length": ("substring(name,5,4) eq 'Sông'", [GAUGE]),
    "substring of nothing": ("substring(name,-3,-1) eq ''", ALL),
    "indexof": ("indexof(name,'Sông') eq 5", [GAUGE]),
    "indexof of what is not there": ("indexof(name,'Sông') eq -1", [EMPTY, RAIN]),
    "length": ("length(description) eq 5", [GAUGE]),
    "tolower": ("tolower(name) eq 'trống'", [EMPTY]),
    "toupper": ("toupper(description) eq 'GAUGE'", [GAUGE]),
    "trim": ("trim(description) eq 'padded'", [RAIN]),
    "concat": ("concat(concat(id,': '),description) eq 'T-1: gauge'", [GAUGE]),
    "round": ("round(properties/depth) eq 4", [GAUGE]),
    "round away from zero": ("round(2.5) eq 3 and round(-2.5) eq -3", ALL),
    "floor": ("floor(properties/depth) eq 3", [GAUGE]),
    "ceiling": ("ceiling(properties/depth) eq 4", [GAUGE]),
    "now": ("now() gt 2026-01-01T00:00:00Z and now() lt 2126-01-01T00:00:00Z", ALL),
    "mindatetime": ("mindatetime() lt now()", ALL),
    "maxdatetime": ("maxdatetime() gt now()", ALL),
    "totaloffsetminutes": ("totaloffsetminutes(2026-01-01T00:00:00+07:00) eq 420", ALL),
    "geo.distance over a link": (
        "geo.distance(Locations/location,geography'POINT (105.78 10)') lt 0.031",
        [GAUGE, EMPTY],
    ),
}
FUNCTIONS_OF_TIME = {
    "year": ("year(phenomenonTime) eq 2026", 47),
    "month": ("month(phenomenonTime) eq 3", 47),
    "day": ("day(phenomenonTime) eq 2", 24),
    "hour": ("hour(phenomenonTime) eq 3", 2),
    "minute": ("minute(resultTime) eq 1", 47),
    "second": ("second(resultTime) eq 0", 47),
    "fractionalseconds": ("fractionalseconds(resultTime) eq 0", 47),
    "fractionalseconds of a literal": ("fractionalseconds(2026-01-01T00:00:01.25Z) eq 0.25", 47),
    "date": ("date(phenomenonTime) eq 2026-03-02", 24),
    "time": ("time(phenomenonTime) lt 02:00:00", 4),
    "totaloffsetminutes": ("totaloffsetminutes(phenomenonTime) eq 0", 47),
    "time lt": ("phenomenonTime lt 2026-03-01T03:00:00Z", 3),
    "time le": ("phenomenonTime le 2026-03-01T03:00:00Z", 4),
    "time gt": ("phenomenonTime gt 2026-03-02T22:00:00Z", 1),
    "time ge": ("phenomenonTime ge 2026-03-02T22:00:00Z", 2),
    "time eq": ("phenomenonTime eq 2026-03-02T22:00:00Z", 1),
    "time ne": ("phenomenonTime ne 2026-03-02T22:00:00Z", 46),
    "time of another zone": ("phenomenonTime lt 2026-03-01T10:00:00+07:00", 3),
    "time with a lost plus": ("phenomenonTime lt 2026-03-01T10:00:00 07:00", 3),
    "time against a date": ("phenomenonTime ge 2026-03-02", 24),
    "in a period": ("during(phenomenonTime,2026-03-01T02:00:00Z/2026-03-01T04:00:00Z)", 3),
    "before a period": ("phenomenonTime lt 2026-03-01T02:00:00Z/2026-03-01T04:00:00Z", 2),
    "after a period": ("phenomenonTime gt 2026-03-01T02:00:00Z/2026-03-02T20:00:00Z", 3),
    "before": ("before(phenomenonTime,2026-03-01T02:00:00Z)", 2),
    "after": ("after(phenomenonTime,2026-03-02T20:00:00Z)", 3),
    "overlaps": ("overlaps(phenomenonTime,2026-03-01T02:00:00Z/2026-03-01T04:00:00Z)", 3),
    "time add duration": ("resultTime add duration'PT1H' lt 2026-03-01T03:00:00Z", 2),
    "time sub duration": ("resultTime sub duration'PT1M' eq phenomenonTime", 47),
    "time sub time": ("resultTime sub phenomenonTime eq duration'PT60S'", 47),
    "duration mul": ("resultTime sub phenomenonTime eq duration'PT6S' mul 10", 47),
    "duration div": ("resultTime sub phenomenonTime eq duration'PT10M' div 10", 47),
    "missing result": ("result eq null", 1),
    "quality": ("resultQuality eq 1 and result ge 0", 45),
    "over links to one": ("Datastream/Thing/properties/kind eq 'stage'", 47),
    "feature of interest": ("st_within(FeatureOfInterest/feature," + AREA + ")", 47),
    "arithmetic of results": ("result mul 2 mod 2 eq 0", 24),
}
FUNCTIONS_OF_PLACES = {
    "geo.distance": ("geo.distance(location,geography'POINT (105.78 10.04)') lt 0.02", ["L-1"]),
    "geo.length": ("geo.length(location) gt 0.04 and geo.length(location) lt 0.06", ["L-4"]),
    "geo.intersects": (f"geo.intersects(location,{AREA})", ["L-1"]),
    "st_equals": ("st_equals(location,geography'POINT (105.78 10.03)')", ["L-1"]),
    "st_disjoint": (f"st_disjoint(location,{SQUARE})", ["L-1", "L-2"]),
    "st_touches": (f"st_touches(location,{SQUARE})", ["L-4"]),
    "st_within": (f"st_within(location,{AREA})", ["L-1"]),
    "st_overlaps": (f"st_overlaps(location,{SHIFTED})", ["L-3"]),
    "st_crosses": (f"st_crosses(location,{THROUGH})", ["L-3", "L-4"]),
    "st_intersects": (f"st_intersects(location,{THROUGH})", ["L-3", "L-4"]),
    "st_contains": ("st_contains(location,geography'POINT (105.71 10.01)')", ["L-3"]),
    "st_relate": (f"st_relate(location,{AREA},'T*F**F***')", ["L-1"]),
    "shape of GeoJSON": ("location/type eq 'LineString'", ["L-4"]),
    "number in GeoJSON": ("location/coordinates/0 gt 105.79", ["L-2"]),
}


@pytest.mark.parametrize("case", OPERATORS)
@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_built_in_filter_operations(sta_reader: TestClient, case: str) -> None:
    expression, expected = OPERATORS[case]
    assert sorted(list_ids(sta_reader, "Things", filter=expression)) == sorted(expected)


@pytest.mark.parametrize("case", FUNCTIONS_OF_THINGS)
@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_built_in_query_functions_of_texts_and_numbers(sta_reader: TestClient, case: str) -> None:
    expression, expected = FUNCTIONS_OF_THINGS[case]
    assert sorted(list_ids(sta_reader, "Things", filter=expression)) == sorted(expected)


@pytest.mark.parametrize("case", FUNCTIONS_OF_TIME)
@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_built_in_query_functions_of_time(sta_reader: TestClient, case: str) -> None:
    expression, expected = FUNCTIONS_OF_TIME[case]
    assert len(list_ids(sta_reader, SERIES, filter=expression)) == expected
    everything = len(list_ids(sta_reader, SERIES))
    assert len(list_ids(sta_reader, SERIES, filter=f"not ({expression})")) == everything - expected == 47 - expected
    assert everything == LEVELS - 1


@pytest.mark.parametrize("case", FUNCTIONS_OF_PLACES)
@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_built_in_query_functions_of_places(sta_reader: TestClient, case: str) -> None:
    expression, expected = FUNCTIONS_OF_PLACES[case]
    assert sorted(list_ids(sta_reader, "Locations", filter=expression)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("phenomenonTime eq 2026-03-01T00:10:00Z/2026-03-01T00:20:00Z", 1),
        ("phenomenonTime ne 2026-03-01T00:10:00Z/2026-03-01T00:20:00Z", 9),
        ("phenomenonTime lt 2026-03-01T00:20:00Z", 1),
        ("phenomenonTime le 2026-03-01T00:20:00Z", 2),
        ("phenomenonTime ge 2026-03-01T01:00:00Z", 4),
        ("phenomenonTime gt 2026-03-01T01:00:00Z", 3),
        ("meets(phenomenonTime,2026-03-01T00:20:00Z/2026-03-01T00:40:00Z)", 2),
        ("starts(phenomenonTime,2026-03-01T00:20:00Z/2026-03-01T00:40:00Z)", 1),
        ("finishes(phenomenonTime,2026-03-01T00:20:00Z/2026-03-01T00:40:00Z)", 1),
        ("during(phenomenonTime,2026-03-01T00:20:00Z/2026-03-01T00:40:00Z)", 2),
        ("validTime gt 2026-02-01T00:00:00Z", 10),
        ("parameters/bucket ge 5", 5),
    ],
)
def test_periods_are_compared(sta_reader: TestClient, expression: str, expected: int) -> None:
    assert len(list_ids(sta_reader, "Datastreams('D-2')/Observations", filter=expression)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("result eq 'open'", 1),
        ("startswith(result,'clo')", 1),
        ("result eq true", 1),
        ("result/gate eq 2", 1),
        ("result/by eq 'hand'", 1),
        ("result gt 7", 1),
        ("result ne 'open'", 4),
        ("result ne null", 5),
        ("not (result eq 'open')", 4),
    ],
)
def test_results_that_are_no_numbers(sta_reader: TestClient, expression: str, expected: int) -> None:
    assert len(list_ids(sta_reader, "Datastreams('D-3')/Observations", filter=expression)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("phenomenonTime lt 2026-03-02T00:00:00Z", ["D-2", "D-3"]),
        ("phenomenonTime gt 2026-02-01T00:00:00Z/2026-02-02T00:00:00Z", ["D-1", "D-2", "D-3"]),
        ("overlaps(phenomenonTime,2026-03-02T00:00:00Z/2026-03-03T00:00:00Z)", ["D-1"]),
        ("st_equals(observedArea,geography'POINT (105.78 10.03)')", ["D-1"]),
        ("Observations/result eq 99", ["D-1"]),
        ("Observations/phenomenonTime eq 2026-03-01T00:10:00Z/2026-03-01T00:20:00Z", ["D-2"]),
        ("Thing/Locations/name eq 'bến'", ["D-1", "D-3"]),
        ("Thing/Locations/name eq 'bến' and Thing/Locations/id eq 'L-1'", ["D-1", "D-3"]),
        ("Thing/Locations/name eq 'bến' and Thing/Locations/id eq 'L-2'", []),
        ("Thing/Locations/name eq 'bến' and (Thing/Locations/id eq 'L-2' or name eq 'Mực nước')", ["D-1"]),
        ("Thing/Locations/name eq 'bến' and Observations/result eq 99", ["D-1"]),
        ("Thing/Locations/name eq Thing/Locations/name and Thing/Datastreams/id eq 'D-3'", ["D-1", "D-3"]),
        ("Thing/HistoricalLocations/time eq 2026-03-01T00:00:00Z", ["D-1", "D-3"]),
        ("Sensor/properties/maker eq 'VEGA' and Thing/id eq 'T-2'", ["D-2"]),
    ],
)
def test_filters_of_datastreams(sta_reader: TestClient, expression: str, expected: list[str]) -> None:
    assert list_ids(sta_reader, "Datastreams", filter=expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"st_within(Datastream/Thing/Locations/location,{AREA})", 52),
        (f"st_within(Datastream/Thing/Locations/location,{AREA}) and result gt 23", 2),
        (f"not st_within(Datastream/Thing/Locations/location,{AREA})", 10),
        (f"st_within(Datastream/Thing/Locations/location,{AREA}) or result eq 3", 53),
        ("Datastream/Thing/Locations/id eq 'L-2' and Datastream/Thing/Datastreams/id eq 'D-2'", 10),
    ],
)
def test_observations_of_a_place(sta_reader: TestClient, expression: str, expected: int) -> None:
    assert len(list_ids(sta_reader, "Observations", filter=expression)) == expected


def test_an_observation_is_found_by_its_id(sta_reader: TestClient) -> None:
    first = list_ids(sta_reader, SERIES)[0]
    assert list_ids(sta_reader, "Observations", filter=f"id eq '{first}'") == [first]
    assert list_ids(sta_reader, "Observations", filter="id eq 'none'") == []
    assert list_ids(sta_reader, "Datastreams", filter=f"Observations/id eq '{first}'") == ["D-1"]
    assert int(first.split("_")[1]) == int(DAWN.timestamp()) * 1_000_000


def test_numbers_are_ids_too(sta_reader: TestClient) -> None:
    assert list_ids(sta_reader, "Things", filter="id eq 1") == []
    assert list_ids(sta_reader, "Things", filter="Datastreams/id ne 1 and id eq 'T-1'") == ["T-1"]


def test_every_function_is_tested() -> None:
    words = " ".join(
        expression
        for cases in (OPERATORS, FUNCTIONS_OF_THINGS, FUNCTIONS_OF_TIME, FUNCTIONS_OF_PLACES)
        for expression, _ in cases.values()
    )
    rest = {"meets", "starts", "finishes"}
    assert [name for name in FUNCTIONS if f"{name}(" not in words and name not in rest] == []


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("nothing eq 1", "nothing called 'nothing'"),
        ("name/inner eq 1", "nothing called 'inner'"),
        ("Datastreams eq 1", "is a link"),
        ("name gt 1", "'gt' needs a number, found a text"),
        ("name add 1 eq 2", "'add' needs a number, found a text"),
        ("name", "needs true or false, found a text"),
        ("1", "needs true or false, found a number"),
        ("name and true", "needs true or false"),
        ("not name", "needs true or false"),
        ("length(1) eq 1", "'length' needs a text, found a number"),
        ("year(name) eq 1", "'year' needs a date-time, found a text"),
        ("nofunction(name)", "no such function"),
        ("length(name,name) eq 1", "takes 1 arguments, found 2"),
        ("now(1) eq 1", "takes 0 arguments, found 1"),
        ("name eq", "at character 8, found the end"),
        ("eq 1", "at character 4"),
        ("name eq 'x", "at character 9"),
        ("(name eq 'x'", "expected ')'"),
        ("name eq 'x')", "expected an operator"),
        ("name eq 'x' name", "expected an operator"),
        ("name ? 'x'", "at character 6"),
        ("1e999 eq 1", "too large"),
        ("now() gt 2026-13-01T00:00:00Z", "month"),
        ("now() gt 2026-01-01T00:00:00", "no zone"),
        ("now() gt 2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "end lies before the start"),
        ("date(now()) eq 2026-02-30", "day is out of range"),
        ("time(now()) eq 25:00", "hour must be"),
        ("now() sub duration'P1M' gt now()", "not a duration"),
        ("now() sub duration'' gt now()", "not a duration"),
        ("geo.length(geography'POINT') gt 1", "POINT"),
        ("geo.length(geography'POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))') gt 1", "valid"),
        ("geo.length(geography'GEOMETRYCOLLECTION (POINT (0 0))') gt 1", "valid"),
        ("st_relate(Locations/location,geography'POINT (0 0)','x')", "pattern"),
        ("st_relate(Locations/location,geography'POINT (0 0)',name)", "pattern"),
        ("Locations/location eq geography'POINT (0 0)'", "st_equals"),
        ("(" * 60 + "true" + ")" * 60, "nested deeper"),
        ("not " * 60 + "true", "nested deeper"),
        (" add ".join(["1"] * 80) + " eq 80", "nested deeper"),
        (" and ".join(["true"] * 400), "more than 600 words"),
        ("name eq '" + "x" * 9000 + "'", "characters"),
        ("Datastreams" + "/Thing/Datastreams" * 9 + "/name eq 'x'", "more than 16 links"),
        ("9e307 mul 9e307 gt 1", "cannot compute"),
    ],
)
def test_a_wrong_filter_is_told_what_is_wrong(sta_reader: TestClient, expression: str, named: str) -> None:
    answer = sta_reader.get("/sta/v1.1/Things", params={"$filter": expression})
    assert answer.status_code == 400, answer.text
    assert named in answer.json()["message"]


def test_many_conditions_are_not_deep(sta_reader: TestClient) -> None:
    chain = " or ".join(f"name eq 'x{k}'" for k in range(140))
    assert list_ids(sta_reader, "Things", filter=f"{chain} or id eq 'T-1'") == ["T-1"]
