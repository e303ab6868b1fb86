"""WMS: capabilities as the standard draws them, pictures with known pixels, order of axes, values, exceptions."""

import io
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.maps.crs import has_northing_first, list_codes
from api.maps.expressions import evaluate
from api.maps.vectors import list_columns, list_parts
from api.rasters.pictures import build_palette, colour
from layers.datum import make_transformer
from layers.registry import VECTOR_LAYERS, read_raster_layer
from tests.api.conftest import X0, Y0

WMS, XLINK = "{http://www.opengis.net/wms}", "{http://www.w3.org/1999/xlink}"
# 100 × 100 cells of the terrain, whose cells of 10 m begin at x = X0 - 100.
CELLS = {"crs": "EPSG:5897", "bbox": f"{X0},{Y0 - 500},{X0 + 1000},{Y0 + 500}", "width": "100", "height": "100"}
GROUND = {"crs": "EPSG:3857", "bbox": "", "width": "300", "height": "200"}


def ask(client: TestClient, request: str, **more: str) -> Any:
    asked = {"service": "WMS", "version": "1.3.0", "request": request} | more
    return client.get("/wms", params=asked)


def draw(client: TestClient, layers: str, **more: str) -> np.ndarray:
    answer = ask(client, "GetMap", layers=layers, styles="", format="image/png", **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return read_picture(answer.content)


def read_picture(body: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(body)).convert("RGBA"))


def read_exception(answer: Any) -> Mapping[str, str]:
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/xml")
    root = ET.fromstring(answer.content)
    assert root.tag == "{http://www.opengis.net/ogc}ServiceExceptionReport"
    assert root.get("version") == "1.3.0"
    found = root.find("{http://www.opengis.net/ogc}ServiceException")
    assert found is not None and found.text
    return found.attrib


def find_layers(root: ET.Element, tag: str = WMS) -> dict[str, ET.Element]:
    return {layer.findtext(f"{tag}Name", ""): layer for layer in root.iter(f"{tag}Layer") if layer.get("queryable")}


def box_of(lower: tuple[float, float], upper: tuple[float, float], crs: str, *, flip: bool = False) -> str:
    moved = make_transformer("EPSG:5897", crs).transform_bounds(*lower, *upper)
    sides = (moved[1], moved[0], moved[3], moved[2]) if flip else moved
    return ",".join(f"{side:.9f}" for side in sides)


def test_capabilities_hold_what_the_standard_asks_of_a_layer(client: TestClient) -> None:
    answer = client.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities")
    assert answer.headers["content-type"].startswith("text/xml")
    root = ET.fromstring(answer.content)
    assert (root.tag, root.get("version")) == (f"{WMS}WMS_Capabilities", "1.3.0")
    assert [child.tag.removeprefix(WMS) for child in root] == ["Service", "Capability"]
    service = [child.tag.removeprefix(WMS) for child in root[0]]
    assert service == [
        "Name", "Title", "Abstract", "KeywordList", "OnlineResource", "Fees", "AccessConstraints", "LayerLimit",
        "MaxWidth", "MaxHeight",
    ]  # fmt: skip
    whole = root.find(f"{WMS}Capability/{WMS}Layer")
    assert whole is not None
    names = {crs.text for crs in whole.findall(f"{WMS}CRS")}
    assert {"EPSG:3857", "EPSG:4326", "CRS:84", "EPSG:5897", "EPSG:4756", "EPSG:9210"} <= names
    layers = find_layers(root)
    assert {"trees", "buildings", "road_links", "terrain", "flood_depth"} <= set(layers)
    order = [
        "Name", "Title", "Abstract", "EX_GeographicBoundingBox", "BoundingBox", "Dimension", "Style",
        "MaxScaleDenominator",
    ]  # fmt: skip
    for layer in layers.values():
        tags = [child.tag.removeprefix(WMS) for child in layer]
        assert tags == sorted(tags, key=order.index)
        legend = layer.find(f"{WMS}Style/{WMS}LegendURL/{WMS}OnlineResource")
        assert legend is not None and "GetLegendGraphic" in legend.get(f"{XLINK}href", "")
    assert " – " in layers["trees"].findtext(f"{WMS}Title", "")
    # 559,082,264 is the scale of zoom 0 on 256 pixels (OGC 07-057r7, E.4); the page draws it on 512.
    scale = 559082264.0287 / 2 ** (VECTOR_LAYERS["trees"].min_zoom + 1)
    assert float(layers["trees"].findtext(f"{WMS}MaxScaleDenominator", "0")) == pytest.approx(scale)


def test_bounds_have_the_order_of_axes_of_their_crs(client: TestClient) -> None:
    layers = find_layers(ET.fromstring(client.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities").content))
    boxes = {box.get("CRS"): box for box in layers["terrain"].findall(f"{WMS}BoundingBox")}
    assert float(boxes["CRS:84"].get("minx", "")) == pytest.approx(105.7297)
    assert float(boxes["EPSG:4326"].get("minx", "")) == pytest.approx(10.0141)
    assert float(boxes["EPSG:3857"].get("minx", "")) == pytest.approx(11769776, abs=100)


def test_a_series_tells_its_times_and_runs(client: TestClient) -> None:
    layers = find_layers(ET.fromstring(client.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities").content))
    dimensions = {each.get("name"): each for each in layers["flood_depth"].findall(f"{WMS}Dimension")}
    time, run = dimensions["time"], dimensions["run"]
    assert time.text == "2026-11-01T00:00:00Z/2026-11-01T02:00:00Z/PT1H"
    assert (time.get("units"), time.get("nearestValue")) == ("ISO8601", "1")
    assert time.get("default") in ("2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z", "2026-11-01T02:00:00Z")
    assert run.text == run.get("default")
    assert "flood-forecast" in (run.text or "")
    assert not layers["terrain"].findall(f"{WMS}Dimension")


def test_old_clients_get_version_1_1_1(client: TestClient) -> None:
    answer = client.get("/wms?service=WMS&request=capabilities&version=1.1.0")
    root = ET.fromstring(answer.content)
    assert (root.tag, root.get("version")) == ("WMT_MS_Capabilities", "1.1.1")
    layers = find_layers(root, "")
    assert layers["flood_depth"].findtext("Extent") == "2026-11-01T00:00:00Z/2026-11-01T02:00:00Z/PT1H"
    assert layers["trees"].find("ScaleHint") is not None
    assert {srs.text for srs in root.iter("SRS")} >= {"EPSG:4326", "EPSG:3857"}
    # A version that does not exist yet is answered with the newest there is.
    assert ET.fromstring(client.get("/wms?request=GetCapabilities&version=1.4.0").content).get("version") == "1.3.0"


def test_a_cell_is_drawn_in_the_colour_of_its_value(client: TestClient) -> None:
    """Pixels are the terrain's own cells: column c of the grid has the value -1 + 4 c / 199."""
    rgba = draw(client, "terrain", transparent="TRUE", **CELLS)
    layer = read_raster_layer("terrain")
    values = np.linspace(-1.0, 3.0, 200, dtype=np.float32)[10:110]
    _, _, rgb, alpha = build_palette(layer)
    table = np.column_stack([np.frombuffer(rgb, np.uint8).reshape(-1, 3), np.frombuffer(alpha, np.uint8)])
    expected = table[colour(values[np.newaxis], layer)[0]]
    assert np.abs(rgba[50].astype(int) - expected.astype(int)).max() <= 1
    assert (rgba == rgba[:1]).all()


def test_latitude_comes_first_where_the_crs_says_so(client: TestClient) -> None:
    corners = ((X0, Y0 - 100), (X0 + 300, Y0 + 100))
    plain = box_of(*corners, "OGC:CRS84")
    flipped = box_of(*corners, "OGC:CRS84", flip=True)
    size = {"width": "240", "height": "160", "transparent": "true"}
    first = draw(client, "terrain,road_links,trees", crs="CRS:84", bbox=plain, **size)
    second = draw(client, "terrain,road_links,trees", crs="EPSG:4326", bbox=flipped, **size)
    assert first[..., 3].any()
    assert (first == second).all()
    answer = client.get(
        "/wms", params={"version": "1.1.1", "request": "GetMap", "layers": "terrain,road_links,trees",
                        "srs": "EPSG:4326", "bbox": plain, "format": "image/png", **size},
    )  # fmt: skip
    assert (read_picture(answer.content) == first).all()


@pytest.mark.parametrize("code", [4756, 9210, 3405])
def test_vn_2000_shows_the_same_place(client: TestClient, code: int) -> None:
    corners = ((X0, Y0 - 100), (X0 + 300, Y0 + 100))
    bbox = box_of(*corners, f"EPSG:{code}", flip=has_northing_first(code))
    drawn = draw(client, "buildings", crs=f"EPSG:{code}", bbox=bbox, width="300", height="200", transparent="true")
    own = draw(
        client, "buildings", crs="EPSG:5897", bbox=f"{X0},{Y0 - 100},{X0 + 300},{Y0 + 100}", width="300", height="200",
        transparent="true",
    )  # fmt: skip
    # The same buildings; zones are turned against each other by less than half a degree.
    assert ((drawn[..., 3] > 128) == (own[..., 3] > 128)).mean() > 0.97
    assert (own[..., 3] > 128).mean() > 0.04


def test_every_crs_that_is_offered_can_be_drawn_in(client: TestClient) -> None:
    for code in list_codes(5897):
        bbox = box_of((X0, Y0 - 100), (X0 + 300, Y0 + 100), f"EPSG:{code}", flip=has_northing_first(code))
        drawn = draw(client, "terrain", crs=f"EPSG:{code}", bbox=bbox, width="30", height="20", transparent="true")
        assert drawn[..., 3].all(), code


def test_features_are_drawn_where_they_are(client: TestClient) -> None:
    """Buildings of the test city are 20 × 15 m squares 30 m apart, coloured by their use."""
    around = {"crs": "EPSG:5897", "bbox": f"{X0},{Y0 + 40},{X0 + 120},{Y0 + 80}", "width": "480", "height": "160"}
    rgba = draw(client, "buildings", transparent="true", **around)
    inside, between, above = rgba[90, 40], rgba[90, 100], rgba[20, 40]
    assert between[3] == above[3] == 0
    # The first is a house; its own colour is in the code list.
    assert inside.tolist() == [0xE3, 0xCD, 0xB8, 0xFF]
    assert rgba[90, 160].tolist() == [0xE8, 0xB8, 0x9B, 0xFF]
    covered = (rgba[..., 3] > 128).mean()
    assert covered == pytest.approx(4 * 20 * 15 / (120 * 40), rel=0.06)
    white = draw(client, "buildings", bgcolor="0xFFEEDD", **around)
    assert white[20, 40].tolist() == [0xFF, 0xEE, 0xDD, 0xFF]


def test_nothing_is_drawn_below_the_scale_of_a_layer(client: TestClient) -> None:
    def is_drawn(pixel: float) -> bool:
        bbox = f"{X0},{Y0 - 50 * pixel},{X0 + 200 * pixel},{Y0 + 50 * pixel}"
        drawn = draw(client, "trees", transparent="true", crs="EPSG:5897", bbox=bbox, width="200", height="100")
        return bool(drawn[..., 3].any())

    least = 559082264.0287 / 2 ** (VECTOR_LAYERS["trees"].min_zoom + 1) * 0.00028
    assert [is_drawn(pixel) for pixel in (0.5, 2.0, 0.9 * least, 1.1 * least)] == [True, True, True, False]


def test_below_zoom_14_points_are_drawn_as_clusters_that_hold_every_edit(client: TestClient) -> None:
    asked = {"crs": "EPSG:5897", "bbox": f"{X0},{Y0 - 2000},{X0 + 8000},{Y0 + 2000}", "width": "400", "height": "200"}
    before = draw(client, "discharge_permits,trees", transparent="true", **asked)
    assert before[..., 3].any()
    item = {"type": "Feature", "id": "far", "geometry": {"type": "Point", "coordinates": [105.785, 10.02]},
            "properties": {"species": "Sao đen"}}  # fmt: skip
    made = client.post("/api/collections/trees/items", json=item)
    assert made.status_code == 201, made.text
    after = draw(client, "discharge_permits,trees", transparent="true", **asked)
    try:
        assert (after != before).any()
    finally:
        gone = client.delete("/api/collections/trees/items/far", headers={"if-match": made.headers["etag"]})
        assert gone.status_code in (200, 204), gone.text


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [("image/png", "PNG"), ("image/png; mode=8bit", "PNG"), ("image/webp", "WEBP"), ("image/jpeg", "JPEG")],
)
def test_pictures_come_in_every_format(client: TestClient, media_type: str, kind: str) -> None:
    answer = ask(client, "GetMap", layers="terrain,buildings", styles=",", format=media_type, **CELLS)
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.format, picture.size) == (kind, (100, 100))
    assert answer.headers["content-type"] == media_type.split(";")[0]
    if "8bit" in media_type:
        assert picture.mode == "P"


def test_the_nearest_step_is_shown_and_named(client: TestClient) -> None:
    south = {"crs": "EPSG:5897", "bbox": f"{X0},{Y0 - 900},{X0 + 500},{Y0 - 400}", "width": "50", "height": "50"}
    exact = ask(client, "GetMap", layers="flood_depth", time="2026-11-01T02:00:00Z", **south)
    near = ask(client, "GetMap", layers="flood_depth", time="2026-11-01T01:40:00Z", **south)
    assert exact.content == near.content
    assert "warning" not in exact.headers
    assert near.headers["warning"] == '99 - "Nearest value used: time=2026-11-01T02:00:00Z ISO8601"'
    by_default = ask(client, "GetMap", layers="flood_depth", **south)
    assert by_default.headers["warning"].startswith('99 - "Default value used: time=2026-11-01T0')
    dry = ask(client, "GetMap", layers="flood_depth", time="2026-11-01T00:00:00Z", transparent="true", **south)
    assert not read_picture(dry.content)[..., 3].any()


def test_a_run_is_chosen_by_its_id_and_a_raster_by_its_own(client: TestClient) -> None:
    layers = find_layers(ET.fromstring(client.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities").content))
    run = next(each for each in layers["flood_depth"].findall(f"{WMS}Dimension") if each.get("name") == "run").text
    asked = {"time": "2026-11-01T02:00:00Z", "transparent": "true", **CELLS}
    newest = draw(client, "flood_depth", **asked)
    assert (draw(client, "flood_depth", dim_run=str(run), **asked) == newest).all()
    assert (draw(client, f"{run}.flood_depth", **asked) == newest).all()
    wrong = read_exception(ask(client, "GetMap", layers="flood_depth", dim_run="none", **asked))
    assert (wrong["code"], wrong["locator"]) == ("InvalidDimensionValue", "DIM_RUN")


def test_the_value_under_a_pixel_is_that_of_the_raster(client: TestClient) -> None:
    asked = {**CELLS, "layers": "terrain", "query_layers": "terrain", "i": "40", "j": "30"}
    answer = ask(client, "GetFeatureInfo", info_format="application/json", **asked)
    assert answer.headers["content-type"].startswith("application/json")
    feature = answer.json()["features"][0]
    assert feature["properties"]["value"] == pytest.approx(-1.0 + 50 * 4.0 / 199.0, abs=1e-5)
    assert feature["units"] == {"value": "m"}
    lon, lat = feature["geometry"]["coordinates"]
    assert (
        feature["properties"]["value"]
        == client.get(f"/tiles/raster/terrain/point?lon={lon}&lat={lat}").json()["values"][0]
    )
    text = ask(client, "GetFeatureInfo", info_format="text/plain", **asked)
    assert "Value: 0.005025 m" in text.text
    page = ask(client, "GetFeatureInfo", info_format="text/html", **asked)
    assert "<th>Giá trị</th><td>0,005025 m</td>" in page.text


def test_items_near_a_pixel_are_told_with_their_id(client: TestClient) -> None:
    around = {"crs": "EPSG:5897", "bbox": f"{X0},{Y0 - 20},{X0 + 60},{Y0 + 20}", "width": "300", "height": "200"}
    asked = {**around, "layers": "trees", "query_layers": "trees,buildings"}
    # A tree stands every 8 m, 40 pixels, from the left border on, in the middle of the picture's height.
    near = ask(client, "GetFeatureInfo", i="43", j="102", info_format="application/json", **asked).json()["features"]
    assert [(item["layer"], item["id"]) for item in near] == [("trees", "t00001")]
    assert near[0]["properties"]["species"] == "Dầu rái"
    assert near[0]["units"]["height"] == "m"
    assert ask(client, "GetFeatureInfo", i="60", j="100", **asked).json()["features"] == []
    wide = {**asked, "bbox": f"{X0},{Y0 - 200},{X0 + 600},{Y0 + 200}", "feature_count": "3"}
    several = ask(client, "GetFeatureInfo", i="42", j="100", **wide).json()["features"]
    assert [item["id"] for item in several] == ["t00011", "t00010"]
    gml = ask(client, "GetFeatureInfo", i="43", j="102", info_format="application/vnd.ogc.gml", **asked)
    root = ET.fromstring(gml.content)
    assert root.findtext("trees_layer/trees_feature/id") == "t00001"
    assert root.find("trees_layer/trees_feature/geometry/{http://www.opengis.net/gml}Point") is not None


def test_a_legend_is_a_picture_with_words(client: TestClient) -> None:
    layers = find_layers(ET.fromstring(client.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities").content))
    for name in ("terrain", "buildings"):
        legend = layers[name].find(f"{WMS}Style/{WMS}LegendURL")
        assert legend is not None
        resource = legend.find(f"{WMS}OnlineResource")
        assert resource is not None
        picture = Image.open(io.BytesIO(client.get(resource.get(f"{XLINK}href", "")).content))
        assert (str(picture.width), str(picture.height)) == (legend.get("width"), legend.get("height"))
    vi = ask(client, "GetLegendGraphic", layer="buildings", format="image/png")
    en = ask(client, "GetLegendGraphic", layer="buildings", format="image/png", language="en")
    assert vi.content != en.content


@pytest.mark.parametrize(
    ("request_", "change", "code"),
    [
        ("GetMap", {"layers": "none"}, "LayerNotDefined"),
        ("GetMap", {"crs": "EPSG:32648"}, "InvalidCRS"),
        ("GetMap", {"crs": "nonsense"}, "InvalidCRS"),
        ("GetMap", {"format": "image/gif"}, "InvalidFormat"),
        ("GetMap", {"styles": "fancy"}, "StyleNotDefined"),
        ("GetMap", {"styles": ",,"}, "StyleNotDefined"),
        ("GetMap", {"layers": "flood_depth", "time": "2027-01-01T00:00:00Z"}, "InvalidDimensionValue"),
        ("GetMap", {"layers": "flood_depth", "time": "yesterday"}, "InvalidDimensionValue"),
        ("GetMap", {"bbox": "1,2,3"}, "InvalidParameterValue"),
        ("GetMap", {"bbox": "3,2,1,4"}, "InvalidParameterValue"),
        ("GetMap", {"bbox": "nan,2,inf,4"}, "InvalidParameterValue"),
        ("GetMap", {"bbox": "105.78,10.03,105.7800000001,10.0300000001", "layers": "trees"}, "InvalidParameterValue"),
        ("GetMap", {"width": "5000"}, "InvalidParameterValue"),
        ("GetMap", {"width": "4096", "height": "4096"}, "InvalidParameterValue"),
        ("GetMap", {"width": "-3"}, "InvalidParameterValue"),
        ("GetMap", {"width": "ten"}, "InvalidParameterValue"),
        ("GetMap", {"bgcolor": "red"}, "InvalidParameterValue"),
        ("GetMap", {"layers": ",".join(["trees"] * 33)}, None),
        ("GetMap", {"bbox": ""}, "MissingParameterValue"),
        ("GetFeatureInfo", {"i": "100", "j": "3"}, "InvalidPoint"),
        ("GetFeatureInfo", {"i": "x", "j": "3"}, "InvalidPoint"),
        ("GetFeatureInfo", {"i": "1", "j": "3", "info_format": "text/csv"}, "InvalidFormat"),
        ("GetFeatureInfo", {"i": "1", "j": "3", "query_layers": "none"}, "LayerNotDefined"),
        ("GetFeatureInfo", {"i": "1", "j": "3", "query_layers": ",".join(["trees"] * 33)}, None),
        ("GetLegendGraphic", {"layer": "terrain", "format": "image/svg+xml"}, "InvalidFormat"),
        ("GetLegendGraphic", {"layer": "none", "format": "image/png"}, "LayerNotDefined"),
        ("DescribeLayer", {}, "OperationNotSupported"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_standard(
    client: TestClient, request_: str, change: dict[str, str], code: str | None
) -> None:
    asked = {"layers": "terrain", "query_layers": "terrain", "styles": "", "format": "image/png", **CELLS}
    assert read_exception(ask(client, request_, **(asked | change))).get("code") == code


def test_names_are_read_in_any_case_and_unknown_ones_ignored(client: TestClient) -> None:
    asked = {name.title(): value for name, value in CELLS.items()}
    answer = client.get(
        "/wms", params={"ReQuEsT": "GETMAP", "Layers": "terrain", "VERSION": "1.3.0", "MAP": "x", **asked}
    )
    assert answer.headers["content-type"] == "image/png"
    assert read_exception(client.get("/wms"))["locator"] == "REQUEST"
    assert read_exception(client.get("/wms?service=WFS&request=GetCapabilities"))["locator"] == "SERVICE"


def test_errors_can_be_pictures(client: TestClient) -> None:
    said = ask(client, "GetMap", layers="none", format="image/png", exceptions="INIMAGE", **CELLS)
    assert (said.status_code, said.headers["content-type"]) == (200, "image/png")
    assert (read_picture(said.content)[..., :3] < 250).any()
    blank = ask(client, "GetMap", layers="none", format="image/png", exceptions="BLANK", **CELLS)
    assert (read_picture(blank.content) == 255).all()
    old = client.get("/wms?version=1.1.1&request=GetMap&layers=none&srs=EPSG:4326&bbox=1,2,3,4&width=9&height=9")
    assert old.headers["content-type"].startswith("application/vnd.ogc.se_xml")


def test_a_picture_of_too_many_features_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.maps.drawing.FEATURE_BUDGET", 30)
    near = {"crs": "EPSG:5897", "bbox": f"{X0},{Y0 - 100},{X0 + 400},{Y0 + 100}", "width": "400", "height": "200"}
    answer = ask(client, "GetMap", layers="trees", **near)
    read_exception(answer)
    assert "more than 30 features of 'trees'" in answer.text


@pytest.mark.parametrize("layer_id", VECTOR_LAYERS)
def test_the_style_of_every_layer_can_be_drawn(layer_id: str) -> None:
    """Every expression a style uses is understood, for a feature without any value too."""
    parts, columns = list_parts(layer_id), list_columns(layer_id)
    assert parts
    for part in parts:
        for expression in (*part.paint.values(), part.filter):
            for zoom in (10.0, 16.4, 20.0):
                evaluate(expression, zoom, dict.fromkeys(columns))
