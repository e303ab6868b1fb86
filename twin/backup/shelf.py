"""The folder of backups: one folder each, named by its time; what is not finished is never called so."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from layers.errors import ConflictError, NotFoundError, SourceError
from layers.store.wal_archive import remove_before
from twin.backup.manifest import NAME, Backup, read_manifest

_PART, _OLD = ".part-", ".old-"


@dataclass(frozen=True, slots=True)
class Listed:
    """A backup on the shelf; ``damaged`` says what is wrong with the manifest of one that has none to show."""

    name: str
    folder: Path
    backup: Backup | None
    damaged: str | None = None


def list_backups(shelf: Path) -> list[Listed]:
    """Return the backups of a folder, oldest first; of a damaged one only what is wrong."""
    found = []
    for folder in _list_folders(shelf):
        try:
            found.append(Listed(folder.name, folder, read_manifest(folder)))
        except SourceError as error:
            found.append(Listed(folder.name, folder, None, error.message))
    return found


def find_newest(shelf: Path) -> tuple[Path, Backup] | None:
    """Return folder and manifest of the newest whole backup; the others are not read."""
    for folder in reversed(_list_folders(shelf)):
        try:
            return folder, read_manifest(folder)
        except SourceError:
            continue
    return None


def find_backup(shelf: Path, name: str) -> tuple[Path, Backup]:
    """Return folder and manifest of a backup by its name, its path, or the word ``latest``.

    NotFoundError when there is none, SourceError when its manifest is damaged.
    """
    if name == "latest":
        newest = find_newest(shelf)
        if newest is None:
            raise NotFoundError(f"there is no backup in {shelf}", hint="type: twin backup")
        return newest
    # A bare name is looked up on the shelf, not in the folder one happens to stand in.
    folder = Path(name) if "/" in name else shelf / name
    if not folder.is_dir():
        raise NotFoundError(f"there is no backup '{name}' in {shelf}", hint="type: twin backup list")
    return folder, read_manifest(folder)


@contextmanager
def hold_shelf(shelf: Path) -> Iterator[None]:
    """Keep a second backup out of ``shelf`` and remove what killed ones left; ConflictError when one is under way."""
    shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (shelf / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConflictError(f"another backup into {shelf} is under way", hint="wait until it is over") from error
        for leftover in (*shelf.glob(f"{_PART}*"), *shelf.glob(f"{_OLD}*")):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


@contextmanager
def make_part(shelf: Path, name: str) -> Iterator[Path]:
    """Yield a folder that becomes the backup ``name`` when all went well, and nothing otherwise."""
    part = shelf / f"{_PART}{name}"
    part.mkdir(mode=0o700)
    try:
        yield part
        _sync_tree(part)
        part.rename(shelf / name)
        _sync(shelf)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def remove_old(shelf: Path, keep: int) -> list[str]:
    """Remove all but the newest ``keep`` whole backups, and the log that only they needed; return their names.

    Damaged ones do not count and stay, for who wants to look at them.
    """
    whole = [one for one in list_backups(shelf) if one.backup is not None]
    kept, gone = whole[-keep:], whole[:-keep]
    for one in gone:
        aside = shelf / f"{_OLD}{one.name}"
        one.folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    firsts: dict[Path, str] = {}
    for one in kept:
        if (backup := one.backup) is not None and backup.wal_archive and backup.first_segment:
            first = firsts.setdefault(Path(backup.wal_archive), backup.first_segment)
            firsts[Path(backup.wal_archive)] = min(first, backup.first_segment, key=lambda segment: segment[8:])
    for archive, segment in firsts.items():
        if archive.is_dir():
            remove_before(archive, segment)
    return [one.name for one in gone]


def _list_folders(shelf: Path) -> list[Path]:
    """Return the folders of backups, oldest first; one in the making is hidden."""
    return sorted(path.parent for path in shelf.glob(f"[!.]*/{NAME}"))


def _sync_tree(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in names:
            _sync(Path(place) / name)
        _sync(Path(place))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
