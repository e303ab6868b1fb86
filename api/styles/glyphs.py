"""Glyphs for map clients: signed distance fields of a typeface, in the protobuf that MapLibre reads.

The message is ``glyphs.proto`` of mapbox/node-fontnik: ``glyphs { repeated fontstack stacks = 1 }``, ``fontstack
{ name = 1; range = 2; repeated glyph glyphs = 3 }``, ``glyph { id = 1; bitmap = 2; width = 3; height = 4; sint32 left =
5; sint32 top = 6; advance = 7 }``. Size, buffer, radius and cutoff are those of node-fontnik.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt

from api.styles.typefaces import Typeface, read_typeface

SIZE, BUFFER, RADIUS, CUTOFF = 24, 3, 8, 0.25
RANGE = 256
# Distances are measured on a drawing this much larger: exact to a sixteenth of a pixel.
_FINE = 8


@lru_cache(maxsize=128)
def make_glyphs(name: str, start: int) -> bytes:
    """Return the glyphs ``start`` to ``start + 255`` of the typeface ``name``; characters it lacks are left out."""
    face = read_typeface(name)
    characters = sorted(face.characters.intersection(range(start, start + RANGE)))
    stack = _write_bytes(1, name.encode()) + _write_bytes(2, f"{start}-{start + RANGE - 1}".encode())
    stack += b"".join(_write_bytes(3, _make_glyph(face, character)) for character in characters)
    return _write_bytes(1, stack)


def measure_distances(inside: NDArray[np.bool_], fine: int) -> NDArray[np.uint8]:
    """Return the signed distance field of a shape as bytes (rows / fine, cols / fine).

    ``inside`` (rows, cols) is drawn ``fine`` times (even) as large as the field. A byte is 255 - 256 (d / radius +
    cutoff), d [px] positive outside: Green, "Improved alpha-tested magnification" (SIGGRAPH 2007).
    """
    if not inside.any():
        return np.zeros((inside.shape[0] // fine, inside.shape[1] // fine), np.uint8)
    # To the edge between two cells, not to the middle of the next one.
    signed = np.where(inside, 0.5 - distance_transform_edt(inside), distance_transform_edt(~inside) - 0.5)
    middle = fine // 2
    rows, cols = np.arange(middle, inside.shape[0], fine), np.arange(middle, inside.shape[1], fine)
    around = [signed[np.ix_(rows + down, cols + right)] for down in (-1, 0) for right in (-1, 0)]
    distance = np.mean(around, axis=0) / fine
    field: NDArray[np.uint8] = np.clip(np.rint(255.0 - 256.0 * (distance / RADIUS + CUTOFF)), 0, 255).astype(np.uint8)
    return field


def _make_glyph(face: Typeface, character: int) -> bytes:
    written = chr(character)
    message = _write_number(1, character)
    advance = _write_number(7, round(face.open(SIZE * _FINE).getlength(written) / _FINE))
    inside, left, top = _draw_outline(face, written)
    if not inside.size:
        return message + b"".join(_write_number(field, 0) for field in (3, 4, 5, 6)) + advance
    field = measure_distances(inside, _FINE)
    height, width = (side - 2 * BUFFER for side in field.shape)
    message += _write_bytes(2, field.tobytes()) + _write_number(3, width) + _write_number(4, height)
    # From the ascender, not from the baseline.
    return message + _write_signed(5, left) + _write_signed(6, top - round(face.ascender * SIZE)) + advance


def _draw_outline(face: Typeface, written: str) -> tuple[NDArray[np.bool_], int, int]:
    """Return what a character covers, finely, with the buffer around whole pixels; its left and its top [px]."""
    font = face.open(SIZE * _FINE)
    across, down = (math.ceil(edge / _FINE) for edge in font.getbbox(written, anchor="ls")[2:])
    drawn = Image.new("L", ((across + 2 * SIZE) * _FINE, (max(down, 0) + 3 * SIZE) * _FINE))
    # The origin of the character lies one em from the left and two from the top.
    ImageDraw.Draw(drawn).text((SIZE * _FINE, 2 * SIZE * _FINE), written, fill=255, font=font, anchor="ls")
    cells = np.asarray(drawn) >= 128
    rows, cols = np.flatnonzero(cells.any(axis=1)) // _FINE, np.flatnonzero(cells.any(axis=0)) // _FINE
    if not rows.size:
        return np.zeros((0, 0), np.bool_), 0, 0
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(cols[0]), int(cols[-1]) + 1
    high, wide = ((start - BUFFER, end + BUFFER) for start, end in ((y0, y1), (x0, x1)))
    inside = cells[high[0] * _FINE : high[1] * _FINE, wide[0] * _FINE : wide[1] * _FINE]
    return inside, x0 - SIZE, 2 * SIZE - y0


def _write_varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _write_number(field: int, value: int) -> bytes:
    return _write_varint(field << 3) + _write_varint(value)


def _write_signed(field: int, value: int) -> bytes:
    return _write_number(field, value * 2 if value >= 0 else -value * 2 - 1)


def _write_bytes(field: int, value: bytes) -> bytes:
    return _write_varint(field << 3 | 2) + _write_varint(len(value)) + value
