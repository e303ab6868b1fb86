"""The demo's utilities and registers: networks that hang together, things that name each other, faults as listed."""

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import coo_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from tests.conftest import ROOT
from twin.demo.blocks import lay_lots
from twin.demo.cells import lay_cells
from twin.demo.frame_roads import draw_frame_roads, set_insets
from twin.demo.plan import GRID, make_plan
from twin.demo.streets import build_streets
from twin.demo.water_network import build_water_network

Tables = dict[str, gpd.GeoDataFrame]


@pytest.fixture(scope="module")
def faults(demo_folder: Path) -> pd.DataFrame:
    return pd.read_csv(demo_folder / "faults.csv")


def find_spoilt(faults: pd.DataFrame, layer: str, *kinds: str) -> set[str]:
    """Return the items of a layer with faults of some kinds."""
    return set(faults.loc[(faults["layer"] == layer) & faults["kind"].isin(kinds), "item"])


def refer(
    tables: Tables, layer: str, column: str, target: str, spoilt: frozenset[str] | set[str] = frozenset()
) -> None:
    """Assert that every value of a column names an item of another layer."""
    table = tables[layer]
    named = table.loc[~table["id"].isin(spoilt), column].dropna()
    assert len(named) > 0, f"{layer}.{column} names nothing"
    unknown = set(named) - set(tables[target]["id"])
    assert not unknown, f"{layer}.{column} names {sorted(unknown)[:5]}, which {target} does not have"


@pytest.mark.parametrize(
    ("layer", "column", "target"),
    [
        ("water_pipes", "from_node", "water_nodes"),
        ("water_pipes", "dma_id", "dmas"),
        ("water_nodes", "dma_id", "dmas"),
        ("water_valves", "pipe_id", "water_pipes"),
        ("water_valves", "near_node", "water_nodes"),
        ("water_valves", "from_node", "water_nodes"),
        ("water_pumps", "from_node", "water_nodes"),
        ("water_pumps", "to_node", "water_nodes"),
        ("hydrants", "node_id", "water_nodes"),
        ("hydrants", "pipe_id", "water_pipes"),
        ("water_meters", "node_id", "water_nodes"),
        ("water_meters", "pipe_id", "water_pipes"),
        ("water_meters", "building_id", "buildings"),
        ("water_meters", "dma_id", "dmas"),
        ("power_lines", "substation_id", "substations"),
        ("power_lines", "transformer_id", "transformers"),
        ("transformers", "substation_id", "substations"),
        ("luminaires", "pole_id", "poles"),
        ("telecom_cabinets", "feeds_from", "telecom_cabinets"),
        ("waste_bins", "collection_point_id", "waste_points"),
        ("waste_routes", "facility_id", "waste_facilities"),
        ("parking_spaces", "parking_id", "parking_areas"),
        ("parking_access", "parking_id", "parking_areas"),
        ("fire_water_points", "water_body_id", "water_bodies"),
        ("monitoring_stations", "sensor_id", "sensors"),
        ("discharge_permits", "water_body_id", "water_bodies"),
        ("addresses", "building_id", "buildings"),
    ],
)
def test_what_is_named_exists(demo_tables: Tables, layer: str, column: str, target: str) -> None:
    refer(demo_tables, layer, column, target)


def test_pipes_end_on_their_nodes_but_those_spoilt(demo_tables: Tables, faults: pd.DataFrame) -> None:
    pipes = demo_tables["water_pipes"]
    nodes = demo_tables["water_nodes"].set_index("id").geometry
    unknown = find_spoilt(faults, "water_pipes", "unknown_node")
    assert set(pipes.loc[~pipes["to_node"].isin(nodes.index), "id"]) == unknown
    for column, end in (("from_node", 0), ("to_node", -1)):
        known = pipes[pipes[column].isin(nodes.index)]
        gap = shapely.distance(shapely.get_point(known.geometry.values, end), nodes.loc[known[column]].values)
        loose = set(known.loc[gap > 1e-6, "id"])
        assert loose == (find_spoilt(faults, "water_pipes", "dangling_pipe") if column == "to_node" else set())


def test_every_junction_is_reached_from_the_water_works(demo_tables: Tables, faults: pd.DataFrame) -> None:
    nodes = demo_tables["water_nodes"]
    index = {key: k for k, key in enumerate(nodes["id"])}
    pipes = demo_tables["water_pipes"]
    spoilt = find_spoilt(faults, "water_pipes", "unknown_node")
    opened = pipes[(pipes["status"] == "open") & ~pipes["id"].isin(spoilt)]
    control = demo_tables["water_valves"].dropna(subset="from_node")
    ends = pd.concat([part[["from_node", "to_node"]] for part in (opened, control, demo_tables["water_pumps"])])
    a, b = (ends[name].map(index).to_numpy() for name in ("from_node", "to_node"))
    _, part = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(len(nodes), len(nodes))), directed=False)
    fed = set(part[(nodes["node_type"] == "reservoir").to_numpy()])
    dry = nodes.loc[~np.isin(part, list(fed)), "id"]
    lost = set(pipes.loc[pipes["id"].isin(spoilt), "from_node"])
    assert len(dry) <= len(lost), f"{len(dry)} nodes are cut off, e.g. {list(dry[:5])}"
    assert len(set(nodes["node_type"])) == 3


def test_areas_are_closed_but_for_their_inlets(demo_tables: Tables) -> None:
    area = demo_tables["water_nodes"].set_index("id")["dma_id"]
    pipes = demo_tables["water_pipes"]
    known = pipes[pipes["to_node"].isin(area.index)]
    between = known[area.loc[known["from_node"]].to_numpy() != area.loc[known["to_node"]].to_numpy()]
    assert (between["status"] == "closed").all() and len(between) > 20
    valves = demo_tables["water_valves"]
    shut = valves[valves["normal_status"] == "closed"]
    assert set(between["id"]) <= set(shut["pipe_id"])
    inlets = valves[valves["valve_type"] == "prv"]
    across = area.loc[inlets["from_node"]].to_numpy() != area.loc[inlets["to_node"]].to_numpy()
    assert across.sum() >= 5 and (inlets["pressure_setting"] > 10.0).all()
    known_inlets = set(valves["id"]) | set(demo_tables["water_nodes"]["id"])
    assert set(demo_tables["dmas"]["inlet_id"]) <= known_inlets


def test_demand_is_what_is_metered_and_what_is_lost(demo_tables: Tables) -> None:
    areas = demo_tables["dmas"].set_index("id")
    meters = demo_tables["water_meters"]
    billed = meters.groupby("dma_id")["average_use"].sum()
    assert np.allclose(areas["billed_use"], billed.loc[areas.index], atol=0.1)
    assert np.allclose(areas["average_inflow"] * (1 - areas["loss_share"]), areas["billed_use"], rtol=1e-3)
    demand = demo_tables["water_nodes"]["base_demand"].sum()
    assert demand == pytest.approx(areas["average_inflow"].sum(), rel=0.02)
    pumps = demo_tables["water_pumps"]
    assert pumps.loc[pumps["status"] == "running", "rated_flow"].sum() > 1.3 * demand
    people = demo_tables["buildings"]["residents"].sum()
    assert 0.1 < demand / people < 0.35  # m³ a head and day


def test_hydrants_keep_about_150_metres_apart(demo_tables: Tables) -> None:
    points = demo_tables["hydrants"].geometry.values
    (_, _), apart = shapely.STRtree(points).query_nearest(
        points, exclusive=True, all_matches=False, return_distance=True
    )
    assert apart.min() > 140.0 and np.median(apart) < 220.0


def test_feeders_are_trees_from_their_substation(demo_tables: Tables) -> None:
    lines = demo_tables["power_lines"]
    for voltage, owner in (("medium", "substation_id"), ("low", "transformer_id")):
        chosen = lines[lines["voltage_class"] == voltage]
        for name, group in list(chosen.groupby(owner))[:40]:
            ends = [shapely.get_coordinates(shapely.get_point(group.geometry.values, k)).round(3) for k in (0, -1)]
            points, code = np.unique(np.vstack(ends), axis=0, return_inverse=True)
            a, b = code.ravel()[: len(group)], code.ravel()[len(group) :]
            graph = coo_array((np.ones(len(a)), (a, b)), shape=(len(points), len(points)))
            assert connected_components(graph, directed=False)[0] == 1, name
            assert len(group) == len(points) - 1, f"{name} has a loop"


def test_capacity_is_counted_from_the_spaces(demo_tables: Tables) -> None:
    spaces = demo_tables["parking_spaces"].groupby("parking_id").size()
    areas = demo_tables["parking_areas"].set_index("id")
    assert (areas["capacity"] == spaces.reindex(areas.index).fillna(0)).all() and (areas["capacity"] > 0).all()
    assert (areas["free"] <= areas["capacity"]).all()
    inside = demo_tables["parking_areas"].set_index("id").geometry
    spots = demo_tables["parking_spaces"]
    assert shapely.distance(spots.geometry.values, inside.loc[spots["parking_id"]].values).max() < 0.5


def test_addresses_are_whole_and_told_once(demo_tables: Tables, faults: pd.DataFrame) -> None:
    table = demo_tables["addresses"]
    assert len(table) > 0.9 * len(demo_tables["buildings"])
    twice = set(table.loc[table["full_address"].duplicated(keep="last"), "id"])
    twins = find_spoilt(faults, "addresses", "duplicate")
    assert set(table.loc[table["full_address"].duplicated(), "id"]) <= twins | twice and len(twice) == len(twins)
    row = table.iloc[0]
    assert row["full_address"].startswith(f"{row['house_number']} ") and row["ward"] in row["full_address"]
    wards = demo_tables["wards"].set_index("ward_code").geometry
    wrong = set(table.loc[~shapely.intersects(table.geometry.values, wards.loc[table["ward_code"]].values), "id"])
    assert wrong == find_spoilt(faults, "addresses", "wrong_ward")
    assert not table["full_address"].equals(table["former_address"])


def test_former_wards_fill_the_present_ones(demo_tables: Tables) -> None:
    changes = demo_tables["admin_changes"]
    former = changes[changes["old_level"] == "ward"]
    present = demo_tables["wards"].set_index("ward_code")
    for code, group in former.groupby("new_code"):
        assert group.area.sum() == pytest.approx(present.loc[code, "geometry"].area, rel=1e-4), code
    gone = changes[changes["old_level"] == "district"]
    assert gone["new_code"].isna().all() and set(gone["change"]) == {"abolished"}


def test_faults_are_those_the_page_lists(faults: pd.DataFrame, demo_tables: Tables) -> None:
    page = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \| `(\w+)` \|", page, re.MULTILINE)
    assert listed == list(faults[["layer", "item", "kind"]].itertuples(index=False, name=None))
    for fault in faults.itertuples():
        table = demo_tables[fault.layer]
        row = table[table["id"] == fault.item]
        assert len(row) == 1, fault
        if "note" in table:
            assert row["note"].item() == f"Lỗi cài sẵn: {fault.says_vi}"


def solve_heads(tables: Tables) -> pd.DataFrame:
    """Return the water nodes with their ``pressure`` [m] in a steady day: Todini and Pilati's gradient method (1988).

    Hazen-Williams losses; running pumps on the one-point curve EPANET takes (shut-off head 4/3); inlets wide open.
    """
    nodes = tables["water_nodes"].set_index("id", drop=False)
    index = {key: k for k, key in enumerate(nodes.index)}
    pipes = tables["water_pipes"]
    pipes = pipes[(pipes["status"] == "open") & pipes["to_node"].isin(nodes.index)]
    pumps = tables["water_pumps"]
    pumps = pumps[pumps["status"] == "running"]
    inlets = tables["water_valves"].dropna(subset="from_node")
    loss = 10.67 * pipes["length"] / (pipes["roughness"] ** 1.852 * pipes["diameter"] ** 4.87)
    lift = pumps["rated_head"]
    resistance = np.concatenate([loss, np.full(len(inlets), 5.0), lift / 3 / (pumps["rated_flow"] / 86_400) ** 2])
    gain = np.concatenate([np.zeros(len(pipes) + len(inlets)), 4 / 3 * lift])
    power = np.concatenate([np.full(len(pipes), 1.852), np.full(len(inlets) + len(pumps), 2.0)])
    ends = pd.concat([part[["from_node", "to_node"]] for part in (pipes, inlets, pumps)])
    a, b = (ends[name].map(index).to_numpy() for name in ("from_node", "to_node"))
    count, size = len(a), len(nodes)
    sign = np.concatenate([np.ones(count), -np.ones(count)])
    incidence = coo_array((sign, (np.tile(np.arange(count), 2), np.concatenate([a, b]))), shape=(count, size)).tocsr()
    free = (nodes["node_type"] == "junction").to_numpy()
    head = (nodes["elevation"] + nodes["initial_level"].fillna(0.0)).to_numpy(copy=True)
    demand = nodes["base_demand"].fillna(0.0).to_numpy() / 86_400
    flow = np.full(count, 0.01)
    inner, outer = incidence[:, free], incidence[:, ~free]
    for _ in range(40):
        drop = resistance * np.sign(flow) * np.abs(flow) ** power - gain
        slope = np.maximum(power * resistance * np.abs(flow) ** (power - 1), 1e-4)
        right = -demand[free] - inner.T @ (flow - drop / slope) - inner.T @ ((outer @ head[~free]) / slope)
        head[free] = spsolve((inner.T @ diags_array(1 / slope) @ inner).tocsc(), right)
        change = (incidence @ head - drop) / slope
        flow = flow + change
        if np.abs(change).sum() < 1e-6 * np.abs(flow).sum():
            return nodes.assign(pressure=head - nodes["elevation"])
    raise AssertionError("the flows do not settle")


def test_water_reaches_everybody_with_pressure(demo_tables: Tables, faults: pd.DataFrame) -> None:
    pipes = demo_tables["water_pipes"]
    wide = pipes["id"].isin(find_spoilt(faults, "water_pipes", "wrong_unit"))
    mended = demo_tables | {"water_pipes": pipes.assign(diameter=pipes["diameter"].mask(wide, 0.15))}
    nodes = solve_heads(mended)
    lost = pipes.loc[pipes["id"].isin(find_spoilt(faults, "water_pipes", "unknown_node")), "from_node"]
    served = nodes[(nodes["node_type"] == "junction") & ~nodes["id"].isin(lost)]
    assert served["pressure"].min() > 15.0 and served["pressure"].max() < 70.0


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_the_water_of_other_seeds_hangs_together(seed: int) -> None:
    plan = make_plan(seed)
    cells = lay_cells(plan)
    roads = draw_frame_roads(plan)
    set_insets(cells, roads)
    _, alleys = lay_lots(cells, roads)
    streets = build_streets(plan, roads, alleys)
    network = build_water_network(plan, streets, np.full(GRID.shape, 1.5, np.float32))
    ends = [(pipe.start, pipe.end) for pipe in network.pipes if pipe.status == "open"]
    ends += [(valve.start, valve.end) for valve in network.valves if valve.start >= 0]
    ends += [(pump.start, pump.end) for pump in network.pumps]
    a, b = np.array(ends).T
    size = len(network.nodes)
    _, part = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(size, size)), directed=False)
    fed = [part[k] for k, node in enumerate(network.nodes) if node.node_type == "reservoir"]
    assert set(part) == set(fed)
    ids = [item.id for group in (network.nodes, network.pipes, network.valves, network.pumps) for item in group]
    assert len(ids) == len(set(ids))
    assert all(isinstance(pipe.line, shapely.LineString) and pipe.line.length > 0.5 for pipe in network.pipes)
