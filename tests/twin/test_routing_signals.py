"""Signals along a street of a grid: found in order, timed, coordinated, drawn."""

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely

from layers.errors import InputError, NotFoundError
from tests.twin.conftest import X0, Y0, frame
from tests.twin.road_town import Town, ask, make_grid
from twin.process import Outputs
from twin.processes import signal_timing

STREET = "Ngang 4"
AT = (700, 100, 400, 200)


def make_city(*at: int) -> Town:
    """Return the grid with a signal beside the junctions of one street, in no order, and one on another street."""
    grid = make_grid()
    points = [shapely.Point(X0 + x + 8, Y0 + 408) for x in at] + [shapely.Point(X0 + 300, Y0 + 700)]
    signals = frame([f"TS-{x}" for x in at] + ["TS-other"], points, name=[f"Ngã tư {x}" for x in at] + ["Khác"])
    return Town({}, {**grid.layers, "signals": signals})


CITY = make_city(*AT)


def plan(city: Town = CITY, **values: Any) -> Outputs:
    return ask(city, signal_timing.PROCESS, street=STREET, **values)


def test_the_signals_of_a_street_come_in_order_with_their_distances() -> None:
    found = plan().features["signal_plans"]
    order = found["signal_id"].tolist()
    assert order in (["TS-100", "TS-200", "TS-400", "TS-700"], ["TS-700", "TS-400", "TS-200", "TS-100"])
    assert sorted(np.diff(found["distance"]).round().tolist()) == [100.0, 200.0, 300.0]
    assert found["position"].tolist() == [1, 2, 3, 4]
    assert found["cycle"].nunique() == 1


def test_greens_fill_the_cycle_and_the_wave_passes_every_signal() -> None:
    found = plan(lost_time=4.0)
    for told in found.summary["signals"]:
        assert sum(told["greens"]) + 8.0 == pytest.approx(found.summary["cycle"], abs=0.2)
        assert told["saturation"] < 1.0
    wave = found.summary["green_wave"]
    assert wave["proven"]
    assert 0.0 < wave["outbound_band"] <= min(told["greens"][0] for told in found.summary["signals"]) + 0.1
    assert wave["outbound_band"] == pytest.approx(wave["inbound_band"], abs=0.2)
    assert all(30.0 - 0.1 <= speed <= 50.0 + 0.1 for speed in wave["outbound_speeds"] + wave["inbound_speeds"])


def test_the_diagram_is_a_picture_with_every_signal() -> None:
    svg = plan().files["time_space.svg"].decode()
    texts = " ".join(each.text or "" for each in ElementTree.fromstring(svg).iter())
    assert all(f"Ngã tư {x}" in texts for x in AT)


def test_flows_of_one_signal_change_its_splits() -> None:
    busy = plan(flows={"TS-400": {"across": 900.0}}).summary["signals"]
    by_id = {told["id"]: told for told in busy}
    assert by_id["TS-400"]["flows"][2] == 900.0
    assert by_id["TS-400"]["greens"][1] > by_id["TS-200"]["greens"][1]


def test_flows_of_an_assignment_run_are_read_by_way_and_part() -> None:
    roads = CITY.roads()
    graph = roads.graph
    lines, rows = [], []
    for link in range(graph.link_count):
        [line] = roads.lines([int(graph.edges[link])])
        lines.append(line if graph.forward[link] else line.reverse())
        street = roads.names[graph.edges[link]]
        x = float(graph.junction_xy[graph.ends[link]][0] - X0)
        pcu = 100.0 + x if street == STREET and graph.forward[link] else 50.0
        rows.append((str(roads.items[graph.edges[link]]), "forward" if graph.forward[link] else "backward", pcu))
    ids, ways, pcu = zip(*rows, strict=True)
    flows = frame([f"F{k}" for k in range(len(rows))], lines, run_id="run-1", road_link_id=ids, way=ways, flow_pcu=pcu)
    found = plan(Town({}, {**CITY.layers, "traffic_flows": flows}), flow_run="run-1")
    by_id = {told["id"]: told["flows"] for told in found.summary["signals"]}
    # West to east traffic arrives at x from the part before it.
    assert {name: max(each[:2]) for name, each in by_id.items()} == {f"TS-{x}": 100.0 + x for x in AT}
    assert all(each[2] == 50.0 for each in by_id.values())
    with pytest.raises(NotFoundError, match="traffic_flows"):
        plan(flow_run="run-2")


def test_one_signal_has_a_plan_and_no_wave() -> None:
    found = plan(make_city(400))
    assert found.summary["green_wave"] is None
    assert len(found.features["signal_plans"]) == 1
    assert found.files == {}


def test_more_than_a_street_can_carry_is_told_as_oversaturated() -> None:
    found = plan(outbound_flow=4_000.0, cross_flow=1_500.0)
    assert set(found.summary["oversaturated"]) == {f"TS-{x}" for x in AT}
    assert found.summary["cycle"] == pytest.approx(120.0, abs=18.1)


def test_what_is_named_wrongly_is_told() -> None:
    with pytest.raises(NotFoundError, match="no street"):
        ask(CITY, signal_timing.PROCESS, street="Đường Không Có")
    with pytest.raises(NotFoundError, match="no signal"):
        ask(CITY, signal_timing.PROCESS, street="Ngang 1")
    with pytest.raises(InputError, match="is not on"):
        plan(signals=["TS-other"])
    with pytest.raises(InputError, match="not in the corridor"):
        plan(flows={"TS-9": {"across": 1.0}})
    with pytest.raises(InputError, match="'sideways'"):
        plan(flows={"TS-400": {"sideways": 1.0}})
    with pytest.raises(InputError, match="longer than the longest"):
        plan(shortest_cycle=100.0, longest_cycle=60.0)
