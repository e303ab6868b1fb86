"""The generated city: streets that are dense in the middle, houses and lamps along them, trees beside and in parks.

A lattice of street crossings is drawn wider towards the edge, 70 m apart in the middle and 300 m at the rim, on some
29 × 29 km around Can Tho. Every attribute of every feature is filled. The same every time.
"""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from layers.registry import VECTOR_LAYERS
from layers.schema import Property

CRS = "EPSG:5897"
CENTRE = (581_000.0, 1_109_000.0)
COUNTS = {"trees": 200_000, "luminaires": 60_000, "buildings": 120_000, "road_links": 80_000}
_ROWS, _COLUMNS = 200, 201
_SEED = 7
_NAMES = ("Nguyễn Trãi", "Trần Hưng Đạo", "Ba Mươi Tháng Tư", "Cách Mạng Tháng Tám", "Hai Bà Trưng", "Lý Tự Trọng",
          "Mậu Thân", "Nguyễn Văn Cừ", "Phan Đình Phùng", "Võ Văn Kiệt", "Hùng Vương", "Xô Viết Nghệ Tĩnh")  # fmt: skip
_SPECIES = ("Dầu rái", "Sao đen", "Bàng", "Phượng vĩ", "Bằng lăng", "Lim xẹt", "Viết", "Me chua")
_EVERY = ((40, "primary"), (20, "secondary"), (10, "tertiary"))
_USUAL = {"number": (1.0, 30.0), "integer": (1.0, 6.0)}

Points = NDArray[np.float64]


def generate_frames() -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of the city by id."""
    rng = np.random.default_rng(_SEED)
    nodes = place_crossings(rng)
    starts, ends, lines = _join_crossings()
    count = COUNTS["road_links"]
    starts, ends, lines = starts[:count], ends[:count], lines[:count]
    names = np.array([f"Đường {_NAMES[line % len(_NAMES)]} {line // len(_NAMES) + 1}" for line in lines])
    kinds = np.array([_classify(line) for line in lines])
    road = nodes[starts], nodes[ends]

    shapes = _draw_streets(rng, *road)
    frames = {
        "road_links": _fill(
            rng, "road_links", "r", shapes, name=names, road_class=kinds, is_bridge=rng.random(count) < 0.01,
            is_tunnel=np.zeros(count, bool), length=shapely.length(shapes).round(1),
            from_node=[f"n{start}" for start in starts], to_node=[f"n{end}" for end in ends],
        )
    }  # fmt: skip
    along = rng.integers(0, count, COUNTS["buildings"])
    houses = _draw_houses(rng, road[0][along], road[1][along])
    numbers = rng.integers(1, 400, len(along))
    address = [f"{number} {name}" for number, name in zip(numbers, names[along], strict=True)]
    frames["buildings"] = _fill(
        rng, "buildings", "b", houses, name=[f"Nhà {text}" for text in address], address=address,
        year_built=rng.integers(1960, 2026, len(along)), ward_code=[f"{31117 + line % 40}" for line in lines[along]],
    )  # fmt: skip
    beside = rng.integers(0, count, COUNTS["trees"] * 7 // 10)
    in_parks = _scatter_parks(rng, nodes, COUNTS["trees"] - len(beside))
    trees = np.concatenate([_place_beside(rng, road[0][beside], road[1][beside], 5.0), in_parks])
    frames["trees"] = _fill(rng, "trees", "t", shapely.points(trees), species=rng.choice(_SPECIES, len(trees)))
    lit = rng.integers(0, count, COUNTS["luminaires"])
    lamps = _place_beside(rng, road[0][lit], road[1][lit], 4.0)
    frames["luminaires"] = _fill(
        rng, "luminaires", "l", shapely.points(lamps), power=rng.choice([40.0, 80.0, 120.0, 150.0], len(lamps))
    )
    return frames


def place_crossings(rng: np.random.Generator) -> Points:
    """Return the crossings (rows × columns, 2) [m], shaken by a few metres."""
    across, down = np.linspace(-1.0, 1.0, _COLUMNS), np.linspace(-1.0, 1.0, _ROWS)
    x, y = np.meshgrid(7000.0 * across + 7700.0 * across**3, 7000.0 * down + 7700.0 * down**3)
    # Streets follow the bends of the river.
    x, y = x + 500.0 * np.sin(y / 2600.0), y + 700.0 * np.sin(x / 3400.0)
    places = np.stack([x.ravel(), y.ravel()], axis=-1) + CENTRE
    return np.asarray(places + rng.normal(0.0, 6.0, places.shape))


def _join_crossings() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return first and second crossing of every link, and the street it is part of."""
    numbers = np.arange(_ROWS * _COLUMNS).reshape(_ROWS, _COLUMNS)
    rows, columns = np.arange(_ROWS), np.arange(_COLUMNS)
    east = numbers[:, :-1].ravel(), numbers[:, 1:].ravel(), np.repeat(rows, _COLUMNS - 1)
    south = numbers[:-1].ravel(), numbers[1:].ravel(), np.tile(columns, _ROWS - 1)
    diagonal = numbers[:1, 0], numbers[1:2, 1], rows[:1]
    starts, ends, lines = (np.concatenate(parts) for parts in zip(east, south, diagonal, strict=True))
    return starts, ends, lines


def _classify(line: int) -> str:
    return next((kind for every, kind in _EVERY if line % every == 0), "residential")


def _draw_streets(rng: np.random.Generator, first: Points, second: Points) -> Any:
    steps = np.linspace(0.0, 1.0, 5)[None, :, None]
    bend = rng.normal(0.0, 1.5, (len(first), 5, 2))
    bend[:, (0, -1)] = 0.0
    return shapely.linestrings(first[:, None] * (1.0 - steps) + second[:, None] * steps + bend)


def _place_beside(rng: np.random.Generator, first: Points, second: Points, away: float) -> Points:
    """Return a place along each link, ``away`` [m] to one of its sides."""
    direction, normal = _orient(first, second)
    side = rng.choice([-1.0, 1.0], (len(first), 1)) * away
    return np.asarray(first + direction * rng.uniform(0.05, 0.95, (len(first), 1)) + normal * side)


def _draw_houses(rng: np.random.Generator, first: Points, second: Points) -> Any:
    """Return narrow deep houses whose front is along the street."""
    middle = _place_beside(rng, first, second, 18.0)
    direction, normal = _orient(first, second)
    direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    wide, deep = rng.uniform(2.0, 6.0, (len(first), 1)), rng.uniform(5.0, 11.0, (len(first), 1))
    corners = [
        middle + direction * wide * a + normal * deep * b for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    ]
    rings: Any = shapely.polygons(np.stack(corners, axis=1))
    return shapely.multipolygons(rings, indices=np.arange(len(first)))


def _orient(first: Points, second: Points) -> tuple[Points, Points]:
    """Return the way from first to second [m], and the unit normal."""
    way = second - first
    return way, np.stack([-way[:, 1], way[:, 0]], axis=-1) / np.linalg.norm(way, axis=1, keepdims=True)


def _scatter_parks(rng: np.random.Generator, nodes: Points, count: int) -> Points:
    parks = nodes[rng.integers(0, len(nodes), 400)]
    return np.asarray(parks[rng.integers(0, len(parks), count)] + rng.normal(0.0, 60.0, (count, 2)))


def _fill(rng: np.random.Generator, layer_id: str, prefix: str, shapes: Any, **given: Any) -> gpd.GeoDataFrame:
    """Return a frame with every attribute the layer has, made up where it is not ``given``."""
    count = len(shapes)
    columns: Mapping[str, Any] = {
        prop.name: given[prop.name] if prop.name in given else _invent(rng, prop, count)
        for prop in VECTOR_LAYERS[layer_id].properties
    }
    geometry = gpd.GeoSeries(shapes, crs=CRS)
    return gpd.GeoDataFrame({"id": [f"{prefix}{number}" for number in range(count)], **columns}, geometry=geometry)


def _invent(rng: np.random.Generator, prop: Property, count: int) -> Any:
    if prop.codes:
        return rng.choice([code.value for code in prop.codes], count)
    if prop.type == "boolean":
        return rng.random(count) < 0.5
    if prop.type in _USUAL:
        low, high = _USUAL[prop.type]
        values = rng.uniform(low, min(high, prop.measure.maximum) if prop.measure else high, count)
        return values.round(1) if prop.type == "number" else values.astype(int)
    if prop.type in ("date", "datetime"):
        return pd.Timestamp("2005-01-01") + pd.to_timedelta(rng.integers(0, 7000, count), unit="D")
    return np.array([f"{prop.title.vi} {number}" for number in rng.integers(0, 2000, count)])
