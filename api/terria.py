"""The city as a TerriaJS initialization file (version 8): groups by theme, tiles, GeoJSON, rasters, buildings in 3D.

Member types and their traits are those of TerriaJS 8: ``group``, ``mvt``, ``geojson``, ``wms``, ``wms-group``,
``wmts-group`` and ``3d-tiles``. Its vector tiles know literal colours and the filters of the first style
specification only, so each class of a layer is a style layer of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from api.links import Links
from api.styles.colors import INK, adapt_color, is_clear, list_code_colors
from api.styles.style import MAX_SOURCE_ZOOM
from layers.access import visible
from layers.registry import LAYERS, THEMES
from layers.schema import RasterLayer, VectorLayer
from layers.store.mercator import Bounds
from layers.store.rasters import RasterRow
from layers.store.tiles import find_area_name

# A layer with more features comes as tiles.
MAX_GEOJSON = 2000


def build_terria(
    city: Mapping[str, Any],
    counts: Mapping[str, int],
    rasters: Sequence[RasterRow],
    attributions: Mapping[str, str],
    links: Links,
) -> dict[str, Any]:
    """Return the initialization file.

    ``city`` is as the catalogue describes it; ``counts`` gives the features of each public vector layer, ``rasters``
    the newest raster of each raster layer, ``attributions`` what must be said of a layer's sources.
    """
    camera = _build_camera(city["bounds"])
    newest = {row.layer: row for row in rasters}
    groups, shown = [], []
    for theme in THEMES:
        members = []
        for layer in sorted(visible(), key=lambda layer: -layer.rank):
            if layer.theme != theme.id:
                continue
            if isinstance(layer, RasterLayer):
                member = _build_raster(layer, newest[layer.id], links) if layer.id in newest else None
            else:
                member = _build_vector(layer, counts[layer.id], links) if counts.get(layer.id) else None
                if member and layer.visible:
                    shown.append((layer.rank, member["id"]))
            if member is not None:
                said = attributions.get(layer.id) or city["attribution"]
                members.append(member | ({"attribution": said} if said else {}))
        if members:
            groups.append(
                {**_name(theme.title, theme.title.en), "type": "group", "id": f"theme-{theme.id}", "members": members}
            )
    title = city["title"]
    return {
        "homeCamera": camera,
        "initialCamera": camera,
        "corsDomains": [urlsplit(links.base).hostname],
        "catalog": [
            {"type": "group", "id": f"city-{city['id']}", "name": title["vi"], "description": title["en"],
             "isOpen": True, "members": [*groups, *_build_more(counts, bool(newest), links)]},
        ],
        "workbench": [member for _, member in sorted(shown, reverse=True)],
    }  # fmt: skip


def _build_vector(layer: VectorLayer, count: int, links: Links) -> dict[str, Any]:
    own: dict[str, Any] = {
        "id": layer.id,
        **_name(layer.title, layer.description.en),
        "legends": [_build_legend(layer.id, links)],
    }
    if layer.style.label:
        own["featureInfoTemplate"] = {"name": "{{" + layer.style.label + "}}"}
    if count <= MAX_GEOJSON:
        address = links.url(f"/api/collections/{layer.id}/items", {"limit": str(MAX_GEOJSON)})
        return {**own, "type": "geojson", "url": address, **_style_table(layer)}
    return {
        **own,
        "type": "mvt",
        "url": links.url(f"/tiles/{layer.id}" + "/{z}/{x}/{y}.mvt"),
        "minimumZoom": layer.min_zoom,
        "maximumNativeZoom": MAX_SOURCE_ZOOM,
        "maximumZoom": 22,
        "idProperty": "id",
        "nameProperty": layer.style.label or "id",
        "style": {"layers": _list_style_layers(layer)},
    }


def _style_table(layer: VectorLayer) -> dict[str, Any]:
    """Return how TerriaJS colours GeoJSON: by code, by class, or in one colour."""
    style = layer.style
    color = style.outline or style.color if is_clear(style.color) else style.color
    simple = {
        "stroke": adapt_color(style.outline or color, "light"),
        "stroke-width": min(style.width, 3.0),
        "fill": adapt_color(style.color, "light"),
        "marker-color": color[:7],
        "marker-size": "small",
    }
    codes = list_code_colors(layer)
    table: dict[str, Any] = {"mapType": "constant", "nullColor": adapt_color(color, "light")}
    if codes:
        table = {
            "mapType": "enum",
            "colorColumn": style.by,
            "enumColors": [{"value": value, "color": adapt_color(own, "light")} for value, own in codes],
            "nullColor": adapt_color(style.color, "light"),
        }
    elif measured := layer.classed_by:
        # Each class ends where the next one begins; what lies above the last gets the last colour.
        table = {
            "mapType": "bin",
            "colorColumn": measured,
            "binMaximums": [lower for lower, _ in style.classes[1:]],
            "binColors": [adapt_color(own, "light") for _, own in style.classes],
            "nullColor": "rgba(0, 0, 0, 0)",
        }
    else:
        return {"style": simple, "disableTableStyle": True}
    return {"style": simple, "styles": [{"id": "declared", "color": table}], "activeStyle": "declared"}


def _list_style_layers(layer: VectorLayer) -> list[dict[str, Any]]:
    """Return the style of a layer's tiles: one entry a class, then the outline and the names."""
    style = layer.style
    measured = layer.classed_by
    codes = list_code_colors(layer)
    parts = []
    if measured:
        lowers = [lower for lower, _ in style.classes]
        for (lower, color), upper in zip(style.classes, [*lowers[1:], None], strict=True):
            limits: list[Any] = ["all", [">=", measured, lower], *([["<", measured, upper]] if upper else [])]
            parts.append({**_paint(layer, color), "filter": limits})
    else:
        parts += [{**_paint(layer, color), "filter": ["==", style.by, value]} for value, color in codes]
        others: dict[str, Any] = {"filter": ["!in", style.by, *(value for value, _ in codes)]} if codes else {}
        parts.append({**_paint(layer, style.color), **others})
    if layer.geometry == "MultiPolygon" and style.outline:
        line = {"line-color": adapt_color(style.outline, "light"), "line-width": style.width}
        dash = {"line-dasharray": list(style.dash)} if style.dash else {}
        parts.append({"type": "line", "source-layer": layer.id, "paint": line | dash})
    if style.label:
        ink, halo = INK["light"]
        parts.append({
            "type": "symbol",
            "source-layer": f"{layer.id}-label" if find_area_name(layer) else layer.id,
            "layout": {
                "text-field": style.label,
                "text-font": ["sans-serif"],
                "text-size": 12,
                "symbol-placement": "line" if layer.geometry == "LineString" else "point",
            },
            "paint": {"text-color": ink, "text-halo-color": halo, "text-halo-width": 1.5},
        })  # fmt: skip
    return parts


def _paint(layer: VectorLayer, declared: str) -> dict[str, Any]:
    style, color = layer.style, adapt_color(declared, "light")
    if layer.geometry == "MultiPolygon":
        return {
            "type": "fill",
            "source-layer": layer.id,
            "paint": {"fill-color": color, "fill-opacity": style.opacity},
        }
    if layer.geometry == "LineString":
        dash = {"line-dasharray": list(style.dash)} if style.dash else {}
        line = {"line-color": color, "line-width": max(1.0, style.width * 0.8)}
        return {"type": "line", "source-layer": layer.id, "paint": line | dash}
    circle = {
        "circle-color": color,
        "circle-radius": max(2.5, style.radius * 0.8),
        "circle-stroke-color": style.outline or color,
        "circle-stroke-width": 1 if style.outline else 0,
    }
    return {"type": "circle", "source-layer": layer.id, "paint": circle}


def _build_raster(layer: RasterLayer, row: RasterRow, links: Links) -> dict[str, Any]:
    west, south, east, north = row.bounds
    return {
        "id": layer.id,
        **_name(layer.title, layer.description.en),
        "type": "wms",
        "url": links.url("/wms"),
        "layers": layer.id,
        "opacity": 0.8,
        "rectangle": {"west": west, "south": south, "east": east, "north": north},
        "legends": [_build_legend(layer.id, links)],
    }


def _build_more(counts: Mapping[str, int], has_rasters: bool, links: Links) -> list[dict[str, Any]]:
    """Return what is not one layer: buildings in 3D, and all that WMS and WMTS offer."""
    more = []
    for layer in LAYERS.values():
        if isinstance(layer, VectorLayer) and layer.style.height and counts.get(layer.id):
            tileset = {"id": f"{layer.id}-3d", "type": "3d-tiles", "url": links.url(f"/3d/{layer.id}/tileset.json")}
            more.append({**tileset, "name": f"{layer.title.vi} (3D)", "description": f"{layer.title.en} (3D)"})
    services = [
        {"id": "wms", "type": "wms-group", "name": "Ảnh bản đồ (WMS)", "description": "Map pictures (WMS)",
         "url": links.url("/wms")},
        {"id": "wmts", "type": "wmts-group", "name": "Ô ảnh bản đồ (WMTS)", "description": "Map tiles (WMTS)",
         "url": links.url("/wmts")},
    ]  # fmt: skip
    return more + services if has_rasters else more


def _build_legend(layer_id: str, links: Links) -> dict[str, Any]:
    address = links.url(f"/api/collections/{quote(layer_id)}/legend", {"f": "png", "scale": "2"})
    return {"url": address, "urlMimeType": "image/png", "imageScaling": 0.5}


def _build_camera(bounds: Bounds) -> dict[str, float]:
    west, south, east, north = bounds
    return {"west": west, "south": south, "east": east, "north": north}


def _name(title: Any, description: str) -> dict[str, str]:
    return {"name": title.vi, "description": description}
