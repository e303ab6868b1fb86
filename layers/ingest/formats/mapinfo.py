"""MapInfo TAB and MIF/MID → rows; files of a Western or neutral charset give their text byte for byte."""

import re
import shutil
import tempfile
from pathlib import Path

import numpy as np

from layers.errors import SourceError
from layers.ingest.formats.gdal import check_content
from layers.ingest.formats.ogr import Dataset, open_ogr
from layers.ingest.formats.request import Request
from layers.ingest.raw import Opened

TAB, MIF = "MapInfo TAB", "MapInfo MIF"
_BEGINS = {TAB: re.compile(rb"(?i)^\s*!table"), MIF: re.compile(rb"(?i)^\s*version\s+\d+")}
_CHARSET = re.compile(rb'(?im)^(\s*!?charset\s+"?|\s*type\s+\w+\s+charset\s+")([\w-]+)')
_ELSEWHERE = re.compile(rb"(?im)^\s*(?:create\s+view|open\s+table)|\\IsSeamless|^\s*type\s+\"?(?!native|dbf)\w+")
# Written wherever MapInfo runs on a machine of Western language, so it tells nothing of Vietnamese fonts.
_SILENT = frozenset({b"neutral", b"windowslatin1", b"iso8859_1"})


def open_tab(path: Path, request: Request) -> Opened:
    """Open a MapInfo table of its own data; SourceError for a view, a seamless table or a raster."""
    return _open(path, TAB, request)


def open_mif(path: Path, request: Request) -> Opened:
    """Open a MapInfo interchange file and the .mid beside it."""
    return _open(path, MIF, request)


def _open(path: Path, kind: str, request: Request) -> Opened:
    check_content(path, kind, _BEGINS[kind])
    with path.open("rb") as opened:
        head = opened.read(1 << 16)
    if kind == TAB and (other := _ELSEWHERE.search(head)):
        words = " ".join(other.group().decode("latin-1").split())
        raise SourceError(f"{path} is a table that stands on others ('{words}')", hint="load those, or save it as one")
    rows = _count_rows(path) if kind == TAB else None
    charsets = {found.group(2).lower() for found in _CHARSET.finditer(head)}
    if charsets - _SILENT and request.encoding is None:
        return _check_count(open_ogr(Dataset(path, str(path.resolve()), kind), request), rows, path)
    if charsets <= {b"neutral"}:
        return _check_count(open_ogr(Dataset(path, str(path.resolve()), kind, undecoded=True), request), rows, path)
    folder = Path(tempfile.mkdtemp(prefix="twin-neutral-"))
    try:
        copy = _make_neutral(path, folder)
        read = _check_count(open_ogr(Dataset(path, str(copy), kind, undecoded=True), request), rows, path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    read.closing.callback(shutil.rmtree, folder, ignore_errors=True)
    return read


def _count_rows(path: Path) -> int | None:
    """Return how many rows the .dat beside a table holds that are not deleted, None where there is none.

    It is laid out as a DBF: count, length of header and of a row at bytes 4, 8 and 10; deleted rows begin with a star.
    """
    beside = next((one for one in path.parent.glob(f"{path.stem}.*") if one.suffix.lower() == ".dat"), None)
    if beside is None:
        return None
    content = np.memmap(beside, dtype=np.uint8, mode="r") if beside.stat().st_size else np.zeros(0, dtype=np.uint8)
    head = content[:12].tobytes()
    count, start, width = (int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12)))
    if width == 0 or len(content) < start + count * width:
        raise SourceError(f"{beside} breaks off: it has {len(content)} of {start + count * width} bytes")
    return int((content[start : start + count * width : width] != ord("*")).sum())


def _check_count(opened: Opened, rows: int | None, path: Path) -> Opened:
    """Raise SourceError where GDAL finds fewer rows than the table has, as when its map breaks off."""
    if rows is not None and opened.count != rows:
        raise SourceError(f"{path} breaks off: {opened.count} of {rows} rows can be read")
    return opened


def _make_neutral(path: Path, folder: Path) -> Path:
    """Return a copy whose charset is neutral, so that GDAL leaves the bytes alone; its other files are linked."""
    for other in path.parent.iterdir():
        if other.stem.lower() == path.stem.lower() and other.name != path.name:
            (folder / other.name).symlink_to(other.resolve())
    copy = folder / path.name
    with path.open("rb") as source, copy.open("wb") as made:
        made.write(_CHARSET.sub(rb"\1Neutral", source.read(1 << 16)))
        shutil.copyfileobj(source, made, 1 << 20)
    return copy
