"""Where the bytes of an archive come from: a file of this machine, or an object in a bucket."""

import os
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from layers.errors import NotFoundError
from layers.store.objects import Stat, list_objects, read_range, stat_object

SUFFIX = ".pmtiles"
BELIEVED_S = 5
"""How long it is believed that an object was not written anew: asking costs as much as a tile."""


class ArchiveFile(Protocol):
    """An archive that can be read in ranges; ``edition`` changes with each writing."""

    @property
    def name(self) -> str:
        """Its name, without the ending."""

    @property
    def size(self) -> int:
        """Its length [byte]."""

    @property
    def edition(self) -> str:
        """A mark of this writing of it."""

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer at the end."""


@dataclass(frozen=True, slots=True)
class LocalArchive:
    """An archive in a folder."""

    path: Path
    size: int
    edition: str

    @property
    def name(self) -> str:
        """Its name, without the ending."""
        return self.path.name.removesuffix(SUFFIX)

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer at the end; NotFoundError when it is gone or written anew."""
        try:
            with self.path.open("rb") as file:
                if _mark(os.fstat(file.fileno())) != self.edition:
                    raise NotFoundError(f"archive '{self.name}' was written anew meanwhile", hint="ask again")
                return os.pread(file.fileno(), min(length, self.size), offset)
        except OSError as error:
            raise NotFoundError(f"archive '{self.name}' cannot be read") from error


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """An archive in a bucket."""

    url: str
    stat: Stat

    @property
    def name(self) -> str:
        """Its name, without the ending."""
        return self.url.rpartition("/")[2].removesuffix(SUFFIX)

    @property
    def size(self) -> int:
        """Its length [byte]."""
        return self.stat.size

    @property
    def edition(self) -> str:
        """The store's own mark."""
        return self.stat.etag

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer at the end."""
        return read_range(self.url, offset, min(length, self.size - offset), etag=self.stat.etag)


def open_local(path: Path) -> LocalArchive:
    """Return the archive at ``path``; NotFoundError when there is none."""
    try:
        stat = path.stat()
    except OSError as error:
        raise NotFoundError(f"archive '{path.name}' cannot be read") from error
    return LocalArchive(path, stat.st_size, _mark(stat))


def open_stored(url: str) -> StoredArchive:
    """Return the archive at ``url``; NotFoundError when there is none."""
    return StoredArchive(url, _stat(url, int(time.monotonic()) // BELIEVED_S))


def find_archive(folder: Path, object_store: str | None, name: str) -> LocalArchive | StoredArchive:
    """Return the archive called ``name``, of the folder before that of the bucket; NotFoundError when there is none."""
    path = folder / f"{name}{SUFFIX}"
    if path.is_file() or object_store is None:
        return open_local(path)
    return open_stored(f"{name_archives(object_store)}/{name}{SUFFIX}")


def list_files(folder: Path, object_store: str | None) -> list[ArchiveFile]:
    """Return all archives by name, those of the folder hiding those of the bucket."""
    found: dict[str, ArchiveFile] = {}
    if object_store is not None:
        where = name_archives(object_store)
        for name in list_objects(where):
            if name.endswith(SUFFIX) and "/" not in name:
                one = open_stored(f"{where}/{name}")
                found[one.name] = one
    for path in folder.glob(f"*{SUFFIX}"):
        local = open_local(path)
        found[local.name] = local
    return [found[name] for name in sorted(found)]


def name_archives(object_store: str) -> str:
    """Return where archives lie in a bucket."""
    return f"{object_store}/archives"


@lru_cache(maxsize=256)
def _stat(url: str, _while: int) -> Stat:
    return stat_object(url)


def _mark(stat: os.stat_result) -> str:
    return f'"{stat.st_ino:x}-{stat.st_mtime_ns:x}"'
