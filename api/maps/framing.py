"""Which frame a map of OGC API Maps has: from a box, a centre or the whole extent, a size and a scale (OGC 20-058)."""

import math
from dataclasses import dataclass

from pyproj import Geod

from api.maps.frame import MAX_SIDE, PIXEL_M, Frame, scale_of_zoom
from api.maps.subsets import WHOLE, Subset
from layers.datum import make_transformer
from layers.errors import InputError
from layers.store.items import DEGREES, OutputCrs
from layers.store.mercator import Bounds

DEFAULT_SIZE = (1024, 768)
# A map around a point, where no scale is said.
_DEFAULT_SCALE = scale_of_zoom(15.0)
_EARTH = Geod(ellps="WGS84")
# How far a unit is measured from the middle [°].
_STEP = 0.001


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request says of the frame; ``bbox`` and ``center`` with east first, each in its own CRS.

    ``pixel_mm`` is the size of a pixel on the screen [mm], ``scale`` a scale denominator.
    """

    crs: OutputCrs
    width: int | None = None
    height: int | None = None
    bbox: Bounds | None = None
    bbox_crs: OutputCrs = DEGREES
    center: tuple[float, float] | None = None
    center_crs: OutputCrs = DEGREES
    subset: Subset = WHOLE
    subset_crs: OutputCrs = DEGREES
    scale: float | None = None
    pixel_mm: float = PIXEL_M * 1000.0


def choose_frame(wanted: Wanted, extent: Bounds, most: float) -> Frame:
    """Return the frame of a map of what lies in ``extent`` (CRS84) and is drawn up to the scale denominator ``most``.

    Without a box or a centre it is the whole extent, or where that is too large to be drawn its middle at that scale.
    InputError where a box comes with a centre, or with both a size and a scale.
    """
    box = _find_box(wanted, extent)
    if box is not None and wanted.center is not None:
        raise InputError("both a box and a centre are given", hint="leave out bbox and subset, or center")
    if box is not None and wanted.scale is not None and (wanted.width or wanted.height):
        raise InputError("a box, a scale and a size are given", hint="leave out one of the three")
    if box is None and (wanted.center is not None or wanted.scale is not None):
        return _frame_around(wanted, _find_center(wanted, extent), wanted.scale or min(_DEFAULT_SCALE, most))
    if box is not None:
        return _frame_box(wanted, box, keep=True)
    frame = _frame_box(wanted, _move(extent, DEGREES, wanted.crs), keep=False)
    if find_scale(frame, wanted.pixel_mm) > most:
        return _frame_around(wanted, _find_center(wanted, extent), most)
    return frame


def find_scale(frame: Frame, pixel_mm: float) -> float:
    """Return the scale denominator of a frame in its middle."""
    metres, _ = _measure(frame.srid, frame.bounds)
    return frame.pixel[0] * metres / (pixel_mm / 1000.0)


def _find_box(wanted: Wanted, extent: Bounds) -> Bounds | None:
    """Return the box that is asked for in the CRS of the map, None where none is."""
    cut = wanted.subset.east is not None or wanted.subset.north is not None
    if cut and wanted.bbox is not None:
        raise InputError("both bbox and subset are given", hint="leave out one of them")
    if cut:
        return _move(
            wanted.subset.cut(_move(extent, DEGREES, wanted.subset_crs)), wanted.subset_crs, wanted.crs
        )  # fmt: skip
    return None if wanted.bbox is None else _move(wanted.bbox, wanted.bbox_crs, wanted.crs)


def _find_center(wanted: Wanted, extent: Bounds) -> tuple[float, float]:
    """Return the middle of the map in its CRS."""
    if wanted.center is None:
        west, south, east, north = extent
        place, crs = ((west + east) / 2.0, (south + north) / 2.0), DEGREES
    else:
        place, crs = wanted.center, wanted.center_crs
    moved: tuple[float, float] = make_transformer(f"EPSG:{crs.srid}", f"EPSG:{wanted.crs.srid}").transform(*place)
    if not all(math.isfinite(value) for value in moved):
        raise InputError(
            f"the centre {place[0]:g}, {place[1]:g} lies outside of where EPSG:{wanted.crs.srid} is defined"
        )
    return moved


def _frame_around(wanted: Wanted, center: tuple[float, float], scale: float) -> Frame:
    """Return the frame of the asked size around ``center`` at a scale."""
    width, height = wanted.width or DEFAULT_SIZE[0], wanted.height or DEFAULT_SIZE[1]
    x, y = center
    across_m, up_m = _measure(wanted.crs.srid, (x, y, x, y))
    pixel_m = scale * wanted.pixel_mm / 1000.0
    half_x, half_y = width * pixel_m / across_m / 2.0, height * pixel_m / up_m / 2.0
    return Frame(wanted.crs.srid, (x - half_x, y - half_y, x + half_x, y + half_y), width, height)


def _frame_box(wanted: Wanted, box: Bounds, *, keep: bool) -> Frame:
    """Return the frame of ``box``; a size that is not asked for follows its shape.

    Where the box need not be kept and both sizes are given, it grows to their shape.
    """
    x0, y0, x1, y1 = box
    across_m, up_m = _measure(wanted.crs.srid, box)
    wide, high = (x1 - x0) * across_m, (y1 - y0) * up_m
    if not (math.isfinite(wide) and math.isfinite(high) and wide > 0.0 and high > 0.0):
        return Frame(wanted.crs.srid, box, *DEFAULT_SIZE)
    width, height = wanted.width, wanted.height
    if wanted.scale is not None:
        pixel_m = wanted.scale * wanted.pixel_mm / 1000.0
        width, height = _count(wide / pixel_m), _count(high / pixel_m)
    elif width is None and height is None:
        pixel_m = max(wide, high) / DEFAULT_SIZE[0]
        width, height = _count(wide / pixel_m), _count(high / pixel_m)
    elif width is None and height is not None:
        width = _count(wide / high * height)
    elif height is None and width is not None:
        height = _count(high / wide * width)
    elif not keep and width and height:
        pixel_m = max(wide / width, high / height)
        grow_x = (width * pixel_m - wide) / across_m / 2.0
        grow_y = (height * pixel_m - high) / up_m / 2.0
        box = (x0 - grow_x, y0 - grow_y, x1 + grow_x, y1 + grow_y)
    return Frame(wanted.crs.srid, box, width or 1, height or 1)


def _count(pixels: float) -> int:
    """Return a number of pixels; one beyond what is drawn stays so and is refused by the frame."""
    return max(1, min(round(pixels), MAX_SIDE + 1))


def _measure(srid: int, box: Bounds) -> tuple[float, float]:
    """Return how many metres on the ground a unit of the CRS is to the east and to the north, amid ``box``."""
    x, y = (box[0] + box[2]) / 2.0, (box[1] + box[3]) / 2.0
    here = make_transformer(f"EPSG:{srid}", "OGC:CRS84")
    lon, lat = here.transform(x, y)
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return 1.0, 1.0
    back = make_transformer("OGC:CRS84", f"EPSG:{srid}")

    def measure(east: float, north: float) -> float:
        there_x, there_y = back.transform(lon + east, lat + north)
        units = math.hypot(there_x - x, there_y - y)
        ground = _EARTH.inv(lon, lat, lon + east, lat + north)[2]
        return float(ground / units) if units > 0.0 and ground > 0.0 and math.isfinite(units) else 1.0

    return measure(_STEP, 0.0), measure(0.0, _STEP)


def _move(box: Bounds, source: OutputCrs, target: OutputCrs) -> Bounds:
    """Return ``box`` (east first) in another CRS: the box around it; InputError for one that does not ascend."""
    if not (box[0] < box[2] and box[1] < box[3]):
        raise InputError(f"the box {box} has no area", hint="the lower corner comes first")
    if source.srid == target.srid:
        return box
    moving = make_transformer(f"EPSG:{source.srid}", f"EPSG:{target.srid}")
    moved: Bounds = moving.transform_bounds(*box, densify_pts=21)
    return moved
