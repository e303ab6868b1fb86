"""Geometry in bulk and the table that every part of the demo hands to the writer."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.demo.plan import BOUNDS, GRID, Floats, Shapes


@dataclass(slots=True)
class Table:
    """One layer of the demo: geometry and columns by property name, all of one length; ``id`` is required."""

    geometry: Shapes
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.geometry)


def as_shapes(items: list[Any]) -> Shapes:
    """Return geometries as an object array."""
    shapes = np.empty(len(items), dtype=object)
    shapes[:] = items
    return shapes


def as_text(items: list[Any]) -> NDArray[np.object_]:
    """Return strings (or None) as an object array."""
    words = np.empty(len(items), dtype=object)
    words[:] = items
    return words


def number_ids(prefix: str, count: int) -> NDArray[np.object_]:
    """Return ids ``prefix-00001`` …"""
    return as_text([f"{prefix}-{n:05d}" for n in range(1, count + 1)])


def make_polygons(x: Floats, y: Floats) -> Shapes:
    """Return one polygon a row of corner coordinates (n, corners) [m], rings closed here."""
    corners = np.stack([np.column_stack([x, x[:, :1]]), np.column_stack([y, y[:, :1]])], axis=-1)
    return np.asarray(shapely.polygons(corners.round(3)), dtype=object)


def make_points(x: Floats, y: Floats) -> Shapes:
    """Return points of coordinates [m]."""
    return np.asarray(shapely.points(np.round(x, 3), np.round(y, 3)), dtype=object)


def is_inside(x: Floats, y: Floats, margin: float = 1.0) -> NDArray[np.bool_]:
    """Return which points lie inside the extent by at least ``margin`` [m]."""
    x0, y0, x1, y1 = BOUNDS
    return (x > x0 + margin) & (x < x1 - margin) & (y > y0 + margin) & (y < y1 - margin)


def shift_inside(xy: Floats, shift: tuple[float, float]) -> Floats:
    """Return coordinates (n, 2) moved by ``shift`` [m], those that would leave the extent kept on its border."""
    return np.asarray(np.clip(xy + np.array(shift), BOUNDS[:2], BOUNDS[2:]).round(3), np.float64)


def shift_line(line: shapely.LineString, shift: tuple[float, float]) -> shapely.LineString:
    """Return a line moved by ``shift`` [m], within the extent."""
    return shapely.LineString(shift_inside(shapely.get_coordinates(line), shift))


def sample(raster: NDArray[Any], x: Floats, y: Floats) -> Floats:
    """Return raster values at points; points outside take the nearest border cell."""
    row, col, _ = GRID.cells(x, y)
    return np.asarray(raster[row, col], dtype=np.float64)


def draw_conditions(rng: np.random.Generator, count: int) -> NDArray[np.object_]:
    """Return condition grades as they are found in a city: mostly good, a few failed."""
    return as_text(list(rng.choice(["good", "fair", "poor", "failed"], count, p=[0.55, 0.33, 0.11, 0.01])))


def draw_dates(rng: np.random.Generator, count: int, *, since: int, until: int = 2026) -> NDArray[np.datetime64]:
    """Return days between the first of January of two years."""
    first, last = np.datetime64(f"{since}-01-01"), np.datetime64(f"{until}-01-01")
    days = rng.integers(0, int((last - first).astype(int)), count)
    return np.asarray(first + days.astype("timedelta64[D]"))


def hash_uniform(*keys: Any) -> Floats:
    """Return numbers in (0, 1) that depend on the integer keys alone (SplitMix64, Steele et al. 2014).

    Keys broadcast; the same keys give the same number whatever else is drawn.
    """
    arrays = np.broadcast_arrays(*[np.asarray(key, np.int64) for key in keys])
    state = np.zeros(arrays[0].shape, np.uint64)
    with np.errstate(over="ignore"):
        for array in arrays:
            state = (state ^ array.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state ^= state >> np.uint64(31)
    return np.asarray(((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53, np.float64)
