"""PMTiles archives: one file written whole, and what a written one says of itself.

PMTiles specification, version 3: a header of 127 bytes, directories, metadata as JSON, tiles along the Hilbert curve.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pmtiles.reader import Reader
from pmtiles.tile import Compression, TileType
from pmtiles.writer import Writer

from layers.errors import InputError, NotFoundError, TwinError
from layers.store.mercator import Bounds
from twin.baking.files import ArchiveFile

# What the header counts places in [°].
_PLACE = 10_000_000


class TileWriter(Protocol):
    """What writes an archive: tiles in rising order of their ids, and at the end header and metadata."""

    def write_tile(self, tileid: int, data: bytes) -> None:
        """Add a tile, compressed."""

    def finalize(self, header: dict[str, Any], metadata: Mapping[str, Any]) -> None:
        """Write all of it."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive says of itself; ``bounds`` in degrees, ``metadata`` as the writer left it."""

    name: str
    size: int
    min_zoom: int
    max_zoom: int
    tiles: int
    bounds: Bounds
    metadata: Mapping[str, Any]


_open_writer: Callable[[BinaryIO], TileWriter] = Writer
_open_reader: Callable[[Callable[[int, int], bytes]], Any] = Reader


@contextmanager
def write_archive(path: Path) -> Iterator[TileWriter]:
    """Yield a writer whose archive appears at ``path`` when the block ends well, and not at all when it does not.

    The block calls ``finalize`` last.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield _open_writer(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def build_header(bounds: Bounds, zooms: range) -> dict[str, Any]:
    """Return what the writer cannot know: where the tiles lie (``bounds`` in degrees) and how they are packed."""
    west, south, east, north = bounds
    places = {"min_lon": west, "min_lat": south, "max_lon": east, "max_lat": north}
    middle = {"center_lon": (west + east) / 2.0, "center_lat": (south + north) / 2.0}
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "center_zoom": min(max(12, zooms.start), zooms.stop - 1),
        **{f"{name}_e7": round(value * _PLACE) for name, value in (places | middle).items()},
    }


def list_archives(files: Iterable[ArchiveFile]) -> list[Archive]:
    """Return what the archives among ``files`` say of themselves; files that are none are left out."""
    found = []
    for file in files:
        try:
            found.append(read_archive(file))
        except (InputError, NotFoundError):
            continue
    return found


def read_archive(file: ArchiveFile) -> Archive:
    """Return what an archive says of itself; InputError when it is no PMTiles archive."""
    try:
        reader = _open_reader(file.read)
        header, metadata = reader.header(), reader.metadata()
    except TwinError:
        raise
    # What is cut off or no archive fails in whichever way its bytes lead to.
    except Exception as error:
        raise InputError(f"'{file.name}' is not a PMTiles archive of version 3", hint="make one: twin bake") from error
    west, south, east, north = (header[f"{name}_e7"] / _PLACE for name in ("min_lon", "min_lat", "max_lon", "max_lat"))
    return Archive(
        file.name, file.size, header["min_zoom"], header["max_zoom"],
        header["addressed_tiles_count"], (west, south, east, north), metadata,
    )  # fmt: skip
