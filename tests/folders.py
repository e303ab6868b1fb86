"""Folders for databases that need not outlive their tests: in memory where there is room, which spares most waiting."""

import os
import tempfile
from pathlib import Path

from bench.memory import read_available

MEMORY = Path("/dev/shm")
_ROOM, _FREE = 8_000_000_000, 16_000_000_000
"""How much the folder in memory must hold, and how much memory must be left [B]."""


def find_parent() -> Path | None:
    """Return where such a folder is made; None for the usual place."""
    if not os.access(MEMORY, os.W_OK):
        return None
    told = os.statvfs(MEMORY)
    return MEMORY if told.f_bavail * told.f_frsize >= _ROOM and read_available() >= _FREE else None


def make_folder(prefix: str) -> Path:
    """Return a new folder, which the account of a database cluster may enter."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=find_parent()))
    folder.chmod(0o755)
    return folder
