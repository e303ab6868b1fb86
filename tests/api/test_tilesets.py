"""OGC API Tiles: relations, tile matrix sets, tilesets and their limits, tiles of several collections."""

import math
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import ADDRESS, TREE_TILE

OGC = "http://www.opengis.net/def/rel/ogc/1.0"
Z, X, Y = (int(part) for part in TREE_TILE.split("/"))


def find_link(document: dict[str, Any], rel: str) -> dict[str, Any]:
    found = [link for link in document["links"] if link["rel"] == rel]
    assert found, f"no link {rel} among {[link['rel'] for link in document['links']]}"
    return found[0]


@pytest.mark.conformance(
    "ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "ogcapi-tiles-1/1.0/conf/tilesets-list",
    "ogcapi-tiles-1/1.0/conf/tileset",
    "ogcapi-tiles-1/1.0/conf/mvt",
)
def test_a_client_finds_the_tiles_of_a_collection_by_relations(client: TestClient) -> None:
    collection = client.get("/api/collections/trees").json()
    tilesets = client.get(find_link(collection, f"{OGC}/tilesets-vector")["href"]).json()
    assert [entry["tileMatrixSetURI"] for entry in tilesets["tilesets"]] == [
        "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
    ]
    tileset = client.get(find_link(tilesets["tilesets"][0], "self")["href"]).json()
    assert (tileset["dataType"], tileset["crs"]) == ("vector", "http://www.opengis.net/def/crs/EPSG/0/3857")
    layer = tileset["layers"][0]
    assert (layer["id"], layer["geometryDimension"], layer["geometryType"]) == ("trees", 0, "points")
    scheme = client.get(find_link(tileset, f"{OGC}/tiling-scheme")["href"]).json()
    assert scheme["id"] == "WebMercatorQuad"
    assert client.get(find_link(tileset, "describedby")["href"]).json()["tilejson"] == "3.0.0"
    item = find_link(tileset, "item")
    assert (item["type"], item["templated"]) == ("application/vnd.mapbox-vector-tile", True)
    tile = client.get(item["href"].format(tileMatrix=Z, tileRow=Y, tileCol=X))
    assert tile.status_code == 200
    assert tile.headers["content-type"] == item["type"]


@pytest.mark.conformance("ogcapi-tiles-1/1.0/conf/dataset-tilesets", "ogcapi-tiles-1/1.0/conf/collections-selection")
def test_a_client_finds_the_tiles_of_the_city_by_relations(client: TestClient) -> None:
    landing = client.get("/api").json()
    tilesets = client.get(find_link(landing, f"{OGC}/tilesets-vector")["href"]).json()
    tileset = client.get(find_link(tilesets["tilesets"][0], "self")["href"]).json()
    assert {"buildings", "road_links"} <= {layer["id"] for layer in tileset["layers"]}
    whole = client.get(find_link(tileset, "item")["href"].format(tileMatrix=Z, tileRow=Y, tileCol=X))
    assert whole.status_code == 200
    chosen = client.get(f"/api/tiles/WebMercatorQuad?collections=trees,{ADDRESS}/api/collections/buildings").json()
    assert [layer["id"] for layer in chosen["layers"]] == ["trees", "buildings"]
    item = find_link(chosen, "item")["href"].format(tileMatrix=Z, tileRow=Y, tileCol=X)
    assert item.endswith("?collections=trees,buildings")
    assert client.get(item).content == client.get(f"/tiles/trees,buildings/{TREE_TILE}.mvt").content
    shops = client.get(f"/api/tiles/WebMercatorQuad/{Z}/{Y}/{X}?collections=buildings&use=shop")
    assert shops.content == client.get(f"/tiles/buildings/{TREE_TILE}.mvt?use=shop").content
    listed = client.get("/api/tiles?collections=trees").json()
    assert find_link(listed["tilesets"][0], "self")["href"].endswith("?collections=trees")


@pytest.mark.conformance("ogcapi-tiles-1/1.0/conf/core")
def test_the_tile_matrix_set_is_the_one_of_the_standard(client: TestClient) -> None:
    landing = client.get("/api").json()
    listed = client.get(find_link(landing, f"{OGC}/tiling-schemes")["href"]).json()["tileMatrixSets"]
    assert [entry["id"] for entry in listed] == ["WebMercatorQuad"]
    defined = client.get(listed[0]["links"][0]["href"]).json()
    # OGC 17-083r4, annex D.1: the scale of zoom 0 and of zoom 16, the point of origin.
    matrices = {matrix["id"]: matrix for matrix in defined["tileMatrices"]}
    assert matrices["0"]["scaleDenominator"] == pytest.approx(559_082_264.028717, rel=1e-9)
    assert matrices["16"]["cellSize"] == pytest.approx(2.388657133911758, rel=1e-9)
    assert matrices["0"]["pointOfOrigin"] == pytest.approx([-20_037_508.3427892, 20_037_508.3427892])
    for zoom, matrix in matrices.items():
        assert matrix["matrixWidth"] == matrix["matrixHeight"] == 2 ** int(zoom)
        span = matrix["cellSize"] * matrix["tileWidth"] * matrix["matrixWidth"]
        assert math.isclose(span, 2 * 20_037_508.342789244)


def find_tile(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    """Return column and row by the formula of the slippy map (secant and tangent of the latitude)."""
    angle = math.radians(latitude)
    share = (1.0 - math.log(math.tan(angle) + 1.0 / math.cos(angle)) / math.pi) / 2.0
    return int((longitude + 180.0) / 360.0 * 2**zoom), int(share * 2**zoom)


@pytest.mark.conformance("ogcapi-tiles-1/1.0/conf/tileset")
def test_limits_are_the_tiles_that_touch_the_bounds(client: TestClient) -> None:
    tileset = client.get("/api/collections/trees/tiles/WebMercatorQuad").json()
    west, south = tileset["boundingBox"]["lowerLeft"]
    east, north = tileset["boundingBox"]["upperRight"]
    for limit in tileset["tileMatrixSetLimits"]:
        zoom = int(limit["tileMatrix"])
        first, last = find_tile(west, north, zoom), find_tile(east, south, zoom)
        assert (limit["minTileCol"], limit["maxTileCol"]) == (first[0], last[0])
        assert (limit["minTileRow"], limit["maxTileRow"]) == (first[1], last[1])
        assert zoom >= int(tileset["layers"][0]["minTileMatrix"])


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/tileMatrixSets/WorldCRS84Quad", 404),
        ("/api/tiles/WorldCRS84Quad", 404),
        (f"/api/tiles/WorldCRS84Quad/{Z}/{Y}/{X}", 404),
        ("/api/collections/trees/tiles/WorldCRS84Quad", 404),
        ("/api/tiles/WebMercatorQuad?collections=none", 400),
        ("/api/tiles/WebMercatorQuad?collections=", 400),
        ("/api/tiles?collections=trees,,buildings", 400),
        (f"/api/tiles/WebMercatorQuad/{Z}/{Y}/{X}?collections=none", 400),
        (f"/api/tiles/WebMercatorQuad/{Z}/{Y}/{X}?collections=trees&collections=buildings", 400),
        (f"/api/tiles/WebMercatorQuad/{Z}/{Y}/{X}?collections={'trees,' * 600}", 400),
        ("/api/tileMatrixSets?x=1", 400),
    ],
)
def test_what_is_not_there_is_said(client: TestClient, address: str, status: int) -> None:
    assert client.get(address).status_code == status
