"""KML and KMZ → rows: the placemarks of one folder, their properties and ExtendedData as columns."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

from layers.errors import SourceError
from layers.ingest.formats.gdal import KML, check_bytes
from layers.ingest.formats.ogr import Dataset, open_ogr
from layers.ingest.formats.request import Request
from layers.ingest.formats.zips import check_zip
from layers.ingest.raw import Opened, Raw

KIND, ZIPPED = "KML", "KMZ"
# How a placemark is drawn, not what it is.
_DRAWING = ("altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon", "snippet")
_LINK = re.compile(rb"<href>\s*(?:https?|ftp|file):", re.IGNORECASE)
_FIELD = re.compile(rb'<SimpleField\b[^>]*\bname="([^"]+)"')
# GDAL writes this one with a capital letter, KML without.
_TITLES = {"Name": "name"}
CONFIG = {"LIBKML_LAUNDER_FIELD_NAMES": "NO"}


def open_kml(path: Path, request: Request) -> Opened:
    """Open a KML file; ``table`` chooses a folder by its name."""
    return _open(path, KIND, [path.read_bytes()], request)


def open_kmz(path: Path, request: Request) -> Opened:
    """Open a KMZ; its files may link to each other, but to nothing outside."""
    inside = check_zip(path)
    with zipfile.ZipFile(path) as archive:
        documents = [archive.read(name) for name in inside if name.lower().endswith(".kml")]
    if not documents:
        raise SourceError(f"{path} holds no .kml")
    return _open(path, ZIPPED, documents, request)


def _open(path: Path, kind: str, documents: list[bytes], request: Request) -> Opened:
    for content in documents:
        check_bytes(path, kind, KML, content)
    opened = open_ogr(
        Dataset(path, str(path.resolve()), kind, config=CONFIG, without=_DRAWING, titles=_TITLES), request
    )
    if any(_LINK.search(content) for content in documents):
        opened.notes.append("links to files elsewhere (NetworkLink) are not followed")
    declared = [unescape(name.decode()) for content in documents for name in _FIELD.findall(content)]
    return _with_columns(opened, tuple(name for name in dict.fromkeys(declared) if name not in opened.columns))


def _with_columns(opened: Opened, missing: tuple[str, ...]) -> Opened:
    """Add the declared fields that no placemark fills, which GDAL leaves out."""
    chunks = opened.chunks

    def read(rows: int) -> Iterator[Raw]:
        for raw in chunks(rows):
            yield replace(raw, frame=raw.frame.assign(**dict.fromkeys(missing)).astype(dict.fromkeys(missing, object)))

    opened.columns, opened.chunks = (*opened.columns, *missing), read
    return opened
