"""Tables of series and readings → datastreams and observations; rows that cannot be are rejected."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from layers.errors import SourceError
from layers.ingest.catalog import Source
from layers.ingest.quality import LoadReport, Problems, Rejection, count_reasons
from layers.ingest.raw import name_reasons
from layers.ingest.readers import read_file
from layers.ingest.values import TEXT, as_text
from layers.store.loads import start_load
from layers.store.quarantine import clear_quarantine, write_rejections
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations

LAYER = "observations"
_SERIES = ("id", "sensor_id", "observed_property", "unit", "title_vi", "title_en")
_READINGS = ("datastream_id", "phenomenon_time", "result")
_QUALITIES = frozenset({1, 2, 3, 4, 9})


def load_observations(
    connection: Connection, source: Source, path: Path, base: Path, *, dry_run: bool = False
) -> LoadReport:
    """Load the series of ``source.datastreams`` and the readings of ``path`` (CSV, also gzipped).

    Readings without a known series, without a time that has a zone, or with a result that is no number are rejected;
    an empty result is a missing reading and is kept. Raises SourceError for a missing column or an unfit series.
    """
    series = read_datastreams(base / (source.datastreams or ""))
    upsert_datastreams(connection, series, source.id)
    raw = read_file(path)
    frame = raw.frame
    _require_columns(frame, _READINGS, path)
    problems = Problems(len(frame))
    wrong = name_reasons(raw)
    for reason in wrong.dropna().unique():
        problems.add((wrong == reason).to_numpy(dtype=bool), str(reason))
    good = check_readings(frame, {one.id for one in series}, problems)
    counts = insert_observations(connection, good)
    rows = np.arange(1, len(frame) + 1, dtype=np.int64)
    held = {int(at): dict(frame.iloc[int(at)]) for at in np.flatnonzero(problems.bad)}
    rejections: list[Rejection] = problems.list_rejections(rows, held)
    load_id = None
    if not dry_run:
        load_id = start_load(connection, source_id=source.id, layer_id=LAYER, uri=path.name)
        clear_quarantine(connection, source_id=source.id, layer_id=LAYER)
        write_rejections(connection, rejections, source_id=source.id, layer_id=LAYER, uri=path.name, load_id=load_id)
    return LoadReport(
        source.id,
        LAYER,
        load_id=load_id,
        read=len(frame),
        loaded=counts.new + counts.changed,
        unchanged=counts.unchanged,
        quarantined=len(rejections),
        reasons=count_reasons(rejections),
    )


def read_datastreams(path: Path) -> list[Datastream]:
    """Return the series listed in a CSV, with ``interval_s`` where it has that column.

    SourceError names a missing column, an empty cell, an interval that is none or an id given twice.
    """
    raw = read_file(path)
    frame = raw.frame
    _require_columns(frame, _SERIES, path)
    wrong = name_reasons(raw)
    for at in np.flatnonzero(wrong.notna()):
        raise SourceError(f"{path}: row {at + 1} has {wrong.iloc[at]}")
    cells = pd.DataFrame({name: as_text(frame[name]) for name in _SERIES})
    for name in _SERIES:
        empty = np.flatnonzero(cells[name].isna())
        if len(empty):
            raise SourceError(f"{path}: row {empty[0] + 1} has no {name}")
    again = cells["id"].duplicated()
    if again.any():
        raise SourceError(f"{path}: series '{cells['id'][again].iloc[0]}' is listed twice")
    intervals = _read_intervals(frame, path)
    return [
        Datastream(a, b, c, d, e, f, interval_s=interval)
        for (a, b, c, d, e, f), interval in zip(
            cells.astype(str).itertuples(index=False, name=None), intervals, strict=True
        )
    ]


def _read_intervals(frame: pd.DataFrame, path: Path) -> list[float | None]:
    """Return how often a reading is due [s]; None where the table does not say."""
    if "interval_s" not in frame.columns:
        return [None] * len(frame)
    words = as_text(frame["interval_s"])
    numbers = pd.to_numeric(words, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(words.notna().to_numpy(dtype=bool) & ~(np.isfinite(numbers) & (numbers > 0.0)))
    if len(wrong):
        row = int(wrong[0])
        raise SourceError(f"{path}: row {row + 1} has interval_s '{words.iloc[row]}', expected seconds above 0")
    return [None if np.isnan(number) else float(number) for number in numbers]


def check_readings(frame: pd.DataFrame, known: set[str], problems: Problems) -> pd.DataFrame:
    """Return the good rows as ``insert_observations`` takes them; the others go to ``problems``."""
    ids, words = as_text(frame["datastream_id"]), as_text(frame["result"])
    problems.add((~ids.isin(known)).to_numpy(dtype=bool), "series is not listed", name="datastream_id", values=ids)
    times = _read_times(as_text(frame["phenomenon_time"]), problems)
    results = pd.to_numeric(words, errors="coerce").astype("float64")
    missing = words.isna() | words.str.lower().eq("nan")
    problems.add(
        ~np.isfinite(results.to_numpy()) & ~missing.to_numpy(dtype=bool), "not a number", name="result", values=words
    )
    made = {"datastream_id": ids, "phenomenon_time": times, "result": results}
    if "quality" in frame.columns:
        flags = pd.to_numeric(as_text(frame["quality"]), errors="coerce")
        flags = flags.where(as_text(frame["quality"]).notna(), 2)
        problems.add(
            (~flags.isin(_QUALITIES)).to_numpy(dtype=bool), "not a QARTOD flag", name="quality", values=frame["quality"]
        )
        made["quality"] = flags
    good = pd.DataFrame(made)[~problems.bad]
    again = good.duplicated(["datastream_id", "phenomenon_time"], keep="first")
    repeated = np.zeros(len(frame), dtype=bool)
    repeated[good.index[again]] = True
    problems.add(
        repeated, "reading appears twice in the file", name="phenomenon_time", values=as_text(frame["phenomenon_time"])
    )
    good = good[~again].reset_index(drop=True)
    return good.astype({"quality": "int16"}) if "quality" in good.columns else good


def _read_times(words: "pd.Series[Any]", problems: Problems) -> "pd.Series[Any]":
    """Return UTC times; rows without a time or without its zone are rejected."""
    zoned = words.astype(TEXT).str.contains(r"(?:[zZ]|[+-]\d{2}:?\d{2})$", regex=True).fillna(False)
    times = pd.to_datetime(words.where(zoned.to_numpy(dtype=bool), None), format="ISO8601", utc=True, errors="coerce")
    bad = times.isna()
    problems.add(
        (bad & zoned.to_numpy(dtype=bool)).to_numpy(dtype=bool), "not a time", name="phenomenon_time", values=words
    )
    problems.add(
        bad.to_numpy(dtype=bool),
        "time without a zone",
        name="phenomenon_time",
        values=words,
        hint="write it as 2025-10-01T07:00:00+07:00",
    )
    return times


def _require_columns(frame: pd.DataFrame, names: tuple[str, ...], path: Path) -> None:
    for name in names:
        if name not in frame.columns:
            listed = ", ".join(map(str, frame.columns))
            raise SourceError(f"{path} has no column '{name}'", hint=f"it has {listed}")
