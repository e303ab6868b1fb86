"""Read a GTFS feed from a zip or a folder into columns; what is wrong with its files becomes a notice."""

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from layers.errors import SourceError, TooLargeError
from twin.transit.feed import Feed, FeedTable
from twin.transit.notices import Notices
from twin.transit.tables import KEPT, TABLES

MOST_BYTES = 4 << 30
MOST_FILES = 200
MOST_RATIO = 200
MOST_COLUMNS = 200
_SLACK = 64 << 20
_BOM = b"\xef\xbb\xbf"


def read_feed(path: Path) -> Feed:
    """Return the feed of a zip file or a folder.

    Raises SourceError where it is neither or holds no file of GTFS, TooLargeError beyond ``MOST_BYTES`` unpacked.
    """
    if not path.exists():
        raise SourceError(f"{path} does not exist", hint="give a GTFS zip file or a folder of .txt files")
    return build_feed(dict(_walk_folder(path) if path.is_dir() else _walk_zip(path)), path.name)


def build_feed(files: dict[str, bytes], name: str) -> Feed:
    """Return the feed of files by name; SourceError where none is a file of GTFS."""
    notices = Notices()
    tables, others = {}, {}
    for filename, content in sorted(files.items()):
        stem = filename.removesuffix(".txt")
        if filename.endswith(".txt") and (stem in TABLES or stem in KEPT):
            table = _read_table(filename, content, notices)
            if table is not None:
                tables[stem] = table
            continue
        others[filename] = content
        if not filename.endswith(".geojson"):
            notices.add("unknown_file", [{"filename": filename}])
    if not tables:
        raise SourceError(f"{name} holds no file of GTFS", hint="stops.txt, trips.txt … lie at the top of the zip")
    return Feed(tables, others, notices)


def _walk_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    files = sorted(one for one in path.iterdir() if one.is_file() and one.suffix in (".txt", ".geojson"))
    if len(files) > MOST_FILES or sum(one.stat().st_size for one in files) > MOST_BYTES:
        raise TooLargeError(f"{path} holds more than {MOST_FILES} files or {MOST_BYTES >> 30} GiB")
    for one in files:
        yield one.name, one.read_bytes()


def _walk_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir() and not _is_litter(one.filename)]
            size = sum(one.file_size for one in members)
            most = min(MOST_BYTES, path.stat().st_size * MOST_RATIO + _SLACK)
            if len(members) > MOST_FILES or size > most:
                raise TooLargeError(
                    f"{path.name} unpacks to {size >> 20} MiB in {len(members)} files, "
                    f"at most {most >> 20} MiB in {MOST_FILES} are read"
                )
            top = _find_top([one.filename for one in members])
            for member in members:
                if member.filename.startswith(top) and "/" not in member.filename[len(top) :]:
                    yield member.filename[len(top) :], archive.read(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise SourceError(f"{path.name} is not a zip file that can be read: {error}") from error


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith(".")


def _find_top(names: list[str]) -> str:
    """Return the folder of the zip that holds the feed: many are packed with the folder they lay in."""
    found = [name.removesuffix("stops.txt") for name in names if name == "stops.txt" or name.endswith("/stops.txt")]
    return min(found, key=len) if found else ""


def _read_table(filename: str, content: bytes, notices: Notices) -> FeedTable | None:
    content = content.removeprefix(_BOM).strip(b"\r\n")
    if not content.strip():
        notices.add("empty_file", [{"filename": filename}])
        return None
    try:
        content.decode()
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        notices.add("invalid_character", [{"filename": filename, "csvRowNumber": row}])
        content = content.decode("utf-8", "replace").encode()
    head, _, _ = content.partition(b"\n")
    names = _read_header(filename, head.rstrip(b"\r").decode(), notices)
    if names is None:
        return None
    return _read_rows(filename, content, names, notices)


def _read_header(filename: str, line: str, notices: Notices) -> list[str] | None:
    header = next(csv.reader([line]), [])
    if len(header) > MOST_COLUMNS:
        notices.add("csv_parsing_failed", [{"filename": filename, "message": f"{len(header)} columns"}])
        return None
    names: list[str] = []
    for position, raw in enumerate(header):
        name = raw.strip()
        place = {"filename": filename, "csvRowNumber": 1, "fieldName": name}
        if name != raw:
            notices.add("leading_or_trailing_whitespaces", [{**place, "fieldValue": raw}])
        if not name:
            notices.add("empty_column_name", [{"filename": filename, "index": position}])
            name = f"column_{position + 1}"
        if name in names:
            notices.add("duplicated_column", [place])
            name = f"{name}_{position + 1}"
        names.append(name)
    return names


def _read_rows(filename: str, content: bytes, names: list[str], notices: Notices) -> FeedTable | None:
    wrong: list[int] = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        wrong.append(row.number)
        place = {"filename": filename, "csvRowNumber": row.number}
        if row.text.strip():
            notices.add("invalid_row_length", [{**place, "rowLength": row.actual_columns, "headerCount": len(names)}])
        else:
            notices.add("empty_row", [place])
        return "skip"

    try:
        data = pyarrow.csv.read_csv(
            io.BytesIO(content),
            # Rows are numbered only where one thread reads them.
            pyarrow.csv.ReadOptions(use_threads=False, column_names=names, skip_rows=1, block_size=1 << 24),
            pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            notices.add("csv_parsing_failed", [{"filename": filename, "message": str(error)[:200]}])
            return None
        data = pa.table({name: pa.array([], pa.string()) for name in names})
    skipped = set(wrong)
    lines = np.arange(2, data.num_rows + len(skipped) + 2, dtype=np.int64)
    rows = lines[~np.isin(lines, list(skipped))] if skipped else lines
    return _trim(filename, FeedTable(data, rows), notices)


def _trim(filename: str, table: FeedTable, notices: Notices) -> FeedTable:
    columns = {}
    for name in table.names:
        column = table.column(name)
        trimmed = pc.utf8_trim_whitespace(column)
        changed = np.asarray(pc.not_equal(column, trimmed), dtype=np.bool_)
        if changed.any():
            where = np.flatnonzero(changed)
            notices.add(
                "leading_or_trailing_whitespaces",
                (
                    {"filename": filename, "csvRowNumber": int(table.rows[at]), "fieldName": name,
                     "fieldValue": column[int(at)].as_py()}
                    for at in where[:50]
                ),
                count=int(where.size),
            )  # fmt: skip
        columns[name] = trimmed
    return FeedTable(pa.table(columns), table.rows)
