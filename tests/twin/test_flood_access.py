"""Water on the roads of a made-up valley: who is cut off and when, help, shelters, what to reopen; in a real database.

The ground falls from 2 m at both edges to 0 at the river in the middle; streets every 100 m, a bridge at y = 200 and a
low road at y = 400 across the river. People live in cells of 100 m.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from sqlalchemy import Connection, Engine

from layers.datum import CRS84, make_transformer
from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from layers.registry import read_vector_layer
from layers.schema import Text
from layers.store.engine import plain_url
from layers.store.features import count_features, select_features, upsert_features
from layers.store.rasters import register_raster, write_cog
from network.flooded_roads import WATER_LIMITS
from network.road_times import compute_times
from tests.twin.conftest import MemoryCity
from tests.twin.made_up import CRS, X, Y, frame, join, place
from twin.city import City
from twin.process import CityView, Outputs, Quiet, parse_inputs
from twin.registry import PROCESSES
from twin.roads.flooding import read_flood_times, read_run_water
from twin.runs import execute, submit_run
from twin.settings import Settings
from twin.store import claim_run, create_run, finish_run

NOW = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
GRID = Grid(60, 100, X, Y + 550.0, 10.0, CRS)
GROUND = np.tile(np.abs(X + 500.0 - GRID.centres()[0]) / 200.0, (60, 1)).astype(np.float32)
STAGES = (0.1, 0.6, 1.0, 1.0, 0.6, 0.1)
RIVER = shapely.box(X + 490.0, Y - 50.0, X + 510.0, Y + 550.0)
LEFT, RIGHT = 30, 10
"""People in each cell left and right of the river."""


def make_layers() -> dict[str, Any]:
    rows = [join(*((x, y) for x in range(low, low + 401, 100))) for y in range(0, 501, 100) for low in (0, 600)]
    columns = [join(*((x, y) for y in range(0, 501, 100))) for x in (*range(0, 401, 100), *range(600, 1001, 100))]
    across = [join((400, 200), (600, 200)), join((400, 400), (600, 400))]
    roads = [*rows, *columns, *across]
    ids = [f"R{k}" for k in range(len(roads) - 2)] + ["bridge", "low"]
    corners = [(x, y) for x in (*range(0, 400, 100), *range(600, 1000, 100)) for y in range(0, 500, 100)]
    cells = [shapely.MultiPolygon([shapely.box(X + x, Y + y, X + x + 100, Y + y + 100)]) for x, y in corners]
    return {
        "road_links": frame(
            ids, roads, road_class="residential", is_bridge=[name == "bridge" for name in ids], name=ids
        ),
        "water_bodies": frame(["W"], [shapely.MultiPolygon([RIVER])], water_type="river", is_tidal=True),
        "population": frame(
            [f"C{x}-{y}" for x, y in corners], cells, population=[LEFT if x < 500 else RIGHT for x, _ in corners]
        ),
        "wards": frame(
            ["WL", "WR"],
            [shapely.MultiPolygon([shapely.box(X + x, Y - 50, X + x + 550, Y + 550)]) for x in (-50, 500)],
            name=["Left", "Right"],
            ward_code=["1", "2"],
        ),
        "places": frame(
            ["H", "S", "F"],
            place((10, 210), (110, 110), (10, 10)),
            name=["Hospital", "Shelter", "Fire"],
            category=["hospital", "shelter", "fire_station"],
            capacity=[100, 95, None],
        ),
        "stops": frame(["ST1", "ST2"], place((0, 250), (400, 250)), mode="bus"),
    }


@dataclass(frozen=True)
class Valley:
    engine: Engine
    settings: Settings
    run: str


@pytest.fixture(scope="module")
def valley(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valley]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("valley"), database_url=plain_url(engine))
    with engine.begin() as connection:
        for layer_id, features in make_layers().items():
            upsert_features(connection, read_vector_layer(layer_id), features, source_id="test")
        keep_raster(connection, settings.processed_dir, "terrain", GROUND, None)
        run = create_run(connection, process="flood-scenario", inputs={}, title=Text("Ngập", "Flood"))
        claim_run(connection, run)
        finish_run(
            connection, run, title=Text("Ngập", "Flood"), base_time=NOW, horizon_hours=5.0, summary={},
            stage_forecast=None, balance=None, provenance={},
        )  # fmt: skip
        land = np.abs(GROUND) >= 0.05
        depths = [np.where(land, np.maximum(stage - GROUND, 0.0), np.nan).astype(np.float32) for stage in STAGES]
        for layer_id, array in (
            ("flood_depth", np.stack(depths)),
            ("flood_depth_max", depths[2]),
            ("flood_stage_max", np.where(depths[2] > 0.0, GROUND + depths[2], np.nan).astype(np.float32)),
        ):
            keep_raster(connection, settings.processed_dir, layer_id, array, run)
    yield Valley(engine, settings, run)


def keep_raster(connection: Connection, folder: Path, layer_id: str, array: np.ndarray, run: str | None) -> None:
    path = f"{layer_id}.tif" if run is None else f"runs/{run}/{layer_id}.tif"
    times = tuple(NOW + timedelta(hours=k) for k in range(len(array))) if array.ndim == 3 else None
    write_cog(folder / path, array, GRID, times=times)
    register_raster(
        connection, raster_id=layer_id if run is None else f"{run}.{layer_id}", layer_id=layer_id, run_id=run,
        path=path, times=times, bounds_crs84=(105.0, 10.0, 106.0, 11.0), minimum=None, maximum=None, source_id=None,
        fingerprint="x",
    )  # fmt: skip


@pytest.fixture
def city(valley: Valley) -> Iterator[City]:
    with valley.engine.connect() as connection:
        yield City(connection, valley.settings.processed_dir, NOW)


def compute(city: CityView, **values: Any) -> Outputs:
    process = PROCESSES["flood-access"]
    return process.compute(city, parse_inputs(process, values), Quiet())


def test_no_water_takes_nothing_away(city: City) -> None:
    outputs = compute(city, stage=0.05)
    summary = outputs.summary
    assert summary["roads"]["closed_length"] == 0.0
    assert summary["people"]["people"] == 20 * (LEFT + RIGHT)
    assert summary["people"]["cut_off"] == 0
    assert summary["people"]["no_hospital"] == 0
    assert summary["stops"] == {"count": 2, "lost": 0, "flooded": 0}
    assert summary["evacuation"]["people"] == 0 and summary["reopening"] == []
    assert summary["detours"]["longer"] == 0.0
    assert summary["responders"]["fire"]["before"] == summary["responders"]["fire"]["under_water"]
    assert [len(features) for name, features in outputs.features.items() if name != "access_places"] == [0, 0, 0, 0]


def test_a_level_cuts_the_valley_in_two(city: City) -> None:
    outputs = compute(city, stage=1.0)
    summary, features = outputs.summary, outputs.features
    # The right side and the streets by the water: on the left those whose junction is at x = 400 or in no road's reach.
    assert summary["people"]["cut_off"] >= 20 * RIGHT
    assert summary["people"]["cut_off"] < 20 * (LEFT + RIGHT)
    assert summary["people"]["no_hospital"] == summary["people"]["cut_off"]
    cells = features["cut_off_areas"].set_index("id")
    assert (cells.loc["C900-0", ["people", "people_cut_off", "share"]] == [RIGHT, RIGHT, 1.0]).all()
    assert "C0-0" not in cells.index
    assert cells["people_cut_off"].sum() == pytest.approx(summary["people"]["cut_off"], abs=len(cells))
    roads = features["flooded_roads"].set_index("id")
    low = roads[roads["road_id"] == "low"]
    assert low["state"].tolist() == ["closed"] and low["closed_to"].item().startswith("car, motorbike")
    assert low["depth_max"].item() == pytest.approx(0.925, abs=1e-3), (
        "ground 15 m from the middle; the river is no flood"
    )
    assert not (roads["road_id"] == "bridge").any(), "bridges stand above the water"
    assert summary["roads"]["above_water_length"] == 200.0
    places = features["access_places"].set_index("place_id")
    assert places["state"].to_dict() == {"H": "reachable", "S": "reachable", "F": "reachable", "ST2": "flooded"}
    assert summary["stops"] == {"count": 2, "lost": 1, "flooded": 1}
    right = next(row for row in summary["wards"] if row["name"] == "Right")
    assert right["cut_off"] == right["people"] == 20 * RIGHT
    assert right["fire_before"] > 0.0 and right["fire_under_water"] is None
    detour = next(row for row in summary["detours"]["rows"] if row["from"] == "Right")
    assert detour["before"] > 0.0 and detour["after"] is None


def test_shelters_take_what_they_hold_and_the_rest_is_counted(city: City) -> None:
    outputs = compute(city, stage=1.0)
    told, routes = outputs.summary["evacuation"], outputs.features["evacuation_routes"]
    assert told["sheltered"] == told["capacity"] == 95 < told["people"]
    assert told["sheltered"] + told["left"] == told["people"]
    assert told["shelters"][0]["load"] == 95
    assert routes["people"].sum() == 95
    assert (routes["travel_time"] > 0.0).all() and routes["leave_by"].isna().all()
    lengths = shapely.length(routes.geometry.to_numpy())
    assert lengths == pytest.approx(routes["length"].to_numpy(), abs=0.1)


def test_roads_to_reopen_connect_everybody_again(city: City) -> None:
    outputs = compute(city, stage=1.0, reopen_steps=100)
    steps, lost = outputs.summary["reopening"], outputs.summary["people"]["cut_off"]
    totals = [step["people_total"] for step in steps]
    assert totals == sorted(totals) and totals[-1] == lost
    assert max(step["people"] for step in steps) >= 15 * RIGHT, "one step opens the way over the river"
    drawn = outputs.features["road_reopenings"]
    assert set(drawn["step"]) == set(range(1, len(steps) + 1))
    assert len(compute(city, stage=1.0, reopen_steps=1).summary["reopening"]) == 1


def test_more_water_takes_more_away(city: City) -> None:
    found = [compute(city, stage=stage, reopen_steps=0).summary for stage in (0.2, 0.5, 0.8, 1.1, 1.6)]
    for name, key in (("roads", "closed_length"), ("people", "cut_off"), ("people", "no_hospital"), ("stops", "lost")):
        values = [summary[name][key] for summary in found]
        assert values == sorted(values), f"{name} {key}: {values}"
    assert all(summary["people"]["cut_off"] <= summary["people"]["people"] for summary in found)


def test_a_deck_below_the_water_is_no_bridge(valley: Valley) -> None:
    with valley.engine.connect() as connection, connection.begin() as transaction:
        bridge = frame(["B"], [join((400, 200), (600, 200))], deck_elevation=[0.6])
        upsert_features(connection, read_vector_layer("bridges"), bridge, source_id="test")
        outputs = compute(City(connection, valley.settings.processed_dir, NOW), stage=1.0)
        transaction.rollback()
    deck = outputs.features["flooded_roads"].query("road_id == 'bridge'")
    assert deck["depth_max"].item() == pytest.approx(0.4, abs=0.01)
    assert outputs.summary["roads"]["own_elevation_length"] == 200.0


def test_a_flood_run_in_time(city: City, valley: Valley) -> None:
    outputs = compute(city)
    summary = outputs.summary
    assert summary["water"]["run"] == valley.run == city.find_newest_run("flood_depth_max")
    assert summary["water"]["steps"] == len(STAGES)
    assert outputs.base_time == NOW and outputs.horizon_hours == 5.0
    cut = [row["cut_off"] for row in summary["people"]["steps"]]
    assert cut[0] == cut[-1] == 0 and cut[2] == cut[3] == summary["people"]["cut_off"] == max(cut) > 0
    assert summary["water"]["time_shown"] == (NOW + timedelta(hours=3)).isoformat()
    # Two hours at the height, each step standing for an hour.
    assert summary["people"]["person_hours"] >= 2 * summary["people"]["cut_off"]
    far = outputs.features["cut_off_areas"].set_index("id").loc["C900-0"]
    assert far["cut_from"] == NOW + timedelta(hours=2) and far["cut_until"] == NOW + timedelta(hours=4)
    assert far["cut_time"] == 7200.0
    routes = outputs.features["evacuation_routes"]
    # Roads are open at 7:00 and closed at 8:00: whoever leaves before 7:00 less the way there is safe.
    assert (routes["leave_by"].dropna() <= NOW + timedelta(hours=1)).all() and routes["leave_by"].notna().any()
    assert [row["person_hours_total"] for row in summary["reopening"]] == sorted(
        row["person_hours_total"] for row in summary["reopening"]
    )
    assert len(summary["responders"]["ambulance"]["steps"]) == len(STAGES)
    before = compute(city, at=NOW.isoformat())
    assert before.summary["people"]["cut_off"] == 0 and before.summary["people"]["cut_off_ever"] == cut[2]


def test_what_a_link_costs_at_a_time_of_the_flood(city: City, valley: Valley) -> None:
    roads = city.roads()
    dry = compute_times(roads.graph, "car")
    peak = read_flood_times(city, roads, valley.run, None, "car")
    seen = [
        read_flood_times(city, roads, valley.run, NOW + timedelta(hours=h), "car") for h in (0.0, 0.5, 1.0, 1.5, 2.0)
    ]
    for earlier, later in itertools.pairwise(seen):
        assert (later.seconds >= earlier.seconds - 1e-9).all() and not (earlier.closed & ~later.closed).any()
    assert (peak.seconds == seen[-1].seconds).all()
    assert (seen[0].seconds >= dry).all() and np.isinf(peak.seconds[peak.closed]).all() and peak.closed.any()
    bridge = roads.graph.is_bridge
    assert bridge.any() and (peak.seconds[bridge] == dry[bridge]).all()
    water = read_run_water(city, roads, valley.run)
    assert read_run_water(city, roads, valley.run) is water, "it is kept in memory"
    with pytest.raises(InputError, match="outside the flood"):
        read_flood_times(city, roads, valley.run, NOW - timedelta(hours=1), "car")
    with pytest.raises(InputError, match="no water in time"):
        replace(water, times=(), steps=()).at(NOW)


def test_a_route_takes_the_bridge_while_it_can(city: City, valley: Valley) -> None:
    to_degrees = make_transformer(CRS, CRS84)
    ends = {name: to_degrees.transform(X + x, Y + 400.0) for name, x in (("origin", 300.0), ("destination", 700.0))}

    def go(**values: Any) -> float:
        process = PROCESSES["route"]
        found = process.compute(city, parse_inputs(process, {**ends, "closures": False, **values}), Quiet())
        return float(found.summary["routes"][0]["length"])

    assert go() == pytest.approx(400.0, abs=1.0)
    assert go(flood_run=valley.run, flood_at=NOW.isoformat()) == pytest.approx(400.0, abs=1.0)
    rising = NOW + timedelta(hours=1)
    assert go(flood_run=valley.run, flood_at=rising.isoformat()) == pytest.approx(800.0, abs=1.0), "over the bridge"
    with pytest.raises(NotFoundError, match="water"):
        go(flood_run=valley.run)


def test_wrong_questions_are_told(city: City, valley: Valley) -> None:
    for values, words in (
        ({"stage": 1.0, "run": valley.run}, "not both"),
        ({"stage": 1.0, "at": NOW.isoformat()}, "no times"),
        ({"river_below": 1.0}, "belong to a stage"),
        ({"mode": "boat"}, "mode"),
        ({"stage": 1.0, "river_below": -40.0}, "finds no river"),
    ):
        with pytest.raises(InputError, match=words):
            compute(city, **values)
    with pytest.raises(NotFoundError, match="nothing"):
        compute(city, run="nothing")


def test_other_closing_depths(city: City) -> None:
    lengths = [compute(city, stage=0.8, closing_depth=d, reopen_steps=0).summary["roads"] for d in (0.1, 0.25, 0.6)]
    found = [told["closed_length"] for told in lengths]
    assert found == sorted(found, reverse=True) and found[0] > found[-1]
    rows = {row["mode"]: row["closed_length"] for row in lengths[1]["by_mode"]}
    assert rows["motorbike"] >= rows["car"] >= rows["bus"] >= rows["truck"]
    lost = {row["mode"]: row["cut_off"] for row in lengths[1]["by_mode"]}
    assert lost["motorbike"] >= lost["car"] >= lost["truck"] >= 0
    assert lengths[0]["closed_from_depth"] == 0.1
    assert WATER_LIMITS["motorbike"].depth == 0.25


def test_what_a_run_writes(valley: Valley) -> None:
    run = execute(valley.engine, valley.settings, submit_run(valley.engine, "flood-access", {"stage": 1.0}))
    assert run.status == "successful" and run.title_vi == "Đi lại khi nước ở mức 1 m"
    with valley.engine.connect() as connection:
        for layer_id in PROCESSES["flood-access"].outputs:
            layer = read_vector_layer(layer_id)
            assert count_features(connection, layer) > 0, layer_id
            features = select_features(connection, layer)
            assert (features["run_id"] == run.id).all()
            assert features.geometry.is_valid.all()


def test_a_city_that_knows_only_its_roads() -> None:
    given = make_layers()
    bare = MemoryCity({"terrain": (GROUND, GRID)}, {"road_links": given["road_links"]})
    summary = compute(bare, stage=1.0).summary
    assert summary["water"]["river"] == "water_bodies" or summary["water"]["river"].startswith("ground not above")
    assert summary["roads"]["closed_length"] > 0.0
    assert summary["people"]["people"] == summary["people"]["cut_off"] == 0
    assert summary["people"]["source"] == "" and summary["people"]["no_hospital"] is None
    assert summary["detours"] is None and summary["responders"] == {} and summary["reopening"] == []
    assert summary["evacuation"]["people"] == 0 and summary["places"] == {}
    with pytest.raises(InputError, match="no roads"):
        compute(MemoryCity({"terrain": (GROUND, GRID)}, {}), stage=1.0)
    # Without cells people are those of wards.
    by_ward = given["wards"].assign(population=[600, 200])
    known = MemoryCity({"terrain": (GROUND, GRID)}, {**given, "wards": by_ward, "population": given["population"][:0]})
    people = compute(known, stage=1.0).summary["people"]
    assert people["source"] == "wards" and people["people"] == 800 and 200 <= people["cut_off"] < 800
