"""SWMM stepped from outside: units, clock, ponding, outfalls, its account, and what it says about bad models."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hydrology.drainage import Drainage
from layers.errors import ConflictError, InputError

Find = Callable[[str], Path]

FOOT = 0.3048
MODEL = """[OPTIONS]
FLOW_UNITS {unit}
FLOW_ROUTING DYNWAVE
START_DATE 01/01/2020
END_DATE 01/01/2020
END_TIME 01:00:00
ROUTING_STEP 5
VARIABLE_STEP 0.75
ALLOW_PONDING {ponding}
[JUNCTIONS]
J1 {0} {1} 0 0 0
J2 {2} {1} 0 0 0
[OUTFALLS]
O1 {3} FREE {gate}
[CONDUITS]
C1 J1 J2 {4} 0.013 0 0
C2 J2 O1 {4} 0.013 0 0
[XSECTIONS]
C1 CIRCULAR {5} 0 0 0
C2 CIRCULAR {5} 0 0 0
"""


def write_model(unit: str = "CMS", gate: str = "NO", ponding: str = "NO", diameter: float = 0.5) -> str:
    """Two manholes and an outfall, 100 m apart and falling 1 m each, in the length unit that goes with ``unit``."""
    length = FOOT if unit in ("CFS", "GPM", "MGD") else 1.0
    sizes = (value / length for value in (10.0, 2.0, 9.0, 8.0, 100.0, diameter))
    return MODEL.format(*sizes, unit=unit, gate=gate, ponding=ponding)


def advance(drainage: Drainage, seconds: float, step: float = 10.0) -> None:
    for _ in range(round(seconds / step)):
        drainage.advance(step)


@pytest.mark.parametrize("unit", ["CFS", "GPM", "MGD", "CMS", "LPS", "MLD"])
def test_units_are_si_outside_whatever_the_file_has(unit: str) -> None:
    with Drainage(write_model(unit)) as drainage:
        assert drainage.flow_unit == unit
        assert np.allclose(drainage.nodes.invert, [10.0, 9.0, 8.0])
        assert np.allclose(drainage.nodes.rim[:2], [12.0, 11.0])
        assert drainage.nodes.kinds == ("junction", "junction", "outfall")
        drainage.couple(["J1"])
        drainage.set_inflows(np.array([0.1]))
        first = drainage.advance(10.0)
        advance(drainage, 1790.0)
        totals = drainage.totals()
        # The trapezoid from no rate to 0.1 m3/s over the first step.
        assert np.isclose(totals.external, 0.1 * (1800.0 - first / 2.0), rtol=1e-6)
        assert np.isclose(drainage.outfall_volumes[0], totals.outflow, rtol=1e-9)
        # Steady: as much leaves as enters, at the normal depth of a 0.5 m pipe on 1 % (Manning: 0.1757 m).
        before = drainage.outfall_volumes[0]
        drainage.advance(60.0)
        assert np.isclose(drainage.outfall_volumes[0] - before, 0.1 * 60.0, rtol=1e-3)
        assert np.isclose(drainage.heads()[0] - 10.0, 0.1757, atol=5e-4)
        assert np.isclose(drainage.net_inflows()[0], -0.1, rtol=1e-3)


def test_lands_exactly_on_the_times_asked_for() -> None:
    with Drainage(write_model()) as drainage:
        drainage.couple(["J1"])
        drainage.set_inflows(np.array([0.2]))
        booked, last, reached = 0.0, 0.0, 0.0
        for step, rate in ((0.5, 0.2), (3.0, 0.1), (0.001, 0.3), (7.25, 0.0), (61.0, 0.05)):
            drainage.set_inflows(np.array([rate]))
            first = drainage.advance(step)
            booked += rate * step + (last - rate) * first / 2.0
            last, reached = rate, reached + step
            assert drainage.time == pytest.approx(reached, abs=1e-9)
        assert drainage.totals().external == pytest.approx(booked, rel=1e-9)
        with pytest.raises(InputError, match="whole number of milliseconds"):
            drainage.advance(0.0004)
        with pytest.raises(InputError, match=r"ends at 3600 s, before 4071"):
            drainage.advance(4000.0)


def test_duration_moves_the_end_of_the_model() -> None:
    with Drainage(write_model(), duration_s=7300.5) as drainage:
        advance(drainage, 7300.0, 100.0)
        drainage.advance(0.5)
        assert drainage.time == 7300.5


def test_a_process_holds_one_model() -> None:
    with Drainage(write_model()), pytest.raises(ConflictError, match="open in this process"):
        Drainage(write_model())
    with Drainage(write_model()) as drainage:
        assert drainage.outfalls == ("O1",)


@pytest.mark.parametrize("ponding", ["NO", "YES"])
def test_coupled_nodes_pond_where_others_flood(ponding: str) -> None:
    with Drainage(write_model(ponding=ponding, diameter=0.3)) as drainage:
        drainage.couple(["J1", "J2"])
        drainage.set_inflows(np.array([0.4, 0.0]))
        advance(drainage, 600.0)
        assert drainage.totals().flooded == 0.0
        assert drainage.ponded_volumes()[0] > 10.0
        assert drainage.flooding().max() == 0.0
        # The pond goes where the pipe's capacity leaves room: the surface may take it.
        drainage.set_inflows(np.array([-0.1, 0.0]))
        before = drainage.ponded_volumes()[0]
        advance(drainage, 100.0)
        assert drainage.ponded_volumes()[0] < before - 5.0
    with Drainage(write_model(ponding=ponding, diameter=0.3) + '[INFLOWS]\nJ1 FLOW "" FLOW 1 1 0.4\n') as drainage:
        drainage.couple(["J2"])
        advance(drainage, 600.0)
        assert drainage.totals().flooded > 20.0
        assert drainage.flooding()[0] > 0.1


def test_flap_gate_keeps_the_river_out() -> None:
    volumes = []
    for gate in ("NO", "YES"):
        with Drainage(write_model(gate=gate)) as drainage:
            assert drainage.nodes.flap_gate.tolist() == [False, False, gate == "YES"]
            drainage.couple(["J1"])
            drainage.set_outfall_stages([0], np.array([10.5]))
            advance(drainage, 600.0)
            volumes.append(drainage.outfall_volumes[0])
            head = drainage.heads()[0]
    assert volumes[0] < -5.0
    assert volumes[1] == 0.0
    assert head == 10.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("C1 J1 J2", "C1 J1 J9"), r"ERROR 209: undefined object J9 at line 16 of \[CONDUIT\] section: C1 J1 J9"),
        (("FLOW_UNITS CMS", "FLOW_UNITS CUBITS"), r"ERROR 205: invalid keyword CUBITS at line 2"),
        (("[", "$"), "no section in brackets"),
        (("[JUNCTIONS]", "[EVENTS]\n01/01/2020 00:10 01/01/2020 00:20\n[JUNCTIONS]"), "routing .EVENTS."),
    ],
)
def test_says_what_is_wrong_with_a_model(change: tuple[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Drainage(write_model().replace(*change))
    with Drainage(write_model()):
        pass


def test_says_what_cannot_be_coupled(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.inp cannot be read"):
        Drainage(tmp_path / "nowhere.inp")
    with Drainage(write_model()) as drainage:
        with pytest.raises(InputError, match=r"node 'J7' is not in the drainage model, .* J1, J2, O1"):
            drainage.couple(["J1", "J7"])
        with pytest.raises(InputError, match="'O1' is an outfall"):
            drainage.couple(["O1"])
        with pytest.raises(InputError, match="'J1' is coupled twice"):
            drainage.couple(["J1", "J1"])
        drainage.advance(1.0)
        with pytest.raises(ConflictError, match="before the first step"):
            drainage.couple(["J1"])


@pytest.mark.parametrize(
    "name",
    [
        "swmm-networks/alpha.inp",
        "swmm-networks/gamma.inp",
        "swmm-networks/theta.inp",
        "swmm-networks/zeta.inp",
        "swmm-epa/tests/extran/extran6.inp",
        "swmm-epa/tests/extran/extran9.inp",
        "swmm-epa/tests/user/user1.inp",
        "swmm-epa/tests/routing/test2.inp",
    ],
)
def test_real_models_run_and_their_account_is_what_swmm_prints(shared: Find, name: str) -> None:
    with Drainage(shared(name), duration_s=2 * 3600.0) as drainage:
        advance(drainage, 2 * 3600.0, 60.0)
        totals, outfalls = drainage.totals(), drainage.outfall_volumes.sum()
        report = drainage.finish()
    printed = re.search(r"Flow Routing Continuity.*?Continuity Error \(%\) \.*\s*(-?[\d.]+)", report, re.DOTALL)
    assert printed is not None
    assert 100.0 * totals.relative_error == pytest.approx(float(printed[1]), abs=5.1e-4)
    assert outfalls == pytest.approx(totals.outflow, rel=1e-9)
