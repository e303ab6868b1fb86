"""Curves as a picture: small logarithmic panels side by side, one a metric, drawn as SVG."""

import html
import math
from collections.abc import Sequence

Curve = tuple[str, str, str, tuple[tuple[int, float], ...], float | None]
COLUMNS = 4
WIDTH, HEIGHT, GAP = 250.0, 165.0, 22.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 36.0, 26.0
_COLOURS = {"features": "#1f6f8b", "history": "#6a4c93", "sensors": "#b5541c", "cells": "#2a7d46", "graph": "#8a1c4a",
            "workers": "#4a5a6a"}  # fmt: skip


def draw_curves(curves: Sequence[Curve]) -> str:
    """Return the picture of ``curves``: case, metric, unit, (size, value) points, exponent of growth."""
    shown = [curve for curve in curves if any(value > 0.0 for _, value in curve[3])]
    rows = math.ceil(len(shown) / COLUMNS)
    width, height = COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + GAP) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="system-ui, sans-serif" font-size="10">',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
    ]
    for place, curve in enumerate(shown):
        x, y = GAP + (place % COLUMNS) * (WIDTH + GAP), GAP + (place // COLUMNS) * (HEIGHT + GAP)
        parts.append(f'<g transform="translate({x:.0f} {y:.0f})">{_draw_panel(curve)}</g>')
    return "\n".join([*parts, "</svg>\n"])


def _draw_panel(curve: Curve) -> str:
    case, metric, unit, points, exponent = curve
    points = tuple((size, value) for size, value in points if value > 0.0)
    colour = _COLOURS.get(case, "#333")
    sizes, values = [math.log10(size) for size, _ in points], [math.log10(value) for _, value in points]
    x0, x1 = _widen(sizes)
    y0, y1 = _widen(values)

    def place(size: float, value: float) -> tuple[float, float]:
        across = LEFT + (size - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)
        return across, HEIGHT - BOTTOM - (value - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)

    grows = "" if exponent is None else f"n^{exponent:.2f}"
    parts = [
        f'<rect width="{WIDTH:.0f}" height="{HEIGHT:.0f}" rx="4" fill="#f7f8f9"/>',
        f'<text x="8" y="14" font-weight="600" fill="{colour}">{html.escape(case)}</text>',
        f'<text x="{WIDTH - RIGHT}" y="14" text-anchor="end" fill="#667">{grows}</text>',
        f'<text x="8" y="27">{html.escape(f"{metric} [{unit}]")}</text>',
    ]
    for power in range(math.ceil(y0), math.floor(y1) + 1):
        _, y = place(x0, power)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dde1e5"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 3:.1f}" text-anchor="end" fill="#667">{_write(power)}</text>')
    for (size, _), log in zip(points, sizes, strict=True):
        x, _ = place(log, y0)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 9}" text-anchor="middle" fill="#667">{_shorten(size)}</text>')
    placed = [place(size, value) for size, value in zip(sizes, values, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
    return "".join(parts)


def _widen(logs: Sequence[float]) -> tuple[float, float]:
    low, high = min(logs), max(logs)
    middle, half = (low + high) / 2.0, max((high - low) / 2.0 * 1.15, 0.55)
    return middle - half, middle + half


def _write(power: int) -> str:
    return _shorten(10**power) if power >= 0 else f"{10.0**power:g}"


def _shorten(size: int) -> str:
    for least, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if size >= least:
            return f"{size / least:g}{letter}"
    return str(size)
