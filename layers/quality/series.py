"""All tests on the readings of many series at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.quality.limits import QualityLimits, spread_limits
from layers.quality.qartod import (
    FAIL,
    Flags,
    combine_flags,
    flag_flat_line,
    flag_gap,
    flag_neighbours,
    flag_range,
    flag_rate,
    flag_spike,
)


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings sorted by series and time: ``series`` (n,) positions in a list of limits, ``times`` [s since 1970],
    ``values`` [unit of the series], NaN missing.
    """

    series: NDArray[np.int64]
    times: NDArray[np.float64]
    values: NDArray[np.float64]


def flag_readings(
    readings: Readings,
    limits: Sequence[QualityLimits],
    *,
    failed: NDArray[np.bool_] | None = None,
    expected: NDArray[np.float64] | None = None,
) -> Flags:
    """Return the combined QARTOD flag of every reading.

    ``failed`` (n,) tells what is known to be wrong already, ``expected`` (n,) what the neighbours say. A rate is taken
    from the last reading that did not fail: a good reading after a spike is not the spike's fault.
    """
    series, times, values = readings.series, readings.times, readings.values
    of = spread_limits(limits, series)
    tests = [
        flag_range(values, of["fail_low"], of["fail_high"], of["suspect_low"], of["suspect_high"]),
        flag_flat_line(series, times, values, of["flat_suspect_s"], of["flat_fail_s"], of["flat_tolerance"]),
        flag_gap(series, times, values, of["gap_s"]),
    ]
    if expected is not None:
        tests.append(flag_neighbours(values, expected, of["neighbour_suspect"], of["neighbour_fail"]))
    # What no sensor can measure is no neighbour of anything.
    real = tests[0] != FAIL
    spiked = flag_spike(
        series[real],
        times[real],
        values[real],
        of["spike_suspect"][real],
        of["spike_fail"][real],
        gap=of["spike_gap_s"][real],
        average=of["spike_average"][real] > 0.0,
    )
    flags = combine_flags(*tests)
    flags[real] = combine_flags(flags[real], spiked)
    kept = (flags != FAIL) & np.isfinite(values)
    if failed is not None:
        kept &= ~failed
    rated = flag_rate(series[kept], times[kept], values[kept], of["rate_suspect"][kept], of["rate_fail"][kept])
    flags[kept] = combine_flags(flags[kept], rated)
    return flags
