"""What a client sends of an entity: its own attributes, its links and its id, checked before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import shapely

from layers.errors import InputError
from layers.store.sensing.entities import ENTITIES, Attribute, Entity, Navigation

MAX_DEPTH, LONGEST_ID = 12, 200
ID = "@iot.id"
_EARLIEST, _LATEST = 1900, 2200
_UNIT_PARTS = ("name", "symbol", "definition")


@dataclass(frozen=True, slots=True)
class Document:
    """An entity as sent: ``id`` where the client chose one, ``attributes`` and ``links`` by name."""

    entity: Entity
    id: str | None
    attributes: Mapping[str, Any]
    links: Mapping[str, Any]

    @property
    def is_reference(self) -> bool:
        """Whether it names an entity that is there and says nothing else."""
        return self.id is not None and not self.attributes and not self.links


def read_document(entity: Entity, sent: Any) -> Document:
    """Return what was sent in its parts; InputError for what is no object or has attributes the entity has not.

    Annotations (``@iot.selfLink``, ``Datastreams@iot.navigationLink``) are what the server itself writes: passed over.
    """
    if not isinstance(sent, dict):
        raise InputError(f"a {entity.singular} is a JSON object, not {_show(sent)}")
    attributes, links = {}, {}
    for name, value in sent.items():
        if "@" in name:
            continue
        if entity.find_attribute(name) is not None:
            attributes[name] = value
        elif entity.find_navigation(name) is not None:
            links[name] = value
        else:
            known = [one.name for one in entity.attributes] + [link.name for link in entity.navigations]
            raise InputError(f"a {entity.singular} has no '{name[:80]}'", hint=f"it has {', '.join(known)}")
    return Document(entity, read_id(sent[ID]) if sent.get(ID) is not None else None, attributes, links)


def read_id(value: Any) -> str:
    """Return an id as text; InputError for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int) or not 0 < len(str(value)) <= LONGEST_ID:
        raise InputError(f"{ID} {_show(value)} is no id", hint=f"a number or a text of 1 to {LONGEST_ID} characters")
    return str(value)


def require_all(document: Document, given: Mapping[str, Any]) -> None:
    """Raise InputError naming the mandatory attributes and links that neither the document nor ``given`` has."""
    entity = document.entity
    missing = [one.name for one in entity.attributes if one.required and document.attributes.get(one.name) is None]
    if entity.name == "Observations" and "result" in document.attributes and "result" in missing:
        # A reading that says null is one that is missing, and is kept as that.
        missing.remove("result")
    missing += [
        link.name
        for link in entity.navigations
        if link.required and link.name not in given and document.links.get(link.name) is None
    ]
    if missing:
        raise InputError(f"the {entity.singular} lacks {', '.join(missing)}", hint="these are mandatory")


def find_inverse(entity: Entity, link: Navigation) -> Navigation:
    """Return the link by which the target of ``link`` leads back to ``entity``."""
    return next(back for back in ENTITIES[link.target].navigations if back.target == entity.name)


def write_columns(entity: Entity, attribute: Attribute, value: Any) -> dict[str, tuple[str, Any]]:
    """Return columns to write: by name, the SQL expression over parameter ``:name`` and its value.

    Raises InputError for a value of the wrong kind. None empties an attribute that is not mandatory.
    """
    column = attribute.column
    if column is None:
        return {}
    where = f"{entity.singular}.{attribute.name}"
    if value is None:
        if attribute.required:
            raise InputError(f"{where} is mandatory and cannot be null")
        emptied = {column: (f":{column}", None)}
        return emptied | ({"geom": (":geom", None)} if attribute.kind == "geometry" else {})
    match attribute.kind:
        case "text":
            if not isinstance(value, str):
                raise InputError(f"{where} is a text, not {_show(value)}")
            return {column: (f":{column}", value)}
        case "time":
            return {column: (f":{column}", read_moment(value, where))}
        case "geometry":
            return {column: (_as_json(column), _dump(value)), "geom": (_SHAPE, read_shape(value, where))}
        case _:
            if attribute.name == "properties" and not isinstance(value, dict):
                raise InputError(f"{where} is a JSON object, not {_show(value)}")
            if attribute.name == "unitOfMeasurement":
                return {column: (_as_json(column), _dump(value)), "unit": (":unit", _read_unit(value, where))}
            return {column: (_as_json(column), _dump(value))}


_SHAPE = "st_setsrid(st_geomfromwkb(cast(:geom as bytea)), 4326)"


def read_shape(value: Any, where: str) -> bytes | None:
    """Return GeoJSON (a geometry, or a feature that has one) as WKB; None for a place in words.

    InputError for what looks like GeoJSON and is not, or does not lie on the earth.
    """
    if not isinstance(value, dict):
        return None
    geometry = value.get("geometry") if value.get("type") == "Feature" else value
    if not isinstance(geometry, dict):
        return None
    try:
        shape = shapely.from_geojson(orjson.dumps(geometry))
    except shapely.errors.GEOSException as error:
        raise InputError(f"{where} is not GeoJSON: {str(error)[:120]}") from None
    west, south, east, north = shape.bounds
    if not (west >= -180 and south >= -90 and east <= 180 and north <= 90):
        raise InputError(f"{where} does not lie on the earth: {_show(geometry)}", hint="longitude, latitude in degrees")
    written: bytes = shapely.to_wkb(shape)
    return written


def read_moment(value: Any, where: str) -> datetime:
    """Return a time in UTC; InputError for anything else, without a zone, or of a year no reading is of."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InputError(f"{where} {_show(value)} is no time", hint="such as 2026-11-28T12:00:00Z") from None
    if moment.tzinfo is None:
        raise InputError(f"{where} {_show(value)} names no zone", hint="such as 2026-11-28T12:00:00Z")
    if not _EARLIEST <= moment.year < _LATEST:
        raise InputError(f"{where} {_show(value)} lies outside of 1900 to 2199")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def read_interval(value: Any, where: str) -> tuple[datetime, datetime | None]:
    """Return a time, or start and end of an interval ``start/end``; InputError for anything else."""
    if not isinstance(value, str) or "/" not in value:
        return read_moment(value, where), None
    begin, _, end = value.partition("/")
    start, stop = read_moment(begin, where), read_moment(end, where)
    if stop < start:
        raise InputError(f"{where} {_show(value)} ends before it begins")
    return start, stop


def _read_unit(value: Any, where: str) -> str:
    if not isinstance(value, dict) or not set(value) <= set(_UNIT_PARTS):
        raise InputError(f"{where} is an object of {', '.join(_UNIT_PARTS)}, not {_show(value)}")
    if any(part is not None and not isinstance(part, str) for part in value.values()):
        raise InputError(f"{where} holds something else than texts: {_show(value)}")
    return value.get("symbol") or ""


def _as_json(column: str) -> str:
    return f"cast(:{column} as jsonb)"


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def _show(value: Any) -> str:
    shown = orjson.dumps(value, default=str).decode()
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
