"""Saved queries: kept, changed, answered, forgotten; written only by who may."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

SHOPS = {
    "title": {"vi": "Cửa hàng hai tầng", "en": "Shops of two storeys"},
    "collection": "buildings",
    "filter": "use = 'shop' and storeys = 2",
    "sortby": "-id",
    "properties": "use,storeys",
}


@pytest.fixture
def local(client: TestClient) -> Iterator[TestClient]:
    """A client on the server's own machine, which may write; it leaves no query behind."""
    opened = TestClient(client.app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))
    yield opened
    for saved in opened.get("/api/queries").json()["queries"]:
        opened.delete(f"/api/queries/{saved['id']}")


def test_a_query_is_saved_asked_changed_and_forgotten(local: TestClient) -> None:
    made = local.post(
        "/api/queries", json={"id": "shops", **SHOPS}, headers={"twin-author": "Phòng Quản lý đô thị".encode()}
    )
    assert made.status_code == 201, made.text
    assert made.headers["location"].endswith("/api/queries/shops")
    assert made.json()["author"] == "Phòng Quản lý đô thị"
    assert local.post("/api/queries", json={"id": "shops", **SHOPS}).status_code == 409

    page = local.get("/api/queries/shops/items?count=true&limit=1").json()
    assert (page["numberMatched"], page["features"][0]["id"]) == (2, "b21")
    assert set(page["features"][0]["properties"]) == {"use", "storeys"}
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert [f["id"] for f in local.get(following).json()["features"]] == ["b1"]
    assert (
        local.get("/api/queries/shops/items", params={"filter": "id = 'b1'", "count": "true"}).json()["numberMatched"]
        == 1
    )
    assert local.get("/api/queries/shops/items?f=csv").text.splitlines()[1].startswith("b21,shop,2")

    changed = local.put("/api/queries/shops", json={**SHOPS, "filter": "use = 'shop'"})
    assert changed.status_code == 200
    assert local.get("/api/queries/shops/items?count=true").json()["numberMatched"] == 10
    assert [q["id"] for q in local.get("/api/queries?collection=buildings").json()["queries"]] == ["shops"]
    assert local.get("/api/queries?collection=trees").json()["queries"] == []

    assert local.delete("/api/queries/shops").status_code == 204
    assert local.get("/api/queries/shops").status_code == 404
    assert local.get("/api/queries/shops/items").status_code == 404
    assert local.delete("/api/queries/shops").status_code == 404


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"filter": "usee = 'shop'"}, "has no property 'usee'"),
        ({"filter": "use = 'shop'\u0000"}, "cannot be read"),
        ({"sortby": "nothing"}, "has no property 'nothing'"),
        ({"properties": "use,nothing"}, "has no property 'nothing'"),
        ({"collection": "nowhere"}, "'nowhere', which does not exist"),
        ({"id": "No Name"}, "is not a name"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_query_that_could_never_be_answered_is_not_kept(
    local: TestClient, change: dict[str, str], found: str
) -> None:
    answer = local.post("/api/queries", json={"id": "shops", **SHOPS, **change})
    assert answer.status_code == 400, answer.text
    assert found in answer.json()["detail"]
    assert local.get("/api/queries").json()["queries"] == []


def test_only_who_may_write_saves(client: TestClient) -> None:
    stranger = TestClient(client.app, base_url="http://twin.example", client=("203.0.113.7", 50_000))
    assert stranger.post("/api/queries", json={"id": "shops", **SHOPS}).status_code == 403
    assert stranger.put("/api/queries/shops", json=SHOPS).status_code == 403
    assert stranger.delete("/api/queries/shops").status_code == 403
    assert stranger.get("/api/queries").status_code == 200
