"""The circuits of public lighting as they are wired: which cabinet feeds each luminaire, and over which cables.

The geometry of the cables decides; what luminaires and cables say of their cabinet and circuit is compared with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from network.circuits import Circuit, find_branches, find_owners, trace_circuit
from network.graph import Index
from network.voltage import RESISTIVITY, Loading, compute_loading
from twin.networks.city_graph import CityGraph
from twin.process import CityView

LAMPS, CABINETS, CABLES = "luminaires", "lighting_cabinets", "lighting_circuits"
UNKNOWN_SECTION, UNKNOWN_MATERIAL = 10.0, "copper"
"""What is presumed of a cable that does not say: copper of 10 mm²."""
NO_NODE = -1


@dataclass(frozen=True, eq=False)
class LightingCircuits:
    """All circuits of the city.

    circuit: the trees from the cabinets over the nodes of ``network``. lamps, cabinets: the layers, by id. lamp_nodes,
    cabinet_nodes: the node of each, -1 where it is on no cable. lamp_cabinets: the row of the cabinet that feeds each
    lamp, -1 where none does. lamp_circuits: the circuit that feeds it, "" where none does. node_circuits: the circuit
    of each node of the network. presumed: cables whose conductor is not known.
    """

    network: CityGraph
    circuit: Circuit
    lamps: gpd.GeoDataFrame
    cabinets: gpd.GeoDataFrame
    lamp_nodes: Index
    cabinet_nodes: Index
    lamp_cabinets: Index
    lamp_circuits: NDArray[np.object_]
    node_circuits: NDArray[np.object_]

    @property
    def dark_rows(self) -> Index:
        """The rows of lamps that no cabinet feeds."""
        return np.flatnonzero(self.lamp_cabinets < 0).astype(np.int32)

    def find_lamps(self, ids: Sequence[str]) -> tuple[Index, list[str]]:
        """Return the rows of named lamps, and the names that are none."""
        rows = pd.Index(self.lamps["id"]).get_indexer(pd.Index(list(ids)))
        return rows[rows >= 0].astype(np.int32), [name for name, row in zip(ids, rows.tolist(), strict=True) if row < 0]


def read_circuits(city: CityView) -> LightingCircuits:
    """Return the circuits of the city as they are now."""
    network = city.network("lighting")
    lamps = city.layer(LAMPS).sort_values("id", ignore_index=True)
    cabinets = city.layer(CABINETS).sort_values("id", ignore_index=True)
    lamp_nodes, cabinet_nodes = _find_nodes(network, LAMPS, lamps), _find_nodes(network, CABINETS, cabinets)
    circuit = trace_circuit(network.graph, cabinet_nodes[cabinet_nodes >= 0], open_nodes=network.open_nodes)
    owners = np.append(find_owners(circuit), NO_NODE)
    rows = np.full(owners.size, NO_NODE, np.int32)
    rows[cabinet_nodes[cabinet_nodes >= 0]] = np.flatnonzero(cabinet_nodes >= 0)
    fed_by = owners[lamp_nodes]
    lamp_cabinets = np.where(fed_by >= 0, rows[fed_by], NO_NODE).astype(np.int32)
    node_circuits = _name_circuits(network, circuit, cabinets, rows, owners[:-1])
    lamp_circuits = np.append(node_circuits, "")[lamp_nodes]
    # A lamp on the cabinet itself, as one on its wall, is a circuit of its own.
    at_cabinet = (lamp_cabinets >= 0) & (lamp_circuits == "")
    lamp_circuits[at_cabinet] = cabinets["id"].to_numpy(object)[lamp_cabinets[at_cabinet]]
    return LightingCircuits(
        network, circuit, lamps, cabinets, lamp_nodes, cabinet_nodes, lamp_cabinets, lamp_circuits, node_circuits
    )


def compute_circuit_loading(circuits: LightingCircuits) -> tuple[Loading, int]:
    """Return power, current and voltage drop at each node with all lamps at full power, and how many cables do not say
    what they are made of.

    A cable of one phase is taken as such, any other as three phases evenly loaded. A lamp without a power counts 0.
    """
    network, circuit = circuits.network, circuits.circuit
    on = circuits.lamp_nodes >= 0
    watts = circuits.lamps["power"].fillna(0.0).to_numpy(np.float64)[on]
    power = np.zeros(network.graph.node_count)
    np.add.at(power, circuits.lamp_nodes[on], watts)
    section = network.values("cross_section")
    material = network.words("conductor_material")
    known = (section > 0.0) & np.isin(material.astype(str), list(RESISTIVITY))
    per_metre = np.array([RESISTIVITY.get(str(word), RESISTIVITY[UNKNOWN_MATERIAL]) for word in material])
    resistance = per_metre * network.graph.weights / np.where(section > 0.0, section, UNKNOWN_SECTION)
    feeders = circuit.feeders
    fed = feeders >= 0
    node_resistance: NDArray[np.float64] = np.where(fed, resistance[feeders] if resistance.size else 0.0, 0.0)
    voltage = _find_voltages(circuits)
    three, one = (
        compute_loading(circuit, power, node_resistance, voltage=voltage, three_phase=phases)
        for phases in (True, False)
    )
    single = np.zeros(fed.size, np.bool_)
    if resistance.size:
        single[fed] = network.values("phases")[feeders[fed]] == 1.0
    chosen = Loading(three.power, np.where(single, one.current, three.current), np.where(single, one.drop, three.drop))
    return chosen, int(np.count_nonzero(~known))


def summarize_circuits(circuits: LightingCircuits, loading: Loading) -> pd.DataFrame:
    """Return a row for each circuit, by id.

    circuit_id, cabinet (its row), lamps, length [m], power [W], current [A] at the cabinet, fuse_rating [A],
    voltage_drop, node (where the drop is largest).
    """
    network = circuits.network
    lamp_rows = np.flatnonzero(circuits.lamp_cabinets >= 0)
    names = circuits.lamp_circuits[lamp_rows].astype(str)
    nodes = circuits.lamp_nodes[lamp_rows]
    table = pd.DataFrame(
        {
            "circuit_id": names,
            "cabinet": circuits.lamp_cabinets[lamp_rows],
            "lamps": 1,
            "power": circuits.lamps["power"].fillna(0.0).to_numpy(np.float64)[lamp_rows],
            "voltage_drop": loading.drop[nodes],
            "node": nodes,
        }
    )
    worst = table.sort_values("voltage_drop", kind="stable").groupby("circuit_id").tail(1).set_index("circuit_id")
    sums = table.groupby("circuit_id").agg(
        cabinet=("cabinet", "first"),
        lamps=("lamps", "sum"),
        power=("power", "sum"),
        voltage_drop=("voltage_drop", "max"),
    )
    links = pd.DataFrame(
        {
            "circuit_id": circuits.node_circuits[network.graph.ends].astype(str),
            "length": network.graph.weights,
            "fuse_rating": network.values("fuse_rating"),
        }
    )
    either = circuits.node_circuits[network.graph.starts].astype(str)
    links.loc[links["circuit_id"] == "", "circuit_id"] = either[links["circuit_id"] == ""]
    cables = links.groupby("circuit_id").agg(length=("length", "sum"), fuse_rating=("fuse_rating", "min"))
    branches = find_branches(circuits.circuit)
    first = np.flatnonzero(branches == np.arange(branches.size))
    currents = pd.Series(loading.current[first]).groupby(circuits.node_circuits[first].astype(str)).sum()
    return (
        sums.join(cables)
        .assign(current=currents.reindex(sums.index).fillna(0.0), node=worst["node"].reindex(sums.index))
        .reset_index()
        .sort_values("circuit_id", ignore_index=True)
    )


def list_disagreements(circuits: LightingCircuits) -> list[dict[str, Any]]:
    """Return what the wiring and the words do not say alike, and what is wrong with the wiring.

    Each has ``kind``: no_cable (a lamp on none), unfed (on a cable that no cabinet feeds), cabinet and circuit (a lamp
    says another one than feeds it), loop (a cable that closes a ring), tie (a cable that joins two cabinets),
    cabinet_off (a cabinet on no cable).
    """
    lamps = circuits.lamps
    found: list[dict[str, Any]] = []
    fed_by = np.append(circuits.cabinets["id"].to_numpy(object), "")[circuits.lamp_cabinets]
    said = [lamps[name].to_numpy(object) for name in ("cabinet_id", "circuit_id")]
    for row, lamp in enumerate(lamps["id"].tolist()):
        if circuits.lamp_cabinets[row] < 0:
            kind = "no_cable" if circuits.lamp_nodes[row] < 0 or _is_alone(circuits, row) else "unfed"
            found.append({"kind": kind, "layer": LAMPS, "id": lamp})
            continue
        for kind, word, traced in (
            ("cabinet", said[0][row], fed_by[row]),
            ("circuit", said[1][row], circuits.lamp_circuits[row]),
        ):
            if isinstance(word, str) and word != traced:
                found.append({"kind": kind, "layer": LAMPS, "id": lamp, "says": word, "traced": str(traced)})
    graph, owners = circuits.network.graph, find_owners(circuits.circuit)
    for link in circuits.circuit.loops.tolist():
        start, end = owners[graph.starts[link]], owners[graph.ends[link]]
        cable = str(circuits.network.link_items[link])
        found.append({"kind": "loop" if start == end else "tie", "layer": CABLES, "id": cable})
    for row in np.flatnonzero(circuits.cabinet_nodes < 0).tolist():
        found.append({"kind": "cabinet_off", "layer": CABINETS, "id": str(circuits.cabinets["id"].iloc[row])})
    return found


def _is_alone(circuits: LightingCircuits, row: int) -> bool:
    return bool(circuits.network.graph.degrees[circuits.lamp_nodes[row]] == 0)


def _find_nodes(network: CityGraph, layer: str, frame: gpd.GeoDataFrame) -> Index:
    places = network.places.get(layer, {})
    return np.array([places.get(name, NO_NODE) for name in frame["id"].tolist()], np.int32)


def _find_voltages(circuits: LightingCircuits) -> NDArray[np.float64]:
    own = circuits.cabinets["voltage"].to_numpy(np.float64)
    volts = np.where(own > 0.0, own, 380.0)
    owners = find_owners(circuits.circuit)
    rows = np.full(owners.size, NO_NODE, np.int64)
    on = circuits.cabinet_nodes >= 0
    rows[circuits.cabinet_nodes[on]] = np.flatnonzero(on)
    return np.where(owners >= 0, volts[rows[owners]] if volts.size else 380.0, 380.0)


def _name_circuits(
    network: CityGraph, circuit: Circuit, cabinets: gpd.GeoDataFrame, rows: Index, owners: Index
) -> NDArray[np.object_]:
    """Return the circuit of each node: what the cable says by which its branch leaves the cabinet, else its number."""
    branches, words = find_branches(circuit), network.words("circuit_id")
    ids = cabinets["id"].to_numpy(object)
    named = np.full(owners.size + 1, "", object)
    for number, branch in enumerate(np.unique(branches[branches >= 0]).tolist(), 1):
        word = words[circuit.feeders[branch]]
        named[branch] = word if isinstance(word, str) and word else f"{ids[rows[owners[branch]]]}#{number}"
    return named[branches]
