"""Aggregates over HTTP: groups, measures and their total, against sums done by hand."""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import text
from starlette.testclient import TestClient

from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from layers.store.query.aggregates import MAX_GROUPS
from tests.api.conftest import TREES, X0, Y0


def ask(client: TestClient, layer: str, **asked: str) -> Any:
    answer = client.get(f"/api/collections/{layer}/aggregate", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def areas(database_url: str) -> Iterator[None]:
    """Two areas that touch, and overlap on a strip, over the first trees and buildings."""
    boxes = [shapely.box(X0 - 5, Y0 - 100, X0 + 84, Y0 + 100), shapely.box(X0 + 76, Y0 - 100, X0 + 400, Y0 + 100)]
    frame = gpd.GeoDataFrame(
        {"id": ["D1", "D2"], "name": ["DMA Một", "DMA Hai"]},
        geometry=[shapely.MultiPolygon([box]) for box in boxes],
        crs="EPSG:5897",
    )
    engine = open_engine(database_url)
    with engine.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["dmas"], frame, source_id="test")
    yield
    with engine.begin() as connection:
        connection.execute(text("delete from city.dmas"))
    engine.dispose()


def test_groups_have_counts_areas_and_sums(client: TestClient) -> None:
    found = ask(client, "buildings", group_by="use", measure="count,area,sum(storeys),avg(storeys),min(height)")
    assert found["total"] == {
        "count": 40, "area": pytest.approx(40 * 20 * 15), "sum(storeys)": 120, "avg(storeys)": 3, "min(height)": 6,
    }  # fmt: skip
    assert [group["use"] for group in found["groups"]] == ["house", "office", "school", "shop"]
    assert all(group["count"] == 10 and group["area"] == pytest.approx(3000) for group in found["groups"])
    assert sum(group["sum(storeys)"] for group in found["groups"]) == 120
    assert ask(client, "road_links", measure="length,count")["total"] == {"length": pytest.approx(1500), "count": 15}


def test_filters_and_boxes_narrow_what_is_counted(client: TestClient) -> None:
    found = ask(client, "buildings", group_by="use,storeys", filter="storeys < 3", use="shop")
    assert found["groups"] == [
        {"use": "shop", "storeys": 1, "count": 2}, {"use": "shop", "storeys": 2, "count": 2}
    ]  # fmt: skip
    nothing = ask(client, "buildings", bbox="0,0,1,1", group_by="use", measure="count,sum(height)")
    assert (nothing["total"], nothing["groups"]) == ({"count": 0, "sum(height)": None}, [])
    joined = ask(client, "trees", filter="near(buildings, 50, use = 'school')", group_by="species")
    assert joined["groups"][0]["count"] == joined["total"]["count"] < TREES


def test_a_histogram_holds_everything_once(client: TestClient) -> None:
    found = ask(client, "trees", group_by="bins(height,6)")
    assert sum(group["count"] for group in found["groups"]) == TREES
    edges = sorted((group["bins(height,6)"]["from"], group["bins(height,6)"]["to"]) for group in found["groups"])
    assert edges[0][0] == 1.5 and edges[-1][1] == 7.5
    assert all(edge[1] == after[0] for edge, after in pairwise(edges))
    same = ask(client, "buildings", group_by="bins(height,5)")["groups"]
    assert [group["count"] for group in same] == [40]


def test_features_are_counted_in_one_area_each(client: TestClient, areas: None) -> None:
    found = ask(client, "trees", group_by="inside(dmas)")
    counts = {(group["inside(dmas)"] or {}).get("name"): group["count"] for group in found["groups"]}
    # Trees stand 8 m apart: 0 to 80 m in the first area, on to 400 m in the second, 80 m in both.
    assert counts == {"DMA Một": 11, "DMA Hai": 40, None: TREES - 51}
    found = ask(client, "buildings", group_by="inside(dmas),use", filter="storeys = 1")
    assert sum(group["count"] for group in found["groups"]) == found["total"]["count"] == 8


def test_years_and_ages(client: TestClient, database_url: str) -> None:
    year = dt.datetime.now(dt.UTC).year
    dates = [dt.date(year - back, 6, 1) for back in (0, 3, 7, 7, 60)] + [None]
    frame = gpd.GeoDataFrame(
        {"id": [f"y{k}" for k in range(6)], "installed": dates},
        geometry=[shapely.Point(X0 + k, Y0 + 900) for k in range(6)],
        crs="EPSG:5897",
    )
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("delete from city.luminaires"))
        upsert_features(connection, VECTOR_LAYERS["luminaires"], frame, source_id="test")
    engine.dispose()
    found = ask(client, "luminaires", group_by="age(installed)", measure="count,max(installed)")["groups"]
    ages = {(group["age(installed)"] or {}).get("from"): group["count"] for group in found}
    assert ages == {0: 2, 5: 2, 50: 1, None: 1}
    years = ask(client, "luminaires", group_by="year(installed)")["groups"]
    assert {group["year(installed)"]: group["count"] for group in years}[year - 7] == 2


def test_groups_without_end_are_cut_and_said_so(client: TestClient, database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into city.signals (id, source_id, name, geom) select 'g' || n, 'test', n::text, "
                "ST_SetSRID(ST_MakePoint(580000, 1108000), 5897) from generate_series(1, :n) n"
            ),
            {"n": MAX_GROUPS + 1},
        )
    found = ask(client, "signals", group_by="name")
    assert (len(found["groups"]), found["truncated"], found["total"]["count"]) == (MAX_GROUPS, True, MAX_GROUPS + 1)
    with engine.begin() as connection:
        connection.execute(text("delete from city.signals where id = 'g1'"))
    assert ask(client, "signals", group_by="name")["truncated"] is False
    with engine.begin() as connection:
        connection.execute(text("delete from city.signals"))
    engine.dispose()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"group_by": "nothing"}, "has no property 'nothing'"),
        ({"group_by": "use,"}, "cannot be read"),
        ({"group_by": "use;drop"}, "cannot be read"),
        ({"group_by": "use,use"}, "names a term twice"),
        ({"group_by": "geometry"}, "cannot be grouped by their geometry"),
        ({"group_by": "year(use)"}, "takes a date or a year, not 'use' (string)"),
        ({"group_by": "bins(use,3)"}, "takes a number, not 'use' (string)"),
        ({"group_by": "bins(height,0)"}, "has no such number of parts"),
        ({"group_by": "sleep(height)"}, "'sleep(height)' is not served"),
        ({"group_by": "inside(trees)"}, "holds no areas"),
        ({"group_by": "use,storeys,height,name,address"}, "at most 4"),
        ({"measure": "length"}, "has no length"),
        ({"measure": "sum(use)"}, "does not measure 'use' (string)"),
        ({"measure": "median(height)"}, "'median(height)' is not served"),
        ({"measure": ""}, "cannot be read"),
    ],
)
def test_what_cannot_be_computed_is_refused(client: TestClient, asked: dict[str, str], found: str) -> None:
    answer = client.get("/api/collections/buildings/aggregate", params=asked)
    assert answer.status_code == 400
    assert found in answer.json()["detail"]
