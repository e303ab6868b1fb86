"""All tests on the readings of many series at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.quality.limits import Limits
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
    of: Limits,
    *,
    failed: NDArray[np.bool_] | None = None,
    expected: NDArray[np.float64] | None = None,
) -> Flags:
    """Return the combined QARTOD flag of every reading by all tests but that for stuck sensors, which looks far back.

    ``of`` holds the limits of each reading, ``failed`` (n,) tells what is known to be wrong already, ``expected`` (n,)
    what the neighbours say. A rate is taken from the last reading that did not fail: a good reading after a spike is
    not the spike's fault.
    """
    series, times, values = readings.series, readings.times, readings.values
    flags = flag_range(values, of["fail_low"], of["fail_high"], of["suspect_low"], of["suspect_high"])
    # What no sensor can measure is no neighbour of anything.
    real = flags != FAIL
    if np.isfinite(of["spike_suspect"]).any() or np.isfinite(of["spike_fail"]).any():
        spiked = flag_spike(
            series[real],
            times[real],
            values[real],
            of["spike_suspect"][real],
            of["spike_fail"][real],
            gap=of["spike_gap_s"][real],
            average=of["spike_average"][real] > 0.0,
        )
        flags[real] = combine_flags(flags[real], spiked)
    if np.isfinite(of["gap_s"]).any():
        flags = combine_flags(flags, flag_gap(series, times, values, of["gap_s"]))
    if expected is not None:
        flags = combine_flags(flags, flag_neighbours(values, expected, of["neighbour_suspect"], of["neighbour_fail"]))
    kept = (flags != FAIL) & np.isfinite(values)
    if failed is not None:
        kept &= ~failed
    rated = flag_rate(series[kept], times[kept], values[kept], of["rate_suspect"][kept], of["rate_fail"][kept])
    flags[kept] = combine_flags(flags[kept], rated)
    return flags


def flag_window(readings: Readings, of: Limits, **options: Any) -> Flags:
    """Return the combined flag by all tests, for readings that reach back far enough; options of ``flag_readings``."""
    stuck = flag_flat_line(
        readings.series, readings.times, readings.values, of["flat_suspect_s"], of["flat_fail_s"], of["flat_tolerance"]
    )
    return combine_flags(flag_readings(readings, of, **options), stuck)
