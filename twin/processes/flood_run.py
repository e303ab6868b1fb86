"""Run the water over the domain, hour by hour, so that an interrupted run goes on where it was."""

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.engine import Engine, EngineState
from hydrology.flood_record import FloodFrame, FloodResult
from hydrology.hazard import classify_hazard
from hydrology.mass_balance import MassBalance
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainGrid, RainSeries
from layers.schema import Text
from twin.process import Checkpoint, Progress, RasterOutput, StoppedError
from twin.processes.flood_engine import Subgrid, build_solver
from twin.processes.flood_inputs import FloodDomain
from twin.processes.flood_sewer import SeweredSolver, SewerReport
from twin.processes.flood_stage import StageSeries
from twin.processes.sewer_model import SewerModel

Raster32 = NDArray[np.float32]
Watch = Callable[[float, Raster32], None]

CHUNK_S = 3600.0
DURATION_LAYERS = {0.1: "flood_duration_01", 0.3: "flood_duration_03", 0.5: "flood_duration_05"}
"""Raster layer of the time under so many metres of water or more."""

FILM = 0.01
"""Thinner water [m] is not written: it is the film that rain leaves and the scheme does not move."""


@dataclass(frozen=True, slots=True, eq=False)
class FloodWater:
    """The water over land: depth (times, rows, cols) [m] at times [s], and the extremes over the run.

    NaN where it is water on any day or outside the terrain. depth_max [m], velocity_max [m/s], hazard_max [m²/s],
    arrival [s] (NaN never) are (rows, cols). ``durations`` hold the time [s] with at least so many metres of water, by
    metres, where the engine counts them. ``sewer`` tells of the sewers of a run that has them.
    """

    times: NDArray[np.float64]
    depth: Raster32
    depth_max: Raster32
    velocity_max: Raster32
    hazard_max: Raster32
    arrival: Raster32
    balance: Mapping[str, float]
    moved: Mapping[str, tuple[float, float]]
    steps: int
    durations: Mapping[float, Raster32] = field(default_factory=lambda: MappingProxyType({}))
    sewer: SewerReport | None = None


def warm_up(
    domain: FloodDomain,
    stage: StageSeries,
    rain: RainSeries | RainGrid | None,
    parameters: FloodParameters,
    progress: Progress,
    *,
    subgrid: Subgrid | None = None,
) -> EngineState:
    """Return the water at time 0 after what ``stage`` did from its first time on, with the extremes still to come.

    Raises StoppedError when asked to stop.
    """
    first = float(stage.times[0])
    solver = build_solver(domain, stage, rain, parameters, start_time=first, subgrid=subgrid)
    result = solver.run(-first, output_interval_s=CHUNK_S, should_stop=progress.should_stop)
    if result.stopped:
        raise StoppedError
    return solver.state().forget()


def run_flood(
    domain: FloodDomain,
    stage: StageSeries,
    rain: RainSeries | RainGrid | None,
    *,
    hours: float,
    interval_s: float,
    progress: Progress,
    parameters: FloodParameters,
    initial: EngineState | None = None,
    keeps_frames: bool = True,
    watch: Watch | None = None,
    sewer: SewerModel | None = None,
    subgrid: Subgrid | None = None,
) -> FloodWater:
    """Return the water over ``hours`` [h] with a frame every ``interval_s`` [s], or only the last one.

    ``watch`` is shown the time [s] and the depth of every frame, also of those that are not kept.
    ``initial`` is the water to start from at time 0 (None: calm, as the domain has it). Every hour of water is a point
    to go on from; a checkpoint of the same terrain and stage is taken up. With a ``sewer`` below, an interrupted run
    starts again. Raises StoppedError when asked to stop.
    """
    solver = build_solver(domain, stage, rain, parameters, sewer=sewer, subgrid=subgrid)
    if initial is not None:
        solver.restore(initial)
    keep = ~domain.water & np.isfinite(domain.bed)
    done = _Done(_sign(domain, stage, rain, hours, interval_s, subgrid))
    if sewer is None:
        done.take_up(solver, progress.read_checkpoint())
    end = hours * 3600.0
    steps_per_chunk = max(round(CHUNK_S / interval_s), 1)

    def collect(frame: FloodFrame) -> None:
        if not done.times or frame.time > done.times[-1]:
            if not keeps_frames:
                done.times.clear()
                done.frames.clear()
            done.times.append(frame.time)
            done.frames.append(_clean(frame.depth, keep))
            if watch is not None:
                watch(frame.time, done.frames[-1])
        progress.report(min(frame.time / end, 1.0), _word(frame.time, end))

    result: FloodResult | None = None
    with contextlib.ExitStack() as opened:
        sewered = None if sewer is None else opened.enter_context(SeweredSolver(solver, sewer, end))
        while result is None or solver.time < end - 1e-6:
            chunk = min(steps_per_chunk * interval_s, end - solver.time)
            result = (sewered or solver).run(
                chunk, output_interval_s=interval_s, on_frame=collect, should_stop=progress.should_stop
            )
            if result.stopped:
                raise StoppedError
            done.add(result)
            if sewer is None and solver.time < end - 1e-6:
                progress.write_checkpoint(lambda: done.save(solver.state()))
        report = None if sewered is None else sewered.report(done.balance()["residual"])
    return FloodWater(
        np.array(done.times),
        np.stack(done.frames),
        _clean(result.depth_max, keep),
        np.where(keep, result.velocity_max, np.nan).astype(np.float32),
        np.where(keep, result.hazard_max, np.nan).astype(np.float32),
        np.where(keep, result.arrival_time, np.nan).astype(np.float32),
        done.balance(),
        done.moved,
        done.steps,
        {
            depth: np.where(keep, span, np.nan).astype(np.float32)
            for depth, span in result.durations.items()
            if depth in DURATION_LAYERS
        },
        report,
    )


def to_rasters(water: FloodWater, domain: FloodDomain, start: datetime) -> dict[str, RasterOutput]:
    """Return the water as the flood raster layers."""
    times = tuple(start + timedelta(seconds=float(seconds)) for seconds in water.times)
    return {
        "flood_depth": RasterOutput(water.depth, domain.grid, times),
        "flood_depth_max": RasterOutput(water.depth_max, domain.grid),
        "flood_velocity_max": RasterOutput(water.velocity_max, domain.grid),
        "flood_hazard_max": RasterOutput(water.hazard_max, domain.grid),
        "flood_arrival": RasterOutput(water.arrival, domain.grid),
        "flood_stage_max": RasterOutput(_find_stage(water.depth_max, domain.bed), domain.grid),
        "flood_hazard_class": RasterOutput(_find_hazard(water), domain.grid),
        **{DURATION_LAYERS[depth]: RasterOutput(array, domain.grid) for depth, array in water.durations.items()},
    }


class _Done:
    """What a run has behind it: frames, volumes and steps, across attempts."""

    def __init__(self, signature: str) -> None:
        self.signature = signature
        self.times: list[float] = []
        self.frames: list[Raster32] = []
        self.volumes: dict[str, float] = {}
        self.moved: dict[str, tuple[float, float]] = {}
        self.steps = 0

    def add(self, result: FloodResult) -> None:
        volumes = asdict(result.balance)
        first = self.volumes.get("initial", volumes["initial"])
        summed = {name: self.volumes.get(name, 0.0) + value for name, value in volumes.items()}
        self.volumes = {**summed, "initial": first, "final": volumes["final"]}
        before = self.moved
        self.moved = {
            name: (there + before.get(name, (0.0, 0.0))[0], back + before.get(name, (0.0, 0.0))[1])
            for name, (there, back) in result.moved.items()
        }
        self.steps += result.steps

    def balance(self) -> dict[str, float]:
        total = MassBalance(**self.volumes)
        return {**self.volumes, "residual": total.residual, "relative_error": total.relative_error}

    def save(self, state: EngineState) -> Checkpoint:
        own = {f"state_{entry.name}": np.asarray(getattr(state, entry.name)) for entry in fields(state)}
        return {
            **own,
            "signature": np.array(self.signature),
            "times": np.array(self.times),
            "frames": np.stack(self.frames),
            "steps": np.array(self.steps),
            "volume_names": np.array(list(self.volumes)),
            "volumes": np.array(list(self.volumes.values())),
            "structures": np.array(list(self.moved), dtype=np.str_),
            "moved": np.array(list(self.moved.values()), dtype=np.float64).reshape(-1, 2),
        }

    def take_up(self, solver: Engine, saved: Checkpoint | None) -> None:
        if saved is None or str(saved["signature"]) != self.signature:
            return
        kind = type(solver.state())
        arrays: dict[str, Any] = {entry.name: saved[f"state_{entry.name}"] for entry in fields(kind)}
        numbers = {name: float(array) for name, array in arrays.items() if array.ndim == 0}
        solver.restore(kind(**{**arrays, **numbers}))
        self.times, self.frames = saved["times"].tolist(), list(saved["frames"])
        self.steps = int(saved["steps"])
        self.volumes = dict(zip(saved["volume_names"].tolist(), saved["volumes"].tolist(), strict=True))
        moved = ((float(there), float(back)) for there, back in saved["moved"])
        self.moved = dict(zip(saved["structures"].tolist(), moved, strict=True))


def _find_stage(depth_max: Raster32, bed: NDArray[np.floating]) -> Raster32:
    """Return the highest water level [m] (rows, cols), NaN where it stayed dry."""
    return np.where(depth_max > 0.0, bed + depth_max, np.nan).astype(np.float32)


def _find_hazard(water: FloodWater) -> Raster32:
    """Return the hazard class H1–H6 as 1–6 (rows, cols), 0 where it stayed dry, NaN outside the land."""
    codes = classify_hazard(water.depth_max, water.velocity_max, water.hazard_max)
    return np.where(np.isfinite(water.depth_max), codes, np.nan).astype(np.float32)


def _clean(depth: Raster32, keep: NDArray[np.bool_]) -> Raster32:
    return np.where(keep, np.where(depth >= FILM, depth, np.float32(0.0)), np.float32(np.nan))


def _sign(
    domain: FloodDomain,
    stage: StageSeries,
    rain: RainSeries | RainGrid | None,
    hours: float,
    interval_s: float,
    subgrid: Subgrid | None,
) -> str:
    words = (domain.grid, domain.structures, domain.breaches, domain.wind, type(domain.losses), hours, interval_s)
    digest = hashlib.sha256(f"{words} {None if subgrid is None else subgrid.factor}".encode())
    arrays = [domain.bed, domain.mannings_n, domain.depth, domain.stage_cells, stage.times, stage.stages]
    if domain.walls is not None:
        arrays += [domain.walls.x, domain.walls.y]
    if domain.storage is not None:
        arrays.append(domain.storage)
    if domain.losses is not None:
        arrays += [getattr(domain.losses, entry.name) for entry in fields(domain.losses)]
    if rain is not None:
        arrays += [rain.times, rain.intensity, domain.runoff]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _word(seconds: float, end: float) -> str:
    words = Text(f"nước sau {seconds / 3600.0:.1f} trong {end / 3600.0:g} giờ", "water after")
    return f"{words.vi} — {words.en} {seconds / 3600.0:.1f} of {end / 3600.0:g} h"
