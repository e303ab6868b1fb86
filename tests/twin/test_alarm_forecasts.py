"""The probability that a level is passed, from the quantiles of a forecast."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from twin.alarms.applying import Exceedance
from twin.alarms.forecasts import compute_exceedance, compute_probability
from twin.store_alarm_forecasts import PROBABILITIES, IssueRow

NORMAL = [float(value) for value in stats.norm(1.5, 0.2).ppf(PROBABILITIES)]
quantiles = st.lists(st.floats(-3, 3, width=32), min_size=7, max_size=7).map(sorted)


@pytest.mark.parametrize("level", [1.1, 1.3, 1.45, 1.5, 1.6, 1.75, 1.83])
def test_it_is_near_the_distribution_the_quantiles_came_from(level: float) -> None:
    # A straight line between the quartiles of a normal distribution is off by less than three in a hundred.
    assert compute_exceedance(level, NORMAL) == pytest.approx(stats.norm(1.5, 0.2).sf(level), abs=0.03)


def test_it_is_exact_at_the_quantiles() -> None:
    for probability, value in zip(PROBABILITIES, NORMAL, strict=True):
        assert compute_exceedance(value, NORMAL) == pytest.approx(1.0 - probability)


@settings(deadline=None)
@given(quantiles, st.floats(-5, 5), st.floats(0, 3))
def test_a_higher_level_is_never_more_probable(values: list[float], level: float, more: float) -> None:
    low, high = compute_exceedance(level, values), compute_exceedance(level + more, values)
    assert 0.0 <= high <= low + 1e-9 <= 1.0 + 1e-9


def test_only_leads_within_the_lead_count_and_below_is_the_mirror() -> None:
    rows = [(600.0, NORMAL), (7200.0, [value + 1.0 for value in NORMAL])]
    issue = IssueRow("s", 0.0, 1.0, rows)
    assert compute_probability(Exceedance("s", "above", 1.5, 3600.0), issue) == pytest.approx(0.5)
    assert compute_probability(Exceedance("s", "above", 1.5, 7200.0), issue) > 0.99
    assert compute_probability(Exceedance("s", "below", NORMAL[1], 7200.0), issue) == pytest.approx(0.1)
    assert compute_probability(Exceedance("s", "above", 1.5, 60.0), issue) == 0.0
