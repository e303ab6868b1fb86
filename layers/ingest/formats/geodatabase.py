"""File Geodatabases (.gdb folders) → rows."""

from pathlib import Path

from layers.errors import SourceError
from layers.ingest.formats.ogr import Dataset, open_ogr
from layers.ingest.formats.request import Request
from layers.ingest.raw import Opened

KIND = "File Geodatabase"


def open_geodatabase(path: Path, request: Request) -> Opened:
    """Open a feature class of a .gdb folder; SourceError for a folder that holds none."""
    if not path.is_dir() or not any(one.suffix.lower() == ".gdbtable" for one in path.iterdir()):
        raise SourceError(f"{path} cannot be read as {KIND}: it is no folder with .gdbtable files")
    return open_ogr(Dataset(path, str(path.resolve()), KIND), request)
