"""Raster values as pictures: a ramp becomes a palette, a map an indexed PNG, a WebP or a JPEG."""

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling

from api.rasters.png import write_indexed_png, write_rgb_png
from api.rasters.warping import Bounds, open_raster, warp
from layers.datum import CRS84, make_transformer
from layers.schema import RasterLayer
from layers.store.tiles import TileAddress

PictureFormat = Literal["png", "webp", "jpeg"]
MEDIA_TYPES: dict[PictureFormat, str] = {name: f"image/{name}" for name in get_args(PictureFormat)}
TILE_SIZE = 256
WHITE = (255, 255, 255)
WEB_MERCATOR = "EPSG:3857"
_COLOURS = 255
_JPEG_QUALITY = 85


@lru_cache(maxsize=64)
def build_palette(layer: RasterLayer) -> tuple[NDArray[np.float64], NDArray[np.float64], bytes, bytes]:
    """Return ramp values, the palette place of each, and the palette as RGB and alpha bytes; place 0 is clear.

    Places are spread evenly over the pieces of the ramp, so that a short piece is drawn as finely as a long one.
    """
    values = np.array([value for value, _ in layer.ramp])
    colors = np.array([read_color(color) for _, color in layer.ramp], dtype=np.float64)
    step = 1 if layer.stepped else (_COLOURS - 1) // (len(values) - 1)
    places = 1.0 + step * np.arange(len(values), dtype=np.float64)
    every = np.arange(1, int(places[-1]) + 1)
    table = np.stack([np.interp(every, places, colors[:, band]) for band in range(4)], axis=1).round().astype(np.uint8)
    clear = np.zeros((1, 4), dtype=np.uint8)
    table = np.concatenate([clear, table])
    return values, places, table[:, :3].tobytes(), table[:, 3].tobytes()


def colour(values: NDArray[np.floating[Any]], layer: RasterLayer) -> NDArray[np.uint8]:
    """Return the palette place of every value (rows, cols); NaN and what lies below the ramp is 0, which is clear."""
    stops, places, _, _ = build_palette(layer)
    with np.errstate(invalid="ignore"):
        below = ~(values >= stops[0])
    if layer.stepped:
        found = np.searchsorted(stops, values, side="right").astype(np.uint8)
    else:
        found = np.interp(np.where(below, stops[0], values), stops, places).astype(np.uint8)
    found[below] = 0
    return found


def draw_map(
    path: Path,
    layer: RasterLayer,
    *,
    bounds: Bounds,
    crs: str,
    width: int,
    height: int,
    band: int,
    fmt: PictureFormat = "png",
    transparent: bool = True,
    background: tuple[int, int, int] = WHITE,
) -> bytes:
    """Return band ``band`` (from 1) of the GeoTIFF at ``path`` as a picture in the colours of ``layer``.

    ``bounds`` are (x_min, y_min, x_max, y_max) in ``crs`` with x east and y north whatever its order of axes is;
    ``width`` and ``height`` [px]. What has no value is clear; where not ``transparent``, and always in JPEG, the
    colours lie on ``background`` (red, green, blue). Raises InputError for bounds without area and too many pixels,
    NotFoundError when the file is gone.
    """
    resampling = choose_resampling(layer)
    values = warp(path, bounds=bounds, crs=crs, width=width, height=height, band=band, resampling=resampling)
    return write_picture(colour(values, layer), layer, fmt, None if transparent else background)


def draw_tile(
    path: Path, layer: RasterLayer, tile: TileAddress, band: int, *, fmt: PictureFormat = "png", size: int = TILE_SIZE
) -> bytes:
    """Return a tile of WebMercatorQuad, ``size`` px wide; empty bytes when nothing of the raster is in it."""
    resampling = choose_resampling(layer)
    values = warp(path, bounds=tile.bounds, crs=WEB_MERCATOR, width=size, height=size, band=band, resampling=resampling)
    indices = colour(values, layer)
    return write_picture(indices, layer, fmt) if indices.any() else b""


@lru_cache(maxsize=16)
def draw_clear_tile(layer: RasterLayer, fmt: PictureFormat = "png", size: int = TILE_SIZE) -> bytes:
    """Return a tile in which there is nothing."""
    return write_picture(np.zeros((size, size), dtype=np.uint8), layer, fmt)


def choose_resampling(layer: RasterLayer) -> Resampling:
    """Return how values between cells are made: classes are never mixed."""
    return Resampling.nearest if layer.stepped else Resampling.bilinear


def write_picture(
    indices: NDArray[np.uint8],
    layer: RasterLayer,
    fmt: PictureFormat = "png",
    background: tuple[int, int, int] | None = None,
) -> bytes:
    """Return palette places (rows, cols) as a picture, clear where there is nothing or on ``background``."""
    if background is None and fmt == "jpeg":
        background = WHITE
    if background is None and fmt == "png":
        return write_png(indices, layer)
    _, _, rgb, alpha = build_palette(layer)
    table = np.column_stack([np.frombuffer(rgb, np.uint8).reshape(-1, 3), np.frombuffer(alpha, np.uint8)])
    if background is not None:
        opaque = table[:, 3:] / 255.0
        table = (table[:, :3] * opaque + np.array(background) * (1.0 - opaque)).round().astype(np.uint8)
    picture = Image.fromarray(table[indices])
    out = io.BytesIO()
    if fmt == "webp":
        picture.save(out, "WEBP", lossless=True, quality=0, method=0, exact=False)
    elif fmt == "jpeg":
        picture.save(out, "JPEG", quality=_JPEG_QUALITY)
    else:
        return write_rgb_png(table[indices])
    return out.getvalue()


def write_png(indices: NDArray[np.uint8], layer: RasterLayer) -> bytes:
    """Return palette places (rows, cols) as an indexed PNG with the layer's colours."""
    _, _, rgb, alpha = build_palette(layer)
    return write_indexed_png(indices, rgb, alpha)


def read_point(path: Path, lon: float, lat: float) -> list[float | None]:
    """Return the value of every band at a place [°]; None where there is none."""
    with open_raster(path) as dataset:
        x, y = make_transformer(CRS84, dataset.crs.to_wkt()).transform(lon, lat)
        if not (np.isfinite(x) and np.isfinite(y)):
            return [None] * int(dataset.count)
        row, col = dataset.index(x, y)
        if not (0 <= row < dataset.height and 0 <= col < dataset.width):
            return [None] * int(dataset.count)
        values: Sequence[float] = dataset.read(window=((row, row + 1), (col, col + 1)))[:, 0, 0].tolist()
        nodata = dataset.nodata
    return [None if not np.isfinite(value) or value == nodata else value for value in values]


def read_color(color: str) -> tuple[int, int, int, int]:
    """Return red, green, blue and alpha (0 to 255) of ``#rrggbb`` or ``#rrggbbaa``."""
    alpha = int(color[7:9], 16) if len(color) == 9 else 255
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16), alpha
