"""Telecommunications: an exchange, cabinets at junctions, fibre along the streets, antennas on masts and roofs."""

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.demo.plan import WARD_CODES, Ints, Plan, locate_ward
from twin.demo.shapes import (
    Table,
    as_shapes,
    as_text,
    draw_conditions,
    draw_dates,
    is_inside,
    make_points,
    number_ids,
    sample,
    shift_line,
)
from twin.demo.street_graph import choose_apart, find_node, grow_forest
from twin.demo.streets import Streets

OWNER = "Viễn thông Vàm Sông (mô phỏng)"
CABINET_SPACING = 430.0
ANTENNA_SPACING = 520.0
SHIFT = (-0.4, -0.6)


def make_telecom(plan: Plan, streets: Streets, buildings: Table, terrain: NDArray[np.float32]) -> dict[str, Table]:
    """Return telecom_cabinets, telecom_lines and antennas; every cabinet is fed from the exchange."""
    rng = np.random.default_rng([plan.seed, 22])
    centre = find_node(streets, *(float(part) for part in plan.frame.to_map(-60.0, 700.0)))
    order = np.concatenate([[centre], np.argsort(-streets.count_links(), kind="stable")])
    inside = is_inside(streets.x, streets.y, 8.0)
    nodes = choose_apart(streets.x, streets.y, order[inside[order]], CABINET_SPACING)
    return {
        "telecom_cabinets": _make_cabinets(plan, streets, nodes, terrain, rng),
        "telecom_lines": _make_lines(streets, nodes, rng),
        "antennas": _make_antennas(plan, buildings, rng),
    }


def _make_cabinets(
    plan: Plan, streets: Streets, nodes: Ints, terrain: NDArray[np.float32], rng: np.random.Generator
) -> Table:
    x, y = streets.x[nodes] + 5.0, streets.y[nodes] - 4.0
    count = len(nodes)
    kind = np.where(np.arange(count) % 6 == 5, "chamber", "distribution").astype(object)
    kind[0] = "exchange"
    ports = np.where(kind == "exchange", 12_000, np.where(kind == "chamber", 0, rng.choice([192, 288, 432], count)))
    ids = number_ids("TC", count)
    return Table(
        make_points(x, y),
        {
            "id": ids,
            "name": as_text(["Tổng đài Bến Sậy"] + [f"Tủ cáp {n}" for n in range(2, count + 1)]),
            "cabinet_type": kind,
            "ports": ports,
            "used_ports": (ports * rng.uniform(0.45, 0.97, count)).astype(np.int64),
            "feeds_from": as_text([None] + [ids[0]] * (count - 1)),
            "base_elevation": (sample(terrain, x, y).clip(0.7, 3.0) + np.where(kind == "chamber", 0.02, 0.3)).round(2),
            "ward_code": WARD_CODES[locate_ward(*plan.frame.to_frame(x, y))].astype(object),
            "condition": draw_conditions(rng, count),
            "installed": draw_dates(rng, count, since=2006),
            "owner": as_text([OWNER] * count),
        },
    )


def _make_lines(streets: Streets, nodes: Ints, rng: np.random.Generator) -> Table:
    """Return the fibre along each street on the way from the exchange to a cabinet."""
    forest = grow_forest(streets, nodes[:1])
    used = forest.trace_links(nodes)
    geometry = as_shapes([shift_line(streets.links[k].line, SHIFT) for k in used])
    main = np.array([streets.links[k].road_class in ("primary", "secondary") for k in used])
    ids = streets.ids
    return Table(
        geometry,
        {
            "id": number_ids("TL", len(used)),
            "cable_type": np.where(main, "duct", "fibre").astype(object),
            "laying": np.where(main, "underground", "overhead").astype(object),
            "capacity": np.where(main, 288, 48),
            "from_id": as_text([ids[streets.links[k].start] for k in used]),
            "to_id": as_text([ids[streets.links[k].end] for k in used]),
            "length": shapely.length(geometry).round(2),
            "condition": draw_conditions(rng, len(used)),
            "installed": draw_dates(rng, len(used), since=2009),
            "owner": as_text([OWNER] * len(used)),
        },
    )


def _make_antennas(plan: Plan, buildings: Table, rng: np.random.Generator) -> Table:
    """Return antennas on the tallest buildings, apart from each other."""
    centre = shapely.centroid(buildings.geometry)
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    order = np.argsort(-buildings.columns["height"], kind="stable")[:6000]
    chosen = choose_apart(x, y, order, ANTENNA_SPACING)
    height = buildings.columns["height"][chosen]
    count = len(chosen)
    roof = height > 9.0
    codes = WARD_CODES[locate_ward(*plan.frame.to_frame(x[chosen], y[chosen]))].astype(object)
    return Table(
        make_points(x[chosen], y[chosen]),
        {
            "id": number_ids("BTS", count),
            "name": as_text([f"BTS {n:03d}" for n in range(1, count + 1)]),
            "site_type": np.where(roof, "rooftop", "mast").astype(object),
            "height": np.where(roof, height + 6.0, 36.0).round(1),
            "technologies": as_text(list(rng.choice(["4G", "4G, 5G", "2G, 3G, 4G"], count, p=[0.45, 0.4, 0.15]))),
            "frequency": rng.choice([900.0, 1800.0, 2600.0, 3500.0], count),
            "azimuth": rng.choice([0.0, 120.0, 240.0], count),
            "backup": rng.choice([4.0, 8.0], count) * 3600.0,
            "ward_code": codes,
            "condition": draw_conditions(rng, count),
            "installed": draw_dates(rng, count, since=2011),
            "owner": as_text([OWNER] * count),
        },
    )
