"""The quarantine over HTTP: who may write reads it, mends rows, tries them again and dismisses them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source

HEADERS = {"twin-author": "Lan", "twin-reason": quote("đo lại")}


@pytest.fixture
def rows(writer: Engine, tmp_path: Path, client: TestClient) -> Iterator[list[dict[str, Any]]]:
    """Five rejected trees, as the API lists them."""
    lines = [f"q{number},105.74,10.02,{-number - 1}" for number in range(5)]
    (tmp_path / "q.csv").write_text("\n".join(["id,lon,lat,height", *lines, "q9,105.74,10.02,9"]))
    words = Words(vi="thử", en="test")
    source = Source(id="http", uri="q.csv", layer="trees", title=words, licence="CC0-1.0", attribution="test")
    load_source(writer, source, tmp_path)
    yield client.get("/api/quarantine", params={"source": "http"}).json()["rows"]
    with writer.begin() as connection:
        connection.execute(text("delete from city.trees where source_id = 'http'"))
        connection.execute(text("delete from meta.quarantine where source_id = 'http'"))


def test_pages_come_in_order_with_all_that_is_wrong(client: TestClient, rows: list[dict[str, Any]]) -> None:
    page = client.get("/api/quarantine", params={"source": "http", "field": "height", "limit": 2}).json()
    assert page["summary"] == [
        {
            "source": "http",
            "layer": "trees",
            "field": "height",
            "reason": "outside 0 to 1000 m",
            "words": {"vi": "ngoài khoảng 0 đến 1000 m", "en": "outside 0 to 1000 m"},
            "rows": 5,
        }
    ]
    found = page["rows"]
    while page["links"]:
        assert page["links"][0]["rel"] == "next"
        page = client.get(page["links"][0]["href"]).json()
        assert "summary" not in page
        found += page["rows"]
    assert [row["value"] for row in found] == ["-1", "-2", "-3", "-4", "-5"]
    assert client.get(f"/api/quarantine/{rows[0]['id']}").json() == rows[0]
    assert rows[0]["payload"] == {"id": "q0", "lon": "105.74", "lat": "10.02", "height": "-1"} | {
        name: rows[0]["payload"][name] for name in ("_wkt", "_crs")
    }
    assert client.get("/api/quarantine", params={"source": "http", "text": "q3"}).json()["rows"] == [rows[3]]
    assert client.get("/api/quarantine", params={"source": "http", "reason": "none"}).json()["rows"] == []


def test_mend_retry_and_dismiss(client: TestClient, rows: list[dict[str, Any]]) -> None:
    first, second = (f"/api/quarantine/{row['id']}" for row in rows[:2])
    wrong = client.post(f"{first}/mend", json={"properties": {"height": -7}}, headers=HEADERS)
    assert (wrong.status_code, wrong.headers["content-type"]) == (422, "application/problem+json")
    finding = wrong.json()["findings"][0]
    assert (finding["field"], finding["value"], finding["reason"]) == ("height", "-7", "outside 0 to 1000 m")
    assert finding["words"]["vi"] == "ngoài khoảng 0 đến 1000 m"
    assert client.get(first).json()["changes"] == {"height": -7}
    point = {"type": "Point", "coordinates": [105.75, 10.03]}
    right = client.post(f"{first}/mend", json={"properties": {"height": 7}, "geometry": point}, headers=HEADERS).json()
    assert (right["status"], right["feature_id"]) == ("mended", "q0")
    item = client.get(right["links"][0]["href"]).json()
    assert item["properties"]["height"] == 7
    assert item["geometry"]["coordinates"] == pytest.approx([105.75, 10.03], abs=1e-6)
    assert client.post(f"{first}/mend", json={"properties": {"height": 8}}).status_code == 409
    assert client.get(first).json()["settled_why"] == "đo lại"
    retried = client.post("/api/quarantine/retry", json={"source": "http"}, headers=HEADERS).json()
    assert (retried["mended"], retried["open"]) == (0, 4)
    assert client.delete(second, headers=HEADERS).status_code == 204
    assert client.delete(second, headers=HEADERS).status_code == 204
    assert client.get(second).json()["status"] == "dismissed"
    assert len(client.get("/api/quarantine", params={"source": "http"}).json()["rows"]) == 3
    assert len(client.get("/api/quarantine", params={"source": "http", "status": "dismissed"}).json()["rows"]) == 1


def test_many_are_mended_with_the_same_value_as_one_edit(client: TestClient, rows: list[dict[str, Any]]) -> None:
    body = {"ids": [row["id"] for row in rows[:2]], "set": {"height": 7}}
    retried = client.post("/api/quarantine/retry", json=body, headers=HEADERS).json()
    assert (retried["mended"], retried["open"]) == (2, 0)
    edit = client.get("/api/edits", params={"kind": "mend", "limit": 1}).json()["edits"][0]
    assert client.get(f"/api/edits/{edit['id']}").json()["counts"] == {"trees": 2}
    unknown = client.post("/api/quarantine/retry", json={**body, "ids": [rows[3]["id"]], "set": {"colour": "red"}})
    assert (unknown.status_code, "no column 'colour'" in unknown.text) == (400, True)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "nothing is changed"),
        ({"properties": {"colour": "red"}}, 400, "no column 'colour'"),
        ({"geometry": {"type": "Blob"}}, 400, "not a GeoJSON geometry"),
        ({"geometry": {"type": "Point", "coordinates": ["a", "b"]}}, 400, "not a GeoJSON geometry"),
        ({"geometry": {"type": "LineString", "coordinates": [[105.7, 10.0], [105.8, 10.0]]}}, 422, "LineString"),
        ({"geometry": {"type": "Point", "coordinates": [5.7, 50.0]}}, 422, "far outside"),
        ({"properties": {"height": {"a": 1}}}, 400, "height"),
    ],
)
def test_what_cannot_be_mended_is_said(
    client: TestClient, rows: list[dict[str, Any]], body: dict[str, Any], status: int, words: str
) -> None:
    answer = client.post(f"/api/quarantine/{rows[2]['id']}/mend", json=body)
    assert answer.status_code == status, answer.text
    assert words in answer.text


def test_who_may_not_write_may_not_read_it(client: TestClient, rows: list[dict[str, Any]]) -> None:
    abroad = {"host": "twin.example"}
    for method, path in (
        ("get", "/api/quarantine"),
        ("get", f"/api/quarantine/{rows[0]['id']}"),
        ("delete", f"/api/quarantine/{rows[0]['id']}"),
    ):
        assert client.request(method, path, headers=abroad).status_code == 403
    assert client.get("/api/quarantine/999999999").status_code == 404
