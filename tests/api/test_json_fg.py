"""JSON-FG: what each profile says, where geometry stands, and that it can be sent back."""

from typing import Any

import pytest
from pyproj import Transformer
from starlette.testclient import TestClient

from tests.api.conftest import ADDRESS

ITEMS = "/api/collections/buildings/items"
CITY = "http://www.opengis.net/def/crs/EPSG/0/5897"
CORE = "http://www.opengis.net/spec/json-fg-1/1.0/conf/core"
TYPES = "http://www.opengis.net/spec/json-fg-1/1.0/conf/types-schemas"


def read(client: TestClient, address: str = ITEMS, **asked: str) -> dict[str, Any]:
    answer = client.get(address, params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    document: dict[str, Any] = answer.json()
    return document


def list_profiles(document: dict[str, Any]) -> list[str]:
    return [link["href"].rsplit("/", 1)[-1] for link in document["links"] if link["rel"] == "profile"]


@pytest.mark.conformance(
    "json-fg-1/1.0/conf/core", "json-fg-1/1.0/conf/types-schemas", "json-fg-1/1.0/conf/profiles",
    "json-fg-1/1.0/conf/api",
)  # fmt: skip
@pytest.mark.parametrize("address", [ITEMS, f"{ITEMS}/b3"])
@pytest.mark.parametrize("profile", ["jsonfg", "jsonfg-plus", "http://www.opengis.net/def/profile/OGC/0/jsonfg"])
def test_a_document_says_what_it_is(client: TestClient, address: str, profile: str) -> None:
    document = read(client, address, profile=profile)
    assert {CORE, TYPES} <= set(document["conformsTo"])
    assert document["featureType"] == "buildings"
    assert document["featureSchema"] == f"{ADDRESS}/api/collections/buildings/schema"
    assert client.get(document["featureSchema"]).headers["content-type"] == "application/schema+json"
    assert list_profiles(document) == [profile.rsplit("/", 1)[-1]]
    assert "coordRefSys" not in document
    for feature in document.get("features", [document]):
        assert feature["place"] is None
        assert feature["geometry"]["type"] == "MultiPolygon"
        start, end = feature["time"]["interval"]
        assert (start[-1], end) == ("Z", "..")
    if "features" in document:
        assert document["geometryDimension"] == 2


@pytest.mark.conformance("json-fg-1/1.0/conf/core", "json-fg-1/1.0/conf/profiles", "json-fg-1/1.0/conf/api")
def test_geometry_in_another_crs_is_a_place(client: TestClient) -> None:
    to_city = Transformer.from_crs("OGC:CRS84", "EPSG:5897", always_xy=False)
    plain = read(client, profile="rfc7946")["features"][0]
    assert "place" not in plain
    only = read(client, profile="jsonfg", crs=CITY)
    assert only["coordRefSys"] == CITY
    assert only["features"][0]["geometry"] is None
    both = read(client, profile="jsonfg-plus", crs=CITY)["features"][0]
    assert both["geometry"] == plain["geometry"]
    assert both["place"] == only["features"][0]["place"] != both["geometry"]
    x, y = both["place"]["coordinates"][0][0][0]
    # The register has northing first for this one; its datum shift is ours, hence 300 m.
    assert to_city.transform(*plain["geometry"]["coordinates"][0][0][0]) == pytest.approx((x, y), abs=300)
    assert read(client, f"{ITEMS}/b3", f="jsonfg", crs=CITY)["coordRefSys"] == CITY


@pytest.mark.conformance("json-fg-1/1.0/conf/profiles")
def test_plain_geojson_is_the_default_and_holds_nothing_of_it(client: TestClient) -> None:
    document = read(client)
    assert list_profiles(document) == ["rfc7946"]
    for name in ("conformsTo", "featureType", "coordRefSys", "featureSchema"):
        assert name not in document
    assert set(document["features"][0]) == {"type", "id", "geometry", "properties"}
    refused = client.get(ITEMS, params={"profile": "xml"})
    assert refused.status_code == 400
    assert "jsonfg-plus" in refused.json()["hint"]


def test_of_the_past_no_time_is_made_up(client: TestClient) -> None:
    moment = read(client)["timeStamp"]
    assert read(client, f="jsonfg", datetime=moment)["features"][0]["time"] is None


@pytest.mark.conformance("ogcapi-features-4/1.0/conf/features")
def test_a_place_can_be_sent(client: TestClient) -> None:
    stops = "/api/collections/stops/items"
    feature: dict[str, Any] = {
        "type": "Feature", "conformsTo": [CORE], "featureType": "stops", "id": "fg-1", "geometry": None,
        "coordRefSys": "http://www.opengis.net/def/crs/EPSG/0/4756",
        "place": {"type": "Point", "coordinates": [10.0312, 105.7801]}, "properties": {"name": "Bến xe"},
    }  # fmt: skip
    made = client.post(stops, json=feature, headers={"content-type": "application/geo+json"})
    try:
        assert made.status_code == 201, made.text
        sent = {"crs": "http://www.opengis.net/def/crs/EPSG/0/4756", "profile": "jsonfg"}
        back = client.get(made.headers["location"], params=sent).json()
        assert back["place"]["coordinates"] == pytest.approx([10.0312, 105.7801], abs=1e-7)
        again = client.put(made.headers["location"], json=back, headers={"content-type": "application/geo+json"})
        assert again.json()["results"][0]["status"] == "unchanged", again.text
        del feature["coordRefSys"]
        refused = client.put(made.headers["location"], json=feature, headers={"content-type": "application/geo+json"})
        assert (refused.status_code, "coordRefSys" in refused.json()["detail"]) == (400, True)
    finally:
        client.delete(f"{stops}/fg-1")
