"""Zip files → a folder that lasts as long as they are read: nothing outside it, and no more than fits."""

import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from layers.errors import SourceError

MOST_BYTES = 8 << 30
MOST_FILES = 10_000
# A file of zeros shrinks a thousandfold; tables of a city ten- to fiftyfold.
MOST_RATIO, SMALL = 400, 64 << 20


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A temporary folder with what the zip held."""

    path: Path

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)


def unpack(path: Path) -> Unpacked:
    """Unpack a zip file; SourceError names one that is damaged, encrypted, too large or leads out of its folder."""
    folder = Path(tempfile.mkdtemp(prefix="twin-unpacked-"))
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check(path, entries)
            for entry in entries:
                target = folder / _find_place(path, entry.filename)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, target.open("wb") as made:
                    shutil.copyfileobj(source, made, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise SourceError(f"{path} is not a whole zip file: {' '.join(str(error).split())}") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Unpacked(folder)


def check_zip(path: Path) -> list[str]:
    """Return the names in a zip file that GDAL opens itself; SourceError names one that is damaged or too large."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check(path, archive.infolist())
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise SourceError(f"{path} is not a whole zip file: {' '.join(str(error).split())}") from error


def _check(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    total, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if len(entries) > MOST_FILES:
        raise SourceError(f"{path} holds {len(entries)} files, at most {MOST_FILES} are unpacked")
    if total > MOST_BYTES or (total > SMALL and total > MOST_RATIO * max(packed, 1)):
        raise SourceError(f"{path} would unpack to {total >> 20} MiB from {packed >> 10} KiB, more than is unpacked")


def _find_place(path: Path, name: str) -> PurePosixPath:
    place = PurePosixPath(name.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or ":" in name or "\x00" in name:
        raise SourceError(f"{path}: '{name[:80]}' in it leads out of its folder")
    return place
