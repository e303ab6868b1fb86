"""The typefaces the server draws words with: Be Vietnam Pro in two weights, and which characters they have.

The files are those of the typeface's own project, unchanged, under the SIL Open Font License (``api/fonts/OFL.txt``).
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

_FOLDER = Path(__file__).parent / "fonts"
REGULAR, SEMIBOLD = "Be Vietnam Pro Regular", "Be Vietnam Pro SemiBold"
FILES = {REGULAR: _FOLDER / "BeVietnamPro-Regular.ttf", SEMIBOLD: _FOLDER / "BeVietnamPro-SemiBold.ttf"}

# A family named without a weight is its regular face.
FAMILIES = {"Be Vietnam Pro": REGULAR}


@dataclass(frozen=True, slots=True)
class Typeface:
    """A font file: its name, the characters it has, and its ascender as a share of the em."""

    name: str
    path: Path
    characters: frozenset[int]
    ascender: float

    def open(self, size: float) -> ImageFont.FreeTypeFont:
        """Return the font at ``size`` [px an em]."""
        return _open_font(self.path, size)


@lru_cache(maxsize=8)
def read_typeface(name: str) -> Typeface:
    """Return the typeface called ``name``, a key of ``FILES``."""
    path = FILES[name]
    data = path.read_bytes()
    tables = _find_tables(data)
    (em,) = struct.unpack_from(">H", data, tables["head"] + 18)
    (ascender,) = struct.unpack_from(">h", data, tables["hhea"] + 4)
    return Typeface(name, path, frozenset(_read_characters(data, tables["cmap"])), ascender / em)


@lru_cache(maxsize=32)
def _open_font(path: Path, size: float) -> ImageFont.FreeTypeFont:
    # The basic layout neither kerns nor joins, as a map client, which sets glyph after glyph.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def _find_tables(data: bytes) -> dict[str, int]:
    """Return where each table of an OpenType file begins."""
    (count,) = struct.unpack_from(">H", data, 4)
    records = (struct.unpack_from(">4sIII", data, 12 + 16 * place) for place in range(count))
    return {tag.decode("ascii"): offset for tag, _, offset, _ in records}


def _read_characters(data: bytes, cmap: int) -> set[int]:
    """Return the characters of the basic plane that have a glyph (OpenType ``cmap``, format 4)."""
    (count,) = struct.unpack_from(">H", data, cmap + 2)
    offsets = (struct.unpack_from(">HHI", data, cmap + 4 + 8 * place)[2] for place in range(count))
    start = next(cmap + offset for offset in offsets if data[cmap + offset : cmap + offset + 2] == b"\x00\x04")
    (doubled,) = struct.unpack_from(">H", data, start + 6)
    segments = doubled // 2
    ends = struct.unpack_from(f">{segments}H", data, start + 14)
    begins = struct.unpack_from(f">{segments}H", data, start + 16 + doubled)
    deltas = struct.unpack_from(f">{segments}H", data, start + 16 + 2 * doubled)
    ranges_at = start + 16 + 3 * doubled
    ranges = struct.unpack_from(f">{segments}H", data, ranges_at)
    found = set()
    for place, (begin, end, delta, offset) in enumerate(zip(begins, ends, deltas, ranges, strict=True)):
        for character in range(begin, end + 1):
            glyph = character
            if offset:
                (glyph,) = struct.unpack_from(">H", data, ranges_at + 2 * place + offset + 2 * (character - begin))
            if (offset and glyph) or (not offset and (glyph + delta) & 0xFFFF):
                found.add(character)
    return found - {0xFFFF}
