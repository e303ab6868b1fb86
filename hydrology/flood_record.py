"""What a flood run hands out: frames on the way, its state to go on from, its result."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hydrology.mass_balance import MassBalance

Raster32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FloodFrame:
    """The water at one time [s]: depth [m] (rows, cols), NaN outside the domain."""

    time: float
    depth: Raster32


@dataclass(frozen=True, slots=True, eq=False)
class FloodState:
    """All a run needs to go on exactly where it stopped; arrays are copies, of the padded grid where 2-D.

    settings, running: of the structures. infiltrated: so far per area of open ground [m] (rows, cols), empty without
    losses. durations (thresholds, …) [s].
    """

    time: float
    stage: NDArray[np.float64]
    discharge_x: Raster32
    discharge_y: Raster32
    settings: NDArray[np.float64]
    running: NDArray[np.uint8]
    infiltrated: NDArray[np.float64]
    depth_max: Raster32
    velocity_max: Raster32
    hazard_max: Raster32
    arrival: Raster32
    durations: Raster32

    def forget(self) -> "FloodState":
        """Return the same water with its extremes, arrivals and durations still to come."""
        extremes = ("depth_max", "velocity_max", "hazard_max", "durations")
        nothing = {name: np.zeros_like(getattr(self, name)) for name in extremes}
        return replace(self, arrival=np.full_like(self.arrival, np.inf), **nothing)


@dataclass(frozen=True, slots=True, eq=False)
class FloodResult:
    """What a run found; rasters (rows, cols) are NaN outside the domain.

    depth_max [m], velocity_max [m/s], hazard_max: depth × velocity [m2/s], arrival_time: first time the depth reached
    ``arrival_depth`` [s], NaN where never; durations: time at least as deep as each threshold [m] → [s]; depth: at
    the end [m]. balance: the water account of this run. moved: volume each structure moved from its first to its
    second end and back [m3]. cell_updates: cells visited, all steps. seconds: wall time [s]. stopped: True where
    ``should_stop`` ended the run before its time.
    """

    time: float
    depth_max: Raster32
    velocity_max: Raster32
    hazard_max: Raster32
    arrival_time: Raster32
    durations: dict[float, Raster32]
    depth: Raster32
    balance: MassBalance
    moved: dict[str, tuple[float, float]] = field(default_factory=dict)
    steps: int = 0
    cell_updates: int = 0
    seconds: float = 0.0
    stopped: bool = False
