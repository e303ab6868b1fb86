"""WMTS: matrices of the standard's well-known scale set, tiles that are those of /tiles/raster, values, errors."""

import io
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from layers.store.mercator import to_mercator
from tests.api.conftest import BOUNDS

WMTS, OWS = "{http://www.opengis.net/wmts/1.0}", "{http://www.opengis.net/ows/1.1}"
XLINK = "{http://www.w3.org/1999/xlink}"
Z, X, Y = 15, 26008, 15467
TILE = f"WebMercatorQuad/{Z}/{Y}/{X}"


def read_capabilities(client: TestClient) -> ET.Element:
    answer = client.get("/wmts/1.0.0/WMTSCapabilities.xml")
    assert answer.headers["content-type"].startswith("application/xml")
    return ET.fromstring(answer.content)


def find_layers(root: ET.Element) -> dict[str, ET.Element]:
    return {layer.findtext(f"{OWS}Identifier", ""): layer for layer in root.iter(f"{WMTS}Layer")}


def ask(client: TestClient, request: str, **more: str) -> Any:
    asked = {"Service": "WMTS", "Version": "1.0.0", "Request": request, "Layer": "terrain", "Style": "default"}
    asked |= {"Format": "image/png", "TileMatrixSet": "WebMercatorQuad", "TileMatrix": str(Z), "TileRow": str(Y)}
    return client.get("/wmts", params=asked | {"TileCol": str(X)} | more)


def read_exception(answer: Any, status: int = 400) -> dict[str, str]:
    assert answer.status_code == status
    root = ET.fromstring(answer.content)
    assert (root.tag, root.get("version")) == (f"{OWS}ExceptionReport", "1.1.0")
    found = root.find(f"{OWS}Exception")
    assert found is not None and found.findtext(f"{OWS}ExceptionText")
    return dict(found.attrib)


def test_matrices_are_those_of_google_maps_compatible(client: TestClient) -> None:
    """The scale denominators of OGC 07-057r7, table E.4."""
    quad = read_capabilities(client).find(f"{WMTS}Contents/{WMTS}TileMatrixSet")
    assert quad is not None
    assert quad.findtext(f"{OWS}SupportedCRS") == "urn:ogc:def:crs:EPSG::3857"
    assert quad.findtext(f"{WMTS}WellKnownScaleSet") == "urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible"
    matrices = quad.findall(f"{WMTS}TileMatrix")
    for zoom, scale in (
        (0, 559082264.0287178),
        (1, 279541132.0143589),
        (10, 545978.7734655447),
        (18, 2132.729583849784),
    ):
        assert matrices[zoom].findtext(f"{OWS}Identifier") == str(zoom)
        assert float(matrices[zoom].findtext(f"{WMTS}ScaleDenominator", "0")) == pytest.approx(scale, rel=1e-12)
        assert matrices[zoom].findtext(f"{WMTS}MatrixWidth") == str(2**zoom)
    corner = [float(part) for part in matrices[3].findtext(f"{WMTS}TopLeftCorner", "").split()]
    assert corner == pytest.approx([-20037508.3427892, 20037508.3427892])


def test_a_layer_has_what_the_schema_asks_for_in_its_order(client: TestClient) -> None:
    root = read_capabilities(client)
    assert (root.tag, root.get("version")) == (f"{WMTS}Capabilities", "1.0.0")
    assert [child.tag.split("}")[1] for child in root] == [
        "ServiceIdentification", "ServiceProvider", "OperationsMetadata", "Contents", "ServiceMetadataURL",
    ]  # fmt: skip
    layers = find_layers(root)
    assert set(layers) >= {"terrain", "flood_depth"}
    order = ["Title", "Abstract", "WGS84BoundingBox", "Identifier", "Style", "Format", "InfoFormat", "Dimension",
             "TileMatrixSetLink", "ResourceURL"]  # fmt: skip
    for layer in layers.values():
        tags = [child.tag.split("}")[1] for child in layer]
        assert tags == sorted(tags, key=order.index)
        legend = layer.find(f"{WMTS}Style/{WMTS}LegendURL")
        assert legend is not None
        assert client.get(legend.get(f"{XLINK}href", "")).headers["content-type"] == "image/png"
    kinds = {each.findtext(f"{OWS}Identifier"): each for each in layers["flood_depth"].findall(f"{WMTS}Dimension")}
    assert [value.text for value in kinds["Time"].findall(f"{WMTS}Value")] == [
        "2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z", "2026-11-01T02:00:00Z",
    ]  # fmt: skip
    assert kinds["Run"].findtext(f"{WMTS}Default") == kinds["Run"].findtext(f"{WMTS}Value")


def test_limits_hold_the_whole_raster_and_no_more(client: TestClient) -> None:
    limits = find_layers(read_capabilities(client))["terrain"].findall(f".//{WMTS}TileMatrixLimits")
    found = {limit.findtext(f"{WMTS}TileMatrix"): limit for limit in limits}
    assert list(found) == [str(zoom) for zoom in range(6, 19)]
    west, north = to_mercator(BOUNDS[0], BOUNDS[3])
    side = 2 * 20037508.342789244 / 2**15
    assert found["15"].findtext(f"{WMTS}MinTileCol") == str(int((west + 20037508.342789244) // side))
    assert found["15"].findtext(f"{WMTS}MinTileRow") == str(int((20037508.342789244 - north) // side))


def test_a_tile_is_the_one_of_the_raster_by_pairs_and_by_address(client: TestClient) -> None:
    plain = client.get(f"/tiles/raster/terrain/{Z}/{X}/{Y}.png")
    pairs, address = ask(client, "GetTile"), client.get(f"/wmts/terrain/default/default/{TILE}.png")
    assert plain.content == pairs.content == address.content
    assert plain.headers["etag"] == pairs.headers["etag"]
    again = client.get(f"/wmts/terrain/default/default/{TILE}.png", headers={"if-none-match": plain.headers["etag"]})
    assert again.status_code == 304
    webp = client.get(f"/wmts/terrain/default/default/{TILE}.webp")
    assert Image.open(io.BytesIO(webp.content)).format == "WEBP"
    same = ask(client, "gettile", TileMatrixSet="GoogleMapsCompatible")
    assert same.content == plain.content


def test_the_addresses_of_the_capabilities_lead_to_tiles_of_every_time(client: TestClient) -> None:
    layer = find_layers(read_capabilities(client))["flood_depth"]
    template = next(
        url.get("template", "") for url in layer.findall(f"{WMTS}ResourceURL") if "png" in url.get("format", "")
    )
    run = next(
        each.findtext(f"{WMTS}Default")
        for each in layer.findall(f"{WMTS}Dimension")
        if each.findtext(f"{OWS}Identifier") == "Run"
    )
    drawn = []
    for time in ("2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z", "2026-11-01T02:00:00Z"):
        address = template
        for name, value in (("Style", "default"), ("Time", time), ("Run", run), ("TileMatrixSet", "WebMercatorQuad"),
                            ("TileMatrix", Z), ("TileRow", Y), ("TileCol", X)):  # fmt: skip
            address = address.replace(f"{{{name}}}", str(value))
        assert "{" not in address
        drawn.append(np.array(Image.open(io.BytesIO(client.get(address).content)).convert("RGBA")))
    assert not drawn[0][..., 3].any()
    assert drawn[1][..., 3].any()
    assert (drawn[1] != drawn[2]).any()


def test_the_value_under_a_pixel_of_a_tile(client: TestClient) -> None:
    pairs = ask(client, "GetFeatureInfo", I="200", J="100", InfoFormat="application/json").json()["features"][0]
    address = client.get(f"/wmts/terrain/default/default/{TILE}/100/200.json").json()["features"][0]
    assert pairs == address
    lon, lat = pairs["geometry"]["coordinates"]
    value = client.get(f"/tiles/raster/terrain/point?lon={lon}&lat={lat}").json()["values"][0]
    assert pairs["properties"]["value"] == value is not None
    assert "Value" in ask(client, "GetFeatureInfo", I="200", J="100", InfoFormat="text/plain").text


@pytest.mark.parametrize(
    ("request_", "change", "code", "locator"),
    [
        ("GetTile", {"Layer": "none"}, "InvalidParameterValue", "LAYERS"),
        ("GetTile", {"Layer": "trees"}, "InvalidParameterValue", "LAYER"),
        ("GetTile", {"Style": "fancy"}, "InvalidParameterValue", "STYLES"),
        ("GetTile", {"Format": "image/gif"}, "InvalidParameterValue", "Format"),
        ("GetTile", {"TileMatrixSet": "WorldCRS84Quad"}, "InvalidParameterValue", "TileMatrixSet"),
        ("GetTile", {"TileMatrix": "x"}, "TileOutOfRange", "TileRow"),
        ("GetTile", {"TileRow": "99999"}, "TileOutOfRange", "TileRow"),
        ("GetTile", {"TileCol": ""}, "MissingParameterValue", "TILECOL"),
        ("GetTile", {"Layer": "flood_depth", "Time": "2027-01-01T00:00:00Z"}, "InvalidParameterValue", "TIME"),
        ("GetTile", {"Layer": "flood_depth", "Run": "none"}, "InvalidParameterValue", "DIM_RUN"),
        ("GetFeatureInfo", {"I": "256", "J": "1"}, "PointIJOutOfRange", "I"),
        ("GetFeatureInfo", {"I": "1", "J": "x"}, "InvalidParameterValue", "J"),
        ("GetFeatureInfo", {"I": "1", "J": "1", "InfoFormat": "text/csv"}, "InvalidParameterValue", "INFO_FORMAT"),
        ("GetMap", {}, "OperationNotSupported", "Request"),
    ],
)
def test_errors_are_exception_reports(
    client: TestClient, request_: str, change: dict[str, str], code: str, locator: str
) -> None:
    assert read_exception(ask(client, request_, **change)) == {"exceptionCode": code, "locator": locator}


def test_an_address_of_nothing_is_404(client: TestClient) -> None:
    read_exception(client.get(f"/wmts/none/default/default/{TILE}.png"), 404)
    read_exception(client.get("/wmts/terrain/default/default/WebMercatorQuad/3/9/9.png"), 404)
    read_exception(client.get(f"/wmts/terrain/default/default/{TILE}.gif"))
    assert read_exception(client.get("/wmts"))["exceptionCode"] == "MissingParameterValue"
    assert read_exception(client.get("/wmts?service=WMS&request=GetTile"))["locator"] == "Service"
