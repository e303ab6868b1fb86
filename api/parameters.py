"""Strings become values: what a query may say, checked once and with words that name the parameter."""

import base64
import binascii
import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from layers.errors import CrsError, InputError
from layers.schema import Property, VectorLayer
from layers.store.items import DEGREES, OutputCrs
from layers.store.mercator import Bounds
from layers.store.origins import Interval
from layers.store.query.ordering import Position, SortKey, read_position, write_position
from layers.store.query.paging import Pin

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000
_CRS84_NAMES = {CRS84, "CRS84", "OGC:CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84"}
_EPSG_NAME = re.compile(
    r"(?:https?://www\.opengis\.net/def/crs/EPSG/[\d.]+/|urn:ogc:def:crs:EPSG:[\d.]*:|EPSG:)(\d{1,6})"
)
_INT64 = 2**63


def parse_crs(value: str, name: str) -> OutputCrs:
    """Return the CRS that parameter ``name`` asks for, with its own order of axes; CrsError for one there is not."""
    if value in _CRS84_NAMES:
        return DEGREES
    found = _EPSG_NAME.fullmatch(value.strip("[]"))
    if found is None:
        raise CrsError(f"{name} '{value[:80]}' is not a CRS", hint=f"use {CRS84}, or {EPSG}9210")
    try:
        return _read_epsg(int(found[1]))
    except CrsError as error:
        raise CrsError(f"{name}: {error.message}") from None


@lru_cache(maxsize=256)
def _read_epsg(code: int) -> OutputCrs:
    """Return the CRS with this EPSG code; CrsError for one that cannot hold a place on a map."""
    try:
        crs = CRS.from_epsg(code)
    except CRSError:
        raise CrsError(f"EPSG:{code} does not exist") from None
    if not (crs.is_projected or crs.is_geographic) or len(crs.axis_info) != 2:
        raise CrsError(f"EPSG:{code} ({crs.name}) has no two horizontal axes")
    if crs.is_geographic:
        return OutputCrs(code, crs.axis_info[0].direction == "north", 7)
    return OutputCrs(code, _is_flipped(crs), 3)


def _is_flipped(crs: CRS) -> bool:
    """Return whether the register has the second of x and y first, which names and directions of axes do not tell.

    The middle of the area of use is projected both ways: with x first, and as the register says.
    """
    area, base = crs.area_of_use, crs.geodetic_crs
    place = (area.west + 0.3, (area.south + area.north) / 2 + 0.01) if area is not None else (0.3, 0.01)
    own = place[::-1] if base is not None and base.axis_info[0].direction == "north" else place
    try:
        plain = Transformer.from_crs(base, crs, always_xy=True).transform(*place)
        registered = Transformer.from_crs(base, crs, always_xy=False).transform(*own)
    except ProjError:
        raise CrsError(f"{crs.name} cannot be computed here") from None
    return bool(abs(registered[0] - plain[0]) > abs(registered[0] - plain[1]))


def name_crs(crs: OutputCrs) -> str:
    """Return the address that names ``crs``."""
    return CRS84 if crs == DEGREES else f"{EPSG}{crs.srid}"


def parse_numbers(value: str) -> list[float]:
    """Return the 4 numbers of ``bbox`` (heights of 6 are left out); InputError says what is wrong."""
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError:
        raise InputError(f"bbox '{value}' is not a list of numbers", hint="west,south,east,north") from None
    if len(numbers) not in (4, 6):
        raise InputError(f"bbox '{value}' has {len(numbers)} numbers, expected 4 or 6", hint="west,south,east,north")
    if not all(math.isfinite(number) for number in numbers):
        raise InputError(f"bbox '{value}' is not finite")
    return [numbers[place] for place in ((0, 1, 2, 3) if len(numbers) == 4 else (0, 1, 3, 4))]


def parse_bbox(value: str) -> Bounds:
    """Return west, south, east, north [°] of ``bbox`` with 4 or 6 numbers (heights are ignored)."""
    west, south, east, north = parse_numbers(value)
    if not (-180.0 <= west <= 180.0 and -180.0 <= east <= 180.0):
        raise InputError(f"bbox '{value}': longitudes must lie in -180 to 180")
    if not -90.0 <= south <= north <= 90.0:
        raise InputError(f"bbox '{value}': latitudes must ascend and lie in -90 to 90")
    return west, south, east, north


def parse_moment(value: str, name: str) -> datetime:
    """Return the moment ``value`` (RFC 3339; without an offset it is UTC); InputError names parameter ``name``."""
    # A '+' of an offset that was not escaped arrives as a blank.
    written = value.replace(" ", "+") if "T" in value or "t" in value else value
    try:
        parsed = datetime.fromisoformat(written)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(f"{name} '{value}' is not a date-time", hint="write 2026-11-22T10:00:00Z") from None


def parse_interval(value: str) -> Interval:
    """Return the stretch of time ``datetime`` names: an instant, or ``start/end`` with ``..`` for an open end."""
    parts = value.split("/")
    if len(parts) > 2:
        raise InputError(f"datetime '{value}' has more than two parts", hint="an instant, or start/end")
    if len(parts) == 1:
        if _is_date(value):
            day = parse_moment(value, "datetime")
            return Interval(day, datetime.combine(day.date(), time.max, UTC))
        moment = parse_moment(value, "datetime")
        return Interval(moment, moment)
    start, end = (None if part in ("", "..") else parse_moment(part, "datetime") for part in parts)
    if start is None and end is None:
        raise InputError(f"datetime '{value}' is open at both ends", hint="leave it out to read the present")
    if start is not None and end is not None and start > end:
        raise InputError(f"datetime '{value}' ends before it begins")
    return Interval(start, end)


def parse_filters(layers: Sequence[VectorLayer], pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Return the value each property must equal; every layer must have the property and the public may see it."""
    equals: dict[str, object] = {}
    for name, value in pairs:
        if name in equals:
            raise InputError(f"parameter '{name}' is given twice")
        if name == "id":
            equals[name] = value
            continue
        for layer in layers:
            prop = layer.find(name)
            if prop is None:
                known = ", ".join(prop.name for prop in layer.properties)
                raise InputError(f"parameter '{name}' is not known and not a property of '{layer.id}'", hint=known)
            equals[name] = parse_value(prop, value)
    return equals


def parse_value(prop: Property, value: str) -> object:
    """Return ``value`` in the type of ``prop``; InputError says what was expected."""
    try:
        return _read(prop, value)
    except (ValueError, OverflowError):
        raise InputError(f"{prop.name}='{value}' is not a {prop.type}") from None


def _read(prop: Property, value: str) -> object:
    if prop.type == "string":
        if prop.codes and value not in {code.value for code in prop.codes}:
            known = ", ".join(code.value for code in prop.codes)
            raise InputError(f"{prop.name}='{value}' is not in its code list", hint=f"one of {known}")
        return value
    if prop.type == "integer":
        number = int(value)
        if not -_INT64 <= number < _INT64:
            raise OverflowError
        return number
    if prop.type == "number":
        real = float(value)
        if not math.isfinite(real):
            raise ValueError
        return real
    if prop.type == "boolean":
        if value not in ("true", "false"):
            raise ValueError
        return value == "true"
    return date.fromisoformat(value) if prop.type == "date" else parse_moment(value, prop.name)


def _is_date(value: str) -> bool:
    try:
        return bool(date.fromisoformat(value))
    except ValueError:
        return False


def write_cursor(layer_id: str, position: Position, pin: Pin | None = None) -> str:
    """Return the opaque cursor of the page after ``position``, for a reader who began with ``pin``."""
    began = f"{pin.version}@{pin.moment.isoformat()}" if pin is not None else ""
    words = f"{layer_id} {began} {write_position(position)}"
    return base64.urlsafe_b64encode(words.encode()).decode().rstrip("=")


def parse_cursor(layer: VectorLayer, order: Sequence[SortKey], cursor: str) -> tuple[Position, Pin | None]:
    """Return what ``write_cursor`` wrote; InputError for a cursor this layer never gave in this order."""
    try:
        words = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        name, began, position = words.split(" ", 2)
        if name == layer.id:
            return read_position(position, layer, order), _read_pin(began)
    except (binascii.Error, ValueError, OverflowError, RecursionError):
        pass
    raise InputError(f"cursor '{cursor[:80]}' was not given by this collection", hint="follow the link 'next'")


def _read_pin(words: str) -> Pin | None:
    if not words:
        return None
    version, _, moment = words.partition("@")
    return Pin(int(version), datetime.fromisoformat(moment).astimezone(UTC))


def parse_names(layer: VectorLayer, value: str) -> list[str]:
    """Return the public properties that ``properties`` names, in the layer's own order."""
    names = [part.strip() for part in value.split(",") if part.strip()]
    known = [prop.name for prop in layer.properties]
    wrong = next((name for name in names if name not in known), None)
    if wrong is not None:
        raise InputError(f"properties: '{layer.id}' has no property '{wrong[:80]}'", hint=", ".join(known))
    return [name for name in known if name in names]
