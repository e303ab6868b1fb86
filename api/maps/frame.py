"""The frame of a picture: a box in a CRS and its size in pixels, seen in the other CRS that are needed of it."""

import math
from dataclasses import dataclass
from functools import cached_property

from layers.datum import make_transformer
from layers.errors import InputError, TooLargeError
from layers.store.drawing import View
from layers.store.mercator import MERCATOR_LATITUDE, Bounds
from layers.store.tiles import HALF_WORLD

MAX_SIDE = 4096
MAX_PIXELS = 8_400_000
# Scale denominators count a pixel as 0.28 mm (OGC 06-042, 7.2.4.6.9).
PIXEL_M = 0.00028
# A scale is computed a little differently by every client [zooms].
ZOOM_SLACK = 0.05
# A pixel is wider than a micrometre [m].
_SMALLEST_PIXEL = 1e-6
# The page's zoom 0 shows the world on one tile of 512 pixels.
_ZOOM_0_PIXEL = 2.0 * HALF_WORLD / 512.0


@dataclass(frozen=True)
class Frame:
    """``bounds`` (x_min, y_min, x_max, y_max) in EPSG ``srid``, x east and y north; ``width`` and ``height`` [px].

    Raises InputError for a box without area or one its CRS cannot hold, TooLargeError for a size that is not drawn.
    """

    srid: int
    bounds: Bounds
    width: int
    height: int

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.bounds
        if not all(math.isfinite(value) for value in self.bounds) or x0 >= x1 or y0 >= y1:
            raise InputError(f"bbox {self.bounds} has no area", hint="the lower corner comes first")
        for name, value in (("width", self.width), ("height", self.height)):
            if not 1 <= value <= MAX_SIDE:
                raise TooLargeError(f"{name} {value} is not drawn, expected 1 to {MAX_SIDE} pixels")
        if self.width * self.height > MAX_PIXELS:
            raise TooLargeError(
                f"{self.width} × {self.height} pixels are not drawn at once, expected at most {MAX_PIXELS:,} in all"
            )
        if not _SMALLEST_PIXEL < self.mercator_pixel < math.inf:
            raise InputError(f"bbox {self.bounds} shows no place in EPSG:{self.srid}", hint="ask for a larger box")

    @property
    def crs(self) -> str:
        """The CRS as the drawing of rasters names it."""
        return f"EPSG:{self.srid}"

    @property
    def pixel(self) -> tuple[float, float]:
        """Width and height of a pixel in the unit of the CRS."""
        x0, y0, x1, y1 = self.bounds
        return (x1 - x0) / self.width, (y1 - y0) / self.height

    @cached_property
    def mercator(self) -> Bounds:
        """The frame in EPSG:3857 [m]: the smallest box around it."""
        if self.srid == 3857:
            return self.bounds
        x0, y0, x1, y1 = self.bounds
        if self.srid == 4326:
            y0, y1 = max(y0, -MERCATOR_LATITUDE), min(y1, MERCATOR_LATITUDE)
        found = make_transformer(self.crs, "EPSG:3857").transform_bounds(x0, y0, x1, y1, densify_pts=21)
        if not all(math.isfinite(value) for value in found):
            raise InputError(f"bbox {self.bounds} lies outside of where EPSG:{self.srid} is defined")
        return found

    @cached_property
    def mercator_pixel(self) -> float:
        """Width of the pixel in the middle, in EPSG:3857 [m]."""
        if self.srid == 3857:
            return self.pixel[0]
        column, row = (self.width - 1) / 2.0, (self.height - 1) / 2.0
        return math.dist(self.locate_mercator(column - 0.5, row), self.locate_mercator(column + 0.5, row))

    @cached_property
    def zoom(self) -> float:
        """The zoom at which the page shows as much in a pixel."""
        return math.log2(_ZOOM_0_PIXEL / self.mercator_pixel)

    @property
    def view(self) -> View:
        """The frame as shapes are selected by it."""
        return View(self.srid, self.bounds, self.mercator, min(self.pixel), self.mercator_pixel)

    def locate(self, column: float, row: float) -> tuple[float, float]:
        """Return longitude and latitude [°] of the middle of a pixel, counted from the upper left one."""
        return self._move(column, row, "OGC:CRS84")

    def locate_mercator(self, column: float, row: float) -> tuple[float, float]:
        """Return x and y in EPSG:3857 [m] of the middle of a pixel."""
        return self._move(column, row, "EPSG:3857")

    def _move(self, column: float, row: float, crs: str) -> tuple[float, float]:
        across, down = self.pixel
        x, y = self.bounds[0] + (column + 0.5) * across, self.bounds[3] - (row + 0.5) * down
        moved: tuple[float, float] = make_transformer(self.crs, crs).transform(x, y)
        if not all(math.isfinite(value) for value in moved):
            raise InputError(f"the pixel {column:g}, {row:g} lies at no place on the ground")
        return moved


def scale_of_zoom(zoom: float) -> float:
    """Return the scale denominator at which a map has the zoom of the page."""
    return _ZOOM_0_PIXEL / PIXEL_M / float(2.0**zoom)
