"""From the water network to the text of an EPANET model, in m3/d, m and mm, with names and ids side by side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from layers.errors import InputError
from layers.ingest.inp import Section, Word, write_inp
from twin.water.names import name_objects
from twin.water.network import WaterNetwork, list_rows
from twin.water.schedules import find_switches

Array = NDArray[np.float64]
Row = tuple[Word, ...]
TANK_DEPTH = 4.0
TANK_DIAMETER = 10.0
USUAL_EFFICIENCY = 0.75
_VALVE_LOSS = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What the junctions of a network ask (nodes,).

    base [m3/d] at mean; pattern: name of the pattern of each, one of ``patterns``: multipliers by the hour, the first
    of them that of the run's first hour; emitter: coefficient of a leak [m3/s at 1 m], 0 without one.
    """

    base: Array
    pattern: tuple[str, ...]
    patterns: Mapping[str, Array]
    emitter: Array
    leak: Array
    emitter_exponent: float = 1.0
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Times:
    """How long a run lasts and how often it is solved at least [s]. It begins at midnight of the local clock."""

    duration: int = 86_400
    step: int = 3600


@dataclass(frozen=True, slots=True, eq=False)
class WaterModel:
    """The text of a model, and the name of each node and link of the network in it, in the network's order."""

    text: str
    nodes: tuple[str, ...]
    links: tuple[str, ...]


def build_model(network: WaterNetwork, demand: Demand, times: Times) -> WaterModel:
    """Return the model of a network. Raises InputError naming the valve or pump that lacks what it needs."""
    nodes = tuple(name_objects(network.nodes["id"]).values())
    names = name_objects([key for frame in network.links for key in frame["id"]])
    if len(names) < sum(len(frame) for frame in network.links):
        raise InputError("a water pipe, valve and pump share an id, expected one each", hint="rename one of them")
    text = write_inp(_list_sections(network, demand, times, nodes, names))
    return WaterModel(text + "\n[END]\n", nodes, tuple(names.values()))


def _list_sections(
    network: WaterNetwork, demand: Demand, times: Times, nodes: tuple[str, ...], names: Mapping[str, str]
) -> Iterator[Section]:
    frame = network.nodes
    kind = frame["node_type"].to_numpy()
    patterns = name_objects(demand.patterns)
    junctions = [
        (nodes[row], _number(elevation, 0.0), float(demand.base[row]), patterns[demand.pattern[row]])
        for row, elevation in enumerate(frame["elevation"])
        if kind[row] == "junction"
    ]
    yield Section("JUNCTIONS", ("ID", "Elevation (m)", "Demand (m3/d)", "Pattern"), junctions)
    yield Section("RESERVOIRS", ("ID", "Head (m)"), _list_reservoirs(frame, nodes))
    columns = ("ID", "Elevation (m)", "InitLevel", "MinLevel", "MaxLevel", "Diameter (m)", "MinVolume (m3)")
    yield Section("TANKS", columns, _list_tanks(frame, nodes))
    leaks = [(nodes[row], float(value) * 86_400.0) for row, value in enumerate(demand.emitter) if value > 0.0]
    yield Section("EMITTERS", ("Junction", "Coefficient (m3/d at 1 m)"), leaks)
    yield from _list_pipes(network, nodes, names)
    yield from _list_valves(network, nodes, names)
    yield from _list_pumps(network, nodes, names)
    parts: list[Row] = [
        (patterns[key], *(float(value) for value in part))
        for key, values in demand.patterns.items()
        for part in np.split(np.asarray(values, np.float64), range(6, len(values), 6))
    ]
    for size in sorted({len(row) for row in parts}, reverse=True):
        titles = ("ID", *(f"x{k}" for k in range(1, size)))
        yield Section("PATTERNS", titles, [row for row in parts if len(row) == size])
    yield Section("TIMES", ("Duration", "Value", "Unit"), [("Duration", times.duration, "SEC")])
    steps = [("Hydraulic", times.step), ("Pattern", 3600), ("Report", times.step), ("Quality", 300)]
    times_of = [(word, "Timestep", seconds, "SEC") for word, seconds in steps]
    yield Section("TIMES", ("Time", "Step", "Value", "Unit"), times_of)
    yield Section("OPTIONS", ("Option", "Value"), [("Units", "CMD"), ("Headloss", "H-W"), ("Trials", 200)])
    more = [("Emitter", "Exponent", demand.emitter_exponent), ("Unbalanced", "Continue", 10)]
    yield Section("OPTIONS", ("Option", "of", "Value"), more)
    x, y = shapely.get_x(frame.geometry.to_numpy()), shapely.get_y(frame.geometry.to_numpy())
    yield Section(
        "COORDINATES",
        ("Node", "X (m)", "Y (m)"),
        [(n, float(a), float(b)) for n, a, b in zip(nodes, x, y, strict=True)],
    )


def _list_reservoirs(frame: pd.DataFrame, nodes: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    for row, (kind, head, elevation) in enumerate(
        zip(frame["node_type"], frame["head"], frame["elevation"], strict=True)
    ):
        if kind == "reservoir":
            rows.append((nodes[row], _number(head, _number(elevation, 0.0))))
    return rows


def _list_tanks(frame: pd.DataFrame, nodes: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    for row, tank in enumerate(list_rows(frame)):
        if tank.node_type != "tank":
            continue
        low = _number(tank.min_level, 0.0)
        high = max(_number(tank.max_level, low + TANK_DEPTH), low + 0.1)
        first = min(max(_number(tank.initial_level, 0.5 * (low + high)), low), high)
        wide = _number(tank.tank_diameter, np.nan)
        if not wide > 0.0:
            volume = _number(tank.volume, np.nan)
            wide = 2.0 * float(np.sqrt(volume / (high * np.pi))) if volume > 0.0 else TANK_DIAMETER
        rows.append((nodes[row], _number(tank.elevation, 0.0), first, low, high, wide, 0.0))
    return rows


def _list_pipes(network: WaterNetwork, nodes: tuple[str, ...], names: Mapping[str, str]) -> Iterator[Section]:
    rows: list[Row] = []
    for pipe in list_rows(network.pipes):
        status = "Closed" if not pipe.opened else "CV" if pipe.one_way else "Open"
        rows.append(
            (
                names[pipe.id], nodes[pipe.start], nodes[pipe.end], float(pipe.length), 1000.0 * float(pipe.diameter),
                float(pipe.roughness), float(pipe.minor_loss), status,
            )
        )  # fmt: skip
    columns = ("ID", "Node1", "Node2", "Length (m)", "Diameter (mm)", "C", "MinorLoss", "Status")
    yield Section("PIPES", columns, rows)


def _list_valves(network: WaterNetwork, nodes: tuple[str, ...], names: Mapping[str, str]) -> Iterator[Section]:
    rows: list[Row] = []
    fixed: list[Row] = []
    for valve in list_rows(network.valves):
        name, kind = names[valve.id], valve.valve_type.upper()
        if kind == "GPV":
            # A general purpose valve needs a curve of its losses, which the layers do not hold.
            kind, setting = "TCV", _number(valve.minor_loss, _VALVE_LOSS)
        elif kind == "TCV":
            setting = _number(valve.minor_loss, _VALVE_LOSS)
        else:
            column = "flow_setting" if kind == "FCV" else "pressure_setting"
            setting = _number(getattr(valve, column), np.nan)
            if not np.isfinite(setting):
                if valve.status not in ("open", "closed"):
                    raise InputError(
                        f"valve '{valve.id}' is a {kind} without {column}", hint=f"give it {column}, or status open"
                    )
                setting = 0.0
        wide = 1000.0 * _number(valve.diameter, 0.1)
        rows.append((name, nodes[valve.start], nodes[valve.end], wide, kind, setting, _number(valve.minor_loss, 0.0)))
        if valve.status == "closed" or (valve.status == "open" and kind not in ("TCV",)):
            fixed.append((name, valve.status.title()))
    yield Section("VALVES", ("ID", "Node1", "Node2", "Diameter (mm)", "Type", "Setting", "MinorLoss"), rows)
    yield Section("STATUS", ("Link", "Status"), fixed)


def _list_pumps(network: WaterNetwork, nodes: tuple[str, ...], names: Mapping[str, str]) -> Iterator[Section]:
    heads: list[Row] = []
    powers: list[Row] = []
    curves: list[Row] = []
    stopped: list[Row] = []
    efficiencies: list[Row] = []
    for number, pump in enumerate(list_rows(network.pumps), 1):
        name, ends = names[pump.id], (nodes[pump.start], nodes[pump.end])
        points = read_curve(pump.curve, pump.id) or _rate(pump)
        if points:
            heads.append((name, *ends, "HEAD", f"~H{number}"))
            curves.extend((f"~H{number}", flow, head) for flow, head in points)
        elif _number(pump.power, 0.0) > 0.0:
            powers.append((name, *ends, "POWER", _number(pump.power, 0.0) / 1000.0))
        else:
            raise InputError(
                f"pump '{pump.id}' has neither a curve, rated_flow with rated_head nor power, expected one of them"
            )
        share = _number(pump.efficiency, USUAL_EFFICIENCY)
        curves.append((f"~E{number}", _number(pump.rated_flow, 1.0), 100.0 * share))
        efficiencies.append(("Pump", name, "Efficiency", f"~E{number}"))
        if pump.status != "running":
            stopped.append((name, "Closed"))
    yield Section("PUMPS", ("ID", "Node1", "Node2", "Word", "Curve"), heads)
    yield Section("PUMPS", ("ID", "Node1", "Node2", "Word", "Power (kW)"), powers)
    yield Section("CURVES", ("ID", "Flow (m3/d)", "Head (m) or efficiency (%)"), curves)
    yield Section("ENERGY", ("Of", "Pump", "Word", "Curve"), efficiencies)
    yield Section("STATUS", ("Link", "Status"), stopped)
    yield from _list_controls(network, nodes, names)


def _list_controls(network: WaterNetwork, nodes: tuple[str, ...], names: Mapping[str, str]) -> Iterator[Section]:
    row_of = {key: row for row, key in enumerate(network.nodes["id"])}
    by_clock: list[Row] = []
    by_level: list[Row] = []
    for pump in list_rows(network.pumps):
        if pump.status != "running":
            continue
        name = names[pump.id]
        if isinstance(pump.hours, str) and pump.hours:
            by_clock.extend(
                ("LINK", name, "OPEN" if runs else "CLOSED", "AT", "CLOCKTIME", f"{minute // 60}:{minute % 60:02d}")
                for minute, runs in find_switches(pump.hours, pump.id)
            )
        if isinstance(pump.control_node, str) and pump.control_node:
            if pump.control_node not in row_of:
                raise InputError(f"pump '{pump.id}' is controlled by node '{pump.control_node}', which is not there")
            node = nodes[row_of[pump.control_node]]
            for word, place, level in (("OPEN", "BELOW", pump.start_below), ("CLOSED", "ABOVE", pump.stop_above)):
                if np.isfinite(_number(level, np.nan)):
                    by_level.append(("LINK", name, word, "IF", "NODE", node, place, float(level)))
    yield Section("CONTROLS", ("Link", "ID", "State", "At", "Clock", "Time"), by_clock)
    yield Section("CONTROLS", ("Link", "ID", "State", "If", "Node", "ID", "Than", "Level (m)"), by_level)


def _rate(pump: Any) -> list[tuple[float, float]]:
    flow, head = _number(pump.rated_flow, 0.0), _number(pump.rated_head, 0.0)
    return [(flow, head)] if flow > 0.0 and head > 0.0 else []


def read_curve(words: str | None, pump: str) -> list[tuple[float, float]]:
    """Return the points (flow [m3/d], head [m]) of a curve written as ``0,56; 4000,42; 8000,0``; none without words.

    Raises InputError where it is written otherwise or flows do not rise.
    """
    if not isinstance(words, str) or not words.strip():
        return []
    try:
        points = [(float(flow), float(head)) for flow, head in (part.split(",") for part in words.split(";"))]
    except ValueError as error:
        raise InputError(
            f"curve '{words[:60]}' of pump '{pump}' is not flow,head; flow,head; … in m3/d and m"
        ) from error
    if any(after <= before for (before, _), (after, _) in pairwise(points)):
        raise InputError(f"curve '{words[:60]}' of pump '{pump}' has flows that do not rise")
    return points


def _number(value: Any, default: float) -> float:
    """Return a number of a feature, ``default`` where it has none."""
    return default if value is None or pd.isna(value) else float(value)
