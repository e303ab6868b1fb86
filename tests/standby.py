"""A real streaming standby of a private cluster."""

import re
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from layers.store.cluster import Cluster, _hand_over, _run, require_binaries, start_recovery


def start_standby(primary_url: str, primary: Path, folder: Path) -> str:
    """Copy the running cluster ``primary`` to ``folder``, start it as its standby, and return that one's URL."""
    cluster = Cluster(folder.resolve())
    cluster.folder.mkdir(parents=True)
    (cluster.folder / "password").write_text((primary / "password").read_text())
    cluster.folder.chmod(0o755)
    _hand_over(cluster)
    program = str(require_binaries() / "pg_basebackup")
    _run(cluster, [program, "-D", str(cluster.data), "-d", primary_url, "-X", "stream", "-R", "-c", "fast"])
    return restart_standby(primary_url, folder)


def restart_standby(primary_url: str, folder: Path) -> str:
    """Start a standby that was stopped."""
    url = make_url(primary_url)
    reached = f"host={url.host} port={url.port} user={url.username} password={url.password}"
    return start_recovery(folder, f"primary_conninfo = '{reached}'\nhot_standby = on\nfsync = off\n", within_s=60)


def ask(url: str, statement: str) -> object:
    """Return the one value of a statement."""
    assert re.match("select", statement)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return None if row is None else row[0]
