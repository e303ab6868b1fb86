"""Which revision of the fixed tables a database holds, and which ones this program knows."""

from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

_SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"


def list_known_revisions() -> tuple[str, ...]:
    """Return the revisions of the fixed tables this program knows, the newest first."""
    return tuple(script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions())


def read_revision(connection: Connection) -> str | None:
    """Return the revision of the fixed tables in the database, None where there are none."""
    if connection.execute(text("select to_regclass('meta.alembic_version')")).scalar() is None:
        return None
    found: str | None = connection.execute(text("select version_num from meta.alembic_version")).scalar()
    return found
