"""Single tiles out of archives; the directories of those last read stay in memory."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from pmtiles.tile import (
    Compression,
    Entry,
    TileType,
    deserialize_directory,
    deserialize_header,
    find_tile,
    zxy_to_tileid,
)

from layers.errors import InputError, TwinError
from layers.store.tiles import TileAddress
from twin.baking.files import ArchiveFile

_HEADER = 127
# The standard allows a root and three levels of leaves.
_DEEPEST = 4
_ARCHIVES, _DIRECTORIES = 8, 64
_find_entry: Callable[[list[Entry], int], Entry | None] = find_tile


class _Edition(NamedTuple):
    """One writing of an archive."""

    name: str
    mark: str


class _Index:
    """Header and directories of one edition, read when they are first needed."""

    def __init__(self) -> None:
        self._header: dict[str, Any] | None = None
        self._directories: dict[int, list[Entry]] = {}

    def read_header(self, file: ArchiveFile) -> dict[str, Any]:
        if self._header is None:
            self._header = dict(deserialize_header(_read(file, _HEADER, 0)))
        return self._header

    def read_directory(self, file: ArchiveFile, offset: int, length: int) -> list[Entry]:
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


def read_baked_tile(file: ArchiveFile, tile: TileAddress) -> bytes | None:
    """Return a vector tile of an archive in gzip, as it lies there, or None where it has none.

    InputError when it holds other tiles or is no archive.
    """
    try:
        return _find(_remember(_Edition(file.name, file.edition)), file, tile)
    except TwinError:
        raise
    # What is cut off or no archive fails in whichever way its bytes lead to.
    except Exception as error:
        raise InputError(f"'{file.name}' is not a PMTiles archive of version 3", hint="make one: twin bake") from error


def _find(index: _Index, file: ArchiveFile, tile: TileAddress) -> bytes | None:
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


def _read(file: ArchiveFile, length: int, offset: int) -> bytes:
    found = file.read(offset, length)
    if len(found) < length:
        raise InputError(f"archive '{file.name}' ends {length - len(found)} bytes early")
    return found
