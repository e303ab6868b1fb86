"""Power supply: two substations, feeders along the main streets, transformers, low-voltage lines, poles."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Point

from twin.demo.plan import BOUNDS, WARD_CODES, Ints, Plan, locate_ward
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
from twin.demo.street_graph import Forest, choose_apart, find_node, grow_forest, list_class_nodes
from twin.demo.streets import Streets

OWNER = "Công ty Điện lực Vàm Sông (mô phỏng)"
SITES = (("SS-1", "Trạm 110 kV Bến Sậy", -700.0, 2250.0), ("SS-2", "Trạm 110 kV Đồng Sen", 2500.0, 900.0))
TRANSFORMER_SPACING = 230.0
KVA_A_CUSTOMER = 1.1
SIZES = np.array([100.0, 160.0, 250.0, 400.0, 560.0, 630.0, 1000.0])
UNDERGROUND = ("primary",)
# A line hangs beside the street's middle, clear of the water pipe under it.
SHIFT = (-0.9, 0.9)


def make_power(
    plan: Plan, streets: Streets, buildings: Table, luminaires: Table, terrain: NDArray[np.float32]
) -> dict[str, Table]:
    """Return substations, power_lines, transformers and poles that name each other."""
    rng = np.random.default_rng([plan.seed, 21])
    mains = list_class_nodes(streets, "primary", "secondary", "tertiary")
    roots = np.array([find_node(streets, *_place(plan, u, v), among=mains) for _, _, u, v in SITES])
    main_links = np.array([link.road_class in ("primary", "secondary", "tertiary") for link in streets.links])
    medium = grow_forest(streets, roots, allowed=main_links)
    feeders = _name_feeders(medium, roots)
    served = mains[(medium.root[mains] >= 0) & is_inside(streets.x[mains], streets.y[mains], 8.0)]
    order = served[np.argsort(-streets.count_links()[served], kind="stable")]
    sites = choose_apart(streets.x, streets.y, order, TRANSFORMER_SPACING)
    low = grow_forest(streets, sites)
    transformers = _make_transformers(plan, streets, sites, medium, feeders, roots, low, buildings, terrain, rng)
    return {
        "substations": _make_substations(plan, streets, roots, terrain, transformers),
        "power_lines": _make_lines(streets, roots, medium, feeders, sites, low, rng),
        "transformers": transformers,
        "poles": _make_poles(luminaires, rng),
    }


def _place(plan: Plan, u: float, v: float) -> tuple[float, float]:
    x, y = plan.frame.to_map(u, v)
    return float(x), float(y)


def _name_feeders(medium: Forest, roots: Ints) -> NDArray[np.object_]:
    """Return the feeder of every node: each street that leaves a substation begins one."""
    names = np.full(len(medium.root), None, object)
    numbers: dict[int, int] = {}
    for node in np.argsort(medium.distance, kind="stable").tolist():
        before = int(medium.before[node])
        if before < 0:
            continue
        if before in roots:
            numbers[before] = numbers.get(before, 0) + 1
            names[node] = f"47{roots.tolist().index(before) + 1}-L{numbers[before]}"
        else:
            names[node] = names[before]
    for k, root in enumerate(roots):
        names[root] = f"47{k + 1}-L1"
    return names


def _make_substations(
    plan: Plan, streets: Streets, roots: Ints, terrain: NDArray[np.float32], transformers: Table
) -> Table:
    x, y = streets.x[roots] - 30.0, streets.y[roots] + 26.0
    codes = WARD_CODES[locate_ward(*plan.frame.to_frame(x, y))].astype(object)
    of = transformers.columns["substation_id"]
    load = np.array([0.55 * transformers.columns["rated_power"][of == site[0]].sum() for site in SITES])
    return Table(
        make_points(x, y),
        {
            "id": as_text([site[0] for site in SITES]),
            "name": as_text([site[1] for site in SITES]),
            "voltage_class": as_text(["high"] * len(SITES)),
            "primary_voltage": np.full(len(SITES), 110_000.0),
            "secondary_voltage": np.full(len(SITES), 22_000.0),
            "rated_power": np.full(len(SITES), 80_000.0),
            "peak_load": load.round(0),
            "base_elevation": (sample(terrain, x, y).clip(1.0, 3.0) + 0.6).round(2),
            "ward_code": codes,
            "condition": as_text(["good"] * len(SITES)),
            "accuracy_class": as_text(["A"] * len(SITES)),
            "installed": np.array(["2008-03-01", "2017-09-15"], "datetime64[D]"),
            "owner": as_text([OWNER] * len(SITES)),
        },
    )


def _make_transformers(
    plan: Plan, streets: Streets, sites: Ints, medium: Forest, feeders: NDArray[np.object_], roots: Ints, low: Forest,
    buildings: Table, terrain: NDArray[np.float32], rng: np.random.Generator,
) -> Table:  # fmt: skip
    centre = shapely.centroid(buildings.geometry)
    nodes = shapely.STRtree(make_points(streets.x, streets.y)).nearest(centre)
    place = np.full(len(streets.x), -1)
    place[sites] = np.arange(len(sites))
    customers = np.bincount(place[low.root[nodes]], minlength=len(sites))
    x, y = streets.x[sites] - 3.5, streets.y[sites] + 3.0
    size = SIZES[np.minimum(np.searchsorted(SIZES, customers * KVA_A_CUSTOMER), len(SIZES) - 1)]
    mounting = np.where(size >= 630.0, "pad", "pole")
    ground = sample(terrain, x, y).clip(0.7, 3.0)
    station = {int(root): site[0] for root, site in zip(roots, SITES, strict=True)}
    count = len(sites)
    return Table(
        make_points(x, y),
        {
            "id": number_ids("TF", count),
            "name": as_text([f"Trạm {feeders[node]}/{n}" for n, node in enumerate(sites, 1)]),
            "rated_power": size,
            "primary_voltage": np.full(count, 22_000.0),
            "secondary_voltage": np.full(count, 400.0),
            "mounting": mounting.astype(object),
            "feeder": feeders[sites],
            "substation_id": as_text([station[int(medium.root[node])] for node in sites]),
            "customers": customers,
            "base_elevation": (ground + np.where(mounting == "pole", 3.2, 0.4)).round(2),
            "ward_code": WARD_CODES[locate_ward(*plan.frame.to_frame(x, y))].astype(object),
            "condition": draw_conditions(rng, count),
            "accuracy_class": as_text(list(rng.choice(["A", "B"], count, p=[0.7, 0.3]))),
            "installed": draw_dates(rng, count, since=2003),
            "owner": as_text([OWNER] * count),
        },
    )


def _make_lines(
    streets: Streets, roots: Ints, medium: Forest, feeders: NDArray[np.object_], sites: Ints, low: Forest,
    rng: np.random.Generator,
) -> Table:  # fmt: skip
    """Return the 110 kV supply, the feeders (a tree a substation) and the low-voltage lines (a tree a transformer)."""
    lines: list[LineString] = []
    columns: list[tuple[Any, ...]] = []
    for k, root in enumerate(roots):
        start = Point(streets.x[root] - 30.0, streets.y[root] + 26.0)
        border = BOUNDS[0] if start.x - BOUNDS[0] < BOUNDS[2] - start.x else BOUNDS[2]
        lines.append(LineString([(border, start.y + 180.0), (start.x, start.y)]).segmentize(220.0))
        columns.append(("high", 110_000.0, f"17{k + 1}", SITES[k][0], None, "overhead", "ACSR-240", 2))
    of_node = {int(root): site[0] for root, site in zip(roots, SITES, strict=True)}
    transformer = dict(zip(sites.tolist(), number_ids("TF", len(sites)), strict=True))
    for node in np.flatnonzero(medium.link >= 0):
        link = streets.links[medium.link[node]]
        laying = "underground" if link.road_class in UNDERGROUND else "overhead"
        wire = "Cu/XLPE 3×240" if laying == "underground" else "ACX-185"
        lines.append(link.line)
        columns.append(("medium", 22_000.0, feeders[node], of_node[int(medium.root[node])], None, laying, wire, 1))
    for node in np.flatnonzero(low.link >= 0):
        lines.append(streets.links[low.link[node]].line)
        columns.append(("low", 400.0, None, None, transformer[int(low.root[node])], "overhead", "ABC 4×95", 1))
    geometry = as_shapes([shift_line(line, SHIFT) for line in lines])
    keys = ("voltage_class", "voltage", "feeder", "substation_id", "transformer_id", "laying", "conductor", "circuits")
    parts = list(zip(*columns, strict=True))
    table = {key: as_text(list(values)) for key, values in zip(keys, parts, strict=True)}
    count = len(lines)
    return Table(
        geometry,
        table
        | {
            "id": number_ids("PW", count),
            "voltage": np.array(parts[1]),
            "circuits": np.array(parts[7]),
            "length": shapely.length(geometry).round(2),
            "condition": draw_conditions(rng, count),
            "accuracy_class": as_text(list(rng.choice(["B", "C"], count, p=[0.6, 0.4]))),
            "installed": draw_dates(rng, count, since=2000),
            "owner": as_text([OWNER] * count),
        },
    )


def _make_poles(luminaires: Table, rng: np.random.Generator) -> Table:
    """Return the pole under every luminaire; those on narrower streets carry the low-voltage line too."""
    height = luminaires.columns["mounting_height"]
    count = len(height)
    own = height >= 10.0
    return Table(
        luminaires.geometry,
        {
            "id": luminaires.columns["pole_id"],
            "pole_type": np.where(own, "steel", "concrete").astype(object),
            "height": np.where(own, height + 0.5, np.maximum(height + 1.0, 7.5)),
            "voltage_class": as_text([None if flag else "low" for flag in own]),
            "telecom_cables": np.where(own, 0, rng.integers(1, 9, count)),
            "condition": draw_conditions(rng, count),
            "installed": luminaires.columns["installed"],
            "owner": as_text([OWNER] * count),
        },
    )
