"""Depth-damage curves: the published figures, curves of a city's own, and what cannot be a curve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrology.damage import (
    DAMAGE_CURVES,
    DamageCurve,
    compute_damage,
    compute_damage_factor,
    estimate_building_value,
    read_damage_table,
)
from layers.errors import InputError

# Table of average continental damage functions, Asia, two digits as printed in the report (doi:10.2760/16510).
PRINTED = {
    "residential": [0.00, 0.33, 0.49, 0.62, 0.72, 0.87, 0.93, 0.98, 1.00],
    "commercial": [0.00, 0.38, 0.54, 0.66, 0.76, 0.88, 0.94, 0.98, 1.00],
    "industrial": [0.00, 0.28, 0.48, 0.63, 0.72, 0.86, 0.91, 0.96, 1.00],
    "transport": [0.00, 0.36, 0.57, 0.73, 0.85, 1.00, 1.00, 1.00, 1.00],
    "roads": [0.00, 0.21, 0.37, 0.60, 0.71, 0.81, 0.89, 0.97, 1.00],
    "agriculture": [0.00, 0.14, 0.37, 0.52, 0.56, 0.66, 0.83, 0.99, 1.00],
}


@pytest.mark.parametrize("name", DAMAGE_CURVES)
def test_curves_are_those_of_the_report(name: str) -> None:
    depths = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0])
    # Half of the last printed digit, and one unit of the third digit that is stored.
    assert compute_damage_factor(depths, DAMAGE_CURVES[name]) == pytest.approx(PRINTED[name], abs=0.006)


@given(st.sampled_from(sorted(DAMAGE_CURVES)), st.floats(-1.0, 20.0), st.floats(-1.0, 20.0))
def test_deeper_water_never_costs_less(name: str, first: float, second: float) -> None:
    low, high = compute_damage_factor(np.array(sorted((first, second))), DAMAGE_CURVES[name])
    assert 0.0 <= low <= high <= 1.0


def test_damage_is_factor_times_value_times_area() -> None:
    curve = DamageCurve((0.0, 1.0), (0.2, 0.6), "made up")
    # Dry: none, though the curve starts at 0.2; half way 0.4; beyond the last depth 0.6; outside unknown.
    depth = np.array([0.0, 0.5, 3.0, np.nan])
    assert compute_damage_factor(depth, curve) == pytest.approx([0.0, 0.4, 0.6, np.nan], nan_ok=True)
    damage = compute_damage(depth, curve, 1000.0, np.array([50.0, 100.0, 10.0, 1.0]))
    assert damage == pytest.approx([0.0, 40_000.0, 6_000.0, np.nan], nan_ok=True)
    with pytest.raises(InputError, match=r"smallest area -1\.0 m2"):
        compute_damage(depth, curve, 1000.0, -1.0)


@pytest.mark.parametrize(
    ("depths", "factors", "words"),
    [
        ((0.0, 1.0), (0.0,), "2 depths and 1 factors"),
        ((0.0,), (0.0,), "two or more"),
        ((0.0, 1.0, 1.0), (0.0, 0.1, 0.2), "ascending from 0"),
        ((-1.0, 1.0), (0.0, 0.1), "ascending from 0"),
        ((0.0, 1.0), (0.5, 0.4), "never fall"),
        ((0.0, 1.0), (0.0, 25.0), "write 25 % as 0.25"),
        ((0.0, 1.0), (0.0, float("nan")), "shares from 0 to 1"),
    ],
)
def test_what_is_no_curve_is_named(depths: tuple[float, ...], factors: tuple[float, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        DamageCurve(depths, factors, "made up")


def test_a_city_gives_values_and_curves_of_its_own() -> None:
    table = read_damage_table(
        {
            "residential": {"value_per_m2": 6_000_000},
            "market_hall": {"depths": [0, 2], "factors": [0, 1], "source": "survey", "value_per_m2": 1e6},
        }
    )
    assert table.values == {"residential": 6_000_000.0, "market_hall": 1e6}
    assert table.curves["residential"] == DAMAGE_CURVES["residential"]
    assert table.curves["market_hall"] == DamageCurve((0.0, 2.0), (0.0, 1.0), "survey")
    assert read_damage_table({}).curves == DAMAGE_CURVES


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"residential": {"value": 5}}, "'residential' has 'value', expected one of"),
        ({"castle": {"value_per_m2": 5}}, "'castle' has no curve"),
        ({"residential": {"value_per_m2": "much"}}, "value_per_m2 of damage class 'residential' is 'much'"),
        ({"residential": {"value_per_m2": -1}}, "is -1, expected a positive number"),
        ({"roads": {"depths": [0, 1], "factors": [0, 1]}}, "depths, factors and source together"),
        ({"roads": {"depths": [0, "x"], "factors": [0, 1], "source": "s"}}, "curve of damage class 'roads' is no list"),
        ({"roads": {"depths": [0, 1], "factors": [1, 0], "source": "s"}}, "damage class 'roads': .* never fall"),
    ],
)
def test_what_a_city_cannot_give_is_named(given: dict[str, dict[str, object]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_damage_table(given)


def test_building_values_are_those_of_the_workbook() -> None:
    # Sheets MaxDamage of the report's workbook [EUR of 2010/m2], building based, total; GDP per head of 2010 in USD of
    # 2010 from the World Bank: Viet Nam 1,334, India 1,419. Coefficients have five digits, GDP four: 0.2 %.
    found = [estimate_building_value(name, 1334.0) for name in ("residential", "commercial")]
    assert found == pytest.approx([207.86, 317.03], rel=2e-3)
    india = [estimate_building_value(name, 1419.0) for name in ("residential", "commercial", "industrial")]
    assert india == pytest.approx([212.78, 323.98, 293.10], rel=2e-3)
    with pytest.raises(InputError, match="'roads', expected one of"):
        estimate_building_value("roads", 1334.0)
    with pytest.raises(InputError, match="GDP per head is 0"):
        estimate_building_value("residential", 0.0)
