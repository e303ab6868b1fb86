"""Information as simple GML 2.1, the way QGIS and other desktop systems read attributes and shapes from a WMS.

The frame around the features is that of MapServer: ``msGMLOutput``, ``<layer>_layer``, ``<layer>_feature``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.answers import write_moment
from api.maps.xml import Element

GML = "http://www.opengis.net/gml"
_SRS = "EPSG:4326"


def write_gml(features: Sequence[dict[str, Any]]) -> bytes:
    """Return GeoJSON features that name their ``layer`` as GML; coordinates are longitude and latitude."""
    root = Element("msGMLOutput").set({"xmlns:gml": GML, "xmlns:xlink": "http://www.w3.org/1999/xlink"})
    groups: dict[str, Element] = {}
    for feature in features:
        layer = feature["layer"]
        if layer not in groups:
            groups[layer] = root(f"{layer}_layer")
            groups[layer]("gml:name", feature["title"]["vi"])
        written = groups[layer](f"{layer}_feature")
        _write_shape(written("geometry"), feature["geometry"])
        written("id", str(feature["id"]))
        for name, value in feature["properties"].items():
            if value is not None:
                written(name, write_moment(value) if isinstance(value, datetime) else str(value))
    return root.write()


def _write_shape(parent: Element, geometry: dict[str, Any]) -> None:
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind.startswith("Multi"):
        single = kind.removeprefix("Multi")
        member = {"Polygon": "polygonMember", "LineString": "lineStringMember", "Point": "pointMember"}[single]
        several = parent(f"gml:{kind}", srsName=_SRS)
        for part in coordinates:
            _write_shape(several(f"gml:{member}"), {"type": single, "coordinates": part})
        return
    shape = parent(f"gml:{kind}", srsName=_SRS)
    if kind == "Polygon":
        for place, ring in enumerate(coordinates):
            boundary = shape("gml:outerBoundaryIs" if place == 0 else "gml:innerBoundaryIs")
            _write_places(boundary("gml:LinearRing"), ring)
    else:
        _write_places(shape, coordinates if kind == "LineString" else [coordinates])


def _write_places(parent: Element, places: Sequence[Sequence[float]]) -> None:
    written = " ".join(",".join(f"{value:.7f}" for value in place[:2]) for place in places)
    parent("gml:coordinates", written)
