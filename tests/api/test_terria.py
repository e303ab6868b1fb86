"""The TerriaJS catalogue: members TerriaJS knows, traits they have, addresses that answer."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from api.links import Links
from api.terria import MAX_GEOJSON, build_terria
from layers.registry import VECTOR_LAYERS
from tests.api.conftest import ADDRESS, BOUNDS, TREE_TILE, TREES

# Traits of TerriaJS 8: CatalogMember, Mappable, Url, Legend and those of each type.
_MEMBER = {"type", "id", "name", "description"}
_ITEM = {*_MEMBER, "url", "attribution", "legends", "rectangle", "opacity", "featureInfoTemplate"}
TRAITS = {
    "group": {*_MEMBER, "members", "isOpen"},
    "geojson": {*_ITEM, "style", "styles", "activeStyle", "disableTableStyle"},
    "mvt": {*_ITEM, "style", "minimumZoom", "maximumNativeZoom", "maximumZoom", "idProperty", "nameProperty"},
    "wms": {*_ITEM, "layers"},
    "wms-group": {*_MEMBER, "url"},
    "wmts-group": {*_MEMBER, "url"},
    "3d-tiles": {*_MEMBER, "url"},
}
CITY = {"id": "test", "title": {"vi": "Thành phố", "en": "City"}, "bounds": BOUNDS, "attribution": "none"}


def list_members(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [inner for member in members for inner in (member, *list_members(member.get("members", [])))]


@pytest.fixture(scope="module")
def catalogue(client: TestClient) -> dict[str, Any]:
    """The catalogue of the small city."""
    answer: dict[str, Any] = client.get("/api/terria.json").json()
    return answer


def test_every_member_has_a_type_and_traits_that_terriajs_knows(catalogue: dict[str, Any]) -> None:
    members = list_members(catalogue["catalog"])
    assert len({member["id"] for member in members}) == len(members)
    for member in members:
        assert set(member) <= TRAITS[member["type"]], member["id"]
    known = {member["id"]: member for member in members}
    assert known["trees"]["name"] == "Cây xanh"
    assert {"trees", "buildings", "road_links", "sensors", "terrain", "wms", "wmts", "buildings-3d"} <= set(known)
    assert "wards" not in known
    assert set(catalogue["workbench"]) <= set(known)
    west, south, east, north = (catalogue["homeCamera"][side] for side in ("west", "south", "east", "north"))
    assert (west, south, east, north) == pytest.approx(BOUNDS)


def test_every_address_of_the_catalogue_answers(client: TestClient, catalogue: dict[str, Any]) -> None:
    for member in list_members(catalogue["catalog"]):
        for address in [member.get("url"), *(legend["url"] for legend in member.get("legends", ()))]:
            if address is None:
                continue
            assert address.startswith(ADDRESS)
            parts = urlsplit(address)
            query = parts.query or ("service=WMS&request=GetCapabilities" if parts.path == "/wms" else "")
            query = query or ("service=WMTS&request=GetCapabilities" if parts.path == "/wmts" else "")
            assert client.get(f"{parts.path}?{query}").status_code == 200, address


def test_small_layers_come_whole_as_geojson(client: TestClient, catalogue: dict[str, Any]) -> None:
    trees = next(member for member in list_members(catalogue["catalog"]) if member["id"] == "trees")
    assert trees["type"] == "geojson"
    assert len(client.get(trees["url"]).json()["features"]) == TREES
    buildings = next(member for member in list_members(catalogue["catalog"]) if member["id"] == "buildings")
    colors = {entry["value"]: entry["color"] for entry in buildings["styles"][0]["color"]["enumColors"]}
    assert colors["house"] == "rgba(227, 205, 184, 1)"


def test_large_layers_come_as_tiles_with_literal_colours_for_every_class(client: TestClient) -> None:
    counts = dict.fromkeys(VECTOR_LAYERS, MAX_GEOJSON + 1)
    made = build_terria(CITY, counts, [], {}, Links(ADDRESS))
    tiled = {member["id"]: member for member in list_members(made["catalog"]) if member["type"] == "mvt"}
    assert set(tiled) == set(VECTOR_LAYERS)
    for key, member in tiled.items():
        layer = VECTOR_LAYERS[key]
        painted = [part for part in member["style"]["layers"] if part["type"] != "symbol"]
        for part in painted:
            assert all(not isinstance(value, list) or name == "line-dasharray" for name, value in part["paint"].items())
        prop = layer.find(layer.style.by) if layer.style.by else None
        codes = [code for code in prop.codes if code.color] if prop else []
        filters = [part["filter"] for part in painted if "filter" in part]
        assert len(filters) == (len(layer.style.classes) or (len(codes) + 1 if codes else 0)), key
        assert all(isinstance(name, str) for _, name, *_ in filters if name != "all") or layer.style.classes
    z, x, y = TREE_TILE.split("/")
    address = tiled["trees"]["url"].format(z=z, x=x, y=y)
    assert client.get(urlsplit(address).path).status_code == 200
