"""Heights as pictures that a map reads back: terrarium and Mapbox terrain-RGB.

Terrarium counts in 1/256 m, Mapbox in 0.1 m. In a delta, where the ground lies between −1 and 3 m, a tenth of a metre
shows as terraces, so terrarium is what is offered first.
"""

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.rasters.pictures import WEB_MERCATOR, PictureFormat, choose_resampling
from api.rasters.png import write_rgb_png
from api.rasters.warping import warp
from layers.errors import InputError
from layers.quantities import QUANTITIES
from layers.schema import RasterLayer
from layers.store.tiles import TileAddress

Encoding = Literal["terrarium", "mapbox"]
STEPS: dict[Encoding, float] = {"terrarium": 1.0 / 256.0, "mapbox": 0.1}
ELEVATION_TILE_SIZE = 512
_OFFSETS: dict[Encoding, float] = {"terrarium": -32768.0, "mapbox": -10000.0}
_SYNONYMS = {"terrain-rgb": "mapbox", "terrain_rgb": "mapbox"}
_MOST = 256**3 - 1


def parse_encoding(value: str | None, layer: RasterLayer) -> Encoding | None:
    """Return how heights shall be written, None for a picture in colours; InputError where ``layer`` holds none."""
    if value is None:
        return None
    name = _SYNONYMS.get(value, value)
    found: Encoding | None = next((known for known in STEPS if known == name), None)
    if found is None:
        raise InputError(f"encoding '{value[:40]}' is not known", hint="terrarium, mapbox (or terrain-rgb)")
    if QUANTITIES[layer.quantity].unit != "m":
        raise InputError(f"layer '{layer.id}' is in {QUANTITIES[layer.quantity].unit}, heights are in m")
    return found


def encode_heights(heights: NDArray[np.floating[Any]], encoding: Encoding) -> NDArray[np.uint8]:
    """Return heights (rows, cols) [m] as red, green and blue (rows, cols, 3); NaN becomes 0 m.

    Terrarium: height = 256 red + green + blue / 256 − 32768 (https://github.com/tilezen/joerd, docs/formats.md).
    Mapbox: height = (65536 red + 256 green + blue) / 10 − 10000 (https://docs.mapbox.com, Terrain-RGB v1).
    """
    counted = (np.nan_to_num(heights.astype(np.float64), nan=0.0) - _OFFSETS[encoding]) / STEPS[encoding]
    steps = np.clip(np.rint(counted), 0, _MOST).astype(np.uint32)
    return np.stack([steps >> 16, steps >> 8 & 255, steps & 255], axis=-1).astype(np.uint8)


def decode_heights(rgb: NDArray[np.uint8], encoding: Encoding) -> NDArray[np.float64]:
    """Return the heights (rows, cols) [m] that red, green and blue (rows, cols, 3) mean."""
    red, green, blue = np.moveaxis(rgb[..., :3].astype(np.float64), -1, 0)
    heights: NDArray[np.float64] = (65536.0 * red + 256.0 * green + blue) * STEPS[encoding] + _OFFSETS[encoding]
    return heights


def draw_heights(
    path: Path,
    layer: RasterLayer,
    tile: TileAddress,
    band: int,
    encoding: Encoding,
    *,
    fmt: PictureFormat = "png",
    size: int = ELEVATION_TILE_SIZE,
) -> bytes:
    """Return the heights of a tile of WebMercatorQuad, ``size`` px wide; 0 m where the raster has no value.

    A pixel holds the height at its centre, whatever tile it is cut into: neighbours meet without a step.
    """
    values = warp(
        path,
        bounds=tile.bounds,
        crs=WEB_MERCATOR,
        width=size,
        height=size,
        band=band,
        resampling=choose_resampling(layer),
    )
    colours = encode_heights(values, encoding)
    if fmt == "png":
        return write_rgb_png(colours)
    out = io.BytesIO()
    # Every bit of a colour counts: only without loss.
    Image.fromarray(colours).save(out, "WEBP", lossless=True, quality=0, method=0)
    return out.getvalue()
