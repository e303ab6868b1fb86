"""Readings into monthly partitions: idempotent, raw values never altered, the newest and the roll-ups told.

A reading is known by its series and its time. Sent again with the same value it changes nothing; sent with another
value it becomes a correction, a row of its own beside the raw one, with author and reason.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pandas as pd
from psycopg.errors import CheckViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from layers.errors import InputError, NotFoundError

MISSING, NOT_EVALUATED = 9, 2
SENT_AGAIN = "sent again with another value"
_STAGE = "incoming_observation"
_EXTRAS = (
    ("value", "jsonb"), ("phenomenon_end", "timestamptz"), ("result_time", "timestamptz"),
    ("valid_start", "timestamptz"), ("valid_end", "timestamptz"), ("feature_of_interest_id", "text"),
    ("parameters", "jsonb"),
)  # fmt: skip
_EXTRA_NAMES = ", ".join(name for name, _ in _EXTRAS)
_FROM_STAGE = (
    "select datastream_id, phenomenon_time, result, quality, "
    f"{', '.join(f'null::{kind} as {name}' for name, kind in _EXTRAS)} from {_STAGE}"
)
_FROM_JSON = (
    "select datastream_id, phenomenon_time, result, quality, "
    f"{_EXTRA_NAMES} from (select distinct on (datastream_id, phenomenon_time) * from "
    "rows from (json_to_recordset(cast(:rows as json)) as (datastream_id text, phenomenon_time timestamptz, "
    f"result double precision, quality smallint, {', '.join(f'{n} {t}' for n, t in _EXTRAS)})) with ordinality "
    "order by datastream_id, phenomenon_time, ordinality desc) s"
)
_MERGE = """
with given as materialized (
    select d.fid as datastream, i.* from ({incoming}) i join sensing.datastream d on d.id = i.datastream_id
), added as (
    insert into sensing.observation (datastream, phenomenon_time, result, quality, {extras})
    select datastream, phenomenon_time, result,
        coalesce(quality, case when result is null and value is null then 9 else 2 end), {extras}
    from given order by datastream, phenomenon_time
    on conflict do nothing returning datastream, phenomenon_time, result, value, quality, stored
), present as (
    select g.*, o.revision, (r.result, r.value) is distinct from (g.result, g.value) as differs,
        g.quality is not null and o.quality <> g.quality as requalified
    from given g left join added a using (datastream, phenomenon_time)
    join sensing.observation o using (datastream, phenomenon_time)
    left join sensing.reading r using (datastream, phenomenon_time)
    where a.datastream is null
), corrected as (
    insert into sensing.correction (datastream, phenomenon_time, revision, result, value, author, reason)
    select datastream, phenomenon_time, revision + 1, result, value, :author, :reason from present where differs
    returning datastream, phenomenon_time, revision, result, value, stored
), marked as (
    update sensing.observation o set revision = p.revision + p.differs::int, withdrawn = null,
        quality = coalesce(p.quality, case when p.result is null and p.value is null then 9 else 2 end)
    from present p where (p.differs or p.requalified)
    and o.datastream = p.datastream and o.phenomenon_time = p.phenomenon_time
    returning o.datastream, o.phenomenon_time, p.result, p.value, o.quality, o.stored
), moved as (
    select * from added union all
    select m.datastream, m.phenomenon_time, m.result, m.value, m.quality, coalesce(c.stored, m.stored)
    from marked m left join corrected c using (datastream, phenomenon_time)
), newest as (
    select distinct on (datastream) datastream, phenomenon_time, result, value, quality, stored,
        min(phenomenon_time) over (partition by datastream) as first_time
    from moved where result is not null or value is not null order by datastream, phenomenon_time desc
), shown as (
    insert into sensing.latest as l (datastream, phenomenon_time, result, value, quality, stored, first_time)
    select * from newest
    on conflict (datastream) do update set first_time = least(l.first_time, excluded.first_time),
        phenomenon_time = greatest(l.phenomenon_time, excluded.phenomenon_time),
        result = case when excluded.phenomenon_time >= l.phenomenon_time then excluded.result else l.result end,
        value = case when excluded.phenomenon_time >= l.phenomenon_time then excluded.value else l.value end,
        quality = case when excluded.phenomenon_time >= l.phenomenon_time then excluded.quality else l.quality end,
        stored = case when excluded.phenomenon_time >= l.phenomenon_time then excluded.stored else l.stored end
    where excluded.phenomenon_time >= l.phenomenon_time or excluded.first_time < l.first_time
), dirty as (
    insert into sensing.dirty_hour (datastream, start)
    select distinct datastream, date_trunc('hour', phenomenon_time, 'UTC') from moved on conflict do nothing
)
select (select count(*) from given) as known, (select count(*) from added) as new,
    (select count(*) from marked) as changed, pg_notify('reading', '') from (values (0)) once
"""


@dataclass(frozen=True, slots=True)
class ObservationCounts:
    """What a batch did; ``repeated`` rows named a datastream and time that a later row of the batch names again."""

    new: int
    changed: int
    unchanged: int
    repeated: int


def insert_observations(
    connection: Connection, frame: pd.DataFrame, *, author: str = "import", reason: str = SENT_AGAIN
) -> ObservationCounts:
    """Store a large batch of numbers by COPY; the same batch twice changes nothing.

    ``frame``: datastream_id, phenomenon_time (UTC-aware), result (NaN or infinite = missing) and, if it likes,
    quality. Months without a partition get one. Raises NotFoundError for a datastream that is not known and
    InputError for a row without time.
    """
    if frame.empty:
        return ObservationCounts(0, 0, 0, 0)
    batch, repeated = _prepare(frame)
    _copy_to_stage(connection, batch)
    unknown = connection.execute(
        text(
            f"select distinct datastream_id from {_STAGE} s where not exists "
            "(select 1 from sensing.datastream d where d.id = s.datastream_id) order by 1 limit 5"
        )
    ).scalars()
    names = ", ".join(f"'{name}'" for name in unknown)
    if names:
        raise NotFoundError(f"no datastream called {names}", hint="load the table of datastreams first")
    _, new, changed = _merge(connection, _FROM_STAGE, {"author": author, "reason": reason})
    connection.execute(text(f"drop table {_STAGE}"))
    return ObservationCounts(new, changed, len(batch) - new - changed, repeated)


def store_observations(
    connection: Connection, rows: Sequence[dict[str, Any]], *, author: str, reason: str = SENT_AGAIN
) -> ObservationCounts:
    """Store readings as they arrive, in one statement that unpacks one JSON parameter.

    Each row has datastream_id, phenomenon_time (ISO 8601 with zone, or datetime) and result (number or None) or value
    (any other JSON); and, if it likes, quality, phenomenon_end, result_time, valid_start, valid_end,
    feature_of_interest_id, parameters. Of two rows of one series and time the later wins. Raises NotFoundError, with
    nothing stored, for a datastream that is not known.
    """
    if not rows:
        return ObservationCounts(0, 0, 0, 0)
    encoded = orjson.dumps(rows).decode()
    known, new, changed = _merge(connection, _FROM_JSON, {"rows": encoded, "author": author, "reason": reason})
    distinct = len({(row["datastream_id"], row["phenomenon_time"]) for row in rows})
    if known < distinct:
        names = find_unknown(connection, {str(row["datastream_id"]) for row in rows})
        if names:
            raise NotFoundError(f"no datastream called {', '.join(repr(name) for name in names)}")
    return ObservationCounts(new, changed, known - new - changed, len(rows) - known)


def find_unknown(connection: Connection, datastream_ids: set[str]) -> list[str]:
    """Return those ids no series has, in order."""
    found = connection.execute(
        text("select id from sensing.datastream where id = any(:ids)"), {"ids": sorted(datastream_ids)}
    ).scalars()
    return sorted(datastream_ids - set(found))


def correct_observation(
    connection: Connection,
    datastream_id: str,
    phenomenon_time: datetime,
    result: float | None,
    *,
    author: str,
    reason: str,
) -> None:
    """Put ``result`` in the place of what was measured; the raw value stays. NotFoundError when nothing was."""
    if not reason.strip():
        raise InputError("a correction gives no reason", hint="say why the reading was wrong")
    there = connection.execute(
        text(
            "select 1 from sensing.observation o join sensing.datastream d on d.fid = o.datastream "
            "where d.id = :id and o.phenomenon_time = :at"
        ),
        {"id": datastream_id, "at": phenomenon_time},
    ).scalar()
    if there is None:
        raise NotFoundError(f"datastream '{datastream_id}' has no reading at {phenomenon_time.isoformat()}")
    row = {"datastream_id": datastream_id, "phenomenon_time": phenomenon_time, "result": result}
    store_observations(connection, [row], author=author, reason=reason)


def ensure_partitions(connection: Connection, months: set[tuple[int, int]]) -> None:
    """Make the partitions of the given (year, month) that are not there."""
    for year, month in sorted(months):
        name = f"observation_{year:04d}_{month:02d}"
        if connection.execute(text("select to_regclass(:name)"), {"name": f"sensing.{name}"}).scalar():
            continue
        start = datetime(year, month, 1, tzinfo=UTC)
        end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        # Two loaders may meet at the turn of the month; the second waits here and then finds the table.
        connection.execute(text("select pg_advisory_xact_lock(hashtext('sensing.observation'))"))
        connection.execute(
            text(
                f"create table if not exists sensing.{name} partition of sensing.observation "
                f"for values from ('{start.isoformat()}') to ('{end.isoformat()}')"
            )
        )


def _merge(connection: Connection, incoming: str, parameters: dict[str, Any]) -> tuple[int, int, int]:
    """Write the incoming rows and return how many were known, new and changed."""
    statement = text(_MERGE.format(incoming=incoming, extras=_EXTRA_NAMES))
    try:
        with connection.begin_nested():
            row = connection.execute(statement, parameters).one()
    except IntegrityError as error:
        if not isinstance(error.orig, CheckViolation):
            raise
        # A month that was never written to: make it, then once more.
        months = connection.execute(
            text(f"select distinct date_trunc('month', phenomenon_time, 'UTC') from ({incoming}) i"), parameters
        ).scalars()
        ensure_partitions(connection, {(month.year, month.month) for month in months})
        row = connection.execute(statement, parameters).one()
    return int(row.known), int(row.new), int(row.changed)


def _prepare(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the batch with all columns, one row a datastream and time (the last given wins), and the rest's count."""
    times = pd.to_datetime(frame["phenomenon_time"], utc=True)
    if times.isna().any():
        row = int(np.flatnonzero(times.isna().to_numpy())[0])
        raise InputError(f"observation {row + 1} of '{frame['datastream_id'].iloc[row]}' has no phenomenon_time")
    results = pd.to_numeric(frame["result"]).astype(float).to_numpy(copy=True)
    results[~np.isfinite(results)] = np.nan
    given = frame["quality"] if "quality" in frame.columns else pd.Series(pd.NA, index=frame.index)
    quality = given.astype("Int16").mask(np.isnan(results), MISSING)
    batch = pd.DataFrame(
        {
            "datastream_id": frame["datastream_id"].astype(str).to_numpy(),
            "phenomenon_time": times.to_numpy(),
            "result": results,
            "quality": quality.array,
        }
    )
    kept = batch.drop_duplicates(["datastream_id", "phenomenon_time"], keep="last")
    return kept, len(batch) - len(kept)


def _copy_to_stage(connection: Connection, batch: pd.DataFrame) -> None:
    connection.execute(text(f"drop table if exists {_STAGE}"))
    connection.execute(
        text(
            f"create temporary table {_STAGE} (datastream_id text, phenomenon_time timestamptz, "
            "result double precision, quality smallint) on commit drop"
        )
    )
    buffer = io.StringIO()
    batch.to_csv(buffer, index=False, header=False, na_rep="\\N", date_format="%Y-%m-%dT%H:%M:%S.%f+00")
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"copy {_STAGE} from stdin with (format csv, null '\\N')") as copy:
        copy.write(buffer.getvalue())
    connection.execute(text(f"analyze {_STAGE}"))
