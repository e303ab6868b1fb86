"""FloodSolver: where water goes over a terrain, from rain, rivers, tides and inflows."""

import time as clock
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import Boundary
from hydrology.domain import BLOCK, INSIDE, build_domain, check_raster, find_bad_cell, pad
from hydrology.forcing import Drivers, build_forcing, locate_prescribed
from hydrology.mass_balance import MassBalance
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainSeries
from hydrology.stepping import STEP_TOO_SHORT, Blocks, Fields, Maxima, Scheme, advance
from hydrology.structures import Pump
from layers.errors import InputError, NumericsError
from layers.grid import Grid

Raster32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FloodFrame:
    """The water at one time [s]: depth [m] (rows, cols), NaN outside the domain."""

    time: float
    depth: Raster32


@dataclass(frozen=True, slots=True, eq=False)
class FloodState:
    """All a run needs to go on exactly where it stopped; arrays are copies, of the padded grid where 2-D."""

    time: float
    stage: NDArray[np.float64]
    discharge_x: Raster32
    discharge_y: Raster32
    pumps_running: NDArray[np.uint8]
    depth_max: Raster32
    velocity_max: Raster32
    hazard_max: Raster32
    arrival: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FloodResult:
    """What a run found; rasters (rows, cols) are NaN outside the domain.

    depth_max [m], velocity_max [m/s], hazard_max: depth × velocity [m2/s], arrival_time: first time the depth
    reached ``arrival_depth`` [s], NaN where never; depth: at the end [m]. balance: the water account of this run.
    pumped: volume moved by each pump [m3]. cell_updates: cells visited, all steps. seconds: wall time [s].
    stopped: True where ``should_stop`` ended the run before its time.
    """

    time: float
    depth_max: Raster32
    velocity_max: Raster32
    hazard_max: Raster32
    arrival_time: NDArray[np.float64]
    depth: Raster32
    balance: MassBalance
    pumped: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    cell_updates: int = 0
    seconds: float = 0.0
    stopped: bool = False


class FloodSolver:
    """Two-dimensional local inertial shallow water on a regular grid (Bates 2010, de Almeida 2012).

    Without the advection term: dam breaks, weirs in free fall and jets are outside its range. Edges are closed
    unless a boundary says otherwise, and so is the rim of cells without a bed (NaN).
    """

    def __init__(
        self,
        grid: Grid,
        bed: NDArray[np.floating],
        mannings_n: NDArray[np.floating] | float,
        *,
        depth: NDArray[np.floating] | None = None,
        boundaries: Sequence[Boundary] = (),
        rain: RainSeries | None = None,
        pumps: Sequence[Pump] = (),
        parameters: FloodParameters | None = None,
        start_time: float = 0.0,
    ) -> None:
        """Check and take over the terrain and what drives the water.

        bed [m], mannings_n [s/m^(1/3)] and the initial depth [m] are (rows, cols), n may be one number. The times of
        boundaries and rain [s] and ``start_time`` [s] share one clock. Raise InputError naming the value at fault.
        """
        self.grid = grid
        self.parameters = parameters or FloodParameters()
        self._drivers = Drivers.sort(boundaries, rain, pumps)
        heights = check_raster("bed", bed, grid.shape)
        self._there = np.isfinite(heights)
        owner = locate_prescribed(self._drivers.stages, self._drivers.inflows, self._there)
        share = rain.coefficient if rain is not None else None
        self._domain = build_domain(grid, heights, mannings_n, owner >= 0, share, self.parameters.gravity)
        n = np.broadcast_to(np.asarray(mannings_n, dtype=np.float64), grid.shape)
        self._forcing = build_forcing(grid, self._drivers, self._domain, owner, self._there, n)
        self._owner = np.pad(owner, 1, constant_values=-1)
        self._scheme = _read_scheme(self.parameters, grid.cell_size)
        self._pumps_running = np.zeros(len(self._forcing.pump_row), dtype=np.uint8)
        self._maxima = _empty_maxima(self._domain.bed.shape)
        self.time = float(start_time)
        self._set_fields(self._start_stage(heights, depth))

    def _start_stage(self, heights: NDArray[np.float64], depth: NDArray[np.floating] | None) -> NDArray[np.float64]:
        water = np.zeros(self.grid.shape) if depth is None else check_raster("initial depth", depth, self.grid.shape)
        find_bad_cell("initial depth", self._there & ~((water >= 0.0) & (water < 1.0e4)), water, "0 m or more")
        return self._domain.bed + pad(np.where(self._there, water, 0.0), 0.0)

    def _set_fields(self, stage: NDArray[np.float64], x: Raster32 | None = None, y: Raster32 | None = None) -> None:
        shape = stage.shape
        zero = np.zeros(shape, dtype=np.float32)
        x, y = zero if x is None else x, zero if y is None else y
        self._old = Fields(stage.copy(), x.copy(), y.copy())
        self._new = Fields(stage.copy(), x.copy(), y.copy())
        blocks = (shape[0], -(-(shape[1] - 2) // BLOCK) + 2)
        self._blocks = Blocks(*(np.zeros(blocks, dtype=np.uint8) for _ in range(3)))
        self._blocks.linger[1:-1, 1:-1] = 2
        self._hold_all(self.time)
        self._mark_wet()

    def _hold_all(self, time: float) -> None:
        """Set every prescribed cell to its stage, in both sets of fields."""
        for which, level in enumerate(self._drivers.stages_at(time)):
            cells = self._owner == which
            for fields in (self._old, self._new):
                fields.stage[cells] = np.maximum(self._domain.bed[cells], level)

    def _mark_wet(self) -> None:
        """Mark the blocks with computed water; those of overtopped banks are woken by the first step."""
        depth = (self._old.stage - self._domain.bed) * (self._domain.per_length > 0.0)
        rows, cols = np.nonzero(depth > self.parameters.dry_depth)
        self._blocks.wet[rows, 1 + (cols - 1) // BLOCK] = 1

    @property
    def depth(self) -> NDArray[np.float64]:
        """Depth now [m] (rows, cols), NaN outside the domain."""
        depth = np.maximum(self._old.stage - self._domain.bed, 0.0)[INSIDE]
        return np.where(self._there, depth, np.nan)

    def state(self) -> FloodState:
        """Return a copy of everything that changes, to go on from later."""
        return FloodState(
            self.time,
            self._old.stage.copy(),
            self._old.x.copy(),
            self._old.y.copy(),
            self._pumps_running.copy(),
            self._maxima.depth.copy(),
            self._maxima.speed.copy(),
            self._maxima.hazard.copy(),
            self._maxima.arrival.copy(),
        )

    def restore(self, state: FloodState) -> None:
        """Take up ``state`` of a solver with the same terrain and pumps; raise InputError where it does not fit."""
        if state.stage.shape != self._domain.bed.shape or state.pumps_running.shape != self._pumps_running.shape:
            raise InputError(
                f"saved state has shape {state.stage.shape} and {state.pumps_running.size} pumps, expected "
                f"{self._domain.bed.shape} and {self._pumps_running.size}"
            )
        self.time = state.time
        self._pumps_running = state.pumps_running.copy()
        self._maxima = Maxima(
            state.depth_max.copy(), state.velocity_max.copy(), state.hazard_max.copy(), state.arrival.copy()
        )
        self._set_fields(state.stage, state.discharge_x, state.discharge_y)

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
        ``should_stop`` is asked at every output and forcing time. Raise InputError for durations that cannot be,
        NumericsError where the step collapses or the water is no number, MassBalanceError where volumes do not
        close.
        """
        if not (0.0 < duration_s < np.inf and 0.0 < output_interval_s < np.inf):
            raise InputError(f"duration {duration_s} s and output interval {output_interval_s} s must be above 0")
        began = clock.perf_counter()
        accounts, pumped = np.zeros(6), np.zeros(len(self._forcing.pump_row))
        initial = self._stored()
        outputs = self._output_times(duration_s, output_interval_s)
        bends = self._drivers.times()
        end = float(outputs[-1])
        stops = np.unique(np.concatenate([outputs, bends[(bends > self.time) & (bends < end)]]))
        shown = {float(t) for t in outputs}
        steps = updates = 0
        stopped = False
        self._emit(on_frame)
        for stop in stops:
            if should_stop is not None and should_stop():
                stopped = True
                break
            done = self._advance_to(float(stop), accounts, pumped)
            steps, updates = steps + done[0], updates + done[1]
            if float(stop) in shown:
                self._emit(on_frame)
        balance = MassBalance(initial, self._stored(), *(float(volume) for volume in accounts))
        balance.check(self.parameters.mass_tolerance)
        ids = [pump.id for pump in self._drivers.pumps if pump.on]
        volumes = dict(zip(ids, (float(volume) for volume in pumped), strict=True))
        return self._collect(balance, volumes, steps, updates, clock.perf_counter() - began, stopped)

    def _output_times(self, duration_s: float, interval_s: float) -> NDArray[np.float64]:
        count = int(np.floor(duration_s / interval_s * (1.0 + 1e-12)))
        times = self.time + interval_s * np.arange(1, count + 1)
        end = self.time + duration_s
        return np.append(times[times < end - 1e-9 * interval_s], end)

    def _advance_to(self, stop: float, accounts: NDArray[np.float64], pumped: NDArray[np.float64]) -> tuple[int, int]:
        segment = self._drivers.segment(self.time, stop, self.grid.cell_area)
        status, self.time, _, steps, updates = advance(
            self._old, self._new, self._domain, self._forcing, segment, self._blocks, self._maxima,
            self._pumps_running, pumped, accounts, self._scheme, self._highest(),
        )  # fmt: skip
        if steps % 2:
            self._old, self._new = self._new, self._old
        if status == STEP_TOO_SHORT:
            row, col = self._deepest()
            raise NumericsError(
                f"time step at {self.time:.3f} s fell below dt_min {self.parameters.dt_min:g} s; the limiting cell "
                f"is ({row}, {col}) with a depth of {self.depth[row, col]:.3g} m",
                hint="check the bed and the inflow there",
            )
        self._hold_all(self.time)
        if not np.isfinite(self._stored()):
            row, col = (int(k) for k in np.argwhere(~np.isfinite(self._old.stage[INSIDE]))[0])
            raise NumericsError(f"stage in cell ({row}, {col}) is no number at {self.time:.3f} s")
        depth = (self._old.stage - self._domain.bed).astype(np.float32)
        np.maximum(self._maxima.depth, depth, out=self._maxima.depth)
        return steps, updates

    def _computed_depth(self) -> NDArray[np.float64]:
        return (self._old.stage - self._domain.bed) * (self._domain.per_length > 0.0)

    def _stored(self) -> float:
        return float(self._computed_depth().sum()) * self.grid.cell_area

    def _deepest(self) -> tuple[int, int]:
        inside = self._computed_depth()[INSIDE]
        row, col = np.unravel_index(int(np.argmax(inside)), inside.shape)
        return int(row), int(col)

    def _highest(self) -> float:
        """Largest depth that limits the step [m]: of computed cells, and over faces to prescribed ones."""
        highest = float(self._computed_depth().max())
        stage, forcing = self._old.stage, self._forcing
        row, col = forcing.link_face_row, forcing.link_face_col
        if row.size:
            along = forcing.link_axis == 0
            other = stage[np.where(along, row, row - 1), np.where(along, col - 1, col)]
            crest = np.where(along, self._domain.crest_x[row, col], self._domain.crest_y[row, col])
            highest = max(highest, float((np.maximum(stage[row, col], other) - crest).max()))
        return highest

    def _emit(self, on_frame: Callable[[FloodFrame], None] | None) -> None:
        if on_frame is not None:
            on_frame(FloodFrame(self.time, self.depth.astype(np.float32)))

    def _collect(
        self, balance: MassBalance, pumped: dict[str, float], steps: int, updates: int, seconds: float, stopped: bool
    ) -> FloodResult:
        def crop(values: Raster32) -> Raster32:
            return np.where(self._there, values[INSIDE], np.float32(np.nan))

        arrival = self._maxima.arrival[INSIDE]
        return FloodResult(
            self.time,
            crop(self._maxima.depth),
            crop(self._maxima.speed),
            crop(self._maxima.hazard),
            np.where(self._there & np.isfinite(arrival), arrival, np.nan),
            self.depth.astype(np.float32),
            balance,
            pumped,
            steps,
            updates,
            seconds,
            stopped,
        )


def _read_scheme(parameters: FloodParameters, cell_size: float) -> Scheme:
    values = {name: getattr(parameters, name) for name in Scheme._fields if name != "cell_size"}
    return Scheme(cell_size=cell_size, **values)


def _empty_maxima(shape: tuple[int, int]) -> Maxima:
    depth, speed, hazard = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    return Maxima(depth, speed, hazard, np.full(shape, np.inf))
