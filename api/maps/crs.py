"""The coordinate reference systems map services offer, their names, and which of their axes comes first."""

import re
from functools import lru_cache

from pyproj import CRS

from api.maps.errors import MapError

CRS84_NAME = "CRS:84"
# VN-2000: longitude and latitude, the zones of 6° and 3°, and the provinces' own of 3°.
VN_2000 = (4756, 3405, 3406, 5896, 5897, 5898, 5899, *range(9205, 9219))
# What older software calls EPSG:3857.
_ALIASES = {900913: 3857, 102100: 3857, 3785: 3857}
_NAME = re.compile(
    r"(?:EPSG:|urn:ogc:def:crs:EPSG:[\d.]*:|https?://www\.opengis\.net/def/crs/EPSG/\d+/)(\d{4,6})", re.I
)
_CRS84 = re.compile(r"(?:OGC:|CRS:|urn:ogc:def:crs:OGC:[\d.]*:CRS)84|(?:OGC:)?CRS84", re.I)


def list_codes(city: int) -> list[int]:
    """Return the EPSG codes offered: those of the web, the city's own, VN-2000."""
    return list(dict.fromkeys((3857, 4326, city, *VN_2000)))


def parse_map_crs(name: str, city: int, *, locator: str = "CRS") -> tuple[int, bool]:
    """Return the EPSG code of a CRS and whether northing (latitude) comes first; CRS:84 is 4326 with longitude first.

    MapError (InvalidCRS) for one that is not offered.
    """
    if _CRS84.fullmatch(name):
        return 4326, False
    found = _NAME.fullmatch(name)
    code = _ALIASES.get(int(found[1]), int(found[1])) if found else 0
    if code not in list_codes(city):
        raise MapError(
            f"CRS '{name[:60]}' is not offered", word="InvalidCRS", locator=locator,
            hint=f"use EPSG:3857, EPSG:4326, CRS:84 or EPSG:{city}",
        )  # fmt: skip
    return code, has_northing_first(code)


@lru_cache(maxsize=64)
def has_northing_first(code: int) -> bool:
    """Return whether EPSG says that northing or latitude is the first axis."""
    return CRS.from_epsg(code).axis_info[0].direction in ("north", "south")
