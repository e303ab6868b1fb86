"""Which coordinate reference systems would put coordinates into the city, the likeliest first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod, Proj
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType

from layers.ingest.vn2000 import GRIDS, list_grids
from layers.store.area import Bounds, CityArea

Points = NDArray[np.float64]
_DEGREES, _WEB_MERCATOR = 4326, 3857
# Beside VN-2000: Hanoi 1972, Indian 1960 and WGS 84, 6° zones 48 and 49.
_VIETNAM = (*GRIDS, 2044, 2045, 3148, 3149, 32648, 32649)
_VIETNAM_BOUNDS = (102.0, 8.0, 110.0, 23.5)
# A CRS made for more than so many degrees of longitude is none a city measures in.
_WIDEST = 20.0
_ENOUGH = 0.5
_SHOWN = 4
_ELLIPSOID = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to read coordinates: ``say`` is what to give as --crs, ``name`` the CRS's, ``remark`` what is odd or fits.

    ``share`` of the points falls into the city, the middle of them ``distance`` [m] from its middle.
    """

    say: str
    name: str
    remark: str
    share: float
    distance: float


@dataclass(frozen=True, slots=True)
class _Reading:
    """The points as another hand may have written them."""

    points: Points
    suffix: str = ""
    remark: str = ""
    is_exchanged: bool = False
    zone: int | None = None


def list_candidates(points: Points, area: CityArea) -> list[Candidate]:
    """Return the CRS that put at least half of ``points`` (n, 2) into the city, the likeliest first.

    Odd readings (x and y exchanged, a zone number before x, feet, millimetres) are tried where a plainer one leads
    nowhere. The city's own CRS and the grids of its province come before others, then what lies nearest to its middle.
    """
    known = points[np.isfinite(points).all(axis=1)]
    grids = list_grids(area.name)
    for reading in _list_readings(known) if len(known) else ():
        rated = []
        for code in _list_codes(reading.points, area):
            found = _rate(reading, code, area, grids)
            if found is not None:
                named = reading.zone is not None and re.search(rf"zone {reading.zone}[NS]?\b", found.name) is not None
                fits = (not named, code != area.srid, code not in grids)
                rated.append(((-round(found.share, 1), *fits, round(found.distance, -1), code), found))
        if rated:
            return [found for _, found in sorted(rated, key=lambda pair: pair[0])]
    return []


def describe_candidates(candidates: list[Candidate], area: CityArea) -> str:
    """Return the first candidates as a hint, each ready to be typed; no words where there are none."""
    lines = [
        f"--crs {one.say} ({one.name}{one.remark}), which puts {one.share:.0%} of the rows into {area.name}"
        + (f", {one.distance / 1000.0:.1f} km from its middle" if area.is_exact else "")
        for one in candidates[:_SHOWN]
    ]
    return f"give it with {'; or '.join(lines)}" if lines else ""


def share_inside(points: Points, crs: CRS, bounds: Bounds) -> tuple[float, float]:
    """Return how much of ``points`` falls into ``bounds`` [°], and how far their middle lies from that of it [m]."""
    # The shift of the datum, some hundred metres, tells nothing here and takes seconds to look up for some.
    x, y = (points[:, 0], points[:, 1]) if crs.is_geographic else Proj(crs)(points[:, 0], points[:, 1], inverse=True)
    west, south, east, north = bounds
    inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.any():
        return 0.0, np.inf
    middle = float(np.median(x[finite])), float(np.median(y[finite]))
    _, _, distance = _ELLIPSOID.inv(*middle, (west + east) / 2.0, (south + north) / 2.0)
    return float(inside.mean()), float(distance)


def _list_readings(points: Points) -> Iterator[_Reading]:
    exchanged = points[:, ::-1]
    yield _Reading(points)
    yield _Reading(exchanged, remark=", x and y exchanged", is_exchanged=True)
    for given, is_exchanged in ((points, False), (exchanged, True)):
        zone = np.floor(given[:, 0] / 1e6)
        if zone[0] >= 1 and (zone == zone[0]).all():
            also = ", x and y exchanged" if is_exchanged else ""
            bare = given - np.array([zone[0] * 1e6, 0.0])
            number = int(zone[0])
            yield _Reading(bare, f" zone={number}", f", zone number {number} before x{also}", is_exchanged, number)
    yield _Reading(points * 0.3048, " unit=ft", ", coordinates in feet")
    yield _Reading(points * 0.001, " unit=mm", ", coordinates in millimetres")


def _list_codes(points: Points, area: CityArea) -> list[int]:
    """Return the EPSG codes worth a try: degrees where the points can be degrees, else what is used at the place."""
    if (np.abs(points[:, 0]) <= 360.0).all() and (np.abs(points[:, 1]) <= 90.0).all():
        return [_DEGREES]
    west, south, east, north = area.bounds
    here = AreaOfInterest(west, south, east, north)
    listed = query_crs_info("EPSG", PJType.PROJECTED_CRS, here)
    narrow = [
        int(one.code)
        for one in listed
        if one.area_of_use is not None and 0.0 <= one.area_of_use.east - one.area_of_use.west <= _WIDEST
    ]
    middle = (west + east) / 2.0, (south + north) / 2.0
    left, bottom, right, top = _VIETNAM_BOUNDS
    in_vietnam = left <= middle[0] <= right and bottom <= middle[1] <= top
    return list(dict.fromkeys([area.srid, *(_VIETNAM if in_vietnam else narrow), _WEB_MERCATOR]))


def _rate(reading: _Reading, code: int, area: CityArea, grids: tuple[int, ...]) -> Candidate | None:
    crs = CRS.from_epsg(code)
    if reading.suffix and (code == _DEGREES or crs.axis_info[0].unit_conversion_factor != 1.0):
        return None
    share, distance = share_inside(reading.points, crs, area.bounds)
    if share < _ENOUGH:
        return None
    fits = ", the city's own" if code == area.srid else ", a grid of the province" if code in grids else ""
    quoted = f'"EPSG:{code}{reading.suffix}"' if reading.suffix else f"EPSG:{code}"
    also = " with 'swap: yes' under geometry in the mapping" if reading.is_exchanged else ""
    return Candidate(f"{quoted}{also}", crs.name, fits + reading.remark, share, distance)
