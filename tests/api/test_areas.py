"""What lies in an area and what overlaps an item, against sums done by hand; areas nobody can mean are named."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import text
from starlette.testclient import TestClient

from layers.datum import CRS84, make_transformer
from layers.grid import Grid
from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from layers.store.rasters import register_raster, write_cog
from tests.api.conftest import BOUNDS, X0, Y0
from twin.settings import Settings

ADDRESS = "/api/areas/statistics"
CITY = "EPSG:5897"


def area(x0: float, y0: float, x1: float, y1: float) -> dict[str, Any]:
    """Return a rectangle of the city, given in metres from its corner, as GeoJSON."""
    transform = make_transformer(CITY, CRS84).transform
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
    return {"type": "Polygon", "coordinates": [[transform(X0 + x, Y0 + y) for x, y in corners]]}


def ask(client: TestClient, **asked: Any) -> Any:
    answer = client.post(ADDRESS, json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def find(found: Any, layer: str) -> Any:
    return next(each for each in found["collections"] if each["collection"] == layer)


@pytest.fixture(scope="module")
def run(settings: Settings, database_url: str, client: TestClient) -> Iterator[str]:
    """A run whose water is 0.4 m deep on the eastern half of a grid of 20 × 20 cells, with one road and its people."""
    run_id = client.get("/api/runs").json()["runs"][0]["id"]
    grid = Grid(20, 20, X0, Y0 + 200.0, 10.0, CITY)
    depth = np.zeros(grid.shape, dtype=np.float32)
    depth[:, 10:] = 0.4
    write_cog(settings.processed_dir / "deepest.tif", depth, grid)
    touched = gpd.GeoDataFrame(
        {"id": ["r.1"], "run_id": [run_id], "asset_layer": ["road_links"], "asset_id": ["1"], "people": [7.0],
         "length": [30.0], "depth_class": ["knee"], "depth_max": [0.4]},
        geometry=[shapely.Point(X0 + 150, Y0 + 100)], crs=CITY,
    )  # fmt: skip
    engine = open_engine(database_url)
    with engine.begin() as connection:
        register_raster(
            connection, raster_id="deepest", layer_id="flood_depth_max", run_id=run_id, path="deepest.tif", times=None,
            bounds_crs84=BOUNDS, minimum=0.0, maximum=0.4, source_id=None, fingerprint="d",
        )  # fmt: skip
        upsert_features(connection, VECTOR_LAYERS["flood_assets"], touched, source_id="test")
    yield run_id
    with engine.begin() as connection:
        connection.execute(text("delete from run.raster where id = 'deepest'"))
        connection.execute(text("delete from city.flood_assets where id = 'r.1'"))
    engine.dispose()


def test_parts_within_are_measured_and_the_rest_is_not(client: TestClient) -> None:
    found = ask(client, geometry=area(-1, -100, 310, 100))
    assert found["area"] == pytest.approx(311 * 200, rel=1e-4) and found["flood"] is None
    buildings, roads = find(found, "buildings"), find(found, "road_links")
    # The eleventh building of 20 × 15 m begins at 300 m: its half is within.
    assert buildings["count"] == 11
    assert buildings["area"] == pytest.approx(10 * 300 + 150, rel=1e-3)
    assert sum(row["area"] for row in buildings["classes"]) == pytest.approx(buildings["area"])
    assert roads["count"] == 4 and roads["length"] == pytest.approx(310, rel=1e-3)
    assert find(found, "trees")["count"] == 39
    assert find(found, "trees")["length"] is None


def test_only_the_layers_that_are_named_are_measured(client: TestClient) -> None:
    found = ask(client, geometry=area(-1, -100, 310, 100), collections=["trees", "wards"])
    assert [each["collection"] for each in found["collections"]] == ["trees"]


def test_the_water_of_a_run_is_measured_in_the_area(client: TestClient, run: str) -> None:
    flood = ask(client, geometry=area(50, 0, 200, 200), run=run, collections=["trees"])["flood"]
    assert flood["covered_area"] == 150 * 200 and flood["flooded_area"] == 100 * 200
    assert flood["share"] == pytest.approx(2 / 3) and flood["depth_max"] == pytest.approx(0.4)
    assert flood["touched"] == [{"collection": "road_links", "count": 1, "people": 7.0, "length": 30.0}]
    tiny = ask(client, geometry=area(151, 101, 153, 103), run=run, collections=["trees"])["flood"]
    assert tiny["flooded_area"] == 100, "a plot smaller than a cell has the water of the cell it lies in"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "geometry is no area"),
        ({"geometry": {"type": "Point", "coordinates": [105, 10]}}, "geometry is no area"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[1]]]}}, "geometry cannot be read"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "0 corners"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}, "no area: Self"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [900, 0], [0, 0]]]}}, "no degrees"),
        ({"geometry": area(0, 0, 90_000, 90_000)}, "at most 3,000"),
        ({"geometry": area(0, 0, 9, 9), "collections": "trees"}, "no list"),
        ({"geometry": area(0, 0, 9, 9), "run": 3}, "run is not text"),
        ({"geometry": area(0, 0, 9, 9), "colour": 3}, "'colour' is not known"),
    ],
)
def test_what_cannot_be_measured_is_named(client: TestClient, asked: dict[str, Any], words: str) -> None:
    answer = client.post(ADDRESS, json=asked)
    assert answer.status_code in (400, 413), answer.text
    assert words in answer.json()["detail"]


def test_what_is_not_there_is_not_found(client: TestClient) -> None:
    assert client.post(ADDRESS, json={"geometry": area(0, 0, 9, 9), "run": "none"}).status_code == 404
    assert client.post(ADDRESS, json={"geometry": area(0, 0, 9, 9), "collections": ["none"]}).status_code == 404
    path = "/api/collections/buildings/items/none/overlaps?collections=trees"
    assert client.get(path).status_code == 404


def test_overlaps_tell_the_share(client: TestClient) -> None:
    first = client.get("/api/collections/road_links/items?limit=1&sortby=id").json()["features"][0]["id"]
    path = f"/api/collections/road_links/items/{first}/overlaps"
    assert client.get(path, params={"collections": "buildings,trees"}).json()["overlaps"] == []
    building = client.get("/api/collections/buildings/items?limit=1").json()["features"][0]["id"]
    answer = client.get(f"/api/collections/buildings/items/{building}/overlaps", params={"collections": "buildings"})
    assert answer.json()["overlaps"] == [], "an item does not overlap itself"
    assert client.get(path, params={"collections": "trees", "x": "1"}).status_code == 400
