"""A layer's scene as a folder of files that any web server can serve."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from sqlalchemy import Connection

from layers.errors import ConflictError, SetupError
from layers.schema import VectorLayer
from layers.store.solids import list_contents
from layers.store.tiles import TileAddress
from twin.scenes.making import make_tile, make_tileset


@dataclass(slots=True)
class WrittenScene:
    """How many tiles, solids and bytes were written, how many tiles are not whole, and by item id what was wrong."""

    tiles: int = 0
    solids: int = 0
    size: int = 0
    truncated: int = 0
    faults: dict[str, str] = field(default_factory=dict)


def write_folder(
    connection: Connection, layer: VectorLayer, folder: Path, *, version: str, undulation: float
) -> WrittenScene:
    """Write ``tileset.json`` and its tiles to ``folder``, all or nothing, in the place of a scene that was there.

    Raises ConflictError where ``folder`` is or holds something else, SetupError where it cannot be made.
    """
    ours = not folder.exists() or (
        folder.is_dir() and (not any(folder.iterdir()) or (folder / "tileset.json").exists())
    )
    if not ours:
        raise ConflictError(f"{folder} holds something else than a scene", hint="name another folder with --out")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise SetupError(f"{folder} cannot be made: {error.strerror}", hint="name another folder with --out") from error
    try:
        fresh.chmod(0o755)
        done = _fill(connection, layer, fresh, version=version, undulation=undulation)
        _exchange(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return done


def _fill(connection: Connection, layer: VectorLayer, folder: Path, *, version: str, undulation: float) -> WrittenScene:
    done = WrittenScene()
    for address in list_contents(connection, layer):
        made = make_tile(connection, layer, TileAddress(*address), undulation=undulation)
        path = folder.joinpath(*map(str, address)).with_suffix(".glb")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.data)
        done.tiles += 1
        done.solids += made.count
        done.size += len(made.data)
        done.truncated += made.truncated
        done.faults |= made.faults
    tileset = orjson.dumps(make_tileset(connection, layer, version=version, undulation=undulation))
    (folder / "tileset.json").write_bytes(tileset)
    done.size += len(tileset)
    return done


def _exchange(fresh: Path, folder: Path) -> None:
    """Put ``fresh`` in the place of ``folder``; what was there is put back if that fails."""
    if not folder.exists():
        fresh.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    folder.rename(old / "old")
    try:
        fresh.rename(folder)
    except OSError:
        (old / "old").rename(folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
