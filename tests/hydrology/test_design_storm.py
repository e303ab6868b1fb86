"""Design storms: exact depth, peak where told, and never more than the curve allows in any duration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrology.design_storm import HUFF, SHAPES, DepthCurve, RainCurve, Shape, build_storm, fit_curve
from hydrology.rainfall import RainSeries
from layers.errors import InputError

CURVE = RainCurve(a=5000.0, c=0.6, b=20.0, n=0.85)
"""Of no place: round numbers in the middle of what the standard lists."""

DURATIONS = st.integers(1, 48).map(lambda steps: 300.0 * steps)
RATIOS = st.floats(0.0, 1.0)


def portions(storm: RainSeries) -> np.ndarray:
    return storm.intensity[:-1] * np.diff(storm.times) / 3600.0


def heaviest(storm: RainSeries, steps: int) -> float:
    """The most rain [mm] in any ``steps`` steps on end."""
    return float(np.convolve(portions(storm), np.ones(steps), mode="valid").max())


def test_the_curve_is_the_formula_in_other_units() -> None:
    # q = 5000 (1 + 0.6 lg 10) / (40 + 20)^0.85 = 246.41 l/s/ha; one l/s/ha is 0.36 mm/h; 40 minutes are 2/3 h.
    q = 5000.0 * 1.6 / 60.0**0.85
    assert float(CURVE.at(10.0).depth(2400.0)) == pytest.approx(q * 0.36 * 2.0 / 3.0)
    # The same from SI alone: l/s/ha is 1e-3 m³/s on 1e4 m².
    assert float(CURVE.at(10.0).depth(2400.0)) == pytest.approx(q * 1e-3 / 1e4 * 2400.0 * 1000.0)


def test_rarer_rain_is_heavier() -> None:
    depths = [float(CURVE.at(years).depth(3600.0)) for years in (0.5, 1.0, 2.0, 10.0, 100.0)]
    assert depths == sorted(depths) and depths[0] < depths[-1]


@given(st.sampled_from(SHAPES), DURATIONS, RATIOS, st.floats(0.3, 1.05))
def test_every_shape_brings_the_depth_exactly(shape: Shape, duration: float, ratio: float, power: float) -> None:
    curve = DepthCurve(400.0 * 3600.0**power / 10.0, 1500.0, power)
    storm = build_storm(curve, duration, shape=shape, peak_ratio=ratio)
    assert portions(storm).sum() == pytest.approx(float(curve.depth(duration)), rel=1e-12)
    assert (storm.intensity >= 0.0).all() and storm.intensity[-1] == 0.0
    assert storm.times[0] == 0.0 and storm.times[-1] == duration


@given(st.sampled_from(["chicago", "alternating", "uniform"]), DURATIONS, RATIOS)
def test_no_duration_inside_brings_more_than_the_curve(shape: Shape, duration: float, ratio: float) -> None:
    curve = CURVE.at(20.0)
    storm = build_storm(curve, duration, shape=shape, peak_ratio=ratio)
    for steps in range(1, storm.times.size):
        assert heaviest(storm, steps) <= float(curve.depth(300.0 * steps)) * (1.0 + 1e-9)


def test_the_chicago_storm_has_the_curves_depth_in_every_duration_around_its_peak() -> None:
    # With the peak at 2/5 of the duration, windows of 5 k steps around it begin and end on steps.
    curve = CURVE.at(20.0)
    storm = build_storm(curve, 9000.0, peak_ratio=0.4)
    for k in range(1, 7):
        assert portions(storm)[12 - 2 * k : 12 + 3 * k].sum() == pytest.approx(float(curve.depth(1500.0 * k)))


@given(DURATIONS, RATIOS)
def test_alternating_blocks_have_the_curves_depth_in_every_duration(duration: float, ratio: float) -> None:
    curve = CURVE.at(5.0)
    storm = build_storm(curve, duration, shape="alternating", peak_ratio=ratio)
    for steps in range(1, storm.times.size):
        assert heaviest(storm, steps) == pytest.approx(float(curve.depth(300.0 * steps)))


@pytest.mark.parametrize("shape", ["chicago", "alternating"])
@pytest.mark.parametrize("ratio", [0.0, 0.4, 1.0])
def test_the_peak_is_where_told(shape: Shape, ratio: float) -> None:
    storm = build_storm(fit_curve(80.0, 7200.0), 7200.0, shape=shape, peak_ratio=ratio)
    assert portions(storm).sum() == pytest.approx(80.0)
    assert abs(storm.times[int(np.argmax(storm.intensity))] + 150.0 - ratio * 7200.0) <= 300.0


@pytest.mark.parametrize("quarter", [1, 2, 3, 4])
def test_a_huff_storm_is_heaviest_in_its_quarter(quarter: int) -> None:
    storm = build_storm(fit_curve(100.0, 6000.0), 6000.0, shape=f"huff{quarter}")  # type: ignore[arg-type]
    assert int(portions(storm).reshape(4, 5).sum(axis=1).argmax()) == quarter - 1
    assert np.cumsum(portions(storm)) == pytest.approx(HUFF[f"huff{quarter}"][1:])  # type: ignore[index]


def test_a_duration_that_steps_do_not_fit_gets_shorter_ones() -> None:
    storm = build_storm(fit_curve(50.0, 1000.0), 1000.0, shape="uniform")
    assert storm.times == pytest.approx([0.0, 250.0, 500.0, 750.0, 1000.0])
    assert storm.intensity[:-1] == pytest.approx(180.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fit_curve(-3.0, 3600.0), "storm depth is -3 mm"),
        (lambda: fit_curve(80.0, 0.0), "storm duration is 0 s"),
        (lambda: RainCurve(5000.0, 0.6, 20.0, 3.0), "coefficient n of the rain curve is 3"),
        (lambda: RainCurve(5000.0, 0.6, 0.0, 1.0), "coefficient b of the rain curve is 0"),
        (lambda: CURVE.at(0.0), "return period is 0 years"),
        (lambda: RainCurve(5000.0, 2.0, 20.0, 0.8).at(0.2), "gives no rain with C = 2"),
        (lambda: build_storm(CURVE.at(2.0), 3600.0, step=0.0), "storm step is 0 s"),
        (lambda: build_storm(CURVE.at(2.0), 3600.0, peak_ratio=1.1), "peak_ratio is 1.1"),
        (lambda: build_storm(CURVE.at(2.0), 3600.0, shape="round"), "shape is 'round', expected one of chicago"),
        (lambda: build_storm(DepthCurve(9e4, 600.0, 1.2), 7200.0), "is 2 h, its curve grows only to 0.833 h"),
    ],
)
def test_what_cannot_be_is_named(make, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()
