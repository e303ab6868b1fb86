"""A WZDx feed as rows of ``road_works``: nested members flattened, words of the standard turned into ours.

Versions 4.0 to 4.2 of work zone feeds. What is missing or no word of the standard stays as it came, so that the import
rejects it by name and keeps it, as it does with rows of any other file.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from layers.errors import InputError, TooLargeError
from twin.traffic.wzdx import read_words

MOST_EVENTS = 20_000
MOST_BYTES = 64_000_000
_METRES = {"feet": 0.3048, "inches": 0.0254, "centimeters": 0.01}
_TONNES = {"pounds": 0.00045359237, "tons": 0.90718474, "kilograms": 0.001}
"""A ton of the standard is that of the United States: 2,000 pounds."""


def read_feed(content: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the header of a feed (``feed_info``) and its events as GeoJSON features of ``road_works``.

    Raises InputError where the content is no such feed, TooLargeError beyond MOST_BYTES or MOST_EVENTS.
    """
    if len(content) > MOST_BYTES:
        raise TooLargeError(f"the feed has {len(content):,} bytes", hint=f"at most {MOST_BYTES:,}")
    try:
        document = _object(orjson.loads(content))
    except orjson.JSONDecodeError as error:
        raise InputError(f"the feed is not JSON: {error.msg} at character {error.pos}") from error
    header = _object(document.get("feed_info") or document.get("road_event_feed_info"))
    version = str(header.get("version", ""))
    if document.get("type") != "FeatureCollection" or not version.startswith("4."):
        raise InputError(
            f"the document is no WZDx 4 work zone feed: type {document.get('type')!r}, version {version[:20]!r}",
            hint="expected a FeatureCollection with feed_info.version 4.0, 4.1 or 4.2",
        )
    features = document.get("features")
    if not isinstance(features, list):
        raise InputError("the feed has no list of features")
    if len(features) > MOST_EVENTS:
        raise TooLargeError(f"the feed has {len(features):,} events", hint=f"at most {MOST_EVENTS:,}")
    names = {
        str(one.get("data_source_id")): str(one.get("organization_name", ""))
        for one in map(_object, _list(header.get("data_sources")))
    }
    return dict(header), [_flatten(_object(feature), names) for feature in features]


def _flatten(feature: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    given = _object(feature.get("properties"))
    core = _object(given.get("core_details"))
    is_detour = core.get("event_type") == "detour"
    started, ended = given.get("is_start_date_verified") is True, given.get("is_end_date_verified") is True
    lanes = [lane for lane in map(_object, _list(given.get("lanes"))) if lane.get("type") == "general"]
    restrictions = [_object(one) for one in _list(given.get("restrictions"))]
    works = [_object(one).get("type_name") for one in _list(given.get("types_of_work"))]
    row: dict[str, Any] = {
        "id": feature.get("id"),
        "name": core.get("name"),
        "event_type": _turn("event_type", core.get("event_type")),
        "event_status": given.get("event_status"),
        "vehicle_impact": "all_lanes_open" if is_detour else _turn("vehicle_impact", given.get("vehicle_impact")),
        "affected_direction": "forward",
        "direction": _turn("direction", core.get("direction")),
        "road_name": ", ".join(str(name) for name in _list(core.get("road_names"))) or None,
        "planned_start": given.get("start_date"),
        "planned_end": given.get("end_date"),
        "actual_start": given.get("start_date") if started else None,
        "actual_end": given.get("end_date") if ended else None,
        "lanes_total": len(lanes) or None,
        "lanes_closed": sum(lane.get("status") == "closed" for lane in lanes) if lanes else None,
        "reduced_speed_limit": given.get("reduced_speed_limit_kph"),
        "max_height": _find_limit(restrictions, ("reduced-height",), _METRES),
        "max_width": _find_limit(restrictions, ("reduced-width",), _METRES),
        "max_weight": _find_limit(restrictions, ("reduced-weight", "gross-weight-limit"), _TONNES),
        "no_trucks": any(one.get("type") == "no-trucks" for one in restrictions) or None,
        "work_type": _turn("work_type", works[0]) if works else None,
        "workers_present": _object(given.get("worker_presence")).get("are_workers_present"),
        "location_method": _turn("location_method", given.get("location_method")),
        "description": core.get("description"),
        "organization": names.get(str(core.get("data_source_id"))),
    }
    return {"type": "Feature", "properties": row, "geometry": _as_line(feature.get("geometry"))}


def _turn(name: str, word: Any) -> Any:
    """Return our word for one of WZDx, or what came where there is none."""
    # Where several of ours are one of theirs, the first of ours is the general one.
    ours = {theirs: own for own, theirs in reversed(read_words(name).items())}
    return ours.get(word, word) if isinstance(word, str) else word


def _find_limit(restrictions: list[Mapping[str, Any]], kinds: tuple[str, ...], units: Mapping[str, float]) -> Any:
    """Return the lowest limit of these kinds in our unit, or what came where it is no number in a known unit."""
    found: list[float] = []
    for one in restrictions:
        if one.get("type") in kinds and one.get("value") is not None:
            value, unit = one["value"], one.get("unit")
            if isinstance(value, bool) or not isinstance(value, int | float) or unit not in units:
                return f"{value} {unit}"
            found.append(value * units[str(unit)])
    return round(min(found), 6) if found else None


def _as_line(geometry: Any) -> Any:
    """Return a MultiPoint as the line through its points; what else came as it is."""
    given = _object(geometry)
    if given.get("type") == "MultiPoint" and len(_list(given.get("coordinates"))) >= 2:
        return {"type": "LineString", "coordinates": given["coordinates"]}
    return geometry


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
