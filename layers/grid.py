"""A regular raster grid in a projected CRS: shape, origin, cell size; rows and columns to x and y and back."""

from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from layers.errors import InputError


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up grid of square cells.

    ``rows``, ``cols``: shape of every array on it, row 0 at the north. ``x_min``, ``y_max``: the outer corner of
    cell (0, 0) [m]. ``cell_size`` [m]. ``crs``: authority code such as ``EPSG:5897``.
    """

    rows: int
    cols: int
    x_min: float
    y_max: float
    cell_size: float
    crs: str

    def __post_init__(self) -> None:
        if self.rows < 1 or self.cols < 1:
            raise InputError(f"grid shape ({self.rows}, {self.cols}) is empty, expected at least one cell")
        if not self.cell_size > 0.0:
            raise InputError(f"grid cell_size {self.cell_size} m is not positive")

    @classmethod
    def covering(cls, bounds: tuple[float, float, float, float], cell_size: float, crs: str) -> "Grid":
        """Return the smallest grid aligned to multiples of ``cell_size`` that covers ``bounds`` (x0, y0, x1, y1)."""
        x0, y0, x1, y1 = bounds
        if not (x1 > x0 and y1 > y0):
            raise InputError(f"bounds {bounds} are empty, expected x_min < x_max and y_min < y_max")
        left, bottom = np.floor(x0 / cell_size), np.floor(y0 / cell_size)
        right, top = np.ceil(x1 / cell_size), np.ceil(y1 / cell_size)
        return cls(
            int(top - bottom), int(right - left), float(left * cell_size), float(top * cell_size), cell_size, crs
        )

    @classmethod
    def within(cls, bounds: tuple[float, float, float, float], cell_size: float, crs: str) -> "Grid":
        """Return the largest grid aligned to multiples of ``cell_size`` whose cells lie wholly in ``bounds``."""
        x0, y0, x1, y1 = bounds
        # A corner that is a multiple but for rounding is on the line.
        left, bottom = np.ceil(x0 / cell_size - 1e-6), np.ceil(y0 / cell_size - 1e-6)
        right, top = np.floor(x1 / cell_size + 1e-6), np.floor(y1 / cell_size + 1e-6)
        if not (right > left and top > bottom):
            raise InputError(f"cells of {cell_size} m do not fit into bounds {bounds}")
        return cls(
            int(top - bottom), int(right - left), float(left * cell_size), float(top * cell_size), cell_size, crs
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.rows, self.cols

    @property
    def cell_area(self) -> float:
        """Area of one cell [m²]."""
        return self.cell_size * self.cell_size

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(x_min, y_min, x_max, y_max) [m]."""
        return (
            self.x_min,
            self.y_max - self.rows * self.cell_size,
            self.x_min + self.cols * self.cell_size,
            self.y_max,
        )

    @property
    def transform(self) -> Affine:
        """Affine from (col, row) of cell corners to (x, y), as rasterio wants it."""
        return Affine(self.cell_size, 0.0, self.x_min, 0.0, -self.cell_size, self.y_max)

    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x of the columns (cols,) and y of the rows (rows,) at cell centres [m]."""
        x = self.x_min + (np.arange(self.cols, dtype=np.float64) + 0.5) * self.cell_size
        y = self.y_max - (np.arange(self.rows, dtype=np.float64) + 0.5) * self.cell_size
        return x, y

    def cells(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Return row, column and inside-mask of points; rows and columns of outside points are clipped."""
        col = np.floor((np.asarray(x) - self.x_min) / self.cell_size).astype(np.int64)
        row = np.floor((self.y_max - np.asarray(y)) / self.cell_size).astype(np.int64)
        inside = (row >= 0) & (row < self.rows) & (col >= 0) & (col < self.cols)
        return np.clip(row, 0, self.rows - 1), np.clip(col, 0, self.cols - 1), inside
