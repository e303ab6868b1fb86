"""A sketch of features as SVG: where they lie to each other, to scale, with a bar of metres."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

_WIDTH, _HEIGHT, _EDGE = 640.0, 360.0, 24.0
_METRES = 111_320.0
_LEAST = 20.0


def draw_sketch(geometries: Sequence[dict[str, Any] | None]) -> str:
    """Return the picture of GeoJSON geometries in longitude and latitude; empty where there is none."""
    drawn = [one for one in geometries if one]
    points = [point for one in drawn for point in _walk(one.get("coordinates"))]
    if not points:
        return ""
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    # Degrees of longitude are shorter than those of latitude.
    narrow = max(math.cos(math.radians((south + north) / 2)), 0.01)
    span = max((east - west) * narrow / (_WIDTH - 2 * _EDGE), (north - south) / (_HEIGHT - 2 * _EDGE))
    scale = 1 / max(span, _LEAST / _METRES / (_WIDTH - 2 * _EDGE))
    middle = ((west + east) / 2, (south + north) / 2)

    def place(point: tuple[float, float]) -> str:
        x = _WIDTH / 2 + (point[0] - middle[0]) * narrow * scale
        y = _HEIGHT / 2 - (point[1] - middle[1]) * scale
        return f"{x:.1f} {y:.1f}"

    shapes = "".join(_draw(one, place) for one in drawn)
    return (
        f"<svg class='sketch' viewBox='0 0 {_WIDTH:g} {_HEIGHT:g}' role='img' aria-label='Sơ đồ vị trí – sketch map'>"
        f"{shapes}{_draw_bar(scale / _METRES)}</svg>"
    )


def _walk(node: Any) -> Iterator[tuple[float, float]]:
    if isinstance(node, list) and node and isinstance(node[0], int | float):
        yield float(node[0]), float(node[1])
    elif isinstance(node, list):
        for one in node:
            yield from _walk(one)


def _draw(geometry: dict[str, Any], place: Any) -> str:
    kind, inside = geometry["type"], geometry["coordinates"]
    if kind == "Point":
        x, y = place((inside[0], inside[1])).split()
        return f"<circle class='dot' cx='{x}' cy='{y}' r='5'/>"
    if kind == "LineString":
        return f"<path class='line' d='{_trace(inside, place)}'/>"
    rings = [ring for polygon in (inside if kind == "MultiPolygon" else [inside]) for ring in polygon]
    return f"<path class='area' fill-rule='evenodd' d='{''.join(_trace(ring, place) + 'Z' for ring in rings)}'/>"


def _trace(points: Sequence[Sequence[float]], place: Any) -> str:
    return "M" + "L".join(place((point[0], point[1])) for point in points)


def _draw_bar(per_metre: float) -> str:
    """Return a bar of a round number of metres, at most a fifth of the width."""
    most = _WIDTH / 5 / per_metre
    unit = 10.0 ** math.floor(math.log10(most))
    metres = next(step * unit for step in (5, 2, 1) if step * unit <= most)
    words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m".replace(".", ",")
    y, end = _HEIGHT - 14, 14 + metres * per_metre
    return f"<path class='bar' d='M14 {y:g}H{end:.1f}'/><text class='tick' x='14' y='{y - 6:g}'>{words}</text>"
