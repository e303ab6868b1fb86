"""A raster's legend as a picture: title with unit, colours and the values they stand for."""

import io
import re
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from api.pictures import build_palette, read_color
from api.style import build_legend
from layers.quantities import QUANTITIES
from layers.schema import RasterLayer

Language = Literal["vi", "en"]
_SIZE, _PAD, _ROW, _SWATCH = 13, 10, 24, 26
_TICK = 5
_INK, _EDGE, _PAPER = (43, 42, 38), (43, 42, 38, 90), (255, 255, 255)
_FAMILY = "be-vietnam-pro-{subset}-400-normal*.woff*"
# Letters the Vietnamese subset of the viewer's font holds; all others are in its Latin one.
_VIETNAMESE = re.compile("[\u0102-\u01b0\u0300-\u0331\u1ea0-\u1ef9\u20ab]")
# Seconds are for programs; people read hours.
_HOURS = {"vi": "giờ", "en": "h"}


class _Fonts(NamedTuple):
    """Letters of English and those Vietnamese adds; ``complete`` when the latter are there."""

    latin: ImageFont.FreeTypeFont | ImageFont.ImageFont
    vietnamese: ImageFont.FreeTypeFont | ImageFont.ImageFont
    complete: bool


def draw_labelled_legend(layer: RasterLayer, language: Language, *, web_dir: Path) -> bytes:
    """Return the legend of ``layer`` as PNG, its title in ``language``; letters come from the viewer's own fonts.

    Where neither those nor DejaVu Sans are there, the title is English: the letters left over have no Vietnamese.
    """
    fonts = _load_fonts(web_dir)
    spoken: Language = language if fonts.complete else "en"
    title, labels = _word(layer, spoken)
    width = 2 * _PAD + round(
        max(_measure(title, fonts), _SWATCH + 2 * _TICK + max(_measure(label, fonts) for label in labels))
    )
    height = 2 * _PAD + _ROW + _ROW * len(labels)
    picture = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(picture, "RGBA")
    _write(pen, (_PAD, _PAD), title, fonts)
    top = _PAD + _ROW
    if layer.stepped:
        for place, (_, color) in enumerate(layer.ramp):
            corner = top + place * _ROW
            pen.rectangle((_PAD, corner + 3, _PAD + _SWATCH, corner + _ROW - 4), read_color(color), _EDGE)
    else:
        _draw_ramp(picture, layer, top)
        pen.rectangle((_PAD, top + _ROW // 2, _PAD + _SWATCH, top + _ROW * len(labels) - _ROW // 2), None, _EDGE)
    for place, label in enumerate(labels):
        middle = top + place * _ROW + _ROW // 2
        if not layer.stepped:
            pen.line((_PAD + _SWATCH, middle, _PAD + _SWATCH + _TICK, middle), _EDGE)
        _write(pen, (_PAD + _SWATCH + 2 * _TICK, middle - _SIZE // 2 - 2), label, fonts)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _draw_ramp(picture: Image.Image, layer: RasterLayer, top: int) -> None:
    """Paint the ramp downwards from the first value to the last, each in the middle of its row."""
    _, places, rgb, alpha = build_palette(layer)
    rows = _ROW * (len(layer.ramp) - 1)
    index = np.interp(np.arange(rows + 1) / _ROW, np.arange(len(places)), places).astype(np.uint8)
    table = np.column_stack([np.frombuffer(rgb, np.uint8).reshape(-1, 3), np.frombuffer(alpha, np.uint8)])
    strip = Image.fromarray(np.repeat(table[index][:, np.newaxis], _SWATCH + 1, axis=1))
    picture.paste(strip, (_PAD, top + _ROW // 2), strip)


def _word(layer: RasterLayer, language: Language) -> tuple[str, list[str]]:
    """Return the title with its unit, and what stands beside each colour."""
    quantity, said = QUANTITIES[layer.quantity], layer.title._asdict()[language]
    if quantity.unit == "s":
        hours = [f"{value / 3600.0:.3g}" for value, _ in layer.ramp]
        return f"{said} ({_HOURS[language]})", [each.replace(".", ",") if language == "vi" else each for each in hours]
    labels = [entry["label"][language] for entry in build_legend(layer)]
    return (said if layer.stepped or quantity.symbol == "–" else f"{said} ({quantity.symbol})"), labels


@lru_cache(maxsize=4)
def _load_fonts(web_dir: Path) -> _Fonts:
    """Return the fonts of the viewer, which come in two subsets, else DejaVu Sans, else what Pillow brings."""
    subsets = [sorted(web_dir.rglob(_FAMILY.format(subset=subset))) for subset in ("latin", "vietnamese")]
    if all(subsets):
        latin, vietnamese = (ImageFont.truetype(found[0], _SIZE) for found in subsets)
        return _Fonts(latin, vietnamese, complete=True)
    try:
        system = ImageFont.truetype("DejaVuSans.ttf", _SIZE)
    except OSError:
        plain = ImageFont.load_default(_SIZE)
        return _Fonts(plain, plain, complete=False)
    return _Fonts(system, system, complete=True)


def _split(words: str, fonts: _Fonts) -> list[tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont]]:
    """Return the letters with the font that has each."""
    return [(letter, fonts.vietnamese if _VIETNAMESE.match(letter) else fonts.latin) for letter in words]


def _measure(words: str, fonts: _Fonts) -> float:
    return sum(font.getlength(letter) for letter, font in _split(words, fonts))


def _write(pen: ImageDraw.ImageDraw, corner: tuple[int, int], words: str, fonts: _Fonts) -> None:
    x = float(corner[0])
    for letter, font in _split(words, fonts):
        pen.text((x, corner[1] + _SIZE), letter, _INK, font, anchor="ls")
        x += font.getlength(letter)
