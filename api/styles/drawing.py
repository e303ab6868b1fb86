"""Strokes of a drawing as pixels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from layers.icon_svg import pair_points, turn_point
from layers.icons import Stroke


def draw_mask(strokes: Sequence[Stroke], size: int, scale: float, margin: float = 0.0) -> NDArray[np.bool_]:
    """Return which cells a drawing covers (size, size).

    One unit of the drawing is ``scale`` cells wide; its origin lies ``margin`` units inside.
    """
    image = Image.new("L", (size, size))
    pen = ImageDraw.Draw(image)
    for stroke in strokes:
        _draw_stroke(pen, stroke, scale, margin, 0 if stroke.erases else 255)
    return np.asarray(image) >= 128


def _draw_stroke(pen: ImageDraw.ImageDraw, stroke: Stroke, scale: float, margin: float, fill: int) -> None:
    def place(x: float, y: float) -> tuple[float, float]:
        return (x + margin) * scale, (y + margin) * scale

    def draw_disc(x: float, y: float, radius: float) -> None:
        pen.ellipse((place(x - radius, y - radius), place(x + radius, y + radius)), fill=fill)

    kind, numbers = stroke.kind, stroke.numbers
    if kind == "C":
        draw_disc(*numbers)
    elif kind == "P":
        pen.polygon([place(x, y) for x, y in pair_points(numbers)], fill=fill)
    elif kind == "R":
        x0, y0, x1, y1, radius = numbers
        pen.rounded_rectangle((place(x0, y0), place(x1, y1)), radius * scale, fill=fill)
    elif kind in ("O", "A"):
        x, y, radius, start, end, width = numbers if kind == "A" else (*numbers[:3], 0.0, 360.0, numbers[3])
        box = (place(x - radius, y - radius), place(x + radius, y + radius))
        pen.arc(box, start, end, fill=fill, width=round(width * scale))
        if kind == "A":
            for angle in (start, end):
                draw_disc(*turn_point(x, y, radius - width / 2, angle), width / 2)
    else:
        width, points = numbers[0], pair_points(numbers[1:])
        pen.line([place(x, y) for x, y in points], fill=fill, width=round(width * scale), joint="curve")
        for x, y in points:
            draw_disc(x, y, width / 2)
