"""FloodSolver: where water goes over a terrain, from rain, rivers, tides and inflows."""

import time as clock
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import Boundary
from hydrology.breaches import Breach, build_breaches
from hydrology.domain import build_domain, check_raster, check_share, crop, find_bad_cell, pad, start_stage
from hydrology.flood_record import FloodFrame, FloodResult, FloodState, Raster32
from hydrology.forcing import Drivers, Segment, build_forcing, locate_prescribed
from hydrology.infiltration import Losses
from hydrology.infiltration import step as infiltrate
from hydrology.links import build_links, list_times, select_active
from hydrology.mass_balance import MassBalance
from hydrology.pace import PARALLEL, TRIAL_STEPS, Pace
from hydrology.parameters import FloodParameters
from hydrology.rainfall import MM_PER_HOUR, RainGrid, RainSeries
from hydrology.sources import ACCOUNTS, RAIN
from hydrology.stepping import (
    LEFT,
    STEP_TOO_SHORT,
    Maxima,
    Record,
    advance,
    advance_in_parallel,
    make_clock,
    make_record,
    start_segment,
)
from hydrology.structures import Structure
from hydrology.sweeping import Scheme, Water, make_buffers
from hydrology.tiling import count_active, make_tiles
from hydrology.walls import Walls, list_faces, trace_walls
from hydrology.wind import Wind
from layers.errors import InputError, NumericsError
from layers.grid import Grid

Raster = NDArray[np.float64]
Index = NDArray[np.int64]


class FloodSolver:
    """Two-dimensional local inertial shallow water on a regular grid (Bates 2010, de Almeida 2012).

    Dam breaks, jets and flow that passes critical need the parameter ``advection``. Edges are closed unless a boundary
    says otherwise, and so is the rim of cells without a bed (NaN).
    """

    def __init__(
        self,
        grid: Grid,
        bed: NDArray[np.floating],
        mannings_n: NDArray[np.floating] | float,
        *,
        depth: NDArray[np.floating] | None = None,
        boundaries: Sequence[Boundary] = (),
        rain: RainSeries | RainGrid | None = None,
        wind: Wind | None = None,
        losses: Losses | None = None,
        structures: Sequence[Structure] = (),
        walls: Walls | None = None,
        breaches: Sequence[Breach] = (),
        storage: NDArray[np.floating] | None = None,
        points: tuple[Index, Index] | None = None,
        parameters: FloodParameters | None = None,
        start_time: float = 0.0,
    ) -> None:
        """Check and take over the terrain and what drives the water.

        bed [m], mannings_n [s/m^(1/3)] and the initial depth [m] are (rows, cols), n may be one number. storage:
        share of each cell that can hold water [1] (rows, cols), for cells with buildings in them. walls: faces with a
        crest of their own, see ``trace_walls``, and breaches in them. losses: what the ground takes, of arrays (rows,
        cols). points: rows and columns of cells that ``set_point_rates`` gives water or takes it from. The times of
        boundaries, rain and structures [s] and ``start_time`` [s] share one clock. Raise InputError naming the value
        at fault.
        """
        self.grid = grid
        self.parameters = parameters or FloodParameters()
        self._drivers = Drivers.sort(boundaries)
        heights = check_raster("bed", bed, grid.shape)
        self._there = np.isfinite(heights)
        owner = locate_prescribed(self._drivers.stages, self._drivers.inflows, self._there)
        self._domain = build_domain(grid, heights, mannings_n, owner >= 0, storage, self.parameters.gravity)
        n = np.broadcast_to(np.asarray(mannings_n, dtype=np.float64), grid.shape)
        self._forcing = build_forcing(grid, self._drivers, owner, self._there, n, points)
        self._owner = pad(owner, -1)
        computed = self._domain.gain > 0.0
        # What a metre of water in a cell holds, of the very numbers that the loop reads [m2].
        gain = self._domain.gain.astype(np.float64)
        self._surface = np.divide(grid.cell_size, gain, out=np.zeros_like(gain), where=computed)
        self._rain, self._losses = rain, losses
        share = None if rain is None else rain.coefficient
        self._rain_share = check_share("runoff coefficient", share, grid, self._there, 0.0)
        if losses is not None and losses.impervious.shape != grid.shape:
            raise InputError(f"losses have shape {losses.impervious.shape}, expected the grid's {grid.shape}")
        # Rise of the stage by a metre of rain: where buildings take a share of the cell, the rest rises more.
        self._catch = (
            pad(self._rain_share, 0.0)
            * np.divide(grid.cell_area, self._surface, out=np.zeros_like(gain), where=computed)
        ).astype(np.float32)
        self._no_rain = np.zeros_like(self._catch)
        self._structures = select_active(structures)
        self._links = build_links(structures, crop(computed, grid), self._there, float(start_time))
        self._structure_times = list_times(structures)
        share_least = 1.0 if storage is None else float(np.min(np.asarray(storage)[self._there]))
        self._scheme = _read_scheme(self.parameters, grid.cell_size, share_least, rain is not None)
        faces = list_faces(walls or trace_walls([], [], grid), self._domain.crest_x, self._domain.crest_y)
        for crests, axis in ((self._domain.crest_x, 0), (self._domain.crest_y, 1)):
            mine = faces.axis == axis
            crests[faces.row[mine], faces.col[mine]] = faces.crest[mine]
        self._walls, self._breaches = faces, build_breaches(breaches, faces, grid.cell_size)
        self._wind = wind
        self._pace = Pace(1 if self.parameters.advection else self.parameters.threads)
        self._thresholds = np.array(self.parameters.durations, dtype=np.float64)
        self._point_rates = np.zeros(self._forcing.point_row.size)
        self._point_volumes = np.zeros(self._forcing.point_row.size)
        self.time = float(start_time)
        shape = self._domain.bed.shape
        water = np.zeros(grid.shape) if depth is None else check_raster("initial depth", depth, grid.shape)
        find_bad_cell("initial depth", self._there & ~((water >= 0.0) & (water < 1.0e4)), water, "0 m or more")
        self._water = Water(
            start_stage(self._domain, grid, heights, water), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        )
        self._maxima = _empty_maxima(shape, len(self._thresholds))
        self._settings, self._running = self._links.setting.copy(), self._links.running.copy()
        self._infiltrated = np.zeros(grid.shape if losses is not None else (0, 0))
        self._set_loop()
        self._open_account()

    def _set_loop(self) -> None:
        """Make the room and the tiles of the loop, and set all prescribed cells."""
        shape = self._water.stage.shape
        self._tiles = make_tiles(shape, self._pace.most)
        self._buffers = make_buffers(shape, self._pace.most, advection=self.parameters.advection)
        self._peaks = self._drivers.stages_at(self.time)
        self._clock = make_clock()
        self._hold_all()

    def _hold_all(self) -> None:
        """Set every prescribed cell to its stage; the loop itself sets those beside computed ones."""
        bed = self._domain.bed
        for which, level in enumerate(self._drivers.stages_at(self.time)):
            cells = self._owner == which
            self._water.stage[cells] = np.maximum(bed[cells], level)

    @property
    def cell_area(self) -> float:
        """Area of a cell [m2]."""
        return self.grid.cell_area

    @property
    def depth(self) -> Raster:
        """Depth now [m] (rows, cols), NaN outside the domain."""
        self._hold_all()
        depth = crop(np.maximum(self._water.stage - self._domain.bed, 0.0), self.grid)
        return np.where(self._there, depth, np.nan)

    def stage_at(self, rows: Index, cols: Index) -> Raster:
        """Return the stage now [m] in cells of the grid (n,)."""
        cells = np.asarray(rows) + 1, np.asarray(cols) + 1
        stage, owner = self._water.stage[cells], self._owner[cells]
        # Between results the loop holds only those prescribed cells that lie beside computed ones.
        for which, level in enumerate(self._drivers.stages_at(self.time)):
            stage = np.where(owner == which, np.maximum(self._domain.bed[cells], level), stage)
        return stage

    def bed_at(self, rows: Index, cols: Index) -> Raster:
        """Return the bed [m] of cells of the grid (n,)."""
        return self._domain.bed[np.asarray(rows) + 1, np.asarray(cols) + 1].astype(np.float64)

    def set_point_rates(self, rates: NDArray[np.floating]) -> None:
        """Set what each point's cell is given from now on [m3/s] (n,); negative takes, not more than there is."""
        values = np.asarray(rates, dtype=np.float64)
        if values.shape != self._point_rates.shape or not np.isfinite(values).all():
            raise InputError(
                f"point rates {values.shape} do not fit {self._point_rates.size} points, or are no numbers"
            )
        self._point_rates[:] = values

    def point_volumes(self) -> Raster:
        """Return what each point was given since the start, less what it lost [m3] (n,)."""
        return self._point_volumes.copy()

    def state(self) -> FloodState:
        """Return a copy of everything that changes, to go on from later."""
        self._hold_all()
        stage, x, y = self._water.stage.copy(), self._water.x.copy(), self._water.y.copy()
        maxima = (array.copy() for array in self._maxima)
        own = self._settings.copy(), self._running.copy(), self._infiltrated.copy()
        return FloodState(self.time, stage, x, y, *own, *maxima)

    def restore(self, state: FloodState) -> None:
        """Take up ``state`` of a solver with the same terrain and structures; InputError where it does not fit."""
        mine = self.state()
        for entry in fields(FloodState):
            given, expected = (np.shape(getattr(each, entry.name)) for each in (state, mine))
            if given != expected:
                raise InputError(f"saved state has {entry.name} of shape {given}, expected {expected}")
        self.time = state.time
        self._water = Water(state.stage.copy(), state.discharge_x.copy(), state.discharge_y.copy())
        self._settings, self._running = state.settings.copy(), state.running.copy()
        self._infiltrated = state.infiltrated.copy()
        maxima = (state.depth_max, state.velocity_max, state.hazard_max, state.arrival, state.durations)
        self._maxima = Maxima(*(array.copy() for array in maxima))
        self._set_loop()
        self._open_account()

    def run(
        self,
        duration_s: float,
        *,
        output_interval_s: float,
        on_frame: Callable[[FloodFrame], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> FloodResult:
        """Compute ``duration_s`` [s] from the present time on and return what happened.

        ``on_frame`` receives the water at the start and every ``output_interval_s`` [s], the end included.
        ``should_stop`` is asked every 50 steps. Raise InputError for durations that cannot be, NumericsError where the
        step collapses or the water is no number, MassBalanceError where volumes do not close.
        """
        if not (0.0 < duration_s < np.inf and 0.0 < output_interval_s < np.inf):
            raise InputError(f"duration {duration_s} s and output interval {output_interval_s} s must be above 0")
        self._open_account()
        stopped = False
        self._emit(on_frame)
        for stop in self._output_times(duration_s, output_interval_s):
            stopped = not self._reach(float(stop), should_stop)
            if stopped:
                break
            self._settle()
            self._emit(on_frame)
        return self.collect(stopped=stopped)

    def advance(self, duration_s: float) -> None:
        """Compute ``duration_s`` [s] and hand nothing out: for models stepped together, many times between results."""
        if not 0.0 < duration_s < np.inf:
            raise InputError(f"duration {duration_s} s must be above 0")
        self._reach(self.time + duration_s, None)

    def collect(self, *, stopped: bool = False) -> FloodResult:
        """Return what happened since the last result and begin a new account; ``stopped`` is handed on.

        Raise NumericsError where the water is no number, MassBalanceError where volumes do not close.
        """
        self._settle()
        record = self._record
        balance = self._balance(self._initial, record)
        balance.check(self.parameters.mass_tolerance)
        ids = [structure.id for structure in self._structures]
        moved = {key: (float(there), float(back)) for key, (there, back) in zip(ids, record.moved, strict=True)}
        result = self._collect(balance, moved, record, clock.perf_counter() - self._began, stopped)
        self._open_account()
        return result

    def _open_account(self) -> None:
        self._began = clock.perf_counter()
        self._initial = self._stored()
        self._record = make_record(len(self._structures))

    def _output_times(self, duration_s: float, interval_s: float) -> Raster:
        count = int(np.floor(duration_s / interval_s * (1.0 + 1e-12)))
        times = self.time + interval_s * np.arange(1, count + 1)
        end = self.time + duration_s
        return np.append(times[times < end - 1e-9 * interval_s], end)

    def _reach(self, end: float, should_stop: Callable[[], bool] | None) -> bool:
        """Run to ``end`` [s], stopping wherever some forcing bends; return whether nobody asked to stop before."""
        series = [self._drivers.times(), self._structure_times]
        if self._rain is not None:
            series.append(self._rain.times)
        if self._wind is not None:
            series.append(self._wind.times)
        if self._losses is not None:
            step = self.parameters.loss_step
            series.append(step * np.arange(np.floor(self.time / step) + 1.0, end / step))
        bends = np.unique(np.concatenate(series))
        for stop in (*bends[(bends > self.time) & (bends < end)], end):
            if not self._advance_to(float(stop), self._record, should_stop):
                return False
        return True

    def _settle(self) -> None:
        """Bring every cell to the present time: prescribed stages and largest depths; check that all are numbers."""
        self._hold_all()
        if not np.isfinite(self._stored()):
            row, col = (int(k) for k in np.argwhere(~np.isfinite(crop(self._water.stage, self.grid)))[0])
            raise NumericsError(f"stage in cell ({row}, {col}) is no number at {self.time:.3f} s")
        self._remember()

    def _advance_to(self, stop: float, record: Record, should_stop: Callable[[], bool] | None) -> bool:
        """Run to ``stop`` [s], before which no forcing bends; return whether nobody asked to stop before."""
        rates = self._no_rain
        if self._losses is not None:
            self._soak(self._losses, stop - self.time, record)
        elif np.any(fall := self._rain_at(self.time)):
            rates = self._catch * pad(np.broadcast_to(fall, self.grid.shape), 0.0).astype(np.float32)
        total = float((rates.astype(np.float64) * self._surface).sum()) if rates is not self._no_rain else 0.0
        segment = self._drivers.segment(
            self.time,
            stop,
            rain=total,
            rain_most=float(rates.max()) if total > 0.0 else 0.0,
            film=self._rain is not None,
            wind=(0.0, 0.0) if self._wind is None else self._wind.stress_at(0.5 * (self.time + stop)),
        )
        start_segment(self._water, self._domain, self._forcing, segment, self._tiles, self._clock, self._scheme)
        status = LEFT
        while status == LEFT:
            if should_stop is not None and should_stop():
                return False
            status = self._take_steps(segment, rates, record)
        np.maximum(self._peaks, self._drivers.stages_at(self.time), out=self._peaks)
        if status == STEP_TOO_SHORT:
            row, col = self._deepest()
            raise NumericsError(
                f"time step at {self.time:.3f} s fell below dt_min {self.parameters.dt_min:g} s; the limiting cell "
                f"is ({row}, {col}) with a depth of {self.depth[row, col]:.3g} m",
                hint="check the bed and the inflow there",
            )
        return True

    def _take_steps(self, segment: Segment, rates: Raster32, record: Record) -> int:
        """Do some steps on as many threads as seem fastest and return how the loop was left."""
        wanted = self._pace.choose(count_active(self._tiles, self.grid.rows, self.grid.cols))
        parallel = wanted and PARALLEL.acquire(blocking=False)
        before, began = int(record.counts[1]), clock.perf_counter()
        try:
            loop = advance_in_parallel if parallel else advance
            status = loop(
                self._water, self._domain, self._forcing, self._walls, self._breaches, segment, rates, self._tiles,
                self._buffers, self._maxima, self._thresholds, self._point_rates, self._point_volumes, self._links,
                self._settings, self._running, record, self._clock, self._scheme, TRIAL_STEPS,
            )  # fmt: skip
        finally:
            if parallel:
                PARALLEL.release()
        self._pace.note(parallel, int(record.counts[1]) - before, clock.perf_counter() - began)
        self.time = float(self._clock.now[0])
        return int(status)

    def _rain_at(self, time: float) -> Raster | float:
        """Return the rain from ``time`` [s] on, one number or one a cell (rows, cols) [m/s]."""
        match self._rain:
            case RainSeries():
                return self._rain.intensity_at(time) * MM_PER_HOUR
            case RainGrid():
                return np.asarray(self._rain.intensity_at(time)[self._rain.cell] * MM_PER_HOUR)
        return 0.0

    def _soak(self, losses: Losses, span: float, record: Record) -> None:
        """Add the rain of ``span`` [s] and take what the ground takes meanwhile."""
        computed, area = crop(self._surface, self.grid) > 0.0, self.grid.cell_area
        fallen = np.where(computed, self._rain_share * self._rain_at(self.time) * span, 0.0)
        stage, bed = crop(self._water.stage, self.grid), crop(self._domain.bed, self.grid)
        surface = crop(self._surface, self.grid)
        ponded = np.where(computed, (stage - bed) * surface / area, 0.0)
        taken = np.where(computed, infiltrate(fallen, ponded, span, self._infiltrated, losses), 0.0)
        # Not more than there is, whatever rounds: what is taken is counted as it changes the stage.
        level = np.maximum(
            stage + np.divide((fallen - taken) * area, surface, out=np.zeros_like(stage), where=computed), bed
        )
        record.accounts[RAIN] += float((fallen * area).sum())
        record.infiltrated[0] += float((fallen * area).sum()) - float(((level - stage) * surface).sum())
        stage[...] = np.where(computed, level, stage)

    def _remember(self) -> None:
        """Raise the largest depths of the whole grid: water in sleeping tiles and prescribed cells counts too."""
        depth = (self._water.stage - self._domain.bed).astype(np.float32)
        for which, peak in enumerate(self._peaks):
            cells = self._owner == which
            depth[cells] = np.maximum(peak - self._domain.bed[cells], 0.0)
        np.maximum(self._maxima.depth, depth, out=self._maxima.depth)

    def _stored(self) -> float:
        return float(((self._water.stage - self._domain.bed) * self._surface).sum())

    def _deepest(self) -> tuple[int, int]:
        depth = crop((self._water.stage - self._domain.bed) * (self._domain.gain > 0.0), self.grid)
        row, col = np.unravel_index(int(np.argmax(depth)), depth.shape)
        return int(row), int(col)

    def _emit(self, on_frame: Callable[[FloodFrame], None] | None) -> None:
        if on_frame is not None:
            on_frame(FloodFrame(self.time, self.depth.astype(np.float32)))

    def _balance(self, initial: float, record: Record) -> MassBalance:
        volumes = dict(zip(ACCOUNTS, (float(volume) for volume in record.accounts), strict=True))
        return MassBalance(initial, self._stored(), infiltrated=float(record.infiltrated[0]), **volumes)

    def _collect(
        self, balance: MassBalance, moved: dict[str, tuple[float, float]], record: Record, seconds: float, stopped: bool
    ) -> FloodResult:
        def show(values: Raster32) -> Raster32:
            return np.where(self._there, crop(values, self.grid), np.float32(np.nan))

        maxima = self._maxima
        return FloodResult(
            self.time,
            show(maxima.depth),
            show(maxima.speed),
            show(maxima.hazard),
            show(np.where(np.isfinite(maxima.arrival), maxima.arrival, np.float32(np.nan))),
            {depth: show(maxima.durations[k]) for k, depth in enumerate(self.parameters.durations)},
            self.depth.astype(np.float32),
            balance,
            moved,
            int(record.counts[0]),
            int(record.counts[1]),
            seconds,
            stopped,
        )


def _read_scheme(parameters: FloodParameters, cell_size: float, least_share: float, rains: bool) -> Scheme:
    wet_depth = parameters.film_depth if rains else parameters.dry_depth
    own: dict[str, Any] = {"cell_size": cell_size, "least_share": least_share, "wet_depth": wet_depth}
    return Scheme(**own, **{name: getattr(parameters, name) for name in Scheme._fields if name not in own})


def _empty_maxima(shape: tuple[int, int], thresholds: int) -> Maxima:
    depth, speed, hazard = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    never = np.full(shape, np.inf, dtype=np.float32)
    return Maxima(depth, speed, hazard, never, np.zeros((thresholds, *shape), dtype=np.float32))
