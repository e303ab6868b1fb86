"""Sums that climb with a leak and stay low without one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network.leaks.cusum import Crossing, CusumBank, choose_tried, compute_increments
from network.leaks.residuals import whiten
from tests.network.networks import PROPERTY


def run(values: np.ndarray, size: float, threshold: float) -> Crossing | None:
    bank, sizes, energy = CusumBank((1, 1), threshold), np.full((1, 1), size), np.ones(1)
    for step, value in enumerate(values):
        crossing = bank.add(compute_increments(np.array([value]), energy, sizes), step)
        if crossing is not None:
            return crossing
    return None


@PROPERTY
@given(
    size=st.floats(0.2, 4.0),
    ratio=st.floats(0.75, 3.0),
    threshold=st.floats(2.0, 30.0),
    before=st.integers(0, 50),
)
def test_a_step_without_noise_is_found_after_the_time_its_slope_gives(
    size: float, ratio: float, threshold: float, before: int
) -> None:
    true = ratio * size
    slope = size * (true - 0.5 * size)
    wanted = int(np.ceil(threshold / slope))
    crossing = run(np.concatenate((np.zeros(before), np.full(wanted + 2, true))), size, threshold)
    assert crossing is not None
    assert crossing.onset == before
    assert crossing.step - before in (wanted - 1, wanted)  # the sum may lie on the threshold within rounding


@settings(max_examples=25, deadline=None)
@given(size=st.floats(0.2, 4.0), share=st.floats(-3.0, 0.5))
def test_what_is_less_than_half_the_size_never_crosses(size: float, share: float) -> None:
    assert run(np.full(200, share * size), size, 1.0) is None


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_false_alarms_of_white_noise_stay_below_the_bound(seed: int) -> None:
    # Lorden 1971: a sum crosses 12 within n steps with a probability of n exp(-12) at most, 0.006 for 1,000 steps.
    values = np.random.default_rng(seed).standard_normal((1000, 1, 1))
    bank, count = CusumBank((1, 1), 12.0), 0
    for step, value in enumerate(values):
        if bank.add(compute_increments(value[0], np.ones(1), np.ones((1, 1))), step) is not None:
            count += 1
            bank.restart(step)
    assert count <= 1


def test_the_false_alarm_rate_is_that_of_the_threshold() -> None:
    """A sum of unit noise crosses 3 every 20 steps (Lorden's bound) to 200 (Siegmund's approximation: about 110)."""
    values = np.random.default_rng(7).standard_normal(20_000)
    bank, count = CusumBank((1, 1), 3.0), 0
    for step, value in enumerate(values):
        if bank.add(compute_increments(np.array([value]), np.ones(1), np.ones((1, 1))), step) is not None:
            count += 1
            bank.restart(step)
    assert 20.0 < len(values) / count < 200.0


def test_the_highest_of_many_sums_is_told() -> None:
    bank = CusumBank((2, 3), 5.0)
    increments = np.array([[1.0, 2.0, 3.0], [-1.0, 6.0, 5.5]])
    crossing = bank.add(increments, 9)
    assert crossing == Crossing(9, 0, (1, 1))
    bank.restart(10)
    assert bank.add(np.full((2, 3), -1.0), 10) is None
    assert bank.add(increments, 11) == Crossing(11, 11, (1, 1))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_increments_are_the_log_likelihood_ratio(sign: float) -> None:
    white, signature, size = np.array([0.3, -1.2, 0.7]), np.array([0.5, -0.4, 0.1]) * sign, 1.7
    with_leak = -0.5 * ((white - size * signature) ** 2).sum()
    without = -0.5 * (white**2).sum()
    got = compute_increments(np.array([white @ signature]), np.array([signature @ signature]), np.full((1, 1), size))
    assert got[0, 0] == pytest.approx(with_leak - without)


@PROPERTY
@given(seed=st.integers(0, 2**32 - 1), lost=st.integers(0, 3))
def test_what_was_not_read_speaks_for_nothing(seed: int, lost: int) -> None:
    chance = np.random.default_rng(seed)
    root = chance.standard_normal((4, 4)) + 4.0 * np.eye(4)
    covariance, read = root @ root.T, np.arange(4) != lost
    whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    values, signature = chance.standard_normal(4), chance.standard_normal(4)
    values[lost] = np.nan
    white = whiten(values[None], np.zeros(1, dtype=np.int64), whitening[None])[0]
    # The match and the square are those of the channels that were read, by their own covariance.
    own = np.linalg.inv(covariance[np.ix_(read, read)])
    assert white @ (whitening @ signature) == pytest.approx(signature[read] @ own @ values[read])
    assert white @ white == pytest.approx(values[read] @ own @ values[read])


def test_pipes_that_look_alike_are_tried_once() -> None:
    signatures = np.array([[[1.0, 0.0], [2.0, 0.1], [0.0, 1.0], [5.0, 0.0]]])
    visible = np.array([True, True, True, False])
    assert choose_tried(signatures, visible).tolist() == [0, 2]
    assert choose_tried(signatures, np.zeros(4, dtype=np.bool_)).size == 0
