"""What the water touches: buildings, roads, lights, cabinets, pumps and places, with their depth, time and hazard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from hydrology.hazard import ROAD_CLASSES, WET_DEPTH, classify_hazard
from layers.grid import Grid
from twin.process import CityView

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

CLASS_BOUNDS = ((WET_DEPTH, "wet"), (0.1, "low"), (0.3, "medium"), (0.5, "high"), (1.0, "extreme"))
ROAD_CLOSED = ROAD_CLASSES[-1].lower
_COLUMNS = (
    "asset_layer", "asset_id", "asset_name", "category", "depth_max", "depth_mean", "arrival_s", "duration_s", "hazard",
    "length", "closed_length", "width", "area", "people",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Water:
    """The flood that touches things: depth_max [m], arrival [s], bed [m] (rows, cols) on ``grid``; NaN = not land.

    Where a run knows them: velocity_max [m/s], hazard_max, the largest product of depth and velocity [m2/s], and the
    time [s] with at least so many metres of water, by metres.
    """

    grid: Grid
    depth_max: NDArray[np.float32]
    arrival: NDArray[np.float32]
    bed: Floats
    velocity_max: NDArray[np.float32] | None = None
    hazard_max: NDArray[np.float32] | None = None
    durations: Mapping[float, NDArray[np.float32]] = field(default_factory=lambda: MappingProxyType({}))


class Samples(NamedTuple):
    """Points at which things are held to the water: their cell, whether it is on the grid, the thing of each."""

    row: Places
    col: Places
    inside: NDArray[np.bool_]
    owner: Places
    things: int


def find_hazard(water: Water) -> NDArray[np.uint8] | None:
    """Return the hazard class of each cell (rows, cols), 0 where it is dry; None without a velocity."""
    if water.velocity_max is None:
        return None
    return classify_hazard(water.depth_max, water.velocity_max, water.hazard_max)


def classify_depth(depth: Floats) -> NDArray[np.object_]:
    """Return the class code of each depth [m]; the shallowest class holds for all that is below it too."""
    bounds = np.array([bound for bound, _ in CLASS_BOUNDS], dtype=np.float32)
    codes = np.array([code for _, code in CLASS_BOUNDS], dtype=object)
    return np.asarray(codes[np.maximum(np.searchsorted(bounds, depth.astype(np.float32), side="right") - 1, 0)])


def touch_buildings(view: CityView, water: Water) -> pd.DataFrame:
    """Return the buildings with water at their walls or inside; above the ground floor where its height is known."""
    frame = view.layer("buildings", columns=["name", "use", "floor_elevation", "residents"])
    # Points along the wall and one inside: a house narrower than a cell still meets the cells it stands in.
    walls, wall_of = _sample_lines(shapely.boundary(frame.geometry.to_numpy()), water.grid.cell_size / 2.0)
    inside = shapely.get_coordinates(shapely.point_on_surface(frame.geometry.to_numpy()))
    samples = _locate(
        water, np.concatenate([walls, inside]), np.concatenate([wall_of, np.arange(len(frame))]), len(frame)
    )
    values = {
        "asset_name": frame["name"],
        "category": frame["use"],
        "people": _read_numbers(frame, "residents"),
        "area": shapely.area(frame.geometry.to_numpy()),
    }
    return _select_touched("buildings", frame, water, samples, values, base=_read_numbers(frame, "floor_elevation"))


def touch_roads(view: CityView, water: Water) -> pd.DataFrame:
    """Return the roads under water: the wet length [m], its mean depth, and if closed to cars their whole length."""
    frame = view.layer("road_links", columns=["name", "road_class", "width", "is_bridge", "level"])
    on_ground = frame["is_bridge"].ne(True) & ~frame["level"].astype(float).gt(0)
    frame = frame[on_ground.to_numpy(dtype=bool)].reset_index(drop=True)
    points, owner = _sample_lines(frame.geometry.to_numpy(), water.grid.cell_size / 2.0)
    samples = _locate(water, points, owner, len(frame))
    local = _depth_at(water, samples)
    own = np.where(local.astype(np.float32) >= np.float32(WET_DEPTH), _measure_shares(points, owner), 0.0)
    wet = np.bincount(owner, own, minlength=len(frame))
    deepest = _largest(local, samples)
    # float32 depths must not miss a bound by their rounding.
    closed = deepest.astype(np.float32) >= np.float32(ROAD_CLOSED)
    values = {
        "asset_name": frame["name"],
        "category": frame["road_class"],
        "length": wet,
        "closed_length": np.where(closed, shapely.length(frame.geometry.to_numpy()), 0.0),
        "width": _read_numbers(frame, "width"),
        "depth_mean": np.bincount(owner, own * local, minlength=len(frame)) / np.maximum(wet, 1e-9),
    }
    return _select_touched("road_links", frame, water, samples, values)


def touch_points(
    view: CityView,
    water: Water,
    layer_id: str,
    *,
    elevation: str | None = None,
    name: str | None = None,
    category: str | None = None,
) -> pd.DataFrame:
    """Return the features of a point layer under water; above their base where ``elevation`` [m] is known."""
    frame = view.layer(layer_id, columns=[column for column in (elevation, name, category) if column])
    points = shapely.get_coordinates(frame.geometry.to_numpy())
    samples = _locate(water, points, np.arange(len(frame)), len(frame))
    given = {"asset_name": name, "category": category}
    values = {key: frame[column] for key, column in given.items() if column}
    base = _read_numbers(frame, elevation) if elevation else None
    return _select_touched(layer_id, frame, water, samples, values, base=base)


def touch_pumps(view: CityView, water: Water) -> pd.DataFrame:
    """Return the pumps whose surroundings are under water."""
    frame = view.layer("drainage_links", columns=["link_type"])
    frame = frame[(frame["link_type"] == "pump").to_numpy(dtype=bool)].reset_index(drop=True)
    points, owner = _sample_lines(frame.geometry.to_numpy(), water.grid.cell_size / 2.0)
    return _select_touched("drainage_links", frame, water, _locate(water, points, owner, len(frame)), {})


def _select_touched(
    layer_id: str,
    frame: gpd.GeoDataFrame,
    water: Water,
    samples: Samples,
    values: Mapping[str, Any],
    *,
    base: Floats | None = None,
) -> pd.DataFrame:
    """Return the things deep enough to count, with the columns all assets share; NaN where one does not apply."""
    local = _depth_at(water, samples)
    if base is not None:
        local = _raise_base(water, samples, local, base)
    depth = _largest(local, samples)
    wet = depth.astype(np.float32) >= np.float32(WET_DEPTH)
    own = frame[wet]
    found = {
        "asset_layer": np.full(len(own), layer_id, dtype=object),
        "asset_id": own["id"].astype(str).to_numpy(dtype=object),
        "depth_max": depth[wet],
        "arrival_s": _find_first(water, samples, local)[wet],
        "duration_s": _find_duration(water, samples)[wet],
        "hazard": _find_hazard_of(water, samples)[wet],
        **{key: np.asarray(value)[wet] for key, value in values.items()},
    }
    nothing = {
        key: np.full(len(own), None, dtype=object) if key in ("asset_name", "category") else np.full(len(own), np.nan)
        for key in _COLUMNS
        if key not in found
    }
    columns = {**found, **nothing}
    return pd.DataFrame({**{key: columns[key] for key in _COLUMNS}, "geometry": _pick_points(own.geometry.to_numpy())})


def _pick_points(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return one point of each shape: the middle of a line, a point inside anything else."""
    points = np.asarray(shapely.point_on_surface(shapes), dtype=object)
    lines = shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING
    points[lines] = shapely.line_interpolate_point(shapes[lines], 0.5, normalized=True)
    return points


def _read_numbers(frame: gpd.GeoDataFrame, column: str) -> Floats:
    return np.asarray(frame[column].astype(float), dtype=np.float64)


def _sample_lines(lines: Sequence[Any] | NDArray[np.object_], spacing: float) -> tuple[Floats, Places]:
    """Return points at most ``spacing`` [m] apart along lines, evenly within each segment, and the line of each."""
    dense = shapely.segmentize(np.asarray(lines, dtype=object), spacing)
    points, owner = shapely.get_coordinates(dense, return_index=True)
    return points, np.asarray(owner, dtype=np.int64)


def _measure_shares(points: Floats, owner: Places) -> Floats:
    """Return the length [m] of line each sample stands for: half of the pieces before and after it."""
    step = np.diff(points, axis=0)
    piece: Floats = np.hypot(step[:, 0], step[:, 1]) * (np.diff(owner) == 0) / 2.0
    return np.asarray(np.append(piece, 0.0) + np.append(0.0, piece), dtype=np.float64)


def _locate(water: Water, points: Floats, owner: Places, count: int) -> Samples:
    row, col, inside = water.grid.cells(points[:, 0], points[:, 1])
    return Samples(row, col, inside, owner, count)


def _read_at(raster: NDArray[Any], samples: Samples) -> Floats:
    """Return the values of a raster at samples, 0 outside the grid and where it has none."""
    return np.where(samples.inside, np.nan_to_num(raster[samples.row, samples.col]), 0.0).astype(np.float64)


def _depth_at(water: Water, samples: Samples) -> Floats:
    """Return the depth [m] at samples, 0 outside the grid and where it is water on any day."""
    return _read_at(water.depth_max, samples)


def _raise_base(water: Water, samples: Samples, depth: Floats, base: Floats) -> Floats:
    """Return the depth [m] at samples above the ``base`` [m] of their thing, above ground where that is not known."""
    above = water.bed[samples.row, samples.col] + depth - base[samples.owner]
    known = np.isfinite(above) & (depth > 0.0)
    return np.where(known, np.maximum(above, 0.0), np.where(np.isfinite(base[samples.owner]), 0.0, depth))


def _largest(values: Floats, samples: Samples) -> Floats:
    """Return the largest value over the samples of each thing, 0 where it has none."""
    found = np.zeros(samples.things)
    np.maximum.at(found, samples.owner, values)
    return found


def _find_first(water: Water, samples: Samples, depth: Floats) -> Floats:
    """Return the first arrival [s] over the samples of each thing that get wet, NaN where none does."""
    first = np.full(samples.things, np.inf)
    arrived = np.where(depth > 0.0, np.nan_to_num(water.arrival[samples.row, samples.col], nan=np.inf), np.inf)
    np.minimum.at(first, samples.owner, arrived)
    return np.where(np.isfinite(first), first, np.nan)


def _find_duration(water: Water, samples: Samples) -> Floats:
    """Return the longest time [s] with ROAD_CLOSED metres of water over the samples of each thing, NaN if not known."""
    duration = water.durations.get(ROAD_CLOSED)
    return np.full(samples.things, np.nan) if duration is None else _largest(_read_at(duration, samples), samples)


def _find_hazard_of(water: Water, samples: Samples) -> Floats:
    """Return the worst hazard class over the samples of each thing, NaN if not known."""
    if water.velocity_max is None:
        return np.full(samples.things, np.nan)
    cells = samples.row, samples.col
    product = None if water.hazard_max is None else water.hazard_max[cells]
    codes = classify_hazard(water.depth_max[cells], water.velocity_max[cells], product)
    return _largest(np.where(samples.inside, codes, 0).astype(np.float64), samples)
