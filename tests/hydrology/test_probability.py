"""Probability of depth from members: small ensembles worked out by hand, and against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrology.probability import compute_probability
from layers.errors import InputError


def row(*values: float) -> np.ndarray:
    return np.array([values], dtype=np.float32)


def test_shares_of_members_that_reach_a_depth() -> None:
    # Cell 0: 0, 0.1, 0.3, 0.6; cell 1 dry; cell 2 is the river in all, cell 3 in one of the members.
    members = [
        row(0.0, 0.0, np.nan, 1.0),
        row(0.1, 0.0, np.nan, 1.0),
        row(0.3, 0.0, np.nan, np.nan),
        row(0.6, 0, np.nan, 1),
    ]
    found = compute_probability(iter(members))
    assert found.members == 4
    assert list(found.probability) == [0.1, 0.3, 0.5]
    for threshold, share in zip((0.1, 0.3, 0.5), (0.75, 0.5, 0.25), strict=True):
        assert found.probability[threshold] == pytest.approx(row(share, 0.0, np.nan, np.nan), nan_ok=True)
        assert found.probability[threshold].dtype == np.float32
    assert found.expected == pytest.approx(row(0.25, 0.0, np.nan, np.nan), nan_ok=True)
    assert found.quantiles == {}


def test_weights_count_members_and_need_no_sum() -> None:
    members = [row(0.0), row(0.2), row(0.4)]
    found = compute_probability(members, thresholds=(0.2, 0.3), weights=(1.0, 1.0, 2.0), quantiles=(0.5, 0.51))
    assert found.probability[0.2][0, 0] == pytest.approx(0.75)
    assert found.probability[0.3][0, 0] == pytest.approx(0.5)
    assert found.expected[0, 0] == pytest.approx(0.25)
    # Half of the weight lies at 0.2 m or below, more only at 0.4 m.
    assert [found.quantiles[q][0, 0] for q in (0.5, 0.51)] == pytest.approx([0.2, 0.4])


@given(st.integers(1, 12), st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_quantiles_are_those_of_numpy(count: int, seed: int, quantile: float) -> None:
    depths = np.random.default_rng(seed).uniform(0.0, 3.0, (count, 70, 2)).astype(np.float32)
    found = compute_probability(depths, quantiles=(quantile,)).quantiles[quantile]
    expected = np.quantile(depths, quantile, axis=0, method="inverted_cdf")
    # Members are kept to the millimetre: half of one, and the rounding of float32.
    assert np.abs(found - expected).max() <= 0.5e-3 + 1e-6


def test_a_weight_of_zero_is_as_no_member() -> None:
    members = [row(0.2, 1.0), row(0.4, 0.0), row(5.0, 5.0)]
    two = compute_probability(members[:2], quantiles=(0.9,))
    three = compute_probability(members, weights=(1.0, 1.0, 0.0), quantiles=(0.9,))
    np.testing.assert_array_equal(two.expected, three.expected)
    np.testing.assert_array_equal(two.quantiles[0.9], three.quantiles[0.9])


def test_what_cannot_be_an_ensemble_is_named() -> None:
    with pytest.raises(InputError, match="0 members with weight"):
        compute_probability([])
    with pytest.raises(InputError, match="1 members with weight"):
        compute_probability([row(1.0)], weights=(0.0,))
    with pytest.raises(InputError, match=r"member 1 has shape \(1, 2\), expected \(rows, cols\) \(1, 1\)"):
        compute_probability([row(1.0), row(1.0, 2.0)])
    with pytest.raises(InputError, match="1 weights and more members"):
        compute_probability([row(1.0), row(1.0)], weights=(1.0,))
    with pytest.raises(InputError, match="3 weights and 2 members"):
        compute_probability([row(1.0), row(1.0)], weights=(1.0, 1.0, 1.0))
    with pytest.raises(InputError, match="weight 1 is -1"):
        compute_probability([row(1.0), row(1.0)], weights=(1.0, -1.0))
    with pytest.raises(InputError, match=r"quantile is 0\.0"):
        compute_probability([row(1.0)], quantiles=(0.0,))
