"""Readings into monthly partitions: idempotent, raw values never altered, the newest and the roll-ups told.

A reading is known by its series and its time. Sent again with the same value it changes nothing; sent with another
value it becomes a correction, a row of its own beside the raw one, with author and reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pandas as pd
from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError
from layers.store.sensing.merging import FROM_JSON, merge_readings
from layers.store.sensing.partitions import ensure_partitions
from layers.store.sensing.staging import FROM_STAGE, STAGE, copy_to_stage

MISSING, NOT_EVALUATED = 9, 2
SENT_AGAIN = "sent again with another value"


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
    months = batch["phenomenon_time"].dt.tz_localize(None).to_numpy().astype("datetime64[M]").astype(np.int64)
    ensure_partitions(connection, {(1970 + month // 12, month % 12 + 1) for month in np.unique(months).tolist()})
    ids = copy_to_stage(connection, batch)
    known, new, changed = merge_readings(connection, FROM_STAGE, {"ids": ids, "author": author, "reason": reason})
    connection.execute(text(f"drop table {STAGE}"))
    if known < len(batch):
        names = find_unknown(connection, set(batch["datastream_id"].unique()))[:5]
        raise NotFoundError(
            f"no datastream called {', '.join(repr(name) for name in names)}",
            hint="load the table of datastreams first",
        )
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
    kept = {(row["datastream_id"], _read_time(row["phenomenon_time"])): row for row in rows}
    ensure_partitions(connection, {(moment.year, moment.month) for _, moment in kept})
    encoded = orjson.dumps(list(kept.values())).decode()
    known, new, changed = merge_readings(connection, FROM_JSON, {"rows": encoded, "author": author, "reason": reason})
    if known < len(kept):
        names = find_unknown(connection, {str(row["datastream_id"]) for row in rows})
        raise NotFoundError(f"no datastream called {', '.join(repr(name) for name in names)}")
    return ObservationCounts(new, changed, known - new - changed, len(rows) - len(kept))


def _read_time(given: datetime | str) -> datetime:
    """Return the moment of a row in UTC; InputError for what is none or has no zone."""
    moment = given if isinstance(given, datetime) else _parse_time(given)
    if moment.tzinfo is None:
        raise InputError(f"phenomenon_time {str(given)[:40]!r} names no zone", hint="such as 2026-11-28T12:00:00Z")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _parse_time(given: str) -> datetime:
    try:
        return datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise InputError(f"phenomenon_time {str(given)[:40]!r} is no time") from None


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
            "datastream_id": frame["datastream_id"].astype(str).array,
            "phenomenon_time": times.array,
            "result": results,
            "quality": quality.array,
        }
    )
    kept = batch.drop_duplicates(["datastream_id", "phenomenon_time"], keep="last")
    return kept, len(batch) - len(kept)
