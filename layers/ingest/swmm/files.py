"""The files that a SWMM input file names: which it reads, which it writes, and their names without a folder."""

from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from layers.errors import TooLargeError
from layers.ingest.swmm.document import Inp, Row

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes of a named file at most."""

MOST_FILES = 200


class NamedFile(NamedTuple):
    """A file named at ``position`` of the ``nth`` row of an object; ``is_read``: SWMM reads it, else it writes it."""

    section: str
    object: str
    nth: int
    position: int
    name: str
    is_read: bool

    @property
    def plain(self) -> str:
        """Its name without the folder, whichever system wrote it."""
        return PureWindowsPath(self.name).name.strip(".") and PureWindowsPath(self.name).name


def list_files(document: Inp) -> list[NamedFile]:
    """Return the files that a document names; those of a backdrop, which SWMM never opens, are not among them."""
    found = []
    for section in ("RAINGAGES", "TIMESERIES", "FILES", "TEMPERATURE", "LID_USAGE"):
        seen: dict[str, int] = {}
        for row in document.rows(section):
            nth = seen.get(row.words[0].upper(), 0)
            seen[row.words[0].upper()] = nth + 1
            for position, is_read in _find_names(section, row):
                found.append(NamedFile(section, row.words[0], nth, position, row.words[position], is_read))
    return found


def _find_names(section: str, row: Row) -> Iterator[tuple[int, bool]]:
    words = [word.upper() for word in row.words]
    match section:
        case "RAINGAGES" if len(words) > 5 and words[4] == "FILE":
            yield 5, True
        case "TIMESERIES" if len(words) > 2 and words[1] == "FILE":
            yield 2, True
        case "TEMPERATURE" if len(words) > 1 and words[0] == "FILE":
            yield 1, True
        case "FILES" if len(words) > 2:
            yield 2, words[0] == "USE"
        case "LID_USAGE" if len(words) > 8 and words[8] not in ("", "*"):
            yield 8, False


def confine_files(document: Inp) -> Inp:
    """Return the document with all files in the folder it is run in, so that it reads and writes nowhere else.

    Its TEMPDIR goes, and so do the rows of [FILES] that name none.
    """
    confined = document.copy()
    for file in list_files(document):
        confined.replace(file.section, file.object, {file.position: file.plain or "unnamed"}, nth=file.nth)
    confined.remove("OPTIONS", "TEMPDIR")
    return confined


def read_beside(document: Inp, folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Return the files that the document reads, by plain name, as they lie in ``folder``, and the names of absent ones.

    Nothing outside the folder is opened. Raise TooLargeError for a file above ``LARGEST_FILE`` or too many.
    """
    names = list(dict.fromkeys(file.plain for file in list_files(document) if file.is_read))
    if len(names) > MOST_FILES:
        raise TooLargeError(f"the model reads {len(names)} files, expected at most {MOST_FILES}")
    found, absent = {}, []
    for name in names:
        path = folder / name
        if not name or not path.is_file() or path.resolve().parent != folder.resolve():
            absent.append(name)
            continue
        if path.stat().st_size > LARGEST_FILE:
            raise TooLargeError(f"{name} has {path.stat().st_size:,} bytes, expected at most {LARGEST_FILE:,}")
        found[name] = path.read_bytes()
    return found, absent
