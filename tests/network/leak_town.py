"""A small town for tests of leaks: a grid of pipes behind one metered inlet, simulated with errors the model lacks."""

from dataclasses import dataclass

import numpy as np
from epanet import toolkit
from numpy.typing import NDArray

from network.epanet.project import Project
from network.leaks.expectation import Instruments, Readings

STEP = 900
DAY = 86_400 // STEP
SIDE = 6
LOGGERS = ("n0-1", "n0-5", "n1-3", "n2-0", "n2-5", "n3-2", "n4-4", "n5-1", "n5-5")
INSTRUMENTS = Instruments(pressures=LOGGERS, inlets=("inlet",))

Array = NDArray[np.float64]

_PATTERN = [
    0.5,
    0.4,
    0.3,
    0.3,
    0.4,
    0.7,
    1.2,
    1.6,
    1.5,
    1.2,
    1.1,
    1.1,
    1.2,
    1.1,
    1.0,
    1.0,
    1.1,
    1.3,
    1.6,
    1.7,
    1.4,
    1.1,
]


@dataclass(frozen=True)
class Hole:
    """A leak at a node: flow [m3/s] from step ``start`` to ``end``; it grows for ``growth`` steps."""

    node: str
    flow: float
    start: int
    end: int
    growth: int = 0


def write_town() -> str:
    """Return the input file: 36 junctions in a grid of 100 m, 50 m3/h at mean, patterns by the hour, flows in l/s."""
    lines = ["[JUNCTIONS]"]
    names = [f"n{row}-{col}" for row in range(SIDE) for col in range(SIDE)]
    lines += [f" {name} {10 - 0.3 * k % 4:.2f} {0.25 + 0.02 * (k % 8):.3f} day" for k, name in enumerate(names)]
    lines += ["[RESERVOIRS]", " works 55", "[PIPES]", " inlet works n0-0 300 250 130 0 Open"]
    for row in range(SIDE):
        for col in range(SIDE):
            wide = 150 if row == 0 or col == 0 else 100
            if col + 1 < SIDE:
                lines.append(f" h{row}-{col} n{row}-{col} n{row}-{col + 1} 100 {wide} 120 0 Open")
            if row + 1 < SIDE:
                lines.append(f" v{row}-{col} n{row}-{col} n{row + 1}-{col} 100 {wide} 120 0 Open")
    lines += ["[PATTERNS]", *(f" day {value}" for value in [*_PATTERN, 0.8, 0.6])]
    lines += ["[TIMES]", " Duration 24:00", " Hydraulic Timestep 1:00", " Pattern Timestep 1:00"]
    lines += ["[OPTIONS]", " Units LPS", " Headloss H-W", " Accuracy 0.00001", "[COORDINATES]", " works -300 0"]
    lines += [f" n{row}-{col} {100 * col} {-100 * row}" for row in range(SIDE) for col in range(SIDE)]
    lines.append("[END]")
    return "\n".join(lines) + "\n"


def simulate_town(days: int, holes: list[Hole], seed: int) -> Readings:
    """Return what the loggers and the inlet meter read every quarter of an hour, from Monday on."""
    chance = np.random.default_rng(seed)
    steps = days * DAY
    pressures, inlets = np.empty((steps, len(LOGGERS))), np.empty((steps, 1))
    with Project(write_town()) as project:
        nodes = [name for name in project.nodes.ids if name != "works"]
        at = project.nodes.find(nodes)
        rough = project.read_links(toolkit.ROUGHNESS)
        for link in range(len(rough)):
            project.set_link(link, toolkit.ROUGHNESS, rough[link] * chance.uniform(0.93, 1.07))
        base = np.array([0.25 + 0.02 * (k % 8) for k in range(len(nodes))]) * chance.uniform(0.9, 1.1, len(nodes))
        hour = np.arange(steps) % DAY // (3600 // STEP)
        use = base * np.array([*_PATTERN, 0.8, 0.6])[hour][:, None] * chance.gamma(9.0, 1.0 / 9.0, (steps, len(nodes)))
        lost = np.zeros_like(use)
        for hole in holes:
            when = np.arange(steps)
            grown = np.clip((when - hole.start) / hole.growth, 0.0, 1.0) if hole.growth else np.ones(steps)
            there = (when >= hole.start) & (when < hole.end)
            lost[:, nodes.index(hole.node)] += np.where(there, hole.flow * grown, 0.0) * 1000.0
        project.set_time(toolkit.PATTERNSTEP, STEP)
        project.set_time(toolkit.HYDSTEP, STEP)
        project.set_time(toolkit.REPORTSTEP, STEP)
        project.set_time(toolkit.DURATION, (steps - 1) * STEP)
        for k, (node, name) in enumerate(zip(at, nodes, strict=True)):
            project.set_pattern(f"u-{name}", (use + lost)[:, k])
            project.set_demand(int(node), 1.0e-3, f"u-{name}")
        loggers, inlet = project.nodes.find(LOGGERS), project.links.find(["inlet"])
        for time in project.run_hydraulics():
            pressures[time // STEP] = project.pressures()[loggers]
            inlets[time // STEP] = project.flows()[inlet]
    pressures += chance.normal(0.0, 0.02, pressures.shape)
    inlets *= 1.0 + chance.normal(0.0, 0.005, inlets.shape)
    none = np.empty((steps, 0))
    return Readings(np.round(pressures, 2), inlets, none, none, none, start=0, step=STEP)
