"""The declared colours on a light map, a dark one and on paper, and which of them a feature has."""

import colorsys
from collections.abc import Callable
from typing import Any, Literal

from layers.schema import VectorLayer

Mode = Literal["light", "dark", "print"]
BACKGROUND: dict[Mode, str] = {"light": "#f6f3ee", "dark": "#14181d", "print": "#ffffff"}
INK: dict[Mode, tuple[str, str]] = {
    "light": ("#3b3a36", "#ffffffd0"),
    "dark": ("#e3e5e8", "#0b0e12d0"),
    "print": ("#101010", "#ffffff"),
}
# What stands on a coloured disc: white, or this on a colour that is nearly white itself.
_DEEP_INK = "#2a2622"
Rgba = tuple[int, int, int, float]


def parse_color(color: str) -> Rgba:
    """Return red, green, blue [0 to 255] and opacity of ``#rrggbb`` or ``#rrggbbaa``."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue, int(color[7:9], 16) / 255.0 if len(color) == 9 else 1.0


def is_clear(color: str) -> bool:
    """Return whether a colour cannot be seen."""
    return parse_color(color)[3] == 0.0


def mix_color(color: str, mode: Mode, *, ground: bool = False) -> Rgba:
    """Return ``color`` for a map; ``ground`` is for what lies under everything else: darker at night, pale on paper."""
    red, green, blue, alpha = parse_color(color)
    if mode == "light":
        return red, green, blue, alpha
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255.0, green / 255.0, blue / 255.0)
    if mode == "dark":
        lightness = 0.11 + 0.16 * lightness if ground else 0.30 + 0.38 * lightness
        saturation *= 0.55 if ground else 0.9
    elif ground:
        lightness, saturation = 0.82 + 0.17 * lightness, saturation * 0.7
    elif lightness < 0.93:
        lightness = min(lightness, 0.5) * 0.8
    red, green, blue = (round(part * 255) for part in colorsys.hls_to_rgb(hue, lightness, saturation))
    return red, green, blue, alpha


def adapt_color(color: str, mode: Mode, *, ground: bool = False) -> str:
    """Return ``color`` for a map as CSS colour; ``ground`` as in ``mix_color``."""
    red, green, blue, alpha = mix_color(color, mode, ground=ground)
    return f"rgba({red}, {green}, {blue}, {alpha:.3g})"


def choose_ink(color: str, mode: Mode) -> str:
    """Return the colour of what stands on a disc of ``color``: white, or dark where white could not be read.

    The border lies at a relative luminance (WCAG 2.2) of 0.45.
    """
    parts = [part / 255.0 for part in mix_color(color, mode)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return _DEEP_INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "#ffffff"


def choose_color(layer: VectorLayer, adapt: Callable[[str], str]) -> Any:
    """Return the colour of a feature as a MapLibre expression, each declared colour passed through ``adapt``."""
    style = layer.style
    default = adapt(style.color)
    if measured := layer.classed_by:
        steps: list[Any] = ["step", ["coalesce", ["get", measured], -1e12], "rgba(0, 0, 0, 0)"]
        for lower, color in style.classes:
            steps += [lower, adapt(color)]
        return steps
    return choose_by_code(layer, {code: adapt(color) for code, color in list_code_colors(layer)}, default)


def choose_by_code(layer: VectorLayer, found: dict[str, str], default: Any) -> Any:
    """Return what ``found`` has for the value that colours a feature, as a MapLibre expression."""
    cases = [part for pair in found.items() for part in pair]
    return ["match", ["get", layer.style.by], *cases, default] if cases else default


def list_code_colors(layer: VectorLayer) -> list[tuple[str, str]]:
    """Return value and colour of the codes that colour a layer; empty for a layer of one colour."""
    prop = layer.find(layer.style.by) if layer.style.by else None
    return [(code.value, code.color) for code in prop.codes if code.color] if prop else []
