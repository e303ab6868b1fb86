"""Infiltration: golden cases, never more than there is, what is taken is accounted for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq

from hydrology.infiltration import (
    COVER_LOSSES,
    SOILS,
    CurveNumber,
    GreenAmpt,
    InitialConstant,
    Losses,
    compute_retention,
    describe_soil,
    step,
)
from hydrology.parameters import MANNINGS_N
from layers.errors import InputError

HOUR = 3600.0
DEPTHS = arrays(np.float64, (4, 3), elements=st.floats(0.0, 0.2))
SHARES = arrays(np.float64, (4, 3), elements=st.floats(0.0, 1.0))


def make_losses(kind: str, impervious: np.ndarray) -> Losses:
    if kind == "curve_number":
        return CurveNumber(compute_retention(np.linspace(40.0, 100.0, 12).reshape(4, 3)), np.array(0.2), impervious)
    if kind == "initial_constant":
        return InitialConstant(np.linspace(0.0, 0.01, 12).reshape(4, 3), np.array(2e-6), impervious)
    return describe_soil(kind, 0.3, storage=np.linspace(0.0, 0.3, 12).reshape(4, 3), impervious=impervious)


def rain_on(losses: Losses, intensity: float, dt: float, steps: int) -> np.ndarray:
    """Cumulative infiltration [m] after each step of steady rain [m/s] that runs off as soon as it is not taken."""
    cumulative, rain, ponded = np.zeros(()), np.array(intensity * dt), np.zeros(())
    found = []
    for _ in range(steps):
        step(rain, ponded, dt, cumulative, losses)
        found.append(float(cumulative))
    return np.array(found)


def test_ponded_green_ampt_is_the_textbooks() -> None:
    # Chow, Maidment and Mays 1988, example 4.3.1: silt loam, 30 % effective saturation: 3.17 cm in the first hour.
    # The water comes as heavy rain, which ponds at once and, unlike standing water, has no head of its own.
    soil, cumulative = describe_soil("silt_loam", 0.3, storage=np.inf, impervious=0.0), np.zeros(())
    step(np.array(50.0), np.zeros(()), HOUR, cumulative, soil)
    assert 100.0 * float(cumulative) == pytest.approx(3.17, abs=0.01)


@pytest.mark.parametrize("dt", [60.0, 300.0, HOUR])
def test_ponding_time_and_infiltration_after_it(dt: float) -> None:
    # Same book, example 5.4.1 and 5.4.2: rain of 5 cm/h ponds after 0.17 h; 3.02 cm have gone in after one hour.
    soil = describe_soil("silt_loam", 0.3, storage=np.inf, impervious=0.0)
    found = 100.0 * rain_on(soil, 0.05 / HOUR, dt, int(HOUR / dt))
    assert found[-1] == pytest.approx(3.02, abs=0.01)
    times = np.arange(1, found.size + 1) * dt
    ponds = 0.65 * 16.68 * 0.340 / (5.0 * (5.0 - 0.65)) * HOUR
    assert ponds == pytest.approx(0.17 * HOUR, abs=0.003 * HOUR)
    assert found[times <= ponds] == pytest.approx(5.0 * times[times <= ponds] / HOUR), "all the rain until it ponds"
    assert (found[times > ponds] < 5.0 * times[times > ponds] / HOUR).all()


@pytest.mark.parametrize("texture", SOILS)
def test_steps_add_up_to_mein_and_larson(texture: str) -> None:
    # Steady rain: F - Fp - S ln((F + S) / (Fp + S)) = K (t - tp), solved here by bisection.
    soil, intensity, time = describe_soil(texture, 0.5, storage=np.inf, impervious=0.0), 3.0e-5, 2.0 * HOUR
    k, s = float(soil.conductivity), float(soil.suction * soil.deficit)
    expected = intensity * time
    if intensity > k and (first := k * s / (intensity - k)) < expected:
        left = k * (time - first / intensity)
        expected = brentq(lambda f: f - first - s * np.log((f + s) / (first + s)) - left, first, intensity * time)
    assert rain_on(soil, intensity, 45.0, 160)[-1] == pytest.approx(expected, rel=1e-6)


def test_standing_water_pushes_and_full_ground_takes_nothing() -> None:
    soil = describe_soil("clay", 0.2, storage=np.array([np.inf, np.inf, 0.004]), impervious=np.zeros(3))
    cumulative, ponded = np.zeros(3), np.array([0.05, 2.0, 0.05])
    for _ in range(200):
        step(np.zeros(3), ponded, 60.0, cumulative, soil)
    assert cumulative[0] < cumulative[1]
    assert cumulative[2] == pytest.approx(0.004)


def test_rock_takes_nothing() -> None:
    soil = GreenAmpt(np.zeros(2), np.ones(2), np.array([0.3, 0.0]), np.full(2, np.inf), np.zeros(2))
    assert step(np.full(2, 0.01), np.array([0.0, 0.1]), 60.0, np.zeros(2), soil).tolist() == [0.0, 0.0]


def test_curve_number_in_steps_is_the_handbooks_storm() -> None:
    # USDA 1986, TR-55, figure 2-1 and table 2-1: 5 inches of rain on curve number 80 give 2.89 inches of runoff.
    losses = CurveNumber(compute_retention(80.0), np.array(0.2), np.array(0.0))
    taken = rain_on(losses, 5.0 * 0.0254 / HOUR, 60.0, 60)[-1]
    assert 5.0 - taken / 0.0254 == pytest.approx(2.89, abs=0.005)
    once = rain_on(losses, 5.0 * 0.0254 / HOUR, HOUR, 1)[-1]
    assert taken == pytest.approx(once, rel=1e-9), "the number of steps does not matter"


def test_initial_loss_comes_first() -> None:
    losses = InitialConstant(np.array(0.010), np.array(0.005 / HOUR), np.array(0.0))
    # 40 mm/h: the first 10 mm fall in 15 minutes, then 5 mm/h for 45 minutes.
    assert rain_on(losses, 0.04 / HOUR, HOUR, 1)[-1] == pytest.approx(0.010 + 0.00375)
    assert rain_on(losses, 0.04 / HOUR, 60.0, 60)[-1] == pytest.approx(0.010 + 0.00375)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["sand", "clay", "curve_number", "initial_constant"]),
    st.lists(DEPTHS, min_size=1, max_size=5),
    SHARES,
    st.floats(1.0, 3600.0),
)
def test_it_takes_no_more_than_there_is_and_keeps_account(
    kind: str, rains: list[np.ndarray], impervious: np.ndarray, dt: float
) -> None:
    losses, cumulative = make_losses(kind, impervious), np.zeros((4, 3))
    ponded, left = np.zeros((4, 3)), np.zeros((4, 3))
    for rain in rains:
        before = cumulative.copy()
        taken = step(rain, ponded, dt, cumulative, losses)
        assert (taken >= 0.0).all() and (taken <= (rain + ponded) * (1.0 + 1e-12)).all()
        assert taken == pytest.approx((1.0 - impervious) * (cumulative - before), abs=1e-12)
        ponded = np.maximum(ponded + rain - taken, 0.0)
        left += taken
    assert left + ponded == pytest.approx(sum(rains), abs=1e-9)
    assert left[impervious == 1.0] == pytest.approx(0.0)


@given(st.sampled_from(["sand", "silty_clay"]), st.floats(0.0, 0.05), st.floats(0.0, 0.05))
def test_more_rain_is_never_less_infiltration(kind: str, rain: float, more: float) -> None:
    soil = describe_soil(kind, 0.1, storage=np.full(2, np.inf), impervious=np.zeros(2))
    taken = step(np.array([rain, rain + more]), np.zeros(2), 600.0, np.zeros(2), soil)
    assert taken[1] >= taken[0] - 1e-9


def test_covers_are_those_of_roughness_and_give_tr_55s_town_houses() -> None:
    assert set(COVER_LOSSES) == set(MANNINGS_N)
    urban = COVER_LOSSES["urban"]
    composite = urban.impervious * 98.0 + (1.0 - urban.impervious) * np.array(urban.curve_numbers)
    assert np.round(composite).tolist() == [77.0, 85.0, 90.0, 92.0]
    for name, cover in COVER_LOSSES.items():
        assert list(cover.curve_numbers) == sorted(cover.curve_numbers), name
        assert 0.0 <= cover.initial < 0.01 and 0.0 <= cover.impervious <= 1.0, name


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: describe_soil("mud", 0.2, storage=1.0, impervious=0.0), "texture is 'mud', expected one of sand"),
        (lambda: describe_soil("clay", 1.2, storage=1.0, impervious=0.0), "saturation is 1.2"),
        (lambda: describe_soil("clay", 0.2, storage=1.0, impervious=np.array([0.0, 2.0])), "impervious is 2"),
        (lambda: describe_soil("clay", 0.2, storage=np.array(np.nan), impervious=0.0), "storage is nan"),
        (lambda: CurveNumber(np.zeros(2), np.zeros(3), np.zeros(2)), r"differ in shape: retention \(2,\)"),
        (lambda: compute_retention(0.0), "curve number is 0"),
        (lambda: step(np.zeros(2), np.zeros(3), 1.0, np.zeros(3), make_zero(3)), r"rain of shape \(2,\)"),
        (lambda: step(np.zeros(3), np.zeros(3), 0.0, np.zeros(3), make_zero(3)), "step is 0 s"),
    ],
)
def test_what_cannot_be_is_named(make, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


def make_zero(count: int) -> InitialConstant:
    return InitialConstant(np.zeros(count), np.zeros(count), np.zeros(count))
