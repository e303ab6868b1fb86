"""The QGIS project as a whole: layers in groups by theme, drawn by rank, the view on the city, bookmarks.

The form is that of QGIS 3 project files (read by 3.16 and later); what is left out takes QGIS's own defaults.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, indent, tostring

from pyproj import CRS

from layers.access import visible
from layers.datum import CRS84, make_transformer
from layers.registry import THEMES
from layers.schema import Layer, RasterLayer, Text
from twin.qgis.layers import WGS84, build_layer, write_id, write_source
from twin.qgis.words import add, add_crs, write_flag

_DOCTYPE = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_VERSION = "3.22.0"
_MARGIN = 0.05
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a project is made for.

    ``server`` is the address the layers are read from, ``bounds`` is where the city lies (CRS84), ``places`` are
    further places to go to by name. ``counts`` gives the features of a vector layer and the rasters of a raster layer.
    """

    title: Text
    server: str
    srid: int
    bounds: Box
    counts: Mapping[str, int]
    places: Mapping[str, Box]


def write_project(contents: Contents) -> bytes:
    """Return the project as ``.qgz``: a ZIP file with the project inside."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date: the same city gives the same bytes.
        archive.writestr(zipfile.ZipInfo("city.qgs"), build_project(contents), zipfile.ZIP_DEFLATED)
    return written.getvalue()


def build_project(contents: Contents) -> bytes:
    """Return the project as XML (``.qgs``) with every layer that who asks sees and that holds something."""
    layers = [layer for layer in visible() if contents.counts.get(layer.id)]
    crs = CRS.from_epsg(contents.srid)
    name = f"{contents.title.vi} – {contents.title.en}"
    root = Element("qgis", projectname=name, version=_VERSION)
    add(root, "homePath", path="")
    add(root, "title", name)
    add_crs(add(root, "projectCrs"), crs)
    root.append(_build_tree(layers, contents.server))
    root.append(_build_canvas(contents.bounds, crs))
    made = add(root, "projectlayers")
    for layer in layers:
        made.append(build_layer(layer, contents.server))
    bookmarks = add(root, "Bookmarks")
    for place, box in {contents.title.vi: contents.bounds, **contents.places}.items():
        bookmark = add(bookmarks, "Bookmark", id=place, name=place, group="", extent=_write_polygon(box))
        add_crs(bookmark, WGS84)
    _add_view(root, contents.bounds)
    indent(root, " ")
    return _DOCTYPE + bytes(tostring(root, encoding="utf-8"))


def _build_tree(layers: list[Layer], server: str) -> Element:
    tree = Element("layer-tree-group")
    for theme in THEMES:
        members = sorted((layer for layer in layers if layer.theme == theme.id), key=lambda layer: -layer.rank)
        if not members:
            continue
        shown = any(layer.visible for layer in members)
        checked = "Qt::Checked" if shown else "Qt::Unchecked"
        group = add(tree, "layer-tree-group", name=theme.title.vi, expanded=str(int(shown)), checked=checked)
        for layer in members:
            provider = "wms" if isinstance(layer, RasterLayer) else "OAPIF"
            add(
                group, "layer-tree-layer", id=write_id(layer), name=layer.title.vi, providerKey=provider, expanded="0",
                source=write_source(layer, server), checked="Qt::Checked" if layer.visible else "Qt::Unchecked",
            )  # fmt: skip
    # Themes order the tree, ranks the drawing.
    order = add(tree, "custom-order", enabled="1")
    for layer in sorted(layers, key=lambda layer: -layer.rank):
        add(order, "item", write_id(layer))
    return tree


def _build_canvas(bounds: Box, crs: CRS) -> Element:
    west, south, east, north = bounds
    box = make_transformer(CRS84, crs.to_wkt()).transform_bounds(west, south, east, north)
    made = Element("mapcanvas", name="theMapCanvas", annotationsVisible="1")
    add(made, "units", "degrees" if crs.is_geographic else "meters")
    extent = add(made, "extent")
    for side, value in zip(("xmin", "ymin", "xmax", "ymax"), _widen(box), strict=True):
        add(extent, side, f"{value:.6f}")
    add(made, "rotation", "0")
    add_crs(add(made, "destinationsrs"), crs)
    return made


def _add_view(root: Element, bounds: Box) -> None:
    west, south, east, north = _widen(bounds)
    view = add(root, "ProjectViewSettings", UseProjectScales="0")
    box = {"xmin": f"{west:.6f}", "ymin": f"{south:.6f}", "xmax": f"{east:.6f}", "ymax": f"{north:.6f}"}
    add_crs(add(view, "DefaultViewExtent", **box), WGS84)
    properties = add(root, "properties")
    add(add(properties, "SpatialRefSys"), "ProjectionsEnabled", "1", type="int")
    add(add(properties, "Paths"), "Absolute", write_flag(False), type="bool")


def _widen(box: Box) -> Box:
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0) * _MARGIN
    return x0 - side, y0 - side, x1 + side, y1 + side


def _write_polygon(box: Box) -> str:
    x0, y0, x1, y1 = box
    corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))
    return f"POLYGON(({', '.join(f'{x:.6f} {y:.6f}' for x, y in corners)}))"
