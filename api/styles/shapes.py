"""Areas and lines: fills, hatches on paper, casings, dashes and arrows."""

from typing import Any

from api.styles.colors import Mode, adapt_color, choose_by_code, choose_color, is_clear, list_code_colors
from layers.icons import HATCHES
from layers.schema import VectorLayer

_ARROW_ZOOM = 15
_THIN = 0.7
# On paper a class is told by its dashes; more classes than these would not be told apart.
DASHES: tuple[tuple[float, ...], ...] = ((), (6.0, 2.0), (3.0, 2.0), (1.5, 1.5), (6.0, 1.5, 1.0, 1.5), (1.0, 3.0))
_HATCH_OF = {
    "water": "hatch-wave", "river": "hatch-wave", "canal": "hatch-wave", "lake": "hatch-wave", "pond": "hatch-wave",
    "basin": "hatch-wave", "agriculture": "hatch-tufts", "orchard": "hatch-dots", "green": "hatch-dots",
    "industrial": "hatch-net", "commercial": "hatch-rise", "public": "hatch-upright", "education": "hatch-level",
    "cemetery": "hatch-grid", "military": "hatch-dense",
}  # fmt: skip
# The commonest ground stays white, and what lies under roads.
_PLAIN = frozenset({"residential", "transport", "vacant", "other"})
_BY_DENSITY = ("hatch-dots", "hatch-rise", "hatch-net", "hatch-dense")


def draw_areas(layer: VectorLayer, mode: Mode) -> list[dict[str, Any]]:
    """Return the style layers of an area layer: fill, hatch on paper, outline."""
    style = layer.style
    color = choose_color(layer, lambda color: adapt_color(color, mode, ground=True))
    paint = {"fill-color": color, "fill-opacity": style.opacity, "fill-antialias": True}
    parts: list[dict[str, Any]] = [{"id": layer.id, "type": "fill", "paint": paint}]
    if mode == "print" and (hatch := _choose_hatch(layer)):
        parts.append({"id": f"{layer.id}-hatch", "type": "fill", **hatch})
    if style.outline:
        line = {"line-color": adapt_color(style.outline, mode), "line-width": _grow(style.width, mode)}
        parts.append({"id": f"{layer.id}-outline", "type": "line", "paint": line | _dash(style.dash)})
    return parts


def draw_lines(layer: VectorLayer, mode: Mode) -> list[dict[str, Any]]:
    """Return the style layers of a line layer: casing, line (on paper one a class, each with its dashes), arrows."""
    style = layer.style
    caps = {"line-cap": "butt" if style.dash else "round", "line-join": "round"}
    parts: list[dict[str, Any]] = []
    if style.outline:
        casing = {
            "line-color": adapt_color(style.outline, mode, ground=mode != "print"),
            "line-width": _grow(style.width * 1.35 + 0.8, mode),
            "line-opacity": style.opacity,
        }
        parts.append({"id": f"{layer.id}-outline", "type": "line", "layout": caps, "paint": casing})
    color = choose_color(layer, lambda color: adapt_color(color, mode))
    paint = {"line-color": color, "line-width": _grow(style.width, mode), "line-opacity": style.opacity}
    dashes = find_dashes(layer) if mode == "print" else {}
    for value, dash in dashes.items():
        own = {"id": f"{layer.id}-{value}", "type": "line", "filter": ["==", ["get", style.by], value]}
        parts.append({**own, "layout": {**caps, "line-cap": "butt"}, "paint": paint | _dash(dash)})
    if not dashes:
        parts.append({"id": layer.id, "type": "line", "layout": caps, "paint": paint | _dash(style.dash)})
    if style.icon:
        parts.append(_draw_arrows(layer, color))
    return parts


def find_dashes(layer: VectorLayer) -> dict[str, tuple[float, ...]]:
    """Return the dashes that tell the classes of a line layer on paper; none where there are too many, or a casing."""
    values = [value for value, _ in list_code_colors(layer)]
    if layer.style.outline or not 1 < len(values) <= len(DASHES):
        return {}
    return dict(zip(values, DASHES, strict=False))


def find_hatches(layer: VectorLayer) -> dict[str, str]:
    """Return the hatch of each class of an area layer on paper; none for what stands up, which is drawn solid."""
    if layer.geometry != "MultiPolygon" or layer.style.height:
        return {}
    values = [value for value, color in list_code_colors(layer) if not is_clear(color) and value not in _PLAIN]
    free = [name for name in HATCHES if name not in {_HATCH_OF.get(value) for value in values}]
    found = {value: _HATCH_OF[value] for value in values if value in _HATCH_OF}
    rest = [value for value in values if value not in _HATCH_OF]
    found |= {value: free[place % len(free)] for place, value in enumerate(rest)}
    return found


def list_class_hatches(layer: VectorLayer) -> list[tuple[float, str]]:
    """Return lower bound and hatch of each class of numbers that is not clear, denser for larger numbers."""
    shown = [lower for lower, color in layer.style.classes if not is_clear(color)]
    steps = len(_BY_DENSITY)
    return [(lower, _BY_DENSITY[min(place, steps - 1)]) for place, lower in enumerate(shown)]


def _choose_hatch(layer: VectorLayer) -> dict[str, Any] | None:
    """Return filter and pattern of what is hatched: a pattern without a name would be looked for in the sprite."""
    if measured := layer.classed_by:
        (lowest, first), *others = list_class_hatches(layer)
        steps = [part for pair in others for part in pair]
        pattern = ["step", ["get", measured], first, *steps]
        return {"filter": [">=", ["coalesce", ["get", measured], -1e12], lowest], "paint": {"fill-pattern": pattern}}
    found = find_hatches(layer)
    if len(found) < 2:
        return None
    kept = ["match", ["get", layer.style.by], list(found), True, False]
    return {"filter": kept, "paint": {"fill-pattern": choose_by_code(layer, found, next(iter(found.values())))}}


def _draw_arrows(layer: VectorLayer, color: Any) -> dict[str, Any]:
    layout = {
        "symbol-placement": "line",
        "symbol-spacing": 90,
        "icon-image": layer.style.icon,
        "icon-size": ["interpolate", ["linear"], ["zoom"], _ARROW_ZOOM, 0.35, 20, 0.6],
        "icon-allow-overlap": True,
        "icon-ignore-placement": True,
        "icon-padding": 0,
    }
    return {
        "id": f"{layer.id}-icon",
        "type": "symbol",
        "minzoom": max(layer.min_zoom, _ARROW_ZOOM),
        "layout": layout,
        "paint": {"icon-color": color},
    }


def _dash(dash: tuple[float, ...]) -> dict[str, Any]:
    return {"line-dasharray": list(dash)} if dash else {}


def _grow(width: float, mode: Mode) -> list[Any]:
    thin = width * (_THIN if mode == "print" else 1.0)
    return ["interpolate", ["exponential", 1.6], ["zoom"], 9, max(0.3, thin * 0.15), 16, thin, 20, thin * 5]
