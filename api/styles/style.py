"""The declared styles as a MapLibre style — light, dark and for paper — and as the entries of legends."""

from collections.abc import Sequence
from typing import Any

from api.links import Links
from api.styles.colors import BACKGROUND, Mode, is_clear
from api.styles.points import draw_label, draw_points
from api.styles.shapes import draw_areas, draw_lines
from layers.schema import RasterLayer, VectorLayer

MAX_SOURCE_ZOOM = 16


def build_style(layers: Sequence[VectorLayer], filled: set[str], links: Links, mode: Mode) -> dict[str, Any]:
    """Return the MapLibre style of ``layers``; ``filled`` names those with features.

    Layers shown at first share the source ``base``; every other one has a source of its own, so that what is hidden
    is not fetched. A layer without features is hidden.
    """
    drawn = sorted(layers, key=lambda layer: layer.rank)
    base = [layer.id for layer in drawn if layer.visible and layer.id in filled]
    sources = {layer.id: _build_source([layer], links) for layer in drawn if layer.id not in base}
    if base:
        sources["base"] = _build_source([layer for layer in drawn if layer.id in base], links)
    background = {"id": "background", "type": "background", "paint": {"background-color": BACKGROUND[mode]}}
    style_layers: list[dict[str, Any]] = [background]
    labels: list[dict[str, Any]] = []
    for layer in drawn:
        source = "base" if layer.id in base else layer.id
        style_layers += [_place(part, layer, source, layer.id in base) for part in _draw(layer, mode)]
        if layer.style.label:
            labels.append(_place(draw_label(layer, mode), layer, source, layer.id in base))
    return {
        "version": 8,
        "name": f"City twin ({mode})",
        "metadata": {"twin:mode": mode},
        "sprite": links.url("/api/sprites/twin"),
        "glyphs": links.url("/api/fonts") + "/{fontstack}/{range}.pbf",
        "sources": sources,
        "layers": style_layers + labels,
    }


def build_legend(layer: VectorLayer | RasterLayer) -> list[dict[str, Any]]:
    """Return the legend of a layer: one entry a colour, with the words people read."""
    if isinstance(layer, RasterLayer):
        return [{"value": value, "color": color, "label": _write_number(value)} for value, color in layer.ramp]
    shape = {"Point": "circle", "LineString": "line", "MultiPolygon": "fill"}[layer.geometry]
    style = layer.style
    if style.classes:
        return [
            {"value": lower, "color": color, "label": {"vi": f"từ {lower:g}", "en": f"from {lower:g}"}, "shape": shape}
            for lower, color in style.classes
        ]
    prop = layer.find(style.by) if style.by else None
    if prop is not None:
        return [
            {"value": code.value, "color": code.color, "label": code.title._asdict(), "shape": shape}
            for code in prop.codes
            if code.color
        ]
    color = style.outline or style.color if is_clear(style.color) else style.color
    return [{"color": color, "label": layer.title._asdict(), "shape": shape}]


def _build_source(layers: Sequence[VectorLayer], links: Links) -> dict[str, Any]:
    ids = ",".join(layer.id for layer in layers)
    return {
        "type": "vector",
        "tiles": [links.url(f"/tiles/{ids}" + "/{z}/{x}/{y}.mvt")],
        "minzoom": min(layer.min_zoom for layer in layers),
        "maxzoom": MAX_SOURCE_ZOOM,
    }


def _place(part: dict[str, Any], layer: VectorLayer, source: str, shown: bool) -> dict[str, Any]:
    """Return a style layer with what all of them share."""
    layout = {**part.get("layout", {}), "visibility": "visible" if shown else "none"}
    return {
        "source": source,
        "source-layer": layer.id,
        "minzoom": layer.min_zoom,
        "metadata": {"twin:layer": layer.id, "twin:theme": layer.theme},
        **part,
        "layout": layout,
    }


def _draw(layer: VectorLayer, mode: Mode) -> list[dict[str, Any]]:
    return {"Point": draw_points, "LineString": draw_lines, "MultiPolygon": draw_areas}[layer.geometry](layer, mode)


def _write_number(value: float) -> dict[str, str]:
    written = f"{value:g}"
    return {"vi": written.replace(".", ","), "en": written}
