"""A SWMM 5.2 model of the storm sewers under a flood's domain, and where the two meet."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import shapely

from hydrology.coupling import RIM_TOLERANCE, Opening, OutfallMouth
from layers.errors import InputError
from layers.ingest.inp import Section, Word, name_objects, write_inp
from twin.process import CityView
from twin.processes.flood_inputs import FloodDomain
from twin.processes.sewer_network import Array, Link, Network, Node, read_network
from twin.scenario import CloseGate, OperateGate, OperatePump, Scenario, Subside

ROUTING_S = 5.0
"""Longest routing step [s]; SWMM shortens it where a pipe's wave is faster."""

LID_AREA = 0.28
"""Opening of a manhole: a lid of 0.6 m across [m2]."""

INLET_AREA, INLET_WIDTH = 0.40, 2.4
"""Opening of an inlet: two grates of 0.45 × 0.45 m, each free on three edges but its kerb's [m2], [m]."""

BASIN_AREA, BASIN_WIDTH = 20.0, 40.0
"""Opening of a storage node in open water: its bank [m2], [m]."""

STORAGE_AREA = 10.0
"""Water surface of a storage node that lies in no water body [m2]."""

WATER_REACH = 30.0
"""Outfalls and storage nodes belong to open water that lies so near, else to the ground they lie on [m]."""

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

OPTIONS = {
    "FLOW_UNITS": "CMS",
    "FLOW_ROUTING": "DYNWAVE",
    "LINK_OFFSETS": "ELEVATION",
    "ALLOW_PONDING": "YES",
    "IGNORE_RAINFALL": "YES",
    "START_DATE": "01/01/2000",
    "START_TIME": "00:00:00",
    "END_DATE": "01/02/2000",
    "END_TIME": "00:00:00",
    "REPORT_STEP": "01:00:00",
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


@dataclass(frozen=True, slots=True, eq=False)
class SewerModel:
    """The model's text, where it meets the surface, and what it took over from it.

    ids: the layer's id of each node of the model. takes: structures of the surface that the model holds. counts: nodes
    and links in it, and how often something was assumed or left out.
    """

    text: str
    openings: tuple[Opening, ...]
    mouths: tuple[OutfallMouth, ...]
    ids: dict[str, str]
    takes: frozenset[str]
    counts: dict[str, int]


def build_sewer(view: CityView, domain: FloodDomain, scenario: Scenario) -> SewerModel:
    """Return the storm sewers below ``domain`` under the scenario.

    Rain falls on the surface and enters through manholes and inlets; outfalls discharge into the water before them.
    Raises InputError for a city without sewers, and for a plan of a gate or pump that they hold.
    """
    closed = {edit.gate_id for edit in scenario.find(CloseGate)}
    sunk = sum(edit.metres for edit in scenario.find(Subside))
    network = read_network(view, lambda x, y: _sample(domain, x, y), closed, sunk=sunk)
    if not network.links:
        left = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in network.counts.items()) or "none at all"
        raise InputError(
            f"the city has no storm sewer that ends in an outfall: {left}",
            hint="load drainage_nodes and drainage_links, or leave sewer at none",
        )
    _refuse_plans(scenario, network)
    counts = Counter(network.counts)
    names = name_objects(network.nodes)
    storages = _find_storages(view, domain, network, counts)
    openings = tuple(o for node in network.nodes.values() for o in _open(node, names, domain, storages, counts))
    mouths = tuple(m for node in network.nodes.values() for m in _find_mouth(node, names, domain, counts))
    open_nodes = {opening.node for opening in openings}
    sections = (
        Section("OPTIONS", ("option", "value"), list(OPTIONS.items())),
        *_list_nodes(network, names, storages, open_nodes),
        *_list_links(network, names, storages),
        Section("COORDINATES", ("node", "x(m)", "y(m)"), [(names[n.id], n.x, n.y) for n in network.nodes.values()]),
    )
    counts.update(nodes=len(network.nodes), links=len(network.links), openings=len(openings), mouths=len(mouths))
    return SewerModel(
        write_inp(sections),
        openings,
        mouths,
        {name: identifier for identifier, name in names.items()},
        frozenset(link.id for link in network.links),
        {name: count for name, count in sorted(counts.items()) if count},
    )


def _refuse_plans(scenario: Scenario, network: Network) -> None:
    planned = {edit.pump_id for edit in scenario.find(OperatePump)} | {e.gate_id for e in scenario.find(OperateGate)}
    for link in network.links:
        if link.id in planned:
            raise InputError(
                f"{link.kind} '{link.id}' is run by hand and part of the sewers, which run by themselves",
                hint="leave sewer at none",
            )


def _sample(domain: FloodDomain, x: Array, y: Array) -> Array:
    row, col, inside = domain.grid.cells(x, y)
    return np.where(inside, domain.bed[row, col], np.nan)


@dataclass(frozen=True, slots=True)
class _Storage:
    """Water surface [m2] and depth at the start [m] of a storage node, and the cell of its water, None for a tank."""

    area: float
    depth: float
    cell: tuple[int, int] | None


def _find_storages(view: CityView, domain: FloodDomain, network: Network, counts: Counter[str]) -> dict[str, _Storage]:
    """Return the storage nodes by id: of the area of the still water they lie in."""
    nodes = [node for node in network.nodes.values() if node.kind == "storage"]
    bodies = view.layer("water_bodies", columns=["water_type"])
    bodies = bodies[bodies["water_type"].isin(("lake", "pond", "basin"))]
    tree, found = shapely.STRtree(bodies.geometry.to_numpy()), {}
    for node in nodes:
        near = tree.query_nearest(shapely.Point(node.x, node.y), max_distance=WATER_REACH, all_matches=False)
        cell = _find_open_water(node, domain) if len(near) else None
        if cell is None:
            counts["storage_areas_assumed"] += 1
            found[node.id] = _Storage(STORAGE_AREA, 0.0, None)
            continue
        level = min(float(domain.bed[cell] + domain.depth[cell]), node.rim)
        area = float(bodies.geometry.iloc[near[0]].area)
        found[node.id] = _Storage(area, max(level - node.invert, 0.0), cell)
    return found


def _find_open_water(node: Node, domain: FloodDomain) -> tuple[int, int] | None:
    """Return the cell of open water nearest to a node, None where there is none within reach."""
    grid = domain.grid
    row, col, inside = (value[0] for value in grid.cells(np.array([node.x]), np.array([node.y])))
    if not inside:
        return None
    reach = int(np.ceil(WATER_REACH / grid.cell_size))
    rows = np.arange(max(row - reach, 0), min(row + reach + 1, grid.rows))
    cols = np.arange(max(col - reach, 0), min(col + reach + 1, grid.cols))
    window = np.ix_(rows, cols)
    # A gate that holds has its bed above all water; no drain ends on it.
    open_water = domain.stage_cells[window] | (domain.water[window] & (domain.bed[window] <= node.rim))
    x, y = grid.centres()
    away = np.hypot(x[cols][np.newaxis, :] - node.x, y[rows][:, np.newaxis] - node.y)
    away = np.where(open_water & (away <= WATER_REACH), away, np.inf)
    nearest = np.unravel_index(int(np.argmin(away)), away.shape)
    return (int(rows[nearest[0]]), int(cols[nearest[1]])) if np.isfinite(away[nearest]) else None


def _find_cell(node: Node, domain: FloodDomain) -> tuple[int, int] | None:
    """Return the cell a node lies in, None off the terrain."""
    row, col, inside = (value[0] for value in domain.grid.cells(np.array([node.x]), np.array([node.y])))
    return (int(row), int(col)) if inside and np.isfinite(domain.bed[row, col]) else None


def _open(
    node: Node, names: dict[str, str], domain: FloodDomain, storages: dict[str, _Storage], counts: Counter[str]
) -> list[Opening]:
    """Return the opening of a node; none where it is sealed: a junction, or a place on the grid that is no ground."""
    if node.kind not in ("manhole", "inlet", "storage"):
        return []
    basin = storages[node.id].cell if node.id in storages else None
    cell = basin or _find_cell(node, domain)
    if cell is None:
        counts["openings_off_the_map"] += 1
        return []
    if domain.stage_cells[cell]:
        counts["openings_in_the_river"] += 1
        return []
    if abs(domain.bed[cell] - node.rim) > RIM_TOLERANCE:
        counts["openings_far_from_the_terrain"] += 1
        return []
    if basin is not None:
        return [Opening(names[node.id], *cell, BASIN_AREA, BASIN_WIDTH)]
    if node.kind == "inlet":
        return [Opening(names[node.id], *cell, INLET_AREA, INLET_WIDTH)]
    return [Opening(names[node.id], *cell, LID_AREA)]


def _find_mouth(node: Node, names: dict[str, str], domain: FloodDomain, counts: Counter[str]) -> list[OutfallMouth]:
    """Return the cell an outfall discharges into: the nearest of open water within reach, else its own.

    None off the map, where what leaves is gone.
    """
    if node.kind != "outfall":
        return []
    cell = _find_open_water(node, domain)
    if cell is None:
        cell = _find_cell(node, domain)
        counts["outfalls_off_the_map" if cell is None else "outfalls_on_land"] += 1
    return [] if cell is None else [OutfallMouth(names[node.id], *cell)]


def _list_nodes(
    network: Network, names: dict[str, str], storages: dict[str, _Storage], open_nodes: set[str]
) -> list[Section]:
    junctions: list[tuple[Word, ...]] = []
    outfalls: list[tuple[Word, ...]] = []
    stores: list[tuple[Word, ...]] = []
    for node in network.nodes.values():
        name, depth = names[node.id], node.rim - node.invert
        pressure = 0.0 if name in open_nodes else SEALED_DEPTH
        if node.kind == "outfall":
            outfalls.append((name, node.invert, "FREE", "YES" if node.has_gate else "NO"))
        elif node.id in storages:
            store = storages[node.id]
            row = (name, node.invert, depth, min(store.depth, depth), "FUNCTIONAL", 0.0, 0.0, store.area, pressure, 0.0)
            stores.append(row)
        else:
            junctions.append((name, node.invert, depth, 0.0, pressure, 0.0))
    store_columns = ("name", "invert(m)", "depth(m)", "start(m)", "kind", "a1", "a2", "area(m2)", "pressure(m)", "evap")
    return [
        Section("JUNCTIONS", ("name", "invert(m)", "depth(m)", "start(m)", "pressure(m)", "pond(m2)"), junctions),
        Section("OUTFALLS", ("name", "invert(m)", "kind", "gated"), outfalls),
        Section("STORAGE", store_columns, stores),
    ]


def _list_links(network: Network, names: dict[str, str], storages: dict[str, _Storage]) -> list[Section]:
    called = name_objects(link.id for link in network.links)
    rows: dict[str, list[tuple[Word, ...]]] = {
        name: [] for name in ("CONDUITS", "PUMPS", "ORIFICES", "WEIRS", "XSECTIONS", "CURVES")
    }
    for link in network.links:
        name = called[link.id]
        ends = (name, names[link.start], names[link.end])
        crest = link.crest if np.isfinite(link.crest) else max(link.start_invert, network.nodes[link.start].invert)
        match link.kind:
            case "pump":
                stop = max(PUMP_STOP, storages[link.start].depth if link.start in storages else 0.0)
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
        rows["XSECTIONS"].append((name, *_describe_shape(link)))
    columns = {
        "CONDUITS": ("name", "from", "to", "length(m)", "n", "from(m)", "to(m)"),
        "PUMPS": ("name", "from", "to", "curve", "status", "starts(m)", "stops(m)"),
        "ORIFICES": ("name", "from", "to", "kind", "crest(m)", "cd", "gated"),
        "WEIRS": ("name", "from", "to", "kind", "crest(m)", "cd", "gated"),
        "XSECTIONS": ("link", "shape", "height(m)", "width(m)", "slope1", "slope2"),
        "CURVES": ("name", "kind", "depth(m)", "flow(m3/s)"),
    }
    return [Section(name, columns[name], lines) for name, lines in rows.items()]


def _describe_shape(link: Link) -> tuple[Word, ...]:
    """Return shape, height, width and slopes of a cross-section; SWMM knows no weir but an open rectangle."""
    if link.kind == "weir":
        return ("RECT_OPEN", link.height, link.width, 0.0, 0.0)
    if link.kind == "gate" and link.shape != "circular":
        return ("RECT_CLOSED", link.height, link.width, 0.0, 0.0)
    slope = BANK_SLOPE if link.shape == "trapezoidal" else 0.0
    width = 0.0 if link.shape == "circular" else link.width
    return (SHAPES[link.shape], link.height, width, slope, slope)
