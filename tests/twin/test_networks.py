"""Graphs of commodities from layers: devices on lines and between nodes, levels, what hangs on them, their faults."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

from layers.errors import CrsError, InputError, NotFoundError, SourceError, TooLargeError
from layers.registry import VECTOR_LAYERS
from layers.types.network_checks import KINDS
from network.findings import FIXES
from network.tracing import trace_connected, trace_upstream
from twin.networks.city_graph import CityGraph
from twin.networks.commodities import COMMODITIES, WATER
from twin.networks.handing import MOST_NODES, to_networkx, to_node_link
from twin.networks.laying import view_network
from twin.networks.lines_file import check_file
from twin.networks.reading import ViewReader
from twin.networks.validating import WARNINGS, NetworkReport, check_network, make_frame
from twin.process import Quiet
from twin.processes.network_check import PROCESS, NetworkCheckInputs
from twin.roads.checking import FIXES as ROAD_FIXES
from twin.scenario import EditedCity, Scenario, StopPump

City = Callable[..., Any]


def frame(ids: list[str], shapes: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"id": ids, **columns}, geometry=shapes, crs="EPSG:5897")


def line(*places: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(places)


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(x, y)


@pytest.fixture
def water(changed_city: City) -> Any:
    """A main of three pipes from a reservoir over a pump, a pressure reducing valve between two of its nodes."""
    city = changed_city()
    city.layers |= {
        "water_pipes": frame(
            ["P1", "P2", "P3"],
            [line((0, 0), (100, 0)), line((102, 0), (200, 0)), line((200, 0), (200, 80))],
            pipe_type="distribution", diameter=[0.2, 0.2, 0.1], status=["open", "open", "closed"],
            condition=["good", "failed", None], from_node=["N1", "N3", "N5"], to_node=["N2", "N9", "N4"],
        ),
        "water_nodes": frame(
            ["R", "N1", "N2", "N3", "N4", "N5"],
            [point(-20, 0), point(0, 0), point(100, 0), point(102, 0), point(200, 0), point(200, 80)],
            node_type=["reservoir", "junction", "junction", "junction", "junction", "junction"],
        ),
        "water_valves": frame(
            ["V1", "V2", "PRV", "LOST"], [point(3, 0.3), point(150, -0.2), point(101, 0), point(50, 30)],
            valve_type=["isolation", "check", "prv", "isolation"], status=["closed", "open", "active", "open"],
            pipe_id=["P1", "P2", None, None], from_node=[None, None, "N2", None], to_node=[None, None, "N3", None],
            is_operable=[False, True, True, True], condition=None,
        ),
        "water_pumps": frame(
            ["B1"], [point(-10, 0)], from_node=["R"], to_node=["N1"], status=["running"],
        ),
        "water_meters": frame(
            ["M1", "M2", "M3", "M4"], [point(20, 5), point(198, 70), point(190, 6), point(900, 900)],
            customer_type="household", node_id=["N1", None, None, None], pipe_id=[None, "P3", None, None],
            connections=[1, 3, None, 1],
        ),
        "hydrants": frame(["H1"], [point(100, 8)], node_id=[None], pipe_id=["P1"], status="working"),
        "places": frame(
            ["BV", "TH"], [point(190, 60), point(0, 20)], category=["hospital", "school"], name=["BV", "TH"]
        ),
    }  # fmt: skip
    return city


@pytest.fixture
def graph(water: Any) -> CityGraph:
    return water.network("water")


def find(graph: CityGraph, layer: str, item: str) -> tuple[list[int], list[int]]:
    nodes, links = graph.find_items(layer, [item])
    return nodes.tolist(), links.tolist()


def test_valves_split_lines_and_devices_stand_between_nodes(graph: CityGraph) -> None:
    assert graph.layers == ("water_pipes", "water_nodes", "water_valves", "water_pumps")
    _, parts = find(graph, "water_pipes", "P1")
    assert graph.link_parts[parts].tolist() == [0, 1] and graph.graph.weights[parts].tolist() == [3.0, 97.0]
    (valve,), _ = find(graph, "water_valves", "V1")
    assert graph.node_xy[valve].tolist() == [3.0, 0.0] and graph.valves[valve]
    assert graph.closed[valve] and graph.stuck[valve]
    (prv,), around = find(graph, "water_valves", "PRV")
    assert graph.valves[prv] and len(around) == 2 and graph.graph.one_way[around].all()
    _, (pump,) = find(graph, "water_pumps", "B1")
    assert graph.graph.one_way[pump] and graph.graph.weights[pump] == 20.0
    _, after = find(graph, "water_pipes", "P2")
    assert graph.graph.one_way[after].tolist() == [False, True]
    assert graph.node_items[graph.sources].tolist() == ["R"]
    _, closed = find(graph, "water_pipes", "P3")
    assert not graph.open_links[closed].any() and graph.open_links.sum() == graph.graph.link_count - 1
    assert np.unique(trace_connected(graph.graph, nodes=graph.sources).nodes).size == graph.graph.node_count - 1


def test_the_way_of_the_water_ends_at_what_is_closed(graph: CityGraph) -> None:
    flow = graph.flow
    assert flow is not None and flow is graph.flow
    (valve,), _ = find(graph, "water_valves", "V1")
    _, (_, behind) = find(graph, "water_pipes", "P1")
    assert flow[behind] == 0 and trace_upstream(graph.graph, nodes=[valve], flow=flow).nodes.size == 3
    assert graph.segments.count == 3 and graph.segments is graph.segments


def test_unresolved_counts_what_hangs_in_the_air(graph: CityGraph) -> None:
    assert graph.unresolved == 1


def test_meters_hydrants_and_hospitals_hang_on_nodes(graph: CityGraph) -> None:
    meters = graph.find_equipment("customers")
    assert dict(zip(meters.items.tolist(), graph.node_items[meters.nodes].tolist(), strict=True)) == {
        "M1": "N1", "M2": "N5", "M3": "N4",
    }  # fmt: skip
    assert meters.unresolved == 1 and (meters.links >= 0).tolist() == [False, True, False]
    assert graph.customers.sum() == 5.0
    assert graph.node_items[graph.hydrants.nodes].tolist() == ["N2"]
    assert graph.find_equipment("hospitals").items.tolist() == ["BV"]
    with pytest.raises(NotFoundError, match="'lamps' hangs on commodity 'water'"):
        graph.find_equipment("lamps")


def test_values_are_numbers_and_codes_places_in_their_list(graph: CityGraph) -> None:
    pipes = np.flatnonzero(graph.link_layers == 0)
    assert np.unique(graph.values("diameter")[pipes]).tolist() == [0.1, 0.2]
    by_item = dict(zip(graph.link_items[pipes].tolist(), graph.values("condition")[pipes].tolist(), strict=True))
    assert by_item["P1"] == 0.0 and by_item["P2"] == 3.0 and np.isnan(by_item["P3"])
    assert graph.words("pipe_type")[pipes].tolist() == ["distribution"] * pipes.size
    with pytest.raises(InputError, match="has the property 'colour'"):
        graph.values("colour")
    with pytest.raises(InputError, match="is a string, not a number"):
        graph.values("pipe_id", on="nodes")


def test_shapes_are_parts_of_lines_and_ways_through_devices(graph: CityGraph) -> None:
    shapes = graph.link_geometry(np.arange(graph.graph.link_count))
    assert shapely.length(shapes) == pytest.approx(graph.graph.weights)
    ends = np.stack([shapely.get_coordinates(one)[[0, -1]] for one in shapes])
    assert ends[:, 0] == pytest.approx(graph.node_xy[graph.graph.starts])
    assert ends[:, 1] == pytest.approx(graph.node_xy[graph.graph.ends])


def test_items_that_are_not_there_are_named(graph: CityGraph, water: Any) -> None:
    with pytest.raises(NotFoundError, match="'P9' of 'water_pipes' is not in the network 'water'"):
        graph.find_items("water_pipes", ["P9"])
    with pytest.raises(NotFoundError, match="layer 'roads' is not part"):
        graph.find_items("roads", ["R1"])
    with pytest.raises(NotFoundError, match="commodity 'steam' does not exist"):
        water.network("steam")


def test_a_small_part_becomes_a_networkx_graph(graph: CityGraph) -> None:
    nodes = np.arange(graph.graph.node_count)
    made = to_networkx(graph, nodes)
    assert made.number_of_edges() == graph.graph.link_count and made.graph["commodity"] == "water"
    assert made.edges["water_nodes/R", "water_nodes/N1", "water_pumps/B1"]["one_way"]
    assert set(made.succ["water_nodes/N1"]["water_valves/V1"]) == {"water_pipes/P1#0"}
    again = nx.node_link_graph(to_node_link(graph, nodes), edges="edges")
    assert nx.utils.graphs_equal(made, again)
    with pytest.raises(TooLargeError, match="more than 20,000"):
        to_networkx(graph, np.arange(MOST_NODES + 1))
    with pytest.raises(InputError, match="outside 0 to"):
        to_networkx(graph, [graph.graph.node_count])


def test_transformers_join_levels_that_never_meet(changed_city: City) -> None:
    city = changed_city()
    city.layers |= {
        "power_lines": frame(
            ["H", "M", "L1", "L2"],
            [line((-90, 40), (0, 40)), line((0, 0), (200, 0)), line((200, 0), (300, 0)), line((210, 9), (210, 60))],
            voltage_class=["high", "medium", "low", "low"], substation_id=["S", "S", None, None],
            transformer_id=[None, None, "T", None], condition=None,
        ),
        "substations": frame(["S"], [point(2, 35)], name=["S"], voltage_class="high"),
        "transformers": frame(["T"], [point(204, 6)], customers=[120], mounting=["pole"]),
    }  # fmt: skip
    graph = city.network("power")
    found = trace_connected(graph.graph, nodes=graph.sources)
    reached = set(graph.link_items[found.links].tolist())
    assert reached == {"S", "H", "M", "T", "L1"}
    assert graph.customers.sum() == 120.0
    assert graph.node_items[graph.sources].tolist() == ["S"]


def test_faults_are_found_with_place_and_fix(water: Any) -> None:
    report = check_network(WATER, ViewReader(water))
    found = {(one.kind, one.ids) for one in report.findings}
    assert found == {
        ("unknown_node", ("water_pipes/P2", "N9")),
        ("ends_swapped", ("water_pipes/P3",)),
        ("unconnected_point", ("water_valves/LOST",)),
    }
    assert report.errors == 1 and report.lines == 3 and report.largest_share == 1.0
    rows = make_frame(report, "EPSG:5897")
    assert rows["kind"].tolist() == ["unknown_node", "ends_swapped", "unconnected_point"]
    assert rows["other_items"].tolist()[0] == "N9" and rows.geometry.iloc[2] == point(50, 30)
    assert rows["fix_en"].str.len().min() > 10 and rows["fix_vi"].str.len().min() > 10


def test_sewers_are_checked_for_levels(changed_city: City) -> None:
    city = changed_city()
    city.layers |= {
        "drainage_links": frame(
            ["C1", "C2", "C3", "G"],
            [line((0, 0), (50, 0)), line((50, 0), (90, 0)), line((90, 0), (120, 0)), line((500, 0), (520, 0))],
            link_type=["conduit", "conduit", "conduit", "gate"], system=None, from_node=["A", "B", "C", None],
            to_node=["B", "C", "D", None], from_invert=[1.0, 0.9, None, None], to_invert=[0.9, 0.95, None, None],
            height=[0.6, 0.4, 0.4, None], is_active=None,
        ),
        "drainage_nodes": frame(
            ["A", "B", "C", "D"], [point(0, 0), point(50, 0), point(90, 0), point(120, 0)],
            node_type=["manhole", "manhole", "manhole", "outfall"], system=None,
            ground_elevation=[2.0, 2.0, 0.9, 1.0], invert_elevation=[1.0, 0.9, 0.95, None],
        ),
    }  # fmt: skip
    report = check_network(COMMODITIES["drainage"], ViewReader(city))
    assert sorted((one.kind, one.ids[0]) for one in report.findings) == [
        ("adverse_slope", "drainage_links/C2"),
        ("big_into_small", "drainage_links/C2"),
        ("dangling_end", "drainage_links/G"),
        ("dangling_end", "drainage_links/G"),
        ("invert_above_ground", "drainage_links/C2"),
        ("invert_above_ground", "drainage_links/C3"),
        ("missing_invert", "drainage_links/C3"),
    ]


def test_loops_of_lighting_circuits_are_faults(changed_city: City) -> None:
    city = changed_city()
    ring = [(0, 0), (10, 0), (10, 10), (0, 10)]
    city.layers |= {
        "lighting_circuits": frame([f"C{k}" for k in range(4)], [line(ring[k - 1], ring[k]) for k in range(4)]),
        "lighting_cabinets": frame(["CAB"], [point(0, 0)]),
        "luminaires": frame(["L1", "L2", "L3"], [point(*xy) for xy in ring[1:]], power=60.0),
    }
    report = check_network(COMMODITIES["lighting"], ViewReader(city))
    assert [(one.kind, one.measure) for one in report.findings] == [("loop", 40.0)]


def test_the_check_is_a_process(water: Any) -> None:
    outputs = PROCESS.compute(water, NetworkCheckInputs(commodity="water"), Quiet())
    assert len(outputs.features["network_findings"]) == 3 and outputs.summary["counts"]["ends_swapped"] == 1
    with pytest.raises(NotFoundError, match="no network 'sewer'"):
        PROCESS.compute(water, NetworkCheckInputs(commodity="sewer"), Quiet())


def test_a_stopped_pump_closes_its_link(changed_city: City) -> None:
    city = changed_city()
    city.layers |= {
        "drainage_links": frame(["PUMP"], [line((0, 0), (9, 0))], link_type=["pump"], is_active=[True], system=None)
    }
    assert city.network("drainage").open_links.tolist() == [True]
    edited = EditedCity(city, Scenario(city.now, (StopPump("PUMP"),)))
    assert edited.network("drainage").open_links.tolist() == [False]


def test_declarations_name_layers_and_properties_that_exist() -> None:
    for commodity in COMMODITIES.values():
        for part in (*commodity.lines, *commodity.points, *commodity.between, *commodity.attachments):
            layer = VECTOR_LAYERS[part.layer]
            for name in ("kind", "line_id", "from_id", "to_id", "level_by", "node_id", "weight"):
                named = getattr(part, name, None)
                assert named is None or (name == "kind" and part in commodity.attachments) or layer.find(named)
    assert {code.value for code in KINDS} == set(FIXES) | set(ROAD_FIXES) and set(FIXES) >= WARNINGS


def test_the_mains_of_nanaimo_are_one_network(shared: Callable[[str], Path]) -> None:
    checked = check_file(shared("nanaimo-water/pipes.shp"), tolerance=0.001)
    report = checked.report
    assert report.largest_share >= 0.98 and report.lines == 17_756 and report.parts == 61
    assert report.counts["disconnected_part"] == 60 and {"near_miss", "duplicate"} <= set(report.counts)
    rows = make_frame(report, checked.crs)
    assert rows["item_id"].notna().all() and rows.geometry.is_valid.all() and rows["fix_vi"].notna().all()


def write(folder: Path, name: str, frame: gpd.GeoDataFrame) -> Path:
    frame.to_file(folder / name)
    return folder / name


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_files_are_checked_in_metres(tmp_path: Path) -> None:
    lines = frame(["A/1", "B"], [line((586_000, 1_109_000), (586_100, 1_109_000)),
                              line((586_100, 1_109_000.3), (586_200, 1_109_050))])  # fmt: skip
    path = write(tmp_path, "pipes.gpkg", lines.to_crs("EPSG:4326"))
    checked = check_file(path, tolerance=0.001)
    assert checked.named_by == "id" and checked.crs.to_epsg() == 32648
    kinds = checked.report.counts
    assert kinds["near_miss"] == 2 and kinds["dangling_end"] == 2 and checked.report.parts == 2
    rows = make_frame(checked.report, checked.crs)
    assert set(rows["item_id"]) == {"A/1", "B"} and rows["layer_id"].isna().all()
    assert check_file(path, tolerance=0.5).report.parts == 1
    with pytest.raises(SourceError, match="has no column 'pipe'"):
        check_file(path, id_column="pipe", tolerance=0.001)
    points = write(tmp_path, "points.gpkg", frame(["A"], [point(1, 1)]))
    with pytest.raises(SourceError, match="has no lines"):
        check_file(points, tolerance=0.001)
    bare = write(tmp_path, "bare.gpkg", gpd.GeoDataFrame({"id": ["A"]}, geometry=[line((0, 0), (1, 1))]))
    with pytest.raises(CrsError, match="does not say its coordinate reference system"):
        check_file(bare, tolerance=0.001)


def test_a_view_without_a_network_has_an_empty_one(changed_city: City) -> None:
    graph = view_network(changed_city(), "power")
    assert graph.graph.node_count == 0 and graph.unresolved == 0 and graph.find_equipment("cabinets").items.size == 0
    report = check_network(COMMODITIES["power"], ViewReader(changed_city()))
    assert report == NetworkReport("power", (), 0, 0, 0, 0, 0.0)
