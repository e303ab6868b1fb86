"""Parcels and buildings on the lots, and the blocks given to schools, hospitals, flats and sheds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.demo.blocks import SPECIAL_SLABS, Lots
from twin.demo.cells import Cells
from twin.demo.plan import WARD_CODES, Floats, Ints, locate_ward
from twin.demo.shapes import Table, as_text, make_polygons, number_ids, sample

BUILDING_USE = {
    "school": "school", "university": "school", "hospital": "hospital", "clinic": "hospital", "market": "shop",
    "government": "public", "apartment": "apartment", "office": "office", "worship": "religious", "sports": "public",
    "industrial": "industrial", "park": "other",
}  # fmt: skip
LAND_USE = {
    "dense": "residential", "suburban": "residential", "orchard": "orchard", "paddy": "agriculture",
    "school": "education", "university": "education", "hospital": "public", "clinic": "public",
    "market": "commercial", "government": "public", "apartment": "residential", "office": "commercial",
    "worship": "public", "sports": "green", "industrial": "industrial", "park": "green", "basin": "green",
    "canal": "water",
}  # fmt: skip
SPECIAL_NAMES = {
    "school": "Trường Phổ thông", "university": "Trường Đại học", "hospital": "Bệnh viện Đa khoa",
    "clinic": "Trạm Y tế", "market": "Chợ", "government": "Trung tâm Hành chính", "apartment": "Chung cư",
    "worship": "Chùa", "sports": "Sân vận động", "park": "Công viên", "basin": "Hồ điều hòa", "office": "Cao ốc",
    "industrial": "Nhà máy",
}  # fmt: skip
PLACE_WORDS = (
    "Phù Sa", "Hoa Nắng", "Sông Xanh", "Bến Lành", "Vườn Cau", "Lúa Vàng", "Sen Hồng", "Cầu Tre", "Gió Lành",
    "Nắng Mai", "Mây Trắng", "Bình Minh", "Hừng Đông", "Tân Lập", "Hòa Thuận", "Đồng Xanh",
)  # fmt: skip
STOREYS = {
    "school": (3, 4), "university": (4, 7), "hospital": (4, 8), "clinic": (1, 2), "market": (1, 2),
    "government": (3, 6), "apartment": (9, 18), "office": (6, 16), "worship": (1, 2), "sports": (1, 2),
    "industrial": (1, 1), "park": (1, 1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Specials:
    """Blocks with one purpose: cell index, kind and name."""

    cell: Ints
    kind: tuple[str, ...]
    name: tuple[str, ...]


def name_specials(cells: Cells) -> Specials:
    """Return the blocks with one purpose, each with a made-up name."""
    counts: dict[str, int] = {}
    index, kinds, names = [], [], []
    for n, use in enumerate(cells.use):
        if use in SPECIAL_SLABS:
            counts[use] = counts.get(use, 0) + 1
            word = PLACE_WORDS[(counts[use] * 5 + len(use)) % len(PLACE_WORDS)]
            series = f" {1 + counts[use] // len(PLACE_WORDS)}" if counts[use] > len(PLACE_WORDS) else ""
            index.append(n)
            kinds.append(use)
            names.append(f"{SPECIAL_NAMES[use]} {word}{series}")
    return Specials(np.array(index, np.int64), tuple(kinds), tuple(names))


def make_parcels(cells: Cells, lots: Lots, specials: Specials) -> Table:
    """Return cadastral parcels: every lot, and every block with one purpose."""
    whole = specials.cell
    cell = np.concatenate([lots.cell, whole])
    zero, one = np.zeros(len(whole)), np.ones(len(whole))
    geometry = _map_rectangles(
        cells,
        cell,
        (
            np.concatenate([lots.a0, zero]),
            np.concatenate([lots.a1, one]),
            np.concatenate([lots.b0, zero]),
            np.concatenate([lots.b1, one]),
        ),
    )
    use = [LAND_USE[cells.use[n]] for n in cell]
    for k in range(len(lots.cell)):
        if cells.use[lots.cell[k]] in ("orchard", "paddy"):
            use[k] = "residential" if lots.built[k] else "orchard"
        elif not lots.built[k]:
            use[k] = "vacant"
        elif lots.front[k] in ("primary", "secondary"):
            use[k] = "commercial"
    return Table(
        geometry,
        {
            "id": number_ids("PC", len(cell)),
            "map_sheet": as_text([f"{1 + n // 12}" for n in cell]),
            "parcel_number": as_text([str(k) for k in _count_within(cell // 12)]),
            "land_use": as_text(use),
            "area": shapely.area(geometry).round(1),
            "ward_code": _find_ward_codes(cells, geometry),
        },
    )


def _count_within(group: Ints) -> Ints:
    """Return 1, 2, 3 … within each group, in order of appearance."""
    order = np.argsort(group, kind="stable")
    ranked = group[order]
    start = np.searchsorted(ranked, ranked)
    number = np.empty(len(group), np.int64)
    number[order] = np.arange(len(group)) - start + 1
    return number


def _find_ward_codes(cells: Cells, geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    centre = shapely.centroid(geometry)
    u, v = cells.plan.frame.to_frame(shapely.get_x(centre), shapely.get_y(centre))
    return np.asarray(WARD_CODES[locate_ward(u, v)].astype(object))


def _map_rectangles(cells: Cells, cell: Ints, rectangle: tuple[Floats, Floats, Floats, Floats]) -> NDArray[np.object_]:
    a0, a1, b0, b1 = rectangle
    a = np.column_stack([a0, a1, a1, a0])
    b = np.column_stack([b0, b0, b1, b1])
    x, y = cells.place(np.repeat(cell, 4), a.ravel(), b.ravel())
    return make_polygons(x.reshape(-1, 4), y.reshape(-1, 4))


def make_buildings(cells: Cells, lots: Lots, specials: Specials, terrain: NDArray[np.float32]) -> Table:
    """Return houses on built lots and the slabs of special blocks, with floors above the ground of the terrain."""
    rng = np.random.default_rng([cells.plan.seed, 7])
    houses = _build_houses(cells, lots, rng)
    slabs = _build_slabs(cells, specials, rng)
    columns: dict[str, NDArray[Any]] = {
        key: np.concatenate([houses.columns[key], slabs.columns[key]]) for key in houses.columns
    }
    geometry = np.concatenate([houses.geometry, slabs.geometry])
    centre = shapely.centroid(geometry)
    ground = sample(terrain, shapely.get_x(centre), shapely.get_y(centre)).clip(0.6, 3.0)
    use = columns["use"]
    plinth = rng.uniform(0.05, 0.45, len(geometry)) + np.where(np.isin(use, ["hospital", "public"]), 0.35, 0.0)
    storeys = columns["storeys"]
    storey_height = np.where(np.isin(use, ["industrial"]), 7.5, np.where(use == "religious", 5.0, 3.4))
    columns |= {
        "id": number_ids("B", len(geometry)),
        "height": (storeys * storey_height + 0.8).round(1),
        "ground_elevation": ground.round(2),
        "floor_elevation": (ground + plinth).round(2),
        "year_built": rng.integers(1985, 2025, len(geometry)),
        "ward_code": _find_ward_codes(cells, geometry),
    }
    return Table(geometry, columns)


def _build_houses(cells: Cells, lots: Lots, rng: np.random.Generator) -> Table:
    built = np.flatnonzero(lots.built)
    cell, facing = lots.cell[built], lots.facing[built]
    rural = np.isin(np.array(cells.use, dtype=object)[cell], ["orchard", "paddy"])
    urban = cells.urbanity[cell]
    count = len(built)
    front_gap = np.where(rural, rng.uniform(0.15, 0.35, count), rng.uniform(0.02, 0.05 + 0.12 * (1.0 - urban), count))
    back_gap = np.where(rural, rng.uniform(0.15, 0.3, count), rng.uniform(0.03, 0.22, count))
    side_gap = np.where(rural, rng.uniform(0.12, 0.25, count), np.where(urban > 0.4, 0.01, 0.08))
    a0, a1, b0, b1 = (part[built].copy() for part in (lots.a0, lots.a1, lots.b0, lots.b1))
    along_b = facing < 2
    low_gap = np.where(facing % 2 == 0, front_gap, back_gap)
    high_gap = np.where(facing % 2 == 0, back_gap, front_gap)
    da, db = a1 - a0, b1 - b0
    a0, a1 = a0 + da * np.where(along_b, side_gap, low_gap), a1 - da * np.where(along_b, side_gap, high_gap)
    b0, b1 = b0 + db * np.where(along_b, low_gap, side_gap), b1 - db * np.where(along_b, high_gap, side_gap)
    geometry = _map_rectangles(cells, cell, (a0, a1, b0, b1))
    front = lots.front[built]
    main = np.isin(front, ["primary", "secondary", "tertiary"])
    shop = (main & (rng.random(count) < 0.75)) | ((front == "residential") & (rng.random(count) < 0.22))
    shop &= ~rural
    storeys = 1 + rng.poisson(0.5 + 1.3 * urban + 0.9 * main, count).clip(0, 6)
    storeys[rural] = 1
    names: list[str | None] = [None] * count
    for k in np.flatnonzero(shop & (rng.random(count) < 0.03)):
        names[k] = f"{rng.choice(['Quán', 'Cửa hàng', 'Nhà sách', 'Tiệm bánh'])} {rng.choice(PLACE_WORDS)}"
    street = lots.street[built]
    number = _count_within(np.unique(street.astype(str), return_inverse=True)[1].astype(np.int64))
    return Table(
        geometry,
        {
            "name": as_text(names),
            "address": as_text([f"{n} {word}" for n, word in zip(number, street, strict=True)]),
            "use": np.where(shop, "shop", "house").astype(object),
            "storeys": storeys.astype(np.int64),
            "residents": np.where(shop, rng.poisson(3.2, count), rng.poisson(3.9, count)).astype(np.int64),
        },
    )


def _build_slabs(cells: Cells, specials: Specials, rng: np.random.Generator) -> Table:
    owners = [(k, slab) for k, kind in enumerate(specials.kind) for slab in SPECIAL_SLABS[kind]]
    cell = specials.cell[[k for k, _ in owners]]
    rectangle = np.array([slab for _, slab in owners])
    geometry = _map_rectangles(cells, cell, (rectangle[:, 0], rectangle[:, 1], rectangle[:, 2], rectangle[:, 3]))
    kinds = [specials.kind[k] for k, _ in owners]
    storeys = np.array([rng.integers(STOREYS[kind][0], STOREYS[kind][1] + 1) for kind in kinds])
    flats = np.array([kind == "apartment" for kind in kinds])
    living = shapely.area(geometry) * storeys * 0.7 / 26.0
    return Table(
        geometry,
        {
            "name": as_text([specials.name[k] for k, _ in owners]),
            "address": as_text([None] * len(owners)),
            "use": as_text([BUILDING_USE[kind] for kind in kinds]),
            "storeys": storeys,
            "residents": np.where(flats, living, 0.0).astype(np.int64),
        },
    )
