"""The QGIS project: every public layer with its style, its form and the scales it is drawn at."""

import io
import zipfile
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, fromstring

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import Connection

from layers.access import PUBLIC as EVERYBODY
from layers.access import asking_as
from layers.datum import CRS84, make_transformer
from layers.registry import LAYERS, THEMES, VECTOR_LAYERS
from layers.schema import RasterLayer, Text, VectorLayer
from layers.store.features import upsert_features
from twin.qgis.contents import read_contents
from twin.qgis.forms import write_alias
from twin.qgis.layers import write_id
from twin.qgis.project import Contents, build_project, write_project
from twin.qgis.words import find_scale

SERVER = "http://127.0.0.1:8000"
BOUNDS = (105.70, 10.00, 105.80, 10.08)
PUBLIC = [layer for layer in LAYERS.values() if layer.access == "public"]


@pytest.fixture(scope="module")
def project() -> Element:
    """The project of a city in which every layer holds something, as everybody may see it."""
    counts = {layer.id: 1 for layer in PUBLIC}
    made = Contents(Text("Thành phố", "City"), SERVER, 5897, BOUNDS, counts, {"Phường An": BOUNDS})
    with asking_as(EVERYBODY):
        return fromstring(build_project(made))


def find_map_layer(project: Element, layer: VectorLayer | RasterLayer) -> Element:
    return next(made for made in project.iter("maplayer") if made.findtext("id") == write_id(layer))


def read_options(layer: Element) -> dict[str, str]:
    return {option.get("name", ""): option.get("value", "") for option in layer.iter("Option")}


def test_groups_are_the_themes_and_layers_are_drawn_by_rank(project: Element) -> None:
    groups = project.findall("layer-tree-group/layer-tree-group")
    assert [group.get("name") for group in groups] == [theme.title.vi for theme in THEMES]
    names = {made.get("id"): made.get("name") for made in project.iter("layer-tree-layer")}
    assert names == {write_id(layer): layer.title.vi for layer in PUBLIC}
    order = [item.text for item in project.iter("item")]
    assert order == [write_id(layer) for layer in sorted(PUBLIC, key=lambda layer: -layer.rank)]
    # QGIS gives a layer whose identifier is shorter another one.
    assert min(len(key or "") for key in names) > 10


@pytest.mark.parametrize(
    "layer", [layer for layer in PUBLIC if isinstance(layer, VectorLayer)], ids=lambda each: each.id
)
def test_a_layer_of_features_follows_its_declaration(project: Element, layer: VectorLayer) -> None:
    made = find_map_layer(project, layer)
    assert made.findtext("provider") == "OAPIF"
    assert f"typename='{layer.id}' url='{SERVER}/api'" in (made.findtext("datasource") or "")
    assert made.get("minScale") == str(find_scale(layer.min_zoom))
    renderer = made.find("renderer-v2")
    assert renderer is not None
    symbols = {symbol.get("name"): symbol for symbol in renderer.iter("symbol")}
    prop = layer.find(layer.style.by) if layer.style.by else None
    codes = [code for code in prop.codes if code.color] if prop else []
    if layer.style.classes:
        lowers = [float(each.get("lower", "nan")) for each in renderer.iter("range")]
        assert lowers == [lower for lower, _ in layer.style.classes]
    elif codes:
        categories = {each.get("value"): each for each in renderer.iter("category")}
        assert set(categories) == {code.value for code in codes} | {""}
        for code in codes:
            assert categories[code.value].get("label") == code.title.vi
            parts = symbols[categories[code.value].get("symbol")].iter("layer")
            options = read_options([part for part in parts if part.get("class") != "SvgMarker"][-1])
            drawn = options.get("color") or options["line_color"]
            assert drawn.split(",")[:3] == [str(int((code.color or "")[at : at + 2], 16)) for at in (1, 3, 5)]
    else:
        assert renderer.get("type") == "singleSymbol"
    aliases = {alias.get("field"): alias.get("name") for alias in made.iter("alias")}
    public = [each for each in layer.properties if each.access == "public"]
    assert aliases == {"id": "Mã"} | {each.name: write_alias(each) for each in public}
    widgets = {field.get("name"): field.find("editWidget") for field in made.iter("field")}
    for each in public:
        widget = widgets[each.name]
        assert widget is not None
        if each.codes:
            choices = [option for option in widget.iter("Option") if option.get("type") == "QString"]
            assert {choice.get("value"): choice.get("name") for choice in choices} == {
                code.value: code.title.vi for code in each.codes
            }
    label = made.find("labeling/settings/text-style")
    assert (label.get("fieldName") if label is not None else None) == layer.style.label


def test_rasters_are_pictures_of_the_newest_of_their_layer(project: Element) -> None:
    for layer in PUBLIC:
        if isinstance(layer, RasterLayer):
            made = find_map_layer(project, layer)
            source = dict(parse_qsl(made.findtext("datasource") or "", keep_blank_values=True))
            assert (source["url"], source["layers"]) == (f"{SERVER}/wms", layer.id)
            assert made.findtext("provider") == "wms"


def test_units_stand_in_the_form(project: Element) -> None:
    aliases = {each.get("field"): each.get("name") for each in find_map_layer(project, LAYERS["trees"]).iter("alias")}
    assert aliases["height"] == "Chiều cao (m)"


def test_the_view_lies_on_the_city_in_its_crs(project: Element) -> None:
    assert project.findtext("projectCrs/spatialrefsys/authid") == "EPSG:5897"
    extent = project.find("mapcanvas/extent")
    assert extent is not None
    x0, y0, x1, y1 = (float(extent.findtext(side) or "nan") for side in ("xmin", "ymin", "xmax", "ymax"))
    west, south, east, north = make_transformer("EPSG:5897", CRS84).transform_bounds(x0, y0, x1, y1)
    assert west < BOUNDS[0] < BOUNDS[2] < east
    assert south < BOUNDS[1] < BOUNDS[3] < north
    assert [mark.get("name") for mark in project.iter("Bookmark")] == ["Thành phố", "Phường An"]


def test_scales_halve_with_every_zoom() -> None:
    # A map of 512 px tiles at zoom 0 is one world of 40,075 km: 1 : 295,829,355 at 96 dpi.
    assert find_scale(0) == 300_000_000
    for zoom in range(22):
        assert 0.9 <= find_scale(zoom) / (2 * find_scale(zoom + 1)) <= 1.1


def test_a_project_holds_what_the_city_holds(connection: Connection) -> None:
    x, y = 580_000.0, 1_108_000.0
    trees = gpd.GeoDataFrame(
        {"id": ["t1", "t2"], "species": "Sao"}, geometry=shapely.points(np.array([[x, y], [x + 90, y + 90]])),
        crs="EPSG:5897",
    )  # fmt: skip
    wards = gpd.GeoDataFrame(
        {"id": ["w1"], "name": ["Phường Cái Khế"], "ward_code": ["31117"]},
        geometry=[shapely.MultiPolygon([shapely.box(x - 500, y - 500, x + 500, y + 500)])],
        crs="EPSG:5897",
    )
    for layer_id, frame in (("trees", trees), ("wards", wards)):
        upsert_features(connection, VECTOR_LAYERS[layer_id], frame, source_id="s")
    contents = read_contents(connection, "https://city.example/")
    assert contents.server == "https://city.example"
    assert {key for key, count in contents.counts.items() if count} == {"trees", "wards"}
    assert list(contents.places) == ["Phường Cái Khế"]
    assert contents.bounds == pytest.approx(contents.places["Phường Cái Khế"], abs=1e-5)
    with zipfile.ZipFile(io.BytesIO(write_project(contents))) as archive:
        assert archive.namelist() == ["city.qgs"]
        held = fromstring(archive.read("city.qgs"))
    assert {made.findtext("id") for made in held.iter("maplayer")} == {"twin_layer_trees", "twin_layer_wards"}
