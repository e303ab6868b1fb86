"""Attachments, inspections and work orders over HTTP, as a crew's tablet uses them."""

import hashlib
from collections.abc import Iterator
from io import BytesIO
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.app import create_app
from layers.registry import VECTOR_LAYERS
from layers.store.features import delete_features, upsert_features
from twin.settings import Settings

ITEM = "/api/collections/road_links/items/r 3/á"
LOCAL = {"host": "localhost", "twin-author": quote("Đội thoát nước 1"), "twin-reason": quote("kiểm tra")}


@pytest.fixture(scope="module")
def crew(settings: Settings) -> Iterator[TestClient]:
    """A client on the server's own machine."""
    app = create_app(settings.model_copy(update={"attachment_mb": 1}))
    with TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 50000), headers=LOCAL) as opened:
        yield opened


def make_jpeg() -> bytes:
    out = BytesIO()
    with rasterio.open(out, "w", driver="JPEG", width=40, height=30, count=3, dtype="uint8") as image:
        image.write(np.full((3, 30, 40), 90, dtype=np.uint8))
    return out.getvalue()


def test_a_photograph_comes_back_byte_for_byte(crew: TestClient) -> None:
    photo = make_jpeg()
    name = {"content-type": "image/jpeg", "content-disposition": "attachment; filename*=UTF-8''..%2Fn%E1%BA%AFp.jpg"}
    made = crew.post(f"{ITEM}/attachments", params={"title": "Nắp vỡ"}, content=photo, headers=name)
    assert made.status_code == 201, made.text
    kept = made.json()
    assert (kept["filename"], kept["title"], kept["author"]) == ("nắp.jpg", "Nắp vỡ", "Đội thoát nước 1")
    assert kept["sha256"] == hashlib.sha256(photo).hexdigest()
    assert crew.get(f"{ITEM}/attachments").json()["attachments"] == [kept]
    got = crew.get(f"/api/attachments/{kept['id']}")
    assert got.content == photo and got.headers["content-type"] == "image/jpeg"
    assert crew.delete(f"/api/attachments/{kept['id']}").status_code == 204
    assert crew.get(f"/api/attachments/{kept['id']}").status_code == 404
    assert crew.get(f"{ITEM}/attachments").json()["attachments"] == []


@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (b"", "image/png", 400, "empty"),
        (b"<script>", "text/html", 400, "text/html"),
        (b"not a jpeg", "image/jpeg", 400, "JPG"),
        (b"x" * 1_100_000, "application/pdf", 413, "larger"),
    ],
)
def test_a_bad_file_is_named_and_not_kept(
    crew: TestClient, settings: Settings, content: bytes, kind: str, status: int, words: str
) -> None:
    answer = crew.post(f"{ITEM}/attachments", content=content, headers={"content-type": kind})
    assert answer.status_code == status and words in answer.json()["detail"], answer.text
    assert list((settings.processed_dir / "attachments").glob(".incoming-*")) == []


def test_no_file_is_taken_for_an_item_that_does_not_exist(crew: TestClient) -> None:
    answer = crew.post(
        "/api/collections/trees/items/none/attachments", content=make_jpeg(), headers={"content-type": "image/jpeg"}
    )
    assert answer.status_code == 404 and "none" in answer.json()["detail"]


def test_a_bad_grade_opens_a_work_order_that_runs_to_its_end(crew: TestClient) -> None:
    seen = {
        "inspected": "2026-11-20",
        "inspector": "Đội 1",
        "grade": 5,
        "observations": [{"code": "BAC", "position": 2.5, "text": "vỡ"}],
        "open_work_order": True,
    }
    made = crew.post("/api/collections/trees/items/t00007/inspections", json=seen)
    assert made.status_code == 201, made.text
    order = made.json()["work_order"]
    assert order["status"] == "open" and order["priority"] == "urgent" and order["inspection"] == made.json()["id"]
    assert crew.get("/api/inspections", params={"worst": 5, "collection": "trees"}).json()["inspections"]
    address = f"/api/work-orders/{order['id']}"
    for status, extra, code in (
        ("done", {}, 409),
        ("assigned", {"assignee": "Đội cây xanh"}, 200),
        ("done", {}, 200),
        ("verified", {}, 200),
        ("open", {}, 409),
    ):
        moved = crew.post(f"{address}/transitions", json={"status": status, **extra})
        assert moved.status_code == code, moved.text
    steps = crew.get(address).json()["events"]
    assert [one["to"] for one in steps] == ["open", "assigned", "done", "verified"]
    found = crew.get("/api/work-orders", params={"collection": "trees", "feature": "t00007"}).json()["features"]
    assert [one["id"] for one in found] == [order["id"]] and found[0]["geometry"]["type"] == "Point"


def test_the_newest_grade_is_the_condition(crew: TestClient, writer: Engine) -> None:
    layer = VECTOR_LAYERS["drainage_nodes"]
    frame = gpd.GeoDataFrame(
        {"id": ["hg-1"], "node_type": "manhole"}, geometry=[shapely.Point(580_100.0, 1_108_100.0)], crs="EPSG:5897"
    )
    with writer.begin() as connection:
        upsert_features(connection, layer, frame, source_id="upkeep")
    address = "/api/collections/drainage_nodes/items/hg-1"
    try:
        for inspected, grade, condition in (
            ("2026-11-01", 4, "poor"),
            ("2026-10-01", 1, "poor"),
            ("2026-11-02", 3, "fair"),
        ):
            body = {"inspected": inspected, "inspector": "Đội 1", "grade": grade}
            assert crew.post(f"{address}/inspections", json=body).status_code == 201
            assert crew.get(address).json()["properties"]["condition"] == condition
    finally:
        with writer.begin() as connection:
            delete_features(connection, layer, ["hg-1"])


def test_a_change_needs_to_know_what_it_changes(crew: TestClient) -> None:
    body = {"title": "Quét hố ga", "kind": "clean", "position": {"lon": 105.73, "lat": 10.02}}
    made = crew.post("/api/work-orders", json=body)
    assert made.status_code == 201, made.text
    address, tag = f"/api/work-orders/{made.json()['id']}", made.headers["etag"]
    assert crew.patch(address, json={"priority": "high"}).status_code == 428
    assert crew.patch(address, json={"priority": "high"}, headers={"if-match": tag}).status_code == 200
    assert crew.patch(address, json={"priority": "low"}, headers={"if-match": tag}).status_code == 412
    assert crew.get(address).json()["priority"] == "high"
    box = {"bbox": "105.7,10,105.8,10.1", "status": "open,assigned"}
    assert made.json()["id"] in [one["id"] for one in crew.get("/api/work-orders", params=box).json()["features"]]


@pytest.mark.parametrize(
    "body",
    [
        {"title": "", "kind": "clean", "position": {"lon": 1, "lat": 1}},
        {"title": "a", "kind": "dance", "position": {"lon": 1, "lat": 1}},
        {"title": "a", "kind": "clean"},
        {"title": "a", "kind": "clean", "items": [{"collection": "trees", "feature": "none"}]},
        {"title": "a", "kind": "clean", "position": {"lon": 200, "lat": 1}},
        {"title": "a", "kind": "clean", "position": {"lon": 1, "lat": 1}, "boss": "x"},
    ],
)
def test_a_bad_order_is_refused(crew: TestClient, body: dict[str, object]) -> None:
    answer = crew.post("/api/work-orders", json=body)
    assert answer.status_code in (400, 404, 422) and answer.json()["detail"]


def test_the_record_is_for_the_office(crew: TestClient) -> None:
    stranger = TestClient(crew.app, client=("192.0.2.7", 50000))
    for path in ("/api/work-orders", "/api/inspections", "/api/attachments/1", f"{ITEM}/attachments"):
        assert stranger.get(path).status_code == 403, path
