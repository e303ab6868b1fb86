"""Comma-, semicolon- or tab-separated text → rows of text, streamed."""

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from layers.errors import SourceError
from layers.ingest.formats.request import Request
from layers.ingest.formats.zips import MOST_BYTES, MOST_RATIO, SMALL
from layers.ingest.raw import Opened, Raw

KIND = "CSV"
LONGEST_CELL = 16_000_000
_DELIMITERS = ",;\t|"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BLOCK = 1 << 20
# No line of a file is this one; where it does not come back as a row, a quotation mark was never closed.
_END = "\x00end of file\x00"


def open_csv(path: Path, request: Request) -> Opened:
    """Open a CSV file, gzipped or not; every cell comes as text.

    The delimiter is the most frequent of comma, semicolon, tab and bar in the header. Text that is not Unicode comes
    one character a byte. A row with more cells than the header is kept with its reason. SourceError names a file
    without header or rows, or one that is no text.
    """
    csv.field_size_limit(LONGEST_CELL)
    if _is_packed(path):
        _check_packed(path)
    encoding = _find_encoding(path)
    undecoded = encoding == "latin-1"
    if request.encoding is not None and encoding == "utf-8":
        encoding, undecoded = "latin-1", True
    delimiter, header = _read_header(path, encoding)
    notes: list[str] = []

    def read(rows: int) -> Iterator[Raw]:
        first = 0
        with _open_text(path, encoding) as lines:
            reader = csv.reader(_end(lines), delimiter=delimiter)
            next(reader)
            while block := _take(reader, rows, path):
                yield _make_chunk(block, header, first, notes)
                first += len(block)
        if first == 0:
            raise SourceError(f"{path} has a header but no rows")

    return Opened(tuple(header), read, undecoded=undecoded, notes=notes)


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _check_packed(path: Path) -> None:
    """Raise SourceError for a file that unpacks to more than its size is likely to hold."""
    most = min(MOST_BYTES, max(SMALL, MOST_RATIO * path.stat().st_size))
    try:
        with gzip.open(path) as opened:
            done = 0
            while block := opened.read(_BLOCK):
                done += len(block)
                if done > most:
                    raise SourceError(f"{path} unpacks to more than {most >> 20} MiB, which is more than is unpacked")
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path} is not a CSV table: {' '.join(str(error).split())}") from error


def _open_text(path: Path, encoding: str) -> IO[str]:
    if _is_packed(path):
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _find_encoding(path: Path) -> str:
    """Return the Unicode encoding the whole file has, latin-1 where it has none."""
    with gzip.open(path) if _is_packed(path) else path.open("rb") as opened:
        try:
            block = opened.read(_BLOCK)
            for mark, name in _MARKS:
                if block.startswith(mark):
                    return name
            if b"\x00" in block:
                raise SourceError(f"{path} is not a CSV table: it holds binary zeros")
            decoder = codecs.getincrementaldecoder("utf-8")()
            while block:
                decoder.decode(block)
                block = opened.read(_BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{path} is not a CSV table: {' '.join(str(error).split())}") from error
    return "utf-8"


def _read_header(path: Path, encoding: str) -> tuple[str, list[str]]:
    """Return the delimiter and the names of the columns; empty and doubled names are told apart by a number."""
    with _open_text(path, encoding) as lines:
        first = next(lines, "")
        delimiter = max(_DELIMITERS, key=first.count)
    with _open_text(path, encoding) as lines:
        try:
            names = next(csv.reader(_end(lines), delimiter=delimiter))
        except (csv.Error, UnicodeError) as error:
            raise SourceError(f"{path} is not a CSV table: {error}") from error
    if names and _END in names[-1]:
        raise SourceError(f"{path} is not a CSV table: a quotation mark in line 1 is never closed")
    return delimiter, name_columns(names)


def name_columns(names: list[str]) -> list[str]:
    """Return unique names: a second ``a`` becomes ``a.1``, an empty one ``column 3`` (its place)."""
    taken: set[str] = set()
    made = []
    for position, name in enumerate(names):
        plain = name.strip() or f"column {position + 1}"
        number, unique = 0, plain
        while unique in taken:
            number += 1
            unique = f"{plain}.{number}"
        taken.add(unique)
        made.append(unique)
    return made


def _end(lines: IO[str]) -> Iterator[str]:
    last = "\n"
    for last in lines:
        yield last
    if not last.endswith(("\n", "\r")):
        yield "\n"
    yield _END


def _take(reader: "csv._reader", rows: int, path: Path) -> list[list[str]]:  # type: ignore[name-defined]
    """Return the next rows that hold anything; SourceError where the text ends inside quotation marks."""
    block: list[list[str]] = []
    try:
        while len(block) < rows:
            found = [row for row in islice(reader, rows - len(block)) if row]
            if not found:
                return block
            if found[-1] and _END in found[-1][-1]:
                if found[-1] != [_END]:
                    line = reader.line_num - found[-1][-1].count("\n")
                    raise SourceError(f"{path} breaks off: a quotation mark in line {line} is never closed")
                return block + found[:-1]
            block += found
    except (csv.Error, UnicodeError, OSError, EOFError, zlib.error) as error:
        words = " ".join(str(error).split())
        raise SourceError(f"{path} is not a CSV table: line {reader.line_num}: {words}") from error
    return block


def _make_chunk(block: list[list[str]], header: list[str], first: int, notes: list[str]) -> Raw:
    """Return rows as columns; missing cells at the end of a row are null, cells beyond the header its reason."""
    width = len(header)
    lengths = np.fromiter(map(len, block), dtype=np.int64, count=len(block))
    reasons = None
    if (lengths != width).any():
        reasons = pd.Series(None, index=pd.RangeIndex(len(block)), dtype=object)
        for at in np.flatnonzero(lengths != width).tolist():
            row = block[at]
            if any(cell.strip() for cell in row[width:]):
                reasons[at] = f"{len(row)} cells where the header has {width}"
            block[at] = [*row[:width], *[""] * (width - len(row))]
        words = "rows with fewer cells than the header: their last columns are empty"
        if (lengths < width).any() and words not in notes:
            notes.append(words)
    columns = zip(*block, strict=True)
    frame = pd.DataFrame(
        {name: pd.Series(cells, dtype=object) for name, cells in zip(header, columns, strict=True)}, dtype=object
    )
    return Raw(frame, None, None, reasons, first_row=first)
