"""Road works as a WZDx 4.2 work zone feed.

Source: USDOT Work Zone Data Exchange 4.2, WorkZoneFeed, RoadEventFeature, WorkZoneRoadEvent, DetourRoadEvent. A WZDx
event is of one direction and drawn as its traffic runs: what touches both ways becomes two events that name each other.
What has ended or was cancelled is not in a feed. The standard wants an end: what has none yet is told to end a week
after the feed was made, unverified, so that the end moves with every feed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from layers.registry import read_vector_layer
from twin.roads.closures import read_event, read_spans

VERSION = "4.2"
OPEN_END = timedelta(days=7)
BACK = "-back"
"""Behind the id of the event of the other direction."""
MOST_LANES = 20
_OPPOSITE = {
    "northbound": "southbound", "southbound": "northbound", "eastbound": "westbound", "westbound": "eastbound",
    "inner-loop": "outer-loop", "outer-loop": "inner-loop",
}  # fmt: skip
_COMPASS = ("northbound", "eastbound", "southbound", "westbound")
_LIMITS = (
    ("max_height", "reduced-height", 100.0, "centimeters"),
    ("max_width", "reduced-width", 100.0, "centimeters"),
    ("max_weight", "reduced-weight", 1000.0, "kilograms"),
)


def build_feed(events: gpd.GeoDataFrame, *, publisher: str, now: datetime) -> dict[str, Any]:
    """Return the feed of the events of a frame of ``road_works`` in degrees that have not ended by ``now``."""
    starts, ends = read_spans(events)
    features: list[dict[str, Any]] = []
    sources: dict[str, str] = {}
    for row in np.flatnonzero(ends > now.timestamp()).tolist():
        event = read_event(events, row)
        source = sources.setdefault(_word(event, "organization") or publisher, f"source-{len(sources) + 1}")
        start = now if np.isinf(starts[row]) else datetime.fromtimestamp(starts[row], UTC)
        end = max(now, start) + OPEN_END if np.isinf(ends[row]) else datetime.fromtimestamp(ends[row], UTC)
        features += _write_event(event, source, start, end)
    if not sources:
        sources[publisher] = "source-1"
    return {
        "feed_info": {
            "publisher": publisher,
            "version": VERSION,
            "update_date": write_time(now),
            "data_sources": [{"data_source_id": key, "organization_name": name} for name, key in sources.items()],
        },
        "type": "FeatureCollection",
        "features": features,
    }


def write_time(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_words(name: str) -> dict[str, str]:
    """Return the codes of a property of ``road_works`` with the words of WZDx for them."""
    prop = read_vector_layer("road_works").find(name)
    assert prop is not None
    return {code.value: code.words.get("wzdx", code.value) for code in prop.codes}


def _write_event(event: Mapping[str, Any], source: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    own, ways = str(event["id"]), str(event.get("affected_direction", "both"))
    written = []
    for back in {"both": (False, True), "backward": (True,)}.get(ways, (False,)):
        line = event["geometry"].reverse() if back else event["geometry"]
        properties: dict[str, Any] = {
            "core_details": _write_core(event, source, line, back=back),
            "start_date": write_time(start),
            "end_date": write_time(end),
            "is_start_date_verified": "actual_start" in event,
            "is_end_date_verified": "actual_end" in event,
        }
        if "event_status" in event:
            properties["event_status"] = event["event_status"]
        if properties["core_details"]["event_type"] == "work-zone":
            properties |= _write_work_zone(event)
        if ways == "both":
            other = {"type": "related-work-zone", "id": own if back else own + BACK}
            properties["core_details"]["related_road_events"] = [other]
        name = own + BACK if back and ways == "both" else own
        shape = shapely.geometry.mapping(line)
        written.append({"id": name, "type": "Feature", "properties": properties, "geometry": shape})
    return written


def _write_core(event: Mapping[str, Any], source: str, line: Any, *, back: bool) -> dict[str, Any]:
    details = {
        # The standard knows two kinds; what closes a road is a work zone to it.
        "event_type": "detour" if event["event_type"] == "detour" else "work-zone",
        "data_source_id": source,
        "road_names": [_word(event, "road_name") or _word(event, "name") or str(event["id"])],
        "direction": _find_direction(event, line, back=back),
    }
    return details | {key: _word(event, key) for key in ("name", "description") if _word(event, key)}


def _write_work_zone(event: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {
        "vehicle_impact": read_words("vehicle_impact")[event["vehicle_impact"]],
        "location_method": read_words("location_method").get(_word(event, "location_method"), "unknown"),
        "is_start_position_verified": False,
        "is_end_position_verified": False,
        "restrictions": _write_restrictions(event),
    }
    if "reduced_speed_limit" in event:
        written["reduced_speed_limit_kph"] = float(event["reduced_speed_limit"])
    if "work_type" in event:
        written["types_of_work"] = [{"type_name": read_words("work_type")[event["work_type"]]}]
    if "workers_present" in event:
        written["worker_presence"] = {"are_workers_present": bool(event["workers_present"])}
    if "lanes_total" in event:
        shut = int(event["lanes_closed"]) if "lanes_closed" in event else 0
        total = min(max(int(event["lanes_total"]), 1), MOST_LANES)
        # Which lanes are shut is not kept: they are told from the right, where works mostly stand.
        written["lanes"] = [
            {"order": order, "type": "general", "status": "closed" if order > total - shut else "open"}
            for order in range(1, total + 1)
        ]
    return written


def _write_restrictions(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"type": "no-trucks"}] if event.get("no_trucks") else []
    for key, kind, factor, unit in _LIMITS:
        if key in event:
            found.append({"type": kind, "value": round(float(event[key]) * factor, 3), "unit": unit})
    return found


def _find_direction(event: Mapping[str, Any], line: Any, *, back: bool) -> str:
    given = _word(event, "direction")
    if given not in ("", "unknown", "undefined"):
        word = read_words("direction")[given]
        return _OPPOSITE.get(word, word) if back else word
    (x0, y0), (x1, y1) = line.coords[0][:2], line.coords[-1][:2]
    east = (x1 - x0) * np.cos(np.radians((y0 + y1) / 2.0))
    if east == 0.0 and y1 == y0:
        return "unknown"
    return _COMPASS[round(float(np.degrees(np.arctan2(east, y1 - y0))) / 90.0) % 4]


def _word(event: Mapping[str, Any], key: str) -> str:
    return str(event.get(key, ""))
