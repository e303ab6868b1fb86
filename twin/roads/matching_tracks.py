"""Recorded tracks read: GeoJSON of a line or of points, or CSV, with or without times."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from layers.errors import InputError, TooLargeError
from network.paths_answers import Values

MOST_POINTS = 20_000
MOST_CHARACTERS = 4_000_000
_LON, _LAT, _TIME = (
    ("lon", "lng", "longitude", "x"),
    ("lat", "latitude", "y"),
    ("time", "timestamp", "datetime", "date"),
)
_TIMES = ("times", "coordTimes", "coordinateProperties")


@dataclass(frozen=True, eq=False)
class Track:
    """lonlat: positions in order (points, 2) [degrees]. times: when [s since 1970 UTC] (points,), None without."""

    lonlat: Values
    times: Values | None


def read_track(given: Mapping[str, Any] | str, zone: ZoneInfo) -> Track:
    """Return a track from a GeoJSON object, its text, or CSV with a header; times without a zone are in ``zone``.

    GeoJSON: a LineString, a Feature of one with ``times`` or ``coordTimes``, or a FeatureCollection of Points with a
    property ``time``. CSV: columns lon, lat and perhaps time. Times are ISO 8601 or seconds since 1970. Raises
    InputError for what is none of these, TooLargeError for more than 20,000 positions.
    """
    if isinstance(given, str):
        if len(given) > MOST_CHARACTERS:
            raise TooLargeError(f"the track has {len(given):,} characters, at most {MOST_CHARACTERS:,} are read")
        given = given.lstrip("\ufeff \t\r\n")
        if given.startswith("{"):
            try:
                given = json.loads(given)
            except json.JSONDecodeError as error:
                raise InputError(f"the track is not JSON: {error.msg} at character {error.pos}") from error
        else:
            return _finish(*_read_csv(given), zone)
    assert not isinstance(given, str)
    return _finish(*_read_geojson(given), zone)


def _read_csv(text: str) -> tuple[list[Any], list[Any]]:
    rows = csv.DictReader(io.StringIO(text))
    names = {str(name).strip().lower(): name for name in rows.fieldnames or ()}
    lon, lat, time = (next((names[word] for word in words if word in names), None) for words in (_LON, _LAT, _TIME))
    if lon is None or lat is None:
        raise InputError("the track is neither GeoJSON nor CSV with the columns lon and lat", hint="lon,lat,time")
    places, times = list[Any](), list[Any]()
    for row in rows:
        places.append((row[lon], row[lat]))
        times.append(None if time is None else row[time])
        if len(places) > MOST_POINTS:
            break
    return places, [] if time is None else times


def _read_geojson(given: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    kind = given.get("type")
    if kind == "FeatureCollection":
        features = given.get("features")
        if not isinstance(features, list) or not features:
            raise InputError("the track is a FeatureCollection without features")
        if len(features) == 1 and _kind_of(features[0]) != "Point":
            return _read_geojson(features[0])
        places, times = list[Any](), list[Any]()
        for feature in features[: MOST_POINTS + 1]:
            if _kind_of(feature) != "Point":
                raise InputError("a feature of the track is no Point", hint="one LineString, or Points in order")
            properties = feature.get("properties") or {}
            places.append(feature["geometry"].get("coordinates"))
            times.append(next((properties[name] for name in _TIME if name in properties), None))
        return places, [] if all(time is None for time in times) else times
    if kind == "Feature":
        properties = given.get("properties") or {}
        listed: Any = next((properties[name] for name in _TIMES if name in properties), [])
        if isinstance(listed, dict):
            listed = listed.get("times", [])
        places, _ = _read_geojson(given.get("geometry") or {})
        return places, listed
    places = given.get("coordinates") if kind == "LineString" else None  # type: ignore[assignment]
    if not isinstance(places, list):
        raise InputError(f"the track is of type '{str(kind)[:40]}', expected a LineString, or Points in order")
    return places, []


def _kind_of(feature: Any) -> str | None:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    return geometry.get("type") if isinstance(geometry, dict) else None


def _finish(places: Sequence[Any], times: Any, zone: ZoneInfo) -> Track:
    """Check positions and times one by one; InputError names the first that is wrong."""
    if len(places) > MOST_POINTS:
        raise TooLargeError(f"the track has more than {MOST_POINTS:,} positions", hint="match it in parts")
    if len(places) < 2:
        raise InputError(f"the track has {len(places)} positions, expected 2 or more")
    lonlat = np.array([_read_place(place, number) for number, place in enumerate(places)])
    if not isinstance(times, list) or not times:
        return Track(lonlat, None)
    if len(times) != len(places):
        raise InputError(f"the track has {len(places)} positions and {len(times)} times")
    seconds = np.array([_read_time(time, number, zone) for number, time in enumerate(times)])
    back = np.flatnonzero(np.diff(seconds) < 0.0)
    if back.size:
        raise InputError(f"position {int(back[0]) + 2} of the track is earlier than the one before")
    return Track(lonlat, seconds)


def _read_place(place: Any, number: int) -> tuple[float, float]:
    try:
        lon, lat = float(place[0]), float(place[1])
    except (TypeError, ValueError, IndexError, KeyError):
        raise InputError(f"position {number + 1} of the track is no pair of numbers: {str(place)[:60]}") from None
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise InputError(f"position {number + 1} of the track is {lon:g}, {lat:g}, expected longitude and latitude")
    return lon, lat


def _read_time(time: Any, number: int, zone: ZoneInfo) -> float:
    try:
        if isinstance(time, str) and not time.replace(".", "", 1).strip().isdigit():
            moment = datetime.fromisoformat(time.strip())
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
        else:
            seconds = float(time)
            datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise InputError(
            f"position {number + 1} of the track has the time '{str(time)[:40]}'", hint="ISO 8601"
        ) from None
    if not math.isfinite(seconds):
        raise InputError(f"position {number + 1} of the track has no finite time")
    return seconds
