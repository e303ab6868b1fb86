"""Line charts as SVG: axes, lines, bands and dots in one colour scheme, readable without a script."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 640.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 12.0, 34.0


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line through x, y (n,), NaN a gap; ``kind`` names its colour, ``dots`` marks each point."""

    x: Floats
    y: Floats
    kind: str
    dots: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The area between low and high (n,) over x (n,)."""

    x: Floats
    low: Floats
    high: Floats
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """What is drawn: bands under lines; ticks of both axes with their words; levels as dashed lines across."""

    title: str
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    lines: Sequence[Line]
    bands: Sequence[Band] = ()
    levels: Sequence[tuple[float, str]] = ()
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = field(default=(0.0, 1.0))


def draw_chart(chart: Chart) -> str:
    """Return the chart as an SVG element that scales with its place."""
    parts = [
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{escape(chart.title)}">',
        *_draw_axes(chart),
        *(_draw_band(chart, band) for band in chart.bands),
        *(_draw_level(chart, place, *level) for place, level in enumerate(chart.levels)),
        *(_draw_line(chart, line) for line in chart.lines),
        "</svg>",
    ]
    return "".join(parts)


def choose_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about ``count`` round values from ``low`` to ``high``."""
    span = max(high - low, 1.0e-9)
    raw = span / count
    size = 10.0 ** np.floor(np.log10(raw))
    step = float(size * next(m for m in (1.0, 2.0, 5.0, 10.0) if m * size >= raw))
    first = np.ceil(low / step - 1.0e-9)
    return [float(round(k * step, 10)) + 0.0 for k in np.arange(first, np.floor(high / step + 1.0e-9) + 1.0)]


def _place(chart: Chart, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    (x0, x1), (y0, y1) = chart.x_range, chart.y_range
    across = _LEFT + (x - x0) / max(x1 - x0, 1.0e-9) * (WIDTH - _LEFT - _RIGHT)
    down = HEIGHT - _BOTTOM - (y - y0) / max(y1 - y0, 1.0e-9) * (HEIGHT - _TOP - _BOTTOM)
    return across, down


def _draw_axes(chart: Chart) -> list[str]:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    parts = []
    for value, words in chart.y_ticks:
        _, (down,) = _place(chart, np.array([0.0]), np.array([value]))
        parts.append(f'<line class="grid" x1="{_LEFT:g}" x2="{right:g}" y1="{down:.1f}" y2="{down:.1f}"/>')
        parts.append(f'<text class="tick end" x="{_LEFT - 6:g}" y="{down + 4:.1f}">{escape(words)}</text>')
    for value, words in chart.x_ticks:
        (across,), _ = _place(chart, np.array([value]), np.array([0.0]))
        parts.append(f'<line class="grid" x1="{across:.1f}" x2="{across:.1f}" y1="{_TOP:g}" y2="{bottom:g}"/>')
        parts.append(f'<text class="tick middle" x="{across:.1f}" y="{bottom + 18:g}">{escape(words)}</text>')
    return parts


def _draw_level(chart: Chart, place: int, value: float, words: str) -> str:
    """Return a dashed line with its name; names of levels close together stand side by side."""
    low, high = chart.y_range
    if not low <= value <= high:
        return ""
    _, (down,) = _place(chart, np.array([0.0]), np.array([value]))
    right = WIDTH - _RIGHT
    return (
        f'<line class="level" x1="{_LEFT:g}" x2="{right:g}" y1="{down:.1f}" y2="{down:.1f}"/>'
        f'<text class="tick end level-name" x="{right - 4 - 52 * place:g}" y="{down - 4:.1f}">{escape(words)}</text>'
    )


def _draw_band(chart: Chart, band: Band) -> str:
    known = np.isfinite(band.low) & np.isfinite(band.high)
    if not known.any():
        return ""
    x = np.concatenate([band.x[known], band.x[known][::-1]])
    across, down = _place(chart, x, np.concatenate([band.high[known], band.low[known][::-1]]))
    points = " ".join(f"{a:.1f},{d:.1f}" for a, d in zip(across, down, strict=True))
    return f'<polygon class="band {band.kind}" points="{points}"/>'


def _draw_line(chart: Chart, line: Line) -> str:
    across, down = _place(chart, line.x, line.y)
    known = np.isfinite(across) & np.isfinite(down)
    path, pen = [], "M"
    for a, d, there in zip(across, down, known, strict=True):
        if there:
            path.append(f"{pen}{a:.1f} {d:.1f}")
        pen = "L" if there else "M"
    dots = (
        "".join(
            f'<circle class="{line.kind}" cx="{a:.1f}" cy="{d:.1f}" r="3.5"/>'
            for a, d in zip(across[known], down[known], strict=True)
        )
        if line.dots
        else ""
    )
    return f'<path class="{line.kind}" d="{"".join(path)}"/>{dots}'
