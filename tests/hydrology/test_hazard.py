"""Classes of depth times velocity against the limits of the guideline and each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrology.hazard import HAZARD_LIMITS, WET_DEPTH, classify_hazard
from layers.errors import InputError

SPEED = st.floats(0.0, 6.0, width=32)
DEPTH = st.floats(float(np.float32(WET_DEPTH)), 6.0, width=32)


@pytest.mark.parametrize(
    ("depth", "velocity", "code"),
    [
        # The corners of the curves in AIDR Guideline 7-3 (2017): still water by depth, then fast water.
        (0.3, 0.0, 1), (0.31, 0.0, 2), (0.5, 0.0, 2), (0.51, 0.0, 3), (1.2, 0.0, 3), (1.21, 0.0, 4), (2.0, 0.0, 4),
        (2.01, 0.0, 5), (4.0, 0.0, 5), (4.01, 0.0, 6),
        (0.15, 2.0, 1), (0.15, 2.01, 5), (0.2, 2.0, 2), (0.31, 2.0, 4), (0.5, 2.0, 4), (0.51, 2.0, 5), (1.0, 4.0, 5),
        (1.0, 4.01, 6), (0.1, 4.1, 6), (1.2, 0.5, 3), (1.2, 0.6, 4),
    ],
)  # fmt: skip
def test_classes_end_at_the_limits_of_the_guideline(depth: float, velocity: float, code: int) -> None:
    found = classify_hazard(np.array([depth], dtype=np.float32), np.array([velocity], dtype=np.float32))
    assert found.tolist() == [code]


def test_dry_ground_and_the_outside_have_no_class() -> None:
    depth = np.array([[0.0, 0.04, np.nan], [0.05, 1.0, 1.0]])
    velocity = np.array([[0.0, 5.0, 0.0], [0.0, np.nan, 0.0]])
    assert classify_hazard(depth, velocity).tolist() == [[0, 0, 0], [1, 0, 3]]


def test_a_known_product_is_used_instead_of_that_of_the_peaks() -> None:
    depth, velocity = np.array([1.0]), np.array([1.5])
    assert classify_hazard(depth, velocity).tolist() == [5]
    assert classify_hazard(depth, velocity, np.array([0.5])).tolist() == [3]


@given(DEPTH, SPEED, DEPTH, SPEED)
def test_deeper_and_faster_water_is_never_safer(d: float, v: float, more_d: float, more_v: float) -> None:
    low, high = sorted((d, more_d)), sorted((v, more_v))
    calm, wild = classify_hazard(np.array(low), np.array(high)).tolist()
    assert 1 <= calm <= wild <= HAZARD_LIMITS[-1].code


def test_shapes_must_agree() -> None:
    with pytest.raises(InputError, match=r"velocity \(2,\) and their product \(2,\)|depth has shape \(2,\), velocity"):
        classify_hazard(np.zeros(2), np.zeros(2), np.zeros(3))
