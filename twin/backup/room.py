"""Where a city is restored to: never over another one unasked, and back to what was there when it fails."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from layers.errors import ConflictError
from layers.store.cluster import Cluster, find_running, stop_cluster
from layers.store.engine import open_engine
from twin.backup.files import CATALOG, FOLDERS
from twin.backup.making import PASSWORD
from twin.store_restore import list_clients


@dataclass(frozen=True, slots=True)
class Target:
    """Where a city is restored to: the folder of its cluster or the URL of a database, and its folder of data."""

    cluster: Path | None
    data_dir: Path | None
    database_url: str | None = None


@contextmanager
def make_room(target: Target, *, replace: bool) -> Iterator[None]:
    """Refuse to go over what is there, or lay it aside until the city is restored; bring it back when that fails."""
    places = [*_list_places(target)]
    occupied = [path for path in places if path.exists()]
    if occupied and not replace:
        raise ConflictError(
            f"there is a city already: {occupied[0]}",
            hint="choose another folder, or lay what is there aside with --replace",
        )
    if target.cluster is not None:
        _refuse_company(target.cluster)
        stop_cluster(target.cluster)
    stamp = time.strftime(".before-%Y-%m-%dT%H%M%SZ", time.gmtime())
    aside = {path: path.parent / stamp / path.name for path in occupied}
    # Within the same folder: it may be a disk of its own.
    for path, other in aside.items():
        other.parent.mkdir(exist_ok=True)
        path.rename(other)
    try:
        yield
    except BaseException:
        if target.cluster is not None:
            stop_cluster(target.cluster)
        for path in places:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        for path, other in aside.items():
            other.rename(path)
        raise


def _refuse_company(cluster: Path) -> None:
    """Raise ConflictError while somebody works with the cluster: a server would begin a new one in its place."""
    url = find_running(cluster)
    if url is None:
        return
    engine = open_engine(url)
    with engine.connect() as connection:
        clients = list_clients(connection)
    engine.dispose()
    if clients:
        raise ConflictError(
            f"{len(clients)} connections to the city's database are open: {', '.join(sorted(set(clients)))}",
            hint="stop servers and workers first: systemctl stop city-twin.target, or Ctrl-C",
        )


def _list_places(target: Target) -> Iterator[Path]:
    """Yield what a restore writes: data and password of the cluster, the catalogue and the two folders of files."""
    if target.cluster is not None:
        yield Cluster(target.cluster).data
        yield target.cluster / PASSWORD
    if target.data_dir is not None:
        yield from (target.data_dir / name for name in (*FOLDERS, CATALOG))
