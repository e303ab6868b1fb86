"""Street and park trees, and green spaces."""

import numpy as np
import shapely

from twin.demo.buildings import Specials
from twin.demo.cells import Cells
from twin.demo.lighting import offset_points
from twin.demo.plan import EXTENT, Floats, Plan, Shapes, Water
from twin.demo.shapes import Table, as_shapes, as_text, is_inside, make_points, number_ids
from twin.demo.streets import WIDTH, Streets

SPECIES = (
    ("Hopea odorata", "Sao đen", 0.22), ("Dipterocarpus alatus", "Dầu rái", 0.12), ("Delonix regia", "Phượng vĩ", 0.12),
    ("Lagerstroemia speciosa", "Bằng lăng", 0.18), ("Peltophorum pterocarpum", "Lim xẹt", 0.10),
    ("Barringtonia acutangula", "Lộc vừng", 0.08), ("Cassia fistula", "Hoàng yến", 0.10),
    ("Sonneratia caseolaris", "Bần chua", 0.03), ("Terminalia catappa", "Bàng", 0.05),
)  # fmt: skip
SPACING = {"primary": 11.0, "secondary": 12.0, "tertiary": 16.0, "residential": 34.0}


def make_trees(plan: Plan, streets: Streets, green: Table, water: Water) -> Table:
    """Return trees on both sides of the streets and scattered in parks, none in the water."""
    rng = np.random.default_rng([plan.seed, 11])
    xy = np.vstack([_line_streets(streets, rng), _scatter(green.geometry, rng)])
    xy = xy[is_inside(xy[:, 0], xy[:, 1])]
    xy = xy[~shapely.contains_xy(water.all.buffer(1.0), xy)]
    count = len(xy)
    kind = rng.choice(len(SPECIES), count, p=[share for _, _, share in SPECIES])
    age = rng.gamma(3.0, 6.0, count).clip(1.0, 60.0)
    height = (3.0 + 0.42 * age * rng.uniform(0.7, 1.2, count)).clip(2.5, 24.0)
    return Table(
        make_points(xy[:, 0], xy[:, 1]),
        {
            "id": number_ids("TR", count),
            "species": as_text([SPECIES[k][0] for k in kind]),
            "local_name": as_text([SPECIES[k][1] for k in kind]),
            "height": height.round(1),
            "trunk_diameter": (0.05 + 0.012 * age).round(2),
            "crown_diameter": (0.55 * height).round(1),
            "planted": np.datetime64("2026-01-01") - (age * 365.25).astype("timedelta64[D]"),
            "condition": as_text(list(rng.choice(["good", "fair", "poor", "dead"], count, p=[0.68, 0.25, 0.06, 0.01]))),
        },
    )


def _line_streets(streets: Streets, rng: np.random.Generator) -> Floats:
    rows = []
    for link in streets.links:
        if link.is_bridge or link.road_class not in SPACING or link.line.length < 40.0:
            continue
        if link.road_class == "residential" and rng.random() < 0.5:
            continue
        at = np.arange(14.0, link.line.length - 12.0, SPACING[link.road_class])
        for side in (1.0, -1.0):
            kept = at[rng.random(len(at)) < 0.8]
            if len(kept):
                rows.append(offset_points(link.line, kept, side * (WIDTH[link.road_class] / 2 + 2.0)))
    return np.vstack(rows)


def _scatter(areas: Shapes, rng: np.random.Generator) -> Floats:
    """Return about one point for every 90 m² of each area."""
    points = [np.empty((0, 2))]
    for area in areas:
        x0, y0, x1, y1 = area.bounds
        xy = rng.uniform((x0, y0), (x1, y1), (int((x1 - x0) * (y1 - y0) / 90.0), 2))
        points.append(xy[shapely.contains_xy(area, xy)])
    return np.vstack(points)


def make_green_spaces(cells: Cells, specials: Specials, water: Water) -> Table:
    """Return parks, sports grounds, the quay promenade and gardens along the canal banks in town."""
    blocks = cells.outline(gross=False)
    shapes = [blocks[n] for n, kind in zip(specials.cell, specials.kind, strict=True) if kind in ("park", "sports")]
    kinds = [kind for kind in specials.kind if kind in ("park", "sports")]
    names = [name for name, kind in zip(specials.name, specials.kind, strict=True) if kind in ("park", "sports")]
    for k, u in enumerate((-400.0, -100.0, 200.0), 1):
        along = np.linspace(u + 20.0, u + 280.0, 12)
        frame = cells.plan.frame
        ring = np.vstack([np.column_stack(frame.to_map(along, 2.5)), np.column_stack(frame.to_map(along[::-1], 11.0))])
        strip = shapely.Polygon(ring).difference(water.all).intersection(EXTENT)
        if strip.area > 100.0:
            shapes.append(strip)
            kinds.append("garden")
            names.append(f"Vườn hoa Bến Sông {k}")
    geometry = as_shapes(shapes)
    return Table(
        geometry,
        {
            "id": number_ids("GS", len(shapes)),
            "name": as_text(names),
            "green_type": as_text(kinds),
            "area": shapely.area(geometry).round(1),
        },
    )
