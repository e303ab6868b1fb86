"""From what was asked to a model ready to run: of the layers, or one that was imported with the edits of its items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
from epanet import toolkit

from layers.errors import InputError
from layers.ingest.swmm.document import write_document
from network.epanet.project import Project
from twin.process import CityView, Progress
from twin.water.areas import Objects, find_areas, find_crossings, read_inflow
from twin.water.demand import DemandPlan, make_demand, read_customers, start_leaks
from twin.water.exporting import compose_model
from twin.water.model import Demand, Times, WaterModel, build_model
from twin.water.network import WaterNetwork, read_network
from twin.water.run import WaterRun, solve_model

RECORD = timedelta(days=28)
"""How much of the inflow before a run makes its patterns."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a run, by the layers' ids.

    closed, opened: pipes and valves. pumps_off, pumps_on, pump_hours: of pumps. driving: ``pressure`` or ``demand``;
    None is pressure, or what an imported model says itself. required: pressure from which on customers get all [m].
    """

    model: str | None = None
    times: Times = field(default_factory=Times)
    demand_from: Literal["nodes", "meters"] = "nodes"
    demand_factor: float = 1.0
    driving: Literal["pressure", "demand"] | None = None
    required: float = 10.0
    closed: Sequence[str] = ()
    opened: Sequence[str] = ()
    pumps_off: Sequence[str] = ()
    pumps_on: Sequence[str] = ()
    pump_hours: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A model ready to run, begun at ``begins`` (local midnight), with the network whose items it is made of.

    areas: the metered area of each node. notes: what its demands were made of.
    """

    asked: Asked
    network: WaterNetwork
    areas: Objects
    model: WaterModel
    begins: datetime
    notes: Mapping[str, Any]

    def prepare(self, project: Project) -> None:
        """Change an opened model as it was asked: how customers are served, and of an imported one the rest."""
        asked = self.asked
        if asked.driving is not None or asked.model is None:
            project.set_demand_model(pressure_driven=asked.driving != "demand", required=asked.required)
        if asked.model is None:
            return
        project.set_time(toolkit.DURATION, asked.times.duration)
        project.set_time(toolkit.HYDSTEP, min(asked.times.step, project.get_time(toolkit.HYDSTEP)))
        if asked.demand_factor != 1.0:
            project.set_option(toolkit.DEMANDMULT, asked.demand_factor * project.get_option(toolkit.DEMANDMULT))
        for ids, is_open in (
            (asked.closed, False),
            (asked.pumps_off, False),
            (asked.opened, True),
            (asked.pumps_on, True),
        ):
            for link in project.links.find([name.removeprefix(f"{asked.model}.") for name in ids]).tolist():
                project.set_status(link, opened=is_open)

    def solve(self, progress: Progress, **options: Any) -> WaterRun:
        """Return the run of the model; see ``solve_model``."""
        return solve_model(self.network, self.model, self.prepare, progress, **options)


def open_study(view: CityView, asked: Asked, moment: datetime, progress: Progress) -> Study:
    """Return what is asked, ready to run from the local midnight before ``moment``.

    Leaks are sized by the pressures of a run of their own. Raises InputError for pipes, valves and pumps that are not
    there, or a network that cannot be run; NotFoundError for a model.
    """
    local = moment.astimezone(view.zone)
    begins = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if asked.model is not None:
        return _open_model(view, asked, begins)
    network = read_network(view, closed=asked.closed, opened=asked.opened)
    _switch_pumps(network, asked)
    areas = find_areas(view, network)
    demand = _make_demand(view, network, areas, asked, begins)
    study = Study(asked, network, areas, build_model(network, demand, asked.times), begins, demand.notes)
    if not (demand.leak > 0.0).any():
        return study
    first = study.solve(progress, span=(0.1, 0.4))
    pressure = first.hydraulics.pressure.mean[first.nodes]
    sized = replace(demand, emitter=start_leaks(demand.leak, pressure, demand.emitter_exponent))
    return replace(study, model=build_model(network, sized, asked.times))


def _open_model(view: CityView, asked: Asked, begins: datetime) -> Study:
    assert asked.model is not None
    if asked.demand_from != "nodes" or asked.pump_hours:
        raise InputError(
            f"model '{asked.model}' has demands and schedules of its own, found demand_from or pump_hours",
            hint="leave them out, or run the layers: without model",
        )
    record, _ = view.read_model(asked.model, "epanet")
    document, changes = compose_model(view, record)
    network = read_network(view, model=asked.model, closed=asked.closed, opened=asked.opened)
    _check_pumps(network, asked)
    prefix = f"{asked.model}."
    model = WaterModel(
        write_document(document),
        tuple(key.removeprefix(prefix) for key in network.nodes["id"]),
        tuple(key.removeprefix(prefix) for frame in network.links for key in frame["id"]),
    )
    edited = sum(sum(part.values()) for part in (changes.changed, changes.added, changes.removed))
    notes = {"model": asked.model, "edited_items": edited}
    return Study(asked, network, find_areas(view, network), model, begins, notes)


def _check_pumps(network: WaterNetwork, asked: Asked) -> None:
    known = set(network.pumps["id"])
    for name in ("pumps_off", "pumps_on", "pump_hours"):
        for key in getattr(asked, name):
            if key not in known:
                listed = ", ".join(sorted(known)[:20]) or "none"
                raise InputError(f"'{key[:80]}' in {name} is no pump of the water network", hint=f"there are {listed}")


def _switch_pumps(network: WaterNetwork, asked: Asked) -> None:
    """Set status, hours and control of the network's pumps as asked; raises InputError for an unknown one."""
    _check_pumps(network, asked)
    pumps = network.pumps
    off, on = pumps["id"].isin(asked.pumps_off), pumps["id"].isin(asked.pumps_on)
    hours = pumps["id"].map(dict(asked.pump_hours)).astype(object)
    pumps["status"] = pumps["status"].fillna("running").mask(off, "standby").mask(on | hours.notna(), "running")
    pumps["hours"] = hours.where(hours.notna(), pumps["hours"])
    # Hours that were asked for hold against a level that would stop the pump.
    pumps["control_node"] = pumps["control_node"].mask(hours.notna() | on, None)


def _make_demand(view: CityView, network: WaterNetwork, areas: Objects, asked: Asked, begins: datetime) -> Demand:
    crossings = find_crossings(view, network, areas)
    inflows = {}
    for area in sorted({area for area in np.asarray(areas).tolist() if area is not None}):
        inflow = read_inflow(view, area, crossings, begins - RECORD, begins)
        if inflow is not None:
            inflows[area] = inflow
    offset_s = (begins.utcoffset() or timedelta()).total_seconds()
    customers = read_customers(view, begins - RECORD, begins, offset_s=offset_s)
    plan = DemandPlan(asked.demand_from, asked.demand_factor, offset_s, begins, inflows, customers)
    return make_demand(view, network, areas, plan)
