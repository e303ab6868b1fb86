"""DXF drawings → rows: one an entity, with Layer, Text, EntityHandle and what is written into inserted blocks."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from layers.errors import SourceError
from layers.ingest.formats.gdal import check_content
from layers.ingest.formats.ogr import Dataset, open_ogr
from layers.ingest.formats.request import Request
from layers.ingest.raw import Opened, Raw, cut_chunks, join_chunks

KIND = "DXF"
_BEGINS = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?:999\r?\n[^\n]*\n\s*)*0\s*\r?\nSECTION")
_VERSION = re.compile(rb"\$ACADVER\s+1\s+AC(\d{4})")
_PAGE = re.compile(rb"\$DWGCODEPAGE\s+3\s+(\w+)")
# From 2007 on (AC1021) text is UTF-8; before, ANSI_1252 is what AutoCAD writes on any Western machine.
_UNICODE = 1021
_KEPT = ("Layer", "Text", "EntityHandle", "SubClasses", "Linetype", "PaperSpace", "BlockName", "BlockAngle")
_ATTRIBUTES = "BlockAttributes"


def open_dxf(path: Path, request: Request) -> Opened:
    """Open a drawing; blocks stay points with BlockName and one column for each of their attributes.

    A drawing does not say where it lies: the CRS must be given.
    """
    check_content(path, KIND, _BEGINS)
    with path.open("rb") as opened:
        head = opened.read(1 << 16)
        opened.seek(max(0, path.stat().st_size - 64))
        if b"EOF" not in opened.read():
            raise SourceError(f"{path} breaks off: EOF is missing at its end")
    version, page = _VERSION.search(head), _PAGE.search(head)
    is_unicode = version is not None and int(version.group(1)) >= _UNICODE
    silent = request.encoding is not None or page is None or page.group(1).upper() in (b"ANSI_1252", b"DOS850")
    undecoded = silent and not is_unicode
    config = {"DXF_INLINE_BLOCKS": "FALSE"}
    if undecoded or is_unicode:
        config["DXF_ENCODING"] = "ISO-8859-1" if undecoded else "UTF-8"
    dataset = Dataset(path, str(path.resolve()), KIND, undecoded=undecoded, config=config)
    drawn = open_ogr(dataset, Request(table="entities"))
    try:
        whole = join_chunks(drawn)
    except SourceError as error:
        raise SourceError(error.message, hint="save it as DXF R2000 or later, text not binary") from error
    whole = replace(whole, frame=_spread_attributes(whole.frame))

    def read(rows: int) -> Iterator[Raw]:
        return cut_chunks(whole, rows)

    return Opened(tuple(whole.frame.columns), read, None, len(whole.frame), undecoded, list(whole.notes))


def _spread_attributes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that say what an entity is, and one for each tag of the blocks' attributes."""
    kept = frame[[name for name in _KEPT if name in frame.columns]].copy()
    if _ATTRIBUTES not in frame.columns:
        return kept
    tags: dict[str, dict[int, str]] = {}
    for at, attributes in frame[_ATTRIBUTES].dropna().items():
        for attribute in json.loads(attributes):
            tag, _, value = attribute.partition(" ")
            tags.setdefault(tag if tag not in kept.columns else f"{tag} (block)", {})[int(str(at))] = value
    for tag, values in tags.items():
        kept[tag] = pd.Series(values, dtype=object).reindex(kept.index).where(lambda cells: cells.notna(), None)
    return kept
