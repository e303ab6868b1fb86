"""The sprite of the map styles: pictograms as distance fields, which a style colours, and hatches as pictures."""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.styles.drawing import draw_mask
from api.styles.glyphs import measure_distances
from layers.icons import GRID, HATCH_SIZE, HATCHES, ICONS, parse_strokes

RATIOS = (1, 2)
# Around a pictogram, so that its field and a halo end inside.
MARGIN = 3
_FINE = 8
_COLUMNS = 10
_INK = (70, 72, 78)


@lru_cache(maxsize=len(RATIOS))
def make_sprite(ratio: int) -> tuple[dict[str, dict[str, Any]], bytes]:
    """Return index and picture (PNG) of the sprite at ``ratio`` pixels to a unit, in MapLibre's form."""
    cell = (GRID + 2 * MARGIN) * ratio
    rows = -(-(len(ICONS) + len(HATCHES)) // _COLUMNS)
    sheet = np.zeros((rows * cell, _COLUMNS * cell, 4), np.uint8)
    index = {}
    drawn = {**dict.fromkeys(ICONS, True), **dict.fromkeys(HATCHES, False)}
    for place, (name, sdf) in enumerate(drawn.items()):
        row, column = divmod(place, _COLUMNS)
        picture = _draw_icon(name, ratio) if sdf else _draw_hatch(name, ratio)
        height, width = picture.shape[:2]
        y, x = row * cell, column * cell
        sheet[y : y + height, x : x + width] = picture
        index[name] = {"x": x, "y": y, "width": width, "height": height, "pixelRatio": ratio, "sdf": sdf}
    written = io.BytesIO()
    Image.fromarray(sheet).save(written, "PNG", optimize=True)
    return index, written.getvalue()


def draw_cover(drawing: str, size: int, scale: float, margin: float = 0.0) -> NDArray[np.uint8]:
    """Return how much of each pixel a drawing covers (size, size), 255 is all of it; a unit is ``scale`` pixels."""
    mask = draw_mask(parse_strokes(drawing), size * _FINE, scale * _FINE, margin)
    share = mask.reshape(size, _FINE, size, _FINE).mean(axis=(1, 3))
    cover: NDArray[np.uint8] = np.rint(255.0 * share).astype(np.uint8)
    return cover


def _draw_icon(name: str, ratio: int) -> NDArray[np.uint8]:
    size = (GRID + 2 * MARGIN) * ratio
    # As fine a drawing at every ratio: it is larger, not finer.
    fine = _FINE // ratio
    mask = draw_mask(parse_strokes(ICONS[name]), size * fine, ratio * fine, MARGIN)
    picture = np.zeros((size, size, 4), np.uint8)
    picture[..., 3] = measure_distances(mask, fine)
    return picture


def _draw_hatch(name: str, ratio: int) -> NDArray[np.uint8]:
    size = HATCH_SIZE * ratio
    picture = np.zeros((size, size, 4), np.uint8)
    picture[..., :3] = _INK
    picture[..., 3] = draw_cover(HATCHES[name], size, ratio)
    return picture
