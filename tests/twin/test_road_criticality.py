"""Criticality of two parts of a made-up town that one bridge joins; in a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import Connection, Engine

from layers.errors import InputError
from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from tests.twin.made_up import X, Y, frame, join, place
from twin.city import City
from twin.process import Outputs, Quiet, parse_inputs
from twin.registry import PROCESSES

NOW = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
LEFT, RIGHT = 30, 10
"""People in each cell left and right of the river."""


def fill(connection: Connection) -> None:
    rows = [join(*((x, y) for x in range(low, low + 301, 100))) for y in range(0, 301, 100) for low in (0, 500)]
    columns = [join(*((x, y) for y in range(0, 301, 100))) for x in (*range(0, 301, 100), *range(500, 801, 100))]
    roads = [*rows, *columns, join((300, 200), (500, 200)), join((0, 0), (-100, 0))]
    ids = [f"R{k}" for k in range(len(roads) - 2)] + ["bridge", "alley"]
    corners = [(x, y) for x in (*range(0, 300, 100), *range(500, 800, 100)) for y in range(0, 300, 100)]
    cells = [shapely.MultiPolygon([shapely.box(X + x, Y + y, X + x + 100, Y + y + 100)]) for x, y in corners]
    layers = {
        "road_links": frame(
            ids, roads, road_class="residential", is_bridge=[name == "bridge" for name in ids], name=ids
        ),
        "population": frame(
            [f"C{x}-{y}" for x, y in corners], cells, population=[LEFT if x < 500 else RIGHT for x, _ in corners]
        ),
        "places": frame(
            ["H", "M1", "M2"],
            place((10, 210), (110, 110), (710, 110)),
            name=["Hospital", "Market", "Market"],
            category=["hospital", "market", "market"],
        ),
    }
    for layer_id, features in layers.items():
        upsert_features(connection, read_vector_layer(layer_id), features, source_id="test")


@pytest.fixture(scope="module")
def town(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder: Path = tmp_path_factory.mktemp("town")
    with engine.connect() as connection:
        fill(connection)
        yield City(connection, folder, NOW)
        connection.rollback()


def compute(city: City, **values: Any) -> Outputs:
    process = PROCESSES["road-criticality"]
    return process.compute(city, parse_inputs(process, values), Quiet())


@pytest.fixture(scope="module")
def outputs(town: City) -> Outputs:
    return compute(town, count=12, places=30, equilibria=3)


def test_the_one_bridge_comes_first(outputs: Outputs) -> None:
    told = outputs.summary["criticality"]
    assert told["trips"]["people"] == 9 * (LEFT + RIGHT)
    assert told["trips"]["trips"] == pytest.approx(0.15 * 9 * (LEFT + RIGHT), abs=0.1)
    assert told["trips"]["served"] == told["trips"]["trips"]
    assert told["trips"]["drawn_by"] == "places"
    roads = outputs.features["road_criticality"].set_index("road_id")
    bridge = roads.loc["bridge"]
    assert bridge["rank"] == bridge["rank_trips"] == bridge["rank_people"] == 1
    assert bridge["people_cut_off"] == bridge["people_no_hospital"] == 9 * RIGHT
    assert bridge["only_way"] and bridge["disjoint_ways"] == 1
    assert bridge["unserved_trips"] == bridge["trips"] > 0.0
    others = roads.drop("bridge")
    assert not others["only_way"].any() and (others["detour_ratio"] >= 1.0).all()
    assert (others["people_cut_off"] == 0).all(), "a grid has another way everywhere"
    assert (others["disjoint_ways"] >= 2).all()


def test_measures_are_compared(outputs: Outputs) -> None:
    told = outputs.summary["criticality"]
    pairs = {tuple(row["measures"]): row["kendall_tau"] for row in told["agreement"]}
    assert len(pairs) == 10
    assert all(tau is None or -1.0 <= tau <= 1.0 for tau in pairs.values())
    assert told["disagreements"][0]["rank_spread"] >= told["disagreements"][-1]["rank_spread"]
    assert told["capacity"]["tried"] == 3 and told["capacity"]["gap"] <= 1e-5
    assert told["first"][0]["road_id"] == "bridge"
    frame_of = outputs.features["road_criticality"]
    assert frame_of["capacity_cut_time"].notna().sum() == 3
    assert frame_of["rank"].tolist() == list(range(1, len(frame_of) + 1))
    assert frame_of["id"].is_unique
    assert frame_of["level"].tolist()[:6] == ["first"] * 5 + ["high"]


def test_trucks_and_people_that_are_not_there(town: City) -> None:
    assert compute(town, mode="truck", count=2, places=5, equilibria=0).summary["criticality"]["capacity"]["tried"] == 0
    with pytest.raises(InputError):
        parse_inputs(PROCESSES["road-criticality"], {"mode": "boat"})
    with pytest.raises(InputError):
        parse_inputs(PROCESSES["road-criticality"], {"count": 10_000})


def test_a_city_without_roads_says_so(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no roads"):
        compute(City(connection, tmp_path, NOW))
