"""Coordinates as people type them, and places written for people: WGS 84 and the metres of a city.

A pair of numbers may mean several places. Each reading says in words how it was understood; none is chosen silently.
"""

import math
import re
from functools import lru_cache
from typing import NamedTuple

from pyproj import CRS
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import CRSError

from layers.coordinate_text import Degrees, Metres, read_pair
from layers.datum import CRS84, make_transformer
from layers.errors import CrsError
from layers.schema import Text

Bounds = tuple[float, float, float, float]
_LARGEST_LATITUDE = 85.0


class Reading(NamedTuple):
    """One meaning of typed coordinates: the CRS, the place [°], how they were read, whether it lies in the city."""

    crs: str
    position: tuple[float, float]
    how: Text
    inside: bool


class Writing(NamedTuple):
    """A place in one system: its CRS, its form, text to copy (latitude or north first), and words that say it all."""

    crs: str
    form: str
    text: str
    how: Text


def read_coordinates(text: str, *, city: str, bounds: Bounds) -> list[Reading]:
    """Return what ``text`` may mean, places in the city (west, south, east, north [°]) first; none where it is no pair.

    Metres without a named zone are of the CRS ``city``, else of the VN-2000 zones in which they lie in the city.
    CrsError where the text names a zone that does not exist.
    """
    pair = read_pair(text)
    if pair is None:
        return []
    found = _read_degrees(pair) if isinstance(pair, Degrees) else _read_metres(pair, city, bounds)
    readings = [Reading(crs, place, how, _contains(bounds, place)) for crs, place, how in found]
    return sorted(readings, key=lambda one: not one.inside)


def write_coordinates(longitude: float, latitude: float, *, city: str) -> list[Writing]:
    """Return a place [°] in decimal degrees, in degrees, minutes and seconds, and in metres of the CRS ``city``."""
    east, north = make_transformer(CRS84, city).transform(longitude, latitude)
    dms = f"{_write_angle(latitude, 'NS')} {_write_angle(longitude, 'EW')}"
    writings = [
        Writing("EPSG:4326", "decimal", f"{latitude:.6f}, {longitude:.6f}", _say_decimal(latitude, longitude)),
        Writing("EPSG:4326", "dms", dms, _say_dms(latitude, longitude)),
    ]
    if math.isfinite(east) and math.isfinite(north):
        writings.append(Writing(city, "metres", f"{north:.2f} {east:.2f}", _say_metres(city, north, east)))
    return writings


def _read_degrees(pair: Degrees) -> list[tuple[str, tuple[float, float], Text]]:
    orders = [(pair.first, pair.second), (pair.second, pair.first)]
    if pair.first_is_latitude is not None:
        orders = [orders[0] if pair.first_is_latitude else orders[1]]
    return [
        ("EPSG:4326", (longitude, latitude), (_say_dms if pair.sexagesimal else _say_decimal)(latitude, longitude))
        for latitude, longitude in dict.fromkeys(orders)
        if abs(latitude) <= _LARGEST_LATITUDE and abs(longitude) <= 180
    ]


def _read_metres(pair: Metres, city: str, bounds: Bounds) -> list[tuple[str, tuple[float, float], Text]]:
    if pair.epsg is not None or pair.meridian is not None:
        return _try_metres(pair, _find_named(pair))
    own = _try_metres(pair, city)
    if any(_contains(bounds, place) for _, place, _ in own):
        return own
    zones = [code for code in _list_zones().values() if code != city]
    others = [found for code in zones for found in _try_metres(pair, code) if _contains(bounds, found[1])]
    return others + own


def _try_metres(pair: Metres, crs: str) -> list[tuple[str, tuple[float, float], Text]]:
    """Return the places of a pair in ``crs``: either number may be the one to the north where none is told."""
    orders = [(pair.second, pair.first), (pair.first, pair.second)]
    if pair.first_is_north is not None:
        orders = [orders[0] if pair.first_is_north else orders[1]]
    area = CRS.from_user_input(crs).area_of_use
    found = []
    used = (area.west - 3, area.south - 3, area.east + 3, area.north + 3) if area else (-180.0, -85.0, 180.0, 85.0)
    for east, north in dict.fromkeys(orders):
        place = make_transformer(crs, CRS84).transform(east, north)
        if all(map(math.isfinite, place)) and _contains(used, place):
            found.append((crs, place, _say_metres(crs, north, east)))
    return found


def _find_named(pair: Metres) -> str:
    if pair.meridian is not None:
        code = _list_zones().get(pair.meridian)
        if code is None:
            known = ", ".join(_say_meridian(each) for each in sorted(_list_zones()))
            raise CrsError(f"VN-2000 has no zone of meridian {_say_meridian(pair.meridian)}", hint=f"one of {known}")
        return code
    name = f"EPSG:{pair.epsg}"
    try:
        crs = CRS.from_user_input(name)
    except CRSError as error:
        raise CrsError(f"{name} does not exist") from error
    if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        raise CrsError(f"{name} ({crs.name}) is not in metres")
    return name


@lru_cache(maxsize=1)
def _list_zones() -> dict[float, str]:
    """Return the 3-degree zones of VN-2000: EPSG code by central meridian [°]."""
    every = query_crs_info("EPSG", PJType.PROJECTED_CRS)
    codes = [f"EPSG:{one.code}" for one in every if one.name.startswith("VN-2000 / TM-3")]
    return {meridian: code for code in codes if (meridian := _find_meridian(code)) is not None}


@lru_cache(maxsize=64)
def _find_meridian(crs: str) -> float | None:
    operation = CRS.from_user_input(crs).coordinate_operation
    values = {one.name: one.value for one in operation.params} if operation is not None else {}
    meridian = values.get("Longitude of natural origin")
    return None if meridian is None else round(float(meridian), 4)


def _contains(bounds: Bounds, place: tuple[float, float]) -> bool:
    west, south, east, north = bounds
    return west <= place[0] <= east and south <= place[1] <= north


def _write_angle(angle: float, letters: str) -> str:
    """Return an angle [°] with degrees, minutes, seconds to a hundredth and a letter."""
    hundredths = round(abs(angle) * 360_000)
    degrees, rest = divmod(hundredths, 360_000)
    minutes, seconds = divmod(rest, 6_000)
    return f"{degrees}°{minutes:02d}'{seconds / 100:05.2f}\"{letters[angle < 0]}"


def _say_meridian(meridian: float) -> str:
    degrees, minutes = divmod(round(meridian * 60), 60)
    return f"{degrees}°{minutes:02d}'"


def _comma(text: str) -> str:
    return re.sub(r"(?<=\d)\.(?=\d)", ",", text)


def _say_decimal(latitude: float, longitude: float) -> Text:
    return Text(
        _comma(f"WGS 84, độ thập phân: vĩ độ {latitude:.6f}°; kinh độ {longitude:.6f}°"),
        f"WGS 84, decimal degrees: latitude {latitude:.6f}°, longitude {longitude:.6f}°",
    )


def _say_dms(latitude: float, longitude: float) -> Text:
    return Text(
        _comma(f"WGS 84, độ phút giây: {_write_angle(latitude, 'BN')} {_write_angle(longitude, 'ĐT')}"),
        f"WGS 84, degrees, minutes, seconds: {_write_angle(latitude, 'NS')} {_write_angle(longitude, 'EW')}",
    )


def _say_metres(crs: str, north: float, east: float) -> Text:
    known = CRS.from_user_input(crs)
    name = known.geodetic_crs.name if known.geodetic_crs is not None else known.name
    meridian = _find_meridian(crs)
    vi, en = (
        (f"{name} ({crs})", f"{name} ({crs})")
        if meridian is None
        else (
            f"{name}, kinh tuyến trục {_say_meridian(meridian)} ({crs})",
            f"{name}, central meridian {_say_meridian(meridian)} ({crs})",
        )
    )
    return Text(
        f"{vi}: " + _comma(f"X (bắc) {north:.2f} m; Y (đông) {east:.2f} m"),
        f"{en}: X (north) {north:.2f} m, Y (east) {east:.2f} m",
    )
