"""Years of readings from a CSV: read in pieces, each stored whole with how far the file is done."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from layers.errors import SourceError
from layers.ingest.observations import LAYER, check_readings
from layers.ingest.quality import Problems
from layers.store.quarantine import clear_quarantine, write_rejections
from layers.store.sensing.datastreams import list_datastreams
from layers.store.sensing.writing import insert_observations
from twin.progress import Report
from twin.sensors.checking import EARLIEST
from twin.store_telemetry import read_backfill, write_backfill

PIECE = 100_000
_LATEST = timedelta(minutes=5)
_SEPARATORS = ",;\t|"
Packing = Literal["gzip"] | None


class Columns(NamedTuple):
    """Where a file has what: one series for all of it or a column of ids, columns of times and results, a zone."""

    datastream: str | None = None
    time: str = "phenomenon_time"
    result: str = "result"
    zone: str | None = None


@dataclass(slots=True)
class Loaded:
    """What a load did, in rows; ``skipped`` were done by an earlier one that was stopped."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts as plain values."""
        return asdict(self)


def load_readings(
    engine: Engine, path: Path, columns: Columns, *, again: bool = False, follow: Report, piece: int = PIECE
) -> Loaded:
    """Load a CSV (also .gz, UTF-8), ``piece`` rows a transaction; a second call goes on after the last whole piece.

    Rows without a known series, a time with a zone (or ``columns.zone``) between 1990 and now, or a number go to the
    quarantine. Raises SourceError for a file that is no such table.
    """
    print_ = _fingerprint(path, columns)
    source = f"readings {path.name}"
    with engine.begin() as connection:
        done = 0 if again else read_backfill(connection, print_)
        if done == 0:
            clear_quarantine(connection, source_id=source, layer_id=LAYER)
        known = {one.id for one in list_datastreams(connection)}
    if columns.datastream is not None and columns.datastream not in known:
        raise SourceError(f"datastream '{columns.datastream}' does not exist", hint="see: twin sensors list")
    loaded, total, started = Loaded(skipped=done), path.stat().st_size, time.monotonic()
    for first, share, frame in _read_pieces(path, columns, done, piece, total):
        problems = Problems(len(frame))
        _check_times(frame, columns, problems)
        good = check_readings(frame, known, problems)
        rows = np.arange(first + 1, first + len(frame) + 1, dtype=np.int64)
        held = {int(at): dict(frame.iloc[int(at)]) for at in np.flatnonzero(problems.bad)}
        rejections = problems.list_rejections(rows, held)
        with engine.begin() as connection:
            counts = insert_observations(connection, good, author="load", reason=f"loaded from {path.name}")
            write_rejections(connection, rejections, source_id=source, layer_id=LAYER, uri=path.name)
            write_backfill(connection, print_, path.name, first + len(frame))
        loaded.read += len(frame)
        loaded.new, loaded.changed = loaded.new + counts.new, loaded.changed + counts.changed
        loaded.unchanged += counts.unchanged
        loaded.rejected += len(rejections)
        follow(share, f"{loaded.read:,} rows, {loaded.read / (time.monotonic() - started):,.0f} a second")
    return loaded


def _read_pieces(
    path: Path, columns: Columns, done: int, piece: int, total: int
) -> Iterator[tuple[int, float, pd.DataFrame]]:
    """Yield pieces with the number of rows before each and the share of the file read."""
    opened = path.open("rb")
    try:
        kind: Packing = "gzip" if path.suffix == ".gz" else None
        names = _read_head(path, kind)
        wanted = [columns.time, columns.result] + ([] if columns.datastream else ["datastream_id"])
        missing = [name for name in wanted if name not in names[1]]
        if missing:
            raise SourceError(f"{path} has no column '{missing[0]}'", hint=f"it has {', '.join(names[1])}")
        pieces = pd.read_csv(
            opened, sep=names[0], dtype="string", chunksize=piece, compression=kind, encoding="utf-8-sig",
            skiprows=range(1, done + 1), keep_default_na=False, na_values=[""], on_bad_lines="error",
        )  # fmt: skip
        first = done
        for frame in pieces:
            share = min(opened.tell() / max(total, 1), 1.0)
            yield first, share, _rename(frame.reset_index(drop=True), columns)
            first += len(frame)
    except (pd.errors.ParserError, UnicodeDecodeError, OSError, EOFError) as error:
        raise SourceError(f"{path} is no CSV: {error}") from None
    finally:
        opened.close()


def _read_head(path: Path, kind: Packing) -> tuple[str, list[str]]:
    """Return the separator and the names of the columns."""
    head = pd.read_csv(path, sep="\0", nrows=0, dtype="string", compression=kind, encoding="utf-8-sig", engine="python")
    line = str(head.columns[0]) if len(head.columns) else ""
    separator = max(_SEPARATORS, key=line.count)
    return separator, [name.strip().strip('"') for name in line.split(separator)]


def _rename(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return the columns under the names the store knows."""
    made = {
        "datastream_id": columns.datastream or frame["datastream_id"],
        "phenomenon_time": _add_zone(frame[columns.time], columns.zone),
        "result": frame[columns.result],
    }
    if "quality" in frame.columns:
        made["quality"] = frame["quality"]
    return pd.DataFrame(made).astype("string")


def _add_zone(words: "pd.Series[Any]", zone: str | None) -> "pd.Series[Any]":
    """Return times as words with a zone where ``zone`` says which; what cannot be read stays as it is."""
    if zone is None:
        return words
    naive = ~words.str.contains(r"(?:[zZ]|[+-]\d{2}:?\d{2})$", regex=True).fillna(True).astype(bool)
    times = pd.to_datetime(words.where(naive), format="ISO8601", errors="coerce")
    placed = times.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    written = placed.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").astype("string")
    return words.where(written.isna(), written)


def _check_times(frame: pd.DataFrame, columns: Columns, problems: Problems) -> None:
    """Reject times that cannot be: what is written there is told by the next check."""
    times = pd.to_datetime(frame["phenomenon_time"], format="ISO8601", utc=True, errors="coerce")
    for wrong, reason in (
        (times > datetime.now(UTC) + _LATEST, "lies in the future"),
        (times < EARLIEST, "lies before 1990"),
    ):
        mask = wrong.to_numpy(dtype=bool)
        problems.add(mask, reason, name="phenomenon_time", values=frame["phenomenon_time"])


def _fingerprint(path: Path, columns: Columns) -> str:
    """Return what tells a file and the way it is read from others: size, ends, columns."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(65_536)
            file.seek(max(size - 65_536, 0))
            tail = file.read()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    return hashlib.sha256(repr((size, columns)).encode() + head + tail).hexdigest()
