"""Flow meters of the demo at the inlets of the metered areas and at the pumps: they add up to what the areas use."""

from collections.abc import Mapping

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from twin.demo.plan import Floats, Ints
from twin.demo.pressure_loggers import LEAK, find_leaking_nodes
from twin.demo.shapes import Table
from twin.demo.stations import Station

_METRES_BESIDE = 2.0
_DAY = 86_400.0


def place_water_meters(tables: Mapping[str, Table]) -> list[Station]:
    """Return a flow meter at every pressure reducing valve and pump.

    ``scale`` is the mean flow [m³/s] from the first to the second node, ``still`` the share of it that leaks since
    long, ``leak`` what the leak of the pressure loggers adds. A valve
    carries what the nodes use that it alone joins to the works; a works' pumps that run share the rest.
    """
    nodes, valves, pumps = (tables[name] for name in ("water_nodes", "water_valves", "water_pumps"))
    row_of = {key: row for row, key in enumerate(nodes.columns["id"])}
    demand = np.nan_to_num(np.asarray(nodes.columns["base_demand"], np.float64)) / _DAY
    losses = dict(zip(tables["dmas"].columns["id"], tables["dmas"].columns["loss_share"], strict=True))
    leak = demand * np.array([losses.get(area, 0.0) for area in nodes.columns["dma_id"]], np.float64)
    pipes = tables["water_pipes"]
    burst = np.zeros(len(demand))
    burst[[row_of[name] for name in find_leaking_nodes(tables)]] = LEAK / 2.0
    opened = np.asarray(pipes.columns["status"]) == "open"
    links = [(row_of[a], row_of[b]) for a, b in zip(*_ends(pipes, opened), strict=True) if a in row_of and b in row_of]
    inlets = np.flatnonzero(np.array([key is not None for key in valves.columns["from_node"]]))
    ends = [(row_of[valves.columns["from_node"][k]], row_of[valves.columns["to_node"][k]]) for k in inlets]
    running = np.flatnonzero(np.asarray(pumps.columns["status"]) == "running")
    fed = {k: (row_of[pumps.columns["from_node"][k]], row_of[pumps.columns["to_node"][k]]) for k in running.tolist()}
    source = np.asarray(nodes.columns["node_type"]) == "reservoir"
    meters = []
    for n, k in enumerate(inlets.tolist()):
        part = _find_parts([*links, *(pair for m, pair in enumerate(ends) if m != n), *fed.values()], len(demand))
        start, end = (bool(source[part == part[node]].any()) for node in ends[n])
        # The side without a works is fed through the valve; with one on both sides nothing is.
        side, sign = (ends[n][0], -1.0) if not start else (ends[n][1], 1.0)
        behind = (part == part[side]) if start != end else np.zeros(len(demand), bool)
        carried = (sign * demand[behind].sum(), leak[behind].sum(), sign * burst[behind].sum())
        meters.append(_measure("water_valves", valves, k, *carried))
    shared = _share_works([*links, *ends], fed, (demand, leak, burst))
    meters += [_measure("water_pumps", pumps, k, *carried) for k, carried in shared.items()]
    return meters


def _share_works(
    links: list[tuple[int, int]], fed: Mapping[int, tuple[int, int]], flows: tuple[Floats, Floats, Floats]
) -> dict[int, tuple[float, float, float]]:
    """Return what each running pump carries of ``flows`` (nodes,): its works' part, shared among the pumps of it."""
    part = _find_parts([*links, *fed.values()], len(flows[0]))
    found = {}
    for k, (well, _) in fed.items():
        mates = sum(part[other] == part[well] for other, _ in fed.values())
        inside = part == part[well]
        demand, leak, burst = (float(flow[inside].sum() / mates) for flow in flows)
        found[k] = demand, leak, burst
    return found


def _measure(layer: str, table: Table, k: int, flow: float, leak: float, burst: float) -> Station:
    key = str(table.columns["id"][k])
    point = shapely.Point(round(table.geometry[k].x + _METRES_BESIDE, 3), table.geometry[k].y)
    still = float(leak / abs(flow)) if flow else 0.0
    return Station(
        f"S-N-{key}", f"Đồng hồ {key}", f"Flow meter {key}", "flow", point, layer, key, scale=float(flow), still=still,
        leak=float(burst),
    )  # fmt: skip


def _ends(pipes: Table, chosen: Ints) -> tuple[list[str], list[str]]:
    return tuple(np.asarray(pipes.columns[name], object)[chosen].tolist() for name in ("from_node", "to_node"))


def _find_parts(links: list[tuple[int, int]], count: int) -> Ints:
    ends = np.array(links)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
