"""What moves by other ways than the street, and what signs and controllers say: ferries, fairways, ports, turns."""

from collections import defaultdict

import numpy as np
import shapely
from shapely.geometry import LineString, Point

from twin.demo.plan import EXTENT, RIVER_WIDTH, Plan
from twin.demo.shapes import Table, as_shapes, as_text, hash_uniform, make_points, number_ids
from twin.demo.streets import Link, Streets, find_crossing_nodes

_GREEN_WAVE_SPEED = 40.0 / 3.6
_CYCLE = {4: 90.0, 3: 75.0}
_OPERATOR = "Hợp tác xã đò ngang (mô phỏng)"


def make_turn_restrictions(streets: Streets) -> Table:
    """Return the signs at junctions with signals: left turns off the wide streets, and U-turns before bridges."""
    names = number_ids("RL", len(streets.links))
    at = _group_links(streets)
    kinds: list[str] = []
    ends: list[tuple[int, int, int]] = []
    for number, node in enumerate(find_crossing_nodes(streets).tolist()):
        for first in at[node]:
            if streets.links[first].road_class != "primary" or hash_uniform(number, first, 31) > 0.5:
                continue
            left = [k for k in at[node] if k != first and 45.0 < _turn(streets, first, k, node) < 135.0]
            kinds += ["no_left_turn"] * len(left)
            ends += [(first, node, k) for k in left]
    for k, link in enumerate(streets.links):
        if link.is_bridge and link.road_class in ("primary", "secondary"):
            for node in (link.start, link.end):
                before = [other for other in at[node] if other != k and streets.links[other].name == link.name]
                kinds += ["no_u_turn"] * len(before)
                ends += [(other, node, other) for other in before]
    nodes = np.array([node for _, node, _ in ends], np.int64)
    return Table(
        make_points(streets.x[nodes], streets.y[nodes]),
        {
            "id": number_ids("TR", len(ends)),
            "restriction": as_text(kinds),
            "from_road": names[[first for first, _, _ in ends]],
            "via": streets.ids[nodes],
            "to_road": names[[last for _, _, last in ends]],
            "except_bus": np.array([kind == "no_left_turn" for kind in kinds]),
        },
    )


def make_ferry_routes(plan: Plan, streets: Streets) -> Table:
    """Return the ferry over the river and the boat along its bank, from the streets to the landings."""
    routes = (
        ("Phà Bến Sậy – Cồn Trâm", (-60.0, 3.0), (150.0, -RIVER_WIDTH - 8.0), 720.0, 900.0, 12, True),
        ("Đò dọc Vàm Xanh – Bến Sậy", (900.0, 3.0), (-60.0, 3.0), 1200.0, 1800.0, 0, False),
    )
    ground = np.array([not link.is_bridge for link in streets.links])
    used = np.unique(
        [end for link, fits in zip(streets.links, ground, strict=True) if fits for end in (link.start, link.end)]
    )
    lines: list[LineString] = []
    for _, *ends, _, _, _, _ in routes:
        places = [tuple(float(value) for value in np.round(plan.frame.to_map(*end), 3)) for end in ends]
        shore = [_nearest_street(streets, used, place) for place in places]
        middle = plan.frame.to_map((ends[0][0] + ends[1][0]) / 2.0, min(ends[0][1], ends[1][1]) / 2.0 - 120.0)
        course = [*shore[0], places[0], tuple(np.round(middle, 3)), places[1], *reversed(shore[1])]
        lines.append(LineString(course))
    kept = [k for k, line in enumerate(lines) if EXTENT.covers(line)]
    return Table(
        as_shapes([lines[k] for k in kept]),
        {
            "id": number_ids("FR", len(kept)),
            "name": as_text([routes[k][0] for k in kept]),
            "operator": as_text([_OPERATOR] * len(kept)),
            "crossing_time": np.array([routes[k][3] for k in kept]),
            "headway": np.array([routes[k][4] for k in kept]),
            "trip_capacity": np.array([routes[k][5] for k in kept]),
            "takes_cars": np.array([routes[k][6] for k in kept]),
            "takes_motorbikes": np.ones(len(kept), bool),
            "takes_trucks": np.zeros(len(kept), bool),
            "max_weight": np.array([6.0 if routes[k][6] else 0.5 for k in kept]),
            "opening_hours": as_text(["04:30-22:00"] * len(kept)),
        },
    )


def make_ports(plan: Plan) -> Table:
    """Return the cargo port and the passenger wharf on the river bank."""
    ports = (
        ("Cảng sông Hậu (mô phỏng)", "inland", 1350.0, -14.0, 4, 420.0, 8.5, 10_000.0),
        ("Cảng hành khách Bến Sông (mô phỏng)", "passenger", 300.0, -10.0, 2, 90.0, 4.5, 800.0),
        ("Bến hàng Lá Dừa", "wharf", -1150.0, -8.0, 1, 45.0, 3.2, 300.0),
    )
    found = []
    for port in ports:
        x, y = plan.frame.to_map(port[2], port[3])
        point = Point(round(float(x), 3), round(float(y), 3))
        if EXTENT.covers(point):
            found.append((port, point))
    return Table(
        as_shapes([point for _, point in found]),
        {
            "id": number_ids("PT", len(found)),
            "name": as_text([port[0] for port, _ in found]),
            "port_type": as_text([port[1] for port, _ in found]),
            "berths": np.array([port[4] for port, _ in found]),
            "berth_length": np.array([port[5] for port, _ in found]),
            "depth": np.array([port[6] for port, _ in found]),
            "max_ship": np.array([port[7] for port, _ in found]),
            "quay_elevation": np.full(len(found), 2.6),
            "operator": as_text(["Công ty cảng (mô phỏng)"] * len(found)),
            "condition": as_text(["good"] * len(found)),
        },
    )


def make_airports(plan: Plan) -> Table:
    """Return the airport in the fields behind the town."""
    x, y = plan.frame.to_map(-700.0, 3300.0)
    point = Point(round(float(x), 3), round(float(y), 3))
    return Table(
        as_shapes([point]),
        {
            "id": number_ids("AP", 1),
            "name": as_text(["Sân bay Đồng Sen (mô phỏng)"]),
            "airport_type": as_text(["domestic"]),
            "runways": np.array([1]),
            "runway_length": np.array([2400.0]),
            "elevation": np.array([2.4]),
            "operator": as_text(["Tổng công ty cảng hàng không (mô phỏng)"]),
        },
    )


def limit_fairways(fairways: Table, bridges: Table) -> Table:
    """Return the fairways with the lowest and the narrowest bridge over each."""
    clearance = np.full(len(fairways), np.nan)
    span = np.full(len(fairways), np.nan)
    at, over = shapely.STRtree(bridges.geometry).query(fairways.geometry, predicate="intersects")
    for fairway, bridge in zip(at, over, strict=True):
        clearance[fairway] = np.fmin(clearance[fairway], bridges.columns["clearance"][bridge])
        span[fairway] = np.fmin(span[fairway], bridges.columns["navigation_span"][bridge])
    named = fairways.columns["waterway_class"]
    national = np.array([word == "class_0" for word in named])
    return Table(
        fairways.geometry,
        {
            **fairways.columns,
            "bend_radius": np.where(national, 700.0, 70.0),
            "bridge_clearance": clearance,
            "bridge_span": span,
            "max_ship": np.where(national, 20_000.0, 100.0),
            "managed_by": as_text(["national" if one else "local" for one in national]),
        },
    )


def set_signals(signals: Table, streets: Streets) -> Table:
    """Return the signals with the node they stand at, their cycle, and offsets of a wave at 40 km/h along the river."""
    nodes = find_crossing_nodes(streets)
    at = _group_links(streets)
    arms = np.array([min(max(len(at[node]), 3), 4) for node in nodes.tolist()])
    cycle = np.array([_CYCLE[int(number)] for number in arms])
    along = np.hypot(streets.x[nodes] - streets.x[nodes].min(), streets.y[nodes] - streets.y[nodes].min())
    return Table(
        signals.geometry,
        {
            **signals.columns,
            "road_node": streets.ids[nodes],
            "control": as_text(["fixed" if k % 4 else "coordinated" for k in range(len(nodes))]),
            "cycle": cycle,
            "offset": ((along / _GREEN_WAVE_SPEED) % cycle).round(),
            "phases": np.where(arms == 4, 2, 3),
            "green": (cycle * 0.48).round(),
            "condition": as_text(["good"] * len(nodes)),
        },
    )


def _group_links(streets: Streets) -> dict[int, list[int]]:
    at: dict[int, list[int]] = defaultdict(list)
    for k, link in enumerate(streets.links):
        at[link.start].append(k)
        at[link.end].append(k)
    return at


def _turn(streets: Streets, first: int, second: int, node: int) -> float:
    """Return how far one turns to the left [deg] from one link into another at a node."""
    into = -_leave(streets.links[first], node)
    out = _leave(streets.links[second], node)
    return float(np.degrees(np.arctan2(into[0] * out[1] - into[1] * out[0], into @ out)))


def _leave(link: Link, node: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    xy = shapely.get_coordinates(link.line)
    return np.asarray(xy[1] - xy[0] if link.start == node else xy[-2] - xy[-1], np.float64)


def _nearest_street(
    streets: Streets, nodes: np.ndarray[tuple[int], np.dtype[np.int64]], place: tuple[float, ...]
) -> list[tuple[float, float]]:
    """Return the place of the nearest node of a street on the ground within 150 m, none across the river."""
    off = np.hypot(streets.x[nodes] - place[0], streets.y[nodes] - place[1])
    best = nodes[int(off.argmin())]
    return [(float(streets.x[best]), float(streets.y[best]))] if off.min() < 150.0 else []
