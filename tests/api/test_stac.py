"""The catalogue of runs: valid STAC, links that lead on, a search that covers all of it once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pystac
import pytest
from pystac.validation import JsonSchemaSTACValidator
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.schema import Text
from tests.api.conftest import ADDRESS, BOUNDS, START
from tests.api.test_discovery import collect_links
from twin.store import claim_run, create_run, delete_runs, finish_run
from twin.store_stac import STATIC

MIDDLE = [(BOUNDS[0] + BOUNDS[2]) / 2, (BOUNDS[1] + BOUNDS[3]) / 2]
AROUND = f"{BOUNDS[0]},{BOUNDS[1]},{BOUNDS[2]},{BOUNDS[3]}"
ELSEWHERE = "0,0,1,1"


@pytest.fixture
def more_runs(writer: Engine) -> Iterator[list[str]]:
    """Seven more finished runs without rasters, a day apart, and one that failed to finish."""
    ids = []
    # Each in a transaction of its own: an entry is as old as its transaction.
    for day in range(7):
        with writer.begin() as connection:
            run_id = create_run(connection, process="flood-scenario", inputs={}, title=Text("Kịch bản", "S"))
            claim_run(connection, run_id)
            finish_run(
                connection, run_id, title=Text("Kịch bản", "Scenario"), base_time=START + timedelta(days=day),
                horizon_hours=6.0, summary={}, stage_forecast=None, balance=None, provenance={},
            )  # fmt: skip
            ids.append(run_id)
    with writer.begin() as connection:
        ids.append(create_run(connection, process="flood-scenario", inputs={}, title=Text("Kịch bản", "S")))
    yield ids
    with writer.begin() as connection:
        delete_runs(connection, ids)


def validate(document: dict[str, Any]) -> None:
    """Raise for what is not valid by the schemas of STAC 1.1 (core), which PySTAC brings along."""
    kind = pystac.read_dict(document).STAC_OBJECT_TYPE
    assert JsonSchemaSTACValidator().validate_core(document, kind, "1.1.0") is not None


def find_link(document: dict[str, Any], rel: str) -> dict[str, Any]:
    return next(link for link in document["links"] if link["rel"] == rel)


def search(client: TestClient, **asked: Any) -> list[str]:
    """Return the ids found, the same by GET and by POST."""
    plain = {
        name: ",".join(str(each) for each in value) if isinstance(value, list) else value
        for name, value in asked.items()
    }
    got = client.get("/stac/search", params=plain)
    posted = client.post("/stac/search", json=asked)
    assert got.status_code == posted.status_code == 200, (got.text, posted.text)
    ids = [feature["id"] for feature in got.json()["features"]]
    assert ids == [feature["id"] for feature in posted.json()["features"]]
    return ids


@pytest.mark.conformance(
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
)
def test_every_document_is_valid_and_every_link_leads_on(client: TestClient, more_runs: list[str]) -> None:
    root = client.get("/stac").json()
    validate(root)
    assert root["stac_version"] == "1.1.0"
    assert "https://api.stacspec.org/v1.0.0/item-search" in root["conformsTo"]
    assert client.get("/stac/conformance").json()["conformsTo"] == root["conformsTo"]
    children = [client.get(link["href"]).json() for link in root["links"] if link["rel"] == "child"]
    listed = client.get(find_link(root, "data")["href"]).json()["collections"]
    assert children == listed
    assert [each["id"] for each in listed] == ["flood-forecast", "flood-scenario", STATIC]
    for collection in listed:
        validate(collection)
        page = client.get(find_link(collection, "items")["href"]).json()
        assert page["features"]
        for item in page["features"]:
            validate(item)
            assert client.get(find_link(item, "self")["href"]).json() == item
            assert item["collection"] == collection["id"]
            for link in collect_links(item):
                if link.get("templated"):
                    continue
                answer = client.get(link["href"])
                assert answer.status_code == 200, link
                assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0], link


def test_a_run_carries_its_record_and_its_files(client: TestClient) -> None:
    [item] = client.get("/stac/collections/flood-forecast/items").json()["features"]
    assert item["bbox"] == list(BOUNDS)
    said = item["properties"]
    assert said["datetime"] is None
    assert (said["start_datetime"], said["end_datetime"]) == ("2026-11-01T00:00:00Z", "2026-11-01T02:00:00Z")
    assert said["twin:balance"] == {"relative_error": 0.0}
    assert said["twin:inputs"] == {"horizon_hours": 24}
    assert said["twin:summary"] == {"people": 3}
    assert said["twin:synthetic"] is True
    depth = item["assets"]["flood_depth"]
    assert (depth["proj:code"], depth["proj:shape"], depth["unit"]) == ("EPSG:5897", [200, 200], "m")
    assert depth["proj:epsg"] == 5897
    assert depth["proj:transform"] == [10.0, 0.0, 579_900.0, 0.0, -10.0, 1_109_000.0]
    assert [band["name"] for band in depth["bands"]][-1] == "2026-11-01T02:00:00Z"
    assert depth["type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert {"thumbnail", "record", "flood_assets"} <= set(item["assets"])
    assert find_link(item, "xyz")["href"].endswith(f"{item['id']}.flood_depth/{{z}}/{{x}}/{{y}}.png")
    assert find_link(item, "via")["href"] == f"{ADDRESS}/api/runs/{item['id']}"


def test_a_file_that_is_gone_is_no_asset(client: TestClient, writer: Engine) -> None:
    rename = text("update run.raster set path = :path where id = 'terrain'")
    with writer.begin() as connection:
        connection.execute(rename, {"path": "nothing.tif"})
    try:
        item = client.get(f"/stac/collections/{STATIC}/items/terrain").json()
        assert item["assets"] == {}
        validate(item)
    finally:
        with writer.begin() as connection:
            connection.execute(rename, {"path": "terrain.tif"})


@pytest.mark.conformance("https://api.stacspec.org/v1.0.0/item-search")
def test_items_are_found_by_place_time_and_collection(client: TestClient, more_runs: list[str]) -> None:
    [forecast] = search(client, collections=["flood-forecast"])
    done = more_runs[:7]
    assert set(search(client)) == {forecast, "terrain", *done}
    assert set(search(client, bbox=[float(part) for part in AROUND.split(",")])) == {forecast, "terrain"}
    assert search(client, bbox=[0, 0, 1, 1]) == []
    # Over the antimeridian, eastwards from 170 to 106: all the way round to the city.
    assert set(search(client, bbox=[170, 0, 106, 20])) == {forecast, "terrain"}
    assert search(client, datetime="2026-11-01T01:00:00Z", collections=["flood-forecast"]) == [forecast]
    assert search(client, datetime="2026-11-01T02:00:01Z/2026-11-01T03:00:00Z", collections=["flood-forecast"]) == []
    assert search(client, datetime="2026-11-03/2026-11-04") == done[2:4][::-1]
    assert search(client, datetime="2026-11-06T12:00:00Z/..", collections=["flood-scenario"]) == [done[6]]
    assert set(search(client, ids=["terrain", done[0]])) == {"terrain", done[0]}
    assert search(client, ids=["terrain"], collections=["flood-forecast"]) == []
    assert search(client, collections=["nothing"]) == []
    point = {"type": "Point", "coordinates": MIDDLE}
    found = client.post("/stac/search", json={"intersects": point, "collections": [STATIC]}).json()
    assert [item["id"] for item in found["features"]] == ["terrain"]
    off = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    assert client.post("/stac/search", json={"intersects": off}).json()["features"] == []


@pytest.mark.parametrize("limit", [1, 3, 8, 100])
@pytest.mark.conformance("https://api.stacspec.org/v1.0.0/item-search")
def test_pages_hold_every_item_once(client: TestClient, more_runs: list[str], limit: int) -> None:
    for path in ("/stac/search", "/stac/collections/flood-scenario/items"):
        found: list[str] = []
        answer = client.get(path, params={"limit": limit, "datetime": "2026-11-01/2027-11-30"}).json()
        while True:
            assert answer["numberReturned"] == len(answer["features"]) <= limit
            found += [item["id"] for item in answer["features"]]
            following = [link for link in answer["links"] if link["rel"] == "next"]
            if not following:
                break
            assert dict(parse_qsl(urlsplit(following[0]["href"]).query))["datetime"] == "2026-11-01/2027-11-30"
            answer = client.get(following[0]["href"]).json()
        assert len(found) == len(set(found)) >= 7
        assert set(found) >= set(more_runs[:7])


def test_a_body_is_carried_from_page_to_page(client: TestClient, more_runs: list[str]) -> None:
    body: dict[str, Any] | None = {"collections": ["flood-scenario"], "limit": 2}
    found: list[str] = []
    while body is not None:
        answer = client.post("/stac/search", json=body).json()
        found += [item["id"] for item in answer["features"]]
        following = [link for link in answer["links"] if link["rel"] == "next"]
        body = following[0]["body"] if following else None
        assert not following or following[0]["method"] == "POST"
    assert found == more_runs[:7][::-1]


def test_items_entered_meanwhile_move_no_page(client: TestClient, more_runs: list[str], writer: Engine) -> None:
    first = client.get("/stac/search?collections=flood-scenario&limit=3").json()
    with writer.begin() as connection:
        run_id = create_run(connection, process="flood-scenario", inputs={}, title=Text("Mới", "New"))
        claim_run(connection, run_id)
        finish_run(
            connection, run_id, title=Text("Mới", "New"), base_time=datetime.now(UTC), horizon_hours=1.0, summary={},
            stage_forecast=None, balance=None, provenance={},
        )  # fmt: skip
    try:
        second = client.get(find_link(first, "next")["href"]).json()
        assert [item["id"] for item in second["features"]] == more_runs[1:4][::-1]
    finally:
        with writer.begin() as connection:
            delete_runs(connection, [run_id])


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=10001", "limit=x", "bbox=1,2,3", "bbox=5,5,4,4", f"bbox={AROUND}&intersects={{}}", "datetime=x",
     "datetime=2026-11-02/2026-11-01", "datetime=../..", "token=abc", "token=!", "intersects=[", "intersects=[]",
     'intersects={"type":"Point"}', 'intersects={"type":"Point","coordinates":[500,0]}', "sortby=id", "ids=a&ids=b",
     f"ids={'x' * 300}"],
)  # fmt: skip
def test_a_search_that_cannot_be_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/stac/search?{query}").status_code == 400


@pytest.mark.parametrize(
    "body",
    [{"bbox": "1,2,3,4"}, {"bbox": [1, 2, 3]}, {"bbox": [True, None]}, {"limit": "3"}, {"limit": True}, {"limit": 0},
     {"ids": "terrain"}, {"ids": [1]}, {"collections": ["a\x00"]}, {"datetime": 3}, {"token": 3}, {"what": 1},
     {"intersects": 3}, {"intersects": {"type": "Point", "coordinates": ["a", "b"]}}, {"token": "AAAA"},
     {"intersects": {"type": "LineString", "coordinates": [[0, 0]]}}, {"bbox": [1e400, 0, 1, 1]}],
)  # fmt: skip
def test_a_body_that_cannot_be_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    words = str(body).replace("'", '"').replace("True", "true").replace("None", "null").replace("inf", "1e400")
    words = words.replace("\\x00", "\\u0000")
    answer = client.post("/stac/search", content=words, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    form = client.post("/stac/search", content="a=b", headers={"content-type": "application/x-www-form-urlencoded"})
    assert form.status_code == 400


@pytest.mark.parametrize(
    "path", ["collections/nothing", "collections/nothing/items", "collections/rasters/items/nothing",
             "collections/flood-forecast/items/terrain"],
)  # fmt: skip
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    assert client.get(f"/stac/{path}").status_code == 404


def test_a_preview_shows_the_whole_raster(client: TestClient, tmp_path: Path) -> None:
    answer = client.get("/tiles/raster/terrain/preview.png?size=128")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert client.get("/tiles/raster/terrain/preview.png?size=5").status_code == 400
