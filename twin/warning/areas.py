"""Wards as areas of a CAP message: closed rings of "lat,lon" with a bounded number of points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import shapely
from cap_tools.models import Area, Geocode, Value, ValueName

from layers.errors import InputError
from layers.schema import Text
from twin.warning.flood import clean_words

Language = Literal["vi", "en"]
GEOCODE = "VN-GSO-WARD"
MAX_POINTS = 80
"""Points of one ring, the repeated last one included."""
MAX_RINGS = 8
"""Rings of one ward: its largest pieces."""
_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Ward:
    """A ward as a warning names it; ``shape`` in WGS 84 [°]."""

    code: str
    name: str
    name_en: str
    shape: shapely.Geometry

    @property
    def title(self) -> Text:
        """Its name in both languages, its code where it has none."""
        name = clean_words(self.name) or clean_words(self.code)
        return Text(name, clean_words(self.name_en) or name)


def make_areas(wards: Sequence[Ward], language: Language) -> list[Area]:
    """Return one area a ward; InputError for none, or for one that has no shape."""
    if not wards:
        raise InputError("a warning needs at least one ward", hint="name it by its code")
    return [
        Area(
            area_desc=ward.title[language == "en"],
            polygons=[write_ring(ring) for ring in draw_rings(ward)],
            geocodes=[Geocode(ValueName(GEOCODE), Value(clean_words(ward.code)))],
        )
        for ward in wards
    ]


def draw_rings(ward: Ward) -> list[shapely.Polygon]:
    """Return the largest pieces of a ward without holes, each of at most MAX_POINTS points."""
    # A collection may hold multipolygons: its parts are taken apart twice.
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(ward.shape)))
    pieces = [piece for piece in parts if piece.geom_type == "Polygon"]
    if not pieces:
        raise InputError(f"ward '{ward.code}' has no area", hint="load its boundary")
    largest = sorted(pieces, key=lambda piece: -piece.area)[:MAX_RINGS]
    return [simplify_ring(shapely.Polygon(piece.exterior)) for piece in largest]


def simplify_ring(polygon: shapely.Polygon) -> shapely.Polygon:
    """Return a valid polygon of at most MAX_POINTS points on a grid of 1e-5° (about a metre).

    The tolerance of Douglas–Peucker grows from half a metre until the points fit; a ring that collapses on the way
    becomes the box around it, at least a grid cell wide.
    """
    tolerance = 5.0e-6
    while tolerance < 1.0:
        found = shapely.set_precision(polygon.simplify(tolerance), 10.0**-_DECIMALS)
        largest = max(shapely.get_parts(found), key=lambda piece: piece.area, default=None)
        if largest is None or largest.geom_type != "Polygon" or largest.is_empty:
            break
        ring = shapely.Polygon(largest.exterior)
        if len(ring.exterior.coords) <= MAX_POINTS:
            return ring
        tolerance *= 1.6
    return _box_around(polygon)


def _box_around(polygon: shapely.Polygon) -> shapely.Polygon:
    cell = 10**_DECIMALS
    west, south = (math.floor(value * cell) for value in polygon.bounds[:2])
    east, north = (math.ceil(value * cell) for value in polygon.bounds[2:])
    east, north = max(east, west + 1), max(north, south + 1)
    box: shapely.Polygon = shapely.box(west / cell, south / cell, east / cell, north / cell)
    return box


def write_ring(polygon: shapely.Polygon) -> str:
    """Return the ring as CAP writes it: "lat,lon lat,lon …", the first pair again at the end."""
    return " ".join(f"{lat:.{_DECIMALS}f},{lon:.{_DECIMALS}f}" for lon, lat in polygon.exterior.coords)
