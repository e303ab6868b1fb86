"""Fire flow: the pressure left at a hydrant that gives what is asked, and what it can give at a pressure."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from epanet import toolkit
from numpy.typing import NDArray

from layers.errors import InputError
from network.epanet.project import Project
from network.epanet.reading import Array

LARGEST_FLOW = 1.0
"""What a hydrant is said to give at most [m3/s]."""

_EXPONENT = 1.852
"""Loss of head grows with the flow to this power (Hazen-Williams)."""

_Row = tuple[float, float, float, str, float]
_PRECISE = 0.01
_MOST_TRIALS = 25


@dataclass(frozen=True, slots=True, eq=False)
class FireFlow:
    """What hydrants give (hydrants,), in the order they were asked.

    static: pressure without the fire [m]; residual: with ``required`` flow [m]; lowest: the least pressure of any
    other junction that serves customers meanwhile [m], and its id in ``lowest_node`` (empty: there is none). available:
    the flow at which the hydrant's pressure is the one asked for [m3/s], 0 where it is not reached without any.
    """

    static: Array
    residual: Array
    lowest: Array
    lowest_node: tuple[str, ...]
    available: Array


def measure_fire_flow(
    model: Path | str,
    nodes: Sequence[str],
    required: Array,
    *,
    pressure: float = 10.0,
    time: int = 0,
    workers: int = 1,
    prepare: Callable[[Project], None] | None = None,
    told: Callable[[int], bool] | None = None,
) -> FireFlow:
    """Return the fire flow at each of ``nodes``, one burning at a time, with the demands at ``time`` [s] of the run.

    required (hydrants,) [m3/s]; ``pressure``: the head that fire engines need [m]. Demands are what is asked, whatever
    the pressure. Work is shared among ``workers`` threads, each with a project of its own; ``prepare`` changes each.
    ``told`` hears how many hydrants are done and stops the work by answering True.

    Raises InputError for a node that is no junction of the model.
    """
    count = len(nodes)
    parts = [part for part in np.array_split(np.arange(count), max(1, min(workers, count))) if part.size]
    done = _Done(told)
    with ThreadPoolExecutor(max(1, len(parts))) as pool:
        tests = [
            pool.submit(_test_part, model, [nodes[k] for k in part], required[part], pressure, time, prepare, done)
            for part in parts
        ]
        rows = [row for test in tests for row in test.result()]
    columns = [np.array([row[k] for row in rows], np.float64) for k in (0, 1, 2, 4)]
    return FireFlow(columns[0], columns[1], columns[2], tuple(row[3] for row in rows), columns[3])


class _Done:
    def __init__(self, told: Callable[[int], bool] | None) -> None:
        self._told, self._count, self.stopped = told, 0, False

    def add(self) -> None:
        self._count += 1
        if self._told is not None and self._told(self._count):
            self.stopped = True


def _test_part(
    model: Path | str,
    names: list[str],
    required: Array,
    pressure: float,
    time: int,
    prepare: Callable[[Project], None] | None,
    done: _Done,
) -> list[_Row]:
    rows: list[_Row] = [(np.nan, np.nan, np.nan, "", np.nan)] * len(names)
    with Project(model) as project:
        if prepare is not None:
            prepare(project)
        project.set_demand_model(pressure_driven=False)
        project.set_time(toolkit.DURATION, 0)
        project.set_time(toolkit.PATTERNSTART, project.get_time(toolkit.PATTERNSTART) + time)
        nodes = project.nodes.find(names)
        for name, node in zip(names, nodes, strict=True):
            if project.nodes.types[node] != "junction":
                raise InputError(f"hydrant node '{name}' is a {project.nodes.types[node]}, expected a junction")
        draws = {int(node): project.add_draw(int(node)) for node in nodes}
        with project.open_snapshots() as solve:
            solve()
            serving = (project.demands() > 0.0) & np.isin(
                np.arange(len(project.nodes.ids)), project.nodes.select("junction")
            )
            static = project.pressures()
            for row, node in enumerate(nodes.tolist()):
                if done.stopped:
                    break
                rows[row] = _test_one(project, solve, draws[node], node, serving, static, required[row], pressure)
                draws[node](0.0)
                done.add()
    return rows


def _test_one(
    project: Project,
    solve: Callable[[], None],
    draw: Callable[[float], None],
    node: int,
    serving: NDArray[np.bool_],
    static: Array,
    required: float,
    pressure: float,
) -> _Row:
    def press(flow: float) -> float:
        draw(flow)
        solve()
        return float(project.pressures()[node])

    residual = press(required)
    others = np.where(serving, project.pressures(), np.inf)
    others[node] = np.inf
    worst = int(others.argmin())
    known = np.isfinite(others[worst])
    available = _find_flow(press, float(static[node]), required, residual, pressure)
    return (
        float(static[node]),
        residual,
        float(others[worst]) if known else np.nan,
        project.nodes.ids[worst] if known else "",
        available,
    )


def _find_flow(press: Callable[[float], float], static: float, flow: float, residual: float, pressure: float) -> float:
    """Return the flow at which the pressure is ``pressure``: guesses by the law of losses, kept within a bracket."""
    if static <= pressure:
        return 0.0
    low, high = 0.0, LARGEST_FLOW
    for _ in range(_MOST_TRIALS):
        if abs(residual - pressure) < _PRECISE:
            return flow
        low, high = (flow, high) if residual > pressure else (low, flow)
        lost = static - residual
        guess = flow * ((static - pressure) / lost) ** (1.0 / _EXPONENT) if lost > 1.0e-6 else high
        if not low < guess < high:
            guess = 0.5 * (low + high)
        if high - low < 1.0e-6:
            return low
        if guess >= LARGEST_FLOW * 0.999:
            return LARGEST_FLOW
        flow, residual = guess, press(guess)
    return flow
