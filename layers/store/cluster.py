"""A private PostGIS cluster: its own data directory, unix socket and loopback port, never run by root.

PostgreSQL refuses to run as root, so a root caller hands the cluster to an unprivileged owner (``postgres`` if
the system has it, else ``nobody``). Nothing here touches a cluster of the system.
"""

import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

import psycopg

from layers.errors import SetupError
from layers.store.wal_archive import describe_archive, prepare_archive, read_system_identifier

_START_WITHIN_S = 60
_CONFIG = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{socket}'
port = {port}
max_connections = 200
shared_buffers = '512MB'
work_mem = '32MB'
maintenance_work_mem = '256MB'
effective_cache_size = '4GB'
random_page_cost = 1.1
max_wal_size = '2GB'
jit = off
log_min_messages = warning
timezone = 'UTC'
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a private cluster lives: everything sits below ``folder``."""

    folder: Path

    @property
    def data(self) -> Path:
        """The data directory of PostgreSQL."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.folder / "postgresql.log"

    @property
    def socket(self) -> Path:
        """The folder of the unix socket."""
        return self.folder / "socket"


def find_binaries() -> Path | None:
    """Return the folder that holds initdb, pg_ctl and postgres of a server with PostGIS, or None.

    A server on the PATH (conda) wins over the newest one Debian's layout holds.
    """
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found += sorted((path.parent for path in debian), key=lambda path: int(path.parent.name), reverse=True)
    return next((binaries for binaries in found if _has_postgis(binaries)), None)


def _has_postgis(binaries: Path) -> bool:
    asked = subprocess.run([binaries / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    return asked.returncode == 0 and (Path(asked.stdout.strip()) / "extension" / "postgis.control").exists()


def require_binaries() -> Path:
    """Return the folder of the server's programs; SetupError when there is none with PostGIS."""
    binaries = find_binaries()
    if binaries is None:
        raise SetupError(
            "PostgreSQL with PostGIS is not installed",
            hint="type: apt-get install postgresql postgresql-postgis — or give a database with TWIN_DATABASE_URL",
        )
    return binaries


def read_major_version() -> int:
    """Return the major version of the server that is installed; SetupError when there is none with PostGIS."""
    asked = subprocess.run([require_binaries() / "pg_config", "--version"], capture_output=True, text=True, check=True)
    return int(asked.stdout.split()[1].partition(".")[0])


def start_cluster(folder: Path, *, wal_archive: Path | None = None) -> str:
    """Start the private cluster below ``folder``, creating it the first time, and return its URL.

    With ``wal_archive`` its write-ahead log goes to a folder in there, named by the cluster's system identifier; a
    cluster that runs already keeps what it was started with. A server left behind by a killed parent is adopted when
    it answers; a stale lock of a dead one is removed by PostgreSQL itself. Raises SetupError naming what is missing or
    the last words of the server's log.
    """
    binaries, cluster = require_binaries(), Cluster(folder.resolve())
    if not (cluster.data / "PG_VERSION").exists():
        _create(binaries, cluster)
    if not _is_running(binaries, cluster):
        archive = None
        if wal_archive is not None:
            archive = wal_archive.resolve() / read_system_identifier(binaries, cluster.data)
            _give(prepare_archive(archive, cluster.folder))
        _start(binaries, cluster, describe_archive(archive, cluster.folder))
        _create_database(read_url(cluster))
    return read_url(cluster)


def start_recovery(folder: Path, settings: str, *, within_s: int) -> str:
    """Start the cluster below ``folder`` by what was restored there and return its URL, when it can be read.

    ``settings`` are lines of configuration: where the log comes from, and how far it is followed. It writes no archive.
    """
    binaries, cluster = require_binaries(), Cluster(folder.resolve())
    cluster.socket.mkdir(exist_ok=True)
    _start(binaries, cluster, f"archive_mode = off\n{settings}", within_s)
    try:
        return read_url(cluster)
    except FileNotFoundError as error:
        # It answered, met what it cannot follow, and ended.
        raise SetupError(f"the database did not stay: {read_last_words(cluster)}") from error


def find_running(folder: Path) -> str | None:
    """Return the URL of the cluster below ``folder`` if it runs; nothing is started."""
    binaries, cluster = find_binaries(), Cluster(folder.resolve())
    if binaries is None or not (cluster.data / "PG_VERSION").exists() or not _is_running(binaries, cluster):
        return None
    return read_url(cluster)


def stop_cluster(folder: Path, *, mode: Literal["fast", "immediate"] = "fast") -> None:
    """Stop the cluster below ``folder`` if it runs, and wait until it is down; ``immediate`` is as a crash."""
    binaries, cluster = find_binaries(), Cluster(folder.resolve())
    if binaries is not None and (cluster.data / "PG_VERSION").exists() and _is_running(binaries, cluster):
        _run(cluster, [str(binaries / "pg_ctl"), "-D", str(cluster.data), "-m", mode, "-w", "stop"])


def read_url(cluster: Cluster) -> str:
    """Return the SQLAlchemy-neutral URL of the running cluster (trusted local role ``twin``, database ``twin``)."""
    port = int((cluster.data / "postmaster.pid").read_text().splitlines()[3])
    secret = (cluster.folder / "password").read_text().strip()
    return f"postgresql://twin:{secret}@127.0.0.1:{port}/twin"


def read_last_words(cluster: Cluster) -> str:
    """Return the last lines of the server's log."""
    lines = cluster.log.read_text(errors="replace").splitlines()[-20:] if cluster.log.exists() else []
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line]
    return " / ".join((telling or lines)[-3:])


def _create(binaries: Path, cluster: Cluster) -> None:
    """Make the data directory and, once it runs, the role's database; half-made ones are removed first."""
    shutil.rmtree(cluster.data, ignore_errors=True)
    cluster.folder.mkdir(parents=True, exist_ok=True)
    password = cluster.folder / "password"
    if not password.exists():
        password.write_text(os.urandom(24).hex() + "\n")
    password.chmod(0o600)
    _hand_over(cluster)
    _run(
        cluster,
        [
            *(str(binaries / "initdb"), "-D", str(cluster.data), "-U", "twin", "--encoding=UTF8", "--locale=C.UTF-8"),
            *("--data-checksums", "--auth=scram-sha-256", f"--pwfile={password}"),
        ],
    )
    cluster.socket.mkdir(exist_ok=True)
    _hand_over(cluster)


def _start(binaries: Path, cluster: Cluster, settings: str, within_s: int = _START_WITHIN_S) -> None:
    """Start the server on a free loopback port with these lines of configuration beside ours."""
    port = _find_port(cluster)
    config = _CONFIG.format(socket=cluster.socket, port=port) + settings
    (cluster.data / "postgresql.auto.conf").write_text(config)
    _hand_over(cluster)
    pg_ctl = [str(binaries / "pg_ctl"), "-D", str(cluster.data), "-l", str(cluster.log)]
    try:
        _run(cluster, [*pg_ctl, "-w", "-t", str(within_s), "start"])
    except SetupError as error:
        words = read_last_words(cluster) or error.message
        raise SetupError(f"the private database did not start: {words}") from error


def _create_database(url: str) -> None:
    with psycopg.connect(url.removesuffix("twin") + "postgres", autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = 'twin'").fetchone():
            connection.execute("create database twin")


def _is_running(binaries: Path, cluster: Cluster) -> bool:
    """Return whether a server of this data directory is up and accepts connections."""
    asked = [str(binaries / "pg_ctl"), "-D", str(cluster.data), "status"]
    done = subprocess.run(asked, capture_output=True, check=False, cwd=cluster.folder, **_as_owner())
    if done.returncode != 0:
        return False
    port = (cluster.data / "postmaster.pid").read_text().splitlines()[3]
    for _ in range(100):
        ready = subprocess.run([str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port], check=False)
        if ready.returncode == 0:
            return True
        time.sleep(0.1)
    return False


def _find_port(cluster: Cluster) -> int:
    """Return the port of last time where it is free, so that who is connected finds the server again, else any."""
    config = cluster.data / "postgresql.auto.conf"
    last = re.search(r"^port = (\d+)", config.read_text() if config.exists() else "", re.MULTILINE)
    with socket.socket() as probe:
        # As the server binds: connections of before that are still being closed are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", int(last[1]) if last else 0))
            return int(probe.getsockname()[1])
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _owner() -> pwd.struct_passwd | None:
    """Return the unprivileged account that runs the server, or None when the caller is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise SetupError("PostgreSQL cannot run as root and there is no account 'postgres' or 'nobody' to run it")


class _Account(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _as_owner() -> _Account:
    owner = _owner()
    return {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _hand_over(cluster: Cluster) -> None:
    """Give the cluster's own folder to the owner."""
    _give([cluster.folder, *cluster.folder.rglob("*")])


def _give(paths: list[Path]) -> None:
    """Give paths to the owner and let the first be reached through its parents."""
    owner = _owner()
    if owner is None:
        return
    for path in paths:
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    for parent in paths[0].parents:
        if not parent.stat().st_mode & 0o001:
            raise SetupError(
                f"the account '{owner.pw_name}' cannot reach {paths[0]}: '{parent}' is closed to others",
                hint=f"type: chmod o+x {parent} — or set TWIN_RUN_DIR, TWIN_WAL_ARCHIVE to another folder",
            )


def _run(cluster: Cluster, command: list[str]) -> None:
    """Run a command as the owner; SetupError carries its last line."""
    # A pipe would be inherited by the server that pg_ctl leaves behind and never close; a file is not waited for.
    with (cluster.folder / "command.log").open("w+") as out:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
            cwd=cluster.folder,
            **_as_owner(),
        )
        out.seek(0)
        words = out.read().split("\n")
    if done.returncode != 0:
        last = next((line.strip() for line in reversed(words) if line.strip()), "no output")
        raise SetupError(f"{Path(command[0]).name} failed: {last}")
