"""Signals: Webster's known answers, and green waves against what equal spacing is known to give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError, NumericsError
from network.signals import compute_cycle, compute_plan
from network.signals_progression import GreenWave, maximize_bands


def test_websters_example() -> None:
    # (1.5 · 16 + 5) / (1 − 0.5) = 58 s.
    assert compute_cycle(16.0, 0.5) == 58.0


def test_green_goes_to_the_phases_in_the_ratio_of_their_flow_ratios() -> None:
    plan = compute_plan([600.0, 450.0], [2000.0, 2250.0], lost_time=16.0)
    assert plan.cycle == 58.0
    assert plan.greens == pytest.approx((42.0 * 0.6, 42.0 * 0.4))
    assert plan.saturation == pytest.approx([0.5 * 58.0 / 42.0] * 2)


def test_a_phase_never_has_less_than_the_least_green() -> None:
    plan = compute_plan([900.0, 10.0, 5.0], [1900.0] * 3, lost_time=12.0, shortest_green=10.0)
    assert min(plan.greens) == 10.0
    assert sum(plan.greens) + 12.0 == pytest.approx(plan.cycle)


def test_flows_above_capacity_give_the_longest_cycle_and_finite_delays() -> None:
    plan = compute_plan([1500.0, 1200.0], [1900.0, 1900.0], lost_time=10.0)
    assert plan.cycle == 150.0
    assert all(x > 1.0 for x in plan.saturation)
    assert np.isfinite(plan.delay)
    assert plan.delay > 60.0


@given(st.lists(st.floats(1.0, 700.0), min_size=2, max_size=5), st.floats(4.0, 20.0))
def test_a_plan_fills_its_cycle(flows: list[float], lost: float) -> None:
    plan = compute_plan(flows, [1900.0] * len(flows), lost_time=lost, shortest_green=2.0)
    assert sum(plan.greens) + lost == pytest.approx(plan.cycle)
    assert all(delay >= 0.0 for delay in plan.delays)


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(InputError, match="do not fit"):
        compute_plan([100.0] * 4, [1900.0] * 4, lost_time=20.0, cycle=40.0)
    with pytest.raises(InputError, match="lost time"):
        compute_cycle(0.0, 0.5)


def check(wave: GreenWave, distances: list[float], greens: list[float]) -> None:
    """See that whoever drives in a band, out or back, meets green at every signal."""
    out = np.concatenate(([0.0], np.cumsum(np.array(distances) / wave.outbound_speeds * 3.6)))
    back = np.concatenate(([0.0], np.cumsum(np.array(distances) / wave.inbound_speeds * 3.6)))
    for starts, band, travel in (
        (wave.outbound_starts, wave.outbound_band, out),
        (wave.inbound_starts, wave.inbound_band, -back),
    ):
        assert np.allclose(starts - starts[0], travel, atol=1e-4)
        # The program's bounds hold to 1e-6 of a cycle.
        loose = 1e-5 * wave.cycle
        into = np.mod(starts - wave.offsets + loose, wave.cycle)
        assert (into + band <= np.array(greens) * wave.cycle + 2.0 * loose).all()


@pytest.mark.parametrize(
    ("fraction", "expected"),
    # Travel from signal to signal of half a cycle or a whole one: all green is band. A quarter (double alternate):
    # two neighbours share a side, which costs a quarter of the cycle.
    [(0.5, 0.5), (1.0, 0.5), (0.25, 0.25)],
)
def test_equal_spacing(fraction: float, expected: float) -> None:
    cycle, speed = 80.0, 45.0
    distances = [fraction * cycle * speed / 3.6] * 7
    wave = maximize_bands(distances, [0.5] * 8, cycles=(cycle, cycle), speeds=(speed, speed))
    assert wave.outbound_band / cycle == pytest.approx(expected, abs=1e-5)
    assert wave.inbound_band / cycle == pytest.approx(expected, abs=1e-5)
    assert wave.proven
    check(wave, distances, [0.5] * 8)


def test_one_direction_alone_gets_all_green() -> None:
    wave = maximize_bands(
        [310.0, 275.0, 520.0], [0.4, 0.55, 0.45, 0.5], cycles=(70.0, 70.0), speeds=(40.0, 40.0), inbound_weight=0.0
    )
    assert wave.outbound_band == pytest.approx(0.4 * 70.0, abs=1e-3)


def test_thirty_signals_are_planned_and_proven() -> None:
    rng = np.random.default_rng(7)
    distances = rng.uniform(150.0, 600.0, 29).tolist()
    greens = rng.uniform(0.45, 0.6, 30).tolist()
    wave = maximize_bands(distances, greens, cycles=(60.0, 110.0), speeds=(35.0, 55.0), speed_change=8.0)
    assert wave.outbound_band == pytest.approx(wave.inbound_band, abs=1e-3)
    assert wave.outbound_band > 5.0
    assert (wave.cycle + 1e-6 >= 60.0) and (wave.cycle <= 110.0 + 1e-6)
    check(wave, distances, greens)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.floats(120.0, 700.0), min_size=2, max_size=5),
    st.floats(0.5, 0.7),
    st.floats(30.0, 60.0),
)
def test_a_range_of_speeds_never_narrows_the_bands(distances: list[float], green: float, speed: float) -> None:
    greens = [green] * (len(distances) + 1)
    fixed = maximize_bands(distances, greens, cycles=(80.0, 80.0), speeds=(speed, speed))
    free = maximize_bands(distances, greens, cycles=(80.0, 80.0), speeds=(0.9 * speed, 1.1 * speed))
    assert free.outbound_band >= fixed.outbound_band - 1e-3
    assert fixed.outbound_band <= green * 80.0 + 1e-3
    check(fixed, distances, greens)


def test_where_no_band_passes_both_ways_it_is_told() -> None:
    # Two signals a quarter of a cycle apart, each green for a fifth of it.
    distances = [0.25 * 80.0 * 45.0 / 3.6]
    with pytest.raises(NumericsError, match="both directions"):
        maximize_bands(distances, [0.2, 0.2], cycles=(80.0, 80.0), speeds=(45.0, 45.0))
    alone = maximize_bands(distances, [0.2, 0.2], cycles=(80.0, 80.0), speeds=(45.0, 45.0), inbound_weight=0.0)
    assert alone.outbound_band == pytest.approx(16.0, abs=1e-4)


def test_what_is_no_corridor_is_told() -> None:
    with pytest.raises(InputError, match="2 to 60"):
        maximize_bands([], [0.5], cycles=(60.0, 60.0), speeds=(40.0, 40.0))
    with pytest.raises(InputError, match="distances"):
        maximize_bands([100.0, 100.0], [0.5, 0.5], cycles=(60.0, 60.0), speeds=(40.0, 40.0))
