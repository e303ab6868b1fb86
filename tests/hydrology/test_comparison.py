"""Differences of runs, benefits of measures and yearly damage, each worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrology.comparison import (
    Case,
    FloodFigures,
    compare_depths,
    compute_annual_damage,
    compute_benefit,
    tabulate_annual_damage,
    tabulate_benefits,
)
from layers.errors import InputError


def figures(damage: float | None, people: float = 100.0) -> FloodFigures:
    return FloodFigures(1000.0, people, 10.0, 500.0, damage)


def test_where_the_water_differs() -> None:
    before = np.array([[0.0, 0.2, 0.5, np.nan, 0.5]], dtype=np.float32)
    after = np.array([[0.1, 0.0, 0.3, 0.5, np.nan]], dtype=np.float32)
    found = compare_depths(before, after)
    assert found.change == pytest.approx(np.array([[0.1, -0.2, -0.2, np.nan, np.nan]]), nan_ok=True, abs=1e-7)
    assert found.change.dtype == np.float32
    assert found.wetted.tolist() == [[True, False, False, False, False]]
    assert found.dried.tolist() == [[False, True, False, False, False]]
    assert not compare_depths(before, after, wet_depth=0.6).dried.any()
    with pytest.raises(InputError, match=r"before has shape \(1, 5\)"):
        compare_depths(before, after[:, :3])


def test_what_a_measure_saves() -> None:
    without, with_it = FloodFigures(1000.0, 200.0, 10.0, 0.0, 8e9), FloodFigures(400.0, 50.0, 12.0, 0.0, 2e9)
    found = compute_benefit(without, with_it)
    assert found.saved == FloodFigures(600.0, 150.0, -2.0, 0.0, 6e9)
    assert found.share == pytest.approx(
        {"flooded_area": 0.6, "people": 0.75, "buildings": -0.2, "road_length": None, "damage": 0.75}
    )
    unknown = compute_benefit(without, figures(None))
    assert unknown.saved.damage is None and unknown.share["damage"] is None


def test_annual_damage_is_the_area_under_damage_over_probability() -> None:
    # p 0.5, 0.1, 0.01 with 0, 100, 1000: 50 × 0.4 + 550 × 0.09 = 69.5, and 1000 × 0.01 beyond the rarest.
    assert compute_annual_damage([2.0, 10.0, 100.0], [0.0, 100.0, 1000.0]) == pytest.approx(79.5)
    assert compute_annual_damage([100.0, 2.0, 10.0], [1000.0, 0.0, 100.0]) == pytest.approx(79.5)
    # The same with the event that does nothing left out, and where damage starts said instead.
    assert compute_annual_damage([10.0, 100.0], [100.0, 1000.0], damage_from=2.0) == pytest.approx(79.5)
    # A dyke that holds up to the first event: the step at 10 years has no area of its own.
    assert compute_annual_damage([10.0, 100.0], [100.0, 1000.0], damage_from=10.0) == pytest.approx(59.5)
    assert compute_annual_damage([10.0, 100.0], [100.0, 1000.0]) == pytest.approx(59.5)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=8, unique=True), st.floats(0.0, 1e12))
def test_a_damage_that_is_always_the_same_costs_its_share_of_years(periods: list[int], damage: float) -> None:
    found = compute_annual_damage(periods, [damage] * len(periods))
    assert found == pytest.approx(damage / min(periods), rel=1e-9)


@pytest.mark.parametrize(
    ("periods", "damages", "start", "words"),
    [
        ([10.0], [1.0], None, "1 return periods and 1 damages"),
        ([10.0, 20.0], [1.0], None, "2 return periods and 1 damages"),
        ([0.5, 20.0], [1.0, 2.0], None, "different numbers from 1 on"),
        ([20.0, 20.0], [1.0, 2.0], None, "different numbers from 1 on"),
        ([10.0, 20.0], [1.0, -2.0], None, "not below 0"),
        ([10.0, 20.0], [1.0, 2.0], 15.0, "damage_from is 15.0 years, expected from 1 to 10"),
    ],
)
def test_events_that_make_no_year_are_named(
    periods: list[float], damages: list[float], start: float | None, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        compute_annual_damage(periods, damages, damage_from=start)


def make_study() -> list[Case]:
    """Two events, two climates, no measure or a pump; a flood of the past with no return period."""
    cases = []
    for climate, factor in (("today", 1.0), ("2050", 2.0)):
        for period, damage in ((10.0, 100.0), (100.0, 1000.0)):
            for measure, left in (("none", 1.0), ("pump", 0.4)):
                found = figures(damage * factor * left, people=damage * left)
                cases.append(Case(f"T{period:g}", climate, measure, found, period))
    cases += [Case("2022", "today", measure, figures(50.0 * left)) for measure, left in (("none", 1.0), ("pump", 0.5))]
    return cases


def test_a_study_as_tables() -> None:
    rows = tabulate_benefits(make_study(), "none")
    assert len(rows) == 10
    saved = {(row.case.event, row.case.climate, row.case.measure): row.benefit for row in rows}
    assert saved["T100", "2050", "pump"].saved.damage == pytest.approx(1200.0)
    assert saved["T100", "2050", "pump"].share["people"] == pytest.approx(0.6)
    assert saved["2022", "today", "pump"].saved.damage == pytest.approx(25.0)
    assert all(benefit.saved.damage == 0.0 for key, benefit in saved.items() if key[2] == "none")
    # 59.5 a year today without a measure (above), all else in proportion.
    annual = {
        (row.climate, row.measure): (row.damage, row.saved) for row in tabulate_annual_damage(make_study(), "none")
    }
    assert annual["today", "none"] == pytest.approx((59.5, 0.0))
    assert annual["today", "pump"] == pytest.approx((23.8, 35.7))
    assert annual["2050", "pump"] == pytest.approx((47.6, 71.4))


def test_a_study_with_gaps_is_named() -> None:
    cases = make_study()
    with pytest.raises(InputError, match="'T10' under climate 'today' has measure 'pump' but not 'none'"):
        tabulate_benefits(cases[1:], "none")
    with pytest.raises(InputError, match="climate 'today', measure 'none' is given twice"):
        tabulate_benefits([*cases, cases[0]], "none")
    with pytest.raises(InputError, match=r"'pump' under climate 'today' has return periods \[10.0\] and 'none'"):
        tabulate_annual_damage([case for case in cases if case != cases[3]], "none")
