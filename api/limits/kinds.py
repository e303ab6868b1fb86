"""Kinds of requests: by method and address, in which lane one waits, and how much of somebody's allowance it takes.

A unit is about what a tile costs the server. The first line that fits counts; what no line names is a feature's.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import Scope

from api.answers import GEOJSON
from api.export import MEDIA_TYPES
from api.limits.lanes import LaneName
from api.negotiation import prefer_form
from twin.registry import PROCESSES

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_ITEMS = re.compile(r"/api/(collections/[^/]+|queries/[^/]+)/items")
_EXECUTION = re.compile(r"/api/processes/([^/]+)/execution")
_FORM = re.compile(rb"(?:^|&)f=([^&]*)")
_PAGES = frozenset({"json", "jsonfg", "html"})
_OFFERED = {"json": GEOJSON, **MEDIA_TYPES}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: what is said of it, its lane, and its cost in units."""

    name: str
    lane: LaneName
    cost: float


HEALTH = Kind("health", "control", 0.0)
FEATURES = Kind("features", "features", 2.0)
EXPORT = Kind("export", "files", 200.0)
ANSWER, JOB = Kind("answer", "answers", 20.0), Kind("job", "features", 50.0)
VIEWER = Kind("page of the viewer", "map", 0.2)

_C = r"/api/collections/[^/]+"
_READING: tuple[tuple[str, Kind], ...] = (
    (r"/(healthz|readyz|metrics)", HEALTH),
    (r"/(sensors|indicators)/events", Kind("stream of events", "streams", 10.0)),
    (r"/(alarms|alarm-rules|cap|indicators|forecasts|verification|state|wzdx|auth|slo)(/.*)?",
     Kind("alarms", "control", 2.0)),
    (r"/(wms|api/map|3d/.*)|/api/collections/[^/]+/map|/tiles/raster/[^/]+/preview\.png",
     Kind("picture", "pictures", 10.0)),
    (rf"{_C}/coverage|/api/qgis\.qgz|/gtfs/[^/]+\.zip", EXPORT),
    (rf"/tiles/.*|/api/tiles.*|/api/tileMatrixSets.*|{_C}/(map/)?tiles.*|/wmts(/.*)?|/esri/.*/tile/.*",
     Kind("tile", "map", 1.0)),
    (rf"/api/(catalog|styles|sprites|fonts|terria\.json)(/.*|\..*)?|{_C}/legend|/sensors/latest",
     Kind("map", "map", 1.0)),
    (r"/gtfs/.*/(departures|alerts.*)|/api/traces/.*", ANSWER),
    (r"/api/(search|geocode|reverse)|/stac/search", Kind("search", "features", 4.0)),
    (rf"{_C}/(aggregate|changes)|{_C}/items/.*/overlaps|/api/(checks|quarantine)(/.*)?|/esri/.*/query",
     Kind("question", "features", 10.0)),
    (r"/(api|sta|stac|sensors|esri|gtfs)(/.*)?", FEATURES),
    (r"/.*", VIEWER),
)  # fmt: skip
_WRITING: tuple[tuple[str, Kind], ...] = (
    (r"/sensors/observations|/api/(edits/bulk|quarantine/retry)", Kind("bulk", "files", 100.0)),
    (r"/sta/.*|/sensors/telemetry/.*", Kind("readings", "control", 0.2)),
    (r"/(alarms|alarm-rules|cap)(/.*)?", Kind("alarms", "control", 2.0)),
    (r"/auth/.*", Kind("account", "accounts", 20.0)),
    (r"/api/processes/[^/]+/execution|/api/areas/statistics", ANSWER),
    (r"/stac/search", Kind("search", "features", 4.0)),
    (r"/esri/.*/query", Kind("question", "features", 10.0)),
    (r"/.*", Kind("edit", "features", 5.0)),
)
KINDS: tuple[Kind, ...] = (*dict.fromkeys(kind for _, kind in (*_READING, *_WRITING)), JOB)
_PATTERNS = {
    True: tuple((re.compile(pattern), kind) for pattern, kind in _READING),
    False: tuple((re.compile(pattern), kind) for pattern, kind in _WRITING),
}


def find_kind(scope: Scope) -> Kind:
    """Return the kind of a request."""
    reads, path = scope["method"] in _READS, scope["path"]
    found = _find(reads, path) if len(path) < 256 else _match(reads, path)
    if found is FEATURES and _is_file(scope):
        return EXPORT
    return JOB if found is ANSWER and _is_job(scope) else found


def _is_file(scope: Scope) -> bool:
    """Return whether all items are asked for as a file."""
    if not _ITEMS.fullmatch(scope["path"]):
        return False
    form = _FORM.search(scope["query_string"])
    if form is not None:
        return form.group(1).decode("latin-1") not in _PAGES
    return prefer_form(Headers(scope=scope).get("accept", ""), _OFFERED, "json") not in _PAGES


def _is_job(scope: Scope) -> bool:
    """Return whether a run is put into the queue: by what the process offers, or because it is wished so."""
    executed = _EXECUTION.fullmatch(scope["path"])
    if executed is None:
        return False
    process = PROCESSES.get(executed.group(1))
    return process is None or not process.immediate or "respond-async" in Headers(scope=scope).get("prefer", "")


@lru_cache(maxsize=4096)
def _find(reads: bool, path: str) -> Kind:
    return _match(reads, path)


def _match(reads: bool, path: str) -> Kind:
    return next((kind for pattern, kind in _PATTERNS[reads] if pattern.fullmatch(path)), FEATURES)
