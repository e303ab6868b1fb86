"""Street lighting: luminaires along the streets, cabinets at junctions, circuits as trees of cable."""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from scipy.spatial import cKDTree

from twin.demo.plan import BOUNDS, WARD_CODES, Floats, Ints, Plan, locate_ward
from twin.demo.shapes import Table, as_text, make_points, number_ids, sample
from twin.demo.street_graph import choose_apart
from twin.demo.streets import WIDTH, Streets

SPACING = {"primary": 30.0, "secondary": 30.0, "tertiary": 33.0, "residential": 38.0, "living_street": 45.0}
MOUNTING = {"primary": 11.0, "secondary": 10.0, "tertiary": 8.5, "residential": 7.0, "living_street": 5.0}
POWER = {"primary": 150.0, "secondary": 120.0, "tertiary": 90.0, "residential": 60.0, "living_street": 30.0}
EFFICACY = {"led": 130.0, "sodium": 95.0, "mercury": 50.0, "halide": 85.0}
CABINET_SPACING = 380.0
VOLTAGE, POWER_FACTOR = 380.0, 0.9
SECTIONS = np.array([6.0, 10.0, 16.0, 25.0, 35.0])
FUSES = np.array([6.0, 10.0, 16.0, 20.0, 25.0, 32.0, 40.0, 50.0, 63.0])
DESIGN_DROP = 0.028
NEIGHBOURS = 8


def make_lighting(plan: Plan, streets: Streets, terrain: NDArray[np.float32]) -> dict[str, Table]:
    """Return luminaires, lighting_cabinets and lighting_circuits that name each other."""
    rng = np.random.default_rng([plan.seed, 10])
    x, y, classes = _place_luminaires(streets, rng)
    cabinets = _place_cabinets(streets)
    x0, y0, x1, y1 = BOUNDS
    cx = np.clip(streets.x[cabinets] + 4.0, x0 + 2.0, x1 - 2.0)
    cy = np.clip(streets.y[cabinets] + 4.0, y0 + 2.0, y1 - 2.0)
    owner = cKDTree(np.column_stack([cx, cy])).query(np.column_stack([x, y]))[1]
    used, owner = np.unique(owner, return_inverse=True)
    cx, cy = cx[used], cy[used]
    cabinet_ids = number_ids("LC", len(cx))
    circuit_of, parent = _wire(x, y, cx, cy, owner)
    circuit_ids = np.array([f"{cabinet_ids[c]}-M{k}" for c, k in zip(owner, circuit_of, strict=True)], dtype=object)
    lamps = np.where(
        np.isin(classes, ["primary", "secondary"]),
        rng.choice(["led", "sodium"], len(x), p=[0.8, 0.2]),
        rng.choice(["led", "sodium", "mercury", "halide"], len(x), p=[0.55, 0.33, 0.07, 0.05]),
    ).astype(object)
    power = np.array([POWER[c] for c in classes]) * np.where(lamps == "led", 1.0, 1.6)
    luminaires = Table(
        make_points(x, y),
        {
            "id": number_ids("LM", len(x)),
            "circuit_id": circuit_ids,
            "cabinet_id": cabinet_ids[owner],
            "lamp_type": lamps,
            "power": power,
            "luminous_flux": (power * np.array([EFFICACY[lamp] for lamp in lamps])).round(0),
            "mounting_height": np.array([MOUNTING[c] for c in classes]),
            "pole_id": number_ids("PO", len(x)),
            "phase": _share_phases(parent),
            "installed": np.datetime64("2010-01-01") + rng.integers(0, 5400, len(x)).astype("timedelta64[D]"),
        },
    )
    from_x = np.where(parent < 0, cx[owner], x[parent])
    from_y = np.where(parent < 0, cy[owner], y[parent])
    cables = np.asarray(
        shapely.linestrings(np.stack([np.column_stack([from_x, x]), np.column_stack([from_y, y])], axis=-1).round(3)),
        dtype=object,
    )
    laying = np.where(np.isin(classes, ["primary", "secondary"]), "underground", "overhead").astype(object)
    copper = laying == "underground"
    section, fuse = _size_cables(circuit_ids, parent, power, shapely.length(cables), copper)
    circuits = Table(
        cables,
        {
            "id": number_ids("LS", len(x)),
            "circuit_id": circuit_ids,
            "cabinet_id": cabinet_ids[owner],
            "laying": laying,
            "length": shapely.length(cables).round(2),
            "conductor_material": np.where(copper, "copper", "aluminium").astype(object),
            "cross_section": section,
            "phases": np.full(len(x), 3),
            "fuse_rating": fuse,
        },
    )
    u, v = plan.frame.to_frame(cx, cy)
    load = np.bincount(owner, weights=power, minlength=len(cx))
    boxes = Table(
        make_points(cx, cy),
        {
            "id": cabinet_ids,
            "name": as_text([f"Tủ chiếu sáng {n}" for n in range(1, len(cx) + 1)]),
            "voltage": np.full(len(cx), VOLTAGE),
            "rated_power": np.ceil(load * 1.25 / 1000.0) * 1000.0,
            "base_elevation": (sample(terrain, cx, cy).clip(0.7, 3.0) + 0.25).round(2),
            "ward_code": WARD_CODES[locate_ward(u, v)].astype(object),
        },
    )
    return {"luminaires": luminaires, "lighting_cabinets": boxes, "lighting_circuits": circuits}


def _share_phases(parent: Ints) -> NDArray[np.object_]:
    """Return the phase of each luminaire: that after the phase of the one before it."""
    phase = np.zeros(len(parent), np.int64)
    for lamp in _order_outward(parent):
        phase[lamp] = 0 if parent[lamp] < 0 else (phase[parent[lamp]] + 1) % 3
    return np.array(["L1", "L2", "L3"], dtype=object)[phase]


def _order_outward(parent: Ints) -> list[int]:
    """Return the luminaires so that each comes after the one before it on the cable."""
    depth = np.zeros(len(parent), np.int64)
    at = parent.copy()
    while (at >= 0).any():
        depth += at >= 0
        at = np.where(at >= 0, parent[at], -1)
    return [int(lamp) for lamp in np.argsort(depth, kind="stable")]


def _size_cables(
    circuits: NDArray[np.object_], parent: Ints, power: Floats, length: Floats, copper: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return cross-section [mm²] and fuse [A] of every section: the smallest in trade that a circuit needs.

    One circuit in twenty has a size less, as it was laid for fewer lamps, and so may drop more than 3 %.
    """
    outward = _order_outward(parent)
    carried, drop = power.copy(), np.zeros(len(parent))
    for lamp in outward[::-1]:
        if parent[lamp] >= 0:
            carried[parent[lamp]] += carried[lamp]
    step = np.where(copper, 0.0225, 0.036) * length * carried / VOLTAGE**2
    for lamp in outward:
        drop[lamp] = step[lamp] + (drop[parent[lamp]] if parent[lamp] >= 0 else 0.0)
    _, of = np.unique(circuits.astype(str), return_inverse=True)
    worst, load = np.zeros(of.max() + 1), np.zeros(of.max() + 1)
    np.maximum.at(worst, of, drop)
    np.add.at(load, of, power)
    size = np.minimum(np.searchsorted(SECTIONS, worst / DESIGN_DROP), len(SECTIONS) - 1)
    section = SECTIONS[np.maximum(size - (np.arange(size.size) % 20 == 9), 0)]
    current = 1.3 * load / (np.sqrt(3.0) * VOLTAGE * POWER_FACTOR)
    fuse = FUSES[np.minimum(np.searchsorted(FUSES, current), len(FUSES) - 1)]
    return section[of], fuse[of]


def _place_luminaires(streets: Streets, rng: np.random.Generator) -> tuple[Floats, Floats, NDArray[np.object_]]:
    """Return x, y and street class of the lights: both sides on main streets, one side elsewhere, some lanes none."""
    points, classes = [], []
    for link in streets.links:
        road_class = link.road_class
        if road_class == "living_street" and rng.random() < 0.35:
            continue
        count = max(1, int(link.line.length / SPACING[road_class]))
        at = (np.arange(count) + 0.5) / count * link.line.length
        for side in (1.0, -1.0) if road_class in ("primary", "secondary") else (1.0,):
            offset = side * (WIDTH[road_class] / 2 + (1.0 if road_class != "living_street" else -0.6))
            points.append(offset_points(link.line, at, offset))
            classes += [road_class] * count
    xy = np.vstack(points)
    return xy[:, 0], xy[:, 1], as_text(classes)


def offset_points(line: shapely.LineString, at: Floats, offset: float) -> Floats:
    """Return points at distances ``at`` along a line, moved ``offset`` to its left [m], shape (n, 2)."""
    here = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, np.minimum(at + 1.0, line.length)))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(at - 1.0, 0.0)))
    along = ahead - behind
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    return np.asarray(here + offset * np.column_stack([-along[:, 1], along[:, 0]]), np.float64)


def _place_cabinets(streets: Streets) -> Ints:
    """Return junctions at least CABINET_SPACING apart, chosen in order of how many streets meet."""
    order = np.argsort(-streets.count_links(), kind="stable")
    return choose_apart(streets.x, streets.y, order, CABINET_SPACING)


def _wire(x: Floats, y: Floats, cx: Floats, cy: Floats, owner: Ints) -> tuple[Ints, Ints]:
    """Return for every luminaire the number of its circuit at its cabinet, and the luminaire before it (−1: cabinet).

    A cabinet's cables are the minimum spanning tree of itself and its luminaires; each branch that leaves it is a
    circuit.
    """
    circuit = np.ones(len(x), np.int64)
    parent = np.full(len(x), -1, np.int64)
    for cabinet in range(len(cx)):
        members = np.flatnonzero(owner == cabinet)
        xy = np.vstack([[cx[cabinet], cy[cabinet]], np.column_stack([x[members], y[members]])])
        apart, near = cKDTree(xy).query(xy, k=len(xy) if len(xy) < 400 else NEIGHBOURS)
        size = len(xy)
        row = np.repeat(np.arange(size), apart.shape[1])
        graph = coo_array((apart.ravel() + 1e-3, (row, near.ravel())), shape=(size, size)).tocsr()
        order, before = breadth_first_order(minimum_spanning_tree(graph), 0, directed=False)
        branch = np.zeros(size, np.int64)
        for node in order[1:]:
            branch[node] = branch.max() + 1 if before[node] == 0 else branch[before[node]]
        circuit[members] = np.maximum(branch[1:], 1)
        parent[members] = np.where(before[1:] <= 0, -1, members[np.maximum(before[1:] - 1, 0)])
    return circuit, parent
