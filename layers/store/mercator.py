"""Degrees ↔ EPSG:3857, whose index the tiles and items use."""

import math

HALF_WORLD = math.pi * 6378137.0
Bounds = tuple[float, float, float, float]
MERCATOR_LATITUDE = 85.051128


def to_degrees(x: float, y: float) -> tuple[float, float]:
    """Return longitude and latitude [°] of a point in EPSG:3857 [m]."""
    latitude = math.degrees(2.0 * math.atan(math.exp(y / HALF_WORLD * math.pi)) - math.pi / 2.0)
    return round(x / HALF_WORLD * 180.0, 7), round(latitude, 7)


def to_mercator(longitude: float, latitude: float) -> tuple[float, float]:
    """Return x and y in EPSG:3857 [m] of a point [°]; latitudes end at ±85.05."""
    clipped = math.radians(max(-MERCATOR_LATITUDE, min(MERCATOR_LATITUDE, latitude)))
    return longitude / 180.0 * HALF_WORLD, math.log(math.tan(math.pi / 4.0 + clipped / 2.0)) / math.pi * HALF_WORLD


def cut_mercator_boxes(bounds: Bounds) -> list[Bounds]:
    """Return ``bounds`` [°] in EPSG:3857 [m]: one box, or two when it crosses the antimeridian (west > east)."""
    west, south, east, north = bounds
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return [(*to_mercator(left, south), *to_mercator(right, north)) for left, right in spans]
