"""What a failure of the grid, or water at its equipment, leaves without power."""

from collections.abc import Callable
from typing import Any

import pytest
import shapely

from layers.errors import InputError
from tests.twin.made_up import frame, join, place
from twin.lighting.supply import read_supply
from twin.process import Quiet, parse_inputs
from twin.processes import power_outage


@pytest.fixture
def grid(changed_city: Callable[..., Any]) -> Any:
    """S-1 feeds T-1 and, over line M2, T-2; each has a low line. A hospital by T-1, a pump and a signal by T-2."""
    layers = {
        "substations": frame(["S-1"], place((0, 0)), name=["Trạm"], voltage_class=["high"], base_elevation=[3.0]),
        "transformers": frame(["T-1", "T-2"], place((1000, 0), (2000, 0)), name=["T1", "T2"], feeder=["F", "F"],
                              substation_id=["S-1"] * 2, customers=[40, 70], base_elevation=[1.5, 2.5]),
        "power_lines": frame(
            ["M1", "M2", "N1", "N2"],
            [join((0, 0), (1000, 0)), join((1000, 0), (2000, 0)), join((1000, 0), (1000, 90)),
             join((2000, 0), (2000, 90))],
            voltage_class=["medium", "medium", "low", "low"], feeder=["F", "F", None, None],
            substation_id=["S-1", "S-1", None, None], transformer_id=[None, None, "T-1", "T-2"],
        ),
        "places": frame(["H-1", "K-1"], place((1000, 95), (1000, 99)), name=["Bệnh viện", "Chợ"],
                        category=["hospital", "market"]),
        "drainage_links": frame(["P-1", "D-1"], [join((2000, 92), (2005, 92)), join((2000, 93), (2005, 93))],
                                link_type=["pump", "conduit"]),
        "signals": frame(["TL-1"], place((2010, 60))),
        "lighting_cabinets": frame(["C-1", "C-9"], place((1010, 60), (9000, 0)), name=["Tủ 1", "Tủ 9"],
                                   base_elevation=[1.2, 1.2]),
    }  # fmt: skip
    return changed_city(layers=layers)


def ask(city: Any, **values: Any) -> tuple[dict[str, str], dict[str, Any]]:
    outputs = power_outage.compute(city, parse_inputs(power_outage.PROCESS, values), Quiet())
    frame = outputs.features["outage_assets"]
    return dict(zip(frame["asset_id"], frame["cause_id"].fillna(""), strict=True)), outputs.summary


def test_each_place_has_its_transformer_feeder_and_substation(grid: Any) -> None:
    supply = read_supply(grid)
    nodes = supply.find_nodes(shapely.get_coordinates(place((1005, 80), (2000, -100), (9000, 0))))
    assert nodes[2] == -1
    told = [(supply.transformers[k], supply.feeders[k], supply.substations[k]) for k in nodes[:2]]
    assert told == [("T-1", "F", "S-1"), ("T-2", "F", "S-1")]


def test_what_hangs_on_failed_equipment_has_no_power(grid: Any) -> None:
    lost, summary = ask(grid, transformers=["T-1"])
    assert lost == {"T-1": "T-1", "H-1": "T-1", "C-1": "T-1"}
    assert summary["customers"] == 40 and [each["id"] for each in summary["vital"]] == ["H-1"]
    lost, summary = ask(grid, lines=["M2"])
    assert lost == {"T-2": "M2", "P-1": "M2", "TL-1": "M2"} and summary["customers"] == 70
    lost, summary = ask(grid, substations=["S-1"])
    assert set(lost) == {"S-1", "T-1", "T-2", "H-1", "C-1", "P-1", "TL-1"} and set(lost.values()) == {"S-1"}
    assert summary["customers"] == 110


def test_water_puts_out_what_stands_below_it(grid: Any) -> None:
    lost, summary = ask(grid, stage=1.3)
    assert lost == {"C-1": "C-1", "C-9": "C-9"} and summary["flooded"] == 2 and summary["customers"] == 0
    lost, _ = ask(grid, stage=2.0)
    assert lost == {"T-1": "T-1", "H-1": "T-1", "C-1": "T-1", "C-9": "C-9"}
    grid.layers["flood_assets"] = frame(
        ["R.1", "R.2", "Q.1"], place((0, 0), (0, 0), (0, 0)), run_id=["R", "R", "Q"],
        asset_layer=["transformers", "buildings", "transformers"], asset_id=["T-2", "B", "T-1"],
        depth_max=[0.2, 1.0, 0.3],
    )  # fmt: skip
    outputs = power_outage.compute(grid, parse_inputs(power_outage.PROCESS, {"flood_run": "R"}), Quiet())
    found = outputs.features["outage_assets"].set_index("asset_id")
    assert set(found.index) == {"T-2", "P-1", "TL-1"}
    assert found.loc["T-2", ["cause", "water_above"]].tolist() == ["flooded", 0.2]


def test_a_wrong_question_is_told(grid: Any) -> None:
    with pytest.raises(InputError, match="nothing has failed"):
        ask(grid)
    with pytest.raises(InputError, match="T-9"):
        ask(grid, transformers=["T-9"])
    with pytest.raises(InputError, match="touched no asset"):
        ask(grid, flood_run="none")
    with pytest.raises(InputError, match="'stage'"):
        ask(grid, stage=1e9)
