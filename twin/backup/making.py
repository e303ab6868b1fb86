"""Make a backup: the database with its log up to a fixed moment, and every file that it names at that moment."""

import re
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from layers.errors import ConflictError, SetupError
from layers.store.cluster import Cluster, require_binaries
from layers.store.engine import plain_url
from layers.store.migrate import read_city
from layers.store.wal_archive import read_system_identifier
from twin.audit.entry import Entry
from twin.audit.recording import record_alone
from twin.backup.files import copy_files, digest_file, measure_folder
from twin.backup.manifest import Backup, FileSum, TableSum, write_manifest
from twin.backup.programs import hide_password, run_program
from twin.backup.shelf import find_newest, hold_shelf, make_part, remove_old
from twin.connect import connect_to_city
from twin.progress import Report, narrow
from twin.settings import Settings
from twin.store_backup import (
    Cut,
    export_snapshot,
    finish_segment,
    fix_moment,
    hold_log,
    list_roles,
    read_sizes,
    sum_tables,
)

DATABASE, FILES, BASE, DUMP, PASSWORD = "database", "files", "base", "dump", "password"
_SPARE_BYTES = 256_000_000
_PERCENT = re.compile(r"\((\d+)%\)")
_SEGMENT_NAME, _PARTIAL = 24, ".partial"
_SEGMENT = re.compile(r"START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)")


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked: how many backups are ``kept``, whether files are copied anew, whether it is to be a dump.

    ``max_rate`` bounds what is read of the database [kB/s]; ``patience_s`` how long a quiet moment is waited for [s].
    """

    keep: int | None = None
    anew: bool = False
    dump: bool = False
    jobs: int = 2
    max_rate: int | None = None
    patience_s: float = 600.0


def make_backup(settings: Settings, shelf: Path, order: Order, report: Report) -> tuple[Backup, list[str]]:
    """Make a backup on ``shelf`` and return it with the names of those removed for it.

    The private cluster gives a base backup, another database, or ``order.dump``, what pg_dump writes. Whatever ends it
    early, a full disk or a signal, leaves nothing behind.
    """
    engine = connect_to_city(settings)
    try:
        with hold_shelf(shelf):
            started = datetime.now(UTC)
            name = f"{started:%Y-%m-%dT%H%M%SZ}"
            if (shelf / name).exists():
                raise ConflictError(f"there is a backup '{name}' already", hint="wait a second")
            _check_space(engine, shelf)
            try:
                with make_part(shelf, name) as part:
                    backup = _Making(settings, engine, shelf, part, order, started, report).make(name)
                    write_manifest(part, backup)
            except OSError as error:
                raise SetupError(
                    f"the backup could not be written: {error.strerror} ({error.filename or shelf})",
                    hint=f"free some space in {shelf}; nothing was left behind",
                ) from error
            removed = remove_old(shelf, order.keep) if order.keep is not None else []
            record_alone(engine, Entry("backup", name, detail={"kind": backup.kind, "removed": removed}))
            return backup, removed
    finally:
        engine.dispose()


def _check_space(engine: Engine, shelf: Path) -> None:
    with engine.connect() as connection:
        needed = read_sizes(connection) + _SPARE_BYTES
    free = shutil.disk_usage(shelf).free
    if free < needed:
        raise SetupError(
            f"{shelf} has {free / 1e9:.1f} GB free, the database alone may need {needed / 1e9:.1f} GB",
            hint="free some space, keep fewer backups with --keep, or choose another folder with TWIN_BACKUP_DIR",
        )


@dataclass(frozen=True, slots=True)
class _Making:
    settings: Settings
    engine: Engine
    shelf: Path
    part: Path
    order: Order
    started: datetime
    report: Report

    def make(self, name: str) -> Backup:
        began = time.monotonic()
        database = self.part / DATABASE
        database.mkdir()
        known: dict[str, FileSum] = {}
        earlier = self._find_earlier()
        fresh = self._copy(known, earlier, 0.0, 0.2)
        dump = self.order.dump or self.settings.database_url is not None
        if dump:
            with fix_moment(self.engine, None, patience_s=0.0, report=self.report) as (connection, cut):
                self._dump(database / DUMP, export_snapshot(connection))
                tables = self._sum(connection)
        else:
            point = f"twin {name}"
            with hold_log(self.engine, f"twin_backup_{self.started:%Y%m%d%H%M%S}"):
                self._take_base(database / BASE)
                cut, tables = self._fix(point)
                self._follow_log(database / BASE, cut)
            shutil.copyfile(self._cluster.folder / PASSWORD, database / PASSWORD)
            (database / PASSWORD).chmod(0o600)
        # After the moment once more: what came between the first copy and it.
        fresh += self._copy(known, earlier, 0.9, 0.98)
        with self.engine.connect() as connection:
            city, roles = read_city(connection), list_roles(connection)
            version = connection.connection.dbapi_connection.info.server_version  # type: ignore[union-attr]
        return Backup(
            name=name,
            kind="dump" if dump else "base",
            city=city.id,
            srid=city.srid,
            revision=cut.revision,
            postgres=f"{version // 10000}.{version % 10000}",
            started=self.started,
            moment=cut.moment,
            seconds=round(time.monotonic() - began, 1),
            point=None if dump else point,
            system_identifier=None if dump else self._identify(),
            wal_archive=None if dump else self._name_archive(),
            first_segment=None if dump else _read_first_segment(database / BASE),
            roles=tuple(roles),
            tables=tables,
            database=_digest(database, DUMP if dump else BASE),
            files=dict(sorted(known.items())),
            missing=tuple(sorted(cut.named_files - known.keys())),
            database_bytes=measure_folder(database),
            fresh_bytes=fresh,
        )

    @property
    def _cluster(self) -> Cluster:
        return Cluster((self.settings.state_dir / "postgres").resolve())

    def _copy(
        self, known: dict[str, FileSum], earlier: tuple[Path, dict[str, FileSum]] | None, start: float, end: float
    ) -> int:
        target = self.part / FILES
        target.mkdir(exist_ok=True)
        return copy_files(
            self.settings.data_dir.resolve(), target, known, earlier=earlier, report=narrow(self.report, start, end)
        )

    def _find_earlier(self) -> tuple[Path, dict[str, FileSum]] | None:
        newest = None if self.order.anew else find_newest(self.shelf)
        return None if newest is None else (newest[0] / FILES, newest[1].files)

    def _take_base(self, base: Path) -> None:
        tell = narrow(self.report, 0.2, 0.6)

        def follow(words: str) -> None:
            if found := _PERCENT.search(words):
                tell(int(found[1]) / 100, "pg_basebackup")

        with hide_password(plain_url(self.engine)) as words:
            rate = [f"--max-rate={self.order.max_rate}"] if self.order.max_rate is not None else []
            run_program(
                "pg_basebackup", "-d", words, "-D", str(base), "-Fp", "-Xs", "-c", "fast", "-P", "--no-sync",
                "--manifest-checksums=SHA256", *rate, follow=follow,
            )  # fmt: skip
        tell(1.0, "pg_verifybackup")
        run_program("pg_verifybackup", "-e", str(base))

    def _fix(self, point: str) -> tuple[Cut, dict[str, TableSum]]:
        """Name the moment in the log; return it with the sums of all tables."""
        with fix_moment(self.engine, point, patience_s=self.order.patience_s, report=narrow(self.report, 0.6, 0.6)) as (
            connection,
            cut,
        ):
            return cut, self._sum(connection)

    def _sum(self, connection: Connection) -> dict[str, TableSum]:
        return {name: TableSum(*one) for name, one in sum_tables(connection, narrow(self.report, 0.6, 0.9)).items()}

    def _follow_log(self, base: Path, cut: Cut) -> None:
        """Add the log from the end of the base backup to the moment."""
        finish_segment(self.engine)
        log = base / "pg_wal"
        # The last segment ends where the base backup did, and may lack what was written into it then: it comes anew.
        last = max(path for path in log.iterdir() if len(path.name) == _SEGMENT_NAME)
        last.rename(last.with_name(f"{last.name}{_PARTIAL}"))
        with hide_password(plain_url(self.engine)) as words:
            run_program("pg_receivewal", "-d", words, "-D", str(log), f"--endpos={cut.lsn}", "--no-loop")
        for partial in log.glob(f"*{_PARTIAL}"):
            partial.rename(partial.with_suffix(""))

    def _dump(self, target: Path, snapshot: str) -> None:
        tell, seen = narrow(self.report, 0.2, 0.6), 0

        def follow(words: str) -> None:
            nonlocal seen
            seen += 1
            tell(1.0 - 0.99**seen, words.removeprefix("pg_dump: ")[:60])

        with hide_password(plain_url(self.engine)) as words:
            # Its rows are ours to write, and have to be there before those of all others.
            run_program(
                "pg_dump", "-d", words, "--exclude-table-data=*.spatial_ref_sys",
                "-Fd", "-f", str(target), "-j", str(self.order.jobs), "-v",
                f"--snapshot={snapshot}", follow=follow,
            )  # fmt: skip

    def _identify(self) -> str:
        return read_system_identifier(require_binaries(), self._cluster.data)

    def _name_archive(self) -> str | None:
        archive = self.settings.wal_archive
        return None if archive is None else str(archive.resolve() / self._identify())


def _read_first_segment(base: Path) -> str | None:
    found = _SEGMENT.search((base / "backup_label").read_text())
    return found[1] if found else None


def _digest(database: Path, kind: str) -> dict[str, str]:
    """Return the SHA-256 of what PostgreSQL's own manifest does not vouch for: the log, the manifest, a whole dump."""
    within = database / kind
    paths = [path for path in within.rglob("*") if path.is_file()] if kind == DUMP else [
        within / "backup_manifest", *(path for path in (within / "pg_wal").iterdir() if path.is_file()),
        database / PASSWORD,
    ]  # fmt: skip
    return {str(path.relative_to(database)): digest_file(path) for path in sorted(paths)}
