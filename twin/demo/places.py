"""Places people go to, bus stops and traffic signals."""

import numpy as np
import shapely

from twin.demo.buildings import PLACE_WORDS, Specials
from twin.demo.cells import Cells
from twin.demo.lighting import offset_points
from twin.demo.plan import WARD_CODES, Floats, locate_ward
from twin.demo.shapes import Table, as_shapes, as_text, make_points, number_ids
from twin.demo.streets import WIDTH, Streets, find_crossing_nodes

CATEGORY = {
    "school": "school", "university": "university", "hospital": "hospital", "clinic": "clinic", "market": "market",
    "government": "government", "worship": "worship", "sports": "other",
}  # fmt: skip
CAPACITY = {"school": 900, "university": 6000, "hospital": 450, "clinic": 30, "market": 1200}
SHOPS = (
    ("pharmacy", "Nhà thuốc", 34), ("food", "Quán ăn", 70), ("lodging", "Khách sạn", 18), ("bank", "Ngân hàng", 16),
    ("police", "Công an phường", 8), ("fire_station", "Đội Phòng cháy chữa cháy", 2), ("fuel", "Trạm xăng", 8),
    ("clinic", "Phòng khám", 10),
)  # fmt: skip


def make_places(cells: Cells, specials: Specials, buildings: Table) -> Table:
    """Return the special blocks as places, shelters in schools on higher ground, and shops in shophouses."""
    rng = np.random.default_rng([cells.plan.seed, 12])
    names: list[str] = []
    categories: list[str] = []
    points: list[shapely.Point] = []
    floors = _read_floor_levels(specials, buildings)
    for k, kind in enumerate(specials.kind):
        if kind not in CATEGORY:
            continue
        x, y = cells.place(specials.cell[k : k + 1], 0.5, 0.27)
        points.append(shapely.Point(round(float(x[0]), 3), round(float(y[0]), 3)))
        names.append(specials.name[k])
        categories.append(CATEGORY[kind])
        if kind in ("school", "university") and floors.get(specials.name[k], 0.0) > 1.35:
            points.append(shapely.Point(round(float(x[0]) + 8.0, 3), round(float(y[0]), 3)))
            names.append(f"Nơi tránh lũ – {specials.name[k]}")
            categories.append("shelter")
    shops = np.flatnonzero(buildings.columns["use"] == "shop")
    picks = rng.permutation(shops)
    address: list[str | None] = [None] * len(points)
    for category, word, count in SHOPS:
        chosen, picks = picks[:count], picks[count:]
        for n, k in enumerate(chosen):
            centre = shapely.centroid(buildings.geometry[k])
            points.append(shapely.Point(round(centre.x, 3), round(centre.y, 3)))
            names.append(f"{word} {PLACE_WORDS[(n * 7 + len(word)) % len(PLACE_WORDS)]} {n + 1}")
            categories.append(category)
            address.append(buildings.columns["address"][k])
    geometry = as_shapes(points)
    u, v = cells.plan.frame.to_frame(shapely.get_x(geometry), shapely.get_y(geometry))
    capacity = [CAPACITY.get(word, 300 if word == "shelter" else 40) for word in categories]
    return Table(
        geometry,
        {
            "id": number_ids("PL", len(points)),
            "name": as_text(names),
            "category": as_text(categories),
            "address": as_text(address),
            "capacity": np.array(capacity),
            "ward_code": WARD_CODES[locate_ward(u, v)].astype(object),
        },
    )


def _read_floor_levels(specials: Specials, buildings: Table) -> dict[str, float]:
    wanted = set(specials.name)
    levels: dict[str, float] = {}
    for name, floor in zip(buildings.columns["name"], buildings.columns["floor_elevation"], strict=True):
        if name in wanted:
            levels[name] = min(float(floor), levels.get(name, 99.0))
    return levels


def make_stops(streets: Streets) -> Table:
    """Return bus stops on both sides of main streets, one for every long link."""
    points: list[Floats] = []
    names: list[str] = []
    for link in streets.links:
        if link.road_class in ("primary", "secondary") and not link.is_bridge and link.line.length > 110.0:
            for side in (1.0, -1.0):
                at = np.array([link.line.length * (0.5 - 0.12 * side)])
                points.append(offset_points(link.line, at, side * (WIDTH[link.road_class] / 2 + 2.5)))
                names.append(f"Trạm {link.name.removeprefix('Đường ')} {len(names) + 1}")
    xy = np.vstack(points)
    ids = number_ids("ST", len(xy))
    return Table(
        make_points(xy[:, 0], xy[:, 1]),
        {
            # As the stops of a feed are called: the feed, a dot, the stop's id in it.
            "id": as_text([f"demo.{one}" for one in ids]),
            "gtfs_id": ids,
            "name": as_text(names),
            "mode": as_text(["bus"] * len(xy)),
            "has_shelter": np.arange(len(xy)) % 3 != 0,
        },
    )


def make_signals(streets: Streets) -> Table:
    """Return signals where two main streets meet in town."""
    nodes = find_crossing_nodes(streets)
    x, y = streets.x[nodes], streets.y[nodes]
    count = len(nodes)
    return Table(
        make_points(x, y),
        {
            "id": number_ids("SG", count),
            "name": as_text([f"Đèn tín hiệu nút {n}" for n in range(1, count + 1)]),
            "controller": as_text([f"TC-{n:03d}" for n in range(1, count + 1)]),
        },
    )
