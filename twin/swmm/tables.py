"""The tables of a SWMM 5.2 model that say what a network of the layers is made of."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from layers.ingest.inp import Section, Word
from twin.processes.sewer_network import Link, Network

PUMP_START, PUMP_STOP = 0.5, 0.1
"""Water in a sump at which its pump starts and stops [m]; a basin's: 0.1 m above its level at the start, at it."""

WEIR_COEFFICIENT, GATE_COEFFICIENT = 1.84, 0.65
"""Of a sharp transverse weir [m^(1/2)/s] and an orifice [1]: SWMM 5.2 User's Manual, typical values."""

SEALED_DEPTH = 100.0
"""Pressure that a node without an opening bears [m]: no water is lost from it."""

SHAPES = {
    "circular": "CIRCULAR",
    "rect_closed": "RECT_CLOSED",
    "rect_open": "RECT_OPEN",
    "trapezoidal": "TRAPEZOIDAL",
}
BANK_SLOPE = 1.0
"""Run over rise of a trapezoidal channel's banks, which no layer tells [1]."""

ROUTING_S = 5.0
"""Longest routing step [s]; SWMM shortens it where a pipe's wave is faster."""

HYDRAULICS: Mapping[str, str] = {
    "FLOW_UNITS": "CMS",
    "FLOW_ROUTING": "DYNWAVE",
    "LINK_OFFSETS": "ELEVATION",
    "ROUTING_STEP": f"{ROUTING_S:g}",
    "VARIABLE_STEP": "0.75",
    "MINIMUM_STEP": "0.5",
    "INERTIAL_DAMPING": "PARTIAL",
    "NORMAL_FLOW_LIMITED": "BOTH",
    "MIN_SURFAREA": "1.167",
    "MAX_TRIALS": "8",
    "HEAD_TOLERANCE": "0.0015",
    "THREADS": "1",
}


class Basin(NamedTuple):
    """Water surface of a storage node [m2] and its depth at the start [m]."""

    area: float
    depth: float


def list_nodes(
    network: Network,
    names: Mapping[str, str],
    basins: Mapping[str, Basin],
    open_nodes: Collection[str],
) -> list[Section]:
    """Return junctions, outfalls and storage; ``names`` by id of the layer.

    open_nodes: names of those that lose water above their rim, or pond it; all others bear pressure. Outfalls are free.
    """
    junctions: list[tuple[Word, ...]] = []
    outfalls: list[tuple[Word, ...]] = []
    stores: list[tuple[Word, ...]] = []
    for node in network.nodes.values():
        name, depth = names[node.id], node.rim - node.invert
        pressure = 0.0 if name in open_nodes else SEALED_DEPTH
        if node.kind == "outfall":
            outfalls.append((name, node.invert, "FREE", "YES" if node.has_gate else "NO"))
        elif node.id in basins:
            basin = basins[node.id]
            row = (name, node.invert, depth, min(basin.depth, depth), "FUNCTIONAL", 0.0, 0.0, basin.area, pressure, 0.0)
            stores.append(row)
        else:
            junctions.append((name, node.invert, depth, 0.0, pressure, 0.0))
    store_columns = ("name", "invert(m)", "depth(m)", "start(m)", "kind", "a1", "a2", "area(m2)", "pressure(m)", "evap")
    return [
        Section("JUNCTIONS", ("name", "invert(m)", "depth(m)", "start(m)", "pressure(m)", "pond(m2)"), junctions),
        Section("OUTFALLS", ("name", "invert(m)", "kind", "gated"), outfalls),
        Section("STORAGE", store_columns, stores),
    ]


def list_links(
    network: Network, names: Mapping[str, str], called: Mapping[str, str], basins: Mapping[str, Basin]
) -> list[Section]:
    """Return conduits, pumps, orifices, weirs with cross-sections and curves; ``called``: names of links by id."""
    rows: dict[str, list[tuple[Word, ...]]] = {
        name: [] for name in ("CONDUITS", "PUMPS", "ORIFICES", "WEIRS", "XSECTIONS", "CURVES")
    }
    for link in network.links:
        name = called[link.id]
        ends = (name, names[link.start], names[link.end])
        crest = link.crest if np.isfinite(link.crest) else max(link.start_invert, network.nodes[link.start].invert)
        match link.kind:
            case "pump":
                stop = max(PUMP_STOP, basins[link.start].depth if link.start in basins else 0.0)
                start = max(PUMP_START, stop + PUMP_STOP)
                rows["PUMPS"].append((*ends, name, "OFF", start, stop))
                rows["CURVES"].append((name, "PUMP2", 100.0, link.capacity))
                continue
            case "weir":
                rows["WEIRS"].append((*ends, "TRANSVERSE", crest, WEIR_COEFFICIENT, "NO"))
            case "gate":
                rows["ORIFICES"].append((*ends, "SIDE", crest, GATE_COEFFICIENT, "YES"))
            case _:
                rows["CONDUITS"].append((*ends, link.length, link.mannings_n, link.start_invert, link.end_invert))
        rows["XSECTIONS"].append((name, *describe_shape(link)))
    columns = {
        "CONDUITS": ("name", "from", "to", "length(m)", "n", "from(m)", "to(m)"),
        "PUMPS": ("name", "from", "to", "curve", "status", "starts(m)", "stops(m)"),
        "ORIFICES": ("name", "from", "to", "kind", "crest(m)", "cd", "gated"),
        "WEIRS": ("name", "from", "to", "kind", "crest(m)", "cd", "gated"),
        "XSECTIONS": ("link", "shape", "height(m)", "width(m)", "slope1", "slope2"),
        "CURVES": ("name", "kind", "depth(m)", "flow(m3/s)"),
    }
    return [Section(name, columns[name], lines) for name, lines in rows.items()]


def list_places(network: Network, names: Mapping[str, str]) -> Section:
    """Return the coordinates of the nodes."""
    rows: Sequence[tuple[Word, ...]] = [(names[node.id], node.x, node.y) for node in network.nodes.values()]
    return Section("COORDINATES", ("node", "x(m)", "y(m)"), rows)


def describe_shape(link: Link) -> tuple[Word, ...]:
    """Return shape, height, width and slopes of a cross-section; SWMM knows no weir but an open rectangle."""
    if link.kind == "weir":
        return ("RECT_OPEN", link.height, link.width, 0.0, 0.0)
    if link.kind == "gate" and link.shape != "circular":
        return ("RECT_CLOSED", link.height, link.width, 0.0, 0.0)
    slope = BANK_SLOPE if link.shape == "trapezoidal" else 0.0
    width = 0.0 if link.shape == "circular" else link.width
    return (SHAPES[link.shape], link.height, width, slope, slope)
