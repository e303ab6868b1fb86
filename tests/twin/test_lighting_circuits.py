"""Circuits as they are wired, what explains dark lamps, and energy against plan: on a few streets and on the demo."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from tests.twin.made_up import CRS, frame, join, place
from twin.lighting.plan import GRADIENTS, compute_share, plan_loads
from twin.networks.circuits import compute_circuit_loading, list_disagreements, read_circuits, summarize_circuits
from twin.process import Quiet, parse_inputs
from twin.processes import circuit_faults, circuit_loads
from twin.state.lamps import PRESUMED, compute_level, read_calendar

NIGHT = datetime(2026, 11, 2, 13, tzinfo=UTC)
Frame = Callable[..., gpd.GeoDataFrame]


@pytest.fixture
def street(changed_city: Callable[..., Any]) -> Any:
    """Cabinet C-1 with circuit A of three lamps to the east and B of two to the north; C-2 with one; L-9 in a field.

    All hangs on transformer T-1, but C-2, which hangs on T-2.
    """
    lamps = frame(
        ["A1", "A2", "A3", "B1", "B2", "D1", "L-9"],
        place((30, 0), (60, 0), (90, 0), (0, 30), (0, 60), (530, 0), (300, 300)),
        circuit_id=["A", "A", "A", "B", "A", "D", None],
        cabinet_id=["C-1", "C-1", "C-1", "C-1", "C-1", "C-1", None],
        power=[100.0, 100.0, 100.0, 60.0, 60.0, 150.0, 30.0],
        lamp_type=["led", "led", "led", "sodium", "led", "led", "led"],
    )
    cables = frame(
        ["W1", "W2", "W3", "W4", "W5"],
        [join((0, 0), (30, 0)), join((30, 0), (60, 0), (90, 0)), join((0, 0), (0, 30)), join((0, 30), (0, 60)),
         join((500, 0), (530, 0))],
        circuit_id=["A", "A", "B", "B", "D"], cabinet_id=["C-1"] * 4 + ["C-2"],
        conductor_material=["copper"] * 5, cross_section=[6.0] * 5, fuse_rating=[6.0, 6.0, 6.0, 6.0, 0.1],
    )  # fmt: skip
    layers = {
        "luminaires": lamps,
        "lighting_circuits": cables,
        "lighting_cabinets": frame(["C-1", "C-2"], place((0, 0), (500, 0)), name=["Tủ 1", "Tủ 2"], 
                                   rated_power=[300.0, 900.0], voltage=[380.0, 380.0], base_elevation=[1.0, 2.0]),
        "substations": frame(["S-1"], place((-200, -200)), name=["Trạm"], voltage_class=["high"], base_elevation=[3.0]),
        "transformers": frame(["T-1", "T-2"], place((-20, -20), (480, -20)), name=["T1", "T2"], feeder=["F-1", "F-1"],
                              substation_id=["S-1"] * 2, customers=[40, 70], base_elevation=[1.5, 2.5]),
        "power_lines": frame(
            ["M1", "M2", "N1", "N2"],
            [join((-200, -200), (-20, -20)), join((-20, -20), (480, -20)), join((-20, -20), (5, 5)),
             join((480, -20), (505, 5))],
            voltage_class=["medium", "medium", "low", "low"], feeder=["F-1", "F-1", None, None],
            substation_id=["S-1", "S-1", None, None], transformer_id=[None, None, "T-1", "T-2"],
        ),
        "sensors": frame([], []),
    }  # fmt: skip
    return changed_city(layers=layers)


def run(process: Any, city: Any, **values: Any) -> Any:
    return process.compute(city, parse_inputs(process.PROCESS, values), Quiet())


def test_every_lamp_is_traced_to_its_cabinet_by_the_cables(street: Any) -> None:
    circuits = read_circuits(street)
    ids = circuits.lamps["id"].tolist()
    assert dict(zip(ids, circuits.lamp_circuits.tolist(), strict=True)) == {
        "A1": "A", "A2": "A", "A3": "A", "B1": "B", "B2": "B", "D1": "D", "L-9": "",
    }  # fmt: skip
    found = {(each["kind"], each["id"]): each for each in list_disagreements(circuits)}
    assert set(found) == {("circuit", "B2"), ("cabinet", "D1"), ("no_cable", "L-9")}
    assert found["cabinet", "D1"]["traced"] == "C-2" and found["circuit", "B2"]["says"] == "A"


def test_lamps_beside_a_long_cable_hang_on_it(street: Any) -> None:
    street.layers["lighting_circuits"] = frame(
        ["W1", "W2", "W5"],
        [join((0, 0), (95, 0)), join((0, 0), (0, 70)), join((500, 0), (540, 0))],
        circuit_id=["A", "B", "D"],
    )
    lamps = street.layers["luminaires"]
    street.layers["luminaires"] = lamps.set_geometry(shapely.transform(lamps.geometry.values, lambda xy: xy + 1.2))
    circuits = read_circuits(street)
    assert circuits.lamp_circuits.tolist() == ["A", "A", "A", "B", "B", "D", ""]


def test_rings_and_ties_are_told(street: Any) -> None:
    cables = street.layers["lighting_circuits"]
    more = frame(["W8", "W9"], [join((90, 0), (0, 0)), join((90, 0), (500, 0))], circuit_id=["A", "A"])
    street.layers["lighting_circuits"] = gpd.GeoDataFrame(
        {name: [*cables[name].tolist(), *more.get(name, [None, None])] for name in cables}, geometry="geometry", crs=CRS
    )
    kinds = {(each["kind"], each["id"]) for each in list_disagreements(read_circuits(street))}
    assert {kind for kind, _ in kinds} >= {"loop", "tie"}


def test_load_and_drop_of_a_circuit_add_up(street: Any) -> None:
    circuits = read_circuits(street)
    loading, presumed = compute_circuit_loading(circuits)
    table = summarize_circuits(circuits, loading).set_index("circuit_id")
    assert presumed == 0
    assert table.loc["A", ["lamps", "power", "length"]].tolist() == [3, 300.0, 90.0]
    # 300 W over 30 m, 200 W over 30 m, 100 W over 30 m, of 6 mm2 copper at 380 V.
    assert table.loc["A", "voltage_drop"] == pytest.approx(0.0225 * 30 / 6 * (300 + 200 + 100) / 380**2)
    assert table.loc["A", "current"] == pytest.approx(300 / (np.sqrt(3) * 380 * 0.9))
    outputs = run(circuit_loads, street)
    verdicts = outputs.features["circuit_loads"].set_index("circuit_id")["verdict"]
    assert verdicts.to_dict() == {"A": "cabinet", "B": "cabinet", "D": "fuse"}, "420 W on a cabinet of 300 W"
    assert outputs.summary["cabinets_overloaded"] == ["C-1"]
    assert outputs.summary["lamps_fed"] == 6


def test_dark_lamps_are_explained_by_the_smallest_set(street: Any) -> None:
    def ask(**values: Any) -> list[tuple[str, str]]:
        outputs = run(circuit_faults, street, controllers=False, **values)
        return [(each["kind"], each["id"]) for each in outputs.summary["failures"]]

    assert ask(dark=["A2"]) == [("lamp", "A2")]
    assert ask(dark=["A1", "A2", "A3"]) == [("fuse", "A")]
    assert ask(dark=["A2", "A3"], lit=["A1"]) == [("cable", "W2")]
    assert ask(dark=["A1", "A3", "B1"]) == [("cabinet", "C-1")]
    assert ask(dark=["A1", "A3", "B1"], lit=["B2"]) == [("fuse", "A"), ("lamp", "B1")]
    assert ask(dark=["A1", "B2", "D1"]) == [("line", "F-1")], "two transformers on one feeder"
    assert ask(dark=["L-9", "A1"]) == [("lamp", "A1"), ("lamp", "L-9")]
    assert ask() == []
    told = run(circuit_faults, street, controllers=False, dark=["A1", "A2", "A3"], lit=["B1"]).summary["failures"][0]
    assert told["alternatives"] == ["cable W1"], "a lamp of B burns, so it is not the cabinet"
    assert told["explains"] == 3 and told["lamps"] == 3


def test_a_dead_phase_darkens_every_third_lamp(changed_city: Callable[..., Any]) -> None:
    places = [(30.0 * k, 0.0) for k in range(1, 10)]
    cables = [join(before, after) for before, after in zip([(0.0, 0.0), *places], places, strict=False)]
    lamps = frame([f"P{k}" for k in range(9)], place(*places), power=[60.0] * 9, phase=["L1", "L2", "L3"] * 3)
    city = changed_city(
        layers={
            "luminaires": lamps,
            "lighting_circuits": frame([f"W{k}" for k in range(9)], cables, circuit_id=["A"] * 9),
            "lighting_cabinets": frame(["C-1"], place((0, 0)), name=["Tủ"]),
        }
    )

    def ask(**values: Any) -> list[tuple[str, str]]:
        told = run(circuit_faults, city, controllers=False, **values).summary
        return [(each["kind"], each["id"]) for each in told["failures"]]

    assert ask(dark=["P1", "P4", "P7"], lit=["P0", "P2", "P8"]) == [("phase", "A L2")]
    assert ask(dark=["P1", "P4", "P7", "P0"], lit=["P2", "P8", "P3"]) == [("phase", "A L2"), ("lamp", "P0")]
    assert ask(dark=["P4", "P5", "P6", "P8", "P1"], lit=["P0", "P2", "P3"]) == [("cable", "W4"), ("lamp", "P1")]
    assert ask(dark=["P0", "P1", "P4", "P7"]) == [("fuse", "A")], "one fuse is less than a phase and a lamp"
    assert ask(dark=["P1"]) == [("lamp", "P1")]


def test_a_citizen_may_be_wrong_where_the_crew_is_not(street: Any) -> None:
    outputs = run(circuit_faults, street, controllers=False, reported=["A1", "A2", "A3"], lit=["A2"])
    # The crew saw A2 lit; its report goes before that of citizens.
    assert [each["id"] for each in outputs.summary["failures"]] == ["A1", "A3"]
    for values, message in (
        ({"dark": ["A9"]}, "no luminaire 'A9'"),
        ({"dark": ["A1"], "lit": ["A1"]}, "dark and lit"),
        ({"dark": ["A1"], "at": "2026-11-02T19:00"}, "has no zone"),
    ):
        with pytest.raises(InputError, match=message):
            run(circuit_faults, street, **values)
    with pytest.raises(InputError, match="at most 80 characters"):
        run(circuit_faults, street, dark=["x" * 100])


def test_controllers_say_which_lamps_are_dark(street: Any) -> None:
    street.layers["sensors"] = frame(
        ["K1", "K2", "K3"], place((30, 0), (60, 0), (500, 0)), kind=["light"] * 3,
        watched_layer=["luminaires", "luminaires", "lighting_cabinets"], watched_id=["A1", "A2", "C-2"],
    )  # fmt: skip
    at = np.array([NIGHT.timestamp() - 600.0])
    street.readings |= {
        "K1.active_power": (at, np.array([99.0])),
        "K2.active_power": (at, np.array([1.0])),
        "K3.light_level": (at, np.array([0.0])),
    }
    found = run(circuit_faults, street, at=NIGHT.isoformat()).summary
    assert {(each["kind"], each["id"]) for each in found["failures"]} == {("lamp", "A2"), ("cabinet", "C-2")}
    assert found["controllers_asked"] == 3
    noon = run(circuit_faults, street, at=(NIGHT - timedelta(hours=8)).isoformat()).summary
    assert noon["failures"] == [] and noon["controllers_asked"] == 0, "nothing should be lit at noon"


@settings(max_examples=6, deadline=None)
@given(st.floats(0, 20), st.floats(0.5, 3))
def test_planned_energy_is_the_integral_of_levels(make_tiny_city: Callable[[], Any], begin: float, days: float) -> None:
    city = make_tiny_city()
    city.layers["luminaires"] = frame(
        ["P1", "P2"], place((285, 0), (300, 0)), power=[100.0, 50.0], lamp_type=["led", "sodium"]
    )
    city.layers["lighting_cabinets"] = frame(["C-1"], place((270, 0)), name=["Tủ"])
    city.layers["lighting_circuits"] = frame(["W1"], [join((270, 0), (285, 0), (300, 0))], circuit_id=["A"])
    document = {
        "programs": {
            "dim": [{"at": "sunset", "level": 1}, {"at": "23:00", "level": 0.5}, {"at": "sunrise", "level": 0}]
        },
        "usual": "dim",
    }
    start = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=begin)
    end = start + timedelta(days=days)
    city.lamp_calendars = [("", start + timedelta(days=days / 2), document)]
    circuits = read_circuits(city)
    load = plan_loads(city, circuits, start, end, [0])[0]
    assert load.full == 150.0
    from_presumed, minutes = 0.0, int(days * 1440)
    step = (end - start) / minutes
    levels = [find_level(city, start + (k + 0.5) * step) for k in range(minutes)]
    for power, gradient in ((100.0, GRADIENTS["led"]), (50.0, GRADIENTS["sodium"])):
        from_presumed += float((power * compute_share(np.array(levels), gradient)).sum()) * step.total_seconds() / 3.6e6
    # A minute's step misses a switch by half a minute at most.
    assert load.energy == pytest.approx(from_presumed, abs=150.0 * 60.0 * (days + 2) * 3 / 3.6e6)


def find_level(city: Any, at: datetime) -> float:
    _, since, document = city.lamp_calendars[0]
    return compute_level(read_calendar(document) if at >= since else PRESUMED, at, 10.03, 105.79, city.zone)
