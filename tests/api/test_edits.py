"""Edits over HTTP: create, replace, update, delete, many at once, revert; ETags, preconditions, findings, history."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from httpx import Response
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.datum import CRS84, make_transformer
from tests.api.conftest import CITY, X0, Y0

BENCHES = "/api/collections/stops/items"
NODES, LINKS = "drainage_nodes", "drainage_links"
TOUCHED = ("stops", "addresses", NODES, LINKS)


@pytest.fixture(autouse=True)
def empty(writer: Engine) -> Iterator[None]:
    """Leave the collections these tests write to as empty as they were."""
    yield
    with writer.begin() as connection:
        for layer in TOUCHED:
            connection.execute(text(f"delete from city.{layer}"))
            connection.execute(text(f"delete from history.{layer}"))


def locate(x: float, y: float) -> list[float]:
    return list(make_transformer("EPSG:5897", CRS84).transform(X0 + x, Y0 + y))


def feature(named: str | None = None, x: float = 0.0, /, **properties: Any) -> dict[str, Any]:
    made = {"type": "Feature", "geometry": {"type": "Point", "coordinates": locate(x, 0)}, "properties": properties}
    return made | ({"id": named} if named is not None else {})


def create(client: TestClient, *given: Any, **properties: Any) -> Response:
    return client.post(BENCHES, json=feature(*given, **properties))


@pytest.mark.conformance(
    "ogcapi-features-4/1.0/conf/create-replace-delete",
    "ogcapi-features-4/1.0/conf/update",
    "ogcapi-features-4/1.0/conf/features",
)
def test_an_item_lives_from_post_to_delete(client: TestClient) -> None:
    made = create(client, name="Bến Ninh Kiều")
    assert made.status_code == 201
    address = made.headers["location"]
    read = client.get(address)
    assert read.json()["properties"]["name"] == "Bến Ninh Kiều"
    assert made.json()["results"][0]["href"] == address
    tag = made.headers["etag"]
    assert read.headers["etag"] == tag
    patch = {"properties": {"mode": "bus", "name": None}}
    changed = client.patch(
        address, json=patch, headers={"if-match": tag, "content-type": "application/merge-patch+json"}
    )
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    now = client.get(address).json()
    assert (now["properties"]["name"], now["properties"]["mode"]) == (None, "bus")
    back = {**now, "properties": {"name": "Bến mới"}}
    replaced = client.put(address, json=back, headers={"if-match": changed.headers["etag"]})
    assert client.get(address).json()["properties"]["mode"] is None
    assert client.get(address).json()["geometry"] == now["geometry"]
    assert client.delete(address, headers={"if-match": replaced.headers["etag"]}).status_code == 200
    assert client.get(address).status_code == 404


def test_the_catalogue_names_what_was_made_by_hand(client: TestClient) -> None:
    assert create(client, "by-hand").status_code == 201
    themes = client.get("/api/catalog").json()["themes"]
    layers = {layer["id"]: layer for theme in themes for layer in theme["layers"]}
    (source,) = [one for one in layers["stops"]["sources"] if one["id"] == "edit"]
    assert source["title"] == {"vi": "Nhập và sửa bằng tay", "en": "Entered and edited by hand"}
    assert source["attribution"] == CITY["attribution"]
    assert "edit" not in [one["id"] for one in layers["trees"]["sources"]]
    assert layers["stops"]["edited"].endswith("Z")
    assert layers["buildings"]["edited"] is None


def test_an_address_entered_by_hand_is_found(client: TestClient) -> None:
    items = "/api/collections/addresses/items"
    place = {"house_number": "117", "street": "Huỳnh Cương", "ward": "Phường Ninh Kiều"}
    made = client.post(items, json=feature("ad", **place))
    assert made.status_code == 201, made.text
    address, tag = made.headers["location"], made.headers["etag"]
    assert client.get(address).json()["properties"]["full_address"] == "117 Huỳnh Cương, Phường Ninh Kiều"
    found = client.get("/api/search", params={"q": "117 huynh cuong ninh kieu"}).json()
    assert "ad" in str(found)
    patch = {"properties": {"house_number": "119"}}
    changed = client.patch(
        address, json=patch, headers={"if-match": tag, "content-type": "application/merge-patch+json"}
    )
    assert changed.status_code == 200, changed.text
    assert client.get(address).json()["properties"]["full_address"] == "119 Huỳnh Cương, Phường Ninh Kiều"


@pytest.mark.conformance("ogcapi-features-4/1.0/conf/optimistic-locking-etags")
def test_a_stale_etag_is_refused(client: TestClient) -> None:
    address = create(client, "a").headers["location"]
    for method in ("PUT", "PATCH", "DELETE"):
        stale = client.request(method, address, json=feature(), headers={"if-match": '"1-2"'})
        assert stale.status_code == 412
        assert client.request(method, address, json=feature(), headers={"if-match": "W/1"}).status_code == 400
    assert client.delete(address, headers={"if-match": "*"}).status_code == 200


@pytest.mark.conformance("ogcapi-features-4/1.0/conf/optimistic-locking-etags")
def test_an_edit_without_an_etag_meets_whatever_is_there(client: TestClient) -> None:
    address = create(client, "a").headers["location"]
    assert client.patch(address, json={"properties": {"name": "x"}}).status_code == 200
    assert client.put(address, json=feature()).status_code == 200
    assert client.delete(address).status_code == 200
    assert client.delete(address).status_code == 404
    bare = post_edits(client, [{"op": "delete", "collection": "stops", "id": "a"}])
    assert bare.status_code == 428


def test_an_id_with_a_slash_is_one_id(client: TestClient) -> None:
    made = create(client, "k 1/á?", name="x")
    assert client.get(made.headers["location"]).json()["id"] == "k 1/á?"
    versions = client.get(f"{BENCHES}/{quote('k 1/á?', safe='')}/versions")
    assert len(versions.json()["versions"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not JSON"),
        (b"[]", 400, "not a JSON object"),
        (b'{"type": "Point"}', 400, "not 'Feature'"),
        (b'{"geometry": 7}', 400, "not a GeoJSON geometry"),
        (b'{"geometry": null}', 400, "not a GeoJSON geometry"),
        (b'{"id": 7, "geometry": {}}', 400, "id '7'"),
        (b'{"id": "a\\u0007", "geometry": {}}', 400, "control characters"),
        (b'{"crs": {}, "geometry": {}}', 400, "its own 'crs'"),
        (b'{"properties": []}', 400, "properties is not"),
        (b"{}", 422, "no geometry"),
        (b'{"geometry": {"type": "Point", "coordinates": [1e400, 2]}}', 422, "geometry"),
        (b'{"geometry": {"type": "Nonsense"}}', 422, "not a GeoJSON geometry"),
    ],
)
def test_a_wrong_body_is_named(client: TestClient, body: bytes, status: int, said: str) -> None:
    answer = client.post(BENCHES, content=body, headers={"content-type": "application/geo+json"})
    assert answer.status_code in (status, 400), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if answer.status_code == status:
        assert said in answer.json()["detail"]


def test_findings_come_with_the_problem(client: TestClient) -> None:
    answer = create(client, "a", mode="camel", colour="red")
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "urn:twin:problem:rejected-edit"
    assert {(one["rule"], one["property"]) for one in problem["findings"]} == {("domain", "mode"), ("domain", "colour")}
    assert all(one["reason"]["vi"] for one in problem["findings"])


def lay_drain() -> list[dict[str, Any]]:
    ends = [(0.0, "n1"), (40.0, "n2")]
    line = {"type": "LineString", "coordinates": [locate(x, 0) for x, _ in ends]}
    nodes = [
        {"op": "create", "collection": NODES, "feature": feature(name, x, node_type="manhole")} for x, name in ends
    ]
    properties = {"link_type": "conduit", "from_node": "n1", "to_node": "n2"}
    link = {"type": "Feature", "id": "l1", "geometry": line, "properties": properties}
    return [*nodes, {"op": "create", "collection": LINKS, "feature": link}]


def post_edits(client: TestClient, edits: list[dict[str, Any]], **given: Any) -> Response:
    return client.post("/api/edits", json={"reason": "khảo sát", "edits": edits, **given})


def test_many_edits_are_one(client: TestClient) -> None:
    wrong = [*lay_drain(), {"op": "delete", "collection": "stops", "id": "none", "if_match": "*"}]
    assert post_edits(client, wrong).status_code == 404
    assert client.get(f"/api/collections/{NODES}/items?count=true").json()["numberMatched"] == 0
    done = post_edits(client, lay_drain(), author="Tổ thoát nước")
    assert done.status_code == 201
    assert [one["status"] for one in done.json()["results"]] == ["created"] * 3
    record = client.get(done.headers["location"]).json()
    assert (record["author"], record["reason"]) == ("Tổ thoát nước", "khảo sát")
    assert record["counts"] == {NODES: 2, LINKS: 1}
    lone = post_edits(client, [{"op": "delete", "collection": NODES, "id": "n1", "if_match": "*"}])
    assert lone.status_code == 422
    (first, *_) = lone.json()["findings"]
    assert (first["rule"], first["feature"], first["collection"]) == ("ends-on-node", "l1", LINKS)
    assert first["place"] == pytest.approx(locate(0, 0), abs=1e-6)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"edits": []}, "not a list of edits"),
        ({"edits": [7]}, r"edits[0] is not"),
        ({"edits": [{"op": "paint"}]}, "op 'paint'"),
        ({"edits": [{"op": "delete", "collection": "stops", "id": "a", "x": 1}]}, "unknown member 'x'"),
        ({"edits": [{"op": "delete", "collection": "stops", "if_match": "*"}]}, "id 'None'"),
        ({"edits": [{"op": "delete", "collection": "stops", "id": "a", "if_match": 5}]}, "if_match is not a text"),
        ({"other": 1}, "unknown member 'other'"),
    ],
)
def test_a_wrong_list_of_edits_is_named(client: TestClient, document: dict[str, Any], said: str) -> None:
    answer = client.post("/api/edits", json={"reason": "x", **document})
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


def test_why_is_asked(client: TestClient) -> None:
    answer = client.post("/api/edits", json={"edits": lay_drain()})
    assert "'reason' is missing" in answer.json()["detail"]
    assert client.post("/api/edits", json={"edits": lay_drain()}, headers={"twin-reason": "v%C3%AC"}).status_code == 201


def test_versions_say_when_who_why_and_what(client: TestClient) -> None:
    headers = {"twin-author": "Lan", "twin-reason": "m%E1%BB%9Bi"}
    made = client.post(f"{BENCHES}?valid_from=2025-01-01", json=feature("a", mode="bus"), headers=headers)
    tag = made.headers["etag"]
    client.patch(f"{BENCHES}/a", json={"properties": {"mode": "ferry"}}, headers={"if-match": tag})
    moved = {"geometry": {"type": "Point", "coordinates": locate(30, 0)}}
    client.patch(f"{BENCHES}/a", json=moved, headers={"if-match": "*"})
    client.delete(f"{BENCHES}/a", headers={"if-match": "*"})
    versions = client.get(f"{BENCHES}/a/versions").json()["versions"]
    assert [one["version"] for one in versions] == [1, 2, 3]
    assert (versions[0]["edit"]["author"], versions[0]["edit"]["reason"]) == ("Lan", "mới")
    assert versions[0]["valid"][0] == "2025-01-01T00:00:00Z"
    assert versions[1]["change"] == {
        "change": "changed",
        "properties": {"mode": {"old": "bus", "new": "ferry"}},
        "moved": None,
    }
    assert versions[2]["change"]["moved"] == pytest.approx(30.0, abs=0.05)
    assert versions[2]["ended_by"]["kind"] == "edit"
    early = client.get(f"{BENCHES}/a?datetime=2025-06-01T00:00:00Z").json()
    assert early["properties"]["mode"] == "bus"
    assert client.get(f"{BENCHES}/none/versions").status_code == 404


def test_what_changed_between_two_moments(client: TestClient) -> None:
    for name in "abc":
        client.post(f"{BENCHES}?valid_from=2025-01-01", json=feature(name, mode="bus"))
    change = {"properties": {"mode": "ferry"}}
    client.patch(f"{BENCHES}/a?valid_from=2025-03-01", json=change, headers={"if-match": "*"})
    client.delete(f"{BENCHES}/b?valid_from=2025-03-01", headers={"if-match": "*"})
    client.post(f"{BENCHES}?valid_from=2025-03-01", json=feature("d"))
    address = "/api/collections/stops/changes?from=2025-02-01&to=2025-04-01"
    changes = {one["id"]: one["change"] for one in client.get(address).json()["changes"]}
    assert changes == {"a": "changed", "b": "deleted", "d": "created"}
    features = client.get(f"{address}&f=geojson").json()["features"]
    assert {one["id"] for one in features} == {"a", "b", "d"}
    paged, following = [], f"{address}&limit=1"
    while following:
        page = client.get(following).json()
        paged += [one["id"] for one in page["changes"]]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert sorted(paged) == ["a", "b", "d"]
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    learnt = client.get(f"/api/collections/stops/changes?from=2025-02-01&to={now}&time=recorded").json()["changes"]
    assert {one["id"]: one["change"] for one in learnt} == dict.fromkeys("acd", "created")
    assert client.get("/api/collections/stops/changes?from=2025-02-01&to=2025-02-01").status_code == 400


def test_an_edit_is_taken_back_unless_something_came_after(client: TestClient) -> None:
    done = post_edits(client, lay_drain())
    change = {"op": "update", "collection": NODES, "id": "n1", "if_match": "*", "patch": {"properties": {"note": "x"}}}
    second = post_edits(client, [change])
    conflict = client.post(f"{done.headers['location']}/revert")
    assert conflict.status_code == 409
    assert "'n1'" in conflict.json()["detail"]
    assert client.post(f"{second.headers['location']}/revert").status_code == 201
    assert client.get(f"/api/collections/{NODES}/items/n1").json()["properties"]["note"] is None
    again = client.post(f"{done.headers['location']}/revert")
    assert again.status_code == 409, "the node was changed and changed back: it is another version"


def test_a_deleted_item_comes_back_as_it_was(client: TestClient) -> None:
    made = create(client, "a", name="Bến cũ", mode="ferry")
    shape = client.get(f"{BENCHES}/a").json()["geometry"]
    client.delete(f"{BENCHES}/a", headers={"if-match": "*"})
    back = client.post(f"{BENCHES}/a/revert", json={"to": 1})
    assert back.status_code == 201
    assert back.headers["etag"].partition("-")[0] == made.headers["etag"].partition("-")[0]
    now = client.get(f"{BENCHES}/a").json()
    assert (now["properties"]["name"], now["geometry"]) == ("Bến cũ", shape)
    assert client.post(f"{BENCHES}/a/revert", json={"to": 9}).status_code == 404
    assert client.post(f"{BENCHES}/a/revert", json={"to": "2000-01-01"}).status_code == 409
    assert client.post(f"{BENCHES}/a/revert", json={"to": True}).status_code == 400
    assert client.post(f"{BENCHES}/none/revert", json={"to": 1}).status_code == 404


def test_a_revert_can_be_reverted(client: TestClient) -> None:
    first = post_edits(client, lay_drain())
    gone = client.post(f"{first.headers['location']}/revert")
    assert gone.status_code == 201
    assert {one["status"] for one in gone.json()["results"]} == {"deleted"}
    back = client.post(f"{gone.headers['location']}/revert")
    assert {one["status"] for one in back.json()["results"]} == {"created"}
    kinds = [one["kind"] for one in client.get("/api/edits?limit=3").json()["edits"]]
    assert kinds == ["revert", "revert", "edit"]


def test_the_edits_of_people_are_for_those_who_may_write(client: TestClient) -> None:
    create(client, "a")
    far = {"host": "twin.example"}
    assert client.get("/api/edits", headers=far).status_code == 403
    assert client.get("/api/checks", headers=far).status_code == 403
    assert client.post(BENCHES, json=feature("b"), headers=far).status_code == 403
    (version,) = client.get(f"{BENCHES}/a/versions", headers=far).json()["versions"]
    assert "author" not in version["edit"]
    assert "reason" not in version["edit"]


def test_checks_count_and_show(client: TestClient, writer: Engine) -> None:
    post_edits(client, lay_drain())
    with writer.begin() as connection:
        connection.execute(text(f"update city.{LINKS} set to_node = 'n9'"))
    report = client.get(f"/api/checks?collection={LINKS}").json()
    assert report["errors"] == 1
    (found,) = [one for one in report["checks"] if one["severity"] == "error"]
    assert (found["rule"], found["count"], found["findings"][0]["value"]) == ("node-exists", 1, "n9")
    assert client.get(f"/api/checks?collection={LINKS}&rule=node-exists&bbox=0,0,1,1").json()["errors"] == 0
    assert client.get("/api/checks?rule=none").status_code == 404


def test_options_say_what_can_be_done(client: TestClient) -> None:
    assert "POST" in client.options(BENCHES).headers["allow"]
    assert "PATCH" in client.options(f"{BENCHES}/a").headers["allow"]
