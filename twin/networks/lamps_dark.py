"""Why lamps are dark: the smallest set of failed fuses, cabinets, cables, transformers or lamps that explains it.

One tree holds all that a lamp needs: substation, feeder, transformer, cabinet, the fuse of its circuit, each section of
cable, and the lamp itself as a leaf. A phase of a circuit lies across its branches: it is tried besides, and kept where
it makes the whole cheaper.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from network.circuits import (
    DARK,
    LIT,
    UNKNOWN,
    Circuit,
    explain_dark_lamps,
    list_alternatives,
    sum_below,
    trace_circuit,
)
from network.graph import build_graph
from twin.lighting.supply import PowerSupply
from twin.networks.circuits import CABINETS, CABLES, LAMPS, LightingCircuits

# Of failures of equal number the likelier: a lamp before a fuse, a fuse before a cabinet, and so outward to the grid.
KIND_ORDER = ("lamp", "phase", "fuse", "cabinet", "cable", "transformer", "line", "substation")
_WEIGHT = 1e-4
SURE, TOLD = 3.0, 1.4
"""What a wrong report costs, in failures: of a controller or the crew, and of a citizen."""
MOST_ALTERNATIVES = 6
MOST_PHASES = 200


class Device(NamedTuple):
    """One thing that can fail: its kind, layer and item, name, and the row or node it stands for."""

    kind: str
    layer: str
    item: str
    row: int


@dataclass(frozen=True, slots=True)
class LampReport:
    """Lamps (rows) reported dark and lit, and what a wrong report costs."""

    dark: tuple[int, ...] = ()
    lit: tuple[int, ...] = ()
    wrong_cost: float = SURE


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed device: what it explains.

    explains: rows of lamps reported dark. lamps: how many lamps it darkens, power: theirs [W]. cabinet, circuit: where.
    """

    device: Device
    point: shapely.Point
    explains: tuple[int, ...]
    lamps: int
    power: float
    cabinet: str
    circuit: str
    alternatives: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The failures, those that explain most first; reports (rows) that must be wrong; what it costs in all."""

    failures: tuple[Failure, ...]
    wrong: tuple[int, ...]
    cost: float


@dataclass(frozen=True, eq=False)
class _Tree:
    circuit: Circuit
    devices: list[Device]
    costs: NDArray[np.float64]
    leaves: dict[int, int]
    points: list[shapely.Point]


def diagnose(
    circuits: LightingCircuits,
    supply: PowerSupply | None,
    reports: Sequence[LampReport],
    *,
    dark_cabinets: Sequence[int] = (),
) -> Diagnosis:
    """Return the smallest set of failures that explains the reports.

    Of sets of equal size the likeliest; the first reports count where two speak of one lamp. ``dark_cabinets``: rows
    of cabinets whose own controller says they have no power.
    """
    told: dict[int, tuple[int, float]] = {}
    for report in reports:
        for rows, word in ((report.dark, DARK), (report.lit, LIT)):
            for row in rows:
                told.setdefault(row, (word, report.wrong_cost))
    if not told and not len(dark_cabinets):
        return Diagnosis((), (), 0.0)
    tree = _plant(circuits, supply, sorted(told), dark_cabinets)
    words, doubts = _spread_reports(tree, told, dark_cabinets)
    phases, lost = _find_phases(circuits, tree, told, words, doubts)
    best = explain_dark_lamps(tree.circuit, words, tree.costs, wrong_cost=doubts, most=1)[0]
    lamps, power = _count_below(circuits, supply, tree)
    failures = [*phases, *(_describe(circuits, tree, node, words, lamps, power) for node in best.failed)]
    wrong = [tree.devices[node].row for node in best.wrong if tree.devices[node].kind == "lamp"]
    failures.sort(key=lambda each: (-len(each.explains), KIND_ORDER.index(each.device.kind), each.device.item))
    cost = best.cost + len(phases) * _cost("phase") + sum(told[row][1] for row in lost)
    return Diagnosis(tuple(failures), tuple(sorted({*wrong, *lost})), round(cost, 3))


def _cost(kind: str) -> float:
    return 1.0 + _WEIGHT * KIND_ORDER.index(kind)


def _spread_reports(
    tree: _Tree, told: Mapping[int, tuple[int, float]], dark_cabinets: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return what is told of each device, and what it costs if it is wrong."""
    words, doubts = np.full(len(tree.devices), UNKNOWN), np.full(len(tree.devices), SURE)
    for row, (word, cost) in told.items():
        words[tree.leaves[row]], doubts[tree.leaves[row]] = word, cost
    for number, device in enumerate(tree.devices):
        if device.kind == "cabinet" and device.row in dark_cabinets:
            words[number] = DARK
    return words, doubts


def _find_phases(
    circuits: LightingCircuits, tree: _Tree, told: Mapping[int, tuple[int, float]], words: NDArray[np.int64],
    doubts: NDArray[np.float64],
) -> tuple[list[Failure], list[int]]:  # fmt: skip
    """Return the phases of circuits whose failure makes the explanation cheaper, and the reports (rows) then wrong.

    What such a phase explains is taken out of ``words``.
    """
    phase = circuits.lamps["phase"].to_numpy(object)
    dark = [row for row, (word, _) in told.items() if word == DARK and isinstance(phase[row], str)]
    counts = Counter((str(circuits.lamp_circuits[row]), phase[row]) for row in dark if circuits.lamp_circuits[row])
    tried = [key for key, count in counts.most_common(MOST_PHASES) if count > 1]
    found: list[Failure] = []
    lost: list[int] = []
    price = explain_dark_lamps(tree.circuit, words, tree.costs, wrong_cost=doubts, most=1)[0].cost if tried else 0.0
    for name, letter in tried:
        own = np.flatnonzero((circuits.lamp_circuits == name) & (phase == letter)).tolist()
        leaves = [tree.leaves[row] for row in own if row in tree.leaves]
        lit = [row for row in own if told.get(row, (UNKNOWN, 0.0))[0] == LIT]
        trial = words.copy()
        trial[leaves] = UNKNOWN
        rest = explain_dark_lamps(tree.circuit, trial, tree.costs, wrong_cost=doubts, most=1)[0].cost
        if rest + _cost("phase") + sum(told[row][1] for row in lit) < price - 1e-9:
            found.append(_describe_phase(circuits, f"{name} {letter}", own, told))
            words[leaves] = UNKNOWN
            lost += lit
            price = rest
    return found, lost


def _describe_phase(
    circuits: LightingCircuits, name: str, rows: Sequence[int], told: Mapping[int, tuple[int, float]]
) -> Failure:
    cabinet = int(circuits.lamp_cabinets[rows[0]])
    watts = circuits.lamps["power"].fillna(0.0).to_numpy(np.float64)
    point = shapely.Point(shapely.get_coordinates(circuits.cabinets.geometry.iloc[cabinet])[0])
    explains = tuple(row for row in rows if told.get(row, (UNKNOWN, 0.0))[0] == DARK)
    return Failure(
        Device("phase", "", name, -1), point, explains, len(rows), float(watts[list(rows)].sum()),
        str(circuits.cabinets["id"].iloc[cabinet]), str(circuits.lamp_circuits[rows[0]]), (),
    )  # fmt: skip


def _plant(
    circuits: LightingCircuits, supply: PowerSupply | None, rows: Sequence[int], dark_cabinets: Sequence[int]
) -> _Tree:
    """Return the tree of all cabinets that reports speak of, with the grid above them."""
    lamps, cabinets = circuits.lamps, circuits.cabinets
    concerned = sorted({int(circuits.lamp_cabinets[row]) for row in rows} - {-1} | set(dark_cabinets))
    devices, parents = [Device("grid", "", "", -1)], [0]
    numbers: dict[tuple[str, str], int] = {}
    points = [shapely.Point()]

    def add(device: Device, parent: int, point: shapely.Point) -> int:
        key = device.kind, device.item if device.kind != "cable" else str(device.row)
        if key not in numbers:
            numbers[key] = len(devices)
            devices.append(device)
            parents.append(parent)
            points.append(point)
        return numbers[key]

    shapes = cabinets.geometry.to_numpy()
    feeding = _find_feeding(supply, shapes[concerned]) if concerned else []
    top: dict[int, int] = {}
    for cabinet, chain in zip(concerned, feeding, strict=True):
        at = 0
        for kind, layer, item, point in chain:
            at = add(Device(kind, layer, item, -1), at, point)
        top[cabinet] = add(Device("cabinet", CABINETS, str(cabinets["id"].iloc[cabinet]), cabinet), at, shapes[cabinet])
    nodes = circuits.cabinet_nodes
    node_of: dict[int, int] = {int(nodes[row]): number for row, number in top.items() if nodes[row] >= 0}
    circuit, network = circuits.circuit, circuits.network
    for node in circuit.order.tolist():
        parent = int(circuit.parents[node])
        if parent not in node_of or node in node_of:
            continue
        above = node_of[parent]
        name = str(circuits.node_circuits[node])
        point = shapely.Point(network.node_xy[node])
        if circuit.parents[parent] < 0:
            above = add(Device("fuse", "", name, -1), above, points[above])
        cable = str(network.link_items[circuit.feeders[node]])
        node_of[node] = add(Device("cable", CABLES, cable, int(node)), above, point)
    leaves: dict[int, int] = {}
    wanted = np.flatnonzero(np.isin(circuits.lamp_cabinets, concerned)).tolist()
    for row in sorted({*wanted, *rows}):
        above = node_of.get(int(circuits.lamp_nodes[row]), 0)
        spot = shapely.Point(shapely.get_coordinates(lamps.geometry.iloc[row])[0])
        leaves[row] = add(Device("lamp", LAMPS, str(lamps["id"].iloc[row]), row), above, spot)
    graph = build_graph(parents[1:], range(1, len(devices)), nodes=len(devices))
    order = [KIND_ORDER.index(device.kind) if device.kind in KIND_ORDER else 0 for device in devices]
    costs = 1.0 + _WEIGHT * np.array(order, np.float64)
    costs[0] = np.inf
    return _Tree(trace_circuit(graph, 0), devices, costs, leaves, points)


def _find_feeding(
    supply: PowerSupply | None, places: NDArray[np.object_]
) -> list[list[tuple[str, str, str, shapely.Point]]]:
    """Return substation, feeder and transformer of each place, as far as they are known."""
    if supply is None:
        return [[] for _ in places]
    nodes = supply.find_nodes(shapely.get_coordinates(places))
    network = supply.network
    chains = []
    for node in nodes.tolist():
        chain: list[tuple[str, str, str, shapely.Point]] = []
        if node >= 0:
            for kind, layer, item in (
                ("substation", "substations", supply.substations[node]),
                ("line", "", supply.feeders[node]),
                ("transformer", "transformers", supply.transformers[node]),
            ):
                place = network.places.get(layer, {}).get(item)
                if item:
                    at = network.node_xy[node if place is None else place]
                    chain.append((kind, layer, str(item), shapely.Point(at)))
        chains.append(chain)
    return chains


def _count_below(
    circuits: LightingCircuits, supply: PowerSupply | None, tree: _Tree
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many lamps each device feeds and their power [W]; of the grid, lamps of every cabinet on it."""
    size = len(tree.devices)
    watts = circuits.lamps["power"].fillna(0.0).to_numpy(np.float64)
    own_lamps, own_power = np.zeros(size), np.zeros(size)
    for row, leaf in tree.leaves.items():
        own_lamps[leaf], own_power[leaf] = 1.0, watts[row]
    lamps, power = sum_below(tree.circuit, own_lamps), sum_below(tree.circuit, own_power)
    if supply is None:
        return lamps, power
    nodes = supply.find_nodes(shapely.get_coordinates(circuits.cabinets.geometry.to_numpy()))
    fed = circuits.lamp_cabinets >= 0
    count = np.bincount(circuits.lamp_cabinets[fed], minlength=len(circuits.cabinets)).astype(np.float64)
    load = np.bincount(circuits.lamp_cabinets[fed], weights=watts[fed], minlength=len(circuits.cabinets))
    arrays = {"transformer": supply.transformers, "line": supply.feeders, "substation": supply.substations}
    for number, device in enumerate(tree.devices):
        if device.kind in arrays:
            own = (nodes >= 0) & (arrays[device.kind][nodes] == device.item)
            lamps[number], power[number] = count[own].sum(), load[own].sum()
    return lamps, power


def _describe(
    circuits: LightingCircuits, tree: _Tree, node: int, words: NDArray[np.int64], lamps: NDArray[np.float64],
    power: NDArray[np.float64],
) -> Failure:  # fmt: skip
    device, below = tree.devices[node], _list_below(tree.circuit, node)
    explains = tuple(
        tree.devices[each].row for each in below if words[each] == DARK and tree.devices[each].kind == "lamp"
    )
    others = list_alternatives(tree.circuit, words, node, tree.costs)
    others.sort(key=lambda each: (KIND_ORDER.index(tree.devices[each].kind), each))
    leaf = next((tree.devices[each].row for each in below if tree.devices[each].kind == "lamp"), -1)
    cabinet = int(circuits.lamp_cabinets[leaf]) if leaf >= 0 else device.row
    within = device.kind in ("lamp", "fuse", "cable", "cabinet") and cabinet >= 0
    return Failure(
        device,
        tree.points[node],
        explains,
        int(lamps[node]),
        float(power[node]),
        str(circuits.cabinets["id"].iloc[cabinet]) if within else "",
        str(circuits.lamp_circuits[leaf]) if device.kind in ("lamp", "fuse", "cable") and leaf >= 0 else "",
        tuple(tree.devices[each] for each in others[:MOST_ALTERNATIVES]),
    )


def _list_below(circuit: Circuit, node: int) -> list[int]:
    inside = np.zeros(circuit.parents.size, np.bool_)
    inside[node] = True
    for each in circuit.order.tolist():
        parent = circuit.parents[each]
        if parent >= 0 and inside[parent]:
            inside[each] = True
    return [int(each) for each in np.flatnonzero(inside)]
