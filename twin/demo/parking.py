"""Parking: lots beside what draws people, kerbside strips in the centre, spaces, entrances and meters."""

from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray

from twin.demo.buildings import Specials
from twin.demo.cells import Cells
from twin.demo.plan import WARD_CODES, Floats, Plan, compute_urbanity, locate_ward
from twin.demo.shapes import Table, as_shapes, as_text, is_inside, make_points, number_ids
from twin.demo.streets import WIDTH, Streets

# Where the slabs of a block leave room, as fractions of its net area: (a0, a1, b0, b1).
LOTS = {
    "market": (0.15, 0.85, 0.03, 0.13), "hospital": (0.03, 0.12, 0.12, 0.88), "university": (0.30, 0.70, 0.68, 0.86),
    "office": (0.12, 0.88, 0.89, 0.98), "apartment": (0.10, 0.40, 0.34, 0.66), "sports": (0.80, 0.95, 0.10, 0.90),
    "government": (0.40, 0.64, 0.42, 0.62), "park": (0.04, 0.40, 0.03, 0.12),
}  # fmt: skip
MOTORCYCLES = ("market", "university")
SPACE = {"car": (2.6, 5.2), "motorcycle": (1.1, 2.2)}
ROWS_APART = 1.75
FEE = {"off_street": 20_000.0, "on_street": 10_000.0, "motorcycle": 4_000.0}
KERB_WIDTH = 2.2
VEHICLE = {"motorcycle": "motorcycle"}
URBAN = 0.72


@dataclass(frozen=True, slots=True)
class Lot:
    """A place to park: its outline, kind and name; a kerbside strip has none, but its centre line ``middle``."""

    shape: shapely.Polygon
    kind: str
    name: str | None
    middle: shapely.LineString | None = None


def make_parking(plan: Plan, cells: Cells, specials: Specials, streets: Streets) -> dict[str, Table]:
    """Return parking_areas, parking_spaces and parking_access that name each other."""
    lots = [*_lay_lots(cells, specials), *_lay_kerbs(plan, streets)]
    ids = number_ids("PK", len(lots))
    spaces = _lay_spaces(lots, ids, np.random.default_rng([plan.seed, 24]))
    owner, free = spaces.columns["parking_id"], spaces.columns["status"] == "free"
    geometry = as_shapes([lot.shape for lot in lots])
    kinds = as_text([lot.kind for lot in lots])
    centre = shapely.centroid(geometry)
    ward = locate_ward(*plan.frame.to_frame(shapely.get_x(centre), shapely.get_y(centre)))
    areas = Table(
        geometry,
        {
            "id": ids,
            "name": as_text([lot.name for lot in lots]),
            "parking_type": kinds,
            "vehicle": as_text([VEHICLE.get(lot.kind, "car") for lot in lots]),
            "capacity": np.array([int((owner == key).sum()) for key in ids]),
            "free": np.array([int(((owner == key) & free).sum()) for key in ids]),
            "hourly_fee": np.array([FEE[kind] for kind in kinds]),
            "opening_hours": as_text(["06:00–22:00" if kind == "on_street" else "00:00–24:00" for kind in kinds]),
            "has_charging": (kinds == "off_street") & (np.arange(len(lots)) % 3 == 0),
            "area": shapely.area(geometry).round(1),
            "operator": as_text(["Ban Quản lý bến bãi Vàm Sông (mô phỏng)"] * len(lots)),
            "ward_code": WARD_CODES[ward].astype(object),
        },
    )
    return {"parking_areas": areas, "parking_spaces": spaces, "parking_access": _make_access(areas)}


def _lay_lots(cells: Cells, specials: Specials) -> list[Lot]:
    lots = []
    for cell, kind, name in zip(specials.cell, specials.kind, specials.name, strict=True):
        if kind in LOTS:
            a0, a1, b0, b1 = LOTS[kind]
            x, y = cells.place(np.full(4, cell), np.array([a0, a1, a1, a0]), np.array([b0, b0, b1, b1]))
            shape = shapely.Polygon(np.column_stack([x, y]).round(3))
            lots.append(Lot(shape, "motorcycle" if kind in MOTORCYCLES else "off_street", f"Bãi xe {name}"))
    return lots


def _lay_kerbs(plan: Plan, streets: Streets) -> list[Lot]:
    """Return strips along the kerb of the main streets in the centre, clear of the junctions."""
    lots = []
    for link in streets.links:
        if link.road_class not in ("primary", "secondary") or link.is_bridge or link.line.length < 90.0:
            continue
        middle = link.line.interpolate(0.5, normalized=True)
        u, v = plan.frame.to_frame(np.array([middle.x]), np.array([middle.y]))
        if float(compute_urbanity(u, v)[0]) < URBAN:
            continue
        inner = shapely.LineString(shapely.get_coordinates(shapely.ops.substring(link.line, 22.0, -22.0)))
        aside = shapely.offset_curve(inner, KERB_WIDTH / 2 - WIDTH[link.road_class] / 2)
        part = shapely.LineString(shapely.get_coordinates(aside))
        strip = shapely.Polygon(shapely.set_precision(part.buffer(KERB_WIDTH / 2, cap_style="flat"), 0.001))
        lots.append(Lot(strip, "on_street", None, part))
    return lots


def _lay_spaces(lots: list[Lot], ids: NDArray[np.object_], rng: np.random.Generator) -> Table:
    points = [_fill_strip(lot.middle) if lot.middle else _fill_lot(lot) for lot in lots]
    owner = np.repeat(np.arange(len(lots)), [len(found) for found in points])
    xy = np.vstack(points)
    count = len(xy)
    kerb = np.array([lot.middle is not None for lot in lots])[owner]
    status = np.where(rng.random(count) < np.where(kerb, 0.8, 0.55), "occupied", "free").astype(object)
    status[rng.random(count) < 0.03] = "unknown"
    return Table(
        make_points(xy[:, 0], xy[:, 1]),
        {
            "id": number_ids("PS", count),
            "parking_id": ids[owner],
            "vehicle": as_text([VEHICLE.get(lots[k].kind, "car") for k in owner]),
            "status": status,
            "is_accessible": np.arange(count) % 40 == 7,
            "has_sensor": status != "unknown",
        },
    )


def _fill_lot(lot: Lot) -> Floats:
    """Return the middles of spaces laid in rows along the longer side of a lot, with lanes between the rows."""
    width, length = SPACE[VEHICLE.get(lot.kind, "car")]
    ring = shapely.get_coordinates(lot.shape)[:4]
    sides = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1)
    if sides[0] + sides[2] < sides[1] + sides[3]:
        ring, sides = np.roll(ring, -1, axis=0), np.roll(sides, -1)
    across = np.arange(length / 2 + 0.6, sides[1] - length / 2, ROWS_APART * length) / sides[1]
    along = np.arange(width / 2 + 1.0, sides[0] - width / 2 - 0.5, width) / sides[0]
    a, b = (part.ravel()[:, None] for part in np.meshgrid(along, across))
    points = (1 - b) * ((1 - a) * ring[0] + a * ring[1]) + b * ((1 - a) * ring[3] + a * ring[2])
    return np.asarray(points, np.float64).reshape(-1, 2)


def _fill_strip(middle: shapely.LineString) -> Floats:
    """Return the middles of spaces one behind the other along a strip."""
    step = SPACE["car"][1] + 0.8
    at = np.arange(step / 2, middle.length - step / 2, step)
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(middle, at)), np.float64)


def _make_access(areas: Table) -> Table:
    """Return the entrance of every lot, and a meter where kerbside parking is paid."""
    corner = shapely.get_point(shapely.get_exterior_ring(areas.geometry), 0)
    x, y = shapely.get_x(corner), shapely.get_y(corner)
    inside = is_inside(x, y)
    kerb = areas.columns["parking_type"] == "on_street"
    charging = np.flatnonzero(areas.columns["has_charging"] & inside)
    which = np.concatenate([np.flatnonzero(inside), charging])
    kind = np.where(kerb, "meter", "entrance").astype(object)[which]
    kind[len(which) - len(charging) :] = "charger"
    dx = np.where(np.arange(len(which)) < len(which) - len(charging), 0.0, 2.5)
    return Table(
        make_points(x[which] + dx, y[which]),
        {
            "id": number_ids("PA", len(which)),
            "parking_id": areas.columns["id"][which],
            "access_type": kind,
            "max_height": np.where(kind == "entrance", 3.2, np.nan),
        },
    )
