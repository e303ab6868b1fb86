"""Restore a backup, prove it row by row at its own moment, and roll it forward to the moment that was asked for."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from layers.errors import ConflictError, DatabaseError, InputError, SetupError, SourceError
from layers.store.cluster import (
    Cluster,
    read_last_words,
    read_major_version,
    start_cluster,
    start_recovery,
    stop_cluster,
)
from layers.store.engine import open_engine, plain_url
from layers.store.spatial_reference import ensure_spatial_references
from layers.store.wal_archive import describe_restore
from twin.audit.entry import Entry
from twin.audit.recording import record_alone
from twin.backup.comparing import compare_tables
from twin.backup.files import check_file, check_files, restore_files
from twin.backup.making import BASE, DATABASE, DUMP, FILES, PASSWORD
from twin.backup.manifest import Backup
from twin.backup.programs import hide_password, run_program
from twin.backup.room import Target, make_room
from twin.progress import Report, narrow
from twin.store_restore import (
    Standing,
    ensure_roles,
    is_empty,
    is_paused,
    is_recovering,
    read_replayed,
    read_standing,
)

_REPLAY_WITHIN_S = 7 * 86_400
_NO_ARCHIVE = "restore_command = '/bin/false'\n"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: ``compared`` tables agreed with the manifest at ``moment``; the city is as of ``as_of``."""

    name: str
    moment: datetime
    as_of: datetime
    compared: int
    files: int
    standing: Standing
    seconds: float


def restore_backup(
    folder: Path,
    backup: Backup,
    target: Target,
    report: Report,
    *,
    to: datetime | str | None = None,
    archive: Path | None = None,
    replace: bool = False,
) -> Restored:
    """Restore the backup in ``folder`` to ``target`` and return what it is.

    ``to`` is a moment after that of the backup, or ``latest``: the log in ``archive`` is rolled forward to it, after
    the city was found to be that of the backup at the backup's own moment. Raises SourceError where the backup is
    damaged, ConflictError where a city is there and ``replace`` is not set, DatabaseError where what was restored is
    not what was backed up; then it is taken away again, and what was there before is back in its place.
    """
    began = time.monotonic()
    _check_order(backup, target, to, archive)
    check_backup(folder, backup, narrow(report, 0.0, 0.2), files=False)
    with make_room(target, replace=replace):
        if target.data_dir is not None:
            target.data_dir.mkdir(parents=True, exist_ok=True)
            restore_files(folder / FILES, target.data_dir, backup.files, narrow(report, 0.2, 0.4))
        tell = narrow(report, 0.4, 1.0)
        if backup.kind == "base":
            assert target.cluster is not None
            as_of, standing = _restore_base(folder, backup, target.cluster, to, archive, tell)
        else:
            as_of, standing = backup.moment, _restore_dump(folder, backup, target, tell)
    return Restored(
        name=backup.name,
        moment=backup.moment,
        as_of=as_of,
        compared=len(backup.tables),
        files=len(backup.files),
        standing=standing,
        seconds=round(time.monotonic() - began, 1),
    )


def check_backup(folder: Path, backup: Backup, report: Report, *, files: bool) -> None:
    """Read all of a backup against its checksums, the city's files with ``files``; SourceError names the damage."""
    for path, sha256 in backup.database.items():
        check_file(folder / DATABASE / path, sha256)
    if backup.kind == "base":
        report(0.0, "pg_verifybackup")
        try:
            run_program("pg_verifybackup", "-e", "-n", str(folder / DATABASE / BASE))
        except DatabaseError as error:
            raise SourceError(f"the backup '{backup.name}' is damaged: {error.message}") from error
    if files:
        check_files(folder / FILES, backup.files, report)


def _check_order(backup: Backup, target: Target, to: datetime | str | None, archive: Path | None) -> None:
    if backup.kind == "base" and target.cluster is None:
        raise InputError(
            "a base backup is a whole cluster and cannot go into another database",
            hint="restore it with --into FOLDER, or make one that can: twin backup --dump",
        )
    if backup.kind == "base" and (present := read_major_version()) != int(backup.postgres.partition(".")[0]):
        raise SetupError(
            f"the backup '{backup.name}' is of PostgreSQL {backup.postgres}, here is version {present}",
            hint="install that version, or make a backup that goes into any newer one: twin backup --dump",
        )
    if to is None:
        return
    if backup.kind == "dump":
        raise InputError(
            f"the backup '{backup.name}' is a dump: it knows its own moment alone, {backup.moment:%Y-%m-%dT%H:%M:%SZ}",
            hint="any other moment of an external database is its administrator's: see docs/backup.md",
        )
    if isinstance(to, datetime) and to < backup.moment:
        raise InputError(
            f"{to.isoformat()} is before the backup '{backup.name}', which is of {backup.moment.isoformat()}",
            hint="choose an older backup: twin backup list",
        )
    if archive is None or not archive.is_dir():
        raise InputError(
            f"there is no archived log for the backup '{backup.name}': {archive or 'none was kept'}",
            hint="name its folder with --wal, or restore the moment of the backup itself",
        )


def _restore_base(
    folder: Path, backup: Backup, place: Path, to: datetime | str | None, archive: Path | None, report: Report
) -> tuple[datetime, Standing]:
    cluster = Cluster(place.resolve())
    cluster.folder.mkdir(parents=True, exist_ok=True)
    report(0.0, "database")
    shutil.copytree(folder / DATABASE / BASE, cluster.data)
    cluster.data.chmod(0o700)
    shutil.copyfile(folder / DATABASE / PASSWORD, cluster.folder / PASSWORD)
    (cluster.folder / PASSWORD).chmod(0o600)
    (cluster.data / "recovery.signal").touch()
    source = _NO_ARCHIVE if archive is None or not archive.is_dir() else describe_restore(archive.resolve())
    # The log of the backup leads to its own moment, whatever became of the city on other timelines.
    named = f"recovery_target_name = '{backup.point}'\nrecovery_target_timeline = 'current'\n"
    report(0.3, "log")
    with _recovering(cluster, f"{source}{named}recovery_target_action = 'pause'\n") as engine:
        # A server that cannot be asked at the point ends its recovery there: the same city, but no log follows it.
        _await(engine, lambda connection: is_paused(connection) or not is_recovering(connection))
        with engine.connect() as connection:
            compare_tables(connection, backup, narrow(report, 0.4, 0.8))
            standing, as_of = read_standing(connection), backup.moment
    stop_cluster(cluster.folder)
    if to is not None and not (cluster.data / "recovery.signal").exists():
        raise DatabaseError(
            f"the log cannot be followed beyond the moment of '{backup.name}'", hint="choose another backup"
        )
    if to is None:
        further = named
    elif isinstance(to, datetime):
        further = f"recovery_target_time = '{to.isoformat()}'\n"
    else:
        further = ""
    report(0.8, "log")
    with _recovering(cluster, f"{source}{further}recovery_target_action = 'promote'\n") as engine:
        _await(engine, lambda connection: not is_recovering(connection))
        with engine.connect() as connection:
            standing = read_standing(connection)
            if to is not None:
                as_of = to if isinstance(to, datetime) else read_replayed(connection) or backup.moment
        _record(engine, backup, as_of)
    stop_cluster(cluster.folder)
    return as_of, standing


@contextmanager
def _recovering(cluster: Cluster, settings: str) -> Iterator[Engine]:
    engine = open_engine(start_recovery(cluster.folder, settings, within_s=_REPLAY_WITHIN_S))
    try:
        yield engine
    except OperationalError as error:
        # A server that cannot go on with its log ends itself; why is in what it wrote.
        raise DatabaseError(
            f"the log could not be rolled forward: {read_last_words(cluster)}",
            hint="where it ended before the moment, nothing later was archived: ask for --to latest",
        ) from error
    finally:
        engine.dispose()


def _restore_dump(folder: Path, backup: Backup, target: Target, report: Report) -> Standing:
    url = target.database_url
    if url is None:
        assert target.cluster is not None
        url = start_cluster(target.cluster)
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            if not is_empty(connection):
                raise ConflictError(
                    "the database holds tables already", hint="create an empty one and name it with --database-url"
                )
            ensure_roles(connection, list(backup.roles))
        dump = str(folder / DATABASE / DUMP)
        with hide_password(plain_url(engine)) as words:
            common = ["-d", words, "--no-owner", "--exit-on-error"]
            report(0.1, "pg_restore")
            run_program("pg_restore", *common, "--section=pre-data", dump)
            with engine.begin() as connection:
                # What a table computes from its rows is computed anew, by the same datum shifts.
                ensure_spatial_references(connection, backup.srid)
            engine.dispose()
            run_program("pg_restore", *common, "-j", "2", "--section=data", "--section=post-data", dump)
        with engine.connect() as connection:
            compare_tables(connection, backup, narrow(report, 0.6, 1.0))
            standing = read_standing(connection)
        _record(engine, backup, backup.moment)
        return standing
    finally:
        engine.dispose()
        if target.database_url is None and target.cluster is not None:
            stop_cluster(target.cluster)


def _record(engine: Engine, backup: Backup, as_of: datetime) -> None:
    """Tell the audit of the city that came back that it was restored; one of long ago has none."""
    record_alone(engine, Entry("restore", backup.name, detail={"as_of": as_of.isoformat()}))


def _await(engine: Engine, is_there: Callable[[Connection], bool]) -> None:
    deadline = time.monotonic() + _REPLAY_WITHIN_S
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            if is_there(connection):
                return
        time.sleep(0.1)
    raise DatabaseError("the log was not rolled forward within a week")
