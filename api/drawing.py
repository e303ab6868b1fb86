"""Strokes of a drawing as pixels and as SVG."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from api.icons import Stroke


def draw_mask(strokes: Sequence[Stroke], size: int, scale: float, margin: float = 0.0) -> NDArray[np.bool_]:
    """Return which cells a drawing covers (size, size).

    One unit of the drawing is ``scale`` cells wide; its origin lies ``margin`` units inside.
    """
    image = Image.new("L", (size, size))
    pen = ImageDraw.Draw(image)
    for stroke in strokes:
        _draw_stroke(pen, stroke, scale, margin, 0 if stroke.erases else 255)
    return np.asarray(image) >= 128


def write_svg(strokes: Sequence[Stroke], color: str, ground: str) -> str:
    """Return the drawing as SVG elements in ``color``; what erases is drawn in ``ground``."""
    return "".join(_write_stroke(stroke, ground if stroke.erases else color) for stroke in strokes)


def _draw_stroke(pen: ImageDraw.ImageDraw, stroke: Stroke, scale: float, margin: float, fill: int) -> None:
    def place(x: float, y: float) -> tuple[float, float]:
        return (x + margin) * scale, (y + margin) * scale

    def draw_disc(x: float, y: float, radius: float) -> None:
        pen.ellipse((place(x - radius, y - radius), place(x + radius, y + radius)), fill=fill)

    kind, numbers = stroke.kind, stroke.numbers
    if kind == "C":
        draw_disc(*numbers)
    elif kind == "P":
        pen.polygon([place(x, y) for x, y in _pair(numbers)], fill=fill)
    elif kind == "R":
        x0, y0, x1, y1, radius = numbers
        pen.rounded_rectangle((place(x0, y0), place(x1, y1)), radius * scale, fill=fill)
    elif kind in ("O", "A"):
        x, y, radius, start, end, width = numbers if kind == "A" else (*numbers[:3], 0.0, 360.0, numbers[3])
        box = (place(x - radius, y - radius), place(x + radius, y + radius))
        pen.arc(box, start, end, fill=fill, width=round(width * scale))
        if kind == "A":
            for angle in (start, end):
                draw_disc(*_turn(x, y, radius - width / 2, angle), width / 2)
    else:
        width, points = numbers[0], _pair(numbers[1:])
        pen.line([place(x, y) for x, y in points], fill=fill, width=round(width * scale), joint="curve")
        for x, y in points:
            draw_disc(x, y, width / 2)


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
        (x0, y0), (x1, y1) = _turn(x, y, radius, start), _turn(x, y, radius, end)
        drawn = f'fill="none" stroke="{color}" stroke-width="{width:g}" stroke-linecap="round"'
        large = int(end - start > 180.0)
        return f'<path d="M{x0:.2f} {y0:.2f}A{radius:g} {radius:g} 0 {large} 1 {x1:.2f} {y1:.2f}" {drawn}/>'
    drawn = f'fill="none" stroke="{color}" stroke-width="{numbers[0]:g}" stroke-linecap="round" stroke-linejoin="round"'
    return f'<polyline points="{_write_points(numbers[1:])}" {drawn}/>'


def _pair(numbers: Sequence[float]) -> list[tuple[float, float]]:
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _write_points(numbers: Sequence[float]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in _pair(numbers))


def _turn(x: float, y: float, radius: float, angle: float) -> tuple[float, float]:
    return x + radius * math.cos(math.radians(angle)), y + radius * math.sin(math.radians(angle))
