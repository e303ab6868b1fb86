"""A flood with the sewers below it: the engine of the surface and SWMM in steps of a few seconds, and what passed.

SWMM runs in a process of its own, so that runs of one worker do not get in each other's way. Its state cannot be saved
exactly (a hot start file holds single precision), so that an interrupted run with sewers starts again.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

import numpy as np

from hydrology.coupling import CoupledFlood, CouplingStep, list_points
from hydrology.drainage_process import DrainageProcess
from hydrology.engine import Engine, EngineState
from hydrology.flood_record import FloodFrame, FloodResult
from twin.processes.sewer_model import SewerModel

COUPLING_S = 10.0
"""Surface and sewers look at each other so often [s]: test 8B of the Environment Agency comes out as with 2 s."""

MOST_MANHOLES = 50
"""Rows of the table of manholes that water came out of."""

LEAST_VOLUME = 0.1
"""Less water than this out of a manhole is the exchange going to and fro [m3]."""


@dataclass(frozen=True, slots=True)
class SewerReport:
    """What passed between the surface and the sewers.

    summary: for the record of the run. parameters: the model's counts and how it was coupled.
    """

    summary: dict[str, Any]
    parameters: dict[str, Any]


class SeweredSolver:
    """An engine's ``run`` with sewers below; use it in a ``with`` statement."""

    def __init__(self, solver: Engine, model: SewerModel, duration_s: float) -> None:
        """Open the model for ``duration_s`` [s]; the solver has the points of ``list_sewer_points``."""
        self._solver, self._model = solver, model
        self._drainage = DrainageProcess(model.text, duration_s=duration_s)
        count = len(model.openings)
        self._out, self._in, self._rise = np.zeros(count), np.zeros(count), np.full(count, -np.inf)
        self._first = np.full(count, np.nan)
        try:
            self._coupled = CoupledFlood(solver, self._drainage, model.openings, model.mouths)
        except BaseException:
            self._drainage.close()
            raise

    def __enter__(self) -> "SeweredSolver":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drainage.close()

    @property
    def time(self) -> float:
        """Now [s]."""
        return self._solver.time

    def state(self) -> EngineState:
        """Return the state of the surface alone."""
        return self._solver.state()

    def run(
        self,
        duration_s: float,
        *,
        output_interval_s: float,
        on_frame: Callable[[FloodFrame], None],
        should_stop: Callable[[], bool],
    ) -> FloodResult:
        """Compute ``duration_s`` [s], whole intervals or the last part of one; see ``Engine.run``."""
        stopped = False
        ends = np.append(np.arange(output_interval_s, duration_s - 1.0e-6, output_interval_s), duration_s)
        self._emit(on_frame)
        for span in np.diff(ends, prepend=0.0):
            end = self._solver.time + float(span)
            self._coupled.run(float(span), step_s=COUPLING_S, on_step=self._note, should_stop=should_stop)
            stopped = self._solver.time < end - 1.0e-3
            if stopped:
                break
            self._emit(on_frame)
        return self._solver.collect(stopped=stopped)

    def _emit(self, on_frame: Callable[[FloodFrame], None]) -> None:
        on_frame(FloodFrame(self._solver.time, self._solver.depth.astype(np.float32)))

    def _note(self, step: CouplingStep) -> None:
        self._out += np.maximum(-step.rates, 0.0) * step.step
        self._in += np.maximum(step.rates, 0.0) * step.step
        rising = (step.rates < 0.0) & np.isnan(self._first)
        self._first[rising] = step.time
        np.maximum(self._rise, step.rises, out=self._rise)

    def report(self, residual: float) -> SewerReport:
        """Return what passed so far; ``residual`` is that of the surface's own account [m3]."""
        account = self._coupled.account()
        handled = account.into_sewer + account.out_of_sewer + account.outfalls_out + account.outfalls_back
        total = residual + account.residual
        summary = {
            "surface_to_sewer": round(account.into_sewer, 1),
            "sewer_to_surface": round(account.out_of_sewer, 1),
            "outfalls_out": round(account.outfalls_out, 1),
            "outfalls_back": round(account.outfalls_back, 1),
            "stored": round(account.sewer.stored, 1),
            "flooded_manholes": int((self._out >= LEAST_VOLUME).sum()),
            "swmm_continuity_error": account.sewer.relative_error,
            "residual": total,
            "relative_residual": abs(total) / max(handled, 1.0),
            "manholes": self._list_manholes(),
        }
        parameters = {
            "coupling_step": COUPLING_S,
            "exchange": asdict(self._coupled.parameters),
            "model": self._model.counts,
            "swmm": asdict(account.sewer),
        }
        return SewerReport(summary, parameters)

    def _list_manholes(self) -> list[dict[str, Any]]:
        """Return the manholes that most water came out of, in order of its volume."""
        order = np.argsort(-self._out, kind="stable")[:MOST_MANHOLES]
        return [
            {
                "node": self._model.ids[self._model.openings[k].node],
                "volume_out": round(float(self._out[k]), 1),
                "volume_in": round(float(self._in[k]), 1),
                "head_above_ground": round(float(self._rise[k]), 2),
                "first_hours": round(float(self._first[k]) / 3600.0, 2),
            }
            for k in order
            if self._out[k] >= LEAST_VOLUME
        ]


def list_sewer_points(model: SewerModel) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return rows and columns of the points that the solver is made with."""
    return list_points(model.openings, model.mouths)
