"""Roads out of the database: what features say, signs, ferries, bridges; an edit is in the next answer."""

import json
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS as Projected
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from layers.errors import NotFoundError
from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.registry import read_vector_layer
from layers.store.engine import plain_url
from layers.store.features import select_features, upsert_features
from network.road_times import Vehicle, compute_times
from network.roads import mode_bits
from tests.twin.conftest import CRS, X0, Y0, MemoryCity
from twin.cli import app
from twin.networks.reading import StoreReader, ViewReader
from twin.roads.building import build_city_roads, finish_roads, lay_again, lay_roads, read_lines
from twin.roads.checking import check_roads, share_of_largest
from twin.roads.city_roads import CityRoads
from twin.roads.handing import make_gmns, make_node_link
from twin.roads.warm import WarmRoads
from twin.traffic.files_gmns import read_network

ROADS = read_vector_layer("road_links")
PROJECTED = Projected(CRS)


def lay(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(X0 + x, Y0 + y) for x, y in points])


def frame(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        pd.DataFrame(rows).drop(columns="geometry"), geometry=[row["geometry"] for row in rows], crs=CRS
    )


def road(name: str, *points: tuple[float, float], **says: Any) -> dict[str, Any]:
    return {"id": name, "road_class": "residential", "geometry": lay(*points), **says}


def sign(name: str, kind: str, first: str, second: str, at: tuple[float, float], **says: Any) -> dict[str, Any]:
    point = shapely.Point(X0 + at[0], Y0 + at[1])
    return {"id": name, "restriction": kind, "from_road": first, "to_road": second, "geometry": point, **says}


def see(roads: list[dict[str, Any]], **others: list[dict[str, Any]]) -> CityRoads:
    tables = {"road_links": roads, **others}
    return MemoryCity({}, {name: frame(rows) for name, rows in tables.items()}).roads()


def turns(roads: CityRoads, mode: str) -> set[tuple[str, str]]:
    """Return the pairs of features one may go from and to at a shared junction, as drawn first."""
    graph = roads.graph_of(mode)
    found = set()
    for arc in range(graph.arc_count):
        onward = range(graph.first[graph.heads[arc]], graph.first[graph.heads[arc] + 1])
        for after in onward:
            pair = (graph.links[arc], graph.links[after])
            found.add(tuple(roads.items[graph.edges[link]] + ("" if graph.forward[link] else "-") for link in pair))
    return found


# A cross at (0, 0): w, e, n, s are drawn towards it.
ARMS = [
    road("w", (-100, 0), (0, 0)), road("e", (100, 0), (0, 0)),
    road("n", (0, 100), (0, 0)), road("s", (0, -100), (0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "first", "second", "gone"),
    [
        ("no_left_turn", "w", "n", {("w", "n-")}),
        ("no_right_turn", "w", "s", {("w", "s-")}),
        ("no_straight_on", "w", "e", {("w", "e-")}),
        ("no_u_turn", "w", "w", {("w", "w-")}),
        ("only_straight_on", "w", "e", {("w", "n-"), ("w", "s-"), ("w", "w-")}),
        ("no_entry", "w;e", "n", {("w", "n-"), ("e", "n-")}),
        ("no_exit", "w", "n;s", {("w", "n-"), ("w", "s-")}),
    ],
)
def test_a_sign_takes_its_turns_away(kind: str, first: str, second: str, gone: set[tuple[str, str]]) -> None:
    bare = see(ARMS)
    roads = see(ARMS, turn_restrictions=[sign("t", kind, first, second, (1, 2))])
    assert turns(bare, "car") - turns(roads, "car") == gone and not roads.unheeded
    # On foot and in an ambulance any turn is made.
    assert turns(roads, "foot") == turns(roads, "emergency") == turns(bare, "foot")
    assert (roads.graph_of("foot").links[:8] == roads.graph.links[:8]).all()


def test_a_sign_chooses_among_streets_that_run_through() -> None:
    # Neither street ends at the crossing: the sign says which of four turns it means.
    streets = [road("we", (-100, 0), (0, 0), (100, 0)), road("sn", (0, -100), (0, 0), (0, 100))]
    roads = see(streets, turn_restrictions=[sign("t", "no_left_turn", "we", "sn", (0, 0))])
    (way,) = roads.bans[0].ways
    # Two left turns fit; the first in order is taken, and it is one.
    assert roads.items[way[0][0]] == "we" and roads.items[way[1][0]] == "sn"
    assert roads.graph.arc_count == 8 + 3


def test_signs_of_some_vehicles_and_hours() -> None:
    signs = [
        sign("bus free", "no_left_turn", "w", "n", (0, 0), except_bus=True, except_motorbike=True),
        sign("trucks", "no_right_turn", "w", "s", (0, 0), only_for="truck"),
        sign("hours", "no_straight_on", "w", "e", (0, 0), hours="06:00-08:00"),
        sign("far", "no_u_turn", "w", "w", (90, 90)),
        sign("unknown", "no_u_turn", "w", "x", (0, 0)),
    ]
    roads = see(ARMS, turn_restrictions=signs)
    allowed = {mode: turns(roads, mode) for mode in ("car", "bus", "motorbike", "truck")}
    assert ("w", "n-") in allowed["bus"] & allowed["motorbike"]
    assert ("w", "n-") not in allowed["car"] | allowed["truck"]
    assert ("w", "s-") in allowed["car"] and ("w", "s-") not in allowed["truck"]
    assert ("w", "e-") in allowed["car"]
    assert [one.sign for one in roads.unheeded] == ["hours", "far", "unknown"]
    assert roads.graph_of("car") is roads.graph_of("bicycle")


def test_no_turn_round_over_the_gap_of_a_dual_carriageway() -> None:
    streets = [
        road("east", (-100, 0), (0, 0), oneway="forward"), road("on", (0, 0), (100, 0), oneway="forward"),
        road("gap", (0, 0), (0, 10)),
        road("back", (100, 10), (0, 10), oneway="forward"), road("west", (0, 10), (-100, 10), oneway="forward"),
    ]  # fmt: skip
    roads = see(streets, turn_restrictions=[sign("t", "no_u_turn", "east", "west", (0, 0), via="gap")])
    ways = {tuple(roads.items[edge] for edge, _ in way) for ban in roads.bans for way in ban.ways}
    assert ways == {("east", "gap", "west"), ("east", "gap", "gap")}
    graph = roads.graph
    times = compute_times(graph, "car")[graph.links]
    tree: nx.DiGraph[object] = nx.DiGraph()
    each = zip(graph.tails.tolist(), graph.heads.tolist(), times.tolist(), strict=True)
    tree.add_weighted_edges_from(arc for arc in each if np.isfinite(arc[2]))
    begin = int(graph.link_heads[graph.edge_links[roads.find_edges("east")[0], 0]])
    goal = {
        k
        for k in range(graph.node_count)
        if graph.junctions[k] == graph.ends[graph.edge_links[roads.find_edges("west")[0], 0]]
    }
    assert not goal & nx.descendants(tree, begin)


def test_who_may_go_where() -> None:
    roads = see(
        [
            road("plain", (0, 0), (10, 0)),
            road("alley", (0, 0), (0, 10), road_class="living_street", width=2.0),
            road("lane", (0, 0), (0, -10), width=3.0),
            road("one-way", (0, 0), (-10, 0), oneway="forward", motorbike_contraflow=True),
            road("motorway", (10, 0), (20, 0), road_class="motorway", oneway="forward"),
            road("closed", (10, 0), (10, 10), access="no", access_foot="yes"),
            road("no trucks", (10, 0), (10, -10), access_truck="no"),
            road("private", (20, 0), (20, 9), access="private"),
        ]
    )

    def modes(name: str, drawn: bool = True) -> set[str]:
        link = roads.graph.edge_links[roads.find_edges(name)[0], 0 if drawn else 1]
        every = ("car", "motorbike", "truck", "bus", "emergency", "bicycle", "foot")
        return {mode for mode in every if link >= 0 and roads.graph.access[link] & mode_bits(mode)}

    assert len(modes("plain")) == len(modes("plain", drawn=False)) == 7
    assert modes("alley") == {"motorbike", "bicycle", "foot"}
    assert modes("lane") == {"car", "motorbike", "emergency", "bicycle", "foot"}
    assert modes("one-way", drawn=False) == {"motorbike", "emergency", "foot"}
    assert modes("motorway") == {"car", "truck", "bus", "emergency"} and not modes("motorway", drawn=False)
    assert modes("closed") == {"foot"}
    assert modes("no trucks") == modes("plain") - {"truck"}
    link = roads.graph.edge_links[roads.find_edges("private")[0], 0]
    assert roads.graph.speeds[link] == 10.0


def test_speeds_lanes_and_capacities() -> None:
    roads = see(
        [
            road("given", (0, 0), (10, 0), max_speed=42.0, lanes=6, lanes_forward=4, lanes_backward=2, capacity=777.0),
            road("mud", (0, 0), (0, 10), max_speed=50.0, surface="unpaved"),
            road("broken", (0, 0), (0, -10), max_speed=40.0, condition="failed"),
            road("three", (0, 0), (-10, 0), lanes=3, oneway="forward"),
            road("blank", (0, 10), (0, 20), lanes=0, max_speed=0.0, width=0.0, max_height=0.0, max_weight=0.0),
        ]
    )
    graph = roads.graph

    def of(name: str, values: Any, drawn: bool = True) -> float:
        return float(values[graph.edge_links[roads.find_edges(name)[0], 0 if drawn else 1]])

    assert (of("given", graph.speeds), of("given", graph.lanes), of("given", graph.lanes, drawn=False)) == (
        42.0,
        4.0,
        2.0,
    )
    assert of("given", graph.capacities) == 777.0
    assert of("mud", graph.speeds) == 20.0 and of("broken", graph.speeds) == 20.0
    # Files have 0 where nobody knows.
    assert of("blank", graph.speeds) == 30.0 and of("blank", graph.max_weights) == np.inf
    assert of("blank", graph.access) == mode_bits("car", "motorbike", "truck", "bus", "emergency", "bicycle", "foot")
    assert of("three", graph.lanes) == 3.0 and of("three", graph.capacities) == 3.0 * 600.0


def test_a_bridge_bears_what_it_bears() -> None:
    streets = [
        road("a", (0, 0), (50, 0)),
        road("b", (50, 0), (90, 0), is_bridge=True),
        road("under", (70, -9), (70, 9)),
    ]
    bridge = {"id": "x", "load_limit": 8.0, "max_height": 3.5, "geometry": lay((50, 0), (90, 0))}
    roads = see(streets, bridges=[bridge])
    link = roads.graph.edge_links[roads.find_edges("b")[0], 0]
    assert (roads.graph.max_weights[link], roads.graph.max_heights[link]) == (8.0, 3.5)
    assert np.isfinite(roads.graph.max_weights).sum() == 2
    heavy = compute_times(roads.graph, "truck", vehicle=Vehicle(weight=10.0))
    assert np.isinf(heavy[link]) and np.isfinite(heavy).sum() == 4


def test_a_ferry_carries_from_bank_to_bank() -> None:
    streets = [road("left", (0, 0), (50, 0)), road("right", (900, 0), (950, 0))]
    ferry = {
        "id": "f", "crossing_time": 600.0, "headway": 1200.0, "trip_capacity": 10, "takes_cars": True,
        "takes_trucks": False, "geometry": lay((80, 0), (890, 0)),
    }  # fmt: skip
    roads = see(streets, ferry_routes=[ferry])
    graph = roads.graph
    assert share_of_largest(roads, "car") == 1.0 and share_of_largest(roads, "truck") == 0.5
    link = graph.edge_links[roads.find_edges("f")[0], 0]
    assert roads.layers[graph.edges[link]] == "ferry_routes" and graph.is_ferry[link]
    # A crossing, and half a headway of waiting; ten cars every twenty minutes.
    assert compute_times(graph, "car")[link] == 1200.0 and graph.capacities[link] == 30.0
    # From end to end of it, though a jetty lies on the way.
    jetty = see(
        [*streets, road("jetty", (480, 0), (480, 50))],
        ferry_routes=[{**ferry, "geometry": lay((80, 0), (480, 0), (890, 0))}],
    )
    whole = [jetty.graph.edge_links[edge, 0] for edge in jetty.find_edges("f")]
    assert len(whole) == 2 and compute_times(jetty.graph, "car")[whole].sum() == pytest.approx(1200.0)


def test_faults_are_found() -> None:
    streets = [
        *ARMS,
        road("far", (500, 500), (600, 500)),
        road("in only", (0, 100), (0, 200), oneway="forward"),
        road("across", (50, -50), (50, 50)),
        road("short", (-50, 0.3), (-50, 60)),
        road("twice", (100, 0), (0, 0)),
        road("deck", (0, -100), (-50, -100), (-99, -100), is_bridge=True),
        road("below", (-50, -150), (-50, -100), (-50, -60)),
    ]
    roads = see(streets, turn_restrictions=[sign("t", "no_u_turn", "w", "gone", (0, 0))])
    report = check_roads(roads, frame(streets))
    kinds = {kind: sorted(one.items for one in report.findings if one.kind == kind) for kind in report.counts}
    assert {items[0] for items in kinds["disconnected_part"]} == {"far", "across", "below"}
    assert kinds["one_way_pocket"] == [("in only",)]
    assert kinds["duplicate"] == [("e", "twice")] or kinds["duplicate"] == [("twice", "e")]
    assert ("across" in kinds["crossing_without_node"][0]) and len(kinds["crossing_without_node"]) == 2
    assert [set(one) for one in kinds["near_miss"]] == [{"w", "short"}]
    assert [set(one) for one in kinds["level_conflict"]] == [{"deck", "below"}]
    assert kinds["unheeded_sign"] == [("t",)]
    assert report.errors == 5 and report.parts == 4


def test_tables_of_gmns_and_node_link() -> None:
    roads = see(ARMS, turn_restrictions=[sign("t", "no_left_turn", "w", "n", (0, 0))])
    rows = {name: pd.read_csv(StringIO(content)) for name, content in make_gmns(roads, PROJECTED).items()}
    nodes, links, moves = rows["node.csv"], rows["link.csv"], rows["movement.csv"]
    assert len(nodes) == 5 and len(links) == 8 and links["link_id"].is_unique
    assert set(links["from_node_id"]) | set(links["to_node_id"]) == set(nodes["node_id"])
    assert links["length"].sum() == pytest.approx(0.8) and (links["capacity"] * links["lanes"]).eq(600.0).all()
    assert len(moves) == 16 and set(moves["type"]) == {"left", "right", "thru", "uturn"}
    left = moves[(moves["ib_link_id"] == "w") & (moves["ob_link_id"] == "n-")].iloc[0]
    assert left["type"] == "left" and left["allowed_uses"] == "emergency,foot"
    read = read_network(make_gmns(roads, PROJECTED))
    assert read.free_times == pytest.approx(np.full(8, 60.0 * 0.1 / 30.0)) and read.capacities == pytest.approx(
        np.full(8, 600.0)
    )
    data = make_node_link(roads, "car")
    graph = nx.node_link_graph(json.loads(json.dumps(data)), edges="edges")
    ends = {data["nodes"][k]["junction"]: k for k in range(5)}
    assert graph.number_of_nodes() == 6 and nx.has_path(graph, ends[0], ends[1])


def picture(roads: CityRoads) -> list[tuple[Any, ...]]:
    """Return what the roads are, whatever their junctions are numbered."""
    graph = roads.graph
    columns = (
        roads.items[graph.edges].tolist(), roads.parts[graph.edges].tolist(), graph.forward.tolist(),
        graph.junction_xy[graph.starts].round(3).tolist(), graph.junction_xy[graph.ends].round(3).tolist(),
        graph.speeds.tolist(), graph.access.tolist(), graph.lengths.round(6).tolist(),
    )  # fmt: skip
    return sorted(zip(*columns, strict=True))


places = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda xy: (10.0 * xy[0], 10.0 * xy[1]))
shapes = st.lists(places, min_size=2, max_size=4).filter(lambda line: len(set(line)) > 1)


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(st.integers(0, 5), shapes, min_size=1), st.dictionaries(st.integers(0, 7), st.none() | shapes))
def test_what_changed_gives_what_the_whole_gives(
    before: dict[int, list[tuple[float, float]]], changes: dict[int, list[tuple[float, float]] | None]
) -> None:
    def read(lines: dict[int, list[tuple[float, float]]]) -> Any:
        rows = [road(f"r{k}", *line, level=k % 2, oneway="forward" if k % 3 else "no") for k, line in lines.items()]
        view = MemoryCity({}, {"road_links": frame(rows)} if rows else {})
        reader = ViewReader(view)
        found = read_lines(reader)
        keys = np.array([int(name[1:]) for name in found.ids.tolist()], np.int64)
        order = np.argsort(keys)
        return reader, found.__class__(**{**vars(found.take(order)), "fids": keys[order]})

    _, old = read(before)
    after = {**before, **changes}
    kept_lines = {k: line for k, line in after.items() if line is not None}
    reader, new = read(kept_lines)
    laid = lay_again(lay_roads(old), ~np.isin(old.fids, list(changes)), new.take(np.isin(new.fids, list(changes))))
    assert picture(finish_roads(laid, reader, "")) == picture(finish_roads(lay_roads(new), reader, ""))


def test_an_edit_is_in_the_next_answer(engine: Engine) -> None:
    here, elsewhere = WarmRoads(), WarmRoads()

    def ask(memory: WarmRoads) -> CityRoads:
        with engine.connect() as connection:
            return memory.get(connection)

    def write(rows: list[dict[str, Any]], layer: str = "road_links") -> None:
        with engine.begin() as connection:
            upsert_features(connection, read_vector_layer(layer), frame(rows), source_id=layer)

    write(ARMS)
    first = ask(here)
    assert ask(here) is first and ask(elsewhere).graph.link_count == 8
    write([{**ARMS[0], "max_speed": 12.0}, *ARMS[1:], road("new", (0, 100), (50, 150))])
    with engine.begin() as connection:
        connection.execute(text("delete from city.road_links where id = 's'"))
    for memory in (here, elsewhere):
        roads = ask(memory)
        assert roads.stamp != first.stamp and set(roads.items) == {"w", "e", "n", "new"}
        link = roads.graph.edge_links[roads.find_edges("w")[0], 0]
        assert roads.graph.speeds[link] == 12.0
        with engine.connect() as connection:
            assert picture(roads) == picture(build_city_roads(StoreReader(connection), ""))
        with pytest.raises(NotFoundError, match="no road 's'"):
            roads.find_edges("s")
    write([sign("t", "no_left_turn", "w", "n", (0, 0))], "turn_restrictions")
    assert len(ask(here).bans) == len(ask(elsewhere).bans) == 1
    # What a transaction wrote and did not commit is its own.
    with engine.connect() as connection:
        connection.execute(text("delete from city.road_links where id = 'new'"))
        own = here.get(connection)
        assert "new" not in set(own.items) and "new" in set(ask(here).items)
        connection.rollback()
    assert "new" in set(ask(here).items)


def test_commands(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_DATABASE_URL", plain_url(engine))
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path))

    def type_in(*words: str) -> Any:
        return CliRunner().invoke(app, ["roads", *words])

    with engine.begin() as connection:
        connection.execute(text("delete from city.road_links"))
        connection.execute(text("delete from city.turn_restrictions"))
    empty = type_in("--json")
    assert empty.exit_code != 0
    with engine.begin() as connection:
        rows = [*ARMS, road("far", (500, 500), (600, 500))]
        upsert_features(connection, ROADS, frame(rows), source_id="road_links")
    listed = json.loads(type_in("--json").stdout)
    assert (listed["junctions"], listed["links"], listed["kilometres"]) == (7, 10, 0.5)
    assert listed["modes"]["car"]["largest_share"] == 0.8
    assert "Đường nội bộ" in type_in().stdout
    checked = type_in("check", "--json", "--output", str(tmp_path / "faults.geojson"))
    assert checked.exit_code == 1 and json.loads(checked.stdout)["counts"] == {"disconnected_part": 1}
    assert gpd.read_file(tmp_path / "faults.geojson")["item_id"].tolist() == ["far"]
    assert type_in("export", str(tmp_path / "roads.zip"), "--json").exit_code == 0
    with zipfile.ZipFile(tmp_path / "roads.zip") as archive:
        assert {"node.csv", "link.csv", "movement.csv", "config.csv"} <= set(archive.namelist())
    folder = type_in("export", str(tmp_path / "gmns"))
    assert folder.exit_code == 0 and (tmp_path / "gmns" / "link.csv").exists()
    assert type_in("export", str(tmp_path / "gmns")).exit_code != 0
    assert (
        type_in("export", str(tmp_path / "r.json"), "--format", "networkx-node-link", "--mode", "foot").exit_code == 0
    )


def test_streets_of_can_tho(engine: Engine, shared: Callable[[str], Path], tmp_path: Path) -> None:
    path = shared("cantho-osm/cantho_hungloi_xuankhanh_2026.osm")
    with engine.begin() as connection:
        connection.execute(text("delete from city.road_links"))
    for layer in ("road_links", "turn_restrictions"):
        source = Source.model_validate(
            {
                "id": f"osm-{layer}", "uri": str(path), "title": Words(vi="x", en="x"), "licence": "ODbL-1.0",
                "attribution": "OSM", "mapping": "osm", "layer": layer,
            }
        )  # fmt: skip
        load_source(engine, source, Path(), processed_dir=tmp_path)
    with engine.connect() as connection:
        roads = WarmRoads().get(connection)
        signs = connection.execute(text("select restriction, hours from city.turn_restrictions")).all()
        lines = select_features(connection, ROADS, columns=["is_bridge"])
    # By the tags of the file: no_left_turn once, no_u_turn three times over a way, one sign of some hours.
    assert sorted(one.restriction for one in signs) == ["no_left_turn", "no_right_turn", *["no_u_turn"] * 3]
    assert [one.hours for one in signs if one.restriction == "no_right_turn"] == ["06:00-07:30,11:00-12:30,16:30-18:30"]
    assert len(roads.bans) == 4 and [one.reason for one in roads.unheeded] == ["it holds for some hours only"]
    assert sorted(len(way) for ban in roads.bans for way in ban.ways) == [2, *[3] * 6]
    graph = roads.graph
    assert graph.node_count > graph.junction_count
    # No bridge is joined to what passes over or under it: looked for on the lines as they came.
    met: dict[int, set[str]] = {}
    for link in range(graph.link_count):
        for junction in (graph.starts[link], graph.ends[link]):
            met.setdefault(int(junction), set()).add(str(roads.items[graph.edges[link]]))
    tree = shapely.STRtree(np.asarray(shapely.points(graph.junction_xy), object))
    bridges = lines[lines["is_bridge"].fillna(False).astype(bool)]
    over, under = shapely.STRtree(lines.geometry.values).query(bridges.geometry.values, predicate="crosses")
    pairs = set(zip(bridges["id"].to_numpy()[over], lines["id"].to_numpy()[under], strict=True))
    where = shapely.intersection(bridges.geometry.values[over], lines.geometry.values[under])
    joined = [met[int(junction)] for junction in tree.query(where, predicate="dwithin", distance=0.002)[1]]
    assert len(pairs) > 10 and not any(set(pair) <= items for pair in pairs for items in joined)
    # The extract cuts one-way trunk roads off at its border.
    assert share_of_largest(roads, "car") > 0.9 and share_of_largest(roads, "emergency") > 0.98
