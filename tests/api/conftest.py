"""A server on a real PostGIS with a small city: features, a gauge with readings, a terrain and one finished run."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Connection, Engine
from starlette.testclient import TestClient

from api.app import create_app
from layers.grid import Grid
from layers.ingest.catalog import Source
from layers.registry import VECTOR_LAYERS
from layers.schema import Text
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from layers.store.migrate import migrate
from layers.store.rasters import register_raster, write_cog
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations
from layers.store.sources import register_source
from tests.api.sta_city import fill_sta
from twin.settings import Settings
from twin.store import claim_run, create_run, finish_run

CITY = {
    "id": "test",
    "crs": "EPSG:5897",
    "title": {"vi": "Thành phố thử", "en": "Test city"},
    "timezone": "Asia/Ho_Chi_Minh",
    "synthetic": True,
    "attribution": "none",
    "main_gauge": "S-1",
}
ADDRESS = "http://127.0.0.1:8000"
X0, Y0 = 580_000.0, 1_108_000.0
START = datetime(2026, 11, 1, tzinfo=UTC)
TREES = 237
TREE_TILE = "16/52016/30934"
BOUNDS = (105.7297, 10.0141, 105.7488, 10.0327)


@pytest.fixture(scope="session")
def database_url(make_database: Callable[..., str]) -> str:
    """URL of a database filled with the small city; tests that write use layers that are empty in it."""
    url = make_database("api")
    engine = open_engine(url)
    migrate(engine, "test", "EPSG:5897", CITY)
    fill(engine)
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the test server, with the rasters written."""
    folder = tmp_path_factory.mktemp("api")
    made = Settings(database_url=database_url, data_dir=folder, web_dir=folder / "web", tile_cache_mb=8)
    engine = open_engine(database_url)
    fill_rasters(engine, made.processed_dir)
    engine.dispose()
    return made


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[TestClient]:
    """HTTP client of a running application on this machine, which may write; errors come as answers, as to a user."""
    app = create_app(settings)
    with TestClient(app, ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def sta_settings(make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a server on a database that was empty, for the tests that write SensorThings."""
    folder = tmp_path_factory.mktemp("sta")
    return Settings(database_url=make_database("sta_write"), data_dir=folder, web_dir=folder / "web", tile_cache_mb=8)


@pytest.fixture(scope="session")
def sta(sta_settings: Settings) -> Iterator[TestClient]:
    """HTTP client of SensorThings on that database, which may write."""
    app = create_app(sta_settings)
    base = f"{ADDRESS}/sta/v1.1"
    with TestClient(app, base, client=("127.0.0.1", 50_000), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def sta_reader(make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """HTTP client of a server on a database that holds the small world of `tests.api.sta_city` and nothing else."""
    url, folder = make_database("sta_reading"), tmp_path_factory.mktemp("sta")
    engine = open_engine(url)
    with engine.begin() as connection:
        fill_sta(connection)
    engine.dispose()
    app = create_app(Settings(database_url=url, data_dir=folder, web_dir=folder / "web", tile_cache_mb=8))
    with TestClient(app, ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def beside(sta_settings: Settings) -> Iterator[Connection]:
    """Connection beside the server, to see what lies in the tables."""
    assert sta_settings.database_url is not None
    engine = open_engine(sta_settings.database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def writer(database_url: str) -> Iterator[Engine]:
    """Engine beside the server, to change data under its feet."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def make_trees(count: int, *, first: int = 0, height: float = 1.5) -> gpd.GeoDataFrame:
    """Return trees in a row, 8 m apart."""
    numbers = np.arange(first, first + count)
    return gpd.GeoDataFrame(
        {"id": [f"t{number:05d}" for number in numbers], "species": "Dầu rái", "height": height + numbers % 7},
        geometry=shapely.points(X0 + numbers * 8.0, np.full(count, Y0)),
        crs="EPSG:5897",
    )


def fill(engine: Engine) -> None:
    """Write features, sources, a gauge and its readings."""
    squares = [shapely.box(X0 + 30 * k, Y0 + 50, X0 + 30 * k + 20, Y0 + 65) for k in range(40)]
    roads = [shapely.LineString([(X0 + 100 * k, Y0 - 20), (X0 + 100 * k + 100, Y0 - 20)]) for k in range(15)]
    uses = ["house", "shop", "office", "school"] * 10
    frames = {
        "trees": make_trees(TREES),
        "buildings": gpd.GeoDataFrame(
            {"id": [f"b{k}" for k in range(40)], "use": uses, "height": 6.0, "storeys": [k % 5 + 1 for k in range(40)]},
            geometry=[shapely.MultiPolygon([square]) for square in squares],
            crs="EPSG:5897",
        ),
        "road_links": gpd.GeoDataFrame(
            {
                "id": [f"r {k}/á" for k in range(15)],
                "road_class": "residential",
                "is_bridge": [k == 3 for k in range(15)],
            },
            geometry=roads,
            crs="EPSG:5897",
        ),
        "sensors": gpd.GeoDataFrame(
            {"id": ["S-1", "S-2"], "name": ["Sông Hậu", "Mưa"], "kind": ["stage", "rain"], "alarm_1": [1.9, np.nan]},
            geometry=[shapely.Point(X0 + 500, Y0 + 300), shapely.Point(X0 + 900, Y0 + 300)],
            crs="EPSG:5897",
        ),
    }
    with engine.begin() as connection:
        for layer_id, frame in frames.items():
            source = Source(
                id=f"s-{layer_id}", uri="x.gpkg", layer=layer_id, title={"vi": "Nguồn", "en": "Source"},
                licence="CC0-1.0", attribution="nobody", synthetic=True,
            )  # fmt: skip
            register_source(connection, source, uri="x.gpkg", fingerprint="f")
            upsert_features(connection, VECTOR_LAYERS[layer_id], frame, source_id=source.id)
        stream = Datastream("S-1.stage", "S-1", "stage", "m", "Mực nước", "Stage")
        upsert_datastreams(connection, [stream], "s-sensors")
        times = [START + timedelta(minutes=10 * k) for k in range(1000)]
        levels = np.sin(np.arange(1000) / 70.0)
        levels[7] = np.nan
        frame = pd.DataFrame({"datastream_id": "S-1.stage", "phenomenon_time": times, "result": levels})
        insert_observations(connection, frame)


def fill_rasters(engine: Engine, folder: Path) -> None:
    """Write a terrain, and a finished run with a series of three times."""
    grid = Grid(200, 200, X0 - 100.0, Y0 + 1000.0, 10.0, "EPSG:5897")
    terrain = np.tile(np.linspace(-1.0, 3.0, 200, dtype=np.float32), (200, 1))
    times = [START + timedelta(hours=k) for k in range(3)]
    depth = np.stack([np.full(grid.shape, 0.2 * k, dtype=np.float32) for k in range(3)])
    depth[:, :100] = np.nan
    write_cog(folder / "terrain.tif", terrain, grid)
    write_cog(folder / "depth.tif", depth, grid, times=times)
    with engine.begin() as connection:
        run_id = create_run(
            connection, process="flood-forecast", inputs={"horizon_hours": 24}, title=Text("Dự báo", "F")
        )
        claim_run(connection, run_id)
        forecast = {"datastream_id": "S-1.stage", "issue_time": START.isoformat(), "times": [], "stage": []}
        finish_run(
            connection, run_id, title=Text("Dự báo", "Forecast"), base_time=START, horizon_hours=24.0,
            summary={"people": 3}, stage_forecast=forecast, balance={"relative_error": 0.0}, provenance={},
        )  # fmt: skip
        for raster_id, layer, run, path, when, print_ in (
            ("terrain", "terrain", None, "terrain.tif", None, "a"),
            (f"{run_id}.flood_depth", "flood_depth", run_id, "depth.tif", times, "b"),
        ):
            register_raster(
                connection, raster_id=raster_id, layer_id=layer, run_id=run, path=path, times=when,
                bounds_crs84=BOUNDS, minimum=-1.0, maximum=3.0, source_id=None, fingerprint=print_,
            )  # fmt: skip
