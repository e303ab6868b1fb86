"""Strokes of a drawing as SVG."""

import math
from collections.abc import Sequence

from layers.icons import Stroke


def write_svg(strokes: Sequence[Stroke], color: str, ground: str) -> str:
    """Return the drawing as SVG elements in ``color``; what erases is drawn in ``ground``."""
    return "".join(_write_stroke(stroke, ground if stroke.erases else color) for stroke in strokes)


def _write_stroke(stroke: Stroke, color: str) -> str:
    kind, numbers = stroke.kind, stroke.numbers
    if kind == "C":
        x, y, radius = numbers
        return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{color}"/>'
    if kind == "P":
        return f'<polygon points="{_write_points(numbers)}" fill="{color}"/>'
    if kind == "R":
        x0, y0, x1, y1, radius = numbers
        size = f'width="{x1 - x0:g}" height="{y1 - y0:g}" rx="{radius:g}"'
        return f'<rect x="{x0:g}" y="{y0:g}" {size} fill="{color}"/>'
    if kind == "O":
        x, y, radius, width = numbers
        drawn = f'fill="none" stroke="{color}" stroke-width="{width:g}"'
        return f'<circle cx="{x:g}" cy="{y:g}" r="{radius - width / 2:g}" {drawn}/>'
    if kind == "A":
        x, y, radius, start, end, width = numbers
        radius -= width / 2
        (x0, y0), (x1, y1) = turn_point(x, y, radius, start), turn_point(x, y, radius, end)
        drawn = f'fill="none" stroke="{color}" stroke-width="{width:g}" stroke-linecap="round"'
        large = int(end - start > 180.0)
        return f'<path d="M{x0:.2f} {y0:.2f}A{radius:g} {radius:g} 0 {large} 1 {x1:.2f} {y1:.2f}" {drawn}/>'
    drawn = f'fill="none" stroke="{color}" stroke-width="{numbers[0]:g}" stroke-linecap="round" stroke-linejoin="round"'
    return f'<polyline points="{_write_points(numbers[1:])}" {drawn}/>'


def pair_points(numbers: Sequence[float]) -> list[tuple[float, float]]:
    """Return x and y in turn as points."""
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _write_points(numbers: Sequence[float]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in pair_points(numbers))


def turn_point(x: float, y: float, radius: float, angle: float) -> tuple[float, float]:
    """Return the point of a circle at ``angle`` [°], clockwise from the right."""
    return x + radius * math.cos(math.radians(angle)), y + radius * math.sin(math.radians(angle))
