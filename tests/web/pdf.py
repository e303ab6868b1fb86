"""What a PDF of the browser holds: sizes of its pages and their text, read with the standard library."""

import re
import unicodedata
import zlib
from dataclasses import dataclass

_OBJECT = re.compile(rb"(\d+) 0 obj\b(.*?)\bendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_BOX = re.compile(rb"/MediaBox\s*\[\s*([-\d.]+)\s+([-\d.]+)\s+([-\d.]+)\s+([-\d.]+)")
_SHOWN = re.compile(r"/(\S+)\s+[-\d.]+\s+Tf|<([0-9A-Fa-f]+)>")
_RANGE = re.compile(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:<([0-9A-Fa-f]+)>|\[([^\]]*)\])")
_PAIR = re.compile(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_POINTS_TO_MM = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Pdf:
    """Pages with width and height [mm], and the text of all of them without blanks."""

    sizes: list[tuple[int, int]]
    text: str


def read_pdf(content: bytes) -> Pdf:
    """Read pages and text; the text needs fonts that say which letters their glyphs are, as searching it does."""
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(content)}
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    boxes = [[float(side) for side in found.groups()] for body in pages if (found := _BOX.search(body))]
    sizes = [(round((x2 - x1) * _POINTS_TO_MM), round((y2 - y1) * _POINTS_TO_MM)) for x1, y1, x2, y2 in boxes]
    letters = {
        name: _read_letters(_unpack(objects[int(found[1])]))
        for name, number in re.findall(r"/(F\d+)\s+(\d+) 0 R", content.decode("latin-1"))
        if (found := re.search(rb"/ToUnicode\s+(\d+) 0 R", objects.get(int(number), b"")))
    }
    streams = [_unpack(body) for body in objects.values() if b"stream" in body and b"/Subtype" not in body]
    text = "".join(_read_text(stream, letters) for stream in streams if " Tf" in stream)
    # The font draws some letters of two glyphs; who searches gets them composed.
    return Pdf(sizes, unicodedata.normalize("NFC", text))


def _unpack(body: bytes) -> str:
    found = _STREAM.search(body)
    if found is None:
        return ""
    try:
        return zlib.decompress(found[1]).decode("latin-1")
    except zlib.error:
        return found[1].decode("latin-1")


def _read_letters(cmap: str) -> dict[int, str]:
    """Return the letters of glyphs that a ToUnicode map declares."""
    letters = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        letters.update({int(glyph, 16): _spell(code) for glyph, code in _PAIR.findall(block)})
    for block in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, code, codes in _RANGE.findall(block):
            glyphs = range(int(first, 16), int(last, 16) + 1)
            if code:
                letters.update({glyph: chr(int(code, 16) + step) for step, glyph in enumerate(glyphs)})
            else:
                each = re.findall(r"<([0-9A-Fa-f]+)>", codes)
                letters.update({glyph: _spell(one) for glyph, one in zip(glyphs, each, strict=False)})
    return letters


def _spell(code: str) -> str:
    return bytes.fromhex(code).decode("utf-16-be", errors="replace")


def _read_text(stream: str, letters: dict[str, dict[int, str]]) -> str:
    known: dict[int, str] = {}
    words = []
    for font, shown in _SHOWN.findall(stream):
        if font:
            known = letters.get(font, {})
        else:
            glyphs = [int(shown[at : at + 4], 16) for at in range(0, len(shown) - 3, 4)]
            words.append("".join(known.get(glyph, "") for glyph in glyphs))
    return re.sub(r"\s+", "", "".join(words))
