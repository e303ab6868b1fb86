"""What crosses the edge of the water's world: prescribed stages, inflows and free outflow. All else is closed."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError

EDGES = ("north", "south", "east", "west")


def check_series(
    name: str, times: NDArray[np.floating], values: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times [s] and values as float64; raise InputError where they are no time series."""
    t, v = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if t.ndim != 1 or t.shape != v.shape or t.size == 0:
        raise InputError(f"{name}: times {t.shape} and values {v.shape} differ or are empty, expected two (n,) arrays")
    for label, array in (("time", t), ("value", v)):
        if not np.isfinite(array).all():
            first = int(np.argmin(np.isfinite(array)))
            raise InputError(f"{name}: {label} {first} is {array[first]}, expected a number")
    if (np.diff(t) <= 0.0).any():
        first = int(np.argmax(np.diff(t) <= 0.0))
        raise InputError(f"{name}: time {first + 1} ({t[first + 1]:g} s) does not come after {t[first]:g} s")
    return t, v


def _check_cells(name: str, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    mask = np.asarray(cells)
    if mask.dtype != np.bool_ or mask.ndim != 2:
        raise InputError(f"{name}: cells are {mask.dtype} of shape {mask.shape}, expected a bool mask (rows, cols)")
    if not mask.any():
        raise InputError(f"{name}: no cell is set in its mask, expected at least one")
    return mask


@dataclass(frozen=True, slots=True, eq=False)
class StageBoundary:
    """Cells that hold a given stage: a river, the sea, a tidal canal.

    cells: mask (rows, cols). times [s] and stages [m] (n,), linear between, the first and last value held outside.
    Water flows out of these cells and back; they are dry where the stage is below their bed.
    """

    cells: NDArray[np.bool_]
    times: NDArray[np.float64]
    stages: NDArray[np.float64]
    name: str = "stage boundary"

    def __post_init__(self) -> None:
        times, stages = check_series(self.name, self.times, self.stages)
        if not (np.abs(stages) < 9000.0).all():
            worst = int(np.argmax(np.abs(stages)))
            raise InputError(f"{self.name}: stage {worst} is {stages[worst]:g} m, expected less than 9000 m")
        object.__setattr__(self, "cells", _check_cells(self.name, self.cells))
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "stages", stages)


@dataclass(frozen=True, slots=True, eq=False)
class DischargeBoundary:
    """Cells that receive a given inflow, shared equally.

    cells: mask (rows, cols). times [s] and discharge [m3/s] (n,), linear between, held outside; not negative.
    """

    cells: NDArray[np.bool_]
    times: NDArray[np.float64]
    discharge: NDArray[np.float64]
    name: str = "discharge boundary"

    def __post_init__(self) -> None:
        times, discharge = check_series(self.name, self.times, self.discharge)
        if (discharge < 0.0).any():
            first = int(np.argmax(discharge < 0.0))
            raise InputError(
                f"{self.name}: discharge {first} is {discharge[first]:g} m3/s, expected 0 or more",
                hint="take water out with a pump or a stage boundary",
            )
        object.__setattr__(self, "cells", _check_cells(self.name, self.cells))
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "discharge", discharge)


@dataclass(frozen=True, slots=True)
class FreeBoundary:
    """Edges of the grid through which water leaves as uniform flow down ``slope`` [1]."""

    edges: Collection[str] = EDGES
    slope: float = 1.0e-3

    def __post_init__(self) -> None:
        for edge in self.edges:
            if edge not in EDGES:
                raise InputError(f"free boundary edge '{edge}' is not known, expected one of {', '.join(EDGES)}")
        if not 0.0 < self.slope <= 1.0:
            raise InputError(f"free boundary slope is {self.slope}, expected above 0 and at most 1")


Boundary = StageBoundary | DischargeBoundary | FreeBoundary
