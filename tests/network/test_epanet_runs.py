"""Runs of EPANET: their water balances, pumps take the power that lifts, water ages as it travels, hydrants give."""

import math

import numpy as np
import pytest
from epanet import toolkit
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError, MassBalanceError
from network.epanet.account import WaterBalance
from network.epanet.fire_flow import measure_fire_flow
from network.epanet.hydraulics import run_model
from network.epanet.project import Project
from network.epanet.quality import run_quality

# One pipe of 1000 m and 200 mm, 10 l/s: 0.318 m/s, 52 min from end to end.
LINE = """[JUNCTIONS]
 A 0 10
 B 0 0
[RESERVOIRS]
 R 60
[PIPES]
 P R A 1000 200 130 0 Open
 Q A B 500 100 130 0 Open
[TIMES]
 Duration 48
 Hydraulic Timestep 1:00
 Quality Timestep 0:01
[OPTIONS]
 Units LPS
 Headloss H-W
[END]
"""

LIFT = """[JUNCTIONS]
 A 0 10
[RESERVOIRS]
 R 0
[PUMPS]
 PU R A HEAD C
[CURVES]
 C 10 40
[ENERGY]
 Global Efficiency 80
[TIMES]
 Duration 24
[OPTIONS]
 Units LPS
[END]
"""

TOWER = """[JUNCTIONS]
 A 0 8
[RESERVOIRS]
 R 20
[TANKS]
 T 20 {level} 0 6 {wide} 0
[PIPES]
 P R A 500 {pipe} 110 0 Open
 Q T A 100 200 110 0 Open
[PATTERNS]
 day 0.2 {peak} 0.5 1.5
[TIMES]
 Duration 72
 Pattern Timestep 6:00
[OPTIONS]
 Units LPS
 Pattern day
[END]
"""


@settings(max_examples=40, deadline=None)
@given(st.floats(0.2, 5.9), st.floats(4.0, 15.0), st.sampled_from([75, 100, 150]), st.floats(1.0, 4.0))
def test_no_water_is_made_where_tanks_empty_or_fill(level: float, wide: float, pipe: int, peak: float) -> None:
    text = TOWER.format(level=level, wide=wide, pipe=pipe, peak=peak)
    with Project(text) as project:
        balance = run_model(project).balance
    assert abs(balance.relative_error) < 1e-4


def test_the_rounding_of_a_tanks_end_is_mended() -> None:
    """A tank that is within half a second of its end gives water for a whole step, if the engine is left to itself."""
    text = TOWER.format(level=2.170492363839889, wide=11.44533393834972, pipe=100, peak=3.8567333658735814)
    with Project(text) as project:
        project._is_tank_ending = lambda: False
        with pytest.raises(MassBalanceError, match=r"3\.\d\d % of its water"):
            run_model(project)
    with Project(text) as project:
        assert abs(run_model(project).balance.relative_error) < 1e-4


def test_water_that_is_missing_fails_loudly() -> None:
    WaterBalance(1000.0, 0.0, 996.0, 0.0, 0.0, 0.0).check()
    with pytest.raises(MassBalanceError, match=r"misses 6\.0 m3, 0\.60 % of its water"):
        WaterBalance(1000.0, 0.0, 994.0, 0.0, 0.0, 0.0).check()
    with pytest.raises(MassBalanceError):
        WaterBalance(1.0, math.nan, 1.0, 0.0, 0.0, 0.0).check()


def test_a_pump_takes_the_power_that_lifts_the_water() -> None:
    with Project(LIFT) as project:
        found = run_model(project)
    # 9.81 kN/m3 x 0.01 m3/s x 40 m / 0.8; EPANET's own constant of the horsepower differs by 0.1 %.
    power = 9.81 * 0.01 * 40.0 / 0.8
    assert found.peak_power[0] == pytest.approx(power, rel=2e-3)
    assert found.energy[0] == pytest.approx(24.0 * power, rel=2e-3)
    assert found.energy_by_hour == pytest.approx(np.full(24, power), rel=2e-3)
    assert found.head_loss.mean[0] == pytest.approx(-40.0, rel=1e-3)
    assert found.opened.tolist() == [1.0]


def test_means_are_of_time_not_of_solutions() -> None:
    text = LINE.replace("[TIMES]", "[PATTERNS]\n one 1\n day 1 3\n[TIMES]\n Pattern Timestep 6:00").replace(
        "A 0 10", "A 0 10 day"
    )
    with Project(text) as project:
        found = run_model(project)
    assert found.demand.mean[0] == pytest.approx(0.02, rel=1e-4)
    assert (found.demand.least[0], found.demand.largest[0]) == pytest.approx((0.01, 0.03), rel=1e-4)
    assert found.balance.consumed == pytest.approx(0.02 * 48 * 3600, rel=1e-4)


def test_water_ages_as_it_travels() -> None:
    with Project(LINE.replace("Duration 48", "Duration 72")) as project:
        run = run_quality(project, "age")
    travel = 1000.0 / (0.01 / (math.pi * 0.01))
    assert run.spread.mean[0] == pytest.approx(travel, rel=0.03)
    assert run.drift < 1e-3
    assert run.spread.mean[1] > 24 * 3600, "water in a dead end stands"


def test_chlorine_decays_on_the_way() -> None:
    with Project(LINE) as project:
        run = run_quality(project, "chlorine", dose=0.8, decay=12.0)
    travel = 1000.0 / (0.01 / (math.pi * 0.01)) / 86_400.0
    assert run.spread.mean[0] == pytest.approx(0.8 * math.exp(-12.0 * travel), rel=0.01)


def test_shares_of_two_sources_make_one() -> None:
    text = LINE.replace(" R 60\n", " R 60\n S 60\n").replace("[TIMES]", " U S A 700 150 130 0 Open\n[TIMES]")
    shares = []
    for source in ("R", "S"):
        with Project(text) as project:
            shares.append(run_quality(project, "trace", source=source).spread.mean[0])
    assert sum(shares) == pytest.approx(1.0, abs=1e-3)
    assert shares[0] > shares[1], "the wider pipe brings more"
    with Project(text) as project, pytest.raises(InputError, match="a trace needs the node"):
        run_quality(project, "trace")
    with (
        Project(LIFT.replace("Duration 24", "Duration 6")) as project,
        pytest.raises(InputError, match="at least 24 h"),
    ):
        run_quality(project, "age")


@settings(max_examples=15, deadline=None)
@given(st.floats(0.001, 0.05), st.floats(5.0, 40.0))
def test_a_hydrant_has_the_asked_pressure_at_its_available_flow(required: float, pressure: float) -> None:
    first = measure_fire_flow(LINE, ["A", "B"], np.full(2, required), pressure=pressure)
    assert (first.available > 0.0).all()
    assert (first.residual < first.static).all()
    again = measure_fire_flow(LINE, ["A", "B"], first.available, pressure=pressure)
    assert again.residual == pytest.approx(np.full(2, pressure), abs=0.02)


def test_fire_flow_is_that_of_hazen_and_williams() -> None:
    found = measure_fire_flow(LINE, ["A"], np.array([0.02]), pressure=20.0)
    # 60 - 20 m lost in 1000 m: h = 10.67 L Q^1.852 / (C^1.852 d^4.871), of which customers draw 10 l/s.
    flow = (40.0 * 130**1.852 * 0.2**4.871 / (10.667 * 1000.0)) ** (1 / 1.852) - 0.01
    assert found.available[0] == pytest.approx(flow, rel=1e-3)
    assert found.lowest_node == ("",), "nobody else is served"
    high = measure_fire_flow(LINE.replace("R 60", "R 15"), ["A"], np.array([0.02]), pressure=20.0)
    assert high.available[0] == 0.0


def test_workers_share_hydrants_and_stop_when_told() -> None:
    names = ["A", "B"] * 6
    one, four = (measure_fire_flow(LINE, names, np.full(12, 0.01), workers=count) for count in (1, 4))
    assert one.available == pytest.approx(four.available)
    stopped = measure_fire_flow(LINE, names, np.full(12, 0.01), told=lambda done: done >= 3)
    assert np.isfinite(stopped.available).sum() == 3
    with pytest.raises(InputError, match="hydrant node 'R' is a reservoir"):
        measure_fire_flow(LINE, ["R"], np.array([0.01]))


def test_a_run_changes_the_accuracy_it_needs_and_no_more() -> None:
    with Project(LINE.replace("[OPTIONS]", "[OPTIONS]\n Accuracy 0.01")) as project:
        run_model(project)
        assert project.get_option(toolkit.ACCURACY) == pytest.approx(1e-4)
    with Project(LINE.replace("[OPTIONS]", "[OPTIONS]\n Accuracy 0.00001")) as project:
        run_model(project)
        assert project.get_option(toolkit.ACCURACY) == pytest.approx(1e-5)
