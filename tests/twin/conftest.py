"""A tiny city in memory: a river on the west, a dyke, a gated canal, a low quarter behind them."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from numpy.typing import NDArray
from sqlalchemy import Engine

from layers.errors import NotFoundError
from layers.grid import Grid
from layers.registry import read_vector_layer
from tests.commands import run_twin
from twin.demo.city import generate_city
from twin.networks.city_graph import CityGraph
from twin.networks.laying import view_network
from twin.process import Arrays, Checkpoint, Quiet
from twin.roads.building import view_roads
from twin.roads.city_roads import CityRoads
from twin.transit.feed import CityFeed

CRS = "EPSG:5897"
X0, Y0 = 586_000.0, 1_109_000.0
NOW = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
TIDE = ((0.75, 12.4206012), (0.25, 12.0), (0.35, 23.93447213), (0.20, 25.81933871))


@dataclass
class MemoryCity:
    """A CityView over values in memory."""

    rasters: dict[str, tuple[NDArray[np.float32], Grid]]
    layers: dict[str, gpd.GeoDataFrame]
    readings: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)
    crs: str = CRS
    now: datetime = NOW
    main_gauge: str | None = "S1"
    kept: dict[str, Arrays] = field(default_factory=dict)
    issues: dict[tuple[str, datetime], Arrays] = field(default_factory=dict)
    damage: dict[str, dict[str, Any]] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Ho_Chi_Minh"))
    lamp_calendars: list[tuple[str, datetime, dict[str, Any]]] = field(default_factory=list)
    timetables: list[CityFeed] = field(default_factory=list)

    def layer(self, layer_id: str, *, bounds: Any = None, columns: Sequence[str] | None = None) -> gpd.GeoDataFrame:
        names = [prop.name for prop in read_vector_layer(layer_id).properties]
        given = self.layers.get(layer_id, gpd.GeoDataFrame({"id": []}, geometry=[], crs=self.crs))
        full = given.reindex(columns=["id", *(columns if columns is not None else names), "geometry"])
        return gpd.GeoDataFrame(full, geometry="geometry", crs=self.crs)

    def network(self, commodity: str) -> CityGraph:
        return view_network(self, commodity)

    def roads(self) -> CityRoads:
        return view_roads(self)

    def feeds(self, names: Sequence[str] = ()) -> list[CityFeed]:
        return [one for one in self.timetables if not names or one.id in names]

    def raster(
        self, layer_id: str, *, cell_size: float | None = None, bounds: Any = None
    ) -> tuple[NDArray[np.float32], Grid]:
        if layer_id not in self.rasters:
            raise NotFoundError(f"no raster '{layer_id}'")
        array, grid = self.rasters[layer_id]
        return array.copy(), grid

    def find_datastream(self, sensor_id: str, observed_property: str) -> str:
        name = f"{sensor_id}.{observed_property}"
        if name not in self.readings:
            raise NotFoundError(f"sensor '{sensor_id}' has no series")
        return name

    def series(
        self, datastream_id: str, start: datetime, end: datetime
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        times, values = self.readings[datastream_id]
        kept = (times >= start.timestamp()) & (times <= end.timestamp())
        return times[kept], values[kept]

    def last_reading(self, datastream_id: str) -> datetime | None:
        times, _ = self.readings[datastream_id]
        return datetime.fromtimestamp(float(times[-1]), UTC) if times.size else None

    def issued(self, datastream_id: str, issue_time: datetime) -> Arrays | None:
        return self.issues.get((datastream_id, issue_time))

    def derived(self, kind: str, signature: str, make: Callable[[], Arrays]) -> Arrays:
        key = f"{kind}/{signature}"
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]


def make_tide(times: NDArray[np.float64], mean: float = 1.0) -> NDArray[np.float64]:
    """Return a mixed tide [m] of four constituents."""
    hours = times / 3600.0
    return mean + sum(height * np.cos(2.0 * np.pi * hours / period) for height, period in TIDE)


def box(col0: float, row0: float, col1: float, row1: float, cell: float = 10.0) -> shapely.Polygon:
    """Return a rectangle given in cells of the tiny city."""
    return shapely.box(X0 + col0 * cell, Y0 - row1 * cell, X0 + col1 * cell, Y0 - row0 * cell)


def frame(ids: Sequence[str], shapes: Sequence[Any], **columns: Any) -> gpd.GeoDataFrame:
    """Return a layer's frame."""
    return gpd.GeoDataFrame({"id": list(ids), **columns}, geometry=list(shapes), crs=CRS)


def make_city() -> MemoryCity:
    """Return the tiny city: 40 × 60 cells of 10 m, ground 1.2 m behind a dyke of 1.6 m, rising to 3 m in the east."""
    grid = Grid(40, 60, X0, Y0, 10.0, CRS)
    ground = np.tile(np.interp(np.arange(60), [0, 5, 6, 30, 59], [-6.0, -6.0, 1.2, 1.2, 3.0]), (40, 1))
    ground[18:22, 6:25] = -2.0
    times = np.arange(NOW.timestamp() - 45 * 86400.0, NOW.timestamp() + 1.0, 600.0)
    line = lambda *cells: shapely.LineString([(X0 + c * 10.0, Y0 - r * 10.0) for c, r in cells])  # noqa: E731
    multi = lambda shape: shapely.MultiPolygon([shape])  # noqa: E731
    houses = [multi(box(col, row, col + 1.5, row + 0.6)) for row in range(2, 38, 3) for col in range(26, 58, 4)]
    layers = {
        "water_bodies": frame(
            ["W1", "W2"],
            [multi(box(0, 0, 6, 40)), multi(box(6, 18, 25, 22))],
            water_type=["river", "canal"],
            is_tidal=[True, True],
            gate_id=[None, "G1"],
        ),
        "dykes": frame(["D1"], [line((6.5, 0), (6.5, 17.5))], crest_elevation=[1.6]),
        "drainage_links": frame(
            ["G1", "P1"],
            [line((7, 20), (5, 20)), line((24.5, 20.5), (3, 20.5))],
            link_type=["gate", "pump"],
            capacity=[None, 1.5],
            is_active=[True, True],
        ),
        "buildings": frame(
            [f"B{k}" for k in range(len(houses))],
            houses,
            residents=[4] * len(houses),
            ward_code=["99001"] * len(houses),
        ),
        "road_links": frame(
            ["R1", "R2"],
            [line((10, 10), (50, 10)), line((10, 30), (50, 30))],
            name=["Đường thấp", "Cầu"],
            is_bridge=[False, True],
            road_class=["primary", "primary"],
        ),
        "luminaires": frame(["L1", "L2"], [shapely.Point(X0 + 285, Y0 - 105), shapely.Point(X0 + 585, Y0 - 105)]),
        "lighting_cabinets": frame(["C1"], [shapely.Point(X0 + 285, Y0 - 305)], base_elevation=[1.3], name=["Tủ 1"]),
        "wards": frame(
            ["99001", "99002"],
            [multi(box(0, 0, 60, 20)), multi(box(0, 20, 60, 40))],
            name=["Phường Bắc", "Phường Nam"],
            ward_code=["99001", "99002"],
        ),
        "sensors": frame(["S1"], [shapely.Point(X0 + 30, Y0 - 200)], name=["Trạm"], kind=["stage"]),
    }
    return MemoryCity({"terrain": (ground.astype(np.float32), grid)}, layers, {"S1.stage": (times, make_tide(times))})


@pytest.fixture
def city() -> MemoryCity:
    """The tiny city."""
    return make_city()


@pytest.fixture
def changed_city() -> Callable[..., MemoryCity]:
    """Return a function that gives the tiny city with some of its values replaced."""
    return lambda **changes: replace(make_city(), **changes)


@pytest.fixture
def gated_city(changed_city: Callable[..., MemoryCity]) -> MemoryCity:
    """The tiny city with walls right down to the canal and no way in but the gate."""
    city = changed_city()
    city.layers["dykes"] = city.layers["dykes"].assign(crest_elevation=3.0)
    array, grid = city.rasters["terrain"]
    array = array.copy()
    array[22:, 6:8] = array[17, 6:8] = 3.0
    city.rasters["terrain"] = (array, grid)
    return city


@pytest.fixture
def run(engine: Engine, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Return a function that types ``twin …``."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    settings = {"TWIN_DATABASE_URL": url, "TWIN_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    return partial(run_twin, settings=settings)


@pytest.fixture
def hours() -> Callable[[float], timedelta]:
    """Return a function hours → timedelta."""
    return lambda count: timedelta(hours=count)


@pytest.fixture(scope="session")
def make_tiny_city() -> Callable[[], MemoryCity]:
    """Return the function that makes the tiny city."""
    return make_city


@pytest.fixture(scope="session")
def tide_of() -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return the tide of the tiny city as a function of time [s]."""
    return make_tide


@pytest.fixture(scope="session")
def demo_end() -> datetime:
    """When the readings of the demo end."""
    return datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def demo_folder(demo_end: datetime, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo of the default seed, written once."""
    return generate_city(tmp_path_factory.mktemp("demo"), end=demo_end).parent


@pytest.fixture(scope="session")
def demo_tables(demo_folder: Path) -> dict[str, gpd.GeoDataFrame]:
    """The tables of the demo by layer; read only."""
    names = [name for name, _ in pyogrio.list_layers(demo_folder / "demo.gpkg")]
    return {name: pyogrio.read_dataframe(demo_folder / "demo.gpkg", layer=name) for name in names}


class Interrupted(Quiet):
    """Progress of an attempt that is stopped after some reports and keeps what it saved."""

    def __init__(self, after: float) -> None:
        self.after, self.saved, self.fraction = after, None, 0.0

    def report(self, fraction: float, message: str) -> None:
        self.fraction = fraction

    def should_stop(self) -> bool:
        return self.fraction > self.after

    def read_checkpoint(self) -> Checkpoint | None:
        return self.saved

    def write_checkpoint(self, make) -> None:
        self.saved = make()
