"""A year of L-Town as its instruments see it: EPANET with another town than the model's, leaks, noise, lost readings.

Twelve weeks go before the year: eight without a leak, four in which those begin that run at its start. Nothing here is
known to who looks for the leaks but the readings.
"""

import sys
from dataclasses import dataclass

import numpy as np
from epanet import toolkit
from numpy.typing import NDArray

from bench.environments import ENVIRONMENTS
from bench.ltown import Network, read_network, split_pipes
from bench.ltown_demands import WEEK, Town
from bench.ltown_leaks import STEPS_A_DAY, PlantedLeak, plant_leaks
from network.epanet.project import Project
from network.leaks.expectation import ACCURACY, find_zone

STEP_S = 300
INLETS = ("p227", "p235")
KNOWN_WEEKS, HISTORY_WEEKS, YEAR_WEEKS = 8, 12, 52
"""Without a leak; all before the year; the year."""

ROUGHNESS_ERROR = 0.10
PRESSURE_NOISE, FLOW_NOISE, LEVEL_NOISE = 0.02, 0.005, 0.005
"""Standard deviations: pressure and level [m], flow as a share. All are kept with two decimals of m and m3/h."""

LOST = 0.003
VERSION = 6

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """What was measured at every step and what was true.

    pressures, levels [m], flows, uses [m3/h] (steps, instruments), NaN where lost; leaks and their outflow [m3/h]
    (steps, leaks) count from the start of the year, the readings from ``history`` steps before, of which the first
    ``known`` are without a leak.
    """

    network: Network
    known: int
    history: int
    pressures: Array
    flows: Array
    levels: Array
    uses: Array
    leaks: list[PlantedLeak]
    outflow: Array


def simulate_year(seed: int, *, weeks: int = YEAR_WEEKS) -> Year:
    """Return the year of a seed, from the file kept of it or simulated (a minute or two) and then kept."""
    network = read_network()
    path = ENVIRONMENTS / f"ltown-{VERSION}-{weeks}-{seed}.npz"
    with Project(network.text) as model:
        pipes = model.links.select("pipe")
        lengths = model.lengths()[pipes]
        zone = find_zone(model, model.links.find(INLETS), model.links.select("pump"))
        pumped = np.asarray(~zone[model.ends[pipes]].all(axis=1))
        ids = [model.links.ids[k] for k in pipes]
        leaks = plant_leaks(ids, lengths, pumped, 7 * weeks, np.random.default_rng(seed))
    if not path.exists():
        sys.stderr.write(f"leaks bench: simulating year {seed} of L-Town\n")
        np.savez_compressed(path, allow_pickle=False, **_simulate(network, leaks, seed, weeks))
    with np.load(path) as kept:
        arrays = {name: kept[name].astype(np.float64) for name in kept.files}
    return Year(network, KNOWN_WEEKS * WEEK, HISTORY_WEEKS * WEEK, **arrays, leaks=leaks)


def _simulate(network: Network, leaks: list[PlantedLeak], seed: int, weeks: int) -> dict[str, NDArray[np.float32]]:
    chance = np.random.default_rng((seed, 1))
    with Project(split_pipes(network.text, [leak.pipe for leak in leaks])) as project:
        _disturb(project, chance)
        junctions = [
            project.nodes.ids[k]
            for k in project.nodes.select("junction")
            if not project.nodes.ids[k].startswith("leak-")
        ]
        at = project.nodes.find(junctions)
        for name in junctions:
            project.set_pattern(f"u-{name}", np.ones(1))
        for node, name in zip(at, junctions, strict=True):
            project.set_demand(int(node), 1.0 / 3600.0, f"u-{name}")
        project.set_option(toolkit.ACCURACY, ACCURACY)
        project.set_time(toolkit.DURATION, WEEK * STEP_S - STEP_S)
        holes = project.nodes.find([f"leak-{leak.pipe}" for leak in leaks])
        sensors = [project.nodes.find(ids) for ids in (network.pressures, network.levels)]
        meters, links = project.nodes.find(network.meters), project.links.find(network.flows)
        tank = int(sensors[1][0])
        town = Town(network.text, junctions, seed)
        kept: dict[str, list[Array]] = {name: [] for name in ("pressures", "levels", "uses", "flows", "outflow")}
        total = HISTORY_WEEKS + weeks
        for week in range(total):
            uses = town.draw_week(week)
            for k, name in enumerate(junctions):
                project.set_pattern(f"u-{name}", uses[:, k])
            steps = np.arange(WEEK, dtype=np.float64) + (week - HISTORY_WEEKS) * WEEK
            holes_now = np.stack([leak.coefficients(steps) for leak in leaks], axis=1)
            level = _run_week(project, holes_now, holes, kept, (sensors[0], sensors[1], meters, links))
            project.set_node(tank, toolkit.TANKLEVEL, level)
            sys.stderr.write(f"\rleaks bench: week {week + 1} of {total} ")
        sys.stderr.write("\n")
    return _measure({name: np.array(rows) for name, rows in kept.items()}, chance)


def _disturb(project: Project, chance: np.random.Generator) -> None:
    """Give every pipe another roughness than the model's."""
    rough = project.read_links(toolkit.ROUGHNESS)
    for k in project.links.select("pipe"):
        project.set_link(int(k), toolkit.ROUGHNESS, rough[k] * chance.uniform(1 - ROUGHNESS_ERROR, 1 + ROUGHNESS_ERROR))


def _run_week(
    project: Project,
    coefficients: Array,
    holes: NDArray[np.int64],
    kept: dict[str, list[Array]],
    places: tuple[NDArray[np.int64], ...],
) -> float:
    """Append the true values of a week; return the tank's level at its end [m]."""
    pressure_at, level_at, meters, links = places
    last = coefficients[0]
    level = 0.0
    for node, hole in zip(holes, last, strict=True):
        project.set_emitter(int(node), float(hole))
    for time in project.run_hydraulics():
        step, rest = divmod(time, STEP_S)
        if rest:
            continue
        heads = project.pressures()
        kept["pressures"].append(heads[pressure_at])
        kept["levels"].append(heads[level_at])
        kept["uses"].append(project.demands()[meters] * 3600.0)
        kept["flows"].append(project.flows()[links] * 3600.0)
        kept["outflow"].append(last * np.sqrt(np.maximum(heads[holes], 0.0)) * 3600.0)
        level = float(heads[level_at][0])
        following = coefficients[min(step + 1, len(coefficients) - 1)]
        for k in np.flatnonzero(following != last):
            project.set_emitter(int(holes[k]), float(following[k]))
        last = following
    return level


def _measure(true: dict[str, Array], chance: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    """Return what the instruments give: noise, two decimals, some readings lost, some instruments silent for hours."""
    noisy = {
        "pressures": true["pressures"] + chance.normal(0.0, PRESSURE_NOISE, true["pressures"].shape),
        "levels": true["levels"] + chance.normal(0.0, LEVEL_NOISE, true["levels"].shape),
        "flows": true["flows"] * (1.0 + chance.normal(0.0, FLOW_NOISE, true["flows"].shape)),
        "uses": true["uses"],
    }
    read = {"outflow": true["outflow"].astype(np.float32)}
    for name, values in noisy.items():
        lost = chance.random(values.shape) < LOST
        for column in range(values.shape[1]):
            for _ in range(chance.poisson(values.shape[0] / STEPS_A_DAY / 90.0)):  # silent once in three months
                begin = int(chance.integers(0, values.shape[0]))
                lost[begin : begin + int(chance.uniform(12, 300)), column] = True
        read[name] = np.where(lost, np.nan, np.round(values, 2)).astype(np.float32)
    return read
