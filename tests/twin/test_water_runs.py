"""Runs of the layers' own water network: a small city of two metered areas, its balance, its fire flow, its age."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from sqlalchemy import Engine

from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.features import select_features
from network.epanet.hydraulics import run_model
from network.epanet.project import Project
from tests.twin.conftest import NOW, X0, Y0, MemoryCity, frame
from tests.twin.water_models import TOWN
from twin.process import Outputs, Quiet, parse_inputs
from twin.registry import PROCESSES
from twin.runs import execute, submit_run
from twin.settings import Settings
from twin.water.importing import import_model
from twin.water.model import Times, read_curve
from twin.water.names import name_objects
from twin.water.patterns import USUAL, build_pattern
from twin.water.schedules import find_switches
from twin.water.study import Asked, open_study

STEP = 200.0
USE = 24.0
LEAK = {"D1": 0.20, "D2": 0.30}


def point(column: float, row: float) -> shapely.Point:
    return shapely.Point(xy(column, row))


def xy(column: float, row: float) -> tuple[float, float]:
    return X0 + STEP * column, Y0 + STEP * row


def make_water_city() -> MemoryCity:
    """Return 4 × 4 junctions of 24 m3/d: two areas of 8, the works at one end, a valve between, a closed pipe."""
    nodes = [(f"N{c}{r}", c, r, "junction", "D1" if c < 2 else "D2") for c in range(4) for r in range(4)]
    nodes += [
        ("S", -1.0, 0.0, "reservoir", None),
        ("V1a", 1.45, 0.0, "junction", "D1"),
        ("V1b", 1.55, 0.0, "junction", "D2"),
    ]
    at = {key: point(c, r) for key, c, r, _, _ in nodes}
    pairs = [(f"N{c}{r}", f"N{c}{r + 1}") for c in range(4) for r in range(3)]
    pairs += [(f"N{c}{r}", f"N{c + 1}{r}") for c in (0, 2) for r in range(4)]
    pairs += [("N10", "V1a"), ("V1b", "N20"), ("N13", "N23")]
    names = [f"P-{a}-{b}" for a, b in pairs]
    layers: dict[str, Any] = {
        "water_nodes": frame(
            [key for key, *_ in nodes], list(at.values()), node_type=[kind for *_, kind, _ in nodes],
            elevation=[2.0] * len(nodes), head=[None] * 16 + [2.0, None, None],
            base_demand=[USE / (1.0 - LEAK[area]) if key[0] == "N" else None for key, *_, area in nodes],
            dma_id=[area for *_, area in nodes], model_id=[None] * len(nodes),
        ),
        "water_pipes": frame(
            names, [shapely.LineString([at[a], at[b]]) for a, b in pairs], pipe_type=["distribution"] * len(pairs),
            from_node=[a for a, _ in pairs], to_node=[b for _, b in pairs], diameter=[0.15] * len(pairs),
            material=["pvc"] * len(pairs), status=["open"] * len(pairs), model_id=[None] * len(pairs),
        ),
        "water_valves": frame(
            ["PRV", "BV", "IV"], [point(1.5, 0), point(1.5, 3), point(0, 1.5)],
            valve_type=["prv", "isolation", "isolation"], status=["active", "closed", "open"],
            normal_status=["open", "closed", "open"], pipe_id=[None, "P-N13-N23", "P-N01-N02"],
            from_node=["V1a", None, None], to_node=["V1b", None, None], diameter=[0.1, 0.15, 0.15],
            pressure_setting=[25.0, None, None], model_id=[None] * 3,
        ),
        "water_pumps": frame(
            ["B1"], [point(-0.5, 0)], from_node=["S"], to_node=["N00"], rated_flow=[800.0], rated_head=[40.0],
            efficiency=[0.75], status=["running"], model_id=[None],
        ),
        "water_meters": frame(
            [f"M{k}" for k in range(16)], [at[f"N{k // 4}{k % 4}"] for k in range(16)],
            customer_type=["household"] * 16, node_id=[f"N{k // 4}{k % 4}" for k in range(15)] + [None],
            average_use=[USE] * 16, dma_id=["D1"] * 8 + ["D2"] * 8,
        ),
        "hydrants": frame(["H1", "H2"], [at["N00"], at["N33"]], node_id=["N00", None], status=["working"] * 2),
        "dmas": frame(
            ["D1", "D2"],
            [shapely.MultiPolygon([shapely.box(*xy(a, -0.5), *xy(a + 2, 3.5))]) for a in (-0.5, 1.5)],
            name=["Một", "Hai"],
        ),
        "sensors": frame(
            ["Q1", "Q2"], [point(-0.5, 0), point(1.5, 0)], name=["Q1", "Q2"], kind=["flow", "flow"],
            watched_layer=["water_pumps", "water_valves"], watched_id=["B1", "PRV"],
        ),
    }  # fmt: skip
    times = np.arange(NOW.timestamp() - 28 * 86_400.0, NOW.timestamp(), 3600.0) // 3600 * 3600
    hour = ((times + 7 * 3600) // 3600 % 24).astype(int)
    flow = {area: 8 * USE / 86_400.0 * (USUAL["household"][hour] + LEAK[area] / (1.0 - LEAK[area])) for area in LEAK}
    readings = {"Q1.discharge": (times, flow["D1"] + flow["D2"]), "Q2.discharge": (times, flow["D2"])}
    return MemoryCity({}, layers, readings)


@pytest.fixture
def water_city() -> MemoryCity:
    return make_water_city()


def compute(city: MemoryCity, process: str, **values: object) -> Outputs:
    chosen = PROCESSES[process]
    return chosen.compute(city, parse_inputs(chosen, values), Quiet())


def test_pressures_flows_and_energy(water_city: MemoryCity) -> None:
    outputs = compute(water_city, "water-run")
    assert abs(outputs.balance["relative_error"]) < 1e-5
    nodes = outputs.features["water_pressures"].set_index("id")
    assert nodes.loc["V1b", "pressure_max"] <= 25.05, "the valve holds its pressure"
    assert nodes.loc["N00", "pressure_mean"] > 40.0
    assert nodes["demand"].sum() == pytest.approx(8 * USE / 0.8 + 8 * USE / 0.7, rel=1e-4)
    links = outputs.features["water_flows"].set_index("id")
    assert links.loc["P-N13-N23", "flow_class"] == "closed"
    assert links.loc["PRV", "flow_mean"] == pytest.approx(8 * USE / 0.7 / 86_400.0, rel=1e-3)
    pumps = outputs.summary["pumps"]
    assert links.loc["B1", "energy"] == pytest.approx(pumps["energy"], abs=0.1)
    assert pumps["cost"] > 0 and sum(pumps["energy_by_hour"]) == pytest.approx(pumps["energy"], abs=1.5)
    assert outputs.summary["network"]["left_out"] == {}
    assert outputs.base_time.isoformat() == "2026-10-25T00:00:00+07:00"


def test_closed_valves_cut_off_and_opened_ones_feed(water_city: MemoryCity) -> None:
    shut = compute(water_city, "water-run", closed=["PRV"]).features["water_pressures"].set_index("id")
    assert set(shut["pressure_class"][shut["dma_id"] == "D2"]) == {"none"}
    assert "none" not in set(shut["pressure_class"][(shut["dma_id"] == "D1")])
    fed = compute(water_city, "water-run", closed=["PRV"], opened=["BV"]).features["water_pressures"].set_index("id")
    assert set(fed["pressure_class"].dropna()) == {"good"}
    isolated = compute(water_city, "water-run", closed=["IV", "P-N02-N12", "P-N03-N13"]).features["water_pressures"]
    assert set(isolated.loc[isolated["pressure_class"] == "none", "id"]) == {"N02", "N03"}


def test_pumps_work_by_the_clock(water_city: MemoryCity) -> None:
    outputs = compute(water_city, "water-run", pump_hours=["B1 06:00-08:00 20:00-21:00"], energy_prices=[1000.0])
    energy = np.array(outputs.summary["pumps"]["energy_by_hour"])
    assert np.flatnonzero(energy > 0.0).tolist() == [6, 7, 20]
    assert outputs.summary["pumps"]["cost"] == pytest.approx(1000.0 * energy.sum(), rel=0.02)
    dry = compute(water_city, "water-run", pumps_off=["B1"]).features["water_pressures"]
    assert set(dry.loc[dry["node_type"] == "junction", "pressure_class"]) == {"none"}


def test_demands_of_meters_and_inflows_make_the_inflow(water_city: MemoryCity) -> None:
    outputs = compute(
        water_city, "water-run", demand_from="meters", base_time="2026-10-25T06:00:00Z", duration_hours=168
    )
    areas = outputs.summary["demands"]["areas"]
    assert areas["D1"]["pattern"] == areas["D2"]["pattern"] == "inflow"
    assert areas["D1"]["leakage"] == pytest.approx(8 * USE * 0.25, rel=0.01)
    assert areas["D2"]["leakage"] == pytest.approx(8 * USE * 0.3 / 0.7, rel=0.01)
    water = outputs.balance
    # Leaks are sized by the pressures of a first run and follow it: within 2 % of the measured inflow.
    assert water["supplied"] == pytest.approx(7 * 8 * USE * (1.25 + 1 / 0.7), rel=0.02)
    assert water["consumed"] == pytest.approx(7 * 16 * USE, rel=0.01)


def test_patterns_of_customers_are_those_their_meters_measure(water_city: MemoryCity) -> None:
    times, _ = water_city.readings["Q1.discharge"]
    by_night = np.where((times + 7 * 3600) // 3600 % 24 < 6, 3.0, 1.0 / 3.0)
    sensors = frame(
        ["A1"], [point(0, 0)], name=["A1"], kind=["flow"], watched_layer=["water_meters"], watched_id=["M0"]
    )
    city = replace(
        water_city, layers={**water_city.layers, "sensors": sensors}, readings={"A1.discharge": (times, by_night)}
    )
    outputs = compute(city, "water-run")
    assert outputs.summary["demands"]["areas"]["D1"]["pattern"] == "customers"
    energy = np.array(outputs.summary["pumps"]["energy_by_hour"])
    assert energy[:6].min() > 1.5 * energy[6:].max(), "they pump for who draws by night"


def test_an_area_in_two_pieces_is_told(water_city: MemoryCity) -> None:
    shut = ["P-N20-N30", "P-N21-N31", "P-N22-N32", "P-N23-N33"]
    rows = compute(water_city, "dma-balance", closed=shut).summary["areas"]
    assert [row["pieces"] for row in rows] == [1, 2]
    assert [row["boundary_sound"] for row in rows] == [True, False]


def test_the_balance_finds_the_leaks_that_are_there(water_city: MemoryCity) -> None:
    outputs = compute(
        water_city, "dma-balance", meter_error=0.0, data_error=0.0, unbilled_share=0.0, unauthorised_share=0.0,
        household_night_use=1000.0 * USE / 24 * float(USUAL["household"][2:4].min()),
    )  # fmt: skip
    table = {row["dma_id"]: row for row in outputs.summary["areas"]}
    for area, leak in LEAK.items():
        row = table[area]
        lost = 8 * USE * leak / (1.0 - leak)
        assert row["real_losses"] == pytest.approx(lost, rel=0.01)
        assert row["nrw_share"] == pytest.approx(leak, abs=0.005)
        # By night: the pressure of the day is a little lower than that of the night.
        assert row["night_leakage"] == pytest.approx(lost, rel=0.1)
        assert row["inflow_source"] == "meters" and row["boundary_sound"] and row["pieces"] == 1
        assert row["unavoidable_losses"] == pytest.approx(
            (18 * row["mains_length"] / 1000 + 0.8 * 8) * row["average_pressure"] / 1000, abs=0.01
        )
        assert row["ili"] == pytest.approx(row["real_losses"] / row["unavoidable_losses"], rel=0.005)
        assert not row["uarl_is_fitted"]
    assert [link["id"] for link in table["D2"]["inlet_links"]] == ["PRV"] and table["D2"]["closed_links"] == 1
    total = outputs.summary["total"]
    assert total["billed_authorised"] + total["non_revenue_water"] == pytest.approx(total["system_input"], abs=0.1)
    assert len(outputs.features["dma_balances"]) == 2


def test_an_area_with_an_open_unmetered_link_is_not_balanced_by_its_meters(water_city: MemoryCity) -> None:
    outputs = compute(water_city, "dma-balance", opened=["BV"])
    row = outputs.summary["areas"][0]
    assert row["unmetered_links"] == ["P-N13-N23"] and not row["boundary_sound"]
    assert row["inflow_source"] == "none" and row["real_losses"] is None and row["ili_band"] == "unknown"


def test_fire_flow_of_the_hydrants(water_city: MemoryCity) -> None:
    outputs = compute(water_city, "fire-flow", flow=10.0, pressure=10.0)
    near, far = outputs.features["hydrant_flows"].set_index("id").loc[["H1", "H2"]].itertuples()
    assert (near.node_id, far.node_id) == ("N00", "N33")
    assert near.static_pressure > far.static_pressure
    assert near.available_flow > far.available_flow > 0.0
    assert far.lowest_node is not None and far.lowest_pressure < far.static_pressure
    cut = compute(water_city, "fire-flow", closed=["PRV"], hydrants=["H2"])
    assert cut.features["hydrant_flows"]["available_flow"].tolist() == [0.0]
    with pytest.raises(InputError, match="no hydrant of the city"):
        compute(water_city, "fire-flow", hydrants=["H9"])
    with pytest.raises(NotFoundError, match="the city has no hydrant"):
        compute(replace(water_city, layers={**water_city.layers, "hydrants": frame([], [])}), "fire-flow")


def test_water_is_older_farther_from_the_works(water_city: MemoryCity) -> None:
    outputs = compute(water_city, "water-age", source="S", duration_hours=120)
    ages = outputs.features["water_qualities"].set_index("id")
    assert ages.loc["N00", "age_mean"] < ages.loc["N20", "age_mean"] < ages.loc["N33", "age_mean"]
    assert ages.loc["N33", "chlorine_mean"] < ages.loc["N00", "chlorine_mean"] <= 0.5
    assert ages.loc["N33", "source_share"] == pytest.approx(1.0, abs=0.01), "there is no other source"
    assert outputs.summary["is_steady"]
    with pytest.raises(InputError, match="'N00' is no reservoir or tank"):
        compute(water_city, "water-age", source="N00")


@pytest.mark.parametrize(
    ("layer", "values", "said"),
    [
        ("water_nodes", {"node_type": "junction"}, "has no source"),
        ("water_pumps", {"rated_flow": None, "power": None}, "pump 'B1' has neither a curve"),
        ("water_pumps", {"curve": "1,2,3"}, "is not flow,head"),
        ("water_pumps", {"hours": "25:00-3:00"}, "are not as 05:00-22:00"),
        ("water_pumps", {"control_node": "T9", "start_below": 2.0}, "controlled by node 'T9'"),
    ],
)
def test_what_lacks_is_named(water_city: MemoryCity, layer: str, values: dict[str, object], said: str) -> None:
    water_city.layers[layer] = water_city.layers[layer].assign(**values)
    with pytest.raises(InputError, match=said):
        compute(water_city, "water-run")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"closed": ["X"]}, "neither a water valve nor a water pipe"),
        ({"pumps_off": ["X"]}, "'X' in pumps_off is no pump"),
        ({"closed": ["BV"], "opened": ["BV"]}, "both closed and opened"),
        ({"pump_hours": ["B1"]}, "is not one pump's id and its hours"),
        ({"pump_hours": ["X 1:00-2:00"]}, "'X' in pump_hours is no pump"),
        ({"duration_hours": 0}, "duration_hours"),
        ({"pressure": 1}, "has no input 'pressure'"),
    ],
)
def test_bad_inputs_are_named(water_city: MemoryCity, values: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        compute(water_city, "water-run", **values)


def test_what_hangs_nowhere_is_left_out_and_told(water_city: MemoryCity) -> None:
    pipes = water_city.layers["water_pipes"]
    water_city.layers["water_pipes"] = pipes[~pipes["id"].isin(["P-N30-N31", "P-N20-N30"])].reset_index(drop=True)
    water_city.layers["water_pipes"].loc[0, "to_node"] = "nowhere"
    left = compute(water_city, "water-run").summary["network"]["left_out"]
    assert left["water_pipes without two nodes"]["count"] == 1
    assert left["nodes without a way to a source"]["ids"] == ["N30"]


def test_names_and_schedules() -> None:
    long = "x" * 40
    names = name_objects(["a b", "a_b", long + "1", long + "2", "Ống"])
    assert names["a b"] == "a_b" and names["a_b"] == "a_b~2"
    assert len(set(names.values())) == 5 and all(len(name.encode()) <= 31 for name in names.values())
    assert find_switches("22:00-04:00, 11:00-13:00", "B") == [
        (0, True), (240, False), (660, True), (780, False), (1320, True),
    ]  # fmt: skip
    assert read_curve("0,56; 4000,42", "B") == [(0.0, 56.0), (4000.0, 42.0)]
    with pytest.raises(InputError, match="do not rise"):
        read_curve("5,1; 4,2", "B")


def test_a_pattern_is_that_of_the_local_week() -> None:
    times = datetime(2026, 11, 1, tzinfo=UTC).timestamp() + 3600.0 * np.arange(28 * 24)
    local = (times + 7 * 3600) // 3600
    values = 1.0 + (local % 24 == 6) + 2.0 * ((local // 24 + 3) % 7 == 6)
    week = build_pattern(times, values, offset_s=7 * 3600.0)
    assert week is not None and week.mean() == pytest.approx(1.0)
    assert week[6, 6] / week[0, 0] == pytest.approx(4.0), "Sunday at six"
    assert week[2, 6] / week[2, 7] == pytest.approx(2.0)
    assert build_pattern(times[:10], values[:10], offset_s=0.0) is None


def test_the_exported_text_runs_alike(water_city: MemoryCity) -> None:
    study = open_study(water_city, Asked(times=Times(86_400)), NOW, Quiet())
    with Project(study.model.text) as project:
        study.prepare(project)
        found = run_model(project)
    assert found.balance.supplied == pytest.approx(compute(water_city, "water-run").balance["supplied"], rel=1e-4)


def test_a_run_is_stored_with_its_layers(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "town.inp"
    path.write_text(TOWN)
    with engine.begin() as connection:
        import_model(connection, path, origin=(105.78, 10.03))
    run_id = submit_run(engine, "water-run", {"model": "town"})
    done = execute(engine, Settings(data_dir=tmp_path), run_id)
    assert done.status == "successful" and abs(done.balance["relative_error"]) < 0.005
    with engine.connect() as connection:
        for layer, count in (("water_pressures", 6), ("water_flows", 7)):
            assert len(select_features(connection, read_vector_layer(layer), equals={"run_id": run_id})) == count
