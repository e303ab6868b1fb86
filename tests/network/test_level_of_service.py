"""Grades of streets: the exhibit's own bounds, and that worse traffic never grades better."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network.level_of_service import (
    GRADES,
    UNGRADED,
    compute_time_index,
    estimate_queue_growth,
    grade_speed,
    grade_volume,
)

SHARES = st.floats(0.0, 2.0, allow_nan=False)


def test_grades_by_speed_are_those_of_the_exhibit() -> None:
    grades = grade_speed([50.0, 40.1, 40.0, 33.5, 33.4, 25.0, 20.0, 15.1, 15.0, 0.0], 50.0)
    assert "".join(GRADES[grade] for grade in grades) == "AABCCDEEFF"
    assert grade_speed(50.0, 50.0, 1.01) == GRADES.index("F")
    assert list(grade_speed([np.nan, 30.0, 30.0], [50.0, 0.0, np.nan])) == [UNGRADED] * 3


def test_grades_by_volume() -> None:
    assert "".join(GRADES[grade] for grade in grade_volume([0.0, 0.6, 0.61, 0.75, 0.9, 1.0, 1.01])) == "AABCDEF"
    assert grade_volume(np.nan) == UNGRADED


@given(SHARES, SHARES)
def test_worse_traffic_never_grades_better(one: float, other: float) -> None:
    slow, fast = sorted((one, other))
    assert grade_speed(slow, 1.0) >= grade_speed(fast, 1.0)
    assert grade_volume(slow) <= grade_volume(fast)
    assert grade_speed(slow, 1.0, fast) >= grade_speed(slow, 1.0, min(fast, 1.0))
    assert compute_time_index(slow, 1.0) >= compute_time_index(fast, 1.0) >= 1.0


def test_a_queue_grows_by_the_shock_wave_between_what_comes_and_what_leaves() -> None:
    # 1,800 veh/h at 36 km/h are 0.05 veh/m; a jam of one lane is 1/7.5: (1800 - 900) / (0.13333 - 0.05) m/h.
    assert estimate_queue_growth(1800.0, 900.0, 36.0, 1.0) == pytest.approx(10_800.0)
    assert estimate_queue_growth(900.0, 1800.0, 36.0, 1.0) < 0.0
    assert np.isnan(estimate_queue_growth(1800.0, 900.0, 5.0, 1.0))
