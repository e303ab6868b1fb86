"""OpenStreetMap → rows, all at once: a way needs its nodes, which may stand anywhere in the file."""

from collections.abc import Iterator
from pathlib import Path

from layers.ingest.formats.request import Request
from layers.ingest.osm import read_osm
from layers.ingest.raw import Opened, Raw, cut_chunks

KIND = "OpenStreetMap"
CRS = "EPSG:4326"


def open_osm(path: Path, request: Request) -> Opened:
    """Open an OpenStreetMap file (XML or PBF); what is read is chosen by ``keys`` and ``tags``."""
    frame, shapes, reasons = read_osm(path, keys=request.keys, tags=request.tags)
    whole = Raw(frame, shapes, CRS, reasons)

    def read(rows: int) -> Iterator[Raw]:
        return cut_chunks(whole, max(rows, len(frame)))

    return Opened(tuple(map(str, frame.columns)), read, CRS, len(frame))
