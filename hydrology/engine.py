"""What every flood engine offers: FloodSolver with every pixel a cell, SubgridSolver with tables of them."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hydrology.flood_record import FloodFrame, FloodResult, FloodState
from hydrology.subgrid_record import SubgridState

EngineState = FloodState | SubgridState
"""What an engine goes on from: times and arrays, and ``forget`` for the same water with nothing remembered."""


class Engine(Protocol):
    """A flood over a terrain, computed from ``time`` [s] on; see FloodSolver. It is a coupling's ``Surface`` too."""

    time: float

    @property
    def depth(self) -> NDArray[Any]:
        """Depth now [m] (rows, cols), NaN outside the domain."""

    @property
    def cell_area(self) -> float:
        """Area of a cell of the terrain [m2]."""

    def stage_at(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the stage now [m] in cells of the terrain (n,)."""

    def bed_at(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the bed [m] of cells of the terrain (n,)."""

    def set_point_rates(self, rates: NDArray[np.float64]) -> None:
        """Set what each point's cell is given from now on [m3/s] (n,)."""

    def point_volumes(self) -> NDArray[np.float64]:
        """Return what each point was given since the start, less what it lost [m3] (n,)."""

    def state(self) -> EngineState:
        """Return a copy of everything that changes."""

    def restore(self, state: Any) -> None:
        """Take up a state of an engine of the same kind, terrain and structures."""

    def run(
        self,
        duration_s: float,
        *,
        output_interval_s: float,
        on_frame: Callable[[FloodFrame], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> FloodResult:
        """Compute ``duration_s`` [s] and return what happened, with a frame every ``output_interval_s`` [s]."""

    def advance(self, duration_s: float) -> None:
        """Compute ``duration_s`` [s] and hand nothing out."""

    def collect(self, *, stopped: bool = False) -> FloodResult:
        """Return what happened since the last result and begin a new account."""
