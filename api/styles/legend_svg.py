"""Legends as SVG."""

from xml.sax.saxutils import escape

from api.styles.colors import BACKGROUND, INK, Mode, Rgba
from api.styles.legends import (
    GAP,
    LABEL_SIZE,
    MARGIN,
    ROW,
    SWATCH,
    TITLE_SIZE,
    Entry,
    Lang,
    find_top,
    lay_out_legend,
    write_hex,
)
from layers.icon_svg import write_svg
from layers.icons import GRID, HATCH_SIZE, HATCHES, ICONS, parse_strokes
from layers.schema import RasterLayer, VectorLayer


def write_legend_svg(layer: VectorLayer | RasterLayer, *, lang: Lang = "vi", mode: Mode = "light") -> bytes:
    """Return the legend as SVG 1.1."""
    legend = lay_out_legend(layer, lang=lang, mode=mode)
    ink = INK[mode][0]
    parts = [f'<rect width="{legend.width}" height="{legend.height}" fill="{BACKGROUND[mode]}"/>']
    words = f'font-family="Be Vietnam Pro, sans-serif" fill="{ink}" dominant-baseline="central"'
    middle = MARGIN + ROW / 2
    title = escape(legend.title)
    parts.append(f'<text x="{MARGIN}" y="{middle:g}" font-size="{TITLE_SIZE}" font-weight="600" {words}>{title}</text>')
    for place, entry in enumerate(legend.entries):
        following = legend.entries[place + 1] if place + 1 < len(legend.entries) else None
        parts.append(_write_sample(entry, following, place))
        x, y = MARGIN + SWATCH[0] + GAP, find_top(place) + ROW / 2
        parts.append(f'<text x="{x}" y="{y:g}" font-size="{LABEL_SIZE}" {words}>{escape(entry.label)}</text>')
    size = f'width="{legend.width}" height="{legend.height}" viewBox="0 0 {legend.width} {legend.height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{"".join(parts)}</svg>'.encode()


def _write_rgb(color: Rgba) -> str:
    return f'fill="{write_hex(color)}" fill-opacity="{color[3]:.3g}"'


def _write_sample(entry: Entry, following: Entry | None, place: int) -> str:
    x0, middle = MARGIN, find_top(place) + ROW / 2
    width, height = SWATCH
    y0 = middle - height / 2
    box = f'x="{x0}" y="{y0:g}" width="{width}" height="{height}"'
    edge = write_hex(entry.outline) if entry.outline else "#808080"
    if entry.shape == "ramp":
        if following is None:
            return ""
        stops = "".join(
            f'<stop offset="{offset}" stop-color="{write_hex(color)}" stop-opacity="{color[3]:.3g}"/>'
            for offset, color in ((0, entry.color), (1, following.color))
        )
        ramp = f'<linearGradient id="r{place}" x1="0" y1="0" x2="0" y2="1">{stops}</linearGradient>'
        return f'{ramp}<rect x="{x0}" y="{middle:g}" width="{width}" height="{ROW}" fill="url(#r{place})"/>'
    if entry.shape in ("fill", "block"):
        stroke = f'stroke="{edge}" stroke-width="{entry.width if entry.outline else 0.5:g}"'
        drawn = f"<rect {box} {_write_rgb(entry.color)} {stroke}{_write_dash(entry)}/>"
        if entry.hatch:
            strokes = write_svg(parse_strokes(HATCHES[entry.hatch]), "#46484e", "none")
            pattern = f'id="h{place}" width="{HATCH_SIZE}" height="{HATCH_SIZE}" patternUnits="userSpaceOnUse"'
            drawn += f'<pattern {pattern}>{strokes}</pattern><rect {box} fill="url(#h{place})"/>'
        return drawn
    if entry.shape == "line":
        line = f'x1="{x0}" x2="{x0 + width}" y1="{middle:g}" y2="{middle:g}"'
        casing = f'<line {line} stroke="{edge}" stroke-width="{entry.width * 1.35 + 0.8:g}"/>' if entry.outline else ""
        drawn = f'stroke="{write_hex(entry.color)}" stroke-width="{max(entry.width, 1.2):g}"'
        return f"{casing}<line {line} {drawn}{_write_dash(entry)}/>"
    x, radius = x0 + width / 2, 8 if entry.icon else 5
    stroke = f' stroke="{edge}" stroke-width="1.2"' if entry.outline else ""
    drawn = f'<circle cx="{x:g}" cy="{middle:g}" r="{radius}" {_write_rgb(entry.color)}{stroke}/>'
    if entry.icon:
        strokes = write_svg(parse_strokes(ICONS[entry.icon]), entry.ink, write_hex(entry.color))
        moved = f"translate({x - 5.5:g} {middle - 5.5:g}) scale({11 / GRID:.4f})"
        drawn += f'<g transform="{moved}">{strokes}</g>'
    return drawn


def _write_dash(entry: Entry) -> str:
    if not entry.dash or (entry.shape == "fill" and not entry.outline):
        return ""
    return f' stroke-dasharray="{" ".join(f"{part * max(entry.width, 1.2):g}" for part in entry.dash)}"'
