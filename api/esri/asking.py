"""The parameters of a GeoServices request, from the address or a form, and what they ask of a layer.

Their names are read in any case. What is not known is not looked at: clients send many.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import shapely
from fastapi import Request

from api.esri.fields import read_milliseconds
from api.esri.shapes import MERCATOR, read_asked_shape, read_wkid, write_geojson
from api.esri.where import OBJECT_ID, parse_where, resolve_name
from api.parameters import parse_crs
from layers.errors import InputError, TooLargeError
from layers.schema import VectorLayer
from layers.store.items import OutputCrs
from layers.store.origins import PRESENT, Interval, Past
from layers.store.query.ordering import MAX_KEYS, SortKey
from layers.store.query.selection import Filter, ItemQuery
from layers.store.rows import RowQuery

MAX_IDS = 10_000
_MAX_OFFSET = 10_000_000
_RELATIONS = {
    "esrispatialrelintersects": "s_intersects",
    "esrispatialrelenvelopeintersects": "s_intersects",
    "esrispatialrelindexintersects": "s_intersects",
    # The client's geometry contains the feature, or lies within it.
    "esrispatialrelcontains": "s_within",
    "esrispatialrelwithin": "s_contains",
    "esrispatialreltouches": "s_touches",
    "esrispatialreloverlaps": "s_overlaps",
    "esrispatialrelcrosses": "s_crosses",
}
_BOXED = {"esrispatialrelenvelopeintersects", "esrispatialrelindexintersects"}
_METRES = {
    "esrisrunit_meter": 1.0,
    "esrisrunit_kilometer": 1000.0,
    "esrisrunit_foot": 0.3048,
    "esrisrunit_statutemile": 1609.344,
    "esrisrunit_nauticalmile": 1852.0,
}


class Parameters:
    """The parameters by lower-case name; empty ones count as not given."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = {name.lower(): value.strip() for name, value in given.items() if value.strip()}

    @classmethod
    async def of(cls, request: Request) -> "Parameters":
        """Return those of ``request``; InputError when its form cannot be read."""
        given = dict(request.query_params)
        if request.method == "POST":
            try:
                form = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=200)
            except ValueError as error:
                raise InputError(f"the form cannot be read: {error}") from None
            given |= dict(form)
        return cls(given)

    def text(self, name: str) -> str | None:
        """Return a parameter as it came."""
        return self._given.get(name.lower())

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a yes or no; InputError for neither."""
        value = (self.text(name) or str(default)).lower()
        if value not in ("true", "false", "1", "0"):
            raise InputError(f"{name} '{value[:40]}' is not true or false")
        return value in ("true", "1")

    def number(self, name: str, default: float) -> float:
        """Return a number from 0 up; InputError for anything else."""
        value = self.text(name)
        if value is None:
            return default
        try:
            found = float(value)
        except ValueError:
            found = -1.0
        if not 0.0 <= found < 1e12:
            raise InputError(f"{name} '{value[:40]}' is not a number from 0 up")
        return found

    def names(self, name: str) -> list[str]:
        """Return the parts of a list divided by commas."""
        return [part.strip() for part in (self.text(name) or "").split(",") if part.strip()]


def read_row_query(parameters: Parameters, layer: VectorLayer) -> RowQuery:
    """Return which features are asked for; InputError says what is wrong."""
    filters = []
    where = parameters.text("where")
    if where is not None:
        filters.append(Filter(parse_where(where, layer)))
    if (words := parameters.text("geometry")) is not None:
        filters.append(_read_place(words, parameters))
    moment = parameters.text("historicMoment")
    past = PRESENT
    if moment is not None:
        instant = read_milliseconds(parameters.number("historicMoment", 0.0), "historicMoment")
        past = Past(Interval(instant, instant))
    return RowQuery(ItemQuery(filters=tuple(filters), past=past), read_ids(parameters.text("objectIds")))


def _read_place(words: str, parameters: Parameters) -> Filter:
    shape, own = read_asked_shape(words, parameters.text("geometryType"))
    given = parameters.text("inSR")
    srid = own or (read_wkid(given, "inSR") if given is not None else MERCATOR)
    read_output(srid, "inSR")
    relation = (parameters.text("spatialRel") or "esriSpatialRelIntersects").lower()
    if relation not in _RELATIONS:
        raise InputError(f"spatialRel '{relation[:60]}' is not served", hint=f"one of {', '.join(_RELATIONS)}")
    if relation in _BOXED:
        shape = shapely.envelope(shape)
    arguments: list[Any] = [{"property": "geometry"}, write_geojson(shape)]
    distance = parameters.number("distance", 0.0)
    if distance > 0.0:
        unit = (parameters.text("units") or "esriSRUnit_Meter").lower()
        if unit not in _METRES:
            raise InputError(f"units '{unit[:40]}' are not served", hint=f"one of {', '.join(_METRES)}")
        return Filter({"op": "s_dwithin", "args": [*arguments, distance * _METRES[unit]]}, srid)
    return Filter({"op": _RELATIONS[relation], "args": arguments}, srid)


def read_ids(words: str | None) -> tuple[int, ...] | None:
    """Return object ids; InputError for one that is none."""
    if words is None:
        return None
    parts = [part.strip() for part in words.split(",") if part.strip()]
    if len(parts) > MAX_IDS:
        raise TooLargeError(f"{len(parts)} object ids, at most {MAX_IDS}")
    if any(not part.isdecimal() or len(part) > 18 for part in parts):
        raise InputError(f"objectIds '{words[:80]}' is not a list of whole numbers")
    return tuple(dict.fromkeys(int(part) for part in parts))


def read_output(srid: int, name: str) -> OutputCrs:
    """Return a CRS with x first, as Esri's clients have all of them; CrsError names parameter ``name``."""
    return parse_crs(f"EPSG:{srid}", name)._replace(flip=False)


def read_order(parameters: Parameters, layer: VectorLayer) -> tuple[SortKey, ...]:
    """Return the keys of ``orderByFields``; InputError says what is wrong."""
    keys = []
    for part in parameters.names("orderByFields"):
        name, _, direction = part.partition(" ")
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise InputError(f"orderByFields '{part[:80]}' is not a field and ASC or DESC")
        keys.append(SortKey(resolve_name(name, layer), direction.strip().lower() == "desc"))
    if len(keys) > MAX_KEYS:
        raise InputError(f"orderByFields names {len(keys)} fields, at most {MAX_KEYS} are sorted by")
    return tuple({key.name: key for key in reversed(keys)}.values())[::-1]


def read_fields(parameters: Parameters, layer: VectorLayer, name: str = "outFields") -> list[str]:
    """Return the names of a list of fields, ``*`` for all; the object id alone when none are named."""
    asked = parameters.names(name)
    if "*" in asked:
        return [OBJECT_ID, "id", *(prop.name for prop in layer.properties)]
    return list(dict.fromkeys(resolve_name(one, layer) for one in asked))


def read_offset(parameters: Parameters) -> int:
    """Return ``resultOffset``."""
    offset = int(parameters.number("resultOffset", 0.0))
    if offset > _MAX_OFFSET:
        raise InputError(f"resultOffset {offset} is larger than {_MAX_OFFSET}")
    return offset
