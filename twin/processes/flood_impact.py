"""What the water touches: buildings, roads, lights, cabinets, pumps, places and people, in all and by ward."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from hydrology.hazard import ROAD_CLASSES, WET_DEPTH
from layers.grid import Grid
from twin.process import CityView

Floats = NDArray[np.float64]

CLASS_BOUNDS = ((WET_DEPTH, "wet"), (0.1, "low"), (0.3, "medium"), (0.5, "high"), (1.0, "extreme"))
ROAD_CLOSED = ROAD_CLASSES[-1].lower
NO_WARD = "—"
_COLUMNS = ("asset_layer", "asset_id", "asset_name", "depth_max", "arrival_s", "length", "closed_length", "people")


@dataclass(frozen=True, slots=True, eq=False)
class Water:
    """The flood that touches things: depth_max [m], arrival [s], bed [m] (rows, cols) on ``grid``; NaN = not land."""

    grid: Grid
    depth_max: NDArray[np.float32]
    arrival: NDArray[np.float32]
    bed: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Impact:
    """Affected assets as features of layer flood_assets (without run_id), and the summary of the run."""

    assets: gpd.GeoDataFrame
    summary: dict[str, Any]


def assess_impact(view: CityView, water: Water, start: datetime) -> Impact:
    """Return what the water touched; ``start`` is the time arrival counts from.

    People are the residents of touched buildings; in a city whose buildings name none, the share of each population
    cell's land that is wet.
    """
    wards = view.layer("wards", columns=["name", "ward_code"])
    buildings = touch_buildings(view, water)
    found = pd.concat(
        [
            buildings,
            touch_roads(view, water),
            touch_points(view, water, "luminaires"),
            touch_points(view, water, "lighting_cabinets", elevation="base_elevation", name="name"),
            touch_pumps(view, water),
            touch_points(view, water, "places", name="name"),
        ],
        ignore_index=True,
    )
    people = touch_people(view, water) if not buildings["people"].gt(0).any() else None
    assets = gpd.GeoDataFrame(found, geometry="geometry", crs=view.crs)
    assets["ward_code"] = find_wards(wards, assets.geometry)
    assets["depth_class"] = classify_depth(assets["depth_max"].to_numpy(dtype=np.float64))
    return Impact(_to_features(assets, start), summarize(assets, people, wards, water))


def touch_buildings(view: CityView, water: Water) -> pd.DataFrame:
    """Return the buildings with water at their walls or inside; above the ground floor where its height is known."""
    frame = view.layer("buildings", columns=["name", "floor_elevation", "residents"])
    # Points along the wall and one inside: a house narrower than a cell still meets the cells it stands in.
    walls, wall_of = _sample_lines(shapely.boundary(frame.geometry.to_numpy()), water.grid.cell_size / 2.0)
    inside = shapely.get_coordinates(shapely.point_on_surface(frame.geometry.to_numpy()))
    points, owner = np.concatenate([walls, inside]), np.concatenate([wall_of, np.arange(len(frame))])
    depth, arrival = _highest(water, points, owner, len(frame), _read_numbers(frame, "floor_elevation"))
    return _select_touched("buildings", frame, depth, arrival, name="name", people="residents")


def touch_roads(view: CityView, water: Water) -> pd.DataFrame:
    """Return the roads under water with the length [m] that is wet and, if closed to cars, their whole length."""
    frame = view.layer("road_links", columns=["name", "is_bridge", "level"])
    on_ground = frame["is_bridge"].ne(True) & ~frame["level"].astype(float).gt(0)
    frame = frame[on_ground.to_numpy(dtype=bool)].reset_index(drop=True)
    spacing = water.grid.cell_size / 2.0
    points, owner = _sample_lines(frame.geometry.to_numpy(), spacing)
    depth, arrival = _highest(water, points, owner, len(frame), None)
    local = _depth_at(water, points).astype(np.float32)
    length = shapely.length(frame.geometry.to_numpy())
    own = np.where(local >= np.float32(WET_DEPTH), _measure_shares(points, owner), 0.0)
    wet = np.zeros(len(frame))
    np.add.at(wet, owner, own)
    # float32 depths must not miss a bound by their rounding.
    closed = np.where(depth.astype(np.float32) >= np.float32(ROAD_CLOSED), length, 0.0)
    return _select_touched("road_links", frame, depth, arrival, name="name", length=wet, closed_length=closed)


def touch_points(
    view: CityView, water: Water, layer_id: str, *, elevation: str | None = None, name: str | None = None
) -> pd.DataFrame:
    """Return the features of a point layer under water; above their base where ``elevation`` [m] is known."""
    columns = [column for column in (elevation, name) if column]
    frame = view.layer(layer_id, columns=columns)
    points = shapely.get_coordinates(frame.geometry.to_numpy())
    base = _read_numbers(frame, elevation) if elevation else None
    depth, arrival = _highest(water, points, np.arange(len(frame)), len(frame), base)
    return _select_touched(layer_id, frame, depth, arrival, name=name)


def touch_pumps(view: CityView, water: Water) -> pd.DataFrame:
    """Return the pumps whose surroundings are under water."""
    frame = view.layer("drainage_links", columns=["link_type"])
    frame = frame[(frame["link_type"] == "pump").to_numpy(dtype=bool)].reset_index(drop=True)
    points, owner = _sample_lines(frame.geometry.to_numpy(), water.grid.cell_size / 2.0)
    depth, arrival = _highest(water, points, owner, len(frame), None)
    return _select_touched("drainage_links", frame, depth, arrival)


def touch_people(view: CityView, water: Water) -> pd.DataFrame:
    """Return the people of the population cells by depth class: columns people, depth_max [m], geometry.

    A cell's people are spread evenly over its land; those on wet land are touched.
    """
    frame = view.layer("population", columns=["population"])
    shapes = frame.geometry.to_numpy()
    empty = pd.DataFrame({"people": [], "depth_max": [], "geometry": []})
    if frame.empty:
        return empty
    number = rasterize(
        zip(shapes, range(1, len(frame) + 1), strict=True),
        out_shape=water.grid.shape,
        transform=water.grid.transform,
        fill=0,
        dtype="int32",
    )
    land = np.isfinite(water.depth_max) & (number > 0)
    cells = np.bincount(number[land], minlength=len(frame) + 1)[1:]
    share = frame["population"].astype(float).fillna(0.0).to_numpy() / np.maximum(cells, 1)
    middle = shapely.centroid(shapes)
    rows = []
    bounds = [bound for bound, _ in CLASS_BOUNDS]
    for lower, upper in zip(bounds, [*bounds[1:], np.inf], strict=True):
        inside = land & (water.depth_max >= np.float32(lower)) & (water.depth_max < np.float32(upper))
        touched = np.bincount(number[inside], minlength=len(frame) + 1)[1:] * share
        deepest = np.zeros(len(frame) + 1)
        np.maximum.at(deepest, number[inside], water.depth_max[inside])
        some = touched > 0.0
        rows.append(pd.DataFrame({"people": touched[some], "depth_max": deepest[1:][some], "geometry": middle[some]}))
    return pd.concat(rows, ignore_index=True) if rows else empty


def classify_depth(depth: Floats) -> NDArray[np.object_]:
    """Return the class code of each depth [m]; the shallowest class holds for all that is below it too."""
    bounds = np.array([bound for bound, _ in CLASS_BOUNDS], dtype=np.float32)
    codes = np.array([code for _, code in CLASS_BOUNDS], dtype=object)
    return np.asarray(codes[np.maximum(np.searchsorted(bounds, depth.astype(np.float32), side="right") - 1, 0)])


def find_wards(wards: gpd.GeoDataFrame, points: gpd.GeoSeries) -> NDArray[np.object_]:
    """Return the code of the ward each point lies in, a dash where there is none."""
    codes = np.full(len(points), NO_WARD, dtype=object)
    if len(wards) and len(points):
        at, ward = wards.sindex.query(points.to_numpy(), predicate="intersects")
        codes[at] = wards["ward_code"].to_numpy()[ward]
    return codes


def summarize(
    assets: gpd.GeoDataFrame, people: pd.DataFrame | None, wards: gpd.GeoDataFrame, water: Water
) -> dict[str, Any]:
    """Return the counts of a run: by layer and depth class, by ward, and in all."""
    touched = assets.assign(people=assets["people"].fillna(0.0))
    grouped = touched.groupby(["asset_layer", "depth_class"], sort=False)
    affected = [
        {"asset_layer": layer, "depth_class": depth_class, **_count(group)} for (layer, depth_class), group in grouped
    ]
    total = float(touched["people"].sum())
    if people is not None:
        located = people.assign(depth_class=classify_depth(people["depth_max"].to_numpy(dtype=np.float64)))
        total = float(located["people"].sum())
        affected += [
            {"asset_layer": "population", "depth_class": depth_class, "count": len(group), "length": 0.0}
            | {"people": round(float(group["people"].sum()))}
            for depth_class, group in located.groupby("depth_class", sort=False)
        ]
    rank = {code: place for place, (_, code) in enumerate(CLASS_BOUNDS)}
    affected.sort(key=lambda row: (row["asset_layer"], rank[row["depth_class"]]))
    roads = touched[touched["asset_layer"] == "road_links"]
    wet = np.isfinite(water.depth_max) & (water.depth_max >= np.float32(WET_DEPTH))
    return {
        "affected": affected,
        "by_ward": _by_ward(touched, people, wards),
        "flooded_area": float(wet.sum()) * water.grid.cell_area,
        "people": round(total),
        "buildings": int((touched["asset_layer"] == "buildings").sum()),
        "road_length": round(float(roads["length"].sum()), 1),
        "closed_road_length": round(float(roads["closed_length"].sum()), 1),
        "depth_max": round(float(water.depth_max[wet].max()), 3) if wet.any() else 0.0,
    }


def _by_ward(touched: gpd.GeoDataFrame, people: pd.DataFrame | None, wards: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    names = dict(zip(wards["ward_code"], wards["name"], strict=True))
    by_people = dict(touched.groupby("ward_code")["people"].sum())
    if people is not None and len(people):
        codes = find_wards(wards, gpd.GeoSeries(people["geometry"], crs=wards.crs))
        by_people = dict(people["people"].groupby(codes).sum())
    rows = []
    for code in sorted({*touched["ward_code"], *by_people}):
        own = touched[touched["ward_code"] == code]
        counts = own["asset_layer"].value_counts()
        rows.append(
            {
                "ward_code": code,
                "ward_name": names.get(code, NO_WARD),
                "buildings": int(counts.get("buildings", 0)),
                "people": round(float(by_people.get(code, 0.0))),
                "road_length": round(float(own.loc[own["asset_layer"] == "road_links", "length"].sum()), 1),
                "lights": int(counts.get("luminaires", 0)),
                "cabinets": int(counts.get("lighting_cabinets", 0)),
                "pumps": int(counts.get("drainage_links", 0)),
                "depth_max": round(float(own["depth_max"].max()), 3) if len(own) else 0.0,
            }
        )
    return rows


def _count(group: pd.DataFrame) -> dict[str, Any]:
    return {
        "count": len(group),
        "length": round(float(group["length"].sum()), 1),
        "people": round(float(group["people"].sum())),
    }


def _to_features(assets: gpd.GeoDataFrame, start: datetime) -> gpd.GeoDataFrame:
    """Return the assets with the columns of layer flood_assets, one point each."""
    seconds = pd.to_timedelta(assets["arrival_s"].astype(float), unit="s").dt.round("s")
    return gpd.GeoDataFrame(
        {
            "id": assets["asset_layer"] + "." + assets["asset_id"],
            "asset_layer": assets["asset_layer"],
            "asset_id": assets["asset_id"],
            "asset_name": assets["asset_name"],
            "depth_class": assets["depth_class"],
            "depth_max": assets["depth_max"].astype(float).round(3),
            "arrival": pd.Timestamp(start) + seconds,
            "length": assets["length"].astype(float).round(1),
            "people": assets["people"].astype(float).round().astype("Int64"),
            "ward_code": assets["ward_code"].where(assets["ward_code"] != NO_WARD),
        },
        geometry=assets.geometry.to_numpy(),
        crs=assets.crs,
    )


def _select_touched(
    layer_id: str,
    frame: gpd.GeoDataFrame,
    depth: Floats,
    arrival: Floats,
    *,
    name: str | None = None,
    people: str | None = None,
    length: Floats | None = None,
    closed_length: Floats | None = None,
) -> pd.DataFrame:
    """Return the rows deep enough to count, with the columns all assets share."""
    wet = depth.astype(np.float32) >= np.float32(WET_DEPTH)
    own = frame[wet]
    nothing = np.full(len(own), np.nan)
    columns = {
        "asset_layer": np.full(len(own), layer_id, dtype=object),
        "asset_id": own["id"].astype(str).to_numpy(dtype=object),
        "asset_name": own[name].to_numpy() if name else np.full(len(own), None, dtype=object),
        "depth_max": depth[wet],
        "arrival_s": arrival[wet],
        "length": nothing if length is None else length[wet],
        "closed_length": nothing if closed_length is None else closed_length[wet],
        "people": own[people].astype(float).to_numpy() if people else nothing,
    }
    return pd.DataFrame({**{key: columns[key] for key in _COLUMNS}, "geometry": _pick_points(own.geometry.to_numpy())})


def _pick_points(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return one point of each shape: the middle of a line, a point inside anything else."""
    points = np.asarray(shapely.point_on_surface(shapes), dtype=object)
    lines = shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING
    points[lines] = shapely.line_interpolate_point(shapes[lines], 0.5, normalized=True)
    return points


def _read_numbers(frame: gpd.GeoDataFrame, column: str) -> Floats:
    return np.asarray(frame[column].astype(float), dtype=np.float64)


def _sample_lines(lines: Sequence[Any] | NDArray[np.object_], spacing: float) -> tuple[Floats, NDArray[np.int64]]:
    """Return points at most ``spacing`` [m] apart along lines, evenly within each segment, and the line of each."""
    dense = shapely.segmentize(np.asarray(lines, dtype=object), spacing)
    points, owner = shapely.get_coordinates(dense, return_index=True)
    return points, np.asarray(owner, dtype=np.int64)


def _measure_shares(points: Floats, owner: NDArray[np.int64]) -> Floats:
    """Return the length [m] of line each sample stands for: half of the pieces before and after it."""
    step = np.diff(points, axis=0)
    piece: Floats = np.hypot(step[:, 0], step[:, 1]) * (np.diff(owner) == 0) / 2.0
    return np.asarray(np.append(piece, 0.0) + np.append(0.0, piece), dtype=np.float64)


def _cells_at(water: Water, points: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    return water.grid.cells(points[:, 0], points[:, 1])


def _depth_at(water: Water, points: Floats) -> Floats:
    """Return the depth [m] at points, 0 outside the grid and where it is water on any day."""
    row, col, inside = _cells_at(water, points)
    return np.where(inside, np.nan_to_num(water.depth_max[row, col]), 0.0)


def _highest(
    water: Water, points: Floats, owner: NDArray[np.int64], count: int, base: Floats | None
) -> tuple[Floats, Floats]:
    """Return for each of ``count`` things the largest depth [m] and first arrival [s] over its points.

    Where ``base`` [m] is known the depth is the water level above it instead of above the ground.
    """
    row, col, _ = _cells_at(water, points)
    depth = _depth_at(water, points)
    if base is not None:
        above = water.bed[row, col] + depth - base[owner]
        known = np.isfinite(above) & (depth > 0.0)
        depth = np.where(known, np.maximum(above, 0.0), np.where(np.isfinite(base[owner]), 0.0, depth))
    deepest = np.zeros(count)
    np.maximum.at(deepest, owner, depth)
    first = np.full(count, np.inf)
    arrived = np.where(depth > 0.0, np.nan_to_num(water.arrival[row, col], nan=np.inf), np.inf)
    np.minimum.at(first, owner, arrived)
    return deepest, np.where(np.isfinite(first), first, np.nan)
