"""What the junctions ask: base demands from nodes or meters, patterns from inflows, leaks that make up the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from layers.errors import NotFoundError
from twin.process import CityView
from twin.water.areas import Inflow, Objects
from twin.water.model import Demand
from twin.water.network import WaterNetwork
from twin.water.patterns import DAYS, HOURS, USUAL, build_pattern

Array = NDArray[np.float64]
DAY = 86_400.0
MOST_METERS = 2000
"""Customers' meters with readings that patterns are made of at most."""
USUAL_PRESSURE = 25.0
LEAST_PRESSURE = 1.0
"""Pressures at which leaks are sized before a run says better, and at least [m]."""


@dataclass(frozen=True, slots=True, eq=False)
class Meters:
    """What customers use at each node by their type (types,) → (nodes,) [m3/d]; how many meters have no known node."""

    use: Mapping[str, Array]
    unplaced: int

    @property
    def total(self) -> Array:
        """Use of all customers at each node [m3/d]."""
        return np.asarray(sum(self.use.values()))


def read_meters(view: CityView, network: WaterNetwork) -> Meters:
    """Return the use of the meters at the nodes they name; one that names none goes to the nearest junction."""
    meters = view.layer("water_meters", columns=["customer_type", "node_id", "average_use"])
    row_of = {key: row for row, key in enumerate(network.nodes["id"])}
    at = meters["node_id"].map(row_of).to_numpy(np.float64, copy=True)
    missing = np.flatnonzero(np.isnan(at))
    if missing.size:
        junctions = np.flatnonzero((network.nodes["node_type"] == "junction").to_numpy())
        tree = shapely.STRtree(network.nodes.geometry.to_numpy()[junctions])
        at[missing] = junctions[tree.nearest(meters.geometry.to_numpy()[missing])]
    flow = pd.to_numeric(meters["average_use"]).fillna(0.0).to_numpy(np.float64)
    kind = meters["customer_type"].to_numpy(object)
    use = {
        name: np.bincount(at[kind == name].astype(np.int64), flow[kind == name], minlength=len(network.nodes))
        for name in USUAL
    }
    return Meters({name: np.asarray(values, np.float64) for name, values in use.items()}, int(missing.size))


@dataclass(frozen=True, slots=True)
class DemandPlan:
    """How demands are made: ``source`` nodes or meters, times ``factor``; the local clock; the run's first day.

    inflows: of the areas that are metered. customers: weeks (7, 24) by type, of those whose meters send readings.
    """

    source: str
    factor: float
    offset_s: float
    begins: datetime
    inflows: Mapping[str, Inflow] = field(default_factory=dict)
    customers: Mapping[str, Array] = field(default_factory=dict)


def make_demand(view: CityView, network: WaterNetwork, areas: Objects, plan: DemandPlan) -> Demand:
    """Return what the junctions ask at mean, and how it changes by the hour.

    By ``nodes``: base_demand of each, leaks in it as usual. By ``meters``: what customers use, and where an area's
    inflow is measured, the rest of it as leaks along its pipes, whose flow follows the pressure. The pattern of an
    area is that of its inflow where it is measured, else the usual one of its customers.
    """
    meters = read_meters(view, network)
    junction = (network.nodes["node_type"] == "junction").to_numpy()
    asked = pd.to_numeric(network.nodes["base_demand"]).fillna(0.0).to_numpy(np.float64)
    use = np.where(junction, meters.total if plan.source == "meters" else asked, 0.0) * plan.factor
    names = np.array([area if area is not None else "-" for area in areas], object)
    weekday = (plan.begins.timestamp() + plan.offset_s) // DAY + 3
    patterns: dict[str, Array] = {}
    notes: dict[str, Any] = {}
    leak = np.zeros(len(use))
    for name in dict.fromkeys(names.tolist()):
        inside = names == name
        inflow = plan.inflows.get(name)
        shape, measured = _find_shape(inflow, plan.offset_s, int(weekday) % DAYS), 0.0
        if shape is not None and inflow is not None:
            measured = float(inflow.flow.mean()) * DAY
        drawn = float(use[inside].sum())
        lost = max(measured - drawn, 0.0) if plan.source == "meters" and plan.factor == 1.0 else 0.0
        if shape is not None and lost > 0.0:
            leak[inside] = lost * _weigh_leaks(network, inside)
            # What does not change with the hour is leaks; the rest is customers.
            rest = np.maximum(shape * measured - lost, 0.0)
            shape = rest / rest.mean() if rest.mean() > 0.0 else None
        patterns[name] = shape if shape is not None else _mix_customers(meters, inside, plan, int(weekday) % DAYS)
        notes[name] = {
            "demand": round(drawn, 1), "leakage": round(lost, 1), "measured_inflow": round(measured, 1) or None,
            "pattern": "inflow" if shape is not None else "customers" if plan.customers else "usual",
        }  # fmt: skip
    return Demand(
        use,
        tuple(names.tolist()),
        patterns,
        start_leaks(leak / DAY),
        leak=leak / DAY,
        notes={"areas": notes, "meters_placed": meters.unplaced},
    )


def start_leaks(leak: Array, pressure: Array | float = USUAL_PRESSURE, exponent: float = 1.0) -> Array:
    """Return the coefficients of emitters [m3/s at 1 m] that lose ``leak`` [m3/s] at ``pressure`` [m]."""
    return np.asarray(leak / np.maximum(pressure, LEAST_PRESSURE) ** exponent)


def _find_shape(inflow: Inflow | None, offset_s: float, weekday: int) -> Array | None:
    """Return the week of an area's inflow from the run's first hour on (168,), mean 1."""
    if inflow is None:
        return None
    week = build_pattern(inflow.times, inflow.flow, offset_s=offset_s)
    return None if week is None else np.asarray(np.roll(week.ravel(), -weekday * HOURS))


def _mix_customers(meters: Meters, inside: NDArray[np.bool_], plan: DemandPlan, weekday: int) -> Array:
    """Return the pattern of the customers at some nodes from the run's first hour on (168,), each by what it uses.

    A type has the pattern its meters measured, else its usual one.
    """
    weights = {name: float(values[inside].sum()) for name, values in meters.use.items()}
    if not sum(weights.values()) > 0.0:
        weights = {"household": 1.0}
    total = np.zeros(DAYS * HOURS)
    for name, weight in weights.items():
        week = plan.customers.get(name)
        total += weight * (np.tile(USUAL[name], DAYS) if week is None else np.roll(week.ravel(), -weekday * HOURS))
    return np.asarray(total / sum(weights.values()))


def read_customers(view: CityView, start: datetime, end: datetime, *, offset_s: float) -> dict[str, Array]:
    """Return the week (7, 24) of each type of customer some of whose meters a flow sensor watches, mean 1.

    Every such meter counts alike, however much it uses.
    """
    sensors = view.layer("sensors", columns=["kind", "watched_layer", "watched_id"])
    sensors = sensors[(sensors["kind"] == "flow") & (sensors["watched_layer"] == "water_meters")].iloc[:MOST_METERS]
    if sensors.empty:
        return {}
    meters = view.layer("water_meters", columns=["customer_type"])
    kind_of = dict(zip(meters["id"], meters["customer_type"], strict=True))
    weeks: dict[str, list[Array]] = {}
    for sensor, meter in zip(sensors["id"], sensors["watched_id"], strict=True):
        if kind_of.get(meter) not in USUAL:
            continue
        try:
            times, values = view.series(view.find_datastream(sensor, "discharge"), start, end)
        except NotFoundError:
            continue
        week = build_pattern(times, values, offset_s=offset_s)
        if week is not None:
            weeks.setdefault(kind_of[meter], []).append(week)
    return {name: np.asarray(np.mean(parts, axis=0)) for name, parts in weeks.items()}


def _weigh_leaks(network: WaterNetwork, inside: NDArray[np.bool_]) -> Array:
    """Return the share of an area's leaks at each of its nodes: by the pipes that end there, half of each."""
    length = network.pipes["length"].to_numpy(np.float64)
    count = len(network.nodes)
    reach = np.bincount(network.pipes["start"], length, count) + np.bincount(network.pipes["end"], length, count)
    own = np.where((network.nodes["node_type"] == "junction").to_numpy(), reach, 0.0)[inside]
    return np.asarray(own / own.sum() if own.sum() > 0.0 else own)
