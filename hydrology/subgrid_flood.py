"""SubgridSolver: the flood on coarse cells that know the fine terrain inside them."""

import time as clock
from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import Boundary
from hydrology.breaches import Breach
from hydrology.domain import WALL, check_raster, check_share, find_bad_cell
from hydrology.downscale import compute_arrival, compute_depth, find_first_time, spread
from hydrology.flood_record import FloodFrame
from hydrology.forcing import Drivers, Segment, locate_points, locate_prescribed
from hydrology.infiltration import Losses
from hydrology.links import build_links, list_times, select_active
from hydrology.mass_balance import MassBalance
from hydrology.pace import LEAST_COARSE_CELLS, PARALLEL, TRIAL_STEPS, Pace
from hydrology.parameters import FloodParameters
from hydrology.rainfall import MM_PER_HOUR, RainGrid, RainSeries
from hydrology.sources import ACCOUNTS, RAIN
from hydrology.structures import Structure
from hydrology.subgrid import FaceCrests, SubgridTables, take_tables
from hydrology.subgrid_breaches import list_phases, locate_breaches, open_breaches
from hydrology.subgrid_domain import INSIDE, Terrain, Water, build_terrain, make_blocks, read_scheme
from hydrology.subgrid_durations import choose_levels, compute_durations, measure_series
from hydrology.subgrid_ends import Land, locate_ends
from hydrology.subgrid_forcing import (
    build_coarse_forcing,
    coarsen,
    coarsen_grid,
    find_open_faces,
    locate_held,
    weigh_rain,
)
from hydrology.subgrid_kernels import BLOCK
from hydrology.subgrid_lookups import make_lookups
from hydrology.subgrid_losses import coarsen_losses, soak
from hydrology.subgrid_record import SubgridResult, SubgridState, make_memory
from hydrology.subgrid_start import find_mean_depth
from hydrology.subgrid_stepping import LEFT, STEP_TOO_SHORT, Clock, advance, advance_in_parallel, start_segment
from hydrology.subgrid_sweeping import refresh_stages
from hydrology.walls import Walls, trace_walls
from layers.errors import InputError, NumericsError
from layers.grid import Grid

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Raster32 = NDArray[np.float32]


class SubgridSolver:
    """Local inertial shallow water on coarse cells with tables of the fine terrain (van Ormondt et al. 2025).

    A cell has one stage: ponds and terraces smaller than a cell share its water, and a wall that splits a cell puts
    it on one side (hydrology.subgrid). A coarse cell is prescribed where at least half of its pixels are, or the
    pixel its water stands at; the other prescribed pixels are ordinary ground. Edges are closed unless a boundary
    says otherwise. What the ground takes: rain everywhere, standing water through the wet share of the cell, with the
    mean parameters of the cell's open ground.
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
        rain: RainSeries | RainGrid | None = None,
        losses: Losses | None = None,
        structures: Sequence[Structure] = (),
        walls: Walls | None = None,
        breaches: Sequence[Breach] = (),
        storage: NDArray[np.floating] | None = None,
        points: tuple[Index, Index] | None = None,
        tables: SubgridTables | None = None,
        parameters: FloodParameters | None = None,
        start_time: float = 0.0,
    ) -> None:
        """Check and take over the terrain and what drives the water, all given on the fine ``grid``.

        factor: pixels along the side of a coarse cell. tables: of an earlier solver with the same terrain, without
        breaches. All else as in FloodSolver; where structures act is said in subgrid_ends, how breaches open in
        subgrid_breaches. Raise InputError naming the value at fault.
        """
        self.grid, self.factor = grid, factor
        self.parameters = parameters or FloodParameters()
        self._pace = Pace(self.parameters.threads, LEAST_COARSE_CELLS)
        self._bed = check_raster("bed", bed, grid.shape).copy()
        self._there = np.isfinite(self._bed)
        bad = np.isinf(self._bed) | (np.abs(self._bed) >= 0.1 * WALL)
        find_bad_cell("bed", bad, self._bed, "less than 10 000 m")
        if not self._there.any():
            raise InputError("bed has no cell with a value, expected at least one")
        n = np.full(grid.shape, float(mannings_n)) if np.ndim(mannings_n) == 0 else np.asarray(mannings_n)
        n = check_raster("mannings_n", n, grid.shape)
        find_bad_cell("mannings_n", self._there & ~((n >= 0.0) & (n <= 10.0)), n, "0 to 10 s/m^(1/3)")
        self._storage = check_share("storage", storage, grid, self._there, 1.0e-3)
        crests = _take_crests(walls, grid)
        self.tables = take_tables(tables, self._bed, n, factor, crests, storage)
        self._drivers = Drivers.sort(boundaries)
        stages = self._drivers.stages
        owner = locate_prescribed(stages, self._drivers.inflows, self._there)
        self._owner = locate_held(owner, len(stages), self.tables, factor)
        coarse = coarsen_grid(grid, factor)
        self._drivers, self._forcing, self._places = build_coarse_forcing(
            coarse, self._drivers, self._owner, self.tables, factor, locate_points(points, self._there)
        )
        self._terrain = self._build_terrain()
        self._scheme = read_scheme(self.parameters, coarse.cell_size)
        computed = self._terrain.per_length[INSIDE] > 0.0
        self._rain, self._area = rain, coarse.cell_area
        if rain is not None:
            share = check_share("runoff coefficient", rain.coefficient, grid, self._there, 0.0)
            self._rain_weights = weigh_rain(rain, np.where(self._there, share, 0.0), computed, factor)
        if losses is not None and losses.impervious.shape != grid.shape:
            raise InputError(f"losses have shape {losses.impervious.shape}, expected the grid's {grid.shape}")
        self._losses = None if losses is None else coarsen_losses(losses, self._there, factor)
        self._ground = coarsen(self._there.astype(np.float64), factor)[INSIDE] / factor**2
        self._structures = select_active(structures)
        self._links = build_links(structures, self._there & (owner < 0), self._there, float(start_time))
        self._structure_times = list_times(structures)
        self._land, self._mannings_n = Land(self._bed, crests, factor), n
        self._ends = locate_ends(self._links, owner, self._owner, self._land, self.tables)
        self._whole, self._phases, self._phase = self.tables, list_phases(breaches), 0
        self._breaches = locate_breaches(breaches, walls or trace_walls([], [], grid), self._bed, grid.cell_size)
        self._settings, self._running = self._links.setting.copy(), self._links.running.copy()
        self._infiltrated = np.zeros(coarse.shape if losses is not None else (0, 0))
        self._point_rates = np.zeros(self._forcing.point_row.size)
        self._point_volumes = np.zeros(self._forcing.point_row.size)
        self.time = float(start_time)
        levels = choose_levels(self._bed, factor, self.parameters.durations, self.tables.base.shape)
        self._memory = make_memory(levels, self.time)
        fine = np.zeros(grid.shape) if depth is None else check_raster("initial depth", depth, grid.shape)
        find_bad_cell("initial depth", self._there & ~((fine >= 0.0) & (fine < 1.0e4)), fine, "0 m or more")
        start = find_mean_depth(fine, self._bed, self._storage, factor, self.tables)
        self._set_water(np.where(self._terrain.per_length > 0.0, start, 0.0))

    def _build_terrain(self) -> Terrain:
        faces = find_open_faces(self._forcing, self._places, self.tables.base.shape)
        size = self.grid.cell_size * self.factor
        return build_terrain(self.tables, self._owner, *faces, size, self.factor, self.parameters.arrival_depth)

    def _open_breaches(self) -> None:
        """Take the tables that the breaches leave now."""
        phase = int(np.searchsorted(self._phases, self.time, side="right"))
        if phase == self._phase:
            return
        self._phase, self.tables = phase, self._whole
        if phase > 0:
            time = float(self._phases[phase - 1])
            self.tables = open_breaches(self._whole, self._breaches, time, self._land, self._mannings_n, self._storage)
        self._terrain = self._build_terrain()
        self._lookups, self._blocks = make_lookups(self.tables.base.shape), make_blocks(self.tables.base.shape)

    def _set_water(self, depth: Array, x: Raster32 | None = None, y: Raster32 | None = None) -> None:
        zero = np.zeros(depth.shape, dtype=np.float32)
        x, y = zero if x is None else x, zero if y is None else y
        self._water = Water(depth.copy(), x.copy(), y.copy(), self.tables.base.copy(), zero.copy())
        self._lookups, self._blocks = make_lookups(depth.shape), make_blocks(depth.shape)
        refresh_stages(self._water, self._terrain, self._lookups.cells, self._blocks, self._scheme)
        memory = self._memory
        memory.since[:] = self.time - memory.origin
        memory.place[:] = (self._water.stage[..., None].astype(np.float32) >= memory.levels).sum(axis=-1)
        self._hold_all()
        self._open_account()

    def _hold_all(self) -> None:
        """Set every prescribed cell to its stage."""
        for which, level in enumerate(self._drivers.stages_at(self.time)):
            cells = self._owner == which
            self._water.stage[cells] = np.maximum(self.tables.base[cells], level)

    @property
    def cell_area(self) -> float:
        """Area of a pixel [m2]."""
        return self.grid.cell_area

    @property
    def stage(self) -> Array:
        """Stage of the coarse cells now [m], NaN where there is no pixel or no water."""
        return self._show_stage(self._water.stage)

    def _show_stage(self, stage: Array) -> Array:
        known = (stage > self.tables.base) & (self.tables.anchor >= 0)
        return np.asarray(np.where(known, stage, np.nan)[INSIDE])

    @property
    def depth(self) -> Raster32:
        """Depth of the pixels now [m] (rows, cols), NaN outside the domain."""
        return self._spread_depth(self._water.stage)

    def _spread_depth(self, stage: Array) -> Raster32:
        return compute_depth(
            stage, self._bed, self.factor, self.tables, self._owner >= 0, dry_depth=self.parameters.dry_depth
        )

    def stage_at(self, rows: Index, cols: Index) -> Array:
        """Return the stage now [m] at pixels (n,), the bed where they are dry."""
        rows, cols = np.asarray(rows), np.asarray(cols)
        cells = 1 + rows // self.factor, 1 + cols // self.factor
        stage, owner = self._water.stage[cells], self._owner[cells]
        for which, level in enumerate(self._drivers.stages_at(self.time)):
            stage = np.where(owner == which, level, stage)
        return np.maximum(stage, self.bed_at(rows, cols))

    def bed_at(self, rows: Index, cols: Index) -> Array:
        """Return the bed [m] of pixels (n,)."""
        return self._bed[np.asarray(rows), np.asarray(cols)]

    def set_point_rates(self, rates: NDArray[np.floating]) -> None:
        """Set what each point's cell is given from now on [m3/s] (n,); negative takes, not more than there is."""
        values = np.asarray(rates, dtype=np.float64)
        if values.shape != self._point_rates.shape or not np.isfinite(values).all():
            raise InputError(
                f"point rates {values.shape} do not fit {self._point_rates.size} points, or are no numbers"
            )
        self._point_rates[:] = values

    def point_volumes(self) -> Array:
        """Return what each point was given since the start, less what it lost [m3] (n,)."""
        return self._point_volumes.copy()

    def state(self) -> SubgridState:
        """Return a copy of everything that changes, to go on from later."""
        water, memory = self._water, self._memory
        return SubgridState(
            self.time, memory.origin, water.depth.copy(), water.x.copy(), water.y.copy(),
            self._settings.copy(), self._running.copy(), self._infiltrated.copy(),
            memory.depth.copy(), memory.peak.copy(), memory.speed.copy(), memory.reached.copy(),
            memory.arrival.copy(), memory.spans.copy(),
        )  # fmt: skip

    def restore(self, state: SubgridState) -> None:
        """Take up ``state`` of a solver with the same terrain and structures; InputError where it does not fit."""
        mine = self.state()
        for entry in fields(SubgridState):
            given, expected = (np.shape(getattr(each, entry.name)) for each in (state, mine))
            if given != expected:
                raise InputError(f"saved state has {entry.name} of shape {given}, expected {expected}")
        self.time = state.time
        self._settings, self._running = state.settings.copy(), state.running.copy()
        self._infiltrated = state.infiltrated.copy()
        self._memory = make_memory(self._memory.levels, state.origin)._replace(
            depth=state.depth_max.copy(), peak=state.peak.copy(), speed=state.speed_max.copy(),
            reached=state.reached.copy(), arrival=state.arrival.copy(), spans=state.spans.copy(),
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
        self._open_account()
        count = int(np.floor(duration_s / output_interval_s * (1.0 + 1e-12)))
        end = self.time + duration_s
        outputs = self.time + output_interval_s * np.arange(1, count + 1)
        outputs = np.append(outputs[outputs < end - 1e-9 * output_interval_s], end)
        stopped = False
        self._emit(on_frame)
        for stop in outputs.tolist():
            stopped = not self._reach(stop, should_stop)
            if stopped:
                break
            self._emit(on_frame)
        return self.collect(stopped=stopped)

    def advance(self, duration_s: float) -> None:
        """Compute ``duration_s`` [s] and hand nothing out: for models stepped together, many times between results."""
        if not 0.0 < duration_s < np.inf:
            raise InputError(f"duration {duration_s} s must be above 0")
        self._reach(self.time + duration_s, None)

    def collect(self, *, stopped: bool = False) -> SubgridResult:
        """Return what happened since the last result and begin a new account; ``stopped`` is handed on.

        Raise MassBalanceError where volumes do not close.
        """
        volumes = dict(zip(ACCOUNTS, self._accounts.tolist(), strict=True))
        balance = MassBalance(self._initial, self._stored(), infiltrated=self._soaked, **volumes)
        balance.check(self.parameters.mass_tolerance)
        ids = [structure.id for structure in self._structures]
        moved = {key: (float(there), float(back)) for key, (there, back) in zip(ids, self._moved, strict=True)}
        result = self._collect(balance, moved, stopped)
        self._open_account()
        return result

    def _open_account(self) -> None:
        self._began = clock.perf_counter()
        self._accounts, self._initial, self._soaked = np.zeros(len(ACCOUNTS)), self._stored(), 0.0
        self._moved = np.zeros((len(self._structures), 2))
        self._steps, self._updates = 0, 0

    def _reach(self, end: float, should_stop: Callable[[], bool] | None) -> bool:
        """Run to ``end`` [s], stopping wherever some forcing bends; return whether nobody asked to stop before."""
        series = [self._drivers.times(), self._structure_times, self._phases]
        if self._rain is not None:
            series.append(self._rain.times)
        if self._losses is not None:
            step = self.parameters.loss_step
            series.append(step * np.arange(np.floor(self.time / step) + 1.0, end / step))
        bends = np.unique(np.concatenate(series))
        for stop in (*bends[(bends > self.time) & (bends < end)].tolist(), end):
            if should_stop is not None and should_stop():
                return False
            self._advance_to(stop)
        return True

    def _advance_to(self, stop: float) -> None:
        """Run to ``stop`` [s], before which no forcing bends."""
        self._open_breaches()
        rain, total = self._rain_at(self.time), 0.0
        if self._losses is not None:
            fallen, soaked = soak(
                self._losses, self._water, rain, stop - self.time, self._infiltrated, self._ground, self._terrain
            )
            self._accounts[RAIN] += fallen * self._area
            self._soaked += soaked * self._area
            rain = np.zeros_like(rain)
        else:
            total = float(rain.sum()) * self._area
        segment = self._drivers.segment(
            self.time, stop, rain=total, rain_most=0.0, film=False, wind=(0.0, 0.0)
        )  # fmt: skip
        here = start_segment(
            self._water, self._terrain, self._forcing, self._places, segment, self._lookups.cells, self._blocks,
            self._scheme,
        )  # fmt: skip
        status = LEFT
        while status == LEFT:
            status = self._take_steps(segment, rain, here)
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

    def _take_steps(self, segment: Segment, rain: Array, here: Clock) -> int:
        """Do some steps on as many threads as seem fastest and return how the loop was left."""
        wanted = self._pace.choose(int(np.count_nonzero(self._blocks.active)) * BLOCK)
        parallel = wanted and PARALLEL.acquire(blocking=False)
        began = clock.perf_counter()
        try:
            loop = advance_in_parallel if parallel else advance
            status, steps, updates = loop(
                self._water, self._terrain, self._forcing, self._places, segment, rain, self._links, self._ends,
                self._settings, self._running, self._moved, self._point_rates, self._point_volumes, *self._lookups,
                self._blocks, self._memory, self._accounts, self._scheme, here, self._pace.most if parallel else 1,
                TRIAL_STEPS,
            )  # fmt: skip
        finally:
            if parallel:
                PARALLEL.release()
        self._pace.note(parallel, updates, clock.perf_counter() - began)
        self.time = float(here.now[0])
        self._steps, self._updates = self._steps + steps, self._updates + updates
        return int(status)

    def _rain_at(self, time: float) -> Array:
        """Return the mean rain on the coarse cells from ``time`` [s] on [m/s], with the ring."""
        shape = self.tables.base.shape
        if self._rain is None:
            return np.zeros(shape)
        fall = np.atleast_1d(self._rain.intensity_at(time)) * MM_PER_HOUR
        return np.pad((self._rain_weights @ fall).reshape(shape[0] - 2, shape[1] - 2), 1)

    def _stored(self) -> float:
        return float(self._water.depth.sum()) * self._area

    def _emit(self, on_frame: Callable[[FloodFrame], None] | None) -> None:
        if on_frame is not None:
            on_frame(FloodFrame(self.time, self.depth))

    def _held_series(self) -> list[tuple[Array, Array]]:
        """Return times [s] and stages [m] of each stage boundary from the start of the solver until now."""
        found, origin = [], self._memory.origin
        for boundary in self._drivers.stages:
            inner = boundary.times[(boundary.times > origin) & (boundary.times < self.time)]
            times = np.concatenate([[origin], inner, [self.time]])
            found.append((times, np.interp(times, boundary.times, boundary.stages)))
        return found

    def _collect(self, balance: MassBalance, moved: dict[str, tuple[float, float]], stopped: bool) -> SubgridResult:
        memory, base, series = self._memory, self.tables.base, self._held_series()
        highest = Water(memory.depth, *self._water[1:3], base.copy(), np.zeros_like(self._water.steep))
        refresh_stages(highest, self._terrain, make_lookups(base.shape).cells, make_blocks(base.shape), self._scheme)
        stage_max = highest.stage
        for which, (_, levels) in enumerate(series):
            cells = self._owner == which
            stage_max[cells] = np.maximum(base[cells], levels.max())
        depth_max = self._spread_depth(stage_max)
        speed = np.where(depth_max > 0.0, spread(memory.speed[INSIDE], self.factor, self.grid.shape), np.float32(0.0))
        speed = np.where(self._there, speed, np.float32(np.nan))
        return SubgridResult(
            time=self.time,
            depth_max=depth_max,
            velocity_max=speed,
            hazard_max=depth_max * speed,
            arrival_time=self._find_arrival(stage_max, series),
            durations=self._find_durations(series),
            depth=self.depth,
            balance=balance,
            moved=moved,
            steps=self._steps,
            cell_updates=self._updates,
            seconds=clock.perf_counter() - self._began,
            stopped=stopped,
            stage_max=self._show_stage(stage_max),
            stage=self.stage,
        )

    def _list_held(self) -> list[NDArray[np.bool_]]:
        """Return the pixels of the coarse cells that each stage boundary holds (rows, cols)."""
        rows, cols = self.grid.shape
        held = np.repeat(np.repeat(self._owner[INSIDE], self.factor, 0), self.factor, 1)[:rows, :cols]
        return [(held == which) & self._there for which in range(len(self._drivers.stages))]

    def _find_wetting(self, cells: NDArray[np.bool_], depth: float) -> Array:
        """Return the stage [m] at which pixels of prescribed cells are ``depth`` [m] deep (n,)."""
        return np.maximum(self._bed[cells] + depth, self.tables.access[cells])

    def _find_arrival(self, stage_max: Array, series: list[tuple[Array, Array]]) -> Raster32:
        memory, depth = self._memory, self.parameters.arrival_depth
        arrival = memory.origin + compute_arrival(
            self._bed, self.factor, self.tables, stage_max, memory.peak, memory.arrival, depth
        )
        for cells, (times, levels) in zip(self._list_held(), series, strict=True):
            arrival[cells] = find_first_time(times, levels, self._find_wetting(cells, depth))
        return arrival.astype(np.float32)

    def _find_durations(self, series: list[tuple[Array, Array]]) -> dict[float, Raster32]:
        found, held = {}, self._list_held()
        for depth in self.parameters.durations:
            found[depth] = compute_durations(self._bed, self.factor, depth, self._memory.levels, self._memory.spans)
            for cells, (times, levels) in zip(held, series, strict=True):
                found[depth][cells] = measure_series(times, levels, self._find_wetting(cells, depth))
        return found


def _take_crests(walls: Walls | None, grid: Grid) -> FaceCrests | None:
    """Return the crests of the west and north faces of the pixels [m] (rows, cols); InputError for another grid."""
    if walls is None:
        return None
    crests = walls.x[:, :-1], walls.y[:-1]
    if any(crest.shape != grid.shape for crest in crests):
        raise InputError(f"walls are of a grid {crests[1].shape}, expected the grid's {grid.shape}")
    return crests
