"""Edits on conditions (OGC API Features Part 4, RFC 9110), and edits as QGIS sends them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

ITEMS = "/api/collections/stops/items"
GEOJSON = {"content-type": "application/geo+json"}


def make(named: str | None = None, **properties: Any) -> dict[str, Any]:
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [105.7801, 10.0312]}}
    return feature | {"properties": properties} | ({"id": named} if named else {})


@pytest.fixture
def stop(client: TestClient) -> Iterator[str]:
    """Address of a stop."""
    made = client.post(ITEMS, json=make("lock-1", name="Bến"), headers=GEOJSON)
    assert made.status_code == 201, made.text
    yield f"{ITEMS}/lock-1"
    client.delete(f"{ITEMS}/lock-1")


def read_time(client: TestClient, address: str) -> datetime:
    return parsedate_to_datetime(client.get(address).headers["last-modified"])


@pytest.mark.conformance("ogcapi-features-4/1.0/conf/optimistic-locking-timestamps")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_changed_since_a_moment_is_not_edited(client: TestClient, stop: str, method: str) -> None:
    seen = read_time(client, stop)
    body = {} if method == "DELETE" else {"json": make(name="Cầu")}
    early = {"if-unmodified-since": format_datetime(seen - timedelta(seconds=1), usegmt=True)}
    refused = client.request(method, stop, headers=early, **body)
    assert refused.status_code == 412, refused.text
    assert client.get(stop).json()["properties"]["name"] == "Bến"
    same = {"if-unmodified-since": format_datetime(seen, usegmt=True)}
    done = client.request(method, stop, headers=same, **body)
    assert done.status_code == 200, done.text
    if method == "DELETE":
        assert client.get(stop).status_code == 404
    else:
        assert parsedate_to_datetime(done.headers["last-modified"]) >= seen
        assert done.headers["etag"] == client.get(stop).headers["etag"]


def test_an_etag_counts_before_a_moment_and_what_is_no_date_is_not_read(client: TestClient, stop: str) -> None:
    tag = client.get(stop).headers["etag"]
    both = {"if-match": tag, "if-unmodified-since": "Mon, 01 Jan 2001 00:00:00 GMT"}
    assert client.patch(stop, json={"properties": {"name": "A"}}, headers=both).status_code == 200
    odd = {"if-unmodified-since": "soon"}
    assert client.patch(stop, json={"properties": {"name": "B"}}, headers=odd).status_code == 200


def test_put_creates_under_an_id_only_where_there_is_none(client: TestClient, stop: str) -> None:
    only_new = {"if-none-match": "*", **GEOJSON}
    assert client.put(stop, json=make(name="x"), headers=only_new).status_code == 412
    assert client.get(stop).json()["properties"]["name"] == "Bến"
    fresh = f"{ITEMS}/lock-2"
    assert client.put(fresh, json=make(name="x"), headers=GEOJSON).status_code == 404
    made = client.put(fresh, json=make(name="x"), headers=only_new)
    assert (made.status_code, made.headers["location"].endswith("/lock-2")) == (201, True), made.text
    assert client.delete(fresh).status_code == 200


def test_what_can_be_done_is_said(client: TestClient, stop: str) -> None:
    def ask(address: str) -> set[str]:
        return set(client.options(address).headers["allow"].split(", "))

    assert ask(ITEMS) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert ask(stop) == {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}
    assert ask("/api/collections/flood_assets/items") == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.conformance(
    "ogcapi-features-4/1.0/conf/create-replace-delete", "ogcapi-features-4/1.0/conf/update",
    "ogcapi-features-4/1.0/conf/features",
)  # fmt: skip
def test_an_edit_as_qgis_sends_it(client: TestClient) -> None:
    """QGIS 3.32 and later: OPTIONS, then POST, PATCH, PUT and DELETE without a condition, in the layer's own CRS."""
    crs = {"content-crs": "http://www.opengis.net/def/crs/EPSG/0/5897"}
    assert "POST" in client.options(ITEMS).headers["allow"]
    feature = {
        "type": "Feature", "geometry": {"type": "Point", "coordinates": [580_500.0, 1_108_000.0]},
        "properties": {"name": "QGIS", "mode": None},
    }  # fmt: skip
    made = client.post(ITEMS, json=feature, headers={**GEOJSON, **crs})
    assert made.status_code == 201, made.text
    # It takes what follows the last slash of Location as the new id.
    item = made.headers["location"].rsplit("/", 1)[-1]
    address = f"{ITEMS}/{item}"
    patch = {**crs, "content-type": "application/merge-patch+json"}
    moved = {"geometry": {"type": "Point", "coordinates": [580_510.0, 1_108_000.0]}}
    assert client.patch(address, json=moved, headers=patch).status_code == 200
    assert client.patch(address, json={"properties": {"name": "QGIS 2"}}, headers=patch).status_code == 200
    whole = {**feature, "id": item, "geometry": moved["geometry"], "properties": {"name": "QGIS 3", "mode": "bus"}}
    assert client.put(address, json=whole, headers={**GEOJSON, **crs}).status_code == 200
    read = client.get(address, params={"crs": crs["content-crs"]}).json()
    assert read["geometry"]["coordinates"] == [580_510.0, 1_108_000.0]
    assert (read["properties"]["name"], read["properties"]["mode"]) == ("QGIS 3", "bus")
    assert client.delete(address).status_code == 200
    assert client.get(address).status_code == 404
