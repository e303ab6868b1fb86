"""Old months of readings out of the database into Parquet; their roll-ups stay.

A month is rolled up, detached, written to a file, counted again in the file and only then dropped. A run that is
broken off is taken up where it stopped: a detached month that lies there still is written and dropped.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, text

from layers.errors import DatabaseError
from layers.store.names import quote
from layers.store.sensing.partitions import ensure_partitions
from layers.store.sensing.rollups import roll_up

_ROWS = 100_000
_MOMENT = pa.timestamp("us", tz="UTC")
_SCHEMA = pa.schema(
    [
        ("datastream", pa.string()), ("phenomenon_time", _MOMENT), ("phenomenon_end", _MOMENT),
        ("result_time", _MOMENT), ("stored", _MOMENT), ("withdrawn", _MOMENT), ("quality", pa.int16()),
        ("raw_result", pa.float64()), ("raw_value", pa.string()), ("parameters", pa.string()),
        ("feature_of_interest_id", pa.string()), ("revision", pa.int16()), ("result", pa.float64()),
        ("value", pa.string()), ("corrected", _MOMENT), ("author", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
"""One row a reading, and one more for each of its corrections: ``revision`` 0 is the raw reading."""

_SELECT = """
select d.id as datastream, o.phenomenon_time, o.phenomenon_end, o.result_time, o.stored, o.withdrawn, o.quality,
    o.result as raw_result, o.value::text as raw_value, o.parameters::text as parameters, o.feature_of_interest_id,
    coalesce(c.revision, 0) as revision, case when c.revision is null then o.result else c.result end as result,
    (case when c.revision is null then o.value else c.value end)::text as value, c.stored as corrected,
    c.author, c.reason
from sensing.{table} o join sensing.datastream d on d.fid = o.datastream
left join lateral (
    select 0 as revision, o.result, o.value, null::timestamptz as stored, null as author, null as reason
    union all
    select k.revision, k.result, k.value, k.stored, k.author, k.reason from sensing.correction k
    where o.revision > 0 and k.datastream = o.datastream and k.phenomenon_time = o.phenomenon_time
) c on true
order by o.datastream, o.phenomenon_time, c.revision
"""


@dataclass(frozen=True, slots=True)
class RetiredMonth:
    """A month that left the database: its ``start``, the file, how many ``readings`` it holds."""

    start: datetime
    path: Path
    readings: int


def prepare_months(connection: Connection, now: datetime) -> None:
    """Make the partitions of this month and the next, so that the turn of the month meets no wait."""
    ensure_partitions(connection, {(now.year, now.month), (now.year + now.month // 12, now.month % 12 + 1)})


def retire_months(engine: Engine, folder: Path, *, keep: int, now: datetime) -> list[RetiredMonth]:
    """Write the months older than the last ``keep`` whole ones to ``folder`` as Parquet and drop them.

    Raises DatabaseError when a file does not hold what the month held; the month then stays, detached, for the next
    run.
    """
    months = now.year * 12 + now.month - 1 - keep
    before = datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
    with engine.begin() as connection:
        waiting = _list_months(connection, "retiring", attached=False)
        attached = [start for start in _list_months(connection, "observation", attached=True) if start < before]
    retired = [_export(engine, folder, start) for start in waiting]
    for start in attached:
        _detach(engine, start)
        retired.append(_export(engine, folder, start))
    return retired


def _list_months(connection: Connection, stem: str, *, attached: bool) -> list[datetime]:
    names = connection.execute(
        text(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = 'sensing' and c.relkind = 'r' and c.relispartition = :attached "
            "and c.relname ~ ('^' || :stem || '_[0-9]{4}_[0-9]{2}$') order by 1"
        ),
        {"stem": stem, "attached": attached},
    ).scalars()
    return [datetime(int(name[-7:-3]), int(name[-2:]), 1, tzinfo=UTC) for name in names]


def _detach(engine: Engine, start: datetime) -> None:
    """Roll the month up to its last mark and take it off the table, in one step that writers wait for."""
    name, aside = f"observation_{start:%Y_%m}", f"retiring_{start:%Y_%m}"
    with engine.begin() as connection:
        connection.execute(text("set local lock_timeout = '10s'"))
        connection.execute(text("lock table sensing.observation in share row exclusive mode"))
        while (done := roll_up(connection)).marks:
            pass
        if not done.free:
            raise DatabaseError(
                f"month {start:%Y-%m} cannot be retired while its hours are rolled up", hint="try again"
            )
        connection.execute(text(f"alter table sensing.observation detach partition sensing.{quote(name)}"))
        connection.execute(text(f"alter table sensing.{quote(name)} rename to {quote(aside)}"))
        connection.execute(text(f"alter index sensing.{quote(name + '_pkey')} rename to {quote(aside + '_pkey')}"))


def _export(engine: Engine, folder: Path, start: datetime) -> RetiredMonth:
    table = f"retiring_{start:%Y_%m}"
    folder.mkdir(parents=True, exist_ok=True)
    with engine.begin() as connection:
        path = _choose_path(connection, folder, start)
        held = int(connection.execute(text(f"select count(*) from sensing.{quote(table)}")).scalar_one())
        partial = path.with_suffix(".part")
        with contextlib.closing(pq.ParquetWriter(partial, _SCHEMA, compression="zstd")) as writer:
            for batch in _read_batches(connection, table):
                writer.write_batch(batch)
        revisions = pq.read_table(partial, columns=["revision"])["revision"].to_numpy()
        written = int((revisions == 0).sum())
        if written != held:
            raise DatabaseError(f"{partial} holds {written} readings, month {start:%Y-%m} has {held}")
        partial.replace(path)
        bounds = {"start": start, "end": datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)}
        for side in ("correction", "past_flag"):
            connection.execute(
                text(f"delete from sensing.{side} where phenomenon_time >= :start and phenomenon_time < :end"), bounds
            )
        connection.execute(
            text("insert into sensing.retired_month (start, path, readings) values (:start, :path, :readings)"),
            {"start": start, "path": str(path), "readings": held},
        )
        connection.execute(text(f"drop table sensing.{quote(table)}"))
    return RetiredMonth(start, path, held)


def _choose_path(connection: Connection, folder: Path, start: datetime) -> Path:
    """Return the month's file; readings that came after the month was retired get one of their own."""
    earlier = connection.execute(
        text("select count(*) from sensing.retired_month where start = :start"), {"start": start}
    ).scalar_one()
    return folder / f"observation_{start:%Y_%m}{f'_{earlier + 1}' if earlier else ''}.parquet"


def _read_batches(connection: Connection, table: str) -> Iterator[pa.RecordBatch]:
    statement = text(_SELECT.format(table=quote(table))).execution_options(stream_results=True, yield_per=_ROWS)
    for rows in connection.execute(statement).partitions():
        columns = list(zip(*rows, strict=True))
        yield pa.record_batch(
            [pa.array(column, type=field.type) for column, field in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA
        )
