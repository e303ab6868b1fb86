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

LOADS = 5
TRIAL_FLOW = 5.0 / 3600.0
"""Of the hole tried at each node [m3/s]: that of a leak worth finding, since signatures are almost straight."""

_LEAST_PRESSURE = 1.0
_HOUR = 3600


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """Signatures of leaks.

    ``nodes`` (loads, nodes, channels) per m3/s: change of pressure [m] at each logger, then of the flow [m3/s] through
    each inlet but the last. ``loads`` (loads,) [m3/s] is the zone's use without meters they hold at, ascending.
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

    def classify(self, load: Array) -> Indices:
        """Return the index of the nearest of ``loads`` for each of ``load``."""
        return np.asarray(np.searchsorted(0.5 * (self.loads[1:] + self.loads[:-1]), load))


def compute_sensitivity(model: DrivenModel, *, loads: int = LOADS) -> Sensitivity:
    """Return the signatures of leaks at all nodes of a model, at ``loads`` moments of its week from quiet to busy.

    One solution a node and load: L-Town's 785 nodes take about a second.
    """
    zone = model.zone_nominal
    order = np.argsort(zone, kind="stable")
    moments = order[np.round(np.linspace(0.02, 0.98, loads) * (order.size - 1)).astype(np.int64)]
    with Project(model.text) as project:
        model.hold_pumps(project)
        count = len(project.nodes.ids)
        signatures = np.stack([_try_nodes(model, project, int(moment)) for moment in moments])
        pipes = np.sort(np.concatenate((project.links.select("pipe"), project.links.select("cv_pipe"))))
        assert signatures.shape[1] == count
        return Sensitivity(
            signatures,
            zone[moments],
            pipes,
            project.ends[pipes],
            project.lengths()[pipes],
            tuple(project.links.ids[k] for k in pipes),
        )


def _try_nodes(model: DrivenModel, project: Project, moment: int) -> Array:
    """Return the signatures (nodes, channels) at one step of the week: a solution a second, a hole at each in turn."""
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
    nominal = model.zone_nominal[moment]
    out = np.zeros((count, len(model.instruments.pressures) + max(len(model.instruments.inlets) - 1, 0)))
    base = pressures = np.empty(0)
    project.set_option(toolkit.ACCURACY, ACCURACY)
    project.set_option(toolkit.DEMANDMULT, 1.0)
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
            project.set_option(toolkit.DEMANDMULT, 1.0)
        if second < count and junction[second] and pressures[second] > _LEAST_PRESSURE:
            project.set_emitter(second, TRIAL_FLOW / pressures[second] ** project.emitter_exponent)
            if model.zone[second] and nominal > 0.0:
                project.set_option(toolkit.DEMANDMULT, max(1.0 - TRIAL_FLOW / nominal, 0.05))
    # What the multiplier does beyond the zone is none of a leak's doing.
    beyond = np.flatnonzero(~model.zone[model.loggers])
    out[np.ix_(model.zone, beyond)] = 0.0
    return out
