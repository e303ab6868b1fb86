"""The drill: the newest backup becomes a city in a cluster for the time being, is proven, and goes again."""

import shutil
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from layers.errors import TwinError
from layers.store.cluster import stop_cluster
from twin.backup.restoring import check_backup, restore_backup
from twin.backup.room import Target
from twin.backup.shelf import find_backup
from twin.backup.standing import write_drill
from twin.progress import Report, narrow
from twin.settings import Settings


@dataclass(frozen=True, slots=True)
class Drill:
    """How a drill went: ``moment`` is that of the backup, ``as_of`` where its archived log led."""

    backup: str
    at: datetime
    ok: bool
    problem: str | None
    moment: datetime | None
    as_of: datetime | None
    compared: int
    files: int
    seconds: float


def drill_backup(settings: Settings, shelf: Path, name: str, within: Path | None, report: Report) -> Drill:
    """Restore a backup below ``within``, else beside the private cluster, and return how it went.

    Its files are read against their checksums in place, its tables are compared, and its log is rolled forward as far
    as it was archived. How it went is kept on the shelf.
    """
    began, at = time.monotonic(), datetime.now(UTC)
    folder, backup = find_backup(shelf, name)
    parent = within or settings.state_dir
    parent.mkdir(parents=True, exist_ok=True)
    place = Path(mkdtemp(prefix=".drill-", dir=parent))
    # The owner of the cluster has to get in.
    place.chmod(0o755)
    restored, problem = None, None
    try:
        check_backup(folder, backup, narrow(report, 0.0, 0.3), files=True)
        archive = Path(backup.wal_archive) if backup.wal_archive else None
        forward = archive is not None and archive.is_dir()
        restored = restore_backup(
            folder,
            backup,
            Target(place / "postgres", None),
            narrow(report, 0.3, 1.0),
            to="latest" if forward else None,
            archive=archive,
        )
    except TwinError as error:
        problem = str(error)
    finally:
        stop_cluster(place / "postgres")
        shutil.rmtree(place, ignore_errors=True)
    done = Drill(
        backup=backup.name,
        at=at,
        ok=restored is not None,
        problem=problem,
        moment=backup.moment if restored else None,
        as_of=restored.as_of if restored else None,
        compared=restored.compared if restored else 0,
        files=len(backup.files),
        seconds=round(time.monotonic() - began, 1),
    )
    write_drill(shelf, asdict(done))
    return done
