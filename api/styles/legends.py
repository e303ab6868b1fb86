"""Legends: what the colours, dashes and pictograms of a layer mean, as data and as a picture."""

import io
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageDraw

from api.styles.colors import BACKGROUND, INK, Mode, Rgba, choose_ink, mix_color, parse_color
from api.styles.shapes import find_dashes, find_hatches, list_class_hatches
from api.styles.sprites import draw_cover
from api.styles.style import build_legend
from api.styles.typefaces import REGULAR, SEMIBOLD, read_typeface
from layers.icons import GRID, HATCH_SIZE, HATCHES, ICONS, find_icon
from layers.quantities import QUANTITIES
from layers.schema import RasterLayer, VectorLayer

Lang = Literal["vi", "en"]
MARGIN, ROW, GAP = 8, 22, 8
SWATCH = (28, 16)
TITLE_SIZE, LABEL_SIZE = 13, 12
_FINE = 4
_HATCH_INK = (70, 72, 78)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend: its words and how its sample is drawn. A ``ramp`` runs on into the next entry."""

    label: str
    shape: Literal["circle", "line", "fill", "block", "ramp"]
    color: Rgba
    outline: Rgba | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()
    icon: str | None = None
    ink: str = "#ffffff"
    hatch: str | None = None


@dataclass(frozen=True, slots=True)
class Legend:
    """A legend laid out: words, entries from top to bottom, size [px]."""

    title: str
    entries: tuple[Entry, ...]
    width: int
    height: int


def describe_legend(layer: VectorLayer | RasterLayer) -> dict[str, Any]:
    """Return the legend as data: entries with colour, words and pictogram; unit and kind for a raster."""
    described: dict[str, Any] = {"layer": layer.id, "title": layer.title._asdict(), "legend": build_legend(layer)}
    if isinstance(layer, RasterLayer):
        quantity = QUANTITIES[layer.quantity]
        return described | {"unit": quantity.unit, "symbol": quantity.symbol, "stepped": layer.stepped}
    icon = layer.style.icon
    if icon is not None and layer.geometry == "Point":
        for entry in described["legend"]:
            entry["icon"] = find_icon(icon, entry.get("value"))
    return described


def lay_out_legend(layer: VectorLayer | RasterLayer, *, lang: Lang = "vi", mode: Mode = "light") -> Legend:
    """Return the legend of ``layer`` in a language, for a light or dark map or for paper."""
    if isinstance(layer, RasterLayer):
        entries = _list_raster_entries(layer, lang)
    else:
        entries = [_build_entry(layer, entry, lang, mode) for entry in build_legend(layer)]
    title, symbol = layer.title._asdict()[lang], _find_symbol(layer)
    title = f"{title} ({symbol})" if symbol else title
    left = MARGIN + SWATCH[0] + GAP
    labels = [left + _measure(entry.label, REGULAR, LABEL_SIZE) for entry in entries]
    width = max(MARGIN + _measure(title, SEMIBOLD, TITLE_SIZE), *labels) + MARGIN
    return Legend(title, tuple(entries), math.ceil(width), 2 * MARGIN + ROW * (len(entries) + 1))


def draw_legend_picture(
    layer: VectorLayer | RasterLayer, *, lang: Lang = "vi", scale: int = 1, mode: Mode = "light"
) -> bytes:
    """Return the legend as PNG with ``scale`` pixels to a unit: title with unit, samples and words."""
    legend = lay_out_legend(layer, lang=lang, mode=mode)
    fine = scale * _FINE
    image = Image.new("RGB", (legend.width * fine, legend.height * fine), BACKGROUND[mode])
    for place, entry in enumerate(legend.entries):
        following = legend.entries[place + 1] if place + 1 < len(legend.entries) else None
        _draw_sample(image, entry, following, find_top(place), fine)
    image = image.resize((legend.width * scale, legend.height * scale), Image.Resampling.BOX)
    pen = ImageDraw.Draw(image)
    ink = INK[mode][0]
    title_font = read_typeface(SEMIBOLD).open(TITLE_SIZE * scale)
    pen.text((MARGIN * scale, (MARGIN + ROW / 2) * scale), legend.title, ink, title_font, anchor="lm")
    font = read_typeface(REGULAR).open(LABEL_SIZE * scale)
    for place, entry in enumerate(legend.entries):
        at = (MARGIN + SWATCH[0] + GAP) * scale, (find_top(place) + ROW / 2) * scale
        pen.text(at, entry.label, ink, font, anchor="lm")
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


def _find_symbol(layer: VectorLayer | RasterLayer) -> str:
    if isinstance(layer, RasterLayer):
        symbol = QUANTITIES[layer.quantity].symbol
        return "" if symbol == "–" else symbol
    prop = layer.find(layer.classed_by) if layer.classed_by else None
    return prop.measure.symbol if prop and prop.measure else ""


def _list_raster_entries(layer: RasterLayer, lang: Lang) -> list[Entry]:
    shape: Literal["block", "ramp"] = "block" if layer.stepped else "ramp"
    return [Entry(entry["label"][lang], shape, parse_color(entry["color"])) for entry in build_legend(layer)]


def _build_entry(layer: VectorLayer, entry: dict[str, Any], lang: Lang, mode: Mode) -> Entry:
    style, value, declared = layer.style, entry.get("value"), str(entry["color"])
    outline = mix_color(style.outline, mode) if style.outline else None
    label, shape = entry["label"][lang], entry["shape"]
    if shape == "circle":
        icon = find_icon(style.icon, value) if style.icon else None
        color = mix_color(declared, mode)
        if mode == "print" and icon:
            return Entry(label, shape, (255, 255, 255, 1.0), color, icon=icon, ink=write_hex(color))
        return Entry(label, shape, color, outline, icon=icon, ink=choose_ink(declared, mode))
    if shape == "line":
        dash = find_dashes(layer).get(str(value), style.dash) if mode == "print" else style.dash
        return Entry(label, shape, mix_color(declared, mode), outline, min(style.width, 5.0), dash)
    hatches: dict[Any, str] = {**find_hatches(layer), **dict(list_class_hatches(layer))} if mode == "print" else {}
    # A layer without a fill is known by its outline.
    fill = style.color if not style.by and not style.classes else declared
    red, green, blue, alpha = mix_color(fill, mode, ground=True)
    alpha *= style.opacity
    width = min(style.width, 2.0)
    return Entry(label, "fill", (red, green, blue, alpha), outline, width, style.dash, hatch=hatches.get(value))


def find_top(place: int) -> int:
    """Return where the entry at ``place`` begins [px]."""
    return MARGIN + ROW * (place + 1)


def _measure(words: str, face: str, size: int) -> float:
    return float(read_typeface(face).open(size).getlength(words))


def write_hex(color: Rgba) -> str:
    """Return a colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*color[:3])


def _lay_over(image: Image.Image, box: tuple[float, float, float, float], color: Rgba) -> None:
    """Fill a box of ``image`` [cells] with a colour that may be translucent."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    if x1 > x0 and y1 > y0:
        cover = Image.new("L", (x1 - x0, y1 - y0), round(255 * color[3]))
        image.paste(color[:3], (x0, y0), cover)


def _draw_sample(image: Image.Image, entry: Entry, following: Entry | None, top: int, fine: int) -> None:
    pen = ImageDraw.Draw(image)
    x0, x1, middle = MARGIN * fine, (MARGIN + SWATCH[0]) * fine, (top + ROW / 2) * fine
    y0, y1 = middle - SWATCH[1] / 2 * fine, middle + SWATCH[1] / 2 * fine
    if entry.shape == "ramp":
        # From the middle of this line to the middle of the next.
        for step in range(ROW * fine if following else 0):
            color = _blend(entry.color, following.color if following else entry.color, step / (ROW * fine))
            _lay_over(image, (x0, middle + step, x1, middle + step + 1), color)
        pen.line([(x1, middle), (x1 + 3 * fine, middle)], fill=(128, 128, 128), width=fine)
    elif entry.shape in ("fill", "block"):
        _lay_over(image, (x0, y0, x1, y1), entry.color)
        if entry.hatch:
            _lay_hatch(image, entry.hatch, (round(x0), round(y0)), fine)
        edge = entry.outline or (128, 128, 128, 1.0)
        width = max(1, round((entry.width if entry.outline else 0.5) * fine))
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        for start, end in pairwise(corners):
            _draw_dashed(pen, start, end, edge, width, entry.dash if entry.outline else ())
    elif entry.shape == "line":
        if entry.outline:
            pen.line([(x0, middle), (x1, middle)], entry.outline[:3], round((entry.width * 1.35 + 0.8) * fine))
        _draw_dashed(pen, (x0, middle), (x1, middle), entry.color, round(max(entry.width, 1.2) * fine), entry.dash)
    else:
        radius = (8.0 if entry.icon else 5.0) * fine
        x = (x0 + x1) / 2
        box = (x - radius, middle - radius, x + radius, middle + radius)
        rim = entry.outline[:3] if entry.outline else None
        pen.ellipse(box, entry.color[:3], rim, round(1.2 * fine) if rim else 0)
        if entry.icon:
            size = 11 * fine
            cover = Image.fromarray(draw_cover(ICONS[entry.icon], size, size / GRID))
            image.paste(entry.ink, (round(x - size / 2), round(middle - size / 2)), cover)


def _lay_hatch(image: Image.Image, name: str, at: tuple[int, int], fine: int) -> None:
    size = HATCH_SIZE * fine
    cover = np.tile(draw_cover(HATCHES[name], size, fine), (1, 2))[: SWATCH[1] * fine, : SWATCH[0] * fine]
    image.paste(_HATCH_INK, at, Image.fromarray(np.ascontiguousarray(cover)))


def _draw_dashed(
    pen: ImageDraw.ImageDraw,
    start: tuple[float, float],
    end: tuple[float, float],
    color: Rgba,
    width: int,
    dash: tuple[float, ...],
) -> None:
    """Draw a line [cells]; ``dash`` counts in widths, as in a style."""
    length = math.dist(start, end)
    along = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    place, turn = 0.0, 0
    while place < length:
        stop = min(length, place + (dash[turn % len(dash)] * width if dash else length))
        if turn % 2 == 0:
            ends = [(start[0] + along[0] * at, start[1] + along[1] * at) for at in (place, stop)]
            pen.line(ends, fill=color[:3], width=width)
        place, turn = stop, turn + 1


def _blend(first: Rgba, second: Rgba, share: float) -> Rgba:
    red, green, blue, alpha = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return round(red), round(green), round(blue), alpha
