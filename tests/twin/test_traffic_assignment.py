"""Traffic assignment: published formats with known answers, and the roads of a town with closures, classes, bases."""

import base64
import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from layers.store.rasters import write_cog
from tests.twin.conftest import NOW, X0, Y0, MemoryCity, frame
from tests.twin.road_town import Town, ask, make_grid
from twin.commands.input_files import read_input_files
from twin.process import Outputs
from twin.processes.traffic_assignment import PROCESS

# Braess 1968 with six vehicles: costs 10x, 50 + x, 50 + x, 10x and 10 + x; everybody needs 92 at equilibrium.
BRAESS = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 4
<FIRST THRU NODE> 3
<NUMBER OF LINKS> 5
<END OF METADATA>

~ \tinit\tterm\tcapacity\tlength\tfftt\tb\tpower\tspeed\ttoll\ttype\t;
\t1\t3\t1\t1\t0.00000001\t1000000000\t1\t0\t0\t1\t;
\t1\t4\t1\t2\t50\t0.02\t1\t0\t0\t1\t;
\t3\t2\t1\t2\t50\t0.02\t1\t0\t0\t1\t;
\t4\t2\t1\t1\t0.00000001\t1000000000\t1\t0\t0\t1\t;
\t3\t4\t1\t1\t10\t0.1\t1\t0\t0\t1\t;
"""
BRAESS_TRIPS = """<NUMBER OF ZONES> 2
<TOTAL OD FLOW> 6
<END OF METADATA>
Origin \t1
    1 :      0.0;     2 :      6.0;
"""
# The same as GMNS: the zones are nodes 1 and 2, times in minutes.
NODES = "node_id,x_coord,y_coord,zone_id\n1,0,0,1\n2,1,1,2\n3,1,0,\n4,0,1,\n"
LINKS = (
    "link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_flow_time,vdf_alpha,vdf_beta\n"
    "a,1,3,1,1,1,1,0.00000001,1000000000,1\nb,1,4,1,2,1,1,50,0.02,1\nc,3,2,1,2,1,1,50,0.02,1\n"
    "d,4,2,true,1,1,1,0.00000001,1000000000,1\ne,3,4,1,1,1,1,10,0.1,1\n"
)
SPEEDS = LINKS.replace("free_flow_time", "free_speed").replace("0.00000001", "9")
EMPTY = MemoryCity({}, {})


def run(city: MemoryCity = EMPTY, **values: Any) -> Outputs:
    return ask(city, PROCESS, **values)


def read(outputs: Outputs, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(outputs.files[name].decode())))


def pack(**tables: str) -> str:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in tables.items():
            archive.writestr(f"folder/{name}.csv", text)
    return "data:application/zip;base64," + base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize(
    ("network", "trips"),
    [
        (BRAESS, BRAESS_TRIPS),
        (pack(node=NODES, link=LINKS), "o_zone_id,d_zone_id,volume\n1,2,6\n"),
        (pack(node=NODES, link=LINKS), pack(demand="origin,destination,trips\n1,2,4\n1,2,2\n")),
    ],
)
def test_a_published_network_is_solved(network: str, trips: str) -> None:
    done = run(network=network, trips=trips, gap=1e-10)
    flows = read(done, "flows.csv")
    assert [float(row["flow"]) for row in flows] == pytest.approx([4.0, 2.0, 2.0, 4.0, 2.0], rel=1e-6)
    figures = done.summary["assignment"]
    # ∫ 10x to 4, twice; ∫ 50 + x to 2, twice; ∫ 10 + x to 2.
    assert figures["objective"] == pytest.approx(2 * 80.0 + 2 * 102.0 + 22.0, rel=1e-6)
    assert figures["balanced"]
    assert figures["gap_checked"] <= 1e-10 * 1.01
    [skim] = read(done, "skims.csv")
    assert (skim["origin"], skim["destination"]) == ("1", "2")
    assert float(skim["time"]) == pytest.approx(92.0, rel=1e-6)
    assert float(skim["length"]) == pytest.approx(3.0, rel=1e-6)


@pytest.mark.parametrize(
    ("network", "trips", "message"),
    [
        ("nothing", BRAESS_TRIPS, "neither TNTP nor"),
        (BRAESS.replace("\t4\t2\t1\t1", "\t4\t9\t1\t1"), BRAESS_TRIPS, "no node from 1 to 4"),
        (BRAESS.replace("\t50\t", "\tfifty\t", 1), BRAESS_TRIPS, "free flow time in row 9 is 'fifty'"),
        (BRAESS, "origin,destination,trips\n1,7,5\n", "zone '7'"),
        (BRAESS, "origin,destination,trips\n1,2,-5\n", "row 2 is '-5'"),
        (BRAESS, "origin,trips\n1,5\n", "has no destination"),
        (BRAESS.replace("<NUMBER OF NODES> 4", "<NUMBER OF NODES> 99999999999"), BRAESS_TRIPS, "whole number"),
        (pack(link=LINKS), BRAESS_TRIPS, "no node.csv"),
        (pack(node=NODES, link=SPEEDS), BRAESS_TRIPS, "config.csv says"),
        ("data:application/zip;base64,####", BRAESS_TRIPS, "no ZIP archive"),
        ("data:application/gzip;base64,AAAA", BRAESS_TRIPS, "cannot be unpacked"),
        (BRAESS, None, "without trips"),
    ],
)
def test_what_cannot_be_read_is_told(network: str, trips: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(network=network, trips=trips)


def make_city() -> Town:
    """A grid of 10 by 10 streets with zones in its corners and middle; cells of people as zones."""
    town = make_grid()
    places = [(100, 100), (800, 100), (100, 800), (800, 800), (450, 450)]
    shapes = [box(x, y) for x, y in places]
    town.layers["traffic_zones"] = frame(
        [f"Z{k}" for k in range(5)], shapes, name=[f"Vùng {k}" for k in range(5)], population=[4000] * 4 + [2000],
        jobs=[500] * 4 + [6000], produced=[None] * 5, attracted=[None] * 5,
    )  # fmt: skip
    return town


def box(x: float, y: float) -> Any:
    return shapely.MultiPolygon([shapely.box(X0 + x - 60, Y0 + y - 60, X0 + x + 60, Y0 + y + 60)])


@pytest.fixture(scope="module")
def town() -> Town:
    return make_city()


@pytest.fixture(scope="module")
def usual(town: Town) -> Outputs:
    return run(town, gap=1e-8)


def test_a_city_is_assigned_from_its_people(usual: Outputs) -> None:
    figures, traffic = usual.summary["assignment"], usual.summary["traffic"]
    assert figures["balanced"]
    assert figures["gap_checked"] <= 1e-8 * 1.01
    # 18,000 people, 1.6 trips a day, 9.8 % of them from 17:00 on.
    assert traffic["trips"] + traffic["trips_within_zones"] == pytest.approx(18_000 * 1.6 * 0.098, rel=1e-6)
    assert traffic["trips_lost"] == 0.0
    assert traffic["classes"]["motorbike"]["trips"] == pytest.approx(0.8 * traffic["trips"], rel=1e-4)
    assert sum(traffic["grades_km"].values()) > 0.0
    flows = usual.features["traffic_flows"]
    assert set(flows["way"]) == {"forward", "backward"}
    assert flows["id"].is_unique
    assert np.allclose(flows["flow"], flows[["flow_motorbike", "flow_car", "flow_truck"]].sum(axis=1), atol=0.01)
    assert np.allclose(
        flows["flow_pcu"], flows["flow_car"] + 0.25 * flows["flow_motorbike"] + 2.5 * flows["flow_truck"], atol=0.01
    )
    assert (flows["speed"] <= flows["free_speed"] * 1.001).all()


def test_skims_add_up_to_what_is_driven(usual: Outputs) -> None:
    rows = read(usual, "skims.csv")
    assert {row["class"] for row in rows} == {"motorbike", "car", "truck"}
    trips = sum(float(row["trips"]) for row in rows)
    assert trips == pytest.approx(usual.summary["traffic"]["trips"], rel=1e-6)
    # On roads they drive what skims say, less the way from a zone to its doors.
    driven = sum(float(row["trips"]) * float(row["length"]) for row in rows) / 1000.0
    assert usual.summary["traffic"]["vehicle_km"] <= driven


def test_a_closed_street_is_empty_and_its_traffic_goes_round(town: Town, usual: Outputs) -> None:
    done = run(town, gap=1e-8, closed=["S4"])
    flows = done.features["traffic_flows"]
    shut = flows[flows["road_link_id"] == "S4"]
    assert len(shut)
    assert shut["closed"].all()
    assert (shut["flow"] == 0.0).all()
    assert done.summary["traffic"]["trips"] == pytest.approx(usual.summary["traffic"]["trips"], rel=1e-6)
    assert done.summary["traffic"]["closed_km"] == pytest.approx(1.8)


def test_a_closure_in_force_and_water_empty_streets(tmp_path: Path) -> None:
    town = make_city()
    east = shapely.LineString([(X0 + 300, Y0 + 400), (X0 + 500, Y0 + 400)])
    town.layers["road_works"] = frame(
        ["W1"], [east], event_type=["closure"], road_link_id=["S4"], vehicle_impact=["all_lanes_closed"],
        planned_start=[NOW - timedelta(hours=1)], planned_end=[NOW + timedelta(hours=1)], affected_direction=["both"],
        event_status=["active"],
    )  # fmt: skip
    # A metre of water over the west of the town, none over the rest.
    grid = Grid(55, 55, X0 - 100.0, Y0 + 1000.0, 20.0, town.crs)
    depth = np.zeros((55, 55), np.float32)
    depth[:, :8] = 1.0
    write_cog(tmp_path / "flood_depth_max.tif", depth, grid)
    town.find_run_folder = lambda run_id: tmp_path
    dry = run(town, works=False).features["traffic_flows"]
    shut = run(town).features["traffic_flows"]
    wet = run(town, works=False, flood_run="flood").features["traffic_flows"]
    assert dry.loc[dry["road_link_id"] == "S4", "flow"].sum() > 10.0
    assert shut.loc[(shut["road_link_id"] == "S4") & shut["closed"], "flow"].sum() == 0.0
    assert shut["closed"].any()
    assert not dry["closed"].any()
    assert wet.loc[wet["road_link_id"] == "S10", "closed"].all()


def test_a_base_run_is_started_from_and_compared_with(town: Town, usual: Outputs, tmp_path: Any) -> None:
    for name, content in usual.files.items():
        (tmp_path / name).write_bytes(content)
    town.find_run_folder = lambda run_id: tmp_path
    same = run(town, gap=1e-8, base="earlier")
    assert same.summary["assignment"]["rounds"] <= 3
    assert np.abs(same.features["traffic_flows"]["flow_change"]).max() < 0.5
    warm = run(town, gap=1e-8, base="earlier", closed=["S4"], mean_time=None, trips=write_trips(usual))
    cold = run(town, gap=1e-8, closed=["S4"], trips=write_trips(usual))
    assert warm.summary["assignment"]["objective"] == pytest.approx(cold.summary["assignment"]["objective"], rel=1e-7)
    change = warm.features["traffic_flows"]
    assert change.loc[change["road_link_id"] == "S4", "flow_change"].min() < -10.0
    other = make_city()
    other.layers["traffic_zones"] = other.layers["traffic_zones"].iloc[:4]
    other.find_run_folder = town.find_run_folder
    with pytest.raises(InputError, match="have changed since"):
        run(other, base="earlier")


def write_trips(done: Outputs) -> str:
    rows = read(done, "skims.csv")
    lines = [f"{row['origin']},{row['destination']},{row['trips']},{row['class']}" for row in rows]
    return "origin,destination,trips,class\n" + "\n".join(lines) + "\n"


def test_select_link_tells_whose_traffic_it_is(town: Town) -> None:
    done = run(town, gap=1e-8, select=["S4"])
    flows = done.features["traffic_flows"]
    on_it = flows[flows["road_link_id"] == "S4"]
    assert np.allclose(on_it["flow"], on_it["selected_flow"], atol=0.01)
    assert (flows["selected_flow"] <= flows["flow"] + 0.01).all()
    chosen = sum(float(row["selected"]) for row in read(done, "skims.csv"))
    assert chosen == pytest.approx(done.summary["traffic"]["selected_trips"], rel=1e-4)


def test_trips_are_brought_to_what_was_counted(town: Town, usual: Outputs) -> None:
    # Half as many again as usual on both ways of two streets.
    flows = usual.features["traffic_flows"]
    lines = [
        f"{road},{way},{1.5 * count_middle(flows, road, way)}"
        for road in ("S4", "S14")
        for way in ("forward", "backward")
    ]
    done = run(town, gap=1e-6, counts="road_link_id,way,count\n" + "\n".join(lines))
    figures = done.summary["traffic"]["calibration"]
    assert figures["rms_after"] < 0.2 * figures["rms_before"]
    assert figures["trips_after"] > figures["trips_before"]
    assert done.summary["assignment"]["balanced"]


def count_middle(flows: Any, road: str, way: str) -> float:
    part = flows[(flows["road_link_id"] == road) & (flows["way"] == way)]
    return float(part.loc[part["id"].str.split(":").str[1] == "4", "flow"].sum())


def test_counts_on_a_published_network() -> None:
    done = run(network=BRAESS, trips=BRAESS_TRIPS, counts="link_id,count\n1,2\n2,0\n", gap=1e-8)
    # So few all take the bridge.
    assert done.summary["calibration"]["trips_after"] == pytest.approx(2.0, rel=0.01)
    assert done.summary["calibration"]["rms_after"] < done.summary["calibration"]["rms_before"]


def test_files_are_read_where_their_path_is_given(tmp_path: Path) -> None:
    (tmp_path / "net.tntp").write_text(BRAESS)
    (tmp_path / "trips.tntp").write_text(BRAESS_TRIPS + "~ " + "x" * 200_000)
    folder = tmp_path / "gmns"
    folder.mkdir()
    (folder / "node.csv").write_text(NODES)
    (folder / "link.csv").write_text(LINKS)
    for network in ("net.tntp", "gmns"):
        values = read_input_files(
            PROCESS, {"network": str(tmp_path / network), "trips": str(tmp_path / "trips.tntp"), "gap": "1e-8"}
        )
        assert values["trips"].startswith("data:application/gzip;base64,")
        assert values["gap"] == "1e-8"
        assert float(read(run(**values), "flows.csv")[0]["flow"]) == pytest.approx(4.0, rel=1e-4)
    with pytest.raises(InputError, match="cannot be read"):
        read_input_files(PROCESS, {"network": str(tmp_path / "nowhere")})
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="no UTF-8 text"):
        read_input_files(PROCESS, {"network": str(tmp_path / "binary")})


def test_conical_delays_and_cells_of_people_as_zones() -> None:
    town = make_grid()
    town.layers["population"] = frame(
        ["a", "b", "c"], [box(100, 100), box(800, 800), box(820, 780)], population=[3000, 2000, 1000], jobs=[0, 900, 0]
    )
    done = run(town, delay="conical", gap=1e-7)
    assert done.summary["traffic"]["zones"] == 2
    assert done.summary["traffic"]["balancing_error"] < 1e-6
    assert done.summary["traffic"]["zone_layer"] == "population"
    assert done.summary["assignment"]["balanced"]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"closed": ["nowhere"]}, NotFoundError, "no road 'nowhere'"),
        ({"trips": "origin,destination,trips\nZ0,Z9,5\n"}, InputError, "zone 'Z9'"),
        ({"trips": "origin,destination,trips,class\nZ0,Z1,5,boat\n"}, InputError, "class 'boat'"),
        ({"motorbike_share": 0.9, "truck_share": 0.2}, InputError, "exceed 1 together"),
        ({"counts": "road_link_id,way,count\nS4,up,5\n"}, InputError, "way in row 2 of the counts is 'up'"),
        ({"counts": "road_link_id,count\n" + "x" * 200_000}, InputError, "no CSV"),
        ({"counts": "road_link_id,count\nS99,5\n"}, NotFoundError, "no road 'S99'"),
        ({"mean_time": 300.0}, InputError, "cannot be met"),
    ],
)
def test_wrong_inputs_are_told(town: Town, values: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        run(town, **values)


def test_a_city_without_roads_or_people_is_told() -> None:
    with pytest.raises(InputError, match="no roads"):
        run()
    with pytest.raises(InputError, match="no zones"):
        run(make_grid())
