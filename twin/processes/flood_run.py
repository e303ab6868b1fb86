"""Run the water over the domain, hour by hour, so that an interrupted run goes on where it was."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import StageBoundary
from hydrology.flood import FloodFrame, FloodResult, FloodSolver, FloodState
from hydrology.mass_balance import MassBalance
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainSeries
from layers.schema import Text
from twin.process import Checkpoint, Progress, RasterOutput, StoppedError
from twin.processes.flood_inputs import FloodDomain
from twin.processes.flood_stage import StageSeries

Raster32 = NDArray[np.float32]

CHUNK_S = 3600.0
FILM = 0.01
"""Thinner water [m] is not written: it is the film that rain leaves and the scheme does not move."""


@dataclass(frozen=True, slots=True, eq=False)
class FloodWater:
    """The water over land: depth (times, rows, cols) [m] at times [s], and the extremes over the run.

    NaN where it is water on any day or outside the terrain. depth_max [m], velocity_max [m/s], hazard_max [m²/s],
    arrival [s] (NaN never) are (rows, cols).
    """

    times: NDArray[np.float64]
    depth: Raster32
    depth_max: Raster32
    velocity_max: Raster32
    hazard_max: Raster32
    arrival: Raster32
    balance: Mapping[str, float]
    pumped: Mapping[str, float]
    steps: int


def run_flood(
    domain: FloodDomain,
    stage: StageSeries,
    rain: RainSeries | None,
    *,
    hours: float,
    interval_s: float,
    progress: Progress,
    parameters: FloodParameters,
) -> FloodWater:
    """Return the water over ``hours`` [h] with a frame every ``interval_s`` [s].

    Every hour of water is a point to go on from; a checkpoint of the same terrain and stage is taken up. Raises
    StoppedError when asked to stop.
    """
    boundary = StageBoundary(domain.stage_cells, stage.times, stage.stages, "river stage")
    solver = FloodSolver(
        domain.grid,
        domain.bed,
        domain.mannings_n,
        depth=np.where(np.isfinite(domain.bed), domain.depth, 0.0),
        boundaries=(boundary,),
        rain=rain,
        pumps=domain.pumps,
        parameters=parameters,
    )
    keep = ~domain.water & np.isfinite(domain.bed)
    done = _Done(_sign(domain, stage, rain, hours, interval_s))
    done.take_up(solver, progress.read_checkpoint())
    end = hours * 3600.0
    steps_per_chunk = max(round(CHUNK_S / interval_s), 1)

    def collect(frame: FloodFrame) -> None:
        if not done.times or frame.time > done.times[-1]:
            done.times.append(frame.time)
            done.frames.append(_clean(frame.depth, keep))
        progress.report(min(frame.time / end, 1.0), _word(frame.time, end))

    result: FloodResult | None = None
    while result is None or solver.time < end - 1e-6:
        chunk = min(steps_per_chunk * interval_s, end - solver.time)
        result = solver.run(chunk, output_interval_s=interval_s, on_frame=collect, should_stop=progress.should_stop)
        if result.stopped:
            raise StoppedError
        done.add(result)
        if solver.time < end - 1e-6:
            progress.write_checkpoint(lambda: done.save(solver.state()))
    return FloodWater(
        np.array(done.times),
        np.stack(done.frames),
        _clean(result.depth_max, keep),
        np.where(keep, result.velocity_max, np.nan).astype(np.float32),
        np.where(keep, result.hazard_max, np.nan).astype(np.float32),
        np.where(keep, result.arrival_time, np.nan).astype(np.float32),
        done.balance(),
        done.pumped,
        done.steps,
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
    }


class _Done:
    """What a run has behind it: frames, volumes and steps, across attempts."""

    def __init__(self, signature: str) -> None:
        self.signature = signature
        self.times: list[float] = []
        self.frames: list[Raster32] = []
        self.volumes: dict[str, float] = {}
        self.pumped: dict[str, float] = {}
        self.steps = 0

    def add(self, result: FloodResult) -> None:
        volumes = asdict(result.balance)
        first = self.volumes.get("initial", volumes["initial"])
        summed = {name: self.volumes.get(name, 0.0) + value for name, value in volumes.items()}
        self.volumes = {**summed, "initial": first, "final": volumes["final"]}
        self.pumped = {name: self.pumped.get(name, 0.0) + value for name, value in result.pumped.items()}
        self.steps += result.steps

    def balance(self) -> dict[str, float]:
        total = MassBalance(**self.volumes)
        return {**self.volumes, "residual": total.residual, "relative_error": total.relative_error}

    def save(self, state: FloodState) -> Checkpoint:
        own = {f"state_{entry.name}": np.asarray(getattr(state, entry.name)) for entry in fields(FloodState)}
        return {
            **own,
            "signature": np.array(self.signature),
            "times": np.array(self.times),
            "frames": np.stack(self.frames),
            "steps": np.array(self.steps),
            "volume_names": np.array(list(self.volumes)),
            "volumes": np.array(list(self.volumes.values())),
            "pump_names": np.array(list(self.pumped), dtype=np.str_),
            "pumped": np.array(list(self.pumped.values()), dtype=np.float64),
        }

    def take_up(self, solver: FloodSolver, saved: Checkpoint | None) -> None:
        if saved is None or str(saved["signature"]) != self.signature:
            return
        arrays: dict[str, Any] = {entry.name: saved[f"state_{entry.name}"] for entry in fields(FloodState)}
        solver.restore(FloodState(**{**arrays, "time": float(arrays["time"])}))
        self.times, self.frames = saved["times"].tolist(), list(saved["frames"])
        self.steps = int(saved["steps"])
        self.volumes = dict(zip(saved["volume_names"].tolist(), saved["volumes"].tolist(), strict=True))
        self.pumped = dict(zip(saved["pump_names"].tolist(), saved["pumped"].tolist(), strict=True))


def _clean(depth: Raster32, keep: NDArray[np.bool_]) -> Raster32:
    return np.where(keep, np.where(depth >= FILM, depth, np.float32(0.0)), np.float32(np.nan))


def _sign(domain: FloodDomain, stage: StageSeries, rain: RainSeries | None, hours: float, interval_s: float) -> str:
    digest = hashlib.sha256(f"{domain.grid} {domain.pumps} {hours} {interval_s}".encode())
    for array in (
        domain.bed,
        domain.mannings_n,
        domain.depth,
        domain.stage_cells,
        stage.times,
        stage.stages,
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    if rain is not None:
        digest.update(rain.intensity.tobytes() + rain.times.tobytes())
    return digest.hexdigest()


def _word(seconds: float, end: float) -> str:
    words = Text(f"nước sau {seconds / 3600.0:.1f} trong {end / 3600.0:g} giờ", "water after")
    return f"{words.vi} — {words.en} {seconds / 3600.0:.1f} of {end / 3600.0:g} h"
