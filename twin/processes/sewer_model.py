"""A SWMM 5.2 model of the storm sewers under a flood's domain, and where the two meet."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import shapely

from hydrology.coupling import RIM_TOLERANCE, Opening, OutfallMouth
from layers.errors import InputError
from layers.ingest.inp import Section, name_objects, write_inp
from twin.process import CityView
from twin.processes.flood_inputs import FloodDomain
from twin.processes.sewer_network import Array, Network, Node, read_network
from twin.scenario import CloseGate, OperateGate, OperatePump, Scenario, Subside
from twin.swmm.tables import HYDRAULICS, Basin, list_links, list_nodes, list_places

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

OPTIONS = {
    **HYDRAULICS,
    "ALLOW_PONDING": "YES",
    "IGNORE_RAINFALL": "YES",
    "START_DATE": "01/01/2000",
    "START_TIME": "00:00:00",
    "END_DATE": "01/02/2000",
    "END_TIME": "00:00:00",
    "REPORT_STEP": "01:00:00",
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
    basins = {identifier: storage.basin for identifier, storage in storages.items()}
    open_nodes = {opening.node for opening in openings}
    sections = (
        Section("OPTIONS", ("option", "value"), list(OPTIONS.items())),
        *list_nodes(network, names, basins, open_nodes),
        *list_links(network, names, name_objects(link.id for link in network.links), basins),
        list_places(network, names),
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
    """A storage node's basin and the cell of its water, None for a tank."""

    basin: Basin
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
            found[node.id] = _Storage(Basin(STORAGE_AREA, 0.0), None)
            continue
        level = min(float(domain.bed[cell] + domain.depth[cell]), node.rim)
        area = float(bodies.geometry.iloc[near[0]].area)
        found[node.id] = _Storage(Basin(area, max(level - node.invert, 0.0)), cell)
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
