"""The city's files in a backup: copied once, shared by hard links as long as they stay the same."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from layers.errors import SourceError
from twin.backup.manifest import FileSum
from twin.progress import Report

FOLDERS = ("raw", "processed")
CATALOG = "catalog.yml"
_BLOCK = 1 << 20
_TRIES = 3


def list_files(data_dir: Path) -> Iterator[str]:
    """Yield the paths of the city's files below ``data_dir``; what is being written, and is hidden, is left out."""
    if (data_dir / CATALOG).is_file():
        yield CATALOG
    for top in FOLDERS:
        seen: set[str] = set()
        for place, folders, names in os.walk(data_dir / top, followlinks=True):
            # A link that leads back would never end.
            if (real := os.path.realpath(place)) in seen:
                folders.clear()
                continue
            seen.add(real)
            # Sources that were fetched are hidden too, and are kept: an address may be gone tomorrow.
            folders[:] = sorted(name for name in folders if not name.startswith(".") or top == "raw")
            for name in sorted(names):
                path = Path(place) / name
                if not name.startswith(".") and not name.endswith(".part") and path.is_file():
                    yield str(path.relative_to(data_dir))


def copy_files(
    data_dir: Path,
    target: Path,
    known: dict[str, FileSum],
    *,
    earlier: tuple[Path, Mapping[str, FileSum]] | None,
    report: Report,
) -> int:
    """Bring ``target`` to what lies below ``data_dir``, enter it into ``known`` and return the bytes copied.

    A file of ``earlier`` (its folder and its sums) that kept size and time is linked, not copied. What ``known`` holds
    already and did not change is left alone; what is gone meanwhile stays, for the database may still name it.
    """
    copied = 0
    paths = list(list_files(data_dir))
    for place, path in enumerate(paths):
        report(place / len(paths), path)
        source, kept = data_dir / path, target / path
        try:
            stat = source.stat()
        except FileNotFoundError:
            continue
        if path in known and _is_same(known[path], stat):
            continue
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.unlink(missing_ok=True)
        if earlier is not None and path in earlier[1] and _is_same(earlier[1][path], stat):
            try:
                os.link(earlier[0] / path, kept)
                known[path] = earlier[1][path]
                continue
            except OSError:
                # It is missing there, or that is another disk: a copy is as good.
                pass
        found = _copy(source, kept)
        if found is not None:
            known[path] = found
            copied += found.bytes
    return copied


def check_files(folder: Path, files: Mapping[str, FileSum], report: Report) -> None:
    """Read every file of a backup; SourceError names the first that is missing or is not what it was."""
    for place, (path, expected) in enumerate(files.items()):
        report(place / len(files), path)
        check_file(folder / path, expected.sha256)


def check_file(path: Path, sha256: str) -> None:
    """Read one file; SourceError when it is missing or is not what it was."""
    try:
        found = digest_file(path)
    except OSError as error:
        raise SourceError(
            f"{path} of the backup is missing or cannot be read: {error.strerror}", hint=_OTHER
        ) from error
    if found != sha256:
        raise SourceError(f"{path} of the backup is damaged: its SHA-256 is {found}, expected {sha256}", hint=_OTHER)


def restore_files(folder: Path, data_dir: Path, files: Mapping[str, FileSum], report: Report) -> None:
    """Copy the files of a backup below ``data_dir`` and check each by what was written."""
    for place, (path, expected) in enumerate(files.items()):
        report(place / max(len(files), 1), path)
        if ".." in PurePath(path).parts or PurePath(path).is_absolute():
            raise SourceError(f"the backup names a file outside its folder: '{path}'")
        target = data_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(folder / path, target)
        except FileNotFoundError as error:
            raise SourceError(f"{folder / path} of the backup is missing", hint=_OTHER) from error
        os.utime(target, ns=(expected.changed, expected.changed))
        check_file(target, expected.sha256)


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def measure_folder(folder: Path) -> int:
    """Return the bytes of all files below ``folder``."""
    return sum((Path(place) / name).lstat().st_size for place, _, names in os.walk(folder) for name in names)


def _is_same(known: FileSum, stat: os.stat_result) -> bool:
    return (known.bytes, known.changed) == (stat.st_size, stat.st_mtime_ns)


def _copy(source: Path, target: Path) -> FileSum | None:
    """Copy a file that others may be writing; None when it is gone meanwhile."""
    for attempt in range(_TRIES):
        digest = hashlib.sha256()
        try:
            with source.open("rb") as read, target.open("wb") as written:
                before = os.fstat(read.fileno())
                while block := read.read(_BLOCK):
                    digest.update(block)
                    written.write(block)
                after = os.fstat(read.fileno())
        except FileNotFoundError:
            target.unlink(missing_ok=True)
            return None
        # The last try takes what is there: a log that grows all the time has no other moment.
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) or attempt == _TRIES - 1:
            break
    size = target.stat().st_size
    os.utime(target, ns=(before.st_mtime_ns, before.st_mtime_ns))
    return FileSum(size, digest.hexdigest(), before.st_mtime_ns)


_OTHER = "choose another backup: twin backup list"
