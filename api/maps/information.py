"""What lies under a pixel: values of rasters with their unit and time, items of layers with their attributes."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from sqlalchemy import Connection

from api.answers import write_json, write_moment
from api.maps.frame import ZOOM_SLACK, Frame
from api.maps.gml import write_gml
from api.maps.layers import Shown
from api.rasters.pictures import read_point
from api.rasters.rows import find_file
from api.resources import Resources
from layers.quantities import QUANTITIES
from layers.registry import LAYERS
from layers.schema import Property, RasterLayer, Text, VectorLayer
from layers.store.drawing import select_items_near

PAGE_STYLE = (
    "body{font:13px sans-serif;margin:8px}h2{font-size:14px;margin:8px 0 0}p{margin:0 0 4px;color:#666}"
    "th{text-align:left;font-weight:normal;color:#555;padding-right:12px}td{text-align:right}"
)
INFO_FORMATS = ("application/json", "application/geo+json", "text/plain", "text/html", "application/vnd.ogc.gml")
# How far from the pixel an item may lie [px].
REACH = 5.0
_DIGITS = 4
_TITLES = {
    "value": Text("Giá trị", "Value"),
    "raster": Text("Raster", "Raster"),
    "time": Text("Thời điểm", "Time"),
    "run": Text("Lần chạy", "Run"),
}
_NOTHING = {"vi": "không có", "en": "none"}
_YES_NO = {"vi": ("không", "có"), "en": ("no", "yes")}


def read_information(
    connection: Connection,
    resources: Resources,
    shown: Sequence[Shown],
    frame: Frame,
    column: float,
    row: float,
    *,
    count: int,
) -> list[dict[str, Any]]:
    """Return GeoJSON features: of a raster its value at the pixel, of other layers at most ``count`` items near it.

    A layer of features that is not drawn at this scale has none. Besides the members of GeoJSON a feature has
    ``layer``, ``title`` and ``units`` (by property).
    """
    found: list[dict[str, Any]] = []
    for each in shown:
        if isinstance(each.layer, RasterLayer):
            found.append(_read_raster(resources, each, each.layer, frame.locate(column, row)))
        elif frame.zoom >= each.layer.min_zoom - ZOOM_SLACK:
            found += _read_items(connection, each.layer, frame, column, row, count)
    return found


def write_information(features: Sequence[dict[str, Any]], media_type: str) -> bytes:
    """Return the features as one of ``INFO_FORMATS``."""
    if media_type.endswith("json"):
        return write_json({"type": "FeatureCollection", "features": features})
    if media_type.endswith("gml"):
        return write_gml(features)
    return (_write_page(features) if media_type == "text/html" else _write_text(features)).encode()


def _read_raster(resources: Resources, shown: Shown, layer: RasterLayer, place: tuple[float, float]) -> dict[str, Any]:
    assert shown.row is not None
    quantity = QUANTITIES[layer.quantity]
    value = read_point(find_file(resources, shown.row), *place)[shown.band - 1]
    properties: dict[str, Any] = {"value": value, "raster": shown.row.id}
    if shown.time is not None:
        properties["time"] = write_moment(shown.time)
    if shown.run is not None:
        properties["run"] = shown.run
    return {
        "type": "Feature",
        "id": shown.row.id,
        "layer": layer.id,
        "title": layer.title._asdict(),
        "geometry": {"type": "Point", "coordinates": [round(place[0], 7), round(place[1], 7)]},
        "properties": properties,
        "units": {"value": quantity.symbol} if quantity.symbol else {},
    }


def _read_items(
    connection: Connection, layer: VectorLayer, frame: Frame, column: float, row: float, count: int
) -> list[dict[str, Any]]:
    public = layer.properties
    place = frame.locate_mercator(column, row)
    items = select_items_near(
        connection, layer, [prop.name for prop in public], place, reach=REACH * frame.mercator_pixel, limit=count
    )
    units = {prop.name: prop.measure.symbol for prop in public if prop.measure and prop.measure.symbol}
    return [item | {"layer": layer.id, "title": layer.title._asdict(), "units": units} for item in items]


def _write_text(features: Sequence[dict[str, Any]]) -> str:
    lines = []
    for feature in features:
        lines.append(f"{feature['title']['vi']} – {feature['title']['en']} ({feature['layer']}): {feature['id']}")
        lines += [f"  {title}: {value}" for title, value in _list_rows(feature, lang="en")]
    return "\n".join(lines or ["Không có gì ở đây – nothing is here"]) + "\n"


def _write_page(features: Sequence[dict[str, Any]]) -> str:
    tables = []
    for feature in features:
        rows = "".join(
            f"<tr><th>{escape(title)}</th><td>{escape(value)}</td></tr>" for title, value in _list_rows(feature)
        )
        title = f"{feature['title']['vi']} – {feature['title']['en']}"
        tables.append(f"<h2>{escape(title)}</h2><p>{escape(str(feature['id']))}</p><table>{rows}</table>")
    body = "".join(tables) or "<p>Không có gì ở đây – nothing is here</p>"
    return (
        "<!doctype html><html lang='vi'><head><meta charset='utf-8'><title>Thông tin – information</title>"
        f"<style>{PAGE_STYLE}</style></head>"
        f"<body>{body}</body></html>"
    )


def _list_rows(feature: dict[str, Any], lang: str = "vi") -> list[tuple[str, str]]:
    """Return title and written value of what is known, with the unit."""
    titles = _TITLES | {prop.name: prop.title for prop in _list_declared(feature["layer"])}
    codes = {prop.name: {code.value: code.title for code in prop.codes} for prop in _list_declared(feature["layer"])}
    rows = []
    for name, value in feature["properties"].items():
        if value is None and name != "value":
            continue
        unit = feature["units"].get(name, "")
        title = titles.get(name)
        code = codes.get(name, {}).get(value)
        written = getattr(code, lang) if code else _write_value(value, lang)
        rows.append((getattr(title, lang) if title else name, f"{written} {unit}".strip()))
    return rows


def _list_declared(layer_id: str) -> Sequence[Property]:
    layer = LAYERS[layer_id]
    return layer.properties if isinstance(layer, VectorLayer) else ()


def _write_value(value: Any, lang: str) -> str:
    if value is None:
        return _NOTHING[lang]
    if isinstance(value, bool):
        return _YES_NO[lang][value]
    if isinstance(value, datetime):
        return write_moment(value)
    if isinstance(value, float):
        written = f"{value:.{_DIGITS}g}" if abs(value) < 10**_DIGITS else f"{value:.0f}"
        return written.replace(".", ",") if lang == "vi" else written
    return str(value)
