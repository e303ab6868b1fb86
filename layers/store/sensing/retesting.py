"""The quality tests again over a window: of readings loaded from files, after limits changed, after late data."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from layers.errors import NotFoundError
from layers.quality.limits import read_limits, spread_limits
from layers.quality.qartod import Flags
from layers.quality.series import Readings, flag_window
from layers.store.sensing.context import select_expected, select_surroundings
from layers.store.sensing.flags import revise_flags

_PIECE = timedelta(days=31)
_BEFORE, _AFTER = 5_000, 3


@dataclass(frozen=True, slots=True)
class Retested:
    """What a re-run did to one series: readings ``tested``, flags ``changed``, and how many have each flag now."""

    datastream_id: str
    tested: int
    changed: int
    flags: dict[int, int]


def retest(connection: Connection, datastream_id: str, start: datetime, end: datetime) -> Retested:
    """Test the readings of ``start`` ≤ time ≤ ``end`` of a series anew and store the flags that differ.

    Flags a person gave stay. Raises NotFoundError for an unknown series and InputError for limits that cannot be read.
    """
    tested, changed, counts = 0, 0, dict[int, int]()
    while start <= end:
        stop = min(end, start + _PIECE)
        flags, differing = _retest_piece(connection, datastream_id, start, stop)
        tested += len(flags)
        changed += differing
        for flag, count in zip(*np.unique(flags, return_counts=True), strict=True):
            counts[int(flag)] = counts.get(int(flag), 0) + int(count)
        start = stop + timedelta(microseconds=1)
    return Retested(datastream_id, tested, changed, counts)


def _retest_piece(connection: Connection, datastream_id: str, start: datetime, end: datetime) -> tuple[Flags, int]:
    first, last = start.timestamp(), end.timestamp()
    around = select_surroundings(
        connection, [datastream_id], [first], [last], before=_BEFORE, after=_AFTER, back_s=7 * 86_400.0
    )
    if not around.series:
        raise NotFoundError(f"datastream '{datastream_id}' does not exist")
    series = around.series[0]
    limits = read_limits(
        series.observed_property, series.definition, series.unit, series.interval_s, series.quality_tests
    )
    order = np.argsort(around.times)
    times, values, stored = around.times[order], around.values[order], around.flags[order]
    within = (times >= first) & (times <= last)
    expected = None
    if limits.asks_neighbours:
        expected = np.full(len(times), np.nan)
        expected[within] = select_expected(
            connection, series.fid, times[within], named=limits.neighbour_series, radius=limits.neighbour_radius,
            window_s=limits.neighbour_window_s,
        )  # fmt: skip
    # Words have no number to test; they keep the flag they have.
    tested = within & np.isfinite(values)
    readings = Readings(np.zeros(len(times), np.int64), times, values)
    flags = flag_window(readings, spread_limits([limits], readings.series), expected=expected)
    differing = tested & (flags != stored)
    changed = revise_flags(connection, np.full(int(differing.sum()), series.fid), times[differing], flags[differing])
    return np.where(tested, flags, stored)[within], changed
