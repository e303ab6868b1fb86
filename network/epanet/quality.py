"""What travels with the water: its age, the share from one source, chlorine that decays."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from epanet import toolkit

from layers.errors import InputError
from network.epanet.account import WaterBalance
from network.epanet.hydraulics import Spread, run_model
from network.epanet.project import Project
from network.epanet.reading import Array, Indices

Kind = Literal["age", "trace", "chlorine"]
DAY = 86_400
_CODES = {"age": toolkit.AGE, "trace": toolkit.TRACE, "chlorine": toolkit.CHEM}
_TO_SI = {"age": 3600.0, "trace": 0.01, "chlorine": 1.0}


@dataclass(frozen=True, slots=True, eq=False)
class QualityRun:
    """Least, mean and largest quality of the last day at every node (nodes,), and the mean at its end.

    age [s]; trace: share of the water that comes from the source [1]; chlorine [mg/L]. drift: how much the means
    changed from the day before to the last, summed over the nodes, as a share of them: near 0 where the run was long
    enough. Nodes where water stood all the time are left out of it.
    balance: of the water. opened: share of the time that every link was open (links,) [1].
    """

    kind: Kind
    spread: Spread
    drift: float
    balance: WaterBalance
    opened: Array

    def take(self, nodes: Indices, links: Indices) -> "QualityRun":
        """Return the run for some of the nodes and links, in another order."""
        return replace(self, spread=self.spread.take(nodes), opened=self.opened[links])


def run_quality(
    project: Project, kind: Kind, *, source: str | None = None, dose: float = 0.5, decay: float = 0.5
) -> QualityRun:
    """Return how ``kind`` spreads through the network.

    ``source``: the node a trace begins at. ``dose`` [mg/L] is what every reservoir gives, ``decay`` [1/d] how fast
    chlorine goes in the bulk of the water (first order). Age and trace need a run longer than water stays in the
    network; see ``drift``. Raises InputError where a trace has no known source or the run is shorter than a day.
    """
    duration = project.get_time(toolkit.DURATION)
    if duration < DAY:
        raise InputError(f"the run lasts {duration / 3600:g} h, expected at least 24 h for the quality of water")
    hydraulics = run_model(project, keep=True)
    _choose(project, kind, source, dose, decay)
    last, before = Spread(len(project.nodes.ids)), Spread(len(project.nodes.ids))
    for time, held in project.run_quality():
        if time >= duration - DAY:
            last.add(_read(project, kind), held)
        elif time >= duration - 2 * DAY:
            before.add(_read(project, kind), held)
    # Water that has stood still all the time is a day older every day, however long the run.
    moving = last.largest < duration - 1.0 if kind == "age" else np.ones(len(last.mean), bool)
    total = float(last.mean[moving].sum())
    change = float(np.abs(last.mean - before.mean)[moving].sum())
    drift = 0.0 if total == 0.0 else change / total if duration >= 2 * DAY else 1.0
    return QualityRun(kind, last, drift, hydraulics.balance, hydraulics.opened)


def _read(project: Project, kind: Kind) -> Array:
    return project.read_nodes(toolkit.QUALITY) * _TO_SI[kind]


def _choose(project: Project, kind: Kind, source: str | None, dose: float, decay: float) -> None:
    name = ""
    if kind == "trace":
        if source is None:
            raise InputError("a trace needs the node it begins at, expected the id of a reservoir or tank as source")
        project.nodes.find([source])
        name = source
    project.set_quality(_CODES[kind], "Chlorine" if kind == "chlorine" else "", name)
    project.set_time(toolkit.QUALSTEP, 300)
    if kind != "chlorine":
        return
    reservoirs = set(project.nodes.select("reservoir").tolist())
    for node in range(len(project.nodes.ids)):
        project.set_node(node, toolkit.INITQUAL, dose if node in reservoirs else 0.0)
    for link in project.links.select("pipe", "cv_pipe").tolist():
        project.set_link(link, toolkit.KBULK, -decay)
    for tank in project.nodes.select("tank").tolist():
        project.set_node(tank, toolkit.TANK_KBULK, -decay)
