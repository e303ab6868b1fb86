"""The declared styles as a MapLibre style, light and dark, and as legends."""

import colorsys
from collections.abc import Sequence
from typing import Any, Literal

from api.links import Links
from layers.schema import RasterLayer, Style, VectorLayer
from layers.store.tiles import find_area_name

Mode = Literal["light", "dark"]
MAX_SOURCE_ZOOM = 16
_BACKGROUND = {"light": "#f6f3ee", "dark": "#14181d"}
_INK = {"light": ("#3b3a36", "#ffffffd0"), "dark": ("#e3e5e8", "#0b0e12d0")}


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
    background = {"id": "background", "type": "background", "paint": {"background-color": _BACKGROUND[mode]}}
    style_layers: list[dict[str, Any]] = [background]
    labels: list[dict[str, Any]] = []
    for layer in drawn:
        source = "base" if layer.id in base else layer.id
        style_layers += [_place(part, layer, source, layer.id in base) for part in _draw(layer, mode)]
        if layer.style.label:
            labels.append(_place(_draw_label(layer, mode), layer, source, layer.id in base))
    return {
        "version": 8,
        "name": f"City twin ({mode})",
        "metadata": {"twin:mode": mode},
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
    color = style.color if not style.color.endswith("00") or len(style.color) != 9 else style.outline or style.color
    return [{"color": color, "label": layer.title._asdict(), "shape": shape}]


def adapt_color(color: str, mode: Mode, *, ground: bool = False) -> str:
    """Return ``color`` for the light or dark map; ``ground`` darkens what lies under everything else."""
    red, green, blue = (int(color[place : place + 2], 16) / 255.0 for place in (1, 3, 5))
    alpha = int(color[7:9], 16) / 255.0 if len(color) == 9 else 1.0
    if mode == "dark":
        hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
        lightness = 0.11 + 0.16 * lightness if ground else 0.30 + 0.38 * lightness
        red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation * (0.55 if ground else 0.9))
    parts = ", ".join(str(round(part * 255)) for part in (red, green, blue))
    return f"rgba({parts}, {alpha:.3g})"


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
        "id": part["id"],
        "type": part["type"],
        "source": source,
        "source-layer": part.get("source-layer", layer.id),
        "minzoom": layer.min_zoom,
        "metadata": {"twin:layer": layer.id, "twin:theme": layer.theme},
        "layout": layout,
        "paint": part["paint"],
    }


def _draw(layer: VectorLayer, mode: Mode) -> list[dict[str, Any]]:
    return {"Point": _draw_points, "LineString": _draw_lines, "MultiPolygon": _draw_areas}[layer.geometry](layer, mode)


def _draw_areas(layer: VectorLayer, mode: Mode) -> list[dict[str, Any]]:
    style = layer.style
    parts: list[dict[str, Any]] = []
    paint = {"fill-color": _color(layer, mode, ground=True), "fill-opacity": style.opacity, "fill-antialias": True}
    parts.append({"id": layer.id, "type": "fill", "paint": paint})
    if style.outline:
        line = {"line-color": adapt_color(style.outline, mode), "line-width": _grow(style.width)}
        parts.append({"id": f"{layer.id}-outline", "type": "line", "paint": line | _dash(style)})
    return parts


def _draw_lines(layer: VectorLayer, mode: Mode) -> list[dict[str, Any]]:
    style = layer.style
    caps = {"line-cap": "butt" if style.dash else "round", "line-join": "round"}
    parts: list[dict[str, Any]] = []
    if style.outline:
        casing = {
            "line-color": adapt_color(style.outline, mode, ground=True),
            "line-width": _grow(style.width * 1.35 + 0.8),
            "line-opacity": style.opacity,
        }
        parts.append({"id": f"{layer.id}-outline", "type": "line", "layout": caps, "paint": casing})
    paint = {"line-color": _color(layer, mode), "line-width": _grow(style.width), "line-opacity": style.opacity}
    parts.append({"id": layer.id, "type": "line", "layout": caps, "paint": paint | _dash(style)})
    return parts


def _draw_points(layer: VectorLayer, mode: Mode) -> list[dict[str, Any]]:
    style = layer.style
    paint: dict[str, Any] = {
        "circle-color": _color(layer, mode),
        "circle-radius": ["interpolate", ["exponential", 1.4], ["zoom"], 10, style.radius * 0.5, 16, style.radius,
                          20, style.radius * 2.5],
        "circle-opacity": style.opacity,
    }  # fmt: skip
    if style.outline:
        paint["circle-stroke-color"] = style.outline
        paint["circle-stroke-width"] = ["interpolate", ["linear"], ["zoom"], 12, 0.5, 18, 1.5]
    return [{"id": layer.id, "type": "circle", "paint": paint}]


def _draw_label(layer: VectorLayer, mode: Mode) -> dict[str, Any]:
    ink, halo = _INK[mode]
    along = layer.geometry == "LineString"
    layout: dict[str, Any] = {
        "text-field": ["to-string", ["coalesce", ["get", layer.style.label], ""]],
        "text-font": ["sans-serif"],
        "text-size": ["interpolate", ["linear"], ["zoom"], 10, 10, 16, 13, 20, 15],
        "text-max-width": 8,
        "symbol-placement": "line" if along else "point",
    }
    if layer.geometry == "Point":
        layout |= {"text-anchor": "top", "text-offset": [0, 0.9], "text-optional": True}
    return {
        "id": f"{layer.id}-label",
        "type": "symbol",
        "source-layer": f"{layer.id}-label" if find_area_name(layer) else layer.id,
        "layout": layout,
        "paint": {"text-color": ink, "text-halo-color": halo, "text-halo-width": 1.2},
    }


def _color(layer: VectorLayer, mode: Mode, *, ground: bool = False) -> Any:
    style = layer.style
    default = adapt_color(style.color, mode, ground=ground)
    if style.classes and (measured := _find_measured(layer)):
        steps: list[Any] = ["step", ["coalesce", ["get", measured], -1e12], "rgba(0, 0, 0, 0)"]
        for lower, color in style.classes:
            steps += [lower, adapt_color(color, mode, ground=ground)]
        return steps
    prop = layer.find(style.by) if style.by else None
    if prop is None:
        return default
    cases: list[Any] = []
    for code in prop.codes:
        if code.color:
            cases += [code.value, adapt_color(code.color, mode, ground=ground)]
    return ["match", ["get", prop.name], *cases, default] if cases else default


def _find_measured(layer: VectorLayer) -> str | None:
    """Return the number that ``classes`` colour: ``by`` if given, else the first number a tile carries."""
    if layer.style.by:
        return layer.style.by
    numbers = (layer.find(name) for name in layer.tile_properties)
    return next((prop.name for prop in numbers if prop and prop.type in ("integer", "number")), None)


def _dash(style: Style) -> dict[str, Any]:
    return {"line-dasharray": list(style.dash)} if style.dash else {}


def _grow(width: float) -> list[Any]:
    return ["interpolate", ["exponential", 1.6], ["zoom"], 9, max(0.3, width * 0.15), 16, width, 20, width * 5]


def _write_number(value: float) -> dict[str, str]:
    written = f"{value:g}"
    return {"vi": written.replace(".", ","), "en": written}
