"""Shapefiles → rows; what their text is encoded in is read from the .cpg or the DBF, if it is said."""

import re
from pathlib import Path

from layers.errors import SourceError
from layers.ingest.formats.gdal import check_content
from layers.ingest.formats.ogr import Dataset, open_ogr
from layers.ingest.formats.request import Request
from layers.ingest.raw import Opened

KIND = "shapefile"
_BEGINS = re.compile(rb"^\x00\x00\x27\x0a")
# DBF language drivers that name a code page other than the Western one, which is written where nothing is known.
_SILENT_DRIVERS = frozenset({0x00, 0x03, 0x57})
_SILENT_PAGES = frozenset(
    {"", "ansi", "1252", "cp1252", "ansi 1252", "windows-1252", "iso-8859-1", "88591", "iso88591"}
)


def open_shapefile(path: Path, request: Request) -> Opened:
    """Open a shapefile; without a .cpg and a language driver that says something, its text comes byte for byte."""
    check_content(path, KIND, _BEGINS)
    _check_length(path)
    silent = request.encoding is not None or not says_encoding(path)
    encoding = "ISO-8859-1" if silent else None
    return open_ogr(Dataset(path, str(path.resolve()), KIND, encoding, silent, has_one=True), Request())


def _check_length(path: Path) -> None:
    """Hold the size of the .shp against what its header says in words of two bytes; GDAL takes what is cut as null."""
    with path.open("rb") as opened:
        promised = 2 * int.from_bytes(opened.read(28)[24:], "big")
    found = path.stat().st_size
    if found < promised:
        raise SourceError(f"{path} breaks off: it has {found} of {promised} bytes")


def says_encoding(path: Path) -> bool:
    """Return whether a shapefile's .cpg or its DBF header names the encoding of its text."""
    beside = {one.suffix.lower(): one for one in path.parent.glob(f"{path.stem}.*")}
    if ".cpg" in beside:
        page = beside[".cpg"].read_text(encoding="latin-1")[:40].strip().lower()
        if page not in _SILENT_PAGES:
            return True
    if ".dbf" not in beside:
        return True
    with beside[".dbf"].open("rb") as opened:
        head = opened.read(32)
    return len(head) == 32 and head[29] not in _SILENT_DRIVERS
