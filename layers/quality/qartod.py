"""QARTOD tests of water level and in-situ series, vectorised over many series at once.

Source: IOOS Manual for Real-Time Quality Control of Water Level Data, version 2.1 (QARTOD), tests 1, 4, 6, 7, 8 and 10;
where the manual leaves room, the tests decide as ``ioos-qc`` 3.0 does. All arrays are 1-D of equal length (n,), sorted
by series and then by time; ``series`` (n,) says which readings belong together, ``times`` [s], ``values`` [unit of the
series] with NaN for missing. A limit is one number or one a reading, infinite where there is none. Flags are uint8:
1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing.
"""

import numpy as np
from numpy.typing import NDArray

GOOD, NOT_EVALUATED, SUSPECT, FAIL, MISSING = 1, 2, 3, 4, 9
Flags = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Limit = float | NDArray[np.float64] | NDArray[np.bool_]
# How much a flag says, by flag: what was tested beats what was not, the worse beats the better.
SEVERITY = np.zeros(10, dtype=np.uint8)
SEVERITY[[MISSING, NOT_EVALUATED, GOOD, SUSPECT, FAIL]] = range(5)
_BY_SEVERITY = np.array([MISSING, NOT_EVALUATED, GOOD, SUSPECT, FAIL], dtype=np.uint8)


def flag_range(values: Floats, fail_low: Limit, fail_high: Limit, suspect_low: Limit, suspect_high: Limit) -> Flags:
    """Return 4 outside the span a sensor can measure, 3 outside the span that is usual (test 4)."""
    suspect = (values < suspect_low) | (values > suspect_high)
    fail = (values < fail_low) | (values > fail_high)
    limited = np.isfinite(fail_low) | np.isfinite(fail_high) | np.isfinite(suspect_low) | np.isfinite(suspect_high)
    return _mark(values, suspect, fail, limited)


def flag_rate(series: Ints, times: Floats, values: Floats, suspect: Limit, fail: Limit) -> Flags:
    """Return 3 or 4 where a value changed faster than the limits [unit/s] since the one before (test 7).

    The first reading of a series, and one after a missing value, have no rate and pass.
    """
    rate = np.zeros(len(values))
    rate[1:] = np.abs(np.diff(values)) / np.maximum(np.diff(times), 1e-6)
    rate[1:][series[1:] != series[:-1]] = 0.0
    return _mark(values, rate > suspect, rate > fail, np.isfinite(suspect) | np.isfinite(fail))


def flag_spike(
    series: Ints,
    times: Floats,
    values: Floats,
    suspect: Limit,
    fail: Limit,
    *,
    gap: Limit = np.inf,
    average: Limit = False,
) -> Flags:
    """Return 3 or 4 where a value stands out from its two neighbours by more than the limits (test 6).

    It stands out by the smaller of the two steps where they go there and back, else not at all; or, where ``average``,
    by its distance from the middle of the neighbours, as the manual has it, which blames a spike's neighbours too. The
    first and the last reading of a series, and those beside a missing value, are not evaluated; nor are those with a
    neighbour more than ``gap`` [s] away, for over a gap neighbours say nothing.
    """
    away = np.full(len(values), np.nan)
    if len(values) > 2:
        step, wait = np.diff(values), np.diff(times)
        there, back = step[:-1], step[1:]
        out = np.where(there * back < 0.0, np.minimum(np.abs(there), np.abs(back)), 0.0 * there * back)
        middle = np.abs(values[1:-1] - (values[:-2] + values[2:]) / 2.0)
        away[1:-1] = np.where(np.broadcast_to(average, values.shape)[1:-1], middle, out)
        far = np.maximum(wait[:-1], wait[1:]) > np.broadcast_to(gap, values.shape)[1:-1]
        away[1:-1][far | (series[2:] != series[:-2])] = np.nan
    limited = np.isfinite(away) & (np.isfinite(suspect) | np.isfinite(fail))
    return _mark(values, away > suspect, away > fail, limited)


def flag_flat_line(
    series: Ints, times: Floats, values: Floats, suspect_s: Limit, fail_s: Limit, tolerance: Limit
) -> Flags:
    """Return 3 or 4 where all readings of the last ``suspect_s`` or ``fail_s`` [s] differ by less than ``tolerance``.

    Test 8. A reading is flagged only when the series reaches back over the whole span and holds three readings of it.
    Missing values are passed over.
    """
    limits = [np.broadcast_to(np.asarray(limit, dtype=np.float64), values.shape) for limit in (suspect_s, fail_s)]
    if not any(np.isfinite(limit).any() for limit in limits):
        return _mark(values, np.zeros(len(values), bool), np.zeros(len(values), bool), False)
    ranges = _RangesOver(series, times, values)
    stuck = [np.isfinite(limit) & (ranges.over(limit) < tolerance) for limit in limits]
    return _mark(values, stuck[0], stuck[1], np.isfinite(limits[0]) | np.isfinite(limits[1]))


def flag_gap(series: Ints, times: Floats, values: Floats, limit: Limit) -> Flags:
    """Return 3 for the first reading after a silence longer than ``limit`` [s] (test 1).

    The first reading of a series is not evaluated.
    """
    silence = np.full(len(values), np.nan)
    silence[1:] = np.diff(times)
    silence[1:][series[1:] != series[:-1]] = np.nan
    limited = np.isfinite(silence) & np.isfinite(limit)
    return _mark(values, silence > limit, np.zeros(len(values), bool), limited)


def flag_neighbours(values: Floats, expected: Floats, suspect: Limit, fail: Limit) -> Flags:
    """Return 3 or 4 where a value lies further than the limits from what its neighbours say (test 10).

    ``expected`` (n,) is the median of the neighbours' readings, NaN where there is none.
    """
    away = np.abs(values - expected)
    limited = np.isfinite(away) & (np.isfinite(suspect) | np.isfinite(fail))
    return _mark(values, away > suspect, away > fail, limited)


def combine_flags(*flags: Flags) -> Flags:
    """Return the flag that says most of each reading: fail, suspect, good, not evaluated, missing."""
    return _BY_SEVERITY[np.maximum.reduce([SEVERITY[each] for each in flags])]


def _mark(
    values: Floats, suspect: NDArray[np.bool_], fail: NDArray[np.bool_], limited: bool | NDArray[np.bool_]
) -> Flags:
    flags = np.where(limited, np.uint8(GOOD), np.uint8(NOT_EVALUATED))
    flags = np.broadcast_to(flags, values.shape).astype(np.uint8)
    flags[suspect] = SUSPECT
    flags[fail] = FAIL
    flags[np.isnan(values)] = MISSING
    return flags


class _RangesOver:
    """Range of values over the time before each reading: lowest and highest of 2^k readings, for every k needed."""

    def __init__(self, series: Ints, times: Floats, values: Floats) -> None:
        self._times = times - (times.min() if len(times) else 0.0)
        self._lows = [np.where(np.isnan(values), np.inf, values)]
        self._highs = [np.where(np.isnan(values), -np.inf, values)]
        fresh = np.ones(len(series), dtype=bool)
        fresh[1:] = series[1:] != series[:-1]
        self._number = np.cumsum(fresh) - 1
        self._first = np.flatnonzero(fresh)[self._number]

    def over(self, seconds: Floats) -> Floats:
        """Return the range since the last reading at least ``seconds`` [s] ago; infinite where there is none.

        Fewer than three readings tell nothing, and their range is infinite too.
        """
        span = np.where(np.isfinite(seconds), seconds, 0.0)
        # One axis for all series: each begins well after the end of the one before.
        axis = self._times + self._number * (float(self._times.max()) + float(span.max()) + 10.0)
        begin = np.searchsorted(axis, axis - span + 1e-3, side="right") - 1
        reaches = (begin >= self._first) & (np.arange(len(axis)) - begin >= 2)
        begin = np.maximum(begin, self._first)
        level = np.frexp(np.arange(len(axis)) - begin + 1)[1] - 1
        self._deepen(int(level.max()))
        lows, highs = np.empty(len(axis)), np.empty(len(axis))
        for each in np.unique(level):
            here = np.flatnonzero(level == each)
            other = here - (1 << int(each)) + 1
            lows[here] = np.minimum(self._lows[each][begin[here]], self._lows[each][other])
            highs[here] = np.maximum(self._highs[each][begin[here]], self._highs[each][other])
        ranges = np.full(len(axis), np.inf)
        known = reaches & (highs >= lows)
        ranges[known] = highs[known] - lows[known]
        return ranges

    def _deepen(self, level: int) -> None:
        """Make the tables up to ``level``; table k holds at i the extreme of readings i … i + 2^k − 1."""
        while len(self._lows) <= level:
            half = 1 << (len(self._lows) - 1)
            for tables, extreme in ((self._lows, np.minimum), (self._highs, np.maximum)):
                table = tables[-1].copy()
                table[:-half] = extreme(tables[-1][:-half], tables[-1][half:])
                tables.append(table)
