"""The QARTOD tests against ``ioos-qc`` 3.0 on random series and on a real tide gauge."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ioos_qc import qartod as oracle  # type: ignore[import-untyped]

from layers.errors import InputError
from layers.quality.limits import QualityLimits, read_limits, spread_limits
from layers.quality.qartod import (
    combine_flags,
    flag_flat_line,
    flag_gap,
    flag_neighbours,
    flag_range,
    flag_rate,
    flag_spike,
)
from layers.quality.series import Readings, flag_window

STEP = 600.0
LEVELS = st.lists(st.one_of(st.none(), st.integers(-30, 30)), min_size=3, max_size=60)


def make_arrays(levels: list[int | None]) -> tuple[Any, Any, Any]:
    values = np.array([np.nan if level is None else level / 10.0 for level in levels])
    return np.zeros(len(values), np.int64), 1.7e9 + np.arange(len(values)) * STEP, values


def as_moments(times: Any) -> Any:
    return (times * 1e9).astype("datetime64[ns]")


def expect(flags: Any, theirs: Any) -> None:
    np.testing.assert_array_equal(flags, np.ma.filled(theirs.astype(int), 9))


def compare(series: Any, times: Any, values: Any, scale: float) -> None:
    """Hold every test against the oracle's, with limits in the size of the values."""
    a, b = 0.5 * scale, 1.5 * scale
    expect(flag_range(values, -2 * b, 2 * b, -b, b), oracle.gross_range_test(values, (-2 * b, 2 * b), (-b, b)))
    theirs = oracle.rate_of_change_test(values, as_moments(times), a / STEP, b / STEP)
    expect(flag_rate(series, times, values, a / STEP, b / STEP), theirs)
    expect(flag_spike(series, times, values, a, b), oracle.spike_test(values, a, b, method="differential"))
    expect(flag_spike(series, times, values, a, b, average=True), oracle.spike_test(values, a, b))
    theirs = oracle.flat_line_test(values, as_moments(times), 1800, 3600, a)
    expect(flag_flat_line(series, times, values, 1800.0, 3600.0, a), theirs)


def flag_all(readings: Readings, limits: list[QualityLimits]) -> Any:
    return flag_window(readings, spread_limits(limits, readings.series))


@settings(deadline=None, max_examples=150)
@given(levels=LEVELS)
def test_flags_are_those_of_the_oracle(levels: list[int | None]) -> None:
    compare(*make_arrays(levels), 1.0)


@settings(deadline=None, max_examples=60)
@given(flags=st.lists(st.tuples(*[st.sampled_from([1, 2, 3, 4, 9])] * 3), min_size=1, max_size=30))
def test_flags_combine_as_the_oracle_combines_them(flags: list[tuple[int, int, int]]) -> None:
    columns = [np.array(column, dtype=np.uint8) for column in zip(*flags, strict=True)]
    np.testing.assert_array_equal(combine_flags(*columns), oracle.qartod_compare(columns))


def test_a_real_gauge_is_flagged_as_the_oracle_flags_it(shared: Callable[[str], Path]) -> None:
    file = shared("tide-gauge/VLISSGN_waterlevel_20180101_20180401.noos")
    rows = pd.read_csv(file, sep=r"\s+", comment="#", names=["time", "stage"], dtype={"time": str})
    moments = pd.to_datetime(rows["time"], format="%Y%m%d%H%M")
    times = moments.to_numpy(dtype="datetime64[s]").astype(np.float64)
    values = rows["stage"].to_numpy(dtype=float)
    series = np.zeros(len(values), np.int64)
    steps = np.diff(times)
    # The oracle counts readings where we count seconds: it is asked stretch by stretch between gaps.
    edges = np.r_[0, np.flatnonzero(steps > STEP) + 1, len(values)]
    longest = [slice(first, last) for first, last in itertools.pairwise(edges) if last - first > 30]
    for part in longest:
        compare(series[part], times[part], values[part], 0.1)
    flags = flag_all(Readings(series, times, values), [read_limits("stage", "", "m", STEP, None)])
    shares = {int(flag): round(float((flags == flag).mean()), 5) for flag in np.unique(flags)}
    print(f"Vlissingen, {len(values)} readings in {len(longest)} stretches agree; usual limits flag {shares}")
    assert (flags == 1).mean() > 0.99


@settings(deadline=None, max_examples=60)
@given(several=st.lists(LEVELS, min_size=2, max_size=4))
def test_many_series_at_once_are_flagged_like_one_by_one(several: list[list[int | None]]) -> None:
    limits = [read_limits("stage", "", "m", STEP, None)] * len(several)
    alone = [flag_all(Readings(*make_arrays(levels)), limits[:1]) for levels in several]
    arrays = [make_arrays(levels) for levels in several]
    number = np.repeat(np.arange(len(several)), [len(levels) for levels in several])
    together = Readings(number, np.concatenate([a[1] for a in arrays]), np.concatenate([a[2] for a in arrays]))
    np.testing.assert_array_equal(flag_all(together, limits), np.concatenate(alone))


def test_a_silence_makes_suspect_what_comes_after_it_and_no_more() -> None:
    times = np.array([0.0, 600.0, 9000.0, 9600.0])
    flags = flag_gap(np.zeros(4, np.int64), times, np.ones(4), 1800.0)
    assert flags.tolist() == [2, 1, 3, 1]
    theirs = oracle.time_gap_test(as_moments(times), 0.5)
    assert theirs.tolist() == [1, 1, 4, 1], "there a fail, which would drop the first good value after an outage"


def test_stuck_is_told_by_time_where_readings_come_unevenly() -> None:
    times = np.array([0.0, 60.0, 120.0, 7000.0, 7060.0, 7120.0])
    series, values = np.zeros(6, np.int64), np.array([1.0, 1.0, 1.0, 1.2, 1.2, 1.2])
    assert flag_flat_line(series, times, values, 600.0, np.inf, 0.01).tolist() == [1] * 6
    values[3:] = 1.0
    assert flag_flat_line(series, times, values, 600.0, np.inf, 0.01).tolist() == [1, 1, 1, 1, 3, 3]


def test_without_a_limit_nothing_is_evaluated() -> None:
    none = read_limits("a colour", "", "1", None, None)
    flags = flag_all(Readings(np.zeros(3, np.int64), np.arange(3.0), np.array([1.0, np.nan, 9e9])), [none])
    assert flags.tolist() == [2, 9, 2]
    assert flag_neighbours(np.ones(2), np.array([np.nan, 1.5]), 0.2, 1.0).tolist() == [2, 3]


def test_limits_go_by_property_and_unit_and_can_be_replaced() -> None:
    metres, centimetres = (read_limits("stage", "", unit, STEP, None) for unit in ("m", "cm"))
    assert centimetres.spike_fail == pytest.approx(100 * metres.spike_fail)
    by_definition = read_limits("17", "http://x.org/water_surface_height_above_reference_datum", "m", STEP, None)
    assert by_definition == metres
    own = read_limits("stage", "", "m", STEP, '{"spike_test": null, "gross_range_test": {"fail_span": [3, -1]}}')
    assert (own.spike_fail, own.fail_low, own.fail_high) == (np.inf, -1.0, 3.0)
    assert own.rate_fail == metres.rate_fail
    assert read_limits("stage", "", "Pa", STEP, None).fail_high == np.inf


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ('{"spike": {}}', "there is no quality test 'spike'"),
        ('{"spike_test": 3}', "spike_test '3' cannot be read"),
        ('{"spike_test": {"suspect_threshold": "much"}}', "suspect_threshold of spike_test is 'much'"),
        ('{"gross_range_test": {"fail_span": [1]}}', r"expected 2 number\(s\)"),
        ('{"gross_range_test": {"fail_span": [0, 1], "suspect_span": [0, 2]}}', "lies outside its fail_span"),
        ('{"neighbours_test": {"suspect_threshold": 1}}', "names no neighbours"),
        ("[]", "is no object of tests"),
    ],
)
def test_limits_that_cannot_be_read_are_named(tests: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_limits("stage", "", "m", STEP, tests)
