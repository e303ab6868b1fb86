"""Readings as CSV straight into the database: it parses the text itself, so a row costs this process little."""

from collections.abc import Collection
from typing import IO, Any

import psycopg
from sqlalchemy import Connection, text

from layers.errors import ForbiddenError, InputError, NotFoundError
from layers.store.sensing.merging import NO_EXTRAS, merge_readings
from layers.store.sensing.partitions import ensure_partitions
from layers.store.sensing.staging import STAGE
from layers.store.sensing.writing import SENT_AGAIN, ObservationCounts

COLUMNS = {
    "datastream_id": "text", "phenomenon_time": "timestamptz", "result": "double precision", "quality": "smallint",
}  # fmt: skip
_NEEDED = ("datastream_id", "phenomenon_time", "result")
_LONGEST_LINE, _BLOCK = 1000, 1 << 20
_ROWS = (
    "s.datastream_id, s.phenomenon_time, case when abs(s.result) < 'Infinity' then s.result end as result, "
    f"s.quality, {NO_EXTRAS} from {STAGE} s"
)
_ALL = f"select {_ROWS}"
# Of two rows of one series and time the later one counts.
_ONCE = (
    f"select distinct on (s.datastream_id, s.phenomenon_time) {_ROWS} "
    "order by s.datastream_id, s.phenomenon_time, s.ctid desc"
)
_WRONG = (
    f"select s.phenomenon_time::text as at, s.quality, s.datastream_id from {STAGE} s where s.datastream_id is null "
    "or s.phenomenon_time is null or not s.phenomenon_time between '1900-01-01' and '2200-01-01' "
    "or s.quality not in (1, 2, 3, 4, 9) limit 1"
)


def load_csv(
    connection: Connection,
    file: IO[bytes],
    *,
    author: str,
    reason: str = SENT_AGAIN,
    timeout_s: float = 3600.0,
    only: Collection[str] | None = None,
) -> ObservationCounts:
    """Store the readings of a CSV file: all of it, or nothing when a line is wrong; sent twice it changes nothing.

    The first line names the columns ``datastream_id``, ``phenomenon_time``, ``result`` and, if it likes, ``quality``.
    Times without a zone are UTC; an empty result is a missing reading. The caller's transaction may take ``timeout_s``
    [s] a statement. Raises InputError naming line and column, NotFoundError for an unknown series, ForbiddenError for
    one that is not among ``only``.
    """
    names = _read_header(file.readline(_LONGEST_LINE))
    connection.execute(text(f"set local statement_timeout = {int(timeout_s * 1000)}"))
    connection.execute(text(f"drop table if exists {STAGE}"))
    declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(text(f"create temporary table {STAGE} ({declared}) on commit drop"))
    count = _copy(connection, file, names)
    _check(connection)
    if only is not None:
        _check_bound(connection, only)
    months = connection.execute(
        text(f"select distinct date_trunc('month', phenomenon_time, 'UTC') from {STAGE}")
    ).scalars()
    ensure_partitions(connection, {(month.year, month.month) for month in months})
    known, new, changed = merge_readings(connection, _ALL, {"author": author, "reason": reason}, once=_ONCE)
    if known < count:
        missing = connection.execute(
            text(
                f"select distinct s.datastream_id from {STAGE} s where not exists "
                "(select from sensing.datastream d where d.id = s.datastream_id) order by 1 limit 5"
            )
        ).scalars()
        raise NotFoundError(f"no datastream called {', '.join(repr(name) for name in missing)}")
    distinct = count
    if new < count:
        distinct = connection.execute(
            text(f"select count(*) from (select distinct datastream_id, phenomenon_time from {STAGE}) d")
        ).scalar_one()
    connection.execute(text(f"drop table {STAGE}"))
    return ObservationCounts(new, changed, max(distinct - new - changed, 0), count - distinct)


def _read_header(line: bytes) -> list[str]:
    try:
        names = [name.strip().strip('"') for name in line.decode("utf-8-sig").strip().split(",")]
    except UnicodeDecodeError:
        raise InputError("the first line is not UTF-8") from None
    known = set(names) <= set(COLUMNS) and len(set(names)) == len(names)
    if not known or not set(_NEEDED) <= set(names):
        raise InputError(
            f"the first line is '{','.join(names)[:120]}'", hint=f"expected {','.join(_NEEDED)} and perhaps quality"
        )
    return names


def _copy(connection: Connection, file: IO[bytes], names: list[str]) -> int:
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor:
            with cursor.copy(f"copy {STAGE} ({', '.join(names)}) from stdin with (format csv)") as copy:
                while block := file.read(_BLOCK):
                    copy.write(block)
            return int(cursor.rowcount)
    except psycopg.DataError as error:
        # "COPY incoming_observation, line 3, column result": the first line was read here.
        where = (error.diag.context or "").partition(", ")[2].partition(":")[0]
        raise InputError(
            f"{error.diag.message_primary} ({where}, not counting the first line)" if where else str(error)[:200]
        ) from None


def _check_bound(connection: Connection, only: Collection[str]) -> None:
    asked = text(f"select s.datastream_id from {STAGE} s where s.datastream_id <> all (:only) limit 1")
    foreign = connection.execute(asked, {"only": list(only)}).scalar()
    if foreign is not None:
        raise ForbiddenError(f"datastream '{foreign[:100]}' is not of this device")


def _check(connection: Connection) -> None:
    wrong = connection.execute(text(_WRONG)).first()
    if wrong is None:
        return
    if wrong.datastream_id is None:
        raise InputError("a row has no datastream_id")
    raise InputError(
        f"a row of '{wrong.datastream_id}' has phenomenon_time {wrong.at or 'missing'}, quality {wrong.quality}",
        hint="times of 1900 to 2199; quality 1, 2, 3, 4, 9 or empty",
    )
