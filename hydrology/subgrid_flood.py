"""SubgridSolver: the flood on coarse cells that know the fine terrain inside them."""

import time as clock
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import Boundary, DischargeBoundary, FreeBoundary, StageBoundary
from hydrology.domain import WALL, check_raster, find_bad_cell
from hydrology.downscale import compute_arrival, compute_depth, find_first_time, spread
from hydrology.flood_record import FloodFrame
from hydrology.forcing import locate_prescribed
from hydrology.mass_balance import MassBalance
from hydrology.parameters import FloodParameters
from hydrology.rainfall import MM_PER_HOUR, RainSeries
from hydrology.subgrid import FACE_LEVELS, STAGE_LEVELS, SubgridTables, build_tables, sign_terrain
from hydrology.subgrid_forcing import INSIDE, build_drive, coarsen, locate_held
from hydrology.subgrid_kernels import BLOCK
from hydrology.subgrid_stepping import (
    STEP_TOO_SHORT,
    Blocks,
    Record,
    Scheme,
    Span,
    Terrain,
    Water,
    advance,
    refresh_stages,
)
from layers.errors import InputError, NumericsError
from layers.grid import Grid

MOST_COURANT = 0.5
"""Largest Courant number [1]: at 0.6, canals 3 m deep with their banks inside a cell oscillate and overtop."""

Array = NDArray[np.float64]
Raster32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SubgridState:
    """All a run needs to go on exactly where it stopped; copies of coarse arrays with their ring."""

    time: float
    origin: float
    depth: Array
    discharge_x: Raster32
    discharge_y: Raster32
    depth_max: Array
    peak: Array
    speed_max: Raster32
    reached: NDArray[np.uint8]
    arrival: Raster32


@dataclass(frozen=True, slots=True, eq=False)
class SubgridResult:
    """What a run found, as rasters of the fine grid (rows, cols), NaN outside the domain.

    depth_max, depth (at the end) [m]; arrival_time: first time the depth reached ``arrival_depth`` [s], NaN where
    never; velocity_max [m/s]: of the coarse cell, where the pixel got wet; hazard_max [m2/s]: depth_max ×
    velocity_max, which may come at different times, so at least the largest product. stage_max, stage [m]: of the
    coarse cells, NaN where there is no pixel or no water. balance: the water account of this run. cell_updates: coarse
    cells visited, all steps. seconds: wall time [s]. stopped: True where ``should_stop`` ended the run.
    """

    time: float
    depth_max: Raster32
    velocity_max: Raster32
    hazard_max: Raster32
    arrival_time: Array
    depth: Raster32
    stage_max: Array
    stage: Array
    balance: MassBalance
    steps: int = 0
    cell_updates: int = 0
    seconds: float = 0.0
    stopped: bool = False


class SubgridSolver:
    """Local inertial shallow water on coarse cells with tables of the fine terrain (van Ormondt et al. 2025).

    A cell has one stage: ponds and terraces smaller than a cell share its water, and a wall that splits a cell puts
    it on one side (hydrology.subgrid). A coarse cell is prescribed where at least half of its pixels are, or the
    pixel its water stands at; the other prescribed pixels are ordinary ground. Edges are closed unless a boundary
    says otherwise.
    """

    def __init__(
        self,
        grid: Grid,
        bed: NDArray[np.floating],
        mannings_n: NDArray[np.floating] | float,
        factor: int,
        *,
        depth: NDArray[np.floating] | None = None,
        boundaries: Sequence[Boundary] = (),
        rain: RainSeries | None = None,
        parameters: FloodParameters | None = None,
        start_time: float = 0.0,
        walls: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None,
        tables: SubgridTables | None = None,
    ) -> None:
        """Check and take over the terrain and what drives the water, all given on the fine ``grid``.

        bed [m], mannings_n [s/m^(1/3)], the initial depth [m] and the masks of the boundaries are (rows, cols), n may
        be one number. factor: pixels along the side of a coarse cell. walls: crests of the west and north faces of
        the pixels [m] (rows, cols) each, NaN for none. tables: of an earlier solver with the same terrain. Raise
        InputError naming the value at fault.
        """
        self.grid, self.factor = grid, factor
        self.parameters = parameters or FloodParameters()
        self._bed = check_raster("bed", bed, grid.shape).copy()
        self._there = np.isfinite(self._bed)
        bad = np.isinf(self._bed) | (np.abs(self._bed) >= 0.1 * WALL)
        find_bad_cell("bed", bad, self._bed, "less than 10 000 m")
        if not self._there.any():
            raise InputError("bed has no cell with a value, expected at least one")
        n = np.full(grid.shape, float(mannings_n)) if np.ndim(mannings_n) == 0 else np.asarray(mannings_n)
        n = check_raster("mannings_n", n, grid.shape)
        find_bad_cell("mannings_n", self._there & ~((n >= 0.0) & (n <= 10.0)), n, "0 to 10 s/m^(1/3)")
        for name, wall in zip(("west walls", "north walls"), walls or (), strict=False):
            check_raster(name, wall, grid.shape)
        if tables is not None and not np.array_equal(tables.signature, sign_terrain(self._bed, n, factor, walls)):
            raise InputError(
                "subgrid tables belong to another terrain, roughness, walls or factor",
                hint="build them again with build_tables",
            )
        self.tables = tables if tables is not None else build_tables(self._bed, n, factor, walls=walls)
        self._stages = tuple(b for b in boundaries if isinstance(b, StageBoundary))
        self._inflows = tuple(b for b in boundaries if isinstance(b, DischargeBoundary))
        free = tuple(b for b in boundaries if isinstance(b, FreeBoundary))
        self._rain = rain
        self._owner = locate_held(
            locate_prescribed(self._stages, self._inflows, self._there), len(self._stages), self.tables, factor
        )
        self._drive, open_x, open_y = build_drive(self._owner, self._inflows, free, self.tables, factor)
        self._terrain = self._build_terrain(open_x, open_y)
        self._scheme = _read_scheme(self.parameters, grid.cell_size, factor, float(start_time))
        self._memory = self._empty_record()
        self.time = float(start_time)
        self._set_water(self._start_depth(depth))

    def _build_terrain(self, open_x: NDArray[np.bool_], open_y: NDArray[np.bool_]) -> Terrain:
        tables, size = self.tables, self.grid.cell_size * self.factor
        computed = (self._owner < 0) & (tables.anchor >= 0)
        held = self._owner >= 0
        low_x, low_y = tables.low_x.copy(), tables.low_y.copy()
        low_x[:, 1:][held[:, 1:] & held[:, :-1]] = WALL
        low_y[1:][held[1:] & held[:-1]] = WALL
        spill_x, spill_y = low_x.copy(), low_y.copy()
        spill_x[:, [1, -1]] = np.where(open_x[:, [1, -1]], low_x[:, [1, -1]], WALL)
        spill_y[[1, -1]] = np.where(open_y[[1, -1]], low_y[[1, -1]], WALL)
        low_x[:, [1, -1]], low_y[[1, -1]] = WALL, WALL
        spill = np.minimum(spill_x, spill_y)
        spill[:, :-1] = np.minimum(spill[:, :-1], spill_x[:, 1:])
        spill[:-1] = np.minimum(spill[:-1], spill_y[1:])
        per_full = STAGE_LEVELS**2 / np.maximum(tables.full, 1.0e-30)
        share = np.ones(self.grid.shape)
        if self._rain is not None and self._rain.coefficient is not None:
            share = check_raster("runoff coefficient", self._rain.coefficient, self.grid.shape)
            find_bad_cell("runoff coefficient", self._there & ~((share >= 0.0) & (share <= 1.0)), share, "0 to 1")
        rain_share = coarsen(np.where(self._there, share, 0.0), self.factor) / self.factor**2
        return Terrain(
            per_length=np.where(computed, 1.0 / size, 0.0),
            base=tables.base,
            full=tables.full,
            per_full=per_full,
            above=tables.above,
            stage=tables.stage,
            low_x=low_x,
            low_y=low_y,
            per_span_x=(FACE_LEVELS**2 / tables.span_x).astype(np.float32),
            per_span_y=(FACE_LEVELS**2 / tables.span_y).astype(np.float32),
            face_x=tables.face_x,
            face_y=tables.face_y,
            spill=spill,
            rain_share=np.where(computed, rain_share, 0.0),
            last_place=(tables.full + self.parameters.arrival_depth / tables.above) * per_full,
        )

    def _empty_record(self) -> Record:
        shape = self.tables.base.shape
        return Record(
            np.zeros(shape),
            np.zeros(shape),
            np.zeros(shape, dtype=np.float32),
            np.zeros(shape, dtype=np.uint8),
            np.full((*shape, STAGE_LEVELS + 2), np.inf, dtype=np.float32),
        )

    def _start_depth(self, depth: NDArray[np.floating] | None) -> Array:
        """Return the mean depth of the cells [m]: of a level pool the one that has its stage, else that of its volume.

        The stage in a table is linear over the volume between its levels, so that only one of the two can be kept.
        """
        fine = np.zeros(self.grid.shape) if depth is None else check_raster("initial depth", depth, self.grid.shape)
        find_bad_cell("initial depth", self._there & ~((fine >= 0.0) & (fine < 1.0e4)), fine, "0 m or more")
        fine = np.where(self._there, fine, 0.0)
        mean = coarsen(fine, self.factor) / self.factor**2
        wet = fine > 0.0
        top = coarsen(np.where(wet, self._bed + fine, -WALL), self.factor, np.maximum)
        low = coarsen(np.where(wet, self._bed + fine, WALL), self.factor, np.minimum)
        dry = coarsen(np.where(self._there & ~wet, self._bed, WALL), self.factor, np.minimum)
        level = (top - low < 1.0e-6) & (dry >= low - 1.0e-6)
        mean[level] = self._depth_at(low)[level]
        return np.where(self._terrain.per_length > 0.0, mean, 0.0)

    def _depth_at(self, stage: Array) -> Array:
        """Return the mean depth of the cells [m] at ``stage`` [m], the inverse of the table."""
        tables = self.tables
        over = stage - tables.base
        table = tables.stage.astype(np.float64)
        k = np.clip((table[..., 1:] <= over[..., None]).sum(axis=-1), 0, STAGE_LEVELS - 1)[..., None]
        low, high = (np.take_along_axis(table, k + step, axis=-1)[..., 0] for step in (0, 1))
        k = k[..., 0]
        part = np.where(high > low, (over - low) / np.where(high > low, high - low, 1.0), 0.0)
        below = tables.full * (k**2 + part * (2 * k + 1)) / STAGE_LEVELS**2
        beyond = tables.full + (over - table[..., -1]) / tables.above
        return np.where(over <= 0.0, 0.0, np.where(over >= table[..., -1], beyond, below))

    def _set_water(self, depth: Array, x: Raster32 | None = None, y: Raster32 | None = None) -> None:
        shape = depth.shape
        zero = np.zeros(shape, dtype=np.float32)
        x, y = zero if x is None else x, zero if y is None else y
        self._water = Water(depth.copy(), x.copy(), y.copy(), self.tables.base.copy(), zero.copy())
        blocks = (shape[0], -(-(shape[1] - 2) // BLOCK) + 2)
        self._blocks = Blocks(*(np.zeros(blocks, dtype=np.uint8) for _ in range(3)))
        self._blocks.linger[1:-1, 1:-1] = 2
        refresh_stages(self._water, self._terrain, self._blocks, True, self._scheme)
        self._hold_all()

    def _hold_all(self) -> None:
        """Set every prescribed cell to its stage."""
        for which, boundary in enumerate(self._stages):
            cells = self._owner == which
            level = float(np.interp(self.time, boundary.times, boundary.stages))
            self._water.stage[cells] = np.maximum(self.tables.base[cells], level)

    @property
    def stage(self) -> Array:
        """Stage of the coarse cells now [m], NaN where there is no pixel or no water."""
        wet = (self._water.stage > self.tables.base) & (self.tables.anchor >= 0)
        stage: Array = np.where(wet, self._water.stage, np.nan)
        return stage[INSIDE]

    @property
    def depth(self) -> Raster32:
        """Depth of the pixels now [m] (rows, cols), NaN outside the domain."""
        return compute_depth(
            self._water.stage, self._bed, self.factor, self.tables, dry_depth=self.parameters.dry_depth
        )

    def state(self) -> SubgridState:
        """Return a copy of everything that changes, to go on from later."""
        water, memory = self._water, self._memory
        return SubgridState(
            self.time, self._scheme.origin, water.depth.copy(), water.x.copy(), water.y.copy(),
            memory.depth.copy(), memory.peak.copy(), memory.speed.copy(), memory.reached.copy(), memory.arrival.copy(),
        )  # fmt: skip

    def restore(self, state: SubgridState) -> None:
        """Take up ``state`` of a solver with the same terrain; raise InputError where it does not fit."""
        if state.depth.shape != self.tables.base.shape:
            raise InputError(f"saved state has shape {state.depth.shape}, expected {self.tables.base.shape}")
        self.time = state.time
        self._scheme = self._scheme._replace(origin=state.origin)
        self._memory = Record(
            state.depth_max.copy(), state.peak.copy(), state.speed_max.copy(), state.reached.copy(),
            state.arrival.copy(),
        )  # fmt: skip
        self._set_water(state.depth, state.discharge_x, state.discharge_y)

    def run(
        self,
        duration_s: float,
        *,
        output_interval_s: float,
        on_frame: Callable[[FloodFrame], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> SubgridResult:
        """Compute ``duration_s`` [s] from the present time on and return what happened.

        ``on_frame`` receives the water at the start and every ``output_interval_s`` [s], the end included.
        ``should_stop`` is asked at every output and forcing time. Raise InputError for durations that cannot be,
        NumericsError where the step collapses or the water is no number, MassBalanceError where volumes do not
        close.
        """
        if not (0.0 < duration_s < np.inf and 0.0 < output_interval_s < np.inf):
            raise InputError(f"duration {duration_s} s and output interval {output_interval_s} s must be above 0")
        began = clock.perf_counter()
        accounts, initial = np.zeros(5), self._stored()
        count = int(np.floor(duration_s / output_interval_s * (1.0 + 1e-12)))
        end = self.time + duration_s
        outputs = self.time + output_interval_s * np.arange(1, count + 1)
        outputs = np.append(outputs[outputs < end - 1e-9 * output_interval_s], end)
        bends = self._bends()
        stops = np.unique(np.concatenate([outputs, bends[(bends > self.time) & (bends < end)]]))
        steps, updates, stopped, shown = 0, 0, False, set(outputs.tolist())
        self._emit(on_frame)
        for stop in stops.tolist():
            if should_stop is not None and should_stop():
                stopped = True
                break
            done = self._advance_to(stop, accounts)
            steps, updates = steps + done[0], updates + done[1]
            if stop in shown:
                self._emit(on_frame)
        names = ("stage_in", "stage_out", "discharge_in", "rain", "free_out")
        balance = MassBalance(initial=initial, final=self._stored(), **dict(zip(names, accounts.tolist(), strict=True)))
        balance.check(self.parameters.mass_tolerance)
        return self._collect(balance, steps, updates, began, stopped)

    def _bends(self) -> Array:
        """Return every time [s] at which some forcing bends or jumps."""
        series = [b.times for b in self._stages] + [b.times for b in self._inflows]
        if self._rain is not None:
            series.append(self._rain.times)
        return np.unique(np.concatenate(series)) if series else np.empty(0)

    def _read_span(self, start: float, end: float) -> Span:
        stage = [np.array([np.interp(t, b.times, b.stages) for b in self._stages]) for t in (start, end)]
        inflow = [np.array([np.interp(t, b.times, b.discharge) for b in self._inflows]) for t in (start, end)]
        rain = self._rain.intensity_at(start) * MM_PER_HOUR if self._rain is not None else 0.0
        rates = ((pair[1] - pair[0]) / (end - start) for pair in (stage, inflow))
        return Span(start, end, stage[0], next(rates), inflow[0], next(rates), rain)

    def _advance_to(self, stop: float, accounts: Array) -> tuple[int, int]:
        span = self._read_span(self.time, stop)
        status, self.time, steps, updates = advance(
            self._water, self._terrain, self._drive, span, self._blocks, self._memory, accounts, self._scheme
        )
        if status == STEP_TOO_SHORT:
            over = np.where(self._terrain.per_length > 0.0, self._water.stage - self._terrain.spill, 0.0)[INSIDE]
            row, col = (int(k) for k in np.unravel_index(int(np.argmax(over)), over.shape))
            raise NumericsError(
                f"time step at {self.time:.3f} s fell below dt_min {self.parameters.dt_min:g} s; the limiting coarse "
                f"cell is ({row}, {col}) with {over[row, col]:.3g} m over its lowest face",
                hint="check the bed and the inflow there",
            )
        self._hold_all()
        if not np.isfinite(self._stored()):
            row, col = (int(k) for k in np.argwhere(~np.isfinite(self._water.depth[INSIDE]))[0])
            raise NumericsError(f"water in coarse cell ({row}, {col}) is no number at {self.time:.3f} s")
        return steps, updates

    def _stored(self) -> float:
        return float(self._water.depth.sum()) * (self.grid.cell_size * self.factor) ** 2

    def _emit(self, on_frame: Callable[[FloodFrame], None] | None) -> None:
        if on_frame is not None:
            on_frame(FloodFrame(self.time, self.depth))

    def _held_series(self, boundary: StageBoundary) -> tuple[Array, Array]:
        """Return times [s] and stages [m] of a boundary from the start of the solver until now."""
        inner = boundary.times[(boundary.times > self._scheme.origin) & (boundary.times < self.time)]
        times = np.concatenate([[self._scheme.origin], inner, [self.time]])
        return times, np.interp(times, boundary.times, boundary.stages)

    def _collect(self, balance: MassBalance, steps: int, updates: int, began: float, stopped: bool) -> SubgridResult:
        parameters, memory, origin, shape = self.parameters, self._memory, self._scheme.origin, self.grid.shape
        highest = Water(memory.depth, *self._water[1:3], self.tables.base.copy(), np.zeros_like(self._water.steep))
        refresh_stages(highest, self._terrain, Blocks(*(b.copy() for b in self._blocks)), True, self._scheme)
        stage_max = highest.stage
        series = [self._held_series(boundary) for boundary in self._stages]
        for which, (_, levels) in enumerate(series):
            cells = self._owner == which
            stage_max[cells] = np.maximum(self.tables.base[cells], levels.max())
        depth_max = compute_depth(stage_max, self._bed, self.factor, self.tables, dry_depth=parameters.dry_depth)
        arrival = origin + compute_arrival(
            self._bed, self.factor, self.tables, stage_max, memory.peak, memory.arrival, parameters.arrival_depth
        )
        held = np.repeat(np.repeat(self._owner[INSIDE], self.factor, 0), self.factor, 1)[: shape[0], : shape[1]]
        for which, (times, levels) in enumerate(series):
            cells = (held == which) & self._there
            arrival[cells] = find_first_time(times, levels, self._bed[cells] + parameters.arrival_depth)
        speed = np.where(depth_max > 0.0, spread(memory.speed[INSIDE], self.factor, shape), np.float32(0.0))
        speed = np.where(self._there, speed, np.float32(np.nan))
        known = (stage_max > self.tables.base) & (self.tables.anchor >= 0)
        return SubgridResult(
            time=self.time,
            depth_max=depth_max,
            velocity_max=speed,
            hazard_max=depth_max * speed,
            arrival_time=arrival,
            depth=self.depth,
            stage_max=np.where(known, stage_max, np.nan)[INSIDE],
            stage=self.stage,
            balance=balance,
            steps=steps,
            cell_updates=updates,
            seconds=clock.perf_counter() - began,
            stopped=stopped,
        )


def _read_scheme(parameters: FloodParameters, pixel_size: float, factor: int, origin: float) -> Scheme:
    own = {
        "cell_size": pixel_size * factor,
        "origin": origin,
        "lean": 0.5 * (1.0 - 1.0 / factor),
        "courant": min(parameters.courant, MOST_COURANT),
    }
    return Scheme(**own, **{name: getattr(parameters, name) for name in Scheme._fields if name not in own})
