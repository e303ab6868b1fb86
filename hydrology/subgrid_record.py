"""What the subgrid solver remembers of each coarse cell, and what it hands out."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_part
from hydrology.flood_record import FloodResult
from hydrology.subgrid import STAGE_LEVELS
from hydrology.subgrid_domain import Blocks, Terrain, Water
from hydrology.subgrid_durations import count_time
from hydrology.subgrid_kernels import record_levels, record_speeds
from hydrology.subgrid_sweeping import find_run
from hydrology.sweeping import Scheme

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]


class Memory(NamedTuple):
    """What a run remembers of each cell: the coarse grid with its ring; times [s] are after ``origin``.

    depth: largest mean depth [m], at ``peak``. speed [m/s]. reached: levels of the table so far, and when, ``arrival``
    (levels + 2). levels, place, since, spans: as count_time keeps them.
    """

    origin: float
    depth: Array
    peak: Array
    speed: Array32
    reached: NDArray[np.uint8]
    arrival: Array32
    levels: Array32
    place: NDArray[np.uint8]
    since: Array
    spans: Array32


def make_memory(levels: Array32, origin: float) -> Memory:
    """Return the memory of a run that begins at ``origin`` [s]; levels from choose_levels."""
    shape = levels.shape[:2]
    zero, small = np.zeros(shape), np.zeros(shape, dtype=np.uint8)
    return Memory(
        origin=origin,
        depth=zero.copy(),
        peak=zero.copy(),
        speed=np.zeros(shape, dtype=np.float32),
        reached=small.copy(),
        arrival=np.full((*shape, STAGE_LEVELS + 2), np.inf, dtype=np.float32),
        levels=levels,
        place=small.copy(),
        since=zero.copy(),
        spans=np.zeros((*shape, levels.shape[2] + 1), dtype=np.float32),
    )


@compile_part
def remember(
    water: Water, x: Array32, y: Array32, terrain: Terrain, blocks: Blocks, memory: Memory, time: float, whole: bool,
    scheme: Scheme,
) -> None:  # fmt: skip
    """Raise the maxima of the active blocks, or of the whole grid."""
    end, after = water.depth.shape[1] - 1, time - memory.origin
    for i in range(1, water.depth.shape[0] - 1):
        lo, hi, b = find_run(blocks.active[i], 1, whole, end)
        while lo < hi:
            depth = water.depth[i, lo:hi]
            record_levels(
                depth, terrain.per_length[i, lo:hi], terrain.per_full[i, lo:hi], after, terrain.last_place[i, lo:hi],
                memory.depth[i, lo:hi], memory.peak[i, lo:hi], memory.reached[i, lo:hi], memory.arrival[i, lo:hi],
            )  # fmt: skip
            record_speeds(
                depth, x[i, lo : hi + 1], y[i, lo:hi], y[i + 1, lo:hi], scheme.speed_depth, memory.speed[i, lo:hi]
            )
            lo, hi, b = find_run(blocks.active[i], b, whole, end)


@compile_part
def count(water: Water, terrain: Terrain, memory: Memory, time: float) -> None:
    """Count the time of all cells up to ``time`` [s]."""
    for i in range(1, water.depth.shape[0] - 1):
        count_time(
            water.stage[i], terrain.per_length[i], memory.levels[i], time - memory.origin, memory.place[i],
            memory.since[i], memory.spans[i],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SubgridState:
    """All a run needs to go on exactly where it stopped; copies of coarse arrays, with their ring where not said.

    settings, running: of the structures. infiltrated: so far per area of open ground [m], without the ring, empty
    without losses. The rest as Water and Memory.
    """

    time: float
    origin: float
    depth: Array
    discharge_x: Array32
    discharge_y: Array32
    settings: Array
    running: NDArray[np.uint8]
    infiltrated: Array
    depth_max: Array
    peak: Array
    speed_max: Array32
    reached: NDArray[np.uint8]
    arrival: Array32
    spans: Array32

    def forget(self) -> "SubgridState":
        """Return the same water with its extremes, arrivals and durations still to come."""
        nothing = {
            name: np.zeros_like(getattr(self, name)) for name in ("depth_max", "peak", "speed_max", "reached", "spans")
        }
        return replace(self, origin=self.time, arrival=np.full_like(self.arrival, np.inf), **nothing)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SubgridResult(FloodResult):
    """What a run found, rasters of the pixels as in FloodResult.

    velocity_max is that of the coarse cell, where the pixel got wet; hazard_max: depth_max × velocity_max, which may
    come at different times, so at least the largest product. cell_updates: coarse cells visited. stage_max, stage: of
    the coarse cells without their ring [m], NaN where there is no pixel or no water.
    """

    stage_max: Array
    stage: Array
