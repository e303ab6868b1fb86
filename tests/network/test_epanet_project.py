"""EPANET's toolkit gives what hydraulics says, in SI units, for several models at once."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from epanet import toolkit
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from network.epanet.project import Project
from network.epanet.units import FLOW_TO_SI, FLOW_UNITS

ONE_PIPE = """[JUNCTIONS]
A 10 36
[RESERVOIRS]
R 50
[PIPES]
P R A 1000 200 130 0 Open
[OPTIONS]
Units {units}
Headloss H-W
Accuracy 0.00001
[TIMES]
Duration 2:00
[END]
"""


def read_one(text: str) -> tuple[float, float, float]:
    with Project(text) as project:
        for _ in project.run_hydraulics():
            found = project.pressures()[0], project.flows()[0], project.velocities()[0]
    return found


def test_pipe_loses_the_head_of_hazen_and_williams() -> None:
    pressure, flow, velocity = read_one(ONE_PIPE.format(units="CMH"))
    assert flow == pytest.approx(0.01, rel=1e-5)
    # Hazen-Williams in SI: h = 10.67 L Q^1.852 / (C^1.852 d^4.871).
    loss = 10.667 * 1000 * 0.01**1.852 / (130**1.852 * 0.2**4.871)
    assert pressure == pytest.approx(40 - loss, abs=5e-3)
    assert velocity == pytest.approx(0.01 / (math.pi * 0.01), rel=1e-4)


@pytest.mark.parametrize("units", FLOW_UNITS)
def test_units_of_the_file_do_not_matter(units: str) -> None:
    metric = FLOW_UNITS.index(units) >= FLOW_UNITS.index("LPS")
    foot, inch = (1.0, 1.0) if metric else (1 / 0.3048, 1 / 25.4)
    flow = 0.01 / FLOW_TO_SI[FLOW_UNITS.index(units)]
    text = (
        ONE_PIPE.format(units=units)
        .replace("A 10 36", f"A {10 * foot} {flow}")
        .replace("R 50", f"R {50 * foot}")
        .replace("1000 200", f"{1000 * foot} {200 * inch}")
    )
    assert read_one(text) == pytest.approx(read_one(ONE_PIPE.format(units="CMH")), rel=2e-4)


def test_demand_emitter_pattern_and_status_are_changed() -> None:
    with Project(ONE_PIPE.format(units="LPS")) as project:
        project.set_pattern("half", np.array([0.5, 1.0]))
        project.set_demand(0, 0.02, "half")
        flows = [project.flows()[0] for _ in project.run_hydraulics()]
        assert flows == pytest.approx([0.01, 0.02, 0.01], rel=1e-4)
        project.set_demand(0, 0.0)
        project.set_emitter(0, 0.002)
        for _ in project.run_hydraulics():
            leak = project.emitter_flows()[0]
            assert leak == pytest.approx(0.002 * project.pressures()[0] ** 0.5, rel=1e-4)
        project.set_status(0, opened=False)
        project.set_emitter(0, 0.0)
        assert [project.opened()[0] for _ in project.run_hydraulics()] == [False, False, False]


@pytest.mark.parametrize("units", ["LPS", "CMH", "GPM"])
def test_nodes_without_an_emitter_lose_nothing_through_one(units: str) -> None:
    with Project(ONE_PIPE.format(units=units)) as project:
        for _ in project.run_hydraulics():
            assert not project.emitter_flows().any()
        project.set_emitter(0, 0.002)
        emitting = []
        for _ in project.run_hydraulics():
            emitting.append(np.flatnonzero(project.emitter_flows()).tolist())
            project.set_emitter(0, 0.0)
        assert emitting[0] == [0]
        assert not any(emitting[1:])


def test_pressure_driven_demand_gets_less_where_pressure_lacks() -> None:
    with Project(ONE_PIPE.format(units="CMH").replace("A 10 36", "A 40 36")) as project:
        project.set_demand_model(pressure_driven=True, minimum=0.0, required=20.0)
        for _ in project.run_hydraulics():
            share = (project.pressures()[0] / 20.0) ** 0.5
        assert project.demands()[0] == pytest.approx(0.01 * share, rel=1e-3)
        assert project.deficits()[0] == pytest.approx(0.01 * (1 - share), rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0005, 0.02), st.floats(0.0005, 0.02))
def test_two_projects_do_not_know_each_other(one: float, other: float) -> None:
    text = ONE_PIPE.format(units="LPS")
    with Project(text) as first, Project(text) as second:
        first.set_demand(0, one)
        second.set_demand(0, other)
        for _ in zip(first.run_hydraulics(), second.run_hydraulics(), strict=True):
            assert first.flows()[0] == pytest.approx(one, rel=1e-4)
            assert second.flows()[0] == pytest.approx(other, rel=1e-4)


def test_projects_run_in_threads() -> None:
    def run(demand: float) -> float:
        with Project(ONE_PIPE.format(units="LPS")) as project:
            project.set_demand(0, demand)
            return max(float(project.flows()[0]) for _ in project.run_hydraulics())

    demands = [0.001 * (k + 1) for k in range(12)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, demands)) == pytest.approx(demands, rel=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello\n", "has 0 nodes"),
        (ONE_PIPE.format(units="CMH").replace("P R A", "P R B"), "undefined node B"),
        (ONE_PIPE.format(units="CMH").replace("1000 200", "x 200"), "illegal numeric value x"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Project(text)


def test_unknown_names_are_named() -> None:
    with Project(ONE_PIPE.format(units="CMH")) as project:
        assert project.links.find(["P"]).tolist() == [0]
        with pytest.raises(InputError, match="node 'B' is not in the water model, expected one of 2: A, R"):
            project.nodes.find(["A", "B"])
        with pytest.raises(InputError, match="cannot be an id"):
            project.set_pattern("a b", np.ones(2))
        with pytest.raises(InputError, match="error 211"):
            project.set_link(0, toolkit.DIAMETER, -1.0)
