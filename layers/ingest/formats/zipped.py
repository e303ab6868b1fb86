"""Zip files → the rows of the one file in them that is data."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from layers.errors import SourceError
from layers.ingest.formats.ogr import choose_table
from layers.ingest.formats.request import Request
from layers.ingest.formats.zips import unpack
from layers.ingest.raw import Opened, Raw

KIND = "zip"
_GTFS = {"stops.txt", "routes.txt", "trips.txt"}


def open_zip(path: Path, request: Request, openers: Mapping[str, Callable[[Path, Request], Opened]]) -> Opened:
    """Open the file of the first of the endings in ``openers`` that a zip holds, at any depth.

    Where there are several of it, ``table`` chooses one by its name; of a single file it chooses a table.
    """
    folder = unpack(path)
    try:
        ending, found = _find_data(path, folder.path, tuple(openers))
        if len(found) > 1:
            inner, request = found[choose_table(path, list(found), request.table)], replace(request, table=None)
        else:
            (name, inner), *_ = found.items()
            request = replace(request, table=None) if request.table == name else request
        with _naming(path, inner):
            opened = openers[ending](inner, request)
    except BaseException:
        folder.close()
        raise
    chunks = opened.chunks

    def read(rows: int) -> Iterator[Raw]:
        with _naming(path, inner):
            yield from chunks(rows)

    opened.chunks = read
    opened.closing.callback(folder.close)
    return opened


def _find_data(path: Path, folder: Path, endings: tuple[str, ...]) -> tuple[str, dict[str, Path]]:
    """Return the ending and the files that have it by name; SourceError where no file can be read."""
    # macOS puts a shadow of every file into this folder.
    held = sorted(one for one in folder.rglob("*") if "__MACOSX" not in one.parts)
    for ending in endings:
        found = {one.name[: -len(ending)]: one for one in held if one.name.lower().endswith(ending)}
        if found:
            return ending, found
    if _GTFS.issubset(one.name.lower() for one in held):
        raise SourceError(f"{path} is a GTFS timetable, which is not read yet", hint="load its stops.txt, named .csv")
    names = ", ".join(one.name for one in held[:8] if one.is_file())
    raise SourceError(
        f"{path} holds no file that can be read, expected one of {', '.join(endings)}", hint=names or None
    )


@contextmanager
def _naming(path: Path, inner: Path) -> Iterator[None]:
    """Let errors name the zip and not the folder it was unpacked to."""
    try:
        yield
    except SourceError as error:
        raise SourceError(error.message.replace(str(inner), f"{path}: {inner.name}"), hint=error.hint) from error
