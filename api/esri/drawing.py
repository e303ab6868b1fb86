"""The declared style of a layer as a renderer of GeoServices."""

from typing import Any

from api.styles.colors import is_clear, parse_color
from layers.schema import VectorLayer

# Screen pixels in points.
_POINTS = 0.75
_TOP = 1e12


def describe_drawing(layer: VectorLayer) -> dict[str, Any]:
    """Return ``drawingInfo``: one symbol, one a code, or one a class."""
    style = layer.style
    prop = layer.find(style.by) if style.by else None
    measured = layer.classed_by
    if measured:
        uppers = [lower for lower, _ in style.classes[1:]] + [_TOP]
        renderer: dict[str, Any] = {
            "type": "classBreaks",
            "field": measured,
            "minValue": style.classes[0][0],
            "defaultSymbol": None,
            "classBreakInfos": [
                {"classMaxValue": upper, "label": f"từ {lower:g}", "symbol": _draw(layer, color)}
                for (lower, color), upper in zip(style.classes, uppers, strict=True)
            ],
        }
    elif prop is not None and any(code.color for code in prop.codes):
        renderer = {
            "type": "uniqueValue",
            "field1": prop.name,
            "defaultSymbol": _draw(layer, style.color),
            "defaultLabel": layer.title.vi,
            "uniqueValueInfos": [
                {"value": code.value, "label": code.title.vi, "symbol": _draw(layer, code.color)}
                for code in prop.codes
                if code.color
            ],
        }
    else:
        renderer = {"type": "simple", "label": layer.title.vi, "symbol": _draw(layer, style.color)}
    return {"renderer": renderer, "transparency": round((1.0 - style.opacity) * 100)}


def find_display(layer: VectorLayer) -> str:
    """Return the field a feature is called by."""
    return layer.style.label or "id"


def _draw(layer: VectorLayer, color: str) -> dict[str, Any]:
    style = layer.style
    outline = _draw_line(style.outline, style.width) if style.outline else None
    if layer.geometry == "LineString":
        return _draw_line(color, style.width, dashed=bool(style.dash))
    if layer.geometry == "Point":
        return {
            "type": "esriSMS",
            "style": "esriSMSCircle",
            "color": _write_color(color),
            "size": style.radius * 2.0 * _POINTS,
            "outline": outline,
        }
    shape = "esriSFSNull" if is_clear(color) else "esriSFSSolid"
    return {"type": "esriSFS", "style": shape, "color": _write_color(color), "outline": outline}


def _draw_line(color: str, width: float, *, dashed: bool = False) -> dict[str, Any]:
    return {
        "type": "esriSLS",
        "style": "esriSLSDash" if dashed else "esriSLSSolid",
        "color": _write_color(color),
        "width": width * _POINTS,
    }


def _write_color(color: str) -> list[int]:
    red, green, blue, alpha = parse_color(color)
    return [red, green, blue, round(alpha * 255)]
