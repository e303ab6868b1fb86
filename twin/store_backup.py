"""SQL of backups: the moment that is fixed, checksums of all tables, the files that the database names, the state."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from layers.errors import ConflictError
from layers.store.attachments import list_attachment_paths
from layers.store.names import quote
from layers.store.objects import read_gdal_name
from twin.progress import Report

# Below the time after which PostgreSQL looks for deadlocks (1 s): who waits for us is never the one that is ended.
_LOCK_MS = 500
_BETWEEN_TRIES_S = 2.0


@dataclass(frozen=True, slots=True)
class Cut:
    """A moment of the database: its time, the place in its log, and what it holds then."""

    moment: datetime
    lsn: str
    revision: str
    named_files: frozenset[str]


@contextmanager
def hold_log(engine: Engine, name: str) -> Iterator[None]:
    """Keep the write-ahead log from here on as long as the context lasts; it ends with this process, come what may."""
    with engine.connect() as connection:
        connection.execute(text("select pg_create_physical_replication_slot(:name, true, true)"), {"name": name})
        connection.commit()
        try:
            yield
        finally:
            connection.invalidate()


@contextmanager
def fix_moment(
    engine: Engine, point: str | None, *, patience_s: float, report: Report
) -> Iterator[tuple[Connection, Cut]]:
    """Yield a connection that sees the database as it is at the restore point ``point``, and what that moment is.

    For at most half a second at a time nobody may write: what was begun is waited for, so the point in the log and what
    the connection sees are the same to the row. Where somebody writes without a pause, it is tried for ``patience_s``
    seconds; then ConflictError. Without ``point`` nobody waits and the moment is that of the connection alone.
    """
    deadline = time.monotonic() + patience_s
    tables = _list_lockable(engine) if point is not None else []
    while True:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            try:
                lsn, moment = _mark(connection, point, tables)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in ("55P03", "40P01"):
                    raise
                if time.monotonic() > deadline:
                    raise ConflictError(
                        f"somebody writes into the database without a pause since {patience_s:.0f} s",
                        hint="let the load that is under way end, then try again",
                    ) from error
                report(0.0, "đợi người đang ghi — waiting for who writes")
                connection.rollback()
                time.sleep(_BETWEEN_TRIES_S)
                continue
            connection.execute(text("set local lock_timeout = 0"))
            yield connection, _describe(connection, lsn, moment)
            return


def _mark(connection: Connection, point: str | None, tables: list[str]) -> tuple[str, datetime]:
    """Take the snapshot of this transaction and name the same moment in the log; return place and time."""
    if point is None:
        row = connection.execute(text("select pg_current_wal_insert_lsn(), clock_timestamp()")).one()
        return str(row[0]), row[1]
    listed = ", ".join(tables)
    connection.execute(text(f"set local lock_timeout = {_LOCK_MS}"))
    # Neither a lock nor a savepoint takes a snapshot: the first question does, while nobody can write.
    connection.exec_driver_sql(f"lock table {listed} in access share mode")
    connection.exec_driver_sql("savepoint quiet")
    connection.exec_driver_sql(f"lock table {listed} in share mode")
    row = connection.execute(text("select pg_create_restore_point(:name), clock_timestamp()"), {"name": point}).one()
    connection.exec_driver_sql("rollback to savepoint quiet")
    return str(row[0]), row[1]


def export_snapshot(connection: Connection) -> str:
    """Return the name by which another session sees what this transaction sees."""
    return str(connection.execute(text("select pg_export_snapshot()")).scalar_one())


def finish_segment(engine: Engine) -> str:
    """Close the present segment of the log, so that all of it is on the disk, and return the place where it ended."""
    with engine.connect() as connection:
        return str(connection.execute(text("select pg_switch_wal()")).scalar_one())


def _list_lockable(engine: Engine) -> list[str]:
    """Return the quoted names of all tables of ours; a lock on a partitioned one holds for its parts."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                f"select n.nspname, c.relname {OURS} and c.relkind in ('r', 'p') and not c.relispartition order by 1, 2"
            )
        )
        return [f"{quote(schema)}.{quote(table)}" for schema, table in rows]


OURS = (
    "from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^(pg_|information_schema)' "
    "and c.relpersistence = 'p' and not exists "
    "(select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')"
)


def sum_tables(connection: Connection, report: Report) -> dict[str, tuple[int, str]]:
    """Return rows and checksum of every table of ours as this transaction sees them.

    The checksum adds up the first 64 bits of each row's MD5, so it does not depend on the order of the rows.
    """
    connection.execute(text("set local timezone = 'UTC'"))
    for setting in (
        "datestyle = 'ISO, YMD'",
        "intervalstyle = 'postgres'",
        "extra_float_digits = 1",
        "bytea_output = 'hex'",
    ):
        connection.execute(text(f"set local {setting}"))
    names = [
        (str(schema), str(table))
        for schema, table in connection.execute(
            text(f"select n.nspname, c.relname {OURS} and c.relkind = 'r' order by 1, 2")
        )
    ]
    sums = {}
    for place, (schema, table) in enumerate(names):
        report(place / len(names), f"{schema}.{table}")
        rows, total = connection.execute(
            text(
                "select count(*), coalesce(sum(('x' || left(md5((t.*)::text), 16))::bit(64)::bigint), 0)::text "
                f"from {quote(schema)}.{quote(table)} t"
            )
        ).one()
        sums[f"{schema}.{table}"] = (int(rows), str(total))
    return sums


def _describe(connection: Connection, lsn: str, moment: datetime) -> Cut:
    revision = connection.execute(text("select version_num from meta.alembic_version")).scalar_one()
    return Cut(moment, lsn, str(revision), frozenset(list_named_files(connection)))


def list_named_files(connection: Connection) -> Iterator[str]:
    """Yield what the database names below the folder of data: rasters that lie there, attachments, retired months."""
    for path in connection.execute(text("select path from run.raster")).scalars():
        if read_gdal_name(path) is None:
            yield f"processed/{path}"
    for path in list_attachment_paths(connection):
        yield f"processed/{path}"
    for name in list_retired_files(connection):
        yield f"processed/readings/{name}"


def list_retired_files(connection: Connection) -> list[str]:
    """Return the names of the files of retired months; where they lay when written may have been another machine."""
    return [
        PurePath(path).name for path in connection.execute(text("select path from sensing.retired_month")).scalars()
    ]


def read_sizes(connection: Connection) -> int:
    """Return the bytes of all databases of this server."""
    return int(
        connection.execute(
            text("select sum(pg_database_size(datname)) from pg_database where datallowconn")
        ).scalar_one()
    )


def list_roles(connection: Connection) -> list[str]:
    """Return the roles of ours that rights are granted to."""
    return list(
        connection.execute(text("select rolname from pg_roles where rolname ~ '^twin_[a-z_]+$' order by 1")).scalars()
    )


@dataclass(frozen=True, slots=True)
class Archiver:
    """How the archiver of the log stands; ``failing`` when it did not succeed since it failed last."""

    segment: str | None
    at: datetime | None
    failures: int
    failed_at: datetime | None

    @property
    def failing(self) -> bool:
        """Whether the log is not archived at present."""
        return self.failed_at is not None and (self.at is None or self.failed_at > self.at)


def read_archiver(connection: Connection) -> Archiver:
    """Return how the archiver of the log stands."""
    row = connection.execute(
        text("select last_archived_wal, last_archived_time, failed_count, last_failed_time from pg_stat_archiver")
    ).one()
    return Archiver(row[0], row[1], int(row[2]), row[3])
