"""The door live readings come in by: flagged by the QARTOD tests, stored, and what they prove wrong revised."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from layers.errors import InputError
from layers.quality.limits import Limits, QualityLimits, read_limits, spread_limits
from layers.quality.qartod import FAIL, SEVERITY, SUSPECT, Flags, combine_flags, flag_flat_line
from layers.quality.series import Readings, flag_readings
from layers.store.sensing.context import Surroundings, TestedSeries, select_expected, select_surroundings
from layers.store.sensing.flags import pin_flags, revise_flags
from layers.store.sensing.writing import SENT_AGAIN, ObservationCounts, store_observations

BEFORE, AFTER = 3, 2
"""Readings fetched around the new ones: a spike needs one on each side, a rate the last that did not fail."""

_BACK_S = 7 * 86_400.0
_LONG = 20_000

log = logging.getLogger("layers.quality")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What the tests say of a batch: ``qualities`` one a row (None = leave it to the store), and the flags that
    readings already stored should have now, by series number and time [s since 1970]. ``given`` are positions of rows
    whose own flag is worse than what the tests found.
    """

    qualities: list[int | None]
    revised_fids: NDArray[np.int64]
    revised_times: NDArray[np.float64]
    revised_flags: Flags
    given: list[int]


def store_live(
    connection: Connection, rows: Sequence[dict[str, Any]], *, author: str, reason: str = SENT_AGAIN
) -> ObservationCounts:
    """Flag readings as they arrive and store them; rows and errors as ``store_observations`` has them.

    A flag that comes with a reading counts where it is worse than what the tests find, and then stays.
    """
    arrivals = flag_arrivals(connection, rows)
    flagged = [
        row if quality is None else {**row, "quality": quality}
        for row, quality in zip(rows, arrivals.qualities, strict=True)
    ]
    counts = store_observations(connection, flagged, author=author, reason=reason)
    revise_flags(connection, arrivals.revised_fids, arrivals.revised_times, arrivals.revised_flags)
    given = [(str(rows[k]["datastream_id"]), _read_time(rows[k]["phenomenon_time"])) for k in arrivals.given]
    pin_flags(connection, given, author=author, reason="given with the reading")
    return counts


def flag_arrivals(connection: Connection, rows: Sequence[dict[str, Any]]) -> Arrivals:
    """Return the flags of a batch of live rows, judged with the few readings around them; nothing is written.

    Rows of unknown series and results that are no numbers are left to the store. A row sent again unchanged keeps the
    flag it has.
    """
    qualities: list[int | None] = [row.get("quality") for row in rows]
    numbers = [
        k for k, row in enumerate(rows) if row.get("value") is None and isinstance(row.get("result"), int | float)
    ]
    if not numbers:
        return Arrivals(qualities, *_nothing(), [])
    ids = [str(rows[k]["datastream_id"]) for k in numbers]
    times = np.array([_read_time(rows[k]["phenomenon_time"]) for k in numbers], dtype=np.float64)
    firsts, lasts = _find_spans(ids, times)
    around = select_surroundings(
        connection,
        list(firsts),
        list(firsts.values()),
        list(lasts.values()),
        before=BEFORE,
        after=AFTER,
        back_s=_BACK_S,
    )
    known = {series.id: place for place, series in enumerate(around.series)}
    series = np.array([known.get(name, -1) for name in ids], dtype=np.int64)
    values = np.array([rows[k]["result"] for k in numbers], dtype=np.float64)
    batch = _merge(around, series, times, values)
    limits = [_find_limits(each) for each in around.series]
    of = spread_limits(limits, batch.readings.series)
    flags = flag_readings(
        batch.readings, of, failed=batch.stored == FAIL, expected=_find_expected(connection, batch, around, limits)
    )
    flags = _flag_stuck(connection, batch, around, of, flags)
    return _tell(batch, around, qualities, numbers, flags)


def _find_spans(ids: list[str], times: NDArray[np.float64]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the first and the last time of each series."""
    order = np.argsort(times, kind="stable").tolist()
    moments = times.tolist()
    return {ids[k]: moments[k] for k in reversed(order)}, {ids[k]: moments[k] for k in order}


@dataclass(frozen=True, slots=True)
class _Batch:
    """Stored and incoming readings in one order: ``row`` the incoming row or −1, ``stored`` the flag there is or 0,
    ``repeats`` whether the row says what is stored.
    """

    readings: Readings
    row: NDArray[np.int64]
    stored: NDArray[np.uint8]
    repeats: NDArray[np.bool_]


def _merge(
    around: Surroundings, series: NDArray[np.int64], times: NDArray[np.float64], values: NDArray[np.float64]
) -> _Batch:
    """Return readings around and new ones sorted by series and time; of two at one time the later row counts."""
    known = np.flatnonzero(series >= 0)
    all_series = np.concatenate((around.number, series[known]))
    all_times = np.concatenate((around.times, times[known]))
    all_values = np.concatenate((around.values, values[known]))
    row = np.concatenate((np.full(len(around.number), -1), known))
    stored = np.concatenate((around.flags, np.zeros(len(known), np.uint8)))
    order = np.lexsort((row, all_times, all_series))
    all_series, all_times, all_values = all_series[order], all_times[order], all_values[order]
    row, stored = row[order], stored[order]
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (all_series[1:] == all_series[:-1]) & (all_times[1:] == all_times[:-1])
    last = np.ones(len(order), dtype=bool)
    last[:-1] = ~same[1:]
    # The first of a run is the stored one, if there is one.
    first = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))[last]
    repeats = (row[last] >= 0) & (row[first] < 0) & (all_values[first] == all_values[last])
    stored_there = np.where(row[first] < 0, stored[first], 0).astype(np.uint8)
    readings = Readings(all_series[last], all_times[last], all_values[last])
    return _Batch(readings, row[last], stored_there, repeats)


def _flag_stuck(connection: Connection, batch: _Batch, around: Surroundings, of: Limits, flags: Flags) -> Flags:
    """Look further back where a new reading and the two before it hardly differ; most do, and cost nothing here."""
    series, times, values = batch.readings.series, batch.readings.times, batch.readings.values
    span = np.maximum(*(np.where(np.isfinite(each), each, 0.0) for each in (of["flat_suspect_s"], of["flat_fail_s"])))
    still = (batch.row[2:] >= 0) & (series[2:] == series[:-2]) & (span[2:] > 0.0)
    still &= np.maximum(np.abs(values[2:] - values[1:-1]), np.abs(values[2:] - values[:-2])) < of["flat_tolerance"][2:]
    places = np.unique(series[2:][still]) if still.any() else ()
    if not len(places):
        return flags
    new = np.flatnonzero((batch.row >= 0) & np.isin(series, places))
    inside = [times[new[series[new] == place]] for place in places]
    wide = select_surroundings(
        connection,
        [around.series[place].id for place in places],
        [float(each[0]) for each in inside],
        [float(each[-1]) for each in inside],
        before=_LONG,
        after=0,
        back_s=float(span[new].max()) * 1.5 + 600.0,
    )
    number = {each.id: k for k, each in enumerate(wide.series)}
    long = _merge(wide, np.array([number[around.series[k].id] for k in series[new].tolist()]), times[new], values[new])
    limit = {each: np.empty(len(number)) for each in ("flat_suspect_s", "flat_fail_s", "flat_tolerance")}
    for each, column in limit.items():
        column[[number[around.series[k].id] for k in series[new].tolist()]] = of[each][new]
    stuck = flag_flat_line(
        long.readings.series,
        long.readings.times,
        long.readings.values,
        *(column[long.readings.series] for column in limit.values()),
    )
    incoming = long.row >= 0
    target = new[long.row[incoming]]
    told = flags.copy()
    told[target] = combine_flags(told[target], stuck[incoming])
    return told


def _find_expected(
    connection: Connection, batch: _Batch, around: Surroundings, limits: list[QualityLimits]
) -> NDArray[np.float64] | None:
    asked = [k for k, each in enumerate(limits) if each.asks_neighbours]
    if not asked:
        return None
    expected = np.full(len(batch.row), np.nan)
    for k in asked:
        here = np.flatnonzero((batch.readings.series == k) & (batch.row >= 0))
        expected[here] = select_expected(
            connection, around.series[k].fid, batch.readings.times[here], named=limits[k].neighbour_series,
            radius=limits[k].neighbour_radius, window_s=limits[k].neighbour_window_s,
        )  # fmt: skip
    return expected


def _tell(
    batch: _Batch, around: Surroundings, qualities: list[int | None], numbers: list[int], flags: Flags
) -> Arrivals:
    told, given = list(qualities), []
    new = np.flatnonzero(batch.row >= 0)
    found = np.where(batch.repeats[new], batch.stored[new], flags[new]).tolist()
    for row, flag in zip(batch.row[new].tolist(), found, strict=True):
        k = numbers[row]
        own = qualities[k]
        if own is not None and own <= 9 and SEVERITY[own] > SEVERITY[flag]:
            given.append(k)
        else:
            told[k] = flag
    # The readings beside a new one know more now; a flag is only ever made worse here, a window is tested anew by hand.
    beside = np.zeros(len(batch.row), dtype=bool)
    beside[np.maximum(new - 1, 0)] = True
    beside[np.minimum(new + 1, len(batch.row) - 1)] = True
    revised = np.flatnonzero(beside & (batch.row < 0) & (flags >= SUSPECT) & (SEVERITY[flags] > SEVERITY[batch.stored]))
    fids = np.array([series.fid for series in around.series], dtype=np.int64)
    return Arrivals(told, fids[batch.readings.series[revised]], batch.readings.times[revised], flags[revised], given)


def _find_limits(series: TestedSeries) -> QualityLimits:
    try:
        return read_limits(
            series.observed_property, series.definition, series.unit, series.interval_s, series.quality_tests
        )
    except InputError as error:
        # A wrong limit must not turn readings away; `twin sensors quality` says what is wrong with it.
        log.warning("datastream '%s' is not tested: %s", series.id, error)
        return QualityLimits()


def _nothing() -> tuple[NDArray[np.int64], NDArray[np.float64], Flags]:
    return np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8)


def _read_time(moment: datetime | str) -> float:
    read = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
