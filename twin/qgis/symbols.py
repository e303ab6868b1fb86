"""How a declared style becomes a QGIS renderer: single symbol, categories of codes, ranges of classes."""

import base64
from xml.etree.ElementTree import Element

from layers.icon_svg import write_svg
from layers.icons import GRID, ICONS, find_icon, parse_strokes
from layers.schema import Style, VectorLayer
from twin.qgis.words import MM_PER_PIXEL, add, add_options, write_color

_KIND = {"Point": "marker", "LineString": "line", "MultiPolygon": "fill"}
# A pixel at zoom 16 on the ground [m].
_METRES_PER_PIXEL = 40_075_016.686 / 512.0 / 2**16
_NO_LIMIT = 1e12
# Radii [px]: up to the first a point stays a dot, a disc with a pictogram has at least the second.
_DOT, _DISC = 3.0, 6.0


def build_renderer(layer: VectorLayer) -> Element:
    """Return the renderer of a layer: by code, by class of a number, or one symbol."""
    style = layer.style
    prop = layer.find(style.by) if style.by else None
    codes = [code for code in prop.codes if code.color] if prop else []
    if measured := layer.classed_by:
        return _build_graduated(layer, measured)
    if codes and style.by:
        made = Element("renderer-v2", type="categorizedSymbol", attr=style.by, enableorderby="0", forceraster="0")
        categories, symbols = add(made, "categories"), add(made, "symbols")
        for place, code in enumerate(codes):
            add(categories, "category", value=code.value, label=code.title.vi, symbol=str(place), render="true")
            symbols.append(build_symbol(layer, code.color or style.color, str(place), code.value))
        # Without a value this one holds whatever the others do not.
        last = str(len(codes))
        add(categories, "category", value="", label="Khác, chưa rõ", symbol=last, render="true")
        symbols.append(build_symbol(layer, style.color, last, None))
        return made
    made = Element("renderer-v2", type="singleSymbol", enableorderby="0", forceraster="0")
    add(made, "symbols").append(build_symbol(layer, style.color, "0", None))
    return made


def build_symbol(layer: VectorLayer, color: str, name: str, value: str | None) -> Element:
    """Return the symbol of a layer in one colour; ``value`` is the code it stands for."""
    style, kind = layer.style, _KIND[layer.geometry]
    made = Element("symbol", name=name, type=kind, alpha=f"{style.opacity:g}", clip_to_extent="1", force_rhr="0")
    if kind == "marker":
        icon = find_icon(style.icon, value) if style.icon and style.radius > _DOT else None
        radius = max(style.radius, _DISC) if icon else style.radius
        _add_layer(made, "SimpleMarker", _mark(style, color, radius))
        if icon:
            _add_layer(made, "SvgMarker", _draw_pictogram(icon, radius, color))
    elif kind == "line":
        if style.outline:
            _add_layer(made, "SimpleLine", _stroke(style.outline, style.width * 1.35 + 0.8, ()))
        _add_layer(made, "SimpleLine", _stroke(color, style.width, style.dash))
    else:
        _add_layer(made, "SimpleFill", _fill(style, color))
    return made


def _add_layer(symbol: Element, kind: str, options: dict[str, str]) -> None:
    add_options(add(symbol, "layer", **{"class": kind}, enabled="1", locked="0", **{"pass": "0"}), options)


def _mark(style: Style, color: str, radius: float) -> dict[str, str]:
    return {
        "name": "circle",
        "color": write_color(color),
        "size": f"{2 * radius * MM_PER_PIXEL:.2f}",
        "size_unit": "MM",
        "outline_style": "solid" if style.outline else "no",
        "outline_color": write_color(style.outline or color),
        "outline_width": "0.2",
        "outline_width_unit": "MM",
    }


def _draw_pictogram(icon: str, radius: float, color: str) -> dict[str, str]:
    """Return a pictogram within the project itself, white on a disc of ``color``."""
    strokes = write_svg(parse_strokes(ICONS[icon]), "#ffffff", color[:7])
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {GRID} {GRID}">{strokes}</svg>'
    name = f"base64:{base64.b64encode(drawing.encode()).decode()}"
    return {"name": name, "size": f"{1.35 * radius * MM_PER_PIXEL:.2f}", "size_unit": "MM", "outline_width": "0"}


def _stroke(color: str, width: float, dash: tuple[float, ...]) -> dict[str, str]:
    """Return a line that grows with the scale between limits, as on the map; dashes count in widths there."""
    thin, thick = max(0.1, width * 0.2 * MM_PER_PIXEL), max(0.4, width * 3.0 * MM_PER_PIXEL)
    written = max(width, 1.0) * MM_PER_PIXEL
    return {
        "line_color": write_color(color),
        "line_style": "solid",
        "line_width": f"{width * _METRES_PER_PIXEL:.2f}",
        "line_width_unit": "RenderMetersInMapUnits",
        "width_map_unit_scale": f"3x:0,0,1,{thin:.2f},1,{thick:.2f}",
        "capstyle": "flat" if dash else "round",
        "joinstyle": "round",
        "use_custom_dash": "1" if dash else "0",
        "customdash": ";".join(f"{part * written:.2f}" for part in dash) or "5;2",
        "customdash_unit": "MM",
    }


def _fill(style: Style, color: str) -> dict[str, str]:
    return {
        "color": write_color(color),
        "style": "no" if write_color(color).endswith(",0") else "solid",
        "outline_color": write_color(style.outline or color),
        "outline_style": ("dash" if style.dash else "solid") if style.outline else "no",
        "outline_width": f"{max(0.1, style.width * MM_PER_PIXEL * 0.6):.2f}",
        "outline_width_unit": "MM",
        "joinstyle": "round",
    }


def _build_graduated(layer: VectorLayer, measured: str) -> Element:
    made = Element(
        "renderer-v2", type="graduatedSymbol", attr=measured, graduatedMethod="GraduatedColor", enableorderby="0",
        forceraster="0",
    )  # fmt: skip
    ranges, symbols = add(made, "ranges"), add(made, "symbols")
    uppers = [lower for lower, _ in layer.style.classes[1:]] + [_NO_LIMIT]
    for place, ((lower, color), upper) in enumerate(zip(layer.style.classes, uppers, strict=True)):
        limits = {"lower": f"{lower:.6f}", "upper": f"{upper:.6f}"}
        add(ranges, "range", **limits, label=f"từ {lower:g}", symbol=str(place), render="true")
        symbols.append(build_symbol(layer, color, str(place), None))
    return made
