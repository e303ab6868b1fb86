"""What a leak does to each instrument: EPANET with a hole at every node in turn, at several loads of the network.

The measured inflow drives the model, so a leak takes its water from what the others seem to use: a signature is the
difference between the same inflow with the leak and without. Perez et al. 2011, doi:10.1016/j.conengprac.2011.06.004.
"""

from dataclasses import dataclass

import numpy as np
from epanet import toolkit
from numpy.typing import NDArray

from network.epanet.project import Project
from network.leaks.expectation import ACCURACY, DrivenModel

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

LOADS = 6
BUSIEST = 1.7
"""Highest load, over the model's own: leaks that run, and a warm day, come on top of what the model knows."""

TRIAL_FLOW = 5.0 / 3600.0
"""Of the hole tried at each node [m3/s]: that of a leak worth finding, since signatures are almost straight."""

BEYOND = 1.0
"""How far a signature is carried on beyond the loads it was computed at, as a share of their step."""

_LEAST_PRESSURE = 1.0
_HOUR = 3600


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """Signatures of leaks.

    ``nodes`` (classes, nodes, channels) per m3/s: change of pressure [m] at each logger, then of the flow [m3/s]
    through each inlet but the last. Classes are the ``loads`` (loads,) [m3/s], what is used without a meter,
    ascending, for each of ``lifts`` (lifts,) [m3/s], what pumps draw from the zone. ``pipes`` are the indices of the
    model's pipes, ``ends`` (pipes, 2) their nodes, ``lengths`` (pipes,) [m].
    """

    nodes: Array
    loads: Array
    lifts: Array
    pipes: Indices
    ends: Indices
    lengths: Array
    pipe_ids: tuple[str, ...]

    def find_pipes(self) -> Array:
        """Return the signature of a leak in the middle of each pipe (loads, pipes, channels): the mean of its ends."""
        return np.asarray(0.5 * (self.nodes[:, self.ends[:, 0]] + self.nodes[:, self.ends[:, 1]]))

    def weigh(self, load: Array, lifted: Array) -> Array:
        """Return where each step lies between the classes (steps, classes): neighbours, straight on beyond a load."""
        by_load = np.ones((len(load), 1))
        if len(self.loads) > 1:
            left = np.clip(np.searchsorted(self.loads, load, side="right") - 1, 0, len(self.loads) - 2)
            step = np.maximum(self.loads[left + 1] - self.loads[left], 1.0e-12)
            share = np.clip((load - self.loads[left]) / step, -BEYOND, 1.0 + BEYOND)
            by_load = np.zeros((len(load), len(self.loads)))
            by_load[np.arange(len(load)), left] = 1.0 - share
            by_load[np.arange(len(load)), left + 1] = share
        on = self._find_lift(lifted)
        by_lift = np.stack((1.0 - on, on), axis=1) if len(self.lifts) > 1 else np.ones((len(load), 1))
        return np.asarray((by_lift[:, :, None] * by_load[:, None, :]).reshape(len(load), -1))

    def classify(self, load: Array, lifted: Array) -> Indices:
        """Return the index of the class that each step is nearest to."""
        nearest = np.searchsorted(0.5 * (self.loads[1:] + self.loads[:-1]), load)
        return np.asarray(nearest + len(self.loads) * (self._find_lift(lifted) > 0.5))

    def couple(self) -> Array:
        """Return the differences between neighbouring classes (differences, classes): of load, and of lift."""
        loads, lifts = len(self.loads), len(self.lifts)
        along = np.kron(np.eye(lifts), np.diff(np.eye(loads), axis=0))
        return np.concatenate((along, np.kron(np.diff(np.eye(lifts), axis=0), np.eye(loads))))

    def _find_lift(self, lifted: Array) -> Array:
        return np.clip(lifted / self.lifts[-1], 0.0, 1.0) if len(self.lifts) > 1 else np.zeros(len(lifted))


def compute_sensitivity(model: DrivenModel, *, loads: int = LOADS) -> Sensitivity:
    """Return the signatures of leaks at all nodes of a model, at ``loads`` moments of its week from quiet to busy.

    One solution a node and load: L-Town's 785 nodes take about a second.
    """
    zone = model.zone_nominal
    order = np.argsort(zone, kind="stable")
    low, high = np.quantile(zone, (0.02, 0.98))
    wanted = np.linspace(low, BUSIEST * high, loads) if high > low else np.array([high])
    moments = order[np.clip(np.searchsorted(zone[order], wanted), 0, order.size - 1)]
    factors = wanted / zone[moments] if high > 0.0 else np.ones(len(wanted))
    total = float(model.lifted[model.drawn].sum())
    lifts = np.array([0.0, total]) if total > 0.0 else np.zeros(1)
    with Project(model.text) as project:
        model.hold_pumps(project)
        signatures = np.stack(
            [
                _try_nodes(model, project, int(moment), float(factor), float(lift))
                for lift in lifts
                for moment, factor in zip(moments, factors, strict=True)
            ]
        )
        pipes = np.sort(np.concatenate((project.links.select("pipe"), project.links.select("cv_pipe"))))
        return Sensitivity(
            signatures,
            wanted,
            lifts,
            pipes,
            project.ends[pipes],
            project.lengths()[pipes],
            tuple(project.links.ids[k] for k in pipes),
        )


def _try_nodes(model: DrivenModel, project: Project, moment: int, factor: float, lift: float) -> Array:
    """Return the signatures (nodes, channels) at one step of the week, demands times ``factor``, pumps at ``lift``.

    A solution a second of the model's clock, with a hole at each node in turn.
    """
    count = len(project.nodes.ids)
    hold = max(_HOUR, count + 2)
    for code, value in (
        (toolkit.DURATION, count),
        (toolkit.HYDSTEP, 1),
        (toolkit.PATTERNSTEP, hold),
        (toolkit.REPORTSTEP, hold),
        (toolkit.PATTERNSTART, moment * model.step // model.pattern_step * hold),
    ):
        project.set_time(code, value)
    junction = np.array([kind == "junction" for kind in project.nodes.types])
    nominal = factor * model.zone_nominal[moment]
    out = np.zeros((count, len(model.instruments.pressures) + max(len(model.instruments.inlets) - 1, 0)))
    base = pressures = np.empty(0)
    project.set_option(toolkit.ACCURACY, ACCURACY)
    model.lift(project, lift, factor)
    for second in project.run_hydraulics():
        if second == 0:
            base, pressures = model.read_channels(project), project.pressures()
        else:
            node = second - 1
            flow = project.emitter_flows()[node] if junction[node] else 0.0
            if flow > 0.0:
                out[node] = (model.read_channels(project) - base) / flow
            if junction[node]:
                project.set_emitter(node, 0.0)
            model.lift(project, lift, factor)
        if second < count and junction[second] and pressures[second] > _LEAST_PRESSURE:
            project.set_emitter(second, TRIAL_FLOW / pressures[second] ** project.emitter_exponent)
            if model.zone[second] and nominal > 0.0:
                model.lift(project, lift, factor * max(1.0 - TRIAL_FLOW / nominal, 0.05))
    # What the multiplier does beyond the zone is none of a leak's doing.
    beyond = np.flatnonzero(~model.zone[model.loggers])
    out[np.ix_(model.zone, beyond)] = 0.0
    return out
