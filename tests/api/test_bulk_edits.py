"""Bulk changes and edits that are only tried: what is told, what is written, what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.datum import CRS84, make_transformer
from tests.api.conftest import X0, Y0

BENCHES = "/api/collections/stops/items"
BULK = "/api/edits/bulk"


@pytest.fixture(autouse=True)
def benches(client: TestClient, writer: Engine) -> Iterator[None]:
    """Three stops, gone afterwards."""
    place = list(make_transformer("EPSG:5897", CRS84).transform(X0, Y0))
    edits = [
        {
            "op": "create",
            "collection": "stops",
            "id": named,
            "feature": {"geometry": {"type": "Point", "coordinates": place}, "properties": {"name": named}},
        }
        for named in ("a", "b", "c")
    ]
    assert client.post("/api/edits", json={"reason": "set up", "edits": edits}).status_code == 201
    yield
    with writer.begin() as connection:
        connection.execute(text("delete from city.stops"))
        connection.execute(text("delete from history.stops"))


def change(client: TestClient, query: str = "", **body: Any) -> Any:
    return client.post(BULK + query, json={"collection": "stops", "reason": "renamed", **body})


def names(client: TestClient) -> dict[str, str]:
    return {one["id"]: one["properties"]["name"] for one in client.get(BENCHES).json()["features"]}


def test_a_change_of_many_is_told_before_done_as_one_and_taken_back_as_one(client: TestClient) -> None:
    asked: dict[str, Any] = {"filter": "name in ('a', 'b')", "set": {"name": "x"}}
    told = change(client, "?check=true", **asked)
    assert told.status_code == 200
    assert told.json()["count"] == told.json()["changed"] == 2
    assert told.json()["edit"] is None
    assert told.json()["samples"][0] == {"id": "a", "properties": {"name": {"old": "a", "new": "x"}}}
    assert names(client) == {"a": "a", "b": "b", "c": "c"}

    done = change(client, **asked)
    assert done.status_code == 201
    assert names(client) == {"a": "x", "b": "x", "c": "c"}
    assert client.get(f"/api/edits/{done.json()['edit']}").json()["counts"] == {"stops": 2}
    assert client.post(f"/api/edits/{done.json()['edit']}/revert").status_code == 201
    assert names(client) == {"a": "a", "b": "b", "c": "c"}


def test_what_is_so_already_does_not_change(client: TestClient) -> None:
    told = change(client, "?check=true", set={"name": "a"}).json()
    assert (told["count"], told["changed"]) == (3, 2)


def test_nothing_that_passes_is_no_edit(client: TestClient) -> None:
    answer = change(client, filter="name = 'nowhere'", set={"name": "x"})
    assert answer.status_code == 200
    assert answer.json() == {"edit": None, "count": 0, "changed": 0, "samples": [], "findings": []}


def test_one_wrong_value_leaves_all_as_they_were(client: TestClient) -> None:
    answer = change(client, set={"name": "x", "mode": "rocket"})
    assert answer.status_code == 422
    assert answer.json()["findings"][0]["property"] == "mode"
    assert set(names(client).values()) == {"a", "b", "c"}


@pytest.mark.parametrize(
    "body",
    [
        {"set": {}},
        {"set": {"name": "x"}, "filter": "nothing = 1"},
        {"set": {"name": "x"}, "filter": "name ="},
        {"set": {"name": ["x"]}},
        {"set": {"name": "x"}, "reason": ""},
        {"set": {"name": "x"}, "more": 1},
        {"set": {"name": "x"}, "reason": "x" * 501},
    ],
)
def test_what_cannot_be_read_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert change(client, **body).status_code == 400


def test_an_unknown_property_or_collection_is_named(client: TestClient) -> None:
    assert "no such property" in change(client, set={"nothing": 1}).json()["findings"][0]["reason"]["en"]
    assert change(client, collection="nothing", set={"name": "x"}).status_code == 404
    assert change(client, "?much=1", set={"name": "x"}).status_code == 400


def test_an_edit_that_is_only_tried_writes_nothing(client: TestClient) -> None:
    edit = {"op": "update", "collection": "stops", "id": "a", "if_match": "*", "patch": {"properties": {"name": "x"}}}
    edits = len(client.get("/api/edits").json()["edits"])
    told = client.post("/api/edits?check=true", json={"reason": "try", "edits": [edit]})
    assert told.status_code == 200
    assert told.json()["results"][0]["status"] == "updated"
    assert told.json()["edit"] is None
    assert names(client)["a"] == "a"
    assert len(client.get("/api/edits").json()["edits"]) == edits
