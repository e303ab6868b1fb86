"""Rain on the grid: a series of intensities, or a field of them from radar or gauges."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import check_series
from layers.errors import InputError
from layers.grid import Grid
from layers.quantities import QUANTITIES

MM_PER_HOUR = 1.0 / 3.6e6
"""1 mm/h in m/s."""


@dataclass(frozen=True, slots=True, eq=False)
class RainSeries:
    """Rain on every cell.

    times [s] and intensity [mm/h] (n,): each value holds until the next time, the last one for good, and nothing
    falls before the first. coefficient: share of the rain that runs off, (rows, cols) [1], 1 where not given.
    """

    times: NDArray[np.float64]
    intensity: NDArray[np.float64]
    coefficient: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        times, intensity = check_series("rain", self.times, self.intensity)
        most = QUANTITIES["rainfall_intensity"].maximum
        bad = (intensity < 0.0) | (intensity > most)
        if bad.any():
            first = int(np.argmax(bad))
            raise InputError(f"rain intensity {first} is {intensity[first]:g} mm/h, expected 0 to {most:g} mm/h")
        wet = intensity[intensity > 0.0]
        if wet.size and wet.max() < 0.01:
            raise InputError(
                f"rain intensity never exceeds {wet.max():g} mm/h, which no gauge can read",
                hint="give the intensity in mm/h, not in m/h or m/s",
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "intensity", intensity)

    def intensity_at(self, time: float) -> float:
        """Return the intensity [mm/h] from ``time`` [s] on."""
        index = int(np.searchsorted(self.times, time, side="right")) - 1
        return float(self.intensity[index]) if index >= 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class RainGrid:
    """Rain that differs from place to place: a radar or gauge grid coarser than the city's.

    times [s] (n,) and intensity [mm/h] (n, grid cells): each field holds until the next time, the last one for good,
    and nothing falls before the first. cell: which grid cell rains on each cell, (rows, cols). coefficient: as in
    RainSeries.
    """

    times: NDArray[np.float64]
    intensity: NDArray[np.float64]
    cell: NDArray[np.int32]
    coefficient: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        intensity, cell = np.asarray(self.intensity, dtype=np.float64), np.asarray(self.cell)
        if intensity.ndim != 2 or intensity.shape[1] == 0:
            raise InputError(f"rain grid: intensity has shape {intensity.shape}, expected (times, grid cells)")
        times, _ = check_series("rain grid", self.times, np.zeros(len(intensity)))
        _check_field(intensity)
        if cell.ndim != 2 or cell.dtype.kind not in "iu":
            raise InputError(
                f"rain grid: cell is {cell.dtype} of shape {cell.shape}, expected whole numbers (rows, cols)"
            )
        bad = (cell < 0) | (cell >= intensity.shape[1])
        if bad.any():
            row, col = (int(k) for k in np.argwhere(bad)[0])
            raise InputError(
                f"rain grid: cell ({row}, {col}) takes its rain from grid cell {cell[row, col]}, expected 0 to "
                f"{intensity.shape[1] - 1}"
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "intensity", intensity)
        object.__setattr__(self, "cell", cell.astype(np.int32))

    @classmethod
    def sample(
        cls,
        times: NDArray[np.floating],
        intensity: NDArray[np.floating],
        source: Grid,
        grid: Grid,
        *,
        coefficient: NDArray[np.float64] | None = None,
    ) -> "RainGrid":
        """Return the rain on ``grid`` of fields (times, rows, cols) [mm/h] on ``source``, by the centre of each cell.

        Raise InputError where the two differ in CRS, the fields have another shape, or ``source`` leaves a cell out.
        """
        fields = np.asarray(intensity, dtype=np.float64)
        if source.crs != grid.crs:
            raise InputError(f"rain grid has CRS {source.crs}, expected the city grid's {grid.crs}")
        if fields.ndim != 3 or fields.shape[1:] != source.shape:
            raise InputError(f"rain grid: intensity has shape {fields.shape}, expected (times, *{source.shape})")
        x, y = grid.centres()
        _, col, across = source.cells(x, np.full_like(x, source.y_max - 0.5 * source.cell_size))
        row, _, down = source.cells(np.full_like(y, source.x_min + 0.5 * source.cell_size), y)
        if not (across.all() and down.all()):
            raise InputError(f"rain grid covers {source.bounds}, expected all cell centres of {grid.bounds}")
        cell = (row[:, None] * source.cols + col[None, :]).astype(np.int32)
        return cls(np.asarray(times, dtype=np.float64), fields.reshape(len(fields), -1), cell, coefficient)

    def intensity_at(self, time: float) -> NDArray[np.float64]:
        """Return the intensity [mm/h] of each grid cell from ``time`` [s] on."""
        index = int(np.searchsorted(self.times, time, side="right")) - 1
        return self.intensity[index].copy() if index >= 0 else np.zeros(self.intensity.shape[1])


def _check_field(intensity: NDArray[np.float64]) -> None:
    """Raise InputError where a field (times, grid cells) [mm/h] is missing, negative, or in another unit."""
    most = QUANTITIES["rainfall_intensity"].maximum
    bad = ~((intensity >= 0.0) & (intensity <= most))
    if bad.any():
        when, where = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            f"rain grid: intensity at time {when} in grid cell {where} is {intensity[when, where]:g} mm/h, expected "
            f"0 to {most:g} mm/h",
            hint="fill gaps of the radar before, and give intensities, not depths, in mm/h",
        )
    wet = intensity[intensity > 0.0]
    if wet.size and wet.max() < 0.01:
        raise InputError(
            f"rain grid intensity never exceeds {wet.max():g} mm/h, which no gauge can read",
            hint="give the intensity in mm/h, not in m/h or m/s",
        )


def spread_gauges(
    positions: NDArray[np.floating],
    times: NDArray[np.floating],
    intensity: NDArray[np.floating],
    grid: Grid,
    *,
    spacing: float,
    power: float = 2.0,
    coefficient: NDArray[np.float64] | None = None,
) -> RainGrid:
    """Return the rain between point gauges, by inverse distance (Shepard 1968, doi:10.1145/800186.810616).

    positions: x, y of the gauges in the grid's CRS [m] (gauges, 2). times [s] (n,). intensity [mm/h] (n, gauges).
    spacing: cell size of the rain grid [m]; nearer than half of it a gauge rules alone. power of the distance [1]: at 0
    every gauge counts alike. Raise InputError for shapes that do not fit and values that cannot be.
    """
    place, values = np.asarray(positions, dtype=np.float64), np.asarray(intensity, dtype=np.float64)
    if place.ndim != 2 or place.shape[1] != 2 or not len(place) or not np.isfinite(place).all():
        raise InputError(f"rain gauges: positions of shape {place.shape}, expected numbers (gauges, 2)")
    if values.ndim != 2 or values.shape[1] != len(place):
        raise InputError(f"rain gauges: intensity has shape {values.shape}, expected (times, {len(place)})")
    if not (0.0 <= power <= 10.0):
        raise InputError(f"rain gauges: power is {power}, expected 0 to 10")
    if not spacing > 0.0:
        raise InputError(f"rain gauges: spacing is {spacing} m, expected above 0")
    _check_field(values)
    coarse = Grid.covering(grid.bounds, spacing, grid.crs)
    x, y = np.meshgrid(*coarse.centres())
    distance = np.hypot(x.ravel()[:, None] - place[:, 0], y.ravel()[:, None] - place[:, 1])
    weight = (np.maximum(distance, 1.0e-9) / spacing) ** -power
    near = distance.min(axis=1) <= 0.5 * spacing
    alone = distance[near] == distance[near].min(axis=1, keepdims=True)
    weight[near] = alone.astype(np.float64)
    weight /= weight.sum(axis=1, keepdims=True)
    fields = (values @ weight.T).reshape(len(values), *coarse.shape)
    return RainGrid.sample(np.asarray(times, dtype=np.float64), fields, coarse, grid, coefficient=coefficient)
