"""Layers laid over each other as one picture: features in the style of the page, rasters in their ramp's colours."""

import io
import math
from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
from anyio import from_thread
from PIL import Image
from sqlalchemy import Connection

from api.maps.frame import ZOOM_SLACK, Frame
from api.maps.layers import Shown
from api.maps.vectors import draw_shapes, list_columns
from api.rasters.pictures import build_palette, choose_resampling, colour, draw_map
from api.rasters.rows import find_file
from api.rasters.warping import warp
from api.resources import Resources
from layers.schema import RasterLayer, VectorLayer
from layers.store.drawing import Shapes, select_generalised, select_shapes
from layers.store.origins import PRESENT, Past

PictureType = Literal["png", "png8", "webp", "jpeg"]
# Features of one picture: some two seconds of drawing.
FEATURE_BUDGET = 60_000
_JPEG_QUALITY = 88
Rgb = tuple[int, int, int]


def draw_picture(
    connection: Connection,
    resources: Resources,
    shown: Sequence[Shown],
    frame: Frame,
    fmt: PictureType,
    *,
    background: Rgb | None = None,
    past: Past = PRESENT,
) -> bytes:
    """Return ``shown``, the first at the bottom, as a picture; clear where there is nothing unless on ``background``.

    A layer of features is drawn from its own smallest zoom on. JPEG knows no clear ground and gets a white one.
    Runs in a worker thread of the server. TooLargeError where more than ``FEATURE_BUDGET`` features would be drawn.
    """
    if len(shown) == 1 and fmt != "png8":
        layer, row = shown[0].layer, shown[0].row
        if isinstance(layer, RasterLayer) and row is not None:
            return draw_map(
                find_file(resources, row), layer, bounds=frame.bounds, crs=frame.crs, width=frame.width,
                height=frame.height, band=shown[0].band, fmt=fmt, transparent=background is None,
                background=background or (255, 255, 255),
            )  # fmt: skip
    ground = background or ((255, 255, 255) if fmt == "jpeg" else None)
    picture = Image.new("RGBA", (frame.width, frame.height), (*ground, 255) if ground else (0, 0, 0, 0))
    left = FEATURE_BUDGET
    for each in shown:
        if isinstance(each.layer, RasterLayer):
            picture.alpha_composite(_draw_raster(resources, each, each.layer, frame))
        elif frame.zoom >= each.layer.min_zoom - ZOOM_SLACK:
            columns, shapes = _select(connection, resources, each.layer, frame, left, past)
            left -= len(shapes.values)
            if shapes.values:
                picture.alpha_composite(draw_shapes(each.layer.id, columns, shapes, frame))
    return encode(picture, fmt)


def encode(picture: Image.Image, fmt: PictureType) -> bytes:
    """Return an RGBA picture as a file."""
    out = io.BytesIO()
    if fmt == "jpeg":
        picture.convert("RGB").save(out, "JPEG", quality=_JPEG_QUALITY)
    elif fmt == "webp":
        picture.save(out, "WEBP", lossless=True, quality=0, method=0)
    elif fmt == "png8":
        picture.quantize(256, Image.Quantize.FASTOCTREE).save(out, "PNG", compress_level=6)
    else:
        picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _select(
    connection: Connection, resources: Resources, layer: VectorLayer, frame: Frame, budget: int, past: Past
) -> tuple[tuple[str, ...], Shapes]:
    """Return what of a layer is drawn, with the names of its values: from its overview at the zooms that have one."""
    columns, zoom = list_columns(layer.id), math.floor(frame.zoom + ZOOM_SLACK)
    if past != PRESENT or zoom not in layer.overview_zooms:
        chosen = from_thread.run(resources.find_replica, layer, None) if resources.replicas.names else None
        select = partial(select_shapes, layer=layer, columns=columns, view=frame.view, budget=budget, past=past)
        return columns, resources.replicas.draw(chosen, connection, select)
    chosen = from_thread.run(resources.find_replica, layer, frame.mercator)
    columns = (*columns, "point_count")
    select = partial(select_generalised, layer=layer, columns=columns, view=frame.view, zoom=zoom, budget=budget)
    return columns, resources.replicas.draw(chosen, connection, select)


def _draw_raster(resources: Resources, shown: Shown, layer: RasterLayer, frame: Frame) -> Image.Image:
    assert shown.row is not None
    values = warp(
        find_file(resources, shown.row), bounds=frame.bounds, crs=frame.crs, width=frame.width, height=frame.height,
        band=shown.band, resampling=choose_resampling(layer),
    )  # fmt: skip
    _, _, rgb, alpha = build_palette(layer)
    table = np.column_stack([np.frombuffer(rgb, np.uint8).reshape(-1, 3), np.frombuffer(alpha, np.uint8)])
    return Image.fromarray(table[colour(values, layer)])
