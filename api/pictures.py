"""Raster values as pictures: a ramp becomes a palette, a tile an indexed PNG with clear cells."""

import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from isal import isal_zlib
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT

from layers.datum import CRS84, make_transformer, write_for_gdal
from layers.errors import NotFoundError
from layers.schema import RasterLayer
from layers.store.tiles import TileAddress

TILE_SIZE = 256
_COLOURS = 255
_WEB_MERCATOR = CRS.from_epsg(3857)


@lru_cache(maxsize=64)
def build_palette(layer: RasterLayer) -> tuple[NDArray[np.float64], NDArray[np.float64], bytes, bytes]:
    """Return ramp values, the palette place of each, and the palette as RGB and alpha bytes; place 0 is clear.

    Places are spread evenly over the pieces of the ramp, so that a short piece is drawn as finely as a long one.
    """
    values = np.array([value for value, _ in layer.ramp])
    colors = np.array([_read_color(color) for _, color in layer.ramp], dtype=np.float64)
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


def write_png(indices: NDArray[np.uint8], layer: RasterLayer) -> bytes:
    """Return palette places (rows, cols) as an indexed PNG with the layer's colours."""
    _, _, rgb, alpha = build_palette(layer)
    rows, cols = indices.shape
    lines = np.zeros((rows, cols + 1), dtype=np.uint8)
    lines[:, 1:] = indices
    header = struct.pack(">IIBBBBB", cols, rows, 8, 3, 0, 0, 0)
    body = isal_zlib.compress(lines.tobytes(), 2)
    chunks = ((b"IHDR", header), (b"PLTE", rgb), (b"tRNS", alpha), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def draw_tile(path: Path, layer: RasterLayer, tile: TileAddress, band: int) -> bytes:
    """Return a tile of the GeoTIFF at ``path`` as PNG; empty bytes when nothing of it is in the tile."""
    transform_to = from_bounds(*tile.bounds, TILE_SIZE, TILE_SIZE)
    resampling = Resampling.nearest if layer.stepped else Resampling.bilinear
    with (
        _open(path) as dataset,
        WarpedVRT(
            dataset,
            src_crs=write_for_gdal(dataset.crs.to_wkt()),
            crs=_WEB_MERCATOR,
            transform=transform_to,
            width=TILE_SIZE,
            height=TILE_SIZE,
            resampling=resampling,
            dtype="float32",
            nodata=float("nan"),
        ) as warped,
    ):
        indices = colour(warped.read(band), layer)
    return write_png(indices, layer) if indices.any() else b""


def draw_clear_tile(layer: RasterLayer) -> bytes:
    """Return the PNG of a tile in which there is nothing."""
    return write_png(np.zeros((TILE_SIZE, TILE_SIZE), dtype=np.uint8), layer)


def draw_legend(layer: RasterLayer, *, width: int = 256, height: int = 24) -> bytes:
    """Return the ramp from left to right as PNG."""
    _, places, _, _ = build_palette(layer)
    across = np.linspace(1.0, places[-1] + (1.0 if layer.stepped else 0.0), width, endpoint=not layer.stepped)
    return write_png(np.tile(across.astype(np.uint8), (height, 1)), layer)


def read_point(path: Path, lon: float, lat: float) -> list[float | None]:
    """Return the value of every band at a place [°]; None where there is none."""
    with _open(path) as dataset:
        x, y = make_transformer(CRS84, dataset.crs.to_wkt()).transform(lon, lat)
        if not (np.isfinite(x) and np.isfinite(y)):
            return [None] * int(dataset.count)
        row, col = dataset.index(x, y)
        if not (0 <= row < dataset.height and 0 <= col < dataset.width):
            return [None] * int(dataset.count)
        values: Sequence[float] = dataset.read(window=((row, row + 1), (col, col + 1)))[:, 0, 0].tolist()
        nodata = dataset.nodata
    return [None if not np.isfinite(value) or value == nodata else value for value in values]


def _open(path: Path) -> Any:
    try:
        return rasterio.open(path)
    except RasterioError as error:
        raise NotFoundError(f"the file of this raster cannot be read: {path.name}", hint="run it again") from error


def _read_color(color: str) -> tuple[int, int, int, int]:
    alpha = int(color[7:9], 16) if len(color) == 9 else 255
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16), alpha


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
