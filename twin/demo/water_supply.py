"""The tables of the water network: pipes, nodes with their demand, valves, pumps, hydrants, meters, metered areas."""

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.demo.plan import WARD_CODES, WARDS, Floats, Plan, draw_ward, locate_ward
from twin.demo.shapes import Table, as_shapes, as_text, draw_conditions, draw_dates, is_inside, make_points, number_ids
from twin.demo.street_graph import choose_apart
from twin.demo.water_network import PUMP_HEAD, WaterNetwork, locate_pipes

OWNER = "Công ty Cấp nước Vàm Sông (mô phỏng)"
LITRES_A_HEAD = 125.0
USE_BY_FLOOR = {
    "shop": 1.0, "office": 1.2, "industrial": 1.8, "school": 1.5, "hospital": 5.0, "public": 1.0, "religious": 0.5,
    "other": 0.5,
}  # fmt: skip
CUSTOMER = {
    "house": "household", "apartment": "household", "shop": "business", "office": "business", "industrial": "industry",
}  # fmt: skip
HYDRANT_SPACING = 145.0
PEAK = 1.6


def make_water_tables(plan: Plan, network: WaterNetwork, buildings: Table) -> dict[str, Table]:
    """Return the seven layers of the theme; the demand of a node is what its meters use and what leaks."""
    rng = np.random.default_rng([plan.seed, 20])
    meters = _make_meters(network, buildings, rng)
    loss = dict(zip([f"DMA-{ward.code}" for ward in WARDS], rng.uniform(0.12, 0.34, len(WARDS)).round(3), strict=True))
    demand = _sum_demand(network, meters, loss)
    return {
        "dmas": _make_areas(plan, network, meters, loss),
        "water_pipes": _make_pipes(network, rng),
        "water_nodes": _make_nodes(network, demand, rng),
        "water_valves": _make_valves(network, rng),
        "water_pumps": _make_pumps(network, demand, rng),
        "hydrants": _make_hydrants(plan, network, rng),
        "water_meters": meters,
    }


def _make_meters(network: WaterNetwork, buildings: Table, rng: np.random.Generator) -> Table:
    """Return one meter a building in use, at its wall on the side of the pipe it is fed from."""
    columns = buildings.columns
    floor = shapely.area(buildings.geometry) * columns["storeys"]
    flow = columns["residents"] * LITRES_A_HEAD / 1000.0
    flow = flow + floor * np.array([USE_BY_FLOOR.get(use, 0.0) for use in columns["use"]]) / 1000.0
    used = np.flatnonzero(flow > 0.0)
    walls = buildings.geometry[used]
    pipe, node, _ = locate_pipes(network, np.asarray(shapely.centroid(walls), dtype=object))
    lines = np.array([network.pipes[k].line for k in pipe], dtype=object)
    points = shapely.get_point(shapely.shortest_line(walls, lines), 0)
    use = columns["use"][used]
    residents = columns["residents"][used]
    average = flow[used] * rng.uniform(0.7, 1.3, len(used))
    return Table(
        make_points(shapely.get_x(points), shapely.get_y(points)),
        {
            "id": number_ids("WM", len(used)),
            "customer_type": as_text([CUSTOMER.get(word, "public") for word in use]),
            "node_id": as_text([network.nodes[k].id for k in node]),
            "pipe_id": as_text([network.pipes[k].id for k in pipe]),
            "building_id": columns["id"][used],
            "connections": np.where(use == "apartment", np.ceil(residents / 3.5), 1).astype(np.int64),
            "average_use": average.round(3),
            "diameter": np.where(average < 2.0, 0.015, np.where(average < 20.0, 0.025, 0.08)),
            "address": columns["address"][used],
            "ward_code": columns["ward_code"][used],
            "dma_id": as_text(
                [network.pipes[k].area or network.nodes[n].area for k, n in zip(pipe, node, strict=True)]
            ),
            "installed": draw_dates(rng, len(used), since=2008),
        },
    )


def _sum_demand(network: WaterNetwork, meters: Table, loss: dict[str, float]) -> Floats:
    """Return the base demand of every node [m³/d]: metered use over one minus the share lost."""
    index = {node.id: k for k, node in enumerate(network.nodes)}
    at = np.array([index[node] for node in meters.columns["node_id"]])
    share = np.array([1.0 - loss[network.nodes[k].area] for k in at])
    flow = np.bincount(at, weights=meters.columns["average_use"] / share, minlength=len(network.nodes))
    return np.asarray(flow, np.float64)


def _make_areas(plan: Plan, network: WaterNetwork, meters: Table, loss: dict[str, float]) -> Table:
    around = shapely.buffer([pipe.line for pipe in network.pipes], 260.0, quad_segs=4)
    reach = shapely.union_all(around).buffer(-160.0)
    area_of = meters.columns["dma_id"]
    ids = [f"DMA-{ward.code}" for ward in WARDS]
    billed = np.array([meters.columns["average_use"][area_of == key].sum() for key in ids])
    share = np.array([loss[key] for key in ids])
    return Table(
        as_shapes([shapely.intersection(draw_ward(plan, ward), reach).simplify(2.0) for ward in WARDS]),
        {
            "id": as_text(ids),
            "name": as_text([f"DMA {ward.name.split(' ', 1)[1]}" for ward in WARDS]),
            "inlet_id": as_text([network.inlets.get(key) for key in ids]),
            "customers": np.array([int(meters.columns["connections"][area_of == key].sum()) for key in ids]),
            "average_inflow": (billed / (1.0 - share)).round(1),
            "billed_use": billed.round(1),
            "loss_share": share,
            "target_pressure": np.full(len(ids), 25.0),
        },
    )


def _make_pipes(network: WaterNetwork, rng: np.random.Generator) -> Table:
    pipes = network.pipes
    geometry = as_shapes([pipe.line for pipe in pipes])
    diameter = np.array([pipe.diameter for pipe in pipes])
    installed = draw_dates(rng, len(pipes), since=1988)
    old = installed < np.datetime64("1998-01-01")
    material = np.select(
        [old & (diameter >= 0.15), diameter >= 0.3, diameter >= 0.15, old],
        ["cast_iron", "ductile_iron", "pvc", "steel"],
        "hdpe",
    )
    material = np.where(old & (diameter == 0.2) & (rng.random(len(pipes)) < 0.25), "asbestos_cement", material)
    smooth = {
        "cast_iron": 85.0,
        "steel": 100.0,
        "asbestos_cement": 110.0,
        "ductile_iron": 125.0,
        "pvc": 140.0,
        "hdpe": 145.0,
    }
    return Table(
        geometry,
        {
            "id": as_text([pipe.id for pipe in pipes]),
            "pipe_type": as_text([pipe.pipe_type for pipe in pipes]),
            "from_node": as_text([network.nodes[pipe.start].id for pipe in pipes]),
            "to_node": as_text([network.nodes[pipe.end].id for pipe in pipes]),
            "diameter": diameter,
            "material": material.astype(object),
            "length": shapely.length(geometry).round(2),
            "roughness": np.array([smooth[word] for word in material]),
            "minor_loss": np.where(diameter > 0.25, 0.5, 0.2),
            "status": as_text([pipe.status for pipe in pipes]),
            "cover_depth": np.where(diameter > 0.25, 1.1, 0.7),
            "rated_pressure": np.where(np.isin(material, ["pvc", "hdpe"]), 800.0, 1000.0),
            "street": as_text([pipe.street for pipe in pipes]),
            "dma_id": as_text([pipe.area for pipe in pipes]),
            "condition": draw_conditions(rng, len(pipes)),
            "accuracy_class": _draw_accuracy(rng, installed),
            "installed": installed,
            "owner": as_text([OWNER] * len(pipes)),
        },
    )


def _draw_accuracy(rng: np.random.Generator, installed: NDArray[np.datetime64]) -> NDArray[np.object_]:
    """Return accuracy classes: what was laid lately was surveyed, what is old is known from paper."""
    recent = installed > np.datetime64("2015-01-01")
    chance = rng.random(len(installed))
    known = np.where(recent, np.where(chance < 0.6, "A", "B"), np.where(chance < 0.5, "D", "C"))
    return np.asarray(known.astype(object))


def _make_nodes(network: WaterNetwork, demand: Floats, rng: np.random.Generator) -> Table:
    nodes = network.nodes
    tank = np.array([node.node_type == "tank" for node in nodes])
    source = np.array([node.node_type == "reservoir" for node in nodes])
    junction = ~tank & ~source
    supply = 1.4 * float(demand.sum()) / int(source.sum())
    return Table(
        make_points(np.array([node.x for node in nodes]), np.array([node.y for node in nodes])),
        {
            "id": as_text([node.id for node in nodes]),
            "node_type": as_text([node.node_type for node in nodes]),
            "name": as_text([node.name for node in nodes]),
            "elevation": np.array([node.elevation for node in nodes]),
            "base_demand": np.where(junction, demand.round(3), np.nan),
            "pattern": as_text(
                ["sinh-hoat" if flag and flow > 0.0 else None for flag, flow in zip(junction, demand, strict=True)]
            ),
            "head": np.where(source, np.array([node.elevation for node in nodes]), np.nan),
            "initial_level": np.where(tank, 3.0, np.nan),
            "min_level": np.where(tank, 0.5, np.nan),
            "max_level": np.where(tank, 5.0, np.nan),
            "tank_diameter": np.where(tank, 14.0, np.nan),
            "volume": np.where(tank, 770.0, np.nan),
            "daily_yield": np.where(source, np.ceil(supply / 500.0) * 500.0, np.nan),
            "dma_id": as_text([node.area for node in nodes]),
            "condition": draw_conditions(rng, len(nodes)),
            "owner": as_text([OWNER] * len(nodes)),
        },
    )


def _make_valves(network: WaterNetwork, rng: np.random.Generator) -> Table:
    valves, nodes, pipes = network.valves, network.nodes, network.pipes
    count = len(valves)
    control = np.array([valve.start >= 0 for valve in valves])
    normal = as_text([valve.normal_status for valve in valves])
    age = rng.integers(20, 1500, count).astype("timedelta64[D]")
    return Table(
        as_shapes([shapely.Point(np.round(valve.point.coords[0], 3)) for valve in valves]),
        {
            "id": as_text([valve.id for valve in valves]),
            "valve_type": as_text([valve.valve_type for valve in valves]),
            "status": np.where(control, "active", normal).astype(object),
            "normal_status": normal,
            "is_operable": np.ones(count, bool),
            "pipe_id": as_text([pipes[valve.pipe].id if valve.pipe >= 0 else None for valve in valves]),
            "near_node": as_text([nodes[valve.near].id if valve.near >= 0 else None for valve in valves]),
            "from_node": as_text([nodes[valve.start].id if valve.start >= 0 else None for valve in valves]),
            "to_node": as_text([nodes[valve.end].id if valve.end >= 0 else None for valve in valves]),
            "diameter": np.array([valve.diameter for valve in valves]),
            "pressure_setting": np.array([valve.setting for valve in valves]),
            "turns": np.array([int(10 + 80 * valve.diameter) for valve in valves]),
            "last_operated": np.datetime64("2026-06-01") - age,
            "dma_id": as_text([valve.area for valve in valves]),
            "condition": draw_conditions(rng, count),
            "accuracy_class": as_text(list(rng.choice(["A", "B", "C"], count, p=[0.5, 0.3, 0.2]))),
            "installed": draw_dates(rng, count, since=1995),
            "owner": as_text([OWNER] * count),
        },
    )


def _make_pumps(network: WaterNetwork, demand: Floats, rng: np.random.Generator) -> Table:
    pumps = network.pumps
    running = sum(pump.status == "running" for pump in pumps)
    flow = np.ceil(PEAK * float(demand.sum()) / running / 100.0) * 100.0
    efficiency = 0.74
    power = 9810.0 * flow / 86_400.0 * PUMP_HEAD / efficiency
    count = len(pumps)
    return Table(
        as_shapes([pump.point for pump in pumps]),
        {
            "id": as_text([pump.id for pump in pumps]),
            "name": as_text([pump.name for pump in pumps]),
            "from_node": as_text([network.nodes[pump.start].id for pump in pumps]),
            "to_node": as_text([network.nodes[pump.end].id for pump in pumps]),
            "rated_flow": np.full(count, flow),
            "rated_head": np.full(count, PUMP_HEAD),
            "power": np.full(count, np.ceil(power / 1000.0) * 1000.0),
            "efficiency": np.full(count, efficiency),
            "status": as_text([pump.status for pump in pumps]),
            "base_elevation": np.full(count, 2.4),
            "condition": draw_conditions(rng, count),
            "installed": draw_dates(rng, count, since=2010),
            "owner": as_text([OWNER] * count),
        },
    )


def _make_hydrants(plan: Plan, network: WaterNetwork, rng: np.random.Generator) -> Table:
    """Return hydrants beside the wider pipes' nodes, apart from each other."""
    pipes_at = network.list_pipes_at()
    widest = np.array([max((network.pipes[k].diameter for k in pipes), default=0.0) for pipes in pipes_at])
    x = np.array([node.x for node in network.nodes])
    y = np.array([node.y for node in network.nodes])
    order = np.argsort(-widest, kind="stable")
    streets = np.array([node.node_type == "junction" and node.id.startswith("WN-") for node in network.nodes])
    fit = (widest > 0.1) & streets & is_inside(x, y, 8.0)
    nodes = choose_apart(x, y, order[fit[order]], HYDRANT_SPACING)
    count = len(nodes)
    place = x[nodes] + 4.5, y[nodes] + 3.5
    pressure = rng.uniform(16.0, 30.0, count).round(1)
    return Table(
        make_points(*place),
        {
            "id": number_ids("HY", count),
            "hydrant_type": as_text(list(rng.choice(["pillar", "underground"], count, p=[0.9, 0.1]))),
            "node_id": as_text([network.nodes[k].id for k in nodes]),
            "pipe_id": as_text(
                [network.pipes[max(pipes_at[k], key=lambda n: network.pipes[n].diameter)].id for k in nodes]
            ),
            "diameter": np.full(count, 0.1),
            "flow": (0.008 + 0.0004 * pressure).round(4),
            "pressure": pressure,
            "status": as_text(list(rng.choice(["working", "low_flow", "failed"], count, p=[0.93, 0.05, 0.02]))),
            "last_tested": draw_dates(rng, count, since=2024),
            "ward_code": WARD_CODES[locate_ward(*plan.frame.to_frame(*place))].astype(object),
            "condition": draw_conditions(rng, count),
            "installed": draw_dates(rng, count, since=2002),
            "owner": as_text([OWNER] * count),
        },
    )
