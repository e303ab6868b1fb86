"""What the instruments of a network without a new leak would read: its model, driven by what is measured.

Pumps with a flow meter give what was measured, tanks stand at their measured level, metered customers use what they
used, all others share what is left of the measured inflow as the model shares it. So the season, warm days and the
growth of a town are no surprise; where water leaves the network is. Perez et al. 2011,
doi:10.1016/j.conengprac.2011.06.004; Steffelbauer et al. 2022, doi:10.1061/(ASCE)WR.1943-5452.0001514.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from epanet import toolkit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from network.epanet.project import Project

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

WEEK_S = 7 * 86_400
_WIDE = 1.0e5
"""Diameter of a tank whose level is given, in the units of the file: what flows for a step does not move it."""

ACCURACY = 1.0e-5
"""Of a solution, as the share of all flow that a last step still moves: EPANET's usual 0.001 hides a small leak."""

_LEAST_SHARE = 0.05
"""Of the model's demand: below it an inflow is not that of a town at work."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """Ids in the model of what is measured.

    ``pressures`` are nodes with a logger; ``inlets`` links whose flow together feeds a zone; ``pumps`` links whose flow
    is metered and taken as it is; ``tanks`` have a level; ``meters`` are nodes whose use is read all the time.
    """

    pressures: tuple[str, ...]
    inlets: tuple[str, ...] = ()
    pumps: tuple[str, ...] = ()
    tanks: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What was read at equal steps, NaN where nothing was.

    pressures (steps, loggers) and levels (steps, tanks) [m]; inlets, pumps, uses (steps, n) [m3/s]. ``start`` is the
    time of the first step in the week [s after Monday 00:00 of the model's clock], ``step`` [s].
    """

    pressures: Array
    inlets: Array
    pumps: Array
    levels: Array
    uses: Array
    start: int
    step: int

    def take(self, begin: int, end: int) -> "Readings":
        """Return the readings of steps ``begin`` to ``end``."""
        rows = slice(begin, end)
        return replace(
            self,
            pressures=self.pressures[rows],
            inlets=self.inlets[rows],
            pumps=self.pumps[rows],
            levels=self.levels[rows],
            uses=self.uses[rows],
            start=(self.start + begin * self.step) % WEEK_S,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What the model gives at each step: pressures (steps, loggers) [m], inlets (steps, inlets) [m3/s].

    ``share`` (steps,) is the measured use over the model's; ``known`` (steps,) tells where all that drives the model
    was read.
    """

    pressures: Array
    inlets: Array
    share: Array
    known: NDArray[np.bool_]


class DrivenModel:
    """A model of EPANET that follows readings. ``text`` is its input file; its controls and rules are not heeded.

    ``zone`` (nodes,) tells which nodes the inlets feed, ``zone_nominal`` (steps of a week,) what the model gives those
    without a meter and ``lifted`` (pumps,) what metered pumps lift at most [m3/s]; ``drawn`` (pumps,) are those that
    take from the zone. ``only`` names the nodes of the zone; without it it is all that hangs together with an inlet
    when metered pumps are cut out, without inlets the whole network.
    """

    def __init__(self, text: str, instruments: Instruments, step: int, *, only: Sequence[str] | None = None) -> None:
        self.text = remove_sections(text, "CONTROLS", "RULES")
        self.instruments, self.step = instruments, step
        with Project(text) as project:
            nodes, links = project.nodes, project.links
            self.loggers = nodes.find(instruments.pressures)
            self._inlet, self._pump = links.find(instruments.inlets), links.find(instruments.pumps)
            self._tank, self._meter = nodes.find(instruments.tanks), nodes.find(instruments.meters)
            self._level_range = np.stack(
                [project.read_nodes(c)[self._tank] for c in (toolkit.MINLEVEL, toolkit.MAXLEVEL)]
            )
            self.zone = find_zone(project, self._inlet, self._pump)
            if only is not None:
                self.zone[...] = False
                self.zone[nodes.find(only)] = True
            self.week = WEEK_S // step
            self.pattern_step = project.get_time(toolkit.PATTERNSTEP)
            self.nominal = self._read_nominal(project)
            self._taken_from = project.ends[self._pump, 0]
            self._sign = self._direct_inlets(project)
        unmetered = self.zone.copy()
        unmetered[self._meter] = False
        self.zone_nominal = self.nominal[:, unmetered].sum(axis=1)
        self._metered_in_zone = self.zone[self._meter]
        self.drawn = self.zone[self._taken_from]

    def _read_nominal(self, project: Project) -> Array:
        """Return the model's own demand of every node over a week (steps, nodes) [m3/s]."""
        _set_times(project, WEEK_S - self.step, self.step, 0)
        demands = np.zeros((self.week, len(project.nodes.ids)))
        lifted = np.zeros(self._pump.size)
        junctions = project.nodes.select("junction")
        for time in project.run_hydraulics():
            if time % self.step == 0:
                demands[time // self.step, junctions] = project.demands()[junctions]
                np.maximum(lifted, project.flows()[self._pump], out=lifted)
        self.lifted = lifted
        return demands

    def _direct_inlets(self, project: Project) -> Array:
        """Return 1 for an inlet drawn into its zone, -1 for one drawn out; inside a zone the model's flow tells."""
        inside = self.zone[project.ends[self._inlet]]
        flows = np.zeros(self._inlet.size)
        for _ in project.run_hydraulics():
            flows = project.flows()[self._inlet]
            break
        across = inside[:, 0] != inside[:, 1]
        return np.where(across, np.where(inside[:, 1], 1.0, -1.0), np.where(flows < 0.0, -1.0, 1.0))

    def find_share(self, readings: Readings) -> Array:
        """Return what is used without a meter over what the model gives for it (steps,), NaN where not all was read."""
        steps = len(readings.pressures)
        if not self._inlet.size:
            return np.ones(steps)
        drawn = readings.pumps[:, self.drawn].sum(axis=1)
        metered = self._fill_uses(readings)[:, self._metered_in_zone].sum(axis=1)
        inflow = (readings.inlets * self._sign).sum(axis=1)
        own = np.take(self.zone_nominal, np.arange(steps) + readings.start // self.step, mode="wrap")
        return np.asarray(np.maximum((inflow - drawn - metered) / np.maximum(own, 1.0e-9), _LEAST_SHARE))

    def _fill_uses(self, readings: Readings) -> Array:
        """Return the use of each meter; where none was read the model's, times what the others use over the model's."""
        where = np.arange(len(readings.uses)) + readings.start // self.step
        own = np.take(self.nominal[:, self._meter], where, axis=0, mode="wrap")
        there = np.isfinite(readings.uses)
        total = np.where(there, own, 0.0).sum(axis=1)
        ratio = np.where(total > 0.0, np.where(there, readings.uses, 0.0).sum(axis=1) / np.maximum(total, 1e-12), 1.0)
        return np.where(there, readings.uses, own * ratio[:, None])

    def follow(self, readings: Readings, *, watch: Callable[[float], None] | None = None) -> Expected:
        """Return what the instruments would read; gaps in what drives the model are bridged with the last values.

        ``watch`` is told the share of the work done.
        """
        steps = len(readings.pressures)
        share = self.find_share(readings)
        known = np.isfinite(share) & np.isfinite(readings.pumps).all(axis=1) & np.isfinite(readings.levels).all(axis=1)
        share = _fill_forward(share[:, None])[:, 0]
        pumps, levels = _fill_forward(readings.pumps), _fill_forward(readings.levels)
        filled = replace(readings, pumps=pumps, levels=levels, uses=self._fill_uses(readings))
        pressures, inlets = np.empty_like(readings.pressures), np.empty_like(readings.inlets)
        for begin in range(0, steps, self.week):
            end = min(begin + self.week, steps)
            if watch is not None:
                watch(begin / steps)
            pressures[begin:end], inlets[begin:end] = self._solve(filled.take(begin, end), share[begin:end])
        # Where the model runs dry it says nothing of the pressure.
        pressures[pressures < 0.0] = np.nan
        return Expected(pressures, inlets, share, known)

    def _solve(self, readings: Readings, share: Array) -> tuple[Array, Array]:
        """Return pressures and inlets of a week at most, all of whose readings are there."""
        steps = len(share)
        pressures, inlets = np.empty_like(readings.pressures), np.empty_like(readings.inlets)
        with Project(self.text) as project:
            self._prepare(project, share, readings)
            project.set_option(toolkit.ACCURACY, ACCURACY)
            _set_times(project, (steps - 1) * self.step, self.step, readings.start)
            self._set_step(project, share, readings.levels, 0)
            for time in project.run_hydraulics():
                step, rest = divmod(time, self.step)
                if rest == 0:
                    pressures[step] = project.pressures()[self.loggers]
                    inlets[step] = project.flows()[self._inlet]
                    self._set_step(project, share, readings.levels, min(step + 1, steps - 1))
        return pressures, inlets

    def read_channels(self, project: Project) -> Array:
        """Return what a solution gives for the loggers [m] and for the inlets but the last [m3/s], as one vector."""
        return np.concatenate((project.pressures()[self.loggers], project.flows()[self._inlet][:-1]))

    def lift(self, project: Project, flow: float, share: float) -> None:
        """Let all demands be ``share`` of the model's, and the pumps that draw from the zone lift ``flow`` [m3/s]."""
        project.set_option(toolkit.DEMANDMULT, share)
        total = self.lifted[self.drawn].sum()
        for k in np.flatnonzero(self.drawn):
            node = int(self._taken_from[k])
            if project.nodes.types[node] == "junction":
                part = flow * self.lifted[k] / total if total > 0.0 else 0.0
                project.set_demand(node, self.nominal[:, node].mean() + part / share, "")

    def hold_pumps(self, project: Project) -> None:
        """Close metered pumps and keep tanks at their level."""
        for link in self._pump:
            project.set_status(int(link), opened=False)
        for node in self._tank:
            if project.nodes.types[node] == "tank":
                project.set_node(int(node), toolkit.TANKDIAM, _WIDE)

    def _prepare(self, project: Project, share: Array, readings: Readings) -> None:
        """Give metered nodes and those beside metered pumps their use, divided by the share all demands are given."""
        first = readings.start // self.step
        where = (np.arange(len(share)) + first) % self.week
        given = {int(node): readings.uses[:, k] / share for k, node in enumerate(self._meter)}
        self.hold_pumps(project)
        for k, link in enumerate(self._pump):
            for node, sign in zip(project.ends[link], (1.0, -1.0), strict=True):
                if project.nodes.types[node] == "junction":
                    own = given.get(int(node), self.nominal[where, node])
                    given[int(node)] = own + sign * readings.pumps[:, k] / share
        if self.pattern_step != self.step:
            project.set_time(toolkit.PATTERNSTEP, self.step)
            for node in np.flatnonzero(self.nominal.any(axis=0)):
                given.setdefault(int(node), self.nominal[where, node])
        for node, series in given.items():
            name = f"given-{node}"
            # EPANET reads a pattern from PATTERNSTART on.
            project.set_pattern(name, np.concatenate((np.zeros(first), series)))
            project.set_demand(node, 1.0, name)

    def _set_step(self, project: Project, share: Array, levels: Array, step: int) -> None:
        project.set_option(toolkit.DEMANDMULT, float(share[step]))
        for k, node in enumerate(self._tank):
            project.set_node(int(node), toolkit.TANKLEVEL, float(np.clip(levels[step, k], *self._level_range[:, k])))


def find_zone(project: Project, inlets: Indices, pumps: Indices) -> NDArray[np.bool_]:
    """Return which nodes hang together with an inlet when metered pumps are cut out (nodes,); all without inlets."""
    if not inlets.size:
        return np.ones(len(project.nodes.ids), dtype=np.bool_)
    kept = np.ones(len(project.links.ids), dtype=np.bool_)
    kept[pumps] = False
    ends = project.ends[kept]
    count = len(project.nodes.ids)
    _, part = connected_components(coo_array((np.ones(len(ends)), ends.T), shape=(count, count)), directed=False)
    return np.isin(part, part[project.ends[inlets, 0]])


def remove_sections(text: str, *names: str) -> str:
    """Return an input file without the sections ``names``."""
    for name in names:
        text = re.sub(rf"(?ims)^\[{name}\].*?(?=^\[|\Z)", "", text)
    return text


def _set_times(project: Project, duration: int, step: int, start: int) -> None:
    for code, value in (
        (toolkit.DURATION, duration),
        (toolkit.HYDSTEP, step),
        (toolkit.REPORTSTEP, step),
        (toolkit.PATTERNSTART, start),
    ):
        project.set_time(code, value)


def _fill_forward(values: Array) -> Array:
    """Return values (steps, n) with each gap filled by the last value before it, or the first after it at the start."""
    there = np.isfinite(values)
    last = np.maximum.accumulate(np.where(there, np.arange(len(values))[:, None], 0), axis=0)
    filled = np.take_along_axis(values, last, axis=0)
    for column in np.flatnonzero(~np.isfinite(filled).all(axis=0)):
        first = np.flatnonzero(there[:, column])
        filled[~np.isfinite(filled[:, column]), column] = values[first[0], column] if first.size else 1.0
    return filled
