"""Formats that GDAL reads without our help; the first bytes must be those of the format.

GDAL looks at what is in a file, not at its name: what calls itself GeoJSON could be a virtual layer that opens other
files or addresses. So the content is held against the name before GDAL sees it.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from layers.errors import SourceError
from layers.ingest.formats.ogr import Dataset, open_ogr
from layers.ingest.formats.request import Request
from layers.ingest.raw import Opened

_HEAD, _TAIL = 1 << 16, 1 << 10
_VIRTUAL = re.compile(rb"gdal_streamed_alg|<OGRVRT|<VRTDataset|<!DOCTYPE|<!ENTITY", re.IGNORECASE)
_BLANK = rb"^(?:\xef\xbb\xbf)?\s*"


@dataclass(frozen=True, slots=True)
class Format:
    """What people call a format, what its files begin and end with, GDAL's options, whether it knows one layer only."""

    kind: str
    begins: re.Pattern[bytes]
    ends: re.Pattern[bytes] | None = None
    options: dict[str, str] = field(default_factory=dict)
    has_one: bool = False

    def open(self, path: Path, request: Request) -> Opened:
        """Open the file through GDAL; SourceError where it is something else."""
        check_content(path, self.kind, self.begins, self.ends)
        address = str(path.resolve())
        return open_ogr(Dataset(path, address, self.kind, options=self.options, has_one=self.has_one), request)


def check_content(path: Path, kind: str, begins: re.Pattern[bytes], ends: re.Pattern[bytes] | None = None) -> None:
    """Raise SourceError when a file does not begin as its format does, breaks off, or holds what leads elsewhere."""
    with path.open("rb") as opened:
        head = opened.read(_HEAD)
        opened.seek(max(0, path.stat().st_size - _TAIL))
        tail = opened.read()
    check_bytes(path, kind, begins, head, tail)
    if ends is not None and not ends.search(tail):
        raise SourceError(f"{path} breaks off: its last row is not whole")


def check_bytes(path: Path, kind: str, begins: re.Pattern[bytes], head: bytes, tail: bytes | None = None) -> None:
    """Do the same for the first and the last bytes of a file; ``head`` alone is the whole of it."""
    found = begins.search(head)
    if found is None:
        words = re.sub(r"[^\x20-\x7e]+", " ", head[:60].decode("latin-1")).strip()
        raise SourceError(f"{path} cannot be read as {kind}: it begins with '{words}'")
    if virtual := _VIRTUAL.search(head):
        raise SourceError(
            f"{path} cannot be read as {kind}: '{virtual.group().decode()}' in it could lead to other files"
        )
    root = found.groupdict().get("root")
    if root is not None and b"</" + root not in (head if tail is None else tail):
        raise SourceError(f"{path} breaks off: </{root.decode()}> is missing at its end")


def _xml(*roots: bytes) -> re.Pattern[bytes]:
    return re.compile(_BLANK + rb"(?:<[?!](?s:.*?)>\s*)*<(?P<root>(?:\w+:)?(?:" + b"|".join(roots) + rb"))\b")


SQLITE = re.compile(rb"^SQLite format 3\x00")
JSON = re.compile(_BLANK + rb"[{\[]|^\x1e\s*\{")
KML = _xml(b"kml")
GEOPACKAGE = Format("GeoPackage", SQLITE)
SPATIALITE = Format("SQLite", SQLITE)
GEOJSON = Format("GeoJSON", JSON, has_one=True)
FLATGEOBUF = Format("FlatGeobuf", re.compile(rb"^fgb"), has_one=True)
GEOJSON_LINES = Format("GeoJSON lines", JSON, re.compile(rb"\}\s*$"), has_one=True)
GPX = Format("GPX", _xml(b"gpx"))
# Neither the schema's address is followed nor a file written beside the one that is read.
GML = Format(
    "GML", _xml(rb"\w*Collection", rb"\w*Member", rb"gml"), options={"DOWNLOAD_SCHEMA": "NO", "WRITE_GFS": "NO"}
)
