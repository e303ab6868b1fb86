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

    ``nodes`` (loads, nodes, channels) per m3/s: change of pressure [m] at each logger, then of the flow [m3/s] through
    each inlet but the last. ``loads`` (loads,) [m3/s] is what is used without a meter and
    what pumps lift out of the zone, at which they hold, ascending.
    ``pipes`` are the indices of the model's pipes, ``ends`` (pipes, 2) their nodes, ``lengths`` (pipes,) [m].
    """

    nodes: Array
    loads: Array
    pipes: Indices
    ends: Indices
    lengths: Array
    pipe_ids: tuple[str, ...]

    def find_pipes(self) -> Array:
        """Return the signature of a leak in the middle of each pipe (loads, pipes, channels): the mean of its ends."""
        return np.asarray(0.5 * (self.nodes[:, self.ends[:, 0]] + self.nodes[:, self.ends[:, 1]]))

    def weigh(self, load: Array) -> Array:
        """Return where each of ``load`` lies between ``loads`` (steps, loads): two neighbours, straight on beyond."""
        if len(self.loads) == 1 or self.loads[-1] <= self.loads[0]:
            return np.eye(len(self.loads))[np.zeros(len(load), dtype=np.int64)]
        left = np.clip(np.searchsorted(self.loads, load, side="right") - 1, 0, len(self.loads) - 2)
        step = np.maximum(self.loads[left + 1] - self.loads[left], 1.0e-12)
        share = np.clip((load - self.loads[left]) / step, -BEYOND, 1.0 + BEYOND)
        weights = np.zeros((len(load), len(self.loads)))
        weights[np.arange(len(load)), left] = 1.0 - share
        weights[np.arange(len(load)), left + 1] = share
        return weights

    def classify(self, load: Array) -> Indices:
        """Return the index of the nearest of ``loads`` for each of ``load``."""
        return np.asarray(np.searchsorted(0.5 * (self.loads[1:] + self.loads[:-1]), load))


def compute_sensitivity(model: DrivenModel, *, loads: int = LOADS) -> Sensitivity:
    """Return the signatures of leaks at all nodes of a model, at ``loads`` moments of its week from quiet to busy.

    One solution a node and load: L-Town's 785 nodes take about a second.
    """
    zone = model.zone_nominal + model.lifted[model.drawn].sum()
    order = np.argsort(zone, kind="stable")
    low, high = np.quantile(zone, (0.02, 0.98))
    wanted = np.linspace(low, BUSIEST * high, loads)
    moments = order[np.clip(np.searchsorted(zone[order], wanted), 0, order.size - 1)]
    factors = wanted / np.maximum(zone[moments], 1.0e-12) if high > 0.0 else np.ones(loads)
    with Project(model.text) as project:
        model.draw_mean(project)
        count = len(project.nodes.ids)
        tried = [_try_nodes(model, project, int(m), float(f)) for m, f in zip(moments, factors, strict=True)]
        signatures = np.stack(tried)
        pipes = np.sort(np.concatenate((project.links.select("pipe"), project.links.select("cv_pipe"))))
        assert signatures.shape[1] == count
        return Sensitivity(
            signatures,
            wanted,
            pipes,
            project.ends[pipes],
            project.lengths()[pipes],
            tuple(project.links.ids[k] for k in pipes),
        )


def _try_nodes(model: DrivenModel, project: Project, moment: int, factor: float) -> Array:
    """Return the signatures (nodes, channels) at one step of the week, all demands times ``factor``.

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
    nominal = factor * (model.zone_nominal[moment] + model.lifted[model.drawn].sum())
    out = np.zeros((count, len(model.instruments.pressures) + max(len(model.instruments.inlets) - 1, 0)))
    base = pressures = np.empty(0)
    project.set_option(toolkit.ACCURACY, ACCURACY)
    project.set_option(toolkit.DEMANDMULT, factor)
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
            project.set_option(toolkit.DEMANDMULT, factor)
        if second < count and junction[second] and pressures[second] > _LEAST_PRESSURE:
            project.set_emitter(second, TRIAL_FLOW / pressures[second] ** project.emitter_exponent)
            if model.zone[second] and nominal > 0.0:
                project.set_option(toolkit.DEMANDMULT, factor * max(1.0 - TRIAL_FLOW / nominal, 0.05))
    # What the multiplier does beyond the zone is none of a leak's doing.
    beyond = np.flatnonzero(~model.zone[model.loggers])
    out[np.ix_(model.zone, beyond)] = 0.0
    return out
