"""The way in: links, conformance, description, catalogue and queryables follow the declarations."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from api.conformance import CONFORMANCE
from layers.registry import LAYERS, RASTER_LAYERS, THEMES, VECTOR_LAYERS
from tests.api.conftest import ADDRESS, TREES

STANDARDS = ("http://www.opengis.net/", "https://json-schema.org/")


def collect_links(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        own = [node] if isinstance(node.get("href"), str) else []
        return own + [link for value in node.values() for link in collect_links(value)]
    return [link for entry in node for link in collect_links(entry)] if isinstance(node, list) else []


@pytest.mark.conformance("ogcapi-common-1/1.0/conf/core", "ogcapi-common-1/1.0/conf/json")
def test_every_link_leads_somewhere_of_the_type_it_says(client: TestClient) -> None:
    waiting, seen = [f"{ADDRESS}/api"], set[str]()
    met = dict[str, Any]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = met[address] = met.get(address) or client.get(address)
        assert answer.status_code == 200, address
        if "json" not in answer.headers["content-type"]:
            continue
        for link in collect_links(answer.json()):
            href = link["href"]
            if link.get("templated") or href.startswith(STANDARDS) or href.endswith("/execution"):
                continue
            assert urlsplit(href).netloc == urlsplit(ADDRESS).netloc, f"{address} links to {href}"
            # Of the many forms of items, those of one collection are enough.
            if "/items/" in href or ("/items?" in href and "/trees/" not in href):
                continue
            found = met[href] = met.get(href) or client.get(href)
            assert found.status_code == 200, f"{address} links to {href}: {found.status_code}"
            said = link.get("type")
            assert said is None or found.headers["content-type"].startswith(said.split(";")[0]), f"{address} → {href}"
            if len(seen) < 400 and "cursor=" not in href:
                waiting.append(href)
    assert len(seen) > 5 * len(VECTOR_LAYERS)


@pytest.mark.conformance("ogcapi-common-2/1.0/conf/collections")
def test_collections_are_the_layers_of_features_and_the_rasters_there_are(client: TestClient) -> None:
    listed = {each["id"]: each for each in client.get("/api/collections").json()["collections"]}
    features = [key for key, each in listed.items() if each["itemType"] == "feature"]
    assert features == list(VECTOR_LAYERS)
    assert {"terrain", "flood_depth"} <= set(listed) - set(features)
    for key in ("trees", "terrain"):
        assert client.get(f"/api/collections/{key}").json() == listed[key]
    assert "extent" in listed["trees"]
    assert client.get("/api/collections/none").status_code == 404


@pytest.mark.conformance("ogcapi-common-1/1.0/conf/core")
def test_conformance_lists_what_the_landing_page_serves(client: TestClient) -> None:
    assert client.get("/api/conformance").json()["conformsTo"] == list(CONFORMANCE)
    relations = {link["rel"] for link in client.get("/api").json()["links"]}
    assert {"self", "service-desc", "service-doc", "conformance", "data"} <= relations


@pytest.mark.conformance(
    "ogcapi-common-1/1.0/conf/oas30", "ogcapi-features-1/1.0/conf/oas30", "ogcapi-processes-1/1.0/conf/oas30"
)
def test_the_description_is_openapi_3_0(client: TestClient) -> None:
    answer = client.get("/api/openapi")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = answer.json()
    assert document["openapi"] == "3.0.3"
    text = answer.text
    assert '"type":"null"' not in text
    assert '"const"' not in text
    assert "422" not in {
        code
        for ops in document["paths"].values()
        for name, op in ops.items()
        if name != "servers"
        for code in op["responses"]
    }
    schemas = document["components"]["schemas"]
    for reference in re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', text):
        assert reference in schemas
    for path, operations in document["paths"].items():
        for operation in (each for name, each in operations.items() if name != "servers"):
            assert operation["responses"], path
            named = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)", path)), path
            for parameter in operation.get("parameters", []):
                assert {"name", "in", "schema"} <= set(parameter), path
                assert not isinstance(parameter["schema"].get("type"), list), path
    limit = next(
        parameter
        for parameter in document["paths"]["/api/collections/{collection_id}/items"]["get"]["parameters"]
        if parameter["name"] == "limit"
    )
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"], limit["schema"]["default"]) == (1, 10_000, 100)


def test_the_page_of_the_description_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/api/docs").text
    assert "<script" not in page
    assert "GET /api/catalog" in page


@pytest.mark.parametrize("layer_id", list(VECTOR_LAYERS))
@pytest.mark.conformance("ogcapi-features-3/1.0/conf/queryables", "ogcapi-features-5/1.0/conf/schemas")
def test_queryables_and_schema_follow_the_declaration(client: TestClient, layer_id: str) -> None:
    layer = VECTOR_LAYERS[layer_id]
    queryables = client.get(f"/api/collections/{layer_id}/queryables")
    assert queryables.headers["content-type"] == "application/schema+json"
    properties = queryables.json()["properties"]
    # This machine sees all; what others see is tested with the rights.
    names = [prop.name for prop in layer.properties]
    assert list(properties) == ["id", *names, "geometry"]
    assert list(client.get(f"/api/collections/{layer_id}/sortables").json()["properties"]) == ["id", *names]
    for prop in layer.properties:
        schema = properties[prop.name]
        assert schema["title"] == prop.title.en
        assert schema.get("enum", []) == [code.value for code in prop.codes]
        if prop.unit:
            assert schema["x-ogc-unit"] == prop.unit
        assert {standard: "|".join(names) for standard, names in schema.get("x-words", {}).items()} == prop.words
    whole = client.get(f"/api/collections/{layer_id}/schema").json()
    assert whole["properties"]["geometry"]["x-ogc-role"] == "primary-geometry"
    items = client.get(f"/api/collections/{layer_id}/items?limit=1")
    assert items.status_code == 200
    for feature in items.json()["features"]:
        assert list(feature["properties"]) == names


def test_the_catalogue_tells_everything(client: TestClient) -> None:
    catalog = client.get("/api/catalog").json()
    city = catalog["city"]
    assert (city["id"], city["crs"], city["main_gauge"], city["synthetic"]) == ("test", "EPSG:5897", "S-1", True)
    assert len(city["bounds"]) == 4
    assert [theme["id"] for theme in catalog["themes"]] == [theme.id for theme in THEMES]
    assert {"csv", "geojson", "gpkg", "xlsx"} <= set(catalog["files"])
    told = {layer["id"]: layer for theme in catalog["themes"] for layer in theme["layers"]}
    assert set(told) == set(LAYERS)
    trees = told["trees"]
    assert (trees["count"], trees["geometry"], trees["synthetic"]) == (TREES, "Point", True)
    assert trees["sources"][0]["licence"] == "CC0-1.0"
    assert trees["sources"][0]["loaded"].endswith("Z")
    assert (trees["access"], told["buildings"]["by"], told["stops"]["by"]) == ("public", "use", None)
    assert trees["bounds"][0] < trees["bounds"][2]
    assert told["wards"]["bounds"] is None
    assert told["wards"]["count"] == 0
    assert told["buildings"]["legend"][0] == {
        "value": "house",
        "color": "#e3cdb8",
        "label": {"vi": "Nhà ở", "en": "House"},
        "shape": "fill",
    }
    height = next(prop for prop in told["buildings"]["properties"] if prop["name"] == "height")
    assert (height["unit"], height["symbol"]) == ("m", "m")
    assert told["terrain"]["raster_id"] == "terrain"
    assert told["flood_depth"]["raster_id"] is None
    assert {key for key, layer in told.items() if layer.get("per_run")} == {
        "flood_depth", "flood_depth_max", "flood_velocity_max", "flood_hazard_max", "flood_arrival", "flood_stage_max",
        "flood_hazard_class", "flood_duration_01", "flood_duration_03", "flood_duration_05", "flood_probability_01",
        "flood_probability_03", "flood_probability_05", "flood_depth_change",
    }  # fmt: skip
    assert told["flood_depth"]["legend"][1]["label"] == {"vi": "0,1", "en": "0.1"}
    for layer_id in RASTER_LAYERS:
        assert len(told[layer_id]["legend"]) == len(RASTER_LAYERS[layer_id].ramp)
