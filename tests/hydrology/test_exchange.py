"""The exchange law regime by regime, and what holds for any numbers: signs, limits, no overshoot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hydrology.exchange import ExchangeParameters, compute_exchange, discharge_through, settle
from layers.errors import InputError

Array = NDArray[np.float64]

GRAVITY = 9.80665
ROOT = np.sqrt(2.0 * GRAVITY)
AREA, WIDTH = 0.5, 2.5  # area / width: 0.2 m
LEVEL = st.floats(-3.0, 3.0)


def law(stage: float, head: float) -> float:
    return discharge_through(stage, head, 0.0, AREA, WIDTH, 0.6, 0.54, 0.3, GRAVITY)


def exchange_one(stage: float, head: float, **changes: float) -> float:
    """One opening of 1 m2 in a cell of 25 m2 with its bed and crest at 0, over a shaft of 2 m2, step 2 s."""
    values = {"gain": 0.0, "last": 0.0, "cell": 25.0, "relaxation": 1.0, "damping": 1.0} | changes
    parameters = ExchangeParameters(
        orifice=0.6, relaxation=values.pop("relaxation"), damping=values.pop("damping"), donor_share=0.5
    )
    one = {name: np.array([value]) for name, value in values.items()}
    zero, area = np.zeros(1), np.ones(1)
    return float(
        compute_exchange(
            np.array([stage]), zero, zero, one["cell"], np.array([head]), one["gain"], 2.0 * area, area,
            3.5 * area, one["last"], 2.0, parameters,
        )[0]
    )  # fmt: skip


def test_regimes_follow_their_equations() -> None:
    # Chen et al. 2007 and Rubinato et al. 2017 (eq. 1 to 4), C = 0.6, 0.54, 0.3.
    assert law(0.1, -1.0) == pytest.approx(2.0 / 3.0 * 0.54 * WIDTH * ROOT * 0.1**1.5)
    assert law(1.0, -1.0) == pytest.approx(0.6 * AREA * ROOT)
    assert law(0.15, 0.1) == pytest.approx(0.3 * WIDTH * 0.15 * ROOT * np.sqrt(0.05))
    assert law(0.5, 0.1) == pytest.approx(0.6 * AREA * ROOT * np.sqrt(0.4))
    assert law(0.3, 0.7) == pytest.approx(-0.6 * AREA * ROOT * np.sqrt(0.4))
    # A surcharging node over a dry, lower street falls from its crest.
    assert law(-0.2, 0.7) == pytest.approx(-0.6 * AREA * ROOT * np.sqrt(0.7))


@given(LEVEL, LEVEL)
def test_water_goes_down_and_only_over_the_crest(stage: float, head: float) -> None:
    rate = law(stage, head)
    assert rate * (stage - head) >= 0.0
    if max(stage, head) <= 0.0 or stage == head:
        assert rate == 0.0


@given(st.floats(0.01, 5.0), st.floats(1e-4, 3.0), st.floats(-1.0, 1.0), st.floats(0.5, 100.0), st.floats(0.1, 60.0))
def test_settling_never_takes_more_than_there_is(
    rate: float, drop: float, gain: float, area: float, step: float
) -> None:
    mean = settle(rate, drop, gain, area, step)
    supply = area * drop / step + gain
    assert 0.0 <= mean <= max(supply, 0.0) * (1.0 + 1e-12)
    # The equation it solves: what the drop lost is what went through at its end.
    end = drop + (gain - mean) * step / area
    if supply > 0.0:
        assert mean == pytest.approx(rate * np.sqrt(max(end, 0.0) / drop), rel=1e-5, abs=1e-6)
    assert settle(-rate, drop, gain, area, step) == -mean


def test_steady_flow_stays_steady() -> None:
    # The drop at which the law passes what the pipes bring is where it stays.
    inflow = 0.8
    drop = (inflow / (0.6 * ROOT)) ** 2
    assert exchange_one(0.0, drop, gain=inflow) == pytest.approx(-inflow, rel=1e-12)


def test_an_opening_takes_at_most_its_share_of_the_cell() -> None:
    assert exchange_one(0.5, -5.0, cell=4.0) == pytest.approx(0.5 * 0.5 * 4.0 / 2.0)
    # Relaxation comes after the limit and holds part of the last rate, but never more than all the water there.
    assert exchange_one(0.5, -5.0, cell=4.0, last=20.0, relaxation=0.9) == pytest.approx(0.5 * 4.0 / 2.0)


def test_a_full_shaft_takes_what_its_pipes_carry_away() -> None:
    assert exchange_one(0.5, -0.1, gain=-0.2) == pytest.approx(0.6 * 2.0 / 2.0 + 0.2)
    assert exchange_one(0.5, -0.1, gain=2.0) == 0.0


def test_relaxation_and_damping() -> None:
    sharp = exchange_one(0.2, -1.0)
    assert exchange_one(0.2, -1.0, last=0.1, relaxation=0.6) == pytest.approx(0.6 * sharp + 0.04)
    turned = 0.9 * sharp - 0.1 * 0.3
    assert exchange_one(0.2, -1.0, last=-0.3, relaxation=0.9, damping=0.5) == pytest.approx(0.5 * turned)


@settings(max_examples=200)
@given(LEVEL, LEVEL, st.floats(-2.0, 2.0), st.floats(-2.0, 2.0))
def test_neither_side_gives_what_it_has_not(stage: float, head: float, gain: float, last: float) -> None:
    stage = max(stage, 0.0)
    rate = exchange_one(stage, head, gain=gain, last=last, relaxation=0.7, damping=0.5)
    assert rate * 2.0 <= stage * 25.0 + 1e-12
    assert -rate * 2.0 <= max((head - stage) * 2.0 + gain * 2.0, 0.0) + 1e-12


def test_parameters_are_checked() -> None:
    with pytest.raises(InputError, match=r"parameter orifice is 0\.0, expected 0\.001 to 2"):
        ExchangeParameters(orifice=0.0)
