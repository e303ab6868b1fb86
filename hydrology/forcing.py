"""Boundaries and points as flat arrays the compiled loop can read, and the forcing over one stretch of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import Boundary, DischargeBoundary, FreeBoundary, StageBoundary
from layers.errors import InputError
from layers.grid import Grid

Index = NDArray[np.int64]


class Segment(NamedTuple):
    """Forcing between two times [s], linear: stages [m], [m/s]; inflow of each cell of a boundary [m3/s], [m3/s2].

    rain: on the whole domain [m3/s]; rain_most: the most a cell's stage rises by it [m/s]; film: whether thin water
    is moved. wind_x, wind_y: stress to the east and south [m2/s2].
    """

    start: float
    end: float
    stage: NDArray[np.float64]
    stage_rate: NDArray[np.float64]
    inflow: NDArray[np.float64]
    inflow_rate: NDArray[np.float64]
    rain: float
    rain_most: float
    film: bool
    wind_x: float
    wind_y: float


class Forcing(NamedTuple):
    """Where things act, in indices of the padded grid.

    rim: prescribed cells beside computed ones. link: the faces between the two; sign +1 where positive discharge
    enters the computed cell; axis 0 is x, 1 is y. inlet: cells that receive an inflow. free: faces open to the
    outside, sorted by the row of the face; entries free_start[i] to free_start[i + 1] belong to row i. point: cells
    that are given or lose water by rates set between two segments.
    """

    rim_row: Index
    rim_col: Index
    rim_boundary: Index
    link_axis: Index
    link_face_row: Index
    link_face_col: Index
    link_sign: NDArray[np.float64]
    inlet_row: Index
    inlet_col: Index
    inlet_boundary: Index
    free_start: Index
    free_axis: Index
    free_face: Index
    free_row: Index
    free_col: Index
    free_sign: NDArray[np.float64]
    free_slope_by_n: NDArray[np.float64]
    point_row: Index
    point_col: Index


@dataclass(frozen=True, slots=True, eq=False)
class Drivers:
    """The boundaries of a run, sorted by kind."""

    stages: tuple[StageBoundary, ...]
    inflows: tuple[DischargeBoundary, ...]
    free: tuple[FreeBoundary, ...]

    @classmethod
    def sort(cls, boundaries: Sequence[Boundary]) -> "Drivers":
        """Return the drivers of a run."""
        return cls(
            tuple(b for b in boundaries if isinstance(b, StageBoundary)),
            tuple(b for b in boundaries if isinstance(b, DischargeBoundary)),
            tuple(b for b in boundaries if isinstance(b, FreeBoundary)),
        )

    def times(self) -> NDArray[np.float64]:
        """Return every time [s] at which some boundary bends."""
        series = [b.times for b in self.stages] + [b.times for b in self.inflows]
        return np.unique(np.concatenate(series)) if series else np.empty(0)

    def stages_at(self, time: float) -> NDArray[np.float64]:
        """Return the stage of each stage boundary [m]."""
        return np.array([np.interp(time, b.times, b.stages) for b in self.stages], dtype=np.float64)

    def inflows_at(self, time: float) -> NDArray[np.float64]:
        """Return the inflow of each cell of each discharge boundary [m3/s]."""
        found = [np.interp(time, b.times, b.discharge) / np.count_nonzero(b.cells) for b in self.inflows]
        return np.array(found, dtype=np.float64)

    def segment(
        self, start: float, end: float, *, rain: float, rain_most: float, film: bool, wind: tuple[float, float]
    ) -> Segment:
        """Return the forcing between two times [s] without a bend between them."""
        span = end - start
        stage, inflow = self.stages_at(start), self.inflows_at(start)
        rates = (self.stages_at(end) - stage) / span, (self.inflows_at(end) - inflow) / span
        return Segment(start, end, stage, rates[0], inflow, rates[1], rain, rain_most, film, *wind)


def locate_prescribed(
    stages: Sequence[StageBoundary], inflows: Sequence[DischargeBoundary], there: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return which stage boundary prescribes each cell, -1 for none, (rows, cols).

    Raise InputError where a mask has another shape, covers cells without a bed, or meets another boundary.
    """
    owner = np.full(there.shape, -1, dtype=np.int64)
    everything: tuple[StageBoundary | DischargeBoundary, ...] = (*stages, *inflows)
    for boundary in everything:
        if boundary.cells.shape != there.shape:
            raise InputError(f"{boundary.name}: mask has shape {boundary.cells.shape}, expected {there.shape}")
        for bad, what in ((~there, "has no bed elevation"), (owner >= 0, "belongs to another stage boundary")):
            hit = np.argwhere(boundary.cells & bad)
            if len(hit):
                raise InputError(f"{boundary.name}: cell ({hit[0][0]}, {hit[0][1]}) {what} ({len(hit)} such cells)")
        if isinstance(boundary, StageBoundary):
            owner[boundary.cells] = stages.index(boundary)
    return owner


def _find_links(owner: NDArray[np.int64], there: NDArray[np.bool_]) -> tuple[list[Index], NDArray[np.float64]]:
    held, free = owner >= 0, there & (owner < 0)
    parts: list[tuple[int, Index, int]] = []
    for axis in (0, 1):
        before = (slice(None), slice(None, -1)) if axis == 0 else (slice(None, -1), slice(None))
        after = (slice(None), slice(1, None)) if axis == 0 else (slice(1, None), slice(None))
        offset = np.array([0, 1] if axis == 0 else [1, 0])
        parts.append((axis, np.argwhere(held[before] & free[after]) + offset, 1))
        parts.append((axis, np.argwhere(free[before] & held[after]) + offset, -1))
    axes = np.concatenate([np.full(len(cells), axis, dtype=np.int64) for axis, cells, _ in parts])
    cells = np.concatenate([cells for _, cells, _ in parts]).astype(np.int64)
    signs = np.concatenate([np.full(len(cells), float(sign)) for _, cells, sign in parts])
    return [axes, cells[:, 0].copy(), cells[:, 1].copy()], signs


def _list_free_faces(
    free: Sequence[FreeBoundary], there: NDArray[np.bool_], mannings_n: NDArray[np.float64]
) -> tuple[Index, NDArray[np.float64], NDArray[np.float64]]:
    """Return (face row, axis, face col, row, col) sorted by face row, sign and slope^(1/2) / n of each free face."""
    rows, cols = there.shape
    faces: list[tuple[int, int, int, int, int]] = []
    more: list[tuple[float, float]] = []
    for boundary in free:
        for edge in boundary.edges:
            line = range(1, cols + 1) if edge in ("north", "south") else range(1, rows + 1)
            for k in line:
                row, col = {"north": (1, k), "south": (rows, k), "west": (k, 1), "east": (k, cols)}[edge]
                if not there[row - 1, col - 1]:
                    continue
                face = {
                    "north": (1, 1, k), "south": (rows + 1, 1, k), "west": (k, 0, 1), "east": (k, 0, cols + 1),
                }[edge]  # fmt: skip
                faces.append((*face, row, col))
                n = max(float(mannings_n[row - 1, col - 1]), 0.005)
                more.append((1.0 if edge in ("south", "east") else -1.0, boundary.slope**0.5 / n))
    table = np.array(faces, dtype=np.int64).reshape(-1, 5)
    values = np.array(more, dtype=np.float64).reshape(-1, 2)
    order = np.argsort(table[:, 0], kind="stable")
    if len(np.unique(table[:, :3], axis=0)) != len(table):
        raise InputError("an edge is named by two free boundaries, expected one")
    return table[order], values[order, 0].copy(), values[order, 1].copy()


def locate_points(points: tuple[Index, Index] | None, there: NDArray[np.bool_]) -> tuple[Index, Index]:
    """Return rows and columns of points in the padded grid; raise InputError for one outside the domain."""
    if points is None:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    rows, cols = (np.asarray(index, dtype=np.int64) for index in points)
    if rows.shape != cols.shape or rows.ndim != 1:
        raise InputError(f"points have rows {rows.shape} and columns {cols.shape}, expected two arrays (n,)")
    inside = (rows >= 0) & (rows < there.shape[0]) & (cols >= 0) & (cols < there.shape[1])
    usable = inside & there[np.where(inside, rows, 0), np.where(inside, cols, 0)]
    if not usable.all():
        k = int(np.argmin(usable))
        raise InputError(f"point {k} lies in cell ({rows[k]}, {cols[k]}), expected a cell of the domain")
    return rows + 1, cols + 1


def build_forcing(
    grid: Grid,
    drivers: Drivers,
    owner: NDArray[np.int64],
    there: NDArray[np.bool_],
    mannings_n: NDArray[np.float64],
    points: tuple[Index, Index] | None = None,
) -> Forcing:
    """Return the flat arrays of ``drivers``; ``owner`` and ``there`` (rows, cols) from locate_prescribed and the bed.

    points: rows and columns of the cells that are given or lose water by rates (n,). Raise InputError for an edge named
    twice or a point outside the domain.
    """
    computed = there & (owner < 0)
    links, signs = _find_links(owner, there)
    links[1] += 1
    links[2] += 1
    near = np.pad(computed, 1)
    beside = near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:]
    rim = np.argwhere((owner >= 0) & beside)
    inlet = [np.argwhere(b.cells) for b in drivers.inflows]
    inlet_cells = np.concatenate(inlet) if inlet else np.empty((0, 2), dtype=np.int64)
    free, free_sign, free_slope = _list_free_faces(drivers.free, computed, mannings_n)
    return Forcing(
        rim[:, 0] + 1,
        rim[:, 1] + 1,
        owner[rim[:, 0], rim[:, 1]],
        links[0],
        links[1],
        links[2],
        signs,
        inlet_cells[:, 0] + 1,
        inlet_cells[:, 1] + 1,
        np.repeat(np.arange(len(inlet), dtype=np.int64), [len(cells) for cells in inlet]),
        np.searchsorted(free[:, 0], np.arange(grid.rows + 3)),
        free[:, 1].copy(),
        free[:, 2].copy(),
        free[:, 3].copy(),
        free[:, 4].copy(),
        free_sign,
        free_slope,
        *locate_points(points, there),
    )
