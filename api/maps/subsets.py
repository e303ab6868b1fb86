"""The parameter ``subset`` of OGC API Maps: intervals of the axes of a CRS, and of time (OGC 20-058, 8 and 9)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from layers.errors import InputError
from layers.store.mercator import Bounds

_PART = re.compile(r'\s*([A-Za-z]+)\(\s*("[^"]*"|[^():,"]+|\*)\s*(?::\s*("[^"]*"|[^():,"]+|\*)\s*)?\)\s*(?:,|$)')
_TIME = re.compile(r'\s*time\(\s*("[^"]*"|[^()",/]+?)\s*(?::\s*("[^"]*"|\*)\s*)?\)\s*(?:,|$)', re.I)
_EAST = {"lon", "long", "longitude", "x", "e", "east", "easting"}
_NORTH = {"lat", "latitude", "y", "n", "north", "northing"}


@dataclass(frozen=True, slots=True)
class Subset:
    """What ``subset`` asks for: a stretch of the axis to the east, of that to the north, of time; None: all of it."""

    east: tuple[float | None, float | None] | None = None
    north: tuple[float | None, float | None] | None = None
    time: str | None = None

    def cut(self, bounds: Bounds) -> Bounds:
        """Return ``bounds`` with the sides that are asked for."""
        west, south, east, north = bounds
        if self.east is not None:
            west, east = (side if side is not None else old for side, old in zip(self.east, (west, east), strict=True))
        if self.north is not None:
            south, north = (
                side if side is not None else old for side, old in zip(self.north, (south, north), strict=True)
            )
        return west, south, east, north


WHOLE = Subset()


def parse_subset(values: Sequence[str]) -> Subset:
    """Return what the given values of ``subset`` say together; InputError names what is no axis or no interval."""
    found: dict[str, tuple[float | None, float | None]] = {}
    time: str | None = None
    for value in values:
        place = 0
        while place < len(value):
            if match := _TIME.match(value, place):
                time = _read_time(match[1], match[2])
            elif match := _PART.match(value, place):
                name = match[1].lower()
                axis = "east" if name in _EAST else "north" if name in _NORTH else None
                if axis is None:
                    raise InputError(f"subset: '{match[1]}' is not an axis", hint="use Lat and Lon, x and y, time")
                if match[3] is None:
                    raise InputError(f"subset: {match[1]} needs low:high", hint=f"{match[1]}(1:2)")
                found[axis] = (_read_number(match[2]), _read_number(match[3]))
            else:
                raise InputError(f"subset '{value[:80]}' cannot be read", hint="Lat(10.01:10.05),Lon(105.7:105.8)")
            place = match.end()
    return Subset(found.get("east"), found.get("north"), time)


def _read_number(value: str) -> float | None:
    if value.strip() == "*":
        return None
    try:
        return float(value.strip().strip('"'))
    except ValueError:
        raise InputError(f"subset: '{value[:40]}' is not a number") from None


def _read_time(low: str, high: str | None) -> str:
    """Return a stretch of time as ``datetime`` writes it."""
    ends = [".." if end.strip() == "*" else end.strip().strip('"') for end in (low, high) if end is not None]
    return "/".join(ends)
