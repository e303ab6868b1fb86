"""SensorThings 1.1, class request-data (req/request-data) without $filter: a test for each query option."""

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from starlette.testclient import TestClient

from tests.api.sta_city import LEVELS, ROOT, ask, list_ids

SERIES = "Datastreams('D-1')/Observations"


def follow(client: TestClient, path: str, **options: object) -> list[Any]:
    """Return the pages of a set, followed to the end."""
    pages = [ask(client, path, **options)]
    while link := pages[-1].get("@iot.nextLink"):
        answer = client.get(link)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        assert len(pages) < 100
    return pages


def list_followed(pages: list[Any]) -> list[str]:
    return [entity["@iot.id"] for page in pages for entity in page["value"]]


def refuse(client: TestClient, path: str, **options: object) -> str:
    """Return what a request that is refused is told."""
    answer = client.get(f"/sta/v1.1/{path}", params={f"${name}": str(value) for name, value in options.items()})
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["code"] == 400
    return str(problem["message"])


# req/request-data/select


@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_select(sta_reader: TestClient) -> None:
    assert ask(sta_reader, "Things('T-1')", select="name") == {"name": "Trạm Sông Hậu"}
    assert ask(sta_reader, "Things", select="id,description")["value"][0] == {"@iot.id": "T 3/á", "description": ""}
    assert ask(sta_reader, "Things('T-1')", select="@iot.id") == {"@iot.id": "T-1"}
    assert ask(sta_reader, "Datastreams('D-1')", select="id, Thing") == {
        "@iot.id": "D-1",
        "Thing@iot.navigationLink": f"{ROOT}/Datastreams('D-1')/Thing",
    }


def test_select_inside_expand(sta_reader: TestClient) -> None:
    found = ask(sta_reader, "Things('T-1')", select="name", expand="Datastreams($select=id)")
    assert found == {
        "name": "Trạm Sông Hậu",
        "Datastreams": [{"@iot.id": "D-1"}, {"@iot.id": "D-3"}],
    }


# req/request-data/expand


@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_expand_one_and_many(sta_reader: TestClient) -> None:
    found = ask(sta_reader, "Datastreams('D-1')", expand="Thing,Observations")
    assert found["Thing"] == ask(sta_reader, "Datastreams('D-1')/Thing")
    assert found["Observations"] == ask(sta_reader, SERIES)["value"]
    assert "Thing@iot.navigationLink" not in found
    assert "Sensor@iot.navigationLink" in found


@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_expand_nested_by_path_and_by_brackets(sta_reader: TestClient) -> None:
    by_path = ask(sta_reader, "Things", expand="Datastreams/Sensor,Datastreams/ObservedProperty,Locations")
    by_brackets = ask(sta_reader, "Things", expand="Datastreams($expand=Sensor,ObservedProperty),Locations")
    assert by_path == by_brackets
    gauge = by_path["value"][1]
    assert gauge["Datastreams"][0]["Sensor"]["@iot.id"] == "P-1"
    assert gauge["Locations"][0]["@iot.id"] == "L-1"
    assert by_path["value"][0]["Datastreams"] == []


def test_expand_with_options(sta_reader: TestClient) -> None:
    options = (
        "$filter=result gt 20 and result lt 90;$orderby=phenomenonTime desc;$top=2;$skip=1;$count=true;$select=result"
    )
    found = ask(sta_reader, "Things('T-1')", expand=f"Datastreams($filter=id eq 'D-1';$expand=Observations({options}))")
    series = found["Datastreams"][0]
    assert series["Observations"] == [{"result": 23.0}, {"result": 22.5}]
    assert series["Observations@iot.count"] == 7
    rest = sta_reader.get(series["Observations@iot.nextLink"]).json()
    assert [each["result"] for each in rest["value"]] == [22.0, 21.5]


def test_expand_of_a_link_that_leads_nowhere(sta_reader: TestClient) -> None:
    found = ask(sta_reader, "Datastreams('D-2')/Observations", expand="FeatureOfInterest", top=1)["value"][0]
    assert "FeatureOfInterest" not in found


def test_expand_goes_round_as_deep_as_allowed(sta_reader: TestClient) -> None:
    deep = "Datastreams" + "/Thing/Datastreams" * 3
    assert (
        ask(sta_reader, "Things('T-1')", expand=deep)["Datastreams"][0]["Thing"]["Datastreams"][1]["@iot.id"] == "D-3"
    )
    assert "deeper" in refuse(sta_reader, "Things", expand="Datastreams" + "/Thing/Datastreams" * 4)
    assert "more than" in refuse(sta_reader, "Things", expand=",".join(["Datastreams/Thing"] * 13))


def test_the_latest_of_every_series_in_one_request(sta_reader: TestClient) -> None:
    found = ask(sta_reader, "Datastreams", expand="Observations($top=1;$orderby=phenomenonTime desc)")["value"]
    assert [each["Observations"][0]["result"] for each in found] == [(LEVELS - 1) * 0.5, 9.0, 7.25]


# req/request-data/orderby


@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_orderby(sta_reader: TestClient) -> None:
    assert list_ids(sta_reader, "Things", orderby="name asc") == ["T-2", "T-1", "T 3/á"]
    assert list_ids(sta_reader, "Things", orderby="name desc") == ["T 3/á", "T-1", "T-2"]
    assert list_ids(sta_reader, "Things", orderby="properties/depth") == ["T 3/á", "T-2", "T-1"]
    assert list_ids(sta_reader, "Datastreams", orderby="Thing/name desc,id desc") == ["D-3", "D-1", "D-2"]
    assert list_ids(sta_reader, "Datastreams", orderby="ObservedProperty/name") == ["D-2", "D-1", "D-3"]
    assert list_ids(sta_reader, "Things", orderby="length(name) mul -1") == ["T-1", "T-2", "T 3/á"]
    results = [each["result"] for each in ask(sta_reader, SERIES, orderby="result desc", top=3)["value"]]
    assert results == [99.0, 23.5, 23.0]


# req/request-data/top, skip, count, pagination


@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_top_and_skip(sta_reader: TestClient) -> None:
    everything = list_ids(sta_reader, SERIES)
    assert list_ids(sta_reader, SERIES, top=5) == everything[:5]
    assert list_ids(sta_reader, SERIES, top=5, skip=7) == everything[7:12]
    assert list_ids(sta_reader, SERIES, skip=40) == everything[40:]
    assert ask(sta_reader, SERIES, top=0) == {"value": []}
    assert list_ids(sta_reader, SERIES, top=1_000_000) == everything


@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_count_is_of_all_pages_and_of_the_filter(sta_reader: TestClient) -> None:
    assert ask(sta_reader, SERIES, count="true", top=1)["@iot.count"] == LEVELS - 1
    assert ask(sta_reader, SERIES, count="true", filter="result lt 2")["@iot.count"] == 4
    assert "@iot.count" not in ask(sta_reader, SERIES, count="false")


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (SERIES, {}),
        (SERIES, {"orderby": "phenomenonTime desc"}),
        (SERIES, {"orderby": "id desc"}),
        (SERIES, {"orderby": "result desc"}),
        (SERIES, {"filter": "result gt 3", "select": "id"}),
        ("Observations", {"orderby": "phenomenonTime"}),
        ("Observations", {"orderby": "phenomenonTime desc"}),
        ("Observations", {"orderby": "resultQuality"}),
        ("Things", {"orderby": "id"}),
        ("Things('T-1')/Datastreams", {"orderby": "name"}),
        (f"{SERIES}/$ref", {}),
    ],
)
@pytest.mark.parametrize("skip", [0, 2])
@pytest.mark.conformance("iot_sensing/1.1/req/request-data")
def test_pagination_covers_everything_once(
    sta_reader: TestClient, path: str, options: dict[str, object], skip: int
) -> None:
    def list_links(pages: list[Any]) -> list[Any]:
        return [entity.get("@iot.id", entity.get("@iot.selfLink")) for page in pages for entity in page["value"]]

    whole = list_links([ask(sta_reader, path, top=1000, **options)])
    pages = follow(sta_reader, path, top=7, **options, **({"skip": skip} if skip else {}))
    assert list_links(pages) == whole[skip:]
    assert len(set(whole)) == len(whole)
    assert all(len(page["value"]) == 7 for page in pages[:-1])


@given(size=st.integers(1, 60), descending=st.booleans())
@settings(max_examples=15, deadline=None)
def test_pages_of_any_size_join_to_the_whole(sta_reader: TestClient, size: int, descending: bool) -> None:
    order = "phenomenonTime desc" if descending else "phenomenonTime"
    whole = list_ids(sta_reader, "Observations", orderby=order, top=1000)
    assert list_followed(follow(sta_reader, "Observations", orderby=order, top=size)) == whole


def test_deep_pages_go_on_from_the_last_id(sta_reader: TestClient) -> None:
    page = ask(sta_reader, SERIES, top=3)
    assert page["@iot.nextLink"] == f"{ROOT}/{SERIES}?$top=3&$skiptoken={page['value'][-1]['@iot.id']}"


def test_a_page_has_a_hundred_unless_asked_otherwise(sta_reader: TestClient) -> None:
    expected = len(ask(sta_reader, "Observations", top=1000)["value"])
    assert expected < 100
    assert "@iot.nextLink" not in ask(sta_reader, "Observations")


# req/request-data/status-code, query-status-code


@pytest.mark.parametrize(
    ("path", "options", "named"),
    [
        ("Things", {"top": "-1"}, "$top '-1'"),
        ("Things", {"top": "x"}, "$top 'x'"),
        ("Things", {"skip": "1.5"}, "$skip '1.5'"),
        ("Things", {"skip": "9" * 30}, "$skip"),
        ("Things", {"count": "maybe"}, "$count 'maybe'"),
        ("Things", {"select": "nothing"}, "nothing"),
        ("Things", {"select": ""}, "nothing called ''"),
        ("Things", {"expand": "Nothing"}, "Nothing"),
        ("Things", {"expand": "Datastreams($top=1"}, "partner"),
        ("Things", {"expand": "Datastreams($foo=1)"}, "$foo"),
        ("Things", {"expand": "Datastreams($top=1;$top=2)"}, "twice"),
        ("Things", {"expand": "Datastreams($top=1),Datastreams($top=2)"}, "twice"),
        ("Things", {"orderby": "nothing"}, "nothing"),
        ("Things", {"orderby": "Datastreams/name"}, "many"),
        ("Things", {"orderby": "Datastreams"}, "many"),
        ("Datastreams", {"orderby": "Thing"}, "link"),
        ("Locations", {"orderby": "location"}, "order"),
        ("Things", {"orderby": ",".join(["name"] * 20)}, "20 terms"),
        ("Things", {"resultFormat": "dataArray"}, "dataArray"),
        ("Observations", {"resultFormat": "CSV"}, "CSV"),
        ("Observations", {"resultFormat": "dataArray", "expand": "Datastream"}, "$expand"),
        ("Things", {"nothing": "1"}, "$nothing"),
        ("Things('T-1')", {"top": "1"}, "$top"),
        ("Things('T-1')/name", {"select": "name"}, "$select"),
        ("Things", {"skiptoken": "x", "orderby": "name"}, "$skiptoken"),
        ("Observations", {"skiptoken": "x"}, "$skiptoken"),
    ],
)
def test_a_wrong_option_is_named(sta_reader: TestClient, path: str, options: dict[str, str], named: str) -> None:
    assert named in refuse(sta_reader, path, **options)


def test_an_option_given_twice_is_refused(sta_reader: TestClient) -> None:
    answer = sta_reader.get("/sta/v1.1/Things?$top=1&$top=2")
    assert (answer.status_code, "twice" in answer.json()["message"]) == (400, True)


# Data arrays (req/data-array/data-array), reading


@pytest.mark.conformance("iot_sensing/1.1/req/data-array/data-array")
def test_data_array(sta_reader: TestClient) -> None:
    found = ask(sta_reader, "Observations", resultFormat="dataArray", count="true", top=1000)
    assert found["@iot.count"] == sum(array["dataArray@iot.count"] for array in found["value"])
    links = [array["Datastream@iot.navigationLink"] for array in found["value"]]
    assert links == [f"{ROOT}/Datastreams('{key}')" for key in ("D-1", "D-2", "D-3")]
    plain = ask(sta_reader, "Observations", top=1000)["value"]
    names = found["value"][0]["components"]
    assert names[:3] == ["id", "phenomenonTime", "result"]
    rows = [dict(zip(names, values, strict=True)) for array in found["value"] for values in array["dataArray"]]
    assert [(row["id"], row["result"], row["phenomenonTime"]) for row in rows] == [
        (each["@iot.id"], each["result"], each["phenomenonTime"]) for each in plain
    ]


def test_data_array_with_select_and_pages(sta_reader: TestClient) -> None:
    options = {"resultFormat": "dataArray", "select": "result,phenomenonTime"}
    pages = follow(sta_reader, SERIES, top=20, **options)
    assert [array["components"] for page in pages for array in page["value"]] == [["result", "phenomenonTime"]] * 3
    results = [row[0] for page in pages for array in page["value"] for row in array["dataArray"]]
    assert results == [each["result"] for each in ask(sta_reader, SERIES)["value"]]


@pytest.mark.parametrize(
    ("path", "options", "most"),
    [
        ("Things", {"expand": "Datastreams($expand=Observations,Sensor),Locations/HistoricalLocations"}, 1),
        ("Observations", {"expand": "Datastream/Thing,FeatureOfInterest", "count": "true"}, 2),
        ("Datastreams('D-1')/Observations", {"expand": "Datastream/Thing/Locations"}, 2),
        ("Datastreams('D-1')/Thing/Locations", {}, 2),
        ("Datastreams('D-1')", {"expand": "Observations/FeatureOfInterest,Thing/Locations"}, 1),
    ],
)
def test_expansions_cost_no_statement_a_row(
    sta_reader: TestClient, path: str, options: dict[str, str], most: int
) -> None:
    engine = cast(Any, sta_reader.app).state.resources.engine
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        ask(sta_reader, path, **options)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(statements) <= most


def test_items_of_the_layer_sensors_are_things(client: TestClient) -> None:
    found = ask(client, "Things('S-1')", expand="Locations,HistoricalLocations,Datastreams/ObservedProperty")
    assert found["name"] == "Sông Hậu"
    assert found["Locations"][0]["location"]["type"] == "Point"
    assert len(found["HistoricalLocations"]) == 1
    assert found["Datastreams"][0]["ObservedProperty"]["@iot.id"] == "stage"
    newest = ask(client, "Datastreams('S-1.stage')/Observations", orderby="phenomenonTime desc", top=1)["value"][0]
    assert newest["phenomenonTime"] == "2026-11-07T22:30:00Z"
    assert list_ids(client, "Things", filter="Datastreams/id eq 'S-1.stage'") == ["S-1"]
