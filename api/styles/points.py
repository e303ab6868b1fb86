"""Points: dots that grow into discs with a pictogram, clusters with their count, and the words beside them."""

from typing import Any

from api.styles.colors import INK, Mode, adapt_color, choose_by_code, choose_color, choose_ink, list_code_colors
from api.styles.typefaces import REGULAR, SEMIBOLD
from layers.icons import find_icon
from layers.schema import VectorLayer
from layers.store.tiles import find_area_name

DISC = 8.0
# A pictogram appears while its disc still grows.
_EARLY = 0.5
_COUNT = ["coalesce", ["get", "point_count"], 1]
_IS_CLUSTER = [">", _COUNT, 1]
_CLUSTER_RADIUS = ["interpolate", ["linear"], ["log10", _COUNT], 0, 7, 1, 10, 2, 13, 3, 17, 4, 21, 5, 26]
_WRITTEN_COUNT = ["case", [">=", _COUNT, 10_000], ["concat", ["to-string", ["round", ["/", _COUNT, 1000]]], "k"],
                  ["to-string", _COUNT]]  # fmt: skip


def draw_points(layer: VectorLayer, mode: Mode) -> list[dict[str, Any]]:
    """Return the style layers of a point layer: dots and clusters, then pictograms and counts on them."""
    style = layer.style
    color = choose_color(layer, lambda color: adapt_color(color, mode))
    zoom = find_icon_zoom(layer)
    paint: dict[str, Any] = {
        "circle-color": color,
        "circle-radius": ["interpolate", ["exponential", 1.4], ["zoom"], *_list_radii(layer)],
        "circle-opacity": ["case", _IS_CLUSTER, 0.85, style.opacity],
    }
    if mode == "print":
        # On paper the disc is white, so that a pictogram of the class's ink is read without colour.
        if zoom is not None:
            paint["circle-color"] = ["step", ["zoom"], color, zoom, ["case", _IS_CLUSTER, color, "#ffffff"]]
        paint |= {"circle-stroke-color": color, "circle-stroke-width": 1.0}
    elif style.outline:
        paint["circle-stroke-color"] = style.outline
        paint["circle-stroke-width"] = ["interpolate", ["linear"], ["zoom"], 12, 0.5, 18, 1.5]
    return [{"id": layer.id, "type": "circle", "paint": paint}, _draw_signs(layer, mode, zoom, color)]


def find_icon_zoom(layer: VectorLayer) -> float | None:
    """Return the zoom at which the disc of a pictogram is grown, later for what is small and many; None without one."""
    if layer.style.icon is None:
        return None
    radius = layer.style.radius
    return 18.0 if radius <= 3.0 else 17.0 if radius <= 4.0 else 16.0 if radius <= 5.0 else 14.0


def draw_label(layer: VectorLayer, mode: Mode) -> dict[str, Any]:
    """Return the style layer with the names of a layer's features."""
    ink, halo = INK[mode]
    scale = 1.2 if mode == "print" else 1.0
    sizes = [part for zoom, size in ((10, 10), (16, 13), (20, 15)) for part in (zoom, size * scale)]
    layout: dict[str, Any] = {
        "text-field": ["to-string", ["coalesce", ["get", layer.style.label], ""]],
        "text-font": [SEMIBOLD if layer.theme == "admin" else REGULAR],
        "text-size": ["interpolate", ["linear"], ["zoom"], *sizes],
        "text-max-width": 8,
        "symbol-placement": "line" if layer.geometry == "LineString" else "point",
    }
    if layer.geometry == "Point":
        layout |= {"text-anchor": "top", "text-offset": [0, 0.9], "text-optional": True}
    return {
        "id": f"{layer.id}-label",
        "type": "symbol",
        "source-layer": f"{layer.id}-label" if find_area_name(layer) else layer.id,
        "layout": layout,
        "paint": {"text-color": ink, "text-halo-color": halo, "text-halo-width": 1.2 * scale},
    }


def _list_radii(layer: VectorLayer) -> list[Any]:
    """Return zooms and radii [px] in turn; a cluster keeps its size."""
    radius, zoom = layer.style.radius, find_icon_zoom(layer)
    if zoom is None:
        radii = [(10.0, radius * 0.5), (16.0, radius), (20.0, radius * 2.5)]
    else:
        disc = max(radius, DISC)
        radii = [(10.0, radius * 0.5), (zoom - 1.0, radius), (zoom, disc), (20.0, max(disc * 1.4, radius * 2.0))]
    return [part for step, own in radii for part in (step, ["case", _IS_CLUSTER, _CLUSTER_RADIUS, own])]


def _draw_signs(layer: VectorLayer, mode: Mode, zoom: float | None, color: Any) -> dict[str, Any]:
    ink = choose_color(layer, lambda color: choose_ink(color, mode))
    layout: dict[str, Any] = {
        "text-field": ["case", _IS_CLUSTER, _WRITTEN_COUNT, ""],
        "text-font": [SEMIBOLD],
        "text-size": 11,
        "text-allow-overlap": True,
        "text-ignore-placement": True,
    }
    paint: dict[str, Any] = {"text-color": ink}
    icon = layer.style.icon
    if icon is not None and zoom is not None:
        pictures = {value: find_icon(icon, value) for value, _ in list_code_colors(layer)}
        own = {value: picture for value, picture in pictures.items() if picture != icon}
        picture = ["case", _IS_CLUSTER, "", choose_by_code(layer, own, icon)]
        size = ["interpolate", ["exponential", 1.4], ["zoom"], zoom - _EARLY, 0.33, zoom, 0.45, 20, 0.65]
        # Which picture is decided a whole zoom at a time, how it is painted at any zoom.
        layout |= {"icon-image": ["step", ["zoom"], "", zoom - 1.0, picture], "icon-size": size}
        paint["icon-opacity"] = ["step", ["zoom"], 0, zoom if mode == "print" else zoom - _EARLY, 1]
        # It belongs to its disc, whatever else is near.
        layout |= {"icon-allow-overlap": True, "icon-ignore-placement": True}
        paint["icon-color"] = color if mode == "print" else ink
    return {"id": f"{layer.id}-icon", "type": "symbol", "layout": layout, "paint": paint}
