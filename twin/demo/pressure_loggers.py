"""Pressure loggers in one metered area of the demo, and the leak that begins there some days before the readings end.

The area hangs on one pressure reducing valve that keeps its outlet at its setting, so its pressures follow from its
own pipes and the flow through the valve. EPANET solves them once for some loads, without the leak and with it; readings
lie on those curves. Pipes and valves are those before faults are planted: a model of the layers has the faults, the
town has not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import shapely
from epanet import toolkit

from layers.ingest.inp import Section, write_inp
from network.epanet.project import Project
from twin.demo.plan import Floats, Ints, Shapes
from twin.demo.shapes import Table
from twin.demo.stations import Station

AREA = "DMA-99001"
LOGGERS = 11
LEAK = 0.005
"""What leaks [m3/s], about a twelfth of what the area uses."""

LEAK_DAYS = 4
LOADS: Floats = np.linspace(0.2, 2.0, 10)
"""Over the mean use of the area, at which pressures are solved."""

_DAY, _LOCAL, _NIGHT = 86_400, 7 * 3600, 2 * 3600
_ACCURACY = 1.0e-5


def find_leaking_pipe(tables: Mapping[str, Table]) -> int:
    """Return the row of the pipe that leaks, a long one in the streets of the area."""
    pipes = tables["water_pipes"].columns
    fits = (pipes["dma_id"] == AREA) & (pipes["pipe_type"] == "distribution") & (pipes["length"] > 60.0)
    rows = np.flatnonzero(fits)
    return int(rows[len(rows) // 2])


def find_leaking_nodes(tables: Mapping[str, Table]) -> tuple[str, str]:
    """Return the nodes at the ends of the pipe that leaks: a hole in its middle takes half from each."""
    pipes, row = tables["water_pipes"].columns, find_leaking_pipe(tables)
    return str(pipes["from_node"][row]), str(pipes["to_node"][row])


def place_loggers(tables: Mapping[str, Table], still: float) -> list[Station]:
    """Return the loggers of the area with the pressures [m] at each of LOADS, without the leak, then with it.

    ``still`` is the share of the area's use that is the same all day, as its flow meter has it.
    """
    nodes = tables["water_nodes"]
    rows = np.flatnonzero(nodes.columns["dma_id"] == AREA)
    inlet, leaking = _find_inlet(tables), find_leaking_nodes(tables)
    names, curves = _solve_area(tables, rows, inlet, leaking)
    row_of = {str(key): row for row, key in enumerate(nodes.columns["id"])}
    # A logger hangs at a hydrant or in a chamber: not at the valve that keeps the pressure, nor at the leak.
    fit = np.array([row_of[name] for name in names if name not in (inlet, *leaking) and name.count("-") == 1], np.int64)
    place = {name: k for k, name in enumerate(names)}
    chosen = _spread(fit, nodes.geometry, LOGGERS)
    found = []
    for number, row in enumerate(chosen.tolist(), 1):
        name, point = str(nodes.columns["id"][row]), nodes.geometry[row]
        found.append(
            Station(
                f"S-AL-{number:02d}", f"Áp lực {name}", f"Pressure {name}", "water_pressure",
                shapely.Point(round(point.x + 1.0, 3), point.y), "water_nodes", name, still=still,
                curve=tuple(curves[:, place[name]].round(4).tolist()),
            )
        )  # fmt: skip
    return found


def start_leak(stations: Sequence[Station], end: datetime) -> list[Station]:
    """Return the stations, those that see the leak with the time it begins: a night LEAK_DAYS before ``end``."""
    day = (int(end.timestamp()) + _LOCAL) // _DAY - LEAK_DAYS
    begins = day * _DAY - _LOCAL + _NIGHT
    return [replace(one, leak_from=begins) if one.leak or one.curve else one for one in stations]


def _find_inlet(tables: Mapping[str, Table]) -> str:
    valves = tables["water_valves"].columns
    [row] = np.flatnonzero((valves["valve_type"] == "prv") & (valves["dma_id"] == AREA))
    return str(valves["to_node"][row])


def _solve_area(
    tables: Mapping[str, Table], rows: Ints, inlet: str, leaking: Sequence[str]
) -> tuple[list[str], Floats]:
    """Return the junctions of the area but its inlet, and their pressures [m] (2 · loads, junctions)."""
    text = write_inp(_list_sections(tables, rows, inlet))
    with Project(f"{text}\n[END]\n") as project:
        project.set_option(toolkit.ACCURACY, _ACCURACY)
        junctions = project.nodes.select("junction")
        draws = [project.add_draw(int(node)) for node in project.nodes.find(leaking)]
        solved = []
        with project.open_snapshots() as solve:
            for flow in (0.0, LEAK):
                for load in LOADS.tolist():
                    project.set_option(toolkit.DEMANDMULT, load)
                    for draw in draws:
                        draw(flow / len(draws))
                    solve()
                    solved.append(project.pressures()[junctions])
        return [project.nodes.ids[k] for k in junctions], np.array(solved)


def _list_sections(tables: Mapping[str, Table], rows: Ints, inlet: str) -> list[Section]:
    """Return the model of the area, its inlet a reservoir as high as the valve keeps the pressure."""
    nodes, valves = tables["water_nodes"].columns, tables["water_valves"].columns
    setting = float(valves["pressure_setting"][np.flatnonzero(valves["to_node"] == inlet)[0]])
    inside = {str(nodes["id"][row]): row for row in rows.tolist()}
    pipes = tables["water_pipes"].columns
    shut = set(valves["pipe_id"][(valves["valve_type"] == "isolation") & (valves["status"] == "closed")])
    kept = [
        k
        for k, (key, start, end, status) in enumerate(
            zip(pipes["id"], pipes["from_node"], pipes["to_node"], pipes["status"], strict=True)
        )
        if start in inside and end in inside and status == "open" and key not in shut
    ]
    demand = np.nan_to_num(np.asarray(nodes["base_demand"], np.float64))
    return [
        Section(
            "JUNCTIONS",
            ("ID", "Elevation (m)", "Demand (m3/d)"),
            [(n, float(nodes["elevation"][row]), float(demand[row])) for n, row in inside.items() if n != inlet],
        ),
        Section("RESERVOIRS", ("ID", "Head (m)"), [(inlet, float(nodes["elevation"][inside[inlet]]) + setting)]),
        Section(
            "PIPES",
            ("ID", "Node1", "Node2", "Length (m)", "Diameter (mm)", "C", "MinorLoss"),
            [
                (
                    str(pipes["id"][k]), str(pipes["from_node"][k]), str(pipes["to_node"][k]),
                    float(pipes["length"][k]), 1000.0 * float(pipes["diameter"][k]), float(pipes["roughness"][k]),
                    float(pipes["minor_loss"][k]),
                )
                for k in kept
            ],
        ),
        Section("OPTIONS", ("Option", "Value"), [("Units", "CMD"), ("Headloss", "H-W"), ("Trials", 200)]),
    ]  # fmt: skip


def _spread(rows: Ints, points: Shapes, count: int) -> Ints:
    """Return ``count`` of the rows, each as far as can be from those before it; the first in the middle."""
    xy = np.array([(points[row].x, points[row].y) for row in rows.tolist()])
    chosen = [int(np.hypot(*(xy - xy.mean(axis=0)).T).argmin())]
    apart = np.hypot(*(xy - xy[chosen[0]]).T)
    while len(chosen) < count:
        chosen.append(int(apart.argmax()))
        apart = np.minimum(apart, np.hypot(*(xy - xy[chosen[-1]]).T))
    return np.sort(rows[chosen])
