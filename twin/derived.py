"""Arrays made of the city's data that take long to make: kept in files by the signature of all they were made of."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from twin.process import Arrays

MOST_KEPT = 8
"""Files of one kind; those used last stay."""


def keep_arrays(folder: Path, signature: str, make: Callable[[], Arrays], *, most: int = MOST_KEPT) -> Arrays:
    """Return the arrays kept in ``folder`` under ``signature``, or make and keep them; ``most`` files stay there.

    A file appears whole or not at all, so that workers may share the folder.
    """
    path = folder / f"{signature}.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        path.touch()
    except FileNotFoundError:
        arrays = make()
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f".{signature}.{os.getpid()}.npz"
        np.savez(fresh, allow_pickle=False, **arrays)
        fresh.replace(path)
        _prune(folder, most)
    return arrays


def _prune(folder: Path, most: int) -> None:
    """Remove the files used longest ago."""
    found = {path: _read_age(path) for path in folder.glob("[!.]*.npz")}
    for path in sorted(found, key=found.__getitem__, reverse=True)[most:]:
        path.unlink(missing_ok=True)


def _read_age(path: Path) -> float:
    """Return when a file was used last [s], long ago if another worker removed it just now."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
