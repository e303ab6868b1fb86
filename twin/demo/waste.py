"""Solid waste: bins along the streets, collection points, facilities, and the round of each ward."""

import numpy as np
import shapely

from twin.demo.plan import WARD_CODES, WARDS, Ints, Plan, locate_ward
from twin.demo.shapes import Table, as_shapes, as_text, draw_dates, is_inside, make_points, number_ids
from twin.demo.street_graph import choose_apart, find_node, grow_forest, list_class_nodes
from twin.demo.streets import Streets

BIN_SPACING = 75.0
POINT_SPACING = 520.0
KILOGRAMS_A_HEAD = 0.8
FACILITIES = (
    ("WF-1", "Trạm trung chuyển Vàm Xanh", "transfer", 2350.0, 1300.0, 180_000.0),
    ("WF-2", "Nhà máy phân hữu cơ Đồng Sen", "composting", 2700.0, 2100.0, 60_000.0),
    ("WF-3", "Điểm thu hồi tái chế Lá Dừa", "recycling", -1450.0, 1200.0, 12_000.0),
)
OPERATOR = "Công ty Môi trường đô thị Vàm Sông (mô phỏng)"


def make_waste(plan: Plan, streets: Streets, buildings: Table) -> dict[str, Table]:
    """Return waste_bins, waste_points, waste_facilities and waste_routes that name each other."""
    rng = np.random.default_rng([plan.seed, 23])
    ward = locate_ward(*plan.frame.to_frame(streets.x, streets.y))
    inside = is_inside(streets.x, streets.y, 8.0)
    order = np.argsort(-streets.count_links(), kind="stable")
    town = order[inside[order] & (ward[order] < 6)]
    points = choose_apart(streets.x, streets.y, town, POINT_SPACING)
    nodes = choose_apart(streets.x, streets.y, town, BIN_SPACING)
    mains = list_class_nodes(streets, "primary", "secondary", "tertiary")
    sites = np.array([find_node(streets, *_place(plan, row[3], row[4]), among=mains) for row in FACILITIES])
    bins = _make_bins(streets, nodes, points, ward, rng)
    return {
        "waste_bins": bins,
        "waste_points": _make_points(streets, points, ward, buildings),
        "waste_facilities": _make_facilities(streets, sites, ward, buildings),
        "waste_routes": _make_routes(streets, int(sites[0]), points, ward, bins),
    }


def _place(plan: Plan, u: float, v: float) -> tuple[float, float]:
    x, y = plan.frame.to_map(u, v)
    return float(x), float(y)


def _route_ids(ward: Ints) -> list[str]:
    return [f"WR-{WARD_CODES[k]}" for k in ward]


def _make_bins(streets: Streets, nodes: Ints, points: Ints, ward: Ints, rng: np.random.Generator) -> Table:
    x = np.concatenate([streets.x[nodes] - 4.2, streets.x[nodes[::3]] - 5.4])
    y = np.concatenate([streets.y[nodes] - 3.6, streets.y[nodes[::3]] - 3.6])
    node = np.concatenate([nodes, nodes[::3]])
    count = len(node)
    nearest = shapely.STRtree(make_points(streets.x[points], streets.y[points])).nearest(make_points(x, y))
    kinds = np.concatenate([np.full(len(nodes), "mixed"), np.full(count - len(nodes), "recyclable")])
    kinds[: len(nodes)][rng.random(len(nodes)) < 0.12] = "organic"
    emptied = np.datetime64("2026-11-19") - rng.integers(0, 4, count).astype("timedelta64[D]")
    return Table(
        make_points(x, y),
        {
            "id": number_ids("WB", count),
            "waste_kind": kinds.astype(object),
            "volume": np.where(kinds == "mixed", rng.choice([0.24, 0.66, 1.1], count), 0.24),
            "fill": rng.beta(2.0, 2.4, count).round(2),
            "filled_at": np.full(count, np.datetime64("2026-11-20T05:00:00", "ms")),
            "has_sensor": rng.random(count) < 0.3,
            "collection_point_id": number_ids("WPT", len(points))[nearest],
            "route_id": as_text(_route_ids(ward[node])),
            "last_emptied": emptied,
            "installed": draw_dates(rng, count, since=2016),
            "ward_code": WARD_CODES[ward[node]].astype(object),
        },
    )


def _make_points(streets: Streets, points: Ints, ward: Ints, buildings: Table) -> Table:
    """Return collection points with the waste of the people nearest to each."""
    x, y = streets.x[points] + 6.0, streets.y[points] + 5.0
    nearest = shapely.STRtree(make_points(x, y)).nearest(shapely.centroid(buildings.geometry))
    people = np.bincount(nearest, weights=buildings.columns["residents"], minlength=len(points))
    return Table(
        make_points(x, y),
        {
            "id": number_ids("WPT", len(points)),
            "name": as_text([f"Điểm tập kết {n}" for n in range(1, len(points) + 1)]),
            "capacity": np.ceil(people * KILOGRAMS_A_HEAD / 350.0 / 5.0) * 5.0,
            "daily_mass": (people * KILOGRAMS_A_HEAD).round(0),
            "collection_days": as_text(["Hằng ngày, 18:00–22:00"] * len(points)),
            "route_id": as_text(_route_ids(ward[points])),
            "ward_code": WARD_CODES[ward[points]].astype(object),
        },
    )


def _make_facilities(streets: Streets, sites: Ints, ward: Ints, buildings: Table) -> Table:
    received = float(buildings.columns["residents"].sum()) * KILOGRAMS_A_HEAD
    return Table(
        make_points(streets.x[sites] + 28.0, streets.y[sites] + 24.0),
        {
            "id": as_text([row[0] for row in FACILITIES]),
            "name": as_text([row[1] for row in FACILITIES]),
            "facility_type": as_text([row[2] for row in FACILITIES]),
            "daily_capacity": np.array([row[5] for row in FACILITIES]),
            "daily_mass": np.array([received, 0.35 * received, 0.06 * received]).round(0),
            "operator": as_text([OPERATOR] * len(FACILITIES)),
            "ward_code": WARD_CODES[ward[sites]].astype(object),
        },
    )


def _make_routes(streets: Streets, depot: int, points: Ints, ward: Ints, bins: Table) -> Table:
    """Return for each ward the streets from the transfer station to its collection points, joined where they meet."""
    forest = grow_forest(streets, np.array([depot]))
    shapes, owners = [], []
    for k in np.unique(ward[points]).tolist():
        used = forest.trace_links(points[ward[points] == k])
        merged = shapely.line_merge(shapely.MultiLineString([streets.links[n].line for n in used]))
        for part in shapely.get_parts(merged):
            shapes.append(part)
            owners.append(k)
    geometry = as_shapes(shapes)
    route = as_text(_route_ids(np.array(owners)))
    held = {key: int((bins.columns["route_id"] == key).sum()) for key in set(route.tolist())}
    return Table(
        geometry,
        {
            "id": number_ids("WRS", len(shapes)),
            "route_id": route,
            "name": as_text([f"Tuyến {WARDS[k].name.split(' ', 1)[1]}" for k in owners]),
            "vehicle": as_text([f"Xe ép {4 + k % 3 * 3} m³" for k in owners]),
            "schedule": as_text([f"{18 + k % 3}:00–{21 + k % 3}:30" for k in owners]),
            "facility_id": as_text([FACILITIES[0][0]] * len(shapes)),
            "length": shapely.length(geometry).round(1),
            "bins": np.array([held[key] for key in route]),
        },
    )
