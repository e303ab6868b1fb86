"""Layers of a QGIS project: features over OGC API Features, rasters over WMS."""

from xml.etree.ElementTree import Element

from pyproj import CRS

from layers.schema import Layer, RasterLayer, VectorLayer
from twin.qgis.forms import add_form
from twin.qgis.symbols import build_renderer
from twin.qgis.words import add, add_crs, find_scale, write_color

WGS84, MERCATOR = CRS.from_epsg(4326), CRS.from_epsg(3857)
_GEOMETRIES = {"Point": ("Point", "Point"), "LineString": ("Line", "LineString"),
               "MultiPolygon": ("Polygon", "MultiPolygon")}  # fmt: skip
_PAGE = 1000
# As QGIS numbers them: below a point, curved on a line, over the middle of an area.
_PLACEMENTS = {
    "Point": {"placement": "1", "quadOffset": "7", "xOffset": "0", "yOffset": "2", "offsetUnits": "MM"},
    "LineString": {"placement": "3", "placementFlags": "9", "maxCurvedCharAngleIn": "25",
                   "maxCurvedCharAngleOut": "-25", "repeatDistance": "80", "repeatDistanceUnits": "MM"},
    "MultiPolygon": {"placement": "0", "centroidWhole": "0", "centroidInside": "1"},
}  # fmt: skip
_OPACITY = 0.8


def write_id(layer: Layer) -> str:
    """Return the identifier of a layer in the project; QGIS replaces one of ten characters or fewer."""
    return f"twin_layer_{layer.id}"


def write_source(layer: Layer, server: str) -> str:
    """Return where QGIS reads a layer from, as its provider writes it."""
    if isinstance(layer, RasterLayer):
        form = "crs=EPSG:3857&dpiMode=7&featureCount=10&format=image/png&contextualWMSLegend=0"
        return f"{form}&layers={layer.id}&styles=&url={server}/wms"
    options = f"pageSize='{_PAGE}' restrictToRequestBBOX='1' srsname='EPSG:4326'"
    return f"{options} typename='{layer.id}' url='{server}/api'"


def build_layer(layer: Layer, server: str) -> Element:
    """Return a map layer: features with renderer, labels, form and scales, or a picture of the newest raster."""
    return _build_raster(layer, server) if isinstance(layer, RasterLayer) else _build_vector(layer, server)


def _build_vector(layer: VectorLayer, server: str) -> Element:
    geometry, wkb = _GEOMETRIES[layer.geometry]
    made = Element(
        "maplayer", type="vector", geometry=geometry, wkbType=wkb, hasScaleBasedVisibilityFlag="1",
        minScale=str(find_scale(layer.min_zoom)), maxScale="0", labelsEnabled="1" if layer.style.label else "0",
        simplifyDrawingHints="0" if geometry == "Point" else "1", simplifyLocal="1",
        styleCategories="AllStyleCategories",
    )  # fmt: skip
    _add_identity(made, layer, server)
    add(made, "provider", "OAPIF", encoding="UTF-8")
    made.append(build_renderer(layer))
    if layer.style.label:
        made.append(_build_labels(layer))
    add_form(made, layer)
    add(made, "editorlayout", "generatedlayout")
    add(made, "previewExpression", f'"{layer.style.label or "id"}"')
    return made


def _build_raster(layer: RasterLayer, server: str) -> Element:
    made = Element("maplayer", type="raster", hasScaleBasedVisibilityFlag="0", styleCategories="AllStyleCategories")
    _add_identity(made, layer, server)
    add(made, "provider", "wms")
    pipe = add(made, "pipe")
    add(pipe, "rasterrenderer", type="singlebandcolordata", band="1", opacity=f"{_OPACITY:g}", alphaBand="-1")
    return made


def _add_identity(made: Element, layer: Layer, server: str) -> None:
    add(made, "id", write_id(layer))
    add(made, "datasource", write_source(layer, server))
    add(made, "layername", layer.title.vi)
    add(made, "abstract", f"{layer.description.vi} {layer.description.en}")
    add_crs(add(made, "srs"), MERCATOR if isinstance(layer, RasterLayer) else WGS84)
    flags = add(made, "flags")
    for name, value in (("Identifiable", "1"), ("Removable", "1"), ("Searchable", "1"), ("Private", "0")):
        add(flags, name, value)


def _build_labels(layer: VectorLayer) -> Element:
    made = Element("labeling", type="simple")
    settings = add(made, "settings", calloutType="simple")
    style = add(
        settings, "text-style", fieldName=layer.style.label or "", isExpression="0", fontFamily="Be Vietnam Pro",
        fontSize="8", fontSizeUnit="Point", textColor=write_color("#3b3a36"), textOpacity="1",
    )  # fmt: skip
    add(
        style, "text-buffer", bufferDraw="1", bufferSize="0.7", bufferSizeUnits="MM", bufferColor="255,255,255,255",
        bufferOpacity="0.8",
    )  # fmt: skip
    add(settings, "placement", **_PLACEMENTS[layer.geometry], priority="5")
    add(
        settings, "rendering", drawLabels="1", obstacle="1", mergeLines="1", fontMinPixelSize="3",
        fontMaxPixelSize="10000", scaleVisibility="0", displayAll="0", labelPerPart="0",
    )  # fmt: skip
    return made
