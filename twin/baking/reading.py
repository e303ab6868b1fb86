"""Single tiles out of archives; the directories of those last read stay in memory."""

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pmtiles.tile import (
    Compression,
    Entry,
    TileType,
    deserialize_directory,
    deserialize_header,
    find_tile,
    zxy_to_tileid,
)

from layers.errors import InputError, NotFoundError
from layers.store.tiles import TileAddress

_HEADER = 127
# The standard allows a root and three levels of leaves.
_DEEPEST = 4
_ARCHIVES, _DIRECTORIES = 8, 64
_find_entry: Callable[[list[Entry], int], Entry | None] = find_tile


class _Edition(NamedTuple):
    """One writing of an archive: the next one has another inode or time."""

    path: str
    inode: int
    written_ns: int


class _Index:
    """Header and directories of one edition, read when they are first needed."""

    def __init__(self) -> None:
        self._header: dict[str, Any] | None = None
        self._directories: dict[int, list[Entry]] = {}

    def read_header(self, file: BinaryIO) -> dict[str, Any]:
        if self._header is None:
            self._header = dict(deserialize_header(_read(file, _HEADER, 0)))
        return self._header

    def read_directory(self, file: BinaryIO, offset: int, length: int) -> list[Entry]:
        found = self._directories.get(offset)
        if found is None:
            found = deserialize_directory(_read(file, length, offset))
            if len(self._directories) >= _DIRECTORIES:
                self._directories.clear()
            self._directories[offset] = found
        return found


@lru_cache(maxsize=_ARCHIVES)
def _remember(edition: _Edition) -> _Index:
    return _Index()


def read_baked_tile(path: Path, tile: TileAddress) -> bytes | None:
    """Return a vector tile of the archive at ``path`` in gzip, as it lies there, or None where it has none.

    NotFoundError when there is no such file, InputError when it holds other tiles or is no archive.
    """
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            index = _remember(_Edition(str(path), stat.st_ino, stat.st_mtime_ns))
            return _find(index, file, tile)
    except OSError as error:
        raise NotFoundError(f"archive '{path.stem}' cannot be read") from error
    except InputError:
        raise
    # What is cut off or no archive fails in whichever way its bytes lead to.
    except Exception as error:
        raise InputError(f"'{path.name}' is not a PMTiles archive of version 3", hint="make one: twin bake") from error


def _find(index: _Index, file: BinaryIO, tile: TileAddress) -> bytes | None:
    header = index.read_header(file)
    if (header["tile_type"], header["tile_compression"]) != (TileType.MVT, Compression.GZIP):
        raise InputError("the archive does not hold vector tiles in gzip", hint="read the file in ranges")
    wanted = zxy_to_tileid(tile.z, tile.x, tile.y)
    offset, length = header["root_offset"], header["root_length"]
    for _ in range(_DEEPEST):
        entry = _find_entry(index.read_directory(file, offset, length), wanted)
        if entry is None:
            return None
        if entry.run_length:
            return _read(file, entry.length, header["tile_data_offset"] + entry.offset)
        offset, length = header["leaf_directory_offset"] + entry.offset, entry.length
    raise InputError("the archive's directories are deeper than the standard allows")


def _read(file: BinaryIO, length: int, offset: int) -> bytes:
    found = os.pread(file.fileno(), length, offset)
    if len(found) < length:
        raise InputError(f"archive '{Path(file.name).name}' ends {length - len(found)} bytes early")
    return found
