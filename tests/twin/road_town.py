"""Small towns in memory for tests of routing: five streets with everything, and a grid."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import geopandas as gpd
import shapely

from layers.datum import CRS84, make_transformer
from tests.twin.conftest import CRS, X0, Y0, MemoryCity, frame
from twin.process import CityView, Outputs, Process, Quiet, parse_inputs
from twin.roads.city_roads import CityRoads
from twin.store_traffic import RoadSeries

TO_DEGREES = make_transformer(CRS, CRS84)


class Town(MemoryCity):
    """A city in memory whose roads are built once."""

    built: CityRoads | None = None
    counters: Sequence[RoadSeries] = ()

    def roads(self) -> CityRoads:
        self.built = self.built or super().roads()
        return self.built

    def road_series(self, at: datetime) -> Sequence[RoadSeries]:
        return self.counters


def place(x: float, y: float) -> list[float]:
    """Return a place [m from the corner of the town] as longitude and latitude."""
    return list(TO_DEGREES.transform(X0 + x, Y0 + y))


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(X0 + x, Y0 + y) for x, y in points])


ROADS: dict[str, tuple[shapely.LineString, dict[str, Any]]] = {
    # A main street from west to east, a side street over the north with a low gate, a one-way street over the south.
    "main-1": (line((0, 0), (400, 0)), {"name": "Đường Chính", "road_class": "primary"}),
    "main-2": (line((400, 0), (800, 0)), {"name": "Đường Chính", "road_class": "primary"}),
    "north": (line((400, 0), (400, 200), (800, 200), (800, 0)), {"name": "Đường Bắc", "max_height": 2.5}),
    "south": (line((400, 0), (400, -200), (800, -200), (800, 0)), {"name": "Đường Nam", "oneway": "forward"}),
    "east": (line((800, 0), (1200, 0)), {"name": "Đường Đông"}),
    # A street that one can only drive out of, and one that stands alone.
    "out": (line((1200, 0), (1200, 300)), {"name": "Ngõ cụt", "oneway": "backward"}),
    "alone": (line((0, 900), (300, 900)), {"name": "Đường Lẻ"}),
}  # fmt: skip
NAMES = ("name", "road_class", "oneway", "max_height", "max_weight", "max_width", "lanes", "max_speed", "width")


def make_town(works: gpd.GeoDataFrame | None = None) -> Town:
    columns = {name: [each.get(name) for _, each in ROADS.values()] for name in NAMES}
    columns["road_class"] = [word or "residential" for word in columns["road_class"]]
    layers = {"road_links": frame(list(ROADS), [shape for shape, _ in ROADS.values()], **columns)}
    return Town({}, layers | ({} if works is None else {"road_works": works}))


def make_grid(size: int = 10, block: float = 100.0) -> Town:
    """Return a grid of streets with a name each."""
    ends = (size - 1) * block
    rows = [line(*((k * block, row * block) for k in range(size))) for row in range(size)]
    columns = [line(*((column * block, k * block) for k in range(size))) for column in range(size)]
    names = [f"Ngang {k}" for k in range(size)] + [f"Dọc {k}" for k in range(size)]
    classes = ["primary" if k in (0, 4, 9, 10, 15) else "residential" for k in range(2 * size)]
    assert rows[0].length == ends
    layers = {"road_links": frame([f"S{k}" for k in range(2 * size)], rows + columns, name=names, road_class=classes)}
    return Town({}, layers)


def ask(city: MemoryCity, process: Process, **values: Any) -> Outputs:
    return process.compute(cast(CityView, city), parse_inputs(process, values), Quiet())


def close(name: str, **values: Any) -> gpd.GeoDataFrame:
    """Return a closure of a road of the town, in force."""
    given = {
        "event_type": "closure", "event_status": "active", "vehicle_impact": "all_lanes_closed", "road_link_id": name,
        "name": "Sửa cống", "planned_start": datetime(2026, 1, 1, tzinfo=UTC),
        "planned_end": datetime(2027, 1, 1, tzinfo=UTC), "actual_start": None, "actual_end": None,
    }  # fmt: skip
    return frame(["W1"], [ROADS[name][0]], **{key: [value] for key, value in (given | values).items()})
