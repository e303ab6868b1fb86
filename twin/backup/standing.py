"""How safe the city is, for people and metrics: the age of the last good backup and of the last good drill."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from twin.backup.shelf import find_newest

DRILL = "drill.json"


@dataclass(frozen=True, slots=True)
class Protection:
    """Moments of the last whole backup and of the last drill that went well, and the last drill as it was told."""

    backup_at: datetime | None
    backup_bytes: int | None
    backup_seconds: float | None
    drill_at: datetime | None
    drill: dict[str, Any] | None


def read_standing(shelf: Path) -> Protection:
    """Return how the backups in ``shelf`` stand; nothing is asked of any database."""
    newest = find_newest(shelf)
    last = newest[1] if newest else None
    drill = _read_drill(shelf)
    return Protection(
        backup_at=last.moment if last else None,
        backup_bytes=last.database_bytes + last.files_bytes if last else None,
        backup_seconds=last.seconds if last else None,
        drill_at=datetime.fromisoformat(drill["good_at"]) if drill and drill["good_at"] else None,
        drill=drill,
    )


def write_drill(shelf: Path, told: dict[str, Any]) -> None:
    """Keep how a drill went, and when one went well last."""
    before = _read_drill(shelf)
    good = told["at"] if told["ok"] else before["good_at"] if before else None
    path = shelf / DRILL
    partial = path.with_suffix(".part")
    partial.write_bytes(orjson.dumps({**told, "good_at": good}))
    partial.replace(path)


def _read_drill(shelf: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = orjson.loads((shelf / DRILL).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    return found
