"""One figure at one size, and what all cases of the scale bench share."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from layers.store.cluster import start_cluster, stop_cluster


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured of a case at a size."""

    case: str
    size: int
    metric: str
    unit: str
    value: float


@contextlib.contextmanager
def own_cluster() -> Iterator[str]:
    """Give the URL of a PostGIS of the bench's own; it is gone after."""
    folder = Path(tempfile.mkdtemp(prefix="twin-scale-"))
    folder.chmod(0o755)
    try:
        yield start_cluster(folder / "postgres")
    finally:
        stop_cluster(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)
