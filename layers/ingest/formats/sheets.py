"""Spreadsheets (XLSX, ODS) → rows of text: the header is looked for below titles, empty rows and columns fall away."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layers.errors import SourceError
from layers.ingest.formats.csv import name_columns
from layers.ingest.formats.ogr import Dataset, open_ogr
from layers.ingest.formats.request import Request
from layers.ingest.formats.zips import check_zip
from layers.ingest.raw import Opened, Raw, cut_chunks, join_chunks

XLSX, ODS = "Excel workbook", "OpenDocument spreadsheet"
_DEEPEST = 40
# A header fills most of the columns that the table has.
_SHARE = 0.6
_NUMBER = re.compile(r"^\(?[-+]?\d[\d.,\s]*\)?$")
_DATE = re.compile(r"^(\d{4})[/-](\d\d)[/-](\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.0+)?)?$")


def open_xlsx(path: Path, request: Request) -> Opened:
    """Open a sheet of an Excel workbook (.xlsx); ``table`` is its name."""
    return _open(path, XLSX, "xl/workbook.xml", request)


def open_ods(path: Path, request: Request) -> Opened:
    """Open a sheet of an OpenDocument spreadsheet; ``table`` is its name."""
    return _open(path, ODS, "content.xml", request)


def _open(path: Path, kind: str, part: str, request: Request) -> Opened:
    if part not in check_zip(path):
        raise SourceError(f"{path} cannot be read as {kind}: it holds no {part}")
    # As open options these are forgotten for every sheet but the first.
    driver = "XLSX" if kind == XLSX else "ODS"
    config = {f"OGR_{driver}_HEADERS": "DISABLE", f"OGR_{driver}_FIELD_TYPES": "STRING"}
    with open_ogr(Dataset(path, str(path.resolve()), kind, config=config), Request(request.table)) as opened:
        cells = join_chunks(opened).frame.to_numpy(dtype=object)
    frame, notes = make_table(cells)
    if frame.empty:
        raise SourceError(f"{path} has a header but no rows")
    whole = Raw(frame, None, None)

    def read(rows: int) -> Iterator[Raw]:
        return cut_chunks(whole, rows)

    return Opened(tuple(map(str, frame.columns)), read, None, len(frame), notes=notes)


def make_table(cells: "np.ndarray[Any, np.dtype[np.object_]]") -> tuple[pd.DataFrame, list[str]]:
    """Return the table in a sheet and what was left out of it.

    The header is the first row that fills most columns with words; a row below it that only counts its columns is
    none of the data.
    """
    cells = np.vectorize(_clean_cell, otypes=[object])(cells)
    filled = cells != ""
    header = _find_header(cells, filled)
    notes = [f"the header is row {header + 1} of the sheet; what stands above is left out"] if header else []
    data, names = cells[header + 1 :], [str(cell) for cell in cells[header]]
    if len(data) and _counts_columns(data[0], below_titles=header > 0):
        data = data[1:]
        notes.append("the row that counts the columns is left out")
    data = data[(data != "").any(axis=1)]
    used = (data != "").any(axis=0) | np.array([name != "" for name in names], dtype=bool)
    titles = [name for name, keep in zip(name_columns(names), used, strict=True) if keep]
    data[data == ""] = None
    frame = pd.DataFrame(data[:, used], columns=titles, dtype=object)
    return frame, notes


def _clean_cell(cell: object) -> str:
    """Return a cell as text without surrounding blanks, dates as ISO."""
    text = "" if cell is None or cell != cell else str(cell).strip()
    found = _DATE.match(text)
    if found is None:
        return text
    year, month, day, clock = found.groups()
    return f"{year}-{month}-{day}" if clock in (None, "00:00:00") else f"{year}-{month}-{day}T{clock}"


def _find_header(cells: Any, filled: Any) -> int:
    counts = filled.sum(axis=1)
    usual = float(np.median(counts[counts > 0])) if (counts > 0).any() else 0.0
    for at in range(min(_DEEPEST, len(cells))):
        words = [cell for cell in cells[at] if cell != ""]
        if words and len(words) >= _SHARE * usual and not any(_NUMBER.match(word) for word in words):
            return at
    return 0


def _counts_columns(row: Sequence[str], *, below_titles: bool) -> bool:
    """Return whether a row reads 1, 2, 3 … as official forms have it below their header, or (1), (2), (3) …"""
    cells = [cell for cell in row if cell != ""]
    plain = [str(at + 1) for at in range(len(cells))]
    return len(cells) > 1 and ((below_titles and cells == plain) or cells == [f"({number})" for number in plain])
