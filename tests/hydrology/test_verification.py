"""Scores: the CRPS of a known distribution, contingency tables, the first right lead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from hydrology.verification import (
    compute_crps,
    compute_exceedance,
    compute_reliability,
    count_warnings,
    find_first_right_lead,
)
from layers.errors import InputError

SEVEN = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


def test_crps_of_a_normal_forecast_is_the_known_one() -> None:
    levels = np.linspace(0.005, 0.995, 199)
    measured = np.random.default_rng(0).standard_normal(4000)
    quantiles = np.tile(ndtri(levels), (measured.size, 1))
    # Gneiting and Raftery 2007, eq. 21: 2 phi(z) + z (2 Phi(z) - 1) - 1/sqrt(pi), on average 1/sqrt(pi).
    assert compute_crps(quantiles, levels, measured) == pytest.approx(1.0 / np.sqrt(np.pi), rel=0.03)
    seven = np.tile(ndtri(SEVEN), (measured.size, 1))
    assert compute_crps(seven, SEVEN, measured) == pytest.approx(1.0 / np.sqrt(np.pi), rel=0.06)
    np.testing.assert_allclose(compute_reliability(seven, measured), SEVEN, atol=0.03)


def test_crps_of_one_number_is_its_absolute_error() -> None:
    assert compute_crps(np.array([[1.0], [np.nan], [3.0]]), (0.5,), np.array([0.0, 9.0, 5.0])) == 1.5
    with pytest.raises(InputError, match="expected"):
        compute_crps(np.zeros((3, 2)), (0.5,), np.zeros(3))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=40), st.floats(-1, 1))
def test_every_event_is_a_hit_or_a_miss(pairs: list[tuple[float, float]], level: float) -> None:
    told, came = np.array(pairs).T
    found = count_warnings(told, came, level)
    assert found.hits + found.misses == (came >= level).sum()
    assert found.hits + found.false_alarms == (told >= level).sum()
    assert np.isnan(found.csi) or 0.0 <= found.csi <= min(found.pod if found.misses + found.hits else 0.0, 1.0)


def test_the_first_right_lead_is_the_longest_that_held() -> None:
    leads = np.array([1.0, 3.0, 6.0, 12.0, 24.0])
    assert find_first_right_lead(leads, np.array([2.1, 2.2, 2.0, 1.5, 2.4]), 2.0) == 6.0
    assert find_first_right_lead(leads, np.array([2.1, np.nan, 2.0, 2.0, 2.4]), 2.0) == 24.0
    assert find_first_right_lead(leads, np.array([1.0, 3.0, 3.0, 3.0, 3.0]), 2.0) is None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=7, max_size=7), st.floats(-5, 5), st.floats(0, 2))
def test_a_higher_level_is_exceeded_no_more_often(values: list[float], level: float, more: float) -> None:
    quantiles = np.sort(np.array(values))[None, :]
    low, high = (compute_exceedance(quantiles, SEVEN, at)[0] for at in (level, level + more))
    assert 0.0 <= high <= low <= 1.0


def test_the_exceedance_of_a_quantile_is_its_share() -> None:
    quantiles = np.array([[1.0, 1.1, 1.3, 1.5, 1.8, 2.0, 2.2]])
    for level, value in zip(SEVEN, quantiles[0], strict=True):
        assert compute_exceedance(quantiles, SEVEN, value)[0] == pytest.approx(1.0 - level)
    assert compute_exceedance(quantiles, SEVEN, 9.0)[0] == 0.0
    assert compute_exceedance(quantiles, SEVEN, -9.0)[0] == 1.0
